import type { Node, RangeVar } from 'libpg-query'
import { fullName } from '../lineage/lookup.ts'
import { nowhere, type Reading } from '../lineage/reading.ts'
import { stored } from '../lineage/stored.ts'
import { defined } from '../lineage/triggers.ts'
import { as, type Opened, open, word, words } from './ast.ts'
import { kinds, objectKind } from './kinds.ts'

/** Relations by the words policies use, as opposed to functions, types and all else that has a name. */
const relationKinds = new Set([
  'table',
  'view',
  'materialized_view',
  'foreign_table',
  'sequence',
  'index',
])

/** Statements that change every relation they name. */
const wholly = new Set<string>(['GrantStmt', 'VacuumStmt'])

/** Reads a statement that defines, destroys or grants. Answers its name. */
export function definition(reading: Reading, opened: Opened): string {
  const { facts } = reading
  const name = definitionName(opened)
  facts.kind(name)
  facts.effect(...(kinds[opened.kind]?.effects ?? ['unknown']))
  // Columns in a definition are those of what is being defined.
  reading.lenient = true
  defined(reading)
  touched(reading, opened)
  scan(reading, opened.body, wholly.has(opened.kind) ? 'all' : subject(opened))
  return name
}

function definitionName(opened: Opened): string {
  const { kind, body } = opened
  const known = kinds[kind]?.name ?? kind
  switch (kind) {
    case 'DropStmt':
      return `drop_${objectKind(body.removeType)}`
    case 'AlterTableStmt':
      return `alter_${objectKind(body.objtype)}`
    case 'RenameStmt': {
      const part = body.renameType === 'OBJECT_COLUMN' || body.renameType === 'OBJECT_TABCONSTRAINT'
      return `alter_${objectKind(part ? (body.relationType ?? 'OBJECT_TABLE') : body.renameType)}`
    }
    case 'AlterObjectSchemaStmt':
    case 'AlterOwnerStmt':
      return `alter_${objectKind(body.objectType)}`
    case 'DefineStmt':
      return `create_${objectKind(body.kind)}`
    case 'CreateFunctionStmt':
      return body.is_procedure ? 'create_procedure' : known
    case 'CreateTableAsStmt':
      return body.objtype === 'OBJECT_MATVIEW' ? 'create_materialized_view' : known
    case 'GrantStmt':
    case 'GrantRoleStmt':
      return body.is_grant ? known : known.replace('grant', 'revoke')
    case 'VacuumStmt':
      return body.is_vacuumcmd ? known : 'analyze'
  }
  return known
}

/** The relation a definition is about, as opposed to those it only mentions. */
function subject(opened: Opened): RangeVar | undefined {
  const body = opened.body as { readonly [field: string]: unknown }
  for (const field of ['relation', 'view', 'sequence', 'table']) {
    const value = body[field]
    if (isRange(value)) return value
  }
  return opened.kind === 'CreateTableAsStmt' ? opened.body.into?.rel : undefined
}

/** Objects that a definition names otherwise than as a relation. */
function touched(reading: Reading, { kind, body }: Opened): void {
  const { facts } = reading
  const write = (object: string, list: readonly (Node | undefined)[]) => {
    for (const one of list) touchObject(reading, object, one)
  }
  switch (kind) {
    case 'DropStmt':
      write(objectKind(body.removeType), body.objects ?? [])
      return
    case 'RenameStmt':
      write(objectKind(body.renameType), [body.object])
      return
    case 'AlterObjectSchemaStmt':
    case 'AlterOwnerStmt':
      write(objectKind(body.objectType), [body.object])
      return
    case 'GrantStmt':
      write(objectKind(body.objtype), body.objects ?? [])
      return
    case 'CommentStmt':
    case 'SecLabelStmt':
      write(objectKind(body.objtype), [body.object])
      return
    case 'DefineStmt':
      facts.touch(objectKind(body.kind), words(body.defnames).join('.'), 'write')
      return
    case 'CreateFunctionStmt':
      facts.touch('function', qualified(reading, words(body.funcname)), 'write')
      return
    case 'CreateSchemaStmt':
      facts.touch('schema', body.schemaname ?? '*', 'write')
      return
    case 'CreateExtensionStmt':
      facts.touch('extension', body.extname ?? '*', 'write')
      return
    case 'CreatedbStmt':
    case 'DropdbStmt':
      facts.touch('database', body.dbname ?? '*', 'write')
      return
    case 'AlterDatabaseSetStmt':
      facts.touch('setting', body.setstmt?.name ?? '*', 'write')
      facts.touch('database', body.dbname ?? '*', 'write')
      return
    case 'AlterSystemStmt':
      facts.touch('setting', body.setstmt?.name ?? '*', 'write')
      return
    case 'CreateRoleStmt':
      facts.touch('role', body.role ?? '*', 'write')
      return
    case 'AlterRoleStmt':
    case 'AlterRoleSetStmt':
      facts.touch('role', body.role?.rolename ?? '*', 'write')
      return
    case 'DropRoleStmt':
      write('role', body.roles ?? [])
      return
    case 'GrantRoleStmt':
      for (const one of body.granted_roles ?? []) {
        facts.touch('role', as(one, 'AccessPriv')?.priv_name ?? '*', 'write')
      }
      write('role', body.grantee_roles ?? [])
      return
  }
}

