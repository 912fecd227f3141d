import type { Response } from 'express'
import { type Code, Refusal, refusalOf } from '../../refusal.ts'
import { statuses } from '../problem.ts'

/** The codes of OPA's errors that are used here (OPA: REST API, Errors). */
export type OpaCode =
  | 'internal_error'
  | 'invalid_operation'
  | 'invalid_parameter'
  | 'unauthorized'
  | 'undefined_document'

/** One error of an evaluation. */
export type OpaDetail = {
  readonly code: string
  readonly message: string
  /** In the source of the policy. */
  readonly location?: { readonly file: string; readonly row: number; readonly col: number }
}

/** A no in the form OPA's clients know. Its message never quotes what was sent. */
export class OpaError extends Error {
  override readonly name = 'OpaError'
  readonly status: number
  readonly code: OpaCode
  readonly errors: readonly OpaDetail[] | undefined

  constructor(status: number, code: OpaCode, message: string, errors?: readonly OpaDetail[]) {
    super(message)
    this.status = status
    this.code = code
    this.errors = errors
  }
}

/** A parameter or a body that cannot be used. */
export function invalid(message: string): OpaError {
  return new OpaError(400, 'invalid_parameter', message)
}

/** The body of an error as OPA writes it. */
export function bodyOf({ code, message, errors }: OpaError): object {
  return { code, message, ...(errors !== undefined && { errors }) }
}

/** Answers as OPA does: indented whether or not `pretty` was asked for. */
export function answerError(response: Response, error: OpaError): void {
  if (error.status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  response.status(error.status).setHeader('Content-Type', 'application/json')
  response.end(`${JSON.stringify(bodyOf(error), undefined, 2)}\n`)
}

/** What a client may read of any failure. `instance` names the log line of a failure of ours. */
export function opaErrorOf(error: unknown, instance: string): OpaError {
  if (error instanceof OpaError) return error
  const refusal = bodyRefusal(error) ?? refusalOf(error)
  const status = statuses[refusal.code]
  if (refusal.code === 'internal_error')
    return new OpaError(500, 'internal_error', `${refusal.message} (${instance})`)
  return new OpaError(status < 500 ? status : 500, codeOf(refusal.code, status), textOf(refusal))
}

function codeOf(code: Code, status: number): OpaCode {
  if (status >= 500) return 'internal_error'
  return status === 401 || status === 403 || code === 'wrong_host'
    ? 'unauthorized'
    : 'invalid_parameter'
}

function textOf({ message, detail: { remedy } }: Refusal): string {
  return remedy === undefined ? message : `${message}: ${remedy}`
}

/** What express and its body reader object to; their own messages may quote the body. */
function bodyRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || error instanceof Refusal) return undefined
  const status: unknown = Reflect.get(error, 'status')
  if (status === 413) return new Refusal('message_too_large', 'the body is larger than 1 MiB')
  const clients = typeof status === 'number' && status >= 400 && status < 500
  return clients ? new Refusal('bad_request', 'the request could not be read') : undefined
}
