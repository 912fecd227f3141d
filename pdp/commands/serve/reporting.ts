import type { Report } from '../../../bundles/fleet/report.ts'
import { reporter } from '../../../bundles/fleet/reporter.ts'
import type { Supply } from '../../../bundles/supply.ts'
import type { OpenCourt } from '../../court.ts'
import type { Log } from '../../log.ts'
import type { Observe } from '../../parts.ts'
import { reachOf } from '../reach.ts'
import type { Settings } from '../settings.ts'
import type { Serving } from './serving.ts'

export type Reporting = { readonly observe: Observe; close(): Promise<void> }

type Told = { readonly court: OpenCourt; readonly policy: Supply; readonly journal: Log }

const textMax = 500

/** Tells the bundle server of this gate, where the settings name one. */
export function reporting({ settings, version, env }: Serving, parts: Told): Reporting {
  const { gate, bundle } = settings
  if (gate?.report === undefined) return { observe: () => undefined, close: async () => undefined }
  const { url, ...reach } = gate.report
  const ending = new AbortController()
  const running = reporter({
    to: reachOf(url, reach, env),
    gate: gate.name,
    report: () => reportOf(gate, version, bundle.name, parts),
    told(problem) {
      if (problem === undefined) parts.journal.info('bundle server hears of this gate')
      else parts.journal.warn('bundle server does not hear of this gate', { problem })
    },
    signal: ending.signal,
  })
  return {
    observe: ({ kind }) => kind === 'bundle' && running.changed(),
    close() {
      ending.abort()
      return running.ended
    },
  }
}

function reportOf(
  { labels }: NonNullable<Settings['gate']>,
  version: string,
  name: string,
  { court, policy }: Told,
): Report {
  const { bundle } = court.engine.status()
  const { message } = policy.status()
  return {
    version,
    labels,
    bundle: {
      name,
      stale: bundle?.stale ?? true,
      ...(bundle !== undefined && {
        revision: bundle.revision.slice(0, textMax),
        digest: bundle.digest,
        age_s: Math.max(0, Math.round((Date.now() - bundle.refreshed_ms) / 1000)),
      }),
      ...(bundle?.sequence !== undefined && { sequence: bundle.sequence }),
      ...(message !== undefined && { error: message.slice(0, textMax) }),
    },
  }
}
