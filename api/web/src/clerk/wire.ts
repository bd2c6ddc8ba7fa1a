/** How questions and files are written on their way to the server. */

export type Filter = Record<string, string | number | boolean | null>

const MEDIA: Record<string, string> = {
  csv: 'text/csv',
  txt: 'text/csv',
  tsv: 'text/tab-separated-values',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  xls: 'application/vnd.ms-excel',
  ods: 'application/vnd.oasis.opendocument.spreadsheet',
  parquet: 'application/vnd.apache.parquet',
}

/** How the name of a file may end that can be handed over. */
export const ENDINGS = Object.keys(MEDIA).map((ending) => `.${ending}`)

export function mediaOf(name: string): string {
  return MEDIA[name.toLowerCase().split('.').pop() ?? ''] ?? 'application/octet-stream'
}

/** The file name that an answer gives itself (RFC 6266); the extended form holds Chinese. */
export function nameIn(disposition: string | null): string | null {
  const [, extended] = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '') ?? []
  if (extended) return decodeURIComponent(extended)
  return /filename="?([^";]+)"?/i.exec(disposition ?? '')?.[1] ?? null
}

/** A query string of what is set; what is empty, zero or false is not asked for. */
export function queryOf(filter: Filter): string {
  const told = new URLSearchParams()
  for (const [name, value] of Object.entries(filter)) if (value) told.set(name, String(value))
  const query = told.toString()
  return query && `?${query}`
}
