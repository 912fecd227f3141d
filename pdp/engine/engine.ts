import type { Decision, Declarations, Input } from '../contract.ts'
import type { Engine, Observe, PolicyBundle, Verdict } from '../parts.ts'
import { type Code, Refusal } from '../refusal.ts'
import { admission, type Question } from './admission.ts'
import { builtins } from './builtins.ts'
import { type DecisionCache, decisionCache } from './cache.ts'
import { codeOf, nothingDeclared } from './code.ts'
import { decisionOf, denial, freeze } from './decision.ts'
import { type Policy, type PolicyStatus, policy } from './policy.ts'
import {
  type Queried,
  type QueriedVerdict,
  type Queries,
  type Query,
  queries,
  timed,
} from './query.ts'
import { warm } from './warm.ts'

const cacheBytesDefault = 33_554_432

export type EngineOptions = {
  /** How long a bundle may serve without its source confirming it; undefined is without limit. */
  readonly staleAfterMs?: number
  /** Room for remembered decisions and the texts that name them; 0 remembers none. */
  readonly cacheBytesMax?: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly observe?: Observe
}

/** The engine as `/v1/status` and the metrics show it. */
export type EngineStatus = {
  readonly bundle?: {
    readonly name: string
    readonly revision: string
    readonly digest: string
    readonly sequence?: number
    readonly expires_ms?: number
    readonly activated_ms: number
    /** When its source last said that it is current. */
    readonly refreshed_ms: number
    readonly age_ms: number
    readonly stale: boolean
  } & PolicyStatus
  readonly evaluations: number
  readonly failures: number
  /** Why the latest `policy_failed` was one; holds no value of any input. */
  readonly last_failure?: { readonly at_ms: number; readonly problem: string }
  readonly cache: { readonly hits: number; readonly entries: number; readonly bytes: number }
}

/** The decision engine with its levers: only the owner of bundles pulls them. */
export interface ManagedEngine extends Engine {
  /**
   * Puts a bundle in charge between two decisions, once it was loaded, checked and warmed up. It counts as
   * confirmed now, or when the source last did: a kept bundle stays as stale as it was.
   * Throws an Error that says what is wrong with it; the running one then stays.
   */
  activate(bundle: PolicyBundle, confirmedMs?: number): Promise<void>
  /** The source confirmed that the active bundle is current, at this many milliseconds since the epoch. */
  refreshed(atMs: number): void
  /** Evaluates any document of the active bundle, for whoever asks without a command; nothing is remembered. */
  query(asked: Query): Promise<QueriedVerdict>
  status(): EngineStatus
}

type Active = {
  readonly bundle: PolicyBundle
  readonly origin: NonNullable<Verdict['bundle']>
  readonly policy: Policy
  /** An instance apart, so that whoever may ask anything cannot slow down or break the one that commands wait for. */
  readonly queries: Queries
  readonly cache: DecisionCache
  readonly said: Said
  readonly activatedMs: number
}

type Said = { readonly of: ReadonlyMap<string, Declarations>; readonly text: string }

/** The same objects where a bundle says the same as the one before, so that what was read with them holds. */
function saidBy({ data }: PolicyBundle, before: Active | undefined): Said {
  const text = JSON.stringify((data as { readonly code?: unknown } | undefined)?.code) ?? ''
  return before?.said.text === text ? before.said : { of: codeOf(data), text }
}

