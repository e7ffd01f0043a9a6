/*
 * The gateways' logs are read first, so that the store's lines can be told at
 * once: which tables are guarded, which sessions there were. Statements are
 * counted by the store's own name of a session, and come to a session of a
 * gateway with the login that both have.
 *
 * What the store ran at least (runs of one text behind one another counted
 * once, since one message may hold several statements of one text) must not
 * be more than what was recorded, and one: an exact statement is run before
 * its record, and has none if nobody waited for its answer. And what was
 * recorded as answered must not be more than what the store ran at most.
 * Sessions are compared that began in the period and have their close.
 */
#include "claim/reconcile.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "claim/claim.h"
#include "claim/lines.h"
#include "claim/logins.h"
#include "claim/pgaudit.h"
#include "claim/pglog.h"
#include "crypto/hash.h"

#define BUCKETS 65536
#define NAMES_MAX 65536
#define FAR_MS ((int64_t)1 << 60)	/* beyond all times */

/* A session as a gateway recorded it. */
struct session {
	struct session *next;
	const char *id;
	const char *gateway;
	const char *principal;
	uint64_t seq;
	bool person;
	uint64_t recorded;		/* statements that may read */
	uint64_t answered;		/* SELECTs that gave rows */
	uint64_t *waiting;		/* SELECTs without their result */
	size_t n_waiting, cap_waiting;
	int64_t opened_ms;
	bool closed;
	bool met;			/* one of its logins is the store's */
	uint64_t least, most;		/* run, by the store */
};

/* The same by the store's own name. */
struct run {
	struct run *next;
	uint64_t session;
	uint64_t statement;		/* the last one counted */
	uint8_t text[HASH_LEN];		/* of it */
	uint64_t least, most;
};

struct names {
	const char **s;
	size_t n, cap;
};

struct reconcile {
	struct reconcile_settings settings;
	struct arena *arena;		/* lives as long */
	struct arena *scratch;		/* a line's own */
	struct logins *logins;
	struct session *sessions[BUCKETS];	/* of the log being read */
	struct session *all;
	struct run *runs[BUCKETS];
	struct names tables;		/* guarded ones */
	struct names roles, hosts;	/* of the gateway, as the store saw */
	struct record_log_read *logs;
	size_t n_logs;
	const char *gateway;
	uint64_t entries;
	int64_t last_ms;		/* the earliest end of a log */
	int64_t log_ms;
	bool audited;			/* a line of pgaudit names a table */
	int (*finding)(void *, const char *, const char *);
	void *arg;
	struct record_reconciled *ret;
};

static int on_line(void *, const struct pglog_line *);

struct reconcile *
reconcile_new(const struct reconcile_settings *s)
{
	struct reconcile *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->settings = *s;
	r->last_ms = INT64_MAX;
	r->arena = arena_new();
	r->scratch = arena_new();
	r->logins = logins_new(s->store, s->from_ms,
	    s->to_ms == 0 ? FAR_MS : s->to_ms);
	if (r->arena == NULL || r->scratch == NULL || r->logins == NULL) {
		reconcile_free(r);
		return NULL;
	}
	if (s->pgaudit)
		logins_also(r->logins, on_line, r);
	return r;
}

void
reconcile_free(struct reconcile *r)
{
	struct session *s;
	struct run *u;
	size_t i;

	if (r == NULL)
		return;
	while ((s = r->all) != NULL) {
		r->all = s->next;
		free(s->waiting);
		free(s);
	}
	for (i = 0; i < BUCKETS; i++) {
		while ((s = r->sessions[i]) != NULL) {
			r->sessions[i] = s->next;
			free(s->waiting);
			free(s);
		}
		while ((u = r->runs[i]) != NULL) {
			r->runs[i] = u->next;
			free(u);
		}
	}
	free(r->tables.s);
	free(r->roles.s);
	free(r->hosts.s);
	free(r->logs);
	logins_free(r->logins);
	arena_free(r->scratch);
	arena_free(r->arena);
	free(r);
}

