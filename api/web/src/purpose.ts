/** The duty for which somebody looks: stated once, kept for as long as this tab is open, sent with every question. */

import { ref } from 'vue'

const NAME = 'onemap.purpose'
/** So long may it be. */
export const LONGEST = 120

interface Kept {
  /** Whose purpose it is. */
  name: string
  purpose: string
}

let kept = read()

/** Empty where none is stated. */
export const purpose = ref(kept?.purpose ?? '')

/** Set where somebody is to be asked now. */
export const isAsked = ref(false)

/** The headers by which questions state it: words in UTF-8, percent-encoded. */
export function purposeHeaders(): Record<string, string> {
  return purpose.value ? { 'OneMap-Purpose': encodeURIComponent(purpose.value) } : {}
}

/** Whether somebody has said what to do about it in this tab: stated one, or put it off. */
export function hasDecided(name: string): boolean {
  return kept?.name === name
}

/** Lets a purpose hold for whoever has signed in; an empty one is none, and is not asked for again. */
export function state(name: string, said: string): void {
  kept = { name, purpose: said.trim().slice(0, LONGEST) }
  purpose.value = kept.purpose
  try {
    sessionStorage.setItem(NAME, JSON.stringify(kept))
  } catch {
    // a browser that keeps nothing: it holds until the page is left
  }
}

/** Nobody states the purpose of somebody else. */
export function forgetUnlessOf(name: string | null): void {
  if (!kept || kept.name === name) return
  kept = null
  purpose.value = ''
  try {
    sessionStorage.removeItem(NAME)
  } catch {
    // nothing was kept
  }
}

function read(): Kept | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(NAME) ?? 'null') as Partial<Kept> | null
    return typeof found?.name === 'string' && typeof found.purpose === 'string' ? { name: found.name, purpose: found.purpose } : null
  } catch {
    return null
  }
}
