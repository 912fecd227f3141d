import { beforeAll, describe, expect, test } from 'vitest'
import type { Input } from '../../../pdp/contract.ts'
import { engine, type ManagedEngine } from '../../../pdp/engine/engine.ts'
import type { Happening, PolicyBundle, Verdict } from '../../../pdp/parts.ts'
import { bundle, policyText, question } from './kit.ts'

const day = 86_400_000
let basic: PolicyBundle

beforeAll(() => {
  basic = bundle({ rego: policyText('basic') })
})

async function running(options: Parameters<typeof engine>[0] = {}): Promise<ManagedEngine> {
  const made = engine(options)
  await made.activate(basic)
  return made
}

const codeOf = ({ decision }: Verdict): string | undefined => decision.reasons[0]?.code
const effectOf = ({ decision }: Verdict): string => decision.effect
const healthy = (made: ManagedEngine): string => effectOf(made.evaluate(question()))

describe('a decision', () => {
  test('carries everything the policy said, and which bundle said it', async () => {
    const objects = [
      {
        kind: 'table',
        name: 'public.c',
        access: 'read',
        columns: ['public.c.id', 'public.c.email'],
      },
    ]
    const { decision, bundle: origin, cached } = (await running()).evaluate(question({ objects }))
    expect(decision).toEqual({
      effect: 'allow',
      reasons: [{ rule: 'policies.basic', code: 'read_only', message: 'as the test asked' }],
      masks: [
        {
          rule: 'policies.basic',
          column: 'public.c.email',
          method: 'redact',
          on_predicate: 'deny',
        },
      ],
      limits: [{ metric: 'rows', max: 1000, on_exceed: 'deny' }],
      quotas: [],
      obligations: [],
    })
    expect(origin).toEqual({ name: 'test', revision: 'r1', digest: basic.digest })
    expect(cached).toBe(false)
  })

  test.each([
    ['delete', 'hold'],
    ['truncate', 'deny'],
    ['select', 'allow'],
  ])('for %s is %s', async (name, effect) => {
    expect(effectOf((await running()).evaluate(question({ name })))).toBe(effect)
  })

  test('sees one clock, the given one', async () => {
    const made = await running({ now: () => 1_763_675_000_123 })
    expect(codeOf(made.evaluate(question({ name: 'clock' })))).toBe('1763675000123000000')
  })
})

