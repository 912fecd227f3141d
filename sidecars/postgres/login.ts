import type { Gate, Session } from '../../pdp/contract.ts'
import { Malformed } from '../../pdp/refusal.ts'
import type { Channel, Door, Link, Wire } from '../sidecar.ts'
import { type CancelKeys, cancelKeys, cancelUpstream } from './cancel.ts'
import { catalogueOf } from './catalogues.ts'
import { ask } from './control.ts'
import { int32, message } from './frames.ts'
import { front, token } from './front.ts'
import type { Reader } from './reader.ts'
import { relay } from './relay.ts'
import { parameter } from './responses.ts'
import type { Startup } from './startup.ts'
import { state } from './state.ts'
import { type Opened, login as upstreamLogin } from './upstream.ts'

/** What is enforced on this wire, as policies name it. */
export const capabilities: readonly string[] = [
  'hold',
  'limit:bytes',
  'limit:duration_ms',
  'limit:rows',
  'mask:hash',
  'mask:null',
  'mask:partial',
  'mask:redact',
  'mask:tokenize',
  'obligation:profile',
  'obligation:row_filter',
]

const accepted = message('R', int32(0))
const idle = message('Z', Buffer.from('I'))

/** From a client's first byte to a datastore that waits for its first command. */
export function login(reading: Reader, ready: Promise<unknown>): Wire['login'] {
  const keys = cancelKeys()

  return async (client, gate, door) => {
    const arrival = await front(client, door)
    if (arrival === undefined) return undefined
    if (arrival.kind === 'cancel') {
      if (!keys.use(arrival.key, door.peer))
        gate.turnedAway(door.peer, new Malformed('a cancel request with a key of nobody'))
      return undefined
    }
    const { startup, tls } = arrival
    // Goes ahead of the authentication, as the server does it.
    if (startup.negotiation !== undefined) client.write(startup.negotiation)
    const password = await token(client)
    if (password === undefined) return undefined
    const { database, user, application } = startup
    const { peer } = door
    const { gone: signal } = client
    const knock = { token: password, peer, tls, database, user, application, capabilities, signal }
    await ready
    const session = await gate.open(knock)
    return linked({ client, gate, door, session, startup, keys, reading })
  }
}

type Admitted = {
  readonly client: Channel
  readonly gate: Gate
  readonly door: Door
  readonly session: Session
  readonly startup: Startup
  readonly keys: CancelKeys
  readonly reading: Reader
}

async function linked(admitted: Admitted): Promise<Link> {
  const { client, gate, door, session, startup, keys } = admitted
  const { credential } = session
  const { database } = startup
  const catalogue = await catalogueOf(gate, database, credential)
  const settings = { ...startup.settings, database }
  const server = await upstreamLogin(gate.upstream, credential, settings, door.frameBytesMax)
  try {
    const searchPath = await searchPathOf(server.channel)
    const cancel = async (): Promise<void> => {
      if (server.key !== undefined) await cancelUpstream(gate.upstream, server.key)
    }
    const relaying = relay(state(session, catalogue, searchPath, cancel), admitted.reading)
    const issued = keys.issue(startup.minor, relaying.interrupt)
    client.write(welcome(server, issued.key))
    const closed = (): void => {
      issued.forget()
      if (relaying.closed()) void cancel()
    }
    return { session, server: server.channel, relay: relaying, closed }
  } catch (problem) {
    server.channel.close()
    throw problem
  }
}

/** What the server greeted with, our own key in place of its. */
function welcome({ parameters }: Opened, key: Buffer): Buffer {
  return Buffer.concat([accepted, ...parameters.map(parameter), message('K', key), idle])
}

/** The schemas a bare name is looked up in, `$user` replaced; the server's own only where it is named. */
async function searchPathOf(server: Channel): Promise<readonly string[]> {
  const rows = await ask(
    server,
    'SELECT s FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) AS found(s)',
  )
  return rows.flatMap(([schema]) => (typeof schema === 'string' ? [schema] : []))
}
