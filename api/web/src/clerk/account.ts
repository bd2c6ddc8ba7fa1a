/** The account of a delivery as a bar: what was accepted, unchanged and returned, adding up to what was delivered. */

import type { Account, DeliveryState } from './contract'

export const PARTS = ['accepted', 'unchanged', 'returned'] as const

export interface Part {
  name: (typeof PARTS)[number]
  count: number
  /** Width in per cent of the bar; the widths of all parts add up to 100. */
  width: number
}

/** A part that is there is seen, however small beside the others. */
const LEAST = 1

/** The parts that are not empty; none where the account is not closed yet or nothing was delivered. */
export function partsOf(account: Account): Part[] {
  const { delivered } = account
  if (!delivered) return []
  const parts = PARTS.map((name) => ({ name, count: account[name] ?? 0 })).filter(({ count }) => count > 0)
  const raised = parts.map((part) => ({ ...part, width: Math.max(LEAST, (100 * part.count) / delivered) }))
  const all = raised.reduce((sum, { width }) => sum + width, 0)
  return raised.map((part) => ({ ...part, width: (100 * part.width) / all }))
}

export function isUnderWay(state: DeliveryState): boolean {
  return state === 'received' || state === 'working'
}

/** A part of a whole in per cent, as people read it: "<0.1", "12.3", "100". Never 100 unless it is all of it. */
export function percentOf(count: number, whole: number): string {
  if (!whole || !count) return '0'
  const percent = (100 * count) / whole
  if (percent < 0.1) return '<0.1'
  if (count < whole && percent > 99.9) return '>99.9'
  return percent.toFixed(1).replace(/\.0$/, '')
}