struct logins *
reconcile_logins(struct reconcile *r)
{
	return r->logins;
}

static bool
names_have(const struct names *n, const char *s)
{
	const struct record_strs l = {n->s, n->n};

	return strs_have(&l, s);
}

static int
names_add(struct reconcile *r, struct names *n, const char *s)
{
	const char **p;
	size_t cap;

	if (names_have(n, s))
		return 0;
	if (n->n == NAMES_MAX)
		return ERR_LIMIT;
	if (n->n == n->cap) {
		cap = n->cap == 0 ? 32 : n->cap * 2;
		if ((p = realloc(n->s, cap * sizeof(*p))) == NULL)
			return ERR_MEMORY;
		n->s = p;
		n->cap = cap;
	}
	if ((n->s[n->n] = arena_str(r->arena, s)) == NULL)
		return ERR_MEMORY;
	n->n++;
	return 0;
}

/* ---- what the gateways recorded ---- */

static struct session **
place(struct reconcile *r, const char *id)
{
	uint32_t h = 2166136261u;	/* FNV-1a */

	for (; *id != 0; id++)
		h = (h ^ (uint8_t)*id) * 16777619u;
	return &r->sessions[h % BUCKETS];
}

static struct session *
find(struct reconcile *r, const char *id)
{
	struct session *s = *place(r, id);

	while (s != NULL && strcmp(s->id, id) != 0)
		s = s->next;
	return s;
}

static int
guarded(struct reconcile *r, const struct record_bound *b)
{
	size_t i;
	int e;

	for (i = 0; i < b->n; i++)
		if ((e = names_add(r, &r->tables, b->tables[i].table)) != 0)
			return e;
	return 0;
}

static int
on_session(struct reconcile *r, const struct record *rec)
{
	const struct record_session *in = &rec->u.session;
	struct session *s, **at = place(r, in->session);

	if (strcmp(in->store, r->settings.store) != 0)
		return 0;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return ERR_MEMORY;
	s->id = arena_str(r->arena, in->session);
	s->principal = arena_str(r->arena, in->principal);
	s->gateway = r->gateway;
	if (s->id == NULL || s->principal == NULL) {
		free(s);
		return ERR_MEMORY;
	}
	s->seq = rec->seq;
	s->opened_ms = rec->time_ms;
	s->person = strcmp(in->kind, "person") == 0;
	s->next = *at;
	*at = s;
	return guarded(r, &in->bound);
}

static int
wait_for(struct session *s, uint64_t n)
{
	uint64_t *p;
	size_t cap;

	if (s->n_waiting == s->cap_waiting) {
		cap = s->cap_waiting == 0 ? 4 : s->cap_waiting * 2;
		if ((p = realloc(s->waiting, cap * sizeof(*p))) == NULL)
			return ERR_MEMORY;
		s->waiting = p;
		s->cap_waiting = cap;
	}
	s->waiting[s->n_waiting++] = n;
	return 0;
}

static int
on_statement(struct reconcile *r, const struct record_statement *t)
{
	struct session *s = find(r, t->session);

	if (s == NULL)
		return 0;
	s->recorded++;
	/* What cannot be told, or does not read, need not have run. */
	if (t->whole || t->bound.n == 0 || strcmp(t->what, "SELECT") != 0)
		return 0;
	return wait_for(s, t->n);
}

static void
on_result(struct reconcile *r, const struct record_result *t)
{
	struct session *s = find(r, t->session);
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n_waiting; i++)
		if (s->waiting[i] == t->of)
			break;
	if (i == s->n_waiting)
		return;
	s->waiting[i] = s->waiting[--s->n_waiting];
	s->answered += t->rows > 0 && strcmp(t->sqlstate, "00000") == 0;
}

static int
on_backend(struct reconcile *r, const struct record *rec)
{
	const struct record_backend *b = &rec->u.backend;
	struct session *s = find(r, b->session);
	int e;

	if (s == NULL)
		return 0;
	if ((e = names_add(r, &r->roles, b->role)) != 0)
		return e;
	return logins_backend(r->logins, r->gateway, rec->seq, rec->time_ms,
	    b->role, b->pid, s);
}