describe('no means no', () => {
  test('without a bundle', () => {
    const { decision, bundle: origin } = engine().evaluate(question())
    expect(decision.effect).toBe('deny')
    expect(decision.reasons[0]).toMatchObject({ rule: 'postern', code: 'no_bundle' })
    expect(origin).toBeUndefined()
  })

  test('once nobody confirmed the bundle for too long, until somebody does', async () => {
    let now = 1_000_000
    const made = await running({ now: () => now, staleAfterMs: day })
    now += day
    expect(healthy(made)).toBe('allow')
    now += 1
    expect(codeOf(made.evaluate(question()))).toBe('stale_bundle')
    made.refreshed(now)
    expect(healthy(made)).toBe('allow')
    made.refreshed(now - day)
    now += day
    expect(healthy(made)).toBe('allow')
  })

  test('when a kept bundle was last confirmed too long ago, although it was activated just now', async () => {
    const now = 1_000_000_000
    const made = engine({ now: () => now, staleAfterMs: day })
    await made.activate(basic, now - day - 1)
    expect(codeOf(made.evaluate(question()))).toBe('stale_bundle')
    await made.activate(basic, now + day)
    expect(made.status().bundle?.age_ms).toBe(0)
  })

  test('although somebody confirmed it for the future', async () => {
    let now = 1_000_000
    const made = await running({ now: () => now, staleAfterMs: day })
    made.refreshed(now + 10 * day)
    now += day + 1
    expect(codeOf(made.evaluate(question()))).toBe('stale_bundle')
  })

  test('from the moment the bundle expires, cached or not', async () => {
    let now = 1_000_000
    const made = engine({ now: () => now })
    await made.activate({ ...basic, expiresMs: now + day })
    expect(healthy(made)).toBe('allow')
    now += day
    expect(codeOf(made.evaluate(question()))).toBe('stale_bundle')
    expect(made.status().bundle?.stale).toBe(true)
  })

  test.each([
    ['text of two million characters', { text: 'x'.repeat(2_000_000) }],
    ['a list of fifty thousand', { list: Array(50_000).fill(1) }],
    ['a thousand fields', { facts: Object.fromEntries(numbers(1000).map((n) => [`f${n}`, n])) }],
    ['nesting of a hundred', { deep: nested(100) }],
    ['nesting of a hundred thousand', { deep: nested(100_000) }],
    ['an infinite number', { n: Number.POSITIVE_INFINITY }],
  ])('for %s', async (_, action) => {
    const made = await running()
    expect(codeOf(made.evaluate(question(action)))).toBe('input_too_large')
    expect(healthy(made)).toBe('allow')
  })

  test.each([
    ['a function', { f: () => 1 }],
    ['a bigint', { n: 1n }],
    ['a date', { at: new Date(0) }],
    ['a map', { m: new Map() }],
    ['bytes', { b: Buffer.from('x') }],
    ['a field name that is no text', { facts: { '\ud800': 1 } }],
    ['a hole in a list', { list: [1, undefined] }],
  ])('for %s', async (_, action) => {
    const made = await running()
    expect(codeOf(made.evaluate(question(action)))).toBe('unsupported_input')
  })

  test.each([[undefined], [null], [false], [0], [''], [[]], [{}], ['select'], [Number.NaN]])(
    'for the input %o',
    async (input) => {
      const made = await running()
      expect(effectOf(made.evaluate(input as unknown as Input))).toBe('deny')
      expect(healthy(made)).toBe('allow')
    },
  )

  test('when a builtin fails, even where the policy would have gone on', async () => {
    const made = await running()
    const text = 'yesterday'
    expect(codeOf(made.evaluate(question({ name: 'parse', text })))).toBe('policy_failed')
    expect(made.status().last_failure?.problem).toBe('time.parse_rfc3339_ns failed')
    expect(made.status().bundle?.replacements).toBe(0)
  })

  test('when two rules disagree', async () => {
    const made = await running()
    expect(codeOf(made.evaluate(question({ name: 'conflict' })))).toBe('policy_failed')
    expect(made.status().last_failure?.problem).toMatch(/conflict/)
    expect(healthy(made)).toBe('allow')
  })

  test('when the clock itself fails', async () => {
    let broken = false
    const made = await running({
      now: () => {
        if (broken) throw new Error('no clock')
        return 1
      },
    })
    broken = true
    expect(codeOf(made.evaluate(question()))).toBe('policy_failed')
  })
})

describe('what ruins an instance is survived', () => {
  const ruins: readonly (readonly [string, number, (index: number) => Record<string, unknown>])[] =
    [
      ['five thousand failing builtins', 5000, (n) => ({ name: 'parse', text: `bad ${n}` })],
      ['two thousand lone surrogates', 2000, (n) => ({ name: 'say', answer: `\ud800${n}` })],
      ['numbers with huge exponents', 40, (n) => ({ name: 'number', text: '1e999999999', n })],
      [
        'patterns that do not compile',
        1000,
        (n) => ({ name: 'split', pattern: `(${n}`, text: 'a' }),
      ],
      ['lookbehind', 100, (n) => ({ name: 'split', pattern: `(?<=a)${n}`, text: 'a' })],
      ['conflicts', 300, (n) => ({ name: 'conflict', n })],
      ['control characters', 1000, (n) => ({ name: 'say', answer: `\u0000\u0001${n}` })],
    ]

  test.each(ruins)('%s', async (_, times, action) => {
    const made = await running()
    for (let index = 0; index < times; index++) made.evaluate(question(action(index)))
    expect(healthy(made)).toBe('allow')
    expect(effectOf(made.evaluate(question({ name: 'delete' })))).toBe('hold')
  })

  test('and lone surrogates arrive as U+FFFD', async () => {
    const made = await running()
    expect(codeOf(made.evaluate(question({ name: 'say', answer: 'a\ud800b' })))).toBe('a\ufffdb')
  })

  test('and a pattern that would take a regular expression of JavaScript forever takes none', async () => {
    const made = await running()
    const text = `${'a'.repeat(40)}b`
    const verdict = made.evaluate(question({ name: 'split', pattern: '(a+)+$', text }))
    expect(effectOf(verdict)).toBe('allow')
  })

  test('memory does not grow over a hundred thousand evaluations', async () => {
    const made = await running({ cacheBytesMax: 1_000_000 })
    const round = (from: number, count: number): number => {
      for (let index = from; index < from + count; index++)
        made.evaluate(question({ text: `select ${index}`, objects: [] }))
      globalThis.gc?.()
      const { arrayBuffers, external } = process.memoryUsage()
      return Math.max(arrayBuffers, external)
    }
    const before = round(0, 20_000)
    const after = round(20_000, 80_000)
    expect(after - before).toBeLessThan(32_000_000)
    expect(made.status().cache.bytes).toBeLessThanOrEqual(1_000_000)
    expect(made.status().bundle?.replacements).toBe(0)
  })
})

