/** What it costs to understand one statement: parse, facts and lineage, the text that runs, the decision; and all of it cached. */
import pg from 'pg'
import { certificates } from '../deploy/demo/certificates.ts'
import { freePort } from '../deploy/demo/ports.ts'
import { startPostgres } from '../deploy/demo/postgres.ts'
import type { Command, Session } from '../pdp/contract.ts'
import { engine } from '../pdp/engine/engine.ts'
import { type Catalogue, loadCatalogue } from '../sidecars/postgres/catalogue.ts'
import { toRun } from '../sidecars/postgres/outgoing.ts'
import { tracker } from '../sidecars/postgres/path/tracker.ts'
import { parse } from '../sidecars/postgres/read/parser.ts'
import { reader } from '../sidecars/postgres/reader.ts'
import { state } from '../sidecars/postgres/state.ts'
import { read, ready } from '../sidecars/postgres/statement.ts'
import { built } from './decide.ts'
import { alice, put } from './questions.ts'

/** Each with a number in it, so that no two are the same text. */
const typical: Readonly<Record<string, (index: number) => string>> = {
  'select by key': (n) => `SELECT id, item, amount FROM orders WHERE id = ${n}`,
  'join, aggregate': (n) =>
    `SELECT c.city, count(*) AS n, sum(o.amount) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.ordered_at > '2024-01-01' AND o.id > ${n} GROUP BY c.city ORDER BY n DESC LIMIT 10`,
  insert: (n) =>
    `INSERT INTO orders (id, customer_id, item, amount, ordered_at) VALUES (${n}, 1, 'book', 12.5, '2024-01-01') RETURNING id`,
  update: (n) => `UPDATE orders SET item = 'pen', amount = amount + 1 WHERE id = ${n}`,
  'ORM, 12 columns': (n) =>
    `SELECT "o"."id" AS "o_id", "o"."customer_id" AS "o_customer", "o"."item" AS "o_item", "o"."amount" AS "o_amount", "o"."ordered_at" AS "o_at", "c"."id" AS "c_id", "c"."name" AS "c_name", "c"."email" AS "c_email", "c"."card_number" AS "c_card", "c"."ssn" AS "c_ssn", "c"."phone" AS "c_phone", "c"."city" AS "c_city" FROM "public"."orders" "o" LEFT JOIN "public"."customers" "c" ON "c"."id" = "o"."customer_id" WHERE ("o"."customer_id" = $1 AND 1 = ${n}) ORDER BY "o"."id" ASC LIMIT $2 OFFSET $3`,
  'psql \\d, columns': (n) =>
    `SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull, (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation, a.attidentity, a.attgenerated FROM pg_catalog.pg_attribute a WHERE a.attrelid = '${n}' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
}

const rounds = 5
const timesPerRound = 1_000
/** Of the same text, several at once: a clock read costs as much as one. */
const cachedPerTime = 20

type Work = (text: string) => unknown

/** Measures in interleaved rounds and prints a table. */
export async function statements(): Promise<void> {
  const catalogue = await shop()
  await ready
  const works = await worksOn(catalogue)
  const names = Object.keys(works)
  line('\nOne statement, microseconds p50 (uncached but for the last column)')
  line(['statement'.padEnd(18), ...names.map((name) => name.padStart(18))].join(''))
  for (const [name, make] of Object.entries(typical)) {
    const cells = names.map((work) => (works[work] ? p50(works[work], make, work) : 0))
    line([name.padEnd(18), ...cells.map((us) => us.toFixed(1).padStart(18))].join(''))
  }
}

async function worksOn(catalogue: Catalogue): Promise<Readonly<Record<string, Work>>> {
  const none = () => undefined
  const scope = { catalogue, searchPath: ['public'], prepared: none, cursor: none }
  const decider = engine()
  await decider.activate(await built('../rego'))
  const decide = (command: Command): unknown => decider.evaluate(put(alice, command))
  const shared = {
    current: () => catalogue,
    refresh: async () => catalogue,
    latest: async () => catalogue,
    overdue: none,
    enter: () => () => undefined,
  }
  const path = tracker({ user: 'app', start: ['public'], current: ['public'] })
  const session = state({} as Session, shared, path, async () => undefined)
  const cached = reader(toRun)
  return {
    parse,
    'facts, lineage': (text) => read(text, scope),
    '+ text that runs': (text) => toRun(text, scope),
    '+ decision': (text) => toRun(text, scope).map(({ command }) => decide(command)),
    cached: (text) => cached(text, session),
  }
}

function p50(work: Work, make: (index: number) => string, name: string): number {
  const known = name === 'cached'
  const spent: number[] = []
  let index = 0
  for (let round = -1; round < rounds; round += 1) {
    for (let time = 0; time < timesPerRound; time += 1) {
      const text = make(known ? 0 : ++index)
      const startMs = performance.now()
      for (let again = 0; again < (known ? cachedPerTime : 1); again += 1) work(text)
      const us = ((performance.now() - startMs) * 1000) / (known ? cachedPerTime : 1)
      if (round >= 0) spent.push(us)
    }
  }
  return spent.toSorted((a, b) => a - b)[Math.floor(spent.length / 2)] ?? 0
}

/** The catalogue of the demo's shop. */
export async function shop(): Promise<Catalogue> {
  const { server } = await certificates()
  const postgres = await startPostgres(await freePort(), server)
  try {
    const { port, owner: user, password } = postgres
    const ssl = { rejectUnauthorized: false }
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'shop', ssl })
    await client.connect()
    const types = { getTypeParser: () => (value: unknown) => value }
    const found = await loadCatalogue(async (text) => {
      const { rows } = await client.query({ text, rowMode: 'array', types } as never)
      return rows as unknown as (string | null)[][]
    })
    await client.end()
    return found
  } finally {
    await postgres.stop()
  }
}

function line(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (import.meta.main) await statements()
