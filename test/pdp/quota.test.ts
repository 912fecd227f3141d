import { describe, expect, test } from 'vitest'
import type { QuotaRule, Subject } from '../../pdp/contract.ts'
import { memoryQuotas, type Spender } from '../../pdp/quota.ts'
import { alice, bob, clock, shop } from './kit.ts'

const quota = (change: Partial<QuotaRule> = {}): QuotaRule => ({
  name: 'few',
  per: 'subject',
  metric: 'commands',
  max: 3,
  window_s: 60,
  ...change,
})
const by = (subject: Subject = alice, session = 's1', resource = shop): Spender => ({
  subject,
  session,
  resource,
})
const acting = (id: string, run: string | undefined, attested = true): Subject => ({
  ...alice,
  actor: { id, type: 'agent', attested, actor: null, ...(run === undefined ? {} : { run }) },
})

describe('a quota', () => {
  test('lets as many pass as it says, and more after the window', () => {
    const { now, pass } = clock()
    const quotas = memoryQuotas({ now })
    const taken = (): boolean => quotas.take([quota()], by()) === undefined
    expect([taken(), taken(), taken(), taken()]).toEqual([true, true, true, false])
    pass(59_000)
    expect(taken()).toBe(false)
    pass(6000)
    expect(taken()).toBe(true)
  })

  test.each([0, 1234, 4999, 5000, 59_999])(
    'never lets more pass in any window (offset %i ms)',
    (offset) => {
      const { now, pass } = clock(offset)
      const quotas = memoryQuotas({ now })
      const passed: number[] = []
      for (let step = 0; step < 400; step += 1, pass(997))
        if (quotas.take([quota()], by()) === undefined) passed.push(now())
      const most = passed.map(
        (start) => passed.filter((at) => at >= start && at < start + 60_000).length,
      )
      expect(Math.max(...most)).toBe(3)
      // Two slots too strict at most.
      expect(passed.length).toBeGreaterThanOrEqual(15)
    },
  )

  test('says when to come back, and is right', () => {
    const { now, pass } = clock()
    const quotas = memoryQuotas({ now })
    for (const _ of [1, 2, 3]) quotas.take([quota()], by())
    const retryAfterS = quotas.check([quota()], by())?.detail.retryAfterS ?? 0
    expect(retryAfterS).toBeGreaterThan(0)
    pass(retryAfterS * 1000)
    expect(quotas.check([quota()], by())).toBeUndefined()
  })

  test('is not counted where another one is used up', () => {
    const quotas = memoryQuotas(clock())
    const rules = [quota({ name: 'a', max: 2 }), quota({ name: 'b', max: 1 })]
    quotas.take(rules, by())
    expect(quotas.take(rules, by())?.message).toContain('quota b is used up: 1 commands')
    expect(quotas.take([quota({ name: 'a', max: 2 })], by())).toBeUndefined()
  })

  test('that is only checked is not counted', () => {
    const quotas = memoryQuotas(clock())
    for (const _ of [1, 2, 3, 4]) expect(quotas.check([quota()], by())).toBeUndefined()
  })

  test.each(['rows', 'bytes'] as const)('of %s is used up by answers', (metric) => {
    const quotas = memoryQuotas(clock())
    const rules = [quota({ metric, max: 10 })]
    quotas.spend(rules, by(), { rows: 9, bytes: 9 })
    expect(quotas.take(rules, by())).toBeUndefined()
    quotas.spend(rules, by(), { rows: 1, bytes: 1 })
    expect(quotas.take(rules, by())?.code).toBe('quota_exceeded')
  })

  test.each([0, -1, Number.NaN])('of %d lets nothing pass', (max) => {
    expect(memoryQuotas(clock()).take([quota({ max })], by())?.code).toBe('quota_exceeded')
  })

  test('is not refilled by a clock that goes back', () => {
    const { now, pass } = clock()
    const quotas = memoryQuotas({ now })
    for (const _ of [1, 2, 3]) quotas.take([quota()], by())
    for (const ms of [-500_000, 500_000]) {
      pass(ms)
      expect(quotas.check([quota()], by())?.code).toBe('quota_exceeded')
    }
  })
})

describe('whose quota it is', () => {
  const other = { ...shop, id: 'other' }
  test.each<[QuotaRule['per'], string, Spender, Spender, boolean]>([
    ['subject', 'another session', by(), by(alice, 's2', other), true],
    ['subject', 'another subject', by(), by(bob), false],
    ['subject', 'the same name of another issuer', by(), by({ ...alice, issuer: 'x' }), false],
    ['session', 'another session', by(), by(alice, 's2'), false],
    ['resource', 'another subject', by(), by(bob), true],
    ['resource', 'another resource', by(), by(alice, 's1', other), false],
    ['actor', 'another run', by(acting('bot', '1')), by(acting('bot', '2')), true],
    ['actor', 'another actor', by(acting('bot', '1')), by(acting('pet', '1')), false],
    ['run', 'another session', by(acting('bot', '1')), by(acting('bot', '1'), 's2'), true],
    ['run', 'another run', by(acting('bot', '1')), by(acting('bot', '2')), false],
    ['run', 'no run: the subject', by(acting('bot', undefined)), by(), true],
    ['actor', 'no actor: the subject', by(), by(alice, 's2'), true],
    [
      'run',
      'a run nobody vouches for',
      by(acting('b', '1', false)),
      by(acting('b', '2', false)),
      true,
    ],
    [
      'actor',
      'an actor nobody vouches for',
      by(acting('b', '1', false)),
      by(acting('c', '1', false)),
      true,
    ],
    [
      'run',
      'names that look alike when joined',
      by(acting('a:1', '2')),
      by(acting('a', '1:2')),
      false,
    ],
  ])('per %s, %s', (per, _, first, second, shared) => {
    const quotas = memoryQuotas(clock())
    const rules = [quota({ per, max: 1 })]
    quotas.take(rules, first)
    expect(quotas.take(rules, second) !== undefined).toBe(shared)
  })
})

describe('memory', () => {
  test('that is full refuses who is new, not who is known, until windows pass', () => {
    const { now, pass } = clock()
    const quotas = memoryQuotas({ now, countersMax: 2 })
    const take = (session: string) => quotas.take([quota({ per: 'session' })], by(alice, session))
    expect([take('a'), take('b')]).toEqual([undefined, undefined])
    expect(take('c')?.message).toContain('too many quotas')
    expect(take('a')).toBeUndefined()
    pass(120_000)
    expect(take('c')).toBeUndefined()
  })
})
