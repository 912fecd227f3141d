import { beforeAll, describe, expect, test } from 'vitest'
import { build, deletions, evaluate, night, noon, type Policies } from './kit.ts'
import { alice, ask, deleteOrder, questions, robot, selectCustomers } from './questions.ts'
import { weaker } from './weaker.ts'

/** OPA itself takes seconds for thousands of questions, and many more where others use the processors as well. */
const slowMs = 120_000

let policies: Policies
beforeAll(async () => {
  policies = await build()
})

describe.each(Object.entries(questions))('%s', (_, question) => {
  test.each([
    ['noon', noon],
    ['night', night],
  ])('loses no protection with any key or element, at %s', (_, atMs) => {
    const before = policies.decide(question, atMs)
    if (before === undefined) throw new Error('no decision')
    const worse = Array.from(deletions(question), ({ path, without }) => {
      const after = policies.decide(without, atMs)
      const why = after === undefined ? 'no decision' : weaker(before, after)
      return why === undefined ? undefined : `without ${path}: ${why}`
    }).filter((line) => line !== undefined)
    expect(worse).toEqual([])
  })
})

test('the questions cover every effect, and every kind of duty', () => {
  const answers = Object.values(questions).map((question) => policies.decide(question))
  const count = (holds: (answer: (typeof answers)[number]) => unknown): number =>
    answers.filter(holds).length
  expect(count((answer) => answer?.effect === 'allow')).toBeGreaterThan(10)
  expect(count((answer) => answer?.effect === 'hold')).toBeGreaterThan(2)
  expect(count((answer) => answer?.effect === 'deny')).toBeGreaterThan(10)
  expect(count((answer) => answer?.masks.length)).toBeGreaterThan(5)
  expect(count((answer) => answer?.limits.length)).toBeGreaterThan(5)
  expect(count((answer) => answer?.quotas.length)).toBeGreaterThan(2)
})

test('what counts as weaker is noticed', () => {
  const masked = policies.decide(ask(robot, selectCustomers))
  const held = policies.decide(ask(alice, deleteOrder))
  if (masked === undefined || held?.hold === undefined) throw new Error('no decision')
  const { hold } = held
  expect(weaker(masked, { ...masked, masks: masked.masks.slice(1) })).toMatch(/mask/)
  expect(weaker(masked, { ...masked, limits: [] })).toMatch(/limit/)
  expect(weaker(masked, { ...masked, quotas: [] })).toMatch(/quota/)
  expect(weaker(held, { ...held, effect: 'allow' })).toBe('hold became allow')
  expect(weaker(held, { ...held, hold: { ...hold, approvers: ['engineers'] } })).toMatch(/hold/)
  expect(weaker(held, { ...held, hold: { ...hold, min_approvals: 0 } })).toMatch(/hold/)
  expect(weaker(held, { ...held, hold: { ...hold, bind: 'session' } })).toMatch(/hold/)
  expect(weaker(masked, masked)).toBeUndefined()
})

test('WASM and opa eval agree, and every question and decision fits its schema', () => {
  const named = Object.entries(questions)
  const answers = evaluate(named.map(([, question]) => question))
  expect(answers.length).toBe(named.length)
  for (const [at, [name, question]] of named.entries()) {
    expect(answers[at], name).toEqual({
      decision: policies.decide(question),
      inputFits: true,
      decisionFits: true,
    })
  }
})

test(
  'they agree on what is damaged too, and every answer to it fits the schema',
  () => {
    const damaged = Object.values(questions).flatMap((question) =>
      Array.from(deletions(question), ({ without }) => without),
    )
    const answers = evaluate(damaged)
    expect(answers.map(({ decision }) => decision)).toEqual(
      damaged.map((question) => policies.decide(question)),
    )
    expect(answers.filter(({ decisionFits }) => !decisionFits)).toEqual([])
  },
  slowMs,
)
