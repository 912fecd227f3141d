import type { Audit, HoldState, Observe } from './parts.ts'
import { Refusal } from './refusal.ts'
import type { HoldStore, StoredHold } from './state/holds.ts'

/** The store of holds with the record in front of it: each change is recorded before it takes effect. */
export interface Ledger {
  /** The hold as it is now: what is out of time is expired. Throws Refusal `hold_unknown`. */
  current(id: string): StoredHold
  add(fresh: StoredHold): Promise<void>
  /** Throws Refusal `hold_closed` when another process was faster. */
  change(before: StoredHold, after: StoredHold, facts?: Facts): Promise<StoredHold>
  /** Ends a hold that nobody decided; one that is over stays as it is. */
  end(id: string, state: 'expired' | 'abandoned'): Promise<void>
}

export type Facts = Readonly<Record<string, unknown>>

export type LedgerParts = {
  readonly store: HoldStore
  readonly audit: Audit
  readonly observe: Observe
  readonly now: () => number
  /** Told of every hold whose state changed. */
  readonly changed: (stored: StoredHold) => void
}

/** Callers take turns: nothing here runs twice at once. */
export function ledger({ store, audit, observe, now, changed }: LedgerParts): Ledger {
  async function add(fresh: StoredHold): Promise<void> {
    const { parameters } = fresh.hold
    await record(fresh, 'pending', { parameters, digest: fresh.digest })
    store.insert(fresh)
    tell(fresh)
  }

  async function change(
    before: StoredHold,
    after: StoredHold,
    facts: Facts = {},
  ): Promise<StoredHold> {
    const next = { ...after, version: before.version + 1 }
    await record(next, next.hold.state, facts)
    if (!store.replace(next)) throw new Refusal('hold_closed', 'the hold has just changed')
    if (next.hold.state !== before.hold.state) {
      tell(next)
      changed(next)
    }
    return next
  }

  async function end(id: string, state: 'expired' | 'abandoned'): Promise<void> {
    const stored = store.get(id)
    const ends = state === 'expired' ? ['pending', 'approved'] : ['pending']
    if (stored === undefined || !ends.includes(stored.hold.state)) return
    await change(stored, { ...stored, hold: { ...stored.hold, state } })
  }

  function record(
    { hold, issuer }: StoredHold,
    state: HoldState,
    facts: Facts,
  ): undefined | Promise<void> {
    const { id, session, decision_id, resource, subject, approvers, min_approvals, bind } = hold
    const who = { resource, subject, issuer, approvers, min_approvals, bind }
    return audit.append({ kind: 'hold', session, decision_id, hold: id, state, ...who, ...facts })
  }

  function tell({ hold }: StoredHold): void {
    observe({ kind: 'hold', change: hold.state, resource: hold.resource, id: hold.id })
  }

  return {
    add,
    change,
    end,
    current(id) {
      const stored = store.get(id)
      if (stored === undefined) throw new Refusal('hold_unknown')
      return timely(stored, now())
    },
  }
}

/** What is out of time is expired, whether or not the sweeping got to it. */
export function timely(stored: StoredHold, nowMs: number): StoredHold {
  const { state, expires_ms } = stored.hold
  const open = state === 'pending' || state === 'approved'
  if (!open || nowMs < expires_ms) return stored
  return { ...stored, hold: { ...stored.hold, state: 'expired' } }
}
