import { describe, expect, test } from 'vitest'
import type { LimitRule, MaskRule } from '../../pdp/contract.ts'
import { limitsOf } from '../../pdp/limits.ts'
import { compileMask, maskCapabilities } from '../../pdp/mask.ts'
import { secret } from '../../pdp/secret.ts'

const key = secret('0123456789abcdef0123456789abcdef')
const mask = (change: Partial<MaskRule>): MaskRule => ({
  rule: 'pii',
  column: 'public.customers.email',
  method: 'redact',
  on_predicate: 'deny',
  ...change,
})
const cell = (text: string, change: Partial<MaskRule>): string | null | undefined =>
  compileMask([mask(change)], key)
    .column('public.customers.email')
    ?.text(text)

describe('a mask', () => {
  test.each<[string, Partial<MaskRule>, string | null]>([
    ['anything', { method: 'null' }, null],
    ['anything', { method: 'redact' }, '[redacted]'],
    ['', { method: 'redact' }, '[redacted]'],
    ['anything', { method: 'redact', args: { text: 'hidden' } }, 'hidden'],
    ['alice@example.com', { method: 'partial' }, 'a***@example.com'],
    ['al@example.com', { method: 'partial' }, 'a***@example.com'],
    ['a@example.com', { method: 'partial' }, '***@example.com'],
    ['@example.com', { method: 'partial' }, '***'],
    ['alice@', { method: 'partial' }, '***'],
    ['a@b@example.com', { method: 'partial' }, '***'],
    ['alice@example.com, card 4111111111111111', { method: 'partial' }, '***'],
    ['4111111111111111', { method: 'partial' }, '***'],
    ['', { method: 'partial' }, '***'],
    ['4111111111111111', { method: 'partial', args: { keep_last: 4 } }, '***1111'],
    ['4111111111111111', { method: 'partial', args: { keep_first: 2, keep_last: 4 } }, '41***1111'],
    ['1234', { method: 'partial', args: { keep_last: 4 } }, '***'],
    ['123', { method: 'partial', args: { keep_last: 4 } }, '***'],
    ['1234567', { method: 'partial', args: { keep_last: 4 } }, '***'],
    ['12345678', { method: 'partial', args: { keep_last: 4 } }, '***5678'],
    ['alice@example.com', { method: 'partial', args: { keep_domain: true } }, '***@example.com'],
    ['no address', { method: 'partial', args: { keep_domain: true, keep_last: 2 } }, '***'],
    ['\u{1f600}\u{1f601}\u{1f602}', { method: 'partial', args: { keep_first: 1 } }, '\u{1f600}***'],
  ])('makes of %j with %j: %j', (text, change, shown) => {
    expect(cell(text, change)).toBe(shown)
  })

  test.each([
    ['hash', /^h_[\w-]{22}$/],
    ['tokenize', /^tok_[\w-]{22}$/],
  ] as const)('%s gives equal text for equal values under one key alone', (method, form) => {
    const shown = cell('alice@example.com', { method })
    expect(shown).toMatch(form)
    expect(cell('alice@example.com', { method })).toBe(shown)
    expect(cell('bob@example.com', { method })).not.toBe(shown)
    const other = compileMask([mask({ method })], secret('f'.repeat(32)))
    expect(other.column('public.customers.email')?.text('alice@example.com')).not.toBe(shown)
  })

  test.each([
    ['hash', true],
    ['tokenize', false],
  ] as const)('%s of two columns can be joined: %s', (method, joined) => {
    const columns = ['a.b.c', 'a.b.d']
    const both = compileMask(
      columns.map((column) => mask({ method, column })),
      key,
    )
    const [one, two] = columns.map((column) => both.column(column)?.text('same'))
    expect(one === two).toBe(joined)
  })

  test.each<[string, Partial<MaskRule>]>([
    ['no column', { column: undefined } as never],
    ['an empty column', { column: '' }],
    ['an unknown method', { method: 'rot13' as never }],
    ['a negative count', { method: 'partial', args: { keep_last: -1 } }],
    ['a count that is no number', { method: 'partial', args: { keep_last: '4' } }],
    ['half a character', { method: 'partial', args: { keep_first: 1.5 } }],
    ['a text that is none', { method: 'redact', args: { text: 7 } }],
    ['a long text', { method: 'redact', args: { text: 'x'.repeat(65) } }],
  ])('invariant 5: with %s is refused', (_, change) => {
    expect(() => compileMask([mask(change)], key)).toThrow(
      expect.objectContaining({ code: 'unsupported_obligation' }),
    )
  })

  test.each(['hash', 'tokenize'] as const)('%s without a key is refused', (method) => {
    expect(() => compileMask([mask({ method })])).toThrow(
      expect.objectContaining({ code: 'unsupported_obligation' }),
    )
  })

  test.each<[MaskRule['method'][], MaskRule['method']]>([
    [['partial', 'null'], 'null'],
    [['redact', 'hash'], 'redact'],
    [['tokenize', 'hash', 'partial'], 'hash'],
  ])('of %j for one column is %s', (methods, strongest) => {
    const both = compileMask(
      methods.map((method) => mask({ method })),
      key,
    )
    expect(both.column('public.customers.email')?.method).toBe(strongest)
  })

  test('touches the relations whose columns it rewrites, and no others', () => {
    const one = compileMask([mask({}), mask({ column: 'public.odd.a.b' })], key)
    expect(one.touches('public.customers')).toBe(true)
    expect(one.touches('public.odd')).toBe(true)
    expect(one.touches('public.customer')).toBe(false)
    expect(one.touches('public.orders')).toBe(false)
    expect(one.column('public.customers.name')).toBeUndefined()
    expect(one.empty).toBe(false)
    expect(compileMask([]).empty).toBe(true)
  })
})

