import { beforeAll, describe, expect, test } from 'vitest'
import { engine, type ManagedEngine } from '../../../pdp/engine/engine.ts'
import type { PolicyBundle } from '../../../pdp/parts.ts'
import { bundle, policyText, question } from './kit.ts'

const rego = policyText('glance')
let glance: PolicyBundle

beforeAll(() => {
  glance = bundle({ rego })
})

async function running(): Promise<ManagedEngine> {
  const made = engine()
  await made.activate(glance)
  return made
}

describe('a decision that did not look at the text of the command', () => {
  test('holds for every other text, and never for another command', async () => {
    const made = await running()
    made.evaluate(question({ name: 'ignores', text: 'select 1' }))
    expect(made.evaluate(question({ name: 'ignores', text: 'select 2' })).cached).toBe(true)
    expect(made.evaluate(question({ name: 'ignores', text: 'x'.repeat(9000) })).cached).toBe(true)
    expect(made.evaluate(question({ name: 'ignores', text: '', more: 1 })).cached).toBe(false)
    expect(made.evaluate(question({ name: 'ignores' })).cached).toBe(false)
    expect(made.evaluate(question({ name: 'ignores', text: null })).cached).toBe(false)
    expect(made.status().bundle?.replacements).toBe(0)
  })

  test.each([
    'equal',
    'prefix',
    'contains',
    'matches',
    'globs',
    'counts',
    'typed',
    'member',
    'says',
    'says_all',
    'json',
    'hashes',
    'set',
    'sprintf',
    'walks',
    'compares',
    'true',
    'union',
    'keyed',
    'present',
  ])('is not taken for one that did: %s', async (name) => {
    const made = await running()
    for (const text of ['select 1', 'drop', '', 'select 1', 'x'.repeat(600)]) {
      const asked = question({ name, text })
      const { decision } = made.evaluate(asked)
      const fresh = await running()
      expect(decision.reasons[0]?.code).toBe(name)
      expect(decision).toEqual(fresh.evaluate(asked).decision)
      expect(made.evaluate(question({ name, text: `${text}!` })).decision).toEqual(
        fresh.evaluate(question({ name, text: `${text}!` })).decision,
      )
    }
  })

  test('is one, though the policy asks which members the command has', async () => {
    const made = await running()
    made.evaluate(question({ name: 'names', text: 'a' }))
    const verdict = made.evaluate(question({ name: 'names', text: 'b' }))
    expect(verdict).toMatchObject({ cached: true, decision: { effect: 'allow' } })
    expect(made.evaluate(question({ name: 'names' })).decision.effect).toBe('deny')
  })

  test('may be one of many kinds, whatever other kinds look at', async () => {
    const made = await running()
    made.evaluate(question({ name: 'ignores', text: 'a' }))
    for (let kind = 0; kind < 200; kind++)
      made.evaluate(question({ name: `equal${kind}`, text: 'a' }))
    expect(made.evaluate(question({ name: 'ignores', text: 'b' })).cached).toBe(true)
    expect(made.evaluate(question({ name: 'equal7', text: 'b' })).cached).toBe(false)
    expect(made.status()).toMatchObject({ failures: 0, bundle: { replacements: 0 } })
  })
})
