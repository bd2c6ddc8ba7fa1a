/** The key by which a clerk is known: kept for as long as this tab is open, never in its address. */

import { ref } from 'vue'

const NAME = 'onemap.key'

export const key = ref<string | null>(read())

export function keep(given: string): void {
  key.value = given
  try {
    sessionStorage.setItem(NAME, given)
  } catch {
    // a browser that keeps nothing: the key is good until the page is left
  }
}

export function forget(): void {
  key.value = null
  try {
    sessionStorage.removeItem(NAME)
  } catch {
    // nothing was kept
  }
}

/** Takes a key out of the address (`#key=…`), before anything else reads it or it is seen in the history. */
export function takeFromAddress(): void {
  const told = new URLSearchParams(location.hash.slice(1))
  const given = told.get('key')
  if (given === null) return
  told.delete('key')
  const rest = told.toString()
  history.replaceState(history.state, '', `${location.pathname}${location.search}${rest ? `#${rest}` : ''}`)
  if (given.trim()) keep(given.trim())
}

function read(): string | null {
  try {
    return sessionStorage.getItem(NAME)
  } catch {
    return null
  }
}
