/*
 * Tickets: what matters is which patterns a ticket matches. Examples of each
 * pattern are written and matched against all patterns, and one ticket is
 * kept for each distinct set of matches. A set that no example has is not
 * tried; a session that comes with such a ticket finds no login and is
 * refused, so a miss denies.
 *
 * A combination is decided in a scratch arena. One that is new is decided
 * again in the arena that is kept.
 */
#include "cli/clearances.h"

#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "cli/example.h"
#include "crypto/hash.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "policy/policy.h"

#define SEEDS 64
#define SETS_MAX 1024
#define PATTERNS_MAX 64		/* a set of matches is a word of bits */

struct work {
	const struct config *config;
	const struct config_store *store;
	int64_t at_ms;
	struct arena *kept;	/* lives as long as the result */
	struct arena *person;	/* principal and control of one person */
	struct arena *scratch;
	const char **purposes;	/* NULL first */
	size_t n_purposes;
	const char **tickets;	/* NULL first */
	size_t n_tickets;
	const char **places;	/* NULL first */
	size_t n_places;
	struct clearances *ret;
	size_t cap;
	struct why *why;
};

static int
memory(struct work *w)
{
	return why_set(w->why, ERR_MEMORY, 0, 0, "out of memory");
}

static int
wanted_compare(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->role,
	    ((const struct wanted *)b)->role);
}

const struct wanted *
clearances_find(const struct clearances *c, const char *role)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->items[i].role, role) == 0)
			return &c->items[i];
	return NULL;
}

void
clearances_done(struct clearances *c)
{
	free(c->items);
	arena_free(c->memory);
	memset(c, 0, sizeof(*c));
}

/* The name and hash of a clearance. */
static int
name_clearance(struct work *w, const struct clearance *c,
    struct wanted *ret)
{
	uint8_t hash[HASH_LEN];
	struct buf text, hex;
	int r = ERR_MEMORY;

	buf_init(&text, 0);
	buf_init(&hex, 0);
	clearance_text(&text, c);
	if (text.failed) {
		r = memory(w);
		goto out;
	}
	if ((r = hash_sha256(text.data, text.len, hash)) != 0) {
		(void)why_set(w->why, r, 0, 0, "cannot hash a clearance");
		goto out;
	}
	text_hex(&hex, hash, sizeof(hash));
	if (buf_text(&hex) == NULL) {
		r = memory(w);
		goto out;
	}
	enforce_role_name(hash, ret->role);
	memcpy(ret->hash, buf_text(&hex), sizeof(ret->hash));
out:
	buf_done(&text);
	buf_done(&hex);
	return r;
}

static int
keep(struct work *w, const struct policy_request *q, struct wanted *item)
{
	struct wanted *p;
	int r;

	r = policy_decide(w->config->policy, q, w->kept, &item->clearance);
	if (r != 0)
		return why_set(w->why, r, 0, 0, "%s", err_text(r));
	if (w->ret->n == w->cap) {
		w->cap = w->cap == 0 ? 16 : 2 * w->cap;
		p = reallocarray(w->ret->items, w->cap, sizeof(*p));
		if (p == NULL)
			return memory(w);
		w->ret->items = p;
	}
	w->ret->items[w->ret->n++] = *item;
	return 0;
}

static int
decide(struct work *w, const struct principal *who,
    const struct control *control, const char *purpose, const char *ticket)
{
	struct policy_request q = {
		.who = who, .control = control, .store = w->store->name,
		.residences = w->store->residences,
		.n_residences = w->store->n_residences,
		.catalog = w->store->catalog, .purpose = purpose,
		.ticket = ticket, .at_ms = w->at_ms,
	};
	const struct clearance *c;
	const struct wanted *known;
	struct wanted item;
	int r;

	arena_reset(w->scratch);
	w->ret->decisions++;
	if ((r = policy_decide(w->config->policy, &q, w->scratch, &c)) != 0)
		return why_set(w->why, r, 0, 0, "%s", err_text(r));
	memset(&item, 0, sizeof(item));
	if ((r = name_clearance(w, c, &item)) != 0)
		return r;
	known = clearances_find(w->ret, item.role);
	if (known == NULL)
		return keep(w, &q, &item);
	if (strcmp(known->hash, item.hash) != 0)
		return why_set(w->why, ERR_CONFLICT, 0, 0, "two clearances "
		    "have the same short name %s", item.role);
	return 0;
}

static int
decide_all(struct work *w, const struct principal *who,
    const struct control *control)
{
	size_t i, k;
	int r;

	for (i = 0; i < w->n_purposes; i++)
		for (k = 0; k < w->n_tickets; k++)
			if ((r = decide(w, who, control, w->purposes[i],
			    w->tickets[k])) != 0)
				return r;
	return 0;
}

static int
person(struct work *w, const char *id)
{
	const struct principal *who;
	const struct control *control;
	size_t i;
	int r;

	arena_reset(w->person);
	r = directory_principal(w->config->directory, id, w->at_ms,
	    w->person, &who);
	if (r == 0 && who->kind != PRINCIPAL_PERSON)
		return 0;
	for (i = 0; r == 0 && i < w->n_places; i++) {
		r = control_of(w->config->directory, id, w->at_ms,
		    &w->places[i], w->places[i] != NULL, w->person, &control);
		if (r != 0)
			break;
		if ((r = decide_all(w, who, control)) != 0)
			return r;
	}
	if (r != 0)
		return why_set(w->why, r, 0, 0, "%s: %s", id, err_text(r));
	return 0;
}

/* Somebody of whom nothing is known: usually the empty clearance. */
static int
nobody(struct work *w)
{
	const struct principal who = { .id = "", .name = "",
	    .kind = PRINCIPAL_PERSON };
	const struct control control = { .members = NULL };

	return decide(w, &who, &control, NULL, NULL);
}

