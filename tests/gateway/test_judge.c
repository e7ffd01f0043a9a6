/*
 * gateway/judge.h with a real catalog and policy: nothing that a statement
 * reads escapes its judgement.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "gateway/judge.h"
#include "gateway/judge_parts.h"
#include "lineage/rewrite.h"
#include "policy/policy.h"

static const char catalog_text[] =
    "catalog: c\n"
    "categories: [technical, contact]\n"
    "subjects:\n  table: public.users\n  key: id\n  residence: store\n"
    "tables:\n"
    "  public.users:\n    subject: self\n    columns: {id: technical}\n"
    "  public.mails:\n    subject: id\n    columns: {id: contact}\n"
    "  other.mails:\n    subject: id\n    columns: {id: contact}\n"
    "public: [public.topics]\n";
static const char directory_text[] =
    "directory: 1\nissuer: hr.example\n"
    "sites:\n  dublin: {country: IE, networks: [127.35.0.0/16]}\n"
    "entities:\n  e: {name: E, country: IE, owners: {}, rest: dispersed}\n"
    "people:\n  ann: {name: Ann, employer: e, site: dublin, manager: none, "
    "roles: [reader]}\n";
static const char policy_text[] =
    "policy: p\nversion: 1\npurposes: [work]\n"
    "rules:\n"
    "  - rule: readers read users\n    permit: read\n"
    "    who: {roles: [reader]}\n    what: {categories: [technical]}\n"
    "  - rule: readers name users\n    permit: [insert, delete]\n"
    "    who: {roles: [reader]}\n    what: {categories: [technical]}\n";

static struct catalog *catalog;
static struct directory *directory;
static struct policy *policy;
static struct arena *arena;
static struct judge judge;

static int
set_up(void **state)
{
	static const char *const homes[] = {"IE"};
	static const char *const seen[] = {"IE"};
	struct policy_request q = {.store = "s", .residences = homes,
	    .n_residences = 1, .purpose = "work"};
	struct why why = {0};

	(void)state;
	arena = arena_new();
	assert_int_equal(catalog_load(catalog_text, strlen(catalog_text),
	    &catalog, &why), 0);
	assert_int_equal(directory_load(directory_text,
	    strlen(directory_text), &directory, &why), 0);
	assert_int_equal(policy_load(policy_text, strlen(policy_text),
	    &policy, &why), 0);
	q.catalog = catalog;
	assert_int_equal(directory_principal(directory, "ann", 0, arena,
	    &q.who), 0);
	assert_int_equal(control_of(directory, "ann", 0, seen, 1, arena,
	    &q.control), 0);
	assert_int_equal(policy_decide(policy, &q, arena, &judge.clearance),
	    0);
	judge.store = "s";
	judge.catalog = catalog;
	judge.schema = "sworn_abc";
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	policy_free(policy);
	directory_free(directory);
	catalog_free(catalog);
	return 0;
}

static bool
reads(const struct judgement *j, const char *full)
{
	size_t i;

	for (i = 0; i < catalog->n_tables; i++)
		if (strcmp(catalog->tables[i].full, full) == 0)
			return j->tables[i];
	fail_msg("no table %s", full);
	return false;
}

static const struct judgement *
judged(const char *sql)
{
	const struct judgement *j = NULL;

	assert_int_equal(judge_text(&judge, sql, strlen(sql), arena, &j), 0);
	return j;
}

static void
writing_is_for_the_store_to_hold_where_a_rule_permits_it(void **state)
{
	static const struct {
		const char *sql;
		const char *writes;	/* NULL: refused */
	} cases[] = {
		{"INSERT INTO users VALUES (1)", "insert public.users"},
		{"DELETE FROM users RETURNING id", "delete public.users"},
		{"DELETE FROM users; SELECT 1; INSERT INTO users VALUES (1)",
		    "delete public.users, insert public.users"},
		{"UPDATE users SET id = 1", NULL},
		{"INSERT INTO mails VALUES (1)", NULL},
		{"INSERT INTO topics VALUES (1)", NULL},
		{"DELETE FROM public.users", NULL},
		{"INSERT INTO users SELECT * FROM mails", NULL},
		{"WITH d AS (DELETE FROM users RETURNING 1) DELETE FROM users",
		    NULL},
		{"INSERT INTO elsewhere VALUES (1)", NULL},
		{"COPY users FROM STDIN", NULL},
		{"PREPARE p AS DELETE FROM users", NULL},
	};
	const struct judgement *j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		j = judged(cases[i].sql);
		if ((j->n_refusals == 0) != (cases[i].writes != NULL))
			fail_msg("%s: refused or not", cases[i].sql);
		if (cases[i].writes == NULL)
			continue;
		assert_string_equal(j->writes, cases[i].writes);
		/* Triggers may read whatever the clearance reaches. */
		assert_true(j->whole && j->guarded && j->exact == NULL);
		assert_false(j->leaves);
	}
	assert_null(judged("SELECT id FROM users")->writes);
}

