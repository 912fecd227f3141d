import type { Declarations, Declared } from '../../pdp/contract.ts'
import {
  type Column,
  type Catalogue as General,
  isView,
  type Origin,
  type Relation,
  type RelationKind,
} from '../sql/catalogue.ts'
import type { Library } from '../sql/lineage/library.ts'
import { groups, multimap, text } from './grouping.ts'
import { loadLibrary } from './lineage/library.ts'
import { columnsOf } from './lineage/relations.ts'
import { standing } from './lineage/standing.ts'
import { trigger } from './lineage/triggers.ts'
import { viewOf } from './lineage/views.ts'
import { outside } from './read/analyse.ts'
import { filledSettings, isSecretSetting } from './read/secrets.ts'
import * as sql from './read/snapshot.ts'
import { FIRST_USER_OID } from './read/snapshot.ts'
import { tie } from './read/ties.ts'
import { readSign, type Sign } from './sign.ts'

export type { Origin, Relation, Routine } from '../sql/catalogue.ts'

/** Runs one statement and answers its rows as text. Rejects when the server refuses. */
export type Query = (sql: string) => Promise<readonly (readonly (string | null)[])[]>

/** More than this is refused: the gate would rather not serve than not know. */
const RELATIONS_MAX = 200_000
const COLUMNS_MAX = 4_000_000

const kinds: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized_view',
  f: 'foreign_table',
  S: 'sequence',
  i: 'index',
  I: 'index',
  c: 'type',
}

let loads = 0

/** What a database holds, as this protocol tells it apart from what it held before. */
export type Catalogue = General & {
  /** As sign.ts has it. */
  readonly mark: string
}

