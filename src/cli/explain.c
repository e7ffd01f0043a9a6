/*
 * sworn explain -c FILE | --log DIR PRINCIPAL STORE [--table T] [--purpose P]
 *     [--ticket T [--confirmed all|RESIDENCE]] [--approved] [--from PLACE]
 *     [--at TIME] [--json]
 *
 * What one session would be shown, and why: for each table and residence the
 * outcome of each column, the rules that have a part in it, and the facts
 * and paths that those rest on.
 */
#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/say.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "policy/effect.h"

static const char usage[] = "usage: sworn explain PRINCIPAL STORE "
    SOURCE_USAGE "\n    [--table T] [--purpose P] [--ticket T [--confirmed all|RESIDENCE]]\n"
    "    [--approved] [--from PLACE] [--at TIME] [--json]\n";

int
explain_reason(const struct explain *e, size_t table, size_t residence,
    struct policy_reason *ret)
{
	return clearance_reason(e->got.clearance, table, residence, e->a,
	    ret);
}

int
explain_effect(const struct explain *e, size_t table, size_t residence,
    size_t column, struct effect *ret)
{
	return policy_effect(e->config->policy, &e->got.request,
	    e->got.clearance, table, residence, column, e->a, ret);
}

bool
explain_asked(const struct explain *e, const struct catalog_table *t)
{
	return e->table == NULL || strcmp(e->table, t->full) == 0 ||
	    strcmp(e->table, t->name) == 0;
}

bool
explain_needs_exact(const struct explain *e, size_t table)
{
	return e->got.plain != NULL && clearance_needs_exact(
	    e->got.clearance, e->got.plain, table);
}

const char *
explain_writes(const struct explain *e, size_t table, enum policy_write k)
{
	const struct clearance_table *t = &e->got.clearance->tables[table];
	const char *text = NULL;
	struct buf b;
	bool any = false;
	size_t i;

	if (e->got.who->kind != PRINCIPAL_PERSON || !clearance_writes(t, k))
		return NULL;
	buf_init(&b, 0);
	buf_str(&b, k == POLICY_DELETE ? "whole rows" : "");
	for (i = 0; k != POLICY_DELETE && i < t->table->n_columns; i++) {
		if ((t->writes[i] & 1u << k) == 0)
			continue;
		buf_fmt(&b, "%s%s", any ? ", " : "",
		    t->table->columns[i].name);
		any = true;
	}
	if (buf_text(&b) != NULL)
		text = arena_str(e->a, buf_text(&b));
	buf_done(&b);
	return text;
}

static bool
has_table(const struct explain *e)
{
	const struct catalog *c = e->got.store->catalog;
	size_t i;

	for (i = 0; i < c->n_tables; i++)
		if (explain_asked(e, &c->tables[i]))
			return true;
	return false;
}

static int
answer(struct explain *e, struct buf *out)
{
	struct why w;
	int r;

	if (ask(e->config, e->config->policy, &e->ask, e->a, &e->got,
	    &w) != 0) {
		(void)fprintf(stderr, "sworn: %s\n", w.text);
		return 1;
	}
	if (!has_table(e)) {
		(void)fprintf(stderr, "%s: there is no table \"%s\"\n",
		    e->got.store->catalog_text.path, e->table);
		return 1;
	}
	r = e->json ? explain_json(e, out) : explain_words(e, out);
	return r != 0 ? say_error(r) : say_out(out);
}

int
cmd_explain(int argc, char **argv)
{
	struct explain e = { .json = false };
	const struct option_slot slots[] = {
		SOURCE_SLOTS(&e.source), {"--table", &e.table, NULL},
		{"--purpose", &e.ask.purpose, NULL},
		{"--ticket", &e.ask.ticket, NULL},
		{"--confirmed", &e.ask.confirmed, NULL},
		{"--approved", NULL, &e.ask.approved},
		{"--from", &e.ask.from, NULL},
		{"--json", NULL, &e.json}, {NULL, NULL, NULL},
	};
	const char *words[2] = { NULL, NULL };
	struct buf out;
	int r;

	if ((r = options_read(argc, argv, slots, words, 2, usage)) != 0)
		return r;
	e.ask.principal = words[0];
	e.ask.store = words[1];
	buf_init(&out, 0);
	if ((r = source_open(&e.source, usage)) != 0)
		goto out;
	e.config = e.source.config;
	e.ask.at_ms = e.source.at_ms;
	e.a = arena_new();
	r = e.a == NULL ? say_error(ERR_MEMORY) : answer(&e, &out);
out:
	buf_done(&out);
	arena_free(e.a);
	source_close(&e.source);
	return r;
}
