import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Grant } from '../src/account/contract.ts'
import { draftOf, grantOf } from '../src/account/policy.ts'

const GRANTS: Grant[] = [
  { roles: ['staff'], rows: 'all' },
  { roles: ['duty', 'command'], rows: 'emergency', departments: ['police', 'civil_affairs'], purposes: ['走访独居老人'] },
  { roles: ['duty'], rows: 'duty', masked: { name: 'name', phone: 'telephone' }, hidden: ['household'], precision: 9 },
  { roles: ['analyst'], rows: 'all', precision: 'division' },
  { roles: ['analyst'], rows: 'all', precision: 0 },
  { roles: ['public'], rows: 'all', anonymous: { resolution: 7, k: 10, diversity: 2 } },
]

for (const grant of GRANTS) {
  test(`a grant is the same after its form: ${JSON.stringify(grant)}`, () => assert.deepEqual(grantOf(draftOf(grant, 11)), grant))
}

test('what a document leaves out is what it means', () => {
  assert.deepEqual(grantOf(draftOf({ roles: ['staff'] }, 11)), { roles: ['staff'], rows: 'all' })
  const counts = grantOf(draftOf({ roles: ['staff'], anonymous: { resolution: 8, k: 7 } }, 11))
  assert.deepEqual(counts.anonymous, { resolution: 8, k: 7, diversity: 1 })
})

test('lists are read however they are typed', () => {
  const draft = { ...draftOf({ roles: ['duty'] }, 11), departments: ' police，market、civil_affairs ,', purposes: '走访; 救助；' }
  const grant = grantOf(draft)
  assert.deepEqual(grant.departments, ['police', 'market', 'civil_affairs'])
  assert.deepEqual(grant.purposes, ['走访', '救助'])
})

test('a field that is told as it is again is named no more', () => {
  const draft = draftOf({ roles: ['duty'], masked: { name: 'name' }, hidden: ['household'] }, 11)
  const fields = { ...draft.fields, name: '', household: 'address' }
  assert.deepEqual(grantOf({ ...draft, fields }), { roles: ['duty'], rows: 'all', masked: { household: 'address' } })
})
