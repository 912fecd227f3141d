import { expect, test } from 'vitest'
import { batches } from '../../../pdp/audit/batch.ts'
import { json } from '../../../pdp/audit/json.ts'
import { freeze } from '../../../pdp/engine/decision.ts'
import { decision } from './kit.ts'

const hard = {
  quotes: 'a "quoted" \\ word',
  controls: '\u0000\n\u001f\u007f',
  alone: '\ud800',
  wide: 'é 漢 😀',
  long: 'x'.repeat(100),
  'na"me\n': 1,
  ['__proto__']: 2,
  zero: -0,
  infinite: Number.POSITIVE_INFINITY,
  none: Number.NaN,
  tiny: 1e-7,
  missing: undefined,
  nothing: null,
  yes: true,
  when: new Date(0),
  list: [1, undefined, null, 'two', { three: 3 }],
  empty: {},
  7: 'seven',
}

test.each([
  ['a decision', decision({ id: 'd1', text: "select 'ä\n'" })],
  ['an immutable decision', freeze(decision({ id: 'd2' }))],
  ['what is hard to write', hard],
  ['the same in its parts', { input: { action: hard, context: hard }, action: [hard], hard }],
  ['the same, immutable', { input: freeze(structuredClone(hard)), result: freeze({ hard }) }],
  ['nothing', {}],
  ['a part with a text of its own', { input: { toJSON: () => 'mine' } }],
])('%s is written as JSON.stringify does', (_, value) => {
  const whole = JSON.stringify(value)
  expect(json(value)).toBe(whole)
  expect(json(value)).toBe(whole)
})

test('the member asked for comes first', () => {
  expect(json({ b: 1, kind: 'outcome', c: 2 }, 'kind')).toBe('{"kind":"outcome","b":1,"c":2}')
  expect(json({ b: 1 }, 'kind')).toBe('{"b":1}')
})

test.each([
  ['mutable', { result: { effect: 'allow' } }],
  ['frozen, but not its members', Object.freeze({ result: Object.freeze({ list: ['allow'] }) })],
])('a part that is %s is written as it is now', (_, value) => {
  const changed = (): string => JSON.stringify(value).replaceAll('allow', 'deny')
  json(value)
  const after = changed()
  if ('effect' in value.result) value.result.effect = 'deny'
  else value.result.list[0] = 'deny'
  expect(json(value)).toBe(after)
})

test.each([
  ['a circle', () => Object.assign(hardCircle, { input: hardCircle })],
  ['a number without end', () => ({ input: { big: 1n } })],
])('%s is thrown back', (_, value) => {
  expect(() => json(value())).toThrow()
})

const hardCircle: Record<string, unknown> = {}

test('lines lie one behind the other, however much longer than announced', () => {
  const batchOf = batches()
  const lines = ['plain', 'é漢😀', 'x'.repeat(400_000), '漢'.repeat(200_000), 'last']
  for (const announced of [0, 10, 2_000_000]) {
    const batch = batchOf(announced)
    const taken = lines.map((line) => Buffer.from(batch.add(line)).toString())
    expect(taken).toEqual(lines)
    expect(batch.all().equals(Buffer.from(`${lines.join('\n')}\n`))).toBe(true)
  }
})
