import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Command } from '../../../pdp/contract.ts'
import { read, type Scope, type Statement } from '../../../sidecars/postgres/statement.ts'
import type { SqlFacts } from '../../../sidecars/sql/facts.ts'
import { type Database, database, only, scope } from './reading.ts'

const extra = `
CREATE TABLE plain (a int, b text, c text);
CREATE VIEW v_plain AS SELECT a, b AS renamed FROM plain;
CREATE TABLE kept (id int, value text);
CREATE TABLE keyed (id int PRIMARY KEY, code text UNIQUE, cap int, used int CHECK (used < cap), n int DEFAULT 1 UNIQUE,
  lowered text GENERATED ALWAYS AS (lower(code)) STORED);
CREATE TABLE low (word text);
CREATE UNIQUE INDEX ON low (lower(word)) WHERE word <> '';
CREATE TABLE child (id int, code text REFERENCES keyed (code) ON DELETE CASCADE);
CREATE VIEW v_keyed AS SELECT code AS c, cap AS d FROM keyed;
CREATE SEQUENCE numbers;
CREATE TABLE single (only_one text);
CREATE VIEW v_calls AS SELECT get_email(id) AS email FROM kept;
`

let db: Database
let here: Scope

beforeAll(async () => {
  db = await database(extra)
  here = scope(db.catalogue)
})
afterAll(() => db.stop())

const command = (text: string): Command => only(text, here).command
const sql = (of: Command) => of['sql'] as SqlFacts
/** `r table public.plain a,b`: access, kind, name, columns. */
const objects = (of: Command) =>
  of.objects.map((one) =>
    [one.access[0], one.kind, one.name, one.columns?.join(',')].filter(Boolean).join(' '),
  )
const short = (names: readonly string[] | undefined) =>
  (names ?? []).map((name) => name.replace('public.', '')).sort()

