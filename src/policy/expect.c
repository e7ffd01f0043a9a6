/*
 * A row has a value for each column, in their order; the last ones may be
 * left out. "none" is no value, wherever a value is not needed.
 */
#include "policy/expect.h"

#include <string.h>

#include "base/arena.h"
#include "yaml/yaml.h"

enum column {
	COLUMN_READER,
	COLUMN_PURPOSE,
	COLUMN_TICKET,
	COLUMN_CONFIRMED,
	COLUMN_APPROVED,
	COLUMN_FROM,
	COLUMN_STORE,
	COLUMN_TABLE,
	COLUMN_RESIDENCE,
	COLUMN_EXPECT,
	COLUMN_RULE,
	COLUMN_COUNT,
};

static const char *const columns[] = {"reader", "purpose", "ticket",
    "confirmed", "approved", "from", "store", "table", "residence", "expect", "rule", NULL};
static const char *const expectations[] = {"plain", "mask", "absent",
    "refused", "insert", "update", "delete", "no-write", NULL};

struct load {
	struct yaml_in in;
	size_t order[COLUMN_COUNT];	/* which column stands there */
	size_t n_columns;
};

const char *
expected_text(enum expected e)
{
	return expectations[e];
}

static void
read_columns(struct load *l, const struct yaml_node *n)
{
	bool seen[COLUMN_COUNT] = {false};
	size_t i, c;

	yaml_list(&l->in, n);
	if (l->in.result == 0 && n->n > COLUMN_COUNT)
		(void)yaml_fail(&l->in, n, "there are only %d columns",
		    COLUMN_COUNT);
	for (i = 0; l->in.result == 0 && i < n->n; i++) {
		c = yaml_enum(&l->in, n->items[i], columns);
		if (l->in.result != 0)
			return;
		if (seen[c])
			(void)yaml_fail(&l->in, n->items[i], "the column "
			    "\"%s\" is there twice", columns[c]);
		seen[c] = true;
		l->order[l->n_columns++] = c;
	}
	if (l->in.result == 0 && !(seen[COLUMN_READER] &&
	    seen[COLUMN_STORE] && seen[COLUMN_TABLE] && seen[COLUMN_EXPECT]))
		(void)yaml_fail(&l->in, n, "the columns reader, store, table "
		    "and expect are needed");
}

static const char *
optional(const char *value)
{
	return value == NULL || strcmp(value, "none") == 0 ? NULL : value;
}

static void
read_row(struct load *l, const struct yaml_node *n, struct expect_row *ret)
{
	const struct yaml_node *at[COLUMN_COUNT] = {NULL};
	const char *value[COLUMN_COUNT] = {NULL};
	size_t i;

	yaml_list(&l->in, n);
	if (l->in.result == 0 && n->n > l->n_columns)
		(void)yaml_fail(&l->in, n, "the row has %zu values and there "
		    "are %zu columns", n->n, l->n_columns);
	for (i = 0; l->in.result == 0 && i < n->n; i++) {
		at[l->order[i]] = n->items[i];
		value[l->order[i]] = yaml_str(&l->in, n->items[i]);
	}
	if (l->in.result != 0)
		return;
	if (value[COLUMN_READER] == NULL || value[COLUMN_STORE] == NULL ||
	    value[COLUMN_TABLE] == NULL || value[COLUMN_EXPECT] == NULL) {
		(void)yaml_fail(&l->in, n, "the row lacks a reader, store, "
		    "table or expect");
		return;
	}
	*ret = (struct expect_row){
		.line = n->line, .reader = value[COLUMN_READER],
		.purpose = optional(value[COLUMN_PURPOSE]),
		.ticket = optional(value[COLUMN_TICKET]),
		.confirmed = optional(value[COLUMN_CONFIRMED]),
		.approved = at[COLUMN_APPROVED] != NULL &&
		    yaml_bool(&l->in, at[COLUMN_APPROVED]),
		.from = optional(value[COLUMN_FROM]),
		.store = value[COLUMN_STORE], .table = value[COLUMN_TABLE],
		.residence = optional(value[COLUMN_RESIDENCE]),
		.expected = (enum expected)yaml_enum(&l->in,
		    at[COLUMN_EXPECT], expectations),
		.rule = optional(value[COLUMN_RULE]),
	};
}

static void
read_rows(struct load *l, const struct yaml_node *n, struct arena *a,
    struct expect *ret)
{
	struct expect_row *rows;
	size_t i;

	yaml_list(&l->in, n);
	if (l->in.result == 0 && (n->n == 0 || n->n > EXPECT_ROWS_MAX))
		(void)yaml_fail(&l->in, n, "1 to %d rows are wanted",
		    EXPECT_ROWS_MAX);
	if (l->in.result != 0)
		return;
	if ((rows = arena_array(a, n->n, sizeof(*rows))) == NULL) {
		l->in.result = why_set(l->in.why, ERR_MEMORY, 0, 0,
		    "out of memory");
		return;
	}
	for (i = 0; i < n->n; i++)
		read_row(l, n->items[i], &rows[i]);
	ret->rows = rows;
	ret->n = n->n;
}

int
expect_load(const char *text, size_t len, struct arena *a,
    struct expect *ret, struct why *w)
{
	static const char *const keys[] = {"policy-test", "at", "columns",
	    "rows", NULL};
	struct load l = {.in = {.arena = a, .why = w}};
	const struct yaml_node *root;
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((r = yaml_parse(a, text, len, &root, w)) != 0)
		return r;
	yaml_map(&l.in, root, keys);
	(void)yaml_u64(&l.in, yaml_need(&l.in, root, "policy-test"), 1, 1);
	if (l.in.result == 0 && yaml_get(root, "at") != NULL) {
		ret->has_at = true;
		ret->at_ms = yaml_time_ms(&l.in, yaml_get(root, "at"));
	}
	read_columns(&l, yaml_need(&l.in, root, "columns"));
	read_rows(&l, yaml_need(&l.in, root, "rows"), a, ret);
	return l.in.result;
}
