/*
 * The outcome as one JSON object; docs/verify.md names each member.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "claim/claim.h"
#include "claim/narrow.h"
#include "claim/verdict.h"
#include "verify/outcome.h"

static json_t *
json_time(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	time_text(ms, text);
	return json_string(text);
}

/* Paths and the like may be no UTF-8: then escaped, as text is. */
static json_t *
json_str(const char *s)
{
	struct buf b;
	json_t *v;

	if (s == NULL)
		return json_null();
	if ((v = json_string(s)) != NULL)
		return v;
	buf_init(&b, 0);
	for (; *s != 0; s++)
		buf_fmt(&b, (unsigned char)*s < 0x80 ? "%c" : "\\x%02x",
		    (unsigned char)*s);
	if (buf_text(&b) != NULL)
		v = json_string((const char *)b.data);
	buf_done(&b);
	return v;
}

static json_t *
json_number(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *
json_strs(const struct record_strs *l)
{
	json_t *v = json_array();
	size_t i;

	for (i = 0; i < l->n; i++)
		(void)json_array_append_new(v, json_str(l->s[i]));
	return v;
}

/* jansson refuses a NULL value, so a member that lacks memory is left out:
 * this notices. */
static void
set(json_t *to, const char *name, json_t *v, bool *failed)
{
	*failed |= json_object_set_new(to, name, v) != 0;
}

static json_t *
json_items(const struct outcome_items *l, bool *failed)
{
	json_t *v = json_array(), *item;
	size_t i;

	for (i = 0; i < l->n; i++) {
		item = json_object();
		set(item, "what", json_str(l->list[i].what), failed);
		set(item, "text", json_str(l->list[i].text), failed);
		set(item, "log", json_str(l->list[i].dir), failed);
		*failed |= json_array_append_new(v, item) != 0;
	}
	return v;
}

static json_t *
json_log(const struct outcome_log *l, bool *failed)
{
	json_t *v = json_object();
	struct buf root;

	buf_init(&root, 0);
	text_base64(&root, l->head.root.h, sizeof(l->head.root.h));
	set(v, "dir", json_str(l->dir), failed);
	set(v, "gateway", json_str(l->gateway), failed);
	set(v, "origin", json_str(l->origin), failed);
	set(v, "key", json_str(l->key), failed);
	set(v, "size", json_number(l->head.size), failed);
	set(v, "root", json_str(buf_text(&root)), failed);
	set(v, "read", json_number(l->entries), failed);
	if (l->entries > 0) {
		set(v, "from", json_time(l->first_ms), failed);
		set(v, "to", json_time(l->last_ms), failed);
	}
	buf_done(&root);
	return v;
}

static json_t *
json_claim(const struct claim *c, bool *failed)
{
	json_t *v = json_object();

	set(v, "title", json_str(c->title), failed);
	set(v, "sworn_by", json_str(c->sworn_by), failed);
	set(v, "sentence", json_str(c->sentence), failed);
	set(v, "from", json_time(c->from_ms), failed);
	set(v, "to", json_time(c->to_ms), failed);
	set(v, "gateways", json_strs(&c->gateways), failed);
	set(v, "stores", json_strs(&c->stores), failed);
	set(v, "about", json_str(c->could ? "ability" : "acts"), failed);
	return v;
}

static json_t *
json_path(const struct verdict_evidence *e, bool *failed)
{
	json_t *v;

	if (e->label == NULL)
		return json_null();
	v = json_object();
	set(v, "label", json_str(e->label), failed);
	set(v, "kinds", json_strs(&e->kinds), failed);
	set(v, "steps", json_strs(&e->steps), failed);
	return v;
}

/* What the claim asks the reader to be, and by which path they are. */
static json_t *
json_is(const struct verdict_evidence *e, bool *failed)
{
	json_t *v;

	if (e->is == NULL)
		return json_null();
	v = json_object();
	set(v, "definition", json_str(e->is), failed);
	set(v, "because", json_str(e->is_because), failed);
	return v;
}

static json_t *
json_evidence(const struct verdict_evidence *e, bool *failed)
{
	json_t *v = json_object();

	set(v, "gateway", json_str(e->gateway), failed);
	set(v, "seq", json_number(e->seq), failed);
	set(v, "time", json_time(e->time_ms), failed);
	set(v, "end_seq", json_number(e->end_seq), failed);
	set(v, "session", json_str(e->session), failed);
	set(v, "session_seq", json_number(e->session_seq), failed);
	set(v, "principal", json_str(e->principal), failed);
	set(v, "name", json_str(e->name), failed);
	set(v, "kind", json_str(e->kind), failed);
	set(v, "source", json_str(e->source), failed);
	set(v, "store", json_str(e->store), failed);
	set(v, "mode", json_str(e->mode), failed);
	set(v, "purpose", json_str(e->purpose), failed);
	set(v, "ticket", json_str(e->ticket), failed);
	set(v, "what", json_str(e->what), failed);
	set(v, "whole_why", json_str(e->whole_why), failed);
	set(v, "rows", json_number(e->rows), failed);
	set(v, "bytes", json_number(e->bytes), failed);
	set(v, "residences", json_strs(&e->residences), failed);
	set(v, "tables", json_strs(&e->tables), failed);
	set(v, "categories", json_strs(&e->categories), failed);
	set(v, "masked", json_strs(&e->masked), failed);
	set(v, "rules", json_strs(&e->rules), failed);
	set(v, "refused_by", json_strs(&e->refused_by), failed);
	set(v, "control", json_path(e, failed), failed);
	set(v, "is", json_is(e, failed), failed);
	set(v, "at_most", e->counted ? json_number(e->at_most) : json_null(),
	    failed);
	set(v, "counted", e->counted ? json_time(e->counted_ms) : json_null(),
	    failed);
	return v;
}

static json_t *
json_ability(const struct verdict_ability *a, bool *failed)
{
	const struct verdict_evidence path = { .label = a->label,
	    .kinds = a->kinds, .steps = a->steps, .is = a->is,
	    .is_because = a->is_because };
	json_t *v = json_object();

	set(v, "gateway", json_str(a->gateway), failed);
	set(v, "seq", json_number(a->seq), failed);
	set(v, "time", json_time(a->at_ms), failed);
	set(v, "versions", json_number(a->versions), failed);
	set(v, "principal", json_str(a->principal), failed);
	set(v, "name", json_str(a->name), failed);
	set(v, "kind", json_str(a->kind), failed);
	set(v, "store", json_str(a->store), failed);
	set(v, "residences", json_strs(&a->residences), failed);
	set(v, "tables", json_strs(&a->tables), failed);
	set(v, "categories", json_strs(&a->categories), failed);
	set(v, "masked", json_strs(&a->masked), failed);
	set(v, "rules", json_strs(&a->rules), failed);
	set(v, "place", json_str(a->place), failed);
	set(v, "purpose", json_str(a->purpose), failed);
	set(v, "ticket", json_str(a->ticket), failed);
	set(v, "control", json_path(&path, failed), failed);
	set(v, "is", json_is(&path, failed), failed);
	set(v, "policy", json_str(a->policy), failed);
	set(v, "directory", json_str(a->directory), failed);
	set(v, "catalog", json_str(a->catalog), failed);
	return v;
}

static void
set_abilities(json_t *to, const struct verdict_result *r, bool *failed)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < r->n_abilities; i++)
		*failed |= json_array_append_new(list,
		    json_ability(&r->abilities[i], failed)) != 0;
	set(to, "abilities", list, failed);
}

