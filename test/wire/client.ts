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
  text,
} from '../../sidecars/postgres/frames.ts'
import { fields } from '../../sidecars/postgres/report.ts'
import { cells, description } from '../../sidecars/postgres/rows.ts'
import { login } from '../../sidecars/postgres/upstream.ts'
import type { Channel } from '../../sidecars/sidecar.ts'

/** How a text is sent: as one Query, or prepared and bound with results in text or binary. */
export type Mode = 'simple' | 'extended' | 'binary'

/** A connection that keeps everything it is told. */
export interface Client {
  readonly channel: Channel
  send(...frames: readonly Buffer[]): void
  /** Every message up to and including the next ReadyForQuery, or the end. */
  answer(): Promise<readonly Buffer[]>
  /** Sends one text and answers everything that came back. */
  say(text: string, mode?: Mode): Promise<readonly Buffer[]>
  /** Prepares a text and runs nothing. */
  parsed(text: string): Promise<readonly Buffer[]>
  close(): void
}

const copyIn = 0x47
const ready = 0x5a
const copyDone = message('c')
const sync = message('S')

/** Through the gate, with a token it takes. Throws when it does not open. */
export async function throughGate(
  port: number,
  database: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const made = channel(socket, length)
  const parameters = Object.entries({ user: 'robot', database, ...settings }).flat()
  made.write(message('', int32(3 << 16), ...parameters, Buffer.from([0])))
  made.write(message('p', 'token'))
  for (;;) {
    const frame = await made.read()
    if (frame === undefined) throw new Error('the gate closed the connection')
    if (frame[0] === 0x45) throw new Error(fields(frame)['M'] ?? 'refused')
    if (frame[0] === ready) return client(made)
  }
}

export type Server = { readonly port: number; readonly username: string; readonly password: string }

/** Past the gate, as the role the gate uses. */
export async function direct({ port, username, password }: Server, database: string) {
  const credential = { username, secret: { reveal: () => password } }
  const opened = await login({ host: '127.0.0.1', port }, credential, { database })
  return client(opened.channel)
}

function client(on: Channel): Client {
  const send = (...frames: readonly Buffer[]): void => void on.write(Buffer.concat(frames))
  return {
    channel: on,
    send,
    answer,
    say(sql, mode = 'simple') {
      send(...(mode === 'simple' ? [query(sql)] : extended(sql, mode === 'binary' ? 1 : 0)))
      return answer()
    },
    parsed(sql) {
      send(parse('', sql), describe('S'), sync)
      return answer()
    },
    close() {
      on.write(terminate)
      on.end()
    },
  }

  async function answer(): Promise<readonly Buffer[]> {
    const seen: Buffer[] = []
    for (;;) {
      const frame = await on.read()
      if (frame === undefined) return seen
      seen.push(...single(frame))
      // The Sync that came with a COPY was ignored, so there is another.
      if (frame[0] === copyIn) send(copyDone, sync)
      if (frame[0] === ready) return seen
    }
  }
}

/** Rows of a server come many at a time. */
function single(frames: Buffer): readonly Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < frames.length; ) {
    const end = at + 1 + frames.readUInt32BE(at + 1)
    found.push(frames.subarray(at, end))
    at = end
  }
  return found
}

const describe = (kind: 'S' | 'P', name = ''): Buffer => message('D', Buffer.from(kind), name)

/** Everything that shows something of an unnamed statement without parameters. */
function extended(sql: string, format: number): readonly Buffer[] {
  const bind = message('B', '', '', int16(0), int16(0), int16(1), int16(format))
  const execute = message('E', '', int32(0))
  return [parse('', sql), describe('S'), bind, describe('P'), execute, sync]
}

/** All that can be seen of an answer, one line for each message; what differs every time is left out. */
export function visible(frames: readonly Buffer[]): readonly string[] {
  return frames.map((frame) => {
    const letter = String.fromCharCode(frame[0] ?? 0)
    return `${letter} ${words(frame.toString('latin1', 5))}`
  })
}

/** Decision ids are random, times pass, processes have numbers. */
function words(body: string): string {
  return body
    .replace(/decision [\w-]{20,}/g, 'decision _')
    .replace(/\0{3}.\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+[+-]\d\d/g, 'time')
}

/** One result: column names, rows as text, command tag. */
export type Result = {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
  readonly tag: string
}

/** The results in the answer to a simple query. */
export function results(frames: readonly Buffer[]): readonly Result[] {
  const found: Result[] = []
  let columns: readonly string[] = []
  let rows: (readonly (string | null)[])[] = []
  for (const frame of frames) {
    if (frame[0] === 0x54) columns = description(frame).map((one) => one.name)
    if (frame[0] === 0x44) rows.push(cells(frame).map((cell) => cell?.toString() ?? null))
    if (frame[0] !== 0x43) continue
    found.push({ columns, rows, tag: text(frame, 5)[0] })
    columns = []
    rows = []
  }
  return found
}

/** Messages of the errors in an answer, after their SQLSTATE. */
export function errors(frames: readonly Buffer[]): readonly string[] {
  return frames
    .filter((frame) => frame[0] === 0x45)
    .map((frame) => `${fields(frame)['C']} ${fields(frame)['M']}`)
}

/** Whether the gate itself refused something here. */
export const refused = (frames: readonly Buffer[]): boolean =>
  errors(frames).some((error) => /^\w+ postern: (?!the datastore's own words)/.test(error))
