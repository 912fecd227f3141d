/** What came out over many statements, counted by what they were made of and why they were refused. */
import type { Command } from '../../pdp/contract.ts'
import type { ColumnUse } from '../../sidecars/sql/lineage/roles.ts'
import { errorOf, reasonOf, refused, visible } from './client.ts'
import { featuresOf } from './features.ts'

/** Two answers of the gate that differ. */
export type Leak = {
  readonly texts: readonly string[]
  readonly mode: string
  readonly text: string
  readonly a: string
  readonly b: string
}

/** How statements of one kind fared. */
export type Share = {
  statements: number
  /** Answered as the server itself would. */
  passed: number
  /** Answered, but not as the server itself would. */
  masked: number
  refused: number
  /** Masked or refused although the server's own answers are the same. */
  maskedNeedlessly: number
  refusedNeedlessly: number
}

/** Only ever grows. */
export type Outcome = {
  /** Said through the gate. */
  statements: number
  readonly all: Share
  readonly byFeature: Map<string, Share>
  readonly byReason: Map<string, Share>
  readonly leaks: Leak[]
  /** Differed only because the files under the databases did by then. */
  drifted: number
  /** Where the gate failed, or ended the session. */
  readonly broken: string[]
  /** What the server itself answers tells the variants apart. */
  differing: number
  /** The server does not run it either. */
  failing: number
}

const share = (): Share => ({
  statements: 0,
  passed: 0,
  masked: 0,
  refused: 0,
  maskedNeedlessly: 0,
  refusedNeedlessly: 0,
})

/** Starts with nothing seen. */
export function outcome(): Outcome {
  return {
    statements: 0,
    all: share(),
    byFeature: new Map(),
    byReason: new Map(),
    leaks: [],
    drifted: 0,
    broken: [],
    differing: 0,
    failing: 0,
  }
}

/** What both variants answered. */
export type Answers = readonly [a: readonly Buffer[], b: readonly Buffer[]]

export type Weighed = {
  readonly text: string
  readonly gate: readonly Buffer[]
  /** What the server itself says. */
  readonly raw: Answers
  /** How the gate read it. */
  readonly command: Command | undefined
}

/** Counts one statement that tells the variants not apart. */
export function weigh(total: Outcome, { text, gate, raw: [rawA, rawB], command }: Weighed): void {
  const same = visible(rawA) === visible(rawB)
  const fails = errorOf(rawA) !== undefined
  if (!same) total.differing += 1
  if (fails) total.failing += 1
  const needless = same && !fails
  const no = refused(gate)
  const how = no ? 'refused' : visible(gate) === visible(rawA) ? 'passed' : 'masked'
  const kinds = featuresOf(text).map((name) => of(total.byFeature, name))
  const reasons = no ? [of(total.byReason, reason(gate, command))] : []
  for (const one of [total.all, ...kinds, ...reasons]) {
    one.statements += 1
    one[how] += 1
    if (needless && how !== 'passed') one[`${how}Needlessly`] += 1
  }
}

function of(map: Map<string, Share>, name: string): Share {
  const known = map.get(name)
  if (known !== undefined) return known
  const made = share()
  map.set(name, made)
  return made
}

/** The code, with what the columns it names are used for, or the words without what differs from one to the next. */
function reason(frames: readonly Buffer[], command: Command | undefined): string {
  const { code, words } = reasonOf(frames)
  if (code !== 'protected_predicate')
    return `${code}: ${words.replace(/[\w.]+\(\)|"[^"]*"|\b\w+\.[\w.]+/g, '_')}`
  const named = words.slice(words.lastIndexOf(': ') + 2).split(', ')
  const columns = (command?.['sql'] as { columns?: readonly ColumnUse[] } | undefined)?.columns
  const roles = new Set(
    columns?.filter((one) => named.includes(one.name)).flatMap((one) => one.roles),
  )
  const first = decisive.find((role) => roles.has(role)) ?? 'it runs something prepared'
  return `${code}: ${first}${first === 'partial' && roles.has('inside') ? ', in a view or a function' : ''}`
}

/** What a column that decides is used for, first what the statement's author sees most easily. */
const decisive =
  'predicate equality null_test join group sort distinct set_operation window written_from limit argument partial inside'.split(
    ' ',
  ) as readonly ColumnUse['roles'][number][]
