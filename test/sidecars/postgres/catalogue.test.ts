import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Catalogue, loadCatalogue } from '../../../sidecars/postgres/catalogue.ts'
import type { Relation } from '../../../sidecars/sql/catalogue.ts'
import { type Database, database } from './reading.ts'

const extra = `
CREATE SCHEMA other;
CREATE TABLE other.notes (id int, hidden text);
CREATE VIEW v_deep AS SELECT n.contact, n.amount FROM v_nested n;
CREATE VIEW v_calls AS SELECT get_email(id) AS email FROM notes;
CREATE VIEW v_dynamic AS SELECT run_sql('SELECT 1');
CREATE TABLE wide (a int, gone int, b text);
ALTER TABLE wide DROP COLUMN gone;
CREATE FUNCTION many(a int, b int DEFAULT 1, VARIADIC c int[] DEFAULT '{}') RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE money_t AS (amount int);
CREATE FUNCTION to_money(int) RETURNS money_t LANGUAGE sql AS 'SELECT ROW($1)::money_t';
CREATE CAST (int AS money_t) WITH FUNCTION to_money(int);
`

let db: Database
let catalogue: Catalogue

beforeAll(async () => {
  db = await database(extra)
  catalogue = db.catalogue
})
afterAll(() => db.stop())

const find = (full: string): Relation => {
  const [schema, name = ''] = full.split('.')
  const relation = catalogue.relation(name, schema, [])
  if (relation === undefined) throw new Error(`${full} is not in the catalogue`)
  return relation
}
const names = (relations: readonly Relation[]) => relations.map((one) => one.full).sort()

describe('relations', () => {
  test.each([
    ['public.customers', 'table'],
    ['public.orders', 'table'],
    ['public.orders_2026', 'table'],
    ['public.v_customers', 'view'],
    ['public.mv_emails', 'materialized_view'],
    ['public.leak_seq', 'sequence'],
    ['public.addr_t', 'type'],
    ['public.Customers', 'table'],
    ['pg_catalog.pg_class', 'table'],
    ['information_schema.tables', 'view'],
  ])('%s is a %s', (full, kind) => expect(find(full).kind).toBe(kind))

  test.each([
    ['notes', undefined, ['public', 'other'], 'public.notes'],
    ['notes', undefined, ['other', 'public'], 'other.notes'],
    ['notes', 'other', ['public'], 'other.notes'],
    ['notes', undefined, [], undefined],
    ['pg_class', undefined, ['public'], 'pg_catalog.pg_class'],
    ['customers', undefined, ['crm', 'public'], 'crm.customers'],
    ['Customers', undefined, ['public'], 'public.Customers'],
    ['missing', undefined, ['public'], undefined],
  ])('%s of %s through %j is %s', (name, schema, path, full) => {
    expect(catalogue.relation(name, schema, path)?.full).toBe(full)
  })

  test('keep the numbers of their columns when one was dropped', () => {
    expect(find('public.wide').columns.map(({ name, number }) => [name, number])).toEqual([
      ['a', 1],
      ['b', 3],
    ])
  })

  test.each([
    [
      'public.v_nested',
      ['public.customers', 'public.customers_archive', 'public.payments', 'public.v_customers'],
    ],
    [
      'public.v_deep',
      [
        'public.customers',
        'public.customers_archive',
        'public.payments',
        'public.v_customers',
        'public.v_nested',
      ],
    ],
    ['public.customers', ['public.customers_archive']],
    ['public.orders', ['public.orders_2026']],
    ['public.mv_emails', ['public.customers', 'public.customers_archive']],
    ['public.kv', []],
  ])('%s shows what is below it', (full, expected) => {
    expect(names(catalogue.below(find(full)))).toEqual(expected)
  })

  test('know what is above them, their rules and their triggers', () => {
    expect(names(catalogue.above(find('public.customers_archive')))).toEqual(['public.customers'])
    expect(find('public.notes').rules).toHaveLength(1)
    expect(find('public.v_safe').rules).toEqual([])
    expect(find('public.payments').triggers.map(({ runs }) => runs)).toEqual(['public.trg_audit'])
  })
})

