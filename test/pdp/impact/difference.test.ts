import { expect, test } from 'vitest'
import type { Decision, HoldRule, MaskRule } from '../../../pdp/contract.ts'
import { changesBetween, directionOf } from '../../../pdp/impact/difference.ts'
import { decision } from '../kit.ts'

const email: MaskRule = {
  rule: 'm',
  column: 'public.customers.email',
  method: 'redact',
  on_predicate: 'deny',
}
const rows = { metric: 'rows', max: 100, on_exceed: 'truncate' } as const
const quota = { name: 'q', per: 'subject', metric: 'commands', max: 5, window_s: 60 } as const
const hold: HoldRule = {
  approvers: ['owners'],
  min_approvals: 1,
  bind: 'exact',
  ttl_s: 60,
  wait_s: 10,
}
const held = (change: Partial<HoldRule> = {}) =>
  decision({ effect: 'hold', hold: { ...hold, ...change } })
const masked = (...masks: readonly MaskRule[]) => decision({ masks })
const partial = (args: Record<string, unknown>): MaskRule => ({ ...email, method: 'partial', args })

type Row = readonly [string, Decision, Decision, string, string]
const weakenings: readonly Row[] = [
  [
    'deny to allow',
    decision({ effect: 'deny' }),
    decision(),
    'effect deny to allow',
    'effect allow to deny',
  ],
  [
    'deny to hold',
    decision({ effect: 'deny' }),
    held(),
    'effect deny to hold',
    'effect hold to deny',
  ],
  ['hold to allow', held(), decision(), 'effect hold to allow', 'effect allow to hold'],
  [
    'a mask goes',
    masked(email),
    masked(),
    'mask dropped: public.customers.email',
    'mask added: public.customers.email',
  ],
  [
    'a method shows more',
    masked(email),
    masked({ ...email, method: 'hash' }),
    'mask of public.customers.email redact to hash',
    'mask of public.customers.email hash to redact',
  ],
  [
    'predicates are let through',
    masked(email),
    masked({ ...email, on_predicate: 'allow' }),
    'mask of public.customers.email on_predicate deny to allow',
    'mask of public.customers.email on_predicate allow to deny',
  ],
  [
    'more characters are shown',
    masked(partial({ keep_last: 2 })),
    masked(partial({ keep_last: 4 })),
    'mask of public.customers.email keep_last 2 to 4',
    'mask of public.customers.email keep_last 4 to 2',
  ],
  [
    'a limit goes',
    decision({ limits: [rows] }),
    decision(),
    'limit dropped: rows',
    'limit added: rows',
  ],
  [
    'a limit grows',
    decision({ limits: [rows] }),
    decision({ limits: [{ ...rows, max: 200 }] }),
    'limit of rows 100 to 200',
    'limit of rows 200 to 100',
  ],
  [
    'a limit truncates',
    decision({ limits: [{ ...rows, on_exceed: 'deny' }] }),
    decision({ limits: [rows] }),
    'limit of rows on_exceed deny to truncate',
    'limit of rows on_exceed truncate to deny',
  ],
  [
    'a quota grows',
    decision({ quotas: [quota] }),
    decision({ quotas: [{ ...quota, max: 6 }] }),
    'quota q, commands per subject 5 to 6',
    'quota q, commands per subject 6 to 5',
  ],
  [
    'a quota is for less time',
    decision({ quotas: [quota] }),
    decision({ quotas: [{ ...quota, window_s: 30 }] }),
    'quota q, commands per subject, window_s 60 to 30',
    'quota q, commands per subject, window_s 30 to 60',
  ],
  [
    'an obligation goes',
    decision({ obligations: [{ name: 'notify', args: { b: 1, a: 2 } }] }),
    decision(),
    'obligation dropped: notify {"a":2,"b":1}',
    'obligation added: notify {"a":2,"b":1}',
  ],
  [
    'fewer need to agree',
    held({ min_approvals: 2 }),
    held(),
    'hold min_approvals 2 to 1',
    'hold min_approvals 1 to 2',
  ],
  [
    'more may agree',
    held(),
    held({ approvers: ['owners', 'all'] }),
    'hold approver added: all',
    'hold approver dropped: all',
  ],
  [
    'an approval covers more',
    held(),
    held({ bind: 'session' }),
    'hold bind exact to session',
    'hold bind session to exact',
  ],
  [
    'an approval lasts longer',
    held(),
    held({ ttl_s: 90 }),
    'hold ttl_s 60 to 90',
    'hold ttl_s 90 to 60',
  ],
]

test.each(weakenings)(
  'weaker: %s; and stronger the other way',
  (_, before, after, weaker, stronger) => {
    const there = changesBetween(before, after)
    expect(there).toContainEqual({ direction: 'weaker', what: weaker })
    expect(directionOf(there)).toBe('weaker')
    const back = changesBetween(after, before)
    expect(back).toEqual([{ direction: 'stronger', what: stronger }])
    expect(directionOf(back)).toBe('stronger')
  },
)

const because = (rule: string) => [{ rule, code: 'said', message: 'x' }]
test.each([
  [
    'another reason',
    decision({ reasons: because('a') }),
    decision({ reasons: because('b') }),
    'because of a/said to b/said',
  ],
  ['another wait', held(), held({ wait_s: 20 }), 'hold wait_s 10 to 20'],
  [
    'another text in place of a value',
    masked(email),
    masked({ ...email, args: { text: 'x' } }),
    'mask of public.customers.email: other arguments',
  ],
] as const)('neither weaker nor stronger: %s', (_, before, after, what) => {
  const changes = changesBetween(before, after)
  expect(changes).toEqual([{ direction: 'other', what }])
  expect(directionOf(changes)).toBe('other')
})

test.each([
  ['itself', decision({ masks: [email], limits: [rows], quotas: [quota] })],
  ['a hold', held()],
  ['a denial', decision({ effect: 'deny' })],
] as const)('the same: %s', (_, one) => {
  expect(changesBetween(one, structuredClone(one))).toEqual([])
  expect(directionOf([])).toBe('same')
})

test('another wording of the same reason is the same', () => {
  const other = decision({ reasons: [{ rule: 'test', code: 'said', message: 'in other words' }] })
  expect(changesBetween(decision(), other)).toEqual([])
})

test('what nobody can compare counts as weaker', () => {
  const before = masked(partial({}))
  const after = masked(partial({ keep_domain: true }))
  expect(directionOf(changesBetween(before, after))).toBe('weaker')
  expect(directionOf(changesBetween(after, before))).toBe('weaker')
})

test('one weakening among ten improvements is a weakening', () => {
  const before = decision({ limits: [rows], masks: [email] })
  const after = decision({ limits: [{ ...rows, max: 1 }], quotas: [quota] })
  expect(directionOf(changesBetween(before, after))).toBe('weaker')
})

test('of two masks of a column the strictest counts, as a gate enforces them', () => {
  const weak: MaskRule = { ...email, method: 'partial', on_predicate: 'allow' }
  expect(changesBetween(masked(email), masked(weak, email))).toEqual([])
  expect(directionOf(changesBetween(masked(weak, email), masked(weak)))).toBe('weaker')
})
