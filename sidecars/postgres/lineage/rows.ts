import type { JsonTable, Node, RangeFunction, RangeTableFunc, TypeName } from 'libpg-query'
import { aliased, renamed } from '../../sql/lineage/join.ts'
import { type Item, itemOf, type Source } from '../../sql/lineage/scope.ts'
import { computed, type Field, nothing, type Value } from '../../sql/lineage/value.ts'
import { as, below, words } from '../read/ast.ts'
import { label } from '../read/labels.ts'
import type { Answer } from './answers.ts'
import { answerOf } from './invoke.ts'
import { type At, type Reading, use } from './reading.ts'
import { checked } from './standing.ts'
import { ofType, typeOf } from './types.ts'

/** Functions in FROM, alone or side by side in ROWS FROM. */
export function functionRows(reading: Reading, body: RangeFunction, at: At): Item {
  const calls = (body.functions ?? []).map((one) => as(one, 'List')?.items ?? [])
  const alias = body.alias?.aliasname
  const columns: Field[] = []
  let open: Value | undefined
  let scalar = calls.length === 1 && !body.ordinality
  for (const [call, definitions] of calls) {
    if (call === undefined) continue
    const answer = answerOf(reading, call, at)
    const list = as(definitions, 'List')?.items ?? body.coldeflist
    const own =
      list === undefined
        ? columnsOf(answer, nameOf(answer, call, alias, calls.length))
        : defined(reading, list, answer.value)
    if (own === undefined) open = answer.value
    else columns.push(...own)
    scalar &&= list === undefined && answer.columns === undefined
  }
  if (open !== undefined) reading.facts.doubt('the columns of a function are not known')
  if (body.ordinality) columns.push({ name: 'ordinality', value: nothing })
  const [first] = calls[0] ?? []
  return itemOf({
    alias: alias ?? (first === undefined ? undefined : label(first)),
    columns: renamed(columns, words(body.alias?.colnames)),
    ...(open === undefined ? {} : { open }),
    ...(scalar && open === undefined ? { scalar: true as const } : {}),
  } satisfies Source)
}

/** A function of one column names it by its OUT parameter, else by the alias, else by its own name. */
function nameOf(answer: Answer, call: Node, alias: string | undefined, count: number): string {
  return answer.name ?? (count === 1 ? alias : undefined) ?? label(call)
}

function columnsOf(answer: Answer, name: string): readonly Field[] | undefined {
  if (answer.columns !== undefined) return answer.columns
  return answer.record ? undefined : [{ name, value: answer.value }]
}

/** `AS t (a int, b text)`: the statement says what the rows have. */
function defined(reading: Reading, list: readonly Node[], from: Value): readonly Field[] {
  return list.map((one) => {
    const column = as(one, 'ColumnDef')
    const type = typeOf(reading, column?.typeName)
    const value = computed(from)
    if (type !== undefined) checked(reading, type.oid, value)
    return {
      name: column?.colname ?? '',
      value: type === undefined ? value : ofType(reading.around, value, type.oid),
    }
  })
}

/** XMLTABLE and JSON_TABLE: every column may come from all that goes in. */
export function tableRows(reading: Reading, body: RangeTableFunc | JsonTable, at: At): Item {
  const values: Value[] = []
  below({ ...body, alias: undefined }, (one) => values.push(reading.expression(one, at)))
  const from = computed(...values)
  use(reading, from, 'limit')
  use(reading, from, 'partial')
  for (const one of typesIn(body.columns ?? [])) {
    const type = typeOf(reading, one)
    if (type !== undefined) checked(reading, type.oid, from)
  }
  const columns = names(body.columns ?? []).map((name) => ({ name, value: from }))
  const item = itemOf({ alias: undefined, columns })
  const kind = 'docexpr' in body ? 'xmltable' : 'json_table'
  return aliased(item, body.alias?.aliasname ?? kind, words(body.alias?.colnames))
}

function typesIn(list: readonly Node[]): readonly TypeName[] {
  return list.flatMap((one) => {
    const nested = as(one, 'JsonTableColumn')
    if (nested?.columns !== undefined) return typesIn(nested.columns)
    return nested?.typeName ?? as(one, 'RangeTableFuncCol')?.typeName ?? []
  })
}

/** Names of columns, nested ones among the others in the order they are written. */
function names(list: readonly Node[]): readonly string[] {
  return list.flatMap((one) => {
    const nested = as(one, 'JsonTableColumn')
    if (nested?.columns !== undefined) return names(nested.columns)
    return [nested?.name ?? as(one, 'RangeTableFuncCol')?.colname ?? '']
  })
}
