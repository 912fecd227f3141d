import type { Decision, Input } from '../contract.ts'
import { decisionOf } from '../engine/decision.ts'

/** A question and its answer as they stand on record. */
export type Recorded = {
  readonly id: string
  /** The recorded clock, in milliseconds since the epoch: what time-dependent policies are asked with again. */
  readonly atMs: number
  readonly revision: string
  readonly input: Input
  readonly decision: Decision
}

/** A line that is no answer of a policy, and why: the gate itself had said no, or it is about something else. */
export type Unused = 'not_a_decision' | 'not_by_policy' | 'unreadable'

/** Said by the gate before policy was asked: no bundle answers such a question in another way. */
const gates: ReadonlySet<string> = new Set(['no_bundle', 'stale_bundle'])

/** Reads one line of the record, or of a decision log in OPA's format. */
export function recordedOf(line: string): Recorded | Unused {
  const entry = parsed(line)
  if (entry === undefined) return 'unreadable'
  const { kind = 'decision', path, decision_id: id, timestamp, input, result, bundles } = entry
  if (kind !== 'decision' || path !== 'postern/decision') return 'not_a_decision'
  // Somebody asked what would be: nothing was enforced, and whoever asks makes up the question.
  if (isAdvisory(entry)) return 'not_a_decision'
  const atMs = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  if (typeof id !== 'string' || Number.isNaN(atMs)) return 'unreadable'
  const decision = decisionOf(result)
  if (!isInput(input) || decision === undefined) return 'unreadable'
  const revision = revisionOf(bundles)
  if (revision === undefined || byGate(decision)) return 'not_by_policy'
  return { id, atMs, revision, input, decision }
}

/** The record has the mark itself, a decision log that was exported under `custom`. */
function isAdvisory({ advisory, custom }: Readonly<Record<string, unknown>>): boolean {
  return advisory === true || (isObject(custom) && custom['advisory'] === true)
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    return isObject(entry) ? entry : undefined
  } catch {
    return undefined
  }
}

function revisionOf(bundles: unknown): string | undefined {
  if (!isObject(bundles)) return undefined
  const [bundle] = Object.values(bundles)
  if (!isObject(bundle)) return undefined
  const { revision } = bundle
  return typeof revision === 'string' ? revision : ''
}

function byGate({ reasons: [reason] }: Decision): boolean {
  return reason?.rule === 'postern' && gates.has(reason.code)
}

/** What the engine is asked it checks itself; here only what is read from the question. */
function isInput(value: unknown): value is Input {
  return isObject(value) && isObject(value['action']) && isObject(value['resource'])
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