describe('name and effects', () => {
  test.each([
    ['SELECT a FROM plain', 'select', 'read'],
    ['VALUES (1)', 'select', 'read'],
    ['TABLE plain', 'select', 'read'],
    ['SELECT a FROM plain FOR UPDATE', 'select', 'read write'],
    ['INSERT INTO plain VALUES (1)', 'insert', 'write'],
    ['INSERT INTO plain VALUES (1) RETURNING a', 'insert', 'write read'],
    ['UPDATE plain SET a = 1', 'update', 'write'],
    ['UPDATE plain SET a = 1 WHERE b = $1', 'update', 'write read'],
    ['DELETE FROM plain', 'delete', 'delete'],
    ['DELETE FROM ONLY plain WHERE a = 1', 'delete', 'delete read'],
    [
      'MERGE INTO plain USING kept ON a = id WHEN MATCHED THEN DELETE',
      'merge',
      'write read delete',
    ],
    ['TRUNCATE plain', 'truncate', 'delete'],
    ['WITH x AS (DELETE FROM plain RETURNING a) SELECT a FROM x', 'select', 'read delete'],
    ['EXPLAIN DELETE FROM plain', 'explain', 'read'],
    ['EXPLAIN (ANALYZE) DELETE FROM plain', 'explain', 'read delete'],
    ['EXPLAIN (ANALYZE OFF, ANALYZE ON) DELETE FROM plain', 'explain', 'read delete'],
    ['EXPLAIN (ANALYZE 0) DELETE FROM plain', 'explain', 'read'],
    ['EXPLAIN SELECT pg_sleep(1)', 'explain', 'read execute'],
    ['SELECT get_name(1)', 'select', 'read execute'],
    ["SELECT nextval('numbers')", 'select', 'read write'],
    ["SELECT pg_notify('a', 'b')", 'select', 'read write'],
    ['SELECT pg_advisory_lock(1)', 'select', 'read execute'],
    ['SELECT now(), lower($1), length(b) FROM kept, plain', 'select', 'read execute'],
    ['SELECT now(), upper($1), length(b) FROM plain', 'select', 'read'],
    ["SELECT 'a' === 'b'", 'select', 'read execute'],
    ['SELECT email FROM v_calls', 'select', 'read execute'],
    ['SELECT last_value FROM numbers', 'select', 'read'],
    [
      'CREATE SCHEMA x CREATE TABLE y (a int) GRANT SELECT ON y TO PUBLIC',
      'create_schema',
      'define grant',
    ],
    ['COPY plain TO STDOUT', 'copy_to', 'read'],
    ['COPY plain FROM STDIN', 'copy_from', 'write'],
    ['COPY (DELETE FROM plain RETURNING a) TO STDOUT', 'copy_to', 'read delete'],
    ['CREATE TABLE x (a int)', 'create_table', 'define'],
    ['CREATE TABLE x AS SELECT a FROM plain', 'create_table_as', 'define write read'],
    ['SELECT a INTO x FROM plain', 'create_table_as', 'read define write'],
    ['CREATE MATERIALIZED VIEW x AS SELECT 1', 'create_materialized_view', 'define write'],
    ['CREATE VIEW x AS SELECT a FROM plain', 'create_view', 'define read'],
    ['CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1', 'create_function', 'define'],
    ['CREATE INDEX ON plain (a)', 'create_index', 'define'],
    ['ALTER TABLE plain ADD d int', 'alter_table', 'define'],
    ['ALTER TABLE plain RENAME a TO d', 'alter_table', 'define'],
    ['DROP TABLE plain', 'drop_table', 'define delete'],
    ['DROP FUNCTION get_name(bigint)', 'drop_function', 'define delete'],
    ['DROP SCHEMA crm CASCADE', 'drop_schema', 'define delete'],
    ['GRANT SELECT ON plain TO PUBLIC', 'grant', 'grant'],
    ['REVOKE SELECT ON plain FROM PUBLIC', 'revoke', 'grant'],
    ['CREATE ROLE r', 'create_role', 'grant'],
    ['ALTER TABLE plain OWNER TO admin', 'alter_table', 'define'],
    ['DO $$ BEGIN DELETE FROM plain; END $$', 'do', 'execute delete'],
    ['CALL do_purge()', 'call', 'execute delete write'],
    ['VACUUM plain', 'vacuum', 'define'],
    ['ANALYZE plain', 'analyze', 'define'],
    ['LOCK plain', 'lock', 'write'],
    ['BEGIN', 'begin', 'session'],
    ['START TRANSACTION READ ONLY', 'begin', 'session'],
    ['COMMIT', 'commit', 'session'],
    ['ROLLBACK TO x', 'rollback_to', 'session'],
    ['SAVEPOINT x', 'savepoint', 'session'],
    ['SET application_name = x', 'set', 'session'],
    ['RESET datestyle', 'reset', 'session'],
    ['RESET ALL', 'reset', 'session'],
    ['RESET search_path', 'reset', 'session'],
    ['SET search_path TO public', 'set', 'session'],
    ['SET search_path = x', 'set', 'session'],
    ['DISCARD ALL', 'discard', 'session'],
    ['SET jit = off', 'set', 'session'],
    ['SHOW datestyle', 'show', 'session'],
    ['LISTEN x', 'listen', 'read session'],
    ["NOTIFY x, 'y'", 'notify', 'write'],
    ['PREPARE p AS DELETE FROM plain', 'prepare', 'session delete'],
    ['DECLARE c CURSOR FOR SELECT a FROM plain', 'declare', 'session read'],
    ['DEALLOCATE ALL', 'deallocate', 'session'],
    ['CLOSE ALL', 'close', 'session'],
    ['', 'empty', 'session'],
    [' ; -- nothing', 'empty', 'session'],
  ])('%s is %s: %s', (text, name, effects) => {
    const found = command(text)
    expect([found.name, found.effects.join(' ')]).toEqual([name, effects])
    expect(found.incomplete).toBeUndefined()
  })

  test.each([
    ["DO $$ BEGIN EXECUTE 'x'; END $$", 'execute', 'runs a text as SQL'],
    ["DO LANGUAGE plperl 'x'", 'execute', 'DO block'],
    ["SELECT run_sql('x')", 'read execute', 'runs a text as SQL'],
    ['EXECUTE nobody', 'unknown', 'nothing is known by the name nobody'],
    ['FETCH ALL FROM nobody', 'unknown', 'nothing is known by the name nobody'],
    ["COPY plain FROM '/etc/passwd'", 'write execute', 'file of the server'],
    ["COPY plain TO PROGRAM 'id'", 'read execute', 'program on the server'],
    ["SELECT query_to_xml('delete from plain', true, true, '')", 'read execute', 'query_to_xml()'],
    ["SELECT pg_read_file('x')", 'read execute', 'pg_read_file()'],
    ['SELECT lo_get(1)', 'read execute', 'lo_get()'],
    ['SELECT nothing_known(1)', 'read execute', 'function nothing_known is not known'],
    ['SELECT a FROM missing', 'read', 'relation missing is not known'],
    ['DELETE FROM missing', 'delete', 'relation missing is not known'],
    ['SELECT missing FROM plain', 'read', 'column missing is not known'],
    ['SELECT nobody.a FROM plain', 'read', 'column nobody.a is not known'],
    ['SELECT * FROM pg_stat_activity', 'read', 'pg_catalog.pg_stat_activity shows'],
    [
      "UPDATE pg_settings SET setting = 'x'",
      'write read session',
      'a rule on pg_catalog.pg_settings',
    ],
    ['CREATE TEMP TABLE plain (a int)', 'define', 'temporary relation'],
    ['CREATE TEMP VIEW plain AS SELECT 1', 'define', 'temporary relation'],
    ['SELECT a INTO TEMP x FROM plain', 'read define write', 'temporary relation'],
    ["PREPARE TRANSACTION 'x'", 'session', 'outlive'],
    ['BEGIN READ WRITE', 'session', 'READ WRITE'],
    ['RESET ROLE', 'session grant', 'role changes who'],
    ['SET SESSION AUTHORIZATION x', 'session grant', 'session_authorization changes who'],
    ['SET search_path = 1', 'session', 'setting search_path'],
    [
      "SELECT set_config('search_path', 'x', false) FROM plain",
      'read session',
      'setting search_path',
    ],
    [
      "PREPARE p AS SELECT set_config('search_path', 'x', false)",
      'session read',
      'search_path would change',
    ],
    ['SET LOCAL work_mem = 1', 'session', 'setting work_mem'],
    ["SET NAMES 'LATIN1'", 'session', 'setting client_encoding'],
    ['SET client_min_messages = debug1', 'session', 'setting client_min_messages'],
    ['SET standard_conforming_strings = off', 'session', 'setting standard_conforming_strings'],
    ["SELECT set_config('role', 'x', false)", 'read session grant', 'role changes who'],
    ['SELECT set_config(b, c, false) FROM plain', 'read session', 'does not name'],
    ['SELEC 1', 'unknown', 'cannot be read: syntax error'],
  ])('%s is incomplete', (text, effects, reason) => {
    const found = command(text)
    expect(found.effects.join(' ')).toBe(effects)
    expect(found.incomplete).toContain(reason)
  })
})

