import type { OpenCourt } from '../../court.ts'
import { type Metrics, metrics } from '../../metrics.ts'
import type { Shadowing } from '../shadowing.ts'

/** The metrics of a gate, read from its parts when somebody asks. */
export function measured(
  { audit, engine, holds }: OpenCourt,
  version: string,
  { shadow }: Shadowing,
): Metrics {
  return metrics({
    version,
    shadow: () => shadow.status().report,
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
