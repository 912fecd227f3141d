import { expect, test } from 'vitest'
import { Malformed, Refusal } from '../../pdp/refusal.ts'
import { gather, outbox } from '../../sidecars/bytes.ts'
import { cutter } from '../../sidecars/cutter.ts'
import { length } from '../../sidecars/postgres/frames.ts'
import { query, ready } from './postgres/messages.ts'

test('neighbours leave as one uncopied slice', () => {
  const bytes = Buffer.from('onetwothree')
  const out = outbox()
  for (const [from, to] of [
    [0, 3],
    [3, 6],
    [6, 11],
  ] as const)
    out.add(bytes.subarray(from, to))
  const sent = out.take()
  expect(sent.toString()).toBe('onetwothree')
  expect([sent.buffer, sent.byteOffset]).toEqual([bytes.buffer, bytes.byteOffset])
  expect(out.take()).toHaveLength(0)
})

test('what does not lie side by side is joined in order', () => {
  const bytes = Buffer.from('onetwothree')
  const out = outbox()
  for (const part of [
    bytes.subarray(0, 3),
    Buffer.from('-'),
    bytes.subarray(3, 6),
    bytes.subarray(0, 3),
  ])
    out.add(part)
  out.add(Buffer.alloc(0))
  expect(out.take().toString()).toBe('one-twoone')
})

test('a gather gives back everything, once', () => {
  const chunks = gather()
  for (const part of ['a', '', 'bc']) chunks.add(Buffer.from(part))
  expect(chunks.bytes).toBe(3)
  expect(chunks.take().toString()).toBe('abc')
  expect(chunks.take()).toHaveLength(0)
})

const dialogue = [query('select 1'), ready(), query(''), query('x'.repeat(300))]

test('messages are the same wherever they were cut, in two or byte by byte', () => {
  const bytes = Buffer.concat(dialogue)
  const ways = [
    ...Array.from({ length: bytes.length }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]),
    Array.from(bytes, (byte) => Buffer.from([byte])),
  ]
  for (const parts of ways) {
    const incoming = cutter(length, 1_000)
    const found: Buffer[] = []
    for (const part of parts) {
      incoming.add(part)
      for (let frame = incoming.next(); frame !== undefined; frame = incoming.next())
        found.push(frame)
    }
    expect(found).toEqual(dialogue)
    expect(incoming.bytes).toBe(0)
  }
})

test('a message over the maximum is refused as soon as it says so', () => {
  const incoming = cutter(length, 100)
  incoming.add(query('x'.repeat(300)).subarray(0, 5))
  expect(() => incoming.next()).toThrow(Refusal)
})

test('a length that cannot be is malformed', () => {
  const incoming = cutter(length, 100)
  incoming.add(Buffer.from([0x51, 0, 0, 0, 3]))
  expect(() => incoming.next()).toThrow(Malformed)
})

test('the first byte can be seen without being taken', () => {
  const incoming = cutter(length, 100)
  expect(incoming.first()).toBeUndefined()
  incoming.add(ready())
  expect(incoming.first()).toBe(0x5a)
  expect(incoming.next()).toEqual(ready())
  incoming.add(Buffer.from('rest'))
  expect(incoming.rest().toString()).toBe('rest')
  expect(incoming.bytes).toBe(0)
})
