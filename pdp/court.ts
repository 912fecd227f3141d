import { join } from 'node:path'
import { type AuditLog, type AuditOptions, openAudit } from './audit/log.ts'
import type { Secret } from './contract.ts'
import { type EngineOptions, engine, type ManagedEngine } from './engine/engine.ts'
import { type HoldDesk, holds } from './hold.ts'
import type { Observe } from './parts.ts'
import { memoryQuotas } from './quota.ts'
import type { Court } from './session.ts'
import { sqliteHolds } from './state/sqlite-holds.ts'

export type CourtOptions = {
  /** The folder for what must survive a restart. */
  readonly state: string
  readonly audit: AuditOptions
  readonly engine: Pick<EngineOptions, 'staleAfterMs'>
  readonly holds: { readonly pendingMax: number; readonly pendingPerSubjectMax: number }
  readonly maskKey: Secret | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly observe: Observe
}

/** A court with the handles that only its owner pulls. */
export type OpenCourt = Court & {
  readonly engine: ManagedEngine
  readonly audit: AuditLog
  readonly holds: HoldDesk
  /** Closes the store of holds, then the record with a signed head. */
  close(): Promise<void>
}

/** Opens what all listeners of a process decide with. Throws Refusal when record or state cannot be had. */
export async function openCourt(options: CourtOptions): Promise<OpenCourt> {
  const audit = openAudit(options.audit)
  try {
    return courtWith(audit, options)
  } catch (error) {
    await audit.close()
    throw error
  }
}

function courtWith(audit: AuditLog, options: CourtOptions): OpenCourt {
  const { state, maskKey } = options
  // Immutable, so that the record can keep its text.
  const labels = Object.freeze({ ...options.labels })
  const observe = recording(audit, options.observe)
  const store = sqliteHolds(join(state, 'holds.sqlite'))
  const desk = holds({ store, audit, observe, ...options.holds })
  return {
    // The supply tells of bundles, so the engine need not do it again.
    engine: engine(options.engine),
    audit,
    quotas: memoryQuotas(),
    holds: desk,
    observe,
    labels,
    ...(maskKey !== undefined && { maskKey }),
    async close() {
      desk.close()
      await audit.close()
    },
  }
}

/** What becomes of bundles changes every later decision, so it is on the same record. */
function recording(audit: AuditLog, observe: Observe): Observe {
  return (happening) => {
    if (happening.kind === 'bundle') {
      const { change, name, revision, message } = happening
      audit.later({ kind: 'bundle', change, name, revision, message })
    }
    observe(happening)
  }
}
