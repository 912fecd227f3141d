import type {
  Asking,
  Command,
  Context,
  Decision,
  HoldRule,
  Input,
  Refused,
  Resource,
  Ruling,
  Secret,
  Subject,
} from './contract.ts'
import type { Approval, HoldDesk } from './hold.ts'
import { newId } from './id.ts'
import { type Judged, judge } from './judge.ts'
import { type Duties, duties } from './obligations.ts'
import { outcomes } from './outcomes.ts'
import type { Audit, Engine, Observe, Verdict } from './parts.ts'
import { questions } from './question.ts'
import type { Quotas } from './quota.ts'
import { decisionEntry, decisionHappening, denial } from './record.ts'
import { Refusal, refusalOf } from './refusal.ts'

/** What every session of a gate decides with. */
export type Court = {
  readonly engine: Engine
  readonly audit: Audit
  readonly quotas: Quotas
  readonly holds: HoldDesk
  readonly maskKey?: Secret
  readonly observe: Observe
  /** Put into every decision on record, e.g. the id and version of this gate. */
  readonly labels?: Readonly<Record<string, string>>
}

/** Whose commands they are. */
export type Party = {
  readonly session: string
  readonly subject: Subject
  readonly resource: Resource
  readonly context: Omit<Context, 'state'>
  /** Aborted when the client hangs up. */
  readonly gone: AbortSignal
  readonly tell?: (text: string) => void
  /** Aborted, with a Refusal as its reason, when the session must end. */
  readonly ended: AbortSignal
  /** Why the session is over, if it is: asked before each command. */
  over(): Refusal | undefined
}

/** The one way every question goes, from login to the last command. */
export interface Pipeline {
  /** As Session.ask, for either phase. */
  ask(phase: Input['phase'], command: Command, asking?: Asking): Ruling | Promise<Ruling>
  /** Refuses whatever is asked from now on, abandons what waits, and records what has no outcome. Idempotent. */
  close(): void
}

type Asked = {
  readonly id: string
  readonly phase: Input['phase']
  readonly input: Input
  readonly asking: Asking
}

const noAsking: Asking = {}

/**
 * Decides for one party, synchronously where nothing has to be waited for. The order is the point: policy, what this
 * gate can do, quotas, the record, people, and then policy again. Nothing happens before it is on record.
 */
export function pipeline(court: Court, party: Party): Pipeline {
  const { engine, audit, quotas, holds, observe } = court
  const { session, subject, resource } = party
  const question = questions(subject, resource, party.context)
  const spender = { subject, session, resource }
  const judged = judge(duties(party.context.capabilities, court.maskKey), quotas, spender)
  const running = outcomes({ audit, observe, quotas, spender })
  const closing = new AbortController()

  function ask(
    phase: Input['phase'],
    command: Command,
    asking: Asking = noAsking,
  ): Ruling | Promise<Ruling> {
    const id = newId()
    try {
      const asked = { id, phase, input: question.about(phase, command), asking }
      const verdict = verdictOn(asked)
      const ruling = record(asked, verdict, judged(verdict, asking))
      return ruling instanceof Promise ? ruling.catch((error) => failed(id, error)) : ruling
    } catch (error) {
      return failed(id, error)
    }
  }

  function verdictOn({ input }: Asked): Verdict {
    const refusal = over()
    return refusal === undefined ? engine.evaluate(input) : denial(refusal)
  }

  function over(): Refusal | undefined {
    if (closing.signal.aborted) return new Refusal('session_ended')
    if (running.full) return new Refusal('quota_exceeded', 'too many commands at once')
    return party.over()
  }

  /** Puts the decision on record; what it says happens only after that. */
  function record(
    asked: Asked,
    verdict: Verdict,
    next: Judged,
    approval?: Approval,
  ): Ruling | Promise<Ruling> {
    const decided = {
      session,
      id: asked.id,
      input: asked.input,
      verdict,
      refusal: next.at === 'refused' ? next.refusal : undefined,
      prepare: asked.asking.prepare === true,
      labels: court.labels,
      hold: approval && { id: approval.id, approved_by: approval.approvedBy },
    }
    const written = audit.append(decisionEntry(decided))
    observe(decisionHappening(decided))
    if (written === undefined) return carryOut(asked, verdict.decision, next)
    return written.then(() => carryOut(asked, verdict.decision, next))
  }

  function carryOut(asked: Asked, decision: Decision, next: Judged): Ruling | Promise<Ruling> {
    switch (next.at) {
      case 'refused':
        return refused(asked.id, next.refusal)
      case 'waits':
        return release(asked, decision, next.rule)
      case 'passes':
        return allow(asked, decision, next.duties)
    }
  }

  /** Waits for people, then decides again: a policy that changed meanwhile wins. */
  async function release(asked: Asked, decision: Decision, rule: HoldRule): Promise<Ruling> {
    const { signal, parameters = [] } = asked.asking
    const signals = [party.gone, party.ended, closing.signal]
    const approval = await holds.wait({
      ...spender,
      rule,
      parameters,
      context: asked.input.context,
      command: asked.input.action,
      decisionId: asked.id,
      reasons: decision.reasons,
      signals: signal === undefined ? signals : [...signals, signal],
      ...(party.tell === undefined ? {} : { tell: party.tell }),
    })
    const verdict = verdictOn(asked)
    const next = judged(verdict, asked.asking, approval)
    return record(asked, verdict, await used(holds, approval, next), approval)
  }

  function allow({ id, phase, asking }: Asked, decision: Decision, owed: Duties): Ruling {
    // The record, or a person, may have taken their time.
    const late = over()
    if (late !== undefined) return refused(id, late)
    const { mask, limits } = owed
    const runs = phase === 'command' && asking.prepare !== true
    const done = runs ? running.started(id, decision) : nothingRan
    return { allowed: true, id, mask, limits, obligations: decision.obligations, done }
  }

  function failed(id: string, error: unknown): Refused {
    const shown = refusalOf(error)
    if (!(error instanceof Refusal) || ours.has(shown.code))
      observe({ kind: 'failure', resource: resource.id, session, code: shown.code, error })
    return refused(id, shown)
  }

  return {
    ask,
    close() {
      if (closing.signal.aborted) return
      closing.abort(new Refusal('hold_abandoned'))
      running.close()
    },
  }
}

/** Refusals that mean that something of ours is broken: the log must know. */
const ours: ReadonlySet<string> = new Set([
  'audit_unavailable',
  'state_unavailable',
  'internal_error',
])

function nothingRan(): void {}

/** Uses up the approval of a command that passes: somebody else may have been faster. */
async function used(holds: HoldDesk, approval: Approval, next: Judged): Promise<Judged> {
  if (next.at !== 'passes') return next
  try {
    await holds.use(approval)
    return next
  } catch (error) {
    if (error instanceof Refusal) return { at: 'refused', refusal: error }
    throw error
  }
}

function refused(id: string, { code, message, detail }: Refusal): Refused {
  return { allowed: false, id, refusal: new Refusal(code, message, { ...detail, decision: id }) }
}
