/*
 *	condition   value -> rules that it meets, or that do not ask
 *	roles       analyst   1 1 0 1 0 1 ...
 *	            moderator 1 0 1 1 0 1 ...
 *	            (others)  1 0 0 1 0 1 ...
 *	            (none)    1 0 0 1 0 0 ...
 *
 * A reader with both roles meets the union of both rows. A rule for all that
 * is outside a list is in the row of others. Conditions about labels have
 * such rows for each set of kinds of path that rules choose.
 */
#include "policy/index.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/rule.h"
#include "policy/who.h"

#define BITS 64
#define ROWS_MAX ((size_t)1 << 21)	/* words of rows of one condition */
#define PATTERNS_MAX 1024

struct entry {
	const char *value;		/* NULL: free */
	uint32_t hash;
	uint64_t *row;
};

/* A list that rules write: roles, tables, ... */
struct rows {
	bool used;			/* by some rule */
	bool left;			/* too large: asked of each rule */
	uint64_t *any;			/* rules that do not write it */
	uint64_t *others;		/* and those for what is not listed */
	struct entry *entries;		/* open addressing */
	size_t mask, n;
};

/* Labels by paths of chosen kinds. */
struct ways_rows {
	unsigned kinds;
	struct rows rows;		/* any: rules of other kinds or none */
	uint64_t *doubt;		/* not permits, of just these kinds */
};

struct pattern {
	const char *text;
	const struct rule *rule;	/* one that has it compiled */
	uint64_t *rules;
};

struct index {
	const struct rule *rules;
	size_t n, words;
	struct arena *a;
	uint64_t *all, *permits, *forbids, *masks, *absents;
	uint64_t *kinds[2];		/* by enum principal_kind */
	struct rows lists[CONDITION_COUNT];
	struct ways_rows *controls;	/* one for each set of kinds */
	size_t n_controls;
	struct rows tables, categories, whose;
	struct pattern *patterns;
	size_t n_patterns;
	uint64_t *ticketed;
	bool left[CONDITION_COUNT];	/* asked of each rule */
	uint64_t *asked;		/* rules of which something is asked */
	uint64_t *related;		/* of which it is for each residence */
};

static void
bit_set(uint64_t *set, size_t i)
{
	set[i / BITS] |= (uint64_t)1 << i % BITS;
}