function touchObject(reading: Reading, object: string, node: Node | undefined): void {
  const opened = node === undefined ? undefined : open(node)
  // Relations are found by scan().
  if (opened === undefined || opened.kind === 'RangeVar') return
  const parts = partsOf(opened)
  const [first, second] = parts.slice(-2)
  if (relationKinds.has(object) && first !== undefined) {
    const range = second === undefined ? { relname: first } : { schemaname: first, relname: second }
    touchRelation(reading, range, 'write')
    return
  }
  reading.facts.touch(
    object,
    object === 'schema' ? parts.join('.') : qualified(reading, parts),
    'write',
  )
}

function partsOf({ kind, body }: Opened): readonly string[] {
  switch (kind) {
    case 'String':
      return [body.sval ?? '']
    case 'List':
      return (body.items ?? []).map((one) => word(one) || word(as(one, 'TypeName')?.names?.at(-1)))
    case 'ObjectWithArgs':
      return words(body.objname)
    case 'TypeName':
      return words(body.names)
    case 'RoleSpec':
      return [body.rolename ?? '*']
  }
  return ['*']
}

/** Functions and types under the schema they are in, where the name does not say it. */
function qualified(reading: Reading, parts: readonly string[]): string {
  if (parts.length !== 1) return parts.join('.')
  const { catalogue, searchPath } = reading.around
  const [known] = catalogue.functions(parts[0] ?? '', undefined, searchPath)
  return known === undefined ? (parts[0] ?? '*') : `${known.schema}.${known.name}`
}

/** A relation that is defined, or mentioned in a definition. One that the session alone can see may hide another. */
export function touchRelation(reading: Reading, range: RangeVar, access: 'read' | 'write'): void {
  const { facts, around } = reading
  if (range.relpersistence === 't' || range.schemaname?.startsWith('pg_temp')) {
    facts.doubt('a temporary relation can hide another of the same name')
  }
  const known = around.catalogue.relation(range.relname ?? '', range.schemaname, around.searchPath)
  const columns = known?.columns.map((one) => one.name)
  facts.touch(known?.kind ?? 'table', fullName(reading, range), access, columns)
  if (access === 'read') facts.effect('read')
}

/** Everything a definition mentions, wherever it stands: relations, queries, functions. */
function scan(reading: Reading, value: unknown, about: RangeVar | 'all' | undefined): void {
  if (value === null || typeof value !== 'object') return
  if (Array.isArray(value)) {
    for (const one of value) scan(reading, one, about)
    return
  }
  if (isRange(value)) {
    touchRelation(reading, value, about === 'all' || value === about ? 'write' : 'read')
    return
  }
  for (const [key, inner] of Object.entries(value)) {
    switch (key) {
      case 'SelectStmt':
      case 'InsertStmt':
      case 'UpdateStmt':
      case 'DeleteStmt':
      case 'MergeStmt':
        stored(reading, reading.query({ [key]: inner } as unknown as Node, nowhere))
        break
      case 'FuncCall':
        reading.expression({ FuncCall: inner }, nowhere)
        break
      default:
        // CREATE SCHEMA holds statements of its own.
        if (key in kinds) definition(reading, { kind: key, body: inner } as unknown as Opened)
        else scan(reading, inner, about)
    }
  }
}

function isRange(value: unknown): value is RangeVar {
  return typeof value === 'object' && value !== null && 'relname' in value
}
