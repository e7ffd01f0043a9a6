/*
 * sworn approval history --log DIR [--key VKEY] [--json]
 *
 * All approvals that a log has, with their steps and how many statements rest
 * on them: for whoever audits, who is named by no rule. Read from the log
 * alone, all of it checked; whether each step could be taken is for
 * sworn-verify to say.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "cli/approval.h"
#include "cli/jsons.h"
#include "cli/options.h"
#include "cli/say.h"
#include "log/note.h"
#include "logdir/logread.h"
#include "record/record.h"

#define KNOWN_MAX 100000	/* approvals of one log */

static const char usage[] =
"usage: sworn approval history --log DIR [--key VKEY] [--json]\n";

struct taken {
	struct taken *next;
	const char *step, *by, *source, *auth;
	const char *why;		/* or NULL */
	int64_t at_ms;
	uint64_t seq;
};

struct known {
	const char *id;
	const char *principal, *store, *rule;
	const char *ticket;		/* or NULL */
	bool glass;
	int64_t until_ms, review_ms;
	struct taken *first, *last;
	uint64_t statements;		/* that rest on it */
	int64_t latest_ms;		/* the latest of them; 0: none */
};

struct telling {
	const char *dir;
	struct arena *a;
	struct known *list;
	size_t n, cap;
	struct why w;
};

/* The latest first: that is where one is mostly asked for. */
static struct known *
find(struct telling *x, const char *id)
{
	size_t i;

	for (i = x->n; i-- > 0;)
		if (strcmp(x->list[i].id, id) == 0)
			return &x->list[i];
	return NULL;
}

static const char *
keep(struct telling *x, const char *s)
{
	return arena_str(x->a, s != NULL ? s : "");
}

static struct known *
begin(struct telling *x, const struct record_approval *r)
{
	struct known *k, *p;
	size_t cap;

	if (x->n == KNOWN_MAX)
		return NULL;
	if (x->n == x->cap) {
		cap = x->cap == 0 ? 64 : 2 * x->cap;
		if ((p = reallocarray(x->list, cap, sizeof(*p))) == NULL)
			return NULL;
		x->list = p;
		x->cap = cap;
	}
	k = &x->list[x->n++];
	*k = (struct known){
		.id = keep(x, r->id), .principal = keep(x, r->by),
		.store = keep(x, r->store), .rule = keep(x, r->rule),
		.ticket = r->ticket != NULL ? keep(x, r->ticket) : NULL,
		.glass = strcmp(r->step, "break_glass") == 0,
		.until_ms = r->until_ms, .review_ms = r->review_ms,
	};
	return k->id == NULL || k->principal == NULL || k->store == NULL ||
	    k->rule == NULL || (r->ticket != NULL && k->ticket == NULL) ?
	    NULL : k;
}

static int
take_step(struct telling *x, const struct record *rec)
{
	const struct record_approval *r = &rec->u.approval;
	struct known *k = find(x, r->id);
	struct taken *t = arena_alloc(x->a, sizeof(*t));

	if (k == NULL)
		k = begin(x, r);
	if (k == NULL || t == NULL)
		return ERR_MEMORY;
	*t = (struct taken){
		.step = keep(x, r->step), .by = keep(x, r->by),
		.source = keep(x, r->source), .auth = keep(x, r->auth),
		.why = r->why != NULL ? keep(x, r->why) : NULL,
		.at_ms = rec->time_ms, .seq = rec->seq,
	};
	if (t->step == NULL || t->by == NULL || t->source == NULL ||
	    t->auth == NULL || (r->why != NULL && t->why == NULL))
		return ERR_MEMORY;
	if (k->last != NULL)
		k->last->next = t;
	else
		k->first = t;
	k->last = t;
	return 0;
}

static int
on_record(void *arg, const struct record *r, struct bytes entry)
{
	struct telling *x = arg;
	struct known *k;
	size_t i;

	(void)entry;
	if (r->type == RECORD_APPROVAL && take_step(x, r) != 0)
		return why_set(&x->w, ERR_MEMORY, 0, 0, "out of memory, or "
		    "more than %d approvals", KNOWN_MAX);
	for (i = 0; r->type == RECORD_STATEMENT &&
	    i < r->u.statement.n_approvals; i++) {
		k = find(x, r->u.statement.approvals[i].id);
		if (k == NULL)
			continue;	/* sworn-verify doubts it */
		k->statements++;
		k->latest_ms = r->time_ms;
	}
	return 0;
}

static int
on_damage(void *arg, const char *what, const char *text)
{
	struct telling *x = arg;

	(void)what;
	return why_set(&x->w, ERR_CRYPTO, 0, 0, "%.200s: %s; nothing in it is "
	    "relied on, sworn-verify log tells all that is wrong", x->dir,
	    text);
}

/* ---- telling ---- */

