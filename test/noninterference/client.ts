/** A client that keeps every byte it is told, of the gate or of the server itself. */
import { connect } from 'node:net'
import { channel } from '../../sidecars/channel.ts'
import {
  int16,
  int32,
  length,
  message,
  parse,
  query,
  terminate,
} from '../../sidecars/postgres/frames.ts'
import { fields } from '../../sidecars/postgres/report.ts'
import { login } from '../../sidecars/postgres/upstream.ts'
import type { Channel } from '../../sidecars/sidecar.ts'

/** How a text is sent: as one Query, or prepared and bound with results in text or in binary. */
export type Mode = 'simple' | 'text' | 'binary'

export interface Client {
  /** Sends one text and answers everything that came back; `data` is what COPY takes. */
  say(text: string, mode?: Mode, data?: string): Promise<readonly Buffer[]>
  readonly closed: () => boolean
  close(): void
}

export type Where = {
  readonly port: number
  readonly username: string
  readonly password: string
  readonly database: string
}

const sync = message('S')
const copyDone = message('c')

/** Past the gate. Throws when the server refuses the login. */
export async function direct(where: Where): Promise<Client> {
  const { port, username, password, database } = where
  const credential = { username, secret: { reveal: () => password } }
  const opened = await login({ host: '127.0.0.1', port }, credential, { database })
  return client(opened.channel)
}

/** Through the gate, which asks for a token in clear text. Throws when it does not open. */
export async function throughGate(where: Where): Promise<Client> {
  const { port, username, password, database } = where
  const made = channel(connect({ port, host: '127.0.0.1', noDelay: true }), length)
  const parameters = ['user', username, 'database', database]
  made.write(message('', int32(3 << 16), ...parameters, Buffer.from([0])))
  made.write(message('p', password))
  for (;;) {
    const frame = await made.read()
    if (frame === undefined || frame[0] === 0x45)
      throw new Error(`the gate did not open: ${frame === undefined ? '' : errorOf([frame])}`)
    if (frame[0] === 0x5a) return client(made)
  }
}

function client(channel: Channel): Client {
  let over = false
  return {
    closed: () => over,
    async say(text, mode = 'simple', data = '') {
      channel.write(mode === 'simple' ? query(text) : extended(text, mode === 'binary' ? 1 : 0))
      const seen: Buffer[] = []
      for (;;) {
        const frame = await channel.read()
        over = frame === undefined
        if (frame === undefined) return [...seen, Buffer.from('closed')]
        seen.push(frame)
        if (frame[0] === 0x47)
          channel.write(
            Buffer.concat([
              message('d', Buffer.from(data)),
              copyDone,
              ...(mode === 'simple' ? [] : [sync]),
            ]),
          )
        if (frame[0] === 0x5a) return seen
      }
    },
    close() {
      channel.write(terminate)
      channel.end()
    },
  }
}

function extended(sql: string, format: number): Buffer {
  const describe = (kind: string): Buffer => message('D', Buffer.from(kind), '')
  const bind = message('B', '', '', int16(0), int16(0), int16(1), int16(format))
  const execute = message('E', '', int32(0))
  return Buffer.concat([parse('', sql), describe('S'), bind, describe('P'), execute, sync])
}

/** All that can be seen of an answer; decision ids, which are random, are left out. */
export function visible(frames: readonly Buffer[]): string {
  const all = Buffer.concat(frames).toString('latin1')
  return all.replace(/decision [\w-]{20,}/g, 'decision _')
}

/** SQLSTATE and message of the first error in an answer. */
export function errorOf(frames: readonly Buffer[]): string | undefined {
  const frame = frames.find((one) => one[0] === 0x45)
  if (frame === undefined) return undefined
  const { C = '', M = '' } = fields(frame)
  return `${C} ${M}`
}

/** The code of a refusal, and its words. */
export function reasonOf(frames: readonly Buffer[]): {
  readonly code: string
  readonly words: string
} {
  const frame = frames.find((one) => one[0] === 0x45)
  const { D = '', M = '' } = frame === undefined ? {} : fields(frame)
  return { code: /\bcode (\w+)/.exec(D)?.[1] ?? '', words: M.replace(/^postern: /, '') }
}

/** Whether the gate itself refused it. */
export const refused = (frames: readonly Buffer[]): boolean =>
  /^\w+ postern: (?!the datastore's own words)/.test(errorOf(frames) ?? '')