test.each([
  [undefined, ['mask:null', 'mask:partial', 'mask:redact']],
  [key, ['mask:hash', 'mask:null', 'mask:partial', 'mask:redact', 'mask:tokenize']],
])('a gate declares the masks it has a key for', (given, declared) => {
  expect(maskCapabilities(given)).toEqual(declared)
})

test('a mask key that can be guessed is a mistake', () => {
  expect(() => maskCapabilities(secret('short'))).toThrow('32 bytes')
})

describe('limits', () => {
  const limit = (change: Partial<LimitRule> = {}): LimitRule => ({
    metric: 'rows',
    max: 10,
    on_exceed: 'truncate',
    ...change,
  })
  test.each([
    [[], {}],
    [[limit()], { rows: { max: 10, exceed: 'truncate' } }],
    [[limit(), limit({ max: 5 })], { rows: { max: 5, exceed: 'truncate' } }],
    [[limit({ max: 5 }), limit({ on_exceed: 'deny' })], { rows: { max: 5, exceed: 'deny' } }],
    [
      [limit({ rule: 'a' }), limit({ rule: 'b', max: 5 }), limit({ rule: 'c', on_exceed: 'deny' })],
      { rows: { max: 5, exceed: 'deny', rule: 'b' } },
    ],
    [[limit({ on_exceed: 'whatever' as never })], { rows: { max: 10, exceed: 'deny' } }],
    [
      [limit({ metric: 'bytes', max: 0 }), limit({ metric: 'duration_ms', max: 7 })],
      { bytes: { max: 0, exceed: 'truncate' }, durationMs: { max: 7, exceed: 'truncate' } },
    ],
  ])('%j are %j', (rules, limits) => {
    expect(limitsOf(rules)).toEqual(limits)
  })

  test.each([
    ['a metric nobody counts', { metric: 'cells' as never }],
    ['a negative maximum', { max: -1 }],
    ['no maximum', { max: undefined as never }],
    ['half a row', { max: 0.5 }],
  ])('with %s are refused', (_, change) => {
    expect(() => limitsOf([limit(change)])).toThrow(
      expect.objectContaining({ code: 'unsupported_obligation' }),
    )
  })
})
