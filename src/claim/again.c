/*
 * Was what a session was decided by still what decides? Sessions are decided
 * again here by the recorded texts, each by those in effect for it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "claim/approvals.h"
#include "claim/recheck.h"
#include "claim/state.h"
#include "policy/policy.h"

#define DECIDED_GRACE_MS 60000	/* from deciding to the record, at most */

const struct record *
again_effective(const struct state_session *s)
{
	return s->clearance.type != RECORD_NONE ? &s->clearance : &s->rec;
}

/* As it was when the session was decided: a later record of the store counts
 * for those that were decided after it. */
static const struct record_store *
store_of(const struct state_session *s)
{
	return s->store != NULL ? &s->store->rec : NULL;
}

void
again_take_store(struct verdict *v, struct state_session *s)
{
	struct state_store *now;

	now = state_store_find(v->log, s->rec.u.session.store);
	(void)state_store_ref(now);
	state_store_unref(s->store);
	s->store = now;
}

struct match_context
again_context(struct verdict *v, const struct state_session *s)
{
	const struct record_store *st = store_of(s);
	struct match_context x = {NULL, false, NULL};
	const char *why;

	/* A later store or clearance record may have been left out, and what
	 * this would say be true no more. */
	if (v->partial)
		return x;
	if (st != NULL && objects_catalog(v->objects, st->catalog,
	    &x.catalog, &why) != 0)
		x.catalog = NULL;	/* recheck says so */
	x.empty_is_closed = !s->service &&
	    strcmp(again_effective(s)->u.session.mode, "enforce") == 0;
	return x;
}

static int
named(struct verdict *v, const char *kind, const char *sha256,
    struct state_texts *t)
{
	const char *key = arena_fmt(v->scratch, "%s %s %s", v->log->gateway,
	    kind, sha256);

	if (key == NULL)
		return ERR_MEMORY;
	if (!state_texts_have(&v->objects_named, key))
		return state_doubt(v, "object", v->log->gateway, NULL,
		    "%s: the %s %s was used and no record says when it took "
		    "effect", v->log->gateway, kind,
		    sha256[0] != 0 ? sha256 : "(none)");
	return state_text_add(v, t, sha256);
}

static int
named_all(struct verdict *v, const struct state_session *s)
{
	const struct record_session *c = &again_effective(s)->u.session;
	const struct record_store *st = store_of(s);
	int e;

	if ((e = named(v, "directory", c->directory, &v->directories)) != 0 ||
	    (e = named(v, "policy", c->policy, &v->policies)) != 0 ||
	    st == NULL)
		return e;
	return named(v, "catalog", st->catalog, &v->catalogs);
}

static int
on_doubt(void *arg, const char *what, const char *text)
{
	struct verdict *v = arg;

	if (strcmp(what, "object") == 0)
		return state_doubt(v, what, NULL, NULL, "%s", text);
	return state_doubt(v, what, v->log->gateway, NULL, "%s: %s",
	    v->log->gateway, text);
}

/*
 * When it was decided. A record that waited a little for its place is decided
 * as of before it; one that says much earlier wants to be judged by facts
 * that are no more.
 */
int64_t
again_decided_ms(const struct record *r)
{
	int64_t said = r->u.session.decided_ms;

	return said == 0 || said > r->time_ms ||
	    said < r->time_ms - DECIDED_GRACE_MS ? r->time_ms : said;
}

static struct recheck
recheck_of(struct verdict *v, const struct state_session *s)
{
	struct recheck x = {
		.objects = v->objects, .arg = v, .doubt = on_doubt,
		.arena = v->scratch, .session = &s->facts,
		.seq = s->rec.seq, .at_ms = again_decided_ms(again_effective(s)),
		.store = store_of(s),
	};

	return x;
}

/*
 * Whether a statement may be under what the session was decided by: nothing
 * else was put in force since, and nothing turned that decides otherwise.
 */
