import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Feature, Field } from '../src/contract.ts'
import { historyOf } from '../src/history.ts'

function field(name: string): Field {
  return { name, type: 'text', title: { zh: name, en: name }, unit: '', description: null, values: {} }
}

function version(from: string | null, to: string | null, more: Record<string, string | null>, x = 0): Feature {
  return { type: 'Feature', id: 1, geometry: { type: 'Point', coordinates: [x, 0] }, properties: { valid_from: from, valid_to: to, ...more } }
}

const FIELDS = [field('name'), field('use')]

test('versions are told from the newest to the oldest, each with what it changed', () => {
  const oldest = version(null, '2010-01-01T00:00:00Z', { name: 'A', use: null })
  const middle = version('2010-01-01T00:00:00Z', '2015-01-01T00:00:00Z', { name: 'B', use: null })
  const newest = version('2015-01-01T00:00:00Z', null, { name: 'B', use: 'school' }, 1)
  const told = historyOf(FIELDS, [middle, newest, oldest])
  assert.deepEqual(
    told.map(({ from, isFirst, isMoved }) => [from, isFirst, isMoved]),
    [
      ['2015-01-01T00:00:00Z', false, true],
      ['2010-01-01T00:00:00Z', false, false],
      [null, true, false],
    ],
  )
  assert.deepEqual(
    told.map((one) => one.changes.map(({ field: { name }, before, after }) => [name, before, after])),
    [[['use', null, 'school']], [['name', 'A', 'B']], []],
  )
})

test('a feature without versions has no history', () => assert.deepEqual(historyOf(FIELDS, []), []))
