import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildBundle } from './bundle.ts'
import { connect, postern, type Stage, startStage } from './stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-swap-'))
const bundle = join(folder, 'active.tar.gz')
let stage: Stage
beforeAll(async () => {
  await buildBundle(bundle, { revision: 'rev-0' })
  stage = await startStage({ bundle, more: 'limits: { sessions_max: 50 }\n' })
})
afterAll(async () => {
  await stage.stop()
  rmSync(folder, { recursive: true })
})

/** As a careful operator replaces a file: complete, then in one step. */
function publish(from: string): void {
  copyFileSync(from, `${bundle}.next`)
  renameSync(`${bundle}.next`, bundle)
}

type Status = { readonly bundle: { readonly active_revision?: string; readonly message?: string } }

async function status(): Promise<Status> {
  const done = await postern(stage, 'bob', 'status')
  expect(done.stderr).toBe('')
  return JSON.parse(done.stdout) as Status
}

test('bundles are swapped under load between two decisions, and no query is lost', {
  timeout: 60_000,
}, async () => {
  const no = (what: string): string =>
    `package policies.more\n\ndeny contains {"code": "${what}"} if input.action.sql.marker\n`
  const bundles: string[] = []
  for (const revision of ['rev-1', 'rev-2', 'rev-3']) {
    const file = join(folder, `${revision}.tar.gz`)
    await buildBundle(file, { revision, more: no(revision.replace('-', '_')) })
    bundles.push(file)
  }
  let running = true
  let asked = 0
  let answered = 0
  const clients = await Promise.all([1, 2, 3, 4].map(() => connect(stage, 'alice')))
  const load = clients.map(async (client) => {
    while (running) {
      asked += 1
      const { rows } = await client.query(`select ${asked} as n`)
      if (rows.length === 1) answered += 1
    }
  })
  for (const [index, file] of bundles.entries()) {
    publish(file)
    await expect
      .poll(async () => (await status()).bundle.active_revision, { timeout: 15_000, interval: 100 })
      .toBe(`rev-${index + 1}`)
  }
  running = false
  await Promise.all(load)
  for (const client of clients) await client.end()
  expect(answered).toBe(asked)
  expect(answered).toBeGreaterThan(50)
})

test('a bundle that does not verify changes nothing, and the reason is in the status', async () => {
  const before = (await status()).bundle.active_revision
  writeFileSync(`${bundle}.next`, 'this is no bundle')
  renameSync(`${bundle}.next`, bundle)
  await expect
    .poll(async () => (await status()).bundle.message ?? '', { timeout: 15_000, interval: 100 })
    .not.toBe('')
  expect((await status()).bundle.active_revision).toBe(before)
  const client = await connect(stage, 'alice')
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await client.end()
})

test('after a restart without a source the last good bundle decides', async () => {
  const before = (await status()).bundle.active_revision
  rmSync(bundle)
  await stage.restart()
  expect((await status()).bundle.active_revision).toBe(before)
  const client = await connect(stage, 'alice')
  await expect(client.query('drop table orders')).rejects.toMatchObject({ code: '42501' })
  await client.end()
})
