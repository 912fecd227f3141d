import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lineage, lineage, shown } from './kit.ts'

const extra = `
CREATE TABLE plain (a int UNIQUE, b text, c text);
CREATE TABLE kept (id int, value text);
CREATE FUNCTION lower(plain) RETURNS text LANGUAGE sql AS 'SELECT $1.b';
`

let db: Lineage
beforeAll(async () => {
  db = await lineage(extra)
})
afterAll(() => db.stop())

/** A statement, and for each column it shows `name=sources` of a copy or `name~sources` of what is computed. */
const table: readonly (readonly [string, readonly string[]])[] = [
  // stars, aliases and scopes
  ['SELECT * FROM plain', ['a=plain.a', 'b=plain.b', 'c=plain.c']],
  ['SELECT p.*, k.id FROM plain p, kept k', ['a=plain.a', 'b=plain.b', 'c=plain.c', 'id=kept.id']],
  ['SELECT public.plain.b FROM public.plain', ['b=plain.b']],
  ['SELECT t.y, t.c FROM plain AS t (x, y)', ['y=plain.b', 'c=plain.c']],
  ['SELECT * FROM (SELECT a, b FROM plain) AS t (p)', ['p=plain.a', 'b=plain.b']],
  ['SELECT x FROM (SELECT upper(b) AS x, a FROM plain) t', ['x~plain.b']],
  ['SELECT s.secret FROM (SELECT value AS secret FROM secrets) s', ['secret=secrets.value']],
  ['SELECT plain FROM plain, kept', ['plain~plain.a+plain.b+plain.c']],
  ['SELECT b FROM plain AS b', ['b=plain.b']],
  ['SELECT a.b FROM plain AS a CROSS JOIN plain AS b', ['b=plain.b']],
  ['SELECT ctid, tableoid FROM plain', ['ctid=', 'tableoid=']],
  ['TABLE kept', ['id=kept.id', 'value=kept.value']],
  // computed and copied
  [
    'SELECT a, b AS x, 1, now(), count(*) FROM plain GROUP BY 1, 2',
    ['a=plain.a', 'x=plain.b', '?column?=', 'now=', 'count='],
  ],
  [
    "SELECT upper(b), coalesce(b, c), coalesce(b, 'none'), b || c FROM plain",
    ['upper~plain.b', 'coalesce~plain.b+plain.c', 'coalesce=plain.b', '?column?~plain.b+plain.c'],
  ],
  [
    "SELECT CASE WHEN a = 1 THEN b END, CASE b WHEN 'x' THEN 1 ELSE 2 END FROM plain",
    ['case~plain.a+plain.b', 'case~plain.b'],
  ],
  [
    'SELECT NULLIF(b, c), greatest(a, 1), b IS NULL, NOT (a = 1), a BETWEEN 1 AND 2 FROM plain',
    [
      'nullif~plain.b+plain.c',
      'greatest~plain.a',
      '?column?~plain.b',
      '?column?~plain.a',
      '?column?~plain.a',
    ],
  ],
  [
    'SELECT b::text, a::text, b::int, a::numeric(10, 2), tags::text[] FROM plain, customers',
    ['b=plain.b', 'a~plain.a', 'b~plain.b', 'a~plain.a', 'tags~customers.tags'],
  ],
  [
    'SELECT b COLLATE "C", substring(b from 1 for 2), trim(b), extract(year from created_at) FROM plain, customers',
    ['b=plain.b', 'substring~plain.b', 'btrim~plain.b', 'extract~customers.created_at'],
  ],
  [
    "SELECT max(b), string_agg(b, ',' ORDER BY c), count(*) FILTER (WHERE a > 1) FROM plain",
    ['max~plain.b', 'string_agg~plain.b', 'count='],
  ],
  [
    'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a), mode() WITHIN GROUP (ORDER BY b) FROM plain',
    ['percentile_cont~plain.a', 'mode~plain.b'],
  ],
  [
    'SELECT row_number() OVER (ORDER BY b), lag(b) OVER w, rank() OVER (w ORDER BY c) FROM plain WINDOW w AS (PARTITION BY a)',
    ['row_number~plain.b', 'lag~plain.a+plain.b', 'rank~plain.a+plain.c'],
  ],
  ['SELECT GROUPING(a), a FROM plain GROUP BY ROLLUP (a)', ['grouping=', 'a=plain.a']],
  [
    "SELECT current_date, current_user, 'x'::text, $1",
    ['current_date=', 'current_user=', 'text=', '?column?='],
  ],
  // WITH queries
  ['WITH t AS (SELECT a, b FROM plain) SELECT b FROM t', ['b=plain.b']],
  ['WITH t (x, y) AS (SELECT a, b FROM plain) SELECT y, x FROM t', ['y=plain.b', 'x=plain.a']],
  ['WITH plain AS (SELECT value AS b FROM kept) SELECT b FROM plain', ['b=kept.value']],
  ['WITH a AS (SELECT b AS x FROM plain), b AS (SELECT x FROM a) SELECT x FROM b', ['x=plain.b']],
  [
    'WITH d AS (DELETE FROM plain RETURNING b, c AS z) SELECT z, b FROM d',
    ['z=plain.c', 'b=plain.b'],
  ],
  [
    'WITH RECURSIVE r (n, t) AS (SELECT a, b FROM plain UNION ALL SELECT n + 1, value FROM r JOIN kept ON id = n) SELECT * FROM r',
    ['n~plain.a', 't~kept.value+plain.b'],
  ],
  [
    'WITH RECURSIVE r AS (SELECT a AS x, b AS y, c AS z FROM plain UNION ALL SELECT x, z, value FROM r, kept) SELECT y FROM r',
    ['y~kept.value+plain.b+plain.c'],
  ],
  [
    'WITH RECURSIVE s AS (SELECT id FROM q), q AS (SELECT a AS id FROM plain) SELECT id FROM s',
    ['id=plain.a'],
  ],
  [
    'WITH RECURSIVE g (id, m) AS (SELECT id, manager_id FROM employees UNION ALL SELECT e.id, e.manager_id FROM employees e JOIN g ON g.m = e.id) CYCLE id SET looped USING path SELECT * FROM g',
    ['id=employees.id', 'm=employees.manager_id', 'looped~employees.id', 'path~employees.id'],
  ],
  [
    'WITH RECURSIVE g (id, m) AS (SELECT id, manager_id FROM employees UNION ALL SELECT e.id, e.manager_id FROM employees e JOIN g ON g.m = e.id) SEARCH DEPTH FIRST BY id SET o SELECT o FROM g',
    ['o~employees.id'],
  ],
  // subqueries
  ['SELECT (SELECT value FROM kept WHERE id = a) FROM plain', ['value=kept.value']],
  ['SELECT (SELECT p.b) FROM plain p', ['b=plain.b']],
  ['SELECT l.v FROM plain p, LATERAL (SELECT p.b || p.c AS v) l', ['v~plain.b+plain.c']],
  [
    'SELECT s.x FROM plain p CROSS JOIN LATERAL (SELECT k.value AS x FROM kept k WHERE k.id = p.a) s',
    ['x=kept.value'],
  ],
  [
    'SELECT ARRAY(SELECT b FROM plain), (ARRAY(SELECT b FROM plain))[1]',
    ['array~plain.b', 'array=plain.b'],
  ],
  [
    'SELECT EXISTS (SELECT b FROM plain), 1 IN (SELECT a FROM plain)',
    ['exists=', '?column?~plain.a'],
  ],
  [
    "SELECT a = ANY (SELECT id FROM kept), (a, b) = (SELECT id, value FROM kept), b = ANY (ARRAY['x']) FROM plain",
    ['?column?~kept.id+plain.a', '?column?~kept.id+kept.value+plain.a+plain.b', '?column?~plain.b'],
  ],
  [
    'SELECT (VALUES (1)), (SELECT b FROM plain UNION SELECT c FROM plain)',
    ['column1=', 'b~plain.b+plain.c'],
  ],
  // set operations and VALUES
  ['SELECT a FROM plain UNION SELECT id FROM kept', ['a~kept.id+plain.a']],
  ["SELECT b FROM plain UNION ALL SELECT 'x'", ['b=plain.b']],
  [
    '(SELECT a, b FROM plain) EXCEPT SELECT id, value FROM kept',
    ['a~kept.id+plain.a', 'b~kept.value+plain.b'],
  ],
  [
    "SELECT column1, column2 FROM (VALUES (1, (SELECT b FROM plain)), (2, 'x')) v",
    ['column1=', 'column2=plain.b'],
  ],
  ["SELECT v.t FROM (SELECT 1, b FROM plain UNION VALUES (2, 'x')) AS v (n, t)", ['t=plain.b']],
  // joins
  [
    'SELECT * FROM plain JOIN kept ON true',
    ['a=plain.a', 'b=plain.b', 'c=plain.c', 'id=kept.id', 'value=kept.value'],
  ],
  [
    'SELECT * FROM plain JOIN plain q USING (a)',
    ['a=plain.a', 'b=plain.b', 'c=plain.c', 'b=plain.b', 'c=plain.c'],
  ],
  [
    'SELECT a, plain.b, q.b FROM plain JOIN plain q USING (a)',
    ['a=plain.a', 'b=plain.b', 'b=plain.b'],
  ],
  ['SELECT j.a FROM plain JOIN plain q USING (a) AS j', ['a=plain.a']],
  [
    'SELECT id, name, value FROM employees NATURAL JOIN secrets',
    ['id~employees.id+secrets.id', 'name~employees.name+secrets.name', 'value=secrets.value'],
  ],
  [
    'SELECT j.value, j.x FROM (plain JOIN kept ON true) AS j (x)',
    ['value=kept.value', 'x=plain.a'],
  ],
  [
    'SELECT q.* FROM (plain p CROSS JOIN kept k) CROSS JOIN LATERAL (SELECT p.b, k.value) q',
    ['b=plain.b', 'value=kept.value'],
  ],
  // rows, composites, arrays
  ['SELECT p FROM plain p', ['p~plain.a+plain.b+plain.c']],
  ['SELECT (p).b, (p).* FROM plain p', ['b=plain.b', 'a=plain.a', 'b=plain.b', 'c=plain.c']],
  ['SELECT (s.p).c FROM (SELECT p FROM plain p) s', ['c=plain.c']],
  ['SELECT a.b FROM (SELECT p AS a FROM plain p) s, LATERAL (SELECT (s.a).*) a', ['b=plain.b']],
  ['SELECT ROW(a, b), (ROW(a, b)).f2 FROM plain', ['row~plain.a+plain.b', 'f2=plain.b']],
  [
    'SELECT row_to_json(p), to_jsonb(p.*) FROM plain p',
    ['row_to_json~plain.a+plain.b+plain.c', 'to_jsonb~plain.a+plain.b+plain.c'],
  ],
  ['SELECT b(p), p.b FROM plain p', ['b=plain.b', 'b=plain.b']],
  [
    'SELECT (address).city, (c.address).* FROM customers c',
    [
      'city~customers.address',
      'street~customers.address',
      'city~customers.address',
      'zip~customers.address',
    ],
  ],
  [
    'SELECT ARRAY[a], (ARRAY[b, c])[1], (ARRAY[p])[1] FROM plain p',
    ['array~plain.a', 'array~plain.b+plain.c', 'array~plain.a+plain.b+plain.c'],
  ],
  ['SELECT ((array_agg(p))[1]).b FROM plain p', ['b~plain.a+plain.b+plain.c']],
  [
    'SELECT (u).b FROM (SELECT unnest(array_agg(p)) AS u FROM plain p) s',
    ['b~plain.a+plain.b+plain.c'],
  ],
  // JSON and XML
  [
    "SELECT json_build_object('k', b), jsonb_agg(c), json_object('k': b), JSON_ARRAY(a, b) FROM plain",
    [
      'json_build_object~plain.b',
      'jsonb_agg~plain.c',
      'json_object~plain.b',
      'json_array~plain.a+plain.b',
    ],
  ],
  [
    'SELECT xmlelement(name x, b), xmlforest(b AS y, c), xmlagg(xmlelement(name q, c)) FROM plain GROUP BY b, c',
    ['xmlelement~plain.b', 'xmlforest~plain.b+plain.c', 'xmlagg~plain.c'],
  ],
  [
    'SELECT xmlserialize(content xmlelement(name x, b) AS text), b::xml IS DOCUMENT FROM plain',
    ['xmlserialize~plain.b', '?column?~plain.b'],
  ],
  [
    "SELECT t.* FROM plain, XMLTABLE('/r' PASSING (b::xml) COLUMNS x text PATH 'x', y int PATH 'y') t",
    ['x~plain.b', 'y~plain.b'],
  ],
  [
    "SELECT t.* FROM plain, JSON_TABLE(b::jsonb, '$' COLUMNS (x text PATH '$.x', NESTED PATH '$.n' COLUMNS (y int PATH '$.y'))) t",
    ['x~plain.b', 'y~plain.b'],
  ],
  // functions in FROM
  ['SELECT g, t.* FROM generate_series(1, 3) g, LATERAL (SELECT g * 2) t', ['g=', '?column?=']],
  ['SELECT * FROM generate_series(1, 2) WITH ORDINALITY', ['generate_series=', 'ordinality=']],
  ["SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a'])) AS r (n, w)", ['n=', 'w=']],
  ['SELECT key, value FROM plain, jsonb_each_text(b::jsonb)', ['key~plain.b', 'value~plain.b']],
  [
    'SELECT r.* FROM customers c, jsonb_to_record(c.profile) AS r (lang text, n int)',
    ['lang~customers.profile', 'n~customers.profile'],
  ],
  [
    'SELECT (jsonb_each(profile)).* FROM customers',
    ['key~customers.profile', 'value~customers.profile'],
  ],
  ["SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS u (i, t)", ['i=', 't=']],
  ['SELECT u FROM customers, unnest(tags) u', ['u~customers.tags']],
  [
    'SELECT u.name FROM (SELECT array_agg(s) AS r FROM secrets s) x, unnest(x.r) u',
    ['name~secrets.id+secrets.name+secrets.value'],
  ],
  // writes that return
  ['DELETE FROM plain RETURNING a, b', ['a=plain.a', 'b=plain.b']],
  [
    'DELETE FROM plain USING kept RETURNING kept.value, plain.*',
    ['value=kept.value', 'a=plain.a', 'b=plain.b', 'c=plain.c'],
  ],
  [
    'UPDATE plain SET b = value FROM kept WHERE id = a RETURNING b, value',
    ['b~kept.value+plain.b', 'value=kept.value'],
  ],
  [
    'UPDATE plain SET b = value FROM kept RETURNING old.b, new.b',
    ['b=plain.b', 'b~kept.value+plain.b'],
  ],
  ["UPDATE plain SET b = 'x' RETURNING WITH (OLD AS o) o.b, new.c", ['b=plain.b', 'c=plain.c']],
  [
    "UPDATE plain SET (b, c) = (SELECT value, 'x' FROM kept WHERE id = a) RETURNING b, c",
    ['b~kept.value+plain.b', 'c=plain.c'],
  ],
  [
    'INSERT INTO plain SELECT id, value FROM kept RETURNING *',
    ['a~kept.id+plain.a', 'b~kept.value+plain.b', 'c=plain.c'],
  ],
  [
    'INSERT INTO plain AS p VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b || p.c RETURNING p.b',
    ['b~plain.b+plain.c'],
  ],
  [
    'MERGE INTO plain p USING kept k ON p.a = k.id WHEN MATCHED THEN UPDATE SET b = value RETURNING k.value, p.b, merge_action()',
    ['value=kept.value', 'b~kept.value+plain.b', 'merge_action='],
  ],
  [
    'WITH moved AS (DELETE FROM plain RETURNING *) INSERT INTO kept SELECT a, b FROM moved RETURNING value',
    ['value~kept.value+plain.b'],
  ],
  // views, generated columns, children and partitions
  ['SELECT contact FROM v_customers', ['contact=customers.email+v_customers.contact']],
  [
    'SELECT label FROM v_contact',
    ['label~customers.email+customers.name+customers.phone+v_contact.label'],
  ],
  [
    'SELECT id, contact, amount FROM v_nested',
    [
      'id=customers.id+v_customers.id+v_nested.id',
      'contact=customers.email+v_customers.contact+v_nested.contact',
      'amount=payments.amount+v_nested.amount',
    ],
  ],
  ['SELECT (rec).email FROM v_whole', ['email=customers.email+v_whole.rec']],
  ['SELECT name FROM v_filtered', ['name=customers.name+v_filtered.name']],
  [
    'SELECT * FROM mv_emails',
    ['id=customers.id+mv_emails.id', 'email=customers.email+mv_emails.email'],
  ],
  ['SELECT txt FROM v_union', ['txt~customers.email+customers.name+v_union.txt']],
  ['SELECT email FROM crm.customers', ['email=crm.customers.email+customers.name']],
  ['SELECT email_domain FROM customers', ['email_domain~customers.email+customers.email_domain']],
  ['SELECT total FROM orders', ['total=orders.total+orders_2026.total']],
  ['SELECT total FROM orders_2026', ['total=orders.total+orders_2026.total']],
  ['SELECT last_value FROM leak_seq', ['last_value=leak_seq.last_value']],
  // functions somebody made
  [
    'SELECT get_email(1), get_name(id) FROM customers',
    ['get_email~customers.email', 'get_name~customers.id+customers.name'],
  ],
  ["SELECT email, name FROM find_customers('x')", ['email~customers.email', 'name~customers.name']],
  ["SELECT (find_customers('x')).email", ['email~customers.email']],
  [
    'SELECT line, cid FROM export_all()',
    ['line~customers.email+customers.ssn', 'cid~customers.id'],
  ],
  ['SELECT get_email_pl(1)', ['get_email_pl~customers.email+customers.id']],
  ['SELECT std_body(1)', ['std_body~customers.ssn']],
  [
    'SELECT (first_row()).email, (first_row()).name',
    ['email~customers.email', 'name~customers.name'],
  ],
  ["SELECT lower('X'), lower(c.name) FROM customers c", ['lower=', 'lower~customers.name']],
  ['SELECT lower(p) FROM plain p', ['lower~plain.a+plain.b+plain.c']],
  ['SELECT p.lower FROM plain p', ['lower~plain.a+plain.b+plain.c']],
  ['SELECT pure_add(a, 1), b === c FROM plain', ['pure_add~plain.a', '?column?~plain.b+plain.c']],
  ['SELECT concat_all(b) FROM plain', ['concat_all~plain.b']],
]

test.each(table)('%s', (text, expected) => {
  const read = db.read(text)
  expect(read.command.incomplete).toBeUndefined()
  expect(shown(read)).toEqual(expected)
})

/** Newer than the oldest server these run on. */
const recent = /JSON_TABLE|JSON_ARRAY|'k': b|RETURNING old|RETURNING WITH|merge_action|\$1/i

test.each(table.filter(([text]) => !recent.test(text)))(
  'the server names the columns alike: %s',
  async (text) => {
    await db.client.query('BEGIN')
    try {
      const answer = await db.client.query({ text, rowMode: 'array' })
      expect(db.read(text).names).toEqual(answer.fields.map((field) => field.name))
    } finally {
      await db.client.query('ROLLBACK')
    }
  },
)
