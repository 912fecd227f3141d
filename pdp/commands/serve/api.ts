import { type Listening, listening } from '../../server/listen.ts'
import { unreadyReasons } from '../../server/readiness.ts'
import { server } from '../../server.ts'
import { pemOf } from '../parts.ts'
import { bound } from './bound.ts'
import type { Running, Serving } from './serving.ts'

/** Opens the HTTP server of a gate. */
export async function openApi(serving: Serving, running: Running): Promise<Listening> {
  const { settings } = serving
  const { host, port, hosts, tls } = settings.server
  const { court, search, identity, numbers, journal, policy, beside } = running
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
    status: () => statusOf(serving, running),
    unready: () =>
      unreadyReasons({
        engine: court.engine.status(),
        audit: court.audit.status(),
        bundleProblem: policy.status().message,
        phase: running.phase,
      }),
    failed: (error, instance) => journal.error('request failed', { instance }, error),
  })
  const options = { host, port, ...(tls !== undefined && { tls: pemOf(tls) }) }
  return bound('the server', settings.server, () => listening(app, options))
}

function statusOf(
  { version, described }: Serving,
  { court, policy, beside, phase, ways }: Running,
): object {
  return {
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
