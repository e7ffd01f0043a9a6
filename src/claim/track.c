/*
 * Sessions are counted twice: by their records here, and by the gateway in
 * each heartbeat and stop since its start. A heartbeat may be written while
 * a session's record is on its way, so only the last count before a start
 * or the end of the log decides; a session that was left out is missing
 * from all of them.
 */
#include "claim/track.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define BUCKETS 4096

struct count {
	uint64_t counted;	/* by the gateway, at the latest heartbeat */
	uint64_t seen;		/* by then, here */
	uint64_t now;		/* seen up to now */
	uint64_t equal_seq;	/* up to which all are accounted for */
	int64_t equal_ms;
};

struct track {
	struct track_hooks hooks;
	struct track_session *buckets[BUCKETS];
	uint64_t heartbeat_ms;
	bool any;
	bool booted;
	enum record_type before;
	bool rotated;			/* and since then the key was changed */
	uint64_t seq;
	int64_t time_ms;
	struct count opened, closed;
};

const char *
track_kind_text(enum track_kind k)
{
	switch (k) {
	case TRACK_DOWN:
		return "down";
	case TRACK_CRASH:
		return "crash";
	case TRACK_LAST:
		return "end";
	case TRACK_SILENCE:
		return "silence";
	case TRACK_START:
		return "start";
	case TRACK_BOOT:
		return "boot";
	case TRACK_SESSION:
		return "session";
	case TRACK_COUNTER:
		return "counter";
	}
	return "gap";
}

struct track *
track_new(const struct track_hooks *hooks)
{
	struct track *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->hooks = *hooks;
	return t;
}

static void
session_free(struct track_session *s)
{
	if (s != NULL)
		free(s->id);
	free(s);
}

void
track_free(struct track *t)
{
	struct track_session *s;
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < BUCKETS; i++) {
		while ((s = t->buckets[i]) != NULL) {
			t->buckets[i] = s->next;
			session_free(s);
		}
	}
	free(t);
}

static struct track_session **
bucket_of(struct track *t, const char *id)
{
	uint32_t h = 2166136261u;	/* FNV-1a */

	for (; *id != 0; id++)
		h = (h ^ (uint8_t)*id) * 16777619u;
	return &t->buckets[h % BUCKETS];
}

static struct track_session **
find(struct track *t, const char *id)
{
	struct track_session **p = bucket_of(t, id);

	while (*p != NULL && strcmp((*p)->id, id) != 0)
		p = &(*p)->next;
	return p;
}

struct track_session *
track_find(struct track *t, const char *id)
{
	return *find(t, id);
}

static int gap(struct track *, enum track_kind, uint64_t, int64_t, int64_t,
    const char *, ...) __attribute__((format(printf, 6, 7)));

static int
gap(struct track *t, enum track_kind kind, uint64_t seq, int64_t from_ms,
    int64_t to_ms, const char *fmt, ...)
{
	struct track_gap g = {kind, seq, from_ms, to_ms, NULL};
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	g.text = text;
	return t->hooks.gap(t->hooks.arg, &g);
}

static int
end_session(struct track *t, struct track_session **at, enum track_end how,
    const struct record *r)
{
	struct track_session *s = *at;
	int e = 0;

	*at = s->next;
	if (t->hooks.ended != NULL)
		e = t->hooks.ended(t->hooks.arg, s, how, r);
	session_free(s);
	return e;
}

static int
end_all(struct track *t, enum track_end how, const struct record *r)
{
	size_t i;
	int e;

	for (i = 0; i < BUCKETS; i++)
		while (t->buckets[i] != NULL)
			if ((e = end_session(t, &t->buckets[i], how, r)) != 0)
				return e;
	return 0;
}

/*
 * What the gateway counted more than the log has, at its last count. More in
 * the log than counted is nothing missing: a record whose answer was lost.
 */
static int
settle(struct track *t, const struct count *c, uint64_t seen, const char *what)
{
	uint64_t more;

	if (c->counted <= seen)
		return 0;
	more = c->counted - seen;
	return gap(t, TRACK_COUNTER, c->equal_seq, c->equal_ms, t->time_ms,
	    "%" PRIu64 " %s missing: the gateway counted %" PRIu64
	    " since its start and the log has %" PRIu64
	    ", and they went missing after entry %" PRIu64, more, what,
	    c->counted, seen, c->equal_seq);
}

