/** The words of the pages, in both languages: those that all pages share here, those of a page beside it. */

import { createI18n } from 'vue-i18n'
import en from './shared/en'
import zh from './shared/zh'

type Widened<T> = { [K in keyof T]: T[K] extends string ? string : Widened<T[K]> }

export const words = createI18n({ legacy: false, locale: 'zh', fallbackLocale: 'zh', messages: { zh: {}, en: {} } })

/** Adds words. Every sentence exists in both languages: the English ones must have the shape of the Chinese ones. */
export function teach<T extends object>(chinese: T, english: Widened<T>): void {
  words.global.mergeLocaleMessage('zh', chinese)
  words.global.mergeLocaleMessage('en', english)
}

teach(zh, en)
