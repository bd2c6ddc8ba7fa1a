/** Coordinates as people type them. */

export interface Typed {
  lon: number
  lat: number
  /** True when latitude came first and could be told apart. */
  swapped: boolean
}

const PART = /([NSEWnsew北南东西])?\s*([-+]?\d+(?:\.\d+)?)\s*(?:[°度]\s*(?:(\d+(?:\.\d+)?)\s*['′’分]\s*)?(?:(\d+(?:\.\d+)?)\s*["″”秒]\s*)?)?([NSEWnsew北南东西])?/g
const LATITUDE = /[NSns北南]/
const NEGATIVE = /[SWsw南西]/

/** Reads "116.5083, 31.7431" (longitude first), "31°44′35″N 116°30′30″E" or "东经116.5 北纬31.7"; null otherwise. */
export function readCoordinates(text: string): Typed | null {
  const cleaned = text.replace(/[经纬]/g, '').replace(/[，、;；/]/g, ',')
  const parts = [...cleaned.matchAll(PART)]
  const rest = cleaned.replace(PART, '').replace(/[\s,()（）]/g, '')
  if (parts.length !== 2 || rest) return null
  const [first, second] = parts.map(readPart)
  if (!first || !second) return null
  const latitudeFirst = first.isLatitude ?? (second.isLatitude === null ? outside(first.value, second.value) : !second.isLatitude)
  const [lon, lat] = latitudeFirst ? [second.value, first.value] : [first.value, second.value]
  if (Math.abs(lon) > 180 || Math.abs(lat) > 85) return null
  return { lon, lat, swapped: latitudeFirst && first.isLatitude === null }
}

/** "116.508300, 31.743100": longitude first, to a tenth of a metre. */
export function writeCoordinates(lon: number, lat: number): string {
  return `${lon.toFixed(6)}, ${lat.toFixed(6)}`
}

/** A point of the geometry to speak of: the point itself, or the middle of the shape's box. */
export function middleOf(geometry: GeoJSON.Geometry): [number, number] {
  const [west, south, east, north] = boxOf(geometry)
  return [(west + east) / 2, (south + north) / 2]
}

export function boxOf(geometry: GeoJSON.Geometry): [number, number, number, number] {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity]
  const widen = (part: unknown): void => {
    if (!Array.isArray(part)) return
    const [x, y] = part as unknown[]
    if (typeof x === 'number' && typeof y === 'number') {
      box[0] = Math.min(box[0], x)
      box[1] = Math.min(box[1], y)
      box[2] = Math.max(box[2], x)
      box[3] = Math.max(box[3], y)
    } else part.forEach(widen)
  }
  if (geometry.type === 'GeometryCollection') geometry.geometries.forEach((g) => widen('coordinates' in g ? g.coordinates : []))
  else widen(geometry.coordinates)
  return box
}

function readPart(match: RegExpMatchArray): { value: number; isLatitude: boolean | null } {
  const [, before, degrees, minutes = '0', seconds = '0', after] = match
  const letter = before ?? after ?? ''
  const size = Number(degrees) + (Number(minutes) / 60 + Number(seconds) / 3600) * (Number(degrees) < 0 ? -1 : 1)
  return { value: NEGATIVE.test(letter) ? -size : size, isLatitude: letter ? LATITUDE.test(letter) : null }
}

/** Whether only "latitude, longitude" makes sense of two bare numbers. */
function outside(first: number, second: number): boolean {
  return Math.abs(second) > 90 && Math.abs(first) <= 90
}

/** The box around a circle, in degrees; the radius in metres. */
export function boxAround(lon: number, lat: number, radius_m: number): [number, number, number, number] {
  const north = radius_m / 111_320
  const east = north / Math.max(Math.cos((lat * Math.PI) / 180), 0.01)
  return [lon - east, lat - north, lon + east, lat + north]
}
