/*
 * From a proven principal to a session that is ready: what it may, its
 * record, its connection to the store, the record of that, the greeting.
 */
#include "gateway/session.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "catalog/catalog.h"
#include "directory/directory.h"
#include "gateway/cancel.h"
#include "gateway/config.h"
#include "gateway/desk.h"
#include "gateway/drift.h"
#include "gateway/job.h"
#include "gateway/move.h"
#include "gateway/setting.h"
#include "gateway/standing.h"
#include "policy/policy.h"
#include "policy/whole.h"
#include "tls/tls.h"
#include "wire/backend.h"

#define PARAMS_MAX 160		/* settings of the packet, and our own */

static void
fail(struct session *s, const char *reason, const char *sqlstate,
    const char *message, const char *detail, const char *hint)
{
	struct backend_error e = {"FATAL", sqlstate, message, detail, hint};

	if (message == NULL)
		session_end_memory(s);
	else
		login_fail(s, reason, false, &e);
}

static void
fail_purpose(struct session *s)
{
	const char *const *known;
	struct buf hint;
	size_t i, n;

	known = policy_purposes(s->version->config->policy, &n);
	buf_init(&hint, 4096);
	buf_str(&hint, "known purposes: ");
	for (i = 0; i < n; i++)
		buf_fmt(&hint, "%s%s", i > 0 ? ", " : "", known[i]);
	fail(s, "purpose", "22023", arena_fmt(s->a,
	    "the policy knows no purpose \"%s\"", s->purpose), NULL,
	    buf_text(&hint));
	buf_done(&hint);
}

/* The settings that a person may not state; NULL if all are fine. */
static const char *
setting_refused(const struct session *s)
{
	size_t i;

	if (s->standing->who->kind == PRINCIPAL_SERVICE)
		return NULL;
	for (i = 0; i < s->n_settings; i++)
		if (!setting_allowed(s->settings[i].name,
		    s->settings[i].value) ||
		    (s->store->mode == STORE_ENFORCE &&
		    !limits_allow(&s->store->limits, s->settings[i].name,
		    s->settings[i].value)))
			return s->settings[i].name;
	return NULL;
}

static const char elsewhere_detail[] = "the service is expected only from "
    "the networks that the directory lists for it";
static const char elsewhere_hint[] = "connect from where the service runs";

static bool
is_elsewhere(const struct session *s)
{
	return s->standing->from_elsewhere &&
	    s->store->mode == STORE_ENFORCE;
}

/* Of a session that was open when the networks changed. */
static void
end_elsewhere(struct session *s)
{
	struct backend_error e = {"FATAL", "28000", NULL, elsewhere_detail,
	    elsewhere_hint};

	e.message = arena_fmt(s->a, "service %s is refused from %s", s->user,
	    s->address);
	COUNT(s->worker->shared, denials, 1);
	if (e.message == NULL)
		session_end_memory(s);
	else
		session_end(s, "network", &e);
}

/*
 * Whether the session may open at all. An empty clearance is not refused
 * here: a person learns why at each statement, a service in refuse_service.
 */
static bool
may_open(struct session *s)
{
	const struct standing *st = s->standing;
	struct backend_error drifted;
	const char *name, *closed;

	if (st->who->kind == PRINCIPAL_PERSON &&
	    drift_closed(s->worker->shared->drift, s->version->config,
	    s->store, &drifted)) {
		fail(s, "drift", drifted.sqlstate, drifted.message,
		    drifted.detail, drifted.hint);
	} else if ((closed = move_closed(s, s->version, st, s->a)) != NULL) {
		fail(s, "review", "28000", closed, NULL, MOVE_CLOSED_HINT);
		COUNT(s->worker->shared, denials, 1);
	} else if (!config_knows_purpose(s->version->config, s->purpose)) {
		fail_purpose(s);
	} else if (is_elsewhere(s)) {
		fail(s, "network", "28000", arena_fmt(s->a,
		    "service %s is refused from %s", st->who->id, s->address),
		    elsewhere_detail, elsewhere_hint);
		COUNT(s->worker->shared, denials, 1);
	} else if ((name = setting_refused(s)) != NULL) {
		fail(s, "setting", "42501", arena_fmt(s->a,
		    "setting %s is refused at login", name),
		    "persons may state only settings that leave the reading "
		    "of SQL and their rights as they are", NULL);
	} else if (st->role == NULL) {
		fail(s, "role", "28000", arena_fmt(s->a,
		    "no role is set up for %s in store %s", st->who->id,
		    s->store->name), NULL,
		    st->who->kind == PRINCIPAL_SERVICE ?
		    "name its role under \"services\" of the store" :
		    "name an observe-role for the store");
	} else if (st->login == NULL) {
		fail(s, "role", "57P03", arena_fmt(s->a,
		    "store %s has no login for this clearance yet",
		    s->store->name), arena_fmt(s->a,
		    "role %s is not among the store's credentials",
		    st->role), "run sworn apply for this store");
	} else {
		return true;
	}
	return false;
}

