import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Upstream } from '../../pdp/contract.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { channel } from '../channel.ts'
import { dialTcp } from '../dial.ts'
import type { Channel } from '../sidecar.ts'
import { asClient } from '../tls.ts'
import { int32, message, rowsLength } from './frames.ts'

/** The ALPN name of PostgreSQL (55.2.10). */
export const alpn = 'postgresql'

const connectMsMax = 10_000
const sslRequest = message('', int32(80877103))

/** A connection to a datastore on which nothing was said yet. DataRows come several at a time (`rowsLength`). */
export type Dialled = { readonly channel: Channel; readonly tls?: TLSSocket }

/** Connects, in TLS with a checked certificate where it is configured. Throws Refusal `upstream_unavailable`. */
export async function dial(upstream: Upstream, frameBytesMax?: number): Promise<Dialled> {
  const address = { host: upstream.host, port: upstream.port }
  let socket: Socket | undefined
  const server = channel(
    (receive) => {
      const plain = upstream.tls === undefined
      socket = plain ? dialTcp(address, receive) : connect({ ...address, noDelay: true })
      return plain ? socket : socket.on('data', receive)
    },
    rowsLength,
    frameBytesMax,
  )
  const timer = setTimeout(() => server.close(), connectMsMax)
  try {
    await connected(socket, server)
    if (upstream.tls === undefined) return { channel: server }
    server.write(sslRequest)
    // One byte, no message; whatever an impostor says in clear text is not shown to anybody.
    const answer = await server.read({ length: () => 1 })
    if (answer?.[0] !== 0x53) throw unavailable('the datastore does not offer TLS')
    return { channel: server, tls: await server.secure(asClient(upstream.tls, alpn)) }
  } catch (problem) {
    server.close()
    if (problem instanceof Refusal) throw problem
    throw unavailable(
      problem instanceof Error ? problem.message : 'the datastore cannot be reached',
    )
  } finally {
    clearTimeout(timer)
  }
}

/** The datastore is not there, or not in a shape the gate will talk to. */
export const unavailable = (why: string): Refusal => new Refusal('upstream_unavailable', why)

function connected(socket: Socket | undefined, server: Channel): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(unavailable('the datastore cannot be reached'))
    server.gone.addEventListener('abort', fail, { once: true })
    socket?.once('connect', () => {
      server.gone.removeEventListener('abort', fail)
      resolve()
    })
  })
}
