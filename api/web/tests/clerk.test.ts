import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partsOf, percentOf } from '../src/clerk/account.ts'
import { placeOf, readAddress, writeAddress } from '../src/clerk/address.ts'
import { columnOf } from '../src/clerk/columns.ts'
import type { Account, Register } from '../src/clerk/contract.ts'
import { daysLeft, isOverdue } from '../src/clerk/due.ts'
import { pause } from '../src/clerk/polling.ts'
import { mediaOf, nameIn, queryOf } from '../src/clerk/wire.ts'

const HASHES = [
  'page=deliveries',
  'page=deliveries&delivery=12&lang=en&theme=dark&text=large',
  'page=returned&register=base.persons&state=open&reason=conflict&overdue=1&offset=50',
  'page=returned&task=55&lang=zh',
  'page=directory&department=police&class=police-01&search=%E4%BD%8F%E5%9D%80',
]

for (const hash of HASHES) {
  test(`what is read is written again: ${hash}`, () => assert.equal(writeAddress(readAddress(`#${hash}`)), hash))
}

for (const hash of ['', 'page=admin', 'delivery=-1', 'delivery=1e3', 'task=99999999999999999999', 'offset=x', 'overdue=maybe', 'theme=pink']) {
  test(`what makes no sense is left out: ${hash}`, () => assert.deepEqual(readAddress(hash), { place: placeOf({}), language: null, theme: 'auto', large: false }))
}

test('a key is no part of an address', () => {
  assert.equal(writeAddress(readAddress('#key=1-abc&page=returned')), 'page=returned')
})

function account(accepted: number, unchanged: number, returned: number): Account {
  return { delivered: accepted + unchanged + returned, accepted, unchanged, returned }
}

test('the parts of a bar add up to all of it, and the least of them is seen', () => {
  const all: [number, number, number][] = [[1, 1, 1], [999_999, 0, 1], [0, 3, 0], [1, 1, 1_000_000], [7, 0, 93]]
  for (const counts of all) {
    const parts = partsOf(account(...counts))
    assert.equal(parts.reduce((sum, { count }) => sum + count, 0), counts[0] + counts[1] + counts[2])
    assert.ok(Math.abs(parts.reduce((sum, { width }) => sum + width, 0) - 100) < 1e-9)
    assert.ok(parts.every(({ width }) => width > 0.9))
  }
})

test('an account that is not closed has no parts', () => {
  assert.deepEqual(partsOf({ delivered: null, accepted: null, unchanged: null, returned: null }), [])
  assert.deepEqual(partsOf(account(0, 0, 0)), [])
})

test('a share is never told as all or nothing unless it is', () => {
  const told: [number, number, string][] = [[0, 10, '0'], [10, 10, '100'], [1, 1_000_000, '<0.1'], [999_999, 1_000_000, '>99.9'], [1, 8, '12.5'], [1, 4, '25'], [0, 0, '0']]
  for (const [count, whole, text] of told) assert.equal(percentOf(count, whole), text)
})

const PERSONS: Register = {
  id: 'base.persons',
  title: { zh: '人口', en: 'Persons' },
  fields: [
    { name: 'birth_date', title: { zh: '出生日期', en: 'Birth date' }, type: 'date', required: false, identifier: false, aliases: ['出生年月日'], values: {}, written: null, authority: [] },
    { name: 'dwelling', title: { zh: '居住房屋', en: 'Dwelling' }, type: 'text', required: false, identifier: false, aliases: ['房屋编码'], values: {}, written: 'dwelling_address', authority: [] },
    { name: 'dwelling_address', title: { zh: '居住地址', en: 'Address' }, type: 'text', required: false, identifier: false, aliases: ['现住址'], values: {}, written: null, authority: [] },
  ],
  departments: [],
}

test('the column at fault is found by name, title or alias, however it is written', () => {
  for (const column of ['birth_date', '出生日期', ' 出生 日期 ', '出生年月日', '出生日期*', 'BIRTH DATE', 'Birth_Date']) {
    assert.equal(columnOf([{ column: '姓名', value: '' }, { column, value: '' }], 'birth_date', PERSONS), 1, column)
  }
  assert.equal(columnOf([{ column: '姓名', value: '' }], 'birth_date', PERSONS), -1)
  assert.equal(columnOf([{ column: '', value: '' }], '', PERSONS), -1)
})

test('a place is marked where it was written: as a code, or in words', () => {
  const row = (code: string, address: string): number => columnOf([{ column: '房屋编码', value: code }, { column: '现住址', value: address }], 'dwelling', PERSONS)
  assert.deepEqual([row('3415', ''), row('', '皖西路88号'), row('3415', '皖西路88号'), row('', '')], [0, 1, 0, 1])
  assert.equal(columnOf([{ column: '房屋编码', value: '' }], 'dwelling', PERSONS), 0)
})

test('a task is overdue when its day in Shanghai has passed, and while it is open', () => {
  const lateEvening = new Date('2026-11-22T16:30:00Z')
  assert.equal(daysLeft('2026-11-22', lateEvening), -1)
  assert.ok(isOverdue({ state: 'open', due_on: '2026-11-22' }, lateEvening))
  assert.ok(!isOverdue({ state: 'open', due_on: '2026-11-23' }, lateEvening))
  assert.ok(!isOverdue({ state: 'answered', due_on: '2026-11-22' }, lateEvening))
})

test('work is asked about each second, less often when it is long or nobody answers', () => {
  assert.equal(pause(0, 0), 1000)
  assert.equal(pause(600_000, 0), 5000)
  const backing = [1, 2, 3, 4, 5, 6, 20].map((failures) => pause(0, failures))
  assert.deepEqual(backing, [2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('files are sent as what they are and saved under the name that they bear', () => {
  assert.equal(mediaOf('户籍.CSV'), 'text/csv')
  assert.equal(mediaOf('a.b.parquet'), 'application/vnd.apache.parquet')
  assert.equal(mediaOf('noending'), 'application/octet-stream')
  assert.equal(nameIn(`attachment; filename="returned-12.xlsx"; filename*=UTF-8''%E9%80%80%E5%9B%9E12.xlsx`), '退回12.xlsx')
  assert.equal(nameIn('attachment; filename="returned-12.xlsx"'), 'returned-12.xlsx')
  assert.equal(nameIn(null), null)
})

test('a question names what is wanted and nothing else', () => {
  assert.equal(queryOf({ register: '', state: 'open', overdue: false, limit: 20, offset: 0, delivery: null }), '?state=open&limit=20')
  assert.equal(queryOf({}), '')
})