/* The first table that a service is not cleared for, or NULL. */
static const struct clearance_table *
service_uncleared(const struct session *s)
{
	const struct clearance *c = s->standing->clearance;
	size_t i;

	if (s->standing->who->kind != PRINCIPAL_SERVICE ||
	    s->store->mode != STORE_ENFORCE)
		return NULL;
	for (i = 0; s->standing->exact_only != NULL && i < c->n_tables; i++)
		if (s->standing->exact_only[i])
			return &c->tables[i];
	return clearance_uncleared(c);
}

/*
 * Why a residence of a table is not permitted; its residence stays NULL if
 * each is. 0 or ERR_MEMORY.
 */
static int
uncleared_reason(const struct clearance *c, const struct clearance_table *t,
    struct arena *a, struct policy_reason *ret)
{
	size_t i, table = (size_t)(t - c->tables);

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < c->n_residences; i++)
		if (!c->outcomes[table * c->n_residences + i].permitted)
			return clearance_reason(c, table, i, a, ret);
	return 0;
}

static void
submit_session(struct session *s)
{
	struct record_session *r;
	struct job *j;

	if ((j = job_new(s, JOB_GATE, RECORD_SESSION)) == NULL) {
		session_end_memory(s);
		return;
	}
	r = &j->record.u.session;
	j->by = s->version->number;
	if (standing_record(s->standing, s->version->config, s->source,
	    j->a, r) != 0) {
		job_free(j);
		session_end_memory(s);
		return;
	}
	r->auth = s->auth;
	if (s->tls != NULL)
		r->tls = tls_version_text(s->tls);	/* a constant */
	if (service_uncleared(s) != NULL) {
		/* It will get no login: there is nothing in its reach. */
		r->role = "";
		r->bound.n = 0;
	}
	session_deadline(s, 0);
	session_set_state(s, STATE_OPENING);
	job_submit(j);
}

void
open_begin(struct session *s)
{
	struct standing *st = NULL;
	struct version *v = NULL;
	int r;

	if (desk_is_for(s)) {
		desk_open(s);
		return;
	}
	if ((r = move_decide(s, s->purpose, s->ticket, &st, &v)) == 0) {
		move_settle(s, st, v);
		if (may_open(s))
			submit_session(s);
		return;
	}
	if (r == ERR_CONFLICT) {
		fail(s, "store", "3D000", arena_fmt(s->a,
		    "store \"%s\" does not exist", s->database), NULL,
		    "the database to ask for is a store's name");
	} else if (r == ERR_MISSING) {
		fail(s, "directory", "28000", arena_fmt(s->a,
		    "the directory knows no principal \"%s\" now", s->user),
		    NULL, "ask whoever keeps the directory");
	} else if (r == ERR_STATE) {
		session_end_log(s);
	} else if (r == ERR_SHORT) {
		session_set_state(s, STATE_ASKING);
	} else {
		report(REPORT_ERROR, "deciding failed: %s", err_text(r));
		session_end_memory(s);
	}
}

