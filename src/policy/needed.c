/*
 * What a session is shown follows from the rules that apply to it, for each
 * residence; each distinct such set is looked at once. For each rule in it
 * that was not found needed yet, all is decided once more without the rule.
 */
#include "policy/needed.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/decide.h"
#include "policy/index.h"
#include "policy/rule.h"
#include "policy/who.h"

#define BITS 64
#define SEEN_MAX 65536			/* sets of rules kept */
#define SLOTS (2 * SEEN_MAX)		/* a power of two */

/* Of one rule. */
struct found {
	bool needed;
	bool acts;		/* it is about a cell */
	bool open;		/* of which something may be shown */
	bool alone;		/* there, without one that does as much */
	uint64_t *cover;	/* rules that do as much at each such cell */
};

/* Who is let in, and to how much. */
enum gate {
	GATE_OPEN,
	GATE_WHOLE,			/* a service: all or nothing */
	GATE_SHUT,			/* a service without a role there */
};

struct seen {
	const uint64_t *key;		/* NULL: free */
	size_t len, store;
	enum gate gate;
};

struct needed {
	const struct reach_space *space;
	const struct policy *policy;
	const struct index *x;
	size_t words;
	struct arena *kept, *scratch;
	struct found *rules;
	struct seen *slots;
	size_t n_seen;
	uint64_t *key;			/* session's set, each residence's */
	uint64_t *met, *cell, *others;
	uint8_t *shown, *without;	/* of a store's cells */
	const char **approvable;	/* rules that need an approval */
	size_t n_approvable;
};

static bool
has_bit(const uint64_t *set, size_t i)
{
	return (set[i / BITS] >> i % BITS & 1) != 0;
}

static bool
is_empty(const struct needed *n, const uint64_t *set)
{
	size_t i;

	for (i = 0; i < n->words; i++)
		if (set[i] != 0)
			return false;
	return true;
}

static int
make_rules(struct needed *n)
{
	const struct policy *p = n->policy;
	size_t i;

	n->rules = arena_array(n->kept, p->n_rules, sizeof(*n->rules));
	n->approvable = arena_array(n->kept, p->n_rules + 2,
	    sizeof(*n->approvable));
	if (n->rules == NULL || n->approvable == NULL)
		return ERR_MEMORY;
	for (i = 0; i < p->n_rules; i++) {
		n->rules[i].cover = arena_array(n->kept, n->words,
		    sizeof(uint64_t));
		if (n->rules[i].cover == NULL)
			return ERR_MEMORY;
		memset(n->rules[i].cover, 0xff, n->words * sizeof(uint64_t));
		if (p->rules[i].approval.set)
			n->approvable[n->n_approvable++] = p->rules[i].name;
	}
	return 0;
}

int
needed_new(const struct reach_space *s, const struct policy *p,
    struct needed **ret)
{
	struct needed *n;
	size_t i, most = 0;

	if ((n = calloc(1, sizeof(*n))) == NULL ||
	    (n->kept = arena_new()) == NULL ||
	    (n->scratch = arena_new()) == NULL)
		goto fail;
	n->space = s;
	n->policy = p;
	n->x = p->index;
	n->words = index_words(n->x);
	for (i = 0; i < s->n_stores; i++)
		if (s->stores[i].n_residences > most)
			most = s->stores[i].n_residences;
	n->slots = calloc(SLOTS, sizeof(*n->slots));
	n->key = arena_array(n->kept, most + 1, n->words * sizeof(*n->key));
	n->met = arena_array(n->kept, n->words, sizeof(*n->met));
	n->cell = arena_array(n->kept, n->words, sizeof(*n->cell));
	n->others = arena_array(n->kept, n->words, sizeof(*n->others));
	n->shown = arena_alloc(n->kept, s->n_cells + 1);
	n->without = arena_alloc(n->kept, s->n_cells + 1);
	if (n->slots == NULL || n->key == NULL || n->met == NULL ||
	    n->cell == NULL || n->others == NULL || n->shown == NULL ||
	    n->without == NULL || make_rules(n) != 0)
		goto fail;
	*ret = n;
	return 0;
fail:
	needed_free(n);
	return ERR_MEMORY;
}

void
needed_free(struct needed *n)
{
	if (n == NULL)
		return;
	arena_free(n->kept);
	arena_free(n->scratch);
	free(n->slots);
	free(n);
}

