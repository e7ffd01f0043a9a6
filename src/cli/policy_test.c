/*
 * sworn policy test FILE -c FILE: whether readers are shown what a table
 * expects. Each difference is named by the line of its row.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "cli/ask.h"
#include "cli/load.h"
#include "cli/options.h"
#include "cli/policy.h"
#include "cli/say.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "gateway/file.h"
#include "policy/effect.h"
#include "policy/expect.h"

static const char usage[] = "usage: sworn policy test FILE -c FILE "
    "[--at TIME]\n";

struct test {
	const char *path;
	const struct config *config;
	struct arena *a;		/* of one row */
	struct expect expect;
	size_t differ;
	/* of the row looked at */
	const struct expect_row *row;
	struct ask_answer got;
	size_t table;
	const char *column;		/* NULL: each */
	struct policy_reason reason;	/* of the residence looked at */
	bool rule_seen;
};

static void
differs(const struct test *t, const char *what)
{
	if (what == NULL)
		what = err_text(ERR_MEMORY);
	(void)fprintf(stderr, "%s:%u: %s, %s in store %s%s%s: %s\n", t->path,
	    t->row->line, t->row->reader, t->row->table, t->row->store,
	    t->row->residence != NULL ? ", residents of " : "",
	    t->row->residence != NULL ? t->row->residence : "", what);
}

/* [schema.]table, or that and a column. */
static bool
find_table(struct test *t)
{
	const struct catalog *c = t->got.store->catalog;
	const char *name = t->row->table, *dot = strrchr(name, '.');
	size_t i, len = dot != NULL ? (size_t)(dot - name) : 0;

	for (i = 0; i < c->n_tables; i++) {
		const struct catalog_table *ct = &c->tables[i];

		t->table = i;
		t->column = NULL;
		if (strcmp(ct->full, name) == 0 ||
		    strcmp(ct->name, name) == 0)
			return true;
		if (dot == NULL || catalog_column_find(ct, dot + 1) == NULL)
			continue;
		t->column = dot + 1;
		if ((strlen(ct->full) == len &&
		    memcmp(ct->full, name, len) == 0) ||
		    (strlen(ct->name) == len &&
		    memcmp(ct->name, name, len) == 0))
			return true;
	}
	return false;
}

static void
see_rule(struct test *t, const char *name)
{
	if (t->row->rule != NULL && name != NULL &&
	    strcmp(name, t->row->rule) == 0)
		t->rule_seen = true;
}

/* "; by ..., because ..." of what is refused; "" of what is not. */
static const char *
refusal_text(const struct test *t, const struct policy_reason *r)
{
	const char *text = "";

	if (t->got.refused != NULL)
		text = arena_fmt(t->a, "; %s", t->got.refused);
	else if (!r->permitted && r->rule != NULL)
		text = arena_fmt(t->a, "; by \"%s\": %s", r->rule,
		    r->because);
	else if (!r->permitted)
		text = arena_fmt(t->a, "; %s", r->because);
	return text != NULL ? text : "";
}

/* Whether a column may be written in one way, or (delete) its rows. */
static bool
may_write(const struct test *t, size_t column, int k)
{
	const struct clearance_table *ct =
	    &t->got.clearance->tables[t->table];

	if (t->got.refused != NULL || !t->reason.permitted ||
	    t->got.who->kind != PRINCIPAL_PERSON)
		return false;
	return k == POLICY_DELETE ? ct->deletes : ct->writes != NULL &&
	    (ct->writes[column] & 1u << k) != 0;
}

static int
see_writing(struct test *t, size_t residence, size_t column, int k)
{
	const struct policy *p = policy_writing(t->config->policy,
	    (enum policy_write)k);
	struct effect f;
	size_t i;
	int r;

	if (p == NULL)
		return 0;
	if ((r = policy_effect(p, &t->got.request, t->got.clearance, t->table,
	    residence, column, t->a, &f)) != 0)
		return say_error(r);
	for (i = 0; i < f.n; i++)
		see_rule(t, f.rules[i].name);
	return 0;
}

/* Rows of expectations about writing. */
static int
check_writing(struct test *t, size_t residence, size_t column)
{
	int want = (int)t->row->expected - EXPECT_INSERT, k;
	bool none = t->row->expected == EXPECT_NO_WRITE;

	for (k = 0; k < POLICY_WRITES; k++) {
		if (!none && k != want)
			continue;
		if (see_writing(t, residence, column, k) != 0)
			return 1;
		if (may_write(t, column, k) == !none)
			continue;
		differs(t, arena_fmt(t->a, "%s of %s is %s by %s, expected "
		    "otherwise", t->got.clearance->tables[t->table].table->
		    columns[column].name, t->reason.residence, none ?
		    "written" : "not written",
		    policy_write_text((enum policy_write)k)));
		return 1;
	}
	return 0;
}

