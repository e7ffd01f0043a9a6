/*
 * Cases are statements with their class and tables as PostgreSQL reads them.
 * tests/enforce/test_tables.py compares table lists with a real server's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lineage/analyze.h"
#include "lineage/depth.h"

struct text_case {
	const char *sql;
	enum statement_class class;
	const char *tables;	/* "schema.name name", sorted */
	const char *whole;	/* whole_why, or NULL */
};

/* The only statement of a text; its tables joined by spaces in *tables. */
static const struct statement *
only(struct arena *a, const char *sql, struct buf *tables)
{
	const struct analysis *all = NULL;
	const struct statement *s;
	struct why w = { .line = 0 };
	size_t i;

	if (analyze(sql, strlen(sql), a, &all, &w) != 0)
		fail_msg("%s: %s", sql, w.text);
	if (all->n != 1)
		fail_msg("%s: %zu statements", sql, all->n);
	s = &all->statements[0];
	for (i = 0; i < s->n_tables; i++) {
		if (i > 0)
			buf_str(tables, " ");
		if (s->tables[i].schema != NULL)
			buf_fmt(tables, "%s.", s->tables[i].schema);
		buf_str(tables, s->tables[i].name);
	}
	return s;
}

static void
check(const struct text_case *cases, size_t n)
{
	const struct statement *s;
	struct arena *a = arena_new();
	struct buf tables;
	size_t i;

	buf_init(&tables, 0);
	for (i = 0; i < n; i++) {
		buf_reset(&tables);
		s = only(a, cases[i].sql, &tables);
		if (s->class != cases[i].class)
			fail_msg("%s: %s", cases[i].sql,
			    statement_class_text(s->class));
		if (strcmp(buf_text(&tables), cases[i].tables) != 0)
			fail_msg("%s: reads \"%s\"", cases[i].sql,
			    buf_text(&tables));
		if (s->whole != (cases[i].whole != NULL) ||
		    (s->whole && strcmp(s->whole_why, cases[i].whole) != 0))
			fail_msg("%s: whole: %s", cases[i].sql,
			    s->whole ? s->whole_why : "no");
		assert_int_equal(s->start, 0);
		assert_int_equal(s->len, strlen(cases[i].sql));
		arena_reset(a);
	}
	buf_done(&tables);
	arena_free(a);
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

static void
names_are_folded_as_postgresql_folds_them(void **state)
{
	static const struct text_case cases[] = {
		{ "SELECT 1", STATEMENT_READ, "", NULL },
		{ "select * from Users", STATEMENT_READ, "users", NULL },
		{ "SELECT * FROM \"Users\"", STATEMENT_READ, "Users", NULL },
		{ "SELECT * FROM PUBLIC.\"users\"", STATEMENT_READ,
		    "public.users", NULL },
		{ "SELECT * FROM db.public.users", STATEMENT_READ,
		    "public.users", NULL },
		{ "SELECT * FROM U&\"\\0075s\\0065rs\"", STATEMENT_READ,
		    "users", NULL },
		{ "SELECT * FROM U&\"!0075sers\" UESCAPE '!'", STATEMENT_READ,
		    "users", NULL },
		{ "SELECT * FROM \"us\"\"ers\"", STATEMENT_READ, "us\"ers",
		    NULL },
		{ "SELECT * FROM us/* from x */ers", STATEMENT_READ, "us",
		    NULL },
		{ "SELECT * FROM -- x\nusers", STATEMENT_READ, "users", NULL },
		{ "SELECT * FROM /* /* a */ b */ users", STATEMENT_READ,
		    "users", NULL },
		{ "SELECT * FROM \xc3\x9cser", STATEMENT_READ,
		    "\xc3\x9cser", NULL },
		/* 63 bytes count; the rest is cut off. */
		{ "SELECT * FROM aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaazz", STATEMENT_READ,
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaa", NULL },
	};

	(void)state;
	CHECK(cases);
}

static void
strings_and_comments_hide_nothing_and_name_nothing(void **state)
{
	static const struct text_case cases[] = {
		{ "SELECT 'from users'", STATEMENT_READ, "", NULL },
		{ "SELECT E'\\' from users --'", STATEMENT_READ, "", NULL },
		{ "SELECT '\\' FROM users --'", STATEMENT_READ, "users",
		    NULL },
		{ "SELECT $$ from x $$ FROM users", STATEMENT_READ, "users",
		    NULL },
		{ "SELECT $a$ $$ ' $a$ FROM users", STATEMENT_READ, "users",
		    NULL },
		{ "SELECT 'a'\n'b' FROM users", STATEMENT_READ, "users",
		    NULL },
		{ "SELECT '--' FROM users", STATEMENT_READ, "users", NULL },
		{ "SELECT U&'\\0027 from x' FROM users", STATEMENT_READ,
		    "users", NULL },
		{ "SELECT B'01', X'1F' FROM users", STATEMENT_READ, "users",
		    NULL },
	};

	(void)state;
	CHECK(cases);
}

static void
tables_are_found_wherever_they_stand(void **state)
{
	static const struct text_case cases[] = {
		{ "TABLE users", STATEMENT_READ, "users", NULL },
		{ "SELECT * FROM ONLY users", STATEMENT_READ, "users", NULL },
		{ "SELECT * FROM a, b JOIN c ON true NATURAL JOIN d",
		    STATEMENT_READ, "a b c d", NULL },
		{ "SELECT * FROM a x, LATERAL (SELECT * FROM b WHERE "
		    "b.i = x.i) y", STATEMENT_READ, "a b", NULL },
		{ "SELECT (SELECT max(i) FROM a), ARRAY(SELECT i FROM b)",
		    STATEMENT_READ, "a b", NULL },
		{ "SELECT 1 WHERE EXISTS (SELECT FROM a) AND 1 IN (SELECT i "
		    "FROM b) OR 1 = ANY (SELECT i FROM c)", STATEMENT_READ,
		    "a b c", NULL },
		{ "SELECT 1 FROM a GROUP BY (SELECT 1 FROM b) HAVING "
		    "(SELECT true FROM c) ORDER BY (SELECT 1 FROM d) "
		    "LIMIT (SELECT 1 FROM e) OFFSET (SELECT 1 FROM f)",
		    STATEMENT_READ, "a b c d e f", NULL },
		{ "SELECT count(*) FILTER (WHERE (SELECT true FROM b)) OVER "
		    "(PARTITION BY (SELECT 1 FROM c)) FROM a",
		    STATEMENT_READ, "a b c", NULL },
		{ "SELECT 1 FROM a WINDOW w AS (ORDER BY (SELECT 1 FROM b))",
		    STATEMENT_READ, "a b", NULL },
		{ "SELECT i FROM a UNION SELECT i FROM b EXCEPT SELECT i FROM "
		    "c INTERSECT (SELECT i FROM d)", STATEMENT_READ,
		    "a b c d", NULL },
		{ "VALUES ((SELECT 1 FROM a)), (2)", STATEMENT_READ, "a",
		    NULL },
		{ "SELECT CASE WHEN (SELECT true FROM a) THEN (SELECT 1 FROM "
		    "b) ELSE (SELECT 2 FROM c) END", STATEMENT_READ, "a b c",
		    NULL },
		{ "SELECT coalesce((SELECT 1 FROM a), greatest((SELECT 1 FROM "
		    "b)))", STATEMENT_READ, "a b", NULL },
		{ "SELECT * FROM generate_series(1, (SELECT 3 FROM a)) g",
		    STATEMENT_READ, "a", NULL },
		{ "SELECT * FROM ROWS FROM (unnest(ARRAY[1]), "
		    "generate_series(1, (SELECT 1 FROM a))) t",
		    STATEMENT_READ, "a", NULL },
		{ "SELECT a FROM a", STATEMENT_READ, "a", NULL },
		{ "SELECT row_to_json(u), u::text, (u).id FROM users u",
		    STATEMENT_READ, "users", NULL },
		{ "SELECT * FROM a TABLESAMPLE SYSTEM ((SELECT 1 FROM b))",
		    STATEMENT_READ, "a b", NULL },
		{ "SELECT * FROM xmltable('/r' PASSING (SELECT x FROM a) "
		    "COLUMNS i int PATH 'i')", STATEMENT_READ, "a", NULL },
		{ "SELECT xmlelement(name x, (SELECT 1 FROM a))",
		    STATEMENT_READ, "a", NULL },
		{ "SELECT (ARRAY[1,2])[(SELECT 1 FROM a)]", STATEMENT_READ,
		    "a", NULL },
		{ "SELECT DISTINCT ON ((SELECT 1 FROM a)) 1", STATEMENT_READ,
		    "a", NULL },
		{ "SELECT string_agg(x, ',' ORDER BY (SELECT 1 FROM a)) "
		    "FROM b", STATEMENT_READ, "a b", NULL },
		{ "SELECT percentile_cont((SELECT 0.5 FROM a)) WITHIN GROUP "
		    "(ORDER BY i) FROM b", STATEMENT_READ, "a b", NULL },
		{ "SELECT * FROM a JOIN b USING (i) JOIN LATERAL (VALUES "
		    "((SELECT 1 FROM c))) v ON true", STATEMENT_READ,
		    "a b c", NULL },
		{ "SELECT * FROM a, a, public.a", STATEMENT_READ,
		    "a public.a", NULL },
		{ "SELECT * FROM pg_stats, pg_catalog.pg_class, "
		    "information_schema.tables", STATEMENT_READ,
		    "pg_stats information_schema.tables pg_catalog.pg_class",
		    NULL },
	};

	(void)state;
	CHECK(cases);
}

static void
with_hides_a_table_only_where_it_is_seen(void **state)
{
	static const struct text_case cases[] = {
		{ "WITH x AS (SELECT * FROM a) SELECT * FROM x",
		    STATEMENT_READ, "a", NULL },
		/* Inside itself it is still the table. */
		{ "WITH users AS (SELECT * FROM users) SELECT * FROM users",
		    STATEMENT_READ, "users", NULL },
		{ "WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM "
		    "b", STATEMENT_READ, "", NULL },
		/* Not seen before it is defined ... */
		{ "WITH b AS (SELECT * FROM a), a AS (SELECT 1) SELECT * FROM "
		    "b", STATEMENT_READ, "a", NULL },
		/* ... but with RECURSIVE. */
		{ "WITH RECURSIVE b AS (SELECT * FROM a), a AS (SELECT 1) "
		    "SELECT * FROM b", STATEMENT_READ, "", NULL },
		{ "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
		    "FROM t, u) SELECT * FROM t", STATEMENT_READ, "u", NULL },
		/* A schema makes it a table. */
		{ "WITH users AS (SELECT 1) SELECT * FROM public.users",
		    STATEMENT_READ, "public.users", NULL },
		/* Seen in subqueries, not outside of its own. */
		{ "SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x, a",
		    STATEMENT_READ, "a", NULL },
		{ "WITH a AS (SELECT 1) SELECT * FROM b WHERE i IN (SELECT i "
		    "FROM a)", STATEMENT_READ, "b", NULL },
		{ "WITH a AS (SELECT 1) SELECT 1 UNION SELECT i FROM a",
		    STATEMENT_READ, "", NULL },
		{ "SELECT 1 FROM a UNION (WITH a AS (SELECT 1) SELECT * FROM "
		    "a)", STATEMENT_READ, "a", NULL },
		/* Quoting makes it another name. */
		{ "WITH \"A\" AS (SELECT 1) SELECT * FROM a", STATEMENT_READ,
		    "a", NULL },
		/* The target of a write is never a WITH query. */
		{ "WITH a AS (SELECT 1) INSERT INTO a SELECT * FROM a",
		    STATEMENT_WRITE, "a", "writes, which may run triggers" },
	};

	(void)state;
	CHECK(cases);
}

static void
statements_have_their_class(void **state)
{
	static const char trigger[] = "writes, which may run triggers";
	static const char other[] = "is not a query";
	static const struct text_case cases[] = {
		{ "SELECT * FROM a FOR UPDATE", STATEMENT_WRITE, "a", NULL },
		{ "SELECT * FROM (SELECT * FROM a FOR SHARE) x",
		    STATEMENT_WRITE, "a", NULL },
		{ "SELECT * INTO b FROM a", STATEMENT_WRITE, "a b", NULL },
		{ "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x",
		    STATEMENT_WRITE, "a", trigger },
		{ "INSERT INTO a SELECT * FROM b", STATEMENT_WRITE, "a b",
		    trigger },
		{ "UPDATE a SET i = (SELECT 1 FROM b) FROM c RETURNING *",
		    STATEMENT_WRITE, "a b c", trigger },
		{ "DELETE FROM a USING b", STATEMENT_WRITE, "a b", trigger },
		{ "MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE",
		    STATEMENT_WRITE, "a b", trigger },
		{ "COPY a FROM STDIN", STATEMENT_WRITE, "a", trigger },
		{ "COPY a TO STDOUT", STATEMENT_COPY_OUT, "a", NULL },
		{ "COPY (SELECT * FROM a) TO STDOUT WITH CSV",
		    STATEMENT_COPY_OUT, "a", NULL },
		{ "COPY (DELETE FROM a RETURNING *) TO STDOUT",
		    STATEMENT_WRITE, "a", trigger },
		{ "COPY (SELECT f(i) FROM a) TO STDOUT", STATEMENT_COPY_OUT,
		    "a", "calls function f" },
		{ "COPY a TO '/tmp/a'", STATEMENT_OTHER, "a", other },
		{ "COPY a TO PROGRAM 'mail'", STATEMENT_OTHER, "a", other },
		{ "EXPLAIN SELECT * FROM a", STATEMENT_EXPLAIN, "a", NULL },
		{ "EXPLAIN (ANALYZE) DELETE FROM a", STATEMENT_OTHER, "a",
		    trigger },
		{ "EXPLAIN EXECUTE p", STATEMENT_OTHER, "", other },
		{ "DECLARE c CURSOR FOR SELECT * FROM a", STATEMENT_CURSOR,
		    "a", NULL },
		{ "DECLARE c CURSOR FOR SELECT * FROM a FOR UPDATE",
		    STATEMENT_WRITE, "a", NULL },
		{ "FETCH ALL FROM c", STATEMENT_CURSOR, "",
		    "fetches from a cursor" },
		{ "MOVE 1 FROM c", STATEMENT_CURSOR, "",
		    "fetches from a cursor" },
		{ "CLOSE c", STATEMENT_CURSOR, "", NULL },
		{ "PREPARE p AS SELECT * FROM a", STATEMENT_PREPARED, "a",
		    NULL },
		{ "PREPARE p AS DELETE FROM a", STATEMENT_WRITE, "a",
		    trigger },
		{ "EXECUTE p((SELECT i FROM a))", STATEMENT_PREPARED, "a",
		    "executes a prepared statement" },
		{ "DEALLOCATE p", STATEMENT_PREPARED, "", NULL },
		{ "BEGIN READ WRITE", STATEMENT_TRANSACTION, "", NULL },
		{ "COMMIT AND CHAIN", STATEMENT_TRANSACTION, "", NULL },
		{ "SAVEPOINT x", STATEMENT_TRANSACTION, "", NULL },
		{ "SET TRANSACTION READ WRITE", STATEMENT_TRANSACTION, "",
		    NULL },
		{ "SET TRANSACTION SNAPSHOT 'x'", STATEMENT_OTHER, "",
		    other },
		{ "PREPARE TRANSACTION 'x'", STATEMENT_OTHER, "", other },
		{ "DISCARD ALL", STATEMENT_DISCARD, "", NULL },
		{ "DO $$BEGIN END$$", STATEMENT_OTHER, "", other },
		{ "CALL p()", STATEMENT_OTHER, "", "calls function p" },
		{ "CREATE TABLE b AS SELECT * FROM a", STATEMENT_OTHER, "a b",
		    other },
		{ "CREATE TEMP VIEW b AS SELECT * FROM a", STATEMENT_OTHER,
		    "a b", other },
		{ "LISTEN x", STATEMENT_OTHER, "", other },
		{ "NOTIFY x", STATEMENT_OTHER, "", other },
		{ "LOCK a", STATEMENT_OTHER, "a", other },
		{ "GRANT a TO b", STATEMENT_OTHER, "", other },
		{ "ALTER ROLE a PASSWORD 'x'", STATEMENT_OTHER, "", other },
		{ "ALTER SYSTEM SET x = 1", STATEMENT_OTHER, "", other },
		{ "VACUUM a", STATEMENT_OTHER, "a", other },
		{ "LOAD 'x'", STATEMENT_OTHER, "", other },
		{ "SECURITY LABEL ON TABLE a IS 'x'", STATEMENT_OTHER, "",
		    other },
		{ "", STATEMENT_EMPTY, "", NULL },
		{ " ;; -- x", STATEMENT_EMPTY, "", NULL },
	};

	(void)state;
	CHECK(cases);
}

static void
what_is_not_known_to_be_harmless_makes_it_whole(void **state)
{
	static const struct text_case cases[] = {
		{ "SELECT count(*), lower(a), now(), pg_catalog.max(b), "
		    "current_user, extract(year FROM c), a LIKE 'x', "
		    "c AT TIME ZONE 'UTC', trim(a), position('x' IN a), "
		    "a IS NORMALIZED FROM t", STATEMENT_READ, "t", NULL },
		{ "SELECT a::text, b::int[], c::numeric(3,1), d::regclass, "
		    "e::timestamptz, date '2020-01-01' FROM t",
		    STATEMENT_READ, "t", NULL },
		{ "SELECT a BETWEEN 1 AND 2, a <> 1, a -> 'x' ->> 'y', "
		    "a OPERATOR(pg_catalog.+) 1 FROM t", STATEMENT_READ, "t",
		    NULL },
		{ "SELECT my_report()", STATEMENT_READ, "",
		    "calls function my_report" },
		{ "SELECT * FROM my_report()", STATEMENT_READ, "",
		    "calls function my_report" },
		{ "SELECT public.lower('A')", STATEMENT_READ, "",
		    "calls function lower" },
		{ "SELECT \"LOWER\"('A')", STATEMENT_READ, "",
		    "calls function LOWER" },
		{ "SELECT 1 OPERATOR(public.+) 1", STATEMENT_READ, "",
		    "uses operator +" },
		{ "SELECT 1 ~~~~ 1", STATEMENT_READ, "",
		    "uses operator ~~~~" },
		{ "SELECT 1 OPERATOR(public.=) ANY (SELECT 1)",
		    STATEMENT_READ, "", "uses operator =" },
		{ "SELECT 1 ORDER BY 1 USING OPERATOR(public.<)",
		    STATEMENT_READ, "", "uses operator <" },
		{ "SELECT 'x'::public.mood", STATEMENT_READ, "",
		    "uses type mood" },
		{ "SELECT 'x'::mood", STATEMENT_READ, "", "uses type mood" },
		{ "SELECT * FROM t TABLESAMPLE mine (1)", STATEMENT_READ, "t",
		    "samples by mine" },
	};

	(void)state;
	CHECK(cases);
}

static void
sizes_in_pg_class_are_seen_however_they_are_written(void **state)
{
	static const char *const shown[] = {
		"SELECT reltuples FROM pg_class",
		"SELECT \"reltuples\" FROM pg_catalog.pg_class",
		"SELECT U&\"reltup\\006ces\" FROM pg_class",
		"SELECT RelPages FROM pg_class", "SELECT * FROM pg_class",
		"SELECT * FROM pg_catalog.pg_attribute",
		"SELECT datfrozenxid FROM pg_database",
		"TABLE pg_class", "COPY pg_class TO STDOUT",
		"COPY pg_class (relname, relpages) TO STDOUT",
		"SELECT c.* FROM pg_class c", "SELECT c FROM pg_class c",
		"SELECT pg_class FROM pg_class", "SELECT (c).oid FROM pg_class c",
		"SELECT row_to_json(c) FROM pg_class c",
		"SELECT 1 FROM pg_class c ORDER BY c",
		"SELECT count(*) FROM pg_class c WHERE c::text ~ 'x'",
		"SELECT reltuples(x) FROM pg_class AS x",
		"SELECT a FROM pg_class AS x(a)",
		"SELECT 1 FROM pg_class JOIN (SELECT 5 AS reltuples) x "
		    "USING (reltuples)",
		"SELECT 1 FROM pg_class NATURAL JOIN "
		    "(VALUES (5)) AS v(reltuples)",
		"SELECT j FROM (pg_class a JOIN topics t ON true) AS j",
		"SELECT a FROM (pg_class a JOIN topics t ON true) AS j(a)",
		"SELECT 1 FROM topics WHERE id < (SELECT max(relpages) "
		    "FROM pg_class)",
		"WITH x AS (SELECT * FROM pg_class) SELECT 1",
		"PREPARE p AS SELECT relallvisible FROM pg_class",
		"EXPLAIN SELECT * FROM pg_class",
		"DECLARE c CURSOR FOR SELECT * FROM pg_class", NULL
	};
	static const char *const safe[] = {
		"SELECT relname FROM pg_class",
		"SELECT attname FROM pg_attribute a WHERE attnum > 0",
		"SELECT c.relname, n.nspname FROM pg_catalog.pg_class c "
		    "LEFT JOIN pg_namespace n ON n.oid = c.relnamespace "
		    "WHERE c.relkind IN ('r', 'v') ORDER BY 1, 2",
		"SELECT count(*) FROM pg_class", "SELECT * FROM pg_type",
		"COPY pg_class (relname) TO STDOUT", "SELECT reltuples FROM x",
		NULL
	};
	struct arena *a = arena_new();
	struct buf tables;
	size_t i;

	(void)state;
	buf_init(&tables, 0);
	for (i = 0; shown[i] != NULL; i++)
		if (!only(a, shown[i], &tables)->may_show_sizes)
			fail_msg("%s: not seen", shown[i]);
	for (i = 0; safe[i] != NULL; i++)
		if (only(a, safe[i], &tables)->may_show_sizes)
			fail_msg("%s: taken for showing sizes", safe[i]);
	buf_done(&tables);
	arena_free(a);
}

static void
functions_that_reach_beyond_the_statement_are_named(void **state)
{
	static const char *const cases[] = {
		"set_config", "query_to_xml", "query_to_xml_and_xmlschema",
		"table_to_xml", "schema_to_xml", "database_to_xml",
		"cursor_to_xml", "lo_import", "lo_get", "loread",
		"pg_read_file", "pg_read_binary_file", "pg_ls_dir",
		"pg_stat_file", "dblink", "dblink_exec", "pg_notify",
		"pg_advisory_lock", "pg_try_advisory_xact_lock",
		"pg_terminate_backend", "pg_cancel_backend", "pg_reload_conf",
		"pg_logical_emit_message", "pg_export_snapshot", "currval",
		"nextval", "setval", "txid_current", "pg_switch_wal",
		"ts_stat", "ts_rewrite", "pg_stat_get_activity", "crosstab",
		"pg_relation_size", "pg_table_size", "pg_indexes_size",
		"pg_total_relation_size", "pg_database_size", "pgstattuple",
		NULL
	};
	const struct statement *s;
	struct arena *a = arena_new();
	struct buf tables;
	char sql[100];
	size_t i;

	(void)state;
	buf_init(&tables, 0);
	for (i = 0; cases[i] != NULL; i++) {
		(void)snprintf(sql, sizeof(sql), "SELECT 1 WHERE "
		    "any_schema.%s('x') IS NULL", cases[i]);
		s = only(a, sql, &tables);
		assert_non_null(s->forbidden_function);
		assert_string_equal(s->forbidden_function, cases[i]);
		assert_true(s->whole);
	}
	s = only(a, "SELECT pg_sleep(1), count(*)", &tables);
	assert_null(s->forbidden_function);
	assert_false(s->whole);
	buf_done(&tables);
	arena_free(a);
}

static void
parameters_are_named_in_lower_case_with_their_value(void **state)
{
	static const struct {
		const char *sql, *name, *value;
		enum statement_class class;
		bool local;
	} cases[] = {
		{ "SET sworn.purpose = 'moderation'", "sworn.purpose",
		    "moderation", STATEMENT_SET, false },
		{ "SET LOCAL Sworn.Ticket TO 'TS-1'", "sworn.ticket", "TS-1",
		    STATEMENT_SET, true },
		{ "SET \"Search_Path\" = x", "search_path", "x",
		    STATEMENT_SET, false },
		{ "SET search_path = a, b", "search_path", NULL,
		    STATEMENT_SET, false },
		{ "SET statement_timeout = 10", "statement_timeout", "10",
		    STATEMENT_SET, false },
		{ "SET x.y = -1.5", "x.y", "-1.5", STATEMENT_SET, false },
		{ "SET standard_conforming_strings = off",
		    "standard_conforming_strings", "off", STATEMENT_SET,
		    false },
		{ "SET x.y TO DEFAULT", "x.y", NULL, STATEMENT_SET, false },
		{ "SET ROLE x", "role", "x", STATEMENT_SET, false },
		{ "SET ROLE NONE", "role", "none", STATEMENT_SET, false },
		{ "SET SESSION AUTHORIZATION x", "session_authorization", "x",
		    STATEMENT_SET, false },
		{ "SET NAMES 'latin1'", "client_encoding", "latin1",
		    STATEMENT_SET, false },
		{ "SET TIME ZONE 'UTC'", "timezone", "UTC", STATEMENT_SET,
		    false },
		{ "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
		    "session characteristics", NULL, STATEMENT_SET, false },
		{ "RESET Role", "role", NULL, STATEMENT_SET, false },
		{ "RESET ALL", NULL, NULL, STATEMENT_SET, false },
		{ "SHOW Search_Path", "search_path", NULL, STATEMENT_SHOW,
		    false },
		{ "SHOW ALL", NULL, NULL, STATEMENT_SHOW, false },
	};
	const struct statement *s;
	struct arena *a = arena_new();
	struct buf tables;
	size_t i;

	(void)state;
	buf_init(&tables, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s = only(a, cases[i].sql, &tables);
		assert_int_equal(s->class, cases[i].class);
		assert_int_equal(s->set_local, cases[i].local);
		if (cases[i].name == NULL)
			assert_null(s->set_name);
		else
			assert_string_equal(s->set_name, cases[i].name);
		if (cases[i].value == NULL)
			assert_null(s->set_value);
		else
			assert_string_equal(s->set_value, cases[i].value);
	}
	buf_done(&tables);
	arena_free(a);
}

static void
several_statements_are_each_analyzed_with_their_range(void **state)
{
	static const char sql[] = "SELECT ';' FROM a;/* ; */ DELETE FROM "
	    "\"b;\" ;; COMMIT";
	const struct analysis *all = NULL;
	struct arena *a = arena_new();

	(void)state;
	assert_int_equal(analyze(sql, strlen(sql), a, &all, NULL), 0);
	assert_int_equal(all->n, 3);
	assert_int_equal(all->statements[0].class, STATEMENT_READ);
	assert_string_equal(all->statements[0].what, "SELECT");
	assert_int_equal(all->statements[0].start, 0);
	assert_int_equal(all->statements[0].len, strlen("SELECT ';' FROM a"));
	assert_int_equal(all->statements[1].class, STATEMENT_WRITE);
	assert_string_equal(all->statements[1].what, "DELETE");
	assert_string_equal(all->statements[1].tables[0].name, "b;");
	assert_int_equal(all->statements[2].class, STATEMENT_TRANSACTION);
	assert_string_equal(all->statements[2].what, "COMMIT");
	assert_int_equal(all->statements[2].start +
	    all->statements[2].len, strlen(sql));
	arena_free(a);
}

static void
statements_are_named_for_people(void **state)
{
	static const char *const cases[][2] = {
		{ "CREATE TABLE t (i int)", "CREATE TABLE" },
		{ "ALTER TABLE t ADD i int", "ALTER TABLE" },
		{ "DROP TABLE t", "DROP" },
		{ "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''",
		    "CREATE FUNCTION" },
		{ "DO ''", "DO" }, { "CALL f()", "CALL" },
		{ "REVOKE SELECT ON t FROM u", "REVOKE" },
		{ "LOCK t", "LOCK" }, { "LISTEN x", "LISTEN" },
		{ "TRUNCATE t", "TRUNCATE" }, { "ANALYZE t", "ANALYZE" },
		{ "RESET ALL", "RESET" }, { "MOVE c", "MOVE" },
		{ "MERGE INTO a USING b ON true WHEN MATCHED THEN DO NOTHING",
		    "MERGE" },
	};
	struct arena *a = arena_new();
	struct buf tables;
	size_t i;

	(void)state;
	buf_init(&tables, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(only(a, cases[i][0], &tables)->what,
		    cases[i][1]);
	buf_done(&tables);
	arena_free(a);
}

static void
what_postgresql_would_not_parse_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *sql;
		size_t len;
		int result;
		unsigned line, column;
	} cases[] = {
		{ "SELEC 1", 7, ERR_FORMAT, 1, 1 },
		{ "SELECT '\xc3\xa4',\n *\n  fro m", 23, ERR_FORMAT, 3, 3 },
		{ "SELECT 'x", 9, ERR_FORMAT, 1, 8 },
		{ "SELECT 1\0; DROP", 15, ERR_FORMAT, 0, 0 },
		{ "SELECT '\xff'", 10, ERR_FORMAT, 0, 0 },
		{ "SELECT '\xc0\xa7'", 11, ERR_FORMAT, 0, 0 },
	};
	const struct analysis *all;
	struct arena *a = arena_new();
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&w, 0, sizeof(w));
		assert_int_equal(analyze(cases[i].sql, cases[i].len, a, &all,
		    &w), cases[i].result);
		assert_int_equal(w.line, cases[i].line);
		assert_int_equal(w.column, cases[i].column);
		assert_int_not_equal(w.text[0], 0);
	}
	arena_free(a);
}

