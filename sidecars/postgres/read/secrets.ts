/** What of the server's own relations is not shown, and why. */
export type Secret = {
  readonly why: string
  /** Undefined is all of it, the number of its rows too. */
  readonly columns: ReadonlySet<string> | undefined
  /** Only where the server has settings that may hold secrets and that the login sees. */
  readonly settings: boolean
}

type Row = readonly [relation: string, columns: string, why: string]

const passwords = 'passwords'
const values = 'values of tables, as statistics'
const others = 'what other sessions do'
const options = 'passwords and keys among the options'
const replication = 'who takes which changes, and how'
const files = "the server's files, with passwords among the options"
const inside = 'the inside of objects'
const texts = 'what the gate made of a statement'
const settings = 'settings that may hold secrets'

/** In the order of the documentation's chapters on system catalogues, views and the information schema; `*` is every column. */
const table: readonly Row[] = [
  ['pg_authid', '*', passwords],
  ['pg_db_role_setting', '*', settings],
  ['pg_foreign_data_wrapper', '*', options],
  ['pg_foreign_server', '*', options],
  ['pg_foreign_table', '*', options],
  ['pg_user_mapping', '*', options],
  ['pg_largeobject', '*', inside],
  ['pg_replication_origin', '*', replication],
  ['pg_seclabel', '*', 'labels of other software'],
  ['pg_shseclabel', '*', 'labels of other software'],
  ['pg_statistic', '*', values],
  ['pg_statistic_ext_data', '*', values],
  ['pg_subscription', '*', 'passwords to other servers'],
  ['pg_aios', '*', others],
  ['pg_backend_memory_contexts', '*', others],
  ['pg_cursors', 'statement', texts],
  ['pg_file_settings', '*', files],
  ['pg_hba_file_rules', '*', files],
  ['pg_ident_file_mappings', '*', files],
  ['pg_locks', '*', others],
  ['pg_prepared_statements', 'statement', texts],
  ['pg_prepared_xacts', '*', others],
  ['pg_replication_origin_status', '*', replication],
  ['pg_replication_slots', '*', replication],
  ['pg_roles', 'rolconfig', settings],
  ['pg_seclabels', '*', 'labels of other software'],
  ['pg_settings', 'setting boot_val reset_val', settings],
  ['pg_shadow', '*', passwords],
  ['pg_stats', '*', values],
  ['pg_stats_ext', '*', values],
  ['pg_stats_ext_exprs', '*', values],
  ['pg_user', 'useconfig', settings],
  ['pg_user_mappings', '*', options],
  ['pg_stat_activity', '*', others],
  ['pg_stat_gssapi', '*', others],
  ['pg_stat_replication', '*', replication],
  ['pg_stat_replication_slots', '*', replication],
  ['pg_stat_ssl', '*', others],
  ['pg_stat_wal_receiver', '*', replication],
  ['_pg_foreign_data_wrappers', '*', options],
  ['_pg_foreign_servers', '*', options],
  ['_pg_foreign_table_columns', '*', options],
  ['_pg_foreign_tables', '*', options],
  ['_pg_user_mappings', '*', options],
  ['column_options', '*', options],
  ['foreign_data_wrapper_options', '*', options],
  ['foreign_server_options', '*', options],
  ['foreign_table_options', '*', options],
  ['user_mapping_options', '*', options],
  // Of extensions.
  ['pg_buffercache', '*', inside],
  ['pg_qualstats', '*', values],
  ['pg_qualstats_all', '*', values],
  ['pg_qualstats_pretty', '*', values],
  ['pg_stat_monitor', '*', others],
  ['pg_stat_statements', '*', others],
  ['pg_store_plans', '*', others],
]

const secrets: ReadonlyMap<string, Secret> = new Map(
  table.map(([relation, columns, why]) => [
    relation,
    {
      why,
      columns: columns === '*' ? undefined : new Set(columns.split(' ')),
      settings: why === settings && columns !== '*',
    },
  ]),
)

/** What of a relation of the server's own, or of an extension, by name, is not shown. */
export const secretOf = (relation: string): Secret | undefined => secrets.get(relation)

/** All of them, by name. */
export const secretRelations: ReadonlySet<string> = new Set(secrets.keys())

/** Hold connection strings with passwords, or commands that are given some. */
const secretSettings: ReadonlySet<string> = new Set([
  'archive_cleanup_command',
  'archive_command',
  'primary_conninfo',
  'recovery_end_command',
  'restore_command',
  'ssl_passphrase_command',
  'citus.node_conninfo',
  'repmgr.conninfo',
])

const telling = /secret|passw|passphrase|token|credential|conninfo|private|api_?key|jwt/

/** Whether a setting may hold a secret, by name: one that is known to, or of somebody's own with a name that says so. */
export function isSecretSetting(name: string): boolean {
  const plain = name.toLowerCase()
  return secretSettings.has(plain) || (plain.includes('.') && telling.test(plain))
}

/**
 * Settings that hold something, as the login sees them, and those that roles and databases begin with. Of a command that is
 * switched off the server shows a remark, and what it would be besides.
 */
export const filledSettings = `
SELECT s.name FROM pg_catalog.pg_settings AS s
 WHERE s.reset_val OPERATOR(pg_catalog.<>) '' OR s.setting OPERATOR(pg_catalog.<>) ALL (ARRAY['', '(disabled)'])
 UNION SELECT pg_catalog.split_part(c.one, '=', 1)
  FROM pg_catalog.pg_db_role_setting AS d CROSS JOIN pg_catalog.unnest(d.setconfig) AS c (one)`
