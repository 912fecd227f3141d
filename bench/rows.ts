/** Rows per second from read buffer to write buffer, untouched and masked: no sockets, no database. */
import type { Allowed, MaskRule, Session } from '../pdp/contract.ts'
import { compileMask } from '../pdp/mask.ts'
import { outbox } from '../sidecars/bytes.ts'
import { cutter } from '../sidecars/cutter.ts'
import type { Catalogue } from '../sidecars/postgres/catalogue.ts'
import { int16, int32, message, query, rowsLength } from '../sidecars/postgres/frames.ts'
import { tracker } from '../sidecars/postgres/path/tracker.ts'
import { relay } from '../sidecars/postgres/relay.ts'
import { state } from '../sidecars/postgres/state.ts'

const columns = ['id', 'name', 'email', 'city', 'street', 'phone', 'note']
const table = 16_400
const readBytes = 64 * 1024
const rowsPerRead = 600
const reads = 200
const rounds = 9
const methods = ['nothing', 'null', 'redact', 'partial', 'hash'] as const

const source = (name: string): string => `public.people.${name}`
const outputs = columns.map((name) => ({ name, sources: [source(name)], exact: true }))
const catalogue = {
  schemas: new Set(['public']),
  byOid: () => ({}),
  column: (_: number, number: number) => {
    const column = columns[number - 1] ?? ''
    return {
      relation: 'public.people',
      column,
      kind: 'table',
      sources: [source(column)],
      exact: true,
    }
  },
} as unknown as Catalogue

function described(): Buffer {
  const parts = columns.flatMap((name, index) => [
    ...[name, int32(table), int16(index + 1), int32(25), int16(-1), int32(-1), int16(0)],
  ])
  return message('T', int16(columns.length), ...parts)
}

function row(id: number): Buffer {
  const words = [`${id}`, `Somebody ${id}`, `somebody.${id}@example.com`, 'Springfield']
  const cells = [...words, `${id} Evergreen Terrace`, `+1 555 ${id}`, 'likes long walks']
  const parts = cells.flatMap((cell) => [int32(Buffer.byteLength(cell)), Buffer.from(cell)])
  return message('D', int16(cells.length), ...parts)
}

/** A result on its way through cutter, relay and outbox; nanoseconds per row. */
function once(method: (typeof methods)[number], read: Buffer): number {
  const rule = { rule: 'r', column: source('email'), method, on_predicate: 'deny' } as MaskRule
  const mask = compileMask(method === 'nothing' ? [] : [rule], { reveal: () => 'k'.repeat(32) })
  const ruling: Allowed = {
    allowed: true,
    id: 'd1',
    mask,
    limits: {},
    obligations: [],
    done: () => undefined,
  }
  const session = { ask: () => ruling } as unknown as Session
  const shared = {
    current: () => catalogue,
    refresh: async () => catalogue,
    latest: async () => catalogue,
    enter: () => () => undefined,
    overdue: () => undefined,
  }
  const command = { name: 'select', effects: ['read'], objects: [], outputs } as const
  const statement = { command, names: [], needs: [], rows: true }
  const relaying = relay(
    state(
      session,
      shared,
      tracker({ user: 'app', start: ['public'], current: ['public'] }),
      async () => undefined,
    ),
    () => [statement],
  )
  void relaying.request(query('select * from people'))
  relaying.response(described())
  const incoming = cutter(rowsLength, 1024 * 1024)
  const out = outbox()
  const copies = Array.from({ length: reads }, () => Buffer.from(read))
  const begun = process.hrtime.bigint()
  for (const chunk of copies) {
    incoming.add(chunk)
    for (let frame = incoming.next(); frame !== undefined; frame = incoming.next())
      out.add(relaying.response(frame))
    out.take()
  }
  return Number(process.hrtime.bigint() - begun) / (reads * rowsPerRead)
}

/** Prints a line per mask method: the median of interleaved rounds, and its share of what untouched rows reach. */
export function rows(): void {
  const read = Buffer.concat(Array.from({ length: rowsPerRead }, (_, id) => row(10_000 + id)))
  const times = new Map<string, number[]>(methods.map((method) => [method, []]))
  for (let round = 0; round < rounds; round += 1)
    for (const method of methods) times.get(method)?.push(once(method, read))
  const middle = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1] ?? 0
  const untouched = middle(times.get('nothing') ?? [])
  const bytes = read.length / rowsPerRead
  process.stdout.write(
    `\nRows of ${columns.length} columns and ${bytes.toFixed(0)} bytes, ${(readBytes / bytes).toFixed(0)} in a read, one masked\n`,
  )
  for (const method of methods) {
    const ns = middle(times.get(method) ?? [])
    process.stdout.write(
      `  ${method.padEnd(8)} ${ns.toFixed(0).padStart(6)} ns a row  ${((bytes / ns) * 1000).toFixed(0).padStart(6)} MB/s  ${(untouched / ns).toFixed(2)} of untouched\n`,
    )
  }
}
