import type { Response } from 'express'
import type { Reason } from '../contract.ts'
import { type Code, codes, Refusal } from '../refusal.ts'

/** The HTTP status of every refusal: one table, and the type check keeps it complete. */
export const statuses: Readonly<Record<Code, number>> = {
  token_missing: 401,
  token_invalid: 401,
  token_expired: 401,
  issuer_unavailable: 503,
  identity_incomplete: 403,
  tls_required: 403,
  session_ended: 403,
  no_matching_allow: 403,
  denied: 403,
  incomplete_command: 403,
  unsupported_input: 403,
  unsupported_obligation: 403,
  no_bundle: 503,
  stale_bundle: 503,
  policy_failed: 503,
  input_too_large: 413,
  hold_refused: 403,
  hold_expired: 403,
  hold_abandoned: 409,
  hold_pending: 409,
  hold_unknown: 404,
  hold_closed: 409,
  not_an_approver: 403,
  own_hold: 403,
  not_permitted: 403,
  quota_exceeded: 429,
  limit_exceeded: 403,
  mask_impossible: 403,
  unsupported_message: 400,
  message_too_large: 413,
  audit_unavailable: 503,
  state_unavailable: 503,
  credential_unavailable: 503,
  upstream_unavailable: 502,
  upstream_refused: 502,
  bundle_refused: 422,
  bundle_conflict: 409,
  bad_request: 400,
  not_found: 404,
  wrong_host: 421,
  internal_error: 500,
}

/** An error as RFC 9457 spells it, with our code and what to do next. */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly remedy?: string
  /** Names the log line of a failure of ours. */
  readonly instance?: string
  readonly decision_id?: string
  readonly rule?: string
  readonly reasons?: readonly Reason[]
}

/** Answers with a refusal. `instance` lets an operator find the log line that belongs to it. */
export function answerProblem(response: Response, refusal: Refusal, instance?: string): void {
  const problem = problemOf(refusal, instance)
  const { retryAfterS } = refusal.detail
  if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  if (retryAfterS !== undefined) response.setHeader('Retry-After', Math.ceil(retryAfterS))
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

/** What express and its body parser object to: their errors carry a 4xx `status`, and messages that may quote the body. */
export function requestRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || error instanceof Refusal) return undefined
  const status: unknown = Reflect.get(error, 'status')
  if (status === 413) return tooLarge(Reflect.get(error, 'limit'))
  const clients = typeof status === 'number' && status >= 400 && status < 500
  return clients ? new Refusal('bad_request', 'the request could not be read') : undefined
}

function tooLarge(limit: unknown): Refusal {
  return new Refusal('message_too_large', `the body is larger than ${limit} bytes`)
}

function problemOf({ code, message, detail }: Refusal, instance?: string): Problem {
  return {
    type: `urn:postern:error:${code}`,
    title: codes[code],
    status: statuses[code],
    detail: message,
    code,
    ...(detail.remedy !== undefined && { remedy: detail.remedy }),
    ...(instance !== undefined && { instance }),
    ...(detail.decision !== undefined && { decision_id: detail.decision }),
    ...(detail.rule !== undefined && { rule: detail.rule }),
    ...(detail.reasons !== undefined && { reasons: detail.reasons }),
  }
}
