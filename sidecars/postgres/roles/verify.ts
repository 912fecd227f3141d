import type { Query } from '../catalogue.ts'
import type { Privileges } from './privileges.ts'

/** More is not listed: the script mends all of them. */
const problemsMax = 20

/** Everything the role in use may see or do beyond `wanted`, and what it lacks, in words for people; empty when it is as it should be. */
export async function verifyRole(query: Query, wanted: Privileges): Promise<readonly string[]> {
  const problems = [
    ...(await attributes(query)),
    ...(await memberships(query)),
    ...(await columns(query, wanted)),
    ...(await functions(query, wanted)),
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
  return relations.flatMap(({ oid, schema, name, columns }) =>
    (found.get(oid) ?? []).flatMap(([, column, can]) => {
      const wanted = columns === 'all' || (columns !== 'none' && columns.includes(column ?? ''))
      if ((can === 't') === wanted) return []
      return [`${wanted ? 'cannot' : 'can'} read ${schema}.${name}.${column}`]
    }),
  )
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
    .filter(({ oid }) => runs.has(oid))
    .map(({ schema, signature }) => `can run ${schema}.${signature} with its owner's rights`)
}
