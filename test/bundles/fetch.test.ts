import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from 'selfsigned'
import { expect, test } from 'vitest'
import { bearer } from '../../bundles/authorization.ts'
import { sha256 } from '../../bundles/digest.ts'
import { httpSource } from '../../bundles/http.ts'
import { selectionOf, selects, widens } from '../../bundles/server/selection.ts'
import { secret } from '../../pdp/secret.ts'
import { bundle } from './kit.ts'
import { asGate, type Options, served, shared } from './serving.ts'

const forever = new AbortController().signal
const at = (sequence: number) => bundle(`r${sequence}`, { sequence })

/** A server with one bundle published. */
async function withBundle(options: Options = {}) {
  const server = await served(options)
  const bytes = await at(1)
  await server.push(bytes)
  return { server, bytes, tag: `"${sha256(bytes)}"` }
}

test.each(['/bundles/main', '/bundles/main.tar.gz'])(
  '%s is the bundle with its ETag',
  async (path) => {
    const { server, bytes, tag } = await withBundle()
    const answer = await server.ask(path, { headers: asGate })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('etag')).toBe(tag)
    expect(answer.headers.get('content-type')).toBe('application/gzip')
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true)
    const head = await server.ask(path, { headers: asGate, method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe(String(bytes.length))
    expect(await head.text()).toBe('')
    const known = { ...asGate, 'if-none-match': `"other", ${tag}` }
    const same = await server.ask(path, { headers: known })
    expect([same.status, same.headers.get('etag'), await same.text()]).toEqual([304, tag, ''])
  },
)

test('what was never published, or is no name, is not there', async () => {
  const server = await served()
  for (const path of ['/bundles/main', '/bundles/none', '/bundles/..%2Fmain', '/bundles/main.tar'])
    expect((await server.ask(path, { headers: asGate })).status).toBe(404)
})

test('a question waits for news, and says by its type that it may', async () => {
  const { server, tag } = await withBundle()
  const headers = { ...asGate, prefer: 'modes=snapshot,delta;wait=30', 'if-none-match': tag }
  const first = await server.ask('/bundles/main', { headers: { ...asGate, prefer: 'wait=30' } })
  expect(first.headers.get('content-type')).toBe('application/vnd.openpolicyagent.bundles')
  let answered = false
  const waiting = server.ask('/bundles/main', { headers }).finally(() => {
    answered = true
  })
  await sleep(50)
  expect(answered).toBe(false)
  const next = await at(2)
  await server.push(next)
  expect((await waiting).headers.get('etag')).toBe(`"${sha256(next)}"`)
  const over = { ...headers, 'if-none-match': `"${sha256(next)}"`, prefer: 'wait=1' }
  expect((await server.ask('/bundles/main', { headers: over })).status).toBe(304)
})

test('a server that stops answers whoever waits, and lets nobody wait any more', async () => {
  const { server, tag } = await withBundle()
  const headers = { ...asGate, prefer: 'wait=60', 'if-none-match': tag }
  const waiting = server.ask('/bundles/main', { headers })
  await sleep(50)
  server.stop()
  expect((await waiting).status).toBe(304)
  expect((await server.ask('/bundles/main', { headers })).status).toBe(304)
})

test('no more than a number may wait, and who hangs up makes room', async () => {
  const { server, tag } = await withBundle({ waitersMax: 1 })
  const headers = { ...asGate, prefer: 'wait=30', 'if-none-match': tag }
  const hung = new AbortController()
  const first = server.ask('/bundles/main', { headers, signal: hung.signal }).catch(() => undefined)
  const second = () => server.ask('/bundles/main', { headers: { ...headers, prefer: 'wait=1' } })
  await expect.poll(async () => (await second()).status, { timeout: 5_000 }).toBe(429)
  hung.abort()
  await first
  await expect.poll(async () => (await second()).status, { timeout: 5_000 }).toBe(304)
})

test.each<[string, Options['pulling'], Record<string, string>, number]>([
  ['no token', {}, {}, 401],
  ['a wrong token', {}, { authorization: 'Bearer guess' }, 401],
  ['the shared token', {}, asGate, 200],
  ['the token of a gate', {}, { authorization: 'Bearer gate' }, 200],
  ['the token of somebody else', {}, { authorization: 'Bearer otto' }, 403],
  ['a good token where none counts', { groups: [] }, { authorization: 'Bearer gate' }, 401],
  ['nothing, where this machine may', { open: true }, {}, 200],
  ['a proxy, where this machine may', { open: true }, { 'x-forwarded-for': '10.0.0.1' }, 401],
])('a gate with %s gets %j %j: %i', async (_what, pulling, headers, status) => {
  const { server } = await withBundle({ pulling: pulling ?? {} })
  expect((await server.ask('/bundles/main', { headers })).status).toBe(status)
  const report = { method: 'PUT', headers: { ...headers, 'content-type': 'application/json' } }
  const body = JSON.stringify({ version: '1', labels: {}, bundle: { name: 'main', stale: false } })
  const told = await server.ask('/v1/fleet/gate-a', { ...report, body })
  expect(told.status).toBe(status === 200 ? 204 : status)
})