describe('columns', () => {
  const column = (full: string, name: string) => {
    const relation = find(full)
    const number = relation.columns.find((one) => one.name === name)?.number ?? 0
    return catalogue.column(relation.oid, number)
  }

  test.each([
    ['public.kv', 'v', ['public.kv.v'], true],
    [
      'public.customers',
      'email',
      ['public.customers.email', 'public.customers_archive.email'],
      true,
    ],
    [
      'public.customers_archive',
      'email',
      ['public.customers_archive.email', 'public.customers.email'],
      true,
    ],
    ['public.customers_archive', 'archived_on', ['public.customers_archive.archived_on'], true],
    [
      'public.customers',
      'email_domain',
      [
        'public.customers.email_domain',
        'public.customers.email',
        'public.customers_archive.email',
        'public.customers_archive.email_domain',
      ],
      false,
    ],
    [
      'public.v_customers',
      'contact',
      ['public.v_customers.contact', 'public.customers.email', 'public.customers_archive.email'],
      true,
    ],
    [
      'public.v_deep',
      'contact',
      [
        'public.v_deep.contact',
        'public.v_nested.contact',
        'public.v_customers.contact',
        'public.customers.email',
        'public.customers_archive.email',
      ],
      true,
    ],
    [
      'public.v_contact',
      'label',
      [
        'public.v_contact.label',
        ...['name', 'email', 'phone'].flatMap((one) => [
          `public.customers.${one}`,
          `public.customers_archive.${one}`,
        ]),
      ],
      false,
    ],
    ['information_schema.tables', 'table_name', ['information_schema.tables.table_name'], false],
  ])('%s.%s comes from %j', (full, name, sources, exact) => {
    const origin = column(full, name)
    expect([...(origin?.sources ?? [])].sort()).toEqual([...sources].sort())
    expect(origin?.exact).toBe(exact)
  })

  test('of a view that runs code come from what the code reads', () => {
    expect(column('public.v_calls', 'email')).toMatchObject({ exact: false })
    expect(column('public.v_calls', 'email')?.sources).toContain('public.customers.email')
  })

  test('of a view that runs code nobody can read come from nobody knows where', () => {
    expect(column('public.v_dynamic', 'run_sql')).toBeUndefined()
  })

  test('that do not exist have no origin', () => {
    expect(catalogue.column(find('public.kv').oid, 9)).toBeUndefined()
    expect(catalogue.column(1, 1)).toBeUndefined()
  })

  test('agree with what the server says of its answers', async () => {
    const answer = await db.client.query('SELECT v AS x FROM kv')
    const [field] = answer.fields
    expect(catalogue.column(field?.tableID ?? 0, field?.columnID ?? 0)).toMatchObject({
      relation: 'public.kv',
      column: 'v',
    })
  })
})

describe('functions', () => {
  test.each([
    ['lower', undefined, ['public'], ['pg_catalog', 'public']],
    ['lower', undefined, ['crm'], ['pg_catalog']],
    ['lower', 'public', [], ['public']],
    ['get_email', undefined, ['public'], ['public']],
    ['get_email', undefined, ['crm'], []],
  ])('%s of %s through %j is in %j', (name, schema, path, schemas) => {
    const found = catalogue.functions(name, schema, path).map((one) => one.schema)
    expect([...new Set(found)].sort()).toEqual(schemas)
  })

  test('say what they are', () => {
    expect(catalogue.functions('get_email_pl', 'public', [])).toEqual([
      expect.objectContaining({
        schema: 'public',
        name: 'get_email_pl',
        kind: 'function',
        language: 'plpgsql',
        volatility: 'stable',
        definer: true,
        argumentsMin: 1,
        argumentsMax: 1,
        set: false,
        signature: 'public.get_email_pl(bigint)',
      }),
    ])
    const [many] = catalogue.functions('many', 'public', [])
    expect([many?.argumentsMin, many?.argumentsMax]).toEqual([1, Number.POSITIVE_INFINITY])
  })

  test('hide behind operators and casts', () => {
    expect(catalogue.library.operators('===').map((one) => one.runs)).toEqual(['public.op_leak'])
    expect(catalogue.library.operators('=').every((one) => one.runs === undefined)).toBe(true)
    expect(catalogue.casts('money_t')).toEqual(['public.to_money'])
    expect(catalogue.casts('int4')).toEqual([])
  })
})

describe('loading', () => {
  test('gives every load a version of its own', async () => {
    const next = await loadCatalogue(db.query)
    expect(next.version).not.toBe(catalogue.version)
  })

  test('finds the same whatever the search path holds', async () => {
    await db.query('CREATE SCHEMA trap')
    await db.query('CREATE TABLE trap.pg_class (oid oid, relname text)')
    await db.query(
      `CREATE FUNCTION trap.never(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT false'`,
    )
    await db.query('CREATE OPERATOR trap.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.never)')
    await db.query('SET search_path TO trap, pg_catalog')
    try {
      const next = await loadCatalogue(db.query)
      expect(next.relation('customers', 'public', [])?.columns).toEqual(
        find('public.customers').columns,
      )
      const view = next.relation('v_customers', 'public', [])
      expect(next.column(view?.oid ?? 0, 3)?.sources).toContain('public.customers.email')
    } finally {
      await db.query('SET search_path TO public')
      await db.query('DROP SCHEMA trap CASCADE')
    }
  })

  test('ends its transaction when the server refuses', async () => {
    const said: string[] = []
    const query = async (text: string) => {
      said.push(text)
      if (text.includes('pg_proc')) throw new Error('permission denied')
      return db.query(text)
    }
    await expect(loadCatalogue(query)).rejects.toThrow('permission denied')
    expect(said[said.length - 1]).toBe('ROLLBACK')
    await expect(db.query('SELECT 1')).resolves.toEqual([['1']])
  })
})
