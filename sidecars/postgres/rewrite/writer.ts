import type { Node } from 'libpg-query'
import { Deparser } from 'pgsql-deparser'
import type { Kind, Nodes } from '../read/ast.ts'
import { copyAsOnceWritten, quoted, setting, step, withTies, xmlColumn, xmlTable } from './forms.ts'

/** Writes a statement out. The library has gaps: what comes of it must be read again and compared. Throws on some of them. */
export function written(statement: Node): string {
  return deparser.deparse(statement as never) ?? ''
}

/** Writes what is inside of a body. */
export type Write = (node: Node | undefined) => string

/** Writes one kind of node, given how the library would write a body of that kind. */
type Writer<K extends Kind> = (
  body: Nodes[K],
  write: Write,
  library: (body: Nodes[K]) => string,
) => string

/** Where the library leaves something out, or writes something else. */
const corrections: { readonly [K in Kind]?: Writer<K> } = {
  // It drops the schema of built-in types, which a search path could then replace.
  TypeCast: ({ arg, typeName }, write) =>
    typeName === undefined ? '' : `CAST(${write(arg)} AS ${write({ TypeName: typeName } as Node)})`,
  A_Indirection: ({ arg, indirection = [] }, write) =>
    `(${write(arg)})${indirection.map((one) => step(one, write)).join('')}`,
  RangeTableFunc: xmlTable,
  RangeTableFuncCol: xmlColumn,
  SelectStmt: withTies,
  VariableSetStmt: setting,
  CopyStmt: copyAsOnceWritten,
  TransactionStmt: (body, _, library) => `${library(body)}${body.chain ? ' AND CHAIN' : ''}`,
  PrepareStmt: (body, _, library) => library({ ...body, name: quoted(body.name) }),
  ExecuteStmt: (body, _, library) => library({ ...body, name: quoted(body.name) }),
  DeallocateStmt: (body, _, library) =>
    library(body.isall ? body : { ...body, name: quoted(body.name) }),
  Constraint: (body, write, library) =>
    `${library(body)}${body.including === undefined ? '' : ` INCLUDE (${body.including.map(write).join(', ')})`}`,
  RefreshMatViewStmt: ({ relation, ...rest }, write, library) => {
    const name = write(relation && ({ RangeVar: relation } as Node))
    const [before, after] = library(rest).split(' WITH ')
    return `${before} ${name}${after === undefined ? '' : ` WITH ${after}`}`
  },
}

/** It keeps nothing between two statements. */
const deparser = corrected()

function corrected(): Deparser {
  const made = new Deparser([], { pretty: false })
  const methods = made as unknown as Record<string, (body: unknown, context: unknown) => string>
  for (const [kind, correction] of Object.entries(corrections)) {
    const inherited = methods[kind]?.bind(made)
    if (inherited === undefined) throw new Error(`the library does not write ${kind}`)
    methods[kind] = (body, context) => {
      const write: Write = (node) =>
        node === undefined ? '' : made.visit(node as never, context as never)
      return (correction as Writer<Kind>)(body as never, write, (one) => inherited(one, context))
    }
  }
  return made
}
