/** What a policy answered, checked to the last field: a decision that is not understood is not obeyed but refused. */
import type { Decision } from '../contract.ts'
import { type Code, codes } from '../refusal.ts'

type Check = (value: unknown) => boolean
type Shape = Readonly<Record<string, { readonly check: Check; readonly optional?: true }>>

/** The value as a decision where it is exactly one of rego/contract/decision.json, else undefined. */
export function decisionOf(value: unknown): Decision | undefined {
  if (!decision(value)) return undefined
  const found = value as Decision
  if (found.effect === 'hold' && found.hold === undefined) return undefined
  return found
}

/** The denial the gate itself answers with when no policy could. */
export function denial(code: Code, message: string = codes[code], remedy?: string): Decision {
  const reason = { rule: 'postern', code, message, ...(remedy === undefined ? {} : { remedy }) }
  return freeze({
    effect: 'deny',
    reasons: [reason],
    masks: [],
    limits: [],
    quotas: [],
    obligations: [],
  })
}

/** Makes a value immutable to the last leaf. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}

const string: Check = (value) => typeof value === 'string' && value !== ''
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const positive: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0
const map: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const some = (check: Check) => ({ check, optional: true }) as const
const all = (check: Check) => ({ check })
const oneOf = (...words: readonly string[]) => ({
  check: (value: unknown) => words.includes(value as string),
})
const list = (check: Check, least = 0) => ({
  check: (value: unknown) =>
    Array.isArray(value) && value.length >= least && value.every((member) => check(member)),
})

const reason = object({
  rule: all(string),
  code: all(string),
  message: all(string),
  remedy: some(string),
})

const maskFields = object({
  rule: all(string),
  column: some(string),
  entity: some(string),
  path: some(string),
  method: oneOf('null', 'redact', 'partial', 'hash', 'tokenize'),
  args: some(map),
  on_predicate: oneOf('deny', 'hold', 'allow'),
})

const mask: Check = (value) => maskFields(value) && targets(value as Record<string, unknown>) === 1

const limit = object({
  rule: some(string),
  metric: oneOf('rows', 'bytes', 'duration_ms'),
  max: all(count),
  on_exceed: oneOf('truncate', 'deny'),
})

const quota = object({
  name: all(string),
  per: oneOf('subject', 'actor', 'run', 'session', 'resource'),
  metric: oneOf('commands', 'rows', 'bytes'),
  max: all(count),
  window_s: all(positive),
})

const hold = object({
  approvers: list(string, 1),
  min_approvals: all(positive),
  bind: oneOf('exact', 'shape', 'session'),
  ttl_s: all(positive),
  wait_s: all(positive),
})

const decision = object({
  effect: oneOf('allow', 'hold', 'deny'),
  reasons: list(reason, 1),
  masks: list(mask),
  limits: list(limit),
  quotas: list(quota),
  hold: some(hold),
  obligations: list(object({ name: all(string), args: some(map) })),
})

/** Every field it must have, none it may not. */
function object(shape: Shape): Check {
  const required = Object.keys(shape).filter((name) => shape[name]?.optional !== true).length
  return (value) => {
    if (!map(value)) return false
    let found = 0
    for (const name in value as object) {
      const field = Object.hasOwn(shape, name) ? shape[name] : undefined
      if (field === undefined || !field.check((value as Record<string, unknown>)[name]))
        return false
      if (field.optional !== true) found++
    }
    return found === required
  }
}

function targets(mask: Record<string, unknown>): number {
  return ['column', 'entity', 'path'].filter((name) => mask[name] !== undefined).length
}
