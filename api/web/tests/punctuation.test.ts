import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inChinese, revive } from '../src/punctuation.ts'

const SENTENCES: [string, string][] = [
  ['建筑物普查 2025(住建局),示例数据;建筑物普查 2026(住建局),示例数据', '建筑物普查 2025（住建局），示例数据；建筑物普查 2026（住建局），示例数据'],
  ['公民身份号码:编码被 Excel 存成数值(如 3.42E+17),超过 15 位', '公民身份号码：编码被 Excel 存成数值（如 3.42E+17），超过 15 位'],
  ['“居住房屋”与公安局提供的不一致,以公安局为准;请核实', '“居住房屋”与公安局提供的不一致，以公安局为准；请核实'],
  ['li.si(角色:经办人员(有查询职责))可以查看', 'li.si（角色：经办人员（有查询职责））可以查看'],
  ['接口说明(OpenAPI)', '接口说明(OpenAPI)'],
  ['共 3,000 条, 12:30 收到', '共 3,000 条，12:30 收到'],
  ['WGS 84,经度在前', 'WGS 84，经度在前'],
  ['Buildings (2025), sample', 'Buildings (2025), sample'],
]

for (const [typed, written] of SENTENCES) {
  test(`a sentence in Chinese: ${typed}`, () => {
    assert.equal(inChinese(typed), written)
    assert.equal(inChinese(written), written)
  })
}

test('only words in both languages are the platform’s own', () => {
  const told = JSON.parse('{"title": {"zh": "甲,乙", "en": "A, B"}, "name": "丙,丁(店)", "zh": "戊,己"}', revive) as unknown
  assert.deepEqual(told, { title: { zh: '甲，乙', en: 'A, B' }, name: '丙,丁(店)', zh: '戊,己' })
})
