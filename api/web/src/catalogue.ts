/** The city's collections and the style of its map, fetched once and again when language or theme change. */

import type { StyleSpecification } from 'maplibre-gl'
import { computed, shallowRef, watch } from 'vue'
import type { Box, Collection } from './contract'
import { shownIn } from './map/shown'
import { purpose } from './purpose'
import { fetchCollections, fetchStyle, ServiceError, type FailureKind } from './service'
import { session, theme } from './session'

export interface Failure {
  what: 'catalogue' | 'style'
  kind: FailureKind
  detail: string
}

export const collections = shallowRef<Collection[] | null>(null)
export const mapStyle = shallowRef<StyleSpecification | null>(null)
export const failure = shallowRef<Failure | null>(null)

export const byId = computed(() => new Map((collections.value ?? []).map((c) => [c.id, c])))

const shownAtFirst = computed(() => shownIn(mapStyle.value))

/** Collections of the map, in groups, as the catalogue lists them. What has no style cannot be shown. */
export const groups = computed(() => {
  const found = new Map<string, Collection[]>()
  for (const collection of collections.value ?? []) {
    if (!collection.style || !collection.geometryType) continue
    const title = collection.group[session.language]
    found.set(title, [...(found.get(title) ?? []), collection])
  }
  return [...found].map(([title, members]) => ({ title, members }))
})

/** The city as one box: where its registers overlap, since divisions reach far beyond what is built and farms stray. */
export const cityBox = computed<Box | null>(() => {
  const all = collections.value ?? []
  const data = all.filter((c) => !c.base)
  return overlap(data.filter((c) => c.id.startsWith('base.'))) ?? unite(data) ?? unite(all)
})

/** The first year of which anything is known. */
export const firstYear = computed(() => {
  const years = (collections.value ?? [])
    .map((c) => c.extent?.temporal?.interval?.[0]?.[0])
    .filter((start): start is string => typeof start === 'string')
    .map((start) => new Date(start).getUTCFullYear())
    .filter((year) => year >= 1900)
  return years.length ? Math.min(...years) : null
})

export function isShown(id: string): boolean {
  return session.shown[id] ?? shownAtFirst.value.has(id)
}

export function setShown(id: string, shown: boolean): void {
  if (shown === shownAtFirst.value.has(id) && session.opacity[id] === undefined) delete session.shown[id]
  else session.shown[id] = shown
}

/** In per cent. */
export function opacityOf(id: string): number {
  return session.opacity[id] ?? 100
}

export function setOpacity(id: string, percent: number): void {
  if (percent === 100) {
    delete session.opacity[id]
    setShown(id, isShown(id))
  } else {
    session.shown[id] = isShown(id)
    session.opacity[id] = percent
  }
}

export async function load(): Promise<void> {
  await Promise.all([loadCollections(), loadStyle()])
}

async function loadCollections(): Promise<void> {
  try {
    collections.value = await fetchCollections(session.language)
    if (failure.value?.what === 'catalogue') failure.value = null
  } catch (error) {
    fail('catalogue', error)
  }
}

async function loadStyle(): Promise<void> {
  const asked = [theme.value, session.language] as const
  try {
    const style = await fetchStyle(...asked)
    if (asked[0] !== theme.value || asked[1] !== session.language) return
    mapStyle.value = style
    if (failure.value?.what === 'style') failure.value = null
  } catch (error) {
    fail('style', error)
  }
}

function fail(what: Failure['what'], error: unknown): void {
  const known = error instanceof ServiceError ? error : new ServiceError('wrong', '')
  failure.value = { what, kind: known.kind, detail: known.detail }
}

function boxesOf(some: Collection[]): Box[] {
  return some.map((c) => c.extent?.spatial?.bbox?.[0]).filter((b): b is Box => Array.isArray(b) && b.length === 4)
}

function edges(boxes: Box[]): [west: number[], south: number[], east: number[], north: number[]] {
  return [boxes.map((b) => b[0]), boxes.map((b) => b[1]), boxes.map((b) => b[2]), boxes.map((b) => b[3])]
}

function unite(some: Collection[]): Box | null {
  const boxes = boxesOf(some)
  const [west, south, east, north] = edges(boxes)
  return boxes.length ? [Math.min(...west), Math.min(...south), Math.max(...east), Math.max(...north)] : null
}

function overlap(some: Collection[]): Box | null {
  const boxes = boxesOf(some)
  const [west, south, east, north] = edges(boxes)
  const box: Box = [Math.max(...west), Math.max(...south), Math.min(...east), Math.min(...north)]
  return boxes.length && box[0] < box[2] && box[1] < box[3] ? box : null
}

watch([theme, () => session.language], loadStyle)
// some see more for a stated purpose
watch(purpose, load)
