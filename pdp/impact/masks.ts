import type { MaskRule } from '../contract.ts'
import { type Change, canonical, counted, ranked, type Terms, termChanges } from './change.ts'

/** From the mask that shows least to the one that shows most. */
const methods: readonly string[] = ['null', 'redact', 'hash', 'tokenize', 'partial']
const conditions = ['deny', 'hold', 'allow'] as const
const counts: readonly string[] = ['keep_first', 'keep_last']

/** How the masks of two decisions differ, per column, entity or path. */
export function maskChanges(
  before: readonly MaskRule[],
  after: readonly MaskRule[],
): readonly Change[] {
  return termChanges(masks, strictest(before), strictest(after))
}

const masks: Terms<MaskRule> = { name: 'mask', key: target, changes: changesOf }

/** One mask per target, as a gate enforces them: the strictest method and the strictest condition. */
function strictest(rules: readonly MaskRule[]): readonly MaskRule[] {
  const found = new Map<string, MaskRule>()
  for (const rule of rules) {
    const other = found.get(target(rule))
    found.set(target(rule), other === undefined ? rule : stricter(other, rule))
  }
  return [...found.values()]
}

function stricter(one: MaskRule, other: MaskRule): MaskRule {
  const stronger = methods.indexOf(other.method) < methods.indexOf(one.method) ? other : one
  const said = conditions.find((word) => [one, other].some((rule) => rule.on_predicate === word))
  return { ...stronger, on_predicate: said ?? 'deny' }
}

function target({ column, entity, path }: MaskRule): string {
  return column ?? entity ?? path ?? ''
}

function changesOf(before: MaskRule, after: MaskRule): readonly Change[] {
  const name = `mask of ${target(before)}`
  const method = ranked(name, methods, before.method, after.method)
  return [
    ...(method.length > 0 ? method : argumentChanges(name, before, after)),
    ...ranked(`${name} on_predicate`, conditions, before.on_predicate, after.on_predicate),
  ]
}

function argumentChanges(name: string, before: MaskRule, after: MaskRule): readonly Change[] {
  const [old, fresh] = [before.args ?? {}, after.args ?? {}]
  if (canonical(old) === canonical(fresh)) return []
  // A constant in place of another says as little.
  if (before.method !== 'partial') return [{ direction: 'other', what: `${name}: other arguments` }]
  if (!isCounts(old) || !isCounts(fresh))
    return [{ direction: 'weaker', what: `${name}: other arguments` }]
  return counts.flatMap((count) => counted(`${name} ${count}`, old[count] ?? 0, fresh[count] ?? 0))
}

/** Whether nothing but counts says what is shown: the rest cannot be compared. */
function isCounts(args: Readonly<Record<string, unknown>>): args is Record<string, number> {
  const entries = Object.entries(args)
  return (
    entries.length > 0 &&
    entries.every(([name, value]) => counts.includes(name) && typeof value === 'number')
  )
}
