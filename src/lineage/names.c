/*
 * The lists are of PostgreSQL 15's pg_catalog; later versions only add to
 * it, and what is not listed counts as unknown. Each is in the order of
 * strcmp, since it is searched by halves.
 *
 * A function is listed as harmless if it reads no table, runs no SQL handed
 * to it as text, and leaves nothing behind that another session could see.
 * The forbidden ones are prefixes: pg_ls_ is all of pg_ls_dir, pg_ls_waldir...
 */
#include "lineage/names.h"

#include <stdlib.h>
#include <string.h>

static const char *const harmless[] = {
	"abs", "acos", "acosd", "acosh", "age", "any_value", "area",
	"array_agg", "array_append", "array_cat", "array_dims", "array_fill",
	"array_length", "array_lower", "array_ndims", "array_position",
	"array_positions", "array_prepend", "array_remove", "array_replace",
	"array_to_json", "array_to_string", "array_to_tsvector",
	"array_upper", "ascii", "asin", "asind", "asinh", "atan", "atan2",
	"atan2d", "atand", "atanh", "avg", "bit_and", "bit_count",
	"bit_length", "bit_or", "bit_xor", "bool_and", "bool_or", "bound_box",
	"box", "broadcast", "btrim", "cardinality", "cbrt", "ceil", "ceiling",
	"center", "char_length", "character_length", "chr", "circle",
	"clock_timestamp", "col_description", "concat", "concat_ws",
	"convert", "convert_from", "convert_to", "corr", "cos", "cosd",
	"cosh", "cot", "cotd", "count", "covar_pop", "covar_samp",
	"cume_dist", "current_database", "current_query", "current_schema",
	"current_schemas", "current_setting", "current_user", "date",
	"date_bin", "date_part", "date_trunc", "decode", "degrees",
	"dense_rank", "diagonal", "diameter", "div", "encode", "enum_first",
	"enum_last", "enum_range", "every", "exp", "extract", "factorial",
	"family", "first_value", "floor", "format", "format_type", "gcd",
	"gen_random_uuid", "generate_series", "generate_subscripts",
	"get_bit", "get_byte", "get_current_ts_config", "getdatabaseencoding",
	"has_any_column_privilege", "has_column_privilege",
	"has_database_privilege", "has_function_privilege",
	"has_schema_privilege", "has_sequence_privilege",
	"has_table_privilege", "has_type_privilege", "hashtext", "height",
	"host", "hostmask", "inet_merge", "inet_same_family", "initcap",
	"interval", "is_normalized", "isclosed", "isempty", "isfinite",
	"isopen", "json_agg", "json_array_elements",
	"json_array_elements_text", "json_array_length", "json_build_array",
	"json_build_object", "json_each", "json_each_text",
	"json_extract_path", "json_extract_path_text", "json_object",
	"json_object_agg", "json_object_keys", "json_populate_record",
	"json_populate_recordset", "json_strip_nulls", "json_to_record",
	"json_to_recordset", "json_typeof", "jsonb_agg",
	"jsonb_array_elements", "jsonb_array_elements_text",
	"jsonb_array_length", "jsonb_build_array", "jsonb_build_object",
	"jsonb_each", "jsonb_each_text", "jsonb_extract_path",
	"jsonb_extract_path_text", "jsonb_insert", "jsonb_object",
	"jsonb_object_agg", "jsonb_object_keys", "jsonb_path_exists",
	"jsonb_path_exists_tz", "jsonb_path_match", "jsonb_path_match_tz",
	"jsonb_path_query", "jsonb_path_query_array",
	"jsonb_path_query_array_tz", "jsonb_path_query_first",
	"jsonb_path_query_first_tz", "jsonb_path_query_tz",
	"jsonb_populate_record", "jsonb_populate_recordset", "jsonb_pretty",
	"jsonb_set", "jsonb_set_lax", "jsonb_strip_nulls", "jsonb_to_record",
	"jsonb_to_recordset", "jsonb_typeof", "justify_days", "justify_hours",
	"justify_interval", "lag", "last_value", "lcm", "lead", "left",
	"length", "like_escape", "line", "ln", "log", "log10", "lower",
	"lower_inc", "lower_inf", "lpad", "lseg", "ltrim", "make_date",
	"make_interval", "make_time", "make_timestamp", "make_timestamptz",
	"masklen", "max", "md5", "min", "min_scale", "mod", "mode",
	"multirange", "netmask", "network", "normalize", "now", "npoints",
	"nth_value", "ntile", "num_nonnulls", "num_nulls", "numnode",
	"obj_description", "octet_length", "overlaps", "overlay",
	"parse_ident", "path", "percent_rank", "percentile_cont",
	"percentile_disc", "pg_backend_pid", "pg_char_to_encoding",
	"pg_client_encoding", "pg_collation_for", "pg_collation_is_visible",
	"pg_column_size", "pg_conversion_is_visible", "pg_encoding_to_char",
	"pg_function_is_visible", "pg_get_constraintdef", "pg_get_expr",
	"pg_get_function_arguments", "pg_get_function_identity_arguments",
	"pg_get_function_result", "pg_get_functiondef", "pg_get_indexdef",
	"pg_get_keywords", "pg_get_partkeydef", "pg_get_ruledef",
	"pg_get_serial_sequence", "pg_get_triggerdef", "pg_get_userbyid",
	"pg_get_viewdef", "pg_has_role", "pg_is_in_recovery",
	"pg_is_other_temp_schema", "pg_my_temp_schema",
	"pg_opclass_is_visible", "pg_operator_is_visible",
	"pg_postmaster_start_time", "pg_size_bytes", "pg_size_pretty",
	"pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_table_is_visible",
	"pg_timezone_abbrevs", "pg_timezone_names", "pg_ts_config_is_visible",
	"pg_type_is_visible", "pg_typeof", "phraseto_tsquery", "pi",
	"plainto_tsquery", "point", "polygon", "popen", "position", "pow",
	"power", "querytree", "quote_ident", "quote_literal",
	"quote_nullable", "radians", "radius", "random", "range_agg",
	"range_intersect_agg", "range_merge", "rank", "regexp_count",
	"regexp_instr", "regexp_like", "regexp_match", "regexp_matches",
	"regexp_replace", "regexp_split_to_array", "regexp_split_to_table",
	"regexp_substr", "regr_avgx", "regr_avgy", "regr_count",
	"regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy",
	"regr_syy", "repeat", "replace", "reverse", "right", "round",
	"row_number", "row_security_active", "row_to_json", "rpad", "rtrim",
	"scale", "session_user", "set_bit", "set_byte", "set_masklen",
	"setweight", "sha224", "sha256", "sha384", "sha512",
	"shobj_description", "sign", "similar_escape", "similar_to_escape",
	"sin", "sind", "sinh", "slope", "split_part", "sqrt", "starts_with",
	"statement_timestamp", "stddev", "stddev_pop", "stddev_samp",
	"string_agg", "string_to_array", "string_to_table", "strip", "strpos",
	"substr", "substring", "sum", "tan", "tand", "tanh", "text",
	"timezone", "to_ascii", "to_char", "to_date", "to_hex", "to_json",
	"to_jsonb", "to_number", "to_regclass", "to_regcollation",
	"to_regnamespace", "to_regoper", "to_regoperator", "to_regproc",
	"to_regprocedure", "to_regrole", "to_regtype", "to_timestamp",
	"to_tsquery", "to_tsvector", "transaction_timestamp", "translate",
	"trim_array", "trim_scale", "trunc", "ts_delete", "ts_filter",
	"ts_headline", "ts_rank", "ts_rank_cd", "tsquery_phrase",
	"tsvector_to_array", "unistr", "unnest", "upper", "upper_inc",
	"upper_inf", "var_pop", "var_samp", "varchar", "variance", "version",
	"websearch_to_tsquery", "width", "width_bucket", "xml_is_well_formed",
	"xml_is_well_formed_content", "xml_is_well_formed_document", "xmlagg",
	"xmlcomment", "xmlexists", "xpath", "xpath_exists",
};

