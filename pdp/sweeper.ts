import type { StoredHold } from './state/holds.ts'

export type Sweep = {
  readonly sweepMs: number
  due(max: number): readonly StoredHold[]
  expire(id: string): Promise<void>
  prune(keepMs: number, max: number): void
  failed(error: unknown): void
}

const sweepMax = 200
/** The record keeps holds for good; the store only as long as people look them up. */
const keepMs = 30 * 24 * 60 * 60 * 1000

/** Expires holds whose time is over and forgets old ones, a bounded number at a time; returns what stops it. */
export function sweeper(sweep: Sweep): () => void {
  let sweeping = false
  const timer = setInterval(() => {
    if (sweeping) return
    sweeping = true
    sweepOnce(sweep)
      .catch(sweep.failed)
      .finally(() => {
        sweeping = false
      })
  }, sweep.sweepMs).unref()
  return () => clearInterval(timer)
}

async function sweepOnce(sweep: Sweep): Promise<void> {
  // One after the other, so that votes and waits get their turn in between.
  for (const { hold } of sweep.due(sweepMax)) await sweep.expire(hold.id)
  sweep.prune(keepMs, sweepMax)
}
