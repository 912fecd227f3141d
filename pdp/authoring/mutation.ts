import type { Decision } from '../contract.ts'
import { changesBetween } from '../impact/difference.ts'
import type { Question } from './questions.ts'

/** Answers a question as a gate would, at that time. */
export type Ask = (input: unknown, atMs: number) => Decision

/** A key without which a question is decided weaker. snake_case: it is printed as JSON. */
export type Weakness = {
  readonly question: string
  /** Where the key or element is, as `subject.actor` or `action.objects.0`. */
  readonly without: string
  readonly changes: readonly string[]
  /** Policies whose word is missing or new: one of them takes absence for permission. */
  readonly policies: readonly string[]
  readonly before: Decision['effect']
  readonly after: Decision['effect']
}

/** What came of it. */
export type Mutated = {
  readonly questions: number
  readonly deletions: number
  /** How the questions themselves were decided. */
  readonly effects: Readonly<Record<Decision['effect'], number>>
  readonly weaknesses: readonly Weakness[]
  /** Weaknesses beyond the number that is kept. */
  readonly unlisted: number
}

const weaknessesMax = 1000

/** Drops every key and element of every question, one at a time, and looks for decisions that get weaker. */
export function mutate(questions: readonly Question[], ask: Ask, nowMs: number): Mutated {
  const effects = { allow: 0, hold: 0, deny: 0 }
  const weaknesses: Weakness[] = []
  let deletions = 0
  let unlisted = 0
  for (const { name, input, atMs = nowMs } of questions) {
    const before = ask(input, atMs)
    effects[before.effect] += 1
    for (const { path, without } of deletionsOf(input)) {
      deletions += 1
      const found = weaknessOf(before, ask(without, atMs))
      if (found === undefined) continue
      if (weaknesses.length >= weaknessesMax) unlisted += 1
      else weaknesses.push({ question: name, without: path, ...found })
    }
  }
  return { questions: questions.length, deletions, effects, weaknesses, unlisted }
}

function weaknessOf(
  before: Decision,
  after: Decision,
): Omit<Weakness, 'question' | 'without'> | undefined {
  const weaker = changesBetween(before, after).filter(({ direction }) => direction === 'weaker')
  if (weaker.length === 0) return undefined
  return {
    changes: weaker.map(({ what }) => what),
    policies: atFault(before, after),
    before: before.effect,
    after: after.effect,
  }
}

/** Who said something before that is not said any more; where nobody fell silent, who says something new. */
function atFault(before: Decision, after: Decision): readonly string[] {
  const silent = difference(wordsOf(before), wordsOf(after))
  const policies = silent.length > 0 ? silent : difference(wordsOf(after), wordsOf(before))
  // The library says no where nobody allows: who allows now is at fault.
  const own = policies.filter((rule) => rule !== 'postern')
  return own.length > 0 ? own : difference(wordsOf(after), wordsOf(before))
}

type Word = { readonly rule: string; readonly said: string }

function wordsOf({ reasons, masks, limits, quotas }: Decision): readonly Word[] {
  return [
    ...reasons.map(({ rule, code }) => ({ rule, said: code })),
    ...masks.map((mask) => ({ rule: mask.rule, said: JSON.stringify(mask) })),
    ...limits.map((limit) => ({
      rule: limit.rule ?? `the limit of ${limit.metric}`,
      said: JSON.stringify(limit),
    })),
    ...quotas.map((quota) => ({ rule: `the quota ${quota.name}`, said: JSON.stringify(quota) })),
  ]
}

function difference(some: readonly Word[], others: readonly Word[]): readonly string[] {
  const gone = some.filter(
    ({ rule, said }) => !others.some((other) => other.rule === rule && other.said === said),
  )
  return [...new Set(gone.map(({ rule }) => rule))].sort()
}

/** The value without one key or element, for every one there is. */
export function* deletionsOf(
  value: unknown,
): Generator<{ readonly path: string; readonly without: unknown }> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, below] of Object.entries(value)) {
    yield { path: key, without: removed(value, key) }
    for (const { path, without } of deletionsOf(below))
      yield { path: `${key}.${path}`, without: replaced(value, key, without) }
  }
}

function removed(value: object, key: string): unknown {
  if (Array.isArray(value)) return value.toSpliced(Number(key), 1)
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
}

function replaced(value: object, key: string, below: unknown): unknown {
  return Array.isArray(value) ? value.with(Number(key), below) : { ...value, [key]: below }
}
