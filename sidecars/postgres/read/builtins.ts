/**
 * What PostgreSQL's own functions may do, by name. A name that is in no list here and not immutable counts as running code.
 * `listed` have no effect beyond their answer and their own session's locks, and reach nothing but their arguments and
 * the catalogue.
 */
const listed = words(`
now transaction_timestamp statement_timestamp clock_timestamp timeofday random random_normal gen_random_uuid uuidv4
uuidv7 age date_part date_trunc extract to_char to_date to_timestamp to_number timezone timestamptz timestamp date time
timetz interval make_timestamptz date_bin date_add date_subtract
to_json to_jsonb row_to_json array_to_json json_build_object json_build_array jsonb_build_object jsonb_build_array
json_object json_populate_record jsonb_populate_record json_populate_recordset jsonb_populate_recordset json_to_record
jsonb_to_record json_to_recordset jsonb_to_recordset jsonb_path_exists_tz jsonb_path_query_tz
jsonb_path_query_array_tz jsonb_path_query_first_tz jsonb_path_match_tz
concat concat_ws format quote_literal quote_nullable quote_ident array_to_string string_to_array string_to_table text
current_schema current_schemas current_database current_catalog current_user session_user user current_query version
pg_typeof pg_column_size pg_backend_pid pg_is_in_recovery pg_postmaster_start_time pg_conf_load_time inet_client_addr
inet_server_addr inet_client_port inet_server_port
to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_headline ts_parse ts_token_type
ts_debug ts_lexize get_current_ts_config
has_table_privilege has_schema_privilege has_column_privilege has_any_column_privilege has_database_privilege
has_function_privilege has_sequence_privilege has_language_privilege has_type_privilege
has_foreign_data_wrapper_privilege has_server_privilege has_tablespace_privilege pg_has_role row_security_active
pg_get_viewdef pg_get_functiondef pg_get_indexdef pg_get_constraintdef pg_get_expr pg_get_triggerdef pg_get_ruledef
pg_get_userbyid pg_get_serial_sequence pg_get_function_arguments pg_get_function_identity_arguments
pg_get_function_result pg_get_function_sqlbody pg_get_partkeydef pg_get_partition_constraintdef
pg_get_statisticsobjdef pg_get_statisticsobjdef_columns pg_get_keywords pg_get_catalog_foreign_keys format_type
obj_description col_description shobj_description pg_encoding_to_char pg_char_to_encoding getdatabaseencoding
pg_client_encoding oidvectortypes pg_listening_channels pg_tablespace_location
pg_table_is_visible pg_type_is_visible pg_function_is_visible pg_operator_is_visible pg_opclass_is_visible
pg_opfamily_is_visible pg_conversion_is_visible pg_collation_is_visible pg_ts_parser_is_visible
pg_ts_dict_is_visible pg_ts_template_is_visible pg_ts_config_is_visible pg_statistics_obj_is_visible to_regclass
to_regtype to_regproc to_regprocedure to_regoper to_regoperator to_regnamespace to_regrole to_regcollation regclass
pg_relation_size pg_total_relation_size pg_table_size pg_indexes_size pg_database_size pg_tablespace_size
pg_size_pretty pg_size_bytes pg_relation_is_updatable pg_column_is_updatable pg_my_temp_schema
pg_is_other_temp_schema pg_relation_is_publishable pg_indexam_has_property pg_index_has_property
pg_index_column_has_property pg_partition_tree pg_partition_ancestors pg_partition_root pg_sequence_parameters
pg_sequence_last_value pg_options_to_table aclexplode pg_identify_object pg_describe_object generate_series
unnest generate_subscripts enum_range enum_first enum_last xml xpath xpath_exists xmlexists xmlcomment
xml_is_well_formed xml_is_well_formed_document xml_is_well_formed_content convert_to convert_from txid_current
txid_current_if_assigned pg_current_xact_id pg_blocking_pids current_setting currval lastval merge_action
regexp_split_to_table regexp_matches array_in array_out record_in record_out _pg_expandarray
pg_advisory_unlock_all pg_get_acl pg_stat_get_numscans pg_show_all_timezone pg_timezone_names pg_timezone_abbrevs
uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_random_bytes gen_salt pgp_sym_encrypt pgp_sym_encrypt_bytea
pgp_pub_encrypt pgp_pub_encrypt_bytea pg_event_trigger_ddl_commands
pg_event_trigger_dropped_objects similarity word_similarity strict_word_similarity show_limit unaccent
pg_show_all_settings pg_available_extensions pg_available_extension_versions pg_is_wal_replay_paused`)

