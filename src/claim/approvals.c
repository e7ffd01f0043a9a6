#include "claim/approvals.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "claim/state.h"
#include "policy/grants.h"
#include "policy/policy.h"

#define GRACE_MS 60000		/* from deciding to the record, at most */
#define NAMED_MAX 1000		/* exceptions */

int
approvals_of_record(const struct record_session *c, int64_t at_ms,
    struct arena *a, struct policy_approvals *ret)
{
	const char **rules = arena_array(a, c->n_approvals, sizeof(*rules));
	size_t i;

	*ret = (struct policy_approvals){.all = false};
	if (rules == NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->n_approvals; i++)
		if (c->approvals[i].until_ms > at_ms)
			rules[ret->n++] = c->approvals[i].rule;
	ret->rules = rules;
	return 0;
}

int64_t
approvals_until(const struct record_session *c, int64_t at_ms)
{
	int64_t until = INT64_MAX;
	size_t i;

	for (i = 0; i < c->n_approvals; i++)
		if (c->approvals[i].until_ms > at_ms &&
		    c->approvals[i].until_ms < until)
			until = c->approvals[i].until_ms;
	return until;
}

int
approvals_in_force(struct verdict *v, const struct record *r)
{
	struct state_log *l = v->log;

	memcpy(l->policy, r->u.in_force.policy,
	    strlen(r->u.in_force.policy) + 1);
	memcpy(l->directory, r->u.in_force.directory,
	    strlen(r->u.in_force.directory) + 1);
	return 0;
}

/* ---- steps ---- */

/* ERR_MISSING: a text is not there, and that is said. */
static int
texts(struct verdict *v, const char *policy, const char *directory,
    struct grants_by *ret)
{
	const char *why;
	int r;

	if ((r = objects_policy(v->objects, policy, &ret->policy,
	    &why)) == 0)
		r = objects_directory(v->objects, directory, &ret->directory,
		    &why);
	if (r == 0 || r == ERR_MEMORY)
		return r;
	r = state_doubt(v, "object", NULL, NULL, "%s", why);
	return r == 0 ? ERR_MISSING : r;
}

static int
wrong_step(struct verdict *v, const struct record *r, const char *why)
{
	if (r->time_ms < v->claim->from_ms || r->time_ms > v->claim->to_ms)
		return 0;
	return state_doubt(v, "approval", v->log->gateway, &r->seq, "%s: entry "
	    "%" PRIu64 ", %s of approval %s by %s, may not be: %s",
	    v->log->gateway, r->seq, r->u.approval.step, r->u.approval.id,
	    r->u.approval.by, why);
}

/* As the log has it; makes room of what is over. */
static int
take(struct verdict *v, const struct grant_step *s)
{
	struct grants *fewer;
	int r;

	if (v->log->grants == NULL &&
	    (v->log->grants = grants_new()) == NULL)
		return ERR_MEMORY;
	if ((r = grants_take(v->log->grants, s)) != ERR_LIMIT)
		return r;
	if ((fewer = grants_copy(v->log->grants, s->at_ms)) == NULL)
		return ERR_MEMORY;
	grants_free(v->log->grants);
	v->log->grants = fewer;
	return grants_take(fewer, s);
}

/* 0: it may be; ERR_DENIED with *w. */
static int
judge(struct verdict *v, const struct record *r, const struct grant_step *s,
    struct why *w)
{
	struct grants_by by;
	struct grants *kept;
	int e;

	if (s->kind == GRANT_KINDS || s->at_ms > r->time_ms ||
	    s->at_ms < r->time_ms - GRACE_MS)
		return why_set(w, ERR_DENIED, 0, 0, "it says that it was "
		    "judged at another time");
	if ((e = texts(v, v->log->policy, v->log->directory, &by)) != 0)
		return e;
	/* The gateway forgets what has long been over, and so must we. */
	if ((kept = grants_copy(v->log->grants, s->at_ms)) == NULL)
		return ERR_MEMORY;
	grants_free(v->log->grants);
	v->log->grants = kept;
	return grants_check(kept, &by, s, v->scratch, w);
}

int
approvals_step(struct verdict *v, const struct record *r)
{
	const struct record_approval *in = &r->u.approval;
	const struct grant_step s = {
		.kind = grant_kind_of(in->step), .id = in->id, .by = in->by,
		.at_ms = in->decided_ms, .why = in->why, .store = in->store,
		.rule = in->rule, .ticket = in->ticket,
		.until_ms = in->until_ms, .review_ms = in->review_ms,
	};
	struct why w = {0};
	int e;

	if (v->partial || r->time_ms > v->claim->to_ms)
		return 0;
	v->log->approval_seq = r->seq;
	v->log->approval_ms = r->time_ms;
	e = judge(v, r, &s, &w);
	if (e == ERR_DENIED && (e = wrong_step(v, r, w.text)) == 0)
		/* What takes away takes away, whoever did it. */
		e = s.kind == GRANT_DENY || s.kind == GRANT_REVOKE ?
		    take(v, &s) : 0;
	else if (e == 0)
		e = take(v, &s);
	if (e == 0 || e == ERR_MEMORY)
		return e;
	return e == ERR_MISSING || w.text[0] != 0 ? 0 :
	    wrong_step(v, r, err_text(e));
}

