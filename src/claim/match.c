/*
 * A bound is a set of tables, each with residences and categories. The claim
 * selects tables, categories and treatments from it; what is left decides:
 *
 *   no residence of the claim inside     -> false
 *   only residences of the claim inside  -> true, if all that a table shows
 *                                           is selected
 *   anything between                     -> unknown
 *
 * An exact record lists whose rows were released, and not of which table:
 *
 *   nobody of the claim's residences listed   -> false
 *   somebody is, and all tables that can have
 *   shown rows of that residence are selected -> true
 *   anything between                          -> unknown
 */
#include "claim/match.h"

#include <string.h>

#include "base/arena.h"
#include "catalog/catalog.h"
#include "directory/control.h"

/* Kinds of a recorded path; *known is false if it names one not known. */
static unsigned
path_kinds(const struct record_path *p, bool *known)
{
	unsigned kinds = 0, kind;
	size_t i;

	*known = p->kinds.n > 0;
	for (i = 0; i < p->kinds.n; i++) {
		if ((kind = control_kind_of(p->kinds.s[i])) == 0)
			*known = false;
		kinds |= kind;
	}
	return kinds;
}

static enum truth
match_path(const struct claim_who *w, const struct record_path *p)
{
	bool is_unknown = strcmp(p->label, CONTROL_UNKNOWN) == 0;
	unsigned kinds;
	bool known;

	if (!is_unknown && !strs_have(&w->controlled_from, p->label))
		return TRUTH_FALSE;
	kinds = path_kinds(p, &known);
	if ((kinds & ~w->by) != 0)
		return TRUTH_FALSE;
	if (!known || (is_unknown &&
	    !strs_have(&w->controlled_from, p->label)))
		return TRUTH_UNKNOWN;
	return TRUTH_TRUE;
}

static enum truth
match_control(const struct claim_who *w, const struct record_session *s,
    const struct record_path **ret)
{
	const struct record_path *p;
	enum truth best = TRUTH_FALSE, t;
	size_t i;

	if (w->controlled_from.n == 0)
		return TRUTH_TRUE;
	for (i = 0; i < s->n_control; i++) {
		p = &s->control[i];
		t = match_path(w, p);
		if (t > best || (t != TRUTH_FALSE && t == best &&
		    p->steps.n < (*ret)->steps.n)) {
			best = t;
			*ret = p;
		}
	}
	return best;
}

static enum truth
match_any(const struct record_strs *wanted, const struct record_strs *have)
{
	size_t i;

	if (wanted->n == 0)
		return TRUTH_TRUE;
	for (i = 0; i < have->n; i++)
		if (strs_have(wanted, have->s[i]))
			return TRUTH_TRUE;
	return TRUTH_FALSE;
}

void
match_reader(const struct claim_who *w, const struct record_session *s,
    struct match_reader *ret)
{
	struct record_strs principal = {&s->principal, 1};
	enum truth t = TRUTH_TRUE;

	ret->path = NULL;
	if (w->kind != NULL && strcmp(w->kind, s->kind) != 0)
		t = TRUTH_FALSE;
	t = truth_and(t, match_any(&w->principals, &principal));
	t = truth_and(t, match_any(&w->roles, &s->roles));
	t = truth_and(t, match_any(&w->employed_by, &s->employers));
	ret->truth = truth_and(t, match_control(w, s, &ret->path));
}

/* How much of what a table shows the claim selects. */
static enum truth
match_shown(const struct claim_data *d, const struct record_table *t)
{
	size_t all = t->categories.n + t->masked.n, in = 0, i;

	for (i = 0; i < t->categories.n; i++)
		in += d->plain && (d->categories.n == 0 ||
		    strs_have(&d->categories, t->categories.s[i]));
	for (i = 0; i < t->masked.n; i++)
		in += d->mask && (d->categories.n == 0 ||
		    strs_have(&d->categories, t->masked.s[i]));
	if (all == 0)		/* not said: rows at least can be counted */
		return d->categories.n == 0 && d->plain ? TRUTH_TRUE :
		    TRUTH_UNKNOWN;
	return in == 0 ? TRUTH_FALSE : in == all ? TRUTH_TRUE : TRUTH_UNKNOWN;
}

