import type { Decision, Outcome } from './contract.ts'
import type { Audit, Observe } from './parts.ts'
import type { Quotas, Spender } from './quota.ts'
import { outcomeEntry } from './record.ts'

/** The commands of one session that were let through and have not ended yet. */
export interface Outcomes {
  /** So many run at once that no more may start. */
  readonly full: boolean
  /** Starts the clock of a command; what it returns is called with its outcome and counts once. Never throws. */
  started(id: string, decision: Decision): (outcome: Outcome) => void
  /** Puts on record that nobody will say how the rest ended. Never throws. */
  close(): void
}

export type OutcomesParts = {
  readonly audit: Audit
  readonly observe: Observe
  readonly quotas: Quotas
  readonly spender: Spender
}

/** A pipeline deeper than this is no client's. */
const openMax = 10_000

/** Records, observes and counts outcomes, each once. */
export function outcomes({ audit, observe, quotas, spender }: OutcomesParts): Outcomes {
  const { session } = spender
  const resource = spender.resource.id
  const open = new Map<string, number>()

  function done(id: string, decision: Decision, outcome: Outcome): void {
    const startedMs = open.get(id)
    if (!open.delete(id) || startedMs === undefined) return
    const ms = performance.now() - startedMs
    const { rows, bytes, error } = outcome
    guarded(() => {
      quotas.spend(decision.quotas, spender, { rows, bytes })
      audit.later(outcomeEntry(session, id, { ...outcome, ms }))
      const failure = error === undefined ? {} : { error }
      observe({ kind: 'outcome', resource, session, rows, bytes, ms, ...failure })
    })
  }

  function guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      observe({ kind: 'failure', resource, session, code: 'internal_error', error })
    }
  }

  return {
    get full() {
      return open.size >= openMax
    },
    started(id, decision) {
      open.set(id, performance.now())
      return (outcome) => done(id, decision, outcome)
    },
    close() {
      for (const id of open.keys()) guarded(() => audit.later(outcomeEntry(session, id, undefined)))
      open.clear()
    },
  }
}
