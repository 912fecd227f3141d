import type { Query } from '../catalogue.ts'
import type { Privileges, Readable } from './privileges.ts'

/** More is not listed: the script mends all of them. */
const problemsMax = 20

/** Everything the role in use may see or do beyond `wanted`, and what it lacks, in words for people; empty when it is as it should be. */
export async function verifyRole(query: Query, wanted: Privileges): Promise<readonly string[]> {
  const problems = [
    ...(await attributes(query)),
    ...(await memberships(query)),
    ...(await columns(query, wanted)),
    ...(await functions(query, wanted)),
    ...(await creating(query, wanted)),
  ]
  // What it must not be able to do comes first.
  const ordered = [...problems.filter((one) => !lacks(one)), ...problems.filter(lacks)]
  const more = ordered.length - problemsMax
  return more > 0 ? [...ordered.slice(0, problemsMax), `and ${more} more`] : ordered
}

const lacks = (problem: string): boolean => problem.startsWith('cannot ')

async function attributes(query: Query): Promise<readonly string[]> {
  const [row] = await query(
    'SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_catalog.pg_roles ' +
      'WHERE rolname OPERATOR(pg_catalog.=) CURRENT_USER',
  )
  const names = [
    'is a superuser',
    'bypasses row security',
    'may create roles',
    'may create databases',
    'may replicate',
  ]
  if (row === undefined) return ['is not known to the datastore']
  return names.filter((_, at) => row[at] === 't')
}

/** Whatever another role may do, a member may do: directly, or after SET ROLE. */
async function memberships(query: Query): Promise<readonly string[]> {
  const rows = await query(
    'SELECT r.rolname FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER ' +
      "AND pg_catalog.pg_has_role(CURRENT_USER, r.oid, 'MEMBER') ORDER BY 1",
  )
  return rows.map(([name]) => `may act as ${name}`)
}

async function columns(query: Query, { relations }: Privileges): Promise<readonly string[]> {
  if (relations.length === 0) return []
  const oids = relations.map(({ oid }) => oid).join()
  const rows = await query(
    'SELECT a.attrelid, a.attname, ' +
      "pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT') " +
      'FROM pg_catalog.pg_attribute AS a WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped ' +
      `AND a.attrelid OPERATOR(pg_catalog.=) ANY (ARRAY[${oids}]::pg_catalog.oid[])`,
  )
  const found = Map.groupBy(rows, ([oid]) => Number(oid))
  const excess: { readonly one: Readable; readonly column: string }[] = []
  const missing: string[] = []
  for (const one of relations) {
    const { schema, name, columns } = one
    for (const [, column = '', can] of found.get(one.oid) ?? []) {
      const wanted = columns === 'all' || (columns !== 'none' && columns.includes(column ?? ''))
      if (can === 't' && !wanted) excess.push({ one, column: column ?? '' })
      if (can !== 't' && wanted) missing.push(`cannot read ${schema}.${name}.${column}`)
    }
  }
  return [...(await tooMuch(query, excess)), ...missing]
}

type Excess = { readonly one: Readable; readonly column: string }

/** What gives it these columns: a grant on the column or its table, to it, to PUBLIC or to a role it is a member of. */
async function tooMuch(query: Query, excess: readonly Excess[]): Promise<readonly string[]> {
  if (excess.length === 0) return []
  const oids = [...new Set(excess.map(({ one }) => one.oid))].join()
  const these = `OPERATOR(pg_catalog.=) ANY (ARRAY[${oids}]::pg_catalog.oid[])`
  const to =
    "CASE WHEN g.grantee OPERATOR(pg_catalog.=) '0'::pg_catalog.oid THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END"
  const reaches =
    "g.privilege_type OPERATOR(pg_catalog.=) 'SELECT' AND (g.grantee OPERATOR(pg_catalog.=) '0'::pg_catalog.oid OR pg_catalog.pg_has_role(CURRENT_USER, g.grantee, 'USAGE'))"
  const rows = await query(
    `SELECT c.oid, NULL, ${to} FROM pg_catalog.pg_class AS c, pg_catalog.aclexplode(c.relacl) AS g WHERE c.oid ${these} AND ${reaches} ` +
      `UNION ALL SELECT a.attrelid, a.attname, ${to} FROM pg_catalog.pg_attribute AS a, pg_catalog.aclexplode(a.attacl) AS g WHERE a.attrelid ${these} AND ${reaches}`,
  )
  return excess.map(({ one, column }) => {
    const full = `${one.schema}.${one.name}`
    const by = rows
      .filter(([oid, only]) => Number(oid) === one.oid && (only === null || only === column))
      .map(
        ([, only, grantee]) =>
          `GRANT SELECT${only === null ? '' : ` (${only})`} ON ${full} TO ${grantee}`,
      )
    return `can read ${full}.${column}${by.length === 0 ? '' : `: too much is ${by.join(' and ')}`}`
  })
}

/** Whoever can make a relation can make keys and triggers that tell values, and hide tables behind others of their names. */
async function creating(query: Query, { schemas }: Privileges): Promise<readonly string[]> {
  const rows = await query(
    "SELECT n.nspname FROM pg_catalog.pg_namespace AS n WHERE pg_catalog.has_schema_privilege(n.oid, 'CREATE')",
  )
  const [here] = await query(
    "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')",
  )
  return [
    ...rows.flatMap(([schema]) =>
      schemas.includes(schema ?? '') ? [`may create in the schema ${schema}`] : [],
    ),
    ...(here?.[0] === 't' ? ['may create schemas'] : []),
    ...(here?.[1] === 't' ? ['may create temporary tables'] : []),
  ]
}

async function functions(query: Query, { definers }: Privileges): Promise<readonly string[]> {
  if (definers.length === 0) return []
  const oids = definers.map(({ oid }) => oid).join()
  const rows = await query(
    'SELECT p.oid FROM pg_catalog.pg_proc AS p ' +
      `WHERE p.oid OPERATOR(pg_catalog.=) ANY (ARRAY[${oids}]::pg_catalog.oid[]) ` +
      "AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')",
  )
  const runs = new Set(rows.map(([oid]) => Number(oid)))
  return definers
    .filter(({ oid, safe }) => safe !== runs.has(oid))
    .map(({ schema, signature, safe }) =>
      safe
        ? `cannot run ${schema}.${signature}, which is safe by review`
        : `can run ${schema}.${signature} with its owner's rights`,
    )
}
