/*
 * A column of a table may be shown for a residence if some permit applies
 * and no forbid does. A table's residences are those for which at least one
 * column may be; a column is shown if it may be for every one of them, in
 * the strictest treatment that applies. The table is readable if a column
 * is left.
 *
 * The rules that apply to the session are a set (policy/index.h). For each
 * table, residence and category it is cut to those about them, and what is
 * left has a permit, a forbid, a treatment or not. Columns of one category
 * share the answer. Rules are sorted by name, so their order in the file
 * decides nothing. Why something is not shown is found when it is asked.
 *
 * What may be written is decided in the same way by the rules about it: a
 * column that is shown plain, if a permit applies and no forbid does, for
 * every residence that is shown. Rows may be deleted if that is so for every
 * column that the catalog has. What leads to subjects and residences is never
 * updated, so no row comes to be another's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "policy/decide.h"
#include "policy/index.h"
#include "policy/policy.h"
#include "policy/refuse.h"
#include "policy/rule.h"
#include "policy/who.h"

#define BITS 64
#define NO_RULE SIZE_MAX

/* Of one residence and category of the table looked at. */
struct cell {
	size_t permit;			/* the first; NO_RULE: not shown */
	enum treatment treatment;
};

struct decide {
	const struct policy *p;
	const struct policy_request *q;
	const struct index *x;
	size_t without;			/* a rule, or DECIDE_ALL */
	struct arena *arena;
	size_t words;
	uint64_t *applies;		/* to the session */
	uint64_t *residences;		/* of each residence, words each */
	uint64_t *categories;		/* of each category */
	/* Of the table looked at: */
	const struct catalog_table *table;
	uint64_t *about;		/* rules that apply and are about it */
	uint64_t *here;			/* and about one residence of it */
	uint32_t *column_categories;	/* index in the catalog */
	bool *has_category;
	struct cell *cells;		/* residence, category */
	struct decide *writing;		/* by enum policy_write */
};

static int
prepare(struct decide *d)
{
	const struct catalog *c = d->q->catalog;
	uint64_t *sets;
	size_t i, n = 4 + d->q->n_residences + c->n_categories;

	d->words = index_words(d->x);
	if ((sets = arena_array(d->arena, n, d->words * sizeof(*sets))) ==
	    NULL)
		return ERR_MEMORY;
	d->applies = sets;
	d->about = sets + d->words;
	d->here = sets + 2 * d->words;
	d->residences = sets + 4 * d->words;
	d->categories = d->residences + d->q->n_residences * d->words;
	index_session(d->x, d->q, sets + 3 * d->words, d->applies);
	if (d->without != DECIDE_ALL)
		d->applies[d->without / BITS] &=
		    ~((uint64_t)1 << d->without % BITS);
	for (i = 0; i < d->q->n_residences; i++) {
		sets = d->residences + i * d->words;
		memcpy(sets, d->applies, d->words * sizeof(*sets));
		index_cut_residence(d->x, d->q, d->q->residences[i], sets);
	}
	for (i = 0; i < c->n_categories; i++) {
		sets = d->categories + i * d->words;
		memcpy(sets, d->applies, d->words * sizeof(*sets));
		index_cut_category(d->x, c->categories[i], sets);
	}
	return 0;
}

/* Which of the catalog's categories a column is of. */
static int
find_category(const struct catalog *c, const char *name, uint32_t *ret)
{
	size_t i;

	for (i = 0; i < c->n_categories; i++)
		if (c->categories[i] == name)
			break;
	if (i == c->n_categories)
		for (i = 0; i < c->n_categories; i++)
			if (strcmp(c->categories[i], name) == 0)
				break;
	if (i == c->n_categories)
		return ERR_MISSING;	/* not a loaded catalog */
	*ret = (uint32_t)i;
	return 0;
}

static int
prepare_table(struct decide *d, const struct catalog_table *t)
{
	const struct catalog *c = d->q->catalog;
	size_t i;
	int r;

	d->table = t;
	memcpy(d->about, d->applies, d->words * sizeof(*d->about));
	index_cut_table(d->x, t->full, d->about);
	d->column_categories = arena_array(d->arena, t->n_columns,
	    sizeof(*d->column_categories));
	d->has_category = arena_array(d->arena, c->n_categories,
	    sizeof(*d->has_category));
	if (d->q->n_residences > SIZE_MAX / (c->n_categories + 1))
		return ERR_LIMIT;
	d->cells = arena_array(d->arena, d->q->n_residences *
	    c->n_categories, sizeof(*d->cells));
	if (d->column_categories == NULL || d->has_category == NULL ||
	    d->cells == NULL)
		return ERR_MEMORY;
	for (i = 0; i < t->n_columns; i++) {
		if ((r = find_category(c, t->columns[i].category,
		    &d->column_categories[i])) != 0)
			return r;
		d->has_category[d->column_categories[i]] = true;
	}
	return 0;
}