static void
put_time(struct buf *out, const char *word, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	time_text(ms, text);
	buf_fmt(out, "%s%s", word, text);
}

static void
put_one(struct buf *out, const struct known *k)
{
	const struct taken *t;

	buf_fmt(out, "%s  %s at store %s: rule \"%s\"", k->id, k->principal,
	    k->store, k->rule);
	put_time(out, " until ", k->until_ms);
	if (k->ticket != NULL)
		buf_fmt(out, ", with ticket %s", k->ticket);
	if (k->glass)
		put_time(out, ", broken glass, to be reviewed by ",
		    k->review_ms);
	buf_u8(out, '\n');
	for (t = k->first; t != NULL; t = t->next) {
		put_time(out, "    ", t->at_ms);
		buf_fmt(out, "  %s by %s, from %s (%s), entry %" PRIu64,
		    t->step, t->by, t->source, t->auth, t->seq);
		if (t->why != NULL)
			buf_fmt(out, ": %s", t->why);
		buf_u8(out, '\n');
	}
	buf_fmt(out, "    %" PRIu64 " statements rest on it", k->statements);
	if (k->statements > 0)
		put_time(out, ", the last at ", k->latest_ms);
	buf_u8(out, '\n');
}

static json_t *
json_time(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms == 0)
		return json_null();
	time_text(ms, text);
	return json_string(text);
}

static json_t *
json_steps(const struct known *k)
{
	json_t *list = json_array();
	const struct taken *t;

	for (t = k->first; t != NULL; t = t->next)
		jsons_add(&list, json_pack("{s:s, s:s, s:o, s:s, s:s, s:s?, "
		    "s:I}", "step", t->step, "by", t->by, "time",
		    json_time(t->at_ms), "source", t->source, "auth", t->auth,
		    "why", t->why, "entry", (json_int_t)t->seq));
	return list;
}

static json_t *
json_one(const struct known *k)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b, s:o, s:o, s:o, "
	    "s:I, s:o}", "id", k->id, "principal", k->principal, "store",
	    k->store, "rule", k->rule, "ticket", k->ticket, "glass", k->glass,
	    "until", json_time(k->until_ms), "review", json_time(
	    k->review_ms), "steps", json_steps(k), "statements",
	    (json_int_t)k->statements, "latest_statement",
	    json_time(k->latest_ms));
}

static int
tell(const struct telling *x, bool json)
{
	json_t *list = json ? json_array() : NULL;
	struct buf out;
	size_t i;
	int r = 0;

	buf_init(&out, 0);
	for (i = 0; i < x->n; i++) {
		if (json)
			jsons_add(&list, json_one(&x->list[i]));
		else
			put_one(&out, &x->list[i]);
	}
	if (json)
		r = jsons_write(list, &out);
	else
		buf_fmt(&out, "%zu approvals in the log in %s\n", x->n,
		    x->dir);
	r = r != 0 || out.failed ? say_error(ERR_MEMORY) : say_out(&out);
	buf_done(&out);
	return r;
}

/* The key that was given, or the log's own: then it can only be whole. */
static int
find_key(struct telling *x, const char *text, struct note_key *ret)
{
	if (text == NULL)
		return logread_own_key(x->dir, ret, &x->w);
	return note_key_read(text, strlen(text), ret) == 0 ? 0 :
	    why_set(&x->w, ERR_FORMAT, 0, 0, "\"%.100s\" is no verifier key",
	    text);
}

int
approval_history(int argc, char **argv)
{
	struct telling x = {.dir = NULL};
	const char *key = NULL;
	bool json = false;
	const struct option_slot slots[] = {
		{"--log", &x.dir, NULL}, {"--key", &key, NULL},
		{"--json", NULL, &json}, {NULL, NULL, NULL},
	};
	struct logread l = {.n_keys = 1, .damage = on_damage,
	    .record = on_record};
	struct note_key k;
	int r;

	if ((r = options_read(argc, argv, slots, NULL, 0, usage)) != 0)
		return r;
	if (x.dir == NULL) {
		(void)fputs(usage, stderr);
		return 2;
	}
	l.dir = x.dir;
	l.keys = &k;
	l.arg = &x;
	if ((x.a = arena_new()) == NULL) {
		r = why_set(&x.w, ERR_MEMORY, 0, 0, "out of memory");
	} else if ((r = find_key(&x, key, &k)) == 0) {
		/* One that grows while it is read is read once more. */
		if ((r = logread(&l)) != 0) {
			arena_reset(x.a);
			x.n = 0;
			x.w.text[0] = 0;
			r = logread(&l);
		}
	}
	if (r != 0)
		(void)fprintf(stderr, "sworn: %s\n", x.w.text[0] != 0 ?
		    x.w.text : err_text(r));
	r = r != 0 ? 1 : tell(&x, json);
	free(x.list);
	arena_free(x.a);
	return r;
}
