import { Counter, Gauge, type Registry } from 'prom-client'
import type { HoldState } from '../parts.ts'
import { type DecisionLogFacts, publishDecisionLog } from './decision-log.ts'
import { publishShadow, type ShadowFacts } from './shadow.ts'

/** What is read when somebody scrapes. Each must be cheap. */
export type Sources = {
  readonly version: string
  holds(): Readonly<Partial<Record<HoldState, number>>>
  bundle(): BundleFacts | undefined
  audit(): AuditFacts
  shadow(): ShadowFacts
  decisionLog?(): DecisionLogFacts
}

export type BundleFacts = {
  readonly name: string
  readonly revision: string
  readonly digest: string
  readonly activatedMs: number
  /** When the source last said that this is still the current one. */
  readonly refreshedMs: number
}

export type AuditFacts = {
  readonly entries: number
  /** Entries lost for good. */
  readonly dropped: number
  /** Entries accepted and not yet written. */
  readonly pending: number
  /** Age of the oldest of them. */
  readonly lagMs: number
  readonly failing: boolean
}

/** Publishes what the other parts of the gate know of themselves. */
export function publishSources(registry: Registry, sources: Sources): void {
  const { version } = sources
  new Gauge({
    name: 'postern_info',
    help: 'Always 1; the version is in the label',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1)
  new Gauge({
    name: 'postern_holds',
    help: 'Holds in the store now, by state',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [state, value] of Object.entries(sources.holds())) this.set({ state }, value)
    },
  })
  publishBundle(registry, sources)
  publishAudit(registry, sources)
  publishShadow(registry, sources.shadow)
  publishDecisionLog(registry, () => sources.decisionLog?.())
}

function publishBundle(registry: Registry, sources: Sources): void {
  const registers = [registry]
  new Gauge({
    name: 'postern_bundle_info',
    help: 'Always 1 for the active bundle; absent while there is none',
    labelNames: ['name', 'revision', 'digest'],
    registers,
    collect() {
      this.reset()
      const bundle = sources.bundle()
      if (bundle === undefined) return
      const { name, revision, digest } = bundle
      this.set({ name, revision, digest }, 1)
    },
  })
  const age = (name: string, help: string, since: (facts: BundleFacts) => number): unknown =>
    new Gauge({
      name,
      help,
      labelNames: ['name'],
      registers,
      collect() {
        this.reset()
        const bundle = sources.bundle()
        if (bundle === undefined) return
        this.set({ name: bundle.name }, Math.max(0, (Date.now() - since(bundle)) / 1e3))
      },
    })
  age('postern_bundle_active_seconds', 'How long this bundle is active', (b) => b.activatedMs)
  age('postern_bundle_age_seconds', 'Time since the source was last reached', (b) => b.refreshedMs)
}

function publishAudit(registry: Registry, { audit }: Sources): void {
  const registers = [registry]
  const counter = (name: string, help: string, read: (facts: AuditFacts) => number): unknown =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read(audit()))
      },
    })
  const gauge = (name: string, help: string, read: (facts: AuditFacts) => number): unknown =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(audit()))
      },
    })
  counter('postern_audit_entries_total', 'Entries on record', (facts) => facts.entries)
  counter('postern_audit_dropped_total', 'Outcomes lost for good', (facts) => facts.dropped)
  gauge('postern_audit_pending', 'Entries not yet written', (facts) => facts.pending)
  gauge('postern_audit_lag_seconds', 'Age of the oldest of them', (facts) => facts.lagMs / 1e3)
  gauge(
    'postern_audit_failing',
    '1 while the record cannot be written and nothing runs',
    (facts) => (facts.failing ? 1 : 0),
  )
}
