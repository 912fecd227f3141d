import { expect, test } from 'vitest'
import type { MaskRule } from '../../../../pdp/contract.ts'
import { compileMask } from '../../../../pdp/mask.ts'
import { Malformed } from '../../../../pdp/refusal.ts'
import { int32 } from '../../../../sidecars/postgres/frames.ts'
import { type Change, covered, masked } from '../../../../sidecars/postgres/mask/change.ts'

const types = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, text: 25, json: 114, cidr: 650 }
const more = {
  texts: 1009,
  ints: 1007,
  float4: 700,
  float8: 701,
  date: 1082,
  stamp: 1114,
  tz: 1184,
}
const rest = { numeric: 1700, uuid: 2950, jsonb: 3802, xml: 142, interval: 1186, money: 790 }
const oid = { ...types, ...more, ...rest }
type Type = keyof typeof oid

const zero = '00000000-0000-0000-0000-000000000000'
const key = { reveal: () => 'k'.repeat(32) }

function change(type: Type, method: MaskRule['method'], args = {}, binary = false): Change {
  const rule = { rule: 'r', column: 's.t.c', method, args, on_predicate: 'deny' } as const
  const rewrite = compileMask([rule], key).column('s.t.c')
  if (rewrite === undefined) throw new Error('nothing is masked')
  return masked(rewrite, { typeOid: oid[type], binary })
}

const text = (made: Change, cell: string): string | null =>
  made.value(Buffer.from(cell))?.toString() ?? null

test.each<readonly [Type, MaskRule['method'], object, string, string | null]>([
  ['text', 'null', {}, 'ada@example.com', null],
  ['text', 'redact', {}, 'ada@example.com', '[redacted]'],
  ['text', 'partial', {}, 'ada@example.com', 'a***@example.com'],
  ['text', 'partial', { value: 0 }, 'ada@example.com', 'a***@example.com'],
  ['json', 'redact', {}, '{"a": 1}', '"[redacted]"'],
  ['json', 'partial', { keep_last: 2 }, '"12345678"', '"***78"'],
  ['json', 'partial', { keep_last: 2 }, '12345678', '"***78"'],
  ['json', 'partial', { keep_last: 2 }, '["12345678"]', '"[redacted]"'],
  ['json', 'partial', { keep_last: 2 }, 'null', '"[redacted]"'],
  ['json', 'partial', { keep_first: 2 }, '"\\"\\\\345678"', '"\\"\\\\***"'],
  ['texts', 'redact', {}, '{a,NULL,"b,c"}', '{"[redacted]",NULL,"[redacted]"}'],
  ['texts', 'partial', { keep_first: 2 }, '{{"ab\\"cd,}\\\\f"},{a}}', '{{"ab***"},{"***"}}'],
  ['texts', 'partial', { keep_first: 2 }, '{"\\"\\\\cdef","NULL"}', '{"\\"\\\\***","NU***"}'],
  ['texts', 'redact', { text: 'x' }, '[0:1]={a,b}', '[0:1]={"x","x"}'],
  ['texts', 'redact', {}, '{}', '{}'],
  ['int4', 'redact', {}, '7', null],
  ['int4', 'redact', { value: 0 }, '7', '0'],
  ['int2', 'redact', { value: 40_000 }, '7', null],
  ['int4', 'redact', { value: 'x' }, '7', null],
  ['int4', 'null', { value: 0 }, '7', null],
  ['numeric', 'hash', { value: '-1.50' }, '7', '-1.50'],
  ['float8', 'redact', { value: 1.5 }, '7', '1.5'],
  ['bool', 'redact', { value: false }, 't', 'f'],
  ['date', 'redact', { value: '1900-01-01' }, '2001-02-03', '1900-01-01'],
  ['date', 'redact', { value: '1900-02-30' }, '2001-02-03', null],
  ['stamp', 'redact', { value: '1900-01-01' }, '2001-02-03 04:05:06', '1900-01-01 00:00:00'],
  ['tz', 'redact', { value: '1900-01-01 01:02:03' }, '2001-02-03', '1900-01-01 01:02:03+00'],
  ['uuid', 'tokenize', { value: zero }, 'x', zero],
  ['bytea', 'redact', { value: '\\x00' }, '\\xff', '\\x00'],
  ['money', 'redact', { value: 0 }, '$7', null],
  ['interval', 'redact', { value: 0 }, '1 day', null],
  ['ints', 'redact', { value: 0 }, '{1}', null],
  ['xml', 'redact', {}, '<a/>', null],
])('%s by %s %j: %s becomes %s', (type, method, args, cell, expected) => {
  expect(text(change(type, method, args), cell)).toBe(expected)
})

test.each<readonly [Type, string | number | boolean, string]>([
  ['bool', true, '01'],
  ['int2', -1, 'ffff'],
  ['int4', 258, '00000102'],
  ['int8', '9223372036854775807', '7fffffffffffffff'],
  ['float4', 1.5, '3fc00000'],
  ['float8', -2, 'c000000000000000'],
  ['date', '2000-01-11', '0000000a'],
  ['stamp', '2000-01-01 00:00:01', '00000000000f4240'],
  ['tz', '1999-12-31 23:59:59', 'fffffffffff0bdc0'],
  ['numeric', '-12345.678', '0003000140000003000109291a7c'],
  ['uuid', '00112233-4455-6677-8899-aabbccddeeff', '00112233445566778899aabbccddeeff'],
  ['bytea', '\\x00ff', '00ff'],
])('%s %s in binary', (type, value, hex) => {
  expect(change(type, 'redact', { value }, true).fixed?.toString('hex')).toBe(hex)
})

test('jsonb in binary keeps its version', () => {
  const cell = Buffer.from('\x01"12345678"')
  const made = change('jsonb', 'partial', { keep_last: 2 }, true).value(cell)
  expect(made?.toString()).toBe('\x01"***78"')
})

test('an array in binary is rewritten element by element', () => {
  const head = [int32(1), int32(0), int32(25), int32(2), int32(1)]
  const cell = Buffer.concat([...head, int32(3), Buffer.from('ada'), int32(-1)])
  const changed = [int32(1), int32(1), int32(25), int32(2), int32(1)]
  const made = change('texts', 'redact', { text: 'x' }, true)
  expect(made.value(cell)).toEqual(
    Buffer.concat([...changed, int32(1), Buffer.from('x'), int32(-1)]),
  )
  for (let at = 0; at < cell.length; at += 1) {
    // Cut where an element ends it is an array again, as far as can be told.
    if (at === 20 || at === 27) continue
    expect(() => made.value(cell.subarray(0, at))).toThrow(Malformed)
  }
})

test.each(['', 'a', '{"a'])('a text array %j is malformed', (cell) => {
  expect(() => text(change('texts', 'redact'), cell)).toThrow(Malformed)
})

test.each<readonly [Type, string | null]>([
  ['text', '[redacted]'],
  ['json', null],
  ['int4', null],
  ['texts', null],
])('computed %s shows nothing, not even NULL', (type, expected) => {
  const made = covered({ typeOid: oid[type], binary: false })
  expect(made.always).toBe(true)
  expect(made.fixed?.toString() ?? null).toBe(expected)
})
