import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadCatalogue } from '../../../sidecars/postgres/catalogue.ts'
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts'
import { asText } from './reading.ts'

const tablesCount = 10_000
const columnsCount = 10
/** What ten thousand tables may take, in bytes. */
const bytesMax = 96 * 1024 * 1024

const schema = `
DO $$ BEGIN
  FOR i IN 1..${tablesCount} LOOP
    -- Without long columns, so that no second table is made for each.
    EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, name varchar(40), email varchar(40), a int, b int, c varchar(40), d date, e numeric(9, 2), f date, g int)', i);
    EXECUTE format('CREATE INDEX ON t%s (name)', i);
    IF i % 10 = 0 THEN EXECUTE format('CREATE VIEW v%s AS SELECT id, name, a + b AS s FROM t%s', i, i); END IF;
    IF i % 500 = 0 THEN COMMIT; END IF;
  END LOOP;
END $$;`

let server: PostgresServer
let client: Client

beforeAll(async () => {
  server = await startPostgres({ settings: ['autovacuum = off', 'fsync = off'] })
  server.sql(schema)
  const { host, port, superuser } = server
  const { username: user, password } = superuser
  client = new Client({ host, port, user, password, database: 'postgres' })
  await client.connect()
}, 600_000)
afterAll(async () => {
  await client?.end()
  await server?.stop()
})

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

function heapBytes(): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

test('ten thousand tables are loaded whole and take a bounded part of the memory', async () => {
  const before = heapBytes()
  const begunMs = performance.now()
  const catalogue = await loadCatalogue(asText(client))
  const tookMs = performance.now() - begunMs
  const bytes = heapBytes() - before
  const megabytes = (bytes / 1024 / 1024).toFixed(0)
  console.info(`${tablesCount} tables: ${(tookMs / 1000).toFixed(1)} s, ${megabytes} MiB`)
  const names = Array.from({ length: tablesCount }, (_, index) => `t${index + 1}`)
  const missing = names.filter(
    (name) => catalogue.relation(name, 'public', [])?.columns.length !== columnsCount,
  )
  expect(missing).toEqual([])
  expect(catalogue.relation('v10', undefined, ['public'])?.kind).toBe('view')
  expect(bytes).toBeLessThan(bytesMax)
}, 600_000)
