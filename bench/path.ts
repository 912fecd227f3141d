/** What the gate's own code costs per statement, from the client's message to its outcome on record: all but the sockets. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session } from '../pdp/contract.ts'
import { openCourt } from '../pdp/court.ts'
import { gate } from '../pdp/gate.ts'
import { secret } from '../pdp/secret.ts'
import type { Catalogue } from '../sidecars/postgres/catalogue.ts'
import { int16, int32, message, parse, query } from '../sidecars/postgres/frames.ts'
import { capabilities } from '../sidecars/postgres/login.ts'
import { toRun } from '../sidecars/postgres/outgoing.ts'
import { tracker } from '../sidecars/postgres/path/tracker.ts'
import { reader } from '../sidecars/postgres/reader.ts'
import { relay } from '../sidecars/postgres/relay.ts'
import { state } from '../sidecars/postgres/state.ts'
import { ready } from '../sidecars/postgres/statement.ts'
import type { Relay } from '../sidecars/sidecar.ts'
import { built } from './decide.ts'
import { alice } from './questions.ts'
import { shop } from './statements.ts'

const rounds = 5
const warmUp = 20_000
const statementsPerRound = 10_000

/** What a client says for one statement, and what the server answers. */
type Dialogue = {
  readonly before?: readonly (readonly [Buffer, Buffer])[]
  asked(index: number): readonly Buffer[]
  readonly answered: readonly Buffer[]
}

/** Prints the median of rounds in CPU time, which neighbours disturb less than they do the clock. */
export async function path(): Promise<void> {
  const catalogue = await shop()
  await ready
  const folder = mkdtempSync(join(tmpdir(), 'postern-path-'))
  const court = await openCourt({
    state: folder,
    audit: { folder: join(folder, 'audit') },
    engine: {},
    holds: { pendingMax: 1, pendingPerSubjectMax: 1 },
    maskKey: undefined,
    observe: () => undefined,
    labels: { version: '0' },
  })
  try {
    await court.engine.activate(await built('../rego'))
    process.stdout.write('\nOne statement without its sockets, CPU microseconds\n')
    for (const [name, dialogue] of Object.entries(dialogues(catalogue)))
      report(name, measured(relayOf(await sessionOf(court), catalogue), dialogue))
  } finally {
    await court.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function dialogues(catalogue: Catalogue): Readonly<Record<string, Dialogue>> {
  const oid = catalogue.relation('orders', 'public', [])?.oid ?? 0
  const row = message('D', int16(2), int32(4), Buffer.from('book'), int32(4), Buffer.from('12.5'))
  const rows = [described(oid), row, message('C', 'SELECT 1')]
  const idle = message('Z', Buffer.from('I'))
  const text = (id: number | string) => `select item, amount from public.orders where id = ${id};`
  return {
    'simple, new value': {
      asked: (index) => [query(text(index))],
      answered: [...rows, idle],
    },
    prepared: {
      before: [
        [parse('p', text('$1')), message('1')],
        [message('S'), idle],
      ],
      asked: (index) => [
        message('B', '', 'p', int16(0), int16(1), value(index), int16(0)),
        message('D', Buffer.from('P'), ''),
        message('E', '', int32(0)),
        message('S'),
      ],
      answered: [message('2'), ...rows, idle],
    },
  }
}

function value(index: number): Buffer {
  const digits = Buffer.from(String(index))
  return Buffer.concat([int32(digits.length), digits])
}

function described(oid: number): Buffer {
  const field = (name: string, number: number, type: number): Buffer[] => [
    Buffer.from(`${name}\0`),
    int32(oid),
    int16(number),
    int32(type),
    int16(-1),
    int32(-1),
    int16(0),
  ]
  return message('T', int16(2), ...field('item', 3, 25), ...field('amount', 4, 1700))
}

function measured(relay: Relay, dialogue: Dialogue): readonly NodeJS.CpuUsage[] {
  for (const [asked, answered] of dialogue.before ?? []) exchanged(relay, [asked], [answered])
  run(relay, dialogue, warmUp)
  return Array.from({ length: rounds }, () => {
    const before = process.cpuUsage()
    run(relay, dialogue, statementsPerRound)
    return process.cpuUsage(before)
  })
}

function run(relay: Relay, { asked, answered }: Dialogue, times: number): void {
  for (let index = 0; index < times; index += 1) exchanged(relay, asked(index), answered)
}

function exchanged(relay: Relay, asked: readonly Buffer[], answered: readonly Buffer[]): void {
  for (const frame of asked)
    if (!Buffer.isBuffer(relay.request(frame))) throw new Error('the statement has to wait')
  for (const frame of answered)
    if (relay.response(frame).length !== frame.length) throw new Error('the answer was changed')
}

function report(name: string, spent: readonly NodeJS.CpuUsage[]): void {
  const of = (pick: (usage: NodeJS.CpuUsage) => number): string => {
    const sorted = spent.map(pick).toSorted((a, b) => a - b)
    return ((sorted[rounds >> 1] ?? 0) / statementsPerRound).toFixed(1).padStart(7)
  }
  process.stdout.write(
    `  ${name.padEnd(20)} user ${of(({ user }) => user)}  system ${of(({ system }) => system)}\n`,
  )
}

function sessionOf(court: Awaited<ReturnType<typeof openCourt>>): Promise<Session> {
  const credential = { username: 'app', secret: secret('bench') }
  return gate({
    ...court,
    resource: { id: 'shop', protocol: 'postgres', labels: { env: 'production' } },
    upstream: { host: '127.0.0.1', port: 1 },
    identity: { identify: async () => ({ subject: alice, expiresMs: Number.MAX_SAFE_INTEGER }) },
    credentials: { credential: async () => credential },
  }).open({
    token: 'bench',
    peer: '127.0.0.1',
    tls: false,
    database: 'shop',
    user: 'alice',
    application: 'pgbench',
    capabilities,
    signal: new AbortController().signal,
  })
}

function relayOf(session: Session, catalogue: Catalogue): Relay {
  const none = () => undefined
  const shared = {
    current: () => catalogue,
    refresh: async () => catalogue,
    latest: async () => catalogue,
    overdue: none,
    enter: () => none,
  }
  const path = tracker({ user: 'app', start: ['public'], current: ['public'] })
  return relay(
    state(session, shared, path, async () => undefined),
    reader(toRun),
  )
}

if (import.meta.main) await path()