int
again_force(struct verdict *v, struct state_session *s)
{
	const struct record *c = again_effective(s), *now = v->now;
	struct recheck x;
	int e;

	if (v->partial || now->time_ms < v->claim->from_ms)
		return 0;
	if ((e = approvals_still(v, s)) != 0)
		return e;
	/* An exact statement's record comes behind it, with what it showed. */
	if (v->log->has_in_force && c->seq < v->log->in_force_seq &&
	    (strcmp(now->u.statement.basis, "exact") != 0 ||
	    now->time_ms - DECIDED_GRACE_MS > v->log->in_force_ms))
		return state_doubt(v, "force", v->log->gateway, &now->seq,
		    "%s: entry %" PRIu64 " of %s was decided by entry %" PRIu64
		    ", and entry %" PRIu64 " had put another version in force",
		    v->log->gateway, now->seq, s->rec.u.session.principal,
		    c->seq, v->log->in_force_seq);
	if (now->time_ms - DECIDED_GRACE_MS < s->until_ms)
		return 0;
	x = recheck_of(v, s);
	x.at_ms = now->time_ms;
	s->until_ms = recheck_until(&x, &c->u.session);
	return recheck_session(&x, &c->u.session, now->seq);
}

/* A service that stayed although another version came into force. */
int
again_service(struct verdict *v, const struct state_session *s,
    int64_t until_ms)
{
	const struct record *c = again_effective(s);

	if (v->partial || !s->service || !v->log->has_in_force ||
	    c->seq >= v->log->in_force_seq ||
	    v->log->in_force_ms < v->claim->from_ms ||
	    v->log->in_force_ms > v->claim->to_ms ||
	    until_ms - DECIDED_GRACE_MS < v->log->in_force_ms)
		return 0;
	return state_doubt(v, "force", v->log->gateway, &s->rec.seq,
	    "%s: the session of entry %" PRIu64 ", %s, went on after entry %"
	    PRIu64 " had put another version in force, and no record says "
	    "that it was decided again", v->log->gateway, s->rec.seq,
	    s->rec.u.session.principal, v->log->in_force_seq);
}

/* The verdict rests on what these said. */
static int
issued(struct verdict *v, const char *const *issuers, size_t n)
{
	size_t i;
	int e;

	for (i = 0; i < n; i++)
		if ((e = state_text_add(v, &v->issuers, issuers[i])) != 0)
			return e;
	return 0;
}

/* Decides the session's clearance again, once it matters for the period. */
int
again_session(struct verdict *v, struct state_session *s, int64_t until_ms)
{
	const struct record_session *c = &again_effective(s)->u.session;
	struct recheck x;
	int e;

	if (s->checked || until_ms < v->claim->from_ms ||
	    again_effective(s)->time_ms > v->claim->to_ms)
		return 0;
	s->checked = true;
	if (s->clearance.type == RECORD_NONE) {
		v->result.sessions++;
		v->log->sessions++;
	}
	if ((e = issued(v, s->facts.issuers.s, s->facts.issuers.n)) != 0)
		return e;
	if (c->addresses != NULL &&
	    (e = state_text_add(v, &v->addresses, c->addresses)) != 0)
		return e;
	if ((e = named_all(v, s)) != 0)
		return e;
	x = recheck_of(v, s);
	if (s->approvals_why != NULL && (e = state_doubt(v, "approval",
	    v->log->gateway, &again_effective(s)->seq, "%s: entry %" PRIu64
	    ", %s: %s", v->log->gateway, again_effective(s)->seq,
	    s->rec.u.session.principal, s->approvals_why)) != 0)
		return e;
	if ((e = recheck_session(&x, c, again_effective(s)->seq)) != 0 ||
	    (e = issued(v, x.issuers, x.n_issuers)) != 0)
		return e;
	s->until_ms = recheck_until(&x, c);
	if (x.name != NULL && s->name == NULL &&
	    (s->name = arena_str(s->arena, x.name)) == NULL)
		return ERR_MEMORY;
	return 0;
}

int
again_statement(struct verdict *v, struct state_session *s,
    const struct record *r)
{
	struct recheck x = recheck_of(v, s);

	return recheck_statement(&x, &again_effective(s)->u.session,
	    &r->u.statement, r->seq);
}

int
again_demanded(struct verdict *v, struct state_session *s,
    const struct record *r, const char **ret)
{
	struct recheck x = recheck_of(v, s);
	int e;

	if (s->demands_arena == NULL) {
		if ((s->demands_arena = arena_new()) == NULL)
			return ERR_MEMORY;
		if ((e = recheck_demands(&x, &again_effective(s)->u.session,
		    s->demands_arena, &s->demands)) != 0)
			return e;
	}
	*ret = recheck_demanded(&s->demands, &r->u.statement);
	return 0;
}

int
again_bounded(struct verdict *v, const struct state_session *s,
    const struct state_pending *p)
{
	struct recheck x = recheck_of(v, s);

	return recheck_bounded(&x, p->demanded, p->rec.seq);
}
