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
  has_factor?: boolean
  collections: { id: string; title: Text; sensitivity: 'open' | 'internal' | 'personal'; rights: Text[] }[]
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
