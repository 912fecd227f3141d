import { beforeAll, expect, test } from 'vitest'
import { engine, type ManagedEngine } from '../../../pdp/engine/engine.ts'
import { bundle } from './kit.ts'

const rego = `package postern

# METADATA
# entrypoint: true
decision := {"effect": effect, "reasons": [{"rule": "r", "code": "c", "message": "m"}], "masks": [], "limits": [], "quotas": [], "obligations": []}

effect := "allow" if {
	input.user == "alice"
} else := "perhaps" if {
	input.user == "bob"
} else := "deny"

# METADATA
# entrypoint: true
profile := {"name": input.user, "list": [1, {"a": null}], "roles": data.roles[input.user]}

# METADATA
# entrypoint: true
absent if not input

# METADATA
# entrypoint: true
conflict := 1 if input.a

conflict := 2 if input.b

# METADATA
# entrypoint: true
broken := ["then", [n | n := time.parse_rfc3339_ns(input.when)]]
`
const alice = { user: 'alice' }
let asked: ManagedEngine

beforeAll(async () => {
  asked = engine()
  const data = { roles: { alice: ['admin'] }, deep: { list: [1, { b: 'c' }], nothing: null } }
  await asked.activate(bundle({ rego, data }))
})

const query = (path: string, input?: unknown, strict = false) =>
  asked.query({ path: path.split('/').filter((step) => step !== ''), input, strict })

test.each([
  ['postern/decision', alice, { kind: 'value', value: { effect: 'allow' } }],
  ['postern/decision/effect', alice, { kind: 'value', value: 'allow' }],
  ['postern/decision/reasons/0/code', alice, { kind: 'value', value: 'c' }],
  ['postern/profile', alice, { kind: 'value', value: { name: 'alice', roles: ['admin'] } }],
  ['postern/profile/list/1/a', alice, { kind: 'value', value: null }],
  ['postern/profile/list/7', alice, { kind: 'undefined' }],
  ['postern/profile/list/01', alice, { kind: 'undefined' }],
  ['postern/profile/list/length', alice, { kind: 'undefined' }],
  ['postern/profile/name/0', alice, { kind: 'undefined' }],
  ['postern/profile/toString', alice, { kind: 'undefined' }],
  ['postern/profile', { user: 'bob' }, { kind: 'undefined' }],
  ['postern/profile', undefined, { kind: 'undefined' }],
  ['postern/absent', undefined, { kind: 'value', value: true }],
  ['postern/absent', null, { kind: 'undefined' }],
  ['roles', undefined, { kind: 'data', value: { alice: ['admin'] } }],
  ['deep/list/1/b', undefined, { kind: 'data', value: 'c' }],
  ['deep/nothing', undefined, { kind: 'data', value: null }],
  ['deep/more', undefined, { kind: 'data', value: undefined }],
  ['', undefined, { kind: 'unanswerable' }],
  ['postern', undefined, { kind: 'unanswerable' }],
  ['postern/effect', alice, { kind: 'unanswerable' }],
  ['elsewhere', undefined, { kind: 'unanswerable' }],
  ['__proto__', undefined, { kind: 'unanswerable' }],
  ['postern/conflict', { a: 1, b: 1 }, { kind: 'failed', code: 'eval_conflict_error' }],
  ['postern/conflict', { a: 1 }, { kind: 'value', value: 1 }],
  ['postern/broken', { when: 'never' }, { kind: 'value', value: ['then', []] }],
] as const)('%s with %j', async (path, input, expected) => {
  expect(await query(path, input)).toMatchObject({ ...expected, bundle: { revision: 'r1' } })
})

test('told to be strict, a failing builtin is an error that names the builtin and no value', async () => {
  const answer = await query('postern/broken', { when: 'never' }, true)
  expect(answer).toMatchObject({ kind: 'failed', code: 'eval_builtin_error' })
  expect(JSON.stringify(answer)).toContain('time.parse_rfc3339_ns')
  expect(JSON.stringify(answer)).not.toContain('never')
})

test('a decision that the gate would not obey is not shown as one', async () => {
  expect(await query('postern/decision', { user: 'bob' })).toMatchObject({
    kind: 'value',
    value: { effect: 'deny', reasons: [{ code: 'policy_failed' }] },
  })
})

test.each([
  ['a text', 'x'.repeat(1_100_000)],
  ['depth', Array.from({ length: 70 }).reduce((inner) => [inner], 1)],
])('%s beyond what is admitted is refused', async (_, input) => {
  expect(await query('postern/profile', input)).toMatchObject({
    kind: 'refused',
    refusal: { code: 'input_too_large' },
  })
})

test('what is asked beside commands leaves nothing in the instance that commands wait for', async () => {
  const before = asked.status()
  for (let count = 0; count < 50; count++) await query('postern/conflict', { a: 1, b: 1 })
  expect(asked.status()).toEqual({
    ...before,
    bundle: { ...before.bundle, age_ms: expect.any(Number) },
  })
})

test('without a bundle the decision is a denial, and nothing else is to be had', async () => {
  const empty = engine()
  expect(await empty.query({ path: ['postern', 'decision'], input: {} })).toMatchObject({
    kind: 'value',
    value: { effect: 'deny', reasons: [{ code: 'no_bundle' }] },
  })
  expect(await empty.query({ path: ['roles'], input: {} })).toMatchObject({
    kind: 'refused',
    refusal: { code: 'no_bundle' },
  })
})
