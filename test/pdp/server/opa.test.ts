/** The same requests to a gate and to a real OPA with the same bundle: same status, same form, same answer. */
import { basename } from 'node:path'
import { gzipSync } from 'node:zlib'
import { OPAClient } from '@open-policy-agent/opa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { engine, type ManagedEngine } from '../../../pdp/engine/engine.ts'
import { type Running, type RunOptions, running } from './kit.ts'
import { type Both, both } from './opa-policy.ts'

let real: Both
let policy: ManagedEngine

beforeAll(async () => {
  real = await both()
  policy = engine()
  await policy.activate(real.bundle)
}, 60_000)
afterAll(() => real.stop())

type Sent = {
  readonly method?: string
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
}

const opaParts = (): NonNullable<RunOptions['opa']> => ({
  engine: policy,
  labels: { id: 'gate', version: '1.2.3' },
  version: '1.2.3',
  defaultDecision: ['postern', 'decision'],
  bundle: 'postern',
  openOnLoopback: false,
  plugins: () => ({ bundle: { state: 'OK' } }),
  config: () => ({ labels: { id: 'gate', version: '1.2.3' } }),
})

function gate(change: Partial<NonNullable<RunOptions['opa']>> = {}): Promise<Running> {
  return running({ opa: { ...opaParts(), ...change } })
}

async function asked(url: string, path: string, sent: Sent, token?: string) {
  const { method = 'GET', body, headers = {} } = sent
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...authorization },
    redirect: 'manual',
    ...(body !== undefined && { body }),
  })
  const text = await answer.text()
  const type = answer.headers.get('content-type')
  return { status: answer.status, type, encoding: answer.headers.get('content-encoding'), text }
}

const post = (body: unknown, headers = {}): Sent => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
})
const alice = { input: { user: 'alice' } }
const gzipped = (body: unknown): Sent => ({
  method: 'POST',
  body: new Uint8Array(gzipSync(JSON.stringify(body))),
  headers: { 'content-encoding': 'gzip' },
})

const same: readonly (readonly [path: string, sent: Sent])[] = [
  ['/v1/data/app/allow', post(alice)],
  ['/v1/data/app/allow', post({ input: { user: 'bob' } })],
  ['/v1/data/app/allow', post({})],
  ['/v1/data/app/allow', { method: 'POST' }],
  ['/v1/data/app/allow', post('null')],
  ['/v1/data/app/allow', post({ input: null })],
  ['/v1/data/app/allow', post('x{')],
  ['/v1/data/app/allow', post('[1]')],
  ['/v1/data/app/allow', gzipped(alice)],
  [
    '/v1/data/app/allow',
    { ...post('input:\n  user: alice\n', { 'content-type': 'application/x-yaml' }) },
  ],
  ['/v1/data/app/allow?input=%7B%22user%22:%22alice%22%7D', {}],
  ['/v1/data/app/allow?input=%7B', {}],
  ['/v1/data/app/allow', {}],
  ['/v1/data/app/allow?pretty', post(alice)],
  ['/v1/data/app/allow?pretty=false', post(alice)],
  ['/v1/data/app/allow?pretty=true&metrics=true&provenance=true', post(alice)],
  ['/v1/data/app/allow?explain=off', post(alice)],
  ['/v1/data/app/allow?explain=unheard', post(alice)],
  ['/v1/data/app/profile', post(alice)],
  ['/v1/data/app/profile', post({ input: { user: 'nobody' } })],
  ['/v1/data/app/profile/roles', post(alice)],
  ['/v1/data/app/profile/list/1/a', post(alice)],
  ['/v1/data/app/profile/roles/0', post(alice)],
  ['/v1/data/app/falsy', post({ input: {} })],
  ['/v1/data/app/words', post(alice, { 'accept-encoding': 'gzip' })],
  ['/v1/data/app/words', post(alice, { 'accept-encoding': 'identity' })],
  ['/v1/data/app/conflict', post({ input: { a: 1 } })],
  ['/v1/data/app/conflict', post({ input: { a: 1, b: 1 } })],
  ['/v1/data/app/broken', post({ input: { when: 'nope' } })],
  ['/v1/data/app/broken?strict-builtin-errors', post({ input: { when: 'nope' } })],
  ['/v1/data/app/broken?strict-builtin-errors', post({ input: { when: '2020-01-01T00:00:00Z' } })],
  ['/v1/data/postern/decision', post(alice)],
  ['/v1/data/postern/decision/effect', post({ input: {} })],
  ['/v1/data/roles', {}],
  ['/v1/data/roles/alice/0', {}],
  ['/v1/data/roles/nobody', {}],
  ['/v1/data/deep/a/1/b', {}],
  ['/v1/data/deep/n', {}],
  ['/v1/data/deep/odd%20name/x%2Fy', {}],
  ['/v0/data/app/allow', post(alice.input)],
  ['/v0/data/app/allow', post({ user: 'bob' })],
  ['/v0/data/app/allow', { method: 'POST' }],
  ['/v0/data/app/allow', post('x{')],
  ['/v0/data/app/conflict', post({ a: 1, b: 1 })],
  ['/v0/data/app/allow', { method: 'PUT', body: '1' }],
  ['/v0/data/app/allow', {}],
  ['/', post(alice.input)],
  ['/?pretty', post(alice.input)],
  ['/', post('[}')],
  ['/v1/data/app/more', { method: 'PUT', body: '1' }],
  ['/v1/data/app/more', { method: 'PATCH', body: '[{"op":"add","path":"/","value":1}]' }],
  ['/v1/data/app/more', { method: 'DELETE' }],
  ['/v1/policies/more', { method: 'PUT', body: 'package more' }],
  ['/health', {}],
  ['/health?bundles', {}],
  ['/health?plugins&exclude-plugin=decision_logs', {}],
  ['/health/live', {}],
  ['/health/text', {}],
  ['/health/none', {}],
]

