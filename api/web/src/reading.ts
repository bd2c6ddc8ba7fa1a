/** How a page is read: its language, its theme, the size of its text; the same on every page. */

import { computed, ref, watch, type ComputedRef } from 'vue'
import type { Language } from './contract'
import { words } from './words'

export type ThemeChoice = 'auto' | 'light' | 'dark'

export interface Reading {
  language: Language
  theme: ThemeChoice
  large: boolean
}

const systemDark = matchMedia('(prefers-color-scheme: dark)')
const narrowScreen = matchMedia('(max-width: 767px)')

const isSystemDark = ref(systemDark.matches)
systemDark.addEventListener('change', (event) => (isSystemDark.value = event.matches))

export const isNarrow = ref(narrowScreen.matches)
narrowScreen.addEventListener('change', (event) => (isNarrow.value = event.matches))

/** What is read where nobody has said: what the browser is set to, else Chinese. */
export const browserLanguage: Language = navigator.language.toLowerCase().startsWith('en') ? 'en' : 'zh'

export function shadeOf(reading: Reading): ComputedRef<'light' | 'dark'> {
  return computed(() => (reading.theme === 'auto' ? (isSystemDark.value ? 'dark' : 'light') : reading.theme))
}

/** Keeps the page as it is read: its words, its colours, the size of its text, its title. */
export function dress(reading: Reading, title: () => string): void {
  const shade = shadeOf(reading)
  watch(
    () => [reading.language, shade.value, reading.large] as const,
    ([language, theme, large]) => {
      const root = document.documentElement
      root.lang = language === 'zh' ? 'zh-CN' : 'en'
      root.dataset.theme = theme
      root.classList.toggle('large', large)
      words.global.locale.value = language
    },
    { immediate: true, flush: 'sync' },
  )
  watch(title, (text) => (document.title = text), { immediate: true })
}
