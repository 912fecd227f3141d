import type { Gate, Session } from '../../pdp/contract.ts'
import { Malformed } from '../../pdp/refusal.ts'
import type { Channel, Door, Link, Wire } from '../sidecar.ts'
import { type CancelKeys, cancelKeys, cancelUpstream } from './cancel.ts'
import { catalogueOf, type Shared } from './catalogues.ts'
import { ask } from './control.ts'
import { declaredBy } from './declared.ts'
import { int32, message } from './frames.ts'
import { front, token } from './front.ts'
import { type SearchPath, tracker } from './path/tracker.ts'
import { namesIn } from './read/path.ts'
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
  const catalogue = declaredBy(gate, await catalogueOf(gate, database, credential))
  const settings = { ...startup.settings, database }
  const server = await upstreamLogin(gate.upstream, credential, settings, door.frameBytesMax)
  try {
    const path = await pathOf(server.channel, catalogue)
    const cancel = async (): Promise<void> => {
      if (server.key !== undefined) await cancelUpstream(gate.upstream, server.key)
    }
    const relaying = relay(state(session, catalogue, path, cancel), admitted.reading)
    const issued = keys.issue(startup.minor, relaying.interrupt)
    client.write(welcome(server, issued.key))
    const leave = catalogue.enter()
    const closed = (): void => {
      leave()
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

const pathQuery = `
SELECT CURRENT_USER, s.setting, s.reset_val, pg_catalog.to_json(pg_catalog.current_schemas(false))
  FROM pg_catalog.pg_settings AS s WHERE s.name OPERATOR(pg_catalog.=) 'search_path'`

/** The search_path that the session begins with. Throws Refusal. */
async function pathOf(server: Channel, catalogue: Shared): Promise<SearchPath> {
  const [row = []] = await ask(server, pathQuery)
  const [user, setting, reset, schemas] = row.map((cell) => cell ?? '')
  const [current, start] = [namesIn(setting ?? ''), namesIn(reset ?? '')]
  const path = tracker({ user: user ?? '', start: start ?? [], current: current ?? [] })
  const known = (): boolean =>
    JSON.stringify(path.schemas(current ?? [], catalogue.current().schemas)) ===
    JSON.stringify(JSON.parse(schemas ?? '[]'))
  // A schema may have been made a moment ago.
  if (!known()) await catalogue.refresh()
  if (current === undefined || start === undefined || !known()) path.lose()
  return path
}