/* What is found, as a word of the same language; says so if it differs. */
static int
check_column(struct test *t, size_t residence, size_t column)
{
	const struct policy_reason *reason = &t->reason;
	const char *found, *want = expected_text(t->row->expected);
	struct effect f;
	size_t i;
	int r;

	if (t->row->expected >= EXPECT_INSERT)
		return check_writing(t, residence, column);
	if ((r = policy_effect(t->config->policy, &t->got.request,
	    t->got.clearance, t->table, residence, column, t->a, &f)) != 0)
		return say_error(r);
	for (i = 0; i < f.n; i++)
		see_rule(t, f.rules[i].name);
	see_rule(t, reason->rule);
	found = t->got.refused != NULL || !reason->permitted ? "refused" :
	    treatment_text(f.outcome);
	if (strcmp(found, want) == 0)
		return 0;
	differs(t, arena_fmt(t->a, "%s of %s is %s, expected %s%s",
	    t->got.clearance->tables[t->table].table->columns[column].name,
	    reason->residence, found, want, refusal_text(t, reason)));
	return 1;
}

static int
check_residence(struct test *t, size_t residence)
{
	const struct catalog_table *ct =
	    t->got.clearance->tables[t->table].table;
	size_t i;
	int r;

	if (ct->is_public && (t->row->expected == EXPECT_PLAIN ||
	    t->row->expected == EXPECT_NO_WRITE))
		return 0;
	if (ct->is_public) {
		differs(t, "the table is public: it is plain for all");
		return 1;
	}
	if ((r = clearance_reason(t->got.clearance, t->table, residence, t->a,
	    &t->reason)) != 0)
		return say_error(r);
	for (i = 0; i < ct->n_columns; i++)
		if ((t->column == NULL ||
		    strcmp(t->column, ct->columns[i].name) == 0) &&
		    check_column(t, residence, i) != 0)
			return 1;
	return 0;
}

static int
check_row(struct test *t)
{
	const struct expect_row *row = t->row;
	const struct policy_request *q = &t->got.request;
	bool found = false;
	size_t i;

	if (!find_table(t)) {
		differs(t, "there is no such table or column");
		return 1;
	}
	for (i = 0; i < q->n_residences; i++) {
		if (row->residence != NULL &&
		    strcmp(row->residence, q->residences[i]) != 0)
			continue;
		found = true;
		if (check_residence(t, i) != 0)
			return 1;
	}
	if (!found)
		differs(t, "the store has no such residence");
	else if (row->rule != NULL && !t->rule_seen)
		differs(t, arena_fmt(t->a, "as expected, but the rule \"%s\" "
		    "has no part in it", row->rule));
	return !found || (row->rule != NULL && !t->rule_seen);
}

static void
test_row(struct test *t, const struct expect_row *row, int64_t at_ms)
{
	const struct ask q = { .principal = row->reader, .store = row->store,
	    .purpose = row->purpose, .ticket = row->ticket,
	    .confirmed = row->confirmed, .approved = row->approved,
	    .from = row->from, .at_ms = at_ms };
	struct why w;

	arena_reset(t->a);
	t->row = row;
	t->rule_seen = false;
	if (ask(t->config, t->config->policy, &q, t->a, &t->got, &w) != 0) {
		differs(t, w.text);
		t->differ++;
	} else {
		t->differ += check_row(t) != 0;
	}
}

static int
load(struct test *t, struct arena *a)
{
	struct buf text;
	struct why w;
	int r;

	buf_init(&text, (size_t)64 << 20);
	if ((r = file_read(t->path, &text)) != 0)
		(void)fprintf(stderr, "%s: cannot be read: %s\n", t->path,
		    r == ERR_IO ? strerror(errno) : err_text(r));
	else if ((r = expect_load((const char *)text.data, text.len, a,
	    &t->expect, &w)) != 0)
		(void)fprintf(stderr, "%s:%u:%u: %s\n", t->path, w.line,
		    w.column, w.text);
	buf_done(&text);
	return r;
}

static int
test_all(struct test *t, const char *at)
{
	int64_t at_ms;
	size_t i;

	if (options_time(at, &at_ms) != 0)
		return 1;
	if (at == NULL && t->expect.has_at)
		at_ms = t->expect.at_ms;
	for (i = 0; i < t->expect.n; i++)
		test_row(t, &t->expect.rows[i], at_ms);
	(void)printf("%zu of %zu rows are as expected\n",
	    t->expect.n - t->differ, t->expect.n);
	return t->differ > 0;
}

int
cmd_policy_test(int argc, char **argv)
{
	struct test t = { .path = NULL };
	const char *file = NULL, *at = NULL;
	const struct option_slot slots[] = {
		{"-c", &file, NULL}, {"--at", &at, NULL}, {NULL, NULL, NULL},
	};
	struct config *c = NULL;
	struct arena *a = NULL;
	int r;

	if ((r = options_read(argc, argv, slots, &t.path, 1, usage)) != 0)
		return r;
	if (file == NULL) {
		(void)fputs(usage, stderr);
		return 2;
	}
	r = 1;
	if ((c = load_config(file)) == NULL)
		goto out;
	t.config = c;
	a = arena_new();
	t.a = arena_new();
	if (a == NULL || t.a == NULL)
		r = say_error(ERR_MEMORY);
	else if (load(&t, a) == 0)
		r = test_all(&t, at);
out:
	arena_free(a);
	arena_free(t.a);
	config_free(c);
	return r;
}
