import { Counter, Gauge, type Registry } from 'prom-client'
import type { DecisionLogStatus } from '../export/decision-log.ts'

/** How far decisions got to their receiver; undefined without one. */
export type DecisionLogFacts = DecisionLogStatus | undefined

/** Publishes the delivery of decision logs; without a receiver everything stays at zero. */
export function publishDecisionLog(registry: Registry, facts: () => DecisionLogFacts): void {
  const registers = [registry]
  const counter = (
    name: string,
    help: string,
    read: (facts: DecisionLogStatus) => number,
  ): unknown =>
    new Counter({
      name: `postern_decision_log_${name}_total`,
      help,
      registers,
      collect() {
        this.reset()
        const found = facts()
        if (found !== undefined) this.inc(read(found))
      },
    })
  const gauge = (name: string, help: string, read: (facts: DecisionLogStatus) => number): unknown =>
    new Gauge({
      name: `postern_decision_log_${name}`,
      help,
      registers,
      collect() {
        const found = facts()
        if (found !== undefined) this.set(read(found))
      },
    })
  counter('events', 'Decisions the receiver has accepted', ({ sent }) => sent)
  counter('batches', 'Uploads the receiver has accepted', ({ batches }) => batches)
  counter('failures', 'Uploads it did not accept, which are tried again', (f) => f.failures)
  counter('shrunk', 'Decisions sent without question and answer: too large', (f) => f.shrunk)
  counter(
    'lost',
    'Decisions or parts of the record that cannot be delivered any more',
    (f) => f.lost,
  )
  counter('crashes', 'Times the thread that sends them had to be started anew', (f) => f.crashes)
  gauge('lag_seconds', 'Age of the oldest decision that waits', (f) => f.lag_s)
  gauge('behind_bytes', 'How much of the record is not delivered yet', (f) => f.behind_bytes)
}
