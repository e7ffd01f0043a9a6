/*
 * A person's session at its next statement.
 *
 *   nothing differs                     -> on with the statement
 *   same login at the store             -> RECORD_CLEARANCE durable, on
 *   another login, between transactions -> RECORD_CLEARANCE, a connection,
 *                                          RECORD_BACKEND, a notice, on
 *   another login, inside one           -> the statement is refused until
 *                                          ROLLBACK or COMMIT
 *   another login, and the store keeps settings or what PREPARE made
 *                                       -> the session ends: nobody could
 *                                          tell that they are gone
 *   no login for the clearance          -> the statement is refused
 *   no such principal, store or purpose -> the session ends
 *
 * What the client prepared by the protocol is judged again, and prepared
 * again where the connection is another.
 */
#include "gateway/move.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gateway/config.h"
#include "gateway/job.h"
#include "gateway/judge.h"
#include "gateway/person.h"
#include "gateway/run.h"
#include "gateway/standing.h"
#include "lineage/rewrite.h"
#include "wire/backend.h"
#include "wire/frontend.h"
#include "wire/strip.h"

static void
forget_next(struct session *s)
{
	struct person *p = s->person;

	standing_free(p->next);
	version_unref(&s->worker->shared->versions, p->next_version);
	p->next = NULL;
	p->next_version = NULL;
}

static int
refuse(struct session *s, const struct frame *f, const struct backend_error *e)
{
	forget_next(s);
	return person_poison(s, f->type, e) == 0 ? ERR_DENIED : MOVE_WAIT;
}

/*
 * An end of the transaction: alone, or as drivers send it that forget what
 * they prepared. Drivers count on COMMIT to be the end, too, and it shows
 * nothing.
 */
static bool
is_end(const struct meaning *m)
{
	const char *what = m->judgement->what;

	return strcmp(what, "ROLLBACK, DEALLOCATE") == 0 ||
	    strcmp(what, "COMMIT, DEALLOCATE") == 0 ||
	    (m->judgement->alone && (strcmp(what, "ROLLBACK") == 0 ||
	    strcmp(what, "COMMIT") == 0));
}

static bool
text_is_end(struct session *s, const char *sql, size_t len)
{
	struct meaning *m = person_meaning(s, sql, len);
	bool yes = m != NULL && is_end(m);

	meaning_unref(m);
	return yes;
}

static bool
named_is_end(const struct named *x)
{
	return x != NULL && x->n == 1 && !x->anything &&
	    is_end(x->slots[0].meaning);
}

/* Whether the message does nothing but lead out of the transaction. */
static bool
leads_out(struct session *s, const struct frame *f)
{
	struct person *p = s->person;
	struct frontend_execute x;
	struct frontend_query q;
	struct frontend_parse a;
	struct frontend_bind b;

	switch (f->type) {
	case 'Q':
		return frontend_query_read(f->body, &q) == 0 &&
		    text_is_end(s, q.sql, q.len);
	case 'P':
		return frontend_parse_read(f->body, &a) == 0 &&
		    text_is_end(s, a.sql, a.len);
	case 'B':
		return frontend_bind_read(f->body, &b) == 0 &&
		    named_is_end(names_find(&p->statements,
		    b.statement));
	case 'E':
		return frontend_execute_read(f->body, &x) == 0 &&
		    named_is_end(names_find(&p->portals, x.portal));
	default:
		return false;
	}
}

static int
refuse_transaction(struct session *s, const struct frame *f)
{
	static const struct backend_error e = {"ERROR", "40001",
	    "the transaction cannot go on: your clearance has changed",
	    "what may be read now takes another login at the store",
	    "send ROLLBACK and begin again; the next statement runs under "
	    "the new clearance"};

	if (leads_out(s, f)) {
		forget_next(s);
		return 0;
	}
	return refuse(s, f, &e);
}

static int
refuse_login(struct session *s, const struct frame *f)
{
	static const struct backend_error e = {"ERROR", "57P03",
	    "the store has no login for your clearance yet",
	    "what you may read has changed", "run sworn apply for this "
	    "store, then sworn reload"};

	if (s->person->status != 'I' && leads_out(s, f)) {
		forget_next(s);
		return 0;
	}
	return refuse(s, f, &e);
}

static int
end_with(struct session *s, const char *sqlstate, const char *message,
    const char *detail, const char *hint)
{
	struct backend_error e = {"FATAL", sqlstate, message, detail, hint};

	forget_next(s);
	if (message == NULL)
		session_end_memory(s);
	else
		session_end(s, "moved", &e);
	return MOVE_WAIT;
}

