import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Hold } from '../../../pdp/parts.ts'
import type { HoldStore, StoredHold } from '../../../pdp/state/holds.ts'

/** A hold with sensible members. */
export function stored(change: Partial<Hold> = {}, rest: Partial<StoredHold> = {}): StoredHold {
  const hold: Hold = {
    id: 'h1',
    state: 'pending',
    session: 's1',
    decision_id: 'd1',
    subject: 'alice',
    resource: 'shop',
    text: "delete from orders where note = '\u0000'",
    parameters: ['1', null],
    effects: ['delete'],
    objects: ['public.orders'],
    reasons: [{ rule: 'writes', code: 'held', message: 'writes are seen by two' }],
    approvers: ['owners'],
    min_approvals: 1,
    bind: 'exact',
    created_ms: 1000,
    expires_ms: 2000,
    votes: [],
    ...change,
  }
  const bound = { issuer: 'https://issuer.test', actors: [], digest: 'digest', voters: [] }
  return { hold, ...bound, version: 1, ...rest }
}

/** What every store of holds must do, whatever it is made of. */
export function holdStoreSuite(name: string, make: () => Promise<HoldStore>): void {
  describe(`${name} keeps holds`, () => {
    let store: HoldStore
    beforeEach(async () => {
      store = await make()
    })
    afterEach(() => store.close())

    const ids = (found: readonly StoredHold[]): readonly string[] =>
      found.map(({ hold }) => hold.id)

    test('as they were given', () => {
      const given = stored({ votes: [{ by: 'bob', verdict: 'approve', at_ms: 5, note: 'é' }] })
      store.insert(given)
      expect(store.get('h1')).toEqual(given)
      expect(store.get('h2')).toBeUndefined()
    })

    test('once each', () => {
      store.insert(stored())
      expect(() => store.insert(stored())).toThrow(
        expect.objectContaining({ code: 'state_unavailable' }),
      )
    })

    test('changed by the first who saw the last version', () => {
      store.insert(stored())
      const next = stored({ state: 'approved' }, { version: 2 })
      expect(store.replace(next)).toBe(true)
      expect(store.replace(stored({ state: 'refused' }, { version: 2 }))).toBe(false)
      expect(store.replace(stored({ id: 'h2' }, { version: 2 }))).toBe(false)
      expect(store.get('h1')).toEqual(next)
    })

    test('found by digest while they are open, approved first, newest first', () => {
      store.insert(stored({ id: 'old' }))
      store.insert(stored({ id: 'new', created_ms: 1500 }))
      store.insert(stored({ id: 'yes', state: 'approved' }))
      store.insert(stored({ id: 'over', expires_ms: 1600 }))
      store.insert(stored({ id: 'used', state: 'used' }))
      store.insert(stored({ id: 'other' }, { digest: 'other' }))
      expect(ids(store.open('digest', 1600))).toEqual(['yes', 'new', 'old'])
    })

    test('listed newest first, by what people see', () => {
      store.insert(stored({ id: 'a' }))
      store.insert(stored({ id: 'b', created_ms: 1100, expires_ms: 1500 }))
      store.insert(stored({ id: 'c', created_ms: 1200, resource: 'other' }))
      const list = (filter: object): readonly string[] =>
        ids(store.list({ nowMs: 1600, max: 10, ...filter }))
      expect(list({})).toEqual(['c', 'b', 'a'])
      expect(list({ max: 2 })).toEqual(['c', 'b'])
      expect(list({ state: 'pending' })).toEqual(['c', 'a'])
      expect(list({ state: 'expired' })).toEqual(['b'])
      expect(list({ state: 'pending', resource: 'shop' })).toEqual(['a'])
      expect(list({ resource: "shop' or 1=1 --" })).toEqual([])
    })

    test('due when their time is over, a bounded number', () => {
      for (const id of ['a', 'b', 'c']) store.insert(stored({ id }))
      store.insert(stored({ id: 'later', expires_ms: 3000 }))
      store.insert(stored({ id: 'done', state: 'refused' }))
      expect(ids(store.due(1999, 10))).toEqual([])
      expect([...ids(store.due(2000, 10))].sort()).toEqual(['a', 'b', 'c'])
      expect(store.due(2000, 2)).toHaveLength(2)
    })

    test('counted while they wait', () => {
      store.insert(stored({ id: 'a' }))
      store.insert(stored({ id: 'b', subject: 'bob' }))
      store.insert(stored({ id: 'c' }, { issuer: 'https://other.test' }))
      store.insert(stored({ id: 'd', state: 'approved' }))
      store.insert(stored({ id: 'e', expires_ms: 1500 }))
      const issuer = 'https://issuer.test'
      expect(store.pending(1500, issuer, 'alice')).toEqual({ all: 3, own: 1 })
      expect(store.pending(5000, issuer, 'alice')).toEqual({ all: 0, own: 0 })
    })

    test('until they are over and old', () => {
      store.insert(stored({ id: 'open' }))
      for (const id of ['a', 'b', 'c']) store.insert(stored({ id, state: 'used' }))
      store.insert(stored({ id: 'young', state: 'used', created_ms: 5000 }))
      expect(store.prune(5000, 2)).toBe(2)
      expect(store.prune(5000, 2)).toBe(1)
      expect([...ids(store.list({ nowMs: 0, max: 10 }))].sort()).toEqual(['open', 'young'])
    })
  })
}
