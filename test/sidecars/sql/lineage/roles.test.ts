import { expect, test } from 'vitest'
import { combined, outputs, settled } from '../../../../sidecars/sql/lineage/output.ts'
import { isDeciding, uses } from '../../../../sidecars/sql/lineage/roles.ts'
import { anything, computed, copyOf } from '../../../../sidecars/sql/lineage/value.ts'

test('a column has all the roles it was used in, in one order', () => {
  const used = uses()
  used.use(['t.a', 't.b'], 'sort')
  used.use(['t.a'], 'output')
  used.use(['t.c'], 'written_to')
  expect(used.list()).toEqual([
    { name: 't.a', roles: ['output', 'sort'] },
    { name: 't.b', roles: ['sort'] },
    { name: 't.c', roles: ['written_to'] },
  ])
  expect(used.deciding()).toEqual(['t.a', 't.b'])
})

test.each([
  ['predicate', true],
  ['null_test', true],
  ['written_from', true],
  ['argument', true],
  ['partial', true],
  ['output', false],
  ['derived', false],
  ['returned', false],
  ['written_to', false],
  ['inside', false],
] as const)('%s decides something: %s', (role, expected) => {
  expect(isDeciding(role)).toBe(expected)
})

const x = [{ name: 'x', value: copyOf(['t.a']) }]
const y = [{ name: 'y', value: copyOf(['t.b']) }]

test('rows of either query are named by the first', () => {
  expect(outputs(combined(x, y))).toEqual([{ name: 'x', sources: ['t.a', 't.b'], exact: false }])
  expect(combined(x, [...y, ...y])).toBeUndefined()
  expect(combined(undefined, y)).toBeUndefined()
})

test('what one column comes from is not told where that of another is not known', () => {
  expect(outputs([...x, { name: 'z', value: anything }])).toBeUndefined()
})

test('recursion is settled once a round brings nothing new', () => {
  const next = combined(x, y) ?? []
  expect(settled(x, next)).toBe(false)
  expect(settled(next, combined(next, y) ?? [])).toBe(true)
  expect(settled(x, [{ name: 'x', value: computed(copyOf(['t.a'])) }])).toBe(false)
})
