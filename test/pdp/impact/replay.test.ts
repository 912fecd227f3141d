import { expect, test } from 'vitest'
import type { Input } from '../../../pdp/contract.ts'
import { engine } from '../../../pdp/engine/engine.ts'
import { acknowledgementsIn, reviewed } from '../../../pdp/impact/acknowledged.ts'
import { recordedOf } from '../../../pdp/impact/recorded.ts'
import { replay } from '../../../pdp/impact/replay.ts'
import { decisionEntry } from '../../../pdp/record.ts'
import { bundle, question } from '../engine/kit.ts'
import { decision, remove, select } from '../kit.ts'

const preamble = 'package postern\nimport rego.v1\n'
const answer = (effect: string) =>
  `{"effect": "${effect}", "reasons": [{"rule": "r_${effect}", "code": "c", "message": "m"}], ` +
  '"masks": [], "limits": [], "quotas": [], "obligations": []}'
const allowing = bundle({ rego: `${preamble}decision := ${answer('allow')}` })
const denyingDeletes = bundle({
  rego: `${preamble}
default decision := ${answer('allow')}
decision := ${answer('deny')} if "delete" in input.action.effects`,
})
const atNight = bundle({
  rego: `${preamble}
default decision := ${answer('deny')}
decision := ${answer('allow')} if time.clock(time.now_ns())[0] < 6`,
})
const failing = bundle({
  rego: `${preamble}decision := ${answer('allow')} if input.action.name == "none"`,
})

async function lineOf(by: typeof allowing, input: Input, atMs: number): Promise<string> {
  const asked = engine({ now: () => atMs })
  await asked.activate(by)
  const entry = decisionEntry({
    session: 's',
    id: `d-${atMs}`,
    input,
    verdict: asked.evaluate(input),
    refusal: undefined,
    prepare: false,
    labels: undefined,
    hold: undefined,
  })
  return JSON.stringify({ seq: 1, timestamp: new Date(atMs).toISOString(), ...entry })
}

const noon = Date.parse('2026-03-01T12:00:00Z')
const night = Date.parse('2026-03-01T03:00:00Z')

test('what a candidate would have answered otherwise is counted and shown with an example', async () => {
  const candidate = await replay(allowing)
  candidate.line(await lineOf(denyingDeletes, question(remove), noon))
  candidate.line(await lineOf(denyingDeletes, question(remove), noon + 1))
  candidate.line(await lineOf(denyingDeletes, question(select), noon + 2))
  const report = candidate.report()
  expect(report).toMatchObject({
    replayed: 3,
    same: 1,
    weaker: 2,
    stronger: 0,
    other: 0,
    failed: 0,
  })
  expect(report.groups).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f]{12}$/),
      direction: 'weaker',
      change: 'effect deny to allow',
      resource: 'shop',
      before: 'r_deny',
      after: 'r_allow',
      count: 2,
      example: {
        decision_id: `d-${noon}`,
        timestamp: '2026-03-01T12:00:00.000Z',
        subject: 'ann@example.com',
        command: remove.text,
      },
    },
  ])
})

test('a time-dependent policy is asked with the clock of the record', async () => {
  const candidate = await replay(atNight)
  candidate.line(await lineOf(atNight, question(select), noon))
  candidate.line(await lineOf(atNight, question(select), night))
  expect(candidate.report()).toMatchObject({ replayed: 2, same: 2 })
})

test('a candidate that fails where there was an answer says so', async () => {
  const candidate = await replay(failing)
  candidate.line(await lineOf(allowing, question(select), noon))
  expect(candidate.report()).toMatchObject({
    failed: 1,
    failure: 'the decision is undefined',
    stronger: 1,
  })
})

test('only the stretch of time that was asked for is replayed', async () => {
  const candidate = await replay(allowing, { fromMs: noon, toMs: noon + 1 })
  for (const ms of [noon - 1, noon, noon + 1])
    candidate.line(await lineOf(allowing, question(select), ms))
  expect(candidate.report().replayed).toBe(1)
})

test('an expired candidate is judged by what it says, not by its age', async () => {
  const candidate = await replay({ ...allowing, expiresMs: 1 })
  candidate.line(await lineOf(allowing, question(select), noon))
  expect(candidate.report()).toMatchObject({ same: 1, failed: 0 })
})

const good = await lineOf(allowing, question(select), noon)
const changed = (change: object) => JSON.stringify({ ...JSON.parse(good), ...change })
const denied = (code: string) =>
  decision({ effect: 'deny', reasons: [{ rule: 'postern', code, message: 'm' }] })

test.each([
  ['not JSON', '{', 'unreadable'],
  ['no object', '[1]', 'unreadable'],
  ['another kind', changed({ kind: 'outcome' }), 'not_a_decision'],
  ['another path', changed({ path: 'other/decision' }), 'not_a_decision'],
  ['an advisory answer', changed({ advisory: true }), 'not_a_decision'],
  ['an exported one', changed({ custom: { advisory: true } }), 'not_a_decision'],
  ['no time', changed({ timestamp: 'yesterday' }), 'unreadable'],
  ['no input', changed({ input: 1 }), 'unreadable'],
  ['no result', changed({ result: {} }), 'unreadable'],
  ['no bundle', changed({ bundles: undefined }), 'not_by_policy'],
  ['a gate without a bundle', changed({ result: denied('no_bundle') }), 'not_by_policy'],
  ['a stale gate', changed({ result: denied('stale_bundle') }), 'not_by_policy'],
])('left out: %s', async (_, line, why) => {
  expect(recordedOf(line)).toBe(why)
  const candidate = await replay(allowing)
  candidate.line(line)
  const { replayed, unused } = candidate.report()
  expect([replayed, unused[why as keyof typeof unused]]).toEqual([0, 1])
})

test('a decision log of OPA is read as well', () => {
  const { kind: _, ...opas } = JSON.parse(good)
  expect(recordedOf(JSON.stringify(opas))).toMatchObject({ id: `d-${noon}`, atMs: noon })
})

const entry = {
  change: 'effect deny to allow',
  resource: 'shop',
  before: '*',
  after: '*',
  because: '#12',
}
const yaml = (...entries: readonly object[]) => JSON.stringify({ acknowledged: entries })

test('an acknowledged weakening is closed until its day, and one that covers nothing is named', async () => {
  const candidate = await replay(allowing)
  candidate.line(await lineOf(denyingDeletes, question(remove), noon))
  const { groups } = candidate.report()
  const spare = { ...entry, resource: 'elsewhere' }
  const entries = acknowledgementsIn(yaml({ ...entry, until: '2026-03-01' }, spare), 'impact.yaml')
  const during = reviewed(groups, entries, noon)
  expect(during).toMatchObject({ open: [], acknowledged: [{ because: '#12' }], unused: [spare] })
  const after = reviewed(groups, entries, noon + 86_400_000)
  expect(after.open).toHaveLength(1)
  expect(after.unused).toHaveLength(2)
})

test.each([
  ['no YAML', '{', /impact.yaml/],
  ['another list', 'ignored: []', /acknowledged/],
  ['no reason', yaml({ ...entry, because: '' }), /acknowledged\.0\.because: give a text/],
  ['a field too much', yaml({ ...entry, rule: 'x' }), /rule/],
  ['no day', yaml({ ...entry, until: 'soon' }), /until: give a day/],
  ['too long', ' '.repeat(65_537), /64 KiB/],
])('a file of acknowledgements with %s is refused with the field', (_, text, problem) => {
  expect(() => acknowledgementsIn(text, 'impact.yaml')).toThrow(problem)
})