static void
text_longer_than_the_maximum_is_refused(void **state)
{
	const struct analysis *all;
	struct arena *a = arena_new();
	char *sql = malloc(ANALYZE_MAX + 1);

	(void)state;
	memset(sql, ' ', ANALYZE_MAX + 1);
	assert_int_equal(analyze(sql, ANALYZE_MAX + 1, a, &all, NULL),
	    ERR_LIMIT);
	assert_int_equal(analyze(sql, ANALYZE_MAX, a, &all, NULL), 0);
	free(sql);
	arena_free(a);
}

/* "SELECT ", before n times, middle, after n times. */
static int
nested(struct arena *a, const char *before, const char *middle,
    const char *after, size_t n)
{
	const struct analysis *all;
	struct buf sql;
	size_t i;
	int r;

	buf_init(&sql, 0);
	buf_str(&sql, "SELECT ");
	for (i = 0; i < n; i++)
		buf_str(&sql, before);
	buf_str(&sql, middle);
	for (i = 0; i < n; i++)
		buf_str(&sql, after);
	r = analyze((const char *)sql.data, sql.len, a, &all, NULL);
	buf_done(&sql);
	return r;
}

/* With a quarter of the usual stack, so that there is room to spare. */
static void *
deepest(void *arg)
{
	static const char *const cases[][3] = {
		{ "1+", "1", "" }, { "- ", "1", "" }, { "NOT ", "true", "" },
		{ "f(", "1", ")" }, { "ARRAY[", "1", "]" },
		{ "(SELECT ", "1", ")" }, { "1 UNION SELECT ", "1", "" },
		{ "1,2 UNION SELECT ", "1,2", "" },
		{ "(SELECT * FROM ", "t", ") x" }, { "x IN (", "1", ")" },
		{ "CASE WHEN true THEN ", "1", " END" },
		{ "a::int::", "int", "" }, { "x.a[", "1", "]" },
		{ "* FROM (SELECT ", "1", ") x" }, { "", "* FROM a",
		    " JOIN b ON true" }, { "", "1", " COLLATE x" },
		{ "", "a", " IS NULL" }, { "1 = ALL (SELECT ", "1", ")" },
	};
	struct arena *a = arena_new();
	size_t i, n;

	/* Every depth near the limit, both sides of it, and far beyond. */
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (n = 100; n <= DEPTH_MAX + 100; n += 50) {
			(void)nested(a, cases[i][0], cases[i][1],
			    cases[i][2], n);
			arena_reset(a);
		}
		if (nested(a, cases[i][0], cases[i][1], cases[i][2],
		    30000) == 0)
			*(const char **)arg = cases[i][0];
	}
	arena_free(a);
	return NULL;
}