/** What two servers cannot have in common: ids, versions, durations, and how their parsers complain. */
function comparable({ status, type, encoding, text }: Awaited<ReturnType<typeof asked>>) {
  const indented = /^[{[]\n/.test(text)
  if (text === '' || !type?.startsWith('application/json')) return { status, text: '' }
  const { decision_id, metrics, provenance, message, errors, ...rest } = {
    ...(Object(JSON.parse(text)) as Readonly<Record<string, unknown>>),
  }
  return {
    status,
    type,
    encoding,
    indented,
    bare: /^[^{]/.test(text) ? text : undefined,
    id: typeof decision_id,
    metrics: metrics && Object.keys(metrics).sort(),
    provenance: provenance && Object.keys(provenance).sort(),
    message:
      typeof message === 'string'
        ? message.replace(/(malformed input document: ).*/, '$1')
        : message,
    errors: Array.isArray(errors) ? errors.map(errorSign) : errors,
    rest,
  }
}

/** The compiled policy names the second of two rules that conflict, OPA the first; where a builtin failed only OPA knows. */
function errorSign({ code, location: { file, col } = { file: '' } }: OpaDetail) {
  return code === 'eval_conflict_error' ? [code, basename(file), col] : [code]
}

type OpaDetail = {
  readonly code: string
  readonly location?: { readonly file: string; readonly col?: number }
}

test.each(same)('%s %j', async (path, sent) => {
  const ours = await gate()
  const mine = await asked(`http://127.0.0.1:${ours.port}`, path, sent, 'token-root')
  const theirs = await asked(real.url, path, sent)
  expect(comparable(mine)).toEqual(comparable(theirs))
})

test('each answer is on record before it is given, as advisory, with who asked', async () => {
  const ours = await gate()
  const path = '/v1/data/postern/decision/effect'
  const { json } = await ours.ask(path, {
    method: 'POST',
    token: 'token-ada',
    body: JSON.stringify(alice),
  })
  expect(ours.entries).toEqual([
    {
      kind: 'decision',
      advisory: true,
      decision_id: json['decision_id'],
      path: 'postern/decision/effect',
      input: alice.input,
      result: 'allow',
      bundles: { postern: { revision: 'r1' } },
      metrics: { timer_rego_query_eval_ns: expect.any(Number) },
      labels: { id: 'gate', version: '1.2.3' },
      requested_by: '127.0.0.1',
      subject: 'ada',
      issuer: 'https://issuer.test',
    },
  ])
})

test('what cannot be recorded is not answered', async () => {
  const ours = await running({
    opa: opaParts(),
    audit: {
      append() {
        throw new Error('canary: the disk is full')
      },
      later: () => undefined,
    },
  })
  const answer = await ours.ask('/v1/data/app/allow', { token: 'token-ada' })
  expect(answer.status).toBe(500)
  expect(answer.json['code']).toBe('internal_error')
  expect(answer.text).not.toContain('canary')
  expect(ours.failures).toHaveLength(1)
})

test('a long result is named on the record, not repeated', async () => {
  const ours = await gate()
  const user = 'u'.repeat(400)
  const body = JSON.stringify({ input: { user } })
  const answer = await ours.ask('/v1/data/app/words', { method: 'POST', token: 'token-ada', body })
  expect(answer.json['result']).toHaveLength(200)
  expect(ours.entries[0]).toMatchObject({ erased: ['/result'], path: 'app/words' })
  expect(ours.entries[0]).not.toHaveProperty('result')
})

test.each([
  ['POST', '/v1/data/app/allow'],
  ['GET', '/v1/data'],
  ['POST', '/v0/data/app/allow'],
  ['POST', '/'],
  ['POST', '/v1/batch/data/app/allow'],
  ['PUT', '/v1/data/x'],
  ['DELETE', '/v1/policies/x'],
  ['POST', '/v1/query'],
  ['POST', '/v1/compile'],
  ['GET', '/v1/config'],
])('%s %s needs a token, and says so as OPA does', async (method, path) => {
  for (const change of [{}, { openOnLoopback: true }]) {
    const ours = await gate(change)
    for (const sent of [{ token: 'token-nobody' }, { headers: { via: '1.1 proxy' } }]) {
      const answer = await ours.ask(path, { method, ...sent })
      expect(answer.status).toBe(401)
      expect(answer.json).toEqual({ code: 'unauthorized', message: expect.any(String) })
      expect(answer.headers['www-authenticate']).toBe('Bearer')
      expect(ours.entries).toEqual([])
    }
  }
})

test('programs on this machine need none where loopback is open', async () => {
  const ours = await gate({ openOnLoopback: true })
  const answer = await ours.ask('/v1/data/app/allow', {
    method: 'POST',
    body: JSON.stringify(alice),
  })
  expect(answer.json).toMatchObject({ result: true })
  expect(ours.entries[0]).toMatchObject({ advisory: true, requested_by: '127.0.0.1' })
  expect((await ours.ask('/v1/data/roles')).json).toMatchObject({ result: { alice: ['admin'] } })
  expect((await ours.ask('/v1/config')).status).toBe(200)
  expect((await ours.ask('/v1/status')).status).toBe(401)
})

test('data of the bundle and the configuration are for administrators', async () => {
  const ours = await gate()
  const denied = await ours.ask('/v1/data/roles', { token: 'token-ada' })
  expect(denied.status).toBe(401)
  expect(denied.json).toEqual({ code: 'unauthorized', message: expect.any(String) })
  expect((await ours.ask('/v1/config', { token: 'token-ada' })).status).toBe(403)
  const { json } = await ours.ask('/v1/config', { token: 'token-root' })
  expect(json).toEqual({ result: { labels: { id: 'gate', version: '1.2.3' } } })
})

test.each([
  ['GET', '/v1/data', '', 400, /data is neither an entrypoint/],
  ['POST', '/v1/data/app', '', 400, /data.app is neither an entrypoint nor data.*app\/allow/],
  ['POST', '/v1/data/elsewhere/allow', '', 400, /neither an entrypoint/],
  ['GET', '/v1/data/app/allow?explain=full', '', 400, /explain is not available/],
  ['GET', '/v1/data/%E0%A4%A', '', 400, /could not be read/],
  ['POST', '/v1/data/app/allow', '{"input":{"n":12345678901234567890}}', 400, /53 bits/],
  ['POST', '/v1/query', '{"query":"data"}', 400, /only entrypoints/],
  ['POST', '/v1/compile', '{"query":"data"}', 400, /only entrypoints/],
  ['POST', '/v1/compile/app/allow', '{}', 400, /only entrypoints/],
  ['GET', '/v1/policies', '', 400, /owned by bundle/],
  ['POST', '/v1/data/app/allow', `{"input":"${'x'.repeat(1_100_000)}"}`, 413, /1 MiB/],
  ['POST', '/v1/data/app/profile', `{"input":${'['.repeat(70)}${']'.repeat(70)}}`, 413, /nesting/],
  ['POST', '/v1/batch/data/app/allow', '{}', 400, /inputs/],
  ['POST', '/v1/batch/data/app/allow', '{"inputs":[]}', 400, /inputs/],
])('%s %s is refused', async (method, path, body, status, message) => {
  const ours = await gate()
  const answer = await ours.ask(path, { method, token: 'token-root', ...(body !== '' && { body }) })
  expect(answer.status).toBe(status)
  expect(answer.json).toMatchObject({ message: expect.stringMatching(message) })
})

test('a body that is no gzip, or a bomb, is refused', async () => {
  const { port } = await gate()
  const url = `http://127.0.0.1:${port}`
  const headers = { 'content-encoding': 'gzip' }
  const broken = { method: 'POST', headers, body: 'no gzip' }
  expect((await asked(url, '/v1/data/app/allow', broken, 'token-ada')).status).toBe(400)
  const bomb = gzipped({ input: ' '.repeat(50_000_000) })
  expect((await asked(url, '/v1/data/app/allow', bomb, 'token-ada')).status).toBe(413)
})

const batch = (body: object) => ({ method: 'POST', token: 'token-ada', body: JSON.stringify(body) })

test('a batch is answered by name, each on record with the id of the batch', async () => {
  const ours = await gate()
  const inputs = { one: { user: 'alice' }, two: { user: 'bob' } }
  const { status, json } = await ours.ask('/v1/batch/data/app/allow?metrics', batch({ inputs }))
  expect(status).toBe(200)
  expect(json).toEqual({
    batch_decision_id: expect.any(String),
    metrics: expect.objectContaining({ timer_rego_query_eval_ns: expect.any(Number) }),
    responses: {
      one: { decision_id: expect.any(String), result: true },
      two: { decision_id: expect.any(String) },
    },
  })
  expect(ours.entries.map((entry) => entry['batch_decision_id'])).toEqual(
    Array.from({ length: 2 }).fill(json['batch_decision_id']),
  )
})

test('common input lies under every input', async () => {
  const ours = await gate()
  const inputs = { one: {}, two: { user: 'bob' } }
  const common = { inputs, common_input: { user: 'alice' } }
  const { json } = await ours.ask('/v1/batch/data/app/allow', batch(common))
  expect(json).toMatchObject({ responses: { one: { result: true } } })
  expect(json['responses']).not.toHaveProperty('two.result')
})

test('a batch that fails in part is mixed, one that fails whole is an error', async () => {
  const ours = await gate()
  const bad = { a: 1, b: 1 }
  const mixed = await ours.ask(
    '/v1/batch/data/app/conflict',
    batch({ inputs: { bad, good: { a: 1 } } }),
  )
  expect(mixed.status).toBe(207)
  expect(mixed.json).toMatchObject({
    responses: {
      bad: {
        http_status_code: '500',
        code: 'internal_error',
        errors: [{ code: 'eval_conflict_error' }],
      },
      good: { http_status_code: '200', result: 1 },
    },
  })
  const whole = await ours.ask('/v1/batch/data/app/conflict', batch({ inputs: { bad } }))
  expect(whole.status).toBe(500)
})

test.each([
  ['too many', { inputs: Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [n, 1])) }],
  [
    'too much in common',
    {
      inputs: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [n, {}])),
      common_input: { text: 'x'.repeat(50_000) },
    },
  ],
])('a batch of %s is refused whole', async (_, body) => {
  const ours = await gate()
  expect((await ours.ask('/v1/batch/data/app/allow', batch(body))).status).toBe(400)
  expect(ours.entries).toEqual([])
})

