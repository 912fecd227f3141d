/** A gate as a process: OPA's API beside the data path, and decisions that leave for a receiver. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OPAClient } from '@open-policy-agent/opa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Receiving, receiver } from '../pdp/export/kit.ts'
import { connect, postern, type Stage, startStage } from './stage.ts'

let stage: Stage
let logs: Receiving
let url: string
const soon = { timeout: 20_000, interval: 100 }

beforeAll(async () => {
  logs = await receiver()
  const more = [
    `decision_logs: { url: "${logs.url}", auth: { bearer: { file: ./logs-token } }, erased: [/input/action/text], delay_s: 1 }`,
    'gate: { name: shop-1, labels: { region: north } }',
  ].join('\n')
  stage = await startStage({ more }, ({ setup }) => {
    writeFileSync(join(setup.folder, 'logs-token'), 'canary-logs-token')
  })
  url = `http://127.0.0.1:${stage.setup.ports.server}`
}, 60_000)
afterAll(async () => {
  await stage.stop()
  await logs.stop()
})

async function ask(path: string, who: 'alice' | 'bob', body?: unknown) {
  const authorization = `Bearer ${await stage.issuer.token(who)}`
  const answer = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, json: JSON.parse(await answer.text()) }
}

test('each decision of the gate reaches the receiver with its id, without what is erased', async () => {
  const client = await connect(stage, 'alice')
  await client.query("select 'canary-literal'")
  await client.end()
  const found = () => logs.events.find(({ input }) => nameOf(input) === 'select')
  await expect.poll(found, soon).toBeDefined()
  const event = found()
  expect(event).toMatchObject({
    labels: {
      gate: 'shop-1',
      region: 'north',
      version: expect.any(String),
      id: expect.any(String),
    },
    path: 'postern/decision',
    result: { effect: 'allow' },
    bundles: { postern: { revision: expect.any(String) } },
    erased: ['/input/action/text'],
    requested_by: expect.stringContaining('127.0.0.1'),
  })
  expect(JSON.stringify(logs.events)).not.toContain('canary-literal')
  expect(logs.requests[0]?.headers.authorization).toBe('Bearer canary-logs-token')
  const shown = await postern(stage, 'bob', 'audit', 'show', event?.decision_id ?? '')
  expect(shown.stdout).toContain('canary-literal')
})

const nameOf = (input: unknown): unknown => Object(Object(input).action).name

test("OPA's client is answered as the gate would decide, on record as advisory, and the receiver hears", async () => {
  const asked = logs.events.find(({ input }) => nameOf(input) === 'select')?.['input']
  const client = new OPAClient(url, {
    headers: { authorization: `Bearer ${await stage.issuer.token('alice')}` },
  })
  const answer = await client.evaluate('postern/decision', asked as never)
  expect(answer).toMatchObject({ effect: 'allow' })
  expect(await client.evaluate('postern/decision/effect', {})).toBe('deny')
  await expect
    .poll(() => logs.events.filter(({ custom }) => Object(custom).advisory === true).length, soon)
    .toBe(2)
  const found = await postern(stage, 'bob', 'audit', 'search', '--subject', 'alice', '--limit', '3')
  expect(found.stdout).toMatch(/decision +alice +shop +allow, advisory/)
})

test('data and configuration are for administrators, changes for nobody', async () => {
  expect((await fetch(`${url}/v1/data/postern/decision`)).status).toBe(401)
  expect((await ask('/v1/data/catalog', 'alice')).json).toMatchObject({ code: 'unauthorized' })
  expect((await ask('/v1/data/catalog', 'bob')).status).toBe(200)
  expect((await ask('/v1/query', 'bob', { query: 'data' })).json).toMatchObject({
    code: 'invalid_operation',
  })
  const { json } = await ask('/v1/config', 'bob')
  expect(json.result).toMatchObject({
    default_decision: '/postern/decision',
    services: { decision_logs: { url: logs.url } },
  })
  expect(JSON.stringify(json)).not.toContain('token')
})

test('status tells it in both languages', async () => {
  const status = await postern(stage, 'bob', 'status')
  expect(JSON.parse(status.stdout)).toMatchObject({
    phase: 'serving',
    result: {
      labels: { gate: 'shop-1' },
      bundles: { postern: { active_revision: expect.any(String) } },
      plugins: { bundle: { state: 'OK' }, decision_logs: { state: 'OK' } },
      decision_logs: { lost: 0, crashes: 0 },
    },
  })
  expect(status.stdout).not.toContain('canary-logs-token')
  const numbers = await (await fetch(`${url}/metrics`)).text()
  expect(numbers).toMatch(/postern_decision_log_events_total [1-9]/)
  expect((await fetch(`${url}/health?bundles&plugins`)).status).toBe(200)
})

test('while the receiver is away commands go on, and a gate that starts again sends what waits', async () => {
  logs.answers = Array.from({ length: 1_000 }, () => 503)
  const client = await connect(stage, 'alice')
  await client.query('select 4711')
  await client.end()
  await stage.restart()
  const before = logs.events.length
  logs.answers = []
  await expect.poll(() => logs.events.length, soon).toBeGreaterThan(before)
  expect(readFileSync(join(stage.setup.folder, 'gate.log'), 'utf8')).not.toContain(
    'decision log failed',
  )
}, 60_000)
