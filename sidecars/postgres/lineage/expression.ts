import type { A_Expr, CaseExpr, Node, SubLink } from 'libpg-query'
import { variableNamed } from '../../sql/lineage/scope.ts'
import {
  alsoFrom,
  anything,
  arrayOf,
  computed,
  either,
  isNothing,
  nothing,
  rowOf,
  typed,
  type Value,
} from '../../sql/lineage/value.ts'
import { as, below, open, word, words } from '../read/ast.ts'
import { isTotalOperator } from '../read/builtins.ts'
import { cast } from './casts.ts'
import { constant } from './constants.ts'
import { indirection } from './indirection.ts'
import { invocation } from './invoke.ts'
import { runOperator } from './operators.ts'
import { type At, type Reading, step, use } from './reading.ts'
import { named, reference, whole } from './reference.ts'
import { spread } from './targets.ts'
import { BOOL } from './types.ts'

/** What an expression comes from. Records what it refers to, calls and asks. */
export function expression(reading: Reading, node: Node | undefined, at: At): Value {
  const opened = node === undefined ? undefined : open(node)
  if (opened === undefined) return nothing
  step(reading)
  const { kind, body } = opened
  switch (kind) {
    case 'A_Const':
      return constant(body)
    case 'ColumnRef':
      return column(reading, words(body.fields), at)
    case 'ParamRef':
      return variableNamed(at.scope, [`$${body.number ?? 0}`]) ?? nothing
    case 'A_Indirection':
      return indirection(reading, body, at)
    case 'A_Expr':
      return operation(reading, body, at)
    case 'FuncCall':
      return invocation(reading, body, at).value
    case 'TypeCast':
      return cast(reading, body, at)
    case 'CollateClause':
    case 'NamedArgExpr':
      return expression(reading, body.arg, at)
    case 'CaseExpr':
      return choice(reading, body, at)
    case 'CoalesceExpr':
      return either(...all(reading, body.args, at))
    case 'MinMaxExpr': {
      const values = all(reading, body.args, at)
      for (const one of values) runOperator(reading, '<', one, one)
      return computed(...values)
    }
    case 'A_ArrayExpr':
      return arrayOf(...all(reading, body.elements, at))
    case 'RowExpr':
      return row(reading, body.args, at)
    case 'SubLink':
      return subquery(reading, body, at)
    case 'MultiAssignRef': {
      const source = expression(reading, body.source, at)
      return source.fields?.[(body.colno ?? 1) - 1]?.value ?? computed(source)
    }
    case 'SelectStmt': {
      const columns = reading.query({ SelectStmt: body }, at)
      return columns === undefined ? anything : computed(...columns.map((one) => one.value))
    }
    case 'BoolExpr':
      return typed(computed(...all(reading, body.args, at)), BOOL)
    case 'NullTest':
    case 'BooleanTest':
      return typed(computed(expression(reading, body.arg, at)), BOOL)
    case 'TypeName':
    case 'GroupingFunc':
    case 'SQLValueFunction':
    case 'SetToDefault':
    case 'MergeSupportFunc':
    case 'CurrentOfExpr':
    case 'Alias':
    case 'String':
    case 'Integer':
    case 'Float':
    case 'Boolean':
    case 'BitString':
    case 'A_Star':
      return nothing
  }
  return other(reading, kind, body, at)
}