/** Reads the whole catalogue in one REPEATABLE READ snapshot. Rejects when anything is missing or beyond its maximum. */
export async function loadCatalogue(query: Query): Promise<Catalogue> {
  await query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  try {
    // Makes pg_get_viewdef qualify every name.
    await query('SET LOCAL search_path TO pg_catalog')
    const sign = await readSign(query)
    const relations = await loadRelations(query)
    const found = {
      sign,
      relations,
      schemas: new Set((await query(sql.schemas)).map((row) => text(row, 0))),
      library: await loadLibrary(query),
      casts: multimap(await query(sql.casts)),
      secretSettings: await loadSecretSettings(query),
      onDefinition: (await query(sql.eventTriggers)).map((row) => `${row[0]}.${row[1]}`),
    }
    await query('COMMIT')
    return catalogue(found, nothingDeclared)
  } catch (error) {
    await query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

type Found = {
  readonly sign: Sign
  readonly schemas: ReadonlySet<string>
  readonly relations: ReadonlyMap<number, Relation>
  readonly library: Library
  readonly casts: ReadonlyMap<string, readonly string[]>
  readonly secretSettings: ReadonlySet<string>
  readonly onDefinition: readonly string[]
}

const nothingDeclared: Declarations = { functions: new Map(), declassify: new Set() }

const loaded = new WeakMap<Catalogue, Found>()

/** The same database, with what a bundle says of its code. What it says of columns that there are not counts for nothing. */
export function declaring(known: Catalogue, declarations: Declarations): Catalogue {
  const found = loaded.get(known)
  if (found === undefined) throw new Error('only a loaded catalogue can be declared on')
  const number = numbers.get(declarations) ?? numbered
  if (number === numbered) numbered += 1
  numbers.set(declarations, number)
  const content = `${found.sign.content} ${number}`
  return catalogue({ ...found, sign: { ...found.sign, content } }, declarations)
}

/** What is read with other declarations has another sign. */
const numbers = new WeakMap<Declarations, number>()
let numbered = 1

function catalogue(found: Found, declarations: Declarations): Catalogue {
  const byName = new Map<string, Relation>()
  for (const relation of found.relations.values()) byName.set(relation.full, relation)
  // At most one for each column there is.
  const origins = new Map<string, Origin | undefined>()
  loads += 1
  const self: Catalogue = {
    version: loads,
    sign: found.sign.content,
    mark: found.sign.mark,
    schemas: found.schemas,
    relation: (name, schema, searchPath) => {
      if (schema !== undefined) return byName.get(`${schema}.${name}`)
      for (const one of path(searchPath)) {
        const relation = byName.get(`${one}.${name}`)
        if (relation !== undefined) return relation
      }
      return undefined
    },
    byOid: (oid) => found.relations.get(oid),
    column: (tableOid, number) => {
      const key = `${tableOid}.${number}`
      if (origins.has(key)) return origins.get(key)
      const relation = found.relations.get(tableOid)
      const column = relation?.columns.find((one) => one.number === number)
      if (relation === undefined || column === undefined) return undefined
      const made = origin(self, relation, column)
      origins.set(key, made)
      return made
    },
    below: (relation) =>
      reach(found.relations, relation, (one) => (isView(one) ? one.reads : one.children)),
    above: (relation) => reach(found.relations, relation, (one) => one.parents),
    library: found.library,
    functions: (name, schema, searchPath) => found.library.functions(name, schema, searchPath),
    casts: (type) => found.casts.get(type) ?? [],
    declared: (signature) => {
      const declared = declarations.functions.get(signature)
      return declared === undefined || isSure(byName, declared) ? declared : 'unsure'
    },
    declassified: (full) => declarations.declassify.has(full),
    secretSettings: found.secretSettings,
    onDefinition: found.onDefinition,
  }
  loaded.set(self, found)
  return self
}

/** Whether all it names is there. */
function isSure(byName: ReadonlyMap<string, Relation>, declared: Declared): boolean {
  const { reads, returns, writes = [] } = declared
  const isColumn = (full: string): boolean => {
    const dot = full.lastIndexOf('.')
    const relation = byName.get(full.slice(0, dot))
    return relation?.columns.some((one) => one.name === full.slice(dot + 1)) === true
  }
  return [...reads, ...returns].every(isColumn) && writes.every((one) => byName.has(one))
}

/** The schemas a bare name is looked up in; the server's own comes first unless it is named (documentation 5.9.5). */
function path(searchPath: readonly string[]): readonly string[] {
  return searchPath.includes('pg_catalog') ? searchPath : ['pg_catalog', ...searchPath]
}

function reach(
  relations: ReadonlyMap<number, Relation>,
  start: Relation,
  next: (relation: Relation) => readonly number[],
): readonly Relation[] {
  const seen = new Set<number>([start.oid])
  const reached: Relation[] = []
  const waiting = [...next(start)]
  for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
    const relation = relations.get(oid)
    if (relation === undefined || seen.has(oid)) continue
    seen.add(oid)
    reached.push(relation)
    waiting.push(...next(relation))
  }
  return reached
}

function origin(catalogue: General, relation: Relation, column: Column): Origin | undefined {
  const at = relation.columns.indexOf(column)
  const value = columnsOf(outside(catalogue), relation)[at]?.value
  // A view that cannot be followed may show anything.
  const blind =
    isView(relation) && relation.oid >= FIRST_USER_OID && !isFollowed(catalogue, relation)
  if (value === undefined || value.unknown || blind) return undefined
  return {
    relation: relation.full,
    column: column.name,
    kind: relation.kind,
    sources: [...value.sources],
    exact: value.copy,
  }
}

function isFollowed(catalogue: General, relation: Relation): boolean {
  const view = viewOf(outside(catalogue), relation)
  return view?.columns !== undefined && view.incomplete === undefined
}

async function loadSecretSettings(query: Query): Promise<ReadonlySet<string>> {
  const filled = (await query(filledSettings)).map((row) => text(row, 0))
  return new Set(filled.filter(isSecretSetting))
}

async function loadRelations(query: Query): Promise<ReadonlyMap<number, Relation>> {
  const rows = await query(sql.relations)
  bounded('relations', rows.length, RELATIONS_MAX)
  const inheritance = await query(sql.inheritance)
  const parents = groups(inheritance, 0, (row) => Number(row[1]))
  const children = groups(inheritance, 1, (row) => Number(row[0]))
  const reads = groups(await query(sql.reads), 0, (row) => Number(row[1]))
  const generated = groups(await query(sql.generated), 0, (row) => row.slice(1).map(Number))
  const triggers = groups(await query(sql.triggers), 0, trigger)
  const stands = groups(await query(sql.standing), 0, standing)
  const keys = groups(await query(sql.keys), 0, (row) => JSON.parse(row[1] ?? '[]') as number[])
  const ties = groups(await query(sql.ties), 0, tie)
  const rules = groups(await query(sql.rules), 0, (row) => row[1] ?? '')
  const intern = interned()
  const relations = new Map<number, Relation>()
  let columnsCount = 0
  for (const row of rows) {
    const oid = Number(row[0])
    const schema = intern(text(row, 1))
    const name = text(row, 2)
    const columns = parsed(row[4] ?? '[]', generated.get(oid) ?? [], intern)
    columnsCount += columns.length
    bounded('columns', columnsCount, COLUMNS_MAX)
    relations.set(oid, {
      oid,
      schema,
      name,
      full: `${schema}.${name}`,
      kind: kinds[text(row, 3)] ?? 'table',
      columns,
      parents: parents.get(oid) ?? [],
      children: children.get(oid) ?? [],
      reads: reads.get(oid) ?? [],
      rules: rules.get(oid) ?? [],
      triggers: triggers.get(oid) ?? [],
      ties: ties.get(oid) ?? [],
      standing: stands.get(oid) ?? [],
      keys: keys.get(oid) ?? [],
    })
  }
  return relations
}

/** Ten thousand tables have few different column names: one string for each. */
function interned(): (name: string) => string {
  const names = new Map<string, string>()
  return (name) => {
    const known = names.get(name)
    if (known === undefined) names.set(name, name)
    return known ?? name
  }
}

function parsed(
  json: string,
  generated: readonly (readonly number[])[],
  intern: (name: string) => string,
): readonly Column[] {
  const rows = JSON.parse(json) as readonly (readonly [string, number, number, number, boolean])[]
  return rows.map(([name, number, type, modifier, readable]) => {
    const from = generated.flatMap(([column, source]) =>
      column === number && source !== undefined ? [source] : [],
    )
    const limited = modifier === -1 ? {} : { modifier }
    const column = { name: intern(name), number, type, readable, ...limited }
    return from.length === 0 ? column : { ...column, from }
  })
}

function bounded(what: string, count: number, max: number): void {
  if (count > max) throw new Error(`the catalogue has more than ${max} ${what}`)
}
