/** The style that is drawn: the server's, with what the reader has switched, faded, dated and selected. */

import type { LayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Feature } from '../contract'

export interface Wishes {
  isShown: (collection: string) => boolean
  /** 0 … 1 */
  opacity: (collection: string) => number
  isTimed: (collection: string) => boolean
  /** ISO date, or null for now. */
  at: string | null
  isLarge: boolean
  isRaised: boolean
  selected: Feature | null
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

/** A pure function of its arguments: the same view always gives the same style. */
export function compose(style: StyleSpecification, origin: string, wishes: Wishes): StyleSpecification {
  const layers = style.layers.map((layer) => wished(layer, wishes))
  const names = layers.findIndex((layer) => layer.type === 'symbol')
  layers.splice(names < 0 ? layers.length : names, 0, ...marks(wishes))
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
    const when = wishes.at && wishes.isTimed(id) ? `datetime=${wishes.at}` : ''
    // the worker that fetches tiles has an address of its own, so theirs must be absolute
    const tiles = source.tiles.map((url) => {
      const absolute = url.startsWith('/') ? `${origin}${url}` : url
      return when ? `${absolute}${absolute.includes('?') ? '&' : '?'}${when}` : absolute
    })
    told[id] = { ...source, tiles }
  }
  return told
}

function marks({ accent, halo }: Wishes): LayerSpecification[] {
  const source = 'onemap:selected'
  const round = { 'line-join': 'round', 'line-cap': 'round' } as const
  const isPoint = ['==', ['geometry-type'], 'Point'] as ['==', ['geometry-type'], string]
  const isArea = ['==', ['geometry-type'], 'Polygon'] as ['==', ['geometry-type'], string]
  const isDrawn = ['!=', ['geometry-type'], 'Point'] as ['!=', ['geometry-type'], string]
  return [
    { id: 'onemap:selected-fill', type: 'fill', source, filter: isArea, paint: { 'fill-color': accent, 'fill-opacity': 0.16 } },
    { id: 'onemap:selected-halo', type: 'line', source, filter: isDrawn, layout: round, paint: { 'line-color': halo, 'line-width': 6 } },
    { id: 'onemap:selected-line', type: 'line', source, filter: isDrawn, layout: round, paint: { 'line-color': accent, 'line-width': 2.5 } },
    {
      id: 'onemap:selected-ring',
      type: 'circle',
      source,
      filter: isPoint,
      paint: { 'circle-radius': 10, 'circle-opacity': 0, 'circle-stroke-color': accent, 'circle-stroke-width': 3 },
    },
  ]
}

/** The shape alone, for drawing. */
function bare(feature: Feature): GeoJSON.Feature {
  return { type: 'Feature', properties: {}, geometry: feature.geometry as GeoJSON.Geometry }
}
