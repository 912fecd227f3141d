import { type Listening, listening } from '../../server/listen.ts'
import { unreadyReasons } from '../../server/readiness.ts'
import { server } from '../../server.ts'
import { fileBytes } from '../io.ts'
import { pemOf } from '../parts.ts'
import { bound } from './bound.ts'
import { opaOf, opaStatusOf } from './opa.ts'
import type { Running, Serving } from './serving.ts'

/** Opens the HTTP server of a gate. */
export async function openApi(serving: Serving, running: Running): Promise<Listening> {
  const { settings } = serving
  const { bundleServer, listeners } = settings
  const { host, port, hosts, tls } = settings.server
  const { court, search, identity, numbers, journal, policy, beside, publishing } = running
  const app = server({
    identity,
    shadow: beside.shadow,
    holds: court.holds,
    audit: court.audit,
    search,
    metrics: numbers,
    adminGroups: settings.admin.groups,
    hosts: [...hosts, host],
    tls: tls !== undefined,
    publishing,
    opa: opaOf(serving, running),
    status: () => statusOf(serving, running),
    unready: () =>
      unreadyReasons({
        // Without a listener there is nothing to decide: a bundle server is ready before the first push.
        engine: listeners.length === 0 ? undefined : court.engine.status(),
        audit: court.audit.status(),
        bundleProblem: policy.status().message,
        phase: running.phase,
      }),
    failed: (error, instance) => journal.error('request failed', { instance }, error),
  })
  const clientCa = bundleServer?.pull.clientCa
  const ca = clientCa === undefined ? {} : { ca: fileBytes(clientCa).toString() }
  const options = {
    host,
    port,
    more: bundleServer?.gatesMax ?? 0,
    ...(tls !== undefined && { tls: { ...pemOf(tls), ...ca } }),
  }
  return bound('the server', settings.server, () => listening(app, options))
}

function statusOf(serving: Serving, running: Running): object {
  const { version, described } = serving
  const { court, policy, beside, phase, ways } = running
  return {
    // Under the name that OPA gives it.
    result: opaStatusOf(serving, running),
    version,
    phase,
    bundle: policy.status(),
    ...(beside.candidate && { shadow: beside.candidate.status() }),
    engine: court.engine.status(),
    audit: court.audit.status(),
    listeners: ways.map(({ id, door, keeper }) => ({
      id,
      port: door.port,
      connections: door.connections(),
      sessions: keeper.sessions().length,
    })),
    config: described,
  }
}
