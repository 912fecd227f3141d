import { randomUUID } from 'node:crypto'
import type { HealthParts, Plugins } from '../../server/opa/health.ts'
import type { OpaParts } from '../../server/opa/routes.ts'
import { opaConfig, opaStatus } from '../../server/opa/status.ts'
import type { Running, Serving } from './serving.ts'

/** A name of its own for every start, as OPA has it. */
const id = randomUUID()

/** By what decision logs and status tell this gate from others. */
export function labelsOf({ version, settings: { gate } }: Serving) {
  const own = gate && { ...gate.labels, gate: gate.name }
  return { ...own, id, version } as const
}

/** What the OPA surface of a gate answers with. */
export function opaOf(serving: Serving, running: Running): OpaParts & HealthParts {
  const { version, settings } = serving
  const { decisionLogs } = settings
  const { name } = settings.bundle
  const labels = labelsOf(serving)
  const defaultDecision = ['postern', 'decision']
  const { source } = running.policy.status()
  return {
    engine: running.court.engine,
    labels,
    version,
    defaultDecision,
    bundle: name,
    openOnLoopback: settings.server.opaApi === 'open_on_loopback',
    plugins: () => pluginsOf(running),
    config: () => opaConfig({ labels, bundle: { name, source }, defaultDecision, decisionLogs }),
  }
}

/** `/v1/status` in OPA's words. */
export function opaStatusOf(serving: Serving, running: Running): object {
  const labels = labelsOf(serving)
  const { policy, decisionLog } = running
  return opaStatus({
    labels,
    bundle: policy.status(),
    plugins: pluginsOf(running),
    decisionLogs: decisionLog?.status(),
  })
}

function pluginsOf({ court, decisionLog }: Running): Plugins {
  const { bundle } = court.engine.status()
  const state = bundle === undefined ? 'NOT_READY' : bundle.stale ? 'ERROR' : 'OK'
  if (decisionLog === undefined) return { bundle: { state } }
  return { bundle: { state }, decision_logs: { state: decisionLog.status().late ? 'ERROR' : 'OK' } }
}
