/*
 * sworn who-can -c FILE | --log DIR [--store S] [--residence R] [--category C]
 *     [--table T] [--at TIME] [--widest] [--could-through-approval] [--json]
 *
 * Everybody who reaches what is asked about: by which rules, stating what,
 * from where. Every session that there can be is decided. With --widest the
 * one comes first who reaches most. With --could-through-approval it tells
 * what approvals would open, where there are enough who may give them.
 */
#include "cli/who_can.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/say.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "policy/memo.h"
#include "policy/policy.h"

static const char usage[] = "usage: sworn who-can " SOURCE_USAGE
    " [--store S]\n    [--residence R] [--category C] [--table T] "
    "[--at TIME] [--widest]\n    [--could-through-approval] [--write insert|update|delete] "
    "[--json]\n";

static bool
matches(const char *asked, const char *name)
{
	return asked == NULL || strcmp(asked, name) == 0;
}

static bool
is_asked(const struct who_can *q, const struct reach_cell *c)
{
	const struct reach_space *s = &q->survey.space;
	const struct catalog_table *t = reach_table(s, c);

	return matches(q->store, s->stores[c->store].name) &&
	    matches(q->residence, reach_residence(s, c)) &&
	    matches(q->category, reach_column(s, c)->category) &&
	    (matches(q->table, t->full) || matches(q->table, t->name));
}

/* Which cells are asked about; none is a mistake of who asks. */
static int
choose(struct who_can *q)
{
	const struct reach_space *s = &q->survey.space;
	bool *asked;
	size_t i;

	if ((asked = arena_array(q->survey.a, s->n_cells,
	    sizeof(*asked))) == NULL)
		return say_error(ERR_MEMORY);
	for (i = 0; i < s->n_cells; i++) {
		asked[i] = is_asked(q, &s->cells[i]);
		q->n_asked += asked[i];
	}
	q->asked = asked;
	if (q->n_asked > 0)
		return 0;
	(void)fprintf(stderr, "sworn: nothing is of that store, residence, "
	    "category and table; compare with the catalogs\n");
	return 1;
}

static int
take(void *arg, const struct reach_session *session)
{
	struct who_can *q = arg;
	struct who_can_one *one = &q->found[q->n_found];
	struct survey *s = &q->survey;
	size_t i;
	int r;

	if ((r = memo_levels(q->memo, session, s->levels)) != 0)
		return r;
	for (i = 0; i < s->space.n_cells; i++)
		if (q->asked[i] && s->levels[i] > q->most[i])
			q->most[i] = s->levels[i];
	return ways_add(&one->ways, session, s->levels);
}

const struct approvable *
who_can_approvable(const struct who_can_one *one, const char *rule)
{
	size_t i;

	for (i = 0; i < one->n_approvable; i++)
		if (strcmp(one->approvable[i].rule, rule) == 0)
			return &one->approvable[i];
	return NULL;
}

/* The rules that one principal could have approved: there are enough. */
static int
find_approvable(struct who_can *q, struct who_can_one *one, const char *id,
    struct policy_approvals *ret)
{
	const char **rules;
	size_t i;
	int r;

	if ((r = approvable_list(&q->approvals, q->config->directory, id,
	    q->survey.at_ms, q->survey.a, &one->approvable,
	    &one->n_approvable)) != 0)
		return r;
	rules = arena_array(q->survey.a, one->n_approvable, sizeof(*rules));
	if (rules == NULL)
		return ERR_MEMORY;
	for (i = 0; i < one->n_approvable; i++)
		rules[i] = one->approvable[i].rule;
	*ret = (struct policy_approvals){ .rules = rules,
	    .n = one->n_approvable };
	return 0;
}

/* Keeps the ways that rest on an approval. */
static void
keep_approved(struct who_can *q, struct who_can_one *one)
{
	struct ways *w = &one->ways;
	size_t i, k, kept = 0;

	for (i = 0; i < w->n; i++) {
		for (k = 0; k < w->items[i].n_rules; k++)
			if (who_can_approvable(one,
			    w->items[i].rules[k]) != NULL)
				break;
		if (k < w->items[i].n_rules)
			w->items[kept++] = w->items[i];
	}
	w->n = kept;
	memset(q->most, 0, q->survey.space.n_cells);
	for (i = 0; i < w->n; i++)
		for (k = 0; k < q->survey.space.n_cells; k++)
			if (w->items[i].levels[k] > q->most[k])
				q->most[k] = w->items[i].levels[k];
}

static int
choose_write(struct who_can *q)
{
	struct reach_space *s = &q->survey.space;
	int k;

	if (q->write == NULL)
		return 0;
	for (k = 0; k < POLICY_WRITES; k++)
		if (strcmp(q->write, policy_write_text(
		    (enum policy_write)k)) == 0)
			break;
	if (k == POLICY_WRITES) {
		(void)fprintf(stderr, "sworn: --write is insert, update or "
		    "delete, and not \"%s\"\n", q->write);
		return 1;
	}
	s->writes = true;
	s->write = (enum policy_write)k;
	return 0;
}

