import type { Query } from './catalogue.ts'

/**
 * Two signs of change. `mark` is cheap and moves with every transaction that wrote anything anywhere in the cluster:
 * while it stands still, nothing was defined. `content` is dear and moves only with definitions.
 */
export type Sign = { readonly mark: string; readonly content: string }

/**
 * A definition needs a transaction id, and its commit changes which ids are over. A standby shows other sets of ids, so
 * there it is the place up to which the log was replayed. Settings that are read again from files write nothing.
 */
const mark = `concat_ws('/', pg_conf_load_time(), CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text
       ELSE txid_current_snapshot()::text END)`

const temporary = `(SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_temp\\_%' OR nspname LIKE 'pg\\_toast%')`
const lasting = `(SELECT oid FROM pg_class WHERE relpersistence <> 't' AND relkind NOT IN ('t', 'i', 'I'))`

/** The age of rows that were there from the start. */
const ageless = 2 ** 31 - 1

/**
 * How many rows there are, and how young they are together: a row that was written again is younger than the one it
 * replaced, and any other was added or removed. Ages are taken from one point, since they grow with time.
 */
const rows = (from: string, where = 'true'): string =>
  `(SELECT concat(count(*), '.', sum(age('3'::xid)::int8 - age(xmin)) FILTER (WHERE age(xmin) <> ${ageless}))
  FROM ${from} WHERE ${where})`

/**
 * What TRUNCATE, REFRESH and their kind write into pg_class means nothing here, so of its rows only some columns count.
 * Temporary relations are left out: other sessions make them all the time.
 */
const classes = `(SELECT sum(hashtextextended(concat_ws(' ', oid, relnamespace, relkind, reltype, relrowsecurity, relacl, relname), 0))
  FROM pg_class WHERE relpersistence <> 't' AND relkind <> 't')`

const content = `concat_ws('/', ${[
  classes,
  rows('pg_namespace', `oid NOT IN ${temporary}`),
  rows('pg_attribute', `attnum > 0 AND attrelid IN ${lasting}`),
  rows('pg_attrdef', `adrelid IN ${lasting}`),
  rows('pg_type', `typnamespace NOT IN ${temporary}`),
  rows('pg_constraint', `connamespace NOT IN ${temporary}`),
  rows('pg_index', `indrelid IN ${lasting}`),
  rows('pg_rewrite', `ev_class IN ${lasting}`),
  rows('pg_trigger', `tgrelid IN ${lasting}`),
  rows('pg_inherits'),
  rows('pg_policy'),
  rows('pg_event_trigger'),
  rows('pg_proc', `pronamespace NOT IN ${temporary}`),
  rows('pg_aggregate'),
  rows('pg_operator'),
  rows('pg_cast'),
  rows('pg_auth_members'),
  rows('pg_db_role_setting'),
  'pg_conf_load_time()',
  '(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)',
].join(', ')})`

/** Startup settings under which these queries mean what they say, and cost what they should. */
export const settings: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog',
  default_transaction_isolation: 'read committed',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
}

/** The mark of now. Rejects when the server refuses. */
export async function readMark(query: Query): Promise<string> {
  return (await query(`SELECT ${mark}`))[0]?.[0] ?? absent()
}

/** Both of one moment; the search path must be the server's own schema alone. Rejects when the server refuses. */
export async function readSign(query: Query): Promise<Sign> {
  const [row] = await query(`SELECT ${mark}, ${content}`)
  return { mark: row?.[0] ?? absent(), content: row?.[1] ?? absent() }
}

function absent(): never {
  throw new Error('the datastore does not tell whether its definitions changed')
}
