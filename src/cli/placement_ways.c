/*
 * Each check is a query for (what it is, what to do), over `listed`, the
 * catalog's guarded tables (s, t). It knows what a server tells of itself:
 * where a standby or a host stands it cannot, so that is for people to see.
 *
 * Values that may have secrets in them (a connection's password, an
 * archive_command) are cut to a host or a first word.
 */
#include "cli/placement.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "cli/db.h"
#include "gateway/config.h"

#define NOT_OURS "!~ '^(pg_|sworn_)' "

static const struct way {
	enum placement_severity severity;
	const char *kind;
	const char *why;
	const char *sql;
} ways[] = {
	{ PLACEMENT_HIGH, "replica",
	    "it gets every change of the whole server, wherever it stands",
	    "SELECT format('replica %s at %s', coalesce(nullif("
	    "application_name, ''), 'without a name'), coalesce(client_addr"
	    "::text, 'this machine')), format('see that it stands where these "
	    "people are at home; else end it: SELECT pg_terminate_backend(%s);'"
	    ", pid) FROM pg_stat_replication" },
	{ PLACEMENT_MEDIUM, "slot",
	    "changes are kept for somebody who fetches them",
	    "SELECT format('replication slot %I, %s%s', slot_name, slot_type, "
	    "CASE WHEN active THEN ', in use' ELSE '' END), format('SELECT "
	    "pg_drop_replication_slot(%L);', slot_name) FROM "
	    "pg_replication_slots WHERE database IS NULL OR database = "
	    "current_database()" },
	{ PLACEMENT_HIGH, "publication",
	    "rows of guarded tables go to whoever subscribes",
	    "SELECT format('publication %I of %s', p.pubname, string_agg("
	    "format('%I.%I', p.schemaname, p.tablename), ', ' ORDER BY "
	    "p.schemaname, p.tablename)), format('DROP PUBLICATION %I;', "
	    "p.pubname) FROM pg_publication_tables p JOIN listed l ON l.s = "
	    "p.schemaname AND l.t = p.tablename GROUP BY p.pubname" },
	{ PLACEMENT_MEDIUM, "subscription",
	    "rows come from another server, past the application and its "
	    "triggers",
	    "SELECT format('subscription %I to %s', subname, coalesce("
	    "substring(subconninfo FROM 'host *= *([^ ]+)'), 'this machine')), "
	    "format('see that all of it belongs here; else: DROP SUBSCRIPTION "
	    "%I;', subname) FROM pg_subscription WHERE subdbid = (SELECT oid "
	    "FROM pg_database WHERE datname = current_database())" },
	{ PLACEMENT_HIGH, "foreign partition",
	    "rows of a guarded table lie on another server",
	    "SELECT format('%s, part of %I.%I, on %I', p.relid::regclass, l.s, "
	    "l.t, f.srvname), 'see that the server stands where these people "
	    "are at home' FROM listed l, LATERAL pg_partition_tree("
	    "to_regclass(format('%I.%I', l.s, l.t))) p JOIN pg_foreign_table "
	    "t ON t.ftrelid = p.relid JOIN pg_foreign_server f ON f.oid = "
	    "t.ftserver" },
	{ PLACEMENT_HIGH, "user mapping",
	    "who is mapped can write rows to that server by SQL alone",
	    "SELECT format('%s on server %I', CASE WHEN umuser = 0 THEN "
	    "'PUBLIC' ELSE format('role %I', usename) END, srvname), "
	    "format('DROP USER MAPPING FOR %s SERVER %I;', CASE WHEN umuser = "
	    "0 THEN 'PUBLIC' ELSE quote_ident(usename) END, srvname) FROM "
	    "pg_user_mappings WHERE coalesce(usename, '') !~ "
	    "'^sworn_(p?[0-9a-f]{16}_own|way)$'" },
	{ PLACEMENT_MEDIUM, "foreign server",
	    "rows can be written to it",
	    "SELECT format('server %I%s', s.srvname, (SELECT ' at ' || "
	    "option_value FROM pg_options_to_table(s.srvoptions) WHERE "
	    "option_name = 'host')), format('DROP SERVER %I CASCADE;', "
	    "s.srvname) FROM pg_foreign_server s" },
	{ PLACEMENT_MEDIUM, "archive",
	    "every change of the whole server is copied by it",
	    "SELECT format('%s, by %s', a.name, split_part(a.setting, ' ', 1)"
	    "), 'see where the copies lie, and for how long' FROM pg_settings "
	    "a WHERE a.name IN ('archive_command', 'archive_library') AND "
	    "a.setting NOT IN ('', '(disabled)') AND current_setting("
	    "'archive_mode') <> 'off'" },
	{ PLACEMENT_MEDIUM, "extension",
	    "it reaches other servers, files or programs from SQL",
	    "SELECT format('extension %I', extname), format('DROP EXTENSION "
	    "%I;', extname) FROM pg_extension WHERE extname ~ "
	    "'(^dblink|_fdw|^file_|^adminpack|^http|^pg_net|^pgsql_http|^aws_|"
	    "^azure_storage|^pg_cron|^pgagent|^pglogical|^bdr|^londiste|"
	    "^multicorn|^pg_bulkload|^plsh|^plr)$|(^aws_|^multicorn|_fdw)'" },
	{ PLACEMENT_MEDIUM, "language",
	    "its functions do what the server's own user may: files, network, "
	    "programs",
	    "SELECT format('language %I, %s functions', l.lanname, (SELECT "
	    "count(*) FROM pg_proc p WHERE p.prolang = l.oid)), format('DROP "
	    "EXTENSION %I;', l.lanname) FROM pg_language l WHERE NOT "
	    "l.lanpltrusted AND l.lanname NOT IN ('internal', 'c')" },
	{ PLACEMENT_MEDIUM, "role",
	    "it may copy the whole server",
	    "SELECT format('role %I (REPLICATION)', rolname), format('ALTER "
	    "ROLE %I NOREPLICATION;', rolname) FROM pg_roles WHERE "
	    "rolreplication AND NOT rolsuper AND rolname " NOT_OURS },
	{ PLACEMENT_MEDIUM, "role",
	    "it may write rows to files or programs of the server's machine, "
	    "or read every table",
	    "SELECT format('role %I in %I', m.rolname, g.rolname), format("
	    "'REVOKE %I FROM %I;', g.rolname, m.rolname) FROM pg_auth_members "
	    "a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = "
	    "a.member WHERE g.rolname IN ('pg_write_server_files', "
	    "'pg_read_server_files', 'pg_execute_server_program', "
	    "'pg_read_all_data') AND m.rolname " NOT_OURS },
	{ PLACEMENT_LOW, "event trigger",
	    "it runs by itself when the schema is changed, with the rights of "
	    "whoever changes it",
	    "SELECT format('event trigger %I, function %s', evtname, "
	    "evtfoid::regprocedure), format('read it; else: ALTER EVENT "
	    "TRIGGER %I DISABLE;', evtname) FROM pg_event_trigger WHERE "
	    "evtenabled <> 'D'" },
	{ PLACEMENT_LOW, "server log",
	    "values that statements have in them are in the server's log, and "
	    "wherever that goes",
	    "SELECT format('%s = %s', name, setting), format('ALTER SYSTEM SET "
	    "%s = %s;', name, boot_val) FROM pg_settings WHERE (name = "
	    "'log_statement' AND reset_val IN ('mod', 'all')) OR (name = "
	    "'log_min_duration_statement' AND reset_val <> '-1')" },
};

