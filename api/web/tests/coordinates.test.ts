import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boxOf, middleOf, readCoordinates } from '../src/coordinates.ts'

const TYPED: [string, number, number, boolean][] = [
  ['116.5083, 31.7431', 116.5083, 31.7431, false],
  ['116.5083 31.7431', 116.5083, 31.7431, false],
  ['116.5083，31.7431', 116.5083, 31.7431, false],
  ['(116.5083, 31.7431)', 116.5083, 31.7431, false],
  ['31.7431, 116.5083', 116.5083, 31.7431, true],
  ['31.7431N 116.5083E', 116.5083, 31.7431, false],
  ['东经116.5083 北纬31.7431', 116.5083, 31.7431, false],
  ['116°30′36″E 31°45′0″N', 116.51, 31.75, false],
  ['116度30分36秒, 31度45分', 116.51, 31.75, false],
  ['-70.5, -33.4', -70.5, -33.4, false],
  ['33.4S, 70.5W', -70.5, -33.4, false],
]

for (const [text, lon, lat, swapped] of TYPED) {
  test(`read: ${text}`, () => {
    const typed = readCoordinates(text)
    assert.ok(typed)
    assert.ok(Math.abs(typed.lon - lon) < 1e-9 && Math.abs(typed.lat - lat) < 1e-9, JSON.stringify(typed))
    assert.equal(typed.swapped, swapped)
  })
}

for (const text of ['', '116.5', 'school 5, street 7', '1 2 3', '200, 95', '116.5 east of 31']) {
  test(`not coordinates: ${text}`, () => assert.equal(readCoordinates(text), null))
}

test('the box of any geometry', () => {
  const ring = [[0, 0], [4, 0], [4, 2], [0, 0]]
  const shapes: GeoJSON.Geometry[] = [
    { type: 'Polygon', coordinates: [ring] },
    { type: 'MultiPolygon', coordinates: [[ring]] },
    { type: 'GeometryCollection', geometries: [{ type: 'LineString', coordinates: ring }] },
  ]
  for (const shape of shapes) assert.deepEqual([boxOf(shape), middleOf(shape)], [[0, 0, 4, 2], [2, 1]])
})
