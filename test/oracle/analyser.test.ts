/**
 * The server is the oracle: what its own analyser records of a statement, and what it says of the answer, is all in our
 * facts, or these say that they are incomplete. POSTERN_ORACLE=all replays the whole regression suite.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ready } from '../../sidecars/postgres/statement.ts'
import { random } from '../noninterference/random.ts'
import type { Findings } from './examiner.ts'
import { ownStatements } from './own.ts'
import { type Replay, replay } from './replay.ts'

const whole = process.env['POSTERN_ORACLE'] === 'all'
const seed = Number(process.env['POSTERN_SEED'] ?? 1)
const hour = 3_600_000

/** What nearly every other script needs, then what asks most of an analyser. */
const always = (
  'test_setup create_index create_misc select join subselect with union aggregates window ' +
  'groupingsets rangefuncs rowtypes insert_conflict returning merge'
).split(' ')
const sampled = 8
/** Slow for their data, not for their statements. */
const heavy = new Set([
  'indexing',
  'stats',
  'stats_ext',
  'partition_prune',
  'foreign_key',
  'alter_table',
  'join_hash',
])
/** No statement of the suite takes longer to read than this, on a machine that does other things as well. */
const readMsMax = 2_000

let suite: Replay
beforeAll(async () => {
  await ready
  suite = await replay()
}, 180_000)
afterAll(() => suite?.stop())

function chosen(scripts: readonly string[]): readonly string[] {
  if (whole) return scripts
  const { pick } = random(seed)
  const names = new Set(always)
  const rest = scripts.filter((name) => !heavy.has(name))
  while (names.size < always.length + sampled) names.add(pick(rest))
  return scripts.filter((name) => names.has(name))
}

function agrees(found: Findings): void {
  expect(found.threw).toEqual([])
  expect(found.missing).toEqual([])
  expect(found.contradictions).toEqual([])
  expect(found.unplanned).toEqual([])
  expect(found.narrower).toEqual([])
  expect(found.slowestMs, found.slowest).toBeLessThan(readMsMax)
}

function summary(name: string, found: Findings): void {
  const share = (count: number): string => `${((100 * count) / found.compared).toFixed(1)} %`
  console.log(
    `${name}: ${found.compared} statements compared with the server's analyser: ${share(found.identical)} identical, ` +
      `${share(found.superset)} more, ${share(found.incomplete)} incomplete, ${found.missing.length} missing something; ` +
      `${found.described} answers described, ${found.outputsAbsent} without lineage, ${found.contradictions.length} contradictions; ` +
      `${found.planned} plans, ${found.unplanned.length} of them with a relation that is not ours, ${found.narrower.length} with fewer columns; ` +
      `slowest read ${found.slowestMs.toFixed(0)} ms`,
  )
}

test('on the regression suite of PostgreSQL itself', {
  timeout: whole ? hour : 240_000,
}, async () => {
  await suite.run(chosen(suite.suite.scripts))
  summary('regression suite', suite.found)
  agrees(suite.found)
  expect(suite.found.compared).toBeGreaterThan(whole ? 20_000 : 3_000)
  // A share of what is understood that only grows.
  expect(suite.found.identical / suite.found.compared).toBeGreaterThan(0.9)
  expect(suite.found.incomplete / suite.found.compared).toBeLessThan(0.08)
})

test('on the statements of our own tests', { timeout: 120_000 }, async () => {
  const found = await ownStatements(suite.server)
  summary('own statements', found)
  agrees(found)
  expect(found.compared).toBeGreaterThan(400)
})
