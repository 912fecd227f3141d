import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import type { Upstream } from '../../pdp/contract.ts'
import { dial } from './dial.ts'
import { int32, message } from './frames.ts'

/** The keys clients may cancel with: the gate's own, never the datastore's. */
export interface CancelKeys {
  /** A new key and how to forget it: a process id and 4 secret bytes for protocol 3.0, 32 for 3.2. */
  issue(minor: 0 | 2, cancel: () => void): { readonly key: Buffer; forget(): void }
  /** Whether the key was known; its session was then told. Wrong keys of one peer stop being looked at. */
  use(key: Buffer, peer: string): boolean
}

/** A peer who guesses this often within the window is ignored until it is over. */
const wrongMax = 10
const windowMs = 60_000
const peersMax = 1_000
const drawsMax = 100

/** An empty set of keys. */
export function cancelKeys(now: () => number = Date.now): CancelKeys {
  const sessions = new Map<number, { readonly secret: Buffer; readonly cancel: () => void }>()
  const wrong = new Map<string, { count: number; readonly untilMs: number }>()

  return {
    issue(minor, cancel) {
      const id = freeId()
      const secret = randomBytes(minor === 2 ? 32 : 4)
      sessions.set(id, { secret, cancel })
      return {
        key: Buffer.concat([int32(id), secret]),
        forget: () => void sessions.delete(id),
      }
    },
    use(key, peer) {
      if (key.length < 8 || guessing(peer)) return false
      const session = sessions.get(key.readInt32BE(0))
      const secret = key.subarray(4)
      const known = session !== undefined && session.secret.length === secret.length
      if (!known || !timingSafeEqual(session.secret, secret)) {
        missed(peer)
        return false
      }
      session.cancel()
      return true
    },
  }

  function freeId(): number {
    for (let draws = 0; draws < drawsMax; draws += 1) {
      const id = randomInt(1, 2 ** 31)
      if (!sessions.has(id)) return id
    }
    throw new Error('no cancel key is free')
  }

  function guessing(peer: string): boolean {
    const seen = wrong.get(peer)
    return seen !== undefined && seen.untilMs > now() && seen.count >= wrongMax
  }

  function missed(peer: string): void {
    const seen = wrong.get(peer)
    if (seen !== undefined && seen.untilMs > now()) seen.count += 1
    else {
      wrong.delete(peer)
      wrong.set(peer, { count: 1, untilMs: now() + windowMs })
      const [oldest] = wrong.keys()
      if (wrong.size > peersMax && oldest !== undefined) wrong.delete(oldest)
    }
  }
}

/** Asks the datastore to cancel what runs under `key`; resolves when it has taken notice, or cannot be reached. */
export async function cancelUpstream(upstream: Upstream, key: Buffer): Promise<void> {
  const dialled = await dial(upstream).catch(() => undefined)
  if (dialled === undefined) return
  const { channel } = dialled
  channel.write(message('', int32(80877102), key))
  const timer = setTimeout(() => channel.close(), cancelMsMax)
  // The server signals its process, then closes without a word.
  await channel.read().catch(() => undefined)
  clearTimeout(timer)
  channel.close()
}

const cancelMsMax = 5_000
