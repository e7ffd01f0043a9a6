/*
 * {subject, store, tag, there, residences, from, to, gateway, entries,
 *  first, last, asked_entry, newer, strange, shown, may_have_been_seen,
 *  asked}; docs/seen.md has each member. What leads from here to entries of
 * the log, which have names, is only in a full one.
 */
#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/time.h"
#include "seen/ask.h"
#include "seen/index.h"
#include "seen/told.h"

static json_t *
names(const struct record_strs *l)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < l->n; i++)
		if (json_array_append_new(list, json_string(l->s[i])) != 0)
			break;
	if (i == l->n)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
when(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == 0)
		return json_null();
	time_text(ms, text);
	return json_string(text);
}

static json_t *
group(const struct seen_group *g, bool exact, bool full)
{
	json_t *o = json_pack("{s:s, s:I, s:o, s:o, s:s, s:s, s:o, s:o, "
	    "s:s, s:o, s:o, s:o, s:o}",
	    "basis", exact ? "exact" : "bounded", "n", (json_int_t)g->n,
	    "first", when(g->first_ms), "last", when(g->last_ms),
	    "mode", g->mode, "kind", g->kind, "at", names(&g->at),
	    "behind", names(&g->behind), "purpose", g->purpose,
	    "tables", names(&g->tables), "plain", names(&g->plain),
	    "masked", names(&g->masked), "rules", names(&g->rules));
	int bad = o == NULL || json_object_set_new(o, "residence",
	    json_string(g->residence)) != 0;

	if (!bad && !exact)
		bad = json_object_set_new(o, "why", json_string(g->why)) != 0 ||
		    json_object_set_new(o, "going_on",
		    json_boolean(g->going_on)) != 0;
	if (!bad && full)
		bad = json_object_set_new(o, "principal",
		    json_string(g->principal)) != 0 ||
		    json_object_set_new(o, "first_entry",
		    json_integer((json_int_t)g->first_seq)) != 0 ||
		    json_object_set_new(o, "last_entry",
		    json_integer((json_int_t)g->last_seq)) != 0 ||
		    (exact && json_object_set_new(o, "ticket",
		    json_string(g->ticket)) != 0);
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
groups(const struct seen_group *l, size_t n, bool exact, bool full)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		if (json_array_append_new(list, group(&l[i], exact,
		    full)) != 0)
			break;
	if (i == n)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
asked(const struct seen_answer *a, bool full)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < a->n_asked; i++) {
		o = json_pack("{s:o, s:b}", "time", when(a->asked[i].ms),
		    "full", a->asked[i].full);
		if (o == NULL || (full && (json_object_set_new(o, "by",
		    json_string(a->asked[i].by)) != 0 ||
		    json_object_set_new(o, "entry", json_integer(
		    (json_int_t)a->asked[i].seq)) != 0)) ||
		    json_array_append_new(list, o) != 0)
			break;
	}
	if (i == a->n_asked)
		return list;
	json_decref(list);
	return NULL;
}

void
seen_json(struct buf *out, const struct seen_told *t)
{
	const struct seen_question *q = t->question;
	const struct seen_answer *a = t->answer;
	const struct seen_state *s = t->state;
	json_t *o = json_pack("{s:s, s:s, s:s*, s:b, s:o, s:o, s:o, s:b, s:s, "
	    "s:I, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o}",
	    "subject", t->subject, "store", q->store, "tag", q->full ? q->tag : NULL,
	    "there", t->there, "residences", names(&a->residences),
	    "from", when(q->from_ms), "to", when(q->to_ms), "full", q->full,
	    "gateway", s->gateway, "entries", (json_int_t)s->size,
	    "first", when(s->first_ms), "last", when(s->last_ms),
	    "asked_entry", (json_int_t)t->asked_seq,
	    "newer", (json_int_t)t->newer, "strange", (json_int_t)s->strange,
	    "shown", groups(a->exact, a->n_exact, true, q->full),
	    "may_have_been_seen", groups(a->within, a->n_within, false,
	    q->full), "asked", asked(a, q->full));
	char *text = o == NULL ? NULL : json_dumps(o, JSON_INDENT(2));

	if (text == NULL) {
		out->failed = true;
	} else {
		buf_str(out, text);
		buf_u8(out, '\n');
	}
	free(text);
	json_decref(o);
}