static int
settle_all(struct track *t)
{
	int e;

	if ((e = settle(t, &t->opened, t->opened.seen, "sessions are")) != 0)
		return e;
	/* An end is counted before its record is written. */
	return settle(t, &t->closed, t->closed.now, "ends of sessions are");
}

static void
note_count(struct count *c, uint64_t counted, const struct record *r)
{
	c->counted = counted;
	c->seen = c->now;
	if (counted == c->now) {
		c->equal_seq = r->seq;
		c->equal_ms = r->time_ms;
	}
}

static void
reset_count(struct count *c, const struct record *r)
{
	memset(c, 0, sizeof(*c));
	c->equal_seq = r->seq;
	c->equal_ms = r->time_ms;
}

/*
 * Sessions that are open. begun: only those that went beyond their first
 * record, since one whose first record got no answer never began.
 */
static size_t
count_open(const struct track *t, bool begun)
{
	const struct track_session *s;
	size_t n = 0, i;

	for (i = 0; i < BUCKETS; i++)
		for (s = t->buckets[i]; s != NULL; s = s->next)
			n += !begun || s->n > 0;
	return n;
}

static int
boot_after(struct track *t, const struct record *r)
{
	bool clean = t->before == RECORD_STOP || t->before == RECORD_GENESIS;
	size_t open = count_open(t, clean);
	int e;

	if (r->u.boot.last + 1 != r->seq || (r->u.boot.clean != clean &&
	    t->before != RECORD_GENESIS))
		if ((e = gap(t, TRACK_BOOT, r->seq, t->time_ms, r->time_ms,
		    "the gateway started (entry %" PRIu64 ") knowing entry %"
		    PRIu64 " as the last and %s stop before it, and the log "
		    "says otherwise", r->seq, r->u.boot.last,
		    r->u.boot.clean ? "a" : "no")) != 0)
			return e;
	if (t->before == RECORD_GENESIS)
		return 0;
	if (!clean)
		return gap(t, TRACK_CRASH, r->seq, t->time_ms, r->time_ms,
		    "the gateway ended without a stop and started again at "
		    "entry %" PRIu64 "; %zu sessions that were open ended "
		    "with it", r->seq, open);
	if (open > 0 && (e = gap(t, TRACK_SESSION, r->seq, t->time_ms,
	    r->time_ms, "%zu sessions have no end although the gateway "
	    "stopped in order before entry %" PRIu64, open, r->seq)) != 0)
		return e;
	return gap(t, TRACK_DOWN, r->seq, t->time_ms, r->time_ms,
	    "the gateway was stopped until entry %" PRIu64, r->seq);
}

static int
on_boot(struct track *t, const struct record *r)
{
	int e;

	if ((e = settle_all(t)) != 0 || (e = boot_after(t, r)) != 0 ||
	    (e = end_all(t, TRACK_CRASHED, r)) != 0)
		return e;
	reset_count(&t->opened, r);
	reset_count(&t->closed, r);
	t->heartbeat_ms = r->u.boot.heartbeat_ms;
	t->booted = true;
	if (t->heartbeat_ms > TRACK_HEARTBEAT_MAX_MS) {
		t->heartbeat_ms = TRACK_HEARTBEAT_MAX_MS;
		return gap(t, TRACK_SILENCE, r->seq, r->time_ms, INT64_MAX,
		    "from entry %" PRIu64 " on the gateway promised a "
		    "heartbeat less than once an hour", r->seq);
	}
	return 0;
}

static int
on_session(struct track *t, const struct record *r)
{
	const struct record_session *in = &r->u.session;
	struct track_session *s, **at = find(t, in->session);

	t->opened.now++;
	if (*at != NULL)
		return gap(t, TRACK_SESSION, r->seq, r->time_ms, r->time_ms,
		    "session %s opens twice, at entries %" PRIu64 " and %"
		    PRIu64, in->session, (*at)->seq, r->seq);
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->id = strdup(in->session)) == NULL) {
		session_free(s);
		return ERR_MEMORY;
	}
	s->seq = r->seq;
	s->n = in->n;
	s->opened_ms = s->latest_ms = r->time_ms;
	*at = s;
	if (in->n != 0)
		return gap(t, TRACK_SESSION, r->seq, r->time_ms, r->time_ms,
		    "session %s begins with its record %" PRIu64
		    " (entry %" PRIu64 "), not with 0", in->session, in->n,
		    r->seq);
	return 0;
}