static void
nesting_beyond_the_maximum_is_refused_before_the_stack_ends(void **state)
{
	const char *accepted = NULL;
	pthread_attr_t attr;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstacksize(&attr, 4 << 20), 0);
	assert_int_equal(pthread_create(&thread, &attr, deepest, &accepted),
	    0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(pthread_attr_destroy(&attr), 0);
	assert_null(accepted);
}

static void
long_flat_texts_are_not_taken_for_deep_ones(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_int_equal(nested(a, "1,", "1", "", 20000), 0);
	assert_int_equal(nested(a, "a = 1 OR ", "true", "", 5000), 0);
	assert_int_equal(nested(a, "(a = 1 AND b + 1 = 2) OR ", "true", "",
	    5000), 0);
	assert_int_equal(nested(a, "a + b AS x,", "1", "", 5000), 0);
	assert_int_equal(nested(a, "1; SELECT ", "1", "", 5000), 0);
	assert_int_equal(nested(a, "", "* FROM t WHERE i IN (1", "", 1),
	    ERR_FORMAT);
	arena_free(a);
}

#define THREADS 4

static void *
many(void *arg)
{
	struct arena *a = arena_new();
	const struct analysis *all;
	int i;

	for (i = 0; i < 200; i++) {
		if (analyze("SELECT * FROM a; SELEC", 22, a, &all, NULL) !=
		    ERR_FORMAT)
			break;
		if (analyze("SELECT * FROM a, b", 18, a, &all, NULL) != 0 ||
		    all->statements[0].n_tables != 2)
			break;
		arena_reset(a);
	}
	*(bool *)arg = i == 200;
	arena_free(a);
	return NULL;
}

