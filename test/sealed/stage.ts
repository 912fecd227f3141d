import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Client as Pg } from 'pg'
import type { Declarations, Subject } from '../../pdp/contract.ts'
import { codeOf, nothingDeclared } from '../../pdp/engine/code.ts'
import { engine } from '../../pdp/engine/engine.ts'
import { gate } from '../../pdp/gate.ts'
import { holds } from '../../pdp/hold.ts'
import type { Engine } from '../../pdp/parts.ts'
import { memoryQuotas } from '../../pdp/quota.ts'
import { secret } from '../../pdp/secret.ts'
import { sqliteHolds } from '../../pdp/state/sqlite-holds.ts'
import { listen } from '../../sidecars/listen.ts'
import { loadCatalogue } from '../../sidecars/postgres/catalogue.ts'
import { postgres } from '../../sidecars/postgres/index.ts'
import { ready } from '../../sidecars/postgres/read/parser.ts'
import type { Sealing } from '../../sidecars/postgres/rewrite/shield.ts'
import { privileges } from '../../sidecars/postgres/roles/privileges.ts'
import { grants } from '../../sidecars/postgres/roles/roles.ts'
import { script } from '../../sidecars/postgres/roles/script.ts'
import { libraryWith } from '../bundle.ts'
import { record } from '../pdp/kit.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { asText } from '../sidecars/postgres/reading.ts'
import { masking, protectedColumns } from '../sidecars/postgres/rewrite/kit.ts'
import { type Client, direct, throughGate } from '../wire/client.ts'

export const variants = ['demo_a', 'demo_b'] as const
export type Variant = (typeof variants)[number]

/** Two databases behind a gate that seals its sessions, with the role that `postern grants` makes. */
export interface Stage {
  readonly server: PostgresServer
  /** The first database, as rewriting knows it. */
  readonly sealing: Sealing
  connect(variant: Variant): Promise<Client>
  /** Past the gate, as the sealed role. */
  direct(variant: Variant): Promise<Client>
  /** From now on what policy answers goes through this. */
  change(how: (engine: Engine) => Engine): void
  /** From now on a bundle says this of code; with the rights that `postern grants` gives for it. */
  declare(code: object): Promise<void>
  restore(): Promise<void>
  stop(): Promise<void>
}

const role = { username: 'sealed', password: 'sealed-secret' }
const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const schema = readFileSync(folder('../corpus/schema.sql'), 'utf8')

const robot: Subject = {
  id: 'robot',
  type: 'agent',
  issuer: 'https://issuer.test',
  groups: ['agents'],
  claims: {},
  actor: null,
}

/** Starts the server, fills both databases, makes the role and opens the gate. */
export async function stage(): Promise<Stage> {
  const server = await startPostgres()
  const policy = await decider()
  let decide: Engine = policy
  let said = nothingDeclared
  const sealing = await databases(server)
  const audit = record()
  const observe = (): void => undefined
  const nobody = async () => {
    throw new Error('a sealed session asked for the login that reads everything')
  }
  const keeper = gate({
    resource: { id: 'corpus', protocol: 'postgres', labels: {} },
    upstream: { host: server.host, port: server.port },
    engine: {
      evaluate: (input) => decide.evaluate(input),
      declarations: () => said,
    },
    audit,
    observe,
    quotas: memoryQuotas({}),
    holds: holds({ store: sqliteHolds(':memory:'), audit, observe }),
    maskKey: secret('0123456789abcdef0123456789abcdef'),
    identity: { identify: async () => ({ subject: robot, expiresMs: Date.now() + 3_600_000 }) },
    credentials: { credential: nobody },
    sealedCredentials: {
      credential: async () => ({ username: role.username, secret: secret(role.password) }),
    },
  })
  const way = await listen({ host: '127.0.0.1', port: 0, sidecar: postgres, gate: keeper })
  return {
    server,
    sealing,
    connect: (variant) => throughGate(way.port, variant, { statement_timeout: '10s' }),
    direct: (variant) => direct({ port: server.port, ...role }, variant),
    change: (how) => {
      decide = how(policy)
    },
    async declare(code) {
      said = codeOf({ code }).get('corpus') ?? nothingDeclared
      await allow(server, said)
    },
    restore: () => copies(server),
    async stop() {
      await way.close()
      await server.stop()
    },
  }
}

async function databases(server: PostgresServer): Promise<Sealing> {
  server.sql(`create role sealed login password '${role.password}'; create database base_a`)
  server.sql(schema, 'base_a')
  const { username: user, password } = server.superuser
  const client = new Pg({
    host: server.host,
    port: server.port,
    database: 'base_a',
    user,
    password,
  })
  await client.connect()
  await ready
  const query = asText(client)
  const catalogue = await loadCatalogue(query)
  const { library } = catalogue
  const wanted = await privileges(query, catalogue, (one) => protectedColumns.includes(one))
  await client.end()
  server.sql(script(wanted, { role: 'sealed', database: 'base_a', writes: true }), 'base_a')
  server.sql('create database base_b template base_a')
  server.sql(`\\set variant B\n${schema.slice(schema.indexOf('-- variant B'))}`, 'base_b')
  await copies(server)
  return {
    catalogue,
    library,
    searchPath: ['public'],
    mask: masking(protectedColumns),
    sealed: true,
    filters: new Map(),
  }
}

async function allow(server: PostgresServer, declarations: Declarations) {
  const { host, port, superuser } = server
  const credential = { username: superuser.username, secret: secret(superuser.password) }
  const upstream = { host, port }
  for (const database of variants) {
    const looking = { upstream, credential, database, declarations, role: role.username }
    const columns = new Set(protectedColumns)
    await server.run(
      await grants({ ...looking, protectedColumns: columns, writes: true }),
      database,
    )
  }
}

async function copies(server: PostgresServer): Promise<void> {
  const anew = variants.map((name) => {
    const from = name.replace('demo', 'base')
    return `drop database if exists ${name} with (force);\ncreate database ${name} template ${from};`
  })
  await server.run(['set client_min_messages to error;', ...anew].join('\n'))
}

async function decider() {
  const made = engine()
  await made.activate(await libraryWith(folder('./policies')))
  return made
}