describe('objects', () => {
  test.each([
    ['SELECT a, upper(b) FROM plain WHERE c = 1', ['r table public.plain a,b,c']],
    ['SELECT count(*) FROM plain', ['r table public.plain']],
    ['SELECT * FROM plain', ['r table public.plain a,b,c']],
    ['SELECT p FROM plain p', ['r table public.plain a,b,c']],
    ['SELECT row_to_json(p.*) FROM plain p', ['r table public.plain a,b,c']],
    [
      'INSERT INTO plain (b) SELECT value FROM kept',
      ['w table public.plain b', 'r table public.kept value'],
    ],
    ['INSERT INTO plain DEFAULT VALUES', ['w table public.plain a,b,c']],
    ['UPDATE plain SET b = c', ['w table public.plain b', 'r table public.plain c']],
    ['DELETE FROM plain', ['w table public.plain a,b,c']],
    ['TRUNCATE plain, kept', ['w table public.plain a,b,c', 'w table public.kept id,value']],
    ['EXPLAIN DELETE FROM plain', ['r table public.plain a,b,c']],
    ['SELECT renamed FROM v_plain', ['r view public.v_plain renamed', 'r table public.plain a,b']],
    ['DELETE FROM v_plain', ['w view public.v_plain a,renamed', 'w table public.plain a,b,c']],
    ['SELECT id FROM orders', ['r table public.orders id', 'r table public.orders_2026 id']],
    ['DELETE FROM "Customers"', ['w table public.Customers id,Email']],
    [
      'SELECT email FROM crm.customers',
      [
        'r view crm.customers email',
        'r table public.customers id,name',
        'r table public.customers_archive id,name',
      ],
    ],
    ['COPY plain (b) TO STDOUT', ['r table public.plain b']],
    ['COPY plain FROM STDIN', ['w table public.plain a,b,c']],
    [
      'DELETE FROM keyed',
      [
        'w table public.keyed id,code,cap,used,n,lowered',
        'w table public.child',
        'r table public.child code',
      ],
    ],
    [
      "INSERT INTO child VALUES (1, 'x')",
      ['w table public.child id,code', 'r table public.keyed code'],
    ],
    ['TRUNCATE keyed', ['w table public.keyed id,code,cap,used,n,lowered']],
    [
      'TRUNCATE keyed CASCADE',
      ['w table public.keyed id,code,cap,used,n,lowered', 'w table public.child'],
    ],
    [
      'SELECT get_name(1)',
      [
        'r function public.get_name',
        'r table public.customers id,name',
        'r table public.customers_archive id,name',
      ],
    ],
    ['CALL noop()', ['r function public.noop']],
    ["SELECT nextval('numbers')", ['w sequence public.numbers']],
    ['DROP TABLE public.plain, missing', ['w table public.plain a,b,c', 'w table public.missing']],
    ['DROP FUNCTION get_name(bigint)', ['w function public.get_name']],
    ['CREATE TABLE x (LIKE plain)', ['w table public.x', 'r table public.plain a,b,c']],
    ['CREATE SCHEMA x', ['w schema x']],
    ['SET timezone = x', ['w setting timezone']],
    ['SHOW timezone', ['r setting timezone']],
    ['CREATE ROLE x', ['w role x']],
    ['LISTEN x', ['r channel x']],
    ['WITH plain AS (SELECT 1 AS a) SELECT a FROM plain', []],
    ['SELECT a FROM plain FOR UPDATE', ['w table public.plain', 'r table public.plain a']],
  ])('%s touches %j', (text, expected) => {
    expect(objects(command(text)).sort()).toEqual([...expected].sort())
  })
})

