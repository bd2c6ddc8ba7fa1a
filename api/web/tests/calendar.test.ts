import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayOfIso, firstDayOfYear, isoOfDay, readDay, today, yearMarks, yearOfDay } from '../src/calendar.ts'

test('a day is the day of Shanghai', () => {
  assert.equal(isoOfDay(today(new Date('2021-04-30T16:00:00Z'))), '2021-05-01')
  assert.equal(isoOfDay(today(new Date('2021-04-30T15:59:59Z'))), '2021-04-30')
})

test('days and dates are each other’s inverse', () => {
  for (let day = -40_000; day < 40_000; day += 97) assert.equal(dayOfIso(isoOfDay(day)), day)
  assert.equal(yearOfDay(firstDayOfYear(1955)), 1955)
})

const TYPED: [string, string | null][] = [
  ['2021-05-01', '2021-05-01'],
  ['2021-5-1', '2021-05-01'],
  ['2021/05/01', '2021-05-01'],
  ['2021.5.1', '2021-05-01'],
  ['20210501', '2021-05-01'],
  ['2021年5月1日', '2021-05-01'],
  ['2021年5月', '2021-05-01'],
  ['2021-05', '2021-05-01'],
  ['2021', '2021-01-01'],
  ['2021-02-30', null],
  ['2021-13-01', null],
  ['yesterday', null],
  ['', null],
]

for (const [text, iso] of TYPED) {
  test(`typed date ${text}`, () => {
    const day = readDay(text)
    assert.equal(day === null ? null : isoOfDay(day), iso)
  })
}

test('years under the bar are few and round', () => {
  assert.deepEqual(yearMarks(2006, 2026, 4), [2010, 2015, 2020, 2025])
  assert.deepEqual(yearMarks(2024, 2026, 9), [2024, 2025, 2026])
  for (let first = 1900; first < 2020; first += 7) assert.ok(yearMarks(first, 2026, 9).length <= 10)
})
