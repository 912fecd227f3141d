import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { project } from '../../deploy/demo/gate.ts'
import type { Impact } from '../../pdp/impact/report.ts'
import type { ShadowStatus } from '../../pdp/shadow/shadow.ts'
import { buildBundle } from './bundle.ts'
import { connect, type Finished, postern, run, type Stage, startStage } from './stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-impact-'))
const active = join(folder, 'active.tar.gz')
const next = join(folder, 'next.tar.gz')
const noDeletes =
  'package policies.more\n\ndeny contains {"code": "no_deletes", "message": "nobody deletes"} if "delete" in input.action.effects\n'
const noInserts =
  'package policies.more\n\ndeny contains {"code": "no_inserts", "message": "nobody inserts"} if input.action.name == "insert"\n'
let stage: Stage

beforeAll(async () => {
  await buildBundle(active, { revision: 'active', more: noDeletes })
  await buildBundle(next, { revision: 'next', more: noInserts })
  stage = await startStage({ bundle: active, shadow: next })
  const client = await connect(stage, 'alice')
  await client.query('create table parcels (id int)')
  await client.query('insert into parcels values (1)')
  await expect(client.query('delete from parcels')).rejects.toMatchObject({ code: '42501' })
  await expect(client.query('delete from parcels')).rejects.toMatchObject({ code: '42501' })
  await client.query('select * from parcels')
  await client.end()
}, 60_000)
afterAll(async () => {
  await stage.stop()
  rmSync(folder, { recursive: true })
})

function impact(...args: readonly string[]): Promise<Finished> {
  const key = join(project, 'bundles/demo/demo.pub.pem')
  const record = join(stage.setup.folder, 'state/audit')
  return run(process.execPath, [
    ...[join(project, 'main.ts'), 'impact', '--from', record, '--bundle', next],
    ...['--key', key, '--key-id', 'demo', '--demo', ...args],
  ])
}

test('a candidate that weakens what happened fails CI, and says where', async () => {
  const done = await impact()
  expect(done.stderr).toBe('')
  expect(done.status).toBe(1)
  expect(done.stdout).toMatch(
    /^Candidate: revision next\. \d+ decisions replayed: \d+ the same, 2 weaker, 1 stronger, 0 other, 0 failed/,
  )
  expect(done.stdout).toMatch(
    /Weaker, and not acknowledged\n +2 {2}shop: effect deny to allow\n +more -> anything\n/,
  )
  expect(done.stdout).toContain('alice: delete from parcels')
  expect(done.stdout).toContain('1 kind of weakening needs a person')
})

test('machines and pull requests get the same', async () => {
  const { stdout } = await impact('--json')
  const found = JSON.parse(stdout) as Impact
  expect(found).toMatchObject({ ok: false, weaker: 2, stronger: 1, bundle: { revision: 'next' } })
  expect(found.review.open).toMatchObject([{ change: 'effect deny to allow', count: 2 }])
  const markdown = await impact('--markdown')
  expect(markdown.stdout).toContain('## Policy impact: needs a look')
  expect(markdown.stdout).toMatch(/\| 2 \| shop \| effect deny to allow \| more → anything \|/)
  expect(markdown.stdout).not.toContain('delete from parcels')
})

test('an acknowledged weakening may go ahead', async () => {
  const entries = await impact('--acknowledgements')
  const file = join(folder, 'impact.yaml')
  writeFileSync(file, entries.stdout)
  const unsigned = await impact('--acknowledged', file)
  expect(unsigned.stderr).toContain('acknowledged.0.because: give a text')
  writeFileSync(file, entries.stdout.replace('because: ""', 'because: "retention job, reviewed"'))
  const done = await impact('--acknowledged', file)
  expect(done.stdout).toContain('The candidate may go ahead.')
  expect(done.status).toBe(0)
})

test('a stretch without decisions proves nothing', async () => {
  const done = await impact('--before', '2020-01-01')
  expect(done.stdout).toContain('Nothing was replayed')
  expect(done.status).toBe(1)
})

test.each([
  [['--since', 'yesterday'], 2, '--since is a time'],
  [['--from', '/nowhere'], 1, '/nowhere: there is no such file or folder'],
  [['--acknowledged', '/nowhere'], 1, '/nowhere: there is no such file'],
  [['--fast'], 2, "'--fast'"],
] as const)('%j ends with %i and the reason', async (args, status, why) => {
  const done = await impact(...args)
  expect(done.status).toBe(status)
  expect(done.stderr).toContain(why)
})

test('the candidate beside the active bundle tells the same of a running gate, and changed nothing', async () => {
  const client = await connect(stage, 'alice')
  await expect
    .poll(
      async () => {
        await client.query('insert into parcels values (2)')
        await client.query('delete from parcels').catch(() => undefined)
        const { stdout } = await postern(stage, 'bob', 'shadow', '--json')
        const { report } = JSON.parse(stdout) as ShadowStatus
        return (report?.weaker ?? 0) > 0 && (report?.stronger ?? 0) > 0
      },
      { timeout: 20_000, interval: 200 },
    )
    .toBe(true)
  const { rows } = await client.query<{ n: string }>('select count(*) as n from parcels')
  expect(Number(rows[0]?.n)).toBeGreaterThan(1)
  await client.end()
  const shown = await postern(stage, 'bob', 'shadow')
  expect(shown.stdout).toMatch(/^Candidate next since 20/)
  expect(shown.stdout).toContain('shop: effect deny to allow')
  const status = await postern(stage, 'bob', 'status')
  expect(JSON.parse(status.stdout)).toMatchObject({
    bundle: { active_revision: 'active' },
    shadow: { name: 'postern-shadow', active_revision: 'next' },
  })
  const numbers = await fetch(`http://127.0.0.1:${stage.setup.ports.server}/metrics`)
  expect(await numbers.text()).toMatch(
    /postern_shadow_decisions_total\{difference="weaker"\} [1-9]/,
  )
  expect(readFileSync(join(stage.setup.folder, 'gate.log'), 'utf8')).not.toContain('shadow failed')
})