test("OPA's own client needs no change", async () => {
  const { port } = await gate()
  const client = new OPAClient(`http://127.0.0.1:${port}`, {
    headers: { authorization: 'Bearer token-ada' },
  })
  expect(await client.evaluate('app/allow', { user: 'alice' })).toBe(true)
  expect(await client.evaluate('app/allow', { user: 'bob' })).toBeUndefined()
  expect(await client.evaluate('app/falsy')).toBe(false)
  expect(await client.evaluateDefault({ user: 'alice' })).toMatchObject({ effect: 'allow' })
  const inputs = { one: { user: 'alice' }, two: { user: 'bob' } }
  expect(await client.evaluateBatch('app/allow', inputs)).toEqual({ one: true, two: undefined })
  const mixed = await client.evaluateBatch('app/conflict', { bad: { a: 1, b: 1 }, good: { a: 1 } })
  expect(mixed).toMatchObject({ good: 1, bad: { code: 'internal_error' } })
  await expect(client.evaluate('app/conflict', { a: 1, b: 1 })).rejects.toThrow()
})

test('health tells of bundle and plugins', async () => {
  const plugins = () => ({ bundle: { state: 'OK' }, decision_logs: { state: 'ERROR' } }) as const
  const ours = await gate({ engine: engine() } as never)
  expect((await ours.ask('/health')).json).toEqual({})
  const bundles = await ours.ask('/health?bundles')
  expect(bundles.status).toBe(500)
  expect(bundles.json).toEqual({ error: 'not all configured bundles have been activated' })
  const other = await running({ opa: { ...opaParts(), plugins } })
  const asked = await other.ask('/health?plugins')
  expect(asked.status).toBe(500)
  expect(asked.json).toEqual({ error: 'not all plugins in OK state' })
  expect((await other.ask('/health?plugins&exclude-plugin=decision_logs')).status).toBe(200)
})
