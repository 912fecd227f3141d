import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Coverage } from '../../../pdp/authoring/coverage.ts'
import type { Input } from '../../../pdp/contract.ts'
import { alice, ask, customers, deleteOrder, robot, sql } from '../../rego/questions.ts'
import { postern, project, scratch } from './kit.ts'

const slowMs = 60_000

const policy = `package policies.shop

allow contains {"code": "reads"} if input.action.name == "select"

allow contains {"code": "deletes"} if input.action.name == "delete"

hold contains {"code": "asks", "approvers": ["owners"]} if "delete" in input.action.effects

limit contains {"metric": "rows", "max": 10, "on_exceed": "truncate"} if input.subject.type == "agent"

limit contains {"metric": "rows", "max": 99, "on_exceed": "deny"} if input.subject.type == "human"

mask contains {"column": column, "method": "null"} if {
	some column in ["a.b.c"]
	input.subject.type == "agent"
}

deny contains {"code": "never"} if input.action.name == "nothing"

deny contains {"code": "tested"} if input.action.name == "tested"
`
const tests = `package tests.shop

import data.policies.shop

test_denies if some said in shop.deny with input as {"action": {"name": "tested", "effects": []}}
`

/** A folder of policies, and a record with these questions. */
function made(questions: readonly Input[]): readonly string[] {
  const folder = scratch()
  cpSync(join(project, 'rego/postern'), join(folder, 'rego/postern'), {
    recursive: true,
    filter: (file) => !file.endsWith('_test.rego'),
  })
  mkdirSync(join(folder, 'rego/policies'))
  writeFileSync(join(folder, 'rego/policies/shop.rego'), policy)
  writeFileSync(join(folder, 'rego/policies/shop_test.rego'), tests)
  const file = join(folder, 'record.jsonl')
  writeFileSync(file, questions.map((input, at) => `${line(input, at)}\n`).join(''))
  return ['--from', file, '--tests', join(folder, 'rego')]
}

function line(input: Input, at: number): string {
  const reasons = [{ rule: 'older', code: 'gone', message: 'an older bundle' }]
  const none = { masks: [], limits: [], quotas: [], obligations: [] }
  return JSON.stringify({
    kind: 'decision',
    decision_id: `d${at}`,
    timestamp: '2026-06-01T12:00:00Z',
    path: 'postern/decision',
    input,
    result: { effect: 'allow', reasons, ...none },
    bundles: { postern: { revision: 'older' } },
  })
}

const read = sql('select', ['read'], [customers])

test(
  'each rule is counted by itself, in production and in tests',
  async () => {
    const from = made([ask(robot, read), ask(alice, deleteOrder), ask(robot, read)])
    const done = await postern('coverage', ...from, '--json')
    expect(done.stderr).toBe('')
    const found = JSON.parse(done.stdout) as Coverage
    const rows = found.rules.map(
      ({ row, set, name = '', in_production: count, in_tests: tested }) =>
        [row, set, name, count, tested].join(' '),
    )
    expect(rows).toEqual([
      '3 allow reads 2 false',
      '5 allow deletes 1 false',
      '7 hold asks 1 false',
      '9 limit rows 2 false',
      '11 limit rows 1 false',
      '13 mask  2 false',
      '18 deny never 0 false',
      '20 deny tested 0 true',
    ])
    expect(found).toMatchObject({ decisions: 3, failed: 0 })
    expect(found).toMatchObject({
      production_percent: 75,
      tests_percent: 12.5,
      either_percent: 87.5,
    })
  },
  slowMs,
)

test(
  'what never fired is listed, and too much of it fails',
  async () => {
    const from = made([ask(alice, deleteOrder)])
    const done = await postern('coverage', ...from, '--threshold', '60')
    expect(done.stdout).toMatch(
      /^8 rules, 1 decisions: 37\.5 % fired in production, 12\.5 % in tests, /,
    )
    expect(done.stdout).toMatch(
      /Never fired at all\n {2}policies\/shop\.rego:3: policies\.shop allow reads\n/,
    )
    expect(done.stdout).toContain('policies.shop mask (named by the question)\n')
    expect(done.stdout).toMatch(
      /Never in tests\n {2}policies\/shop\.rego:5: policies\.shop allow deletes, 1 times/,
    )
    expect(done.stdout).toMatch(
      /Never in production\n {2}policies\/shop\.rego:20: policies\.shop deny tested\n/,
    )
    expect(done.stderr).toBe('50 % of the rules fired, 60 % are wanted\n')
    expect(done.status).toBe(1)
    expect((await postern('coverage', ...from, '--threshold', '50')).status).toBe(0)
    expect((await postern('coverage', ...from, '--threshold', 'most')).status).toBe(2)
    expect((await postern('coverage')).status).toBe(2)
    expect((await postern('coverage', '--from', '/nowhere')).stderr).toContain(
      '/nowhere: there is no',
    )
  },
  slowMs,
)
