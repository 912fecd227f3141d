import { int16, int32, message, parse, query } from '../../sidecars/postgres/frames.ts'
import type { Client } from './client.ts'

/** One protocol message: its kind, then its fields. */
export type Message = readonly [kind: string, ...fields: readonly (string | number | null)[]]
/** What is sent at once; or what somebody else does meanwhile, past the gate. */
export type Turn = readonly Message[] | { readonly elsewhere: string }

export type Playing = { readonly client: Client; elsewhere(sql: string): Promise<unknown> }

/** Sends turn after turn and waits for every answer. */
export async function play(
  turns: readonly Turn[],
  { client, elsewhere }: Playing,
): Promise<readonly (readonly Buffer[])[]> {
  const answers: (readonly Buffer[])[] = []
  for (const turn of turns) {
    if ('elsewhere' in turn) {
      await elsewhere(turn.elsewhere)
      continue
    }
    client.send(...turn.map(frame))
    for (const [kind] of turn) {
      if (kind === 'query' || kind === 'sync') answers.push(await client.answer())
    }
  }
  return answers
}

const kinds: Readonly<Record<string, (...fields: readonly never[]) => Buffer>> = {
  query: (sql: string) => query(sql),
  parse: (name: string, sql: string) => parse(name, sql),
  bind: (
    portal: string,
    statement: string,
    format: string | number = 0,
    ...values: readonly (string | null)[]
  ) => {
    const cells = values.flatMap((value) =>
      value === null ? [int32(-1)] : [int32(Buffer.byteLength(value)), Buffer.from(value)],
    )
    const formats = Array.from(String(format), Number)
    const results = [int16(formats.length), ...formats.map(int16)]
    return message('B', portal, statement, int16(0), int16(values.length), ...cells, ...results)
  },
  describe: (kind: string, name = '') => message('D', Buffer.from(kind), name),
  execute: (portal = '', rows = 0) => message('E', portal, int32(rows)),
  close: (kind: string, name = '') => message('C', Buffer.from(kind), name),
  sync: () => message('S'),
  flush: () => message('H'),
  data: (text: string) => message('d', Buffer.from(text)),
  done: () => message('c'),
  bytes: (letter: string, hex: string) => message(letter, Buffer.from(hex, 'hex')),
}

function frame([kind, ...fields]: Message): Buffer {
  const made = kinds[kind]
  if (made === undefined) throw new Error(`there is no message ${kind}`)
  return made(...(fields as unknown as readonly never[]))
}
