/*
 * Of each way the tables, and of each table what one session is shown: the
 * residences and the columns, for every shown residence has the same ones.
 */
#include "cli/who_can.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "cli/jsons.h"
#include "cli/say.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "policy/policy.h"

struct names {
	const char **items;
	size_t n;
};

/* One table in one way. */
struct part {
	const struct catalog_table *table;
	struct names residences, plain, masked;
	size_t end;			/* the cell after it */
};

static void
names_add(struct names *n, const char *s)
{
	size_t i;

	for (i = 0; i < n->n; i++)
		if (strcmp(n->items[i], s) == 0)
			return;
	n->items[n->n++] = s;
}

static int
names_init(struct names *n, struct arena *a, size_t max)
{
	n->n = 0;
	n->items = arena_array(a, max, sizeof(*n->items));
	return n->items == NULL ? ERR_MEMORY : 0;
}

/* The next table of which something is reached, from cell p->end on; its
 * `table` is NULL at the end. */
static int
next_part(const struct who_can *q, const struct way *w, struct part *p)
{
	const struct reach_space *s = &q->survey.space;
	const struct reach_cell *c;
	size_t i = p->end, first;

	p->table = NULL;
	while (i < s->n_cells && w->levels[i] == TREAT_ABSENT)
		i++;
	if (i == s->n_cells)
		return 0;
	c = &s->cells[i];
	p->table = reach_table(s, c);
	if (names_init(&p->residences, q->survey.a,
	    s->stores[c->store].n_residences) != 0 ||
	    names_init(&p->plain, q->survey.a, p->table->n_columns) != 0 ||
	    names_init(&p->masked, q->survey.a, p->table->n_columns) != 0)
		return ERR_MEMORY;
	for (first = i; i < s->n_cells &&
	    s->cells[i].store == s->cells[first].store &&
	    s->cells[i].table == s->cells[first].table; i++) {
		c = &s->cells[i];
		if (w->levels[i] == TREAT_ABSENT)
			continue;
		names_add(&p->residences, reach_residence(s, c));
		names_add(w->levels[i] == TREAT_PLAIN ? &p->plain :
		    &p->masked, reach_column(s, c)->name);
	}
	p->end = i;
	return 0;
}

/* --- in words --- */

/* A rule, and who could approve what it needs to be approved. */
static void
say_rule(const struct who_can *q, const struct who_can_one *one,
    const char *rule, struct buf *out)
{
	const struct approvable *a = who_can_approvable(one, rule);

	buf_fmt(out, "    by \"%s\"", rule);
	if (a != NULL) {
		buf_fmt(out, ", approved by %u of ", a->count);
		say_list(out, a->by, a->n);
	}
	if (policy_rule_exact(q->survey.config->policy, rule))
		buf_str(out, ", only where the record is exact");
	buf_str(out, "\n");
}

static int
say_way(const struct who_can *q, const struct who_can_one *one,
    const struct way *w, struct buf *out)
{
	struct part p = { .end = 0 };
	size_t i;
	int r;

	buf_fmt(out, "  store %s, ", q->survey.space.stores[w->store].name);
	survey_say_way(&q->survey, out, w->purpose, w->ticket, w->places);
	if (w->scope != NULL) {
		buf_str(out, ", confirmed for residents of ");
		say_list(out, w->scope->residences,
		    w->scope->n_residences);
	}
	buf_str(out, w->always ? "\n" : ", at some hours only\n");
	for (i = 0; i < w->n_rules; i++)
		say_rule(q, one, w->rules[i], out);
	while ((r = next_part(q, w, &p)) == 0 && p.table != NULL) {
		buf_fmt(out, "      %s, residents of ", p.table->full);
		say_list(out, p.residences.items, p.residences.n);
		buf_str(out, ":");
		if (p.plain.n > 0) {
			buf_str(out, " plain ");
			say_list(out, p.plain.items, p.plain.n);
		}
		if (p.masked.n > 0) {
			buf_fmt(out, "%s masked ", p.plain.n > 0 ? ";" : "");
			say_list(out, p.masked.items, p.masked.n);
		}
		buf_str(out, "\n");
	}
	return r;
}

