import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

/** An HTTP server that accepts connections. */
export interface Listening {
  readonly host: string
  readonly port: number
  /** Answers what was asked, for at most `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>
}

export type ListenOptions = {
  readonly host: string
  readonly port: number
  /** PEM texts; plain HTTP without. */
  readonly tls?: {
    readonly key: string
    readonly cert: string
    /** Who signs the certificates of clients that have one; the others are answered too. */
    readonly ca?: string
  }
  /** Connections besides the ordinary ones, e.g. of gates that wait for news. */
  readonly more?: number
}

/** Limits against clients that are slow on purpose or many. */
const limits = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
} as const
const connectionsMax = 256
const headersMax = 64
const requestsPerSocketMax = 1_000

/** Starts `handler` on a port; rejects when the address cannot be had. TLS is 1.2 or newer. */
export async function listening(
  handler: RequestListener,
  options: ListenOptions,
): Promise<Listening> {
  const { host, port, tls, more = 0 } = options
  const asked = tls?.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: false }
  const server = tls
    ? createTlsServer({ ...limits, ...tls, ...asked, minVersion: 'TLSv1.2' }, handler)
    : createServer(limits, handler)
  server.maxConnections = connectionsMax + more
  server.maxHeadersCount = headersMax
  server.maxRequestsPerSocket = requestsPerSocketMax
  server.listen(port, host)
  await once(server, 'listening')
  // Accept errors (out of descriptors) end that one attempt; the server goes on.
  server.on('error', () => undefined)
  const bound = server.address()
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port
  return { host, port: boundPort, close: (graceMs) => closed(server, graceMs) }
}

async function closed(server: Server, graceMs: number): Promise<void> {
  const end = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), graceMs)
  await end
  clearTimeout(cut)
}
