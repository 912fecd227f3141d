import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a datastore on which everything is seen. */
export interface Tap {
  readonly port: number
  /** How often the gate came. */
  connections(): number
  /** What the datastore got so far, connection by connection. */
  sent(): readonly Buffer[]
  /** Whether any connection carried this text. */
  carried(text: string): boolean
  close(): Promise<void>
}

export type TapOptions = {
  /** Hears each piece on its way to the datastore. */
  readonly heard?: (piece: Buffer) => void
  /** Cuts what the datastore answers; each piece travels alone. */
  readonly cut?: (answer: Buffer) => readonly Buffer[]
}

/** Opens a tap in front of the datastore at this port. */
export async function tap(port: number, { heard, cut }: TapOptions = {}): Promise<Tap> {
  const streams: Buffer[][] = []
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (gate) => {
    const stream: Buffer[] = []
    streams.push(stream)
    const datastore = connect({ port, host: '127.0.0.1', noDelay: true })
    gate.on('data', (piece: Buffer) => {
      stream.push(piece)
      heard?.(piece)
      datastore.write(piece)
    })
    if (cut !== undefined) void inPieces(datastore, gate, cut)
    else {
      datastore.on('data', (answer: Buffer) => void gate.write(answer))
      datastore.on('end', () => gate.end())
    }
    gate.on('end', () => datastore.end())
    for (const [one, other] of [
      [gate, datastore],
      [datastore, gate],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => open.delete(one))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sent = (): Buffer[] => streams.map((stream) => Buffer.concat(stream))
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => streams.length,
    sent,
    carried: (text) => sent().some((stream) => stream.includes(text)),
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function inPieces(from: Socket, to: Socket, cut: NonNullable<TapOptions['cut']>) {
  try {
    for await (const answer of from) {
      for (const piece of cut(answer as Buffer)) {
        to.write(piece)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  } catch {
    // The connection was reset.
  }
  to.end()
}
