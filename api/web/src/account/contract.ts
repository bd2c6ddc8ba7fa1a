/** What the server tells of accounts, keys and the trace. */

import type { Text } from '../contract'

export interface Me {
  name: string | null
  person?: string
  role: string
  title: Text
  department: string | null
  /** Ranges of division codes; null is everywhere. */
  divisions: [string, string][] | null
  restricted: boolean
  /** By what the caller is known. */
  by: 'session' | 'provider' | 'key' | 'token' | null
  has_factor?: boolean
  collections: { id: string; title: Text; sensitivity: 'open' | 'internal' | 'personal'; rights: Text[] }[]
}

/** The ways in: with a password of this site, and by a provider of identities where there is one. */
export interface WaysIn {
  password: boolean
  provider: { href: string; host: string } | null
}

export interface User {
  name: string
  person: string
  role: string
  title: Text
  divisions: string[] | null
  department: string | null
  expires_at: string | null
  disabled_at: string | null
  has_factor: boolean
  one_time_until: string | null
  signed_in_at: string | null
  unused: boolean
  one_time_password?: string
}

export interface Key {
  id: number
  name: string
  department: string | null
  role: string
  collections: string[] | null
  writes: boolean
  per_minute: number | null
  created_at: string
  expires_at: string | null
  revoked_at: string | null
  used_at: string | null
  key?: string
}

export interface Entry {
  number: number
  at: string
  event: string
  outcome: 'success' | 'refused' | 'failed'
  who: string
  role: string
  origin?: string
  purpose?: string
  collection?: string
  query?: string
  rows?: number
}

export interface Audit {
  entries: Entry[]
  events: Record<string, string>
  links: { rel: string; href: string }[]
}

/** How exactly a place is told: as it is, as its division, as the cell of a resolution. */
export type Precision = 'exact' | 'division' | number

/** What some callers may see, as a policy's document has it. */
export interface Grant {
  roles: string[]
  rows?: string
  departments?: string[]
  purposes?: string[]
  masked?: Record<string, string>
  hidden?: string[]
  precision?: Precision
  anonymous?: { resolution: number; k: number; diversity?: number }
}

export interface PolicyDocument {
  grants: Grant[]
}

export type Sensitivity = 'open' | 'internal' | 'personal'

export interface PolicyEntry {
  id: string
  title: Text
  sensitivity: Sensitivity
  adjusted: boolean
  changed_by?: string
  changed_at?: string
  why?: string
}

export interface Policies {
  policies: PolicyEntry[]
  roles: Record<string, Text>
  rows: string[]
  masks: Record<string, Text>
}

/** What each role sees, in sentences. */
export interface Explained {
  role: string
  title: Text
  sentences: Text[]
}

export interface PolicyOf extends PolicyEntry {
  policy: PolicyDocument
  declared: PolicyDocument
  fields: { name: string; title: Text }[]
  finest_cell: number
  explained: Explained[]
}

export interface PolicyChange {
  version: number
  document: PolicyDocument | null
  changed_by: string
  why: string
  changed_at: string
}

export interface Emergency {
  id: number
  name: string
  divisions: string[]
  begins: string
  ends: string
  declared_by: string
  why: string
  ended_at: string | null
  ended_by: string | null
  in_force: boolean
}