/* Session and counter of a record within a session; NULL: it is in none. */
static const char *
session_of(const struct record *r, uint64_t *n)
{
	switch (r->type) {
	case RECORD_BACKEND:
		*n = r->u.backend.n;
		return r->u.backend.session;
	case RECORD_CLEARANCE:
		*n = r->u.session.n;
		return r->u.session.session;
	case RECORD_STATEMENT:
		*n = r->u.statement.n;
		return r->u.statement.session;
	case RECORD_RESULT:
		*n = r->u.result.n;
		return r->u.result.session;
	case RECORD_DENIAL:
		*n = r->u.denial.n;
		return r->u.denial.session;
	case RECORD_CLOSE:
		*n = r->u.close.n;
		return r->u.close.session;
	case RECORD_SUBJECTS:
		*n = r->u.more.n;
		return r->u.more.session;
	case RECORD_NONE:
	case RECORD_GENESIS:
	case RECORD_BOOT:
	case RECORD_STOP:
	case RECORD_OBJECT:
	case RECORD_STORE:
	case RECORD_SESSION:
	case RECORD_LOGIN_FAILURE:
	case RECORD_HEARTBEAT:
	case RECORD_IN_FORCE:
	case RECORD_ASKED:
	case RECORD_ROTATION:
	case RECORD_DRIFT:
	case RECORD_RECONCILED:
	case RECORD_APPROVAL:
		break;
	}
	return NULL;
}

static int
in_session(struct track *t, const struct record *r, const char *id,
    uint64_t n)
{
	struct track_session **at = find(t, id), *s = *at;
	int e = 0;

	if (s == NULL) {
		/* A session refused at once is a denial and nothing else. */
		if (r->type == RECORD_DENIAL && n == 0)
			return 0;
		if (r->type == RECORD_CLOSE)
			t->closed.now++;
		return gap(t, TRACK_SESSION, r->seq, INT64_MIN, r->time_ms,
		    "entry %" PRIu64 " is record %" PRIu64 " of session %s, "
		    "whose opening is not in the log", r->seq, n, id);
	}
	/* A close repeats the number of a record whose answer was lost. */
	if (n != s->n + 1 && (r->type != RECORD_CLOSE || n != s->n))
		e = gap(t, TRACK_SESSION, r->seq, s->latest_ms, r->time_ms,
		    "session %s goes from its record %" PRIu64 " to %" PRIu64
		    " at entry %" PRIu64, id, s->n, n, r->seq);
	if (e != 0)
		return e;
	s->n = n;
	s->latest_ms = r->time_ms;
	if (r->type != RECORD_CLOSE)
		return 0;
	t->closed.now++;
	return end_session(t, at, TRACK_CLOSED, r);
}

static int
first_record(struct track *t, const struct record *r)
{
	reset_count(&t->opened, r);
	reset_count(&t->closed, r);
	if (r->type == RECORD_GENESIS)
		return 0;
	return gap(t, TRACK_START, r->seq, INT64_MIN, r->time_ms,
	    "the log does not begin with a genesis record");
}

static int
check_silence(struct track *t, const struct record *r)
{
	int64_t limit = (int64_t)track_silence_ms(t->heartbeat_ms);

	if (!t->booted || r->time_ms - t->time_ms <= limit ||
	    (t->before == RECORD_STOP && r->type == RECORD_BOOT) ||
	    r->type == RECORD_ROTATION)
		return 0;
	return gap(t, TRACK_SILENCE, r->seq, t->time_ms, r->time_ms,
	    "nothing was recorded between entries %" PRIu64 " and %" PRIu64
	    " for %" PRId64 " ms, and the gateway had promised a heartbeat "
	    "every %" PRIu64 " ms", t->seq, r->seq, r->time_ms - t->time_ms,
	    t->heartbeat_ms);
}

