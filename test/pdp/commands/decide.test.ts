import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  alice,
  ask,
  deleteOrder,
  robot,
  selectCustomers,
  sql,
  table,
} from '../../rego/questions.ts'
import { type Finished, postern, project, scratch } from '../authoring/kit.ts'

const signed = [
  ...['--bundle', 'bundles/demo/demo.tar.gz', '--key', 'bundles/demo/demo.pub.pem'],
  ...['--key-id', 'demo', '--demo'],
]

function decide(input: unknown, ...more: readonly string[]): Promise<Finished> {
  const file = join(scratch(), 'input.json')
  writeFileSync(file, typeof input === 'string' ? input : JSON.stringify(input))
  return postern('decide', ...signed, '--input', file, ...more)
}

test('an answer comes with its reasons, and everything it asks for', async () => {
  const { stdout, stderr, status } = await decide(ask(robot, selectCustomers))
  expect(stderr).toBe('')
  expect(stdout).toMatch(
    /^effect {3}allow\nbecause {2}everything this reads is readable \(readable, readable\)\n/,
  )
  expect(stdout).toMatch(/^mask +\{.*"rule":"agent_masks".*\}$/m)
  expect(stdout).toMatch(/^limit +\{.*"metric":"rows".*\}$/m)
  expect(stdout).toMatch(/^quota +\{.*"name":"agent_commands".*\}$/m)
  expect(stdout).toMatch(/^must +\{.*"name":"profile".*\}$/m)
  expect(status).toBe(0)
})

test('machines get the decision and the bundle; a hold has its terms', async () => {
  const { stdout } = await decide(ask(alice, deleteOrder), '--json')
  expect(JSON.parse(stdout)).toMatchObject({
    decision: { effect: 'hold', hold: { approvers: ['data-owners'] } },
    bundle: { revision: expect.stringMatching(/^demo-/) },
  })
})

const payment = sql(
  'update',
  ['read', 'write'],
  [table('public.payments', 'write', ['amount'])],
  { predicates: ['public.payments.id'] },
  { has_where: true },
)

test.each([
  ['2027-03-31T12:00:00Z', 'hold'],
  ['2027-03-31T23:00:00Z', 'deny'],
])('at %s the answer to a change of payments is %s', async (at, effect) => {
  const { stdout } = await decide(ask(alice, payment), '--at', at)
  expect(stdout).toMatch(new RegExp(`^effect +${effect}\n`))
})

test('the question may come from standard input', async () => {
  const words = ['decide', ...signed, '--input', '-']
  const said = await new Promise<string>((done) => {
    const child = execFile(
      process.execPath,
      ['main.ts', ...words],
      { cwd: project },
      (_, stdout, stderr) => done(stdout + stderr),
    )
    child.stdin?.end(JSON.stringify(ask(alice, deleteOrder)))
  })
  expect(said).toMatch(/^effect +hold\n/)
})

test.each([
  ['nonsense', [], 1, 'is not JSON'],
  ['{}', [], 0, ''],
  ['{}', ['--at', 'noon'], 2, '--at is a time'],
] as const)('%s %j: %i %s', async (input, more, status, why) => {
  const done = await decide(input, ...more)
  expect(done.status).toBe(status)
  expect(done.stderr).toContain(why)
  // What is no question is denied, as a gate would.
  if (status === 0) expect(done.stdout).toMatch(/^effect +deny\n/)
})