static const struct catalog_table *
table_of(const struct catalog *c, const char *full)
{
	size_t i;

	for (i = 0; c != NULL && i < c->n_tables; i++)
		if (strcmp(c->tables[i].full, full) == 0)
			return &c->tables[i];
	return NULL;
}

enum holds_whose {
	HOLDS_NOBODY,		/* not personal data, or not readable */
	HOLDS_LISTED,
	HOLDS_ANYBODY,		/* nothing says whose it is */
};

static enum holds_whose
holds_whose(const struct record_table *t, const struct match_context *x)
{
	const struct catalog_table *ct;

	if (t->residences.n > 0)
		return HOLDS_LISTED;
	if ((ct = table_of(x->catalog, t->table)) == NULL)
		return HOLDS_ANYBODY;
	return ct->is_public || x->empty_is_closed ? HOLDS_NOBODY :
	    HOLDS_ANYBODY;
}

struct tally {
	const char **residences, **tables, **categories, **masked;
	size_t n_residences, n_tables, n_categories, n_masked;
	bool others;		/* a residence that the claim does not name */
	bool anybody;
	bool sure;		/* a table of which all is selected */
	const struct record_strs *exact;
	bool nowhere;		/* nothing says whose data a table holds */
	const char **doubtful;	/* listed, but shown by other tables too */
	size_t n_doubtful;
};

static void
add(const char **list, size_t *n, const char *s)
{
	struct record_strs l = {list, *n};

	if (!strs_have(&l, s))
		list[(*n)++] = s;
}

/* Whether an exact record leaves this residence out. */
static bool
left_out(const struct tally *y, const char *label)
{
	return y->exact != NULL && !strs_have(y->exact, label);
}

/* A table that is not selected, or not wholly, may be what showed them. */
static void
tally_doubtful(const struct claim_data *d, const struct record_table *t,
    struct tally *y)
{
	size_t i;

	for (i = 0; y->exact != NULL && i < t->residences.n; i++)
		if (strs_have(&d->whose, t->residences.s[i]))
			add(y->doubtful, &y->n_doubtful, t->residences.s[i]);
}

static void
tally_table(const struct claim_data *d, const struct record_table *t,
    enum holds_whose whose, enum truth shown, struct tally *y)
{
	bool inside = whose == HOLDS_ANYBODY;
	size_t i;

	y->anybody |= inside;
	for (i = 0; i < t->residences.n; i++) {
		if (left_out(y, t->residences.s[i]))
			continue;
		if (strs_have(&d->whose, t->residences.s[i])) {
			add(y->residences, &y->n_residences,
			    t->residences.s[i]);
			inside = true;
		} else if (strcmp(t->residences.s[i], CONTROL_UNKNOWN) == 0) {
			y->anybody = inside = true;
		} else {
			y->others = true;
		}
	}
	if (!inside)
		return;
	y->sure |= shown == TRUTH_TRUE;
	add(y->tables, &y->n_tables, t->table);
	for (i = 0; i < t->categories.n; i++)
		if (d->plain && (d->categories.n == 0 ||
		    strs_have(&d->categories, t->categories.s[i])))
			add(y->categories, &y->n_categories,
			    t->categories.s[i]);
	for (i = 0; i < t->masked.n; i++)
		if (d->mask && (d->categories.n == 0 ||
		    strs_have(&d->categories, t->masked.s[i])))
			add(y->masked, &y->n_masked, t->masked.s[i]);
}

