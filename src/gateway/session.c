/*
 * The table of states and events, and what all states share: sockets,
 * deadlines, ending. What a state does is in session_login.c,
 * session_open.c and person*.c; a service's relay is here.
 */
#include "gateway/session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
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
#include "gateway/job.h"
#include "gateway/move.h"
#include "gateway/run.h"
#include "gateway/standing.h"
#include "wire/backend.h"
#include "wire/frontend.h"

#define ENDING_MS 2000		/* for a last error to be read */
#define RETRY_MS 1000		/* between attempts at a close record */
#define EARLY_MAX (FRONTEND_EARLY_MAX + FRAME_HEAD)

static const char *
state_text(enum state s)
{
	switch (s) {
	case STATE_STARTUP:
		return "startup";
	case STATE_SASL_FIRST:
		return "sasl-first";
	case STATE_SASL_FINAL:
		return "sasl-final";
	case STATE_FAILING:
		return "failing";
	case STATE_DELAYED:
		return "delayed";
	case STATE_CANCEL:
		return "cancel";
	case STATE_ASKING:
		return "asking";
	case STATE_OPENING:
		return "opening";
	case STATE_CONNECTING:
		return "connecting";
	case STATE_GREETING:
		return "greeting";
	case STATE_PERSON:
		return "person";
	case STATE_WAITING:
		return "waiting";
	case STATE_SWITCHING:
		return "switching";
	case STATE_SWITCHING_LINK:
		return "switching-link";
	case STATE_SWITCHING_GREETING:
		return "switching-greeting";
	case STATE_SERVICE:
		return "service";
	case STATE_SERVICE_MOVING:
		return "service-moving";
	case STATE_ENDING:
		return "ending";
	case STATE_ENDED:
		return "ended";
	case STATE_DEAD:
		return "dead";
	}
	return "?";
}

void
session_set_state(struct session *s, enum state to)
{
	report(REPORT_DEBUG, "session=%s state=%s next=%s", s->id,
	    state_text(s->state), state_text(to));
	s->state = to;
}

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
	if (s->client.fd >= 0)
		(void)close(s->client.fd);	/* also leaves epoll */
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
static void
end_quietly(struct session *s)
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
	if (error != NULL && between && s->client.fd >= 0)
		backend_error_write(flow_buf(&s->down), error);
	if (s->link != NULL && s->link->state == LINK_UP) {
		/* A polite goodbye, if it goes at once. */
		frontend_empty_write(flow_buf(&s->link->out), 'X');
		(void)flow_write(&s->link->out, s->link->fd);
	}
	if (s->person == NULL) {
		s->rows = s->relay_down.rows;
		s->bytes = s->relay_down.bytes;
	}
	close_store(s);
	flow_done(&s->up);
	submit_close(s);
	session_set_state(s, STATE_ENDING);
	session_deadline(s, ENDING_MS);
	if (s->client_gone || s->client.fd < 0)
		end_quietly(s);
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
end_store_gone(struct session *s)
{
	static const struct backend_error e = {"FATAL", "57P01",
	    "the store closed the connection", NULL, NULL};

	/* What it said last has been handed on; often that is the reason. */
	session_end(s, "store", s->person != NULL &&
	    flow_len(&s->down) > 0 ? NULL : &e);
}

static void
end_stopping(struct session *s)
{
	static const struct backend_error e = {"FATAL", "57P01",
	    "terminating connection: the gateway is being stopped", NULL,
	    NULL};

	session_end(s, "stop", &e);
}

/* A service's bytes, on their way as they are. */
static void
relay(struct session *s)
{
	struct flow *in = &s->link->in, *out = &s->link->out;

	if (flow_len(&s->up) > 0 && flow_len(out) < FLOW_STOP) {
		flow_add(out, flow_data(&s->up), flow_len(&s->up));
		flow_drop(&s->up, flow_len(&s->up));
	}
	if (flow_len(in) > 0 && flow_len(&s->down) < FLOW_STOP) {
		if (stream_feed(&s->relay_down, flow_data(in),
		    flow_len(in)) != 0) {
			session_end(s, "store", NULL);
			return;
		}
		flow_add(&s->down, flow_data(in), flow_len(in));
		flow_drop(in, flow_len(in));
	}
}

/* States in which a client's bytes just wait. */
static void
step_default(struct session *s, enum event e)
{
	if (e == EVENT_CLIENT_GONE)
		session_end(s, "client", NULL);
	else if (e == EVENT_STOP)
		end_stopping(s);
	else if (e == EVENT_LOST)
		session_end_log(s);
	else if (e == EVENT_STORE_GONE)
		end_store_gone(s);
	else if (e == EVENT_TIMEOUT)
		session_end(s, "timeout", NULL);
}

