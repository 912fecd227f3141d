import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from '../../../../sidecars/postgres/read/parser.ts'
import { type Client, direct, errorOf } from '../../../noninterference/client.ts'
import { generator } from '../../../noninterference/generator.ts'
import { relationsOf } from '../../../noninterference/relations.ts'
import { type Ground, ground, rewriteText, sealing, type Variant } from './kit.ts'

/** Statements tried; `REWRITE_CASES` runs more of them, `REWRITE_SEED` others. */
const count = Number(process.env['REWRITE_CASES'] ?? 400)
const seed = Number(process.env['REWRITE_SEED'] ?? 1)

const extra = new URL('../../../noninterference/extra.sql', import.meta.url)

let here: Ground
const clients: Client[] = []
beforeAll(async () => {
  here = await ground(`${readFileSync(extra, 'utf8')};\nrefresh materialized view mv_emails`)
}, 60_000)
afterAll(async () => {
  for (const client of clients) client.close()
  await here.stop()
})

async function connect(database: Variant): Promise<Client> {
  const { port, superuser } = here.server
  const client = await direct({ port, ...superuser, database })
  clients.push(client)
  await client.say("set statement_timeout = '5s'; set default_transaction_read_only = on")
  return client
}

/** What depends on the order of rows, and functions of the schema, which only the role holds back. */
const ordered =
  /limit|offset|fetch|over|distinct on|agg\(|row_number|rank|v_top|ctid|pg_|random|xml|explain|ordinality|\[1\]|get_|find_|export_|first_row|std_body|run_sql|label\(|leak|===|lower\(/i

const rowsOf = (frames: readonly Buffer[]): readonly string[] =>
  frames
    .filter((frame) => frame[0] === 0x44)
    .map((frame) => frame.toString('latin1', 5))
    .sort()

test(`${count} random statements answer the same on A, on B, and what they would on constants (seed ${seed})`, async () => {
  const [a, b, masked] = [
    await connect('demo_a'),
    await connect('demo_b'),
    await connect('demo_masked'),
  ]
  const next = generator(seed, await relationsOf(a))
  let compared = 0
  for (let done = 0; done < count; done += 1) {
    const { texts, writes } = next()
    const [text = '', ...others] = texts
    if (writes || others.length > 0) continue
    const made = rewritten(text)
    if (made === undefined) continue
    // Without an order rows come as they lie, and an error is any of several.
    if (ordered.test(text)) continue
    const [answer, other, truth] = [await a.say(made), await b.say(made), await masked.say(text)]
    if ([answer, other, truth].some((one) => errorOf(one) !== undefined)) continue
    compared += 1
    expect(rowsOf(answer), made).toEqual(rowsOf(other))
    expect(rowsOf(answer), text).toEqual(rowsOf(truth))
  }
  expect(compared).toBeGreaterThan(count / 10)
}, 120_000)

/** Undefined for what is refused: only what runs must be true. */
function rewritten(text: string): string | undefined {
  if (parse(text).statements?.length !== 1) return undefined
  try {
    return rewriteText(text, sealing(here))
  } catch {
    return undefined
  }
}
