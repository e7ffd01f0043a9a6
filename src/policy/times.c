#include "policy/times.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "policy/policy.h"
#include "policy/rule.h"

#define WEEK_MS (INT64_C(7) * 24 * 3600 * 1000)

struct work {
	const struct policy *const *policies;
	size_t n_policies;
	size_t n_rules;		/* of all of them */
	bool *in_force;		/* of the instant looked at, by rule */
	bool *seen;		/* the same of each instant kept */
	int64_t *items;
	size_t n;
};

static void
look(struct work *w, int64_t at_ms)
{
	size_t i, k, n = 0;

	for (i = 0; i < w->n_policies; i++)
		for (k = 0; k < w->policies[i]->n_all; k++) {
			const struct rule *r = &w->policies[i]->all[k];

			w->in_force[n++] = !r->has_when ||
			    (r->from <= at_ms && at_ms < r->to &&
			    weekly_holds(&r->weekly, at_ms));
		}
}

static int
keep(struct work *w, int64_t at_ms)
{
	size_t i;

	look(w, at_ms);
	for (i = 0; i < w->n; i++)
		if (memcmp(w->seen + i * w->n_rules, w->in_force,
		    w->n_rules * sizeof(*w->seen)) == 0)
			return 0;
	if (w->n == TIMES_MAX)
		return ERR_LIMIT;
	if (w->n_rules > 0)
		memcpy(w->seen + w->n * w->n_rules, w->in_force,
		    w->n_rules * sizeof(*w->seen));
	w->items[w->n++] = at_ms;
	return 0;
}

/* The next instant at which some rule's interval begins or ends. */
static int64_t
next_end(const struct work *w, int64_t at_ms)
{
	int64_t next = INT64_MAX;
	size_t i, k;

	for (i = 0; i < w->n_policies; i++)
		for (k = 0; k < w->policies[i]->n_all; k++) {
			const struct rule *r = &w->policies[i]->all[k];

			if (!r->has_when)
				continue;
			if (r->from > at_ms && r->from < next)
				next = r->from;
			if (r->to > at_ms && r->to < next)
				next = r->to;
		}
	return next;
}

static int64_t
next_turn(const struct work *w, int64_t at_ms)
{
	int64_t next = INT64_MAX, turn;
	size_t i;

	for (i = 0; i < w->n_policies; i++)
		if ((turn = policy_changes_at(w->policies[i], at_ms)) < next)
			next = turn;
	return next;
}

static int
walk(struct work *w, int64_t at_ms, struct times *ret)
{
	int64_t end, t;
	bool first = true;
	int r;

	for (; at_ms != INT64_MAX; at_ms = end) {
		end = next_end(w, at_ms);
		for (t = at_ms; t < end && t - at_ms <= WEEK_MS;
		    t = next_turn(w, t))
			if ((r = keep(w, t)) != 0)
				return r;
		if (first)
			ret->n_now = w->n;
		first = false;
	}
	ret->items = w->items;
	ret->n = w->n;
	return 0;
}

int
times_list(const struct policy *const *policies, size_t n, int64_t at_ms,
    struct arena *a, struct times *ret, struct why *why)
{
	struct work w = { .policies = policies, .n_policies = n };
	size_t i;

	for (i = 0; i < n; i++)
		w.n_rules += policies[i]->n_all;
	w.items = arena_array(a, TIMES_MAX, sizeof(*w.items));
	w.in_force = arena_array(a, w.n_rules + 1, sizeof(*w.in_force));
	w.seen = arena_array(a, TIMES_MAX, (w.n_rules + 1) *
	    sizeof(*w.seen));
	if (w.items == NULL || w.in_force == NULL || w.seen == NULL)
		return why_set(why, ERR_MEMORY, 0, 0, "out of memory");
	if (walk(&w, at_ms, ret) != 0)
		return why_set(why, ERR_LIMIT, 0, 0, "the rules' hours and "
		    "intervals make more than %d combinations; give some of "
		    "them the same hours", TIMES_MAX);
	return 0;
}
