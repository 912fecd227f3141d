import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildBundle } from './bundle.ts'
import { connect, type Stage, startStage } from './stage.ts'

const rowsCount = 1_000_000
/** What a million rows of about 110 bytes each may take of the gate while nobody reads them. */
const growthBytesMax = 128 * 1024 * 1024

const masks = `package policies.masks
import data.postern.command
mask contains {"column": "public.big.email", "method": "partial"} if command.runs
`

let stage: Stage
const folder = mkdtempSync(join(tmpdir(), 'postern-slow-'))
beforeAll(async () => {
  const bundle = join(folder, 'masks.tar.gz')
  await buildBundle(bundle, { more: masks })
  stage = await startStage({ bundle })
  await stage.direct.query(
    `create table big as
     select i as id, 'user' || i || '@example.com' as email, repeat('x', 60) as padding
     from generate_series(1, ${rowsCount}) i`,
  )
})
afterAll(async () => {
  await stage.stop()
  rmSync(folder, { recursive: true })
})

/** Memory the gate's process has in use. */
function residentBytes(): number {
  const status = readFileSync(`/proc/${stage.pid()}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

/** The same once it has come to rest: what a process compiles when it starts takes more than all it relays. */
async function settledBytes(): Promise<number> {
  let last: number[] = []
  const rests = (): boolean => {
    last = [...last, residentBytes()].slice(-8)
    return last.length === 8 && Math.max(...last) - Math.min(...last) < 1024 * 1024
  }
  await expect.poll(rests, { interval: 250, timeout: 60_000 }).toBe(true)
  return residentBytes()
}

/** The server waits for the gate to take more. */
async function serverWaits(): Promise<boolean> {
  const { rows } = await stage.direct.query(
    "select 1 from pg_stat_activity where wait_event = 'ClientWrite' and query ilike '%from big%'",
  )
  return rows.length === 1
}

type Row = readonly [id: number, email: string, padding: string]

test('a client that does not read holds the server up, not the memory of the gate', async () => {
  const client = await connect(stage, 'alice')
  // The catalogue was read before the table was there.
  await client.query('select id, email from big where id = 7').catch(() => undefined)
  const seven = await client.query('select id, email from big where id = 7')
  expect(seven.rows).toEqual([{ id: 7, email: 'u***@example.com' }])
  const idle = await settledBytes()

  const config = { text: 'select id, email, padding from big order by id', rowMode: 'array' }
  const query = new pg.Query<Row>(config as never)
  let seen = 0
  let wrong = 0
  let highest = 0
  query.on('row', (row) => {
    const [id, email, padding] = row as unknown as Row
    seen += 1
    if (id !== seen || email !== 'u***@example.com' || padding.length !== 60) wrong += 1
    if (seen % 100_000 === 0) highest = Math.max(highest, residentBytes())
  })
  const ended = new Promise((resolve, reject) => query.on('end', resolve).on('error', reject))
  const { stream } = (client as unknown as { connection: { stream: NodeJS.ReadableStream } })
    .connection
  client.query(query)
  stream.pause()
  await expect.poll(serverWaits, { interval: 20, timeout: 60_000 }).toBe(true)
  expect(seen).toBeLessThan(rowsCount)
  expect(residentBytes() - idle).toBeLessThan(growthBytesMax)

  stream.resume()
  await ended
  expect({ seen, wrong }).toEqual({ seen: rowsCount, wrong: 0 })
  expect(highest - idle).toBeLessThan(growthBytesMax)
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await client.end()
}, 120_000)
