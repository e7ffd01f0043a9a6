/*
 * A column of a table may be shown for a residence if some permit applies
 * and no forbid does. A table's residences are those for which at least one
 * column may be; a column is shown if it may be for every one of them, in
 * the strictest treatment that applies. The table is readable if a column
 * is left.
 *
 * What a rule says of the session, of each residence and of each category
 * is found once; what remains for each column is looking that up. Rules
 * are sorted by name, so their order in the file decides nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "policy/explain.h"
#include "policy/policy.h"
#include "policy/rule.h"
#include "policy/who.h"

/* A rule that applies to the session, or a permit that might have. */
struct active {
	const struct rule *rule;
	bool *applies;		/* by index of the residence in the request */
	bool *about;		/* the same, whoever reads and why */
	bool *categories;	/* by index in the catalog */
	bool table;		/* of the table looked at */
};

struct decide {
	const struct policy *p;
	struct policy_request q;	/* an unknown purpose taken out */
	struct arena *arena;
	struct active *rules;	/* as p->rules */
	size_t n_rules;
	/* Of the table looked at: */
	const struct catalog_table *table;
	size_t *categories;	/* of each column, index in the catalog */
};

static int
prepare_rule(struct decide *d, struct active *a, const struct rule *r)
{
	const struct catalog *c = d->q.catalog;
	enum truth session = rule_session(r, &d->q), t;
	size_t i;

	a->rule = r;
	a->applies = arena_array(d->arena, d->q.n_residences,
	    sizeof(*a->applies));
	a->about = arena_array(d->arena, d->q.n_residences,
	    sizeof(*a->about));
	a->categories = arena_array(d->arena, c->n_categories,
	    sizeof(*a->categories));
	if (a->applies == NULL || a->about == NULL || a->categories == NULL)
		return ERR_MEMORY;
	for (i = 0; i < d->q.n_residences; i++) {
		t = rule_residence(r, d->q.residences[i], &d->q);
		a->about[i] = t == TRUTH_TRUE;
		a->applies[i] = rule_applies(r, t < session ? t : session);
	}
	for (i = 0; i < c->n_categories; i++)
		a->categories[i] = names_match(&r->categories,
		    c->categories[i]);
	return 0;
}

static int
prepare(struct decide *d)
{
	size_t i;
	int r;

	d->n_rules = d->p->n_rules;
	d->rules = arena_array(d->arena, d->n_rules, sizeof(*d->rules));
	if (d->rules == NULL)
		return ERR_MEMORY;
	for (i = 0; i < d->n_rules; i++)
		if ((r = prepare_rule(d, &d->rules[i], &d->p->rules[i])) != 0)
			return r;
	return 0;
}

static int
prepare_table(struct decide *d, const struct catalog_table *t)
{
	const struct catalog *c = d->q.catalog;
	size_t i, k;

	d->table = t;
	for (i = 0; i < d->n_rules; i++)
		d->rules[i].table = names_match(&d->rules[i].rule->tables,
		    t->full);
	d->categories = arena_array(d->arena, t->n_columns,
	    sizeof(*d->categories));
	if (d->categories == NULL)
		return ERR_MEMORY;
	for (i = 0; i < t->n_columns; i++) {
		for (k = 0; k < c->n_categories; k++)
			if (strcmp(c->categories[k],
			    t->columns[i].category) == 0)
				break;
		if (k == c->n_categories)
			return ERR_MISSING;	/* not a loaded catalog */
		d->categories[i] = k;
	}
	return 0;
}

/* Rules that apply to a residence of the table, whatever the column. */
static bool
applies(const struct active *a, size_t residence)
{
	return a->table && a->applies[residence];
}

static bool
covers(const struct decide *d, const struct active *a, size_t column)
{
	return a->categories[d->categories[column]];
}

/* The first rule of a verb that applies to a column, or NULL. */
static const struct active *
find_rule(const struct decide *d, enum verb verb, size_t residence,
    size_t column)
{
	size_t i;

	for (i = 0; i < d->n_rules; i++) {
		const struct active *a = &d->rules[i];

		if (a->rule->verb == verb && applies(a, residence) &&
		    covers(d, a, column))
			return a;
	}
	return NULL;
}

/* The rule that permits a column, or NULL if it may not be shown. */
static const struct active *
permits(const struct decide *d, size_t residence, size_t column)
{
	if (strcmp(d->q.residences[residence], CONTROL_UNKNOWN) == 0 ||
	    find_rule(d, VERB_FORBID, residence, column) != NULL)
		return NULL;
	return find_rule(d, VERB_PERMIT, residence, column);
}

