/*
 * A session's two sockets: what is read into which queue, when nothing more is
 * read, and what epoll is told.
 */
#include "gateway/session.h"

#include <sys/epoll.h>

#include "base/err.h"
#include "gateway/link.h"
#include "tls/tls.h"
#include "wire/frontend.h"

#define EARLY_MAX (FRONTEND_EARLY_MAX + FRAME_HEAD)

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

/* With TLS, reading may wait for the socket to be writable. */
static bool
is_readable(const struct tls *t, uint32_t events)
{
	return (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 ||
	    (t != NULL && tls_wants_write(t));
}

void
session_client_event(struct session *s, uint32_t events)
{
	int n;

	if (s->client.fd < 0)
		return;
	if (s->state == STATE_ENCRYPTING || tls_directly(s)) {
		session_step(s, EVENT_CLIENT_READY);
	} else if (is_readable(s->tls, events)) {
		if (s->state >= STATE_ENDING ||
		    flow_len(&s->up) < up_limit(s)) {
			n = flow_read(&s->up, s->client.fd, s->tls);
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
			s->cut_off = n == ERR_IO && s->tls != NULL;
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
	} else if (is_readable(s->link->tls, events)) {
		n = flow_read(&s->link->in, s->link->fd, s->link->tls);
		s->link->cut_off = n == ERR_IO && s->link->tls != NULL;
		if (n > 0)
			session_step(s, EVENT_STORE_BYTES);
		else if (n != ERR_SHORT)
			session_step(s, EVENT_STORE_GONE);
	}
	session_settle(s);
}

static void
write_client(struct session *s)
{
	if (s->client.fd < 0)
		return;
	if (flow_write(&s->down, s->client.fd,
	    s->state == STATE_ENCRYPTING ? NULL : s->tls) != 0) {
		s->client_gone = true;
		session_step(s, EVENT_CLIENT_GONE);
	} else if (s->state == STATE_ENDING && flow_len(&s->down) == 0) {
		session_end_quietly(s);
	}
}

static void
write_store(struct session *s)
{
	if (s->link != NULL && s->link->state == LINK_UP &&
	    flow_write(&s->link->out, s->link->fd, s->link->tls) != 0)
		session_step(s, EVENT_STORE_GONE);
}

/* What TLS needs so that what is wanted can go on. */
static uint32_t
wants_of(const struct tls *t, uint32_t wants)
{
	if (t != NULL && (wants & EPOLLOUT) != 0 && tls_wants_read(t))
		wants |= EPOLLIN;
	if (t != NULL && (wants & EPOLLIN) != 0 && tls_wants_write(t))
		wants |= EPOLLOUT;
	return wants;
}

static void
watch_client(struct session *s)
{
	uint32_t wants = 0;

	if (s->client.fd < 0)
		return;
	if (s->state == STATE_ENCRYPTING)
		wants |= s->tls != NULL && tls_wants_write(s->tls) ?
		    EPOLLOUT : EPOLLIN;
	else if (s->state >= STATE_ENDING || flow_len(&s->up) < up_limit(s))
		wants |= EPOLLIN;
	if (flow_len(&s->down) > 0)
		wants |= EPOLLOUT;
	worker_watch(s->worker, &s->client, wants_of(s->tls, wants));
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
	worker_watch(s->worker, &s->store_source,
	    wants_of(s->link->tls, wants));
}

/* Whether something was held back that could go on now. */
static bool
has_room(const struct session *s)
{
	if (s->state == STATE_DESK)
		return flow_len(&s->up) > 0 && flow_len(&s->down) < FLOW_STOP;
	if (s->link == NULL || s->link->state != LINK_UP ||
	    (s->state != STATE_PERSON && s->state != STATE_SERVICE))
		return false;
	return (flow_len(&s->link->in) > 0 &&
	    flow_len(&s->down) < FLOW_STOP) ||
	    (flow_len(&s->up) > 0 && flow_len(&s->link->out) < FLOW_STOP);
}

/* Bytes that wait to be looked at. */
static size_t
waiting_len(const struct session *s)
{
	return flow_len(&s->up) + (s->link != NULL ?
	    flow_len(&s->link->in) : 0);
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
		before = waiting_len(s);
		session_step(s, EVENT_ROOM);
		if ((s->link == NULL && s->state != STATE_DESK) ||
		    waiting_len(s) >= before) {
			write_store(s);
			write_client(s);
			break;
		}
	}
	watch_store(s);
	watch_client(s);
}