test('a gate shows who it is by a certificate', async () => {
  const make = (name: string, more = {}) =>
    generate([{ name: 'commonName', value: name }], { algorithm: 'sha256', ...more })
  const names = [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }]
  const own = await make('localhost', { extensions: names })
  const [gate, stranger] = await Promise.all([make('gate'), make('gate')])
  const tls = { key: own.private, cert: own.cert, ca: gate.cert }
  const server = await served({ tls, pulling: { certificates: true, groups: [] } })
  await server.publisher.push('main', await at(1), { by: 'ci' })
  const url = `${server.url}/bundles/main`
  const pull = (client?: { readonly cert: string; readonly private: string }) =>
    httpSource({
      url,
      ca: own.cert,
      tls: client && { cert: client.cert, key: client.private },
    }).fetch(undefined, forever)
  expect(await pull(gate)).toMatchObject({ kind: 'bundle' })
  await expect(pull(stranger)).rejects.toThrow('401')
  await expect(pull()).rejects.toThrow('401')
})

test('a canary is for the gates it names, and news for them alone', async () => {
  const { server, tag } = await withBundle()
  const canary = await at(2)
  const as = (name: string, env: string) => ({
    ...asGate,
    'postern-gate': name,
    'postern-labels': `team=shop,env=${env}`,
  })
  const tagOf = async (headers: Record<string, string>) =>
    (await server.ask('/bundles/main', { headers })).headers.get('etag')
  const waiting = server.ask('/bundles/main', {
    headers: { ...as('a', 'staging'), prefer: 'wait=20', 'if-none-match': tag },
  })
  await sleep(50)
  await server.push(canary, '?canary=env%3Dstaging')
  expect((await waiting).headers.get('etag')).toBe(`"${sha256(canary)}"`)
  expect(await tagOf(as('b', 'staging'))).toBe(`"${sha256(canary)}"`)
  for (const other of [as('a', 'production'), asGate, { ...asGate, 'postern-gate': 'a' }])
    expect(await tagOf(other)).toBe(tag)
  const odd = { ...asGate, 'postern-gate': 'a b' }
  expect((await server.ask('/bundles/main', { headers: odd })).status).toBe(400)
})

test('our source waits, hears at once, and goes on', async () => {
  const { server } = await withBundle()
  const authorize = bearer(async () => secret(shared))
  const source = httpSource({ url: `${server.url}/bundles/main.tar.gz`, authorize })
  const first = await source.fetch(undefined, forever)
  if (first.kind !== 'bundle') throw new Error('a bundle is published')
  const next = source.fetch(first.tag, forever)
  await sleep(20)
  const two = await at(2)
  await server.push(two)
  expect(await next).toEqual({ kind: 'bundle', bytes: two, tag: `"${sha256(two)}"` })
})

const gates = Array.from({ length: 2000 }, (_, n) => ({ name: `gate-${n}`, labels: {} }))

test('a share is as large as it says, the same every time, and only grows', () => {
  const chosen = (text: string, name = 'main') =>
    gates.filter((gate) => selects(selectionOf(text), name, gate))
  const ten = chosen('share=10')
  expect(Math.abs(ten.length - 200)).toBeLessThan(60)
  expect(chosen('share=10')).toEqual(ten)
  const half = new Set(chosen('share=50'))
  expect(ten.every((gate) => half.has(gate))).toBe(true)
  expect(chosen('share=10', 'other')).not.toEqual(ten)
  expect(selects(selectionOf('share=99'), 'main', undefined)).toBe(false)
})

test.each([
  ['share=10', 'share=10', true],
  ['share=10', 'share=11', true],
  ['share=10', 'share=9', false],
  ['a=1,b=2', 'b=2,a=1', true],
  ['a=1', 'share=99', false],
  ['a=1', 'a=2', false],
])('a canary of %s may become %s: %s', (from, to, may) => {
  expect(widens(selectionOf(from), selectionOf(to))).toBe(may)
})