describe('columns that decide', () => {
  test.each([
    ['SELECT a FROM plain', []],
    ['SELECT upper(b) || c FROM plain', []],
    ['SELECT a FROM plain WHERE b = 1', ['plain.b']],
    ['SELECT a FROM plain ORDER BY b', ['plain.b']],
    ['SELECT a, b FROM plain ORDER BY 2', ['plain.b']],
    ['SELECT a, b AS x FROM plain ORDER BY x', ['plain.b']],
    ['SELECT count(*), b FROM plain GROUP BY 2', ['plain.b']],
    ['SELECT count(*), b, c FROM plain GROUP BY ROLLUP (2, (c, 2))', ['plain.b', 'plain.c']],
    ['SELECT count(*) FROM plain GROUP BY a HAVING max(b) > 1', ['plain.a', 'plain.b']],
    ['SELECT DISTINCT a, b FROM plain', ['plain.a', 'plain.b']],
    ['SELECT DISTINCT ON (a) b FROM plain', ['plain.a']],
    ['SELECT a FROM plain UNION ALL SELECT id FROM kept', []],
    ['SELECT a FROM plain UNION SELECT id FROM kept', ['kept.id', 'plain.a']],
    ['SELECT plain.b FROM plain JOIN kept ON a = id', ['kept.id', 'plain.a']],
    ['SELECT 1 FROM plain JOIN plain q USING (a)', ['plain.a']],
    ['SELECT 1 FROM plain NATURAL JOIN plain q', ['plain.a', 'plain.b', 'plain.c']],
    ['SELECT row_number() OVER (ORDER BY b) FROM plain', ['plain.b']],
    ["SELECT CASE WHEN b = 'x' THEN c END FROM plain", ['plain.b']],
    ['SELECT count(*) FILTER (WHERE b IS NULL) FROM plain', ['plain.b']],
    ['SELECT string_agg(b, c ORDER BY a) FROM plain', ['plain.a', 'plain.b', 'plain.c']],
    ['SELECT max(b ORDER BY a) FROM plain', ['plain.a']],
    ['SELECT b::int FROM plain', ['plain.b']],
    ['SELECT b::text FROM plain', []],
    ['SELECT get_name(a) FROM plain', ['customers.id', 'customers_archive.id', 'plain.a']],
    ['SELECT 1 / a FROM plain', ['plain.a']],
    ['SELECT a FROM plain LIMIT (SELECT max(id) FROM kept)', ['kept.id']],
    ['SELECT (SELECT value FROM kept) FROM plain', []],
    ['SELECT a FROM plain WHERE EXISTS (SELECT * FROM kept WHERE id = a)', ['kept.id', 'plain.a']],
    ['SELECT a FROM (SELECT a, b AS x FROM plain) t WHERE x = 1', ['plain.b']],
    ['SELECT a FROM (SELECT * FROM plain) t WHERE t.b = 1', ['plain.b']],
    ['SELECT a FROM (SELECT a, b FROM plain) AS t (a, x)', []],
    ['WITH t AS (SELECT a, b AS x FROM plain) SELECT a FROM t ORDER BY x', ['plain.b']],
    ['WITH t (x) AS (SELECT b FROM plain) SELECT x FROM t', []],
    ['SELECT a FROM plain AS t (b, a)', []],
    ['SELECT t.b FROM plain AS t (x, b) WHERE b IS NULL', ['plain.b']],
    ['SELECT (p).b FROM plain p', []],
    ['SELECT j FROM (plain JOIN kept ON true) AS j WHERE j.value = 1', ['kept.value']],
    ['SELECT max(p) FROM plain p GROUP BY p', ['plain.a', 'plain.b', 'plain.c']],
    ['UPDATE plain SET b = c', ['plain.c']],
    ['UPDATE plain SET b = 1 RETURNING c', []],
    ['INSERT INTO kept (value) SELECT b FROM plain', ['plain.b']],
    ['INSERT INTO kept VALUES (1) ON CONFLICT (id) DO NOTHING', ['kept.id']],
    ['INSERT INTO kept VALUES (1) ON CONFLICT DO NOTHING', ['kept.id', 'kept.value']],
    ["INSERT INTO keyed (code) VALUES ('x')", ['keyed.code', 'keyed.n']],
    ['INSERT INTO keyed (cap) VALUES (1)', ['keyed.n']],
    ["UPDATE keyed SET code = 'x'", ['child.code', 'keyed.code']],
    ['UPDATE keyed SET cap = 1', ['keyed.cap', 'keyed.used']],
    ["UPDATE v_keyed SET c = 'x'", ['child.code', 'keyed.code']],
    ['UPDATE v_keyed SET d = 1', ['keyed.cap', 'keyed.used']],
    ['DELETE FROM keyed', ['child.code']],
    ["INSERT INTO low VALUES ('x')", ['low.word']],
    ["INSERT INTO child VALUES (1, 'x')", ['keyed.code']],
    [
      'INSERT INTO keyed (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET cap = 1',
      ['keyed.cap', 'keyed.id', 'keyed.n', 'keyed.used'],
    ],
    ['MERGE INTO keyed USING plain ON true WHEN MATCHED THEN DELETE', ['child.code']],
    ['COPY low FROM STDIN', ['low.word']],
    ["SELECT replace(b, 'x', 'yy') FROM plain", ['plain.b']],
    ["SELECT string_agg(b, '') FROM plain, generate_series(1, 9)", ['plain.b']],
    ['SELECT repeat(b, 9) || lpad(c, 9) FROM plain', ['plain.b', 'plain.c']],
    ["SELECT repeat('x', 1000000000) || b FROM plain", ['plain.b']],
    ["SELECT lpad('x', 10) || b FROM plain", []],
    ["SELECT repeat(repeat('x', 1000), 1000) || b FROM plain", ['plain.b']],
    ['CREATE TABLE x AS SELECT b FROM plain', ['plain.b']],
    ['COPY plain (b) TO STDOUT', []],
    ["COPY plain (b) TO '/tmp/x'", ['plain.b']],
    ['SELECT renamed FROM v_plain WHERE renamed = 1', ['plain.b', 'v_plain.renamed']],
    ['SELECT 1 FROM orders_2026 WHERE total > 1', ['orders.total', 'orders_2026.total']],
    ['SELECT 1 FROM generate_series(1, (SELECT a FROM plain))', ['plain.a']],
  ])('%s: %j', (text, expected) => {
    expect(short(command(text).predicates)).toEqual(expected)
  })
})

