/*
 * Two subjects, one in A and one in B; the clearance shows A. A message is
 * about both its sender and its recipient, so one of three may be seen. The
 * words `hidden` and `shown` stand where they say.
 *
 * All of it is made twice, with views of the login's own and with shared ones.
 *
 * Each attack runs as the login (SET LOCAL SESSION AUTHORIZATION) inside a
 * savepoint. The leaky function ends with an error if it is ever given a
 * hidden word: costing nothing, it is what a planner would call first.
 */
#include "cli/probe.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "cli/db.h"
#include "enforce/enforce.h"
#include "policy/policy.h"

#define ROLE "sworn_probe"	/* and the schema that it reads */
#define SHARING "sworn_probe_login"	/* where views are shared */

static const char catalog_yaml[] =
    "catalog: probe\n"
    "categories: [plain, masked, named]\n"
    "masks: {named: pseudonym}\n"
    "subjects:\n"
    "  table: sworn_probe_base.people\n"
    "  key: id\n"
    "  residence: {column: home, values: {a: A, b: B}}\n"
    "tables:\n"
    "  sworn_probe_base.people: {subject: self,\n"
    "    columns: {id: plain, word: plain, secret: masked, name: named}}\n"
    "  sworn_probe_base.notes: {subjects: [sender, receiver],\n"
    "    columns: {id: plain, word: plain}}\n";

static const char setup[] =
    "CREATE SCHEMA sworn_probe_base;"
    "CREATE TABLE sworn_probe_base.people (id int PRIMARY KEY, home text, "
    "word text, secret text, name text);"
    "CREATE TABLE sworn_probe_base.notes (id int PRIMARY KEY, sender int, "
    "receiver int, word text);"
    "INSERT INTO sworn_probe_base.people VALUES (1, 'a', 'shown', 'hidden', "
    "'hidden'), (2, 'b', 'hidden', 'hidden', 'hidden'), (3, NULL, 'hidden', "
    "'hidden', 'hidden');"
    "INSERT INTO sworn_probe_base.notes VALUES (1, 1, 1, 'shown'), "
    "(2, 1, 2, 'hidden'), (3, 2, 1, 'hidden'), (4, 1, NULL, 'hidden');"
    "CREATE SCHEMA sworn_probe_use;"
    "GRANT USAGE ON SCHEMA sworn_probe_use TO PUBLIC;"
    "CREATE FUNCTION sworn_probe_use.leak(text) RETURNS boolean "
    "LANGUAGE plpgsql COST 0.0000001 AS "
    "$$BEGIN IF $1 = 'hidden' THEN RAISE EXCEPTION 'leaked'; END IF; "
    "RETURN true; END$$;"
    "GRANT EXECUTE ON FUNCTION sworn_probe_use.leak(text) TO PUBLIC;";

static const struct attack {
	const char *what;	/* that must hold */
	const char *sql;
	const char *want;	/* the one value, or an SQLSTATE */
} attacks[] = {
	{ "a restrictive policy filters rows through a view",
	    "SELECT string_agg(word, ',') FROM sworn_probe.people",
	    "shown" },
	{ "a filter over a foreign key looks at every subject of a row",
	    "SELECT string_agg(word, ',') FROM sworn_probe.notes", "shown" },
	{ "a reader's function is not given hidden rows",
	    "SELECT count(*) FROM sworn_probe.people "
	    "WHERE sworn_probe_use.leak(word)", "1" },
	{ "a reader's function is not given hidden rows over a foreign key",
	    "SELECT count(*) FROM sworn_probe.notes "
	    "WHERE sworn_probe_use.leak(word)", "1" },
	{ "a reader's function is not given hidden rows in a join",
	    "SELECT count(*) FROM sworn_probe.notes n "
	    "JOIN sworn_probe.people p ON sworn_probe_use.leak(p.word) "
	    "AND sworn_probe_use.leak(n.word)", "1" },
	{ "a masked column is masked",
	    "SELECT string_agg(secret, ',') FROM sworn_probe.people", "***" },
	{ "a reader's function is given the pseudonym only",
	    "SELECT count(*) FROM sworn_probe.people WHERE "
	    "sworn_probe_use.leak(name) AND name ~ '^[0-9a-f]{24}$'", "1" },
	{ "the key of the pseudonyms is out of reach",
	    "SELECT inner_pad FROM sworn.pseudonym_key", "42501" },
	{ "the base tables are out of reach",
	    "SELECT count(*) FROM sworn_probe_base.people", "42501" },
	{ "the ways to residences are out of reach",
	    "SELECT count(*) FROM sworn.\"sworn_probe_base.people\"",
	    "42501" },
	{ "Sworn's own tables are out of reach",
	    "SELECT count(*) FROM sworn.state", "42501" },
	{ "the owner role cannot be taken on",
	    "SET ROLE sworn_probe_own", "42501" },
	{ "views cannot be replaced",
	    "CREATE OR REPLACE VIEW sworn_probe.people AS SELECT 1 AS id",
	    "42501" },
	{ "nothing can be made in the login's schema",
	    "CREATE TABLE sworn_probe.t (id int)", "42501" },
	{ "only rows that are shown are changed",
	    "WITH done AS (UPDATE sworn_probe.notes SET word = 'changed' "
	    "RETURNING id) SELECT string_agg(id::text, ',') FROM done", "1" },
	{ "only rows that are shown are deleted",
	    "WITH done AS (DELETE FROM sworn_probe.notes RETURNING id) "
	    "SELECT string_agg(id::text, ',') FROM done", "1" },
	{ "no row is made that would not be shown",
	    "INSERT INTO sworn_probe.notes (id, word) VALUES (9, 'made')",
	    "42501" },
	{ "only columns that may be are changed",
	    "UPDATE sworn_probe.notes SET id = 9", "42501" },
	{ "nothing is changed where nothing may be",
	    "UPDATE sworn_probe.people SET word = 'changed'", "42501" },
	{ "row security cannot be turned off",
	    "SET row_security = off; "
	    "SELECT count(*) FROM sworn_probe.people", "42501" },
};

