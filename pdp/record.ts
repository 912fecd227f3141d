import type { Decision, Input, Outcome } from './contract.ts'
import type { AuditEntry, Happening, Verdict } from './parts.ts'
import { type Code, codes, Refusal } from './refusal.ts'

/** A decision and what became of it, for the record. Field names are those of OPA's decision log. */
export type Decided = {
  readonly session: string
  readonly id: string
  readonly input: Input
  readonly verdict: Verdict
  /** Why the gate refused although policy did not, or policy's own denial. */
  readonly refusal: Refusal | undefined
  readonly prepare: boolean
  readonly labels: Readonly<Record<string, string>> | undefined
  /** The approval that let a held command pass. */
  readonly hold: { readonly id: string; readonly approved_by: readonly string[] } | undefined
}

/** The entry of one decision: written before anything happens because of it. */
export function decisionEntry(decided: Decided): AuditEntry {
  const { verdict, refusal, hold, prepare, labels } = decided
  const { bundle, decision, cached, ns } = verdict
  return {
    kind: 'decision',
    session: decided.session,
    decision_id: decided.id,
    path: 'postern/decision',
    input: decided.input,
    result: decision,
    bundles: bundle && bundlesOf(bundle),
    metrics: { timer_rego_query_eval_ns: ns },
    labels,
    cached: cached || undefined,
    prepare: prepare || undefined,
    hold,
    // A denial is all in its result; this is for what the gate refused against an allow or a hold.
    refused:
      refusal && decision.effect !== 'deny'
        ? { code: refusal.code, message: refusal.message }
        : undefined,
  }
}

type Bundle = NonNullable<Verdict['bundle']>

const bundles = new WeakMap<Bundle, Readonly<Record<string, object>>>()

/** The same immutable object in every decision of one bundle, so that the record can keep its text. */
function bundlesOf(bundle: Bundle): Readonly<Record<string, object>> {
  const known = bundles.get(bundle)
  if (known !== undefined) return known
  const made = Object.freeze({ [bundle.name]: Object.freeze({ revision: bundle.revision }) })
  bundles.set(bundle, made)
  return made
}

/** The same for log and metrics, without the question. */
export function decisionHappening(decided: Decided): Happening {
  const { session, input, verdict, refusal, hold } = decided
  const { decision, cached, ns } = verdict
  const [reason] = decision.reasons
  // Held once, then let through: two decisions, the second of which is an allow to whoever counts them.
  const effect = hold === undefined ? decision.effect : 'allow'
  const own = refusal !== undefined && decision.effect !== 'deny'
  return {
    kind: 'decision',
    resource: input.resource.id,
    session,
    effect: refusal === undefined ? effect : 'deny',
    rule: own ? 'postern' : (reason?.rule ?? 'postern'),
    code: own ? refusal.code : (reason?.code ?? decision.effect),
    cached,
    ns,
  }
}

/** How a command ended; without an outcome when nobody said. */
export function outcomeEntry(
  session: string,
  decisionId: string,
  outcome: (Outcome & { readonly ms: number }) | undefined,
): AuditEntry {
  const told = outcome ?? { error: 'unknown' }
  return { kind: 'outcome', session, decision_id: decisionId, ...told }
}

/** What the client of a denied command reads: the library's own code where it is one, else `denied`. */
export function denied(decision: Decision): Refusal {
  const [reason] = decision.reasons
  if (reason === undefined) return new Refusal('policy_failed')
  const own = reason.rule === 'postern' && Object.hasOwn(codes, reason.code)
  return new Refusal(own ? (reason.code as Code) : 'denied', reason.message, {
    rule: reason.rule,
    reasons: decision.reasons,
    ...(reason.remedy === undefined ? {} : { remedy: reason.remedy }),
  })
}

/** The verdict on a question that policy is not asked any more. */
export function denial({ code, message }: Refusal): Verdict {
  return {
    decision: {
      effect: 'deny',
      reasons: [{ rule: 'postern', code, message }],
      masks: [],
      limits: [],
      quotas: [],
      obligations: [],
    },
    cached: false,
    ns: 0,
  }
}
