import type { Limit, LimitRule, Limits } from './contract.ts'
import { Refusal } from './refusal.ts'

const none: Limits = {}

/** What an answer may cost at most: per metric the smallest maximum and the strictest way to exceed it. Throws Refusal. */
export function limitsOf(rules: readonly LimitRule[]): Limits {
  if (rules.length === 0) return none
  const limits: { rows?: Limit; bytes?: Limit; durationMs?: Limit } = {}
  for (const rule of rules) {
    const metric = metricOf(rule)
    limits[metric] = stricter(limits[metric], limitOf(rule))
  }
  return limits
}

function metricOf(rule: LimitRule): keyof Limits {
  switch (rule.metric) {
    case 'rows':
      return 'rows'
    case 'bytes':
      return 'bytes'
    case 'duration_ms':
      return 'durationMs'
    default:
      throw new Refusal('unsupported_obligation', 'policy limits something this gate cannot count')
  }
}

function limitOf(rule: LimitRule): Limit {
  if (!Number.isSafeInteger(rule.max) || rule.max < 0)
    throw new Refusal('unsupported_obligation', `policy gives no usable maximum of ${rule.metric}`)
  return {
    max: rule.max,
    exceed: rule.on_exceed === 'truncate' ? 'truncate' : 'deny',
    ...(rule.rule !== undefined && { rule: rule.rule }),
  }
}

function stricter(a: Limit | undefined, b: Limit): Limit {
  if (a === undefined) return b
  const deny = a.exceed === 'deny' || b.exceed === 'deny'
  return { ...(b.max < a.max ? b : a), exceed: deny ? 'deny' : 'truncate' }
}
