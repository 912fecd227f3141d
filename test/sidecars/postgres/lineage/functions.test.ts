import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Declared, type Lineage, lineage, shown, used } from './kit.ts'

const extra = `
CREATE TABLE plain (a int UNIQUE, b text, c text);
CREATE TABLE log (line text);
CREATE FUNCTION ping(n int) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE FUNCTION pong(n int) RETURNS text LANGUAGE sql AS 'SELECT CASE WHEN $1 > 3 THEN (SELECT value FROM secrets LIMIT 1) ELSE ping($1) END';
CREATE OR REPLACE FUNCTION ping(n int) RETURNS text LANGUAGE sql AS 'SELECT CASE WHEN $1 > 9 THEN (SELECT max(salary)::text FROM employees) ELSE pong($1 + 1) END';
CREATE FUNCTION named(amount int, OUT total int, OUT label text) LANGUAGE sql
  AS 'SELECT named.amount + a, b FROM plain';
CREATE FUNCTION atomic(x int) RETURNS TABLE (one text, two int) LANGUAGE sql
  BEGIN ATOMIC; INSERT INTO log SELECT c FROM plain; SELECT b, a FROM plain WHERE a = x; END;
CREATE FUNCTION loops() RETURNS SETOF text LANGUAGE plpgsql AS $$
  DECLARE r record; total int := (SELECT max(salary) FROM employees);
  BEGIN
    FOR r IN SELECT b FROM plain WHERE c = 'x' LOOP
      IF r.b <> '' THEN total := total + length((SELECT value FROM secrets LIMIT 1)); END IF;
      INSERT INTO log VALUES (r.b);
      RETURN NEXT r.b;
    END LOOP;
  END $$;
CREATE FUNCTION dynamic() RETURNS text LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE 'x' INTO r; RETURN r; END $$;
CREATE FUNCTION native(text) RETURNS text LANGUAGE internal AS 'textout';
CREATE FUNCTION step_log(state int, value text) RETURNS int LANGUAGE sql AS 'SELECT salary FROM employees';
CREATE AGGREGATE counting(text) (SFUNC = step_log, STYPE = int);
CREATE SCHEMA own;
CREATE TABLE own.plain (a int, b text);
CREATE FUNCTION pinned() RETURNS text LANGUAGE sql SET search_path = own AS 'SELECT b FROM plain';
CREATE FUNCTION floating() RETURNS text LANGUAGE sql AS 'SELECT b FROM plain';
CREATE VIEW v_floating AS SELECT floating() AS f;
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log SELECT value FROM secrets; RETURN NULL; END $$;
CREATE FUNCTION hidden() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'x'; RETURN NULL; END $$;
CREATE TABLE traced (line text);
CREATE TRIGGER hides AFTER INSERT ON traced EXECUTE FUNCTION hidden();
CREATE TRIGGER audited AFTER INSERT ON plain EXECUTE FUNCTION audit();
CREATE FUNCTION tenfold(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 10';
CREATE TYPE money_t AS (amount int);
CREATE FUNCTION to_money(int) RETURNS money_t LANGUAGE sql AS 'SELECT ROW(salary)::money_t FROM employees';
CREATE CAST (int AS money_t) WITH FUNCTION to_money(int);
CREATE FUNCTION quietly(money_t) RETURNS boolean LANGUAGE sql AS 'SELECT max(value) IS NULL FROM secrets';
CREATE CAST (money_t AS boolean) WITH FUNCTION quietly(money_t) AS IMPLICIT;
CREATE TABLE paid (amount money_t, done boolean);
CREATE TABLE ring0 (a int); CREATE TABLE ring1 (a int); CREATE TABLE ring2 (a int); CREATE TABLE ring3 (a int);
CREATE TABLE ring4 (a int); CREATE TABLE ring5 (a int); CREATE TABLE ring6 (a int); CREATE TABLE ring7 (a int);
DO $$ BEGIN FOR i IN 0..7 LOOP
  EXECUTE format('CREATE FUNCTION round%s() RETURNS trigger LANGUAGE plpgsql AS %L', i,
    (SELECT 'BEGIN ' || string_agg(format('UPDATE ring%s SET a = 1; DELETE FROM ring%s;', j, j), ' ') || ' RETURN NEW; END' FROM generate_series(0, 7) j WHERE j <> i));
  EXECUTE format('CREATE TRIGGER turns AFTER INSERT OR UPDATE OR DELETE ON ring%s FOR EACH ROW EXECUTE FUNCTION round%s()', i, i);
END LOOP; END $$;
CREATE FUNCTION upper(int) RETURNS text LANGUAGE sql AS 'SELECT value FROM secrets';
`

