/** What the map has on screen, told to the panels: how busy it is, what failed, what is in view. */

import { reactive, shallowRef } from 'vue'
import type { Text } from '../contract'
import type { FailureKind } from '../service'
import type { Changed } from './live'

export interface Tally {
  total: number
  /** Features by the value of the field that decides their class. */
  values: Map<string | number | null, number>
  /** Where features are drawn as cells: the classes of these, and how many features lie in cells of each. */
  cells: CellClass[]
}

export interface CellClass {
  /** From how many features to a square kilometre on. */
  value: number
  color: string
  title: Text
  count: number
}

export interface Sight {
  isReady: boolean
  isBusy: boolean
  hasWebGl: boolean
  /** Collections whose tiles did not all arrive, and why. */
  failures: Record<string, FailureKind>
  /** Distinct features in view, by collection; of those that the map draws. */
  tallies: Record<string, Tally>
  isEmpty: boolean
  zoom: number
  bearing: number
  /** Ground length of a hundred pixels, in metres, at the centre of the map. */
  hundredPx_m: number
  pointer: { lon: number; lat: number } | null
}

export const sight = reactive<Sight>({
  isReady: false,
  isBusy: true,
  hasWebGl: true,
  failures: {},
  tallies: {},
  isEmpty: false,
  zoom: 0,
  bearing: 0,
  hundredPx_m: 0,
  pointer: null,
})

/** What changed in the city a moment ago, and where. */
export const changed = shallowRef<Changed>(new Map())

/** Names in the tiles on screen that contain a word; set by the map, called by the search. */
export const namesInView: { find: (part: string, most: number) => NameInView[] } = { find: () => [] }

export interface NameInView {
  collection: string
  fid: number
  name: string
  lon: number
  lat: number
}
