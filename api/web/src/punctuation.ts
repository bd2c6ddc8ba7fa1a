/** Chinese is written with Chinese punctuation, however a sentence was typed. */

const MARKS: Record<string, string> = { ',': '，', ';': '；', ':': '：', '?': '？', '!': '！' }
const CHINESE = '[\\u4e00-\\u9fff\\uff01-\\uff5e“”‘’《》、。]'
const MARK = new RegExp(`(?<=${CHINESE}\\s?)[,;:?!]\\s?|[,;:?!]\\s?(?=${CHINESE})`, 'gu')
const BRACKETS = /\(([^()]*[\u4e00-\u9fff][^()]*)\)/gu

/** A sentence of the platform's own in Chinese: half-width marks beside Chinese become full-width. Never for data. */
export function inChinese(text: string): string {
  const outer = text.replace(BRACKETS, '（$1）')
  // brackets within brackets: the outer ones are seen once the inner ones are done
  return outer === text ? text.replace(MARK, (mark) => MARKS[mark.trim()] ?? mark) : inChinese(outer)
}

/** For JSON.parse: words in both languages are the platform's own; all else is left as it is. */
export function revive(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { zh, en, ...more } = value as Record<string, unknown>
  return typeof zh === 'string' && typeof en === 'string' && !Object.keys(more).length ? { zh: inChinese(zh), en } : value
}