/* Names the first table that the service is not cleared for, and why. */
static void
refuse_service(struct session *s, const struct clearance_table *t)
{
	struct backend_error e = {"FATAL", "42501", NULL, NULL, NULL};
	struct record_refusal *refusal;
	struct policy_reason why;
	struct job *j;

	if (uncleared_reason(s->standing->clearance, t, s->a, &why) != 0) {
		session_end_memory(s);
		return;
	}
	e.message = arena_fmt(s->a, "service %s is refused in store %s: it "
	    "is not cleared for all of %s", s->user, s->store->name,
	    t->table->full);
	if (s->standing->exact_only != NULL &&
	    s->standing->exact_only[t - s->standing->clearance->tables])
		e.detail = "a rule permits it only under exact records, and a "
		    "service's are bounded";
	else if (why.residence == NULL)
		e.detail = "some of its columns are masked or absent for it, "
		    "and a service's role shows all of them";
	else
		e.detail = why.rule == NULL ? arena_fmt(s->a,
		    "no rule permits residents of %s", why.residence) :
		    arena_fmt(s->a, "rule \"%s\" forbids it%s%s", why.rule,
		    *why.because != 0 ? ": " : "", why.because);
	if (why.residence != NULL && *why.hint != 0)
		e.hint = why.hint;
	if (e.message == NULL || e.detail == NULL ||
	    (j = job_new(s, JOB_RESULT, RECORD_DENIAL)) == NULL) {
		session_end_memory(s);
		return;
	}
	j->record.u.denial.text_hmac = "";
	j->record.u.denial.what = "login";
	refusal = &j->record.u.denial.refusal;
	refusal->table = arena_str(j->a, t->table->full);
	refusal->rule = why.rule != NULL ? arena_str(j->a, why.rule) : "";
	refusal->because = why.because != NULL ?
	    arena_str(j->a, why.because) : "";
	refusal->sqlstate = "42501";
	s->denials++;
	COUNT(s->worker->shared, denials, 1);
	if (refusal->table == NULL || refusal->rule == NULL ||
	    refusal->because == NULL) {
		job_free(j);
		session_end_memory(s);
		return;
	}
	job_submit(j);
	session_end(s, "denied", &e);
}

int
open_connect(struct session *s, struct version *v, const struct standing *st)
{
	struct startup_param params[PARAMS_MAX];
	struct scram_salted *salted;
	size_t n = 0, i;
	int r;

	params[n++] = (struct startup_param){"user", st->role};
	params[n++] = (struct startup_param){"database",
	    st->store->database};
	params[n++] = (struct startup_param){"client_encoding", "UTF8"};
	for (i = 0; i < s->n_settings; i++)
		params[n++] = s->settings[i];
	/* For SHOW, and for whatever the store itself keeps. */
	if (st->purpose != NULL)
		params[n++] = (struct startup_param){"sworn.purpose",
		    st->purpose};
	if (st->ticket != NULL)
		params[n++] = (struct startup_param){"sworn.ticket",
		    st->ticket};
	if ((salted = worker_salted(s->worker, v, st->login)) == NULL)
		return ERR_MEMORY;
	if ((r = link_new(version_way(v, st->store),
	    st->login->password, salted, params, n, &s->link)) != 0)
		return r;
	s->store_source.fd = s->link->fd;
	s->store_source.added = false;
	session_deadline(s, s->worker->shared->boot->connect_timeout_ms);
	return 0;
}

bool
open_service_refused(struct session *s)
{
	if (service_uncleared(s) != NULL)
		refuse_service(s, service_uncleared(s));
	else if (is_elsewhere(s))
		end_elsewhere(s);
	return s->state >= STATE_ENDING;
}

void
open_recorded(struct session *s)
{
	if (open_service_refused(s))
		return;
	session_set_state(s, STATE_CONNECTING);
	if (open_connect(s, s->version, s->standing) != 0)
		session_end_memory(s);
	else if (s->link->state == LINK_FAILED)
		open_store_failed(s);
}

