import type { Mask, Output, Rewrite } from '../../../pdp/contract.ts'
import type { Catalogue } from '../catalogue.ts'
import type { Field } from '../rows.ts'
import type { Statement } from '../statement.ts'
import { type Change, covered, masked } from './change.ts'

/** What to do with each cell of a row; undefined leaves it. */
export type Plan = readonly (Change | undefined)[]

/** What a plan is made from. */
export type Planning = {
  readonly statement: Statement
  readonly mask: Mask
  readonly catalogue: Catalogue
  readonly trust: Trust
}

/**
 * What can be believed of a session's statements: everything; only the wire's own origins, once temporary relations
 * may stand in front of the names that were read; nothing, while definitions are changed that the catalogue holds.
 */
export type Trust = 'all' | 'wire' | 'none'

/** What to do with the rows of one result. Undefined when nothing has to be done. */
export function planOf(fields: readonly Field[], planning: Planning): Plan | undefined {
  const told = prediction(planning)
  // SHOW answers a setting, which is nobody's data.
  if (planning.statement.command.name === 'show' && isComplete(planning)) return undefined
  const outputs = told?.length === fields.length ? told : undefined
  const plan = fields.map((field, index) => {
    const origin = planning.trust === 'none' ? undefined : originOf(field, planning.catalogue)
    const treatment = treated(origin, outputs?.[index], planning.mask)
    if (treatment === undefined) return undefined
    return treatment === 'covered' ? covered(field) : masked(treatment, field)
  })
  return plan.some(isDefined) ? plan : undefined
}

/**
 * Where the answer's description contradicts what was read from the statement, in words without data: one of the two
 * is wrong, so that no row may be shown. Undefined where they agree or nothing was foretold.
 */
export function contradiction(fields: readonly Field[], planning: Planning): string | undefined {
  const told = prediction(planning)
  if (told === undefined) return undefined
  if (told.length !== fields.length)
    return `the answer has ${fields.length} columns where ${told.length} were expected`
  for (const [index, field] of fields.entries()) {
    const output = told[index]
    if (output === undefined || output.name !== field.name)
      return `column ${index + 1} of the answer has another name than expected`
    if (isForeign(field, planning.catalogue))
      return `column ${index + 1} of the answer is of a relation that is not known`
    const origin = originOf(field, planning.catalogue)
    if (origin === undefined || origin === 'computed' || origin.name === undefined) continue
    if (!output.sources.includes(origin.name))
      return `column ${index + 1} of the answer is ${origin.name}, which was not expected`
  }
  return undefined
}

/**
 * The same for COPY, which describes no columns: by what was read alone. `unknown` where nothing can be told, which
 * must not be let through.
 */
export function copyPlanOf(planning: Planning, binary: boolean): Plan | 'unknown' | undefined {
  const outputs = prediction(planning)
  if (outputs === undefined) return 'unknown'
  const plan = outputs.map(({ sources, exact }) => {
    const rewrites = sources.map((name) => planning.mask.column(name)).filter(isDefined)
    const [rewrite] = rewrites
    if (rewrite === undefined) return undefined
    const form = { typeOid: typeOf(sources, planning.catalogue), binary }
    const copied = exact && rewrites.every((one) => one === rewrite)
    return copied ? masked(rewrite, form) : covered({ typeOid: 0, binary })
  })
  return plan.some(isDefined) ? plan : undefined
}

const isDefined = <T>(one: T | undefined): one is T => one !== undefined

/** The type these columns share; 0 where they do not, or where that is not known. */
function typeOf(sources: readonly string[], catalogue: Catalogue): number {
  const types = new Set(sources.map((source) => columnType(source, catalogue)))
  const [type = 0] = types
  return types.size === 1 ? type : 0
}

/** Names may hold dots themselves, so every way to take them apart is tried. */
function columnType(source: string, catalogue: Catalogue): number {
  const parts = source.split('.')
  for (let first = 1; first < parts.length - 1; first += 1) {
    for (let second = first + 1; second < parts.length; second += 1) {
      const schema = parts.slice(0, first).join('.')
      const relation = catalogue.relation(parts.slice(first, second).join('.'), schema, [])
      const name = parts.slice(second).join('.')
      const column = relation?.columns.find((one) => one.name === name)
      if (column !== undefined) return column.type
    }
  }
  return 0
}

const isComplete = ({ statement, trust }: Planning): boolean =>
  statement.command.incomplete === undefined && trust === 'all'

function prediction(planning: Planning): readonly Output[] | undefined {
  return isComplete(planning) ? planning.statement.command.outputs : undefined
}

/** Whether the wire names an origin that is not in the catalogue. */
function isForeign({ tableOid, number }: Field, catalogue: Catalogue): boolean {
  if (tableOid === 0 || catalogue.column(tableOid, number) !== undefined) return false
  const relation = catalogue.byOid(tableOid)
  if (relation === undefined) return true
  return number > 0 && !relation.columns.some((one) => one.number === number)
}

type Source = {
  readonly sources: readonly string[]
  readonly exact: boolean
  /** The column itself; undefined for what is in every row and nobody's data. */
  readonly name?: string
}

/** Where the wire says a column comes from: `computed` where it says nothing, undefined where that is not known here. */
function originOf(
  { tableOid, number }: Field,
  catalogue: Catalogue,
): Source | 'computed' | undefined {
  if (tableOid === 0) return 'computed'
  // ctid, xmin and their kind hold no data of anybody.
  if (number < 0) return { sources: [], exact: true }
  if (number === 0) return wholeRow(tableOid, catalogue)
  const origin = catalogue.column(tableOid, number)
  return origin && { ...origin, name: `${origin.relation}.${origin.column}` }
}

/** A row of the relation itself (resorigcol 0, PostgreSQL's markTargetListOrigin) shows what any of its columns does. */
function wholeRow(tableOid: number, catalogue: Catalogue): Source | undefined {
  const { columns } = catalogue.byOid(tableOid) ?? {}
  const origins = columns?.map((one) => catalogue.column(tableOid, one.number))
  if (origins === undefined || !origins.every(isDefined)) return undefined
  return { sources: origins.flatMap((one) => one.sources), exact: false }
}

/**
 * The wire's origin and the statement's own lineage, which may name too many sources but never too few, must both
 * leave a column alone, and both call it a copy. What neither can tell is protected.
 */
function treated(
  origin: Source | 'computed' | undefined,
  output: Output | undefined,
  mask: Mask,
): Rewrite | 'covered' | undefined {
  if (origin === undefined || (origin === 'computed' && output === undefined)) return 'covered'
  const known = origin === 'computed' ? [] : origin.sources
  if (output?.sources.some((name) => !known.includes(name) && mask.column(name) !== undefined))
    return 'covered'
  const rewrites = known.map((name) => mask.column(name)).filter(isDefined)
  const [rewrite] = rewrites
  if (rewrite === undefined) return undefined
  const copied = origin !== 'computed' && origin.exact && output?.exact === true
  return copied && rewrites.every((one) => one === rewrite) ? rewrite : 'covered'
}
