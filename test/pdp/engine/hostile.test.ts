import { beforeAll, describe, expect, test } from 'vitest'
import { colliding } from '../../../pdp/engine/collisions.ts'
import { engine, type ManagedEngine } from '../../../pdp/engine/engine.ts'
import type { Verdict } from '../../../pdp/parts.ts'
import { bundle, policyText, question } from './kit.ts'

/** Far more than any honest difference between inputs of one size, far less than what quadratic work costs. */
const ratioMax = 100
const tries = 5
let made: ManagedEngine

beforeAll(async () => {
  made = engine({ cacheBytesMax: 0 })
  await made.activate(bundle({ rego: policyText('hostile') }))
})

function decide(action: Record<string, unknown>): Verdict {
  return made.evaluate(question({ list: [], facts: {}, text: 'x', ...action }))
}

const answer = ({ decision }: Verdict): unknown =>
  decision.effect === 'allow' ? decision.obligations[0]?.args : decision.reasons[0]?.code

/** The least time out of several, so that what else runs on the machine does not count. */
function cost(action: () => Record<string, unknown>): number {
  const spent = Array.from({ length: tries }, () => {
    const given = action()
    const start = performance.now()
    decide(given)
    return performance.now() - start
  })
  return Math.min(...spent)
}

describe('names chosen to collide in the hash of OPA', () => {
  const many = collisions(12)

  test('are that', () => {
    expect(new Set(many).size).toBe(4096)
    expect(new Set(many.map((name) => fnv(name) & 0xffff)).size).toBe(1)
  })

  test.each([
    ['texts in a list', { list: many }],
    ['members of objects', { rows: groups(many, 500).map((row) => flags(row)) }],
    ['names within rows', { list: many.map((name) => ({ name, kind: 'table' })) }],
    ['names with more than ASCII', { list: many.map((name) => `${name}ü`) }],
  ])('are refused as %s', (_, action) => {
    expect(answer(decide(action))).toBe('input_too_large')
  })

  test('are no reason to refuse honest inputs of the same size', () => {
    const list = many.map((_, index) => `public.table_${index}`)
    expect(answer(decide({ list }))).toMatchObject({ names: 4096, keyed: 4096, pairs: 4096 })
    expect(colliding(Array(30_000).fill('the same'))).toBe(false)
    expect(colliding(many.slice(0, 20))).toBe(false)
  })

  test('cost little where they are too few to be refused', () => {
    const few = (from: readonly string[]) => () => ({ list: [...from.slice(0, 240)] })
    const honest = cost(few(many.map((_, index) => `name ${index} of them`)))
    expect(cost(few(many)) / honest).toBeLessThan(ratioMax)
    const facts = (from: readonly string[]) => () => ({ facts: flags(from.slice(0, 240)) })
    const plain = cost(facts(many.map((_, index) => `name ${index} of them`)))
    expect(cost(facts(many)) / plain).toBeLessThan(ratioMax)
  })
})

describe('an odd value', () => {
  test.each<readonly [string, Record<string, unknown>, unknown]>([
    ['a lone surrogate', { text: '\ud800', list: ['\udfff'] }, { names: 1, upper: 1 }],
    ['a thousand of them', { text: '\ud800'.repeat(1000) }, { upper: 1000 }],
    ['a NUL', { text: 'a\u0000b' }, { upper: 3 }],
    [
      'a member named __proto__',
      { facts: JSON.parse('{"__proto__": 7}') },
      { proto: 7, members: 1 },
    ],
    ['a member named constructor', { facts: { constructor: 1 } }, { proto: 'none', members: 1 }],
    ['30 digits', { list: [Number('123456789012345678901234567890')] }, { numbers: 1, greater: 1 }],
    ['the largest number', { list: [Number.MAX_VALUE] }, { numbers: 1, greater: 1 }],
    ['the smallest number', { list: [Number.MIN_VALUE, 5e-324] }, { numbers: 2, greater: 2 }],
    ['minus zero', { list: [-0, 0] }, { names: 1 }],
    ['1e999999', { list: [Number('1e999999')] }, 'input_too_large'],
    ['1e999999 as text', { text: '1e999999' }, { upper: 8 }],
    ['the deepest there is', { list: [nested(60)] }, { walked: 69 }],
    ['one level more', { list: [nested(63)] }, 'input_too_large'],
    ['as wide as it gets', { facts: flags(numbers(511)) }, { members: 511, union: 512 }],
    ['one member too many', { facts: flags(numbers(513)) }, 'input_too_large'],
    ['0 / 0, which OPA leaves undefined and WASM aborts', { facts: flat(0, 0) }, 'policy_failed'],
    ['1 / 0', { facts: flat(1, 0) }, 'odd'],
    ['an empty name', { facts: { '': 1 } }, { members: 1 }],
    ['a megabyte of one letter', { text: 'x'.repeat(1_000_000) }, { upper: 1_000_000 }],
  ])('%s ends in a decision or a denial', (_, action, expected) => {
    const found = answer(decide(action))
    if (typeof expected === 'string') expect(found).toBe(expected)
    else expect(found).toMatchObject(expected as object)
    expect(answer(decide({}))).toMatchObject({ names: 0 })
  })

  test('leaves nothing behind: ten thousand of them break no instance', () => {
    const before = made.status()
    for (let index = 0; index < 10_000; index++)
      decide({ text: `\ud800${index}`, facts: { [`k${index}`]: nested(50) } })
    expect(made.status().bundle?.replacements).toBe(before.bundle?.replacements)
    expect(made.status().failures).toBe(before.failures)
  })
})

function flat(part: number, whole: number): Record<string, number> {
  return { part, whole }
}

function flags(names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, true]))
}

function groups(names: readonly string[], size: number): readonly (readonly string[])[] {
  const count = Math.ceil(names.length / size)
  return Array.from({ length: count }, (_, at) => names.slice(at * size, (at + 1) * size))
}

function numbers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${index}`)
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

function fnv(text: string, from = 0x811c9dc5): number {
  let hash = from
  for (const byte of Buffer.from(text)) hash = Math.imul(hash, 0x01000193) ^ byte
  return hash >>> 0
}

/** 2^rounds texts whose hashes agree in 16 bits: two ways from each state to the next, and every path through them. */
function collisions(rounds: number): readonly string[] {
  let state = 0x811c9dc5
  let made = ['']
  for (let round = 0; round < rounds; round++) {
    const [a, b] = twoWays(state)
    made = made.flatMap((text) => [text + a, text + b])
    state = fnv(a, state) & 0xffff
  }
  return made
}

function twoWays(state: number): readonly [string, string] {
  const seen = new Map<number, string>()
  for (let index = 0; ; index++) {
    const block = index.toString(36).padStart(4, '0')
    const end = fnv(block, state) & 0xffff
    const other = seen.get(end)
    if (other !== undefined) return [other, block]
    seen.set(end, block)
  }
}
