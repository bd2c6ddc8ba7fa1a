/** Values as people write them: units, codes, days, ages, in the chosen language. */

import { isoOfDay, today } from './calendar.ts'
import type { Field, Language, Text, Value } from './contract'

const UNITS: Record<string, Text> = {
  m: { zh: '米', en: 'm' },
  km: { zh: '千米', en: 'km' },
  m2: { zh: '平方米', en: 'm²' },
  km2: { zh: '平方千米', en: 'km²' },
  har: { zh: '公顷', en: 'ha' },
  'km/h': { zh: '千米/时', en: 'km/h' },
  '%': { zh: '%', en: '%' },
  'ug/m3': { zh: '微克/立方米', en: 'µg/m³' },
  s: { zh: '秒', en: 's' },
  min: { zh: '分钟', en: 'min' },
}

/** The declared unit in words; a symbol that has none stands for itself. */
export function unitOf(field: Field, language: Language): string {
  return UNITS[field.unit]?.[language] ?? field.unit
}

/** A field's value in words, without its unit; null where there is none. */
export function valueOf(field: Field, value: Value | undefined, language: Language): string | null {
  if (value === null || value === undefined || value === '') return null
  const coded = field.values[String(value)]
  if (coded) return coded[language]
  if (typeof value === 'boolean') return { zh: ['否', '是'], en: ['no', 'yes'] }[language][Number(value)] ?? null
  if (field.type === 'number' && typeof value === 'number') return numberOf(value, language)
  if (field.type === 'date') return dayOf(String(value), language)
  if (field.type === 'instant') return instantOf(String(value), language)
  return String(value)
}

export function numberOf(value: number, language: Language): string {
  return new Intl.NumberFormat(locale(language), { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 }).format(value)
}

/** A calendar day; an instant is told as its day in Shanghai. */
export function dayOf(iso: string, language: Language): string {
  const isDay = iso.length === 10
  const date = new Date(isDay ? `${iso}T00:00:00+08:00` : iso)
  if (Number.isNaN(date.getTime())) return iso
  return new Intl.DateTimeFormat(locale(language), { ...dayStyle(language), timeZone: 'Asia/Shanghai' }).format(date)
}

function dayStyle(language: Language): Intl.DateTimeFormatOptions {
  return { year: 'numeric', month: language === 'zh' ? 'long' : 'short', day: 'numeric' }
}

/** A span of days, the last included; without a first, the one day. */
export function daysOf(first: string | null, last: string, language: Language): string {
  const days = [...(first ? [first] : []), last].map((day) => dayOf(day, language))
  return days.join(language === 'zh' ? '至' : ' – ')
}

/** The day in Shanghai of an instant, ISO, or one some days later. */
export function shanghaiDay(instant: string, days = 0): string {
  return isoOfDay(today(new Date(instant)) + days)
}

/** The last day of a span whose end does not belong to it any more. */
export function lastDayOf(end: string, language: Language): string {
  const date = new Date(end)
  return Number.isNaN(date.getTime()) ? end : dayOf(new Date(date.getTime() - 1).toISOString(), language)
}

export function instantOf(iso: string, language: Language): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const style = { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Shanghai' } as const
  return new Intl.DateTimeFormat(locale(language), style).format(date)
}

/** How long ago, in the coarsest unit that still says something. */
export function ageOf(iso: string, language: Language, now: Date = new Date()): string {
  const days = (new Date(iso).getTime() - now.getTime()) / 86_400_000
  if (Number.isNaN(days)) return iso
  const told = new Intl.RelativeTimeFormat(locale(language), { numeric: 'auto' })
  if (Math.abs(days) < 1) return told.format(Math.round(days), 'day')
  if (Math.abs(days) < 45) return told.format(Math.round(days), 'day')
  if (Math.abs(days) < 700) return told.format(Math.round(days / 30.4), 'month')
  return told.format(Math.round(days / 365.25), 'year')
}

export function locale(language: Language): string {
  return language === 'zh' ? 'zh-CN' : 'en-GB'
}

/** The size of a file, in the unit that suits it. */
export function bytesOf(bytes: number, language: Language): string {
  const units = ['B', 'kB', 'MB', 'GB']
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3))
  return `${numberOf(bytes / 1000 ** step, language)} ${units[step]}`
}