static int
list_purposes(struct work *w)
{
	const char *const *all;
	size_t n;

	all = policy_purposes(w->config->policy, &n);
	w->purposes = arena_array(w->kept, n + 1, sizeof(*w->purposes));
	if (w->purposes == NULL)
		return memory(w);
	if (n > 0)
		memcpy(w->purposes + 1, all, n * sizeof(*all));
	w->n_purposes = n + 1;
	return 0;
}

static bool
listed(const char *const *list, size_t n, const char *s)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i] != NULL && strcmp(list[i], s) == 0)
			return true;
	return false;
}

static int
list_places(struct work *w)
{
	const struct directory_site *sites;
	size_t n, i;

	sites = directory_sites(w->config->directory, &n);
	w->places = arena_array(w->kept, n + 2, sizeof(*w->places));
	if (w->places == NULL)
		return memory(w);
	w->n_places = 1;
	w->places[w->n_places++] = CONTROL_UNKNOWN;
	for (i = 0; i < n; i++)
		if (!listed(w->places, w->n_places, sites[i].country))
			w->places[w->n_places++] = sites[i].country;
	return 0;
}

static uint64_t
matches(const regex_t *regexes, size_t n, const char *text)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < n; i++)
		if (regexec(&regexes[i], text, 0, NULL, 0) == 0)
			set |= (uint64_t)1 << i;
	return set;
}

/* Adds a ticket for each new set of matches that pattern number i gives. */
static int
examples_of(struct work *w, const regex_t *regexes, size_t n, size_t i,
    const char *pattern, uint64_t *sets)
{
	struct buf text;
	unsigned seed;
	uint64_t set, all = 0;
	size_t k;
	int r = 0;

	buf_init(&text, 0);
	for (seed = 0; seed < SEEDS && r == 0; seed++) {
		buf_reset(&text);
		if (example_write(pattern, seed, &text) != 0 ||
		    buf_text(&text) == NULL)
			continue;
		set = matches(regexes, n, buf_text(&text));
		all |= set;
		for (k = 1; k < w->n_tickets; k++)
			if (sets[k] == set)
				break;
		if (set == 0 || k < w->n_tickets || k == SETS_MAX)
			continue;
		sets[k] = set;
		w->tickets[k] = arena_str(w->kept, buf_text(&text));
		if (w->tickets[k] == NULL)
			r = memory(w);
		w->n_tickets++;
	}
	buf_done(&text);
	if (r == 0 && (all >> i & 1) == 0)
		r = why_set(w->why, ERR_FORMAT, 0, 0, "no example of the "
		    "ticket pattern \"%s\" can be made; write it in a simpler "
		    "form in the rule that has it", pattern);
	return r;
}

static int
compile(struct work *w, const char *pattern, regex_t *ret)
{
	struct buf text;
	int r = 0;

	buf_init(&text, 0);
	buf_fmt(&text, "^(%s)$", pattern);
	if (buf_text(&text) == NULL)
		r = memory(w);
	else if (regcomp(ret, buf_text(&text), REG_EXTENDED | REG_NOSUB) != 0)
		r = why_set(w->why, ERR_FORMAT, 0, 0, "the ticket pattern "
		    "\"%s\" does not compile", pattern);
	buf_done(&text);
	return r;
}

static int
list_tickets(struct work *w)
{
	const char *const *patterns;
	regex_t regexes[PATTERNS_MAX];
	uint64_t sets[SETS_MAX] = { 0 };
	size_t n, i, compiled = 0;
	int r = 0;

	patterns = policy_ticket_patterns(w->config->policy, &n);
	if (n > PATTERNS_MAX)
		return why_set(w->why, ERR_LIMIT, 0, 0, "the policy has more "
		    "than %d ticket patterns", PATTERNS_MAX);
	w->tickets = arena_array(w->kept, SETS_MAX, sizeof(*w->tickets));
	if (w->tickets == NULL)
		return memory(w);
	w->n_tickets = 1;
	for (; compiled < n && r == 0; compiled += r == 0)
		r = compile(w, patterns[compiled], &regexes[compiled]);
	for (i = 0; i < n && r == 0; i++)
		r = examples_of(w, regexes, n, i, patterns[i], sets);
	for (i = 0; i < compiled; i++)
		regfree(&regexes[i]);
	return r;
}

static int
everybody(struct work *w)
{
	const char *const *ids;
	size_t n, i;
	int r;

	if ((r = list_purposes(w)) != 0 || (r = list_places(w)) != 0 ||
	    (r = list_tickets(w)) != 0)
		return r;
	r = directory_list(w->config->directory, w->at_ms, w->kept, &ids, &n);
	if (r != 0)
		return why_set(w->why, r, 0, 0, "%s", err_text(r));
	for (i = 0; i < n; i++)
		if ((r = person(w, ids[i])) != 0)
			return r;
	return nobody(w);
}

int
clearances_make(const struct config *c, const struct config_store *s,
    int64_t at_ms, struct clearances *ret, struct why *w)
{
	struct work work = { .config = c, .store = s, .at_ms = at_ms,
	    .ret = ret, .why = w };
	int r;

	memset(ret, 0, sizeof(*ret));
	work.kept = arena_new();
	work.person = arena_new();
	work.scratch = arena_new();
	ret->memory = work.kept;
	if (work.kept == NULL || work.person == NULL || work.scratch == NULL)
		r = memory(&work);
	else
		r = everybody(&work);
	arena_free(work.person);
	arena_free(work.scratch);
	if (r != 0)
		clearances_done(ret);
	else if (ret->n > 0)
		qsort(ret->items, ret->n, sizeof(*ret->items),
		    wanted_compare);
	return r;
}
