import type { Channel } from '../sidecar.ts'
import type { Query } from './catalogue.ts'
import { ask } from './control.ts'
import { unavailable } from './dial.ts'
import { terminate } from './frames.ts'
import { readMark, readSign, type Sign } from './sign.ts'

/** Looks at a database from a connection of its own. */
export interface Watch {
  /**
   * The sign of a moment after this call; looks that were asked for while one was under way share the next. Throws
   * Refusal when the database cannot be seen, by a second connection either.
   */
  look(): Promise<Sign>
  /** Closes the connection; the next look opens another. */
  rest(): void
}

/** The server answers a look in this time, or the connection is given up. */
const lookMsMax = 5_000
/** Dear looks take at most a quarter of the time, up to this long a pause. */
const pauseShare = 3
const pauseMsMax = 1_000

/** Nothing was looked at since `before`; `open` logs in. */
export function watch(before: Sign, open: () => Promise<Channel>): Watch {
  let sign = before
  let channel: Channel | undefined
  let running: Promise<Sign> | undefined
  let next: Promise<Sign> | undefined
  let restUntilMs = 0

  return { look, rest }

  /** A look under way may have missed what the caller saw, so it is not joined but followed. */
  function look(): Promise<Sign> {
    next ??= Promise.resolve(running?.catch(() => undefined)).then(() => {
      next = undefined
      running = looked().catch(looked)
      return running
    })
    return next
  }

  async function looked(): Promise<Sign> {
    channel ??= await open()
    const used = channel
    const timer = setTimeout(() => used.close(), lookMsMax)
    try {
      sign = await seen(used)
      return sign
    } catch (problem) {
      rest()
      throw problem
    } finally {
      clearTimeout(timer)
    }
  }

  async function seen(on: Channel): Promise<Sign> {
    if (on.gone.aborted) throw unavailable('the datastore closed the connection')
    const query: Query = (sql) => ask(on, sql)
    if ((await readMark(query)) === sign.mark) return sign
    await until(restUntilMs)
    const begunMs = Date.now()
    const found = await readSign(query)
    const tookMs = Date.now() - begunMs
    restUntilMs = Date.now() + Math.min(tookMs * pauseShare, pauseMsMax)
    return found
  }

  function rest(): void {
    channel?.write(terminate)
    channel?.end()
    channel = undefined
  }
}

function until(timeMs: number): Promise<void> {
  const leftMs = timeMs - Date.now()
  return leftMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, leftMs))
}
