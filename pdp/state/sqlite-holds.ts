import type { SQLInputValue } from 'node:sqlite'
import type { HoldStore, StoredHold } from './holds.ts'
import { openSqlite, withState } from './sqlite.ts'

const openMax = 16

const migrations = [
  `create table hold (
     id text primary key, state text not null, digest text not null, issuer text not null,
     subject text not null, resource text not null, created_ms integer not null,
     expires_ms integer not null, version integer not null, body text not null
   ) strict;
   create index hold_by_digest on hold (digest) where state in ('pending', 'approved');
   create index hold_by_expiry on hold (expires_ms) where state in ('pending', 'approved');
   create index hold_by_time on hold (created_ms);`,
]

const columns =
  'id, state, digest, issuer, subject, resource, created_ms, expires_ms, version, body'
const open = "state in ('pending', 'approved')"
/** As people see it: what is out of time but not yet swept is expired. */
const seen = `case when ${open} and expires_ms <= :now then 'expired' else state end`

type Row = Record<string, unknown>

/** Holds in a SQLite file, readable by its owner alone. Throws when the file cannot be opened. */
export function sqliteHolds(path: string): HoldStore {
  const database = openSqlite(path, migrations)
  const statements = {
    insert: database.prepare(
      `insert into hold (${columns}) values (:id, :state, :digest, :issuer, :subject, :resource, :created, :expires, :version, :body)`,
    ),
    replace: database.prepare(
      'update hold set state = :state, version = :version, body = :body where id = :id and version = :before',
    ),
    get: database.prepare('select body from hold where id = :id'),
    open: database.prepare(
      `select body from hold where digest = :digest and ${open} and expires_ms > :now
       order by state, created_ms desc, id limit ${openMax}`,
    ),
    list: database.prepare(
      `select body from hold where (:state is null or ${seen} = :state)
         and (:resource is null or resource = :resource)
       order by created_ms desc, id limit :max`,
    ),
    due: database.prepare(
      `select body from hold where ${open} and expires_ms <= :now order by expires_ms limit :max`,
    ),
    pending: database.prepare(
      `select count(*) as every, coalesce(sum(issuer = :issuer and subject = :subject), 0) as own
       from hold where state = 'pending' and expires_ms > :now`,
    ),
    prune: database.prepare(
      `delete from hold where id in
         (select id from hold where not (${open}) and created_ms < :before order by created_ms limit :max)`,
    ),
  }
  const rows = (statement: keyof typeof statements, values: Record<string, SQLInputValue>) =>
    withState(() => statements[statement].all(values).map(stored))

  return {
    insert: (next) => withState(() => void statements.insert.run(inserted(next))),
    get: (id) => rows('get', { id })[0],
    replace: (next) => withState(() => statements.replace.run(replaced(next)).changes === 1),
    open: (digest, now) => rows('open', { digest, now }),
    list: ({ state, resource, nowMs, max }) =>
      rows('list', { state: state ?? null, resource: resource ?? null, now: nowMs, max }),
    due: (now, max) => rows('due', { now, max }),
    pending: (now, issuer, subject) =>
      withState(() => {
        const row = statements.pending.get({ now, issuer, subject })
        return { all: Number(row?.['every']), own: Number(row?.['own']) }
      }),
    prune: (before, max) => withState(() => Number(statements.prune.run({ before, max }).changes)),
    close: () => database.close(),
  }
}

function inserted(next: StoredHold): Record<string, SQLInputValue> {
  const { id, state, subject, resource, created_ms, expires_ms } = next.hold
  const { digest, issuer, version } = next
  const times = { created: created_ms, expires: expires_ms }
  return { id, state, digest, issuer, subject, resource, ...times, version, body: body(next) }
}

function replaced(next: StoredHold): Record<string, SQLInputValue> {
  const { id, state } = next.hold
  return { id, state, version: next.version, before: next.version - 1, body: body(next) }
}

function body(next: StoredHold): string {
  return JSON.stringify(next)
}

/** What body() wrote; nobody else writes this table. */
function stored(row: Row): StoredHold {
  return JSON.parse(String(row['body'])) as StoredHold
}
