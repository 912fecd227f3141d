import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Mutated } from '../../../pdp/authoring/mutation.ts'
import { alice, ask, customers, deleteOrder, questions, robot, sql } from '../../rego/questions.ts'
import { postern, project, scratch } from './kit.ts'

const slowMs = 60_000
const demo = ['--bundle', 'bundles/demo/demo.tar.gz', '--key', 'bundles/demo/demo.pub.pem']
const signed = [...demo, '--key-id', 'demo', '--demo']

function written(value: unknown): string {
  const file = join(scratch(), 'inputs.json')
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value))
  return file
}

/** The library with one policy. */
function source(policy: string): string {
  const folder = scratch()
  cpSync(join(project, 'rego/postern'), join(folder, 'postern'), { recursive: true })
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'policies/own.rego'), policy)
  return folder
}

test(
  'the signed demo bundle decides nothing weaker for what is absent',
  async () => {
    const done = await postern('check', '--mutate', ...signed, '--inputs', written(questions))
    expect(done.stderr).toBe('')
    expect(done.stdout).toMatch(/^\d+ questions \(\d+ allowed, \d+ held, \d+ denied\), \d+ times/)
    expect(done.stdout).toContain('Nothing got weaker.\n')
    expect(done.status).toBe(0)
  },
  slowMs,
)

const reads = 'allow contains {"code": "anything"}\n'

test.each([
  [
    'a denial that rests on a key',
    `package policies.own\n\n${reads}\ndeny contains {"code": "no_where"} if input.action.sql.has_where\n`,
    ask(alice, deleteOrder),
    {
      without: 'action.sql.has_where',
      policies: ['own'],
      changes: ['effect deny to allow'],
      before: 'deny',
      after: 'allow',
    },
  ],
  [
    'a permission that rests on absence',
    'package policies.own\n\nallow contains {"code": "unlocked"} if not input.action.sql.locking\n',
    ask(alice, sql('select', ['read'], [customers], {}, { locking: true })),
    { without: 'action.sql.locking', policies: ['own'], changes: ['effect deny to allow'] },
  ],
  [
    'a mask that rests on a key',
    `package policies.own\n\n${reads}\nmask contains {"column": "public.customers.email", "method": "null"} if input.action.text\n`,
    { ...ask(robot, sql('select', ['read'], [customers], { text: 'select 1' })) },
    {
      without: 'action.text',
      policies: ['own'],
      changes: ['mask dropped: public.customers.email'],
    },
  ],
  [
    'a hold that rests on a key',
    `package policies.own\n\n${reads}\nhold contains {"approvers": ["owners"]} if input.action.sql.has_where\n`,
    ask(alice, deleteOrder),
    { without: 'action.sql.has_where', changes: ['effect hold to allow'], policies: ['own'] },
  ],
])(
  '%s is found, with its key and its policy',
  async (_, policy, input, weakness) => {
    const asked = ['--source', source(policy), '--inputs', written({ mine: input })]
    const done = await postern('check', '--mutate', ...asked, '--json')
    expect(done.stderr).toBe('')
    const found = JSON.parse(done.stdout) as Mutated
    const one = found.weaknesses.find(({ without }) => without === weakness.without)
    expect(one).toMatchObject({ question: 'mine', ...weakness })
    expect(done.status).toBe(1)
    const shown = await postern('check', '--mutate', ...asked)
    expect(shown.stdout).toContain(`mine, without ${weakness.without}: `)
    expect(shown.stdout).toContain('  look at: own\n')
  },
  slowMs,
)

test(
  'questions come in every form there is, and none proves nothing',
  async () => {
    const one = ask(alice, deleteOrder)
    for (const [value, count] of [
      [one, 1],
      [[one, one], 2],
      [`${JSON.stringify(one)}\n${JSON.stringify(one)}\n`, 2],
    ] as const) {
      const done = await postern('check', '--mutate', ...signed, '--inputs', written(value))
      expect(done.stdout).toMatch(new RegExp(`^${count} questions`))
    }
    const none = await postern('check', '--mutate', ...signed, '--inputs', written([]))
    expect(none).toMatchObject({ status: 1, stdout: '' })
    expect(none.stderr).toContain('there are no questions')
    const text = await postern('check', '--mutate', ...signed, '--inputs', written('nonsense'))
    expect(text.stderr).toContain('neither JSON nor JSON lines')
    expect((await postern('check', '--mutate', ...signed)).status).toBe(2)
    const asked = ['--source', 'rego', '--inputs', written(one)]
    const both = await postern('check', '--mutate', ...signed, ...asked)
    expect(both.status).toBe(2)
    expect((await postern('check', '--mutate', '--help')).stdout).toContain('--inputs FILE')
  },
  slowMs,
)
