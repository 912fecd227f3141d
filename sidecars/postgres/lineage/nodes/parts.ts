import { computed, type Value } from '../../../sql/lineage/value.ts'
import { below, type Kind } from '../../read/ast.ts'
import { type At, type Reading, use } from '../reading.ts'

/** Nodes that may fail, or answer other things, depending on what is inside. */
const partial = new Set<Kind>([
  'JsonAggConstructor',
  'JsonArgument',
  'JsonArrayAgg',
  'JsonArrayConstructor',
  'JsonArrayQueryConstructor',
  'JsonBehavior',
  'JsonFormat',
  'JsonFuncExpr',
  'JsonIsPredicate',
  'JsonKeyValue',
  'JsonObjectAgg',
  'JsonObjectConstructor',
  'JsonOutput',
  'JsonParseExpr',
  'JsonReturning',
  'JsonScalarExpr',
  'JsonSerializeExpr',
  'JsonTableColumn',
  'JsonTablePathSpec',
  'JsonValueExpr',
  'DefElem',
  'GroupingSet',
  'IndexElem',
  'RangeTableFuncCol',
  'ResTarget',
  'SortBy',
  'WindowDef',
  'XmlExpr',
  'XmlSerialize',
])

const lists = new Set<Kind>(['List', 'A_Indices'])

/** A node that comes from all that is in it. */
export function parts(reading: Reading, kind: Kind, body: object, at: At): Value {
  const values: Value[] = []
  below(body, (one) => values.push(reading.expression(one, at)))
  const value = computed(...values)
  if (lists.has(kind)) return value
  if (!partial.has(kind)) reading.facts.doubt(`${kind} is not understood`)
  use(reading, value, 'partial')
  return value
}
