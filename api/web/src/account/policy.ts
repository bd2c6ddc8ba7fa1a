/** A grant of a policy as a form has it, and back: the form says something of every field, the document of the others. */

import type { Grant } from './contract'

export interface Draft {
  roles: string[]
  rows: string
  /** Words with commas between them. */
  departments: string
  purposes: string
  /** How each field is told: empty as it is, `hidden`, or the rule by which it is masked. */
  fields: Record<string, string>
  place: 'exact' | 'cell' | 'division'
  /** The resolution of the cell, where places are told as cells. */
  cell: number
  isAnonymous: boolean
  resolution: number
  k: number
  diversity: number
}

export const HIDDEN = 'hidden'
/** What no grant may fall below. */
export const LEAST_K = 5

const listed = (text: string): string[] => text.split(/[,，、;；\n]+/).map((one) => one.trim()).filter(Boolean)

export function draftOf(grant: Grant, finest: number): Draft {
  const hidden = Object.fromEntries((grant.hidden ?? []).map((name) => [name, HIDDEN]))
  const precision = grant.precision ?? 'exact'
  return {
    roles: [...grant.roles],
    rows: grant.rows ?? 'all',
    departments: (grant.departments ?? []).join(', '),
    purposes: (grant.purposes ?? []).join(', '),
    fields: { ...grant.masked, ...hidden },
    place: typeof precision === 'number' ? 'cell' : precision,
    cell: typeof precision === 'number' ? precision : finest,
    isAnonymous: grant.anonymous !== undefined,
    resolution: grant.anonymous?.resolution ?? Math.min(finest, 9),
    k: grant.anonymous?.k ?? LEAST_K,
    diversity: grant.anonymous?.diversity ?? 1,
  }
}

/** The document of a form. */
export function grantOf(draft: Draft): Grant {
  const told = Object.entries(draft.fields).filter(([, how]) => how)
  const hidden = told.filter(([, how]) => how === HIDDEN).map(([name]) => name)
  const masked = Object.fromEntries(told.filter(([, how]) => how !== HIDDEN))
  const departments = listed(draft.departments)
  const purposes = listed(draft.purposes)
  const { resolution, k, diversity } = draft
  return {
    roles: draft.roles,
    rows: draft.rows,
    ...(departments.length && { departments }),
    ...(purposes.length && { purposes }),
    ...(Object.keys(masked).length && { masked }),
    ...(hidden.length && { hidden }),
    ...(draft.place !== 'exact' && { precision: draft.place === 'cell' ? Number(draft.cell) : draft.place }),
    ...(draft.isAnonymous && { anonymous: { resolution: Number(resolution), k: Number(k), diversity: Number(diversity) } }),
  }
}
