/** The style that is drawn: the server's, with what the reader has switched, faded, dated and selected. */

import type { FilterSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Feature } from '../contract'

export interface Wishes {
  isShown: (collection: string) => boolean
  /** 0 … 1 */
  opacity: (collection: string) => number
  isTimed: (collection: string) => boolean
  /** The `datetime` that is asked for, or null for now. */
  when: string | null
  isLarge: boolean
  isRaised: boolean
  selected: Feature | null
  /** The collection whose selected feature is filled, too; the wide areas of the base map are only outlined. */
  tinted: string | null
  accent: string
  halo: string
}

type Values = Record<string, unknown>

const OPACITIES: Partial<Record<LayerSpecification['type'], string[]>> = {
  fill: ['fill-opacity'],
  line: ['line-opacity'],
  circle: ['circle-opacity', 'circle-stroke-opacity'],
  symbol: ['text-opacity', 'icon-opacity'],
  'fill-extrusion': ['fill-extrusion-opacity'],
}

const LARGER_TEXT = 1.3

const IS_POINT: FilterSpecification = ['==', ['geometry-type'], 'Point']
const IS_DRAWN: FilterSpecification = ['!=', ['geometry-type'], 'Point']
const IS_AREA: FilterSpecification = ['==', ['geometry-type'], 'Polygon']

/** A pure function of its arguments: the same view always gives the same style. */
export function compose(style: StyleSpecification, origin: string, wishes: Wishes): StyleSpecification {
  const layers = style.layers.map((layer) => wished(layer, wishes))
  mark(layers, wishes)
  const data = { type: 'FeatureCollection' as const, features: wishes.selected?.geometry ? [bare(wishes.selected)] : [] }
  return {
    ...style,
    sources: { ...dated(style.sources, origin, wishes), 'onemap:selected': { type: 'geojson', data } },
    layers,
  }
}

/** Multiplies a number, an expression, or the outputs of a zoom expression, which may only stand outermost. */
export function scaled(value: unknown, by: number): unknown {
  if (by === 1) return value
  if (typeof value === 'number') return value * by
  if (!Array.isArray(value)) return value
  const [operator, ...rest] = value as unknown[]
  if (operator === 'interpolate' && isZoom(rest[1])) {
    return [operator, rest[0], rest[1], ...rest.slice(2).map((v, i) => (i % 2 ? scaled(v, by) : v))]
  }
  if (operator === 'step' && isZoom(rest[0])) {
    return [operator, rest[0], ...rest.slice(1).map((v, i) => (i % 2 ? v : scaled(v, by)))]
  }
  return ['*', value, by]
}

function isZoom(expression: unknown): boolean {
  return Array.isArray(expression) && expression[0] === 'zoom'
}

function wished(layer: LayerSpecification, wishes: Wishes): LayerSpecification {
  const metadata = (layer.metadata ?? {}) as Values
  const collection = metadata['onemap:collection']
  if (typeof collection !== 'string') return layer
  const isExtrusion = layer.type === 'fill-extrusion'
  const isVisible = wishes.isShown(collection) && (!isExtrusion || wishes.isRaised)
  const layout: Values = { ...layer.layout, visibility: isVisible ? 'visible' : 'none' }
  const paint: Values = { ...layer.paint }
  for (const name of OPACITIES[layer.type] ?? []) {
    const opacity = scaled(paint[name] ?? 1, wishes.opacity(collection))
    if (opacity !== 1) paint[name] = opacity
  }
  if (wishes.isLarge && layer.type === 'symbol') layout['text-size'] = scaled(layout['text-size'] ?? 16, LARGER_TEXT)
  return { ...layer, layout, paint } as LayerSpecification
}

function dated(sources: StyleSpecification['sources'], origin: string, wishes: Wishes): StyleSpecification['sources'] {
  const told: StyleSpecification['sources'] = {}
  for (const [id, source] of Object.entries(sources)) {
    if (source.type !== 'vector' || !source.tiles) {
      told[id] = source
      continue
    }
    const when = wishes.when && wishes.isTimed(id) ? `datetime=${wishes.when}` : ''
    // the worker that fetches tiles has an address of its own, so theirs must be absolute
    const tiles = source.tiles.map((url) => {
      const absolute = url.startsWith('/') ? `${origin}${url}` : url
      return when ? `${absolute}${absolute.includes('?') ? '&' : '?'}${when}` : absolute
    })
    told[id] = { ...source, tiles }
  }
  return told
}

/** Puts the selection into the stack: its tint right on its own collection, its outline under the names. */
function mark(layers: LayerSpecification[], { tinted, accent, halo }: Wishes): void {
  const source = 'onemap:selected'
  const round = { 'line-join': 'round', 'line-cap': 'round' } as const
  const names = layers.findIndex((layer) => layer.type === 'symbol')
  layers.splice(
    names < 0 ? layers.length : names,
    0,
    { id: 'onemap:selected-halo', type: 'line', source, filter: IS_DRAWN, layout: round, paint: { 'line-color': halo, 'line-width': 6 } },
    { id: 'onemap:selected-line', type: 'line', source, filter: IS_DRAWN, layout: round, paint: { 'line-color': accent, 'line-width': 2.5 } },
    {
      id: 'onemap:selected-ring',
      type: 'circle',
      source,
      filter: IS_POINT,
      paint: { 'circle-radius': 10, 'circle-opacity': 0, 'circle-stroke-color': accent, 'circle-stroke-width': 3 },
    },
  )
  const own = layers.findLastIndex((layer) => layer.type === 'fill' && 'source' in layer && layer.source === tinted)
  if (own < 0) return
  layers.splice(own + 1, 0, {
    id: 'onemap:selected-fill',
    type: 'fill',
    source,
    filter: IS_AREA,
    paint: { 'fill-color': accent, 'fill-opacity': 0.2 },
  })
}

/** Whether a source on the map has its tiles from these addresses; one that is still being read has none as yet. */
export function isThere(standing: { tiles?: string[] }, tiles: string[]): boolean {
  return standing.tiles?.join() === tiles.join()
}

/** The shape alone, for drawing. */
function bare(feature: Feature): GeoJSON.Feature {
  return { type: 'Feature', properties: {}, geometry: feature.geometry as GeoJSON.Geometry }
}
