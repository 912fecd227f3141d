import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { builtins } from '../../../pdp/engine/builtins.ts'
import { capabilities, type OpaCapabilities } from '../../../pdp/engine/capabilities.ts'
import { engine } from '../../../pdp/engine/engine.ts'
import { bundle, opa, policyText } from './kit.ts'

const current = JSON.parse(
  execFileSync(opa, ['capabilities', '--current']).toString(),
) as OpaCapabilities
const file = new URL('../../../pdp/engine/capabilities.json', import.meta.url)
const names = (from: OpaCapabilities): readonly string[] => from.builtins.map(({ name }) => name)

test('the committed file is what the pinned opa and our builtins make', () => {
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(capabilities(current))
})

test('language features are kept, and only builtins are left out', () => {
  expect({ ...capabilities(current), builtins: [] }).toEqual({ ...current, builtins: [] })
})

test('every builtin we provide is one of OPA and is allowed', () => {
  expect(names(capabilities(current))).toEqual(expect.arrayContaining(Object.keys(builtins)))
})

const declared = new Map(current.builtins.map((declaration) => [declaration.name, declaration]))
const elsewhere = current.builtins
  .filter(({ name, nondeterministic }) => nondeterministic && !Object.hasOwn(builtins, name))
  .map(({ name }) => name)
const refused = [...elsewhere, 'crypto.parse_private_keys', 'rego.parse_module', 'trace']

test('what is not the same each time is refused, but the clock', () => {
  const impure = current.builtins.filter(({ nondeterministic }) => nondeterministic)
  expect(
    names({ builtins: impure })
      .filter((name) => !elsewhere.includes(name))
      .sort(),
  ).toEqual(['io.jwt.decode_verify', 'time.now_ns'])
  expect(elsewhere).toEqual(expect.arrayContaining(['http.send', 'opa.runtime', 'rand.intn']))
})

test.each(refused)(
  '%s is refused by opa build, and when a bundle that calls it is loaded',
  async (name) => {
    const { args = [] } = (declared.get(name)?.['decl'] ?? {}) as { args?: unknown[] }
    const operands = args.map((_, at) => `input.args[${at}]`).join()
    const rego = `package postern\n\ndecision := ${name}(${operands})\n`
    expect(() => bundle({ rego })).toThrow(`undefined function ${name}`)
    const built = bundle({ rego, anyBuiltin: true })
    await expect(engine().activate(built)).rejects.toThrow(
      `the policy calls ${name}, which this gate`,
    )
  },
)

test('a policy of everything that is allowed builds, loads and is activated', async () => {
  const given = names(capabilities(current)).filter(
    (name) => !/^(internal|rego)\.|^print$|^eq$/.test(name),
  )
  const calls = given.flatMap((name, index) => {
    const { args = [] } = (declared.get(name)?.['decl'] ?? {}) as { args?: unknown[] }
    const operands = args.map((_, at) => `input.args[${at}]`).join()
    const infix = declared.get(name)?.['infix'] !== undefined || name === 'walk'
    return infix ? [] : [`used contains ${index} if ${name}(${operands}) == input.wanted`]
  })
  const rego = `${policyText('basic')}\n${calls.join('\n')}\n\ndecision := {} if count(used) > 1000\n`
  await expect(engine().activate(bundle({ rego }))).resolves.toBeUndefined()
})
