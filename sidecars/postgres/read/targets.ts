import type { Node, ResTarget } from 'libpg-query'
import { as, below, open, word, words } from './ast.ts'
import type { Item } from './from.ts'
import { label } from './labels.ts'
import { type At, COLUMNS_MAX, type Columns, type Reading, type Shown } from './reading.ts'

/** Output columns of a list of targets, such as a select list or RETURNING. */
export function targets(
  reading: Reading,
  list: readonly Node[] | undefined,
  item: Item,
  at: At,
): Columns {
  const columns: Shown[] = []
  let known = true
  for (const one of list ?? []) {
    const target = as(one, 'ResTarget')
    const some = target === undefined ? undefined : targetColumns(reading, target, item, at)
    if (some === undefined || columns.length + some.length > COLUMNS_MAX) known = false
    else columns.push(...some)
  }
  return known ? columns : undefined
}

function targetColumns(reading: Reading, body: ResTarget, item: Item, at: At): Columns {
  const { names } = reading
  const parts = words(as(body.val, 'ColumnRef')?.fields)
  if (parts[parts.length - 1] === '*') return star(reading, parts, item, at)
  const before = names.mark()
  const opaque = reading.opaque
  reading.opaque = false
  reading.expression(body.val, at)
  const refs = names.since(before)
  const plain = parts.length > 0 || (refs.length === 0 && !reading.opaque && isSimple(body.val))
  reading.opaque ||= opaque
  // `(row).*` shows as many columns as the row has.
  const indirection = as(body.val, 'A_Indirection')?.indirection
  if (word(indirection?.[indirection.length - 1]) === '*') {
    names.expectAny()
    return undefined
  }
  return [{ name: body.name ?? (body.val === undefined ? '' : label(body.val)), refs, plain }]
}

/** Holds no query of its own: what it refers to is all that goes in. */
function isSimple(node: Node | undefined): boolean {
  if (node === undefined) return true
  if (as(node, 'SubLink') !== undefined) return false
  let simple = true
  below(open(node)?.body, (one) => {
    simple &&= isSimple(one)
  })
  return simple
}

function star(reading: Reading, parts: readonly string[], item: Item, at: At): Columns {
  const { names } = reading
  if (parts.length === 1) {
    const columns = item.columns()
    if (columns === undefined || at.place === 'decides') {
      const all = names.star(item.entries, item.open)
      if (at.place === 'decides') names.decide([all, ...(columns ?? []).flatMap((one) => one.refs)])
    }
    return columns
  }
  const alias = parts[parts.length - 2] ?? ''
  const ref = names.use([alias, '*'])
  if (at.place === 'decides') names.decide([ref])
  const own = item.entries.filter((one) => one.alias === alias)
  if (own.length !== 1 || own[0] === undefined) return undefined
  const [entry] = own
  return entry.columns.map((name) => ({ name, refs: [names.use([alias, name])], plain: true }))
}

/** Names the outside can use for what this query puts out. */
export function given({ names }: Reading, columns: Columns): void {
  for (const one of columns ?? []) {
    const own =
      one.refs.length === 1 && one.refs[0]?.parts[one.refs[0].parts.length - 1] === one.name
    // A column under its own name is found by that name already.
    if (!own) names.gives(one.name, one.refs)
  }
}