describe('outputs', () => {
  /** `name=` for a copy, `name~` for anything computed. */
  const outputs = (text: string) =>
    command(text).outputs?.map(
      ({ name, sources, exact }) => `${name}${exact ? '=' : '~'}${short(sources).join('+')}`,
    )

  test.each([
    [
      'SELECT a, b AS x, 1, now(), count(*) FROM plain GROUP BY 1, 2',
      ['a=plain.a', 'x=plain.b', '?column?=', 'now=', 'count='],
    ],
    ['SELECT * FROM plain', ['a=plain.a', 'b=plain.b', 'c=plain.c']],
    [
      'SELECT p.*, k.id FROM plain p, kept k',
      ['a=plain.a', 'b=plain.b', 'c=plain.c', 'id=kept.id'],
    ],
    ['SELECT upper(b), coalesce(b, c) FROM plain', ['upper~plain.b', 'coalesce~plain.b+plain.c']],
    [
      'SELECT * FROM plain JOIN kept ON true',
      ['a=plain.a', 'b=plain.b', 'c=plain.c', 'id=kept.id', 'value=kept.value'],
    ],
    ['SELECT x FROM (SELECT upper(b) AS x FROM plain) t', ['x~plain.b']],
    ['SELECT * FROM (SELECT a, upper(b) AS x FROM plain) t', ['a=plain.a', 'x~plain.b']],
    ['SELECT a FROM plain UNION SELECT id FROM kept', ['a~kept.id+plain.a']],
    ['SELECT (SELECT value FROM kept)', ['value=kept.value']],
    ['SELECT renamed FROM v_plain', ['renamed=plain.b+v_plain.renamed']],
    ['SELECT s, only_one FROM single s', ['s~single.only_one', 'only_one=single.only_one']],
    ['VALUES (1, 2)', ['column1=', 'column2=']],
    ['COPY plain TO STDOUT', ['a=plain.a', 'b=plain.b', 'c=plain.c']],
    ['COPY plain (b) TO STDOUT', ['b=plain.b']],
    ['COPY (SELECT upper(b), a FROM plain) TO STDOUT', ['upper~plain.b', 'a=plain.a']],
    ['DELETE FROM plain RETURNING a, b', ['a=plain.a', 'b=plain.b']],
    ['INSERT INTO plain VALUES (1) RETURNING *', ['a=plain.a', 'b=plain.b', 'c=plain.c']],
  ])('%s gives %j', (text, expected) => expect(outputs(text)).toEqual(expected))

  test.each([
    ['code that is not read', 'SELECT pg_advisory_lock(1)'],
    ['a row that is not known', 'SELECT (json_populate_record(NULL, b::json)).* FROM plain'],
    ['rows of functions that are not known', "SELECT * FROM json_to_record('{}')"],
    ['statements without rows', 'DELETE FROM plain'],
  ])('are not told for %s', (_, text) => expect(outputs(text)).toBeUndefined())

  test.each([
    'SELECT a, upper(b), 1, now(), a + 1, b::text, CASE WHEN true THEN a END, ARRAY[a] FROM plain',
    'SELECT coalesce(a, 1), NULLIF(a, 1), greatest(a, 2), ROW(a, b), EXISTS (SELECT 1) FROM plain',
    "SELECT current_date, current_user, session_user, (SELECT max(a) FROM plain), 1::int, date '2020-01-01'",
    'SELECT * FROM plain p JOIN kept k ON p.a = k.id',
    'SELECT * FROM plain JOIN plain q USING (a)',
    'SELECT * FROM customers NATURAL JOIN secrets',
    'WITH t AS (SELECT a, count(*) FROM plain GROUP BY a) SELECT * FROM t',
    'SELECT * FROM (SELECT a AS x, 1 FROM plain) AS t (y)',
    'SELECT * FROM v_customers, v_union',
    'TABLE customers UNION TABLE customers',
  ])('of %s are named as the server names them', async (text) => {
    const answer = await db.client.query({ text, rowMode: 'array' })
    expect(command(text).outputs?.map((one) => one.name)).toEqual(
      answer.fields.map((field) => field.name),
    )
  })
})

