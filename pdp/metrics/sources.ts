import { Counter, Gauge, type Registry } from 'prom-client'
import type { HoldState } from '../contract.ts'

/** What is read when somebody scrapes. Each must be cheap. */
export type Sources = {
  readonly version: string
  holds(): Readonly<Partial<Record<HoldState, number>>>
  bundle(): BundleFacts | undefined
  audit(): AuditFacts
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
  readonly failures: number
  /** Entries accepted and not yet written. */
  readonly waiting: number
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

function publishAudit(registry: Registry, sources: Sources): void {
  const registers = [registry]
  new Counter({
    name: 'postern_audit_entries_total',
    help: 'Entries put on record',
    registers,
    collect() {
      this.reset()
      this.inc(sources.audit().entries)
    },
  })
  new Counter({
    name: 'postern_audit_failures_total',
    help: 'Entries that could not be put on record; what they were about was refused',
    registers,
    collect() {
      this.reset()
      this.inc(sources.audit().failures)
    },
  })
  new Gauge({
    name: 'postern_audit_waiting',
    help: 'Entries accepted and not yet written',
    registers,
    collect() {
      this.set(sources.audit().waiting)
    },
  })
}
