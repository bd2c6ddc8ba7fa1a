/** Who has signed in and which page is open; the URL's hash leads the page. */

import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { readReading, writeReading } from '../address'
import type { Text } from '../contract'
import { browserLanguage, dress, type Reading } from '../reading'
import type { ServiceError } from '../service'
import { words } from '../words'
import type { Me } from './contract'
import { known, send } from './service'

export const PAGES = ['me', 'users', 'keys', 'policies', 'emergencies', 'audit'] as const
export type Page = (typeof PAGES)[number]

const arrived = new URLSearchParams(location.hash.slice(1))
/** The page from which somebody came to sign in, and to which they go back. */
export const back = arrived.get('back') === 'exchange' ? 'exchange' : null
/** Why the provider of identities brought nobody. */
const FAULTS = ['refused', 'expired', 'unavailable', 'no_role'] as const
export const fault = FAULTS.find((one) => one === arrived.get('sign-in')) ?? null

/** Pages beside one's own, by role. */
const OF_ROLE: Record<string, readonly Page[]> = {
  system_admin: ['users', 'keys'],
  security_admin: ['users', 'keys', 'policies', 'emergencies'],
  audit_admin: ['audit'],
}

const first = readReading(new URLSearchParams(location.hash.slice(1)))
export const reading = reactive<Reading>({ ...first, language: first.language ?? browserLanguage })
export const page = ref<Page>(pageOf())
/** What is open on the page, by its id; empty for its list. */
export const opened = ref(openedOf())
export const me = shallowRef<Me | null>(null)
export const failure = shallowRef<ServiceError | null>(null)

export const pages = computed<Page[]>(() => {
  if (!me.value?.name) return []
  return ['me', ...(me.value.restricted ? [] : (OF_ROLE[me.value.role] ?? []))]
})

function pageOf(): Page {
  const asked = new URLSearchParams(location.hash.slice(1)).get('page')
  return PAGES.find((one) => one === asked) ?? 'me'
}

function openedOf(): string {
  return new URLSearchParams(location.hash.slice(1)).get('of') ?? ''
}

export function linkTo(some: Page, of = ''): string {
  return `#page=${some}${of && `&of=${encodeURIComponent(of)}`}&${writeReading(reading)}`
}

export function textOf(text: Text | null | undefined): string {
  return text?.[reading.language] ?? ''
}

export function timeOf(instant: string | null): string {
  return instant ? new Date(instant).toLocaleString(reading.language === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Shanghai' }) : ''
}

/** Learns who the caller is; a session that has ended is told once, and then nobody is signed in. */
export async function meet(): Promise<void> {
  failure.value = null
  try {
    me.value = await send<Me>('GET', '/me', reading.language)
  } catch (error) {
    const told = known(error)
    if (told.status === 401) me.value = await send<Me>('GET', '/me', reading.language).catch(() => null)
    if (!me.value) failure.value = told
  }
}

/** Goes on once signed in; who has a second factor to set up stays. */
export async function arrive(): Promise<void> {
  await meet()
  if (back && me.value?.name && !me.value.restricted) location.assign(`/${back}#${writeReading(reading)}`)
}

export async function signOut(): Promise<void> {
  try {
    const answer = await send<{ continue_at?: string } | null>('POST', '/sign-out', reading.language)
    // the provider has a session of its own, which is to end as well
    if (answer?.continue_at) return location.assign(answer.continue_at)
    await meet()
  } catch (error) {
    failure.value = known(error)
  }
}

window.addEventListener('hashchange', () => {
  page.value = pageOf()
  opened.value = openedOf()
})
watch(reading, () => history.replaceState(history.state, '', linkTo(page.value, opened.value)), { immediate: true })
dress(reading, () => `${words.global.t('title')} · ${words.global.t('brand')}`)
