/**
 * Two databases that differ in nothing but protected values look the same through the gate, whatever is said to them.
 * POSTERN_NI_STATEMENTS says how many random statements, POSTERN_SEED which.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../pdp/parts.ts'
import type { Case } from './cases.ts'
import { concerns, mutants, mutated } from './mutants.ts'
import { report } from './report.ts'
import { firstLeak, run, runCases } from './run.ts'
import { type Profile, type Stage, stage } from './stage.ts'

const statements = Number(process.env['POSTERN_NI_STATEMENTS'] ?? 5_000)
const seed = Number(process.env['POSTERN_SEED'] ?? 1)
const workers = 4
/** What a loaded machine needs at most, each. */
const statementMsMax = 60
/** Only those that a mutant reads otherwise are said. */
const mutantStatements = 30_000
const policyStatements = 5_000

type Found = Case & { readonly id: string; readonly why: string; readonly profile?: Profile }
const found = readFileSync(new URL('./found.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Found)

let here: Stage
beforeAll(async () => {
  here = await stage()
})
afterAll(() => here?.stop())

test.each(found.map((one) => [one.id, one.why, one] as const))('%s: %s', async (_, __, one) => {
  const outcome = await runCases(here, workers, [one], one.profile)
  expect(outcome.leaks).toEqual([])
  expect(outcome.broken).toEqual([])
  // The server itself does tell them apart.
  expect(outcome.differing).toBeGreaterThan(0)
})

/** What must hold of statements in one profile; shares of all. */
type Bounds = {
  readonly profile: Profile
  readonly share: number
  readonly refusedNeedlesslyMax: number
  readonly maskedNeedlesslyMax: number
}

const bounds: readonly Bounds[] = [
  { profile: 'masked', share: 0.7, refusedNeedlesslyMax: 0.3, maskedNeedlesslyMax: 0.1 },
  { profile: 'sealed', share: 0.3, refusedNeedlesslyMax: 0.12, maskedNeedlesslyMax: 0.2 },
]

test.each(bounds)(
  `$profile: random statements`,
  {
    timeout: 60_000 + statements * statementMsMax,
  },
  async (one) => {
    const { profile } = one
    const count = Math.ceil(statements * one.share)
    const outcome = await run(here, { seed, statements: count, workers, profile })
    console.log(report(`non-interference, ${profile}, seed ${seed}`, outcome))
    expect(outcome.leaks.slice(0, 10)).toEqual([])
    expect(outcome.broken.slice(0, 10)).toEqual([])
    expect(outcome.statements).toBeGreaterThanOrEqual(count)
    // Statements that nothing runs, or that tell nothing, prove nothing.
    expect(outcome.differing / outcome.statements).toBeGreaterThan(0.15)
    expect(outcome.failing / outcome.statements).toBeLessThan(0.25)
    expect(outcome.all.refusedNeedlessly / outcome.statements).toBeLessThan(
      one.refusedNeedlesslyMax,
    )
    expect(outcome.all.maskedNeedlessly / outcome.statements).toBeLessThan(one.maskedNeedlesslyMax)
  },
)

describe('a reader that forgets is caught', () => {
  test.each(mutants.map((mutant, index) => [mutant.name, mutant, index] as const))(
    '%s',
    { timeout: 120_000 },
    async (_, mutant, index) => {
      const leak = await firstLeak(here, {
        sidecar: mutated(mutant),
        seed,
        statements: mutantStatements,
        // Databases of its own: what it lets through leaves traces.
        pair: 100 + index,
        concerns: (text) => concerns(mutant, text),
      })
      expect(leak).toBeDefined()
    },
  )
})

test('a policy that forgets a column is caught in a sealed session whose role may read it', async () => {
  const forgetting = (engine: Engine): Engine => ({
    evaluate(input) {
      const verdict = engine.evaluate(input)
      const masks = verdict.decision.masks.filter((one) => one.column !== 'public.customers.ssn')
      return { ...verdict, decision: { ...verdict.decision, masks } }
    },
  })
  const hunt = {
    profile: 'sealed',
    engine: forgetting,
    seed,
    statements: policyStatements,
  } as const
  const concerns = (text: string): boolean => text.includes('ssn')
  expect(await firstLeak(here, { ...hunt, unbacked: true, pair: 200, concerns })).toBeDefined()
  // The rights of the role make up for it.
  expect(await firstLeak(here, { ...hunt, pair: 201, concerns })).toBeUndefined()
})