/*
 * Whether a forbid is why nothing of a residence is shown: it takes away
 * something that is permitted otherwise, or it takes all.
 */
static bool
is_reason(const struct decide *d, const struct active *a, size_t residence)
{
	bool all = true;
	size_t i;

	if (a->rule->verb != VERB_FORBID || !applies(a, residence))
		return false;
	for (i = 0; i < d->table->n_columns; i++) {
		if (!covers(d, a, i))
			all = false;
		else if (find_rule(d, VERB_PERMIT, residence, i) != NULL)
			return true;
	}
	return all;
}

static const struct active *
find_forbid(const struct decide *d, size_t residence)
{
	enum explanation rank, best_rank = EXPLAIN_PATH;
	const struct active *best = NULL;
	size_t i;

	for (i = 0; i < d->n_rules; i++) {
		if (!is_reason(d, &d->rules[i], residence))
			continue;
		rank = explain_rank(d->rules[i].rule,
		    d->q.residences[residence], &d->q);
		if (best != NULL && rank >= best_rank)
			continue;
		best = &d->rules[i];
		best_rank = rank;
	}
	return best;
}

/* The permit that lacks least; rule NULL if there is none at all. */
static struct unmet
find_nearest(const struct decide *d, size_t residence)
{
	struct unmet best = {.rule = NULL}, u;
	size_t i, k;

	for (i = 0; i < d->n_rules; i++) {
		const struct active *a = &d->rules[i];

		if (a->rule->verb != VERB_PERMIT)
			continue;
		u = (struct unmet){.rule = a->rule, .table = !a->table,
		    .residence = !a->about[residence], .category = true};
		for (k = 0; k < d->table->n_columns; k++)
			if (covers(d, a, k))
				u.category = false;
		explain_measure(&u, &d->q);
		if (best.rule == NULL || u.distance < best.distance)
			best = u;
	}
	return best;
}

/* Why nothing of a residence is shown. */
static int
refuse(const struct decide *d, size_t residence, struct policy_reason *ret)
{
	const struct active *forbid;
	struct unmet u;

	ret->hint = "";
	if (strcmp(ret->residence, CONTROL_UNKNOWN) == 0) {
		ret->because = "where these people are at home is not known";
		return 0;
	}
	if ((forbid = find_forbid(d, residence)) != NULL) {
		ret->rule = forbid->rule->name;
		ret->because = explain_forbid(forbid->rule, ret->residence,
		    &d->q, d->arena);
		if (forbid->rule->hint != NULL)
			ret->hint = forbid->rule->hint;
		return ret->because == NULL ? ERR_MEMORY : 0;
	}
	u = find_nearest(d, residence);
	if (u.rule == NULL) {
		ret->because = "no rule permits anything";
		return 0;
	}
	ret->because = explain_unmet(&u, &d->q, d->table, ret->residence,
	    d->arena);
	ret->hint = explain_hint(&u, &d->q, d->arena);
	return ret->because == NULL || ret->hint == NULL ? ERR_MEMORY : 0;
}

/* One residence of the table: may anything be shown? With the reason. */
static int
decide_residence(const struct decide *d, size_t residence,
    struct policy_reason *ret)
{
	const struct active *permit = NULL, *a;
	size_t i;

	ret->residence = d->q.residences[residence];
	for (i = 0; i < d->table->n_columns; i++) {
		a = permits(d, residence, i);
		if (a != NULL && (permit == NULL ||
		    strcmp(a->rule->name, permit->rule->name) < 0))
			permit = a;
	}
	if (permit == NULL)
		return refuse(d, residence, ret);
	ret->permitted = true;
	ret->rule = permit->rule->name;
	ret->because = "";
	ret->hint = "";
	return 0;
}

