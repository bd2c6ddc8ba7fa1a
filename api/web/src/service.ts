/** Questions to the server, same origin; every failure is one of a few kinds that have words. */

import type { StyleSpecification } from 'maplibre-gl'
import { inChinese, revive } from './punctuation'
import { purposeHeaders } from './purpose'
import type { AddressMatch, Collection, Feature, FeatureId, Here, Language } from './contract'

export type FailureKind = 'unreachable' | 'missing' | 'refused' | 'unstated' | 'busy' | 'wrong'

/** What a refusal is about that only wants to know what for. */
const PURPOSE = 'OneMap-Purpose'

export class ServiceError extends Error {
  constructor(
    readonly kind: FailureKind,
    /** What the server said, in the words of its problem document; may be empty. */
    readonly detail: string,
    /** The HTTP status; 0 where there was no answer. */
    readonly status = 0,
    /** The input at fault, as the problem document names it. */
    readonly subject = '',
  ) {
    super(detail || kind)
  }
}

export function failureKind(status: number): FailureKind {
  if (status === 404 || status === 410) return 'missing'
  if (status === 401 || status === 403) return 'refused'
  if (status === 429 || status === 502 || status === 503 || status === 504) return 'busy'
  return 'wrong'
}

export async function fetchCollections(language: Language): Promise<Collection[]> {
  const answer = await ask<{ collections: Collection[] }>('/collections', language)
  return answer.collections
}

export function fetchStyle(theme: 'light' | 'dark', language: Language): Promise<StyleSpecification> {
  return ask<StyleSpecification>(`/styles/onemap?theme=${theme}&lang=${language}`, language)
}

/** The feature as it was in a `datetime` or as it is now. */
export function fetchFeature(id: FeatureId, at: string | null, language: Language): Promise<Feature> {
  const when = at ? `?datetime=${at}` : ''
  return ask<Feature>(`/collections/${id.collection}/items/${id.fid}${when}`, language)
}

/** All versions of a feature in valid time. */
export async function fetchVersions(id: FeatureId, language: Language): Promise<Feature[]> {
  const question = new URLSearchParams({ ids: String(id.fid), datetime: '../..', limit: '100' })
  const answer = await ask<{ features: Feature[] }>(`/collections/${id.collection}/items?${question}`, language)
  return answer.features
}

/** Features of one collection whose field equals a value. */
export async function fetchByField(
  collection: string,
  field: string,
  value: string,
  language: Language,
): Promise<Feature[]> {
  const question = new URLSearchParams({ [field]: value, limit: '6' })
  const answer = await ask<{ features: Feature[] }>(`/collections/${collection}/items?${question}`, language)
  return answer.features
}

/** Features of one collection whose text field contains a word; `%` and `_` in it are taken as they stand. */
export async function fetchByPart(
  collection: string,
  field: string,
  part: string,
  language: Language,
): Promise<Feature[]> {
  const pattern = part.replace(/[\\%_]/g, '\\$&').replace(/'/g, "''")
  const question = new URLSearchParams({
    filter: `${field} LIKE '%${pattern}%'`,
    'filter-lang': 'cql2-text',
    limit: '6',
  })
  const answer = await ask<{ features: Feature[] }>(`/collections/${collection}/items?${question}`, language)
  return answer.features
}

/** What the one map holds around a place, in a `datetime` or now. */
export function fetchHere(place: [number, number], radius_m: number, at: string | null, language: Language): Promise<Here> {
  const question = new URLSearchParams({ lon: String(place[0]), lat: String(place[1]), radius: String(radius_m), lang: language })
  if (at) question.set('datetime', at)
  return ask<Here>(`/here?${question}`, language)
}

/** Which place of the city an address means. */
export function fetchAddress(text: string, language: Language): Promise<AddressMatch> {
  return ask<AddressMatch>(`/geocode?${new URLSearchParams({ address: text })}`, language)
}

/** What the server answers to a question of this origin, as JSON. Throws ServiceError. */
export async function ask<T>(url: string, language: Language, more: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(url, { ...more, headers: { Accept: 'application/json', 'Accept-Language': language, ...purposeHeaders(), ...more.headers } })
  } catch {
    throw new ServiceError('unreachable', '')
  }
  if (!response.ok) throw failureOf(response.status, await response.text().catch(() => ''))
  return JSON.parse(await response.text(), revive) as T
}

/** The failure that an answer tells of: its status, and the sentence of its problem document if it is one. */
export function failureOf(status: number, body: string): ServiceError {
  let detail = ''
  let subject = ''
  try {
    const problem = JSON.parse(body) as { detail?: unknown; subject?: unknown }
    if (typeof problem.subject === 'string') subject = problem.subject
    if (typeof problem.detail === 'string') detail = document.documentElement.lang.startsWith('zh') ? inChinese(problem.detail) : problem.detail
  } catch {
    // an answer from in front of the server, not from it
  }
  const kind = status === 403 && subject === PURPOSE ? 'unstated' : failureKind(status)
  return new ServiceError(kind, detail, status, subject)
}
