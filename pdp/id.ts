import { randomFillSync } from 'node:crypto'

const idBytes = 16
const batch = Buffer.alloc(256 * idBytes)
let at = batch.length

/** 128 random bits as 22 base64url characters: unique, unguessable, and never starting with a dash. */
export function newId(): string {
  for (;;) {
    if (at === batch.length) {
      randomFillSync(batch)
      at = 0
    }
    const id = batch.toString('base64url', at, at + idBytes)
    // A used id must not stay in memory for whoever reads the pool next.
    batch.fill(0, at, at + idBytes)
    at += idBytes
    // `postern holds approve -x…` would read it as an option.
    if (id.charCodeAt(0) !== 45) return id
  }
}
