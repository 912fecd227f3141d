import type { MultiAssignRef } from 'libpg-query'
import { variableNamed } from '../../../sql/lineage/scope.ts'
import { computed, nothing, rowOf, type Value } from '../../../sql/lineage/value.ts'
import { words } from '../../read/ast.ts'
import { indirection } from '../indirection.ts'
import type { At, Reading } from '../reading.ts'
import { named, reference, whole } from '../reference.ts'
import type { Handlers } from './handlers.ts'

/** What names something that is there already: columns, parameters, and parts of them. */
export const columns: Handlers = {
  ColumnRef: (reading, body, at) => column(reading, words(body.fields), at),
  ParamRef: (_, body, at) => variableNamed(at.scope, [`$${body.number ?? 0}`]) ?? nothing,
  A_Indirection: indirection,
  MultiAssignRef: assigned,
  CollateClause: (reading, body, at) => reading.expression(body.arg, at),
  NamedArgExpr: (reading, body, at) => reading.expression(body.arg, at),
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

/** One of `SET (a, b) = (…)`. */
function assigned(reading: Reading, body: MultiAssignRef, at: At): Value {
  const source = reading.expression(body.source, at)
  return source.fields?.[(body.colno ?? 1) - 1]?.value ?? computed(source)
}
