import { expect, test } from 'vitest'
import { type Metrics, metrics } from '../../pdp/metrics.ts'
import type { Happening } from '../../pdp/parts.ts'

const decision: Extract<Happening, { kind: 'decision' }> = {
  kind: 'decision',
  resource: 'shop',
  session: 's1',
  effect: 'deny',
  rule: 'policies.ddl',
  code: 'ddl_denied',
  cached: false,
  ns: 30_000,
}

function fresh(bundle = true): Metrics {
  return metrics({
    version: '1.2.3',
    shadow: () => undefined,
    holds: () => ({ pending: 2, approved: 1 }),
    bundle: () => (bundle ? facts : undefined),
    audit: () => ({ entries: 7, dropped: 1, pending: 3, lagMs: 250, failing: true }),
  })
}

const facts = { name: 'shop', revision: 'abc', digest: 'd1', activatedMs: 0, refreshedMs: 0 }

/** The samples of one metric, as a scraper reads them. */
async function samples(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(name))
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  )
}

test('decisions are counted by effect and rule, denials by code', async () => {
  const gate = fresh()
  gate.observe(decision)
  gate.observe(decision)
  gate.observe({ ...decision, effect: 'allow', rule: 'policies.read', code: 'ok' })
  expect(await samples(gate, 'postern_decisions_total')).toEqual({
    'postern_decisions_total{effect="deny",rule="policies.ddl"}': 2,
    'postern_decisions_total{effect="allow",rule="policies.read"}': 1,
  })
  expect(await samples(gate, 'postern_denials_total')).toEqual({
    'postern_denials_total{code="ddl_denied"}': 2,
  })
})

test('a policy that invents rule names does not make endless series', async () => {
  const gate = fresh()
  for (let n = 0; n < 5_000; n++) {
    gate.observe({ ...decision, rule: `policies.r${n}`, code: `c${n}` })
  }
  const decisions = await samples(gate, 'postern_decisions_total')
  expect(Object.keys(decisions).length).toBeLessThanOrEqual(201)
  expect(decisions['postern_decisions_total{effect="deny",rule="other"}']).toBe(4_800)
  expect(Object.keys(await samples(gate, 'postern_denials_total')).length).toBeLessThanOrEqual(201)
})

test('durations are cumulative buckets with sum and count', async () => {
  const gate = fresh()
  for (const ns of [1_000, 30_000, 10_000_000_000]) gate.observe({ ...decision, ns })
  const found = await samples(gate, 'postern_decision_seconds')
  expect(found['postern_decision_seconds_bucket{cached="false",le="0.000005"}']).toBe(1)
  expect(found['postern_decision_seconds_bucket{cached="false",le="0.00005"}']).toBe(2)
  expect(found['postern_decision_seconds_bucket{cached="false",le="0.1"}']).toBe(2)
  expect(found['postern_decision_seconds_bucket{cached="false",le="+Inf"}']).toBe(3)
  expect(found['postern_decision_seconds_count{cached="false"}']).toBe(3)
  expect(found['postern_decision_seconds_sum{cached="false"}']).toBeCloseTo(10.000031, 9)
})

test('a value on a bound belongs to that bucket', async () => {
  const gate = fresh()
  gate.observe({ kind: 'outcome', resource: 'shop', session: 's', rows: 0, bytes: 0, ms: 1 })
  const found = await samples(gate, 'postern_command_seconds')
  expect(found['postern_command_seconds_bucket{resource="shop",le="0.0005"}']).toBe(0)
  expect(found['postern_command_seconds_bucket{resource="shop",le="0.001"}']).toBe(1)
})

test('outcomes add rows, bytes and error codes', async () => {
  const gate = fresh()
  const outcome = { kind: 'outcome', resource: 'shop', session: 's', ms: 2 } as const
  gate.observe({ ...outcome, rows: 2, bytes: 10 })
  gate.observe({ ...outcome, rows: 3, bytes: 20, error: '42P01' })
  expect(await samples(gate, 'postern_rows_total')).toEqual({
    'postern_rows_total{resource="shop"}': 5,
  })
  expect(await samples(gate, 'postern_bytes_total')).toEqual({
    'postern_bytes_total{resource="shop"}': 30,
  })
  expect(await samples(gate, 'postern_failures_total')).toEqual({
    'postern_failures_total{error="42P01"}': 1,
  })
})

test('sessions go up and down, who is turned away is counted by code', async () => {
  const gate = fresh()
  const session = { kind: 'session', resource: 'shop' } as const
  gate.observe({ ...session, change: 'opened' })
  gate.observe({ ...session, change: 'opened' })
  gate.observe({ ...session, change: 'closed' })
  gate.observe({ ...session, change: 'turned_away', code: 'token_invalid' })
  expect(await samples(gate, 'postern_sessions')).toEqual({
    'postern_sessions{resource="shop"}': 1,
    'postern_sessions_total{resource="shop"}': 2,
  })
  expect(await samples(gate, 'postern_turned_away_total')).toEqual({
    'postern_turned_away_total{code="token_invalid"}': 1,
  })
})

test('failures of ours are counted by code', async () => {
  const gate = fresh()
  gate.observe({ kind: 'failure', resource: '', code: 'state_unavailable', error: new Error('x') })
  expect(await samples(gate, 'postern_internal')).toEqual({
    'postern_internal_failures_total{code="state_unavailable"}': 1,
  })
})

test('holds, bundle and audit are read when scraped', async () => {
  const gate = fresh()
  gate.observe({ kind: 'hold', change: 'pending', resource: 'shop', id: 'h1' })
  gate.observe({ kind: 'bundle', change: 'refused', name: 'shop' })
  expect(await samples(gate, 'postern_holds')).toEqual({
    'postern_holds{state="pending"}': 2,
    'postern_holds{state="approved"}': 1,
    'postern_holds_total{state="pending"}': 1,
  })
  expect(await samples(gate, 'postern_bundle')).toMatchObject({
    'postern_bundle_info{name="shop",revision="abc",digest="d1"}': 1,
    'postern_bundle_changes_total{change="refused"}': 1,
  })
  expect(await samples(gate, 'postern_audit')).toEqual({
    postern_audit_entries_total: 7,
    postern_audit_dropped_total: 1,
    postern_audit_pending: 3,
    postern_audit_lag_seconds: 0.25,
    postern_audit_failing: 1,
  })
  expect(await samples(gate, 'postern_info')).toEqual({ 'postern_info{version="1.2.3"}': 1 })
})

test('without a bundle its series are absent', async () => {
  const found = await samples(fresh(false), 'postern_bundle')
  expect(found).toEqual({})
})

test('two gates in one process do not mix, and scraping twice counts nothing twice', async () => {
  const one = fresh()
  const two = fresh()
  one.observe(decision)
  await one.text()
  expect(Object.values(await samples(one, 'postern_decisions_total'))).toEqual([1])
  expect(await samples(two, 'postern_decisions_total')).toEqual({})
})
