/** The address of a clerk's page: what is open and how it is filtered, written in the URL's hash, read back from it.
 *
 * `#page=returned&register=base.persons&overdue=1&lang=en` · `#page=deliveries&delivery=12` · `#page=returned&task=55`
 */

import { readReading, writeReading } from '../address.ts'
import type { Language } from '../contract'
import type { ThemeChoice } from '../reading'

export const PAGES = ['deliveries', 'returned', 'directory', 'scorecard'] as const

export type Page = (typeof PAGES)[number]

/** Pages that everybody may read. */
export const PUBLIC: readonly Page[] = ['directory', 'scorecard']

export interface Place {
  page: Page
  /** On the page of deliveries: the one that is open. On that of returned rows: the one whose rows are listed. */
  delivery: number | null
  task: number | null
  register: string
  department: string
  state: string
  reason: string
  overdue: boolean
  /** A list within the directory; empty for the directory itself. */
  list: string
  /** An information class of the directory. */
  class: string
  search: string
  /** How many entries of a list come before the first that is shown. */
  offset: number
}

export interface ClerkAddress {
  place: Place
  language: Language | null
  theme: ThemeChoice
  large: boolean
}

const NOWHERE: Place = {
  page: 'deliveries',
  delivery: null,
  task: null,
  register: '',
  department: '',
  state: '',
  reason: '',
  overdue: false,
  list: '',
  class: '',
  search: '',
  offset: 0,
}

const WORDS = ['register', 'department', 'state', 'reason', 'list', 'class', 'search'] as const
const NUMBERS = ['delivery', 'task'] as const
const WHOLE = /^[1-9]\d{0,15}$/

/** A place with everything but what is named left at its default. */
export function placeOf(some: Partial<Place>): Place {
  return { ...NOWHERE, ...some }
}

/** Reads a hash; what it cannot make out is left at its default. */
export function readAddress(hash: string): ClerkAddress {
  const given = new URLSearchParams(hash.replace(/^[#?]/, ''))
  const place = placeOf({})
  const page = PAGES.find((one) => one === given.get('page'))
  if (page) place.page = page
  for (const name of WORDS) place[name] = given.get(name) ?? ''
  for (const name of NUMBERS) place[name] = whole(given.get(name))
  place.offset = whole(given.get('offset')) ?? 0
  place.overdue = given.get('overdue') === '1'
  return { place, ...readReading(given) }
}

/** Writes the hash of an address, without `#`. */
export function writeAddress({ place, ...reading }: ClerkAddress): string {
  const told = new URLSearchParams()
  told.set('page', place.page)
  for (const name of NUMBERS) if (place[name]) told.set(name, String(place[name]))
  for (const name of WORDS) if (place[name]) told.set(name, place[name])
  if (place.overdue) told.set('overdue', '1')
  if (place.offset) told.set('offset', String(place.offset))
  return [told.toString(), writeReading(reading)].filter(Boolean).join('&')
}

function whole(text: string | null): number | null {
  return text && WHOLE.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null
}
