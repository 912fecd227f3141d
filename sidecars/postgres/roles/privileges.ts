import type { Catalogue, Relation } from '../../sql/catalogue.ts'
import type { Query } from '../catalogue.ts'
import { FIRST_USER_OID } from '../read/snapshot.ts'

/** What a role may see that must not see protected columns. */
export type Privileges = {
  readonly schemas: readonly string[]
  readonly relations: readonly Readable[]
  /** Functions somebody made that run with their owner's rights: what they read is not checked against the role. */
  readonly definers: readonly Definer[]
}

/** A relation and the columns of it that may be read. */
export type Readable = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: Relation['kind']
  /** `all` also holds for columns that are added later, `none` for views over something protected. */
  readonly columns: 'all' | 'none' | readonly string[]
}

export type Definer = {
  readonly oid: number
  readonly kind: 'FUNCTION' | 'PROCEDURE'
  readonly schema: string
  /** The name, quoted where it must be, with the types it takes. */
  readonly signature: string
  /** Somebody reviewed it: its answer shows nothing protected. */
  readonly safe: boolean
}

/** A relation is left out where it is PostgreSQL's own, an extension's part of it, or somebody's temporary one. */
const relations = `
SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.oid OPERATOR(pg_catalog.>=) '${FIRST_USER_OID}'::pg_catalog.oid
   AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r','p','v','m','f']::pg_catalog."char"[])
   AND c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
   AND n.nspname OPERATOR(pg_catalog.!~) '^pg_'
 ORDER BY n.nspname, c.relname`

const definers = `
SELECT p.oid, p.prokind, p.proname, n.nspname, pg_catalog.quote_ident(p.proname)
         OPERATOR(pg_catalog.||) '(' OPERATOR(pg_catalog.||) pg_catalog.pg_get_function_identity_arguments(p.oid)
         OPERATOR(pg_catalog.||) ')'
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
 WHERE p.prosecdef AND p.oid OPERATOR(pg_catalog.>=) '${FIRST_USER_OID}'::pg_catalog.oid
   AND p.prorettype OPERATOR(pg_catalog.<>) 'pg_catalog.trigger'::pg_catalog.regtype
 ORDER BY n.nspname, p.proname, p.oid`

/** Works out what may be read where these columns (`schema.table.column`) are protected. */
export async function privileges(
  query: Query,
  catalogue: Catalogue,
  isProtected: (column: string) => boolean,
): Promise<Privileges> {
  const hidden = hiding(catalogue, isProtected)
  const found = (await query(relations)).flatMap(([oid]) => catalogue.byOid(Number(oid)) ?? [])
  const readable = found.map((relation) => ({
    oid: relation.oid,
    schema: relation.schema,
    name: relation.name,
    kind: relation.kind,
    columns: readableOf(catalogue, relation, hidden),
  }))
  return {
    schemas: [...new Set(found.map(({ schema }) => schema))],
    relations: readable,
    definers: (await query(definers)).map(([oid, kind, name, schema, signature]) => ({
      oid: Number(oid),
      kind: kind === 'p' ? 'PROCEDURE' : 'FUNCTION',
      schema: schema ?? '',
      signature: signature ?? '',
      safe: catalogue.declassified(`${schema}.${name}`),
    })),
  }
}

type Hidden = (relation: Relation) => ReadonlySet<string>

/** The columns of a relation that show something protected; all of them where that cannot be told. */
function hiding(catalogue: Catalogue, isProtected: (column: string) => boolean): Hidden {
  return (relation) =>
    new Set(
      relation.columns
        .filter(({ number }) => {
          const origin = catalogue.column(relation.oid, number)
          return origin === undefined || origin.sources.some(isProtected)
        })
        .map(({ name }) => name),
    )
}

/** A view runs with its owner's rights, so even its harmless columns may be chosen by protected ones, unless it is safe by review. */
function readableOf(catalogue: Catalogue, relation: Relation, hidden: Hidden): Readable['columns'] {
  if (relation.kind === 'view') {
    const reads = catalogue.declassified(relation.full) ? [] : catalogue.below(relation)
    const guarded = [relation, ...reads.filter(({ kind }) => kind !== 'view')]
    return guarded.some((one) => hidden(one).size > 0) ? 'none' : 'all'
  }
  const not = hidden(relation)
  if (not.size === 0) return 'all'
  const rest = relation.columns.map(({ name }) => name).filter((name) => !not.has(name))
  return rest.length === 0 ? 'none' : rest
}