let db: Lineage
beforeAll(async () => {
  db = await lineage(extra)
})
afterAll(() => db.stop())

describe('bodies', () => {
  test.each<[string, readonly string[]]>([
    ['SELECT ping(1)', ['ping~employees.salary+secrets.value']],
    ['SELECT pong(1)', ['pong~employees.salary+secrets.value']],
    ['SELECT * FROM named(1)', ['total~plain.a', 'label~plain.b']],
    ['SELECT (named(a)).label FROM plain', ['label~plain.a+plain.b']],
    ['SELECT two, one FROM atomic(1)', ['two~plain.a', 'one~plain.b']],
    ['SELECT loops()', ['loops~employees.salary+plain.b+plain.c+secrets.value']],
    ['SELECT counting(b) FROM plain', ['counting~employees.salary+plain.b']],
    ['SELECT pinned()', ['pinned~own.plain.b']],
    ['SELECT floating()', ['floating~plain.b']],
    ['SELECT tenfold(7)', ['tenfold=']],
    ['SELECT 7::money_t', ['money_t~employees.salary']],
    [
      'SELECT booland_statefunc(done, amount) FROM paid',
      ['booland_statefunc~paid.amount+paid.done+secrets.value'],
    ],
    ['UPDATE paid SET done = amount RETURNING done', ['done~paid.amount+paid.done+secrets.value']],
  ])('%s', (text, expected) => {
    const read = db.read(text)
    expect(read.command.incomplete).toBeUndefined()
    expect(shown(read)).toEqual(expected)
  })

  test('mean what their names mean to whoever calls them', () => {
    const read = db.read('SELECT floating(), public.floating()', { searchPath: ['own', 'public'] })
    expect(shown(read)).toEqual(['floating~own.plain.b', 'floating~own.plain.b'])
  })

  test('in views too', () => {
    const text = 'SELECT f FROM public.v_floating'
    expect(shown(db.read(text))).toEqual(['f~plain.b+v_floating.f'])
    expect(shown(db.read(text, { searchPath: ['own'] }))).toEqual(['f~own.plain.b+v_floating.f'])
  })

  test('do what they do through whoever calls them', () => {
    const { command } = db.read('SELECT * FROM atomic(1)')
    expect(command.effects).toEqual(expect.arrayContaining(['read', 'write', 'execute']))
    expect(command.objects).toContainEqual(
      expect.objectContaining({ name: 'public.log', access: 'write' }),
    )
    expect(used(db.read('SELECT * FROM atomic(1)'), 'equality', 'predicate')).toEqual(['plain.a'])
  })

  test('of triggers count for the write that runs them', () => {
    const { command } = db.read('INSERT INTO plain VALUES (1)')
    expect(command.objects).toContainEqual(
      expect.objectContaining({ name: 'public.log', access: 'write' }),
    )
    expect(command.predicates).toContain('public.secrets.value')
  })

  test('of triggers that cannot be read leave a write in doubt', () => {
    const { command } = db.read("INSERT INTO traced VALUES ('x')")
    expect(command.incomplete).toContain('runs a text as SQL')
    expect(command['sql']).toMatchObject({
      triggers: true,
      functions: [{ name: 'public.hidden', class: 'trigger' }],
    })
  })

  test.each([
    ['SELECT dynamic()', 'runs a text as SQL'],
    ["SELECT native('x')", 'what public.native() does is not read'],
  ])('that cannot be read are doubted: %s', (text, reason) => {
    expect(db.read(text).command.incomplete).toContain(reason)
  })
})