static json_t *
json_doubt(const struct verdict_doubt *d, bool *failed)
{
	json_t *v = json_object();

	set(v, "what", json_str(d->what), failed);
	set(v, "text", json_str(d->text), failed);
	set(v, "gateway", json_str(d->gateway), failed);
	set(v, "seq", d->has_seq ? json_number(d->seq) : json_null(), failed);
	return v;
}

static json_t *
json_counts(const struct verdict_result *r, bool *failed)
{
	json_t *v = json_object();

	set(v, "records", json_number(r->records), failed);
	set(v, "sessions", json_number(r->sessions), failed);
	set(v, "statements", json_number(r->statements), failed);
	set(v, "denials", json_number(r->denials), failed);
	set(v, "evidence", json_number(r->n_evidence + r->more_evidence),
	    failed);
	set(v, "abilities", json_number(r->n_abilities + r->more_abilities),
	    failed);
	set(v, "doubts", json_number(r->n_doubts + r->more_doubts), failed);
	return v;
}

static void
set_verdict(json_t *to, const struct verdict_result *r, bool *failed)
{
	json_t *list = json_array(), *item;
	size_t i;

	for (i = 0; i < r->n_evidence; i++)
		*failed |= json_array_append_new(list,
		    json_evidence(&r->evidence[i], failed)) != 0;
	set(to, "evidence", list, failed);
	set_abilities(to, r, failed);
	list = json_array();
	for (i = 0; i < r->n_doubts; i++)
		*failed |= json_array_append_new(list,
		    json_doubt(&r->doubts[i], failed)) != 0;
	set(to, "doubts", list, failed);
	list = json_array();
	for (i = 0; i < r->n_rests; i++) {
		item = json_object();
		set(item, "what", json_str(r->rests[i].what), failed);
		set(item, "text", json_str(r->rests[i].text), failed);
		*failed |= json_array_append_new(list, item) != 0;
	}
	set(to, "rests_on", list, failed);
	set(to, "counts", json_counts(r, failed), failed);
}

