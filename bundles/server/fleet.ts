import { Refusal } from '../../pdp/refusal.ts'
import { type Report, reportEveryMs } from '../fleet/report.ts'
import type { GateName } from './selection.ts'
import type { Release } from './shelf.ts'

/** What is wrong with a gate: it runs no bundle, another than it should, a stale one, cannot get a newer one, or says nothing. */
export type Drift = 'no_bundle' | 'other_bundle' | 'stale' | 'error' | 'silent'

/** One gate as the API shows it. */
export type FleetGate = {
  readonly gate: string
  /** When it last reported. */
  readonly seen: string
  readonly drift: readonly Drift[]
  /** What it is to run, where its bundle is published here. */
  readonly target?: { readonly digest: string; readonly revision: string; readonly canary: boolean }
} & Report

export type FleetOptions = {
  readonly gatesMax: number
  /** What a gate is to run; undefined when that is not published here. */
  target(bundle: string, gate: GateName): (Release & { readonly canary: boolean }) | undefined
  readonly now?: () => number
}

/** What the gates said last. In memory: after a restart each is known again within a report's interval. */
export interface Fleet {
  /** Throws Refusal for a name that another gate has, and for one gate too many. */
  report(gate: string, by: string, report: Report): void
  /** By name. */
  gates(): readonly FleetGate[]
}

/** A gate that missed this many reports is silent. */
const silentMs = 3 * reportEveryMs
/** A gate that said nothing for so long is forgotten. */
const forgottenMs = 24 * 60 * 60 * 1000

type Entry = { readonly by: string; readonly seenMs: number; readonly report: Report }

/** A fleet that nobody has reported to yet. */
export function fleet({ gatesMax, target, now = Date.now }: FleetOptions): Fleet {
  const entries = new Map<string, Entry>()

  return {
    report(gate, by, report) {
      forget()
      const known = entries.get(gate)
      if (known !== undefined && known.by !== by && now() - known.seenMs < silentMs)
        throw new Refusal('not_permitted', `another gate reports as ${JSON.stringify(gate)}`, {
          remedy: 'give each gate a name of its own: gate.name',
        })
      if (known === undefined && entries.size >= gatesMax)
        throw new Refusal('quota_exceeded', `${gatesMax} gates report here already`, {
          retryAfterS: 60,
          remedy: 'operator: raise bundle_server.gates_max',
        })
      entries.set(gate, { by, seenMs: now(), report })
    },
    gates() {
      forget()
      return [...entries]
        .map(([gate, entry]) => shown(gate, entry))
        .sort((one, two) => (one.gate < two.gate ? -1 : 1))
    },
  }

  function forget(): void {
    for (const [gate, { seenMs }] of entries) if (now() - seenMs > forgottenMs) entries.delete(gate)
  }

  function shown(gate: string, { seenMs, report }: Entry): FleetGate {
    const wanted = target(report.bundle.name, { name: gate, labels: report.labels })
    const silent = now() - seenMs > silentMs
    return {
      gate,
      seen: new Date(seenMs).toISOString(),
      drift: [...driftOf(report, wanted), ...(silent ? (['silent'] as const) : [])],
      ...(wanted !== undefined && {
        target: { digest: wanted.digest, revision: wanted.revision, canary: wanted.canary },
      }),
      ...report,
    }
  }
}

function driftOf({ bundle }: Report, wanted: Release | undefined): readonly Drift[] {
  const { digest, stale, error } = bundle
  const other = digest !== undefined && wanted !== undefined && digest !== wanted.digest
  return [
    ...(digest === undefined ? (['no_bundle'] as const) : []),
    ...(other ? (['other_bundle'] as const) : []),
    ...(stale && digest !== undefined ? (['stale'] as const) : []),
    ...(error === undefined ? [] : (['error'] as const)),
  ]
}
