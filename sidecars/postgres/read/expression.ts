import type { A_Expr, ColumnRef, FuncCall, Node, SubLink, TypeName } from 'libpg-query'
import { as, below, open, word, words } from './ast.ts'
import { isTotalOperator } from './builtins.ts'
import { call, isSomebodys, runsNamed } from './calls.ts'
import { type At, deciding, type Reading } from './reading.ts'

/** Nodes that only hold others: what is inside stays where it is. */
const plain = new Set<string>([
  'A_Const',
  'A_ArrayExpr',
  'A_Indices',
  'A_Star',
  'BoolExpr',
  'BooleanTest',
  'CoalesceExpr',
  'CollateClause',
  'DefElem',
  'Float',
  'GroupingFunc',
  'Integer',
  'Boolean',
  'BitString',
  'List',
  'MergeSupportFunc',
  'MinMaxExpr',
  'MultiAssignRef',
  'NamedArgExpr',
  'NullTest',
  'ParamRef',
  'RowExpr',
  'SQLValueFunction',
  'SetToDefault',
  'String',
  'CurrentOfExpr',
])

/** Nodes that may fail, or answer other things, depending on what is inside: it decides. */
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
  'GroupingSet',
  'IndexElem',
  'RangeTableFuncCol',
  'ResTarget',
  'SortBy',
  'WindowDef',
  'XmlExpr',
  'XmlSerialize',
])

const textTypes = new Set(['text', 'varchar'])

/** Records what an expression refers to, calls and asks. */
export function expression(reading: Reading, node: Node | undefined, at: At): void {
  const opened = node === undefined ? undefined : open(node)
  if (opened === undefined) return
  const { kind, body } = opened
  switch (kind) {
    case 'ColumnRef':
      column(reading, body, at)
      return
    case 'A_Expr':
      operation(reading, body, at)
      return
    case 'FuncCall':
      functionCall(reading, body, at)
      return
    case 'TypeCast':
      cast(reading, body.arg, body.typeName, at)
      return
    case 'TypeName':
      typeName(reading, body)
      return
    case 'SubLink':
      subquery(reading, body, at)
      return
    case 'SelectStmt':
      reading.query({ SelectStmt: body }, deciding(at))
      return
    case 'A_Indirection':
      fields(reading, body.indirection)
      below(body, (one) => expression(reading, one, at))
      return
    case 'CaseExpr':
      if (body.arg !== undefined) operator(reading, '=')
      expression(reading, body.arg, deciding(at))
      expression(reading, body.defresult, at)
      for (const one of body.args ?? []) {
        expression(reading, as(one, 'CaseWhen')?.expr, deciding(at))
        expression(reading, as(one, 'CaseWhen')?.result, at)
      }
      return
  }
  if (plain.has(kind)) {
    below(body, (one) => expression(reading, one, at))
    return
  }
  if (!partial.has(kind)) reading.facts.doubt(`${kind} is not understood`)
  below(body, (one) => expression(reading, one, deciding(at)))
}

function column(reading: Reading, body: ColumnRef, at: At): void {
  const parts = words(body.fields)
  const last = parts[parts.length - 1] ?? ''
  // `t.f` calls f(t) where t has no such column.
  if (parts.length > 1 && last !== '*' && isSomebodys(reading, last)) {
    call(reading, { name: last, schema: undefined, args: [], argumentsCount: 1 })
  }
  const ref = reading.names.use(parts)
  if (at.place === 'decides') reading.names.decide([ref])
}

function fields(reading: Reading, indirection: readonly Node[] | undefined): void {
  for (const one of indirection ?? []) {
    const name = as(one, 'String')?.sval
    if (name !== undefined && isSomebodys(reading, name)) {
      call(reading, { name, schema: undefined, args: [], argumentsCount: 1 })
    }
  }
}

function operation(reading: Reading, body: A_Expr, at: At): void {
  const name = word(body.name?.[body.name.length - 1])
  const range = body.kind === 'AEXPR_BETWEEN' || body.kind === 'AEXPR_BETWEEN_SYM'
  const implied = range || name.includes('BETWEEN') ? ['>=', '<=', '<', '>'] : [name]
  for (const one of implied) operator(reading, one)
  const inside = implied.every(isTotalOperator) ? at : deciding(at)
  expression(reading, body.lexpr, inside)
  expression(reading, body.rexpr, inside)
}

function operator(reading: Reading, name: string): void {
  for (const one of reading.around.catalogue.operators(name)) runsNamed(reading, one)
}

function functionCall(reading: Reading, body: FuncCall, at: At): void {
  const name = words(body.funcname)
  const args = body.args ?? []
  const inert = call(reading, {
    name: name[name.length - 1] ?? '',
    schema: name[name.length - 2],
    args,
    argumentsCount: args.length + (body.agg_within_group ? (body.agg_order?.length ?? 0) : 0),
  })
  const inside = inert && body.agg_distinct !== true ? at : deciding(at)
  for (const one of args) expression(reading, one, inside)
  for (const one of body.agg_order ?? []) expression(reading, one, deciding(at))
  expression(reading, body.agg_filter, deciding(at))
  below(body.over, (one) => expression(reading, one, deciding(at)))
}

function cast(reading: Reading, arg: Node | undefined, type: TypeName | undefined, at: At): void {
  if (type !== undefined) typeName(reading, type)
  const name = word(type?.names?.[type.names.length - 1])
  const whole =
    textTypes.has(name) && type?.typmods === undefined && type?.arrayBounds === undefined
  expression(reading, arg, whole ? at : deciding(at))
}

function typeName(reading: Reading, type: TypeName): void {
  const name = word(type.names?.[type.names.length - 1])
  for (const one of reading.around.catalogue.casts(name)) runsNamed(reading, one)
}

function subquery(reading: Reading, body: SubLink, at: At): void {
  expression(reading, body.testexpr, deciding(at))
  operator(reading, word(body.operName?.[body.operName.length - 1]) || '=')
  // What EXISTS selects is never worked out; the rest of its query decides anyway.
  const place = body.subLinkType === 'EXISTS_SUBLINK' ? 'output' : 'decides'
  if (body.subselect !== undefined) reading.query(body.subselect, { ...at, place })
}
