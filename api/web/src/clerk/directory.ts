/** The directory as the server tells it: read by whoever comes. */

import type { Language, Text } from '../contract'
import type { Listed, Named } from './contract'
import { askAsClerk } from './service'
import { queryOf, type Filter } from './wire'

export interface Counts {
  departments: number
  classes: number
  items: number
}

export interface Bureau extends Named {
  /** How many classes and items are its own. */
  classes: number
  items: number
}

export interface InformationClass {
  code: string
  department: string
  title: Text
  subject_title: Text
  period_title: Text
  /** The register that its rows are delivered to. */
  register: string | null
  items: number
}

export interface DataItem {
  code: string
  class: string
  department: string
  title: Text
  type_title: Text
  meaning: Text
  unit: string | null
  sensitivity: string
  share_title: Text
  terms: string | null
}

export interface Overdue {
  class: string
  title: Text
  department: string
  period_title: Text
  last: string | null
  due: string
  days: number
}

export interface Double {
  by: 'element' | 'name'
  what: string
  title: Text
  subject: string
  departments: string[]
  items: string[]
}

export interface Absent {
  item: string
  title: Text
  class: string
  owner: string
  asked_by: string[]
  since: string
  why: 'class' | 'field' | 'empty'
}

export interface Findings {
  overdue: Overdue
  double: Double
  absent: Absent
}

/** As many as the server gives at once. */
const ALL = 1000

export interface Whole {
  counts: Counts
  departments: Bureau[]
  classes: InformationClass[]
}

/** The directory without its items, of which there are many. */
export async function fetchDirectory(language: Language): Promise<Whole> {
  const [counts, departments, classes] = await Promise.all([
    askAsClerk<Counts>('/exchange/directory', language),
    every<Bureau>('departments', language),
    every<InformationClass>('classes', language),
  ])
  return { counts, departments, classes }
}

export async function fetchItems(code: string, language: Language): Promise<DataItem[]> {
  return (await listed<DataItem>('items', { class: code, limit: ALL }, language)).found
}

let kept: Promise<DataItem[]> | null = null

/** Every item, for a search among them; fetched once. */
export function fetchAllItems(language: Language): Promise<DataItem[]> {
  kept ??= every<DataItem>('items', language).catch((error: unknown) => {
    kept = null
    throw error
  })
  return kept
}

export function fetchFindings<K extends keyof Findings>(kind: K, filter: Filter, language: Language): Promise<Listed<Findings[K]>> {
  return listed(kind, filter, language)
}

async function every<T>(name: string, language: Language): Promise<T[]> {
  const found: T[] = []
  for (;;) {
    const part = await listed<T>(name, { limit: ALL, offset: found.length }, language)
    found.push(...part.found)
    if (found.length >= part.matched || !part.found.length) return found
  }
}

async function listed<T>(name: string, filter: Filter, language: Language): Promise<Listed<T>> {
  const answer = await askAsClerk<Record<string, unknown>>(`/exchange/directory/${name}${queryOf(filter)}`, language)
  return { found: answer[name] as T[], matched: Number(answer['numberMatched']) }
}

/** What of a list has a word in its name, code or meaning, in either language; what bears it in its name comes first. */
export function having<T extends { code: string; title: Text; meaning?: Text }>(list: T[], word: string): T[] {
  const sought = word.trim().toLocaleLowerCase()
  const words = ({ code, title, meaning }: T): string => [code, title.zh, title.en, meaning?.zh, meaning?.en].join('\n')
  if (!sought) return list
  const has = (text: string): boolean => text.toLocaleLowerCase().includes(sought)
  const named = (one: T): boolean => has(one.title.zh) || has(one.title.en)
  const found = list.filter((one) => has(words(one)))
  return [...found.filter(named), ...found.filter((one) => !named(one))]
}