/* What the rules left say of one category for one residence. */
static struct cell
decide_cell(const struct decide *d, const uint64_t *category)
{
	const uint64_t *permits = index_permits(d->x);
	const uint64_t *forbids = index_forbids(d->x);
	const uint64_t *masks = index_masks(d->x);
	const uint64_t *absents = index_absents(d->x);
	struct cell cell = {NO_RULE, TREAT_PLAIN};
	uint64_t set;
	size_t i;

	for (i = 0; i < d->words; i++) {
		if ((set = d->here[i] & category[i]) == 0)
			continue;
		if ((set & forbids[i]) != 0)
			return (struct cell){NO_RULE, TREAT_ABSENT};
		if (cell.permit == NO_RULE && (set & permits[i]) != 0)
			cell.permit = i * BITS +
			    (size_t)__builtin_ctzll(set & permits[i]);
		if ((set & absents[i]) != 0)
			cell.treatment = TREAT_ABSENT;
		else if ((set & masks[i]) != 0 &&
		    cell.treatment == TREAT_PLAIN)
			cell.treatment = TREAT_MASK;
	}
	return cell;
}

/* One residence of the table: may anything be shown, and by which rule? */
static void
decide_residence(const struct decide *d, size_t residence,
    struct policy_outcome *ret)
{
	const struct catalog *c = d->q->catalog;
	struct cell *cells = d->cells + residence * c->n_categories;
	size_t i, first = NO_RULE;

	ret->residence = d->q->residences[residence];
	for (i = 0; i < d->words; i++)
		d->here[i] = d->about[i] &
		    d->residences[residence * d->words + i];
	for (i = 0; i < c->n_categories; i++) {
		cells[i] = (struct cell){NO_RULE, TREAT_ABSENT};
		if (!d->has_category[i] ||
		    strcmp(ret->residence, CONTROL_UNKNOWN) == 0)
			continue;
		cells[i] = decide_cell(d, d->categories + i * d->words);
		if (cells[i].permit < first)
			first = cells[i].permit;
	}
	ret->permitted = first != NO_RULE;
	ret->rule = ret->permitted ? d->p->rules[first].name : NULL;
}

/* The strictest treatment of a column over all residences shown. */
static enum treatment
treat_column(const struct decide *d, const struct policy_outcome *outcomes,
    size_t column)
{
	size_t i, n = d->q->catalog->n_categories;
	enum treatment t = TREAT_PLAIN;
	const struct cell *cell;
	bool shown = false;

	for (i = 0; i < d->q->n_residences; i++) {
		if (!outcomes[i].permitted)
			continue;
		shown = true;
		cell = &d->cells[i * n + d->column_categories[column]];
		if (cell->permit == NO_RULE)
			return TREAT_ABSENT;
		if (cell->treatment < t)
			t = cell->treatment;
	}
	return shown ? t : TREAT_ABSENT;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
list_residences(const struct decide *d,
    const struct policy_outcome *outcomes, struct clearance_table *ret)
{
	const char **list;
	size_t i, n = 0, kept = 0;

	list = arena_array(d->arena, d->q->n_residences, sizeof(*list));
	if (list == NULL)
		return ERR_MEMORY;
	for (i = 0; i < d->q->n_residences; i++)
		if (outcomes[i].permitted)
			list[n++] = outcomes[i].residence;
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
refuse_all(const struct decide *d, struct policy_outcome *outcomes)
{
	size_t i;

	for (i = 0; i < d->q->n_residences; i++) {
		outcomes[i].nothing_left = outcomes[i].permitted;
		outcomes[i].permitted = false;
		outcomes[i].rule = NULL;
	}
}

static bool
is_of(const struct catalog_table *t, const char *schema, const char *name)
{
	return strcmp(t->schema, schema) == 0 && strcmp(t->name, name) == 0;
}

/* A way of n steps, and what it leads to at its end. */
static bool
is_on_way(const struct catalog_step *steps, size_t n, const char *last,
    const struct catalog_table *t, const char *column)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is_of(t, steps[i].schema, steps[i].table) &&
		    (strcmp(column, steps[i].key) == 0 || strcmp(column,
		    i + 1 < n ? steps[i + 1].column : last) == 0))
			return true;
	return false;
}