static void
statements_are_permitted_or_refused_with_their_sqlstate(void **state)
{
	static const struct {
		const char *sql;
		const char *sqlstate;	/* NULL: permitted */
		bool guarded;
		bool whole;
	} cases[] = {
		{"SELECT 1", NULL, false, false},
		{"", NULL, false, false},
		{"BEGIN", NULL, false, false},
		{"SHOW timezone", NULL, false, false},
		{"SET timezone = 'UTC'", NULL, false, false},
		{"SET client_encoding = 'UTF8'", NULL, false, false},
		{"SET client_encoding = '''utf-8'''", NULL, false, false},
		{"SET client_encoding = 'utf_8 1'", "42501", false, false},
		{"SET client_encoding = 'LATIN1'", "42501", false, false},
		{"SET search_path = other", "42501", false, false},
		{"SELECT * FROM topics", NULL, false, false},
		{"SELECT relname FROM pg_catalog.pg_class", NULL, false, false},
		{"SELECT * FROM pg_class", "42501", false, false},
		{"SELECT * FROM pg_catalog.pg_type", NULL, false, false},
		{"SELECT * FROM information_schema.tables", NULL, false, false},
		{"SELECT * FROM pg_unheard_of", "42501", true, true},
		{"SELECT * FROM pg_stats", "42501", true, true},
		{"SELECT * FROM pg_catalog.pg_stats", "42501", true, true},
		{"SELECT * FROM pg_stat_activity", "42501", true, true},
		{"SELECT * FROM pg_catalog.pg_stat_user_tables", "42501", true,
		    true},
		{"SELECT * FROM pg_catalog.pg_unheard_of", "42501", true, true},
		{"SELECT * FROM pg_locks", "42501", true, true},
		{"SELECT pg_total_relation_size(1)", "42501", true, true},
		{"SELECT id FROM users", NULL, true, false},
		{"SELECT id FROM public.users", "42501", true, false},
		{"SELECT * FROM public.topics", "42501", false, false},
		{"SELECT id FROM sworn_abc.users", NULL, true, false},
		{"SELECT id FROM public.mails", "42501", true, false},
		{"SELECT id FROM mails", "42501", true, false},
		{"SELECT 1 WHERE EXISTS (SELECT FROM mails)", "42501", true,
		    false},
		{"SELECT id FROM elsewhere.users", "42501", true, true},
		{"SELECT id FROM unlisted", "42501", true, true},
		{"SELECT 1; SELECT id FROM mails", "42501", true, false},
		{"DELETE FROM topics", "42501", false, false},
		{"DO 'x'", "42501", true, true},
		{"SELECT pg_read_file('x')", "42501", true, true},
		{"FETCH 1 FROM c", NULL, true, true},
		{"CLOSE c", NULL, false, false},
		{"EXECUTE p", NULL, true, true},
		/* A function that nobody knows may read anything. */
		{"SELECT frobnicate(1)", NULL, true, true},
		{"SELECT id, frobnicate(id) FROM users", NULL, true, true},
		{"DEALLOCATE p", NULL, false, false},
		{"EXPLAIN SELECT id FROM users", "42501", true, false},
		{"EXPLAIN (COSTS OFF) SELECT id FROM users", "42501", true,
		    false},
		{"EXPLAIN SELECT * FROM topics, users", "42501", true, false},
		{"EXPLAIN SELECT relname FROM pg_class", "42501", false, false},
		{"EXPLAIN SELECT f()", "42501", true, true},
		{"EXPLAIN ANALYZE SELECT * FROM topics", NULL, false, false},
		{"EXPLAIN SELECT 1", NULL, false, false},
		{"COPY users TO STDOUT", NULL, true, false},
		{"SELEC", "42601", true, true},
		{"SELECT '\xff'", "22021", true, true},
	};
	const struct judgement *j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		j = judged(cases[i].sql);
		if ((j->n_refusals > 0) != (cases[i].sqlstate != NULL))
			fail_msg("%s: %s", cases[i].sql, j->n_refusals > 0 ?
			    j->refusals[0].message : "permitted");
		if (cases[i].sqlstate != NULL)
			assert_string_equal(j->refusals[0].record.sqlstate,
			    cases[i].sqlstate);
		if (j->whole != cases[i].whole && !cases[i].sqlstate)
			fail_msg("%s: whole %d", cases[i].sql, j->whole);
		if (j->guarded != cases[i].guarded && !cases[i].sqlstate)
			fail_msg("%s: guarded %d", cases[i].sql, j->guarded);
		/* What is refused and would be run all the same when only
		 * observed is never taken for less than it may read. */
		if (cases[i].sqlstate && cases[i].guarded)
			assert_true(j->guarded);
		if (cases[i].sqlstate && cases[i].whole)
			assert_true(j->whole);
	}
}

