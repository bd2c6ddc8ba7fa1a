/** Days of the time bar, counted since 1970 in the calendar of Shanghai. */

const DAY_MS = 86_400_000
const SHANGHAI_MS = 8 * 3_600_000

export function today(now: Date = new Date()): number {
  return Math.floor((now.getTime() + SHANGHAI_MS) / DAY_MS)
}

export function dayOfIso(iso: string): number {
  return Math.floor(Date.parse(`${iso.slice(0, 10)}T00:00:00Z`) / DAY_MS)
}

export function isoOfDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

export function yearOfDay(day: number): number {
  return new Date(day * DAY_MS).getUTCFullYear()
}

export function firstDayOfYear(year: number): number {
  return Math.floor(Date.UTC(year, 0, 1) / DAY_MS)
}

/** The years to write under a bar: at most `most` of them, evenly, on round numbers. */
export function yearMarks(first: number, last: number, most: number): number[] {
  const step = [1, 2, 5, 10, 20, 50].find((s) => (last - first) / s <= most) ?? 100
  const marks: number[] = []
  for (let year = Math.ceil(first / step) * step; year <= last; year += step) marks.push(year)
  return marks
}