/* A look at the store for drift is a login of the gateway, of no session. */
static int
on_drift(struct reconcile *r, const struct record *rec)
{
	const struct record_drift *d = &rec->u.drift;
	int e;

	if (d->pid == 0 || strcmp(d->store, r->settings.store) != 0)
		return 0;
	if ((e = names_add(r, &r->roles, d->role)) != 0)
		return e;
	return logins_backend(r->logins, r->gateway, rec->seq, rec->time_ms,
	    d->role, (uint32_t)d->pid, NULL);
}

int
reconcile_record(struct reconcile *r, const struct record *rec)
{
	struct session *s;

	if (r->gateway == NULL &&
	    (r->gateway = arena_str(r->arena, rec->gateway)) == NULL)
		return ERR_MEMORY;
	r->entries++;
	r->log_ms = rec->time_ms;
	if (rec->type == RECORD_SESSION)
		return on_session(r, rec);
	if (rec->type == RECORD_CLEARANCE)
		return find(r, rec->u.session.session) == NULL ? 0 :
		    guarded(r, &rec->u.session.bound);
	if (rec->type == RECORD_BACKEND)
		return on_backend(r, rec);
	if (rec->type == RECORD_DRIFT)
		return on_drift(r, rec);
	if (rec->type == RECORD_STATEMENT)
		return on_statement(r, &rec->u.statement);
	if (rec->type == RECORD_RESULT)
		on_result(r, &rec->u.result);
	if (rec->type == RECORD_CLOSE &&
	    (s = find(r, rec->u.close.session)) != NULL)
		s->closed = true;
	return 0;
}

/* Its sessions are found by their logins from here on. */
int
reconcile_log_end(struct reconcile *r)
{
	struct record_log_read *p;
	struct session *s;
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		while ((s = r->sessions[i]) != NULL) {
			r->sessions[i] = s->next;
			s->next = r->all;
			r->all = s;
		}
	}
	if (r->gateway == NULL)
		return 0;
	if ((p = realloc(r->logs, (r->n_logs + 1) * sizeof(*p))) == NULL)
		return ERR_MEMORY;
	r->logs = p;
	r->logs[r->n_logs++] = (struct record_log_read){r->gateway,
	    r->entries};
	if (r->log_ms < r->last_ms)
		r->last_ms = r->log_ms;
	r->gateway = NULL;
	r->entries = 0;
	return 0;
}

/* ---- what the store wrote ---- */

/* public."Users" as the catalog says it: public.Users. */
static int
unquoted(struct arena *a, const char *name, const char **ret)
{
	char *to = arena_str(a, name);
	size_t n = 0;
	bool in = false;

	if (to == NULL)
		return ERR_MEMORY;
	for (; *name != 0; name++) {
		if (*name != '"')
			to[n++] = *name;
		else if (in && name[1] == '"')
			to[n++] = *name++;
		else
			in = !in;
	}
	to[n] = 0;
	*ret = to;
	return 0;
}

static struct run *
run_of(struct reconcile *r, uint64_t session)
{
	struct run *u, **at = &r->runs[((session * 0x9e3779b97f4a7c15u) >>
	    40) % BUCKETS];

	for (u = *at; u != NULL; u = u->next)
		if (u->session == session)
			return u;
	if ((u = calloc(1, sizeof(*u))) == NULL)
		return NULL;
	u->session = session;
	u->next = *at;
	*at = u;
	return u;
}

/* A line of a statement that reads a guarded table; it may have several. */
static int
count_run(struct reconcile *r, uint64_t session, const struct pgaudit *a)
{
	uint8_t text[HASH_LEN];
	struct run *u;
	bool again;
	int e;

	if ((u = run_of(r, session)) == NULL)
		return ERR_MEMORY;
	if (u->most > 0 && u->statement == a->statement)
		return 0;
	if ((e = hash_sha256(a->text, strlen(a->text), text)) != 0)
		return e;
	again = u->most > 0 && u->statement + 1 == a->statement &&
	    memcmp(u->text, text, HASH_LEN) == 0;
	u->least += !again;
	u->most++;
	u->statement = a->statement;
	memcpy(u->text, text, HASH_LEN);
	return 0;
}