describe('what is declared of code that cannot be read', () => {
  const native = { reads: ['public.secrets.name'], returns: ['public.secrets.value'] }
  const said = (
    functions: Readonly<Record<string, Declared>>,
    declassify: readonly string[] = [],
  ) =>
    db.declaring({ functions: new Map(Object.entries(functions)), declassify: new Set(declassify) })

  test('counts instead of its source', () => {
    const read = said({ 'public.native(text)': native })('SELECT native(b) FROM plain')
    expect(read.command.incomplete).toBeUndefined()
    expect(shown(read)).toEqual(['native~plain.b+secrets.value'])
    expect(used(read, 'inside')).toEqual(['secrets.name'])
    expect(read.command.effects).toContain('execute')
    expect(read.command.objects).toContainEqual({
      kind: 'table',
      name: 'public.secrets',
      access: 'read',
      columns: ['name', 'value'],
    })
  })

  test('says what it writes and does', () => {
    const writing = { reads: [], returns: [], writes: ['public.log'], effects: ['delete' as const] }
    const { command } = said({ 'public.native(text)': writing })("SELECT native('x')")
    expect(command.effects).toEqual(expect.arrayContaining(['execute', 'write', 'delete']))
    expect(command.objects).toContainEqual({ kind: 'table', name: 'public.log', access: 'write' })
  })

  test('is asked for by signature', () => {
    const read = said({ 'public.native(integer)': native })("SELECT native('x')")
    expect(read.command.incomplete).toBeDefined()
  })

  test.each([
    [{ reads: ['public.secrets.nothing'], returns: [] }],
    [{ reads: [], returns: ['public.nothing.value'] }],
    [{ reads: [], returns: [], writes: ['public.nothing'] }],
  ])('counts for nothing where it names what there is not: %j', (declared) => {
    const { command } = said({ 'public.native(text)': declared })("SELECT native('x')")
    expect(command.incomplete).toContain('the declaration of public.native(text) names')
  })

  test('makes a view safe that somebody reviewed', () => {
    const text = 'SELECT label FROM v_contact'
    expect(shown(db.read(text))?.[0]).toContain('customers.email')
    const read = said({}, ['public.v_contact'])(text)
    expect(shown(read)).toEqual(['label=v_contact.label'])
    expect(used(read, 'inside', 'predicate')).toEqual([])
  })

  test('makes a function safe that somebody reviewed', () => {
    const text = 'SELECT get_email(1), customer_label(c) FROM customers c'
    const read = said({}, ['public.get_email', 'public.customer_label'])(text)
    expect(shown(read)).toEqual(['get_email=', 'customer_label='])
    expect(read.command.incomplete).toBeUndefined()
  })
})

test('triggers that run each other in every order are given up before they hold up anybody', () => {
  const { command } = db.read('INSERT INTO ring0 VALUES (1)')
  expect(command.incomplete).toContain('does as a trigger is not read')
})

describe('which function is meant', () => {
  test.each([
    ["SELECT upper('x')", false],
    ['SELECT upper(b) FROM plain', false],
    ['SELECT upper(a) FROM plain', true],
    ['SELECT upper(1)', true],
    ['SELECT upper($1)', true],
    ['SELECT b = c FROM plain', false],
    ["SELECT b === 'x' FROM plain", true],
    ['SELECT lower(name) FROM customers', false],
    ['SELECT lower(c) FROM customers c', true],
    ['SELECT c.lower FROM customers c', true],
    ['SELECT pg_catalog.upper(a::text) FROM plain', false],
  ])("%s runs somebody's code: %s", (text, expected) => {
    expect(db.read(text).command.effects.includes('execute')).toBe(expected)
  })
})