describe('the sql family', () => {
  test.each([
    ['SELECT a FROM plain WHERE a = 1', { has_where: true, has_limit: false }],
    ['SELECT a FROM plain LIMIT 5', { has_where: false, has_limit: true }],
    ['SELECT a FROM plain LIMIT ALL', { has_limit: false }],
    ['DELETE FROM plain', { has_where: false }],
    ['DELETE FROM plain WHERE a = 1', { has_where: true }],
    ['WITH x AS (DELETE FROM plain) SELECT 1 FROM kept WHERE id = 1', { has_where: false }],
    ['SELECT a FROM plain FOR UPDATE', { locking: true }],
    [
      'DELETE FROM payments',
      { triggers: true, functions: [{ name: 'public.trg_audit', class: 'trigger' }] },
    ],
    [
      'SELECT get_email_pl(1)',
      { functions: [{ name: 'public.get_email_pl', class: 'definer:plpgsql' }] },
    ],
    ['EXPLAIN ANALYZE DELETE FROM plain', { kinds: ['explain', 'explain_analyze', 'delete'] }],
    [
      'WITH x AS (INSERT INTO plain VALUES (1)) UPDATE plain SET a = 1',
      { kinds: ['insert', 'update'] },
    ],
    [
      "SELECT a FROM plain WHERE b = 'x' AND a = 7",
      { shape: 'SELECT a FROM plain WHERE b = $1 AND a = $2' },
    ],
  ])('%s', (text, expected) => {
    const found = sql(command(text))
    expect(found).toMatchObject({ ...expected, dialect: 'postgres' })
    if ('kinds' in expected) expect(new Set(found.kinds)).toEqual(new Set(expected.kinds))
  })
})