static void
step_login(struct session *s, enum event e)
{
	if (e != EVENT_CLIENT_BYTES) {
		step_default(s, e);
		return;
	}
	if (s->state == STATE_STARTUP)
		login_startup(s);
	else if (s->state == STATE_SASL_FIRST)
		login_sasl_first(s);
	else
		login_sasl_final(s);
}

static void
step_failing(struct session *s, enum event e)
{
	if (s->state == STATE_FAILING && (e == EVENT_DURABLE ||
	    e == EVENT_REFUSED || e == EVENT_LOST))
		login_failed_recorded(s);
	else if (s->state == STATE_DELAYED && e == EVENT_TIMEOUT)
		login_failed_recorded(s);
	else
		step_default(s, e);
}

static void
step_cancel(struct session *s, enum event e)
{
	if (e == EVENT_LINK_READY && s->link->state != LINK_FAILED)
		return;
	session_end(s, "cancel", NULL);
}

static void
step_opening(struct session *s, enum event e)
{
	switch (e) {
	case EVENT_DURABLE:
		if (s->state == STATE_OPENING)
			open_recorded(s);
		else if (s->state == STATE_GREETING)
			open_greet(s);
		break;
	case EVENT_REFUSED:
		session_end_log(s);
		break;
	case EVENT_STALE:
		open_begin(s);
		break;
	case EVENT_LINK_READY:
		if (s->state == STATE_CONNECTING)
			open_link_ready(s);
		break;
	case EVENT_TIMEOUT:
		open_store_failed(s);
		break;
	default:
		step_default(s, e);
	}
}

static void
step_person(struct session *s, enum event e)
{
	switch (e) {
	case EVENT_CLIENT_BYTES:
	case EVENT_ROOM:
	case EVENT_STORE_BYTES:
		person_store(s);
		if (s->state == STATE_PERSON)
			person_client(s);
		break;
	case EVENT_DURABLE:
	case EVENT_REFUSED:
	case EVENT_STALE:
		if (s->state != STATE_WAITING)
			break;
		person_gate(s, e);
		if (s->state == STATE_PERSON)
			person_client(s);
		break;
	case EVENT_TIMEOUT:
		person_hold_timeout(s);
		break;
	default:
		step_default(s, e);
	}
}

static void
step_switching(struct session *s, enum event e)
{
	switch (e) {
	case EVENT_DURABLE:
		if (s->state == STATE_SWITCHING)
			person_switch_recorded(s);
		else if (s->state == STATE_SWITCHING_GREETING)
			person_switch_done(s);
		break;
	case EVENT_REFUSED:
		session_end_log(s);
		break;
	case EVENT_STALE:
		person_switch_stale(s);
		break;
	case EVENT_LINK_READY:
		if (s->state == STATE_SWITCHING_LINK)
			person_switch_linked(s);
		break;
	case EVENT_TIMEOUT:
		open_store_failed(s);
		break;
	default:
		step_default(s, e);
	}
}

static void
step_service(struct session *s, enum event e)
{
	if (e == EVENT_CLIENT_BYTES || e == EVENT_STORE_BYTES ||
	    e == EVENT_ROOM)
		relay(s);
	else
		step_default(s, e);
}

/* Both sides wait until the record of what it may now is durable. */
static void
step_service_moving(struct session *s, enum event e)
{
	if (e == EVENT_DURABLE)
		move_service_recorded(s);
	else if (e == EVENT_STALE)
		move_service(s);
	else if (e == EVENT_REFUSED)
		session_end_log(s);
	else
		step_default(s, e);
}

void
session_step(struct session *s, enum event e)
{
	switch (s->state) {
	case STATE_STARTUP:
	case STATE_SASL_FIRST:
	case STATE_SASL_FINAL:
		step_login(s, e);
		break;
	case STATE_FAILING:
	case STATE_DELAYED:
		step_failing(s, e);
		break;
	case STATE_CANCEL:
		step_cancel(s, e);
		break;
	case STATE_ASKING:
		step_default(s, e);
		break;
	case STATE_OPENING:
	case STATE_CONNECTING:
	case STATE_GREETING:
		step_opening(s, e);
		break;
	case STATE_PERSON:
	case STATE_WAITING:
		step_person(s, e);
		break;
	case STATE_SWITCHING:
	case STATE_SWITCHING_LINK:
	case STATE_SWITCHING_GREETING:
		step_switching(s, e);
		break;
	case STATE_SERVICE:
		step_service(s, e);
		break;
	case STATE_SERVICE_MOVING:
		step_service_moving(s, e);
		break;
	case STATE_ENDING:
		if (e == EVENT_CLIENT_GONE || e == EVENT_TIMEOUT)
			end_quietly(s);
		break;
	case STATE_ENDED:
	case STATE_DEAD:
		break;
	}
	if (s->up.buf.failed || s->down.buf.failed ||
	    (s->link != NULL && s->link->out.buf.failed))
		session_end_memory(s);
}