static int
move(struct session *s, const struct frame *f)
{
	struct person *p = s->person;
	bool relink = move_relinks(s, p->next);

	if (p->next->login == NULL)
		return refuse_login(s, f);
	if (relink && (p->status != 'I' || p->segment))
		return refuse_transaction(s, f);
	if (relink && p->leaves)
		return end_with(s, "57P01", "terminating connection: your "
		    "clearance has changed, and what this session set at the "
		    "store would be lost unseen", "settings, or statements "
		    "made with PREPARE", "connect again");
	p->moving = true;
	p->relink = relink;
	person_switch_begin(s);
	return MOVE_WAIT;
}

bool
move_begins(struct session *s, const struct frame *f)
{
	struct frontend_execute x;
	struct named *portal;

	if (f->type != 'E')
		return f->type == 'Q' || f->type == 'P' || f->type == 'B' ||
		    f->type == 'F';
	if (frontend_execute_read(f->body, &x) != 0)
		return true;
	portal = names_find(&s->person->portals, x.portal);
	return s->person->stale > 0 || portal == NULL ||
	    portal->stretch != s->person->stretch;
}

int
move_person(struct session *s, const struct frame *f)
{
	struct person *p = s->person;
	const char *closed;
	int r;

	if (p->requests.n > 0) {
		person_ask_flush(s);
		return MOVE_WAIT;
	}
	if (s->job_out != NULL || s->jobs_first != NULL)
		return MOVE_WAIT;	/* again once it is done */
	forget_next(s);
	if ((r = move_decide(s, s->held.purpose, s->held.ticket, &p->next,
	    &p->next_version)) != 0) {
		if (r != ERR_SHORT)
			move_end(s, r);
		return MOVE_WAIT;
	}
	if ((closed = move_closed(s, p->next_version, p->next, s->a)) != NULL)
		return end_with(s, "28000", closed, NULL, MOVE_CLOSED_HINT);
	if (!config_knows_purpose(p->next_version->config, s->held.purpose))
		return end_with(s, "22023", arena_fmt(s->a, "the policy knows "
		    "no purpose \"%s\" any more", s->held.purpose), NULL,
		    "connect again, stating one that it knows");
	if (move_is_recorded(s, p->next, p->next_version)) {
		move_settle(s, p->next, p->next_version);
		p->next = NULL;
		p->next_version = NULL;
		return 0;
	}
	return move(s, f);
}

/* Judges one kept text anew. NULL: it was not kept; *r: out of memory. */
static struct meaning *
again(struct session *s, const struct meaning *m, int *r)
{
	struct frontend_parse p;
	struct meaning *new;

	*r = 0;
	if (m->parse.len == 0 || frontend_parse_read(m->parse, &p) != 0)
		return NULL;
	if ((new = person_meaning(s, p.sql, p.len)) == NULL ||
	    meaning_keep(&new, m->parse) != 0) {
		meaning_unref(new);
		*r = ERR_MEMORY;
		return NULL;
	}
	return new;
}

int
move_refresh(struct session *s, struct named *x)
{
	struct meaning *m = NULL;
	int r = 0;

	if (x == NULL || x->epoch == s->person->epoch)
		return 0;
	if (x->n == 0 && !x->anything) {
		x->epoch = s->person->epoch;	/* a new one */
		return 0;
	}
	if (x->n == 1 && !x->anything)
		m = again(s, x->slots[0].meaning, &r);
	if (r != 0) {
		session_end_memory(s);
		return MOVE_WAIT;
	}
	named_become(x, m);
	meaning_unref(m);
	named_forget_run(x);
	x->epoch = s->person->epoch;
	return 0;
}

/* The store may have another of that name: it is closed, whatever it is. */
static int
close_doubted(struct session *s, struct named *x)
{
	struct request *q;

	if ((q = request_push(s, REQUEST_CLOSE)) == NULL) {
		session_end_memory(s);
		return MOVE_WAIT;
	}
	q->ours = true;
	q->named = named_ref(x);	/* of no version: it stays */
	frontend_close_write(flow_buf(&s->link->out), 'S', x->name);
	x->doubted = false;
	return 0;
}

int
move_prepare(struct session *s, struct named *x)
{
	struct meaning *m;
	struct request *q;
	struct buf *out;

	if (x == NULL || !x->lost || x->n == 0)
		return 0;
	m = x->slots[0].meaning;
	if (x->doubted && close_doubted(s, x) != 0)
		return MOVE_WAIT;
	if ((q = request_push(s, REQUEST_PARSE)) == NULL) {
		session_end_memory(s);
		return MOVE_WAIT;
	}
	q->ours = true;
	q->named = named_ref(x);
	q->version = x->version;
	out = flow_buf(&s->link->out);
	if (m->judgement->exact != NULL) {
		q->meaning = meaning_ref(m);
		if (strip_parse(m->parse, m->judgement->exact->sql, out) != 0)
			return ERR_FORMAT;
	} else {
		buf_u8(out, 'P');
		buf_u32(out, (uint32_t)m->parse.len + 4);
		buf_bytes(out, m->parse.data, m->parse.len);
	}
	s->person->segment = true;
	x->lost = false;
	return 0;
}
