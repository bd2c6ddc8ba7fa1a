/** What the reader is looking at, as one reactive value; the URL's hash follows it and leads it. */

import { computed, reactive, shallowRef, watch } from 'vue'
import { readAddress, whenOf, writeAddress, type Address, type Position } from './address'
import { isoOfDay, today } from './calendar'
import type { Box, FeatureId } from './contract'
import { browserLanguage, dress, isNarrow, shadeOf, type Reading } from './reading'
import { daysOf } from './values'
import { words } from './words'

/** A wish to move the map; a new object each time, so that the same wish can be repeated. */
export type CameraMove =
  | { to: 'place'; center: [number, number]; zoom?: number }
  | { to: 'box'; box: Box; maxZoom?: number }
  | { to: 'zoom'; by: number; at?: never }
  | { to: 'zoomLevel'; zoom: number }
  | { to: 'north' }

export type Sheet = 'catalogue' | 'feature' | 'time'

// a query string is read too, so that `/map?lang=en` can be written by hand; the hash has the last word
const first = { ...readAddress(`${location.search.slice(1)}&${location.hash.slice(1)}`) }

export const session = reactive<Address & Reading>({ ...first, language: first.language ?? browserLanguage })

/** Panels that are open. On a phone one sheet at a time, and the map comes first. */
export const open = reactive<Record<Sheet, boolean>>({
  catalogue: !isNarrow.value,
  feature: session.selected !== null || session.here !== null,
  time: !isNarrow.value,
})

export const camera = shallowRef<CameraMove | null>(null)

/** Features under the last click, the selected one among them, and where that click was. */
export const hits = shallowRef<FeatureId[]>([])
export const clicked = shallowRef<[number, number] | null>(null)

export const theme = shadeOf(session)

/** The time that is looked at as questions carry it, and as people write it; null is now. */
export const when = computed(() => whenOf(session))
export const whenTold = computed(() => (when.value ? daysOf(session.since, session.at ?? isoOfDay(today()), session.language) : null))

/** Back to the city as it is. */
export function lookAtNow(): void {
  session.at = null
  session.since = null
}

/** Opens a panel; on a phone it takes the place of the other sheets. */
export function openSheet(sheet: Sheet): void {
  if (isNarrow.value) for (const other of Object.keys(open) as Sheet[]) open[other] = false
  open[sheet] = true
}

export function select(id: FeatureId | null, around: FeatureId[] = [], place: [number, number] | null = null): void {
  session.selected = id
  session.here = null
  hits.value = around
  clicked.value = place
  if (id) openSheet('feature')
  else open.feature = false
}

/** Asks what is at a place, in longitude and latitude. */
export function askHere(place: [number, number]): void {
  select(null)
  session.here = place
  openSheet('feature')
}

export function moveTo(move: CameraMove): void {
  camera.value = move
}

export function setPosition(position: Position): void {
  session.position = position
}

function follow(): void {
  const hash = `#${writeAddress(session)}`
  if (hash === location.hash) return
  // the query has been taken into the hash; two places that say different things would be a riddle
  history.replaceState(null, '', `${location.pathname}${hash}`)
}

let waiting = 0
watch(
  () => writeAddress(session),
  () => {
    window.clearTimeout(waiting)
    waiting = window.setTimeout(follow, 150)
  },
  { immediate: true },
)

window.addEventListener('hashchange', () => {
  const told = readAddress(location.hash)
  const { position } = told
  Object.assign(session, { ...told, language: told.language ?? session.language })
  if (told.selected || told.here) openSheet('feature')
  if (position) moveTo({ to: 'place', center: [position.lon, position.lat], zoom: position.zoom })
})

dress(session, () => `${words.global.t('brand')} · ${words.global.t('tagline')}`)
