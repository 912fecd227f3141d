/** Questions beside the data path: any document of the active bundle, asked in an instance of its own. */
import type { PolicyBundle, Verdict } from '../parts.ts'
import { Refusal } from '../refusal.ts'
import { admission } from './admission.ts'
import { builtins } from './builtins.ts'
import { decisionOf, denial } from './decision.ts'
import { type Answer, type Policy, policy } from './policy.ts'

/** A document to evaluate: `['postern', 'decision', 'effect']` is `data.postern.decision.effect`. */
export type Query = {
  readonly path: readonly string[]
  /** Undefined is a question without an input. */
  readonly input: unknown
  /** A builtin that fails is an error, not undefined. */
  readonly strict?: boolean
}

/** What came of it. Errors never hold a value of the input. */
export type Queried =
  | { readonly kind: 'value'; readonly value: unknown }
  /** Evaluated, and undefined. */
  | { readonly kind: 'undefined' }
  /** Data of the bundle that no rule has a part in as far as the module shows; undefined where there is none. */
  | { readonly kind: 'data'; readonly value: unknown }
  /** A document that only OPA could put together; `entrypoints` are those that can be asked for. */
  | { readonly kind: 'unanswerable'; readonly entrypoints: readonly string[] }
  | { readonly kind: 'failed'; readonly code: EvaluationCode; readonly problem: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** OPA's codes of an evaluation that ended in an error. */
export type EvaluationCode = 'eval_conflict_error' | 'eval_builtin_error' | 'eval_internal_error'

/** What can be asked of one bundle. */
export interface Queries {
  /** Never rejects. `nowMs` is the time that the policy sees. */
  query(asked: Query, nowMs: number): Promise<Queried>
}

export type QueriedVerdict = Queried & Pick<Verdict, 'bundle' | 'ns'>

/** An answer with its bundle and how long it took. */
export async function timed(
  answer: Promise<Queried>,
  bundle: Verdict['bundle'],
): Promise<QueriedVerdict> {
  const started = performance.now()
  const queried = await answer
  const ns = Math.round((performance.now() - started) * 1e6)
  return { ...queried, ns, ...(bundle === undefined ? {} : { bundle }) }
}

// What is asked here is remembered by nobody else: names of inputs are kept for one question only.
const rememberedChars = 0

/** The instance is loaded with the first question: a gate that nobody asks does not pay for it. */
export function queries(bundle: PolicyBundle): Queries {
  let loaded: Promise<Policy> | undefined

  async function query(asked: Query, nowMs: number): Promise<Queried> {
    try {
      loaded ??= policy(bundle, builtins)
      const rules = await loaded
      return evaluated(rules, asked, nowMs)
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused', refusal: error }
      return { kind: 'failed', code: 'eval_internal_error', problem: 'the policy failed' }
    }
  }

  function evaluated(rules: Policy, { path, input, strict }: Query, nowMs: number): Queried {
    const entrypoint = longest(rules.entrypoints, path)
    if (entrypoint === undefined) return dataOf(rules, path)
    if (input !== undefined) admission(rememberedChars).admit(input)
    const answer = rules.query(entrypoint, input, { nowNs: BigInt(nowMs) * 1_000_000n })
    const rest = path.slice(entrypoint.split('/').length)
    return entrypoint === bundle.entrypoint
      ? found(decisionIn(answer), rest)
      : said(answer, rest, strict === true)
  }

  function dataOf({ entrypoints }: Policy, path: readonly string[]): Queried {
    const above = entrypoints.some((entrypoint) => begins(entrypoint.split('/'), path))
    const value = above ? undefined : within(bundle.data, path)
    const known = path[0] !== undefined && within(bundle.data, path.slice(0, 1)) !== undefined
    return above || !known ? { kind: 'unanswerable', entrypoints } : { kind: 'data', value }
  }

  return { query }
}

/** What the gate itself would obey: what it would not understand it would refuse. */
function decisionIn({ problem, value }: Answer): unknown {
  return (problem === undefined ? decisionOf(value) : undefined) ?? denial('policy_failed')
}

function said(answer: Answer, rest: readonly string[], strict: boolean): Queried {
  const { problem, broken } = answer
  if (problem === undefined) return found(answer.value, rest)
  if (broken === true) return { kind: 'failed', code: brokenCode(problem), problem }
  return strict
    ? { kind: 'failed', code: 'eval_builtin_error', problem }
    : found(answer.lenient, rest)
}

function found(value: unknown, rest: readonly string[]): Queried {
  const part = within(value, rest)
  return part === undefined ? { kind: 'undefined' } : { kind: 'value', value: part }
}

function brokenCode(problem: string): EvaluationCode {
  return problem.includes('conflict') ? 'eval_conflict_error' : 'eval_internal_error'
}

function longest(entrypoints: readonly string[], path: readonly string[]): string | undefined {
  return entrypoints
    .filter((entrypoint) => begins(path, entrypoint.split('/')))
    .sort((one, two) => two.length - one.length)[0]
}

function begins(path: readonly string[], start: readonly string[]): boolean {
  return start.every((step, index) => path[index] === step)
}

/** The part of a document at a path; undefined where there is none. */
function within(document: unknown, path: readonly string[]): unknown {
  let value = document
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(step)) return undefined
    value = Reflect.get(value, step)
  }
  return value
}