static void
put_listed(struct buf *out, const struct catalog *c)
{
	size_t i;

	buf_str(out, "WITH listed(s, t) AS (VALUES ('', '')");
	for (i = 0; i < c->n_tables; i++) {
		if (c->tables[i].is_public)
			continue;
		buf_str(out, ", (");
		text_sql_literal(out, c->tables[i].schema);
		buf_str(out, ", ");
		text_sql_literal(out, c->tables[i].name);
		buf_str(out, ")");
	}
	buf_str(out, " OFFSET 1) ");
}

int
placement_ways(struct placement *p)
{
	PGresult *rows;
	struct buf sql;
	size_t i;
	int r = 0, k;

	buf_init(&sql, 0);
	for (i = 0; r == 0 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		rows = NULL;
		buf_reset(&sql);
		put_listed(&sql, p->store->catalog);
		buf_fmt(&sql, "%s ORDER BY 1", ways[i].sql);
		r = db_rows_buf(p->c, "looking for ways out", &sql, &rows);
		for (k = 0; r == 0 && k < PQntuples(rows); k++)
			placement_found(p, ways[i].severity, ways[i].kind,
			    PQgetvalue(rows, k, 0), ways[i].why,
			    PQgetvalue(rows, k, 1));
		PQclear(rows);
	}
	buf_done(&sql);
	return r;
}