/* --- sets of rules that were looked at --- */

static int
make_key(struct needed *n, struct policy_request *q, size_t *ret)
{
	uint64_t *set = n->key;
	size_t i;
	int r;

	if ((r = who_decide(n->policy, q, n->scratch)) != 0)
		return r;
	index_session(n->x, q, n->met, set);
	for (i = 0; i < q->n_residences; i++) {
		set += n->words;
		memcpy(set, n->key, n->words * sizeof(*set));
		index_cut_residence(n->x, q, q->residences[i], set);
	}
	*ret = (1 + q->n_residences) * n->words;
	return 0;
}

/* True if they were there; else they are now, while there is room. */
static int
seen_before(struct needed *n, size_t len, size_t store, enum gate gate,
    bool *ret)
{
	uint64_t h = store * 4 + gate + 1, *key;
	size_t i;

	for (i = 0; i < len; i++) {
		h = (h ^ n->key[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	for (i = (size_t)h & (SLOTS - 1); n->slots[i].key != NULL;
	    i = (i + 1) & (SLOTS - 1))
		if (n->slots[i].store == store && n->slots[i].len == len &&
		    n->slots[i].gate == gate && memcmp(n->slots[i].key,
		    n->key, len * sizeof(*n->key)) == 0) {
			*ret = true;
			return 0;
		}
	*ret = false;
	if (n->n_seen == SEEN_MAX)
		return 0;
	if ((key = arena_array(n->kept, len, sizeof(*key))) == NULL)
		return ERR_MEMORY;
	memcpy(key, n->key, len * sizeof(*key));
	n->slots[i] = (struct seen){key, len, store, gate};
	n->n_seen++;
	return 0;
}

/* --- cells --- */

/* Of the rules about a cell, those that do as much as one of them. */
static void
find_others(struct needed *n, size_t rule)
{
	const struct rule *r = &n->policy->rules[rule];
	const uint64_t *absents = index_absents(n->x);
	const uint64_t *masks = index_masks(n->x);
	const uint64_t *of = r->verb == VERB_PERMIT ? index_permits(n->x) :
	    index_forbids(n->x);
	size_t i;

	for (i = 0; i < n->words; i++) {
		n->others[i] = n->cell[i] & (r->verb != VERB_TREAT ? of[i] :
		    r->treatment == TREAT_ABSENT ? absents[i] :
		    absents[i] | masks[i]);
		if (i == rule / BITS)
			n->others[i] &= ~((uint64_t)1 << rule % BITS);
	}
}

static void
look_at_cell(struct needed *n)
{
	const uint64_t *permits = index_permits(n->x);
	const uint64_t *forbids = index_forbids(n->x);
	bool permitted = false, forbidden = false;
	struct found *f;
	size_t i, k;

	for (i = 0; i < n->words; i++) {
		permitted |= (n->cell[i] & permits[i]) != 0;
		forbidden |= (n->cell[i] & forbids[i]) != 0;
	}
	for (i = 0; i < n->policy->n_rules; i++) {
		if (!has_bit(n->cell, i))
			continue;
		f = &n->rules[i];
		f->acts = true;
		if (n->policy->rules[i].verb == VERB_FORBID) {
			f->open |= permitted;
		} else {
			if (!permitted || forbidden)
				continue;
			f->open = true;
		}
		find_others(n, i);
		f->alone |= is_empty(n, n->others);
		for (k = 0; k < n->words; k++)
			f->cover[k] &= n->others[k];
	}
}

/* Each residence and category of a table. */
static void
look_at_table(struct needed *n, const struct policy_request *q,
    const struct catalog_table *t)
{
	size_t i, k, j;

	for (i = 0; i < q->n_residences; i++) {
		if (strcmp(q->residences[i], CONTROL_UNKNOWN) == 0)
			continue;
		for (k = 0; k < t->n_columns; k++) {
			for (j = 0; j < k; j++)
				if (strcmp(t->columns[j].category,
				    t->columns[k].category) == 0)
					break;
			if (j < k)
				continue;
			memcpy(n->cell, n->key + (1 + i) * n->words,
			    n->words * sizeof(*n->cell));
			index_cut_table(n->x, t->full, n->cell);
			index_cut_category(n->x, t->columns[k].category,
			    n->cell);
			look_at_cell(n);
		}
	}
}

/* --- decisions --- */

static int
decide(struct needed *n, const struct policy_request *q, size_t store,
    enum gate gate, size_t rule, uint8_t *shown, size_t *ret_n)
{
	size_t i = 0;
	int r;

	if ((r = reach_shown_without(n->space, n->policy, q, store, rule,
	    n->scratch, shown, ret_n)) != 0 || gate == GATE_OPEN)
		return r;
	while (i < *ret_n && shown[i] == TREAT_PLAIN)
		i++;
	if (gate == GATE_SHUT || i < *ret_n)
		memset(shown, TREAT_ABSENT, *ret_n);
	return 0;
}

/* Whether a rule applies at all: only then can something come of it. */
static bool
is_about(const struct needed *n, const struct policy_request *q, size_t rule)
{
	size_t i;

	for (i = 1; i <= q->n_residences; i++)
		if (has_bit(n->key + i * n->words, rule))
			return true;
	return false;
}

static int
look(struct needed *n, struct policy_request *q, size_t store,
    enum gate gate)
{
	size_t len, i, cells, same;
	bool seen;
	int r;

	arena_reset(n->scratch);
	if ((r = make_key(n, q, &len)) != 0 ||
	    (r = seen_before(n, len, store, gate, &seen)) != 0 || seen)
		return r;
	for (i = 0; i < q->catalog->n_tables; i++)
		look_at_table(n, q, &q->catalog->tables[i]);
	if ((r = decide(n, q, store, gate, DECIDE_ALL, n->shown,
	    &cells)) != 0)
		return r;
	for (i = 0; i < n->policy->n_rules; i++) {
		if (n->rules[i].needed || !is_about(n, q, i))
			continue;
		if ((r = decide(n, q, store, gate, i, n->without,
		    &same)) != 0)
			return r;
		n->rules[i].needed = memcmp(n->shown, n->without,
		    cells) != 0;
	}
	return 0;
}

/* With no approval, with each, and with all if that is still another. */
static int
look_approved(struct needed *n, const struct reach_session *q, size_t store,
    enum gate gate)
{
	const struct policy_approvals all = { .all = true };
	struct policy_approvals one = { .n = 1 };
	struct policy_request request;
	size_t k;
	int r = 0;

	for (k = 0; k < n->n_approvable + 2 && r == 0; k++) {
		if (k > n->n_approvable && n->n_approvable < 2)
			break;
		request = reach_request(&n->space->stores[store], q);
		request.purpose = request_purpose(n->policy, &request);
		one.rules = &n->approvable[k > 0 ? k - 1 : 0];
		request.approved = k == 0 ? NULL : k <= n->n_approvable ?
		    &one : &all;
		r = look(n, &request, store, gate);
	}
	return r;
}

int
needed_add(struct needed *n, const struct reach_session *q)
{
	const struct reach_store *s;
	enum gate gate;
	size_t i;
	int r = 0;

	for (i = 0; i < n->space->n_stores && r == 0; i++) {
		s = &n->space->stores[i];
		gate = q->who->kind != PRINCIPAL_SERVICE ? GATE_OPEN :
		    reach_has_role(s, q->who->id) ? GATE_WHOLE : GATE_SHUT;
		if (reach_possible(s, q))
			r = look_approved(n, q, i, gate);
	}
	return r;
}

enum needed_why
needed_why(const struct needed *n, size_t i, const char **ret_by)
{
	const struct found *f = &n->rules[i];
	size_t k;

	*ret_by = NULL;
	if (f->needed)
		return NEEDED;
	if (!f->acts)
		return NEEDED_NOWHERE;
	if (n->policy->rules[i].verb == VERB_PERMIT && !f->open)
		return NEEDED_FORBIDDEN;
	if (n->policy->rules[i].verb == VERB_TREAT && !f->open)
		return NEEDED_NOTHING;
	if (f->alone)
		return f->open && n->policy->rules[i].verb != VERB_FORBID ?
		    NEEDED_SAME : NEEDED_NOTHING;
	for (k = 0; k < n->policy->n_rules && *ret_by == NULL; k++)
		if (has_bit(f->cover, k))
			*ret_by = n->policy->rules[k].name;
	return NEEDED_COVERED;
}
