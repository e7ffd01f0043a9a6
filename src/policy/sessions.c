#include "policy/sessions.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/example.h"
#include "policy/policy.h"
#include "policy/rule.h"

#define SEEDS 64
#define SETS_MAX 1024
#define PATTERNS_MAX 64		/* a set of matches is a word of bits */

/* A list of strings that grows to a known maximum. */
struct list {
	const char **items;
	size_t n;
};

struct work {
	struct arena *a;
	struct why *why;
	struct list purposes, patterns, tickets, places;
	regex_t regexes[PATTERNS_MAX];
	uint64_t sets[SETS_MAX];	/* as tickets */
};

static int
memory(const struct work *w)
{
	return why_set(w->why, ERR_MEMORY, 0, 0, "out of memory");
}

static int
list_init(struct work *w, struct list *l, size_t max, bool null_first)
{
	l->items = arena_array(w->a, max + 2, sizeof(*l->items));
	l->n = null_first ? 1 : 0;
	return l->items == NULL ? memory(w) : 0;
}

static void
list_add(struct list *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->items[i] != NULL && strcmp(l->items[i], s) == 0)
			return;
	l->items[l->n++] = s;
}

typedef const char *const *policy_list(const struct policy *p, size_t *ret_n);

/* What all policies have of something, each once. */
static int
collect(struct work *w, policy_list *of, const struct policy *const *policies,
    size_t n, bool null_first, struct list *ret)
{
	const char *const *items;
	size_t i, k, count, max = 0;
	int r;

	for (i = 0; i < n; i++) {
		(void)of(policies[i], &count); /* their number only */
		max += count;
	}
	if ((r = list_init(w, ret, max, null_first)) != 0)
		return r;
	for (i = 0; i < n; i++) {
		items = of(policies[i], &count);
		for (k = 0; k < count; k++)
			list_add(ret, items[k]);
	}
	return 0;
}

static int
list_places(struct work *w, const struct directory *d,
    const struct sessions_more *more)
{
	const struct directory_site *sites;
	size_t n, i;
	int r;

	sites = directory_sites(d, &n);
	if ((r = list_init(w, &w->places, n + (more != NULL ? more->n : 0),
	    true)) != 0)
		return r;
	list_add(&w->places, CONTROL_UNKNOWN);
	for (i = 0; i < n; i++)
		list_add(&w->places, sites[i].country);
	for (i = 0; more != NULL && i < more->n; i++)
		list_add(&w->places, more->labels[i]);
	return 0;
}

static uint64_t
matches(const struct work *w, const char *text)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < w->patterns.n; i++)
		if (regexec(&w->regexes[i], text, 0, NULL, 0) == 0)
			set |= (uint64_t)1 << i;
	return set;
}

/* Adds a ticket for each new set of matches that pattern number i gives. */
static int
examples_of(struct work *w, size_t i)
{
	const char *pattern = w->patterns.items[i];
	struct buf text;
	unsigned seed;
	uint64_t set, all = 0;
	size_t k;
	int r = 0;

	buf_init(&text, 0);
	for (seed = 0; seed < SEEDS && r == 0; seed++) {
		buf_reset(&text);
		if (example_write(pattern, seed, &text) != 0 ||
		    buf_text(&text) == NULL || text.len > TICKET_MAX)
			continue;
		set = matches(w, buf_text(&text));
		all |= set;
		for (k = 1; k < w->tickets.n; k++)
			if (w->sets[k] == set)
				break;
		if (set == 0 || k < w->tickets.n || k == SETS_MAX)
			continue;
		w->sets[k] = set;
		w->tickets.items[k] = arena_str(w->a, buf_text(&text));
		if (w->tickets.items[k] == NULL)
			r = memory(w);
		w->tickets.n++;
	}
	buf_done(&text);
	if (r == 0 && (all >> i & 1) == 0)
		r = why_set(w->why, ERR_FORMAT, 0, 0, "no example of the "
		    "ticket pattern \"%s\" can be made; write it in a simpler "
		    "form in the rule that has it", pattern);
	return r;
}

static int
compile(struct work *w, size_t i)
{
	struct buf text;
	int r = 0;

	buf_init(&text, 0);
	buf_fmt(&text, "^(%s)$", w->patterns.items[i]);
	if (buf_text(&text) == NULL)
		r = memory(w);
	else if (regcomp(&w->regexes[i], buf_text(&text),
	    REG_EXTENDED | REG_NOSUB) != 0)
		r = why_set(w->why, ERR_FORMAT, 0, 0, "the ticket pattern "
		    "\"%s\" does not compile", w->patterns.items[i]);
	buf_done(&text);
	return r;
}

static int
list_tickets(struct work *w)
{
	size_t i, compiled = 0, n = w->patterns.n;
	int r;

	if (n > PATTERNS_MAX)
		return why_set(w->why, ERR_LIMIT, 0, 0, "there are more than "
		    "%d ticket patterns", PATTERNS_MAX);
	if ((r = list_init(w, &w->tickets, SETS_MAX, true)) != 0)
		return r;
	for (; compiled < n && r == 0; compiled += r == 0)
		r = compile(w, compiled);
	for (i = 0; i < n && r == 0; i++)
		r = examples_of(w, i);
	for (i = 0; i < compiled; i++)
		regfree(&w->regexes[i]);
	return r;
}

int
sessions_list(const struct directory *d, const struct sessions_more *more,
    const struct policy *const *policies, size_t n, int64_t at_ms,
    struct arena *a, struct sessions *ret, struct why *why)
{
	struct times times;
	struct work *w;
	int r;

	if ((w = arena_alloc(a, sizeof(*w))) == NULL)
		return why_set(why, ERR_MEMORY, 0, 0, "out of memory");
	w->a = a;
	w->why = why;
	if ((r = collect(w, policy_purposes, policies, n, true,
	    &w->purposes)) != 0 ||
	    (r = collect(w, policy_ticket_patterns, policies, n, false,
	    &w->patterns)) != 0 ||
	    (r = list_places(w, d, more)) != 0 || (r = list_tickets(w)) != 0 ||
	    (r = times_list(policies, n, at_ms, a, &times, why)) != 0)
		return r;
	*ret = (struct sessions){
		.purposes = w->purposes.items, .n_purposes = w->purposes.n,
		.tickets = w->tickets.items, .n_tickets = w->tickets.n,
		.places = w->places.items, .n_places = w->places.n,
		.by_address = more != NULL && more->n > 0,
		.times = times,
	};
	return 0;
}
