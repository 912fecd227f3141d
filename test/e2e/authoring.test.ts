/** What authors learn from the record of a gate that runs. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { project } from '../../deploy/demo/gate.ts'
import type { Coverage } from '../../pdp/authoring/coverage.ts'
import { buildBundle } from './bundle.ts'
import { connect, type Finished, postern, psql, type Stage, startStage } from './stage.ts'

const demo = join(project, 'bundles/demo')
const signed = ['--bundle', join(demo, 'demo.tar.gz'), '--key', join(demo, 'demo.pub.pem')]
const trusted = ['--key-id', 'demo', '--demo', '--opa', join(project, '.tools/opa')]

/** opa runs all tests of rego/, and may have to wait for the processor. */
const slowMs = 120_000

let stage: Stage
let record: string

beforeAll(async () => {
  stage = await startStage()
  record = join(stage.setup.folder, 'state/audit')
  await psql(stage, 'support-bot', 'select email from customers where id = 3;')
  await psql(stage, 'alice', 'drop table orders;')
  await approved('delete from orders where id = 903')
}, 60_000)
afterAll(() => stage.stop())

async function approved(sql: string): Promise<void> {
  const client = await connect(stage, 'alice')
  const hold = new Promise<string>((resolve) => {
    client.on('notice', ({ message = '' }) => {
      const id = /hold (\S+?)[),\s]/.exec(`${message} `)?.[1]
      if (id !== undefined) resolve(id)
    })
  })
  const answer = client.query(sql)
  await postern(stage, 'bob', 'holds', 'approve', await hold, '--note', 'order was a test')
  await answer
  await client.end()
}

async function decisionWith(text: string): Promise<string> {
  const asked = ['--kind', 'decision', '--text', text, '--json']
  const { stdout } = await postern(stage, 'bob', 'audit', 'search', ...asked)
  const [line = '{}'] = stdout.split('\n')
  const { decision_id: id = '' } = JSON.parse(line) as { readonly decision_id?: string }
  return id
}

async function explained(text: string, ...more: readonly string[]): Promise<Finished> {
  const done = await postern(stage, 'bob', 'explain', await decisionWith(text), ...more)
  expect(done.stderr).toBe('')
  expect(done.status).toBe(0)
  return done
}

test('a masked answer: who asked, what masked which column, which bundle decided', async () => {
  const { stdout } = await explained('select email', '--folder', record)
  expect(stdout).toMatch(/^who +support-bot \(agent; groups agents\)$/m)
  expect(stdout).toMatch(/^where +shop \(postgres\) env=production$/m)
  expect(stdout).toMatch(/^effect +allow$/m)
  expect(stdout).toMatch(
    /^allowed by policies\.readable, readable: everything this reads is readable$/m,
  )
  expect(stdout).toMatch(
    /^mask +public\.customers\.email: partial, by agent_masks; as a filter: allow$/m,
  )
  expect(stdout).toMatch(/^limit +rows 1000, then truncate(, by bulk_export)?$/m)
  expect(stdout).toMatch(/^quota +agent_commands: 120 commands per subject in 60 s$/m)
  expect(stdout).toMatch(/^bundle +postern, revision demo-\w+$/m)
  expect(stdout).toMatch(/^cached +(yes|no, [\d.]+ µs)$/m)
  expect(stdout).toMatch(/^outcome +.*rows 1/m)
})

test('a denial names the rule that made it', async () => {
  const { stdout } = await explained('drop table', '--folder', record)
  expect(stdout).toMatch(/^effect +deny$/m)
  expect(stdout).toMatch(/^denied by +policies\.production_schema, /m)
})

test('a hold, asked of the running gate: who approved, and what happened then', async () => {
  const { stdout } = await explained('delete orders 903', '--server', server())
  expect(stdout).toMatch(/^held by +policies\.production_writes, production_write: /m)
  expect(stdout).toMatch(/^hold +1 of data-owners; bound to exact; 900 s$/m)
  expect(stdout).toMatch(/state approved, reviewer bob, verdict approve, note order was a test/)
  expect(stdout).toMatch(/again hold; approval: hold \S+, by bob/)
  expect(stdout).toMatch(/^outcome +.*rows 1/m)
})

test('the same bundle answers the same, and shows who was not counted', async () => {
  const { stdout } = await explained('delete orders 903', '--folder', record, ...signed, ...trusted)
  expect(stdout).toMatch(/Asked again: revision demo-\w+, the one that decided\n/)
  expect(stdout).toMatch(/^answer +hold, as on record$/m)
  expect(stdout).toMatch(/^counted +policies\.production_writes: hold production_write$/m)
  expect(stdout).toMatch(/^also said +policies\.production_writes: allow may_write$/m)
})

test(
  'another bundle says what it would do instead',
  async () => {
    const other = join(stage.setup.folder, 'other.tar.gz')
    await buildBundle(other, { revision: 'other' })
    const bundle = ['--bundle', other, '--key', join(demo, 'demo.pub.pem')]
    const asked = ['--folder', record, ...bundle, ...trusted]
    const { stdout } = await explained('delete orders 903', ...asked)
    expect(stdout).toContain('Asked again: revision other, another than decided\n')
    expect(stdout).toMatch(/^weaker +effect hold to allow$/m)
    const machines = await explained('delete orders 903', ...asked, '--json')
    expect(JSON.parse(machines.stdout)).toMatchObject({
      again: { same_revision: false, revision: 'other', decision: { effect: 'allow' } },
    })
  },
  slowMs,
)

test.each([
  [['explain'], 2, 'which decision?'],
  [['explain', 'nobody-knows', '--folder', 'record'], 1, 'nobody-knows is not on record'],
  [['explain', 'x', '--folder', '/nowhere'], 1, '/nowhere holds no record'],
])('%j: %i and why', async (words, status, why) => {
  const done = await postern(
    stage,
    'bob',
    ...words.map((word) => (word === 'record' ? record : word)),
  )
  expect(done).toMatchObject({ status, stdout: '' })
  expect(done.stderr).toContain(why)
})

test(
  'coverage tells what production never asked for',
  async () => {
    const from = ['--from', record, '--tests', join(project, 'rego')]
    const opa = ['--opa', join(project, '.tools/opa')]
    const done = await postern(stage, 'bob', 'coverage', ...from, ...opa, '--json')
    expect(done.stderr).toBe('')
    const { rules, ...found } = JSON.parse(done.stdout) as Coverage
    const fired = (policy: string, set: string) =>
      rules.filter((rule) => rule.policy === policy && rule.set === set)
    // Two rules of one set are told apart; an allow counts beside the hold that the record shows alone.
    expect(fired('bulk_export', 'limit').every((rule) => rule.in_production > 0)).toBe(true)
    expect(fired('production_writes', 'allow')[0]?.in_production).toBeGreaterThan(0)
    expect(fired('break_glass', 'allow')).toMatchObject([{ in_production: 0, in_tests: true }])
    expect(found).toMatchObject({ failed: 0, tests_percent: 100, either_percent: 100 })
    expect(found.production_percent).toBeLessThan(100)
  },
  slowMs,
)

test('what was asked in production can be asked again with something missing', async () => {
  const asked = ['check', '--mutate', '--from', record, ...signed, ...trusted.slice(0, 3)]
  const done = await postern(stage, 'bob', ...asked)
  expect(done.stderr).toBe('')
  expect(done.stdout).toContain('Nothing got weaker.')
  expect(done.status).toBe(0)
})

function server(): string {
  return `http://127.0.0.1:${stage.setup.ports.server}`
}