static int
find_one(struct who_can *q, const char *id)
{
	struct who_can_one *one = &q->found[q->n_found];
	struct policy_approvals approved = { .all = false };
	struct survey *s = &q->survey;
	size_t i;
	int r;

	memset(one, 0, sizeof(*one));
	memset(q->most, 0, s->space.n_cells);
	one->ways = (struct ways){ .a = s->a, .policy = q->config->policy,
	    .space = &s->space, .sessions = &s->sessions, .asked = q->asked };
	if (s->space.writes)
		one->ways.policy = policy_writing(q->config->policy,
		    s->space.write);
	if ((r = directory_principal(q->config->directory, id, s->at_ms,
	    s->a, &one->who)) != 0)
		return r;
	/* What a service writes, the store's own rights say. */
	if (s->space.writes && (one->ways.policy == NULL ||
	    one->who->kind != PRINCIPAL_PERSON))
		return 0;
	if ((q->approval &&
	    (r = find_approvable(q, one, id, &approved)) != 0) ||
	    (r = reach_each_approved(q->config->directory, &s->sessions, id,
	    s->at_ms, q->approval ? &approved : NULL, take, q)) != 0)
		return r;
	ways_reduce(&one->ways);
	if (q->approval)
		keep_approved(q, one);
	for (i = 0; i < s->space.n_cells; i++) {
		one->plain += q->most[i] == TREAT_PLAIN;
		one->masked += q->most[i] == TREAT_MASK;
	}
	q->n_found += one->plain + one->masked > 0;
	return 0;
}

static int
compare_widest(const void *a, const void *b)
{
	const struct who_can_one *x = a, *y = b;

	if (x->plain != y->plain)
		return x->plain > y->plain ? -1 : 1;
	if (x->masked != y->masked)
		return x->masked > y->masked ? -1 : 1;
	return strcmp(x->who->id, y->who->id);
}

static int
find_all(struct who_can *q)
{
	struct survey *s = &q->survey;
	size_t i;
	int r;

	q->found = arena_array(s->a, s->n_ids + 1, sizeof(*q->found));
	q->most = arena_alloc(s->a, s->space.n_cells);
	if (q->found == NULL || q->most == NULL)
		return ERR_MEMORY;
	if (q->approval && (r = approval_survey_make(q->config->directory,
	    q->config->policy, s->ids, s->n_ids, s->at_ms, s->a,
	    &q->approvals)) != 0)
		return r;
	if ((r = memo_new(&s->space, q->config->policy, &q->memo)) != 0)
		return r;
	for (i = 0; i < s->n_ids; i++)
		if ((r = find_one(q, s->ids[i])) != 0)
			return r;
	if (q->widest && q->n_found > 0)
		qsort(q->found, q->n_found, sizeof(*q->found),
		    compare_widest);
	return 0;
}

static int
answer(struct who_can *q, struct buf *out)
{
	const struct policy *policies[] = { q->config->policy };
	struct why w;
	int r;

	if (survey_init(&q->survey, q->config, policies, 1, q->source.at_ms,
	    &w) != 0) {
		(void)fprintf(stderr, "%s: %s\n", q->config->policy_text.path,
		    w.text);
		return 1;
	}
	survey_warn(&q->survey);
	if (choose_write(q) != 0 || choose(q) != 0)
		return 1;
	if ((r = find_all(q)) != 0)
		return say_error(r);
	r = q->json ? who_can_json(q, out) : who_can_words(q, out);
	return r != 0 ? say_error(r) : say_out(out);
}

int
cmd_who_can(int argc, char **argv)
{
	struct who_can q = { .json = false };
	const struct option_slot slots[] = {
		SOURCE_SLOTS(&q.source), {"--store", &q.store, NULL},
		{"--residence", &q.residence, NULL},
		{"--category", &q.category, NULL},
		{"--table", &q.table, NULL},
		{"--widest", NULL, &q.widest}, {"--json", NULL, &q.json},
		{"--could-through-approval", NULL, &q.approval},
		{"--write", &q.write, NULL},
		{NULL, NULL, NULL},
	};
	struct buf out;
	int r;

	if ((r = options_read(argc, argv, slots, NULL, 0, usage)) != 0)
		return r;
	buf_init(&out, 0);
	if ((r = source_open(&q.source, usage)) == 0) {
		q.config = q.source.config;
		r = answer(&q, &out);
	}
	buf_done(&out);
	memo_free(q.memo);
	survey_done(&q.survey);
	source_close(&q.source);
	return r;
}