/** An engine without a bundle: it denies everything until one is activated. */
export function engine(options: EngineOptions = {}): ManagedEngine {
  const { staleAfterMs = Number.POSITIVE_INFINITY, cacheBytesMax = cacheBytesDefault } = options
  const { now = Date.now, observe = () => undefined } = options
  const questions = admission(cacheBytesMax / 4)
  let active: Active | undefined
  let refreshedMs = 0
  let turns = Promise.resolve()
  let evaluations = 0
  let failures = 0
  let hits = 0
  let lastFailure: EngineStatus['last_failure']

  return { evaluate, declarations, activate, refreshed, query, status }

  function declarations(resource: string): Declarations {
    return active?.said.of.get(resource) ?? nothingDeclared
  }

  function evaluate(input: Input): Verdict {
    const started = performance.now()
    const current = active
    let decision: Decision
    let cached = false
    try {
      const nowMs = now()
      if (current === undefined) decision = denials.no_bundle
      else if (stale(current, nowMs)) decision = denials.stale_bundle
      else {
        const question = questions.admit(input)
        const known = current.cache.get(question.blind) ?? current.cache.get(question.exact())
        cached = known !== undefined
        decision = known ?? decide(current, question, input, nowMs)
      }
    } catch (error) {
      decision = refused(error)
    }
    if (cached) hits++
    const ns = Math.round((performance.now() - started) * 1e6)
    if (current === undefined) return { decision, cached, ns }
    return { decision, bundle: current.origin, cached, ns }
  }

  function decide(current: Active, question: Question, input: Input, nowMs: number): Decision {
    evaluations++
    const answer = current.policy.evaluate(input, { nowNs: BigInt(nowMs) * 1_000_000n })
    if (answer.problem !== undefined) return failed(answer.problem, nowMs)
    if (answer.value === undefined) return failed('the decision is undefined', nowMs)
    const decision = decisionOf(answer.value)
    if (decision === undefined) return failed('the decision has an unknown shape', nowMs)
    if (!answer.impure && decision.effect !== 'hold')
      current.cache.set(answer.blind ? question.blind : question.exact(), freeze(decision))
    return decision
  }

  function failed(problem: string, atMs: number): Decision {
    failures++
    lastFailure = { at_ms: atMs, problem }
    return denials.policy_failed
  }

  function stale({ bundle }: Active, nowMs: number): boolean {
    return (
      nowMs - refreshedMs > staleAfterMs || nowMs >= (bundle.expiresMs ?? Number.POSITIVE_INFINITY)
    )
  }

  /** One after the other, so that the bundle given last is the one that stays. */
  function activate(bundle: PolicyBundle, confirmedMs = now()): Promise<void> {
    const turn = turns.then(() => takeOver(bundle, confirmedMs))
    turns = turn.catch(() => undefined)
    return turn
  }

  async function takeOver(bundle: PolicyBundle, confirmedMs: number): Promise<void> {
    const { name, revision, digest } = bundle
    try {
      const said = saidBy(bundle, active)
      const next = await policy(bundle, builtins)
      warm(next, now())
      const cache = decisionCache(cacheBytesMax / 2)
      const origin = { name, revision, digest }
      const asked = { policy: next, queries: queries(bundle) }
      active = { bundle, origin, ...asked, cache, said, activatedMs: now() }
      refreshedMs = Math.min(confirmedMs, now())
    } catch (error) {
      const message = error instanceof Error ? error.message : 'it could not be loaded'
      observe({ kind: 'bundle', change: 'refused', name, revision, message })
      const what = `bundle ${name} ${revision} cannot be activated: ${message}`
      throw new Error(what, { cause: error })
    }
    observe({ kind: 'bundle', change: 'activated', name, revision })
  }

  function refreshed(atMs: number): void {
    // Not beyond now: a time from the future would keep a bundle fresh that nobody confirms.
    refreshedMs = Math.max(refreshedMs, Math.min(atMs, now()))
  }

  function query(asked: Query): Promise<QueriedVerdict> {
    const nowMs = now()
    const live = active !== undefined && !stale(active, nowMs) ? active : undefined
    return timed(live?.queries.query(asked, nowMs) ?? undecided(active, asked), active?.origin)
  }

  function status(): EngineStatus {
    const nowMs = now()
    const fresh = { refreshedMs, nowMs, stale: active !== undefined && stale(active, nowMs) }
    return {
      ...(active && { bundle: bundleStatus(active, fresh) }),
      evaluations,
      failures,
      ...(lastFailure && { last_failure: lastFailure }),
      cache: { hits, ...(active?.cache.size() ?? { entries: 0, bytes: 0 }) },
    }
  }
}

type Freshness = { readonly refreshedMs: number; readonly nowMs: number; readonly stale: boolean }

function bundleStatus(current: Active, freshness: Freshness): NonNullable<EngineStatus['bundle']> {
  const { sequence, expiresMs } = current.bundle
  const { refreshedMs, nowMs, stale } = freshness
  return {
    ...current.origin,
    ...(sequence === undefined ? {} : { sequence }),
    ...(expiresMs === undefined ? {} : { expires_ms: expiresMs }),
    activated_ms: current.activatedMs,
    refreshed_ms: refreshedMs,
    age_ms: nowMs - refreshedMs,
    stale,
    ...current.policy.status(),
  }
}

const remedies = {
  no_bundle: 'ask the operator of this gate to provide a signed policy bundle',
  stale_bundle: 'ask the operator of this gate why no newer policy bundle arrives',
  policy_failed: 'ask the owners of the policy; the gate shows the cause under /v1/status',
} as const

const denials = {
  no_bundle: denial('no_bundle', undefined, remedies.no_bundle),
  stale_bundle: denial('stale_bundle', undefined, remedies.stale_bundle),
  policy_failed: denial('policy_failed', undefined, remedies.policy_failed),
} as const satisfies Partial<Record<Code, Decision>>

/** Where there is no policy to ask, the decision is the gate's own; any other document is not to be had. */
async function undecided(current: Active | undefined, { path }: Query): Promise<Queried> {
  const code = current === undefined ? 'no_bundle' : 'stale_bundle'
  return path.join('/') === 'postern/decision'
    ? { kind: 'value', value: denials[code] }
    : { kind: 'refused', refusal: new Refusal(code) }
}

/** A question that was not admitted is answered with its own code, everything unexpected as a failed policy. */
function refused(error: unknown): Decision {
  if (!(error instanceof Refusal)) return denials.policy_failed
  return denial(error.code, error.message, 'send a smaller or simpler command')
}