static int
on_line(void *arg, const struct pglog_line *line)
{
	struct reconcile *r = arg;
	const char *table;
	struct pgaudit a;
	bool is;
	int e;

	arena_reset(r->scratch);
	if ((e = pgaudit_read(line->message, r->scratch, &is, &a)) != 0 ||
	    !is || a.object[0] == 0)
		return e;
	r->audited = true;
	if ((e = unquoted(r->scratch, a.object, &table)) != 0 ||
	    !names_have(&r->tables, table))
		return e;
	return count_run(r, line->session, &a);
}

/* ---- the outcome ---- */

static int tell(struct reconcile *, const char *, uint64_t *, const char *,
    ...) __attribute__((format(printf, 4, 5)));

static int
tell(struct reconcile *r, const char *what, uint64_t *count, const char *fmt,
    ...)
{
	char text[768];
	va_list ap;

	(*count)++;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	return r->finding(r->arg, what, text);
}

/* "127.0.0.1:5432" without its port. */
static const char *
host_of(struct reconcile *r, const char *from)
{
	const char *colon = strrchr(from, ':');

	return colon == NULL ? from :
	    arena_strn(r->scratch, from, (size_t)(colon - from));
}

static int
on_pair(void *arg, const struct logins_pair *p)
{
	struct reconcile *r = arg;
	struct session *s = p->whose;
	const struct run *u = run_of(r, p->session);
	const char *host = host_of(r, p->from);

	if (u == NULL || host == NULL)
		return ERR_MEMORY;
	if (s != NULL) {
		s->met = true;
		s->least += u->least;
		s->most += u->most;
	}
	return names_add(r, &r->hosts, host);
}

static int
on_login(void *arg, const struct logins_doubt *d)
{
	struct reconcile *r = arg;
	char at[TIME_TEXT_MAX];
	const char *host;

	arena_reset(r->scratch);
	time_text(d->time_ms, at);
	if (!d->around)
		return tell(r, "absent", &r->ret->absent, "the store's log "
		    "lacks the login of %s at %s (process %" PRIu32 ") that "
		    "entry %" PRIu64 " of %s has", d->user, at, d->pid,
		    d->seq, d->gateway);
	if ((host = host_of(r, d->from)) == NULL)
		return ERR_MEMORY;
	if (names_have(&r->roles, d->user) && names_have(&r->hosts, host))
		return tell(r, "unrecorded", &r->ret->unrecorded, "a login as "
		    "%s, which the gateway uses, from its machine (%s) at %s "
		    "is in no record (database %s, process %" PRIu32 ")",
		    d->user, d->from, at, d->database, d->pid);
	return tell(r, "around", &r->ret->around, "user %s logged in from %s "
	    "at %s (database %s, process %" PRIu32 "), not by the gateway",
	    d->user, d->from[0] != 0 ? d->from : "the store's own machine",
	    at, d->database, d->pid);
}

static int
on_gap(void *arg, const struct lines_gap *g)
{
	struct reconcile *r = arg;
	char at[TIME_TEXT_MAX];

	time_text(g->began_ms, at);
	return tell(r, "gap", &r->ret->gaps, "the store's log lacks lines %"
	    PRIu64 " to %" PRIu64 " of process %" PRIu32 ", which began at %s",
	    g->from, g->to, g->pid, at);
}

static int
tell_ends(struct reconcile *r, const struct logins_summary *sum)
{
	char first[TIME_TEXT_MAX];

	if (!sum->any)
		return tell(r, "gap", &r->ret->gaps, "the store's log has no "
		    "line");
	if (sum->first_ms <= r->ret->from_ms)
		return 0;
	time_text(sum->first_ms, first);
	return tell(r, "gap", &r->ret->gaps, "the store's log begins at %s, "
	    "after the period does", first);
}

