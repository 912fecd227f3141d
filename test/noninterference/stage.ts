/** Pairs of databases that differ in nothing but protected values, behind a gate that masks these. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Subject, Upstream } from '../../pdp/contract.ts'
import { engine, type ManagedEngine } from '../../pdp/engine/engine.ts'
import { gate } from '../../pdp/gate.ts'
import { holds } from '../../pdp/hold.ts'
import type { Engine } from '../../pdp/parts.ts'
import { memoryQuotas } from '../../pdp/quota.ts'
import { secret } from '../../pdp/secret.ts'
import { sqliteHolds } from '../../pdp/state/sqlite-holds.ts'
import { listen } from '../../sidecars/listen.ts'
import { postgres } from '../../sidecars/postgres/index.ts'
import { grants } from '../../sidecars/postgres/roles/roles.ts'
import type { Sidecar } from '../../sidecars/sidecar.ts'
import { libraryWith } from '../bundle.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { type Client, direct, errorOf, throughGate } from './client.ts'

/** The same place in both variants. */
export type Pair = { readonly a: Client; readonly b: Client; close(): void }

/** The gate, with what reads and masks given. */
export interface Doorway {
  connect(pair: number): Promise<Pair>
  close(): Promise<void>
}

/** How protected values are kept. */
export type Profile = 'masked' | 'sealed'

/** A gate of its own; the product's sidecar, engine and rights unless others are given. */
export type Opening = {
  readonly sidecar?: Sidecar
  /** `masked` unless given. */
  readonly profile?: Profile | undefined
  readonly engine?: (engine: Engine) => Engine
  /** Sealed sessions log in with a role that may read one protected column. */
  readonly unbacked?: boolean
}

export interface Stage {
  readonly server: PostgresServer
  open(how?: Opening): Promise<Doorway>
  /** Past the gate, to databases like those behind it. */
  direct(pair: number): Promise<Pair>
  /** Throws the databases of a pair away; asked for again, they are as they were at first. */
  renew(pair: number): Promise<void>
  stop(): Promise<void>
}

const role = { username: 'app', password: 'app-secret' }
const sealedRole = { username: 'sealed', password: 'sealed-secret' }
/** May read one protected column, which its rights should not allow. */
const laxRole = { username: 'lax', password: 'lax-secret' }
const leftOpen = 'public.customers.ssn'
/** As the policy has them. */
const protectedColumns = [
  ...['email', 'ssn', 'card_number', 'phone'].map((name) => `public.customers.${name}`),
  'public.secrets.value',
  'public.employees.salary',
]
const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const schema = readFileSync(folder('../corpus/schema.sql'), 'utf8')
const changes = schema.indexOf('-- variant B')
/** Plans and row order must come from nothing but the statement. */
const settings = ['autovacuum = off', 'max_parallel_workers_per_gather = 0', 'jit = off']