/** Reach files, other sessions, large objects, or run text as SQL: what they touch cannot be told from the statement. */
const reaching = words(`
pg_read_file pg_read_file_old pg_read_file_all pg_read_file_off_len pg_read_binary_file pg_read_binary_file_all
pg_stat_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir pg_ls_archive_statusdir pg_ls_logicalsnapdir
pg_ls_logicalmapdir pg_ls_replslotdir pg_ls_summariesdir pg_file_write pg_file_sync pg_file_rename pg_file_unlink
pg_logdir_ls lo_import lo_export pg_current_logfile pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings
pg_relation_filepath
query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema table_to_xml
table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema
database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat ts_rewrite dblink dblink_exec
dblink_connect dblink_connect_u dblink_open dblink_fetch dblink_send_query dblink_get_result crosstab crosstabn
connectby xpath_table
lo_get lo_open lo_creat lo_create lo_put lo_from_bytea lo_unlink loread lowrite lo_lseek lo_lseek64 lo_tell lo_tell64
lo_truncate lo_truncate64 lo_close
pg_export_snapshot pg_logical_emit_message
pg_create_logical_replication_slot pg_create_physical_replication_slot pg_drop_replication_slot
pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_logical_slot_get_changes
pg_logical_slot_peek_changes pg_logical_slot_get_binary_changes pg_logical_slot_peek_binary_changes
pg_replication_slot_advance
pg_stat_get_activity pg_stat_get_backend_activity pg_stat_statements pg_stat_get_wal_receiver
pg_stat_get_wal_senders pg_config
currtid2 pg_get_backend_memory_contexts pg_restore_relation_stats pg_restore_attribute_stats pg_lock_status`)

/**
 * Extensions whose compiled functions reach nothing but what they are given, by name. Types, operators and index support of
 * btree_gin, btree_gist, citext, cube, hstore, intarray, isn, ltree and seg; distances of earthdistance, fuzzystrmatch and
 * pg_trgm; digests and ciphers of pgcrypto, which draw from the system's generator, as uuid-ossp does; a dictionary of unaccent.
 */
const computing = words(`
btree_gin btree_gist citext cube earthdistance fuzzystrmatch hstore intarray isn ltree pg_trgm pgcrypto seg unaccent
uuid-ossp`)

/** Those among them that leave something in the session, where a later statement finds it; isn says that this one is immutable. */
const leaving = words('isn_weak set_limit')

/** What each of these does besides answering. */
const acting: Readonly<Record<string, 'setting' | 'sequence' | 'channel'>> = {
  set_config: 'setting',
  nextval: 'sequence',
  setval: 'sequence',
  pg_notify: 'channel',
}

/**
 * Never fail depending on a value, so that working them out tells nothing about it. What can make much of little is not
 * among them (replace, string_agg): beyond 1 GB it fails, and how much it is depends on the value.
 */
const total = words(`
lower upper initcap length char_length character_length octet_length bit_length md5 sha256 sha512 concat concat_ws
btrim ltrim rtrim trim left right reverse translate split_part substr position strpos starts_with
quote_literal quote_nullable quote_ident to_json to_jsonb row_to_json json_build_array jsonb_build_array array_to_json count min max array_append array_prepend array_cat array_length
cardinality pg_typeof jsonb_strip_nulls jsonb_pretty json_typeof jsonb_typeof any_value bool_and bool_or every
hashtext lag lead first_value last_value row_number rank dense_rank percent_rank cume_dist array_to_string format_type
num_nulls num_nonnulls ascii text encode now`)

const totalOperators = new Set(
  '|| = <> != < > <= >= ~~ !~~ ~~* !~~* -> ->> #> #>> @> <@ && ? ^@'.split(' '),
)

export const isListed = (name: string): boolean => listed.has(name)
export const isComputing = (extension: string, name: string): boolean =>
  computing.has(extension) && !leaving.has(name)
export const isReaching = (name: string): boolean => reaching.has(name)
export const actsOn = (name: string): 'setting' | 'sequence' | 'channel' | undefined =>
  Object.hasOwn(acting, name) ? acting[name] : undefined
export const isTotal = (name: string): boolean => total.has(name)
export const isTotalOperator = (name: string): boolean => totalOperators.has(name)

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/))
}
