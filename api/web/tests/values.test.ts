import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Field } from '../src/contract.ts'
import { ageOf, dayOf, daysOf, lastDayOf, numberOf, unitOf, valueOf } from '../src/values.ts'

function field(more: Partial<Field>): Field {
  return { name: 'x', type: 'text', title: { zh: '某', en: 'x' }, unit: '', description: null, values: {}, ...more }
}

test('codes are told in words, in the language that is read', () => {
  const use = field({ values: { school: { zh: '学校', en: 'school' } } })
  assert.equal(valueOf(use, 'school', 'zh'), '学校')
  assert.equal(valueOf(use, 'school', 'en'), 'school')
  assert.equal(valueOf(use, 'unheard', 'zh'), 'unheard')
  const level = field({ type: 'integer', values: { 3: { zh: '县级', en: 'county' } } })
  assert.equal(valueOf(level, 3, 'zh'), '县级')
})

test('nothing is nothing, and nought is a value', () => {
  for (const nothing of [null, undefined, '']) assert.equal(valueOf(field({}), nothing, 'zh'), null)
  assert.equal(valueOf(field({ type: 'integer' }), 0, 'en'), '0')
  assert.equal(valueOf(field({ type: 'boolean' }), false, 'zh'), '否')
})

test('units have words, and unknown ones stand for themselves', () => {
  assert.equal(unitOf(field({ unit: 'm2' }), 'zh'), '平方米')
  assert.equal(unitOf(field({ unit: 'm2' }), 'en'), 'm²')
  assert.equal(unitOf(field({ unit: 'mol' }), 'zh'), 'mol')
})

test('numbers and days', () => {
  assert.equal(numberOf(3_087_407.4, 'en'), '3,087,407')
  assert.equal(numberOf(3.14159, 'zh'), '3.14')
  assert.equal(dayOf('2021-05-01', 'zh'), '2021年5月1日')
  assert.equal(dayOf('2021-04-30T16:30:00Z', 'en'), '1 May 2021')
})

test('a span of days', () => {
  assert.equal(daysOf(null, '2021-05-01', 'zh'), '2021年5月1日')
  assert.equal(daysOf('2010-01-01', '2021-05-01', 'zh'), '2010年1月1日至2021年5月1日')
  assert.equal(daysOf('2010-01-01', '2021-05-01', 'en'), '1 Jan 2010 – 1 May 2021')
  assert.equal(lastDayOf('2014-12-31T16:00:00Z', 'zh'), '2014年12月31日', 'midnight in Shanghai is the end of the day before')
})

test('an age is told in the coarsest unit that says something', () => {
  const now = new Date('2026-11-22T00:00:00Z')
  assert.equal(ageOf('2026-11-20T00:00:00Z', 'en', now), '2 days ago')
  assert.equal(ageOf('2026-05-22T00:00:00Z', 'en', now), '6 months ago')
  assert.equal(ageOf('2020-11-22T00:00:00Z', 'en', now), '6 years ago')
})
