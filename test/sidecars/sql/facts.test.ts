import { expect, test } from 'vitest'
import { facts } from '../../../sidecars/sql/facts.ts'

const rest = { dialect: 'any', text: 'text' }

test('a statement nothing is known of is unknown', () => {
  expect(facts().command('name', rest)).toEqual({
    name: 'name',
    effects: ['unknown'],
    objects: [],
    predicates: [],
    text: 'text',
    sql: {
      dialect: 'any',
      kinds: [],
      functions: [],
      has_where: false,
      has_limit: false,
      locking: false,
      triggers: false,
    },
  })
})

test('columns of one object under one access come together', () => {
  const known = facts()
  known.touch('table', 's.t', 'read', ['a'])
  known.touch('table', 's.t', 'read', ['b', 'a'])
  known.touch('table', 's.t', 'write', ['a'])
  known.touch('table', 's.t', 'read')
  expect(known.command('x', rest).objects).toEqual([
    { kind: 'table', name: 's.t', access: 'read', columns: ['a', 'b'] },
    { kind: 'table', name: 's.t', access: 'write', columns: ['a'] },
  ])
})

test('one write without a filter makes the whole statement unfiltered', () => {
  const known = facts()
  known.flag('where')
  known.flag('unbounded')
  expect(known.command('x', rest)['sql']).toMatchObject({ has_where: false })
})

test('reasons are a few sentences, whatever their number', () => {
  const known = facts()
  for (let i = 0; i < 100; i += 1) known.doubt(`reason ${i}`)
  expect(known.command('x', rest).incomplete).toBe(
    'reason 0; reason 1; reason 2; reason 3; reason 4; and 95 more',
  )
})

test('a statement that runs another has all of its facts', () => {
  const inner = facts()
  inner.effect('delete')
  inner.kind('delete')
  inner.touch('table', 's.t', 'write', ['a'])
  inner.decide('s.t.a')
  inner.call('s.f', 'user:sql')
  inner.doubt('a reason')
  inner.flag('limit')
  const outer = facts()
  outer.kind('execute')
  outer.absorb(inner.command('delete', rest))
  expect(outer.command('execute', rest)).toMatchObject({
    name: 'execute',
    effects: ['delete'],
    objects: [{ name: 's.t' }],
    predicates: ['s.t.a'],
    incomplete: 'a reason',
    sql: { kinds: ['execute', 'delete'], functions: [{ name: 's.f' }], has_limit: true },
  })
})