static uint32_t
hash_of(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s != 0; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static uint64_t *
new_set(const struct index *x)
{
	return arena_array(x->a, x->words, sizeof(uint64_t));
}

/* The place of a value: its entry, or the free one where it would be. */
static struct entry *
find(const struct rows *r, const char *value, uint32_t hash)
{
	size_t i = hash & r->mask;

	while (r->entries[i].value != NULL && (r->entries[i].hash != hash ||
	    strcmp(r->entries[i].value, value) != 0))
		i = (i + 1) & r->mask;
	return &r->entries[i];
}

/* Which list of a rule; NULL where it is not about this condition. */
typedef const struct names *list_of(const struct rule *r, unsigned which);

static int
make_entries(const struct index *x, struct rows *r, size_t n)
{
	size_t cap = 8;

	while (cap < 2 * n)
		cap *= 2;
	r->mask = cap - 1;
	r->entries = arena_array(x->a, cap, sizeof(*r->entries));
	return r->entries == NULL ? ERR_MEMORY : 0;
}

/* Marks the rule with each value of its list. */
static int
add_values(const struct index *x, struct rows *r, const struct names *list,
    size_t rule)
{
	struct entry *e;
	uint32_t hash;
	size_t k;

	for (k = 0; k < list->n && !r->left; k++) {
		hash = hash_of(list->items[k]);
		e = find(r, list->items[k], hash);
		if (e->value == NULL) {
			r->left = ++r->n > ROWS_MAX / x->words;
			if ((e->row = new_set(x)) == NULL)
				return ERR_MEMORY;
			memcpy(e->row, r->others,
			    x->words * sizeof(*e->row));
			e->value = list->items[k];
			e->hash = hash;
		}
		if (list->outside)
			e->row[rule / BITS] &= ~((uint64_t)1 << rule % BITS);
		else
			bit_set(e->row, rule);
	}
	return 0;
}

static int
make_rows(const struct index *x, struct rows *r, list_of *of, unsigned which)
{
	const struct names *list;
	size_t i, values = 0;
	int err;

	r->any = new_set(x);
	r->others = new_set(x);
	if (r->any == NULL || r->others == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->n; i++) {
		list = of(&x->rules[i], which);
		if (list == NULL || !list->set) {
			bit_set(r->any, i);
			bit_set(r->others, i);
			continue;
		}
		if (list->outside)
			bit_set(r->others, i);
		r->used = true;
		values += list->n;
	}
	if (!r->used)
		return 0;
	if ((err = make_entries(x, r, values)) != 0)
		return err;
	for (i = 0; i < x->n && !r->left; i++) {
		if ((list = of(&x->rules[i], which)) == NULL || !list->set)
			continue;
		if ((err = add_values(x, r, list, i)) != 0)
			return err;
	}
	return 0;
}

/* Of rows that are left, all rules: each is asked later. */
static const uint64_t *
row_of(const struct index *x, const struct rows *r, const char *value)
{
	const struct entry *e;

	if (r->left)
		return x->all;
	if (!r->used || value == NULL)
		return r->any;
	e = find(r, value, hash_of(value));
	return e->value != NULL ? e->row : r->others;
}

/* The lists of conditions that have rows of this plain form. */
static const struct names *
list_of_condition(const struct rule *r, unsigned c)
{
	switch ((enum condition)c) {
	case CONDITION_PRINCIPALS:
		return &r->principals;
	case CONDITION_ROLES:
		return &r->roles;
	case CONDITION_EMPLOYED_BY:
		return &r->employed_by;
	case CONDITION_NATIONALITY:
		return &r->nationality;
	case CONDITION_LOCATED_IN:
		return &r->located_in;
	case CONDITION_BASED_IN:
		return &r->based_in;
	case CONDITION_INSTRUCTED_BY:
		return &r->instructed_by;
	case CONDITION_STORES:
		return &r->stores;
	case CONDITION_PURPOSES:
		return &r->purposes;
	case CONDITION_KIND:
	case CONDITION_EMPLOYED_AS:
	case CONDITION_OFFICES:
	case CONDITION_CONNECTING_FROM:
	case CONDITION_CONTROLLED_FROM:
	case CONDITION_IS:
	case CONDITION_BULK:
	case CONDITION_WHEN:
	case CONDITION_TICKET:
	case CONDITION_CONFIRMED:
	case CONDITION_APPROVAL:
	case CONDITION_COUNT:
		return NULL;
	}
	return NULL;
}

static const enum condition plain[] = {
	CONDITION_PRINCIPALS, CONDITION_ROLES, CONDITION_EMPLOYED_BY,
	CONDITION_NATIONALITY, CONDITION_LOCATED_IN, CONDITION_BASED_IN,
	CONDITION_INSTRUCTED_BY, CONDITION_STORES, CONDITION_PURPOSES,
};
#define N_PLAIN (sizeof(plain) / sizeof(plain[0]))

static bool
is_plain(enum condition c)
{
	size_t i;

	for (i = 0; i < N_PLAIN; i++)
		if (plain[i] == c)
			return true;
	return false;
}

enum data {
	DATA_TABLE,
	DATA_CATEGORY,
	DATA_RESIDENCE,
};

static const struct names *
list_of_data(const struct rule *r, unsigned which)
{
	switch ((enum data)which) {
	case DATA_TABLE:
		return &r->tables;
	case DATA_CATEGORY:
		return &r->categories;
	case DATA_RESIDENCE:
		return &r->whose;
	}
	return NULL;
}

static const struct names *
list_of_control(const struct rule *r, unsigned kinds)
{
	return r->controlled_from.set && r->by == kinds ?
	    &r->controlled_from : NULL;
}

static int
make_verbs(struct index *x)
{
	size_t i;

	x->all = new_set(x);
	x->permits = new_set(x);
	x->forbids = new_set(x);
	x->masks = new_set(x);
	x->absents = new_set(x);
	x->kinds[PRINCIPAL_PERSON] = new_set(x);
	x->kinds[PRINCIPAL_SERVICE] = new_set(x);
	if (x->all == NULL || x->permits == NULL || x->forbids == NULL ||
	    x->masks == NULL || x->absents == NULL ||
	    x->kinds[0] == NULL || x->kinds[1] == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->n; i++) {
		const struct rule *r = &x->rules[i];

		bit_set(x->all, i);
		bit_set(r->verb == VERB_PERMIT ? x->permits :
		    r->verb == VERB_FORBID ? x->forbids :
		    r->treatment == TREAT_MASK ? x->masks : x->absents, i);
		if (!r->has_kind || !r->service)
			bit_set(x->kinds[PRINCIPAL_PERSON], i);
		if (!r->has_kind || r->service)
			bit_set(x->kinds[PRINCIPAL_SERVICE], i);
	}
	return 0;
}

static int
make_control(struct index *x, unsigned kinds)
{
	struct ways_rows *c = &x->controls[x->n_controls++];
	size_t i;
	int r;

	c->kinds = kinds;
	c->doubt = new_set(x);
	if (c->doubt == NULL)
		return ERR_MEMORY;
	if ((r = make_rows(x, &c->rows, list_of_control, kinds)) != 0)
		return r;
	for (i = 0; i < x->n; i++)
		if (list_of_control(&x->rules[i], kinds) != NULL &&
		    x->rules[i].verb != VERB_PERMIT)
			bit_set(c->doubt, i);
	x->left[CONDITION_CONTROLLED_FROM] |= c->rows.left;
	return 0;
}

static int
make_controls(struct index *x)
{
	size_t i, k;
	int r;

	x->controls = arena_array(x->a, CONTROL_ALL + 1,
	    sizeof(*x->controls));
	if (x->controls == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->n; i++) {
		if (!x->rules[i].controlled_from.set)
			continue;
		for (k = 0; k < x->n_controls; k++)
			if (x->controls[k].kinds == x->rules[i].by)
				break;
		if (k == x->n_controls &&
		    (r = make_control(x, x->rules[i].by)) != 0)
			return r;
	}
	return 0;
}

static int
make_patterns(struct index *x)
{
	const char *text;
	struct pattern *p;
	size_t i, k;

	x->patterns = arena_array(x->a, x->n, sizeof(*x->patterns));
	x->ticketed = new_set(x);
	if (x->patterns == NULL || x->ticketed == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->n && !x->left[CONDITION_TICKET]; i++) {
		if ((text = x->rules[i].ticket) == NULL)
			continue;
		for (k = 0; k < x->n_patterns; k++)
			if (strcmp(x->patterns[k].text, text) == 0)
				break;
		p = &x->patterns[k];
		if (k == x->n_patterns) {
			x->left[CONDITION_TICKET] = k == PATTERNS_MAX;
			x->n_patterns++;
			p->text = text;
			p->rule = &x->rules[i];
			if ((p->rules = new_set(x)) == NULL)
				return ERR_MEMORY;
		}
		bit_set(p->rules, i);
		bit_set(x->ticketed, i);
	}
	return 0;
}

/* Conditions without rows here are asked of the rules that write them. */
static int
find_left(struct index *x)
{
	size_t i;
	int c;

	for (c = 0; c < CONDITION_COUNT; c++)
		if (is_plain((enum condition)c))
			x->left[c] = x->lists[c].left;
		else if (c != CONDITION_KIND && c != CONDITION_TICKET &&
		    c != CONDITION_CONTROLLED_FROM)
			x->left[c] = true;
	x->asked = new_set(x);
	x->related = new_set(x);
	if (x->asked == NULL || x->related == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->n; i++) {
		const struct rule *r = &x->rules[i];

		for (c = 0; c < CONDITION_COUNT; c++)
			if (x->left[c] && rule_has(r, (enum condition)c))
				bit_set(x->asked, i);
		if (r->relation != RELATION_NONE || r->confirmed)
			bit_set(x->related, i);
	}
	return 0;
}

int
index_make(const struct rule *rules, size_t n, struct arena *a,
    struct index **ret)
{
	struct index *x;
	size_t i;
	int r;

	if ((x = arena_alloc(a, sizeof(*x))) == NULL)
		return ERR_MEMORY;
	*x = (struct index){.rules = rules, .n = n, .a = a,
	    .words = n / BITS + 1};
	if ((r = make_verbs(x)) != 0)
		return r;
	for (i = 0; i < N_PLAIN; i++)
		if ((r = make_rows(x, &x->lists[plain[i]], list_of_condition,
		    plain[i])) != 0)
			return r;
	if ((r = make_rows(x, &x->tables, list_of_data, DATA_TABLE)) != 0 ||
	    (r = make_rows(x, &x->categories, list_of_data,
	    DATA_CATEGORY)) != 0 ||
	    (r = make_rows(x, &x->whose, list_of_data,
	    DATA_RESIDENCE)) != 0 ||
	    (r = make_controls(x)) != 0 || (r = make_patterns(x)) != 0 ||
	    (r = find_left(x)) != 0)
		return r;
	*ret = x;
	return 0;
}

/* --- deciding --- */

struct cut {
	const struct index *x;
	const struct policy_request *q;
	uint64_t *left;			/* the rules that still apply */
	uint64_t *met;			/* those that one condition lets */
	int end;			/* conditions from there on count not */
};

static void
unite(const struct cut *c, const uint64_t *set)
{
	size_t i;

	for (i = 0; i < c->x->words; i++)
		c->met[i] |= set[i];
}

/* Of the rules met so far only those stay; the next condition begins. */
static void
cut_met(const struct cut *c)
{
	size_t i;

	for (i = 0; i < c->x->words; i++)
		c->left[i] &= c->met[i];
	memset(c->met, 0, c->x->words * sizeof(*c->met));
}

static void
cut_by(const struct cut *c, const uint64_t *set)
{
	size_t i;

	for (i = 0; i < c->x->words; i++)
		c->left[i] &= set[i];
}

/* A fact that is not known lets all but permits. */
static void
unite_doubt(const struct cut *c)
{
	size_t i;

	for (i = 0; i < c->x->words; i++)
		c->met[i] |= ~c->x->permits[i];
}

static void
cut_values(const struct cut *c, enum condition condition,
    const char *const *values, size_t n, bool unknown)
{
	const struct rows *r = &c->x->lists[condition];
	size_t i;

	if (!r->used || r->left)
		return;
	unite(c, r->any);
	for (i = 0; i < n; i++)
		unite(c, row_of(c->x, r, values[i]));
	if (unknown)
		unite_doubt(c);
	cut_met(c);
}

static void
cut_who(const struct cut *c)
{
	const struct principal *p = c->q->who;

	cut_by(c, c->x->kinds[p->kind]);
	cut_values(c, CONDITION_PRINCIPALS, &p->id, 1, false);
	cut_values(c, CONDITION_ROLES, p->roles, p->n_roles, false);
	cut_values(c, CONDITION_EMPLOYED_BY, p->employers, p->n_employers,
	    employer_unknown(c->q));
	cut_values(c, CONDITION_NATIONALITY, p->nationalities,
	    p->n_nationalities, p->n_nationalities == 0);
	cut_values(c, CONDITION_BASED_IN, p->based_in, p->n_based_in,
	    p->n_based_in == 0);
	cut_values(c, CONDITION_INSTRUCTED_BY, p->instructors,
	    p->n_instructors, !p->instructors_known &&
	    p->kind != PRINCIPAL_SERVICE);
}

/* Whether a path to the member uses allowed kinds only. */
static bool
is_reached(const struct control_member *m, unsigned allowed)
{
	size_t i;

	for (i = 0; i < m->n_paths; i++)
		if ((m->paths[i].kinds & ~allowed) == 0)
			return true;
	return false;
}

static void
cut_located(const struct cut *c)
{
	const struct rows *r = &c->x->lists[CONDITION_LOCATED_IN];
	const struct control *set = c->q->control;
	size_t i;

	if (!r->used || r->left)
		return;
	unite(c, r->any);
	for (i = 0; i < set->n; i++) {
		const struct control_member *m = &set->members[i];

		if (!is_reached(m, CONTROL_LOCATION))
			continue;
		if (strcmp(m->label, CONTROL_UNKNOWN) == 0)
			unite_doubt(c);
		else
			unite(c, row_of(c->x, r, m->label));
	}
	cut_met(c);
}

/*
 * Each set of kinds cuts only rules that choose it: `any` of its rows has
 * all the others.
 */
static void
cut_controlled(const struct cut *c)
{
	const struct control *set = c->q->control;
	size_t i, k;

	for (k = 0; k < c->x->n_controls; k++) {
		const struct ways_rows *w = &c->x->controls[k];

		if (w->rows.left)
			continue;
		unite(c, w->rows.any);
		for (i = 0; i < set->n; i++) {
			const struct control_member *m = &set->members[i];

			if (!is_reached(m, w->kinds))
				continue;
			unite(c, strcmp(m->label, CONTROL_UNKNOWN) == 0 ?
			    w->doubt : row_of(c->x, &w->rows, m->label));
		}
		cut_met(c);
	}
}

static bool
is_left(const struct cut *c, const uint64_t *set)
{
	size_t i;

	for (i = 0; i < c->x->words; i++)
		if ((c->left[i] & set[i]) != 0)
			return true;
	return false;
}

/* A pattern is tried only if a rule is left that has it. */
static void
cut_ticket(const struct cut *c)
{
	const struct index *x = c->x;
	size_t i, k;

	if (x->n_patterns == 0 || x->left[CONDITION_TICKET] ||
	    !is_left(c, x->ticketed))
		return;
	for (i = 0; i < x->n_patterns; i++) {
		const struct pattern *p = &x->patterns[i];

		if (!is_left(c, p->rules) || rule_condition(p->rule,
		    CONDITION_TICKET, c->q) == TRUTH_TRUE)
			continue;
		for (k = 0; k < x->words; k++)
			c->left[k] &= ~p->rules[k];
	}
}

static bool
is_met(const struct cut *c, const struct rule *r)
{
	int k;

	for (k = 0; k < c->end; k++)
		if (c->x->left[k] && rule_has(r, (enum condition)k) &&
		    !rule_applies(r, rule_condition(r, (enum condition)k,
		    c->q)))
			return false;
	return true;
}

/* What has no rows is asked of the rules that are left, one by one. */
static void
cut_asked(const struct cut *c)
{
	uint64_t ask;
	size_t i, bit;

	for (i = 0; i < c->x->words; i++)
		for (ask = c->left[i] & c->x->asked[i]; ask != 0;
		    ask &= ask - 1) {
			bit = (size_t)__builtin_ctzll(ask);
			if (!is_met(c, &c->x->rules[i * BITS + bit]))
				c->left[i] &= ~((uint64_t)1 << bit);
		}
}

/* Of what the reader stands for, at the store. */
static void
cut_reader(const struct cut *c)
{
	const struct index *x = c->x;

	memcpy(c->left, x->all, x->words * sizeof(*c->left));
	memset(c->met, 0, x->words * sizeof(*c->met));
	cut_values(c, CONDITION_STORES, &c->q->store, 1, false);
	cut_who(c);
	cut_located(c);
	cut_controlled(c);
}

void
index_session(const struct index *x, const struct policy_request *q,
    uint64_t *met, uint64_t *ret)
{
	const struct cut c = {.x = x, .q = q, .left = ret, .met = met,
	    .end = CONDITION_COUNT};

	cut_reader(&c);
	cut_values(&c, CONDITION_PURPOSES, &q->purpose, 1, false);
	cut_ticket(&c);
	cut_asked(&c);
}

void
index_reader(const struct index *x, const struct policy_request *q,
    uint64_t *met, uint64_t *ret)
{
	const struct cut c = {.x = x, .q = q, .left = ret, .met = met,
	    .end = CONDITION_STATED};

	cut_reader(&c);
	cut_asked(&c);
}

size_t
index_words(const struct index *x)
{
	return x->words;
}

/* Rules whose list does not have the value go. */
static void
cut_data(const struct index *x, const struct rows *r, unsigned which,
    const char *value, uint64_t *set)
{
	const uint64_t *row = row_of(x, r, value);
	uint64_t ask;
	size_t i, bit;

	for (i = 0; i < x->words; i++) {
		set[i] &= row[i];
		for (ask = r->left ? set[i] : 0; ask != 0; ask &= ask - 1) {
			bit = (size_t)__builtin_ctzll(ask);
			if (!names_match(list_of_data(&x->rules[i * BITS +
			    bit], which), value))
				set[i] &= ~((uint64_t)1 << bit);
		}
	}
}

void
index_cut_table(const struct index *x, const char *full, uint64_t *set)
{
	cut_data(x, &x->tables, DATA_TABLE, full, set);
}

void
index_cut_category(const struct index *x, const char *name, uint64_t *set)
{
	cut_data(x, &x->categories, DATA_CATEGORY, name, set);
}

typedef enum truth residence_of(const struct rule *r, const char *residence,
    const struct policy_request *q);

/* Asked of each rule that writes more than a list. */
static void
cut_related(const struct index *x, const struct policy_request *q,
    const char *label, residence_of *of, uint64_t *set)
{
	const struct rule *r;
	uint64_t ask;
	size_t i, bit;

	cut_data(x, &x->whose, DATA_RESIDENCE, label, set);
	for (i = 0; i < x->words; i++)
		for (ask = set[i] & x->related[i]; ask != 0; ask &= ask - 1) {
			bit = (size_t)__builtin_ctzll(ask);
			r = &x->rules[i * BITS + bit];
			if (!rule_applies(r, of(r, label, q)))
				set[i] &= ~((uint64_t)1 << bit);
		}
}

void
index_cut_residence(const struct index *x, const struct policy_request *q,
    const char *label, uint64_t *set)
{
	cut_related(x, q, label, rule_residence, set);
}

void
index_cut_relation(const struct index *x, const struct policy_request *q,
    const char *label, uint64_t *set)
{
	cut_related(x, q, label, rule_relation, set);
}

const uint64_t *
index_permits(const struct index *x)
{
	return x->permits;
}

const uint64_t *
index_forbids(const struct index *x)
{
	return x->forbids;
}

const uint64_t *
index_masks(const struct index *x)
{
	return x->masks;
}

const uint64_t *
index_absents(const struct index *x)
{
	return x->absents;
}