describe('what a statement means for its session', () => {
  test.each<[string, Partial<Statement>]>([
    ['SELECT 1', { rows: true }],
    ['DELETE FROM plain', { rows: false }],
    ['DELETE FROM plain RETURNING a', { rows: true }],
    ['SHOW timezone', { rows: true }],
    ['EXPLAIN SELECT 1', { rows: true }],
    ['BEGIN', { rows: false, transaction: 'begin' }],
    ['END', { rows: false, transaction: 'end' }],
    ['ROLLBACK', { rows: false, transaction: 'end' }],
    ['COPY plain FROM STDIN', { rows: false, copy: 'in' }],
    ['COPY (SELECT 1) TO STDOUT', { rows: false, copy: 'out' }],
    ['EXECUTE p', { rows: true, needs: ['p'] }],
    ['FETCH ALL FROM c', { rows: true, needs: ['c'] }],
    ['DEALLOCATE p', { names: [{ kind: 'deallocate', name: 'p' }] }],
    ['DEALLOCATE ALL', { names: [{ kind: 'deallocate', name: '' }] }],
    ['CLOSE c', { names: [{ kind: 'close', name: 'c' }] }],
  ])('%s', (text, expected) => expect(only(text, here)).toMatchObject(expected))

  test('EXECUTE does what was prepared, in the same text or before', () => {
    const [prepare, execute] = read('PREPARE p AS DELETE FROM plain; EXECUTE p', here)
    expect(execute?.command).toMatchObject({ name: 'execute', effects: ['delete'] })
    expect(execute?.rows).toBe(false)
    const known = prepare?.names[0]?.statement
    const later = { ...here, prepared: (name: string) => (name === 'p' ? known : undefined) }
    expect(only('EXECUTE p', later).command.effects).toEqual(['delete'])
    expect(read('DEALLOCATE p; EXECUTE p', later)[1]?.command.incomplete).toContain('p')
  })

  test('FETCH shows what its cursor was declared for', () => {
    const text = 'DECLARE c CURSOR FOR SELECT b AS x FROM plain WHERE a = 1; FETCH ALL FROM c'
    const [, fetch] = read(text, here)
    expect(fetch?.command).toMatchObject({
      name: 'fetch',
      effects: ['read'],
      predicates: ['public.plain.a'],
      outputs: [{ name: 'x', sources: ['public.plain.b'], exact: true }],
    })
  })

  test('CREATE TABLE AS EXECUTE writes elsewhere all that was prepared', () => {
    const text = 'PREPARE p AS SELECT b FROM plain; CREATE TABLE x AS EXECUTE p'
    expect(read(text, here)[1]?.command).toMatchObject({ predicates: ['public.plain.b'] })
  })
})

describe('the text of each statement', () => {
  test.each([
    ['SELECT 1', ['SELECT 1']],
    ['SELECT 1; SELECT 2 ;', ['SELECT 1', 'SELECT 2']],
    ["SELECT 'ä€😀'; SELECT 'ö'; SELECT 3", ["SELECT 'ä€😀'", "SELECT 'ö'", 'SELECT 3']],
    [";;\n SELECT 'é' -- é\n; DELETE FROM plain", ["SELECT 'é' -- é", 'DELETE FROM plain']],
    ["SELECT ';'; SELECT $x$;$x$", ["SELECT ';'", 'SELECT $x$;$x$']],
    [
      'SELECT 1 /* /* */ ; DELETE FROM plain */ ; SELECT 2',
      ['SELECT 1 /* /* */ ; DELETE FROM plain */', 'SELECT 2'],
    ],
  ])('%j is %j', (text, expected) => {
    expect(read(text, here).map((one) => one.command.text)).toEqual(expected)
  })
})
