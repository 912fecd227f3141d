import type { Node } from 'libpg-query'
import { open, word } from './ast.ts'

/** The name PostgreSQL gives to an unnamed output column (FigureColname in parse_target.c). */
export function label(node: Node): string {
  return figure(node)?.name ?? '?column?'
}

type Figure = { readonly name: string; readonly strong: boolean }

const strong = (name: string): Figure => ({ name, strong: true })

const fixed: Readonly<Record<string, string>> = {
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  CoalesceExpr: 'coalesce',
  XmlSerialize: 'xmlserialize',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
}

function figure(node: Node | undefined): Figure | undefined {
  const opened = node === undefined ? undefined : open(node)
  if (opened === undefined) return undefined
  const { kind, body } = opened
  switch (kind) {
    case 'ColumnRef':
      return lastName(body.fields)
    case 'A_Indirection':
      return lastName(body.indirection) ?? figure(body.arg)
    case 'FuncCall':
      return lastName(body.funcname)
    case 'A_Expr':
      return body.kind === 'AEXPR_NULLIF' ? strong('nullif') : undefined
    case 'TypeCast': {
      const inner = figure(body.arg)
      if (inner?.strong) return inner
      return { name: word(body.typeName?.names?.[body.typeName.names.length - 1]), strong: false }
    }
    case 'CollateClause':
      return figure(body.arg)
    case 'CaseExpr': {
      const inner = figure(body.defresult)
      return inner?.strong ? inner : { name: 'case', strong: false }
    }
    case 'MinMaxExpr':
      return strong(body.op === 'IS_LEAST' ? 'least' : 'greatest')
    case 'SQLValueFunction':
      return strong((body.op ?? '').replace(/^SVFOP_|_N$/g, '').toLowerCase())
    case 'XmlExpr':
      if (body.op === 'IS_DOCUMENT') return undefined
      return strong((body.op ?? '').replace('IS_', '').toLowerCase())
    case 'JsonFuncExpr':
      return strong((body.op ?? '').replace('_OP', '').toLowerCase())
    case 'SubLink':
      return link(body.subLinkType, body.subselect)
  }
  const name = fixed[kind]
  return name === undefined ? undefined : strong(name)
}

function lastName(list: readonly Node[] | undefined): Figure | undefined {
  const named = list?.map(word).filter((one) => one !== '' && one !== '*') ?? []
  const name = named[named.length - 1]
  return name === undefined ? undefined : strong(name)
}

function link(type: string | undefined, query: Node | undefined): Figure | undefined {
  if (type === 'EXISTS_SUBLINK') return strong('exists')
  if (type === 'ARRAY_SUBLINK') return strong('array')
  if (type !== 'EXPR_SUBLINK' || query === undefined || !('SelectStmt' in query)) return undefined
  let select = query.SelectStmt
  while (select.larg !== undefined) select = select.larg
  if (select.valuesLists !== undefined) return strong('column1')
  const first = select.targetList?.[0]
  if (first === undefined || !('ResTarget' in first)) return undefined
  const { name, val } = first.ResTarget
  return name === undefined ? figure(val) : strong(name)
}
