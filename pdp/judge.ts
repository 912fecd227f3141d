import type { Asking, Decision, HoldRule } from './contract.ts'
import type { Approval } from './hold.ts'
import type { Duties } from './obligations.ts'
import type { Verdict } from './parts.ts'
import type { Quotas, Spender } from './quota.ts'
import { denied } from './record.ts'
import { Refusal } from './refusal.ts'

/** What is to be done about a question, before it is on record. */
export type Judged =
  | { readonly at: 'refused'; readonly refusal: Refusal }
  | { readonly at: 'waits'; readonly rule: HoldRule }
  | { readonly at: 'passes'; readonly duties: Duties }

/**
 * Weighs a verdict: policy first, then whether this gate can do what it asks, then what is left of quotas.
 * `approval` is what people said, once a held command is decided again.
 */
export function judge(
  dutiesOf: (decision: Decision) => Duties,
  quotas: Quotas,
  spender: Spender,
): (verdict: Verdict, asking: Asking, approval?: Approval) => Judged {
  function weigh(decision: Decision, asking: Asking, approval?: Approval): Judged {
    if (decision.effect === 'deny') throw denied(decision)
    const rule = ruleOf(decision)
    const passes: Judged = { at: 'passes', duties: dutiesOf(decision) }
    if (asking.prepare === true) return passes
    if (rule !== undefined && approval === undefined) {
      // Only looked at: it is counted when it runs.
      none(quotas.check(decision.quotas, spender))
      return { at: 'waits', rule }
    }
    if (rule !== undefined && approval?.covers(rule) !== true) throw outdated()
    none(quotas.take(decision.quotas, spender))
    return passes
  }

  return ({ decision }, asking, approval) => {
    try {
      return weigh(decision, asking, approval)
    } catch (error) {
      if (error instanceof Refusal) return { at: 'refused', refusal: error }
      throw error
    }
  }
}

/** What must be waited for. Throws Refusal for a decision that is none. */
function ruleOf({ effect, hold }: Decision): HoldRule | undefined {
  if (effect === 'allow') return undefined
  if (effect === 'hold' && hold !== undefined) return hold
  throw new Refusal('policy_failed')
}

function none(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw refusal
}

function outdated(): Refusal {
  return new Refusal(
    'hold_expired',
    'policy changed while the command waited, and asks for more than was approved',
    { remedy: 'send the command again' },
  )
}
