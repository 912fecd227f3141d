import { connect, type Socket } from 'node:net'
import { channel } from '../../../sidecars/channel.ts'
import { int32, length, message } from '../../../sidecars/postgres/frames.ts'
import type { Channel } from '../../../sidecars/sidecar.ts'

/** A client that says exactly what a test wants, on the plain port. */
export interface Client {
  readonly socket: Socket
  readonly channel: Channel
  /** What a CancelRequest for it carries. */
  readonly key: Buffer
  send(...frames: readonly Buffer[]): void
  /** Every message up to and including the next with this letter. */
  until(letter: string): Promise<readonly Buffer[]>
}

export const startupPacket = (
  parameters: Readonly<Record<string, string>>,
  version = 3 << 16,
): Buffer => message('', int32(version), ...Object.entries(parameters).flat(), Buffer.from([0]))

/** Connects and logs in with the token that the test gate takes. */
export async function loggedIn(port: number, version = 3 << 16): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const made = channel(socket, length)
  made.write(startupPacket({ user: 'ada', database: 'shop' }, version))
  const send = (...frames: readonly Buffer[]): void => void made.write(Buffer.concat(frames))
  await until('R')
  send(message('p', 'let-me-in'))
  const greeting = await until('Z')
  const key = greeting.find((frame) => frame[0] === 0x4b)?.subarray(5) ?? Buffer.alloc(0)
  return { socket, channel: made, key, send, until }

  async function until(letter: string): Promise<readonly Buffer[]> {
    const seen: Buffer[] = []
    for (;;) {
      const frame = await made.read()
      if (frame === undefined) throw new Error(`closed before ${letter}`)
      seen.push(frame)
      if (frame[0] === letter.charCodeAt(0)) return seen
      if (frame[0] === 0x45 && letter === 'R') throw new Error(frame.toString())
    }
  }
}

/** Sends bytes on a new connection and answers everything that came back until it was closed. */
export function raw(port: number, ...parts: readonly Buffer[]): Promise<Buffer> {
  return new Promise((resolve) => {
    const got: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('data', (chunk) => got.push(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Buffer.concat(got)))
    for (const part of parts) socket.write(part)
  })
}

/** Sends a CancelRequest and waits until it was taken. */
export async function cancel(port: number, key: Buffer): Promise<void> {
  await raw(port, message('', int32(80877102), key))
}

export const letters = (frames: readonly Buffer[]): string =>
  frames.map((frame) => String.fromCharCode(frame[0] ?? 0)).join('')
