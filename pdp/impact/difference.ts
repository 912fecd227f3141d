import type { Decision, HoldRule, LimitRule, Obligation, QuotaRule, Reason } from '../contract.ts'
import {
  type Change,
  canonical,
  counted,
  type Direction,
  ranked,
  type Terms,
  termChanges,
} from './change.ts'
import { maskChanges } from './masks.ts'

const effects = ['deny', 'hold', 'allow'] as const
const binds = ['exact', 'shape', 'session'] as const

/** How the second decision differs from the first; empty when it asks for the same. */
export function changesBetween(before: Decision, after: Decision): readonly Change[] {
  if (before === after) return []
  const effect = ranked('effect', effects, before.effect, after.effect)
  const said = effect.length > 0 ? [] : reasonChanges(before.reasons, after.reasons)
  // Where nothing passes on one side, there is nothing else to compare.
  if (before.effect === 'deny' || after.effect === 'deny') return [...effect, ...said]
  return [
    ...effect,
    ...maskChanges(before.masks, after.masks),
    ...termChanges(limits, before.limits, after.limits),
    ...termChanges(quotas, before.quotas, after.quotas),
    ...termChanges(obligations, before.obligations, after.obligations),
    ...holdChanges(before.hold, after.hold),
    ...said,
  ]
}

/** All changes in one word: a single weaker one makes the whole weaker. */
export function directionOf(changes: readonly Change[]): Direction | 'same' {
  if (changes.length === 0) return 'same'
  const has = (direction: Direction) => changes.some((change) => change.direction === direction)
  if (has('weaker')) return 'weaker'
  return has('stronger') ? 'stronger' : 'other'
}

const limits: Terms<LimitRule> = {
  name: 'limit',
  key: ({ metric }) => metric,
  changes: (before, after) => [
    ...counted(`limit of ${before.metric}`, before.max, after.max),
    ...ranked(
      `limit of ${before.metric} on_exceed`,
      ['deny', 'truncate'],
      before.on_exceed,
      after.on_exceed,
    ),
  ],
}

const quotas: Terms<QuotaRule> = {
  name: 'quota',
  key: ({ name, per, metric }) => `${name}, ${metric} per ${per}`,
  changes: (before, after) => {
    const what = `quota ${before.name}, ${before.metric} per ${before.per}`
    return [
      ...counted(what, before.max, after.max),
      ...counted(`${what}, window_s`, before.window_s, after.window_s, 'stronger'),
    ]
  },
}

const obligations: Terms<Obligation> = {
  name: 'obligation',
  key: ({ name, args }) => (args === undefined ? name : `${name} ${canonical(args)}`),
  changes: () => [],
}

function holdChanges(before: HoldRule | undefined, after: HoldRule | undefined): readonly Change[] {
  if (before === undefined || after === undefined) return []
  const { wait_s: wait } = before
  return [
    ...counted('hold min_approvals', before.min_approvals, after.min_approvals, 'stronger'),
    ...approverChanges(before.approvers, after.approvers),
    ...ranked('hold bind', binds, before.bind, after.bind),
    ...counted('hold ttl_s', before.ttl_s, after.ttl_s),
    ...(wait === after.wait_s
      ? []
      : [{ direction: 'other', what: `hold wait_s ${wait} to ${after.wait_s}` } as const]),
  ]
}

/** One group more is more people who may agree. */
function approverChanges(before: readonly string[], after: readonly string[]): readonly Change[] {
  const more = after.filter((group) => !before.includes(group))
  const fewer = before.filter((group) => !after.includes(group))
  return [
    ...more.map(
      (group) => ({ direction: 'weaker', what: `hold approver added: ${group}` }) as const,
    ),
    ...fewer.map(
      (group) => ({ direction: 'stronger', what: `hold approver dropped: ${group}` }) as const,
    ),
  ]
}

/** Another reason for the same: nothing else happens, but clients read it. */
function reasonChanges(before: readonly Reason[], after: readonly Reason[]): readonly Change[] {
  const [old, fresh] = [named(before), named(after)]
  return old === fresh ? [] : [{ direction: 'other', what: `because of ${old} to ${fresh}` }]
}

function named(reasons: readonly Reason[]): string {
  const names = new Set(reasons.map(({ rule, code }) => `${rule}/${code}`))
  return [...names].sort().join(', ') || 'nothing'
}
