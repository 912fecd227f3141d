import { HERE_BYTES_MAX, isLonger } from './read/limits.ts'
import { parsePlaces } from './read/parser.ts'
import { places } from './read/places.ts'
import { errorResponse, fields } from './report.ts'

/** What a client sent, and what the server got in its place. */
export type Sent = { readonly own: string; readonly upstream: string }

/**
 * An ErrorResponse that points where the client would look: its position (PostgreSQL 55.8, field P) counts the characters
 * of what the server got. One that cannot be found again in the client's text is left out.
 */
export function placed(error: Buffer, sent: Sent | undefined): Buffer {
  const { P, ...rest } = fields(error)
  if (P === undefined) return error
  const position = sent && ownPosition(Number(P), sent)
  return errorResponse(position === undefined ? rest : { ...rest, P: String(position) })
}

/** Both texts have the same tree: what stands somewhere in one stands somewhere in the other. */
function ownPosition(position: number, { own, upstream }: Sent): number | undefined {
  if (isLonger(own, HERE_BYTES_MAX) || isLonger(upstream, HERE_BYTES_MAX)) return undefined
  const at = Buffer.byteLength([...upstream].slice(0, position - 1).join(''))
  const found = counterpart(parsePlaces(upstream), parsePlaces(own), at)
  if (found === undefined) return undefined
  return [...Buffer.from(own).toString('utf8', 0, found)].length + 1
}

/** Where in the second tree that is which stands at a byte of the first one. */
function counterpart(one: unknown, other: unknown, at: number): number | undefined {
  if (!isObject(one) || !isObject(other)) return undefined
  for (const place of places) {
    // A place of 0 is left out.
    if ((place in one || place in other) && Number(one[place] ?? 0) === at)
      return Number(other[place] ?? 0)
  }
  for (const key in one) {
    const found = counterpart(one[key], other[key], at)
    if (found !== undefined) return found
  }
  return undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
