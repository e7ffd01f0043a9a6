#include "cli/reconcile_say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "cli/jsons.h"

static const struct {
	const char *what;
	const char *title;
} kinds[] = {
	{"around", "Logins that did not come from the gateway"},
	{"unrecorded", "Sessions that the gateway did not record"},
	{"absent", "Sessions recorded that the store's log does not have"},
	{"differ", "Statement counts that differ"},
	{"gap", "Gaps of the store's log"},
};

static void
say_kind(struct buf *out, const struct reconcile_said *s, const char *what,
    const char *title)
{
	size_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		if (strcmp(s->found[i].what, what) != 0)
			continue;
		if (n == 0)
			buf_fmt(out, "\n%s\n", title);
		if (s->all || n < RECONCILE_SAID_MAX)
			buf_fmt(out, "  %s\n", s->found[i].text);
		n++;
	}
	if (!s->all && n > RECONCILE_SAID_MAX)
		buf_fmt(out, "  ... and %zu more (--all)\n",
		    n - RECONCILE_SAID_MAX);
}

static void
say_counts(struct buf *out, const struct record_reconciled *r)
{
	char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];

	if (r->first_ms != 0) {
		time_text(r->first_ms, first);
		time_text(r->last_ms, last);
		buf_fmt(out, "the store's log   lines from %s to %s\n", first,
		    last);
	}
	buf_fmt(out, "logins            %" PRIu64 " in the store's log, %"
	    PRIu64 " recorded, %" PRIu64 " are the same\n", r->logins,
	    r->recorded, r->matched);
	if (r->compared)
		buf_fmt(out, "statements        %" PRIu64 " of persons on "
		    "guarded tables at least run by the store, %" PRIu64
		    " recorded\n",
		    r->executed, r->statements);
	else
		buf_str(out, "statements        not compared: that needs "
		    "pgaudit (--pgaudit)\n");
}

void
reconcile_text(struct buf *out, const struct reconcile_said *s)
{
	const struct record_reconciled *r = s->r;
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	size_t i;

	time_text(r->from_ms, from);
	time_text(r->to_ms, to);
	buf_fmt(out, "store %s, from %s to %s\n", r->store, from, to);
	for (i = 0; i < r->n_gateways; i++)
		buf_fmt(out, "gateway           %s, %" PRIu64 " entries\n",
		    r->gateways[i].gateway, r->gateways[i].entries);
	say_counts(out, r);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		say_kind(out, s, kinds[i].what, kinds[i].title);
	if (s->n == 0)
		buf_str(out, "\nThe store's log and the record fit.\n");
	else
		buf_fmt(out, "\n%zu %s not fit.\n", s->n,
		    s->n == 1 ? "thing does" : "things do");
	if (s->recorded)
		buf_fmt(out, "This is on record: entry %" PRIu64 ".\n",
		    s->seq);
	else
		buf_str(out, "Nothing was recorded (--dry-run).\n");
}

static json_t *
time_json(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == 0)
		return json_null();
	time_text(ms, text);
	return json_string(text);
}

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

int
reconcile_json(struct buf *out, const struct reconcile_said *s)
{
	const struct record_reconciled *r = s->r;
	json_t *found = json_array(), *logs = json_array(), *j;
	size_t i;

	for (i = 0; i < s->n; i++)
		jsons_add(&found, json_pack("{s:s, s:s}", "what",
		    s->found[i].what, "text", s->found[i].text));
	for (i = 0; i < r->n_gateways; i++)
		jsons_add(&logs, json_pack("{s:s, s:o}", "gateway",
		    r->gateways[i].gateway, "entries",
		    number(r->gateways[i].entries)));
	j = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
	    "s:b, s:o, s:o, s:o, s:o}",
	    "store", r->store, "source", r->source,
	    "from", time_json(r->from_ms), "to", time_json(r->to_ms),
	    "gateways", logs, "first", time_json(r->first_ms),
	    "last", time_json(r->last_ms), "logins", number(r->logins),
	    "recorded", number(r->recorded), "matched", number(r->matched),
	    "compared", (int)r->compared, "executed", number(r->executed),
	    "statements", number(r->statements), "findings", found,
	    "entry", s->recorded ? number(s->seq) : json_null());
	return jsons_write(j, out);
}
