/** What became of a feature: its versions in valid time, and what each changed. */

import type { Feature, Field, Value } from './contract'

export interface Change {
  field: Field
  before: Value
  after: Value
}

/** A version with what it changed against the one before it; `from` and `to` (exclusive) are null without a bound. */
export interface Version {
  from: string | null
  to: string | null
  isFirst: boolean
  isMoved: boolean
  changes: Change[]
}

/** The versions of one feature, the newest first. */
export function historyOf(fields: Field[], versions: Feature[]): Version[] {
  const inOrder = [...versions].sort((a, b) => begin(a) - begin(b))
  const told = inOrder.map((one, i) => {
    const before = inOrder[i - 1]
    return {
      from: bound(one, 'valid_from'),
      to: bound(one, 'valid_to'),
      isFirst: !before,
      isMoved: Boolean(before && JSON.stringify(before.geometry) !== JSON.stringify(one.geometry)),
      changes: before ? changesOf(fields, before, one) : [],
    }
  })
  return told.reverse()
}

function changesOf(fields: Field[], before: Feature, after: Feature): Change[] {
  return fields
    .map((field) => ({ field, before: before.properties[field.name] ?? null, after: after.properties[field.name] ?? null }))
    .filter((change) => change.before !== change.after)
}

function bound(of: Feature, name: 'valid_from' | 'valid_to'): string | null {
  const value = of.properties[name]
  return typeof value === 'string' ? value : null
}

function begin(of: Feature): number {
  const from = bound(of, 'valid_from')
  return from ? Date.parse(from) : -Infinity
}
