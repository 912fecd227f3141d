import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Decision, Input, Subject } from '../../pdp/contract.ts'
import { engine, type ManagedEngine } from '../../pdp/engine/engine.ts'
import { gate } from '../../pdp/gate.ts'
import { holds } from '../../pdp/hold.ts'
import { memoryQuotas } from '../../pdp/quota.ts'
import { secret } from '../../pdp/secret.ts'
import { sqliteHolds } from '../../pdp/state/sqlite-holds.ts'
import { type Listener, listen } from '../../sidecars/listen.ts'
import { postgres } from '../../sidecars/postgres/index.ts'
import { libraryWith } from '../bundle.ts'
import { type Record, record } from '../pdp/kit.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { type Client, direct, throughGate } from './client.ts'

/** Databases that differ in nothing but protected values. */
export const variants = ['demo_a', 'demo_b'] as const
export type Variant = (typeof variants)[number]

/** What was decided for a command, and whether it went through. */
export type Decided = {
  readonly input: Input
  readonly result: Decision
  readonly refused?: unknown
  readonly prepare?: true
}

/** Two databases behind a gate with the policies of test/wire/policies, asked by an agent. */
export interface Stage {
  readonly server: PostgresServer
  readonly port: number
  connect(variant: Variant, settings?: Readonly<{ [name: string]: string }>): Promise<Client>
  /** Past the gate, as the role it uses. */
  direct(variant: Variant): Promise<Client>
  /** Every decision on a command since the last call, in order. */
  decided(): readonly Decided[]
  /** Puts a bundle in charge that says this of code. */
  declare(code: object): Promise<void>
  /** Makes the databases what they were. */
  restore(): Promise<void>
  /** The same, and a gate that knows nothing of them. */
  reopen(): Promise<void>
  stop(): Promise<void>
}

/** There is something to hide among them. */
const settings = ["primary_conninfo = 'host=standby password=hidden'"]
const role = { username: 'app', password: 'app-secret' }
const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const schemas = ['schema', 'own'].map((name) => {
  const text = readFileSync(folder(`../corpus/${name}.sql`), 'utf8')
  return { text, changes: text.slice(text.indexOf('-- variant B')) }
})

/** Starts the server, fills both databases and opens the gate. */
export async function stage(): Promise<Stage> {
  const server = await startPostgres({ settings })
  const { policy, declare } = await decider()
  server.sql(`create role app login superuser password '${role.password}'; create database base_a`)
  server.sql(schemas.map(({ text }) => text).join('\n'), 'base_a')
  // A copy, so that everything has the same numbers.
  server.sql('create database base_b template base_a')
  server.sql(['\\set variant B', ...schemas.map(({ changes }) => changes)].join('\n'), 'base_b')
  server.sql(copies)
  const audit = record()
  let way = await open(server, policy, audit)
  return {
    server,
    get port() {
      return way.port
    },
    connect: (variant, settings) => throughGate(way.port, variant, settings),
    direct: (variant) => direct({ port: server.port, ...role }, variant),
    decided: () =>
      (
        audit.entries.splice(0) as unknown as readonly (Decided & { readonly kind: string })[]
      ).filter(({ kind, input }) => kind === 'decision' && input.phase === 'command'),
    declare,
    restore: () => restored(server),
    async reopen() {
      await way.close()
      await restored(server)
      way = await open(server, policy, audit)
    },
    async stop() {
      await way.close()
      await server.stop()
    },
  }
}

const drops = variants.map((name) => `drop database ${name} with (force);`).join('\n')
const copies = variants
  .map((name) => `create database ${name} template ${name.replace('demo', 'base')};`)
  .join('\n')

async function restored(server: PostgresServer): Promise<void> {
  await server.run(`${drops}\n${copies}`)
}

type Decider = Pick<Stage, 'declare'> & { readonly policy: ManagedEngine }

async function decider(): Promise<Decider> {
  const policy = engine()
  const bundle = await libraryWith(folder('./policies'))
  await policy.activate(bundle)
  const declare = (code: object) =>
    policy.activate({ ...bundle, data: { ...Object(bundle.data), code } })
  return { policy, declare }
}

const robot: Subject = {
  id: 'robot',
  type: 'agent',
  issuer: 'https://issuer.test',
  groups: ['agents'],
  claims: {},
  actor: null,
}

function open(server: PostgresServer, policy: ManagedEngine, audit: Record): Promise<Listener> {
  const { host, port } = server
  const observe = (): void => undefined
  const keeper = gate({
    resource: { id: 'corpus', protocol: 'postgres', labels: {} },
    upstream: { host, port },
    engine: policy,
    audit,
    observe,
    quotas: memoryQuotas({}),
    holds: holds({ store: sqliteHolds(':memory:'), audit, observe }),
    maskKey: secret('0123456789abcdef0123456789abcdef'),
    identity: { identify: async () => ({ subject: robot, expiresMs: Date.now() + 3_600_000 }) },
    credentials: {
      credential: async () => ({ username: role.username, secret: secret(role.password) }),
    },
  })
  return listen({ host: '127.0.0.1', port: 0, sidecar: postgres, gate: keeper })
}