/* ---- what sessions rest on ---- */

static const struct record_session *
effective(const struct state_session *s)
{
	return &again_effective(s)->u.session;
}

/* What a session says of an approval, as if it were all that there is. */
static struct grant
as_said(const struct state_session *s, const struct record_approved *x)
{
	return (struct grant){
		.id = x->id, .principal = s->rec.u.session.principal,
		.store = s->rec.u.session.store, .rule = x->rule,
		.glass = x->by.n == 0, .until_ms = x->until_ms,
		.by = x->by.s, .n_by = x->by.n,
	};
}

static bool
same(const struct grant *there, const struct grant *said, const char *ticket)
{
	size_t i, k;

	if (strcmp(there->principal, said->principal) != 0 ||
	    strcmp(there->store, said->store) != 0 ||
	    strcmp(there->rule, said->rule) != 0 ||
	    there->until_ms != said->until_ms || there->glass != said->glass ||
	    (there->ticket != NULL && (ticket == NULL ||
	    strcmp(there->ticket, ticket) != 0)))
		return false;
	for (i = 0; i < said->n_by; i++) {
		for (k = 0; k < there->n_by; k++)
			if (strcmp(there->by[k], said->by[i]) == 0)
				break;
		if (k == there->n_by)
			return false;
	}
	return true;
}

/* *why stays NULL if one may be rested on at that time. */
static int
check_one(struct verdict *v, const struct state_session *s,
    const struct record_approved *x, const struct grants_by *by,
    int64_t at_ms, struct arena *a, const char **why)
{
	const struct grant said = as_said(s, x), *there;
	struct granted g;
	bool counts;
	int r;

	if ((r = grants_counts(&said, by, at_ms, v->scratch, &counts,
	    &g)) != 0)
		return r;
	if (!counts) {
		*why = arena_fmt(a, "approval %s of rule \"%s\" does not count "
		    "by the recorded policy and directory", x->id, x->rule);
		return *why == NULL ? ERR_MEMORY : 0;
	}
	if (v->partial)
		return 0;
	there = v->log->grants == NULL ? NULL :
	    grants_find(v->log->grants, x->id);
	if (there == NULL || !same(there, &said, effective(s)->ticket))
		*why = arena_fmt(a, "the log has no such approval %s of rule "
		    "\"%s\"", x->id, x->rule);
	else if (there->denied_by != NULL || there->revoked_by != NULL)
		*why = arena_fmt(a, "approval %s was %s by %s", x->id,
		    there->denied_by != NULL ? "denied" : "revoked",
		    there->denied_by != NULL ? there->denied_by :
		    there->revoked_by);
	else
		return 0;
	return *why == NULL ? ERR_MEMORY : 0;
}

static int
check_all(struct verdict *v, const struct state_session *s, int64_t at_ms,
    struct arena *a, const char **why)
{
	const struct record_session *c = effective(s);
	struct grants_by by;
	size_t i;
	int r;

	*why = NULL;
	if (c->n_approvals == 0)
		return 0;
	if ((r = texts(v, c->policy, c->directory, &by)) != 0)
		return r == ERR_MISSING ? 0 : r;
	for (i = 0; i < c->n_approvals && *why == NULL; i++)
		if (c->approvals[i].until_ms > at_ms && (r = check_one(v, s,
		    &c->approvals[i], &by, at_ms, a, why)) != 0)
			return r;
	return 0;
}

/* Whether nobody looked in time at the glass that the reader broke. */
static int
check_closed(struct verdict *v, const struct state_session *s, int64_t at_ms,
    struct arena *a, const char **why)
{
	const struct record_session *in = &s->rec.u.session;
	const struct grant *x;

	if (*why != NULL || v->partial || s->service ||
	    strcmp(effective(s)->mode, "enforce") != 0 ||
	    (x = grants_closed(v->log->grants, in->principal, in->store,
	    at_ms - GRACE_MS)) == NULL)
		return 0;
	*why = arena_fmt(a, "the store is closed to %s, since nobody reviewed "
	    "%s in time", in->principal, x->id);
	return *why == NULL ? ERR_MEMORY : 0;
}

int
approvals_check(struct verdict *v, const struct state_session *s,
    struct arena *a, const char **why)
{
	int64_t at_ms = again_decided_ms(again_effective(s));
	int r;

	if ((r = check_all(v, s, at_ms, a, why)) != 0)
		return r;
	return check_closed(v, s, at_ms, a, why);
}