static void
name_with_its_schema_is_refused_with_the_name_to_write(void **state)
{
	const struct judgement *j = judged("SELECT id FROM public.users");

	(void)state;
	assert_int_equal(j->n_refusals, 1);
	assert_string_equal(j->refusals[0].record.table, "public.users");
	assert_string_equal(j->refusals[0].record.rule, "");
	assert_non_null(strstr(j->refusals[0].hint, "write users"));
	/* Where the rule refuses, the rule is what counts. */
	j = judged("SELECT id FROM public.mails");
	assert_int_equal(j->n_refusals, 1);
	assert_null(j->refusals[0].hint != NULL ?
	    strstr(j->refusals[0].hint, "instead of") : NULL);
}

static void
unqualified_name_counts_for_every_table_that_has_it(void **state)
{
	const struct judgement *j = judged("SELECT id FROM mails");

	(void)state;
	assert_true(reads(j, "public.mails"));
	assert_true(reads(j, "other.mails"));
	assert_false(reads(j, "public.users"));
	j = judged("SELECT id FROM other.mails");
	assert_false(reads(j, "public.mails"));
}

static void
text_that_the_store_reads_in_another_way_is_whole(void **state)
{
	const struct judgement *j;

	(void)state;
	judge.reads_otherwise = true;
	j = judged("SELECT 1");
	judge.reads_otherwise = false;
	assert_true(j->whole);
	assert_true(j->guarded);
	assert_true(judged("SET search_path = x")->changes_reading);
	assert_true(judged("SET standard_conforming_strings = off")->
	    changes_reading);
	assert_false(judged("SET timezone = 'UTC'")->changes_reading);
}

static void
purpose_is_seen_in_each_of_its_forms(void **state)
{
	(void)state;
	assert_non_null(judged("SET sworn.purpose = 'a'")->ours);
	assert_non_null(judged("set SWORN.Ticket to 'a'")->ours);
	assert_non_null(judged("RESET sworn.purpose")->ours);
	assert_true(judged("RESET ALL")->resets_all);
	assert_true(judged("DISCARD ALL")->resets_all);
	assert_false(judged("DISCARD PLANS")->resets_all);
	assert_false(judged("SET sworn.purpose = 'a'; SELECT 1")->alone);
	assert_int_equal(judged("SET sworn.other = 'a'")->n_refusals, 1);
}