static bool
is_comparable(const struct reconcile *r, const struct session *s)
{
	return s->met && s->person && s->closed &&
	    s->opened_ms >= r->ret->from_ms && s->opened_ms <= r->ret->to_ms;
}

static int
compare_session(struct reconcile *r, const struct session *s)
{
	if (!is_comparable(r, s))
		return 0;
	r->ret->executed += s->least;
	r->ret->statements += s->recorded;
	if (s->least > s->recorded + 1)
		return tell(r, "differ", &r->ret->differ, "session %s of %s "
		    "(entry %" PRIu64 " of %s): the store ran %" PRIu64
		    " statements on guarded tables, and %" PRIu64 " are "
		    "recorded", s->id, s->principal, s->seq, s->gateway,
		    s->least, s->recorded);
	if (s->answered > s->most)
		return tell(r, "differ", &r->ret->differ, "session %s of %s "
		    "(entry %" PRIu64 " of %s): %" PRIu64 " statements are "
		    "recorded with rows that came, and the store's log has %"
		    PRIu64, s->id, s->principal, s->seq, s->gateway,
		    s->answered, s->most);
	return 0;
}

static int
compare(struct reconcile *r)
{
	const struct session *s;
	uint64_t recorded = 0;
	int e;

	if (!r->settings.pgaudit)
		return 0;
	for (s = r->all; s != NULL; s = s->next)
		if (is_comparable(r, s))
			recorded += s->answered;
	if (recorded > 0 && !r->audited)
		return tell(r, "gap", &r->ret->gaps, "no line of pgaudit "
		    "names a table, so statements cannot be compared: set "
		    "pgaudit.log = 'read, write' and pgaudit.log_relation = "
		    "on");
	r->ret->compared = true;
	for (s = r->all; s != NULL; s = s->next)
		if ((e = compare_session(r, s)) != 0)
			return e;
	return 0;
}

/* What was not said follows from what was read. */
static void
settle_period(struct reconcile *r)
{
	struct record_reconciled *ret = r->ret;
	int64_t first_ms = 0, last_ms = 0;

	ret->from_ms = r->settings.from_ms;
	ret->to_ms = r->settings.to_ms;
	if (ret->from_ms == 0 && logins_times(r->logins, &first_ms, &last_ms))
		ret->from_ms = first_ms;
	if (ret->to_ms == 0 && r->n_logs > 0)
		ret->to_ms = r->last_ms - LOGINS_SLACK_MS;
	if (ret->from_ms == 0)
		ret->from_ms = ret->to_ms;
	if (ret->to_ms < ret->from_ms)
		ret->to_ms = ret->from_ms;
	logins_period(r->logins, ret->from_ms, ret->to_ms);
}

int
reconcile_end(struct reconcile *r,
    int (*finding)(void *arg, const char *what, const char *text), void *arg,
    struct record_reconciled *ret)
{
	struct logins_summary sum;
	int e;

	memset(ret, 0, sizeof(*ret));
	ret->store = r->settings.store;
	ret->source = r->settings.pgaudit ? "pgaudit" : "pg-log";
	ret->gateways = r->logs;
	ret->n_gateways = r->n_logs;
	r->ret = ret;
	r->finding = finding;
	r->arg = arg;
	settle_period(r);
	arena_reset(r->scratch);
	if ((e = logins_pairs(r->logins, on_pair, r)) != 0 ||
	    (e = logins_match(r->logins, on_login, r, &sum)) != 0 ||
	    (e = tell_ends(r, &sum)) != 0 ||
	    (e = logins_gaps(r->logins, on_gap, r)) != 0 ||
	    (e = compare(r)) != 0)
		return e;
	ret->first_ms = sum.first_ms;
	ret->last_ms = sum.last_ms;
	ret->logins = sum.theirs;
	ret->recorded = sum.ours;
	ret->matched = sum.matched;
	return 0;
}