static json_t *
json_narrow_line(const struct narrow_line *l, bool *failed)
{
	json_t *v = json_object();

	set(v, "why", json_str(narrow_why_text(l->why)), failed);
	set(v, "principal", json_str(l->principal), failed);
	set(v, "kind", json_str(l->kind), failed);
	set(v, "store", json_str(l->store), failed);
	set(v, "detail", json_str(l->detail), failed);
	set(v, "sessions", json_number(l->sessions), failed);
	set(v, "statements", json_number(l->statements), failed);
	set(v, "rows", json_number(l->rows), failed);
	set(v, "bytes", json_number(l->bytes), failed);
	return v;
}

static json_t *
json_narrow(const struct narrow_result *r, bool *failed)
{
	json_t *v = json_object(), *list = json_array(), *sums = json_object();
	size_t i;
	int w;

	for (w = NARROW_INSIDE; w <= NARROW_STORE; w++)
		set(sums, narrow_why_text((enum narrow_why)w),
		    json_number(r->disclosures[w]), failed);
	for (i = 0; i < r->n; i++)
		*failed |= json_array_append_new(list,
		    json_narrow_line(r->lines[i], failed)) != 0;
	set(v, "disclosures", sums, failed);
	set(v, "lines", list, failed);
	set(v, "more", json_number(r->more), failed);
	return v;
}

static json_t *
json_bundle(const struct outcome *o, bool *failed)
{
	json_t *v = json_object();

	set(v, "dir", json_str(o->bundle), failed);
	set(v, "entries", json_number(o->bundle_entries), failed);
	set(v, "claim_sha256", o->claim_sha256[0] == 0 ? json_null() :
	    json_str(o->claim_sha256), failed);	/* not got so far */
	return v;
}

static json_t *
json_outcome(const struct outcome *o, bool *failed)
{
	json_t *v = json_object(), *logs = json_array();
	size_t i;

	if (o->claim != NULL || o->bundle != NULL) {
		set(v, "verdict", o->verdict == NULL ? json_null() :
		    json_str(verdict_value_text(o->verdict->value)), failed);
		set(v, "claim", o->claim == NULL ? json_null() :
		    json_claim(o->claim, failed), failed);
	}
	if (o->narrow != NULL)
		set(v, "narrow", json_narrow(o->narrow, failed), failed);
	if (o->bundle != NULL)
		set(v, "bundle", json_bundle(o, failed), failed);
	set(v, "consistent", json_boolean(o->damage.n == 0), failed);
	set(v, "exit", json_integer(o->status), failed);
	set(v, "damage", json_items(&o->damage, failed), failed);
	set(v, "damage_more", json_number(o->damage.more), failed);
	if (o->claim == NULL && o->bundle == NULL)
		set(v, "notes", json_items(&o->notes, failed), failed);
	if (o->verdict != NULL)
		set_verdict(v, o->verdict, failed);
	for (i = 0; i < o->n_logs; i++)
		*failed |= json_array_append_new(logs,
		    json_log(&o->logs[i], failed)) != 0;
	set(v, "logs", logs, failed);
	return v;
}

static int
append(const char *data, size_t len, void *arg)
{
	struct buf *out = arg;

	buf_bytes(out, data, len);
	return out->failed ? -1 : 0;
}

int
outcome_json(struct buf *out, const struct outcome *o)
{
	bool failed = false;
	json_t *v = json_outcome(o, &failed);

	if (v == NULL || failed ||
	    json_dump_callback(v, append, out, JSON_INDENT(1)) != 0)
		failed = true;
	json_decref(v);
	buf_u8(out, '\n');
	return failed || out->failed ? ERR_MEMORY : 0;
}
