import { describe, expect, test } from 'vitest'
import { builtins } from '../../../pdp/engine/builtins.ts'
import { compare } from '../../../pdp/engine/order.ts'
import { parse } from '../../../pdp/engine/text.ts'
import { isArray, isObject, isSet, type Value } from '../../../pdp/engine/value.ts'
import { calls as common, differing } from './calls.ts'
import { documentCalls } from './calls-documents.ts'
import { tokenCalls } from './calls-tokens.ts'
import { opaEval } from './kit.ts'

const calls = [...common, ...documentCalls, ...tokenCalls]
const moment = { nowNs: 1_763_675_000_123_456_789n }
// Through object.get an operand has no type at compile time, so that wrong ones reach the builtin.
const rules = calls.map(([name, args], index) => {
  const count = (parse(`[${args}]`) as readonly Value[]).length
  const operands = Array.from({ length: count }, (_, at) => `all${index}[${at}]`)
  return `all${index} := object.get(input, "none", [${args}])\nr${index} := ${name}(${operands.join()})`
})
const rego = `package t\n\n${rules.join('\n')}\n`
const theirs = opaEval(rego, 'data.t', {}) as Record<string, unknown>

describe('a builtin answers as OPA does', () => {
  const rows = calls.map(([name, args], index) => ({
    call: `${name}(${args.length > 300 ? `${index}` : args})`,
    name,
    args,
    index,
  }))

  test.each(rows)('$call', ({ name, args, index }) => {
    expect(answer(name, args)).toEqual(theirs[`r${index}`])
  })

  test('and every provided one is compared', () => {
    const compared = new Set<string>(calls.map(([name]) => name))
    const missing = Object.keys(builtins).filter((name) => !compared.has(name))
    expect(missing).toEqual(['time.now_ns'])
  })
})

describe('where Go depends on the machine or wastes it, the call fails instead', () => {
  test.each(differing)('%s(%s)', (name, args) => {
    expect(answer(name, args)).toBeUndefined()
  })
})

test.each([
  ['"b*", "bb+a*"', true],
  ['"b+bca*", "[ab]+b[a-c]"', true],
  ['"[a-c].", "a*[ab].+[ab]*"', true],
  ['"b*", "bb+a+"', false],
])(
  'regex.globs_match(%s) is %s, also where OPA overlooks what two globs have in common',
  (args, both) => {
    expect(answer('regex.globs_match', args)).toBe(both)
  },
)

test('the clock stands still within one decision and is known to be one', () => {
  expect(builtins['time.now_ns']?.call([], moment)).toBe(moment.nowNs)
  const impure = Object.keys(builtins).filter((name) => builtins[name]?.nondeterministic)
  expect(impure.sort()).toEqual(['io.jwt.decode_verify', 'time.now_ns'])
})

test.each([
  'http.send',
  'net.lookup_ip_addr',
  'opa.runtime',
  'rand.intn',
  'uuid.rfc4122',
  'providers.aws.sign_req',
])('%s is not provided', (name) => {
  expect(Object.hasOwn(builtins, name)).toBe(false)
})

test('any operand of any kind gives a value or an error, never a crash of another sort', () => {
  const odd = [null, true, -1, 0.5, 2n ** 70n, '', '\u0000', 'x', [], [1], new Set<Value>(), {}]
  for (const [name, { call }] of Object.entries(builtins))
    for (const first of odd)
      for (const second of odd) {
        const args = [first, second, first, second]
        expect(() => shape(attempt(() => call(args, moment))), name).not.toThrow()
      }
})

function answer(name: string, args: string): unknown {
  const found = attempt(() => builtins[name]?.call(parse(`[${args}]`) as readonly Value[], moment))
  return found === undefined ? undefined : shape(found)
}

function attempt(work: () => Value | undefined): Value | undefined {
  try {
    return work()
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    return undefined
  }
}

/** A value as `opa eval` prints it: sets are arrays in order. */
function shape(value: Value | undefined): unknown {
  if (value === undefined) return undefined
  if (typeof value === 'bigint') return Number(value)
  if (isSet(value)) return [...value].sort(compare).map(shape)
  if (isArray(value)) return value.map(shape)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shape(member)]))
}