int
approvals_still(struct verdict *v, struct state_session *s)
{
	const struct record *c = again_effective(s), *now = v->now;
	const char *why = NULL;
	int r;

	if ((r = check_closed(v, s, now->time_ms, v->scratch, &why)) != 0)
		return r;
	/* An exact statement's record comes behind it, with what it showed. */
	if (why == NULL && c->u.session.n_approvals > 0 &&
	    c->seq < v->log->approval_seq &&
	    s->approvals_seq != v->log->approval_seq &&
	    (strcmp(now->u.statement.basis, "exact") != 0 ||
	    now->time_ms - GRACE_MS > v->log->approval_ms)) {
		s->approvals_seq = v->log->approval_seq;
		if ((r = check_all(v, s, now->time_ms, v->scratch,
		    &why)) != 0)
			return r;
	}
	return why == NULL ? 0 : state_doubt(v, "approval", v->log->gateway,
	    &now->seq, "%s: entry %" PRIu64 ", a statement of %s: %s",
	    v->log->gateway, now->seq, s->rec.u.session.principal, why);
}

/* ---- what a verdict names ---- */

static struct state_exception *
find_exception(struct verdict *v, const char *id)
{
	struct state_exception *x;

	for (x = v->exceptions; x != NULL; x = x->next)
		if (strcmp(x->id, id) == 0 && x->log == v->log)
			return x;
	return NULL;
}

static const char *
join(struct arena *a, const struct record_strs *l)
{
	const char *s = "";
	size_t i;

	for (i = 0; i < l->n && s != NULL; i++)
		s = arena_fmt(a, "%s%s%s", s, i > 0 ? ", " : "", l->s[i]);
	return s;
}

static int
add_exception(struct verdict *v, const struct state_session *s,
    const struct record_approved *x)
{
	const struct record_session *in = &s->rec.u.session;
	struct state_exception *e;
	char until[TIME_TEXT_MAX];
	const char *by;

	if (v->n_exceptions == NAMED_MAX) {
		v->more_exceptions++;
		return 0;
	}
	time_text(x->until_ms, until);
	if ((e = arena_alloc(v->arena, sizeof(*e))) == NULL ||
	    (by = join(v->scratch, &x->by)) == NULL)
		return ERR_MEMORY;
	e->log = v->log;
	e->glass = x->by.n == 0;
	e->id = arena_str(v->arena, x->id);
	e->text = x->by.n > 0 ? arena_fmt(v->arena, "approval %s: %s at store "
	    "%s by rule \"%s\" until %s, approved by %s", x->id,
	    in->principal, in->store, x->rule, until, by) :
	    arena_fmt(v->arena, "broken glass %s: %s at store %s by rule "
	    "\"%s\" until %s, approved by nobody", x->id, in->principal,
	    in->store, x->rule, until);
	if (e->id == NULL || e->text == NULL)
		return ERR_MEMORY;
	e->n = 1;
	e->next = v->exceptions;
	v->exceptions = e;
	v->n_exceptions++;
	return 0;
}

int
approvals_used(struct verdict *v, const struct state_session *s)
{
	const struct record_statement *in = &v->now->u.statement;
	const struct record_session *c = effective(s);
	struct state_exception *x;
	size_t i, k;
	int r;

	for (i = 0; i < in->n_approvals; i++) {
		if ((x = find_exception(v, in->approvals[i].id)) != NULL) {
			x->n++;
			continue;
		}
		for (k = 0; k < c->n_approvals; k++)
			if (strcmp(c->approvals[k].id,
			    in->approvals[i].id) == 0)
				break;
		if (k < c->n_approvals)
			r = add_exception(v, s, &c->approvals[k]);
		else
			r = state_doubt(v, "approval", v->log->gateway,
			    &v->now->seq, "%s: entry %" PRIu64 " names "
			    "approval %s, and its session does not rest on "
			    "it", v->log->gateway, v->now->seq,
			    in->approvals[i].id);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Who reviewed broken glass, as far as the log goes. */
static const char *
reviewed(struct verdict *v, const struct state_exception *x)
{
	const struct grant *g = x->log->grants == NULL ? NULL :
	    grants_find(x->log->grants, x->id);

	if (!x->glass)
		return "";
	return g == NULL || g->reviewed_by == NULL ? ", reviewed by nobody" :
	    arena_fmt(v->arena, ", reviewed by %s", g->reviewed_by);
}

/* In the order in which they were met. */
static int
say_from(struct verdict *v, const struct state_exception *x)
{
	const char *by;
	int e;

	if (x == NULL)
		return 0;
	if ((e = say_from(v, x->next)) != 0)
		return e;
	if ((by = reviewed(v, x)) == NULL)
		return ERR_MEMORY;
	return state_rest(v, "approval", "an exception%s, %s%s; %" PRIu64
	    " statement%s of the period rest%s on it", x->glass ? "" :
	    " that was agreed to", x->text, by, x->n, x->n == 1 ? "" : "s",
	    x->n == 1 ? "s" : "");
}

int
approvals_say(struct verdict *v)
{
	int e;

	if ((e = say_from(v, v->exceptions)) != 0 || v->more_exceptions == 0)
		return e;
	return state_rest(v, "approval", "%" PRIu64 " more statements that "
	    "rest on approvals", v->more_exceptions);
}
