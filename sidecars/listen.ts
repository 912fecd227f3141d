import { createServer, type Server, type Socket } from 'node:net'
import type { Gate } from '../pdp/contract.ts'
import type { Door, Sidecar } from './sidecar.ts'

/** Where a listener listens and whom it serves. */
export type Listening = {
  readonly host: string
  readonly port: number
  readonly sidecar: Sidecar
  readonly gate: Gate
  readonly tls?: NonNullable<Door['tls']>
  /** Connections beyond this many are closed at once; 1,000 when not given. */
  readonly connectionsMax?: number
  readonly frameBytesMax?: number
}

/** An open listener. */
export interface Listener {
  /** The port in use, also where port 0 was asked for. */
  readonly port: number
  /** How many clients are connected. */
  connections(): number
  /** Takes no new connection, waits `graceMs` for the open ones to end, then cuts them. */
  close(graceMs?: number): Promise<void>
}

const connectionsMaxDefault = 1_000
const keepAliveMs = 60_000

/** Opens a listener; rejects when the address cannot be had. A broken connection never reaches the process. */
export async function listen(listening: Listening): Promise<Listener> {
  const { sidecar, gate, tls, frameBytesMax } = listening
  const open = new Set<Socket>()
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  })
  server.maxConnections = listening.connectionsMax ?? connectionsMaxDefault
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    void sidecar.serve(socket, gate, {
      peer: peerOf(socket),
      ...(tls !== undefined && { tls }),
      ...(frameBytesMax !== undefined && { frameBytesMax }),
    })
  })
  await opened(server, listening)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : listening.port,
    connections: () => open.size,
    close: (graceMs = 0) => closed(server, open, graceMs),
  }
}

/** Who connects; an IPv4 address that a dual-stack socket shows within IPv6 as what it is, so that policies can tell. */
function peerOf({ remoteAddress = 'unknown' }: Socket): string {
  return remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '')
}

function opened(server: Server, { host, port }: Listening): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      // Accept errors (out of descriptors) end that one attempt; the listener goes on.
      server.on('error', () => undefined)
      resolve()
    })
  })
}

function closed(server: Server, open: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      for (const socket of open) socket.destroy()
    }, graceMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
  })
}
