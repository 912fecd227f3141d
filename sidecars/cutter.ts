import { Refusal } from '../pdp/refusal.ts'
import { gather, nothing } from './bytes.ts'
import type { Length, Reading } from './sidecar.ts'

/** Cuts what arrives into messages, wherever it was cut on the way. */
export interface Cutter {
  /** How much has arrived and was not taken. */
  readonly bytes: number
  add(chunk: Buffer): void
  /** The next whole message; undefined until it has arrived. Throws Malformed, and Refusal `message_too_large`. */
  next(reading?: Reading): Buffer | undefined
  /** The first byte not taken yet. */
  first(): number | undefined
  /** Everything not taken yet. */
  rest(): Buffer
}

/** A Cutter for messages as long as `lengthOf` says, up to `frameBytesMax`. */
export function cutter(lengthOf: Length, frameBytesMax: number): Cutter {
  const arrived = gather()
  let unread: Buffer = nothing
  let at = 0

  return {
    get bytes() {
      return unread.length - at + arrived.bytes
    },
    add: (chunk) => arrived.add(chunk),
    next,
    first() {
      if (at === unread.length) join()
      return unread[at]
    },
    rest() {
      join()
      const all = unread
      unread = nothing
      return all
    },
  }

  function next(reading: Reading = {}): Buffer | undefined {
    const { length = lengthOf, bytesMax = frameBytesMax } = reading
    for (;;) {
      const left = unread.length - at
      const size = left === 0 ? 0 : length(unread, at)
      if (size > bytesMax) throw tooLarge(size, bytesMax)
      if (size > 0 && size <= left) {
        at += size
        return unread.subarray(at - size, at)
      }
      // A long message is joined once, when the last of it is there.
      const needed = size === 0 ? left + 1 : size
      if (left + arrived.bytes < needed) return undefined
      join()
    }
  }

  function join(): void {
    const fresh = arrived.take()
    unread = at === unread.length ? fresh : joined(unread.subarray(at), fresh)
    at = 0
  }
}

/** What was read into memory right behind the rest needs no copy. */
function joined(rest: Buffer, fresh: Buffer): Buffer {
  const { buffer, byteOffset, length } = rest
  if (buffer !== fresh.buffer || byteOffset + length !== fresh.byteOffset)
    return Buffer.concat([rest, fresh])
  return Buffer.from(buffer, byteOffset, length + fresh.length)
}

function tooLarge(size: number, bytesMax: number): Refusal {
  return new Refusal(
    'message_too_large',
    `a message of ${size} bytes is larger than the ${bytesMax} the gate accepts`,
  )
}
