import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAddress, whenOf, writeAddress } from '../src/address.ts'

const HASHES = [
  'map=15.20/116.50830/31.74310',
  'map=15.20/116.50830/31.74310/30/52&lang=en&theme=dark&text=large&3d=1',
  'layers=air.grid@60,-base.roads&lang=zh',
  'map=3.00/-70.00000/-33.00000&at=2021-05-01&sel=base.buildings/4503599627370495',
  'since=2010-01-01&at=2021-05-01',
  'since=2010-01-01',
  'map=15.20/116.50830/31.74310&here=116.508300/31.743100',
]

for (const hash of HASHES) {
  test(`what is read is written again: ${hash}`, () => assert.equal(writeAddress(readAddress(`#${hash}`)), hash))
}

const NONSENSE = [
  'map=15/abc/31',
  'map=15/200/31',
  'map=//',
  'at=2021-13-45',
  'at=yesterday',
  'at=2021-02-31',
  'since=9999-01-01',
  'sel=base.buildings/x',
  'sel=../../etc/1',
  'sel=base.buildings/99999999999999999999',
  'here=116',
  'here=x/31',
  'here=116/31/5',
  'here=500/31',
  'lang=fr',
  'theme=pink',
  'layers=DROP TABLE,@@,-',
]

for (const hash of NONSENSE) {
  test(`what makes no sense is left out: ${hash}`, () => assert.equal(writeAddress(readAddress(hash)), ''))
}

test('a span of days is asked for as one, and one that runs backward is a day', () => {
  assert.equal(whenOf(readAddress('since=2010-01-01&at=2021-05-01')), '2010-01-01/2021-05-01')
  assert.equal(whenOf(readAddress('since=2022-01-01&at=2021-05-01')), '2021-05-01')
  assert.match(whenOf(readAddress('since=2010-01-01')) ?? '', /^2010-01-01\/20\d\d-\d\d-\d\d$/)
  assert.equal(whenOf(readAddress('')), null)
})

test('opacity is bounded and a hidden layer keeps it', () => {
  const { shown, opacity } = readAddress('layers=-base.water@900')
  assert.deepEqual([shown, opacity], [{ 'base.water': false }, { 'base.water': 100 }])
})
