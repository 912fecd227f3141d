/** A proxy between a client and a server that asks the server things of its own before it passes a statement on. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { query } from '../../sidecars/postgres/frames.ts'

/** What a question put in between came to. */
export type Answer = {
  readonly rows: readonly (readonly (string | null)[])[]
  readonly error: string | undefined
}

/** The server's side of one connection, as far as the listener may use it. */
export interface Talk {
  /** Runs a statement of ours, of which the client hears nothing. */
  ask(sql: string): Promise<Answer>
  /** `I` idle, `T` in a transaction, `E` in a failed one (PostgreSQL 55.8). */
  status(): string
  /** A setting as the server last reported it. */
  setting(name: string): string | undefined
}

/** Who listens on one connection. */
export interface Listener {
  /** Before a Query message of the client goes to the server. */
  before(text: string, talk: Talk): Promise<void>
  /** Each message the server answers the client with. */
  answered(frame: Buffer): void
}

export interface Wiretap {
  readonly port: number
  close(): Promise<void>
}

/** Starts a proxy in front of a local server; each connection has a listener of its own. Plain text only. */
export async function wiretap(upstreamPort: number, listener: () => Listener): Promise<Wiretap> {
  const open = new Set<Socket>()
  const server: Server = createServer((client) => {
    const upstream = connect({ port: upstreamPort, host: '127.0.0.1', noDelay: true })
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => open.delete(socket))
    }
    tap(client, upstream, listener())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    port: address.port,
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const code = (letter: string): number => letter.charCodeAt(0)

function tap(client: Socket, upstream: Socket, listener: Listener): void {
  client.setNoDelay(true)
  const settings = new Map<string, string>()
  let status = 'I'
  let asking: ((frame: Buffer) => void) | undefined
  const talk: Talk = { ask, status: () => status, setting: (name) => settings.get(name) }

  client.once('close', () => upstream.destroy())
  upstream.once('close', () => client.end())
  upstream.on(
    'data',
    framed(1, (frame) => {
      if (frame[0] === code('Z')) status = String.fromCharCode(frame[5] ?? 0)
      if (frame[0] === code('S')) {
        const [name = '', value = ''] = frame.toString('utf8', 5).split('\0')
        settings.set(name, value)
      }
      if (asking !== undefined && frame[0] !== code('S') && frame[0] !== code('A')) asking(frame)
      else {
        listener.answered(frame)
        client.write(frame)
      }
    }),
  )

  let begun = false
  let order: Promise<void> = Promise.resolve()
  const later = framed(1, (frame) => {
    order = order.then(() => forward(frame))
  })
  const first = framed(0, (frame) => {
    begun = true
    upstream.write(frame)
  })
  client.on('data', (chunk: Buffer) => (begun ? later(chunk) : first(chunk)))

  async function forward(frame: Buffer): Promise<void> {
    if (frame[0] === code('Q')) {
      await listener.before(frame.toString('utf8', 5, frame.length - 1), talk)
    }
    upstream.write(frame)
  }

  function ask(sql: string): Promise<Answer> {
    return new Promise((resolve) => {
      const rows: (string | null)[][] = []
      let error: string | undefined
      asking = (frame) => {
        if (frame[0] === code('D')) rows.push(row(frame))
        if (frame[0] === code('E')) error = frame.toString('utf8', 5).replaceAll('\0', ' ')
        if (frame[0] !== code('Z')) return
        asking = undefined
        resolve({ rows, error })
      }
      upstream.write(query(sql))
    })
  }
}

function row(frame: Buffer): (string | null)[] {
  const cells: (string | null)[] = []
  let at = 7
  for (let left = frame.readUInt16BE(5); left > 0; left -= 1) {
    const size = frame.readInt32BE(at)
    cells.push(size < 0 ? null : frame.toString('utf8', at + 4, at + 4 + size))
    at += 4 + Math.max(size, 0)
  }
  return cells
}

/** Cuts a stream into messages whose length stands after `letterBytes`. */
function framed(letterBytes: number, take: (frame: Buffer) => void): (chunk: Buffer) => void {
  let waiting: Buffer[] = []
  let size = 0
  return (chunk) => {
    waiting.push(chunk)
    size += chunk.length
    if (size < letterBytes + 4) return
    let bytes = waiting.length === 1 ? chunk : Buffer.concat(waiting)
    while (bytes.length >= letterBytes + 4) {
      const length = letterBytes + bytes.readUInt32BE(letterBytes)
      if (bytes.length < length) break
      take(bytes.subarray(0, length))
      bytes = bytes.subarray(length)
    }
    waiting = bytes.length === 0 ? [] : [bytes]
    size = bytes.length
  }
}
