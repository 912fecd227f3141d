import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Refusal } from '../refusal.ts'

/** One step of a schema, in SQL; its place in the list is its version. Never edited once released. */
export type Migration = string

/** How long a write waits for another process: it stops this one, so not long. */
const busyMs = 1000
const ownerOnly = 0o600

/**
 * Opens a database file that only its owner can read, in WAL mode, and brings its schema up to date.
 * Throws when the file was made by a newer version.
 */
export function openSqlite(path: string, migrations: readonly Migration[]): DatabaseSync {
  // SQLite makes its -wal and -shm files with the permissions of the database.
  if (path !== ':memory:') closeSync(openSync(path, 'a', ownerOnly))
  const database = new DatabaseSync(path, { timeout: busyMs })
  try {
    database.exec('pragma journal_mode = wal')
    database.exec('pragma synchronous = full')
    migrate(database, migrations)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Runs `work`, turning any failure of the database into Refusal `state_unavailable` with the failure as its cause. */
export function withState<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    const refusal = new Refusal('state_unavailable')
    refusal.cause = error
    throw refusal
  }
}

/** All or nothing: closing the database takes back what was begun. */
function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  database.exec('begin immediate')
  const version = versionOf(database)
  if (version > migrations.length)
    throw new Error(`the state was written by a newer version (${version})`)
  for (const migration of migrations.slice(version)) database.exec(migration)
  database.exec(`pragma user_version = ${migrations.length}`)
  database.exec('commit')
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('pragma user_version').get()?.['user_version'])
}