static void
where_a_rule_demands_an_exact_record_nothing_else_is_read(void **state)
{
	static const char *const columns[] = {"id"};
	static const struct rewrite_table tables[] = {
		{"users", columns, 1, NULL, NULL},
	};
	static const struct rewrite_schema twins = {"tw", tables, 1};
	static const struct {
		const char *sql;
		const char *hint;	/* NULL: it may */
	} cases[] = {
		{"SELECT id FROM users", NULL},
		{"SELECT * FROM topics OFFSET 3", NULL},
		{"SET timezone = 'UTC'", NULL},
		{"SELECT id FROM users ORDER BY id OFFSET 3", "OFFSET"},
		{"SELECT users FROM users", "columns"},
		{"DECLARE c CURSOR FOR SELECT id FROM users", NULL},
		{"DECLARE c CURSOR WITH HOLD FOR SELECT id FROM users",
		    "WITHOUT HOLD"},
		{"PREPARE p AS SELECT id FROM users", NULL},
		{"SELECT 1; SELECT id FROM users", NULL},
		{"SELECT 1; SELECT id FROM users OFFSET 1", "OFFSET"},
		{"SELECT what(1)", "PostgreSQL's own"},
	};
	bool only[8] = {false};
	const struct judgement *j;
	size_t i;

	(void)state;
	assert_true(catalog->n_tables <= sizeof(only));
	for (i = 0; i < catalog->n_tables; i++)
		only[i] = strcmp(catalog->tables[i].full,
		    "public.users") == 0;
	judge.twins = &twins;
	judge.exact_only = only;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		j = judged(cases[i].sql);
		if (cases[i].hint == NULL) {
			assert_int_equal(j->n_refusals, 0);
			continue;
		}
		if (!j->exact_only)
			fail_msg("%s", cases[i].sql);
		assert_int_equal(j->n_refusals, 1);
		assert_string_equal(j->refusals[0].record.sqlstate, "42501");
		if (strstr(j->refusals[0].hint, cases[i].hint) == NULL)
			fail_msg("%s: %s", cases[i].sql, j->refusals[0].hint);
	}
	/* Unless it is known what the name stands for. */
	j = judged("FETCH c");
	assert_int_equal(j->n_refusals, 0);
	assert_true(j->by_name && j->whole);
	assert_string_equal(j->unresolved->record.sqlstate, "42501");
	j = judged("FETCH \"\303\251\"");
	assert_false(j->by_name);
	assert_int_equal(j->n_refusals, 1);
	judge.twins = NULL;
	assert_int_equal(judged("SELECT id FROM users")->n_refusals, 1);
	judge.exact_only = NULL;
}

/* Where `part` stands in the one text is where it stood in the other. */
static void
same_place(const struct judgement *j, const char *part)
{
	unsigned at = (unsigned)(strstr(j->sent->sql, part) - j->sent->sql);
	unsigned want = (unsigned)(strstr(j->sql, part) - j->sql);

	assert_int_equal(rewrite_place(j->sent, j->sql, at + 1), want + 1);
}

static void
each_of_several_statements_is_judged_as_if_alone(void **state)
{
	static const char *const columns[] = {"id"};
	static const struct rewrite_table tables[] = {
		{"users", columns, 1, NULL, NULL},
	};
	static const struct rewrite_schema twins = {"tw", tables, 1};
	const struct judgement *j;
	char many[8 * (JUDGE_PARTS_MAX + 1) + 32] = "SELECT id FROM users";
	size_t i;

	(void)state;
	judge.twins = &twins;
	j = judged("BEGIN; SELECT id FROM users; SELECT id FROM users OFFSET "
	    "1; SELECT 1 + badly -- end");
	assert_int_equal(j->n_parts, 4);
	assert_false(j->parts[0]->guarded);
	assert_non_null(j->parts[1]->exact);
	assert_null(j->parts[2]->exact);
	assert_true(j->parts[2]->guarded);
	assert_false(j->parts[3]->guarded);
	same_place(j, "id FROM");
	same_place(j, "OFFSET");
	same_place(j, "badly");
	assert_ptr_equal(j->parts[3]->sent, j->sent);
	/* Nothing to rewrite: it is sent as it is. */
	assert_null(judged("SELECT id FROM users OFFSET 1; SELECT 1")->sent);
	/* Names are looked after though nothing guarded is read. */
	assert_int_equal(judged("BEGIN; DECLARE c CURSOR FOR SELECT 1")->
	    n_parts, 2);
	for (i = 0; i < JUDGE_PARTS_MAX; i++)
		memcpy(many + 20 + i * 8, ";CLOSE c", 8);
	j = judged(many);
	assert_int_equal(j->n_parts, 0);
	assert_true(j->whole);
	judge.twins = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    statements_are_permitted_or_refused_with_their_sqlstate),
		cmocka_unit_test(
		    writing_is_for_the_store_to_hold_where_a_rule_permits_it),
		cmocka_unit_test(
		    name_with_its_schema_is_refused_with_the_name_to_write),
		cmocka_unit_test(
		    unqualified_name_counts_for_every_table_that_has_it),
		cmocka_unit_test(
		    text_that_the_store_reads_in_another_way_is_whole),
		cmocka_unit_test(purpose_is_seen_in_each_of_its_forms),
		cmocka_unit_test(
		    where_a_rule_demands_an_exact_record_nothing_else_is_read),
		cmocka_unit_test(
		    each_of_several_statements_is_judged_as_if_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
