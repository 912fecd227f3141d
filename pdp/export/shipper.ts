import { type Event, type EventOptions, shrunk } from './event.ts'
import { bytesBehind, type Placed, readOn } from './feed.ts'
import { packer } from './pack.ts'
import { keepPosition, type Position } from './position.ts'
import type { Receiver, Told } from './receiver.ts'

export type ShipperOptions = {
  /** The record's folder. */
  readonly folder: string
  readonly positionFile: string
  readonly position: Position
  readonly events: EventOptions
  readonly receiver: Receiver
  /** An upload's limit, compressed. */
  readonly uploadBytesMax: number
  /** Hears of what was not delivered as it is on record. */
  alarm(text: string, decision?: string): void
}

/** How far delivery got. */
export type Shipped = {
  readonly sent: number
  readonly batches: number
  readonly failures: number
  /** Events sent without question and answer, for they were too large. */
  readonly shrunk: number
  /** Events or stretches of the record that were not delivered and never will be. */
  readonly lost: number
  /** Milliseconds since the epoch of the oldest decision that waits, as far as read. */
  readonly oldestMs?: number
  readonly behindBytes: number
  /** Why the last upload was not accepted. */
  readonly problem?: string
  readonly httpCode?: number
}

/** Carries decisions from the record to a receiver, in order, each at least once. */
export interface Shipper {
  /** Reads on until an upload is full or the record ends; whether there was something to read. */
  read(): boolean
  /** Whether an upload is full. */
  full(): boolean
  /** Whether decisions wait. */
  waiting(): boolean
  /** Sends the oldest events; false when the receiver did not accept them, and then they wait. */
  send(): Promise<boolean>
  status(): Shipped
}

/** Where nothing is delivered the position is written this often: entries that are no decisions need not be read twice. */
const idleKeepMs = 5_000

/** The record is the spool: only what one upload takes is held in memory. */
export function shipper(options: ShipperOptions): Shipper {
  const { folder, positionFile, events, receiver, alarm } = options
  const packing = packer(options.uploadBytesMax)
  let waiting: readonly Placed[] = []
  let chars = 0
  let read = options.position
  let kept = options.position
  let keptMs = 0
  let failure: Extract<Told, { kind: 'failed' }> | undefined
  const counts = { sent: 0, batches: 0, failures: 0, shrunk: 0, lost: 0 }

  return {
    read: readMore,
    full: () => chars >= packing.charsWanted(),
    waiting: () => waiting.length > 0,
    send,
    status,
  }

  function readMore(): boolean {
    if (chars >= packing.charsWanted()) return false
    const stretch = readOn(folder, read, events)
    if (stretch === undefined) return false
    read = stretch.end
    if (stretch.lost !== undefined) lose(stretch.lost)
    take(stretch.events)
    if (waiting.length === 0) pass()
    return true
  }

  function take(more: readonly Placed[]): void {
    if (more.length === 0) return
    waiting = [...waiting, ...more]
    chars += more.reduce((sum, { event }) => sum + event.text.length + 1, 0)
  }

  async function send(): Promise<boolean> {
    const { body, count } = packing.pack(waiting.map(({ event }) => event))
    if (count === 1 && body.length > options.uploadBytesMax && shrinkFirst()) return true
    const told = await receiver.post(body)
    if (told.kind === 'too_large') return tooLarge(count)
    if (told.kind === 'failed') {
      failure = told
      counts.failures += 1
      return false
    }
    failure = undefined
    counts.batches += 1
    counts.sent += count
    delivered(count)
    return true
  }

  function tooLarge(count: number): boolean {
    if (count > 1) packing.tighten()
    else if (!shrinkFirst()) {
      lose(
        'a decision is too large for the receiver even without question and answer',
        waiting[0]?.event.id,
      )
      delivered(1)
    }
    return true
  }

  /** False when nothing can be taken out of the first event. */
  function shrinkFirst(): boolean {
    const [first, ...rest] = waiting
    if (first === undefined) return false
    const event = shrunk(first.event)
    if (event.text.length >= first.event.text.length) return false
    waiting = [{ ...first, event }, ...rest]
    chars += event.text.length - first.event.text.length
    counts.shrunk += 1
    alarm(
      'a decision was sent without question and answer, for it is too large for an upload',
      event.id,
    )
    return true
  }

  function delivered(count: number): void {
    const after = waiting[count - 1]?.after ?? kept
    chars -= waiting.slice(0, count).reduce((sum, { event }) => sum + event.text.length + 1, 0)
    waiting = waiting.slice(count)
    keep(waiting.length === 0 ? read : after)
  }

  function lose(text: string, decision?: string): void {
    counts.lost += 1
    alarm(text, decision)
  }

  /** Nothing to deliver up to here. */
  function pass(): void {
    kept = read
    if (performance.now() - keptMs > idleKeepMs) keep(read)
  }

  function keep(position: Position): void {
    kept = position
    keptMs = performance.now()
    keepPosition(positionFile, position)
  }

  function status(): Shipped {
    const oldest: Event | undefined = waiting[0]?.event
    return {
      ...counts,
      ...(oldest !== undefined && { oldestMs: oldest.timestampMs }),
      behindBytes: bytesBehind(folder, kept),
      ...(failure !== undefined && { problem: failure.problem }),
      ...(failure?.httpCode !== undefined && { httpCode: failure.httpCode }),
    }
  }
}
