import { randomUUID } from 'node:crypto'
import type { HealthParts, Plugins } from '../../server/opa/health.ts'
import type { OpaParts } from '../../server/opa/routes.ts'
import { opaConfig, opaStatus } from '../../server/opa/status.ts'
import type { Running, Serving } from './serving.ts'

/** A name of its own for every start, as OPA has it. */
const id = randomUUID()

/** By what decision logs and status tell this gate from others. */
export function labelsOf({ version }: Pick<Serving, 'version'>) {
  return { id, version } as const
}

/** What the OPA surface of a gate answers with. */
export function opaOf(serving: Serving, running: Running): OpaParts & HealthParts {
  const { version, settings } = serving
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
    config: () => opaConfig({ labels, bundle: { name, source }, defaultDecision }),
  }
}

/** `/v1/status` in OPA's words. */
export function opaStatusOf(serving: Serving, running: Running): object {
  const labels = labelsOf(serving)
  return opaStatus({ labels, bundle: running.policy.status(), plugins: pluginsOf(running) })
}

function pluginsOf({ court }: Running): Plugins {
  const { bundle } = court.engine.status()
  if (bundle === undefined) return { bundle: { state: 'NOT_READY' } }
  return { bundle: { state: bundle.stale ? 'ERROR' : 'OK' } }
}
