import pino, { type DestinationStream, type Logger } from 'pino'
import type { Happening, Observe } from './parts.ts'

/** The gate's own log: constant phrases, variables as fields, never statement text or cell values. */
export interface Log {
  readonly observe: Observe
  info(phrase: string, fields?: Fields): void
  warn(phrase: string, fields?: Fields): void
  /** `problem` is logged by kind and place, without its message. */
  error(phrase: string, fields?: Fields, problem?: unknown): void
}

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Log lines not yet taken by a slow reader; beyond this they are dropped, for the record is elsewhere. */
const unwrittenBytesMax = 4 * 1024 * 1024
const framesMax = 20
const causesMax = 4
const secretive = ['token', 'secret', 'password', 'authorization']

/** A log of JSON lines at `level`, on standard output unless told otherwise. */
export function log(level: LogLevel, destination: DestinationStream = standardOutput()): Log {
  const logger = pino(
    {
      level,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), bindings: () => ({}) },
      redact: { paths: secretive.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    },
    destination,
  )
  return {
    observe: (happening) => tell(logger, happening),
    info: (phrase, fields = {}) => logger.info(fields, phrase),
    warn: (phrase, fields = {}) => logger.warn(fields, phrase),
    error: (phrase, fields = {}, problem = undefined) =>
      logger.error(problem === undefined ? fields : { ...fields, problem: place(problem) }, phrase),
  }
}

function standardOutput(): DestinationStream {
  return pino.destination({ dest: 1, sync: false, maxLength: unwrittenBytesMax })
}

/** Field by field: what a happening holds besides these never gets in. Statements are on the record, not here. */
function tell(logger: Logger, happening: Happening): void {
  switch (happening.kind) {
    case 'decision':
      decided(logger, happening)
      break
    case 'outcome':
      ended(logger, happening)
      break
    case 'session':
      session(logger, happening)
      break
    case 'failure': {
      const { session, resource, code, error } = happening
      logger.error({ session, resource, code, problem: place(error) }, 'internal failure')
      break
    }
    case 'alarm': {
      const { session, resource, decision, message } = happening
      logger.error({ session, resource, decision, reason: message }, 'alarm')
      break
    }
    case 'hold': {
      const { resource, change, id } = happening
      logger.info({ resource, hold: id, change }, 'hold')
      break
    }
    case 'bundle':
      bundle(logger, happening)
      break
  }
}

type Of<Kind extends Happening['kind']> = Extract<Happening, { readonly kind: Kind }>

function decided(logger: Logger, happening: Of<'decision'>): void {
  if (!logger.isLevelEnabled('debug')) return
  const { session, resource, effect, rule, code, cached, ns } = happening
  logger.debug({ session, resource, effect, rule, code, cached, ns }, 'decision')
}

function ended(logger: Logger, happening: Of<'outcome'>): void {
  if (!logger.isLevelEnabled('debug')) return
  const { session, resource, rows, bytes, ms, error } = happening
  logger.debug({ session, resource, rows, bytes, ms, error }, 'outcome')
}

function session(logger: Logger, happening: Of<'session'>): void {
  const { session, resource, code, message, error } = happening
  const fields = { session, resource, code, reason: message }
  if (error !== undefined) {
    logger.error({ ...fields, problem: place(error) }, phrases[happening.change])
  } else if (happening.change === 'turned_away') logger.warn(fields, phrases.turned_away)
  else logger.info(fields, phrases[happening.change])
}

const phrases = {
  opened: 'session opened',
  closed: 'session closed',
  turned_away: 'client turned away',
} as const

function bundle(logger: Logger, happening: Of<'bundle'>): void {
  const { name, revision, change, message } = happening
  const fields = { bundle: name, revision, reason: message }
  // Activated with a reason to tell: it runs, and something about it is wrong.
  if (change === 'activated')
    logger[message === undefined ? 'info' : 'warn'](fields, 'bundle activated')
  else if (change === 'refused') logger.error(fields, 'bundle refused')
  else logger.warn(fields, 'bundle source unreachable')
}

type Place = {
  readonly kind: string
  readonly code?: string
  readonly syscall?: string
  readonly at: readonly string[]
  readonly cause?: Place
}

/**
 * What failed and where, without the message: V8 and libraries quote values in messages
 * (`Unexpected token … in "…"`), and a value may be a cell, a statement or a token.
 */
function place(problem: unknown, depth = 0): Place {
  if (!(problem instanceof Error)) return { kind: typeof problem, at: [] }
  return {
    kind: problem.constructor.name,
    ...word(problem, 'code'),
    ...word(problem, 'syscall'),
    at: frames(problem),
    ...(problem.cause !== undefined &&
      depth < causesMax && { cause: place(problem.cause, depth + 1) }),
  }
}

function word(problem: Error, name: 'code' | 'syscall'): { readonly [name: string]: string } {
  const value: unknown = Reflect.get(problem, name)
  return typeof value === 'string' && codeForm.test(value) ? { [name]: value } : {}
}

const codeForm = /^[A-Za-z_0-9]{1,60}$/
const frameForm = /^ {4}at (?:async )?[^"'`]{0,200}\(?(?:file:|node:|\/)[^"'`\s]{1,300}:\d+:\d+\)?$/

function frames(problem: Error): readonly string[] {
  const quoted = new Set(problem.message.split('\n'))
  return (problem.stack ?? '')
    .split('\n')
    .filter((line) => frameForm.test(line) && !quoted.has(line))
    .slice(0, framesMax)
    .map((line) => line.trim())
}
