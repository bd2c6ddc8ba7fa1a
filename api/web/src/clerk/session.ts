/** Where a clerk is and who the clerk is; the URL's hash leads the one, a key or the session of an account the other. */

import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { Text } from '../contract'
import { browserLanguage, dress, shadeOf, type Reading } from '../reading'
import { ServiceError } from '../service'
import { words } from '../words'
import { knownCaller, type Caller } from '../caller'
import { placeOf, PUBLIC, readAddress, writeAddress, type ClerkAddress, type Place } from './address'
import type { Clerk, Register } from './contract'
import { forget, keep, key, takeFromAddress } from './key'
import { fetchClerk, fetchRegisters, leave } from './service'

/** What stands between the clerk and the pages: nothing, nobody signed in, a key that does not fit, or no answer. */
export type Gate = 'open' | 'asking' | 'closed' | 'refused' | 'failed'

takeFromAddress()
const first: ClerkAddress = readAddress(location.hash || location.search)

export const reading = reactive<Reading>({ language: first.language ?? browserLanguage, theme: first.theme, large: first.large })
export const theme = shadeOf(reading)

export const place = shallowRef<Place>(first.place)
export const clerk = shallowRef<Clerk | null>(null)
export const registers = shallowRef<Register[]>([])
export const gate = ref<Gate>('asking')
export const gateFailure = shallowRef<ServiceError | null>(null)
/** Who has signed in with an account in this browser. */
export const account = shallowRef<Caller | null>(null)

export const isCentre = computed(() => clerk.value?.department === '*')

/** Whether the page that is open is shown to whoever comes. */
export const isPublic = computed(() => PUBLIC.includes(place.value.page))

/** The address of another place, for a link. */
export function linkTo(some: Partial<Place>): string {
  return `#${writeAddress({ place: placeOf(some), ...reading })}`
}

/** The address of this place with something changed; a list begins anew unless its beginning is said. */
export function linkWith(some: Partial<Place>): string {
  return linkTo({ ...place.value, offset: 0, ...some })
}

export function go(some: Partial<Place>): void {
  location.hash = linkTo(some)
}

/** Changes the filter of the list that is open, without a new entry in the history. */
export function refine(some: Partial<Place>): void {
  history.replaceState(history.state, '', linkWith(some))
  follow()
}

export function textOf(text: Text | null | undefined): string {
  return text?.[reading.language] ?? ''
}

export async function signIn(given: string): Promise<void> {
  keep(given)
  await meet()
}

/** Takes the key away, or ends the session by which the clerk came. */
export async function signOut(): Promise<void> {
  if (!key.value && account.value) {
    await leave(reading.language).catch(() => {})
    account.value = null
  }
  shut('closed')
}

/** Nobody is known any more: of their own will, or because a key or a session is not taken any longer. */
export function shut(why: Gate): void {
  forget()
  clerk.value = null
  registers.value = []
  gate.value = why
}

/** Learns who comes, by the key or by the account that has signed in, and what that department may deliver to. */
export async function meet(): Promise<void> {
  gate.value = 'asking'
  try {
    account.value = await knownCaller(reading.language)
    if (!key.value && !account.value?.department) return shut('closed')
    const who = await fetchClerk(reading.language)
    registers.value = await fetchRegisters(reading.language)
    clerk.value = who
    gate.value = 'open'
  } catch (error) {
    const known = error instanceof ServiceError ? error : new ServiceError('wrong', '')
    if (known.status === 401) return shut(key.value ? 'refused' : 'closed')
    gateFailure.value = known
    gate.value = 'failed'
  }
}

function follow(): void {
  place.value = readAddress(location.hash).place
}

window.addEventListener('hashchange', () => {
  const before = key.value
  takeFromAddress()
  const told = readAddress(location.hash)
  Object.assign(reading, { theme: told.theme, large: told.large, language: told.language ?? reading.language })
  place.value = told.place
  if (key.value !== before) void meet()
})

watch(reading, () => history.replaceState(history.state, '', linkTo(place.value)), { immediate: true })

dress(reading, () => `${words.global.t(`pages.${place.value.page}`)} · ${words.global.t('title')} · ${words.global.t('brand')}`)
