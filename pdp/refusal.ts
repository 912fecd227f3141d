import type { Reason } from './contract.ts'

/** Every code a client can read in a refusal that policy did not write itself; docs/errors.md explains the same list. */
export const codes = {
  token_missing: 'no token was sent',
  token_invalid: 'the token was not accepted',
  token_expired: 'the token has expired',
  issuer_unavailable: 'the keys of the token issuer cannot be read',
  identity_incomplete: 'the token names no subject or lacks a claim that is needed',
  tls_required: 'the connection is not encrypted',
  session_ended: 'the session was ended',
  no_matching_allow: 'no policy allows this',
  denied: 'a policy denies this',
  incomplete_command: 'the command could not be read to the end',
  unsupported_input: 'the question was not in a form the policy library knows',
  unsupported_obligation: 'policy asks for something this gate cannot enforce',
  no_bundle: 'the gate has no policy bundle',
  stale_bundle: 'the policy bundle is older than allowed',
  policy_failed: 'the policy gave no usable answer',
  input_too_large: 'the command is larger than policy may be asked about',
  hold_refused: 'a reviewer refused the command',
  hold_expired: 'nobody approved the command in time',
  hold_abandoned: 'the command was taken back while it waited',
  hold_pending: 'the command still waits for approval',
  hold_unknown: 'there is no such hold',
  hold_closed: 'the hold is no longer pending',
  not_an_approver: 'the reviewer is in none of the groups that may answer',
  own_hold: 'nobody answers their own hold',
  not_permitted: 'this identity may not do that',
  quota_exceeded: 'a quota is used up',
  limit_exceeded: 'the answer is larger than allowed',
  mask_impossible: 'the answer holds protected values that cannot be masked here',
  unsupported_message: 'the client used a part of the protocol that the gate does not pass on',
  message_too_large: 'a protocol message is larger than the gate accepts',
  audit_unavailable: 'the record cannot be written',
  state_unavailable: 'the gate cannot reach its state store',
  credential_unavailable: 'the gate has no credential for the datastore',
  upstream_unavailable: 'the datastore cannot be reached',
  upstream_refused: 'the datastore did not accept the gate',
  bundle_refused: 'the bundle was not accepted',
  bundle_conflict: 'the bundle does not follow on what is published',
  bad_request: 'the request was not understood',
  not_found: 'there is nothing at this address',
  wrong_host: 'the request names a host that this gate does not answer for',
  internal_error: 'something went wrong inside the gate',
} as const

export type Code = keyof typeof codes

/** What a refusal may carry besides its code and message. */
export type Detail = {
  readonly decision?: string
  readonly rule?: string
  readonly remedy?: string
  /** The policy's own reasons, first the one to show. */
  readonly reasons?: readonly Reason[]
  readonly retryAfterS?: number
  readonly ticket?: string
}

/** A no that the client may read: a code from the table, a message for people, and what to do next. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: Code
  readonly detail: Detail

  constructor(code: Code, message: string = codes[code], detail: Detail = {}) {
    super(message)
    this.code = code
    this.detail = detail
  }
}

/** The peer broke its own protocol: the connection is closed and the fact recorded. Never carries the peer's bytes. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

/** What a client may read of any failure: a Refusal as it is, everything else as `internal_error`. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof Malformed) return new Refusal('unsupported_message', error.message)
  return new Refusal('internal_error')
}
