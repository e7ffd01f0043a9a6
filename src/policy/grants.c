#include "policy/grants.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "policy/rule.h"

#define BY_MAX 16		/* as many as a rule can ask for */

struct grants {
	struct arena *a;
	struct grant *items;
	size_t n, cap;
};

static const char *const kinds[] = {"request", "approve", "deny", "revoke",
    "break_glass", "review"};

const char *
grant_kind_text(enum grant_kind k)
{
	return (size_t)k < GRANT_KINDS ? kinds[k] : "?";
}

enum grant_kind
grant_kind_of(const char *text)
{
	size_t k = 0;

	while (k < GRANT_KINDS && strcmp(kinds[k], text) != 0)
		k++;
	return (enum grant_kind)k;
}

struct grants *
grants_new(void)
{
	struct grants *g = calloc(1, sizeof(*g));

	if (g != NULL && (g->a = arena_new()) == NULL) {
		free(g);
		g = NULL;
	}
	return g;
}

void
grants_free(struct grants *g)
{
	if (g == NULL)
		return;
	arena_free(g->a);
	free(g->items);
	free(g);
}

size_t
grants_count(const struct grants *g)
{
	return g == NULL ? 0 : g->n;
}

const struct grant *
grants_at(const struct grants *g, size_t i)
{
	return &g->items[i];
}

static struct grant *
find(const struct grants *g, const char *id)
{
	size_t i;

	for (i = 0; i < grants_count(g); i++)
		if (strcmp(g->items[i].id, id) == 0)
			return &g->items[i];
	return NULL;
}

const struct grant *
grants_find(const struct grants *g, const char *id)
{
	return find(g, id);
}

/* Since when nothing can come of it any more; INT64_MAX: something can. */
static int64_t
over_since(const struct grant *x)
{
	int64_t ended = x->denied_by != NULL || x->revoked_by != NULL ?
	    x->over_ms : x->until_ms;

	if (x->glass && x->reviewed_by == NULL)
		return INT64_MAX;
	return x->glass && x->over_ms > ended ? x->over_ms : ended;
}

static bool
is_kept(const struct grant *x, int64_t at_ms)
{
	int64_t over = over_since(x);

	return over == INT64_MAX || at_ms - over < GRANTS_KEPT_MS;
}

static int
copy_str(struct arena *a, const char **s)
{
	return *s == NULL || (*s = arena_str(a, *s)) != NULL ? 0 : ERR_MEMORY;
}

static int
copy_one(struct arena *a, struct grant *x)
{
	const char **by = arena_array(a, BY_MAX, sizeof(*by));
	size_t i;

	if (by == NULL || copy_str(a, &x->id) != 0 ||
	    copy_str(a, &x->principal) != 0 || copy_str(a, &x->store) != 0 ||
	    copy_str(a, &x->rule) != 0 || copy_str(a, &x->ticket) != 0 ||
	    copy_str(a, &x->why) != 0 || copy_str(a, &x->denied_by) != 0 ||
	    copy_str(a, &x->revoked_by) != 0 ||
	    copy_str(a, &x->reviewed_by) != 0)
		return ERR_MEMORY;
	for (i = 0; i < x->n_by; i++)
		if ((by[i] = arena_str(a, x->by[i])) == NULL)
			return ERR_MEMORY;
	x->by = by;
	return 0;
}

static int
add(struct grants *g, const struct grant *x)
{
	struct grant copy = *x, *p;
	size_t cap;
	int r;

	if (g->n == GRANTS_MAX)
		return ERR_LIMIT;
	if (g->n == g->cap) {
		cap = g->cap == 0 ? 16 : 2 * g->cap;
		if ((p = reallocarray(g->items, cap, sizeof(*p))) == NULL)
			return ERR_MEMORY;
		g->items = p;
		g->cap = cap;
	}
	if ((r = copy_one(g->a, &copy)) == 0)
		g->items[g->n++] = copy;
	return r;
}

struct grants *
grants_copy(const struct grants *from, int64_t at_ms)
{
	struct grants *g = grants_new();
	size_t i;

	for (i = 0; g != NULL && i < grants_count(from); i++)
		if (is_kept(&from->items[i], at_ms) &&
		    add(g, &from->items[i]) != 0) {
			grants_free(g);
			return NULL;
		}
	return g;
}

static int
begin(struct grants *g, const struct grant_step *s)
{
	const struct grant x = {
		.id = s->id, .principal = s->by, .store = s->store,
		.rule = s->rule, .ticket = s->ticket,
		.why = s->why != NULL ? s->why : "",
		.glass = s->kind == GRANT_GLASS, .asked_ms = s->at_ms,
		.until_ms = s->until_ms, .review_ms = s->review_ms,
	};

	if (s->store == NULL || s->rule == NULL)
		return ERR_MISSING;
	return find(g, s->id) != NULL ? ERR_CONFLICT : add(g, &x);
}

static int
approve(struct grants *g, struct grant *x, const char *by)
{
	const char **list;
	size_t i;

	for (i = 0; i < x->n_by; i++)
		if (strcmp(x->by[i], by) == 0)
			return ERR_CONFLICT;
	if (x->n_by == BY_MAX)
		return ERR_LIMIT;
	/* Copies share nothing, so the list is this one's to write. */
	list = (const char **)(uintptr_t)x->by;
	if ((list[x->n_by] = arena_str(g->a, by)) == NULL)
		return ERR_MEMORY;
	x->n_by++;
	return 0;
}

static int
end(struct grants *g, struct grant *x, const char **who,
    const struct grant_step *s)
{
	if (*who != NULL)
		return ERR_CONFLICT;
	if ((*who = arena_str(g->a, s->by)) == NULL)
		return ERR_MEMORY;
	x->over_ms = s->at_ms;
	return 0;
}

int
grants_take(struct grants *g, const struct grant_step *s)
{
	struct grant *x;

	if (s->kind == GRANT_REQUEST || s->kind == GRANT_GLASS)
		return begin(g, s);
	if ((x = find(g, s->id)) == NULL)
		return ERR_MISSING;
	switch (s->kind) {
	case GRANT_APPROVE:
		return approve(g, x, s->by);
	case GRANT_DENY:
		return end(g, x, &x->denied_by, s);
	case GRANT_REVOKE:
		return end(g, x, &x->revoked_by, s);
	case GRANT_REVIEW:
		return end(g, x, &x->reviewed_by, s);
	case GRANT_REQUEST:
	case GRANT_GLASS:
	case GRANT_KINDS:
		break;
	}
	return ERR_FORMAT;
}

static void
sooner(int64_t *next, int64_t ms, int64_t at_ms)
{
	if (ms > at_ms && ms < *next)
		*next = ms;
}

int64_t
grants_change_at(const struct grants *g, int64_t at_ms)
{
	const struct grant *x;
	int64_t next = INT64_MAX;
	size_t i;

	for (i = 0; i < grants_count(g); i++) {
		x = &g->items[i];
		sooner(&next, x->until_ms, at_ms);
		if (x->glass && x->reviewed_by == NULL)
			sooner(&next, x->review_ms, at_ms);
	}
	return next;
}

const struct grant *
grants_closed(const struct grants *g, const char *principal,
    const char *store, int64_t at_ms)
{
	const struct grant *x;
	size_t i;

	for (i = 0; i < grants_count(g); i++) {
		x = &g->items[i];
		if (x->glass && x->reviewed_by == NULL &&
		    at_ms >= x->review_ms && strcmp(x->store, store) == 0 &&
		    strcmp(x->principal, principal) == 0)
			return x;
	}
	return NULL;
}