/** Starts a server; pairs of databases are made as they are asked for. */
export async function stage(): Promise<Stage> {
  const server = await startPostgres({ settings })
  try {
    await fill(server)
    const policy = await decider()
    // One object, so that all gates share what they know of the databases.
    const upstream = { host: server.host, port: server.port }
    const pairs = pairsOf(server)
    return {
      server,
      open: (how = {}) => doorway({ upstream, policy, how, pairs: pairs.connect }),
      direct: (pair) =>
        pairs.connect('past', pair, (database) => direct({ port: server.port, ...role, database })),
      renew: pairs.drop,
      stop: () => server.stop(),
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function fill(server: PostgresServer): Promise<void> {
  server.sql(
    `create role ${role.username} login superuser password '${role.password}'; ` +
      [sealedRole, laxRole]
        .map(({ username, password }) => `create role ${username} login password '${password}'; `)
        .join('') +
      'create database base_a',
  )
  const extra = readFileSync(folder('./extra.sql'), 'utf8')
  server.sql(`${schema.slice(0, changes)}\n${extra}`, 'base_a')
  server.sql(`\\set variant A\n${schema.slice(changes)}`, 'base_a')
  server.sql(await rights(server, sealedRole, protectedColumns), 'base_a')
  const rest = protectedColumns.filter((name) => name !== leftOpen)
  server.sql(await rights(server, laxRole, rest), 'base_a')
  // A copy, so that everything has the same numbers.
  server.sql('create database base_b template base_a')
  server.sql(`\\set variant B\n${schema.slice(changes)}`, 'base_b')
  server.sql(readFileSync(folder('./hidden.sql'), 'utf8'), 'base_b')
}

/** What `postern grants` prints for a role of sealed sessions. */
function rights(
  { host, port }: PostgresServer,
  { username }: typeof role,
  columns: readonly string[],
): Promise<string> {
  const credential = { username: role.username, secret: secret(role.password) }
  return grants({
    upstream: { host, port },
    credential,
    database: 'base_a',
    protectedColumns: new Set(columns),
    role: username,
    writes: true,
  })
}

/** What differs past the gate changes the files under it, so that each way has databases of its own. */
type Way = 'gate' | 'past'

type Connect = (
  way: Way,
  pair: number,
  connect: (database: string) => Promise<Client>,
) => Promise<Pair>

type Pairs = { readonly connect: Connect; drop(pair: number): Promise<void> }

const variants = ['a', 'b'] as const

/** Connects to both databases of a pair; makes them first unless they are there. */
function pairsOf(server: PostgresServer): Pairs {
  const made = new Set<string>()
  // Not by a command we wait for without reading: the server waits for logins that are on their way.
  const order = async (sql: (variant: string) => string): Promise<void> => {
    const admin = await direct({ port: server.port, ...role, database: 'postgres' })
    try {
      for (const variant of variants) {
        const problem = errorOf(await admin.say(sql(variant)))
        if (problem !== undefined) throw new Error(problem)
      }
    } finally {
      admin.close()
    }
  }
  return {
    async connect(way, pair, connect) {
      const name = `${way}${pair}`
      if (!made.has(name)) {
        made.add(name)
        await order((variant) => `create database ${name}_${variant} template base_${variant}`)
      }
      const a = await connect(`${name}_a`)
      const b = await connect(`${name}_b`)
      return {
        a,
        b,
        close() {
          a.close()
          b.close()
        },
      }
    },
    async drop(pair) {
      for (const name of [`gate${pair}`, `past${pair}`])
        if (made.delete(name))
          await order((variant) => `drop database ${name}_${variant} with (force)`)
    },
  }
}

async function decider(): Promise<ManagedEngine> {
  const made = engine()
  await made.activate(await libraryWith(folder('./policies')))
  return made
}

const robot: Subject = {
  id: 'robot',
  type: 'agent',
  issuer: 'https://issuer.test',
  groups: ['agents'],
  claims: {},
  actor: null,
}

type Door = {
  readonly upstream: Upstream
  readonly policy: ManagedEngine
  readonly how: Opening
  readonly pairs: Connect
}

async function doorway({ upstream, policy, how, pairs }: Door): Promise<Doorway> {
  const observe = (): void => undefined
  const audit = { append: () => undefined, later: () => undefined }
  const { sidecar = postgres, profile = 'masked', unbacked = false } = how
  const loginOf = ({ username, password }: typeof role) => ({
    credential: async () => ({ username, secret: secret(password) }),
  })
  const keeper = gate({
    resource: { id: profile, protocol: 'postgres', labels: {} },
    upstream,
    engine: how.engine?.(policy) ?? policy,
    audit,
    observe,
    quotas: memoryQuotas({}),
    holds: holds({ store: sqliteHolds(':memory:'), audit, observe }),
    maskKey: secret('0123456789abcdef0123456789abcdef'),
    identity: { identify: async () => ({ subject: robot, expiresMs: Date.now() + 36_000_000 }) },
    credentials: loginOf(role),
    sealedCredentials: loginOf(unbacked ? laxRole : sealedRole),
  })
  const way = await listen({ host: '127.0.0.1', port: 0, sidecar, gate: keeper })
  return {
    connect: (pair) =>
      pairs('gate', pair, (database) =>
        throughGate({ port: way.port, username: 'robot', password: 't', database }),
      ),
    close: () => way.close(),
  }
}
