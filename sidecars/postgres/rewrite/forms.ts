import type {
  CopyStmt,
  DefElem,
  Node,
  RangeTableFunc,
  RangeTableFuncCol,
  SelectStmt,
  VariableSetStmt,
} from 'libpg-query'
import { as, word } from '../read/ast.ts'
import type { Write } from './writer.ts'

type Library<T> = (body: T) => string

/** A name that is surely one. */
export const quoted = (name = ''): string => `"${name.replaceAll('"', '""')}"`

/** A string: the gate keeps standard_conforming_strings on. */
const stringed = (text = ''): string => `'${text.replaceAll("'", "''")}'`

/** What is taken of a value: a field, all of them, an element or a slice. */
export function step(node: Node, write: Write): string {
  if (as(node, 'A_Star') !== undefined) return '.*'
  const field = as(node, 'String')
  return field === undefined ? write(node) : `.${quoted(field.sval)}`
}

/** FETCH FIRST … WITH TIES, which the library takes for LIMIT. */
export function withTies(body: SelectStmt, write: Write, library: Library<SelectStmt>): string {
  if (body.limitOption !== 'LIMIT_OPTION_WITH_TIES') return library(body)
  const { limitCount, ...rest } = body
  return `${library({ ...rest, limitOption: 'LIMIT_OPTION_DEFAULT' })} FETCH FIRST (${write(limitCount)}) ROWS WITH TIES`
}

/** XMLTABLE in full. */
export function xmlTable(body: RangeTableFunc, write: Write): string {
  const { lateral, namespaces = [], rowexpr, docexpr, columns = [], alias } = body
  const spaces = namespaces.map((one) => namespace(one, write)).join(', ')
  const list = columns.map(write).join(', ')
  return [
    lateral ? 'LATERAL XMLTABLE(' : 'XMLTABLE(',
    spaces === '' ? '' : `XMLNAMESPACES(${spaces}), `,
    `(${write(rowexpr)}) PASSING (${write(docexpr)}) COLUMNS ${list})`,
    alias === undefined ? '' : ` ${write({ Alias: alias } as Node)}`,
  ].join('')
}

function namespace(node: Node, write: Write): string {
  const { name, val } = as(node, 'ResTarget') ?? {}
  return name === undefined ? `DEFAULT ${write(val)}` : `${write(val)} AS ${quoted(name)}`
}

/** One column of XMLTABLE. */
export function xmlColumn(body: RangeTableFuncCol, write: Write): string {
  if (body.for_ordinality) return `${quoted(body.colname)} FOR ORDINALITY`
  const { colname, typeName, colexpr, coldefexpr, is_not_null: full } = body
  return [
    `${quoted(colname)} ${write({ TypeName: typeName } as Node)}`,
    colexpr === undefined ? '' : ` PATH (${write(colexpr)})`,
    coldefexpr === undefined ? '' : ` DEFAULT (${write(coldefexpr)})`,
    full ? ' NOT NULL' : '',
  ].join('')
}

/** SET with values that the library would not quote, and of time zones as intervals. */
export function setting(
  body: VariableSetStmt,
  write: Write,
  library: Library<VariableSetStmt>,
): string {
  const { kind, name = '', args = [], is_local: local, jumble_args: special } = body
  const zone = special && name === 'timezone'
  if (kind !== 'VAR_SET_VALUE' || args.length === 0 || (special && !zone)) return library(body)
  const values = args.map((one) => (zone ? zoned(one, write) : valued(one, write))).join(', ')
  return `SET ${local ? 'LOCAL ' : ''}${zone ? 'TIME ZONE' : `${quoted(name)} TO`} ${values}`
}

function valued(node: Node, write: Write): string {
  const text = as(node, 'A_Const')?.sval
  return text === undefined ? write(node) : stringed(text.sval)
}

/** `INTERVAL '+01:00' HOUR TO MINUTE`, which no cast can stand for here. */
function zoned(node: Node, write: Write): string {
  const cast = as(node, 'TypeCast')
  if (cast === undefined) return valued(node, write)
  const type = write({
    TypeName: { ...cast.typeName, names: [{ String: { sval: 'interval' } }] },
  } as Node)
  const value = valued(cast.arg ?? ({} as Node), write)
  const fields = /^"?interval"? ?(.*)$/i.exec(type)?.[1] ?? ''
  return fields.startsWith('(') ? `INTERVAL${fields} ${value}` : `INTERVAL ${value} ${fields}`
}

/** Options of COPY without parentheses, as psql and many scripts send them: only so `HEADER` is a truth. */
export function copyAsOnceWritten(
  body: CopyStmt,
  write: Write,
  library: Library<CopyStmt>,
): string {
  const { options = [], whereClause, ...rest } = body
  const list = options.map((one) => as(one, 'DefElem') ?? {})
  if (list.every(({ arg }) => as(arg, 'Boolean') === undefined)) return library(body)
  const where = whereClause === undefined ? '' : ` WHERE ${write(whereClause)}`
  return `${library(rest)} WITH ${list.map(copyOption).join(' ')}${where}`
}

function copyOption({ defname = '', arg }: DefElem): string {
  const name = defname.replaceAll('_', ' ').toUpperCase()
  const columns = as(arg, 'List')?.items
  if (columns !== undefined) return `${name} ${columns.map((one) => quoted(word(one))).join(', ')}`
  if (as(arg, 'A_Star') !== undefined) return `${name} *`
  if (defname === 'format') return word(arg).toUpperCase()
  return as(arg, 'Boolean') === undefined ? `${name} ${stringed(word(arg))}` : name
}
