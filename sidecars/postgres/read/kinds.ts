import type { Effect } from '../../../pdp/contract.ts'
import type { Kind } from './ast.ts'

/** What a kind of statement is called and does, before anything inside it is looked at. */
export type KindFacts = { readonly name: string; readonly effects: readonly Effect[] }

const define = (name: string): KindFacts => ({ name, effects: ['define'] })
const destroy = (name: string): KindFacts => ({ name, effects: ['define', 'delete'] })
const grant = (name: string): KindFacts => ({ name, effects: ['grant'] })
const session = (name: string): KindFacts => ({ name, effects: ['session'] })
const run = (name: string): KindFacts => ({ name, effects: ['execute'] })

/** Statements that are neither queries nor writes. What is not here is not understood. */
export const kinds: { readonly [K in Kind]?: KindFacts } = {
  TransactionStmt: session('transaction'),
  VariableSetStmt: session('set'),
  VariableShowStmt: session('show'),
  DiscardStmt: session('discard'),
  PrepareStmt: session('prepare'),
  DeallocateStmt: session('deallocate'),
  DeclareCursorStmt: session('declare'),
  ClosePortalStmt: session('close'),
  ConstraintsSetStmt: session('set_constraints'),
  ListenStmt: { name: 'listen', effects: ['read', 'session'] },
  UnlistenStmt: session('unlisten'),
  NotifyStmt: { name: 'notify', effects: ['write'] },
  ExecuteStmt: { name: 'execute', effects: [] },
  FetchStmt: { name: 'fetch', effects: [] },
  ExplainStmt: { name: 'explain', effects: ['read'] },
  CopyStmt: { name: 'copy', effects: [] },
  DoStmt: run('do'),
  CallStmt: run('call'),
  LoadStmt: run('load'),
  LockStmt: { name: 'lock', effects: ['write'] },
  TruncateStmt: { name: 'truncate', effects: ['delete'] },
  VacuumStmt: define('vacuum'),
  ReindexStmt: define('reindex'),
  ClusterStmt: define('cluster'),
  CheckPointStmt: define('checkpoint'),
  RefreshMatViewStmt: { name: 'refresh_materialized_view', effects: ['define', 'write'] },

  CreateStmt: define('create_table'),
  CreateForeignTableStmt: define('create_foreign_table'),
  CreateTableAsStmt: { name: 'create_table_as', effects: ['define', 'write'] },
  ViewStmt: define('create_view'),
  CreateSchemaStmt: define('create_schema'),
  CreateSeqStmt: define('create_sequence'),
  CreateFunctionStmt: define('create_function'),
  CreateTrigStmt: define('create_trigger'),
  CreateEventTrigStmt: define('create_event_trigger'),
  CreateExtensionStmt: define('create_extension'),
  CreateFdwStmt: define('create_foreign_data_wrapper'),
  CreateForeignServerStmt: define('create_server'),
  CreateUserMappingStmt: { name: 'create_user_mapping', effects: ['define', 'grant'] },
  CreatePLangStmt: define('create_language'),
  CreateDomainStmt: define('create_domain'),
  CreateEnumStmt: define('create_type'),
  CreateRangeStmt: define('create_type'),
  CompositeTypeStmt: define('create_type'),
  CreateCastStmt: define('create_cast'),
  CreateConversionStmt: define('create_conversion'),
  CreateOpClassStmt: define('create_operator_class'),
  CreateOpFamilyStmt: define('create_operator_family'),
  CreateAmStmt: define('create_access_method'),
  CreateStatsStmt: define('create_statistics'),
  CreateTransformStmt: define('create_transform'),
  CreatePublicationStmt: define('create_publication'),
  CreateSubscriptionStmt: define('create_subscription'),
  CreateTableSpaceStmt: define('create_tablespace'),
  CreatedbStmt: define('create_database'),
  DefineStmt: define('create'),
  IndexStmt: define('create_index'),
  RuleStmt: define('create_rule'),
  ImportForeignSchemaStmt: define('import_foreign_schema'),

  AlterTableStmt: define('alter_table'),
  AlterTableMoveAllStmt: define('alter_table'),
  AlterSeqStmt: define('alter_sequence'),
  AlterFunctionStmt: define('alter_function'),
  AlterDomainStmt: define('alter_domain'),
  AlterEnumStmt: define('alter_type'),
  AlterTypeStmt: define('alter_type'),
  AlterCollationStmt: define('alter_collation'),
  AlterDatabaseStmt: define('alter_database'),
  AlterDatabaseRefreshCollStmt: define('alter_database'),
  AlterDatabaseSetStmt: { name: 'alter_database', effects: ['define', 'session'] },
  AlterSystemStmt: { name: 'alter_system', effects: ['define', 'session'] },
  AlterEventTrigStmt: define('alter_event_trigger'),
  AlterExtensionStmt: define('alter_extension'),
  AlterExtensionContentsStmt: define('alter_extension'),
  AlterFdwStmt: define('alter_foreign_data_wrapper'),
  AlterForeignServerStmt: define('alter_server'),
  AlterUserMappingStmt: { name: 'alter_user_mapping', effects: ['define', 'grant'] },
  AlterObjectDependsStmt: define('alter'),
  AlterObjectSchemaStmt: define('alter'),
  AlterOperatorStmt: define('alter_operator'),
  AlterOpFamilyStmt: define('alter_operator_family'),
  AlterPublicationStmt: define('alter_publication'),
  AlterSubscriptionStmt: define('alter_subscription'),
  AlterStatsStmt: define('alter_statistics'),
  AlterTSConfigurationStmt: define('alter_text_search_configuration'),
  AlterTSDictionaryStmt: define('alter_text_search_dictionary'),
  AlterTableSpaceOptionsStmt: define('alter_tablespace'),
  ReplicaIdentityStmt: define('alter_table'),
  RenameStmt: define('alter'),
  CommentStmt: define('comment'),

  DropStmt: destroy('drop'),
  DropOwnedStmt: { name: 'drop_owned', effects: ['define', 'delete', 'grant'] },
  DropdbStmt: destroy('drop_database'),
  DropTableSpaceStmt: destroy('drop_tablespace'),
  DropSubscriptionStmt: destroy('drop_subscription'),
  DropUserMappingStmt: { name: 'drop_user_mapping', effects: ['define', 'grant'] },

  GrantStmt: grant('grant'),
  GrantRoleStmt: grant('grant_role'),
  AlterDefaultPrivilegesStmt: grant('alter_default_privileges'),
  AlterOwnerStmt: { name: 'alter_owner', effects: ['define', 'grant'] },
  CreateRoleStmt: grant('create_role'),
  AlterRoleStmt: grant('alter_role'),
  AlterRoleSetStmt: { name: 'alter_role', effects: ['grant', 'session'] },
  DropRoleStmt: grant('drop_role'),
  ReassignOwnedStmt: grant('reassign_owned'),
  CreatePolicyStmt: { name: 'create_policy', effects: ['define', 'grant'] },
  AlterPolicyStmt: { name: 'alter_policy', effects: ['define', 'grant'] },
  SecLabelStmt: { name: 'security_label', effects: ['define', 'grant'] },
}

/** PostgreSQL's kind of object in the words policies use. */
export function objectKind(type: string | undefined): string {
  const word = (type ?? 'OBJECT').replace(/^OBJECT_/, '').toLowerCase()
  return renamed[word] ?? word
}

const renamed: Readonly<Record<string, string>> = {
  matview: 'materialized_view',
  tabconstraint: 'constraint',
  domconstraint: 'constraint',
  foreign_server: 'server',
  fdw: 'foreign_data_wrapper',
  tsconfiguration: 'text_search_configuration',
  tsdictionary: 'text_search_dictionary',
  tsparser: 'text_search_parser',
  tstemplate: 'text_search_template',
}

/** The name of a transaction statement. */
export function transactionName(kind: string | undefined): string {
  const word = (kind ?? '').replace(/^TRANS_STMT_/, '').toLowerCase()
  return (
    { start: 'begin', rollback_to: 'rollback_to', prepare: 'prepare_transaction' }[word] ?? word
  )
}
