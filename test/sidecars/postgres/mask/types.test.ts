import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Mask, MaskMethod } from '../../../../pdp/contract.ts'
import { compileMask } from '../../../../pdp/mask.ts'
import { shop } from '../shop.ts'

const here = shop()
const run = promisify(execFile)

/** Whatever a type is, one of these is a value of it. */
const literals = [
  'ada@example.com',
  ...['31415', '31.41', 'true', '2001-02-03', '04:05:06', '3 days', '101', '"C"', 'C', '{}'],
  ...['"ada@example.com"', '(31,41)', '[(1,2),(3,4)]', '(3,4),(1,2)', '{1,2,3}', '<(1,2),3>'],
  ...['10.1.2.3', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '16/B374D848', '10:20:10,14'],
  ...['[3,14)', '[2001-01-01,2002-01-01)', '{[3,14)}', '{[2001-01-01,2002-01-01)}', '31 41'],
  ...['now', 'now()', 'pg_class', 'int4', 'english', 'simple', '!~~', '+(int4,int4)', 'app=r/app'],
  ...['app', 'pg_catalog', '$.mail', '00112233-4455-6677-8899-aabbccddeeff', 'YES', 'sad'],
  ...['[aa,zz)', '{[aa,zz)}', '(31,ada@example.com)'],
]
/** The server takes no value of these from anybody (pg_type.dat). */
const internal =
  'gtsvector pg_node_tree pg_ndistinct pg_dependencies pg_mcv_list pg_brin_bloom_summary pg_brin_minmax_multi_summary'

const definitions = `
create domain mail as text check (value like '%@%');
create domain mails as text[];
create domain amount as numeric(9, 2);
create type mood as enum ('sad', 'glad');
create type pair as (number int, mail text);
create type words as range (subtype = text);
create function fits(literal text, type oid) returns boolean language plpgsql as $$
begin
  execute format('select %L::%s', literal, format_type(type, null));
  return true;
exception when others then
  return false;
end $$;
`

type Typed = { readonly name: string; readonly literal: string; readonly sends: boolean }
let types: readonly Typed[] = []
let columns: readonly string[] = []
/** Those that the server can send in binary. */
let sent: readonly string[] = []

beforeAll(() => {
  const { server } = here
  server.sql(definitions, 'shop')
  const list = literals.map((one) => `('${one}')`).join()
  const found = server.sql(
    `select t.typname || e'\\x1f' || format_type(t.oid, null) || e'\\x1f' || (typsend <> 0) || e'\\x1f' || coalesce((
       select literal from (select row_number() over () as n, column1 as literal from (values ${list}) v) c
       where fits(literal, t.oid) order by n limit 1), '')
     from pg_type t where (typtype in ('b', 'd', 'e', 'r', 'm') and typcategory <> 'A' or typname in ('pair', 'mails', 'int2vector', 'oidvector'))
       and typinput <> 0 and typoutput <> 0 and typname not like '\\_%' order by t.oid`,
    'shop',
  )
  const rows = found.split('\n').map((line) => line.split('\x1f'))
  const without = rows.flatMap(([short = '', , , literal]) => (literal === '' ? [short] : []))
  expect(without.sort()).toEqual(internal.split(' ').sort())
  types = rows.flatMap(([, name = '', sends, literal = '']) =>
    literal === '' ? [] : [{ name, literal, sends: sends === 'true' }],
  )
  const made = types.flatMap(({ name, literal }, index) => {
    const value = `'${literal}'::${name}`
    return [
      { column: `a${index}`, type: name, value },
      { column: `b${index}`, type: `${name}[]`, value: `array[${value}, null]` },
      {
        column: `c${index}`,
        type: `${name}[]`,
        value: `array[[${value}, null], [null, ${value}]]`,
      },
    ]
  })
  columns = made.map(({ column }) => column)
  sent = columns.filter((column) => types[Number(column.slice(1))]?.sends)
  const declared = made.map(({ column, type }) => `${column} ${type}`).join(', ')
  server.sql(
    `create table typed (id int, ${declared});
     insert into typed select 1, ${made.map(({ value, type }) => `${value}::${type}`).join(', ')};
     insert into typed (id) values (2);`,
    'shop',
  )
})

const key = { reveal: () => 'k'.repeat(32) }

function masks(method: MaskMethod, args = {}): Mask {
  const rules = columns.map((column) => ({
    ...{ rule: 'r', column: `public.typed.${column}`, method, on_predicate: 'allow' as const },
    args,
  }))
  return compileMask(rules, key)
}

