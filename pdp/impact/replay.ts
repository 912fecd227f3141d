import { engine, type ManagedEngine } from '../engine/engine.ts'
import type { PolicyBundle } from '../parts.ts'
import { changesBetween, directionOf } from './difference.ts'
import { recordedOf, type Unused } from './recorded.ts'
import { counter, type Tally } from './tally.ts'

/** Which entries to replay: recorded at or after `fromMs` and before `toMs`. */
export type Stretch = { readonly fromMs?: number | undefined; readonly toMs?: number | undefined }

/** What a candidate bundle would have answered. */
export type Replayed = Tally & {
  /** Lines that could not be compared, by reason. */
  readonly unused: Readonly<Record<Unused, number>>
  /** Questions on which the candidate failed; the first failure, without values. */
  readonly failed: number
  readonly failure?: string
}

/** Asks a candidate what the record was asked. */
export interface Replay {
  /** Replays one line; what is no answer of a policy, or outside the stretch, is only counted. */
  line(text: string): void
  report(): Replayed
}

/** Loads the candidate. Throws an Error that says why it cannot be loaded. */
export async function replay(candidate: PolicyBundle, stretch: Stretch = {}): Promise<Replay> {
  const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = stretch
  // Time stands where it stood, and a candidate cannot have expired before it was made.
  let clockMs = Date.now()
  const { expiresMs: _, ...lasting } = candidate
  const asked: ManagedEngine = engine({ now: () => clockMs })
  await asked.activate(lasting)
  const counts = counter()
  const unused = { not_a_decision: 0, not_by_policy: 0, unreadable: 0 }

  function line(text: string): void {
    const recorded = recordedOf(text)
    if (typeof recorded === 'string') {
      unused[recorded] += 1
      return
    }
    const { atMs, input, decision } = recorded
    if (atMs < fromMs || atMs >= toMs) return
    clockMs = atMs
    const { decision: now } = asked.evaluate(input)
    const changes = changesBetween(decision, now)
    counts.add(recorded, directionOf(changes), changes, now)
  }

  return {
    line,
    report() {
      const { failures, last_failure: failure } = asked.status()
      return {
        ...counts.tally(),
        unused: { ...unused },
        failed: failures,
        ...(failure === undefined ? {} : { failure: failure.problem }),
      }
    },
  }
}
