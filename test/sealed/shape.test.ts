import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadCatalogue } from '../../sidecars/postgres/catalogue.ts'
import { ready } from '../../sidecars/postgres/read/parser.ts'
import type { Sealing } from '../../sidecars/postgres/rewrite/shield.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { asText } from '../sidecars/postgres/reading.ts'
import { masking, rewriteText } from '../sidecars/postgres/rewrite/kit.ts'

/** Every kind of type with a limit, protected; and the ways one relation shows another's columns. */
const limited = {
  a: 'varchar(20)',
  b: 'varchar(5)',
  c: 'char(8)',
  d: 'numeric(10,2)',
  e: 'numeric(6)',
  f: 'timestamp(3)',
  g: 'timestamptz(0)',
  h: 'time(2)',
  i: 'bit(4)',
  j: 'varbit(9)',
  k: 'interval(3)',
  l: 'interval year to month',
  m: 'varchar(7)[]',
  n: 'numeric',
  o: 'jsonb',
  p: 'text[]',
  q: 'mood',
  r: 'uuid',
  s: '"char"',
}
const columns = Object.entries(limited)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ')
const schema = `
create type mood as enum ('good', 'bad');
create table things (id int, name text, ${columns});
create table split (id int, a varchar(20), d numeric(10,2)) partition by range (id);
create table split_low partition of split for values from (0) to (10);
create table child (more text) inherits (things);
create view seen as select id, a, d as money, upper(a) as loud from things;
create view both_seen as select s.id, s.a, t.money from split s join seen t using (id);
create table plain (id int, note varchar(9));`

const guarded = [
  ...Object.keys(limited).flatMap((name) => [`public.things.${name}`, `public.child.${name}`]),
  ...['split', 'split_low'].flatMap((one) => [`public.${one}.a`, `public.${one}.d`]),
]

let server: PostgresServer
let client: Client
let sealing: Sealing
beforeAll(async () => {
  server = await startPostgres()
  server.sql('create database shapes')
  server.sql(schema, 'shapes')
  const { username: user, password } = server.superuser
  client = new Client({ host: server.host, port: server.port, database: 'shapes', user, password })
  await client.connect()
  await ready
  const catalogue = await loadCatalogue(asText(client))
  const { library } = catalogue
  const mask = masking(guarded)
  const searchPath = ['public']
  sealing = { catalogue, library, searchPath, mask, sealed: true, filters: new Map() }
}, 60_000)
afterAll(async () => {
  await client.end()
  await server.stop()
})

/** What a client is told of the answer: names, types and their limits. */
async function shape(text: string): Promise<readonly string[]> {
  await client.query('begin')
  try {
    const { fields } = await client.query({ text, rowMode: 'array' })
    return fields.map(
      ({ name, dataTypeID, dataTypeModifier }) => `${name} ${dataTypeID} ${dataTypeModifier}`,
    )
  } finally {
    await client.query('rollback')
  }
}

test.each(Object.entries(limited))('%s: %s', async (name) => {
  const text = `select ${name} from things`
  expect(await shape(rewriteText(text, sealing))).toEqual(await shape(text))
})

test.each([
  'select * from things',
  'select * from only things',
  'select * from child',
  'select * from split',
  'select * from split_low',
  'select * from seen',
  'select * from both_seen',
  'select t.* from things t join plain p using (id)',
  'select * from things join child using (a)',
  'select * from things natural join split',
  'select a, d from things union all select a, d from split',
  'select x.a from (select a from things) x',
  'with w as (select a, d from things) select * from w',
  'select distinct on (a) a, d from things order by a, d',
  'select max(d), min(a), count(b) from things',
  'select t.*::text from things t',
  'select t from things t',
  'select (t).a, (t).d from (select t from things t) s(t)',
  'select row(t.a, t.d) from things t',
  'select array[a] from things',
  'select case when id > 1 then a end from things',
  'select coalesce(a, a) from things',
  'select a as "A b" from things order by a limit 1',
  'select things.a, public.things.d from public.things',
  'select l.a from plain p, lateral (select a from things t where t.id = p.id) l',
  'insert into plain select id, name from things returning *',
  "insert into things (id, a) values (1, 'x') returning id, a, d, b",
  'update things set name = name where id = 1 returning *',
  'update plain set note = name from things where things.id = plain.id returning plain.*, things.a',
  'delete from plain using things where things.id = plain.id returning things.d, note',
  'delete from split where id = 1 returning *',
  'with w as (update things set name = null returning a, id) select * from w',
  'select a from things for update of things',
  'copy things (id, a) to stdout',
])('%s', async (text) => {
  let made: string
  try {
    made = rewriteText(text, sealing)
  } catch (error) {
    expect(reason(error)).toBe(refused[text])
    return
  }
  expect(refused[text]).toBeUndefined()
  if (!text.startsWith('copy'))
    expect(await shape(made)).toEqual(differs[text] ?? (await shape(text)))
})

/** Rewriting does not reach these, and says so. */
const refused: Readonly<Record<string, string>> = {
  'select a from things for update of things':
    'protected values cannot be kept out: things has protected columns and its rows cannot be locked',
}

/** A row of a query has no name of a type: clients are told `record`. */
const differs: Readonly<Record<string, readonly string[]>> = {
  'select t from things t': ['t 2249 -1'],
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
