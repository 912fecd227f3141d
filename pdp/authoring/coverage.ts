import { Failure } from '../commands/io.ts'
import { recordedOf } from '../impact/recorded.ts'
import { membersOf } from './counted.ts'
import { type Listen, type Member, nameOf, type Said } from './members.ts'
import { complaint, type Opa, opa } from './opa.ts'
import type { Rule } from './rules.ts'

/** A rule and where it fired. snake_case: it is printed as JSON. */
export type Covered = Omit<Rule, 'fixed' | 'col'> & {
  /** Questions on record for which it said something. */
  readonly in_production: number
  readonly in_tests: boolean
}

/** Which rules fired where. */
export type Coverage = {
  readonly rules: readonly Covered[]
  /** Decisions that were looked at; questions on which the policies failed. */
  readonly decisions: number
  readonly failed: number
  /** Share of rules that fired, in percent. */
  readonly production_percent: number
  readonly tests_percent: number
  readonly either_percent: number
}

/** Counts, decision by decision, which rules had a say. */
export interface Production {
  /** Takes one line of a record; what is no decision of a policy is left out. */
  line(text: string): void
  counts(): {
    readonly fired: readonly number[]
    readonly decisions: number
    readonly failed: number
  }
}

/** Asks the policies of the folder what was asked then, and reads what the record says besides. */
export function production(rules: readonly Rule[], listen: Listen): Production {
  const fired = rules.map(() => 0)
  let decisions = 0
  let failed = 0

  function heard(input: unknown, atMs: number): readonly Said[] {
    try {
      return listen(input, atMs)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      failed += 1
      return []
    }
  }

  return {
    line(text) {
      const recorded = recordedOf(text)
      if (typeof recorded === 'string') return
      decisions += 1
      const said = heard(recorded.input, recorded.atMs)
      const shown = membersOf(recorded.decision)
      for (const [at, rule] of rules.entries())
        if (said.some((one) => madeBy(rule, one)) || shown.some((one) => showsOnly(rule, one)))
          fired[at] = (fired[at] ?? 0) + 1
    },
    counts: () => ({ fired, decisions, failed }),
  }
}

/** Has everything that the rule writes into its members: rules that differ in less cannot be told apart. */
function madeBy({ policy, set, fixed }: Rule, said: Said): boolean {
  if (policy !== said.policy || set !== said.set) return false
  const { member } = said
  if (typeof member !== 'object' || member === null) return Object.keys(fixed).length === 0
  return Object.entries(fixed).every(([name, value]) => Reflect.get(member, name) === value)
}

/** The record names this rule alone: by its own code, under its own policy. */
function showsOnly({ policy, set, fixed }: Rule, shown: Member): boolean {
  const own = nameOf(set, fixed, '')
  const coded = set === 'allow' || set === 'deny' || set === 'hold'
  return coded && own !== '' && own === shown.name && policy === shown.policy && set === shown.set
}

type Ranges = { readonly covered?: readonly { readonly start: { row: number; col: number } }[] }

/** Which rules the tests of a folder made fire. Throws Failure where the tests do not run. */
export async function coveredByTests(
  from: Opa,
  rules: readonly Rule[],
): Promise<readonly boolean[]> {
  const said = await opa(from, ['test', '--bundle', '.', '--coverage', '--format', 'json'])
  const files = filesIn(said.stdout)
  if (files === undefined)
    throw new Failure(
      `opa could not run the tests:\n${complaint(said).slice(0, complaintCharsMax)}`,
    )
  return rules.map(({ file, row, col }) =>
    (files[file]?.covered ?? []).some(({ start }) => start.row === row && start.col === col),
  )
}

const complaintCharsMax = 4000

function filesIn(text: string): Readonly<Record<string, Ranges>> | undefined {
  try {
    const { files } = JSON.parse(text) as { readonly files?: Readonly<Record<string, Ranges>> }
    return files
  } catch {
    return undefined
  }
}

/** Both in one. */
export function merged(
  rules: readonly Rule[],
  { fired, decisions, failed }: ReturnType<Production['counts']>,
  tested: readonly boolean[],
): Coverage {
  const covered = rules.map(({ fixed: _, col: __, ...rule }, at) => ({
    ...rule,
    in_production: fired[at] ?? 0,
    in_tests: tested[at] === true,
  }))
  const share = (holds: (rule: Covered) => boolean): number =>
    rules.length === 0 ? 0 : Math.round((covered.filter(holds).length * 1000) / rules.length) / 10
  return {
    rules: covered,
    decisions,
    failed,
    production_percent: share((rule) => rule.in_production > 0),
    tests_percent: share((rule) => rule.in_tests),
    either_percent: share((rule) => rule.in_tests || rule.in_production > 0),
  }
}
