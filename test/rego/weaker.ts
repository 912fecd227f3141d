import type { Decision, HoldRule, LimitRule, MaskRule, QuotaRule } from '../../pdp/contract.ts'

const effects = ['allow', 'hold', 'deny']
const methods = ['partial', 'tokenize', 'hash', 'redact', 'null']
const predicates = ['allow', 'hold', 'deny']
const bindings = ['session', 'shape', 'exact']

/** In what `after` protects less than `before`; undefined when it protects at least as much. */
export function weaker(before: Decision, after: Decision): string | undefined {
  if (effects.indexOf(after.effect) < effects.indexOf(before.effect))
    return `${before.effect} became ${after.effect}`
  if (after.effect === 'deny') return undefined
  return (
    lost('mask', before.masks, after.masks, covers) ??
    lost('limit', before.limits, after.limits, bounds) ??
    lost('quota', before.quotas, after.quotas, counts) ??
    lost('obligation', before.obligations, after.obligations, same) ??
    (before.effect === 'hold' ? looser(before.hold, after.hold) : undefined)
  )
}

function lost<T>(
  kind: string,
  before: readonly T[],
  after: readonly T[],
  protects: (old: T, now: T) => boolean,
): string | undefined {
  const gone = before.find((old) => !after.some((now) => protects(old, now)))
  return gone === undefined ? undefined : `${kind} ${JSON.stringify(gone)} is gone or weaker`
}

function covers(old: MaskRule, now: MaskRule): boolean {
  return (
    now.column === old.column &&
    now.entity === old.entity &&
    now.path === old.path &&
    methods.indexOf(now.method) >= methods.indexOf(old.method) &&
    predicates.indexOf(now.on_predicate) >= predicates.indexOf(old.on_predicate)
  )
}

function bounds(old: LimitRule, now: LimitRule): boolean {
  const strict = now.on_exceed === 'deny' || old.on_exceed === 'truncate'
  return now.metric === old.metric && now.max <= old.max && strict
}

function counts(old: QuotaRule, now: QuotaRule): boolean {
  const sameThing = now.name === old.name && now.per === old.per && now.metric === old.metric
  return sameThing && now.max <= old.max && now.window_s >= old.window_s
}

function same(old: unknown, now: unknown): boolean {
  return JSON.stringify(old) === JSON.stringify(now)
}

function looser(before: HoldRule | undefined, after: HoldRule | undefined): string | undefined {
  if (before === undefined || after === undefined) return 'a hold without its terms'
  const kept =
    after.approvers.every((group) => before.approvers.includes(group)) &&
    after.min_approvals >= before.min_approvals &&
    bindings.indexOf(after.bind) >= bindings.indexOf(before.bind) &&
    after.ttl_s <= before.ttl_s &&
    after.wait_s <= before.wait_s
  return kept ? undefined : `hold ${JSON.stringify(before)} became ${JSON.stringify(after)}`
}