/* Whether a way to a subject or a residence goes over it. */
static bool
leads(const struct catalog *c, const struct catalog_table *t,
    const char *column)
{
	const char *last = c->residence_store ? "" : c->residence_column;
	const struct catalog_subject *s;
	size_t i, k;

	if (is_of(t, c->subject_schema, c->subject_table) &&
	    (strcmp(column, c->subject_key) == 0 || strcmp(column,
	    c->n_residence_steps > 0 ? c->residence_steps[0].column :
	    last) == 0))
		return true;
	if (is_on_way(c->residence_steps, c->n_residence_steps, last, t,
	    column))
		return true;
	for (i = 0; i < t->n_subjects; i++)
		if (t->subjects[i].n > 0 && strcmp(column,
		    t->subjects[i].steps[0].column) == 0)
			return true;
	for (i = 0; i < c->n_tables; i++)
		for (k = 0; k < c->tables[i].n_subjects; k++) {
			s = &c->tables[i].subjects[k];
			if (is_on_way(s->steps, s->n, c->subject_key, t,
			    column))
				return true;
		}
	return false;
}

/* For every residence that is shown. */
static bool
may_all(const struct decide *w, const struct policy_outcome *outcomes,
    size_t column)
{
	size_t i, n = w->q->catalog->n_categories;

	for (i = 0; i < w->q->n_residences; i++)
		if (outcomes[i].permitted && w->cells[i * n +
		    w->column_categories[column]].permit == NO_RULE)
			return false;
	return true;
}

static int
decide_write(struct decide *w, enum policy_write k,
    const struct policy_outcome *outcomes, uint8_t *writes,
    struct clearance_table *ret)
{
	const struct catalog_table *t = ret->table;
	struct policy_outcome *mine = arena_array(w->arena,
	    w->q->n_residences, sizeof(*mine));
	bool every = true;
	size_t i;
	int r;

	if (mine == NULL)
		return ERR_MEMORY;
	if ((r = prepare_table(w, t)) != 0)
		return r;
	for (i = 0; i < w->q->n_residences; i++)
		decide_residence(w, i, &mine[i]);
	for (i = 0; i < t->n_columns; i++) {
		if (!may_all(w, outcomes, i))
			every = false;
		else if (ret->columns[i] == TREAT_PLAIN &&
		    k != POLICY_DELETE && (k == POLICY_INSERT ||
		    !leads(w->q->catalog, t, t->columns[i].name)))
			writes[i] |= (uint8_t)(1u << k);
	}
	ret->deletes |= k == POLICY_DELETE && every;
	return 0;
}

static int
decide_writes(struct decide *d, const struct policy_outcome *outcomes,
    struct clearance_table *ret)
{
	uint8_t *writes;
	size_t k, i;
	int r;

	if (d->writing == NULL)
		return 0;
	writes = arena_array(d->arena, ret->table->n_columns + 1,
	    sizeof(*writes));
	if (writes == NULL)
		return ERR_MEMORY;
	for (k = 0; k < POLICY_WRITES; k++)
		if (d->p->writing[k] != NULL &&
		    (r = decide_write(&d->writing[k], (enum policy_write)k,
		    outcomes, writes, ret)) != 0)
			return r;
	for (i = 0; i < ret->table->n_columns && writes[i] == 0; i++)
		;
	if (ret->deletes || i < ret->table->n_columns)
		ret->writes = writes;
	return 0;
}

/* The rules about writing; nothing, where there are none. */
static int
prepare_writing(struct decide *d)
{
	struct decide *w;
	bool any = false;
	size_t k;
	int r;

	for (k = 0; k < POLICY_WRITES; k++)
		any = any || d->p->writing[k] != NULL;
	if (!any)
		return 0;
	w = arena_array(d->arena, POLICY_WRITES, sizeof(*w));
	if (w == NULL)
		return ERR_MEMORY;
	for (k = 0; k < POLICY_WRITES; k++) {
		if (d->p->writing[k] == NULL)
			continue;
		w[k] = (struct decide){ .p = d->p->writing[k], .q = d->q,
		    .x = d->p->writing[k]->index, .without = DECIDE_ALL,
		    .arena = d->arena };
		if ((r = prepare(&w[k])) != 0)
			return r;
	}
	d->writing = w;
	return 0;
}

