import type { Privileges, Readable } from './privileges.ts'

export type ScriptOptions = {
  readonly role: string
  readonly database: string
  /** The role may also change rows; policy says which. */
  readonly writes: boolean
}

/** The statements that make a role see all but what is protected, for a person to review and run. Running it again changes nothing. */
export function script(found: Privileges, { role, database, writes }: ScriptOptions): string {
  const to = quoted(role)
  const lines = [
    `-- What ${printable(role)} may see of ${printable(database)}: review it, then run it as the owner of these objects.`,
    '-- It takes rights from PUBLIC where those would reach protected columns: grant them to other roles by name.',
    'BEGIN;',
    `ALTER ROLE ${to} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;`,
    `REVOKE TEMPORARY, CREATE ON DATABASE ${quoted(database)} FROM PUBLIC, ${to};`,
    `GRANT CONNECT ON DATABASE ${quoted(database)} TO ${to};`,
    '',
    ...found.schemas.flatMap((schema) => [
      `REVOKE CREATE ON SCHEMA ${quoted(schema)} FROM PUBLIC, ${to};`,
      `GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${to};`,
      `ALTER DEFAULT PRIVILEGES IN SCHEMA ${quoted(schema)} REVOKE ALL ON TABLES FROM ${to};`,
      `ALTER DEFAULT PRIVILEGES IN SCHEMA ${quoted(schema)} REVOKE ALL ON SEQUENCES FROM ${to};`,
    ]),
    '',
    ...found.relations.flatMap((one) => granted(one, to, writes)),
    '',
    ...found.definers.map(({ kind, schema, signature, safe }) => {
      const one = `${kind} ${quoted(schema)}.${signature}`
      return safe ? `GRANT EXECUTE ON ${one} TO ${to};` : `REVOKE ALL ON ${one} FROM PUBLIC, ${to};`
    }),
    'COMMIT;',
  ]
  return `${lines.join('\n')}\n`
}

function granted(one: Readable, to: string, writes: boolean): readonly string[] {
  const { schema, name, kind, columns } = one
  const target = `TABLE ${quoted(schema)}.${quoted(name)}`
  const some = typeof columns === 'object'
  const read = some ? [`SELECT (${columns.map(quoted).join(', ')})`] : ['SELECT']
  const changes = writes && kind === 'table' ? ['INSERT', 'UPDATE', 'DELETE'] : []
  // Shows no row. With it information_schema lists columns and keys, and who cannot make a table can do nothing else with it.
  const rights = [...(columns === 'none' ? [] : read), ...changes, 'REFERENCES']
  return [
    `REVOKE ALL ON ${target} FROM ${columns === 'all' ? to : `PUBLIC, ${to}`};`,
    `GRANT ${rights.join(', ')} ON ${target} TO ${to};`,
  ]
}

/** As PostgreSQL reads any name back. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A name cannot end the comment it stands in. */
const printable = (name: string): string => name.replace(/[^\p{L}\p{N}_ .-]/gu, '?')