static const char *const forbidden[] = {
	"brin_", "connectby", "crosstab", "currtid", "currval",
	"cursor_to_xml", "database_to_xml", "dblink",
	"gin_clean_pending_list", "lastval", "lo_", "loread", "lowrite",
	"nextval", "pg_advisory_", "pg_backup_", "pg_blocking_pids",
	"pg_cancel_backend", "pg_control_", "pg_copy_", "pg_create_",
	"pg_current_snapshot", "pg_current_wal_", "pg_current_xact",
	"pg_cursor", "pg_database_size", "pg_drop_", "pg_export_", "pg_file_",
	"pg_filenode_",
	"pg_get_backend_memory", "pg_get_replication_slots", "pg_get_shmem",
	"pg_hba_", "pg_ident_", "pg_import_", "pg_indexes_size",
	"pg_last_", "pg_listening_channels",
	"pg_lock_status", "pg_log_", "pg_logfile", "pg_logical_", "pg_ls_",
	"pg_notify", "pg_prepared_", "pg_prewarm", "pg_promote", "pg_read_",
	"pg_relation_", "pg_reload_conf", "pg_replication_", "pg_rotate_",
	"pg_safe_snapshot_", "pg_sequence_last_value",
	"pg_show_all_file_settings", "pg_start_backup", "pg_stat_",
	"pg_stop_", "pg_switch_", "pg_table_size", "pg_tablespace_size",
	"pg_terminate_backend", "pg_total_relation_size", "pg_try_advisory_",
	"pg_wal_", "pg_walfile_", "pg_xact_", "pgrowlocks", "pgstat",
	"query_to_xml", "schema_to_xml",
	"set_config", "setseed", "setval", "table_to_xml", "ts_rewrite", "ts_stat",
	"txid_", "xpath_table", "xslt_process",
};

