import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import type { Mask } from '../../../../pdp/contract.ts'
import { compileMask } from '../../../../pdp/mask.ts'
import {
  type Catalogue,
  loadCatalogue,
  type Query,
} from '../../../../sidecars/postgres/catalogue.ts'
import { parse, ready } from '../../../../sidecars/postgres/read/parser.ts'
import { type Condition, condition } from '../../../../sidecars/postgres/rewrite/filter.ts'
import { rewrite } from '../../../../sidecars/postgres/rewrite/rewrite.ts'
import type { Sealing } from '../../../../sidecars/postgres/rewrite/shield.ts'
import type { Library } from '../../../../sidecars/sql/lineage/library.ts'
import { type PostgresServer, startPostgres } from '../../../servers/postgres.ts'
import { asText } from '../reading.ts'

export const variants = ['demo_a', 'demo_b'] as const
export type Variant = (typeof variants)[number] | 'demo_masked'

/** What policy protects in the corpus's schema. */
export const protectedColumns = [
  'public.customers.email',
  'public.customers.ssn',
  'public.customers.card_number',
  'public.customers.phone',
  'public.secrets.value',
  'public.employees.salary',
]

/** Two databases that differ in nothing but protected values, and what is known of them. */
export type Ground = {
  readonly server: PostgresServer
  readonly catalogue: Catalogue
  readonly library: Library
  readonly query: Query
  connect(variant: Variant, role?: Role): Promise<Client>
  stop(): Promise<void>
}

export type Role = { readonly user: string; readonly password: string }

const schema = readFileSync(
  fileURLToPath(new URL('../../../corpus/schema.sql', import.meta.url)),
  'utf8',
)

/** What a database would be if its protected values were the constants that stand for them. */
const constants = `
  alter table customers drop constraint customers_email_key;
  alter table customers alter column email_domain drop expression;
  update customers set email = '[redacted]', ssn = '[redacted]', card_number = '[redacted]',
    phone = '[redacted]', email_domain = '[redacted]';
  update secrets set value = '[redacted]';
  update employees set salary = null;
  refresh materialized view mv_emails;`

/** Starts a server with both databases, each with `extra` on top, and one whose protected values are constants. */
export async function ground(extra = ''): Promise<Ground> {
  const server = await startPostgres()
  const text = schema.indexOf('-- variant B')
  server.sql('create database demo_a')
  server.sql(schema, 'demo_a')
  server.sql(extra, 'demo_a')
  server.sql('create database demo_b template demo_a')
  server.sql(`\\set variant B\n${schema.slice(text)}`, 'demo_b')
  server.sql('create database demo_masked template demo_a')
  server.sql(constants, 'demo_masked')
  const { username: user, password } = server.superuser
  const connect = async (database: Variant, role: Role = { user, password }): Promise<Client> => {
    const client = new Client({ host: server.host, port: server.port, database, ...role })
    await client.connect()
    return client
  }
  const client = await connect('demo_a')
  await ready
  const query = asText(client)
  const catalogue = await loadCatalogue(query)
  const { library } = catalogue
  return {
    server,
    catalogue,
    library,
    query,
    connect,
    async stop() {
      await client.end()
      await server.stop()
    },
  }
}

/** Redacts these columns. */
export function masking(columns: readonly string[], method: 'redact' | 'null' = 'redact'): Mask {
  return compileMask(
    columns.map((column) => ({ rule: 'test', column, method, on_predicate: 'allow' })),
  )
}

/** How the ground is sealed unless told otherwise. */
export function sealing(on: Ground, rest: Partial<Sealing> = {}): Sealing {
  const { catalogue, library } = on
  return {
    catalogue,
    library,
    searchPath: ['public'],
    mask: masking(protectedColumns),
    sealed: true,
    filters: new Map(),
    ...rest,
  }
}

export const filters = (said: Readonly<Record<string, unknown>>): ReadonlyMap<string, Condition> =>
  new Map(Object.entries(said).map(([relation, one]) => [relation, condition(one)]))

/** The only statement of a text, rewritten. */
export function rewriteText(text: string, how: Sealing): string {
  const [only, ...others] = parse(text).statements ?? []
  if (only?.stmt === undefined || others.length > 0) throw new Error(`not one statement: ${text}`)
  const made = rewrite(only.stmt, how)
  if (made.text === undefined) throw new Error(made.problem)
  return made.text
}
