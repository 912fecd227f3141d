import { gzipSync } from 'node:zlib'
import type { Event } from './event.ts'

/** A compressed upload and how many events it holds, from the first on. */
export type Packed = { readonly body: Buffer; readonly count: number }

/** Packs events in order, as many as fit. */
export interface Packer {
  /** How many characters of events are worth packing at once. */
  charsWanted(): number
  /** At least one event is packed, however large it is. */
  pack(events: readonly Event[]): Packed
  /** The receiver takes less. */
  tighten(): void
}

const bytesLeast = 1024
/** However well events can be compressed, no more than this is held in memory. */
const charsMax = 8 * 1024 * 1024
/** How much smaller compression makes events, before there is experience. */
const ratioFirst = 0.2
/** A little less than would fit by experience, so that most tries fit. */
const caution = 0.9

/** Uploads of at most `bytesMax` compressed bytes (OPA: decision_logs.reporting.upload_size_limit_bytes). */
export function packer(bytesMax: number): Packer {
  let limit = bytesMax
  let ratio = ratioFirst

  function charsWanted(): number {
    return Math.min(Math.floor((limit / ratio) * caution), charsMax)
  }

  function pack(events: readonly Event[]): Packed {
    let count = Math.max(1, fitting(events, charsWanted()))
    for (;;) {
      const text = `[${events
        .slice(0, count)
        .map((event) => event.text)
        .join(',')}]`
      const body = gzipSync(text)
      ratio = Math.max(body.length / text.length, 0.001)
      if (body.length <= limit || count === 1) return { body, count }
      count = Math.max(1, Math.min(count - 1, Math.floor(count * (limit / body.length) * caution)))
    }
  }

  function tighten(): void {
    limit = Math.max(bytesLeast, Math.floor(limit / 2))
  }

  return { charsWanted, pack, tighten }
}

function fitting(events: readonly Event[], most: number): number {
  let chars = 0
  const beyond = events.findIndex(({ text }) => {
    chars += text.length + 1
    return chars > most
  })
  return beyond < 0 ? events.length : beyond
}
