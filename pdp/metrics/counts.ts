import { Counter, Gauge, type Registry } from 'prom-client'
import type { Decision } from '../contract.ts'
import type { Happening } from '../parts.ts'
import { type Tally, tally } from './tally.ts'

/** Names of rules and codes come from policy, so they are bounded. */
const rulesMax = 200
const codesMax = 200
const resourcesMax = 500

/** Everything that is counted as it happens. */
export type Counts = ReturnType<typeof counts>

/** All at zero. */
export function counts() {
  const decisions: Readonly<Record<Decision['effect'], Tally>> = {
    allow: tally(rulesMax),
    hold: tally(rulesMax),
    deny: tally(rulesMax),
  }
  return {
    decisions,
    denials: tally(codesMax),
    rows: tally(resourcesMax),
    bytes: tally(resourcesMax),
    failures: tally(codesMax),
    sessions: tally(resourcesMax),
    opened: tally(resourcesMax),
    turnedAway: tally(codesMax),
    internal: tally(codesMax),
    alarms: tally(resourcesMax),
    holds: tally(codesMax),
    bundles: tally(codesMax),
  }
}

/** Counts one happening. */
export function count(counts: Counts, happening: Happening): void {
  switch (happening.kind) {
    case 'decision':
      counts.decisions[happening.effect].add(happening.rule)
      if (happening.effect === 'deny') counts.denials.add(happening.code)
      break
    case 'outcome':
      counts.rows.add(happening.resource, happening.rows)
      counts.bytes.add(happening.resource, happening.bytes)
      if (happening.error !== undefined) counts.failures.add(happening.error)
      break
    case 'session':
      countSession(counts, happening)
      break
    case 'failure':
      counts.internal.add(happening.code)
      break
    case 'alarm':
      counts.alarms.add(happening.resource)
      break
    case 'hold':
      counts.holds.add(happening.change)
      break
    case 'bundle':
      counts.bundles.add(happening.change)
      break
  }
}

function countSession(counts: Counts, happening: Extract<Happening, { kind: 'session' }>): void {
  if (happening.change === 'turned_away') counts.turnedAway.add(happening.code ?? 'internal_error')
  else if (happening.change === 'closed') counts.sessions.add(happening.resource, -1)
  else {
    counts.sessions.add(happening.resource)
    counts.opened.add(happening.resource)
  }
}

/** Makes the counts readable under their Prometheus names. */
export function publishCounts(registry: Registry, counts: Counts): void {
  new Counter({
    name: 'postern_decisions_total',
    help: 'Decisions of policy, by effect and by the rule that is shown first',
    labelNames: ['effect', 'rule'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [effect, rules] of Object.entries(counts.decisions)) {
        for (const [rule, value] of rules.entries()) this.inc({ effect, rule }, value)
      }
    },
  })
  const counter = (name: string, help: string, label: string, counted: Tally): unknown =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset()
        for (const [word, value] of counted.entries()) this.inc({ [label]: word }, value)
      },
    })
  counter('postern_denials_total', 'Denials, by code', 'code', counts.denials)
  counter('postern_rows_total', 'Rows sent to clients', 'resource', counts.rows)
  counter('postern_bytes_total', 'Bytes of answers sent to clients', 'resource', counts.bytes)
  counter('postern_failures_total', 'Commands that ended in an error', 'error', counts.failures)
  counter('postern_sessions_total', 'Sessions opened', 'resource', counts.opened)
  counter('postern_internal_failures_total', 'Failures of ours, by code', 'code', counts.internal)
  counter(
    'postern_alarms_total',
    'Answers that contradicted what was read from their command',
    'resource',
    counts.alarms,
  )
  counter('postern_turned_away_total', 'Clients that got no session', 'code', counts.turnedAway)
  counter('postern_holds_total', 'Holds that came into a state', 'state', counts.holds)
  counter('postern_bundle_changes_total', 'What became of bundles', 'change', counts.bundles)
  new Gauge({
    name: 'postern_sessions',
    help: 'Sessions open now',
    labelNames: ['resource'],
    registers: [registry],
    collect() {
      for (const [resource, value] of counts.sessions.entries()) this.set({ resource }, value)
    },
  })
}
