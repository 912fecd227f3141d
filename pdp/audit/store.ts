import { closeSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

// Everything here can be made again from the log, so nothing waits for the disk.
const pragmas = 'pragma journal_mode = wal; pragma synchronous = off; pragma temp_store = memory'
const version = 1
const busyMs = 1000

const tables = `
  create table position (segment integer, offset integer, seq integer, log text) strict;
  create table entries (
    seq integer primary key, ms integer, segment integer, offset integer, length integer,
    decision text
  ) strict;
  create index entries_decision on entries (decision) where decision is not null;
  create table terms (
    id integer primary key, field text, value text, count integer, unique (field, value)
  ) strict;
  create table postings (term integer, seq integer, primary key (term, seq)) strict, without rowid;
  create table blocks (block integer primary key, first_ms integer, last_ms integer) strict;
  create virtual table texts using fts5 (
    text, content = '', tokenize = 'unicode61 remove_diacritics 2'
  );
`

/** Opens the index, empty where there is none or where it is of another version or unreadable. */
export function openStore(file: string): DatabaseSync {
  try {
    return prepared(file)
  } catch (error) {
    if (!isSpoilt(error)) throw error
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
    return prepared(file)
  }
}

/** Empties the index. */
export function clearStore(database: DatabaseSync): void {
  database.exec(`
    drop table if exists position; drop table if exists entries; drop table if exists terms;
    drop table if exists postings; drop table if exists blocks; drop table if exists texts;
    ${tables}
    pragma user_version = ${version}
  `)
}

/** Does all of the work or nothing of it, with no other process in between. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('begin immediate')
  try {
    const result = work()
    database.exec('commit')
    return result
  } catch (error) {
    database.exec('rollback')
    throw error
  }
}

function prepared(file: string): DatabaseSync {
  // SQLite makes its -wal and -shm files with the permissions of the database.
  closeSync(openSync(file, 'a', 0o600))
  const database = new DatabaseSync(file, { timeout: busyMs })
  try {
    database.exec(pragmas)
    inTransaction(database, () => {
      const found = database.prepare('pragma user_version').get()?.['user_version']
      if (found !== version) clearStore(database)
    })
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

// SQLITE_CORRUPT and SQLITE_NOTADB.
function isSpoilt(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : undefined
  return code === 11 || code === 26
}