describe('an odd answer is a denial', () => {
  const good = {
    effect: 'allow',
    reasons: [{ rule: 'r', code: 'c', message: 'm' }],
    masks: [],
    limits: [],
    quotas: [],
    obligations: [],
  }
  const reason = good.reasons[0]
  const mask = { rule: 'r', column: 'a.b.c', method: 'redact', on_predicate: 'deny' }
  const hold = { approvers: ['dba'], min_approvals: 1, bind: 'exact', ttl_s: 60, wait_s: 10 }
  const quota = { name: 'q', per: 'subject', metric: 'rows', max: 1, window_s: 60 }
  let made: ManagedEngine

  beforeAll(async () => {
    made = await running()
  })

  test.each([
    ['plain', good],
    ['with remedy', { ...good, reasons: [{ ...reason, remedy: 'ask' }] }],
    ['with mask arguments', { ...good, masks: [{ ...mask, args: { keep: 4 } }] }],
    ['held', { ...good, effect: 'hold', hold }],
    ['with a quota', { ...good, quotas: [quota] }],
    ['with an obligation', { ...good, obligations: [{ name: 'watermark', args: {} }] }],
  ])('but not %s', (_, answer) => {
    expect(made.evaluate(question({ name: 'answer', answer })).decision).toEqual(answer)
  })

  test.each<readonly [string, unknown]>([
    ['nothing', undefined],
    ['true', true],
    ['null', null],
    ['text', 'allow'],
    ['a list', [good]],
    ['an empty object', {}],
    ['an unknown effect', { ...good, effect: 'permit' }],
    ['no reasons', { ...good, reasons: [] }],
    ['a reason without a message', { ...good, reasons: [{ rule: 'r', code: 'c' }] }],
    ['a reason that is text', { ...good, reasons: ['because'] }],
    ['no masks', { ...good, masks: undefined }],
    ['masks as an object', { ...good, masks: {} }],
    ['an unknown field', { ...good, mask: [mask] }],
    ['a field of the prototype', { ...good, constructor: {} }],
    ['a mask of two targets', { ...good, masks: [{ ...mask, path: '/x' }] }],
    ['a mask of no target', { ...good, masks: [{ ...mask, column: undefined }] }],
    ['an unknown mask', { ...good, masks: [{ ...mask, method: 'blur' }] }],
    ['a misspelt mask field', { ...good, masks: [{ ...mask, on_predicates: 'deny' }] }],
    [
      'a limit that is text',
      { ...good, limits: [{ metric: 'rows', max: '1', on_exceed: 'deny' }] },
    ],
    [
      'a limit of nobody',
      { ...good, limits: [{ rule: '', metric: 'rows', max: 1, on_exceed: 'deny' }] },
    ],
    ['a negative limit', { ...good, limits: [{ metric: 'rows', max: -1, on_exceed: 'deny' }] }],
    [
      'a limit of half a row',
      { ...good, limits: [{ metric: 'rows', max: 0.5, on_exceed: 'deny' }] },
    ],
    ['a quota without a window', { ...good, quotas: [{ ...quota, window_s: 0 }] }],
    ['a hold without its rule', { ...good, effect: 'hold' }],
    ['a hold nobody can answer', { ...good, effect: 'hold', hold: { ...hold, approvers: [] } }],
    ['an obligation without a name', { ...good, obligations: [{}] }],
  ])('%s', (_, answer) => {
    const action = answer === undefined ? { name: 'answer' } : { name: 'answer', answer }
    const code = codeOf(made.evaluate(question(action)))
    expect(code).toBe(answer === undefined ? 'no_matching_allow' : 'policy_failed')
  })
})

