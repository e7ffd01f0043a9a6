/*
 * What all states share: beginning, deadlines, ending. The table of states
 * and events is in session_step.c, the sockets are in session_io.c.
 */
#include "gateway/session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "base/text.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/scram.h"
#include "gateway/cancel.h"
#include "gateway/config.h"
#include "gateway/confirm.h"
#include "gateway/desk.h"
#include "gateway/job.h"
#include "gateway/move.h"
#include "gateway/run.h"
#include "gateway/standing.h"
#include "tls/tls.h"
#include "wire/backend.h"
#include "wire/frontend.h"

#define ENDING_MS 2000		/* for a last error to be read */
#define RETRY_MS 1000		/* between attempts at a close record */

void
session_deadline(struct session *s, unsigned ms)
{
	s->deadline_ms = ms == 0 ? 0 : clock_mono_ms() + ms;
}

static int
address_text(const struct sockaddr_storage *sa, struct session *s)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	char a[INET6_ADDRSTRLEN];
	unsigned port;
	bool v4 = true;

	if (sa->ss_family == AF_INET) {
		if (inet_ntop(AF_INET, &in->sin_addr, a, sizeof(a)) == NULL)
			return ERR_FORMAT;
		port = ntohs(in->sin_port);
	} else if (sa->ss_family == AF_INET6) {
		/* A v4 address in v6 clothes is the v4 address. */
		v4 = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
		if (inet_ntop(v4 ? AF_INET : AF_INET6,
		    v4 ? (const void *)&in6->sin6_addr.s6_addr[12] :
		    (const void *)&in6->sin6_addr, a, sizeof(a)) == NULL)
			return ERR_FORMAT;
		port = ntohs(in6->sin6_port);
	} else {
		return ERR_FORMAT;
	}
	(void)snprintf(s->address, sizeof(s->address), "%s", a);
	(void)snprintf(s->source, sizeof(s->source), v4 ? "%s:%u" : "[%s]:%u",
	    a, port);
	return 0;
}

static int
make_id(struct session *s)
{
	uint8_t raw[SESSION_ID_LEN / 2];
	struct buf hex;
	int r;

	if ((r = random_bytes(raw, sizeof(raw))) != 0)
		return r;
	buf_init(&hex, 0);
	text_hex(&hex, raw, sizeof(raw));
	if (hex.failed)
		r = ERR_MEMORY;
	else
		memcpy(s->id, hex.data, SESSION_ID_LEN);
	buf_done(&hex);
	return r;
}

struct session *
session_new(struct worker *w, int fd, const struct sockaddr_storage *sa)
{
	struct session *s;
	int one = 1;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->worker = w;
	s->state = STATE_STARTUP;
	s->client = (struct source){SOURCE_CLIENT, s, fd, 0, false};
	s->store_source = (struct source){SOURCE_STORE, s, -1, 0, false};
	flow_init(&s->up);
	flow_init(&s->down);
	buf_init(&s->fatal, 0);
	s->end_reason = "client";
	if (address_text(sa, s) != 0 || make_id(s) != 0 ||
	    (s->a = arena_new()) == NULL) {
		s->client.fd = -1;	/* stays the caller's */
		session_free(s);
		return NULL;
	}
	/* Only speed and dead peers depend on these two. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	session_deadline(s, w->shared->boot->login_timeout_ms);
	return s;
}

static void
close_client(struct session *s)
{
	if (s->client.fd >= 0) {
		tls_close(s->tls);
		(void)close(s->client.fd);	/* also leaves epoll */
	}
	tls_free(s->tls);
	s->tls = NULL;
	s->client.fd = -1;
	s->client.added = false;
	flow_done(&s->up);
	flow_done(&s->down);
}

static void
close_store(struct session *s)
{
	if (s->cancel != NULL)
		cancel_aim(s->worker->shared->cancels, s->cancel, NULL);
	link_free(s->link);
	s->link = NULL;
	s->store_source.fd = -1;
	s->store_source.added = false;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	close_client(s);
	close_store(s);
	cancel_remove(s->worker->shared->cancels, s->cancel);
	if (s->counted)
		atomic_fetch_sub(&s->worker->shared->sessions, 1);
	job_drop_waiting(s);
	confirm_free(s);
	scram_server_free(s->scram);
	if (s->person != NULL)
		version_unref(&s->worker->shared->versions,
		    s->person->next_version);
	person_free(s->person);
	standing_free(s->standing);
	version_unref(&s->worker->shared->versions, s->version);
	move_held_done(&s->held);
	arena_free(s->a);
	buf_done(&s->fatal);
	free(s);
}

bool
session_is_dead(const struct session *s)
{
	return s->state == STATE_DEAD;
}

/* Past the client's last byte: only records are left to do. */
void
session_end_quietly(struct session *s)
{
	close_client(s);
	session_deadline(s, 0);
	session_set_state(s, s->jobs_first == NULL && s->job_out == NULL &&
	    !s->asking ? STATE_DEAD : STATE_ENDED);
}