async function pg(text: string, binary: boolean): Promise<readonly (readonly unknown[])[]> {
  const client = new Client({
    host: '127.0.0.1',
    port: here.plainPort,
    user: 'ada',
    database: 'shop',
    password: 'let-me-in',
  })
  await client.connect()
  try {
    const config = { text, rowMode: 'array', values: [], binary }
    return (await client.query<unknown[]>(config as never)).rows
  } finally {
    await client.end()
  }
}

async function psycopg(
  ...statements: readonly string[]
): Promise<Record<string, readonly (readonly unknown[])[]>> {
  const where = `host=127.0.0.1 port=${here.plainPort} user=ada dbname=shop password=let-me-in sslmode=disable`
  const script = `${import.meta.dirname}/read.py`
  const { stdout } = await run('/usr/bin/python3', [script, where, ...statements], {
    maxBuffer: 1 << 24,
  })
  return JSON.parse(stdout)
}

/** Both rows to every client, in text and in binary, the latter without what the server cannot send so. */
async function everywhere(
  text: readonly string[],
  binary: readonly string[],
): Promise<Record<string, readonly (readonly unknown[])[]>> {
  const [one, other] = [text, binary].map((list) => `select ${list.join()} from typed order by id`)
  if (one === undefined || other === undefined) throw new Error('nothing to select')
  const python = await psycopg(one, other)
  return {
    'pg, text': await pg(one, false),
    'pg, binary': await pg(other, true),
    'psycopg, text': python['text'] ?? [],
    'psycopg, binary': python['binary'] ?? [],
  }
}

const stands = /^(\[redacted\]|[^*]?\*{3}(@example\.com)?|(h|tok)_[\w-]{22})$/

/** Whether nothing of a value is left: it is NULL, or a mask, or made of such. */
function isBlank(cell: unknown): boolean {
  if (cell === null) return true
  if (Array.isArray(cell)) return cell.every(isBlank)
  if (typeof cell !== 'string') return false
  // Arrays that a client leaves as they are.
  if (cell.startsWith('{')) return cell.split(/[{},"]+/).every((one) => isNothing(one))
  return stands.test(cell)
}

const isNothing = (one: string): boolean => one === '' || one === 'NULL' || stands.test(one)

const methods: readonly MaskMethod[] = ['null', 'redact', 'partial', 'hash', 'tokenize']

describe.each(methods)('every type by %s', (method) => {
  beforeEach(() => here.decide(() => ({ mask: masks(method) })))

  test('is read by every client, and nothing is left of it', async () => {
    const answers = await everywhere(columns, sent)
    for (const [client, [first = [], second = []]] of Object.entries(answers)) {
      expect(first.length).toBeGreaterThanOrEqual(sent.length)
      const left = first.flatMap((cell, at) => (isBlank(cell) ? [] : [[client, at, cell]]))
      expect(left).toEqual([])
      // What was NULL stays NULL in a copy.
      expect([client, ...second.filter((cell) => cell !== null)]).toEqual([client])
    }
  })

  test('is the same for every value once it is computed', async () => {
    const computed = (column: string): string => `case when id > 0 then ${column} end`
    const answers = await everywhere(columns.map(computed), sent.map(computed))
    for (const [client, [first = [], second]] of Object.entries(answers)) {
      expect([client, first]).toEqual([client, second])
      expect([client, ...first.filter((cell) => !isBlank(cell))]).toEqual([client])
    }
  })
})

test('there are as many types as the server has', () => {
  expect(types.length).toBeGreaterThan(80)
  expect(here.gate.alarms).toEqual([])
})

test.each([
  ['0', ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision'], [0]],
  ['1900-01-01', ['date', 'timestamp without time zone', 'timestamp with time zone'], undefined],
  ['false', ['boolean'], [false]],
  ['\\x00', ['bytea'], undefined],
  ['00000000-0000-0000-0000-000000000000', ['uuid'], undefined],
])('%s stands in for values of its types, for every client', async (value, names, expected) => {
  here.decide(() => ({ mask: masks('redact', { value }) }))
  const wanted = names.map((name) => `a${types.findIndex((one) => one.name === name)}`)
  const answers = await everywhere(wanted, wanted)
  for (const [first = [], second = []] of Object.values(answers)) {
    expect(first.filter((cell) => cell === null)).toEqual([])
    expect(second.filter((cell) => cell !== null)).toEqual([])
    expect(JSON.stringify(first)).not.toMatch(/3141|ada|2001|6461/)
  }
  if (expected !== undefined)
    expect(answers['pg, binary']?.[0]?.map((cell) => (cell === '0' ? 0 : cell))).toEqual(
      names.map(() => expected[0]),
    )
})
