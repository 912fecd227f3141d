import { expect, test } from 'vitest'
import type { Rewrite } from '../../../../pdp/contract.ts'
import { compileMask } from '../../../../pdp/mask.ts'
import { Malformed } from '../../../../pdp/refusal.ts'
import { type Change, covered, masked } from '../../../../sidecars/postgres/mask/change.ts'
import { rewriter } from '../../../../sidecars/postgres/mask/row.ts'
import { cells } from '../../../../sidecars/postgres/rows.ts'
import * as m from '../messages.ts'

const form = { typeOid: 25, binary: false }
const by = (text: Rewrite['text']): Change => masked({ method: 'hash', rule: 'r', text }, form)

type Cells = readonly (string | null)[]

/** Rows, so many at a time, through one rewriter, and what leaves. */
function through(
  plan: readonly (Change | undefined)[],
  rows: readonly Cells[],
  together = rows.length,
): Buffer {
  const rewrite = rewriter(plan)
  const sent: Buffer[] = []
  for (let at = 0; at < rows.length; at += together)
    sent.push(rewrite(Buffer.concat(rows.slice(at, at + together).map((row) => m.row(...row)))))
  return Buffer.concat(sent)
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

test('rows in which nothing changes are the very same bytes', () => {
  const rows = Buffer.concat([m.row('1', null), m.row('2', null)])
  expect(rewriter([undefined, by(() => '***')])(rows)).toBe(rows)
})

test.each([
  ['shrink', () => '***'],
  ['grow', (cell: string) => `${cell}-${cell}-${cell}`],
  ['become NULL', () => null],
])('cells that %s between cells that stay', (_, mask) => {
  const rows = Array.from({ length: 50 }, (_, i) => [`${i}`, `a${i}@example.com`, null, 'x'])
  const masked = rows.map(([id, mail, , x]) => [id, mask(mail ?? ''), null, x])
  expect(shown(through([undefined, by(mask), by(mask), undefined], rows))).toEqual(masked)
})

test('a large row is rewritten', () => {
  const sent = through([by((cell) => cell.repeat(2))], [['a'.repeat(100_000)]])
  expect(shown(sent)).toEqual([['a'.repeat(200_000)]])
})

test('what is computed is covered where it was NULL, too', () => {
  const sent = through(
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
    for (const together of [1, 7, 60])
      expect(shown(through(changes, rows, together))).toEqual(expected)
  },
)

test('a row with bytes behind its cells is malformed', () => {
  const frame = Buffer.concat([m.row('a'), Buffer.from([0])])
  frame.writeUInt32BE(frame.length - 1, 1)
  expect(() => rewriter([covered(form)])(frame)).toThrow(Malformed)
})

test('a cell that reaches into the next row is malformed', () => {
  const frame = m.row('abc')
  frame.writeInt32BE(4, 7)
  const rows = Buffer.concat([frame, m.row('abc')])
  expect(() => rewriter([covered(form)])(rows)).toThrow(Malformed)
  expect(() => rewriter([undefined, covered(form)])(rows)).toThrow(Malformed)
})

test('parts of values are the same by bytes as by text', () => {
  const next = random(7)
  const letters = 'ab1.-@@ é💡'
  const keeps = [{}, { keep_first: 2 }, { keep_last: 3 }, { keep_first: 1, keep_domain: true }]
  for (const args of keeps) {
    const rule = { rule: 'r', column: 'c', method: 'partial', args, on_predicate: 'deny' } as const
    const rewrite = compileMask([rule]).column('c')
    if (rewrite?.ascii === undefined) throw new Error('partial has no way with bytes')
    const plan = [masked(rewrite, form)]
    const values = Array.from({ length: 500 }, () => {
      const picked = Array.from({ length: Math.floor(next() * 30) }, () =>
        Array.from(letters).at(Math.floor(next() * 10)),
      )
      return [next() < 0.5 ? picked.join('') : `${picked.join('')}@ab.example.com`]
    })
    const expected = values.map(([value]) => [rewrite.text(value ?? '')])
    expect(shown(through(plan, values, 100))).toEqual(expected)
  }
})
