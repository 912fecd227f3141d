import { Refusal } from './refusal.ts'

/** How long a session may go on. */
export interface Lifetime {
  /** Aborted with a Refusal as its reason. */
  readonly ended: AbortSignal
  /** Why it is over, if it is; exact to the millisecond, whenever the timer fires. */
  over(): Refusal | undefined
  /** It may outlive its token: only somebody's word ends it now. */
  keep(): void
  /** Ends it now; the first reason stays. */
  end(why: Refusal): void
  /** Stops the clock. */
  stop(): void
}

/** setTimeout cannot wait longer. */
const timerMsMax = 2 ** 31 - 1

/** A life until `expiresMs` (milliseconds since the epoch), or until somebody ends it. */
export function lifetime(tokenExpiresMs: number | undefined, now: () => number): Lifetime {
  const ending = new AbortController()
  let expiresMs = tokenExpiresMs
  let timer: NodeJS.Timeout | undefined
  arm()

  function arm(): void {
    if (expiresMs === undefined || over() !== undefined) return
    timer = setTimeout(arm, Math.min(expiresMs - now(), timerMsMax)).unref()
  }

  function over(): Refusal | undefined {
    if (expiresMs !== undefined && now() >= expiresMs) end(new Refusal('token_expired'))
    return ending.signal.aborted ? ending.signal.reason : undefined
  }

  function end(why: Refusal): void {
    clearTimeout(timer)
    ending.abort(why)
  }

  function keep(): void {
    clearTimeout(timer)
    expiresMs = undefined
  }

  return { ended: ending.signal, over, keep, end, stop: () => clearTimeout(timer) }
}
