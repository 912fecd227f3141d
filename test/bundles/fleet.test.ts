import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type Report, reportEveryMs } from '../../bundles/fleet/report.ts'
import { reporter } from '../../bundles/fleet/reporter.ts'
import { fleet } from '../../bundles/server/fleet.ts'
import type { Release } from '../../bundles/server/shelf.ts'
import { asGate, served } from './serving.ts'

const [one, two] = ['1'.repeat(64), '2'.repeat(64)]
const release: Release = {
  digest: one,
  revision: 'r1',
  sequence: 1,
  bytes: 1,
  pushed_ms: 0,
  pushed_by: 'ci',
}
const bundle = { name: 'main', stale: false, digest: one, sequence: 1, revision: 'r1', age_s: 2 }
const report = (more: Partial<Report['bundle']> = {}): Report => ({
  version: '1',
  labels: { env: 'x' },
  bundle: { ...bundle, ...more },
})

/** A fleet with a clock of its own. */
function fleetAt(gatesMax = 2) {
  let nowMs = 1_000_000
  const all = fleet({
    gatesMax,
    target: (name) => (name === 'main' ? { ...release, canary: false } : undefined),
    now: () => nowMs,
  })
  return {
    ...all,
    pass(ms: number) {
      nowMs += ms
    },
  }
}

test.each<[string, Partial<Report['bundle']>, readonly string[]]>([
  ['what it should', {}, []],
  ['another bundle', { digest: two }, ['other_bundle']],
  ['one that is not published here', { name: 'own', digest: two }, []],
  ['a stale one', { stale: true }, ['stale']],
  ['one it cannot replace', { error: 'it expired' }, ['error']],
  [
    'everything wrong',
    { digest: two, stale: true, error: 'e' },
    ['other_bundle', 'stale', 'error'],
  ],
])('a gate that runs %s', (_what, more, drift) => {
  const all = fleetAt()
  all.report('a', 'me', report(more))
  expect(all.gates()).toMatchObject([{ gate: 'a', drift, labels: { env: 'x' } }])
})

test('a gate without a bundle says so', () => {
  const all = fleetAt()
  all.report('a', 'me', { version: '1', labels: {}, bundle: { name: 'main', stale: true } })
  expect(all.gates()[0]?.drift).toEqual(['no_bundle'])
})

test('a gate that misses three reports is silent, and after a day forgotten', () => {
  const all = fleetAt()
  all.report('a', 'me', report())
  all.pass(3 * reportEveryMs)
  expect(all.gates()[0]?.drift).toEqual([])
  all.pass(1)
  expect(all.gates()[0]?.drift).toEqual(['silent'])
  all.pass(24 * 60 * 60 * 1000)
  expect(all.gates()).toEqual([])
})

test('a name belongs to who reports under it, and there is room for so many', () => {
  const all = fleetAt()
  all.report('b', 'me', report())
  all.report('a', 'you', report())
  expect(() => all.report('a', 'me', report())).toThrow('another gate reports as "a"')
  expect(() => all.report('c', 'me', report())).toThrow('2 gates report here already')
  expect(all.gates().map(({ gate }) => gate)).toEqual(['a', 'b'])
  all.pass(3 * reportEveryMs)
  all.report('a', 'me', report())
  expect(all.gates()).toHaveLength(2)
})

test.each([
  ['no name at all', '/v1/fleet/a%20b', report()],
  ['an unknown field', '/v1/fleet/a', { ...report(), more: 1 }],
  ['a digest that is none', '/v1/fleet/a', report({ digest: 'x' })],
  ['a long error', '/v1/fleet/a', report({ error: 'x'.repeat(501) })],
  ['no body', '/v1/fleet/a', undefined],
])('a report with %s is not taken', async (_what, path, body) => {
  const server = await served()
  const headers = { ...asGate, 'content-type': 'application/json' }
  const init = { method: 'PUT', headers, ...(body && { body: JSON.stringify(body) }) }
  expect((await server.ask(path, init)).status).toBe(400)
})

test('a report that is too large is not read', async () => {
  const server = await served()
  const headers = { ...asGate, 'content-type': 'application/json' }
  const body = JSON.stringify({ ...report(), more: 'x'.repeat(20_000) })
  expect((await server.ask('/v1/fleet/a', { method: 'PUT', headers, body })).status).toBe(413)
})

test('the fleet is shown to administrators alone', async () => {
  const server = await served()
  const headers = { ...asGate, 'content-type': 'application/json' }
  await server.ask('/v1/fleet/a', { method: 'PUT', headers, body: JSON.stringify(report()) })
  const shown = (token: string) =>
    server.ask('/v1/fleet', { headers: { authorization: `Bearer ${token}` } })
  expect((await shown('ci')).status).toBe(403)
  expect((await shown('gate')).status).toBe(403)
  expect(await (await shown('root')).json()).toMatchObject({ gates: [{ gate: 'a', version: '1' }] })
})

test('a gate reports at once, at a change, and again after the server was away', async () => {
  let status = 204
  const heard: unknown[] = []
  const web = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      heard.push([request.url, request.headers['authorization'], JSON.parse(text).bundle.revision])
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening))
  const stop = new AbortController()
  let revision = 'r1'
  const told: (string | undefined)[] = []
  const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
  const running = reporter({
    to: { url: `${url}/ignored`, authorize: async () => ({ authorization: 'Bearer t' }) },
    gate: 'gate-a',
    report: () => report({ revision }),
    told: (problem) => told.push(problem),
    signal: stop.signal,
  })
  onTestFinished(async () => {
    stop.abort()
    await running.ended
    web.closeAllConnections()
    web.close()
  })
  const soon = { interval: 10, timeout: 10_000 }
  await expect.poll(() => heard, soon).toEqual([['/v1/fleet/gate-a', 'Bearer t', 'r1']])
  revision = 'r2'
  status = 503
  running.changed()
  await expect.poll(() => told, soon).toEqual([`${url} answered 503`])
  status = 204
  await expect.poll(() => told, soon).toEqual([`${url} answered 503`, undefined])
  expect(heard.at(-1)).toEqual(['/v1/fleet/gate-a', 'Bearer t', 'r2'])
})
