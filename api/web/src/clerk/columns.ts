/** Which column of a row as handed over holds the item that is at fault. */

import type { Cell, ItemField, Register } from './contract'

/** Column titles that mean the same: no difference of case, width or spaces. */
function plain(title: string): string {
  return title.normalize('NFKC').toLocaleLowerCase().replace(/[\s_*:：()]/g, '')
}

/** The index of the column that holds an item, by its name, titles and aliases; -1 where none does.
 *
 * A place may stand in a file as a code or as an address in words: the column that is filled counts.
 */
export function columnOf(columns: Cell[], item: string, register: Register | undefined): number {
  const field = fieldOf(item, register)
  const [own, written] = [item, field?.written].map((name) => (name ? find(columns, name, register) : -1)) as [number, number]
  return written >= 0 && (own < 0 || !columns[own]?.value) ? written : own
}

function find(columns: Cell[], item: string, register: Register | undefined): number {
  const field = fieldOf(item, register)
  const names = new Set((field ? [item, field.title.zh, field.title.en, ...field.aliases] : [item]).map(plain))
  return columns.findIndex(({ column }) => names.has(plain(column)))
}

function fieldOf(item: string, register: Register | undefined): ItemField | undefined {
  return register?.fields.find((one) => one.name === item)
}
