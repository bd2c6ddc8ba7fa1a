import type { StyleSpecification } from 'maplibre-gl'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compose, isThere, scaled, type Wishes } from '../src/map/compose.ts'

const STYLE: StyleSpecification = {
  version: 8,
  sources: {
    'base.buildings': { type: 'vector', tiles: ['/collections/base.buildings/tiles/WebMercatorQuad/{z}/{y}/{x}'] },
    'base.land': { type: 'vector', tiles: ['/collections/base.land/tiles/WebMercatorQuad/{z}/{y}/{x}'] },
  },
  layers: [
    { id: 'onemap:ground', type: 'background' },
    layer('base.land', 'fill', 'fill'),
    layer('base.buildings', 'fill', 'fill'),
    layer('base.buildings', 'extrusion', 'fill-extrusion'),
    layer('base.buildings', 'label', 'symbol'),
  ],
}

function layer(collection: string, part: string, type: string): StyleSpecification['layers'][number] {
  const metadata = { 'onemap:collection': collection, 'onemap:part': part }
  return { id: `${collection}:${part}`, type, source: collection, 'source-layer': collection, metadata } as never
}

const PLAIN: Wishes = {
  isShown: () => true,
  opacity: () => 1,
  isTimed: (id) => id === 'base.buildings',
  when: null,
  isLarge: false,
  isRaised: false,
  selected: null,
  tinted: null,
  accent: '#2f5bd0',
  halo: '#ffffff',
}

function composed(wishes: Partial<Wishes>): StyleSpecification {
  return compose(STYLE, 'http://here', { ...PLAIN, ...wishes })
}

function find(style: StyleSpecification, id: string): Record<string, Record<string, unknown>> {
  return style.layers.find((one) => one.id === id) as never
}

test('the same view gives the same style, and the server’s own is left alone', () => {
  const before = JSON.stringify(STYLE)
  assert.deepEqual(composed({ when: '2021-05-01' }), composed({ when: '2021-05-01' }))
  assert.equal(JSON.stringify(STYLE), before)
})

test('a date is asked of what has valid time, and of nothing else', () => {
  const { sources } = composed({ when: '2021-05-01' })
  const tiles = (id: string): string => (sources[id] as { tiles: string[] }).tiles[0] ?? ''
  assert.equal(tiles('base.buildings'), 'http://here/collections/base.buildings/tiles/WebMercatorQuad/{z}/{y}/{x}?datetime=2021-05-01')
  assert.equal(tiles('base.land'), 'http://here/collections/base.land/tiles/WebMercatorQuad/{z}/{y}/{x}')
})

test('a collection is switched off as one thing', () => {
  const style = composed({ isShown: (id) => id !== 'base.buildings' })
  for (const part of ['fill', 'extrusion', 'label']) assert.equal(find(style, `base.buildings:${part}`)['layout']?.['visibility'], 'none')
  assert.equal(find(style, 'base.land:fill')['layout']?.['visibility'], 'visible')
})

test('heights are drawn when they are asked for', () => {
  assert.equal(find(composed({}), 'base.buildings:extrusion')['layout']?.['visibility'], 'none')
  assert.equal(find(composed({ isRaised: true }), 'base.buildings:extrusion')['layout']?.['visibility'], 'visible')
})

test('the outline of the selection lies over all shapes and under all names', () => {
  const ids = composed({ tinted: 'base.buildings' }).layers.map((one) => one.id)
  const at = (id: string): number => ids.indexOf(id)
  assert.ok(at('base.buildings:fill') < at('onemap:selected-fill'))
  assert.ok(at('base.buildings:extrusion') < at('onemap:selected-line'))
  assert.ok(at('onemap:selected-ring') < at('base.buildings:label'))
  assert.ok(!composed({}).layers.some((one) => one.id === 'onemap:selected-fill'))
})

test('opacity reaches into zoom expressions, which may only stand outermost', () => {
  assert.equal(scaled(0.8, 0.5), 0.4)
  assert.deepEqual(scaled(['interpolate', ['linear'], ['zoom'], 10, 0.5, 16, 1], 0.5), ['interpolate', ['linear'], ['zoom'], 10, 0.25, 16, 0.5])
  assert.deepEqual(scaled(['step', ['zoom'], 1, 12, 0.5], 0.5), ['step', ['zoom'], 0.5, 12, 0.25])
  assert.deepEqual(scaled(['get', 'x'], 0.5), ['*', ['get', 'x'], 0.5])
})

test('a source that is still being read has its tiles from nowhere yet', () => {
  assert.ok(!isThere({}, ['/a/{z}']))
  assert.ok(!isThere({ tiles: ['/b/{z}'] }, ['/a/{z}']))
  assert.ok(isThere({ tiles: ['/a/{z}'] }, ['/a/{z}']))
})