static void
threads_analyze_at_the_same_time(void **state)
{
	pthread_t threads[THREADS];
	bool fine[THREADS] = { false };
	int i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many,
		    &fine[i]), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (i = 0; i < THREADS; i++)
		assert_true(fine[i]);
}

static void
what_one_statement_writes_is_named_if_it_is_one_table(void **state)
{
	static const struct {
		const char *sql, *schema, *name;	/* NULL: none */
	} cases[] = {
		{ "INSERT INTO a SELECT * FROM b", NULL, "a" },
		{ "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING", NULL,
		    "a" },
		{ "UPDATE s.a x SET i = 1 FROM b", "s", "a" },
		{ "DELETE FROM a USING b WHERE true RETURNING *", NULL, "a" },
		{ "WITH b AS (SELECT 1) DELETE FROM a", NULL, "a" },
		{ "WITH b AS (DELETE FROM c RETURNING 1) DELETE FROM a", NULL,
		    NULL },
		{ "WITH b AS (DELETE FROM a RETURNING 1) SELECT * FROM b",
		    NULL, NULL },
		{ "MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE",
		    NULL, NULL },
		{ "SELECT * FROM a FOR UPDATE", NULL, NULL },
		{ "COPY a FROM STDIN", NULL, NULL },
		{ "PREPARE p AS DELETE FROM a", NULL, NULL },
		{ "EXPLAIN DELETE FROM a", NULL, NULL },
		{ "TRUNCATE a", NULL, NULL },
	};
	const struct statement_table *t;
	const struct analysis *an;
	struct why w;
	struct arena *a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a = arena_new();
		assert_int_equal(analyze(cases[i].sql, strlen(cases[i].sql),
		    a, &an, &w), 0);
		t = an->statements[0].target;
		if ((t == NULL) != (cases[i].name == NULL))
			fail_msg("%s", cases[i].sql);
		if (t != NULL) {
			assert_string_equal(t->name, cases[i].name);
			assert_true((t->schema == NULL) ==
			    (cases[i].schema == NULL));
		}
		arena_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_folded_as_postgresql_folds_them),
		cmocka_unit_test(
		    strings_and_comments_hide_nothing_and_name_nothing),
		cmocka_unit_test(tables_are_found_wherever_they_stand),
		cmocka_unit_test(with_hides_a_table_only_where_it_is_seen),
		cmocka_unit_test(statements_have_their_class),
		cmocka_unit_test(
		    what_is_not_known_to_be_harmless_makes_it_whole),
		cmocka_unit_test(
		    sizes_in_pg_class_are_seen_however_they_are_written),
		cmocka_unit_test(
		    functions_that_reach_beyond_the_statement_are_named),
		cmocka_unit_test(
		    parameters_are_named_in_lower_case_with_their_value),
		cmocka_unit_test(
		    several_statements_are_each_analyzed_with_their_range),
		cmocka_unit_test(statements_are_named_for_people),
		cmocka_unit_test(
		    what_postgresql_would_not_parse_is_refused_with_its_place),
		cmocka_unit_test(text_longer_than_the_maximum_is_refused),
		cmocka_unit_test(
		    nesting_beyond_the_maximum_is_refused_before_the_stack_ends),
		cmocka_unit_test(long_flat_texts_are_not_taken_for_deep_ones),
		cmocka_unit_test(
		    what_one_statement_writes_is_named_if_it_is_one_table),
		cmocka_unit_test(threads_analyze_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
