import { mustBeApprover, voterOf } from './approver.ts'
import type { HoldRule, Subject } from './contract.ts'
import { type Asked, closedText, covers, newHold, refusalFor, waitingText, waitOf } from './held.ts'
import { ledger, timely } from './ledger.ts'
import { inOrder } from './order.ts'
import type { Audit, Hold, Holds, Observe, Vote } from './parts.ts'
import { Refusal } from './refusal.ts'
import type { HoldStore, StoredHold } from './state/holds.ts'
import { sweeper } from './sweeper.ts'
import { reasonOf, waitFor } from './waiting.ts'

/** The desk where commands wait for people: reviewers see Holds, sessions wait. */
export interface HoldDesk extends Holds {
  /** Resolves when people approved. Throws Refusal: refused, expired, abandoned, or still pending (a ticket) after `wait_s`. */
  wait(asked: Asked): Promise<Approval>
  /** Uses up an approval, once and for all unless it is bound to the session. Throws Refusal when it is gone. */
  use(approval: Approval): Promise<void>
  /** Stops the sweeping and closes the store. */
  close(): void
}

export type Approval = {
  readonly id: string
  readonly approvedBy: readonly string[]
  /** Whether it satisfies what policy asks for now. */
  covers(rule: HoldRule): boolean
}

export type HoldParts = {
  readonly store: HoldStore
  readonly audit: Audit
  readonly observe: Observe
  readonly now?: () => number
  /** Commands waiting at once, over all sessions. */
  readonly pendingMax?: number
  /** Commands waiting at once for one subject, so that nobody crowds out the others. */
  readonly pendingPerSubjectMax?: number
  readonly sweepMs?: number
}

const listMax = 1000
const queueMax = 10_000
const noteCharsMax = 2000

/** Keeps holds in a store and on the record, and lets sessions wait for their end. */
export function holds(parts: HoldParts): HoldDesk {
  const { store, audit, observe, now = Date.now } = parts
  const { pendingMax = 1000, pendingPerSubjectMax = 20, sweepMs = 5000 } = parts
  const waiters = new Map<string, (stored: StoredHold) => void>()
  const changed = (stored: StoredHold): void => waiters.get(stored.hold.id)?.(stored)
  const book = ledger({ store, audit, observe, now, changed })
  const inTurn = inOrder(queueMax)
  const stopSweeping = sweeper({
    sweepMs,
    due: (max) => store.due(now(), max),
    expire: (id) => inTurn(() => book.end(id, 'expired')),
    prune: (keepMs, max) => store.prune(now() - keepMs, max),
    failed: (error) => observe({ kind: 'failure', resource: '', code: 'state_unavailable', error }),
  })

  async function wait(asked: Asked): Promise<Approval> {
    if (asked.signals.some((signal) => signal.aborted)) throw reasonOf(asked.signals)
    const answer = Promise.withResolvers<StoredHold>()
    const stored = await inTurn(async () => {
      const claimed = await claim(asked)
      if (claimed.hold.state === 'pending') waiters.set(claimed.hold.id, answer.resolve)
      return claimed
    })
    if (stored.hold.state === 'approved') return approvalOf(stored)
    try {
      return await waitHere(stored, asked, answer.promise)
    } finally {
      waiters.delete(stored.hold.id)
    }
  }

  /** Takes over an approval or an orphaned hold for the same thing, or makes a new one. */
  async function claim(asked: Asked): Promise<StoredHold> {
    const fresh = newHold(asked, now())
    for (const known of store.open(fresh.digest, now())) {
      const free = known.hold.state === 'approved' || !waiters.has(known.hold.id)
      if (free && covers(known, asked.rule)) return known
    }
    const { all, own } = store.pending(now(), fresh.issuer, fresh.hold.subject)
    if (all >= pendingMax || own >= pendingPerSubjectMax)
      throw new Refusal('quota_exceeded', 'too many commands wait for approval; try again later')
    await book.add(fresh)
    return fresh
  }

  async function waitHere(
    { hold }: StoredHold,
    asked: Asked,
    answer: Promise<StoredHold>,
  ): Promise<Approval> {
    const waitMs = waitOf(hold, asked.rule, now())
    if (waitMs > 0) asked.tell?.(waitingText(hold, waitMs))
    const end = await waitFor(answer, waitMs, asked.signals)
    if (end.at === 'abandoned') {
      await inTurn(() => book.end(hold.id, 'abandoned'))
      throw end.refusal
    }
    const latest = end.at === 'answer' ? end.answer : book.current(hold.id)
    if (latest.hold.state !== 'approved') throw refusalFor(latest.hold, now())
    const approval = approvalOf(latest)
    asked.tell?.(`approved by ${approval.approvedBy.join(', ')}`)
    return approval
  }

  async function vote(id: string, reviewer: Subject, cast: Omit<Vote, 'by'>): Promise<Hold> {
    const stored = book.current(id)
    mustBeApprover(stored, reviewer)
    if (stored.hold.state !== 'pending') throw new Refusal('hold_closed', closedText(stored.hold))
    const voter = voterOf(reviewer)
    if (cast.verdict === 'approve' && stored.voters.includes(voter)) return stored.hold
    const after = voted(stored, voter, { by: reviewer.id, ...cast })
    const { verdict, note } = cast
    const facts = { reviewer: reviewer.id, reviewer_issuer: reviewer.issuer, verdict, note }
    return (await book.change(stored, after, facts)).hold
  }

  async function use({ id }: Approval): Promise<void> {
    const stored = book.current(id)
    if (stored.hold.state !== 'approved')
      throw new Refusal('hold_closed', closedText(stored.hold), { ticket: id })
    if (stored.hold.bind === 'session') return
    await book.change(stored, { ...stored, hold: { ...stored.hold, state: 'used' } })
  }

  return {
    wait,
    use: (approval) => inTurn(() => use(approval)),
    vote: (id, reviewer, verdict, note) =>
      inTurn(() => vote(id, reviewer, { verdict, at_ms: now(), ...noteOf(note) })),
    get(id) {
      const stored = store.get(id)
      return stored === undefined ? undefined : timely(stored, now()).hold
    },
    list: (filter = {}) =>
      store
        .list({ ...filter, nowMs: now(), max: listMax })
        .map((stored) => timely(stored, now()).hold),
    close() {
      stopSweeping()
      store.close()
    },
  }
}

function noteOf(note: string | undefined): { readonly note?: string } {
  return note === undefined || note === '' ? {} : { note: note.slice(0, noteCharsMax) }
}

function voted(stored: StoredHold, voter: string, cast: Vote): StoredHold {
  const { hold } = stored
  const votes = [...hold.votes, cast]
  const enough = votes.length >= hold.min_approvals
  const state = cast.verdict === 'refuse' ? 'refused' : enough ? 'approved' : 'pending'
  return { ...stored, voters: [...stored.voters, voter], hold: { ...hold, votes, state } }
}

function approvalOf(stored: StoredHold): Approval {
  return {
    id: stored.hold.id,
    approvedBy: stored.hold.votes.map(({ by }) => by),
    covers: (rule) => covers(stored, rule),
  }
}
