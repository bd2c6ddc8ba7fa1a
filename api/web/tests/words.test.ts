import assert from 'node:assert/strict'
import { test } from 'node:test'
import en from '../src/words/en.ts'
import zh from '../src/words/zh.ts'

type Words = { [key: string]: string | Words }

/** Every sentence with its key and the names that it is filled in with. */
function sentences(of: Words, path = ''): [string, string][] {
  return Object.entries(of).flatMap(([key, value]) => {
    if (typeof value !== 'string') return sentences(value, `${path}${key}.`)
    return [[`${path}${key}`, [...value.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join()]] as [string, string][]
  })
}

test('both languages say the same things, with the same names in them', () => {
  assert.deepEqual(sentences(en), sentences(zh))
})

test('Chinese is written with Chinese punctuation', () => {
  assert.deepEqual(JSON.stringify(zh).match(/[\u4e00-\u9fff][,;:!?](?!")/g), null)
})
