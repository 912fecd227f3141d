import { expect, test } from 'vitest'
import { builtins } from '../../../pdp/engine/builtins.ts'
import { policy } from '../../../pdp/engine/policy.ts'
import { bundle, opaEvalAll, policyText, question, random } from './kit.ts'
import { sdkOf } from './sdk.ts'

const seed = 20_261_120
const count = 400
const data = { limits: { analysts: 500, staff: 100.5, ops: 7 } }
const rego = policyText('wide')
const moment = { nowNs: 0n }

test(`${count} generated questions get one answer from our host, the SDK and opa eval (seed ${seed})`, async () => {
  const dice = random(seed)
  const questions = Array.from({ length: count }, () => generated(dice))
  const built = bundle({ rego, data })
  const ours = await policy(built, builtins)
  const sdk = sdkOf(bundle({ rego: rego.replace(/^\s*"quoted": .*$/m, ''), data }))
  const theirs = opaEvalAll(rego, 'data.postern.decision', questions, data)
  expect(ours.status().marshalling).toBe('direct')
  for (const [index, asked] of questions.entries()) {
    const answer = ours.evaluate(asked, moment)
    expect(answer.problem, JSON.stringify(asked)).toBeUndefined()
    expect(answer.value, JSON.stringify(asked)).toEqual(theirs[index])
    expect(sdk.evaluate(asked)[0]?.result).toEqual(unquoted(answer.value))
  }
  const effects = new Set(theirs.map((decision) => (decision as { effect: string }).effect))
  expect(effects).toEqual(new Set(['allow', 'deny']))
})

/** The SDK has its own sprintf, which knows no %q, and cannot be given ours. */
function unquoted(decision: unknown): unknown {
  const copy = structuredClone(decision) as { obligations: { args: Record<string, unknown> }[] }
  for (const { args } of copy.obligations) delete args['quoted']
  return copy
}

function generated(dice: () => number): unknown {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(dice() * from.length)] as T
  const many = <T>(most: number, make: () => T): T[] =>
    Array.from({ length: Math.floor(dice() * (most + 1)) }, make)
  const words = [
    'select',
    'x1',
    'Größe',
    '日本',
    '\u{1F600}',
    'e e',
    'a,b;c',
    '"q"',
    "it's",
    '\\n',
    '',
  ]
  const value = (depth: number): unknown =>
    depth > 0 && dice() < 0.4
      ? pick([() => many(4, () => value(depth - 1)), () => facts(depth - 1)])()
      : pick<unknown>([null, true, false, 0, -1, 1.5, 1e21, 2 ** 40, -0.001, ...words])
  const facts = (depth: number): unknown =>
    Object.fromEntries(
      many(6, () => [pick(['a', 'b', 'c', 'ключ', '', '__proto__', ...words]), value(depth)]),
    )
  const table = () => {
    const name = `${pick(['public', 'secret', 'public.deep'])}.${pick(['users', 'orders', 'o2'])}`
    const columns = many(4, () => `${name}.${pick(['id', 'email', 'ssn', 'name'])}`)
    return { kind: 'table', name, access: 'read', ...(dice() < 0.8 ? { columns } : {}) }
  }
  const number = () => pick([1, 7, 100, 101, 4096, 250.5, -3, 0.1, 999999, 12345678])
  const asked = question({
    effects: many(3, () => pick(['read', 'read', 'session', 'write'])),
    objects: many(5, table),
    text: many(6, () => pick(words)).join(pick([' ', ', ', ''])),
    numbers: many(6, number),
    facts: facts(3),
    at: Math.floor(dice() * 2e9) * 1e9,
  })
  return {
    ...asked,
    subject: { ...asked.subject, groups: many(3, () => pick(['analysts', 'staff', 'ops'])) },
    resource: {
      ...asked.resource,
      labels: dice() < 0.8 ? { env: pick(['test', 'production']) } : {},
    },
    context: { ...asked.context, peer: `${pick(['10.1.2.3', '192.168.0.1', '11.0.0.1'])}:50000` },
  }
}
