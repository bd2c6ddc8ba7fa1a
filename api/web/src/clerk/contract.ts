/** What the server says of deliveries, of what was returned of them, of the directory and of the scores. */

import type { Text } from '../contract'

export interface Clerk {
  /** The department whose key this is; `*` is the data centre, which sees all. */
  department: string
  title: Text
  max_upload_mb: number
}

export interface ItemField {
  name: string
  title: Text
  type: string
  required: boolean
  identifier: boolean
  /** Column titles under which a file may hold the item. */
  aliases: string[]
  /** The item of addresses in words from which this one is found where a file has no code. */
  written: string | null
  /** The words of a coded item, by code. */
  values: Record<string, Text>
  /** Departments whose word on it counts, the prevailing first. */
  authority: string[]
}

export interface Named {
  code: string
  title: Text
}

export interface Register {
  id: string
  title: Text
  fields: ItemField[]
  departments: Named[]
}

export type Mode = 'auto' | 'full' | 'incremental'

export type DeliveryState = 'received' | 'working' | 'done' | 'failed' | 'withdrawn'

/** delivered = accepted + unchanged + returned; null until it is known. */
export interface Account {
  delivered: number | null
  accepted: number | null
  unchanged: number | null
  returned: number | null
}

export interface Delivery {
  id: number
  register: string
  department: string
  mode: Mode
  edition: string
  file: string
  state: DeliveryState
  rows: Account
  facts: Account
  ended: number | null
  reasons: Record<string, number>
  progress: { done: number; total: number | null }
  error: Text | null
  received_at: string
  started_at: string | null
  finished_at: string | null
}

export type TaskState = 'open' | 'answered' | 'withdrawn'

export interface Rival {
  department: string
  title: Text
  delivery: number | null
  row: number | null
  value: string | null
}

/** One row, or one item of a row, that its department must look into. */
export interface Task {
  id: number
  register: string
  department: string
  delivery: number
  row: number
  fid: number | null
  /** Empty where the row as a whole is at fault. */
  item: string
  item_title: Text | null
  reason: string
  text: Text
  value: string | null
  rival: Rival | null
  place: { lon: number; lat: number } | null
  raised_at: string
  due_on: string
  state: TaskState
  closed_by: number | null
}

export interface Cell {
  column: string
  value: string | null
}

export interface TaskRow extends Task {
  /** The row as it was handed over; not there where the file can no longer be read. */
  columns?: Cell[]
}

export interface Listed<T> {
  found: T[]
  matched: number
}