static const enum treatment notes_columns[] = { TREAT_PLAIN, TREAT_PLAIN };
static const uint8_t notes_writes[] = { 1u << POLICY_INSERT,
	1u << POLICY_INSERT | 1u << POLICY_UPDATE };
static const char *const labels[] = { "A" };

static int
form_sql(const struct catalog *cat, const struct clearance *cl,
    const struct enforce_type *types, size_t n, bool shared, struct buf *out)
{
	static const char *const panes[] = { ROLE };
	int r;

	if (!shared)
		return enforce_clearance_sql(cat, cl, ROLE, types, n, false,
		    out);
	if ((r = enforce_pane_sql(cat, cl, ROLE, types, n, false, out)) != 0)
		return r;
	buf_str(out, "CREATE SCHEMA " ROLE "_twin;\n");
	r = enforce_login_sql(cat, cl, SHARING, panes, 1, out);
	enforce_pane_grant_sql(ROLE, SHARING, cl, out);
	return r;
}

/* The catalog keeps its tables sorted: notes, people. */
static int
make_sql(struct catalog *cat, bool shared, struct buf *out)
{
	static const struct enforce_type types[] = {
		{ "sworn_probe_base", "people", "name", "text", "text", 'S',
		    false, NULL },
		{ "sworn_probe_base", "people", "secret", "text", "text", 'S',
		    false, NULL },
	};
	struct clearance_table tables[2] = {
		{ .readable = true, .residences = labels, .n_residences = 1,
		    .columns = notes_columns, .writes = notes_writes,
		    .deletes = true },
		{ .readable = true, .residences = labels, .n_residences = 1 },
	};
	struct clearance cl = { .store = "probe", .tables = tables,
	    .n_tables = 2, .catalog = cat };
	enum treatment columns[4];
	const struct catalog_table *t;
	size_t i;
	int r;

	if (cat->n_tables != 2 || cat->tables[1].n_columns != 4)
		return ERR_STATE;
	for (i = 0; i < 2; i++)
		tables[i].table = &cat->tables[i];
	t = tables[1].table;
	for (i = 0; i < 4; i++)
		columns[i] = strcmp(t->columns[i].category, "plain") == 0 ?
		    TREAT_PLAIN : TREAT_MASK;
	tables[1].columns = columns;
	if ((r = enforce_base_sql(cat, NULL, 0, out)) != 0)
		return r;
	return form_sql(cat, &cl, types, 2, shared, out);
}

/*
 * Where the store uses postgres_fdw: what would be sent to the other server,
 * which is told by EXPLAIN without a connection. The table that is named is
 * not there. A number that the reader's condition has and nothing else has
 * must not be in it, though the server could work the condition out.
 */
static const char far_setup[] =
    "CREATE SCHEMA sworn_probe_far;"
    "CREATE TABLE sworn_probe_far.rows (id int, home text) "
    "PARTITION BY LIST (home);"
    "DO $$BEGIN EXECUTE format('CREATE FOREIGN TABLE sworn_probe_far.part "
    "PARTITION OF sworn_probe_far.rows DEFAULT SERVER %I OPTIONS "
    "(use_remote_estimate ''false'')', (SELECT min(s.srvname) FROM "
    "pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw "
    "JOIN pg_proc f ON f.oid = w.fdwhandler WHERE f.proname = "
    "'postgres_fdw_handler')); END$$;"
    "ALTER TABLE sworn_probe_far.rows ENABLE ROW LEVEL SECURITY;"
    "CREATE ROLE sworn_probe_far_own; CREATE ROLE sworn_probe_far_login;"
    "GRANT USAGE ON SCHEMA sworn_probe_far TO sworn_probe_far_own, "
    "sworn_probe_far_login;"
    "GRANT SELECT ON sworn_probe_far.rows TO sworn_probe_far_own;"
    "CREATE POLICY p ON sworn_probe_far.rows TO sworn_probe_far_own "
    "USING (home = 'a');"
    "CREATE VIEW sworn_probe_far.v WITH (security_barrier) AS SELECT * FROM "
    "sworn_probe_far.rows t; ALTER VIEW sworn_probe_far.v OWNER TO "
    "sworn_probe_far_own; GRANT SELECT ON sworn_probe_far.v TO "
    "sworn_probe_far_login;";

