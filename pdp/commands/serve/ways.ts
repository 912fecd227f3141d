import { gate } from '../../gate.ts'
import { Refusal } from '../../refusal.ts'
import { credentialsOf, upstreamOf } from '../parts.ts'
import type { ListenerSettings } from '../settings.ts'
import { bound } from './bound.ts'
import { graceMs, type Running, type Serving, type Way } from './serving.ts'

/** How long clients may take to read why they ended. */
const farewellMs = 1_000

/** Opens one listener. */
export async function openWay(
  serving: Serving,
  running: Running,
  listener: ListenerSettings,
): Promise<Way> {
  const { settings, env, openDoor } = serving
  const { id, protocol, labels } = listener
  const { sessionsMax, sessionsPerSubjectMax } = settings.limits
  const keeper = gate({
    ...running.court,
    resource: { id, protocol, labels },
    upstream: upstreamOf(listener),
    identity: running.identity,
    credentials: credentialsOf(listener.credential, env),
    ...(listener.sealedCredential !== undefined && {
      sealedCredentials: credentialsOf(listener.sealedCredential, env, 'sealed_credential'),
    }),
    tokenExpiry: settings.identity.onTokenExpiry,
    sessionsMax,
    sessionsPerSubjectMax,
  })
  const door = await bound(`listener ${id}`, listener, () => openDoor(listener, keeper))
  running.journal.info('listening', { resource: id, host: listener.host, port: door.port })
  return { id, keeper, door }
}

/** Lets sessions end by themselves for a while, then ends them with a word. */
export async function closeWays(ways: readonly Way[]): Promise<void> {
  const end = setTimeout(() => {
    const why = new Refusal('session_ended', 'the gate is stopping; connect again')
    for (const { keeper } of ways) keeper.end(() => true, why)
  }, graceMs)
  await Promise.all(ways.map(({ door }) => door.close(graceMs + farewellMs)))
  clearTimeout(end)
}