static int
decide_guarded(struct decide *d, struct policy_outcome *outcomes,
    struct clearance_table *ret)
{
	enum treatment *columns;
	size_t i;

	columns = arena_array(d->arena, d->table->n_columns,
	    sizeof(*columns));
	if (columns == NULL)
		return ERR_MEMORY;
	for (i = 0; i < d->q->n_residences; i++)
		decide_residence(d, i, &outcomes[i]);
	for (i = 0; i < d->table->n_columns; i++) {
		columns[i] = treat_column(d, outcomes, i);
		if (columns[i] != TREAT_ABSENT)
			ret->readable = true;
	}
	ret->columns = columns;
	if (ret->readable) {
		int r = list_residences(d, outcomes, ret);

		return r != 0 ? r : decide_writes(d, outcomes, ret);
	}
	refuse_all(d, outcomes);
	return 0;
}

/* A public table has nobody's data: every principal reads it. */
static void
decide_public(const struct decide *d, struct policy_outcome *outcomes,
    struct clearance_table *ret)
{
	size_t i;

	ret->readable = true;
	for (i = 0; i < d->q->n_residences; i++)
		outcomes[i] = (struct policy_outcome){
			.residence = d->q->residences[i], .permitted = true,
		};
}

static int
decide_tables(struct decide *d, struct clearance *cl,
    struct clearance_table *tables, struct policy_outcome *outcomes)
{
	const struct catalog *c = d->q->catalog;
	size_t i;
	int r;

	for (i = 0; i < c->n_tables; i++, outcomes += d->q->n_residences) {
		tables[i].table = &c->tables[i];
		if (c->tables[i].is_public) {
			decide_public(d, outcomes, &tables[i]);
			continue;
		}
		if ((r = prepare_table(d, &c->tables[i])) != 0 ||
		    (r = decide_guarded(d, outcomes, &tables[i])) != 0)
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
	return decide_without(p, q, DECIDE_ALL, a, ret);
}

int
decide_without(const struct policy *p, const struct policy_request *q,
    size_t rule, struct arena *a, const struct clearance **ret)
{
	struct decide d = {.p = p, .x = p->index, .without = rule,
	    .arena = a};
	struct clearance_table *tables;
	struct policy_outcome *outcomes;
	struct clearance *cl;
	int r;

	if (q->catalog->n_tables > 0 &&
	    q->n_residences > SIZE_MAX / q->catalog->n_tables)
		return ERR_LIMIT;
	cl = arena_alloc(a, sizeof(*cl));
	tables = arena_array(a, q->catalog->n_tables, sizeof(*tables));
	outcomes = arena_array(a, q->catalog->n_tables * q->n_residences,
	    sizeof(*outcomes));
	if (cl == NULL || tables == NULL || outcomes == NULL)
		return ERR_MEMORY;
	cl->policy = p;
	cl->request = *q;
	cl->request.purpose = request_purpose(p, q);
	cl->store = q->store;
	cl->catalog = q->catalog;
	cl->tables = tables;
	cl->n_tables = q->catalog->n_tables;
	cl->empty = true;
	cl->outcomes = outcomes;
	cl->n_residences = q->n_residences;
	d.q = &cl->request;
	if ((r = who_decide(p, &cl->request, a)) != 0 ||
	    (r = prepare(&d)) != 0 || (r = prepare_writing(&d)) != 0 ||
	    (r = decide_tables(&d, cl, tables, outcomes)) != 0)
		return r;
	*ret = cl;
	return 0;
}

int
clearance_reason(const struct clearance *c, size_t table, size_t residence,
    struct arena *a, struct policy_reason *ret)
{
	const struct policy_outcome *o =
	    &c->outcomes[table * c->n_residences + residence];

	*ret = (struct policy_reason){.residence = o->residence,
	    .permitted = o->permitted, .rule = o->rule, .because = "",
	    .hint = ""};
	if (o->nothing_left)
		ret->because = "no column of this table may be shown for "
		    "every residence that may be";
	if (o->permitted || o->nothing_left)
		return 0;
	return refuse_reason(c->policy, &c->request, table, residence, a,
	    ret);
}
