import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  type SecureContext,
  TLSSocket,
} from 'node:tls'
import type { Upstream } from '../pdp/contract.ts'
import type { Door } from './sidecar.ts'

const minVersion = 'TLSv1.2'
const contexts = new WeakMap<object, SecureContext>()

/** Speaks TLS to a client as the server of `tls`; `alpn` names the only protocol offered. */
export function asServer(
  tls: NonNullable<Door['tls']>,
  alpn: string,
): (socket: Duplex) => TLSSocket {
  const secureContext = contextOf(tls)
  return (socket) => new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: [alpn] })
}

/** Speaks TLS to a datastore, whose certificate must be valid for its name. */
export function asClient(
  tls: NonNullable<Upstream['tls']>,
  alpn: string,
): (socket: Duplex) => TLSSocket {
  const name: ConnectionOptions = isIP(tls.servername)
    ? { host: tls.servername }
    : { servername: tls.servername }
  return (socket) =>
    connect({
      ...name,
      socket,
      minVersion,
      ALPNProtocols: [alpn],
      rejectUnauthorized: true,
      ...(tls.ca !== undefined && { ca: tls.ca }),
    })
}

/** One context per certificate, not per connection: making it reads the key. */
function contextOf(tls: NonNullable<Door['tls']>): SecureContext {
  const known = contexts.get(tls)
  if (known !== undefined) return known
  const made = createSecureContext({ key: tls.key, cert: tls.cert, minVersion })
  contexts.set(tls, made)
  return made
}
