import type { CommonTableExpr, Node, SelectStmt, WithClause } from 'libpg-query'
import { renamed } from '../../sql/lineage/join.ts'
import { combined, type Fields, settled } from '../../sql/lineage/output.ts'
import { computed, type Field, shaped, type Value } from '../../sql/lineage/value.ts'
import { as, words } from '../read/ast.ts'
import type { At, Ctes, Reading } from './reading.ts'

/** New columns stop coming after as many rounds as there are columns to pass through; this is more than anybody writes. */
const ROUNDS_MAX = 64

/** The place inside a statement that has WITH queries. All of them are read, used or not: they may write. */
export function withQueries(reading: Reading, clause: WithClause | undefined, at: At): At {
  if (clause === undefined) return at
  const list = (clause.ctes ?? []).flatMap((one) => as(one, 'CommonTableExpr') ?? [])
  const ctes = clause.recursive ? recursive(reading, list, at) : inOrder(reading, list, at)
  return { ...at, ctes }
}

function inOrder(reading: Reading, list: readonly CommonTableExpr[], at: At): Ctes | undefined {
  let ctes = at.ctes
  for (const one of list) {
    const columns = shownBy(reading, one, { ...at, ctes })
    ctes = { name: one.ctename ?? '', columns: () => columns, outer: ctes }
  }
  return ctes
}

/** WITH RECURSIVE: all the queries see each other, whatever their order. */
function recursive(reading: Reading, list: readonly CommonTableExpr[], at: At): Ctes | undefined {
  let ctes = at.ctes
  const read = list.map((one) => {
    let known: Fields | 'unread' | 'reading' = 'unread'
    let fed: Fields
    const columns = (): Fields => {
      if (known === 'reading') return fed
      if (known !== 'unread') return known
      known = 'reading'
      const found = rounds(reading, one, { ...at, ctes }, (next) => {
        fed = next
      })
      known = found
      return found
    }
    ctes = { name: one.ctename ?? '', columns, outer: ctes }
    return columns
  })
  for (const columns of read) columns()
  return ctes
}

/** Reads a query that may read itself, feeding it what it showed until nothing new comes. */
function rounds(
  reading: Reading,
  one: CommonTableExpr,
  at: At,
  feed: (columns: Fields) => void,
): Fields {
  const first = firstBranch(one)
  if (first === undefined) return shownBy(reading, one, at)
  // What the whole statement's own WITH says stands in front of the first branch too.
  const inside = withQueries(reading, as(one.ctequery, 'SelectStmt')?.withClause, at)
  let columns = blurred(extended(one, reading.query({ SelectStmt: first }, inside)))
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    feed(columns)
    const next = blurred(combined(columns, shownBy(reading, one, at)))
    if (next === undefined || columns === undefined) return undefined
    if (settled(columns, next)) return next
    columns = next
  }
  reading.facts.doubt('a recursive query goes round too often')
  return undefined
}

function firstBranch(one: CommonTableExpr): SelectStmt | undefined {
  return as(one.ctequery, 'SelectStmt')?.larg
}

/** The parts of a row may change places from round to round: each comes from all that the row comes from. */
function blurred(columns: Fields): Fields {
  return columns?.map(({ name, value }) => ({ name, value: blur(value) }))
}

function blur(value: Value): Value {
  if (value.fields === undefined && value.element === undefined) return value
  const part = computed(value)
  const { sources, copy, unknown } = value
  const plain = { sources, copy, depth: 0, ...(unknown === undefined ? {} : { unknown }) }
  return shaped(
    plain,
    value.fields?.map(({ name }) => ({ name, value: part })),
    value.element && part,
  )
}

function shownBy(reading: Reading, one: CommonTableExpr, at: At): Fields {
  const query: Node | undefined = one.ctequery
  return extended(one, query && reading.query(query, at))
}

/** The columns under the names the WITH gives them, and those SEARCH and CYCLE add. */
function extended(one: CommonTableExpr, columns: Fields): Fields {
  if (columns === undefined) return undefined
  const own = renamed(columns, words(one.aliascolnames))
  const from = (names: readonly string[]): Value =>
    computed(...own.filter((field) => names.includes(field.name)).map((field) => field.value))
  const added: Field[] = []
  const { search_clause: search, cycle_clause: cycle } = one
  if (search !== undefined) {
    added.push({ name: search.search_seq_column ?? '', value: from(words(search.search_col_list)) })
  }
  if (cycle !== undefined) {
    const value = from(words(cycle.cycle_col_list))
    added.push({ name: cycle.cycle_mark_column ?? '', value })
    added.push({ name: cycle.cycle_path_column ?? '', value })
  }
  return [...own, ...added]
}
