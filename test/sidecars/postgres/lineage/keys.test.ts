import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lineage, lineage, used } from './kit.ts'

const extra = `
CREATE TABLE pairs (a int, b int, c text, d text, PRIMARY KEY (a, b));
CREATE TABLE maybe (a int UNIQUE, b text);
CREATE TABLE surely (a int NOT NULL UNIQUE, b text);
CREATE TABLE partly (a int NOT NULL, b text);
CREATE UNIQUE INDEX ON partly (a) WHERE b <> '';
CREATE VIEW v_secrets AS SELECT * FROM secrets;
`

let db: Lineage
beforeAll(async () => {
  db = await lineage(extra)
})
afterAll(() => db.stop())

test.each<[string, readonly string[]]>([
  ['SELECT id, value FROM secrets GROUP BY id, value', ['secrets.id']],
  ['SELECT 1 FROM secrets s GROUP BY s.value, s.name, s.id', ['secrets.id']],
  ['SELECT 1 FROM public.secrets GROUP BY public.secrets.id, secrets.value', ['secrets.id']],
  ['SELECT 1 FROM secrets GROUP BY value', ['secrets.value']],
  ['SELECT 1 FROM secrets GROUP BY name, value', ['secrets.name', 'secrets.value']],
  [
    'SELECT count(o.id) FROM secrets s LEFT JOIN orders o ON o.customer_id = s.id GROUP BY s.id, s.value',
    ['secrets.id'],
  ],
  // Another row of the same table.
  [
    'SELECT 1 FROM secrets s JOIN secrets t ON true GROUP BY s.id, t.value',
    ['secrets.id', 'secrets.value'],
  ],
  ['SELECT 1 FROM secrets GROUP BY ROLLUP (value, id)', ['secrets.id', 'secrets.value']],
  ['SELECT 1 FROM secrets GROUP BY id, ROLLUP (value)', ['secrets.id', 'secrets.value']],
  ['SELECT 1 FROM secrets GROUP BY id, lower(value)', ['secrets.id', 'secrets.value']],
  ['SELECT 1 FROM secrets GROUP BY id + 0, value', ['secrets.id', 'secrets.value']],
  // Rows of children have keys of their own.
  ['SELECT 1 FROM customers GROUP BY id, email', ['customers.email', 'customers.id']],
  [
    'SELECT 1 FROM v_secrets GROUP BY id, value',
    ['secrets.id', 'secrets.value', 'v_secrets.id', 'v_secrets.value'],
  ],
  ['SELECT 1 FROM pairs GROUP BY a, b, c, d', ['pairs.a', 'pairs.b']],
  ['SELECT 1 FROM pairs GROUP BY a, c', ['pairs.a', 'pairs.c']],
  ['SELECT 1 FROM maybe GROUP BY a, b', ['maybe.a', 'maybe.b']],
  ['SELECT 1 FROM surely GROUP BY a, b', ['surely.a']],
  ['SELECT 1 FROM partly GROUP BY a, b', ['partly.a', 'partly.b']],
  ['SELECT 1 FROM secrets AS s (a, b, c) GROUP BY a, c', ['secrets.id']],
])('%s', (text, expected) => {
  const read = db.read(text)
  expect(read.command.incomplete).toBeUndefined()
  expect(used(read, 'group')).toEqual(expected)
})
