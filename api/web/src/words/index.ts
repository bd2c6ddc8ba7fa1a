/** The words of the page, in both languages. */

import { createI18n } from 'vue-i18n'
import en from './en'
import zh from './zh'

type Widened<T> = { [K in keyof T]: T[K] extends string ? string : Widened<T[K]> }

/** Every sentence exists in both languages: the English file must have the shape of the Chinese one. */
const messages: { zh: Widened<typeof zh>; en: Widened<typeof zh> } = { zh, en }

export const words = createI18n({ legacy: false, locale: 'zh', fallbackLocale: 'zh', messages })
