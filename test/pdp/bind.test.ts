import { expect, test } from 'vitest'
import { type Bound, digestOf } from '../../pdp/bind.ts'
import type { Context, Subject } from '../../pdp/contract.ts'
import { alice, remove, select, shop } from './kit.ts'

const context: Context = {
  peer: '127.0.0.1:1',
  tls: true,
  database: 'shop',
  user: 'a',
  application: 'psql',
  state: {},
  grants: [],
  capabilities: [],
}
const bound: Bound = {
  bind: 'exact',
  session: 's1',
  subject: alice,
  resource: shop,
  context,
  command: remove,
  parameters: ['1', null],
}
const acting = (...ids: readonly string[]): Subject => ({
  ...alice,
  actor: ids.reduceRight<Subject['actor']>(
    (actor, id) => ({ id, type: 'agent', attested: true, actor }),
    null,
  ),
})

test.each<[string, Partial<Bound>]>([
  ['a session of the same person', { session: 's2' }],
  ['another way in', { context: { ...context, peer: '127.0.0.1:2', application: 'dbeaver' } }],
])('the digest stays for %s', (_, change) => {
  expect(digestOf({ ...bound, ...change })).toBe(digestOf(bound))
})

test('no two of these have the same digest', () => {
  const different: readonly Partial<Bound>[] = [
    {},
    { bind: 'shape' },
    { bind: 'session' },
    { bind: 'session', session: 's2' },
    { subject: { ...alice, id: 'alic' } },
    { subject: { ...alice, issuer: `${alice.issuer}a`, id: 'lice' } },
    { subject: acting('bot') },
    { subject: acting('bot', 'pet') },
    { subject: acting('bot","pet') },
    { subject: acting('pet', 'bot') },
    { resource: { ...shop, id: 'shop2' } },
    { context: { ...context, database: 'shopa', user: '' } },
    { context: { ...context, database: 'sho', user: 'pa' } },
    { command: select },
    { command: { ...remove, text: `${remove.text} ` } },
    { command: { ...remove, objects: [] } },
    { command: { ...remove, state: { role: 'admin' } } },
    { parameters: [] },
    { parameters: ['1'] },
    { parameters: ['1', 'null'] },
    { parameters: ['1', ''] },
    { parameters: ['1,null'] },
    { parameters: [null, '1'] },
  ]
  const digests = different.map((change) => digestOf({ ...bound, ...change }))
  expect(new Set(digests).size).toBe(different.length)
})

test('a shape binds more texts, but no other tables', () => {
  const shape = (change: object): string =>
    digestOf({ ...bound, bind: 'shape', command: { ...remove, ...change }, parameters: [] })
  expect(shape({ text: 'delete from orders where id = 7' })).toBe(shape({}))
  expect(shape({ objects: [] })).not.toBe(shape({}))
  expect(shape({ effects: ['read'] })).not.toBe(shape({}))
  expect(shape({ state: { role: 'admin' } })).not.toBe(shape({}))
  expect(shape({ sql: { shape: 'truncate orders' } })).not.toBe(shape({}))
})
