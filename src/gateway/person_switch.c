/*
 * A person changes purpose or ticket, or moves to another clearance (move.h).
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
#include "gateway/config.h"
#include "gateway/confirm.h"
#include "gateway/job.h"
#include "gateway/judge.h"
#include "gateway/move.h"
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

	/* If another version comes into force meanwhile, it is asked then. */
	if (config_knows_purpose(s->version->config, purpose))
		return 0;
	known = policy_purposes(s->version->config->policy, &n);
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

/* Another role; or a RESET, which the store would take back to what its own
 * session began with. */
static bool
needs_link(const struct session *s)
{
	const struct person *p = s->person;

	return move_relinks(s, p->next) ||
	    (p->switch_resets && (!same(p->link_purpose, p->next->purpose) ||
	    !same(p->link_ticket, p->next->ticket)));
}

static void
forget_next(struct session *s)
{
	struct person *p = s->person;

	standing_free(p->next);
	version_unref(&s->worker->shared->versions, p->next_version);
	p->next = NULL;
	p->next_version = NULL;
}

int
switch_prepare(struct session *s, const struct judgement *j, struct arena *a,
    struct backend_error *e)
{
	struct person *p = s->person;
	const char *purpose, *ticket;
	int r;

	if ((r = wanted(s, j, a, &purpose, &ticket, e)) != 0)
		return r;
	forget_next(s);
	if ((r = move_decide(s, purpose, ticket, &p->next,
	    &p->next_version)) != 0) {
		if (r == ERR_SHORT)
			return r;
		e->sqlstate = r == ERR_MISSING ? "28000" : "53200";
		e->message = r == ERR_MISSING ?
		    "the directory does not know you any more" :
		    err_text(r);
		return ERR_DENIED;
	}
	if (p->next->login == NULL) {
		e->sqlstate = "57P03";
		e->message = "the store has no login for this clearance yet";
		e->hint = "run sworn apply for this store";
		return ERR_DENIED;
	}
	p->switch_resets = j->ours == NULL || j->ours->set_value == NULL;
	p->relink = needs_link(s);
	return 0;
}

void
person_switch_begin(struct session *s)
{
	struct person *p = s->person;
	struct job *j;

	if (!p->moving && p->status != 'I') {
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
	j->by = p->next_version->number;
	if (standing_record(p->next, p->next_version->config, s->source,
	    j->a, &j->record.u.session) != 0) {
		job_free(j);
		session_end_memory(s);
		return;
	}
	session_set_state(s, STATE_SWITCHING);
	job_submit(j);
}

/* Meanwhile another version came into force: decided again, by that. */
void
person_switch_stale(struct session *s)
{
	static const struct backend_error e = {"FATAL", "57P03",
	    "what you may read changed while purpose or ticket did, and the "
	    "store has no login for it", NULL, "connect again"};
	struct person *p = s->person;
	struct standing *st = NULL;
	struct version *v = NULL;
	int r;

	if (p->moving) {
		p->moving = false;
		forget_next(s);
		session_set_state(s, STATE_PERSON);
		session_step(s, EVENT_ROOM);
		return;
	}
	/* What was asked about just before is not asked about again. */
	if (p->next->answer != NULL)
		confirm_keep(s, p->next->answer, p->next->purpose,
		    p->next->ticket);
	if ((r = move_decide(s, p->next->purpose, p->next->ticket, &st,
	    &v)) != 0) {
		if (r != ERR_SHORT)
			move_end(s, r);
		return;
	}
	forget_next(s);
	p->next = st;
	p->next_version = v;
	p->relink = needs_link(s);
	if (st->login == NULL)
		session_end(s, "moved", &e);
	else
		person_switch_begin(s);
}

static void
finish(struct session *s)
{
	struct person *p = s->person;

	move_settle(s, p->next, p->next_version);
	p->next = NULL;
	p->next_version = NULL;
	p->epoch++;
	if (!p->moving)
		backend_ready_write(flow_buf(&s->down), 'I');
	p->switching = false;
	p->moving = false;
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

	if (!p->relink) {
		finish(s);
		return;
	}
	frontend_empty_write(flow_buf(&s->link->out), 'X');
	/* Or it just closes it. */
	(void)flow_write(&s->link->out, s->link->fd, s->link->tls);
	link_free(s->link);
	s->link = NULL;
	names_lose(&p->statements);
	names_done(&p->portals);
	p->leaves = false;
	p->reads_otherwise = false;
	session_set_state(s, STATE_SWITCHING_LINK);
	if (copy_text(p->next->purpose, &p->link_purpose) != 0 ||
	    copy_text(p->next->ticket, &p->link_ticket) != 0 ||
	    open_connect(s, p->next_version, p->next) != 0)
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
	    "store", "cursors and settings of the old one are gone, and what "
	    "PREPARE made", NULL};

	flow_add(&s->down, s->link->parameters.data,
	    s->link->parameters.len);
	buf_done(&s->link->parameters);
	backend_notice_write(flow_buf(&s->down), &notice);
	finish(s);
}