static void
submit_close(struct session *s)
{
	struct record_close *c;
	struct job *j;

	/* With a number that may be taken already it would contradict the
	 * log: such a session stays without an end. */
	if (!s->opened || s->close_submitted || s->lost)
		return;
	s->close_submitted = true;
	if ((j = job_new(s, JOB_CLOSE, RECORD_CLOSE)) == NULL) {
		report(REPORT_ERROR, "session=%s no memory for its close "
		    "record", s->id);
		return;
	}
	c = &j->record.u.close;
	c->statements = s->statements;
	c->denials = s->denials;
	c->rows = s->rows;
	c->bytes = s->bytes;
	c->reason = s->end_reason;
	job_submit(j);
}

void
session_end(struct session *s, const char *reason,
    const struct backend_error *error)
{
	bool between;

	if (s->state >= STATE_ENDING)
		return;
	s->end_reason = reason;
	between = s->person != NULL ? s->person->down_left == 0 :
	    stream_between(&s->relay_down);
	if (error != NULL && between && s->client.fd >= 0 &&
	    s->state != STATE_ENCRYPTING)
		backend_error_write(flow_buf(&s->down), error);
	if (s->link != NULL && s->link->state == LINK_UP) {
		/* A polite goodbye, if it goes at once. */
		frontend_empty_write(flow_buf(&s->link->out), 'X');
		(void)flow_write(&s->link->out, s->link->fd,
		    s->link->tls);
	}
	if (s->person == NULL) {
		s->rows = s->relay_down.rows;
		s->bytes = s->relay_down.bytes;
	}
	if (s->person != NULL && s->opened)
		exact_abandon(s);
	close_store(s);
	flow_done(&s->up);
	submit_close(s);
	session_set_state(s, STATE_ENDING);
	session_deadline(s, ENDING_MS);
	if (s->client_gone || s->client.fd < 0)
		session_end_quietly(s);
}

void
session_end_memory(struct session *s)
{
	static const struct backend_error e = {"FATAL", "53200",
	    "out of memory", NULL, NULL};

	session_end(s, "memory", &e);
}

void
session_end_protocol(struct session *s, const char *what)
{
	struct backend_error e = {"FATAL", "08P01", what, NULL, NULL};

	session_end(s, "protocol", &e);
}

void
session_end_log(struct session *s)
{
	static const struct backend_error e = {"FATAL", "58030",
	    "the disclosure log cannot be written: nothing was released",
	    NULL, NULL};

	session_end(s, "log", &e);
}

static void
end_if_over(struct session *s)
{
	if (s->state == STATE_ENDED && s->job_out == NULL &&
	    s->jobs_first == NULL && s->deadline_ms == 0 && !s->asking)
		session_set_state(s, STATE_DEAD);
}

void
session_job_done(struct session *s, struct job *j)
{
	enum event e = j->result == 0 ? EVENT_DURABLE :
	    j->result == ERR_STATE ? EVENT_LOST :
	    j->result == ERR_CONFLICT ? EVENT_STALE : EVENT_REFUSED;
	enum job_kind kind = j->kind;
	bool numbered = j->record.type != RECORD_LOGIN_FAILURE;

	if (kind == JOB_TICKET) {
		confirm_done(s, j);
		end_if_over(s);
		session_settle(s);
		return;
	}
	if (kind == JOB_STEP) {
		desk_done(s, j);
		end_if_over(s);
		session_settle(s);
		return;
	}
	s->job_out = NULL;
	if (e == EVENT_DURABLE && numbered) {
		if (j->run != NULL && j->record.type == RECORD_STATEMENT)
			j->run->n = s->n_records;
		if (j->record.type == RECORD_SESSION) {
			s->opened = true;
			COUNT(s->worker->shared, sessions_opened, 1);
			atomic_fetch_add(&s->worker->shared->opened, 1);
		}
		s->n_records++;
		if (j->record.type == RECORD_SESSION &&
		    s->state >= STATE_ENDING)
			submit_close(s);
	}
	if (e == EVENT_DURABLE && kind == JOB_CLOSE) {
		COUNT(s->worker->shared, sessions_closed, 1);
		atomic_fetch_add(&s->worker->shared->closed, 1);
	}
	if (kind == JOB_CLOSE && e == EVENT_REFUSED &&
	    !atomic_load(&s->worker->shared->stopping)) {
		/* Until it is written the session has no end: again, later. */
		s->close_submitted = false;
		session_deadline(s, RETRY_MS);
	}
	job_free(j);
	if (e == EVENT_LOST) {
		s->lost = true;
		job_drop_waiting(s);
	} else {
		job_pump(s);
	}
	if (kind == JOB_GATE || e == EVENT_LOST)
		session_step(s, e);
	else if (kind == JOB_HOLD && s->state < STATE_ENDING)
		person_hold_done(s, e);
	end_if_over(s);
	session_settle(s);
}

void
session_timeout(struct session *s)
{
	s->deadline_ms = 0;
	if (s->opened && !s->close_submitted && s->state >= STATE_ENDING) {
		submit_close(s);
		if (s->state == STATE_ENDING)
			session_deadline(s, ENDING_MS);
		return;
	}
	session_step(s, EVENT_TIMEOUT);
	session_settle(s);
}

void
session_stop(struct session *s)
{
	s->stopping = true;
	session_step(s, EVENT_STOP);
	session_settle(s);
}
