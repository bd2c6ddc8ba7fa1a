/** The selected feature as the server tells it, on the day that is looked at. */

import { computed, shallowRef, watch } from 'vue'
import { byId } from './catalogue'
import { purpose } from './purpose'
import { clicked, session, when } from './session'
import { middleOf } from './coordinates'
import { reachesPlace } from './map/live'
import { changed } from './map/sight'
import { fetchByField, fetchFeature, fetchVersions, ServiceError, type FailureKind } from './service'
import type { Feature, FeatureId } from './contract'

export const feature = shallowRef<Feature | null>(null)
export const failure = shallowRef<FailureKind | null>(null)
export const isLoading = shallowRef(false)
/** All that the feature has been, and when; empty where it has no valid time. */
export const versions = shallowRef<Feature[]>([])
/** Name of the division that the feature lies in, once it is known. */
export const divisionName = shallowRef<string | null>(null)

export const collection = computed(() => (session.selected ? byId.value.get(session.selected.collection) : undefined))

/** The point to speak of: of a point feature its own, else where it was clicked, else its middle. */
export const point = computed<[number, number] | null>(() => {
  const geometry = feature.value?.geometry
  if (geometry?.type === 'Point') return [geometry.coordinates[0] ?? 0, geometry.coordinates[1] ?? 0]
  return clicked.value ?? (geometry ? middleOf(geometry) : null)
})

let latest = 0
/** Which feature `feature` is: it is not shown a moment longer than it is selected. */
let standing = ''

async function read(): Promise<void> {
  const turn = ++latest
  const id = session.selected
  const name = id ? `${id.collection}/${id.fid}` : ''
  failure.value = null
  if (name !== standing) feature.value = null
  standing = name
  isLoading.value = Boolean(id)
  if (!id) return
  try {
    const told = await fetchFeature(id, when.value, session.language)
    if (turn === latest) feature.value = told
  } catch (error) {
    if (turn !== latest) return
    feature.value = null
    failure.value = error instanceof ServiceError ? error.kind : 'wrong'
  } finally {
    if (turn === latest) isLoading.value = false
  }
}

/** A division's code means something to few: its name is looked up, and left out where it cannot be found. */
async function nameOfDivision(of: Feature): Promise<string | null> {
  const code = of.properties['division']
  if (!code || !byId.value.has('base.divisions')) return null
  const [found] = await fetchByField('base.divisions', 'code', String(code), session.language).catch(() => [])
  const name = found?.properties['name']
  return typeof name === 'string' ? name : null
}

/** What it has been, for those who want to know; without it the feature still says what it is. */
async function versionsOf(of: FeatureId): Promise<Feature[]> {
  return byId.value.get(of.collection)?.timed ? fetchVersions(of, session.language).catch(() => []) : []
}

async function tellMore(): Promise<void> {
  const [of, id] = [feature.value, session.selected]
  if (!of || !id) {
    divisionName.value = null
    versions.value = []
    return
  }
  const [name, all] = await Promise.all([nameOfDivision(of), versionsOf(id)])
  if (of !== feature.value) return
  divisionName.value = name
  versions.value = all
}

watch([() => session.selected?.collection, () => session.selected?.fid, when, purpose], read, { immediate: true })
// a link opens a feature before the catalogue says what it is
watch([feature, byId], tellMore)
// a feature that somebody changes is told anew, without being taken away in the meantime
watch(changed, (squares) => {
  const own = session.selected && squares.get(session.selected.collection)
  if (own && (!point.value || reachesPlace(own, point.value))) void read()
})

export { read as readAgain }
