import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { type Catalogue, loadCatalogue, type Query } from '../../../sidecars/postgres/catalogue.ts'
import { read, ready, type Scope, type Statement } from '../../../sidecars/postgres/statement.ts'
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts'

/** A server holding the database the attacks are written for, and its catalogue. */
export type Database = {
  readonly server: PostgresServer
  readonly client: Client
  readonly query: Query
  readonly catalogue: Catalogue
  stop(): Promise<void>
}

const schema = fileURLToPath(new URL('../../corpus/schema.sql', import.meta.url))

/** Starts a server with the attacks' schema, and `extra` on top. */
export async function database(extra = ''): Promise<Database> {
  const server = await startPostgres()
  server.sql(`${readFileSync(schema, 'utf8')}\n${extra}`)
  const client = new Client({
    host: server.host,
    port: server.port,
    user: server.superuser.username,
    password: server.superuser.password,
    database: 'postgres',
  })
  await client.connect()
  await ready
  const query = asText(client)
  const catalogue = await loadCatalogue(query)
  return {
    server,
    client,
    query,
    catalogue,
    async stop() {
      await client.end()
      await server.stop()
    },
  }
}

/** One statement over the simple protocol, every value as the text the server sent. */
export function asText(client: Client): Query {
  const types = { getTypeParser: () => (value: unknown) => value }
  return async (text) => {
    const { rows } = await client.query({ text, rowMode: 'array', types } as never)
    return rows as unknown as (string | null)[][]
  }
}

/** A scope in which nothing was prepared. */
export function scope(catalogue: Catalogue, searchPath: readonly string[] = ['public']): Scope {
  return { catalogue, searchPath, prepared: () => undefined, cursor: () => undefined }
}

/** The only statement of a text. */
export function only(text: string, where: Scope): Statement {
  const [statement, ...others] = read(text, where)
  if (statement === undefined || others.length > 0) throw new Error(`not one statement: ${text}`)
  return statement
}
