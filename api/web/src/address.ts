/** The address of a view: all that is seen, written in the URL's hash, read back from it.
 *
 * `#map=15.20/116.50830/31.74310/0/0&layers=air.grid@60,-base.roads&at=2021-05-01&sel=base.buildings/42&lang=en`
 *
 * `at` is a day, and with `since` the last of a span of days;
 * `map` is zoom / longitude / latitude / bearing / pitch; `layers` names only what differs from how the map opens
 * (`id` switched on, `-id` switched off, `@60` opacity in per cent), so that a link stays good when the catalogue grows.
 */

import { dayOfIso, isoOfDay, readDay, today } from './calendar.ts'
import type { FeatureId, Language } from './contract'
import type { ThemeChoice } from './reading'

export interface Position {
  lon: number
  lat: number
  zoom: number
  bearing: number
  pitch: number
}

export interface Address {
  position: Position | null
  shown: Record<string, boolean>
  /** Opacity of collections in per cent, where it is not 100. */
  opacity: Record<string, number>
  /** ISO date of the Shanghai day that is looked at; null is now. */
  at: string | null
  /** First day (ISO) of the time that is looked at, whose last is `at` or today; null where a single day is. */
  since: string | null
  selected: FeatureId | null
  /** The place that is asked about, longitude first; null is none. */
  here: [number, number] | null
  language: Language | null
  theme: ThemeChoice
  large: boolean
  raised: boolean
}

const DATE = /^\d{4}-\d{2}-\d{2}$/
const LAYER = /^(-?)([a-z][a-z0-9]*\.[a-z][a-z0-9_]*)(?:@(\d{1,3}))?$/
const SELECTED = /^([a-z][a-z0-9]*\.[a-z][a-z0-9_]*)\/(\d{1,16})$/

/** Reads a hash (or a query string); what it cannot make out is left at its default. */
export function readAddress(hash: string): Address {
  const given = new URLSearchParams(hash.replace(/^[#?]/, ''))
  return {
    position: readPosition(given.get('map')),
    ...readLayers(given.get('layers')),
    ...readTime(given),
    selected: readSelected(given.get('sel')),
    here: readPlace(given.get('here')),
    ...readReading(given),
    raised: given.get('3d') === '1',
  }
}

/** Writes the hash of an address, without `#`. */
export function writeAddress(address: Address): string {
  const parts: string[] = []
  const add = (key: string, value: string | null | false): void => {
    if (value) parts.push(`${key}=${value}`)
  }
  add('map', address.position && writePosition(address.position))
  add('layers', writeLayers(address.shown, address.opacity))
  add('since', address.since)
  add('at', address.at)
  add('sel', address.selected && `${address.selected.collection}/${address.selected.fid}`)
  add('here', address.here && address.here.map((degrees) => degrees.toFixed(6)).join('/'))
  const reading = writeReading(address)
  if (reading) parts.push(reading)
  add('3d', address.raised && '1')
  return parts.join('&')
}

/** The part of an address that says how the page is read; every page's address ends with it. */
export function writeReading(reading: Pick<Address, 'language' | 'theme' | 'large'>): string {
  const parts: string[] = []
  if (reading.language) parts.push(`lang=${reading.language}`)
  if (reading.theme !== 'auto') parts.push(`theme=${reading.theme}`)
  if (reading.large) parts.push('text=large')
  return parts.join('&')
}

/** Reads that part; what it cannot make out is left at its default. */
export function readReading(given: URLSearchParams): Pick<Address, 'language' | 'theme' | 'large'> {
  const language = given.get('lang')
  const theme = given.get('theme')
  return {
    language: language === 'zh' || language === 'en' ? language : null,
    theme: theme === 'light' || theme === 'dark' ? theme : 'auto',
    large: given.get('text') === 'large',
  }
}

function readTime(given: URLSearchParams): Pick<Address, 'at' | 'since'> {
  const [at, since] = ['at', 'since'].map((key) => {
    const day = given.get(key)
    return day && DATE.test(day) && readDay(day) !== null ? day : null
  }) as [string | null, string | null]
  return { at, since: since && dayOfIso(since) < (at ? dayOfIso(at) : today()) ? since : null }
}

/** The `datetime` of questions about the time that is looked at: a day, a span of days, or null for now. */
export function whenOf({ at, since }: Pick<Address, 'at' | 'since'>): string | null {
  return since ? `${since}/${at ?? isoOfDay(today())}` : at
}

function readPosition(text: string | null): Position | null {
  const numbers = (text ?? '').split('/').map((part) => (part === '' ? NaN : Number(part)))
  const [zoom, lon, lat, bearing = 0, pitch = 0] = numbers
  if (zoom === undefined || lon === undefined || lat === undefined) return null
  if (numbers.some((n) => !Number.isFinite(n))) return null
  if (Math.abs(lon) > 180 || Math.abs(lat) > 85 || zoom < 0 || zoom > 24) return null
  return { zoom, lon, lat, bearing, pitch: Math.min(Math.max(pitch, 0), 70) }
}

function readPlace(text: string | null): [number, number] | null {
  const [lon, lat, ...rest] = (text ?? '').split('/').map((part) => (part === '' ? NaN : Number(part)))
  if (lon === undefined || lat === undefined || rest.length || !(Math.abs(lon) <= 180 && Math.abs(lat) <= 85)) return null
  return [lon, lat]
}

function writePosition(p: Position): string {
  const place = [p.zoom.toFixed(2), p.lon.toFixed(5), p.lat.toFixed(5)]
  const view = p.bearing || p.pitch ? [p.bearing.toFixed(0), p.pitch.toFixed(0)] : []
  return [...place, ...view].join('/')
}

function readLayers(text: string | null): Pick<Address, 'shown' | 'opacity'> {
  const shown: Record<string, boolean> = {}
  const opacity: Record<string, number> = {}
  for (const entry of (text ?? '').split(',')) {
    const [, off, id, percent] = LAYER.exec(entry) ?? []
    if (!id) continue
    shown[id] = off !== '-'
    if (percent) opacity[id] = Math.min(100, Number(percent))
  }
  return { shown, opacity }
}

function writeLayers(shown: Record<string, boolean>, opacity: Record<string, number>): string {
  const ids = new Set([...Object.keys(shown), ...Object.keys(opacity)])
  return [...ids]
    .sort()
    .map((id) => {
      const percent = opacity[id]
      return `${shown[id] === false ? '-' : ''}${id}${percent === undefined ? '' : `@${percent}`}`
    })
    .join(',')
}

function readSelected(text: string | null): FeatureId | null {
  const [, collection, fid] = SELECTED.exec(text ?? '') ?? []
  if (!collection || !Number.isSafeInteger(Number(fid))) return null
  return { collection, fid: Number(fid) }
}
