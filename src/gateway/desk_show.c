/*
 * Tables of text. One request is a table of names and values, since that is
 * what somebody reads who is to decide about it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "gateway/config.h"
#include "gateway/desk.h"
#include "gateway/version.h"
#include "policy/grants_words.h"
#include "wire/backend.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct grants_by
by_of(const struct desk_view *v)
{
	return (struct grants_by){v->version->config->policy,
	    v->version->config->directory};
}

static const char *
when(const struct desk_view *v, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == 0)
		return "";
	time_text(ms, text);
	return arena_str(v->a, text);
}

static const char *
join(const struct desk_view *v, const char *const *list, size_t n)
{
	const char *s = "";
	size_t i;

	for (i = 0; i < n && s != NULL; i++)
		s = arena_fmt(v->a, "%s%s%s", s, i > 0 ? ", " : "", list[i]);
	return s;
}

static const char *
span(const struct desk_view *v, int64_t ms)
{
	if (ms == 0)
		return "";
	return ms % 3600000 == 0 ? arena_fmt(v->a, "%" PRId64 "h",
	    ms / 3600000) : ms % 60000 == 0 ? arena_fmt(v->a, "%" PRId64 "m",
	    ms / 60000) : arena_fmt(v->a, "%" PRId64 "s", ms / 1000);
}

static int
row(struct buf *out, const char *const *values, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (values[i] == NULL)
			return ERR_MEMORY;
	backend_row_write(out, values, n);
	return 0;
}

static void
end(const struct desk_view *v, struct buf *out, size_t n)
{
	const char *tag = arena_fmt(v->a, "SELECT %zu", n);

	backend_complete_write(out, tag != NULL ? tag : "SELECT");
}

int
desk_show_all(const struct desk_view *v, struct buf *out)
{
	static const char *const names[] = {"id", "state", "principal",
	    "store", "rule", "ticket", "until", "approved_by", "why"};
	const struct grants *g = v->version->grants;
	const struct grants_by by = by_of(v);
	const struct grant *x;
	size_t i, n = 0;
	int r = 0;

	backend_columns_write(out, names, COUNT(names));
	for (i = grants_count(g); i-- > 0 && r == 0;) {
		x = grants_at(g, i);
		if (!grant_concerns(x, &by, v->principal, v->at_ms, v->a))
			continue;
		const char *const values[COUNT(names)] = {x->id,
		    grant_state(x, &by, v->at_ms, v->a), x->principal,
		    x->store, x->rule, x->ticket != NULL ? x->ticket : "",
		    when(v, x->until_ms), join(v, x->by, x->n_by), x->why};

		r = row(out, values, COUNT(values));
		n++;
	}
	end(v, out, n);
	return r;
}

struct pair {
	const char *name, *value;
};

/* Those that say something. */
static int
pairs(const struct desk_view *v, const struct pair *list, size_t n,
    struct buf *out)
{
	static const char *const names[] = {"what", "value"};
	size_t i, shown = 0;

	backend_columns_write(out, names, COUNT(names));
	for (i = 0; i < n; i++) {
		if (list[i].value == NULL)
			return ERR_MEMORY;
		if (*list[i].value == 0)
			continue;
		backend_row_write(out, (const char *const[]){list[i].name,
		    list[i].value}, 2);
		shown++;
	}
	end(v, out, shown);
	return 0;
}

static const char *
or_all(const char *s, const char *all)
{
	return s != NULL && *s == 0 ? all : s;
}

static const char *
or_none(const char *s)
{
	return s != NULL ? s : "";
}

static int
show_one(const struct desk_view *v, const struct grant *x, struct buf *out)
{
	const struct grants_by by = by_of(v);
	struct grant_words w = {.tables = "", .categories = "",
	    .residences = "", .purposes = "", .ticket = "", .by = ""};
	int r = grant_words(by.policy, x->rule, v->a, &w);
	bool known = r == 0;

	if (r == ERR_MEMORY)
		return r;
	const struct pair list[] = {
		{"id", x->id},
		{"state", grant_state(x, &by, v->at_ms, v->a)},
		{"whose", x->principal}, {"why", x->why},
		{"store", x->store}, {"rule", x->rule},
		{"only with ticket", or_none(x->ticket)},
		{"tables", known ? or_all(w.tables, "all of the store") : ""},
		{"categories", known ? or_all(w.categories, "all") : ""},
		{"residences", known ? or_all(w.residences, "all of the "
		    "store") : ""},
		{"purposes", w.purposes},
		{"asked", when(v, x->asked_ms)}, {"until", when(v,
		    x->until_ms)},
		{"may approve", w.by}, {"how many", known ? arena_fmt(v->a,
		    "%u", w.count) : ""},
		{"approved by", join(v, x->by, x->n_by)},
		{"denied by", or_none(x->denied_by)},
		{"revoked by", or_none(x->revoked_by)},
		{"to be reviewed by", x->glass ? when(v, x->review_ms) : ""},
		{"reviewed by", or_none(x->reviewed_by)},
	};

	return pairs(v, list, COUNT(list), out);
}

int
desk_show_one(const struct desk_view *v, const char *id, struct buf *out)
{
	const struct grant *x = grants_find(v->version->grants, id);
	const struct grants_by by = by_of(v);

	if (x == NULL || !grant_concerns(x, &by, v->principal, v->at_ms,
	    v->a))
		return ERR_MISSING;
	return show_one(v, x, out);
}

int
desk_show_step(const struct desk_view *v, const char *id, struct buf *out)
{
	const struct grant *x = grants_find(v->version->grants, id);

	return x == NULL ? ERR_STATE : show_one(v, x, out);
}

int
desk_show_rules(const struct desk_view *v, struct buf *out)
{
	static const char *const names[] = {"rule", "stores", "tables",
	    "categories", "residences", "purposes", "ticket", "may_approve",
	    "how_many", "at_most", "may_break_glass", "glass_at_most"};
	const struct policy *p = v->version->config->policy;
	const char *const *rules;
	struct grant_words w;
	size_t i, n;
	int r;

	if ((r = grant_rules(p, v->a, &rules, &n)) != 0)
		return r;
	backend_columns_write(out, names, COUNT(names));
	for (i = 0; i < n && r == 0; i++) {
		if ((r = grant_words(p, rules[i], v->a, &w)) != 0)
			return r;
		const char *const values[COUNT(names)] = {w.rule, w.stores,
		    w.tables, w.categories, w.residences, w.purposes,
		    w.ticket, w.by, arena_fmt(v->a, "%u", w.count),
		    span(v, w.longest_ms), w.glass_by, span(v, w.glass_ms)};

		r = row(out, values, COUNT(values));
	}
	end(v, out, n);
	return r;
}
