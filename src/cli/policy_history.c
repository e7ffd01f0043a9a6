/*
 * sworn policy history --log DIR [--key VKEY] [--diff] [--json]
 *
 * Every version that was in force: from when until when, who had it loaded,
 * by which texts, and what is not as it was in the version before.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "cli/as_of.h"
#include "cli/history.h"
#include "cli/jsons.h"
#include "cli/options.h"
#include "cli/policy.h"
#include "cli/say.h"
#include "cli/source.h"
#include "cli/version_diff.h"
#include "gateway/config.h"

static const char usage[] = "usage: sworn policy history --log DIR "
    "[--key VKEY] [--diff] [--json]\n";

struct telling {
	const struct history *h;
	bool diff, json;
	struct as_of *before;		/* NULL: none, or it cannot be read */
	const struct history_version *last;
	json_t *list;
	struct buf out;
	bool failed;			/* something could not be told */
};

/* What is told of one version. */
struct told {
	const struct history_version *v;
	bool first, same;		/* as the one before */
	const char *trouble;		/* or NULL: changes are known */
	struct version_change c;
	struct buf diff;
};

static bool
same_stores(const struct history_version *a, const struct history_version *b)
{
	size_t i, k;

	if (a->n_stores != b->n_stores)
		return false;
	for (i = 0; i < a->n_stores; i++) {
		const struct history_store *s = &a->stores[i];
		const struct history_store *t = &b->stores[i];

		if (strcmp(s->name, t->name) != 0 ||
		    strcmp(s->mode, t->mode) != 0 ||
		    strcmp(s->catalog, t->catalog) != 0 ||
		    s->n_residences != t->n_residences ||
		    s->n_services != t->n_services)
			return false;
		for (k = 0; k < s->n_residences; k++)
			if (strcmp(s->residences[k], t->residences[k]) != 0)
				return false;
		for (k = 0; k < s->n_services; k++)
			if (strcmp(s->services[k].principal,
			    t->services[k].principal) != 0 ||
			    strcmp(s->services[k].role,
			    t->services[k].role) != 0)
				return false;
	}
	return true;
}

static bool
is_same(const struct history_version *a, const struct history_version *b)
{
	return strcmp(a->policy, b->policy) == 0 &&
	    strcmp(a->directory, b->directory) == 0 && same_stores(a, b);
}

/* -- words ------------------------------------------------------------------- */

static void
put_count(struct buf *out, const char *what, const struct change_count *c,
    const char **comma)
{
	const struct {
		size_t n;
		const char *how;
	} parts[] = {
		{c->added, "added"}, {c->removed, "taken out"},
		{c->changed, "changed"},
	};
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].n == 0)
			continue;
		buf_fmt(out, "%s%zu %s%s %s", *comma, parts[i].n, what,
		    parts[i].n == 1 ? "" : "s", parts[i].how);
		*comma = ", ";
	}
}

static size_t
sum(const struct change_count *c)
{
	return c->added + c->removed + c->changed;
}

static void
put_changes(struct buf *out, const struct told *t)
{
	const struct version_change *c = &t->c;
	const char *comma = "";

	if (t->first)
		return;
	buf_str(out, "  changed    ");
	if (t->same || t->trouble != NULL) {
		buf_fmt(out, "%s\n", t->same ? "nothing that decides" :
		    t->trouble);
		return;
	}
	put_count(out, "rule", &c->rules, &comma);
	if (c->policy && sum(&c->rules) == 0) {
		buf_fmt(out, "%sthe policy's text but no rule", comma);
		comma = ", ";
	}
	put_count(out, "principal", &c->principals, &comma);
	if (c->directory && sum(&c->principals) == 0) {
		buf_fmt(out, "%sthe directory's text but nothing said of a "
		    "principal", comma);
		comma = ", ";
	}
	put_count(out, "store", &c->stores, &comma);
	if (*comma == 0)
		buf_str(out, "nothing that decides");
	buf_str(out, "\n");
}

