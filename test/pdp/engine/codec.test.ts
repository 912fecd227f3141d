import { describe, expect, test } from 'vitest'
import { codec, marshallingOf } from '../../../pdp/engine/codec.ts'
import { type Instance, instantiate, pagesOf, store, textAt } from '../../../pdp/engine/instance.ts'
import { parse, plain, print } from '../../../pdp/engine/text.ts'
import type { Value } from '../../../pdp/engine/value.ts'
import { webAssembly } from '../../../pdp/engine/webassembly.ts'
import { bundle, policyText, random } from './kit.ts'

const seed = 7
const { wasm } = bundle({ rego: policyText('basic') })
const module = await webAssembly.compile(new Uint8Array(wasm))

function start(): Instance {
  return instantiate(module, pagesOf(wasm), () => 0)
}

/** The value the way the policy's own printer writes it. */
function shown(instance: Instance, address: number): string {
  return textAt(instance.memory, instance.exports.opa_value_dump(address))
}

function parsed(instance: Instance, text: string): number {
  const { address, length } = store(instance, text)
  return instance.exports.opa_value_parse(address, length)
}

function generated(dice: () => number, depth = 4): unknown {
  const kind = Math.floor(dice() * (depth > 0 ? 9 : 6))
  const text = (): string =>
    String.fromCodePoint(
      ...Array.from(
        { length: dice() * 60 },
        () => 1 + Math.floor(dice() * (dice() < 0.8 ? 126 : 55_000)),
      ),
    )
  const several = <T>(make: () => T): T[] => Array.from({ length: dice() * 12 }, make)
  switch (kind) {
    case 0:
      return null
    case 1:
      return dice() < 0.5
    case 2:
      return Math.floor((dice() - 0.5) * 2 ** Math.floor(dice() * 53))
    case 3:
      return (dice() - 0.5) * 10 ** Math.floor(dice() * 40 - 20)
    case 6:
      return several(() => generated(dice, depth - 1))
    case 7:
    case 8:
      return Object.fromEntries(several(() => [text(), generated(dice, depth - 1)]))
    default:
      return text()
  }
}

test('a module of the pinned opa is marshalled directly', () => {
  expect(marshallingOf(start())).toBe('direct')
})

describe.each(['direct', 'text'] as const)('%s marshalling', (way) => {
  test(`writes and reads what the policy itself parses and prints (seed ${seed})`, () => {
    const instance = start()
    const { write, read, result } = codec(instance, way)
    const dice = random(seed)
    for (let round = 0; round < 300; round++) {
      const value = generated(dice)
      const ours = write(value)
      const theirs = parsed(instance, print(value as Value))
      expect(shown(instance, ours)).toBe(shown(instance, theirs))
      expect(result(theirs)).toEqual(value)
      expect(print(read(ours))).toBe(print(parse(print(read(theirs)))))
    }
  })

  test('reads sets and integers of any width for builtins, plain JSON for results', () => {
    const instance = start()
    const { read, result } = codec(instance, way)
    const at = parsed(
      instance,
      '{"s": {1, {"a"}}, "n": 12345678901234567890, "e": set(), "f": -0.5}',
    )
    expect(read(at)).toEqual({
      s: new Set<unknown>([1, new Set(['a'])]),
      n: 12345678901234567890n,
      e: new Set(),
      f: -0.5,
    })
    const found = result(at) as { s: unknown[] }
    expect({ ...found, s: new Set(found.s) }).toEqual({
      s: new Set<unknown>([1, ['a']]),
      n: 12345678901234567000,
      e: [],
      f: -0.5,
    })
  })

  test('gives builtins sets and wide integers back', () => {
    const instance = start()
    const { give, read } = codec(instance, way)
    const value = [
      new Set(['x', 'y']),
      2n ** 70n,
      new Set<Value>(),
      'a\ud800',
      { __proto__: null, k: 1.5 },
    ]
    const returned = read(give(value as unknown as Value)) as readonly Value[]
    expect(returned[0]).toEqual(new Set(['x', 'y']))
    expect(returned.slice(1)).toEqual([2n ** 70n, new Set(), 'a\ufffd', { k: 1.5 }])
  })

  test('writes inputs far larger than its first room, and small ones after them', () => {
    const instance = start()
    const { write, result, heapBase } = codec(instance, way)
    const large = Array.from({ length: 30_000 }, (_, index) => ({
      [`field${index}`]: `${index}`.repeat(9),
    }))
    for (const value of [large, { small: 1 }, large, [large, large], { small: [2] }]) {
      const at = write(value)
      expect(result(at)).toEqual(value)
      instance.exports.opa_heap_ptr_set(heapBase())
    }
  })

  test('keeps telling names apart when more come than it remembers', () => {
    const instance = start()
    const { write, result } = codec(instance, way)
    for (let round = 0; round < 60; round++) {
      const value = Object.fromEntries(
        Array.from({ length: 200 }, (_, index) => [
          `name ${round} ${index} ${'x'.repeat(index)}`,
          index,
        ]),
      )
      expect(result(write(value))).toEqual(value)
    }
  })

  test('keeps what sessions repeat apart, however many sessions there are', () => {
    const instance = start()
    const { write, result } = codec(instance, way)
    const session = (index: number): Readonly<Record<string, unknown>> =>
      Object.freeze({ id: `${index}`, groups: Object.freeze(Array(400).fill(`group ${index}`)) })
    const subjects = Array.from({ length: 60 }, (_, index) => session(index))
    const contexts = Array.from({ length: 7 }, (_, index) => session(1000 + index))
    for (let round = 0; round < 600; round++) {
      const [subject, context] = [subjects[round % 59], contexts[round % 7]]
      const asked = { subject, resource: session(round), context, action: { round } }
      expect(result(write(asked))).toEqual(asked)
    }
  })

  test('writes again what may have changed', () => {
    const instance = start()
    const { write, result } = codec(instance, way)
    const subject = { id: 'ann' }
    write({ subject })
    subject.id = 'bob'
    expect(result(write({ subject }))).toEqual({ subject: { id: 'bob' } })
  })

  test('keeps a member named like the prototype a member', () => {
    const instance = start()
    const { result } = codec(instance, way)
    const found = result(parsed(instance, '{"__proto__": {"admin": true}}')) as object
    expect(Object.keys(found)).toEqual(['__proto__'])
    expect('admin' in found).toBe(false)
  })
})

test.each([
  ['text after the value', '1 2'],
  ['nothing', ''],
  ['an open list', '[1'],
  ['an open string', '"a'],
  ['a word', 'nul'],
  ['a colon too few', '{"a":1,"b"}'],
  ['a bare exponent', '1e'],
])('the reader of text refuses %s', (_, text) => {
  expect(() => parse(text)).toThrow(Error)
})

test.each([[Number.NaN], [Number.POSITIVE_INFINITY]])('the writer of text refuses %d', (value) => {
  expect(() => print([value])).toThrow('not a finite number')
})

test('plain JSON has lists for sets and doubles for wide integers', () => {
  expect(plain(new Set<Value>([1, new Set([2n ** 60n])]))).toEqual([1, [2 ** 60]])
})