static int
probe_far(PGconn *c)
{
	PGresult *rows = NULL;
	bool uses = false;
	int r, i;

	r = db_rows(c, "probing", "SELECT FROM pg_foreign_table t JOIN "
	    "pg_foreign_server s ON s.oid = t.ftserver JOIN "
	    "pg_foreign_data_wrapper w ON w.oid = s.srvfdw JOIN pg_proc f "
	    "ON f.oid = w.fdwhandler WHERE f.proname = "
	    "'postgres_fdw_handler'", &rows);
	uses = r == 0 && PQntuples(rows) > 0;
	PQclear(rows);
	rows = NULL;
	if (r != 0 || !uses)
		return r;
	if ((r = db_run(c, "probing", "SAVEPOINT probe")) != 0 ||
	    (r = db_run(c, "probing", far_setup)) != 0 ||
	    (r = db_run(c, "probing", "SET LOCAL SESSION AUTHORIZATION "
	    "sworn_probe_far_login")) != 0 ||
	    (r = db_rows(c, "probing", "EXPLAIN (VERBOSE, COSTS OFF) SELECT "
	    "count(*) FROM sworn_probe_far.v WHERE 1 / (id - 60497) > -5",
	    &rows)) != 0)
		return r;
	for (i = 0; i < PQntuples(rows); i++)
		if (strstr(PQgetvalue(rows, i, 0), "Remote SQL") != NULL &&
		    strstr(PQgetvalue(rows, i, 0), "60497") != NULL)
			r = ERR_DENIED;
	PQclear(rows);
	if (r != 0)
		(void)fprintf(stderr, "sworn apply: the store does not hold "
		    "a clearance: hidden rows on another server do not meet "
		    "a reader's conditions: one was sent there\n");
	if (db_run(c, "probing", "ROLLBACK TO SAVEPOINT probe; RELEASE "
	    "SAVEPOINT probe") != 0)
		return ERR_IO;
	return r;
}

/* What an attack came to: its value, or the SQLSTATE. */
static int
attack(PGconn *c, const struct attack *a, const char *login)
{
	const char *got = "nothing";
	char as[100];
	PGresult *r = NULL;
	int code;

	(void)snprintf(as, sizeof(as), "SAVEPOINT attack; SET LOCAL SESSION "
	    "AUTHORIZATION %s", login);
	code = db_run(c, "probing", as);
	if (code != 0)
		return code;
	r = PQexec(c, a->sql);
	if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1)
		got = PQgetvalue(r, 0, 0);
	else if (PQresultErrorField(r, PG_DIAG_SQLSTATE) != NULL)
		got = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	if (strcmp(got, a->want) != 0) {
		(void)fprintf(stderr, "sworn apply: the store does not hold "
		    "a clearance: %s: \"%s\" gave %s instead of %s\n",
		    a->what, a->sql, got, a->want);
		code = ERR_DENIED;
	}
	PQclear(r);
	if (db_run(c, "probing", "ROLLBACK TO SAVEPOINT attack; "
	    "RELEASE SAVEPOINT attack") != 0)
		return ERR_IO;
	return code;
}

static int
probe_form(PGconn *c, struct catalog *cat, bool shared)
{
	struct buf sql;
	size_t i;
	int r, held = 0;

	buf_init(&sql, 0);
	if ((r = make_sql(cat, shared, &sql)) != 0 ||
	    (r = db_run(c, "probing", "SAVEPOINT probe")) != 0 ||
	    (r = db_run(c, "probing", setup)) != 0 ||
	    (r = db_run_buf(c, "probing", &sql)) != 0)
		goto out;
	for (i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		r = attack(c, &attacks[i], shared ? SHARING : ROLE);
		if (r != 0 && r != ERR_DENIED)
			goto out;
		if (r != 0)
			held = r;
	}
	r = db_run(c, "probing", "ROLLBACK TO SAVEPOINT probe; "
	    "RELEASE SAVEPOINT probe");
	if (r == 0)
		r = held;
out:
	buf_done(&sql);
	return r;
}

int
probe_run(PGconn *c)
{
	struct catalog *cat = NULL;
	struct why w;
	int r;

	r = catalog_load(catalog_yaml, sizeof(catalog_yaml) - 1, &cat, &w);
	if (r == 0 && (r = probe_form(c, cat, false)) == 0)
		r = probe_form(c, cat, true);
	if (r == 0)
		r = probe_far(c);
	catalog_free(cat);
	return r;
}
