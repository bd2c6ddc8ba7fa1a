/** The titles of registers and departments, as far as the clerk may know them. */

import { computed } from 'vue'
import type { Named, Register } from './contract'
import { clerk, registers, textOf } from './session'

/** Departments of all registers, each once. */
export const departments = computed<Named[]>(() => {
  const found = new Map<string, Named>()
  for (const { departments: some } of registers.value) for (const one of some) found.set(one.code, one)
  return [...found.values()]
})

export function registerOf(id: string): Register | undefined {
  return registers.value.find((one) => one.id === id)
}

export function registerTitle(id: string): string {
  return textOf(registerOf(id)?.title) || id
}

/** A value of an item in words: the title of a code, anything else as it stands. */
export function valueTitle(register: string, item: string, value: string | null): string | null {
  const field = registerOf(register)?.fields.find((one) => one.name === item)
  return (value && textOf(field?.values[value])) || value
}

export function departmentTitle(code: string): string {
  if (code === clerk.value?.department) return textOf(clerk.value.title)
  return textOf(departments.value.find((one) => one.code === code)?.title) || code
}
