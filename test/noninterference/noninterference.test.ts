/**
 * Two databases that differ in nothing but protected values look the same through the gate, whatever is said to them.
 * POSTERN_NI_STATEMENTS says how many random statements, POSTERN_SEED which.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Case } from './generator.ts'
import { concerns, mutants, mutated } from './mutants.ts'
import { firstLeak, type Outcome, run, runCases } from './run.ts'
import { type Stage, stage } from './stage.ts'

const statements = Number(process.env['POSTERN_NI_STATEMENTS'] ?? 5_000)
const seed = Number(process.env['POSTERN_SEED'] ?? 1)
const workers = 4
/** What a loaded machine needs at most, each. */
const statementMsMax = 30
const mutantStatements = 1_500

type Found = Case & { readonly id: string; readonly why: string }
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
  const outcome = await runCases(here, workers, [one])
  expect(outcome.leaks).toEqual([])
  expect(outcome.broken).toEqual([])
  // The server itself does tell them apart.
  expect(outcome.differing).toBeGreaterThan(0)
})

test(`${statements} random statements`, {
  timeout: 60_000 + statements * statementMsMax,
}, async () => {
  const outcome = await run(here, { seed, statements, workers })
  console.log(summary(outcome))
  expect(outcome.leaks.slice(0, 10)).toEqual([])
  expect(outcome.broken.slice(0, 10)).toEqual([])
  expect(outcome.statements).toBeGreaterThanOrEqual(statements)
  // Statements that nothing runs, or that tell nothing, prove nothing.
  expect(outcome.differing / outcome.statements).toBeGreaterThan(0.15)
  expect(outcome.failing / outcome.statements).toBeLessThan(0.25)
  expect(outcome.refused / outcome.statements).toBeLessThan(0.75)
})

describe('a reader that forgets is caught', () => {
  test.each(mutants.map((mutant, index) => [mutant.name, mutant, index] as const))(
    '%s',
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

function summary(outcome: Outcome): string {
  const share = (count: number): string => `${((100 * count) / outcome.statements).toFixed(1)} %`
  return (
    `non-interference, seed ${seed}: ${outcome.statements} statements, ${outcome.leaks.length} leaks, ${outcome.drifted} drifted; ` +
    `${share(outcome.differing)} differ past the gate, ${share(outcome.failing)} fail there; ` +
    `${share(outcome.refused)} refused (${share(outcome.refusedNeedlessly)} without need), ` +
    `${share(outcome.masked)} masked (${share(outcome.maskedNeedlessly)} without need)`
  )
}
