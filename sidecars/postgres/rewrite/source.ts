import type { Node, RangeVar } from 'libpg-query'
import type { Relation } from '../../sql/catalogue.ts'
import type { Type } from '../../sql/lineage/library.ts'
import { problem } from '../read/limits.ts'
import { parse } from '../read/parser.ts'
import { type Body, column, joined, literal, query, shown, subselect, table } from './build.ts'
import { expression, type Writing } from './filter.ts'
import { charactersMax, modifiers } from './modifier.ts'
import { placeholder } from './placeholder.ts'
import type { Shield } from './shield.ts'
import { bodyOf, inexact, type Work } from './work.ts'

/** Views in views: more is not followed. */
const depthMax = 16
/** text and varchar; a shorter type might not hold the text. */
const textual = new Set([25, 1043])

/** The query that stands for a shielded relation: same columns in the same order, constants in place of what is protected. */
export function source(
  work: Work,
  relation: Relation,
  shield: Shield,
  wanted: { readonly only: boolean; readonly columns?: readonly string[] },
): Node {
  const { columns = relation.columns.map(({ name }) => name) } = wanted
  const from = shield.inlined ? inlined(work, relation) : table(relation, wanted.only)
  const list = columns.map((name) =>
    shield.columns.has(name) ? shown(constant(work, relation, name), name) : shown(column(name)),
  )
  work.replaced += 1
  return query(list, from, filtered(work, relation, shield))
}

/** The same in FROM, known by the name the relation had there. */
export function stand(work: Work, range: RangeVar, relation: Relation, shield: Shield): Node {
  const alias = (range.alias as Body | undefined) ?? { aliasname: range.relname }
  return subselect(source(work, relation, shield, { only: range.inh !== true }), alias)
}

/** What the rows of a relation must fulfil; undefined where all may be seen. */
export function filtered(
  work: Work,
  relation: Relation,
  { filters }: Shield,
  how: Writing = {},
): Node | undefined {
  const written = filters.map((one) => expression(one, relation, work.sealing.library, how))
  return joined('AND_EXPR', written)
}

/** The view's own query, rewritten with the rights of whoever asks; its columns are called as the view calls them. */
function inlined(work: Work, relation: Relation): Node {
  const text = work.sealing.library.view(relation.oid)
  if (work.depth >= depthMax) throw inexact(`${relation.full} is a view of views of views`)
  const node =
    text === undefined || problem(text) !== undefined
      ? undefined
      : parse(text).statements?.[0]?.stmt
  if (node === undefined) throw inexact(`the query of the view ${relation.full} cannot be read`)
  const rewritten = work.view(node)
  if (bodyOf(rewritten, 'SelectStmt') === undefined)
    throw inexact(`the query of the view ${relation.full} is no SELECT`)
  const colnames = relation.columns.map(({ name }) => ({ String: { sval: name } }))
  return subselect(rewritten, { aliasname: relation.name, colnames })
}

/** The constant that stands for a column: of its type, or of what its domain is made of. */
export function constant(work: Work, relation: Relation, name: string): Node {
  const { catalogue, library, mask } = work.sealing
  const found = relation.columns.find((one) => one.name === name)
  const type = found === undefined ? undefined : underlying(library, found.type)
  if (found === undefined || type === undefined)
    throw inexact(`the type of ${relation.full}.${name} is not known`)
  const limited = { ...type, modifiers: modifiers(type.name, found.modifier) }
  if (!textual.has(type.oid)) return literal(undefined, limited)
  const sources = catalogue.column(relation.oid, found.number)?.sources ?? []
  const masks = sources.flatMap((one) => mask.column(one) ?? [])
  if (masks.some(({ method }) => method === 'null')) return literal(undefined, limited)
  const [redact] = masks.filter(({ method }) => method === 'redact')
  // Anything kept of a value would be kept of one that is not read: all other methods become constants, too.
  const text = redact?.text('') ?? placeholder
  const fits = [...text].length <= (charactersMax(found) ?? Number.POSITIVE_INFINITY)
  return literal(fits ? text : undefined, limited)
}

/** A domain may forbid NULL, or the text of a mask: what it is made of does not. */
function underlying(library: Work['sealing']['library'], oid: number): Type | undefined {
  const type = library.type(oid)
  return type?.kind === 'domain' ? underlying(library, type.base) : type
}
