/*
 * A person changes purpose or ticket.
 *
 *   the SET goes to the store -> its ReadyForQuery is held back
 *   -> RECORD_CLEARANCE durable
 *   -> same role at the store: ReadyForQuery
 *   -> another role: a new connection, RECORD_BACKEND durable, a notice,
 *      ReadyForQuery
 */
#include "gateway/person.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "gateway/config.h"
#include "gateway/job.h"
#include "gateway/judge.h"
#include "gateway/setting.h"
#include "gateway/standing.h"
#include "lineage/analyze.h"
#include "policy/policy.h"
#include "wire/backend.h"
#include "wire/frontend.h"

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
switch_wanted(const struct session *s, const struct judgement *j)
{
	const struct person *p = s->person;

	if (j->ours != NULL)
		return j->ours->class == STATEMENT_SET;
	return j->resets_all &&
	    (!same(s->standing->purpose, p->start_purpose) ||
	    !same(s->standing->ticket, p->start_ticket));
}

static int
bad_purpose(struct session *s, const char *purpose, struct arena *a,
    struct backend_error *e)
{
	const char *const *known;
	struct buf hint;
	size_t i, n;

	known = policy_purposes(s->worker->shared->config->policy, &n);
	for (i = 0; i < n; i++)
		if (strcmp(known[i], purpose) == 0)
			return 0;
	buf_init(&hint, 4096);
	buf_str(&hint, "known purposes: ");
	for (i = 0; i < n; i++)
		buf_fmt(&hint, "%s%s", i > 0 ? ", " : "", known[i]);
	e->sqlstate = "22023";
	e->message = arena_fmt(a, "the policy knows no purpose \"%s\"",
	    purpose);
	e->hint = buf_text(&hint) == NULL ? NULL :
	    arena_str(a, (const char *)hint.data);
	buf_done(&hint);
	return ERR_DENIED;
}

/* The purpose and ticket that the statement asks for. */
static int
wanted(struct session *s, const struct judgement *j, struct arena *a,
    const char **purpose, const char **ticket, struct backend_error *e)
{
	const struct person *p = s->person;
	bool is_purpose;
	const char *v;

	*purpose = s->standing->purpose;
	*ticket = s->standing->ticket;
	if (j->ours == NULL) {
		*purpose = p->start_purpose;
		*ticket = p->start_ticket;
		return 0;
	}
	is_purpose = setting_is_purpose(j->ours->set_name);
	v = j->ours->set_value;
	if (v == NULL)
		v = is_purpose ? p->start_purpose : p->start_ticket;
	else if (*v == 0)
		v = NULL;
	if (v != NULL && !setting_text_valid(v)) {
		e->sqlstate = "22023";
		e->message = "sworn.purpose and sworn.ticket are printable "
		    "text of at most 200 bytes";
		return ERR_DENIED;
	}
	if (is_purpose && v != NULL && bad_purpose(s, v, a, e) != 0)
		return ERR_DENIED;
	*(is_purpose ? purpose : ticket) = v;
	return 0;
}

int
switch_prepare(struct session *s, const struct judgement *j, struct arena *a,
    struct backend_error *e)
{
	struct person *p = s->person;
	struct standing_request q = {
		.config = s->worker->shared->config, .store = s->store,
		.principal = s->user, .address = s->address,
		.at_ms = clock_now_ms(),
	};
	int r;

	if ((r = wanted(s, j, a, &q.purpose, &q.ticket, e)) != 0)
		return r;
	standing_free(p->next);
	p->next = NULL;
	if ((r = standing_make(&q, &p->next)) != 0) {
		e->sqlstate = r == ERR_MISSING ? "28000" : "53200";
		e->message = r == ERR_MISSING ?
		    "the directory does not know you any more" :
		    "out of memory";
		return ERR_DENIED;
	}
	if (p->next->login == NULL) {
		e->sqlstate = "57P03";
		e->message = "the store has no login for this clearance yet";
		e->hint = "run sworn apply for this store";
		return ERR_DENIED;
	}
	p->switch_resets = j->ours == NULL || j->ours->set_value == NULL;
	return 0;
}

/* Another role; or a RESET, which the store would take back to what its own
 * session began with. */
static bool
needs_link(const struct session *s)
{
	const struct person *p = s->person;

	return !same(s->standing->role, p->next->role) ||
	    (p->switch_resets && (!same(p->link_purpose, p->next->purpose) ||
	    !same(p->link_ticket, p->next->ticket)));
}

void
person_switch_begin(struct session *s)
{
	struct person *p = s->person;
	struct job *j;

	if (p->status != 'I') {
		struct backend_error e = {"FATAL", "25001", "purpose and "
		    "ticket cannot be changed inside a transaction block",
		    NULL, NULL};

		session_end(s, "protocol", &e);
		return;
	}
	if ((j = job_new(s, JOB_GATE, RECORD_CLEARANCE)) == NULL) {
		session_end_memory(s);
		return;
	}
	if (standing_record(p->next, s->worker->shared->config, s->source,
	    j->a, &j->record.u.session) != 0) {
		job_free(j);
		session_end_memory(s);
		return;
	}
	session_set_state(s, STATE_SWITCHING);
	job_submit(j);
}

static void
finish(struct session *s)
{
	struct person *p = s->person;

	standing_free(s->standing);
	s->standing = p->next;
	p->next = NULL;
	p->switching = false;
	backend_ready_write(flow_buf(&s->down), 'I');
	session_set_state(s, STATE_PERSON);
	session_step(s, EVENT_ROOM);
}

static int
copy_text(const char *from, char **to)
{
	free(*to);
	*to = NULL;
	return from != NULL && (*to = strdup(from)) == NULL ? ERR_MEMORY : 0;
}

void
person_switch_recorded(struct session *s)
{
	struct person *p = s->person;

	if (!needs_link(s)) {
		finish(s);
		return;
	}
	frontend_empty_write(flow_buf(&s->link->out), 'X');
	(void)flow_write(&s->link->out, s->link->fd); /* or just closes it */
	link_free(s->link);
	s->link = NULL;
	names_done(&p->statements);
	names_done(&p->portals);
	p->reads_otherwise = false;
	session_set_state(s, STATE_SWITCHING_LINK);
	if (copy_text(p->next->purpose, &p->link_purpose) != 0 ||
	    copy_text(p->next->ticket, &p->link_ticket) != 0 ||
	    open_connect(s, p->next, p->next->purpose, p->next->ticket) != 0)
		session_end_memory(s);
	else if (s->link->state == LINK_FAILED)
		open_store_failed(s);
}

void
person_switch_linked(struct session *s)
{
	struct job *j;

	if (s->link->state == LINK_FAILED) {
		open_store_failed(s);
		return;
	}
	if (s->link->state != LINK_UP)
		return;
	session_deadline(s, 0);
	if ((j = open_backend_job(s, s->person->next)) == NULL) {
		session_end_memory(s);
		return;
	}
	session_set_state(s, STATE_SWITCHING_GREETING);
	job_submit(j);
}

void
person_switch_done(struct session *s)
{
	static const struct backend_error notice = {"NOTICE", "01000",
	    "your clearance has changed, and with it your session at the "
	    "store", "prepared statements, cursors and settings of the old "
	    "one are gone", NULL};

	open_aim_cancel(s);
	flow_add(&s->down, s->link->parameters.data,
	    s->link->parameters.len);
	buf_done(&s->link->parameters);
	backend_notice_write(flow_buf(&s->down), &notice);
	finish(s);
}