/* Keys are changed while no gateway runs. */
static int
on_rotation(struct track *t, const struct record *r)
{
	if (r->u.rotation.clean == (t->before == RECORD_STOP))
		return 0;
	return gap(t, TRACK_BOOT, r->seq, t->time_ms, r->time_ms, "the log's "
	    "key was changed (entry %" PRIu64 ") after %s stop, and the log "
	    "says otherwise", r->seq, r->u.rotation.clean ? "a" : "no");
}

static int
check_start(struct track *t, const struct record *r)
{
	if (!t->any)
		return first_record(t, r);
	if (r->type == RECORD_GENESIS)
		return gap(t, TRACK_START, r->seq, t->time_ms, r->time_ms,
		    "entry %" PRIu64 " is a second genesis record", r->seq);
	if (r->type == RECORD_ROTATION)
		return on_rotation(t, r);
	if (!t->booted && r->type != RECORD_BOOT)
		return gap(t, TRACK_START, r->seq, t->time_ms, r->time_ms,
		    "entry %" PRIu64 " stands before any start of the gateway",
		    r->seq);
	if ((t->before == RECORD_STOP || t->rotated) &&
	    r->type != RECORD_BOOT)
		return gap(t, TRACK_BOOT, r->seq, t->time_ms, r->time_ms,
		    "entry %" PRIu64 " follows a %s without a start",
		    r->seq, t->rotated ? "change of key" : "stop");
	return 0;
}

static int
step(struct track *t, const struct record *r)
{
	const char *id;
	uint64_t n = 0;

	if ((id = session_of(r, &n)) != NULL)
		return in_session(t, r, id, n);
	if (r->type == RECORD_BOOT)
		return on_boot(t, r);
	if (r->type == RECORD_SESSION)
		return on_session(t, r);
	if (r->type == RECORD_STOP) {
		note_count(&t->opened, r->u.stop.opened, r);
		note_count(&t->closed, r->u.stop.closed, r);
	}
	if (r->type == RECORD_HEARTBEAT) {
		note_count(&t->opened, r->u.heartbeat.opened, r);
		note_count(&t->closed, r->u.heartbeat.closed, r);
	}
	return 0;
}

int
track_record(struct track *t, const struct record *r)
{
	int e;

	if ((e = check_start(t, r)) != 0 || (e = check_silence(t, r)) != 0 ||
	    (e = step(t, r)) != 0)
		return e;
	t->any = true;
	t->seq = r->seq;
	/* It ends no standstill: what was before it still is. */
	t->rotated = r->type == RECORD_ROTATION;
	if (t->rotated)
		return 0;
	t->before = r->type;
	t->time_ms = r->time_ms;
	return 0;
}

void
track_each(struct track *t, int (*fn)(void *arg, struct track_session *s,
    enum track_end how, const struct record *r), void *arg)
{
	struct track_session *s;
	size_t i;

	for (i = 0; t != NULL && i < BUCKETS; i++)
		for (s = t->buckets[i]; s != NULL; s = s->next)
			(void)fn(arg, s, TRACK_OPEN, NULL); /* as declared */
}

/* A stop is the last record of whoever ended in order. Without it nothing
 * tells whether there is more: it goes on, or its end was lost or cut off. */
static int
tell_end(struct track *t)
{
	if (!t->booted)
		return 0;
	if (t->before == RECORD_STOP)
		return gap(t, TRACK_LAST, t->seq, t->time_ms, t->time_ms,
		    "the log ends in order: the gateway stopped, and has not "
		    "started since (entry %" PRIu64 " is the last)", t->seq);
	return gap(t, TRACK_LAST, t->seq, t->time_ms, t->time_ms, "the log "
	    "ends without a stop (entry %" PRIu64 " is the last): the gateway "
	    "was running then, or ended out of order", t->seq);
}

int
track_end(struct track *t)
{
	int e;

	if ((e = settle_all(t)) != 0 ||
	    (e = end_all(t, TRACK_OPEN, NULL)) != 0)
		return e;
	return tell_end(t);
}
