import { connect } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'

/** A real connection to a listener. */
export function dialled(port: number): Duplex {
  return connect({ port, host: '127.0.0.1', noDelay: true })
}

/**
 * Two ends of a connection; what is written to the first arrives at the second cut at these offsets from its start,
 * each piece in a turn of its own.
 */
export function cutPair(cuts: readonly number[]): readonly [client: Duplex, server: Duplex] {
  const [client, inner] = duplexPair()
  const [outer, server] = duplexPair()
  let at = 0
  void (async () => {
    for await (const chunk of inner) {
      for (const piece of pieces(chunk as Buffer, at, cuts)) {
        outer.write(piece)
        await new Promise((resolve) => setImmediate(resolve))
      }
      at += (chunk as Buffer).length
    }
    outer.end()
  })().catch(() => outer.destroy())
  outer.on('data', (chunk: Buffer) => inner.write(chunk))
  outer.on('end', () => inner.end())
  outer.on('error', () => inner.destroy())
  inner.on('error', () => outer.destroy())
  return [client, server]
}

/** A chunk that starts at `at`, cut at the offsets that are inside it. */
export function pieces(chunk: Buffer, at: number, cuts: readonly number[]): Buffer[] {
  const found: Buffer[] = []
  let from = 0
  for (const cut of cuts) {
    const here = cut - at
    if (here <= from || here >= chunk.length) continue
    found.push(chunk.subarray(from, here))
    from = here
  }
  return [...found, chunk.subarray(from)]
}

/** The same numbers for the same seed, from 0 up to 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}

/** Sorted offsets below `length`: many small pieces or few large ones, by the seed. */
export function cutsOf(length: number, seed: number): readonly number[] {
  const next = random(seed)
  const mean = 1 + next() ** 3 * length
  const found: number[] = []
  for (let at = 1 + next() * mean * 2; at < length; at += 1 + next() * mean * 2)
    found.push(Math.floor(at))
  return found
}
