import type { Node, ResTarget } from 'libpg-query'
import type { Fields } from '../../sql/lineage/output.ts'
import type { Field, Value } from '../../sql/lineage/value.ts'
import { as, word, words } from '../read/ast.ts'
import { label } from '../read/labels.ts'
import { type At, COLUMNS_MAX, type Reading } from './reading.ts'
import { star } from './reference.ts'

/** Output columns of a select list or RETURNING; undefined where their number cannot be told. */
export function targets(reading: Reading, list: readonly Node[] | undefined, at: At): Fields {
  const columns: Field[] = []
  let known = true
  for (const one of list ?? []) {
    const target = as(one, 'ResTarget')
    const some = target === undefined ? undefined : shown(reading, target, at)
    if (some === undefined || columns.length + some.length > COLUMNS_MAX) known = false
    else columns.push(...some)
  }
  if (!known) reading.facts.doubt('the columns shown are not known')
  return known ? columns : undefined
}

function shown(reading: Reading, body: ResTarget, at: At): Fields {
  const { val: value } = body
  if (value === undefined) return undefined
  const all = starred(reading, value, at)
  if (all !== 'one value') return all
  return [{ name: body.name ?? label(value), value: reading.expression(value, at) }]
}

/** What `*`, `t.*` and `(row).*` stand for; anything else is one value. */
export function starred(reading: Reading, node: Node, at: At): Fields | 'one value' {
  const parts = words(as(node, 'ColumnRef')?.fields)
  if (parts[parts.length - 1] === '*') return star(reading, parts.slice(0, -1), at)
  const body = as(node, 'A_Indirection')
  const steps = body?.indirection ?? []
  if (word(steps[steps.length - 1]) !== '*') return 'one value'
  const row = { A_Indirection: { ...body, indirection: steps.slice(0, -1) } } as Node
  return reading.expression(row, at).fields
}

/** The values of a list, each star being those it stands for; one undefined where it cannot be told how many. */
export function spread(
  reading: Reading,
  list: readonly Node[] | undefined,
  at: At,
): readonly (Value | undefined)[] {
  return (list ?? []).flatMap((one) => {
    const fields = starred(reading, one, at)
    if (fields === 'one value') return [reading.expression(one, at)]
    return fields === undefined ? [undefined] : fields.map((field) => field.value)
  })
}