static int
tally_new(const struct record_bound *b, struct arena *a, struct tally *y)
{
	size_t residences = 0, categories = 0, masked = 0, i;

	for (i = 0; i < b->n; i++) {
		residences += b->tables[i].residences.n;
		categories += b->tables[i].categories.n;
		masked += b->tables[i].masked.n;
	}
	memset(y, 0, sizeof(*y));
	y->doubtful = arena_array(a, residences, sizeof(char *));
	y->residences = arena_array(a, residences, sizeof(char *));
	y->tables = arena_array(a, b->n, sizeof(char *));
	y->categories = arena_array(a, categories, sizeof(char *));
	y->masked = arena_array(a, masked, sizeof(char *));
	if (y->doubtful == NULL || y->residences == NULL || y->tables == NULL ||
	    y->categories == NULL || y->masked == NULL)
		return ERR_MEMORY;
	return 0;
}

/* Somebody is listed whose rows only selected tables can have shown. */
static bool
tally_listed(const struct tally *y)
{
	struct record_strs doubtful = {y->doubtful, y->n_doubtful};
	size_t i;

	for (i = 0; y->exact != NULL && !y->nowhere && i < y->n_residences;
	    i++)
		if (!strs_have(&doubtful, y->residences[i]))
			return true;
	return false;
}

static void
tally_decide(const struct tally *y, struct match_data *ret)
{
	ret->residences = (struct record_strs){y->residences, y->n_residences};
	ret->tables = (struct record_strs){y->tables, y->n_tables};
	ret->categories = (struct record_strs){y->categories, y->n_categories};
	ret->masked = (struct record_strs){y->masked, y->n_masked};
	ret->unclear = NULL;
	ret->truth = TRUTH_UNKNOWN;
	if (y->n_residences == 0 && !y->anybody)
		ret->truth = TRUTH_FALSE;
	else if (tally_listed(y))
		ret->truth = TRUTH_TRUE;
	else if (y->exact != NULL)
		ret->unclear = "the record lists whose rows were released, but "
		    "not of which table or category";
	else if (y->anybody)
		ret->unclear = "the bound holds a table or residence of which "
		    "nobody knows whose data it is";
	else if (y->others)
		ret->unclear = "the bound holds other residents too, and does "
		    "not say whose rows were released";
	else if (!y->sure)
		ret->unclear = "the bound holds other categories or "
		    "treatments too, and does not say which were released";
	else
		ret->truth = TRUTH_TRUE;
}

/* Of the claim's residences, and of none that is not known. */
static bool
nobody_listed(const struct claim_data *d, const struct record_strs *exact)
{
	size_t i;

	for (i = 0; exact != NULL && i < exact->n; i++)
		if (strs_have(&d->whose, exact->s[i]) ||
		    strcmp(exact->s[i], CONTROL_UNKNOWN) == 0)
			return false;
	return exact != NULL;
}

int
match_data(const struct claim_data *d, const struct record_bound *b,
    const struct match_context *x, struct arena *a, struct match_data *ret)
{
	const struct record_table *t;
	enum holds_whose whose;
	enum truth shown;
	struct tally y;
	size_t i;

	if (tally_new(b, a, &y) != 0)
		return ERR_MEMORY;
	y.exact = x->exact;
	if (nobody_listed(d, x->exact)) {
		memset(ret, 0, sizeof(*ret));
		ret->truth = TRUTH_FALSE;
		return 0;
	}
	for (i = 0; i < b->n; i++) {
		t = &b->tables[i];
		if ((whose = holds_whose(t, x)) == HOLDS_NOBODY)
			continue;
		y.nowhere |= whose == HOLDS_ANYBODY;
		shown = d->tables.n > 0 && !strs_have(&d->tables, t->table) ?
		    TRUTH_FALSE : match_shown(d, t);
		if (shown != TRUTH_TRUE)
			tally_doubtful(d, t, &y);
		if (shown != TRUTH_FALSE)
			tally_table(d, t, whose, shown, &y);
	}
	tally_decide(&y, ret);
	return 0;
}
