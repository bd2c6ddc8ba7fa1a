/** Which column of a row as handed over holds the item that is at fault. */

import type { Cell, ItemField, Register } from './contract'

/** Column titles that mean the same: no difference of case, width or spaces. */
function plain(title: string): string {
  return title.normalize('NFKC').toLocaleLowerCase().replace(/[\s_*:：()]/g, '')
}

/** The index of the column that holds an item, by its name, titles and aliases; -1 where none does. */
export function columnOf(columns: Cell[], item: string, register: Register | undefined): number {
  if (!item) return -1
  const field = register?.fields.find((one) => one.name === item)
  const names = new Set(namesOf(item, field).map(plain))
  return columns.findIndex(({ column }) => names.has(plain(column)))
}

function namesOf(item: string, field: ItemField | undefined): string[] {
  return field ? [item, field.title.zh, field.title.en, ...field.aliases] : [item]
}
