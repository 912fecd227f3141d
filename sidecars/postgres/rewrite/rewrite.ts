import type { Node, RangeVar } from 'libpg-query'
import type { Body } from './build.ts'
import { type Reread, reread } from './canonical.ts'
import { select } from './query.ts'
import { call, indirection, reference } from './reference.ts'
import { type Sealing, type Shields, shields } from './shield.ts'
import { source } from './source.ts'
import { type At, inexact, namesOf, nowhere, relationOf, shieldOf, type Work } from './work.ts'
import { insert, loaded, merge, remove, update } from './write.ts'

/** Reads and writes through which a query may stand for a relation. Everything else must not name a shielded one. */
const passing = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'CopyStmt',
  'DeclareCursorStmt',
  'PrepareStmt',
  'ExecuteStmt',
  'ExplainStmt',
  'CreateTableAsStmt',
  'CallStmt',
])

/** Statements that touch a relation as a whole and show nothing of it. */
const whole = new Set(['LockStmt', 'TruncateStmt'])

type Handler = (work: Work, body: Body, at: At) => Body

const handlers: Readonly<Record<string, Handler>> = {
  SelectStmt: select,
  InsertStmt: insert,
  UpdateStmt: update,
  DeleteStmt: remove,
  MergeStmt: merge,
  CopyStmt: copy,
  ColumnRef: (_, body, at) => reference(body, at),
  FuncCall(work, body, at) {
    call(work, body, at)
    return inside(work, body, at)
  },
  A_Indirection(work, body, at) {
    indirection(body, at)
    return inside(work, body, at)
  },
  CreateTableAsStmt(work, body, at) {
    const { into, ...rest } = body
    return { ...inside(work, rest, at), ...(into === undefined ? {} : { into }) }
  },
}

/** The text that runs in place of a statement: the same on rows without protected values. Throws Refusal where there is none. */
export function rewrite(
  statement: Node,
  sealing: Sealing,
  shield: Shields = shields(sealing),
): Reread {
  return reread(rewritten(statement, sealing, shield))
}

/** The same as a tree. */
export function rewritten(statement: Node, sealing: Sealing, shield: Shields): Node {
  const [kind = ''] = Object.keys(statement)
  const work = begin(sealing, shield, 0)
  if (passing.has(kind)) return work.walk(statement, nowhere) as Node
  if (!whole.has(kind)) untouched(work, statement)
  else if (sealing.filters.size > 0) untouched(work, statement)
  return statement
}

/** Starts on a statement, or on the query of a view inside of it. */
function begin(sealing: Sealing, shield: Shields, depth: number): Work {
  const work: Work = {
    sealing,
    shield,
    replaced: 0,
    depth,
    walk: (value, at) => walk(work, value, at),
    view: (node) => {
      // Definitions are written out with every name qualified.
      const inner = begin({ ...sealing, searchPath: [] }, shield, depth + 1)
      return inner.walk(node, nowhere) as Node
    },
  }
  return work
}

function walk(work: Work, value: unknown, at: At): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => walk(work, one, at))
  const kind = kindOf(value)
  if (kind === undefined) return inside(work, value as Body, at)
  const body = (value as Readonly<Record<string, Body>>)[kind] ?? {}
  // FROM and the targets of writes are read where they stand; nowhere else is a relation understood.
  if (kind === 'RangeVar') unread(work, body as RangeVar, at)
  const handler = Object.hasOwn(handlers, kind) ? handlers[kind] : undefined
  return { [kind]: handler === undefined ? inside(work, body, at) : handler(work, body, at) }
}

/** Kinds start with a capital, fields never do. */
function kindOf(value: object): string | undefined {
  const [first = ''] = Object.keys(value)
  const code = first.charCodeAt(0)
  return code >= 65 && code <= 90 ? first : undefined
}

function inside(work: Work, body: Body, at: At): Body {
  if (typeof body !== 'object') return body
  if ('relname' in body) unread(work, body as RangeVar, at)
  const made: Record<string, unknown> = {}
  for (const key in body) made[key] = walk(work, body[key], at)
  return made
}

function unread(work: Work, range: RangeVar, { ctes }: At): void {
  if (range.schemaname === undefined && ctes.has(range.relname ?? '')) return
  const { catalogue, searchPath } = work.sealing
  const relation = catalogue.relation(range.relname ?? '', range.schemaname, searchPath)
  if (relation !== undefined && work.shield(relation) !== undefined)
    throw inexact(`${relation.full} has protected columns and is used in an unusual way`)
}

/** Throws Refusal where a statement of another kind names a shielded relation. */
function untouched(work: Work, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if ('relname' in value) unread(work, value as RangeVar, nowhere)
  for (const one of Object.values(value)) untouched(work, one)
}

/** COPY of a table becomes COPY of a query; like the table's own it leaves out children and generated columns. */
function copy(work: Work, body: Body, at: At): Body {
  const { relation: range, attlist, ...rest } = body
  if (body['is_from'] === true)
    loaded(work, range, attlist === undefined ? undefined : namesOf(attlist))
  if (range === undefined || body['is_from'] === true)
    return {
      ...(inside(work, rest, at) as Body),
      ...(range === undefined
        ? {}
        : { relation: range, ...(attlist === undefined ? {} : { attlist }) }),
    }
  const relation = relationOf(work, range as RangeVar, nowhere.ctes)
  const shield = relation && shieldOf(work, relation)
  if (relation === undefined || shield === undefined) return body
  const stored = relation.columns.filter(({ from }) => from === undefined)
  const columns = attlist === undefined ? stored.map(({ name }) => name) : namesOf(attlist)
  const missing = columns.find((name) => relation.columns.every((one) => one.name !== name))
  if (missing !== undefined) throw inexact(`${relation.full} has no column ${missing}`)
  return { ...rest, query: source(work, relation, shield, { only: !shield.inlined, columns }) }
}
