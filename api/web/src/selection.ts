/** The selected feature as the server tells it, on the day that is looked at. */

import { computed, shallowRef, watch } from 'vue'
import { byId } from './catalogue'
import { clicked, session } from './session'
import { fetchByField, fetchFeature, ServiceError, type FailureKind } from './service'
import { middleOf } from './coordinates'
import type { Feature } from './contract'

export const feature = shallowRef<Feature | null>(null)
export const failure = shallowRef<FailureKind | null>(null)
export const isLoading = shallowRef(false)
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

async function read(): Promise<void> {
  const turn = ++latest
  const id = session.selected
  failure.value = null
  divisionName.value = null
  if (!id) {
    feature.value = null
    isLoading.value = false
    return
  }
  isLoading.value = true
  try {
    const told = await fetchFeature(id, session.at, session.language)
    if (turn !== latest) return
    feature.value = told
    void nameDivision(told, turn)
  } catch (error) {
    if (turn !== latest) return
    feature.value = null
    failure.value = error instanceof ServiceError ? error.kind : 'wrong'
  } finally {
    if (turn === latest) isLoading.value = false
  }
}

/** A division's code means something to few: its name is looked up, and left out where it cannot be found. */
async function nameDivision(of: Feature, turn: number): Promise<void> {
  const code = of.properties['division']
  if (!code || !byId.value.has('base.divisions')) return
  try {
    const [found] = await fetchByField('base.divisions', 'code', String(code), session.language)
    const name = found?.properties['name']
    if (turn === latest && typeof name === 'string') divisionName.value = name
  } catch {
    divisionName.value = null
  }
}

watch([() => session.selected?.collection, () => session.selected?.fid, () => session.at], read, { immediate: true })

export { read as readAgain }