static size_t
up_limit(const struct session *s)
{
	uint8_t type;
	uint32_t body;

	if (s->state < STATE_PERSON)
		return EARLY_MAX;
	/* A person's message is kept whole until it may go. */
	if (s->person != NULL && frame_head(flow_data(&s->up),
	    flow_len(&s->up), &type, &body) == 0 && body <= FRONTEND_MAX &&
	    body + FRAME_HEAD > FLOW_STOP)
		return body + FRAME_HEAD;
	return FLOW_STOP;
}

void
session_client_event(struct session *s, uint32_t events)
{
	int n;

	if (s->client.fd < 0)
		return;
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
		if (s->state >= STATE_ENDING ||
		    flow_len(&s->up) < up_limit(s)) {
			n = flow_read(&s->up, s->client.fd);
			if (s->state >= STATE_ENDING)
				flow_done(&s->up);
		} else {
			n = (events & (EPOLLHUP | EPOLLERR)) != 0 ? 0 :
			    ERR_SHORT;
		}
		if (n > 0) {
			session_step(s, EVENT_CLIENT_BYTES);
		} else if (n != ERR_SHORT) {
			s->client_gone = true;
			session_step(s, EVENT_CLIENT_GONE);
		}
	}
	session_settle(s);
}

void
session_store_event(struct session *s, uint32_t events)
{
	int n;

	if (s->link == NULL)
		return;
	if (s->link->state != LINK_UP) {
		link_io(s->link);
		session_step(s, EVENT_LINK_READY);
	} else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
		n = flow_read(&s->link->in, s->link->fd);
		if (n > 0)
			session_step(s, EVENT_STORE_BYTES);
		else if (n != ERR_SHORT)
			session_step(s, EVENT_STORE_GONE);
	}
	session_settle(s);
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

static void
write_client(struct session *s)
{
	if (s->client.fd < 0)
		return;
	if (flow_write(&s->down, s->client.fd) != 0) {
		s->client_gone = true;
		session_step(s, EVENT_CLIENT_GONE);
	} else if (s->state == STATE_ENDING && flow_len(&s->down) == 0) {
		end_quietly(s);
	}
}

static void
write_store(struct session *s)
{
	if (s->link != NULL && s->link->state == LINK_UP &&
	    flow_write(&s->link->out, s->link->fd) != 0)
		session_step(s, EVENT_STORE_GONE);
}

static void
watch_client(struct session *s)
{
	uint32_t wants = 0;

	if (s->client.fd < 0)
		return;
	if (s->state >= STATE_ENDING || flow_len(&s->up) < up_limit(s))
		wants |= EPOLLIN;
	if (flow_len(&s->down) > 0)
		wants |= EPOLLOUT;
	worker_watch(s->worker, &s->client, wants);
}

static void
watch_store(struct session *s)
{
	uint32_t wants = 0;

	if (s->link == NULL || s->link->fd < 0)
		return;
	s->store_source.fd = s->link->fd;
	if (s->link->state != LINK_UP) {
		worker_watch(s->worker, &s->store_source,
		    link_wants(s->link));
		return;
	}
	if (flow_len(&s->down) < FLOW_STOP &&
	    flow_len(&s->link->in) < FLOW_STOP)
		wants |= EPOLLIN;
	if (flow_len(&s->link->out) > 0)
		wants |= EPOLLOUT;
	worker_watch(s->worker, &s->store_source, wants);
}

/* Whether something was held back that could go on now. */
static bool
has_room(const struct session *s)
{
	if (s->link == NULL || s->link->state != LINK_UP ||
	    (s->state != STATE_PERSON && s->state != STATE_SERVICE))
		return false;
	return (flow_len(&s->link->in) > 0 &&
	    flow_len(&s->down) < FLOW_STOP) ||
	    (flow_len(&s->up) > 0 && flow_len(&s->link->out) < FLOW_STOP);
}

/* Both sides are written before either is watched: what one side's writing
 * makes room for decides whether the other is read. */
void
session_settle(struct session *s)
{
	size_t before;

	for (;;) {
		write_store(s);
		write_client(s);
		if (!has_room(s))
			break;
		/* Nothing is read here, so this ends with what is buffered. */
		before = flow_len(&s->link->in) + flow_len(&s->up);
		session_step(s, EVENT_ROOM);
		if (s->link == NULL ||
		    flow_len(&s->link->in) + flow_len(&s->up) >= before) {
			write_store(s);
			write_client(s);
			break;
		}
	}
	watch_store(s);
	watch_client(s);
}
