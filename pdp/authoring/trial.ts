import type { Answer, Policy } from '../engine/policy.ts'
import { compiled } from './module.ts'
import { type Entry, withPaths } from './numbered.ts'
import type { Opa } from './opa.ts'
import type { Case, Ending, OpaTest } from './tests.ts'

/** A test, how it ended on WASM, and how with opa. */
export type Tried = Omit<OpaTest, 'ending'> & {
  readonly ending: Ending
  readonly opa: Ending
  /** Both ran it, and ended differently. */
  readonly disagrees: boolean
  readonly ns: number
}

/** Beyond so many, what does not compile is not taken apart any further. */
const buildsMax = 64

/** Runs tests on the engine of gates, and compares. Never throws for a test: that is its result. */
export async function tryTests(from: Opa, tests: readonly OpaTest[]): Promise<readonly Tried[]> {
  const wanted = tests.filter(({ ending }) => ending !== 'skipped')
  const loaded = await withPaths(from, wanted, (source, entries) => loadAll(source, entries))
  return tests.map((test) => {
    const found = loaded.get(test.id)
    if (found === undefined) return { ...test, opa: test.ending, disagrees: false, ns: 0 }
    return typeof found === 'string' ? untried(test, found) : tried(test, found)
  })
}

type Loaded = { readonly policy: Policy; readonly path: string }

/** Every test's policy, or why it has none. */
async function loadAll(
  from: Opa,
  entries: readonly Entry[],
): Promise<ReadonlyMap<string, Loaded | string>> {
  const found = new Map<string, Loaded | string>()
  let builds = 0

  async function load(some: readonly Entry[], lax: boolean): Promise<void> {
    if (some.length === 0) return
    const policy = await built(some, lax)
    for (const { test, path } of some)
      found.set(test.id, typeof policy === 'string' ? policy : { policy, path })
    if (typeof policy !== 'string' || (some.length === 1 && lax)) return
    // First everything without the list of builtins, then halves: what is left alone is to blame.
    const half = lax ? Math.ceil(some.length / 2) : some.length
    await load(some.slice(0, half), true)
    await load(some.slice(half), true)
  }

  async function built(some: readonly Entry[], lax: boolean): Promise<Policy | string> {
    builds += 1
    if (builds > buildsMax)
      return 'too many tests do not compile to take them apart; see the others'
    return compiled(from, { entrypoints: some.map(({ path }) => path), lax }).catch(
      (error: unknown) => (error instanceof Error ? error.message : 'it does not compile'),
    )
  }

  await load(entries, false)
  return found
}

function untried(test: OpaTest, message: string): Tried {
  return { ...test, ending: 'untried', message, opa: test.ending, disagrees: false, ns: 0 }
}

function tried(test: OpaTest, { policy, path }: Loaded): Tried {
  const started = performance.now()
  const answer = policy.query(path, undefined, { nowNs: BigInt(Date.now()) * 1_000_000n })
  const ns = Math.round((performance.now() - started) * 1e6)
  const { message: _, ...rest } = test
  const cases = test.cases.map(({ path: name }) => ({ path: name, ending: caseOf(answer, name) }))
  const ending = endingOf(answer, cases)
  const disagrees = ending !== test.ending || !equal(cases, test.cases)
  const why = messageOf(answer)
  return {
    ...rest,
    ...(why === undefined ? {} : { message: why }),
    cases,
    ending,
    opa: test.ending,
    disagrees,
    ns,
  }
}

function endingOf({ value, problem }: Answer, cases: readonly Case[]): Ending {
  if (problem !== undefined) return 'error'
  if (cases.length > 0) return cases.every(({ ending }) => ending === 'pass') ? 'pass' : 'fail'
  return value === true ? 'pass' : 'fail'
}

function caseOf({ value }: Answer, path: readonly string[]): Ending {
  let at = value
  for (const name of path)
    at =
      typeof at === 'object' && at !== null && Object.hasOwn(at, name)
        ? Reflect.get(at, name)
        : undefined
  return at === true ? 'pass' : 'fail'
}

function messageOf({ problem, broken }: Answer): string | undefined {
  if (problem === undefined || broken === true) return problem
  return `${problem}: opa takes that for undefined, a gate denies with policy_failed`
}

function equal(one: readonly Case[], two: readonly Case[]): boolean {
  return one.every(({ ending }, at) => ending === two[at]?.ending)
}
