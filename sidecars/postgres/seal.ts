import type { Allowed, Asking, Mask, Obligation } from '../../pdp/contract.ts'
import { Refusal } from '../../pdp/refusal.ts'
import type { Catalogue } from './catalogue.ts'
import { libraryOf } from './libraries.ts'
import { parse } from './read/parser.ts'
import { type Condition, condition } from './rewrite/filter.ts'
import { isPlaceholder } from './rewrite/placeholder.ts'
import { rewrite } from './rewrite/rewrite.ts'
import type { Run } from './run.ts'
import type { State } from './state.ts'
import type { Statement } from './statement.ts'

/** Texts kept for each set of masks. */
const keptMax = 200

/**
 * The statement as it may run under this ruling: with the text that goes upstream in its place where policy seals it
 * or filters rows. `before` are the statements ahead of it in the same message. Throws Refusal.
 */
export function sealed(
  state: State,
  statement: Statement,
  { ruling, asking, before }: Allowance,
): Statement {
  const { mask, obligations } = ruling
  ownValues(statement, mask, asking.parameters ?? [])
  const plan = planOf(obligations)
  if (plan === undefined || statement.command.name === 'empty') return statement
  if (plan.sealed && state.session.profile !== 'sealed')
    throw new Refusal(
      'unsupported_obligation',
      'policy seals this, and the session is not sealed',
      {
        remedy: 'Connect again.',
      },
    )
  const textOf = (one: Statement): string => rewritten(state, one, mask, plan)
  for (const name of statement.needs) unchanged(state, name, before, textOf)
  return shielded(statement, textOf(statement), plan.sealed ? mask : undefined)
}

export type Allowance = {
  readonly ruling: Allowed
  readonly asking: Asking
  readonly before: readonly Run[]
}

type Plan = {
  readonly sealed: boolean
  readonly filters: ReadonlyMap<string, Condition>
  /** Equal for equal plans. */
  readonly key: string
}

/** What policy asks of rewriting. Throws Refusal for what it does not say clearly. */
function planOf(obligations: readonly Obligation[]): Plan | undefined {
  const seals = obligations.some(
    ({ name, args }) => name === 'profile' && args?.['name'] === 'sealed',
  )
  const rows = obligations.filter(({ name }) => name === 'row_filter')
  if (!seals && rows.length === 0) return undefined
  const filters = new Map<string, Condition>()
  for (const { args } of rows) {
    const relation = args?.['relation']
    if (typeof relation !== 'string')
      throw new Refusal('unsupported_obligation', 'the row filter of policy names no relation')
    const one = condition(args?.['where'])
    const other = filters.get(relation)
    filters.set(relation, other === undefined ? one : { all_of: [other, one] })
  }
  return { sealed: seals, filters, key: JSON.stringify([seals, [...filters]]) }
}

/** One for each decision's masks, gone with them. */
const kept = new WeakMap<Mask, WeakMap<Catalogue, Map<string, string | Refusal>>>()

function rewritten(state: State, { command }: Statement, mask: Mask, plan: Plan): string {
  const catalogue = state.catalogue.current()
  const byCatalogue = kept.get(mask) ?? new WeakMap<Catalogue, Map<string, string | Refusal>>()
  kept.set(mask, byCatalogue)
  const texts = byCatalogue.get(catalogue) ?? new Map<string, string | Refusal>()
  byCatalogue.set(catalogue, texts)
  const { text = '' } = command
  const key = `${plan.key}${state.pathKey}${text}`
  let made = texts.get(key)
  if (made === undefined) {
    made = attempt(state, text, { mask, plan, catalogue })
    if (texts.size >= keptMax) texts.delete(texts.keys().next().value ?? '')
    texts.set(key, made)
  }
  if (typeof made === 'string') return made
  throw made
}

type Around = { readonly mask: Mask; readonly plan: Plan; readonly catalogue: Catalogue }

function attempt(
  { searchPath }: State,
  text: string,
  { mask, plan, catalogue }: Around,
): string | Refusal {
  const library = libraryOf(catalogue)
  const [only, ...others] = parse(text).statements ?? []
  if (library === undefined || only?.stmt === undefined || others.length > 0)
    return new Refusal(
      'mask_impossible',
      'the statement cannot be read, so that it cannot be sealed',
    )
  const { sealed: seals, filters } = plan
  try {
    const made = rewrite(only.stmt, {
      catalogue,
      library,
      searchPath,
      mask,
      sealed: seals,
      filters,
    })
    return made.text ?? new Refusal('mask_impossible', made.problem)
  } catch (error) {
    if (error instanceof Refusal) return error
    // Deeper than this thread's stack.
    if (error instanceof RangeError) return new Refusal('mask_impossible', 'it is too deep to seal')
    throw error
  }
}

/** What is protected was taken out at its source: what is left of it in an answer would be a mistake, and is covered. */
function shielded(statement: Statement, upstream: string, mask: Mask | undefined): Statement {
  const { command } = statement
  if (mask === undefined || command.outputs === undefined) return { ...statement, upstream }
  const outputs = command.outputs.map((one) => ({
    ...one,
    sources: one.sources.filter((source) => mask.column(source) === undefined),
  }))
  return { ...statement, command: { ...command, outputs }, upstream }
}

/** What was prepared or declared under other masks must not run under these. Throws Refusal. */
function unchanged(
  state: State,
  name: string,
  before: readonly Run[],
  textOf: (statement: Statement) => string,
): void {
  const made = madeBefore(before, name) ?? madeEarlier(state, name)
  if (made !== undefined && textOf(made.statement) !== made.upstream) throw outdated()
}

type Made = { readonly statement: Statement; readonly upstream: string | undefined }

function madeBefore(before: readonly Run[], name: string): Made | undefined {
  const run = before.findLast(({ statement: { names } }) =>
    names.some((change) => change.name === name && change.statement !== undefined),
  )
  return run && { statement: run.statement, upstream: run.statement.upstream }
}

function madeEarlier({ prepared, cursors, batch }: State, name: string): Made | undefined {
  const statement = prepared.get(name, batch)
  const cursor = cursors.get(name, batch)
  if (statement === 'unsettled' || cursor === 'unsettled') throw outdated()
  const first = statement?.statements[0]
  if (first !== undefined) return { statement: first, upstream: statement?.upstream }
  return cursor?.statement && { statement: cursor.statement, upstream: cursor.upstream }
}

/** Why a prepared statement must be prepared again. */
export function outdated(): Refusal {
  return new Refusal(
    'mask_impossible',
    'policy has changed what must be masked since this was prepared',
    {
      remedy: 'Prepare the statement, or declare the cursor, again.',
    },
  )
}

/** Whoever writes a mask back would destroy the value it stands for. Throws Refusal. */
function ownValues(
  { command }: Statement,
  mask: Mask,
  parameters: readonly (string | null)[],
): void {
  if (mask.empty || parameters.length === 0) return
  const writes = command.objects.some(
    ({ access, name }) => access === 'write' && mask.touches(name),
  )
  if (writes && parameters.some((value) => value !== null && isPlaceholder(value)))
    throw new Refusal(
      'mask_impossible',
      'a parameter is a mask that stands for a protected value',
      {
        remedy: 'Leave the column out, or send the value itself.',
      },
    )
}