static const char *
end_text(enum history_end e)
{
	switch (e) {
	case HISTORY_OPEN:
		return "the log's end";
	case HISTORY_REPLACED:
		return "the next version";
	case HISTORY_STOPPED:
		return "the gateway stopped";
	case HISTORY_BROKEN:
		return "the gateway ended without saying so; last seen then";
	}
	return "";
}

static void
put_store(struct buf *out, const struct history_store *s)
{
	size_t i;

	buf_fmt(out, "  store      %s: %s, residents of ", s->name, s->mode);
	say_list(out, s->residences, s->n_residences);
	buf_fmt(out, "; catalog %s", s->catalog);
	for (i = 0; i < s->n_services; i++)
		buf_fmt(out, "%s%s by role %s", i > 0 ? ", " :
		    "; services: ", s->services[i].principal,
		    s->services[i].role);
	if (!s->has_services)
		buf_str(out, "; the log does not name its services");
	buf_str(out, "\n");
}

static void
put_version(struct buf *out, const struct told *t)
{
	const struct history_version *v = t->v;
	char from[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
	size_t i;

	time_text(v->from_ms, from);
	time_text(v->until_ms, until);
	buf_fmt(out, "version %u, entry %" PRIu64 "\n  in force   from %s "
	    "until %s (%s)\n", v->number, v->seq, from, until,
	    end_text(v->end));
	buf_fmt(out, "  loaded     %s%s%s\n", *v->cause != 0 ? v->cause :
	    "as its texts were recorded, one by one", v->by != NULL ?
	    " by " : "", v->by != NULL ? v->by : "");
	buf_fmt(out, "  policy     %s\n  directory  %s\n  config     %s\n",
	    v->policy, v->directory, v->config);
	if (v->addresses != NULL)
		buf_fmt(out, "  addresses  %s\n", v->addresses);
	for (i = 0; i < v->n_stores; i++)
		put_store(out, &v->stores[i]);
	put_changes(out, t);
	if (t->diff.len > 0)
		buf_bytes(out, t->diff.data, t->diff.len);
}

/* -- JSON ---------------------------------------------------------------------- */

static json_t *
json_count(const struct change_count *c)
{
	return json_pack("{s:I, s:I, s:I}", "added", (json_int_t)c->added,
	    "removed", (json_int_t)c->removed, "changed",
	    (json_int_t)c->changed);
}

static json_t *
json_changes(const struct told *t)
{
	if (t->first || t->trouble != NULL)
		return json_null();
	return json_pack("{s:b, s:b, s:o, s:o, s:o}", "policy", t->c.policy,
	    "directory", t->c.directory, "rules", json_count(&t->c.rules),
	    "principals", json_count(&t->c.principals), "stores",
	    json_count(&t->c.stores));
}

static json_t *
json_stores(const struct history_version *v)
{
	json_t *list = json_array(), *services;
	size_t i, k;

	for (i = 0; i < v->n_stores; i++) {
		const struct history_store *s = &v->stores[i];

		services = s->has_services ? json_array() : json_null();
		for (k = 0; s->has_services && k < s->n_services; k++)
			jsons_add(&services, json_pack("{s:s, s:s}",
			    "principal", s->services[k].principal, "role",
			    s->services[k].role));
		jsons_add(&list, json_pack("{s:s, s:s, s:o, s:s, s:o}",
		    "store", s->name, "mode", s->mode, "residences",
		    jsons_list(s->residences, s->n_residences), "catalog",
		    s->catalog, "services", services));
	}
	return list;
}

static json_t *
json_version(struct told *t)
{
	static const char *const ends[] = {
		[HISTORY_OPEN] = "open", [HISTORY_REPLACED] = "replaced",
		[HISTORY_STOPPED] = "stopped", [HISTORY_BROKEN] = "broken",
	};
	const struct history_version *v = t->v;
	char from[TIME_TEXT_MAX], until[TIME_TEXT_MAX];

	time_text(v->from_ms, from);
	time_text(v->until_ms, until);
	return json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s?, s:s, s:s, "
	    "s:s, s:s?, s:o, s:o, s:s?, s:s?}", "version",
	    (json_int_t)v->number, "seq", (json_int_t)v->seq, "from", from,
	    "until", until, "end", ends[v->end], "cause", v->cause, "by",
	    v->by, "config", v->config, "policy", v->policy, "directory",
	    v->directory, "addresses", v->addresses, "stores",
	    json_stores(v), "changes", json_changes(t), "trouble",
	    t->trouble, "diff", t->diff.len > 0 ? buf_text(&t->diff) : NULL);
}

