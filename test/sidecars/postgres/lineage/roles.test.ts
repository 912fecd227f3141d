import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SqlFacts } from '../../../../sidecars/sql/facts.ts'
import { type Lineage, lineage } from './kit.ts'

const extra = `
CREATE TABLE plain (a int UNIQUE, b text, c text);
CREATE TABLE kept (id int, value text);
`

let db: Lineage
beforeAll(async () => {
  db = await lineage(extra)
})
afterAll(() => db.stop())

/** `column: roles` of every column the statement uses. */
function roles(text: string): readonly string[] {
  const { columns = [] } = db.read(text).command['sql'] as SqlFacts
  return columns.map((one) => `${one.name.replace('public.', '')}: ${one.roles.join(' ')}`).sort()
}

test.each<[string, readonly string[]]>([
  ['SELECT a, upper(b) FROM plain', ['plain.a: output', 'plain.b: derived']],
  ['SELECT count(*) FROM plain', []],
  ["SELECT 1 FROM plain WHERE b = 'x' AND $1 = c", ['plain.b: equality', 'plain.c: equality']],
  [
    "SELECT 1 FROM plain WHERE upper(b) = 'X' OR NOT a > 1",
    ['plain.a: predicate', 'plain.b: predicate'],
  ],
  ['SELECT 1 FROM plain WHERE b IS NOT NULL', ['plain.b: null_test']],
  ['SELECT 1 FROM plain JOIN kept ON a = id', ['kept.id: join', 'plain.a: join']],
  ['SELECT 1 FROM plain JOIN plain q USING (a)', ['plain.a: join']],
  ['SELECT 1 FROM plain GROUP BY a', ['plain.a: group']],
  ['SELECT a AS x FROM plain GROUP BY x', ['plain.a: output group']],
  [
    'SELECT b FROM plain GROUP BY ROLLUP (1, (a, c))',
    ['plain.a: group', 'plain.b: output group', 'plain.c: group'],
  ],
  [
    'SELECT 1 FROM plain GROUP BY a HAVING max(b) > c',
    ['plain.a: group', 'plain.b: predicate', 'plain.c: predicate'],
  ],
  ['SELECT a AS b FROM plain ORDER BY b', ['plain.a: output sort']],
  ['SELECT a FROM plain ORDER BY 1, c DESC', ['plain.a: output sort', 'plain.c: sort']],
  ['SELECT DISTINCT a FROM plain', ['plain.a: output distinct']],
  ['SELECT DISTINCT ON (b) a FROM plain', ['plain.a: output', 'plain.b: distinct']],
  [
    'SELECT a FROM plain INTERSECT SELECT id FROM kept',
    ['kept.id: derived set_operation', 'plain.a: derived set_operation'],
  ],
  ['SELECT a FROM plain UNION ALL SELECT id FROM kept', ['kept.id: derived', 'plain.a: derived']],
  [
    'SELECT rank() OVER (PARTITION BY a ORDER BY b) FROM plain',
    ['plain.a: derived window', 'plain.b: derived window'],
  ],
  ['SELECT 1 FROM plain WINDOW w AS (ORDER BY c)', ['plain.c: window']],
  ['SELECT 1 FROM plain LIMIT (SELECT max(id) FROM kept)', ['kept.id: limit']],
  ['SELECT generate_series(1, a) FROM plain', ['plain.a: derived limit partial']],
  [
    'SELECT count(*) FILTER (WHERE a > 1), string_agg(b, c ORDER BY c) FROM plain',
    ['plain.a: predicate', 'plain.b: derived partial', 'plain.c: derived sort partial'],
  ],
  [
    'SELECT b::int, a + 1, c::text FROM plain',
    ['plain.a: derived partial', 'plain.b: derived partial', 'plain.c: output'],
  ],
  ["SELECT CASE WHEN a = 1 THEN 'x' END FROM plain", ['plain.a: derived predicate']],
  ['SELECT pure_add(a, 1) FROM plain', ['plain.a: derived argument']],
  [
    'SELECT b === c FROM plain',
    ['plain.b: derived argument partial', 'plain.c: derived argument partial'],
  ],
  ['SELECT a = 1 FROM plain', ['plain.a: derived']],
  [
    'SELECT 1 FROM plain WHERE a IN (SELECT id FROM kept)',
    ['kept.id: predicate', 'plain.a: predicate'],
  ],
  [
    'SELECT 1 FROM plain WHERE EXISTS (SELECT value FROM kept WHERE id = a)',
    ['kept.id: predicate', 'plain.a: predicate'],
  ],
  [
    'UPDATE kept SET value = b FROM plain WHERE id = 1',
    ['kept.id: equality', 'kept.value: written_to', 'plain.b: written_from'],
  ],
  [
    'INSERT INTO kept (id) SELECT a FROM plain RETURNING value',
    ['kept.id: written_to', 'kept.value: output returned', 'plain.a: written_from'],
  ],
  [
    'DELETE FROM kept RETURNING upper(value)',
    ['kept.id: written_to', 'kept.value: derived returned written_to'],
  ],
  [
    'SELECT contact FROM v_customers',
    ['customers.email: output', 'customers_archive.email: output', 'v_customers.contact: output'],
  ],
  [
    'SELECT id FROM v_filtered WHERE id > 1',
    [
      'customers.email: predicate inside',
      'customers.id: output predicate',
      'customers_archive.email: predicate inside',
      'customers_archive.id: output predicate',
      'v_filtered.id: output predicate',
    ],
  ],
])('%s', (text, expected) => expect(roles(text)).toEqual([...expected].sort()))
