import type { OpenCourt } from '../../court.ts'
import type { DecisionLog } from '../../export/decision-log.ts'
import { type Metrics, metrics } from '../../metrics.ts'
import type { Shadowing } from '../shadowing.ts'

type Measured = Pick<Shadowing, 'shadow'> & { readonly decisionLog: DecisionLog | undefined }

/** The metrics of a gate, read from its parts when somebody asks. */
export function measured(
  { audit, engine, holds }: OpenCourt,
  version: string,
  { shadow, decisionLog }: Measured,
): Metrics {
  return metrics({
    version,
    shadow: () => shadow.status().report,
    decisionLog: () => decisionLog?.status(),
    holds: () => ({
      pending: holds.list({ state: 'pending' }).length,
      approved: holds.list({ state: 'approved' }).length,
    }),
    bundle() {
      const { bundle } = engine.status()
      return (
        bundle && { ...bundle, activatedMs: bundle.activated_ms, refreshedMs: bundle.refreshed_ms }
      )
    },
    audit() {
      const { entries, dropped, pending, lag_ms, failed } = audit.status()
      return { entries, dropped, pending, lagMs: lag_ms, failing: failed !== undefined }
    },
  })
}
