/** Who has signed in and which page is open; the URL's hash leads the page. */

import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { readReading, writeReading } from '../address'
import type { Text } from '../contract'
import { browserLanguage, dress, type Reading } from '../reading'
import type { ServiceError } from '../service'
import { words } from '../words'
import type { Me } from './contract'
import { known, send } from './service'

export const PAGES = ['me', 'users', 'keys', 'audit'] as const
export type Page = (typeof PAGES)[number]

/** Where somebody came from to sign in, and goes back to. */
const BACK = new URLSearchParams(location.hash.slice(1)).get('back') === 'exchange' ? '/exchange' : null

/** Pages beside one's own, by role. */
const OF_ROLE: Record<string, readonly Page[]> = {
  system_admin: ['users', 'keys'],
  security_admin: ['users', 'keys'],
  audit_admin: ['audit'],
}

const first = readReading(new URLSearchParams(location.hash.slice(1)))
export const reading = reactive<Reading>({ ...first, language: first.language ?? browserLanguage })
export const page = ref<Page>(pageOf())
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

export function linkTo(some: Page): string {
  return `#page=${some}&${writeReading(reading)}`
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
  if (BACK && me.value?.name && !me.value.restricted) location.assign(`${BACK}#${writeReading(reading)}`)
}

export async function signOut(): Promise<void> {
  await send('POST', '/sign-out', reading.language).catch((error) => (failure.value = known(error)))
  await meet()
}

window.addEventListener('hashchange', () => (page.value = pageOf()))
watch(reading, () => history.replaceState(history.state, '', linkTo(page.value)), { immediate: true })
dress(reading, () => `${words.global.t('title')} · ${words.global.t('brand')}`)
