import { expect, test } from 'vitest'
import type { Rewrite } from '../../../../pdp/contract.ts'
import { Malformed } from '../../../../pdp/refusal.ts'
import { outbox } from '../../../../sidecars/bytes.ts'
import { type Change, covered, masked } from '../../../../sidecars/postgres/mask/change.ts'
import { rewriter } from '../../../../sidecars/postgres/mask/row.ts'
import { cells } from '../../../../sidecars/postgres/rows.ts'
import * as m from '../messages.ts'

const form = { typeOid: 25, binary: false }
const by = (text: Rewrite['text']): Change => masked({ method: 'hash', rule: 'r', text }, form)

type Cells = readonly (string | null)[]

/** Rows as one read brings them, through one rewriter, and what leaves. */
function through(plan: readonly (Change | undefined)[], rows: readonly Cells[]) {
  const frames = rows.map((row) => m.row(...row))
  const read = Buffer.from(new Uint8Array(Buffer.concat(frames)).buffer)
  const rewrite = rewriter(plan)
  const out = outbox()
  const slices: Buffer[] = []
  let at = 0
  for (const { length } of frames) {
    const slice = rewrite(read.subarray(at, at + length))
    slices.push(slice)
    out.add(slice)
    at += length
  }
  const sent = out.take()
  return { slices, sent, inPlace: sent.length > 0 && sent.buffer === read.buffer }
}

function shown(sent: Buffer): readonly Cells[] {
  const found: Cells[] = []
  for (let at = 0; at < sent.length; ) {
    const end = at + 1 + sent.readUInt32BE(at + 1)
    found.push(cells(sent.subarray(at, end)).map((cell) => cell?.toString() ?? null))
    at = end
  }
  return found
}

test('rows that shrink leave as one slice of what came in', () => {
  const rows = Array.from({ length: 50 }, (_, i) => [`${i}`, `somebody${i}@example.com`, 'x'])
  const { sent, inPlace } = through([undefined, by(() => '***'), undefined], rows)
  expect(inPlace).toBe(true)
  expect(shown(sent)).toEqual(rows.map(([id]) => [id, '***', 'x']))
})

test('a row that grows uses the room of those before it', () => {
  const rows = [['long enough to make room'], ['a'], [null], ['b']]
  const { sent, inPlace } = through([by(() => 'masked')], rows)
  expect(inPlace).toBe(true)
  expect(shown(sent)).toEqual([['masked'], ['masked'], [null], ['masked']])
})

test('a first row that grows goes to memory of its own, in order', () => {
  const rows = [['a'], ['long enough to make room'], ['b'], [null]]
  const { sent, inPlace } = through([by((cell) => `${cell.slice(0, 1)}-masked`)], rows)
  expect(inPlace).toBe(false)
  expect(shown(sent)).toEqual([['a-masked'], ['l-masked'], ['b-masked'], [null]])
})

test('a row larger than a slab is rewritten', () => {
  const { sent } = through([by((cell) => cell.repeat(2))], [['a'.repeat(100_000)]])
  expect(shown(sent)).toEqual([['a'.repeat(200_000)]])
})

test('what is computed is covered where it was NULL, too', () => {
  const { sent } = through(
    [covered(form), covered({ ...form, typeOid: 23 })],
    [
      [null, null],
      ['a', '1'],
    ],
  )
  expect(shown(sent)).toEqual([
    ['[redacted]', null],
    ['[redacted]', null],
  ])
})

test('bytes that were handed on are never written to again', () => {
  const rows = Array.from({ length: 20 }, (_, i) => ['a'.repeat(i % 7), 'b'.repeat(i % 5)])
  const plan = [by((cell) => cell.slice(0, 2)), by((cell) => `${cell}++`)]
  const frames = rows.map((row) => m.row(...row))
  const read = Buffer.from(new Uint8Array(Buffer.concat(frames)).buffer)
  const rewrite = rewriter(plan)
  let at = 0
  const seen: { readonly slice: Buffer; readonly copy: Buffer }[] = []
  for (const { length } of frames) {
    const slice = rewrite(read.subarray(at, at + length))
    seen.push({ slice, copy: Buffer.from(slice) })
    at += length
  }
  for (const { slice, copy } of seen) expect(slice).toEqual(copy)
})

/** A generator of its own, so that a failure can be repeated from its seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  'any rows and any plan, from seed %i, are as if each row were built anew',
  (seed) => {
    const next = random(seed)
    const below = (max: number): number => Math.floor(next() * max)
    const sizes = Array.from({ length: 4 }, () => below(40))
    const changes = sizes.map((size) => {
      const kind = below(4)
      if (kind === 0) return undefined
      if (kind === 1) return covered(form)
      return by((cell) => (kind === 2 ? cell.slice(0, size) : `${cell}${'+'.repeat(size % 9)}`))
    })
    const rows = Array.from({ length: 60 }, () =>
      sizes.map((size) => (below(5) === 0 ? null : 'v'.repeat(below(size + 1)))),
    )
    const expected = rows.map((row) =>
      row.map((cell, index) => {
        const change = changes[index]
        if (change === undefined || (cell === null && !change.always)) return cell
        return change.value(Buffer.from(cell ?? ''))?.toString() ?? null
      }),
    )
    expect(shown(through(changes, rows).sent)).toEqual(expected)
  },
)

test('a row with bytes behind its cells is malformed', () => {
  const frame = Buffer.concat([m.row('a'), Buffer.from([0])])
  frame.writeUInt32BE(frame.length - 1, 1)
  expect(() => rewriter([covered(form)])(frame)).toThrow(Malformed)
})