describe('a remembered decision', () => {
  test('is the same decision, for the same question in other objects too', async () => {
    const made = await running()
    const first = made.evaluate(question({ text: 'select 1' }))
    const again = made.evaluate(question({ text: 'select 1' }))
    expect(again).toMatchObject({ cached: true, decision: first.decision })
    expect(made.status()).toMatchObject({ evaluations: 1, cache: { hits: 1, entries: 1 } })
  })

  test.each<readonly [string, Input]>([
    ['text', question({ text: 'select 2' })],
    ['phase', question({}, { phase: 'connect' })],
    ['group', question({}, { subject: { ...question().subject, groups: ['staff'] } })],
    ['label', question({}, { resource: { ...question().resource, labels: {} } })],
    ['peer', question({}, { context: { ...question().context, peer: '10.9.9.9:1' } })],
    ['count', question({}, { counts: { ...question().counts, groups: 3 } })],
    ['field more', question({}, { 'action=': 1 } as unknown as Partial<Input>)],
  ])('is not used for another %s', async (_, other) => {
    const made = await running()
    made.evaluate(question())
    expect(made.evaluate(other).cached).toBe(false)
  })

  test.each<readonly [Readonly<Record<string, number>>, Readonly<Record<string, number>>]>([
    [{ a: 12 }, { a1: 2 }],
    [{ a: 1, b: 2 }, { 'a1,1:b': 2 }],
    [{ '1': 23 }, { '11': 3 }],
  ])('is not used for counts that read alike: %j and %j', async (one, other) => {
    const made = await running()
    const asked = (counts: unknown) => question({}, { counts } as Partial<Input>)
    made.evaluate(asked(one))
    expect(made.evaluate(asked(other)).cached).toBe(false)
    expect(made.evaluate(asked({ ...one })).cached).toBe(true)
  })

  test.each(['clock', 'delete'])('is never kept of %s', async (name) => {
    const made = await running()
    made.evaluate(question({ name }))
    expect(made.evaluate(question({ name })).cached).toBe(false)
  })

  test('is never kept of a failure', async () => {
    const made = await running()
    made.evaluate(question({ name: 'parse', text: 'x' }))
    expect(made.evaluate(question({ name: 'parse', text: 'x' })).cached).toBe(false)
  })

  test('cannot be changed by whoever holds it, nor can the question it was kept for', async () => {
    const made = await running()
    const asked = question({ objects: [{ kind: 'table', name: 'a.b', access: 'read' }] })
    const { decision } = made.evaluate(asked)
    made.evaluate(asked)
    expect(() => Object.assign(decision, { effect: 'deny' })).toThrow(TypeError)
    expect(() => Object.assign(decision.reasons[0] ?? {}, { code: 'x' })).toThrow(TypeError)
    expect(() => Object.assign(asked.action.objects[0] ?? {}, { name: 'x' })).toThrow(TypeError)
  })

  test('of a large command is kept for that very command', async () => {
    const made = await running()
    const asked = question({ words: ['x, '.repeat(4000)] })
    made.evaluate(asked)
    made.evaluate(asked)
    expect(made.evaluate({ ...asked, counts: { ...asked.counts } }).cached).toBe(true)
    const other = question({ words: ['x, '.repeat(4000)] })
    expect(made.evaluate(other).cached).toBe(false)
  })

  test('is dropped when another bundle takes over', async () => {
    const made = await running()
    made.evaluate(question())
    await made.activate(basic)
    expect(made.evaluate(question()).cached).toBe(false)
  })

  test('is not kept at all without room', async () => {
    const made = await running({ cacheBytesMax: 0 })
    made.evaluate(question())
    expect(made.evaluate(question()).cached).toBe(false)
  })

  test('takes no more room than given', async () => {
    const made = await running({ cacheBytesMax: 200_000 })
    for (let index = 0; index < 2000; index++) made.evaluate(question({ word: `${index}` }))
    expect(made.status().cache.bytes).toBeLessThanOrEqual(100_000)
    expect(made.evaluate(question({ word: '1999' })).cached).toBe(true)
    expect(made.evaluate(question({ word: '0' })).cached).toBe(false)
  })
})