static const char *const operators[] = {
	"!!", "!~", "!~*", "!~~", "!~~*", "#", "##", "#-", "#>", "#>>", "%",
	"&", "&&", "&<", "&<|", "&>", "*", "*<", "*<=", "*<>", "*=", "*>",
	"*>=", "+", "-", "->", "->>", "-|-", "/", "<", "<->", "<<", "<<=",
	"<<|", "<=", "<>", "<@", "<^", "=", ">", ">=", ">>", ">>=", ">^", "?",
	"?#", "?&", "?-", "?-|", "?|", "?||", "@", "@-@", "@>", "@?", "@@",
	"@@@", "^", "^@", "|", "|&>", "|/", "|>>", "||", "||/", "~", "~*",
	"~<=~", "~<~", "~=", "~>=~", "~>~", "~~", "~~*",
};

static const char *const types[] = {
	"bit", "bool", "box", "bpchar", "bytea", "char", "cid", "cidr",
	"circle", "date", "datemultirange", "daterange", "float4", "float8",
	"inet", "int2", "int2vector", "int4", "int4multirange", "int4range",
	"int8", "int8multirange", "int8range", "interval", "json", "jsonb",
	"jsonpath", "line", "lseg", "macaddr", "macaddr8", "money", "name",
	"numeric", "nummultirange", "numrange", "oid", "oidvector", "path",
	"pg_lsn", "pg_node_tree", "pg_snapshot", "point", "polygon", "record",
	"refcursor", "regclass", "regcollation", "regconfig", "regdictionary",
	"regnamespace", "regoper", "regoperator", "regproc", "regprocedure",
	"regrole", "regtype", "text", "tid", "time", "timestamp",
	"timestamptz", "timetz", "tsmultirange", "tsquery", "tsrange",
	"tstzmultirange", "tstzrange", "tsvector", "txid_snapshot", "unknown",
	"uuid", "varbit", "varchar", "void", "xid", "xid8", "xml",
};

static int
name_compare(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

#define FIND(name, list)						\
	(bsearch((name), (list), sizeof(list) / sizeof((list)[0]),	\
	    sizeof((list)[0]), name_compare) != NULL)

bool
name_is_harmless_function(const char *name)
{
	return FIND(name, harmless);
}

bool
name_is_forbidden_function(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (strncmp(name, forbidden[i], strlen(forbidden[i])) == 0)
			return true;
	return false;
}

bool
name_is_operator(const char *name)
{
	return FIND(name, operators);
}

bool
name_is_type(const char *name)
{
	return FIND(name, types);
}