static void
say_question(const struct who_can *q, struct buf *out)
{
	char at[TIME_TEXT_MAX];

	time_text(q->survey.at_ms, at);
	buf_fmt(out, "%zu of %zu principals %s", q->n_found, q->survey.n_ids,
	    q->approval ? "could reach something more through approval" :
	    "reach something");
	if (q->category != NULL)
		buf_fmt(out, " of category %s", q->category);
	if (q->table != NULL)
		buf_fmt(out, " in table %s", q->table);
	if (q->residence != NULL)
		buf_fmt(out, " of residents of %s", q->residence);
	if (q->store != NULL)
		buf_fmt(out, " in store %s", q->store);
	buf_fmt(out, "\n%zu columns of tables for residences of stores; as "
	    "of %s\n", q->n_asked, at);
}

int
who_can_words(const struct who_can *q, struct buf *out)
{
	size_t i, k;
	int r;

	say_question(q, out);
	for (i = 0; i < q->n_found; i++) {
		const struct who_can_one *one = &q->found[i];

		buf_str(out, "\n");
		say_principal(out, one->who);
		if (q->write != NULL)
			buf_fmt(out, ": %zu to %s\n", one->plain, q->write);
		else
			buf_fmt(out, ": %zu plain, %zu masked\n", one->plain,
			    one->masked);
		for (k = 0; k < one->ways.n; k++)
			if ((r = say_way(q, one,
			    &one->ways.items[k], out)) != 0)
				return r;
	}
	return 0;
}

/* --- as JSON: whatever fails gives NULL, and jansson passes that on --- */

static json_t *
json_approvals(const struct who_can_one *one, const struct way *w)
{
	const struct approvable *a;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < w->n_rules; i++)
		if ((a = who_can_approvable(one, w->rules[i])) != NULL)
			jsons_add(&list, json_pack("{s:s, s:i, s:o}", "rule",
			    w->rules[i], "count", (int)a->count,
			    "by",
			    jsons_list(a->by, a->n)));
	return list;
}

/* Those rules that permit only what is recorded exactly. */
static json_t *
json_exact(const struct who_can *q, const struct way *w)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < w->n_rules; i++)
		if (policy_rule_exact(q->survey.config->policy, w->rules[i]))
			jsons_add(&list, json_string(w->rules[i]));
	return list;
}

static json_t *
json_way(const struct who_can *q, const struct who_can_one *one,
    const struct way *w)
{
	json_t *places = json_array(), *tables = json_array();
	struct part p = { .end = 0 };
	size_t i;
	int r;

	for (i = 0; i < q->survey.sessions.n_places; i++)
		if (w->places[i])
			jsons_add(&places,
			    json_string(q->survey.sessions.places[i]));
	while ((r = next_part(q, w, &p)) == 0 && p.table != NULL)
		jsons_add(&tables, json_pack("{s:s, s:o, s:o, s:o}", "table",
		    p.table->full, "residences",
		    jsons_list(p.residences.items, p.residences.n), "plain",
		    jsons_list(p.plain.items, p.plain.n), "mask",
		    jsons_list(p.masked.items, p.masked.n)));
	if (r != 0) {
		json_decref(tables);
		tables = NULL;
	}
	return json_pack("{s:s, s:s?, s:s?, s:o, s:o, s:b, s:o, s:o, s:o, s:o}",
	    "store",
	    q->survey.space.stores[w->store].name, "purpose", w->purpose,
	    "ticket", w->ticket, "confirmed-for", w->scope == NULL ? json_null() :
	    jsons_list(w->scope->residences, w->scope->n_residences),
	    "from", places, "always", w->always, "rules",
	    jsons_list(w->rules, w->n_rules), "approvals",
	    json_approvals(one, w), "only-exact", json_exact(q, w), "tables",
	    tables);
}

static json_t *
json_one(const struct who_can *q, const struct who_can_one *one)
{
	json_t *ways = json_array();
	size_t i;

	for (i = 0; i < one->ways.n; i++)
		jsons_add(&ways, json_way(q, one,
		    &one->ways.items[i]));
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "principal",
	    one->who->id, "name", one->who->name, "kind",
	    one->who->kind == PRINCIPAL_PERSON ? "person" : "service",
	    "plain", (json_int_t)one->plain, "masked",
	    (json_int_t)one->masked, "ways", ways);
}

int
who_can_json(const struct who_can *q, struct buf *out)
{
	json_t *list = json_array();
	char at[TIME_TEXT_MAX];
	size_t i;

	time_text(q->survey.at_ms, at);
	for (i = 0; i < q->n_found; i++)
		jsons_add(&list, json_one(q, &q->found[i]));
	return jsons_write(json_pack("{s:s, s:I, s:I, s:o}", "at", at,
	    "principals", (json_int_t)q->survey.n_ids, "cells",
	    (json_int_t)q->n_asked, "found", list), out);
}
