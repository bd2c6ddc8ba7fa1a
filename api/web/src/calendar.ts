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

/** A day as people type it ("2021-5-1", "2021/05/01", "20210501", "2021年5月1日", "2021"); null where it is none. */
export function readDay(text: string): number | null {
  const digits = /^\d{8}$/.test(text.trim()) ? text.trim().replace(/^(\d{4})(\d{2})/, '$1-$2-') : text.trim()
  const [, year, month = '1', day = '1'] = /^(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)?$/.exec(digits) ?? []
  if (!year) return null
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return null
  return Math.floor(date.getTime() / DAY_MS)
}
