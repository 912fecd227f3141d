import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { MaskRule } from '../../../pdp/contract.ts'
import { postgres } from '../../../sidecars/postgres/index.ts'
import { canary } from '../../pdp/kit.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { rawClient } from '../client.ts'
import type { Datastore, Fixture, Variant } from '../fixture.ts'
import { says } from './says.ts'
import { hello, reading, stable } from './wire.ts'

const schema = readFileSync(
  fileURLToPath(new URL('../../corpus/schema.sql', import.meta.url)),
  'utf8',
)

/** What the schema says is protected. */
const protectedColumns = [
  ...['email', 'ssn', 'card_number', 'phone', 'email_domain'].flatMap((column) => [
    `public.customers.${column}`,
    `public.customers_archive.${column}`,
  ]),
  'public.secrets.value',
  'public.employees.salary',
]

const masks: readonly MaskRule[] = protectedColumns.map((column) => ({
  rule: 'policies.test',
  column,
  method: 'redact',
  on_predicate: 'deny',
}))

/** The PostgreSQL sidecar, for the conformance suite. */
export const fixture: Fixture = {
  sidecar: postgres,
  start,
  connect: (transport, token) =>
    rawClient(transport, reading, token === undefined ? undefined : hello(token)),
  says,
  own: (sent) => sent.includes('application_name\0postern\0'),
  masks,
  stable,
}

const secret = `${canary}-of-the-role`

async function start(variant: Variant): Promise<Datastore> {
  const server = await startPostgres()
  server.sql(`\\set variant ${variant}\n${schema}
    update customers set phone = '${canary}-phone-${variant}' where id = 1;
    update secrets set value = '${canary}-secret-${variant}' where id = 1;
    create role gatekeeper login superuser password '${secret}';`)
  const { host, port, superuser } = server
  const direct = new pg.Client({
    host,
    port,
    user: superuser.username,
    password: superuser.password,
    database: 'postgres',
  })
  direct.on('error', () => undefined)
  await direct.connect()
  const shown = await direct.query<{ hidden: string }>(`
    select email as hidden from customers where email is not null union select ssn from customers
    union select card_number from customers union select phone from customers
    union select value from secrets union select salary::text from employees where salary > 999`)
  return {
    port,
    username: 'gatekeeper',
    secret,
    hidden: shown.rows.flatMap(({ hidden }) => (hidden === null ? [] : [hidden])),
    async running(mark) {
      const { rowCount } = await direct.query(
        `select from pg_stat_activity
         where state = 'active' and pid <> pg_backend_pid() and position($1 in query) > 0`,
        [mark],
      )
      return rowCount !== 0
    },
    async stop() {
      await direct.end()
      await server.stop()
    },
  }
}