/** Nodes that may fail, or answer other things, depending on what is inside. */
const partial = new Set<string>([
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

const lists = new Set<string>(['List', 'A_Indices'])

function other(reading: Reading, kind: string, body: object, at: At): Value {
  const values: Value[] = []
  below(body, (one) => values.push(expression(reading, one, at)))
  const value = computed(...values)
  if (lists.has(kind)) return value
  if (!partial.has(kind)) reading.facts.doubt(`${kind} is not understood`)
  use(reading, value, 'partial')
  return value
}

function all(reading: Reading, list: readonly Node[] | undefined, at: At): readonly Value[] {
  return list?.map((one) => expression(reading, one, at)) ?? []
}

function column(reading: Reading, parts: readonly string[], at: At): Value {
  if (parts[parts.length - 1] !== '*') return reference(reading, parts, at)
  // `f(t.*)` is given the row of t.
  const source = parts.length > 1 ? named(at.scope, parts.slice(0, -1)) : undefined
  if (source !== undefined) return whole(reading, source)
  if (parts.length > 1) return reference(reading, parts.slice(0, -1), at)
  return rowOf(
    (at.scope?.items ?? []).flatMap((item) =>
      item.sources.flatMap((one) => whole(reading, one).fields ?? []),
    ),
  )
}

function operation(reading: Reading, body: A_Expr, at: At): Value {
  const name = word(body.name?.[body.name.length - 1])
  const left = body.lexpr === undefined ? undefined : expression(reading, body.lexpr, at)
  const list = as(body.rexpr, 'List')?.items
  const rights = list === undefined ? [expression(reading, body.rexpr, at)] : all(reading, list, at)
  const range = body.kind?.includes('BETWEEN') ? ['>=', '<='] : undefined
  const results = (range ?? [name]).flatMap((operator) =>
    rights.map((right) => compared(reading, operator, body.kind, left, right)),
  )
  const value = computed(...results)
  if (!(range ?? [name]).every(isTotalOperator)) use(reading, value, 'partial')
  if (body.kind === 'AEXPR_NULLIF') return either(left ?? nothing, value)
  const [only] = results
  return results.length === 1 && only !== undefined && !isNothing(only)
    ? only
    : withType(value, only)
}

function withType(value: Value, of: Value | undefined): Value {
  return of?.type === undefined ? value : typed(value, of.type)
}

/** `= ANY (array)` and its kind compare with what the array holds. */
function compared(
  reading: Reading,
  operator: string,
  kind: A_Expr['kind'],
  left: Value | undefined,
  right: Value,
): Value {
  const many = kind === 'AEXPR_OP_ANY' || kind === 'AEXPR_OP_ALL'
  const type =
    right.type === undefined ? 0 : (reading.around.library.type(right.type)?.element ?? 0)
  const beside = many ? typed(computed(right), type || undefined) : right
  return runOperator(reading, operator, left, beside)
}

function choice(reading: Reading, body: CaseExpr, at: At): Value {
  const about = body.arg === undefined ? undefined : expression(reading, body.arg, at)
  const conditions = about === undefined ? [] : [about]
  const results: Value[] = []
  for (const one of body.args ?? []) {
    const when = as(one, 'CaseWhen')
    const condition = expression(reading, when?.expr, at)
    if (about !== undefined) runOperator(reading, '=', about, condition)
    conditions.push(condition)
    results.push(expression(reading, when?.result, at))
  }
  results.push(expression(reading, body.defresult, at))
  const condition = computed(...conditions)
  use(reading, condition, 'predicate')
  return alsoFrom(either(...results), condition)
}

function row(reading: Reading, args: readonly Node[] | undefined, at: At): Value {
  const values = spread(reading, args, at).map((one) => one ?? anything)
  return rowOf(values.map((value, i) => ({ name: `f${i + 1}`, value })))
}

function subquery(reading: Reading, body: SubLink, at: At): Value {
  const test = expression(reading, body.testexpr, at)
  const columns = body.subselect && reading.query(body.subselect, at)
  const [first] = columns ?? []
  switch (body.subLinkType) {
    case 'EXISTS_SUBLINK':
      // What it selects is never worked out; what decides in it is recorded there.
      return nothing
    case 'EXPR_SUBLINK':
      // One that shows several columns is compared, or assigned, as a row.
      if (columns === undefined) return anything
      return columns.length === 1 && first !== undefined ? first.value : rowOf(columns)
    case 'ARRAY_SUBLINK':
      return columns?.length === 1 && first !== undefined ? arrayOf(first.value) : anything
  }
  const operator = word(body.operName?.[body.operName.length - 1]) || '='
  const compared = columns?.map(({ value }, i) =>
    runOperator(reading, operator, test.fields?.[i]?.value ?? test, value),
  ) ?? [anything]
  const value = computed(test, ...compared)
  use(reading, value, 'predicate')
  return typed(value, BOOL)
}