describe('a bundle that is not fit', () => {
  const header = 'package postern\n\n'
  const bad: readonly (readonly [string, () => PolicyBundle, RegExp])[] = [
    [
      'no WebAssembly',
      () => ({ ...basic, wasm: Buffer.from('nonsense') }),
      /no WebAssembly module/,
    ],
    [
      'another entrypoint',
      () => ({ ...basic, entrypoint: 'a/b' }),
      /no entrypoint a\/b, only postern/,
    ],
    [
      'a builtin that is not provided',
      () =>
        bundle({
          rego: `${header}decision := {"effect": http.send({"url": input.x, "method": "get"})}`,
          anyBuiltin: true,
        }),
      /calls http\.send, which this gate does not provide/,
    ],
    [
      'an entrypoint that may be silent',
      () => bundle({ rego: `${header}decision := {} if input.never` }),
      /undefined for a plain question/,
    ],
    [
      'another kind of answer',
      () => bundle({ rego: `${header}decision := true` }),
      /not answer with a decision/,
    ],
    ['data that is no data', () => ({ ...basic, data: { n: Number.NaN } }), /not a finite number/],
  ]

  test.each(bad)('%s: is refused by name, and the running one stays', async (_, make, message) => {
    const seen: Happening[] = []
    const made = await running({ observe: (happening) => seen.push(happening) })
    made.evaluate(question())
    await expect(made.activate({ ...make(), revision: 'r2' })).rejects.toThrow(message)
    expect(made.evaluate(question())).toMatchObject({ cached: true, bundle: { revision: 'r1' } })
    expect(seen.map((happening) => happening.kind === 'bundle' && happening.change)).toEqual([
      'activated',
      'refused',
    ])
  })

  test('of two activated at once the last stays, whichever loads faster', async () => {
    const made = await running()
    const slow = { ...basic, revision: 'r2', data: { list: numbers(200_000) } }
    await Promise.all([made.activate(slow), made.activate({ ...basic, revision: 'r3' })])
    expect(made.status().bundle?.revision).toBe('r3')
  })

  test('a good one takes over between two decisions, with its data', async () => {
    const made = await running()
    const rego = `${header}decision := {
      "effect": "deny", "reasons": [{"rule": "r", "code": data.shop.code, "message": "m"}],
      "masks": [], "limits": [], "quotas": [], "obligations": []
    }`
    const data = { shop: { code: 'closed', list: numbers(5000) } }
    const swap = made.activate({ ...bundle({ rego, data }), revision: 'r2' })
    const during = made.evaluate(question())
    await swap
    expect(during.bundle?.revision).toBe('r1')
    expect(made.evaluate(question())).toMatchObject({
      bundle: { revision: 'r2' },
      decision: { effect: 'deny', reasons: [{ code: 'closed' }] },
    })
  })
})

test('status tells what runs, in names fit to leave the process', async () => {
  const made = await running({ now: () => 5000 })
  made.evaluate(question())
  expect(made.status()).toEqual({
    bundle: {
      name: 'test',
      revision: 'r1',
      digest: basic.digest,
      activated_ms: 5000,
      refreshed_ms: 5000,
      age_ms: 0,
      stale: false,
      marshalling: 'direct',
      replacements: 0,
      memory_bytes: expect.any(Number),
    },
    evaluations: 1,
    failures: 0,
    cache: { hits: 0, entries: 1, bytes: expect.any(Number) },
  })
})

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function nested(depth: number): unknown {
  let value: unknown = []
  for (let level = 0; level < depth; level++) value = [value]
  return value
}
