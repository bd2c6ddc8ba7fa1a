/** The scorecard as the server tells it: read by whoever comes. */

import type { Language, Text } from '../contract'
import { askAsClerk } from './service'

export const SCORES = ['quantity', 'quality', 'timeliness', 'use'] as const

/** From 0 to 100; null where there is nothing to judge, which is not nought. */
export interface Figure {
  value: number | null
  n: number
}

export interface Line extends Record<(typeof SCORES)[number], Figure> {
  department: string
  department_title: Text
  /** Empty in the line of a department as a whole. */
  class: string
  title: Text
  deliveries: number
  rows: { delivered: number }
  accepted_share: number | null
}

export interface Scorecard {
  since: string
  until: string
  departments: Line[]
  classes: Line[]
}

export function fetchScorecard(language: Language): Promise<Scorecard> {
  return askAsClerk('/exchange/scorecard?f=json', language)
}
