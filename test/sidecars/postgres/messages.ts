import { int16, int32, message } from '../../../sidecars/postgres/frames.ts'

/** Builders of what a client and a server say, for tests of the relay. */

export const query = (sql: string): Buffer => message('Q', sql)
export const parse = (name: string, sql: string): Buffer => message('P', name, sql, int16(0))
export const describe = (kind: 'S' | 'P', name = ''): Buffer =>
  message('D', Buffer.from(kind), name)
export const execute = (portal = '', rows = 0): Buffer => message('E', portal, int32(rows))
export const close = (kind: 'S' | 'P', name = ''): Buffer => message('C', Buffer.from(kind), name)
export const sync: Buffer = message('S')
export const flush: Buffer = message('H')
export const terminate: Buffer = message('X')
export const copyData = (data: string): Buffer => message('d', Buffer.from(data))
export const copyDataBytes = (data: Buffer): Buffer => message('d', data)
export const copyDone: Buffer = message('c')

/** A Bind with text parameters and text results, or binary ones. */
export function bind(
  portal: string,
  statement: string,
  parameters: readonly (string | null)[] = [],
  resultFormat = 0,
): Buffer {
  const values = parameters.flatMap((value) =>
    value === null ? [int32(-1)] : [int32(Buffer.byteLength(value)), Buffer.from(value)],
  )
  const result = [int16(1), int16(resultFormat)]
  return message('B', portal, statement, int16(0), int16(parameters.length), ...values, ...result)
}

/** Parse, Bind, Execute of the unnamed statement. */
export const run = (sql: string): Buffer[] => [parse('', sql), bind('', ''), execute()]

export const ready = (status: 'I' | 'T' | 'E' = 'I'): Buffer => message('Z', Buffer.from(status))
export const complete = (tag: string): Buffer => message('C', tag)
export const parsed: Buffer = message('1')
export const boundOk: Buffer = message('2')
export const closed: Buffer = message('3')
export const noData: Buffer = message('n')
export const suspended: Buffer = message('s')
export const copyIn: Buffer = message('G', Buffer.from([0, 0, 0]))
export const copyOut: Buffer = message('H', Buffer.from([0, 0, 0]))

export const error = (code: string, text = 'no'): Buffer =>
  message('E', 'SERROR', 'VERROR', `C${code}`, `M${text}`, Buffer.from([0]))
export const remark = (text: string): Buffer =>
  message('N', 'SNOTICE', 'VNOTICE', 'C00000', `M${text}`, Buffer.from([0]))

export type Column = {
  readonly name: string
  readonly table?: number
  readonly number?: number
  readonly type?: number
}

/** A RowDescription; type 25 (text) unless told otherwise. */
export function columns(...list: readonly Column[]): Buffer {
  const parts = list.flatMap(({ name, table = 0, number = 0, type = 25 }) => [
    name,
    int32(table),
    int16(number),
    int32(type),
    int16(-1),
    int32(-1),
    int16(0),
  ])
  return message('T', int16(list.length), ...parts)
}

/** A DataRow of text cells. */
export function row(...cells: readonly (string | null)[]): Buffer {
  const parts = cells.flatMap((cell) =>
    cell === null ? [int32(-1)] : [int32(Buffer.byteLength(cell)), Buffer.from(cell)],
  )
  return message('D', int16(cells.length), ...parts)
}

/** The letters of the messages in some bytes. */
export function letters(bytes: Buffer): string {
  let found = ''
  for (let at = 0; at < bytes.length; at += 1 + bytes.readUInt32BE(at + 1))
    found += String.fromCharCode(bytes[at] ?? 0)
  return found
}
