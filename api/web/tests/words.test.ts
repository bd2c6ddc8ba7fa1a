import assert from 'node:assert/strict'
import { test } from 'node:test'
import accountEn from '../src/words/account/en.ts'
import accountZh from '../src/words/account/zh.ts'
import clerkEn from '../src/words/clerk/en.ts'
import clerkZh from '../src/words/clerk/zh.ts'
import mapEn from '../src/words/map/en.ts'
import mapZh from '../src/words/map/zh.ts'
import sharedEn from '../src/words/shared/en.ts'
import sharedZh from '../src/words/shared/zh.ts'

const PAGES: [string, Words, Words][] = [
  ['shared', sharedZh, sharedEn],
  ['map', mapZh, mapEn],
  ['clerk', clerkZh, clerkEn],
  ['account', accountZh, accountEn],
]

type Words = { [key: string]: string | Words }

/** Every sentence with its key and the names that it is filled in with. */
function sentences(of: Words, path = ''): [string, string][] {
  return Object.entries(of).flatMap(([key, value]) => {
    if (typeof value !== 'string') return sentences(value, `${path}${key}.`)
    return [[`${path}${key}`, [...value.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join()]] as [string, string][]
  })
}

for (const [page, zh, en] of PAGES) {
  test(`both languages say the same things, with the same names in them: ${page}`, () => {
    assert.deepEqual(sentences(en), sentences(zh))
  })

  test(`Chinese is written with Chinese punctuation: ${page}`, () => {
    assert.deepEqual(JSON.stringify(zh).match(/[\u4e00-\u9fff][,;:!?](?!")/g), null)
  })
}
