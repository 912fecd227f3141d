/** A client that keeps every byte it is told, of the gate or of the server itself. */
import { createHash } from 'node:crypto'
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

export type Sent = {
  readonly mode: Mode
  /** What COPY takes. */
  readonly data?: string | undefined
  /** Bound to the statement's parameters, unless it is sent as a Query. */
  readonly parameters?: readonly string[] | undefined
}

export interface Client {
  /** Sends one text and answers everything that came back. */
  say(text: string, how?: Sent): Promise<readonly Buffer[]>
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
    async say(text, { mode, data = '', parameters = [] } = { mode: 'simple' }) {
      channel.write(mode === 'simple' ? query(text) : extended(text, mode, parameters))
      const seen = kept()
      for (;;) {
        const read = await channel.read()
        over = read === undefined
        if (read === undefined) return [...seen.all(), Buffer.from('closed')]
        // Rows that lie side by side come as one.
        const frames = cut(read)
        for (const frame of frames) seen.take(frame)
        const last = frames[frames.length - 1]?.[0]
        if (last === 0x47) channel.write(copied(data, mode))
        if (last === 0x5a) return seen.all()
      }
    },
    close() {
      channel.write(terminate)
      channel.end()
    },
  }
}

const copied = (data: string, mode: Mode): Buffer =>
  Buffer.concat([message('d', Buffer.from(data)), copyDone, ...(mode === 'simple' ? [] : [sync])])

/** Rows of one answer that are kept as they are; of more than these only a digest is. */
const rowsMax = 20_000

type Kept = { take(frame: Buffer): void; all(): readonly Buffer[] }

/** What came back, in bounded memory. */
function kept(): Kept {
  const frames: Buffer[] = []
  const rest = createHash('sha256')
  let rows = 0
  return {
    take(frame) {
      if (frame[0] === 0x44 || frame[0] === 0x64) rows += 1
      if (rows > rowsMax && (frame[0] === 0x44 || frame[0] === 0x64)) rest.update(frame)
      else frames.push(frame)
    },
    all() {
      if (rows <= rowsMax) return frames
      return [...frames.slice(0, -1), message('d', rest.digest()), ...frames.slice(-1)]
    },
  }
}

function cut(bytes: Buffer): readonly Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = length(bytes, at)
    frames.push(bytes.subarray(at, at + size))
    at += size
  }
  return frames
}

function extended(sql: string, mode: Mode, parameters: readonly string[]): Buffer {
  const format = mode === 'binary' ? 1 : 0
  const values = parameters.flatMap((one) => [int32(Buffer.byteLength(one)), Buffer.from(one)])
  const describe = (kind: string): Buffer => message('D', Buffer.from(kind), '')
  const given = [int16(0), int16(parameters.length), ...values]
  const bind = message('B', '', '', ...given, int16(1), int16(format))
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
