import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reaches, reachesPlace, tilesIn, type Square } from '../src/map/live.ts'

test('a square reaches into the tiles that hold it, that it holds, and that it touches', () => {
  const square: Square = [12, 3375, 1675]
  assert.ok(reaches(square, [0, 0, 0]))
  assert.ok(reaches(square, [12, 3375, 1675]))
  assert.ok(reaches(square, [14, 13500, 6700]))
  assert.ok(reaches(square, [14, 13499, 6700]), 'a margin beyond the edge')
  assert.ok(reaches(square, [12, 3376, 1675]))
  assert.ok(!reaches(square, [14, 13498, 6700]))
  assert.ok(!reaches(square, [12, 3377, 1675]))
  assert.ok(!reaches(square, [10, 100, 418]))
})

test('a place is reached by what changes near it', () => {
  const place: [number, number] = [116.5083, 31.7431]
  assert.ok(reachesPlace([[12, 3373, 1666]], place))
  assert.ok(reachesPlace([[0, 0, 0]], place))
  assert.ok(!reachesPlace([[12, 3000, 1666]], place))
  assert.ok(!reachesPlace([], place))
})

test('the whole world reaches into every tile', () => {
  assert.ok(reaches([0, 0, 0], [22, 4_000_000, 12]))
})

test('tiles of a part of the world, on every zoom', () => {
  assert.deepEqual(tilesIn({ left: 0.6, top: 0.1, right: 0.7, bottom: 0.2 }, 1), [
    [0, 0, 0],
    [1, 1, 0],
  ])
  const many = tilesIn({ left: 0.5, top: 0.5, right: 0.5 + 3 / 1024, bottom: 0.5 + 2 / 1024 }, 10)
  assert.equal(many.filter(([z]) => z === 10).length, 12)
})

test('tiles beyond the antimeridian are those of the other side', () => {
  const xs = tilesIn({ left: -0.1, top: 0.4, right: 0.1, bottom: 0.6 }, 2).filter(([z]) => z === 2).map(([, x]) => x)
  assert.deepEqual([...new Set(xs)].sort(), [0, 3])
})
