import type { Node } from 'libpg-query'

/** The inside of a node, as the parser writes it: what has its default value is left out. */
export type Body = { readonly [field: string]: unknown }

/** A name, as lists of names hold it. */
export function name(sval: string): Node {
  return { String: { sval } }
}

/** A reference to a column. */
export function column(...parts: readonly string[]): Node {
  return { ColumnRef: { fields: parts.map(name) } }
}

/** One thing a query shows; `as` where it is not called that already. */
export function shown(val: Node, as?: string): Node {
  return { ResTarget: as === undefined ? { val } : { name: as, val } }
}

/** A type as the catalogue knows it, with what stands in parentheses after it. */
export type Named = {
  readonly schema: string
  readonly name: string
  readonly modifiers?: readonly Node[]
}

/** A literal of a type, NULL where there is no text for it. */
export function literal(text: string | undefined, type: Named): Node {
  return cast({ A_Const: text === undefined ? { isnull: true } : { sval: string(text) } }, type)
}

/** An expression turned into a type. */
export function cast(arg: Node, { schema, name: last, modifiers = [] }: Named): Node {
  const limits = modifiers.length === 0 ? {} : { typmods: [...modifiers] }
  return {
    TypeCast: { arg, typeName: { names: [name(schema), name(last)], ...limits, typemod: -1 } },
  }
}

/** A stored relation in FROM, by its full name. */
export function table(relation: { readonly schema: string; readonly name: string }, only = false) {
  return {
    RangeVar: {
      schemaname: relation.schema,
      relname: relation.name,
      ...(only ? {} : { inh: true }),
      relpersistence: 'p',
    },
  } satisfies Node
}

/** A query over one source. Its condition is worked out before any that is put around it: OFFSET is a fence to the planner. */
export function query(targetList: Node[], source: Node, where?: Node): Node {
  return {
    SelectStmt: {
      targetList,
      fromClause: [source],
      ...(where === undefined
        ? { limitOption: 'LIMIT_OPTION_DEFAULT' }
        : { whereClause: where, limitOffset: zero, limitOption: 'LIMIT_OPTION_COUNT' }),
      op: 'SETOP_NONE',
    },
  }
}

/** A query in FROM, under the alias that everything else knows it by. */
export function subselect(subquery: Node, alias: Body): Node {
  return { RangeSubselect: { subquery, alias } }
}

/** An operator of PostgreSQL's own between two expressions. */
export function operation(operator: string, lexpr: Node, rexpr: Node): Node {
  return {
    A_Expr: { kind: 'AEXPR_OP', name: [name('pg_catalog'), name(operator)], lexpr, rexpr },
  }
}

/** The second only where the first is true: AND may work out either first, and fail for rows that nobody may see. */
export function guarded(first: Node, second: Node | undefined): Node {
  if (second === undefined) return first
  const when: Node = { CaseWhen: { expr: first, result: second } }
  return { CaseExpr: { args: [when] } }
}

const zero: Node = { A_Const: { ival: {} } }

/** One thing where a condition is true, and another where it is false or unknown. */
export function either(condition: Node, result: Node, otherwise: Node): Node {
  const when: Node = { CaseWhen: { expr: condition, result } }
  return { CaseExpr: { args: [when], defresult: otherwise } }
}

/** A call of one of PostgreSQL's own functions. */
export function call(functionName: string, ...args: Node[]): Node {
  return {
    FuncCall: {
      funcname: [name('pg_catalog'), name(functionName)],
      args,
      funcformat: 'COERCE_EXPLICIT_CALL',
    },
  }
}

/** All of them, or any of them; the only one where there is one. */
export function joined(boolop: 'AND_EXPR' | 'OR_EXPR', args: readonly Node[]): Node | undefined {
  return args.length < 2 ? args[0] : { BoolExpr: { boolop, args: [...args] } }
}

/** The parser leaves out what is empty. */
const string = (sval: string) => (sval === '' ? {} : { sval })