/* The strictest treatment of a column over all residences shown. */
static enum treatment
treat_column(const struct decide *d, const struct policy_reason *reasons,
    size_t column)
{
	enum treatment t = TREAT_PLAIN;
	bool shown = false;
	size_t i, k;

	for (i = 0; i < d->q.n_residences; i++) {
		if (!reasons[i].permitted)
			continue;
		shown = true;
		if (permits(d, i, column) == NULL)
			return TREAT_ABSENT;
		for (k = 0; k < d->n_rules; k++) {
			const struct active *a = &d->rules[k];

			if (a->rule->verb == VERB_TREAT && applies(a, i) &&
			    covers(d, a, column) && a->rule->treatment < t)
				t = a->rule->treatment;
		}
	}
	return shown ? t : TREAT_ABSENT;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
list_residences(const struct decide *d, const struct policy_reason *reasons,
    struct clearance_table *ret)
{
	const char **list;
	size_t i, n = 0, kept = 0;

	list = arena_array(d->arena, d->q.n_residences, sizeof(*list));
	if (list == NULL)
		return ERR_MEMORY;
	for (i = 0; i < d->q.n_residences; i++)
		if (reasons[i].permitted)
			list[n++] = reasons[i].residence;
	qsort(list, n, sizeof(*list), compare_texts);
	for (i = 0; i < n; i++)
		if (kept == 0 || strcmp(list[kept - 1], list[i]) != 0)
			list[kept++] = list[i];
	ret->residences = list;
	ret->n_residences = kept;
	return 0;
}

/* Something is permitted, but no column is left of it. */
static void
refuse_all(const struct decide *d, struct policy_reason *reasons)
{
	size_t i;

	for (i = 0; i < d->q.n_residences; i++) {
		if (!reasons[i].permitted)
			continue;
		reasons[i].permitted = false;
		reasons[i].rule = NULL;
		reasons[i].because = "no column of this table may be shown "
		    "for every residence that may be";
	}
}

static int
decide_guarded(struct decide *d, struct policy_reason *reasons,
    struct clearance_table *ret)
{
	enum treatment *columns;
	size_t i;
	int r;

	columns = arena_array(d->arena, d->table->n_columns,
	    sizeof(*columns));
	if (columns == NULL)
		return ERR_MEMORY;
	for (i = 0; i < d->q.n_residences; i++)
		if ((r = decide_residence(d, i, &reasons[i])) != 0)
			return r;
	for (i = 0; i < d->table->n_columns; i++) {
		columns[i] = treat_column(d, reasons, i);
		if (columns[i] != TREAT_ABSENT)
			ret->readable = true;
	}
	ret->columns = columns;
	if (ret->readable)
		return list_residences(d, reasons, ret);
	refuse_all(d, reasons);
	return 0;
}

/* A public table has nobody's data: every principal reads it. */
static void
decide_public(const struct decide *d, struct policy_reason *reasons,
    struct clearance_table *ret)
{
	size_t i;

	ret->readable = true;
	for (i = 0; i < d->q.n_residences; i++)
		reasons[i] = (struct policy_reason){
			.residence = d->q.residences[i], .permitted = true,
			.because = "", .hint = "",
		};
}

static int
decide_tables(struct decide *d, struct clearance *cl,
    struct clearance_table *tables, struct policy_reason *reasons)
{
	const struct catalog *c = d->q.catalog;
	size_t i;
	int r;

	for (i = 0; i < c->n_tables; i++, reasons += d->q.n_residences) {
		tables[i].table = &c->tables[i];
		if (c->tables[i].is_public) {
			decide_public(d, reasons, &tables[i]);
			continue;
		}
		if ((r = prepare_table(d, &c->tables[i])) != 0 ||
		    (r = decide_guarded(d, reasons, &tables[i])) != 0)
			return r;
		if (tables[i].readable)
			cl->empty = false;
	}
	return 0;
}

int
policy_decide(const struct policy *p, const struct policy_request *q,
    struct arena *a, const struct clearance **ret)
{
	struct decide d = {.p = p, .q = *q, .arena = a};
	struct clearance_table *tables;
	struct policy_reason *reasons;
	struct clearance *cl;
	int r;

	d.q.purpose = request_purpose(p, q);
	if ((r = who_decide(p, &d.q, a)) != 0)
		return r;
	if (q->catalog->n_tables > 0 &&
	    q->n_residences > SIZE_MAX / q->catalog->n_tables)
		return ERR_LIMIT;
	cl = arena_alloc(a, sizeof(*cl));
	tables = arena_array(a, q->catalog->n_tables, sizeof(*tables));
	reasons = arena_array(a, q->catalog->n_tables * q->n_residences,
	    sizeof(*reasons));
	if (cl == NULL || tables == NULL || reasons == NULL)
		return ERR_MEMORY;
	cl->store = q->store;
	cl->catalog = q->catalog;
	cl->tables = tables;
	cl->n_tables = q->catalog->n_tables;
	cl->empty = true;
	cl->reasons = reasons;
	cl->n_residences = q->n_residences;
	if ((r = prepare(&d)) != 0 ||
	    (r = decide_tables(&d, cl, tables, reasons)) != 0)
		return r;
	*ret = cl;
	return 0;
}
