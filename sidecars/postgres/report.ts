import type { Refusal } from '../../pdp/refusal.ts'
import { message, text } from './frames.ts'
import { sqlstate } from './sqlstate.ts'

/** Fields of an ErrorResponse or NoticeResponse by letter (PostgreSQL 55.8). */
export type Report = Readonly<Record<string, string>>

/** The fields of a report the server sent. Throws Malformed. */
export function fields(frame: Buffer): Report {
  const found: Record<string, string> = {}
  for (let at = 5; (frame[at] ?? 0) !== 0; ) {
    const letter = String.fromCharCode(frame[at] ?? 0)
    const [value, next] = text(frame, at + 1)
    found[letter] = value
    at = next
  }
  return found
}

/** An error the statement ends with; the session goes on. `state` in place of the SQLSTATE that its code has. */
export const failure = (refusal: Refusal, decision?: string, state?: string): Buffer =>
  refused('ERROR', refusal, { decision, state })

/** An error the connection ends with. */
export const fatal = (refusal: Refusal): Buffer => refused('FATAL', refusal, {})

type About = { readonly decision?: string | undefined; readonly state?: string | undefined }

function refused(severity: string, refusal: Refusal, { decision, state }: About): Buffer {
  const { detail } = refusal
  return errorResponse({
    S: severity,
    V: severity,
    C: state ?? sqlstate[refusal.code],
    M: `postern: ${refusal.message}`,
    D: why(refusal, decision),
    ...(detail.remedy !== undefined && { H: detail.remedy }),
  })
}

/** What a person or an agent needs to find out more, in one line that reads the same everywhere. */
function why(refusal: Refusal, decision?: string): string {
  const { rule, reasons, ticket, retryAfterS, decision: id = decision } = refusal.detail
  const facts = [
    ...(rule === undefined ? [] : [`rule ${rule}`]),
    `code ${reasons?.[0]?.code ?? refusal.code}`,
    ...(id === undefined ? [] : [`decision ${id}`]),
    ...(ticket === undefined ? [] : [`ticket ${ticket}`]),
    ...(retryAfterS === undefined ? [] : [`retry after ${retryAfterS} s`]),
  ]
  return facts.join(', ')
}

/** Any ErrorResponse. */
export const errorResponse = (report: Report): Buffer => frameOf('E', report)

/** A remark that changes nothing. */
export const notice = (said: string): Buffer =>
  frameOf('N', { S: 'NOTICE', V: 'NOTICE', C: '00000', M: `postern: ${said}` })

/**
 * Errors whose message is constant or repeats the client's own words: syntax, names that do not exist, transaction
 * state, cancelled, serialisation, locks (PostgreSQL appendix A).
 */
const harmless = new Set(
  '42601 42P01 42703 42883 42704 3F000 42501 25P02 25001 25006 25P01 57014 57P01 40001 40P01 55P03 26000 34000'.split(
    ' ',
  ),
)

/** The report without anything a protected value could have got into: severity, SQLSTATE, harmless words, where to ask. */
export function scrubbed(frame: Buffer, decision: string): Buffer {
  const { S = 'ERROR', V = S, C = 'XX000', M = '', W, R } = fields(frame)
  const isError = frame[0] === 0x45
  // Code inside the server may say anything under any SQLSTATE, and tells where it was.
  const isOwn = W === undefined && R !== 'exec_stmt_raise'
  return frameOf(isError ? 'E' : 'N', {
    S: severities.has(S) ? S : 'ERROR',
    V: severities.has(V) ? V : 'ERROR',
    C: /^[0-9A-Z]{5}$/.test(C) ? C : 'XX000',
    M:
      isError && isOwn && harmless.has(C)
        ? M
        : `postern: the datastore's own words are withheld because they may hold protected values`,
    D: `decision ${decision}`,
  })
}

const severities = new Set(['ERROR', 'FATAL', 'PANIC', 'WARNING', 'NOTICE', 'DEBUG', 'INFO', 'LOG'])

function frameOf(letter: string, report: Report): Buffer {
  const parts = Object.entries(report).map(([field, value]) => field + clean(value))
  return message(letter, ...parts, Buffer.from([0]))
}

/** No NUL may end a field early. */
const clean = (value: string): string => value.replaceAll('\0', ' ')
