import { statSync } from 'node:fs'
import { type Chunk, nextChunk } from '../audit/indexer.ts'
import { hashOf, headerOf } from '../audit/line.ts'
import { type Segment, segmentsIn } from '../audit/segments.ts'
import { type Event, type EventOptions, eventOf } from './event.ts'
import type { Position } from './position.ts'

/** A stretch of the record: its decisions, each with the position after it. */
export type Stretch = {
  readonly events: readonly Placed[]
  readonly end: Position
  /** What is not in the record any more although it was not delivered. */
  readonly lost?: string
}

export type Placed = { readonly event: Event; readonly after: Position }

/**
 * Reads on from a position, a bounded stretch at a time; undefined at the end of the record. Where the record does not
 * continue from there (a power cut took entries back), it is read again from the beginning of that file: a receiver
 * may get an event twice, never not at all.
 */
export function readOn(folder: string, from: Position, options: EventOptions): Stretch | undefined {
  const segments = segmentsIn(folder)
  const chunk = nextChunk(segments, from)
  if (chunk === undefined) return undefined
  if (chunk === 'gone') return elsewhere(segments, from)
  if (chunk.at.offset > 0 && !continues(chunk, from)) return restart(chunk.at.segment)
  return stretchOf(chunk, options)
}

/** How many bytes of the record lie behind a position. */
export function bytesBehind(folder: string, { segment, offset }: Position): number {
  const rest = segmentsIn(folder).filter(({ first }) => first >= segment)
  return rest.reduce(
    (sum, { file, first }) => sum + size(file) - (first === segment ? offset : 0),
    0,
  )
}

function stretchOf({ at, lines }: Chunk, options: EventOptions): Stretch {
  const events: Placed[] = []
  const unreadable: number[] = []
  let end: Position = { ...at, hash: '' }
  for (const line of lines) {
    const { seq = end.seq, kind } = headerOf(line) ?? {}
    end = { segment: at.segment, offset: end.offset + line.length + 1, seq, hash: hashOf(line) }
    if (kind !== 'decision') continue
    const event = readEvent(line, options)
    if (event === undefined) unreadable.push(seq)
    else events.push({ event, after: end })
  }
  const lost = unreadable.length > 0 && {
    lost: `entries ${unreadable.join(', ')} of the record cannot be read`,
  }
  return { events, end, ...lost }
}

function readEvent(line: Buffer, options: EventOptions): Event | undefined {
  try {
    return eventOf(line.toString(), options)
  } catch {
    return undefined
  }
}

function continues({ lines: [line] }: Chunk, { hash }: Position): boolean {
  return line === undefined || hash === '' || headerOf(line)?.prev === hash
}

/** The file is there and does not hold the position, or the file is gone. */
function elsewhere(segments: readonly Segment[], from: Position): Stretch | undefined {
  if (segments.some(({ first }) => first === from.segment)) return restart(from.segment)
  const next = segments.find(({ first }) => first > from.segment) ?? segments[0]
  if (next === undefined) return undefined
  const count = next.first - 1 - from.seq
  const lost =
    count > 0
      ? `entries ${from.seq + 1} to ${next.first - 1} of the record are gone`
      : 'the record was begun anew'
  return { ...restart(next.first), lost }
}

function restart(first: number): Stretch {
  return { events: [], end: { segment: first, offset: 0, seq: first - 1, hash: '' } }
}

function size(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