/* -- all of them ------------------------------------------------------------------ */

static int
compare(struct telling *x, struct told *t, struct as_of *now, struct why *w)
{
	const struct config *a = as_of_config(x->before);
	const struct config *b = as_of_config(now);
	int r;

	if ((r = version_count(a, b, t->v->from_ms, &t->c)) != 0)
		return why_set(w, r, 0, 0, "%s", err_text(r));
	return x->diff ? version_diff(a, b, t->v->from_ms, &t->diff, w) : 0;
}

/* Finds what changed, as far as the texts can be read. */
static int
find_changes(struct telling *x, struct told *t, struct why *w)
{
	struct as_of *now = NULL;
	int r;

	t->first = x->last == NULL;
	t->same = x->last != NULL && is_same(x->last, t->v);
	x->last = t->v;
	if (t->same)
		return 0;		/* nor is it read again */
	r = as_of_new(x->h, t->v, t->v->from_ms, &now, w);
	if (r == 0 && !t->first && x->before != NULL)
		r = compare(x, t, now, w);
	else if (r == 0 && !t->first)
		t->trouble = "not known: a text of the version before cannot "
		    "be read";
	as_of_free(x->before);
	x->before = now;
	if (r == 0 || r == ERR_MEMORY)
		return r;
	t->trouble = w->text;
	return 0;
}

static int
tell(struct telling *x, const struct history_version *v)
{
	struct told t = { .v = v };
	struct why w = {0};
	int r;

	buf_init(&t.diff, 0);
	if ((r = find_changes(x, &t, &w)) == 0) {
		x->failed |= t.trouble != NULL;
		if (x->json)
			jsons_add(&x->list, json_version(&t));
		else
			put_version(&x->out, &t);
	}
	buf_done(&t.diff);
	return r;
}

static int
tell_all(struct telling *x)
{
	char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
	size_t i;
	int r = 0;

	if (x->json)
		x->list = json_array();
	for (i = 0; i < x->h->n && r == 0; i++)
		r = tell(x, &x->h->versions[i]);
	as_of_free(x->before);
	time_text(x->h->first_ms, first);
	time_text(x->h->last_ms, last);
	if (x->json && r == 0) {
		r = jsons_write(json_pack("{s:s, s:s, s:s, s:s, s:o}", "log",
		    x->h->key.name, "gateway", x->h->gateway, "first", first,
		    "last", last, "versions", x->list), &x->out);
	} else if (x->json) {
		json_decref(x->list);
	} else {
		buf_fmt(&x->out, "%zu versions of gateway %s, in its log "
		    "from %s to %s\n", x->h->n, x->h->gateway, first, last);
	}
	return r != 0 ? say_error(r) : say_out(&x->out);
}

int
cmd_policy_history(int argc, char **argv)
{
	struct source source = { .file = NULL };
	struct telling x = { .json = false };
	const struct option_slot slots[] = {
		{"--log", &source.log, NULL}, {"--key", &source.key, NULL},
		{"--diff", NULL, &x.diff}, {"--json", NULL, &x.json},
		{NULL, NULL, NULL},
	};
	int r;

	if ((r = options_read(argc, argv, slots, NULL, 0, usage)) != 0)
		return r;
	buf_init(&x.out, 0);
	if ((r = source_history(&source, usage)) == 0) {
		x.h = source.history;
		r = tell_all(&x);
	}
	buf_done(&x.out);
	source_close(&source);
	return r == 0 && x.failed ? 1 : r;
}
