/** Looking at what the map has drawn: what lies under a point, what is in view, which names it holds. */

import type { LayerSpecification, Map as MapLibre, MapGeoJSONFeature, PointLike } from 'maplibre-gl'
import { byId, isShown } from '../catalogue'
import type { FeatureId } from '../contract'
import { middleOf } from '../coordinates'
import { collectionOf } from './shown'
import type { CellClass, NameInView, Tally } from './sight'

/** Fingers and pens miss by a little. */
const REACH_PX = 4

/** Features under a point of the screen, what is drawn on top first, each once. */
export function featuresAt(map: MapLibre, x: number, y: number): { id: FeatureId; drawn: MapGeoJSONFeature }[] {
  const box: [PointLike, PointLike] = [
    [x - REACH_PX, y - REACH_PX],
    [x + REACH_PX, y + REACH_PX],
  ]
  const exact = drawn(map, [x, y])
  return distinct(exact.length ? exact : drawn(map, box))
}

/** The cell under a point of the screen: whose it is, and how many features lie in it. */
export function cellAt(map: MapLibre, x: number, y: number): { collection: string; count: number } | null {
  const top = map.queryRenderedFeatures([x, y]).find(isCell)
  return top ? { collection: top.source, count: Number(top.properties.n) } : null
}

/** Distinct features in view of the collections that are shown and told apart by class or counted. */
export function tallies(map: MapLibre): { tallies: Record<string, Tally>; isEmpty: boolean } {
  const told: Record<string, Tally> = {}
  const layers = map.getStyle().layers
  let isEmpty = true
  for (const [id, collection] of byId.value) {
    if (!isShown(id) || !collection.style) continue
    const parts = layers.filter((l) => collectionOf(l) === id && /:(fill|line|circle|border.*)$/.test(l.id)).map((l) => l.id)
    if (!parts.length) continue
    const features = distinct(map.queryRenderedFeatures({ layers: parts }))
    const cells = cellsOf(map, layers.find((l) => l.id === `${id}:cells`))
    const inCells = cells.reduce((sum, one) => sum + one.count, 0)
    if (features.length || inCells) isEmpty = false
    const values: Tally['values'] = new Map()
    for (const { drawn } of features) {
      const value = (collection.style.by ? (drawn.properties[collection.style.by] as string | number | undefined) : null) ?? null
      values.set(value, (values.get(value) ?? 0) + 1)
    }
    told[id] = { total: features.length + inCells, values, cells }
  }
  return { tallies: told, isEmpty }
}

/** The classes of a collection's cells with the features in view that lie in each; none where no cell is drawn. */
function cellsOf(map: MapLibre, layer: LayerSpecification | undefined): CellClass[] {
  if (!layer) return []
  const cells = distinct(map.queryRenderedFeatures({ layers: [layer.id] }))
  if (!cells.length) return []
  const classes = (layer.metadata as Record<string, unknown>)['onemap:classes'] as Omit<CellClass, 'count'>[]
  const told = classes.map((one) => ({ ...one, count: 0 }))
  for (const { drawn } of cells) {
    const density = Number(drawn.properties.per_km2)
    const own = told.findLast((one) => one.value <= density)
    if (own) own.count += Number(drawn.properties.n)
  }
  return told
}

/** Names in the loaded tiles that contain a word, shortest first. */
export function findNames(map: MapLibre, part: string, most: number): NameInView[] {
  const sought = part.toLocaleLowerCase()
  const found = new Map<string, NameInView>()
  for (const [id, collection] of byId.value) {
    const label = collection.style?.label
    if (!label || !isShown(id) || !map.getSource(id)) continue
    for (const feature of map.querySourceFeatures(id, { sourceLayer: id })) {
      const name = feature.properties[label] as unknown
      if (typeof name !== 'string' || !name.toLocaleLowerCase().includes(sought) || feature.id === undefined) continue
      const key = `${id}/${name}`
      if (found.has(key)) continue
      const [lon, lat] = middleOf(feature.geometry)
      found.set(key, { collection: id, fid: Number(feature.id), name, lon, lat })
    }
  }
  return [...found.values()].sort((a, b) => a.name.length - b.name.length).slice(0, most)
}

function drawn(map: MapLibre, where: [number, number] | [PointLike, PointLike]): MapGeoJSONFeature[] {
  // cells are no features: there is nothing to be opened behind them
  return map.queryRenderedFeatures(where as [PointLike, PointLike]).filter((f) => collectionOf(f.layer) !== null && !isCell(f))
}

function isCell(drawn: MapGeoJSONFeature): boolean {
  return drawn.sourceLayer?.endsWith(':cells') ?? false
}

function distinct(features: MapGeoJSONFeature[]): { id: FeatureId; drawn: MapGeoJSONFeature }[] {
  const seen = new Map<string, { id: FeatureId; drawn: MapGeoJSONFeature }>()
  for (const drawn of features) {
    if (drawn.id === undefined) continue
    const key = `${drawn.source}/${drawn.id}`
    if (!seen.has(key)) seen.set(key, { id: { collection: drawn.source, fid: Number(drawn.id) }, drawn })
  }
  return [...seen.values()]
}
