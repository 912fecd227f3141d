import { setTimeout as rest, setImmediate as turn } from 'node:timers/promises'
import { OpaError } from './error.ts'

const waitingMax = 200
/** A shorter evaluation is not worth a rest. */
const briefMs = 2
/** After a longer one, commands have the processor for at least as long. */
const restShare = 1

/** Lets evaluations take turns with each other and with commands, which they never hold up for longer than one takes. */
export interface Turns {
  /** Throws OpaError when too many wait. */
  take<Value>(work: () => Promise<Value>): Promise<Value>
}

/** Nobody waits yet. */
export function turns(): Turns {
  let waiting = 0
  let sinceMs = 0
  let last: Promise<unknown> = Promise.resolve()

  async function take<Value>(work: () => Promise<Value>): Promise<Value> {
    if (waiting >= waitingMax)
      throw new OpaError(429, 'internal_error', 'too many evaluations wait: ask again later')
    waiting += 1
    const mine = last.then(() => {
      sinceMs = performance.now()
      return work()
    })
    last = mine.then(breathe, breathe)
    return await mine.finally(() => {
      waiting -= 1
    })
  }

  async function breathe(): Promise<void> {
    const spentMs = performance.now() - sinceMs
    if (spentMs > briefMs) await rest(spentMs * restShare)
    else await turn()
  }

  return { take }
}
