import { actorIds, type Bound, digestOf } from './bind.ts'
import type { HoldRule, Reason } from './contract.ts'
import { newId } from './id.ts'
import type { Hold } from './parts.ts'
import { Refusal } from './refusal.ts'
import type { StoredHold } from './state/holds.ts'

/** A command that policy wants a person to see. */
export type Asked = Omit<Bound, 'bind'> & {
  readonly rule: HoldRule
  readonly decisionId: string
  readonly reasons: readonly Reason[]
  /** The wait is abandoned when one of them aborts; a Refusal as its reason is what the client reads. */
  readonly signals: readonly AbortSignal[]
  readonly tell?: (text: string) => void
}

/** More than a reviewer can read, and what the store keeps of one hold at most. */
const shownBytesMax = 256 * 1024
const ttlSMax = 7 * 24 * 60 * 60
/** setTimeout cannot wait longer. */
const waitMsMax = 2 ** 31 - 1

/** The hold of a command, pending and without votes. Throws Refusal `input_too_large` when no reviewer could read it. */
export function newHold(asked: Asked, nowMs: number): StoredHold {
  const { command, parameters, rule, subject } = asked
  const text = command.text ?? command.name
  if (Buffer.byteLength(text) + sizeOf(parameters) > shownBytesMax)
    throw new Refusal('input_too_large', 'the command is too large for a person to review')
  const actors = actorIds(subject)
  const hold: Hold = {
    id: newId(),
    state: 'pending',
    session: asked.session,
    decision_id: asked.decisionId,
    subject: subject.id,
    ...(actors[0] === undefined ? {} : { actor: actors[0] }),
    resource: asked.resource.id,
    text,
    parameters,
    effects: command.effects,
    objects: command.objects.map(({ name }) => name),
    reasons: asked.reasons,
    approvers: rule.approvers,
    min_approvals: Math.max(1, rule.min_approvals),
    bind: rule.bind,
    created_ms: nowMs,
    expires_ms: nowMs + bounded(rule.ttl_s, ttlSMax) * 1000,
    votes: [],
  }
  const digest = digestOf({ ...asked, bind: rule.bind })
  return { hold, issuer: subject.issuer, actors, digest, voters: [], version: 1 }
}

/** Whether approval of this hold is all that `rule` asks for: as binding, by as many, by nobody outside its groups. */
export function covers({ hold }: StoredHold, rule: HoldRule): boolean {
  return (
    hold.bind === rule.bind &&
    hold.min_approvals >= rule.min_approvals &&
    hold.approvers.every((group) => rule.approvers.includes(group))
  )
}

/** How long a client may wait in place, in milliseconds: `wait_s`, but not past the hold's own end. */
export function waitOf(hold: Hold, rule: HoldRule, nowMs: number): number {
  const waitMs = bounded(rule.wait_s, ttlSMax) * 1000
  return Math.max(0, Math.min(waitMs, hold.expires_ms - nowMs, waitMsMax))
}

/** What a client is told at once when its command waits. */
export function waitingText(hold: Hold, waitMs: number): string {
  const who = hold.approvers.join(', ')
  return `held: waiting for approval by ${who} (hold ${hold.id}), up to ${Math.ceil(waitMs / 1000)} s`
}

/** Why nobody can answer or use a hold any more. */
export function closedText(hold: Hold): string {
  return hold.state === 'used'
    ? 'the approval was already used'
    : `the hold is no longer pending: it is ${hold.state}`
}

/** What the client of a hold that is not approved reads. */
export function refusalFor(hold: Hold, nowMs: number): Refusal {
  const ticket = { ticket: hold.id }
  switch (hold.state) {
    case 'pending': {
      const leftS = Math.max(0, Math.ceil((hold.expires_ms - nowMs) / 1000))
      const message = `waits for approval by ${hold.approvers.join(', ')} (hold ${hold.id})`
      const remedy = `run the same command again once it is approved, within ${leftS} s`
      return new Refusal('hold_pending', message, { ...ticket, remedy })
    }
    case 'refused': {
      const last = hold.votes.at(-1)
      const note = last?.note === undefined ? '' : `: ${last.note}`
      return new Refusal('hold_refused', `refused by ${last?.by ?? 'a reviewer'}${note}`, ticket)
    }
    case 'expired':
      return new Refusal('hold_expired', undefined, ticket)
    case 'abandoned':
      return new Refusal('hold_abandoned', undefined, ticket)
    case 'approved':
    case 'used':
      return new Refusal('hold_closed', closedText(hold), ticket)
  }
}

function sizeOf(parameters: readonly (string | null)[]): number {
  return parameters.reduce((sum, value) => sum + Buffer.byteLength(value ?? ''), 0)
}

/** Zero for what is no number. */
function bounded(seconds: number, max: number): number {
  return seconds > 0 ? Math.min(seconds, max) : 0
}