void
open_store_failed(struct session *s)
{
	struct backend_error e = {"FATAL", "57P03", NULL, NULL, NULL};
	const struct link *l = s->link;

	report(REPORT_WARNING, "store=%s did not take a session sqlstate=%s "
	    "why=%s", s->store->name,
	    l != NULL && l->state == LINK_FAILED ? l->sqlstate : "08001",
	    l != NULL && l->state == LINK_FAILED ? l->why : "timeout");
	e.message = arena_fmt(s->a, "store %s cannot be reached now",
	    s->store->name);
	if (l != NULL && strncmp(l->sqlstate, "28", 2) == 0)
		e.hint = "the store refused the gateway's login: run sworn "
		    "apply for this store";
	else
		e.hint = "try again later";
	if (e.message == NULL)
		session_end_memory(s);
	else
		session_end(s, "store", &e);
}

struct job *
open_backend_job(struct session *s, const struct standing *st)
{
	struct job *j;

	if ((j = job_new(s, JOB_GATE, RECORD_BACKEND)) == NULL)
		return NULL;
	if ((j->record.u.backend.role = arena_str(j->a, st->role)) == NULL) {
		job_free(j);
		return NULL;
	}
	j->record.u.backend.pid = s->link->pid;
	if (s->link->tls != NULL)
		j->record.u.backend.tls = tls_version_text(s->link->tls);
	return j;
}

void
open_link_ready(struct session *s)
{
	struct job *j;

	if (s->link->state == LINK_FAILED) {
		open_store_failed(s);
		return;
	}
	if (s->link->state != LINK_UP)
		return;
	session_deadline(s, 0);
	if ((j = open_backend_job(s, s->standing)) == NULL) {
		session_end_memory(s);
		return;
	}
	session_set_state(s, STATE_GREETING);
	job_submit(j);
}

void
open_aim_cancel(struct session *s)
{
	const struct shared *sh = s->worker->shared;
	struct cancel_target t = {
		.way = *version_way(s->version, s->store),
		.pid = s->link->pid,
		.secret_len = s->link->secret_len,
	};

	memcpy(t.secret, s->link->secret, s->link->secret_len);
	cancel_aim(sh->cancels, s->cancel, &t);
	wipe(&t, sizeof(t));
}

void
open_greet(struct session *s)
{
	struct buf *out = flow_buf(&s->down);
	uint8_t secret[CANCEL_SECRET_LEN];

	if (s->standing->who->kind == PRINCIPAL_PERSON &&
	    (s->person = person_new(s->purpose, s->ticket)) == NULL) {
		session_end_memory(s);
		return;
	}
	/* The pid is the store's, so that its activity can be told apart;
	 * the secret is ours. */
	if ((s->cancel = cancel_add(s->worker->shared->cancels, s->link->pid,
	    secret)) == NULL) {
		session_end_memory(s);
		return;
	}
	open_aim_cancel(s);
	backend_auth_write(out, BACKEND_AUTH_OK, bytes_of(NULL, 0));
	buf_bytes(out, s->link->parameters.data, s->link->parameters.len);
	buf_done(&s->link->parameters);
	backend_key_write(out, s->link->pid,
	    bytes_of(secret, sizeof(secret)));
	backend_ready_write(out, 'I');
	session_set_state(s, s->person != NULL ? STATE_PERSON :
	    STATE_SERVICE);
	/* What the client did not wait to send. */
	if (flow_len(&s->up) > 0 || flow_len(&s->link->in) > 0)
		session_step(s, EVENT_ROOM);
}

void
open_cancel(struct session *s, uint32_t pid, struct bytes secret)
{
	const struct shared *sh = s->worker->shared;
	struct cancel_target t = {0};

	if (cancel_find(sh->cancels, pid, secret, &t) != 0) {
		/* As silent as a cancel that came too late. */
		session_end(s, "cancel", NULL);
		return;
	}
	if (link_cancel_new(&t.way, t.pid, bytes_of(t.secret,
	    t.secret_len), &s->link) != 0 ||
	    s->link->state == LINK_FAILED) {
		session_end(s, "cancel", NULL);
		goto out;
	}
	s->store_source.fd = s->link->fd;
	session_deadline(s, s->worker->shared->boot->connect_timeout_ms);
	session_set_state(s, STATE_CANCEL);
out:
	cancel_target_done(&t);
}
