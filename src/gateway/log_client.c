/*
 * Records wait in one list, in order of seq, from submission until the log
 * has answered:
 *
 *	head -> ... -> unsent -> ... -> tail
 *	 sent, no answer   |  still to be sent
 *
 * Only the client's thread takes records off, reads, writes and connects.
 * What ends a wait: DURABLE (0), REFUSED (ERR_IO, for all that wait, since
 * what follows a hole cannot be appended either), or age (ERR_STATE, for all
 * that wait, and the numbering is unknown until the log says where it is).
 *
 * A new connection's HELLO says where the log stands. That must be a place
 * that this client can have brought it to, with the same last entry there;
 * otherwise somebody else wrote, or the log lost what it had acknowledged,
 * and the client refuses to go on.
 */
#include "gateway/log_client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "gateway/log_client_state.h"

#define OUT_LOW ((size_t)256 << 10)	/* filled up to this before a send */
#define IN_MAX ((size_t)1 << 20)
#define RECONNECT_MS 20
#define POLL_MAX_MS 1000

void
log_client_wake(struct log_client *c)
{
	const uint64_t one = 1;

	if (write(c->wake_fd, &one, sizeof(one)) < 0)
		return;		/* full: it is awake already */
}

/* ---- what waits ---- */

void
log_pending_free(struct pending *p)
{
	if (p == NULL)
		return;
	buf_done(&p->frame);
	free(p);
}

/* Under the lock: takes those with seq < next off the list. */
static struct pending *
take_below(struct log_client *c, uint64_t next)
{
	struct pending *list = c->head, **at = &c->head;

	while (*at != NULL && (*at)->seq < next) {
		c->pending_bytes -= (*at)->frame.len;
		if (c->unsent == *at)
			c->unsent = (*at)->next;
		at = &(*at)->next;
	}
	if (at == &c->head)
		return NULL;
	c->head = *at;
	*at = NULL;
	if (c->head == NULL)
		c->tail = &c->head;
	return list;
}

/* Not under the lock: calls back for each and frees it. */
static void
answer(struct pending *list, int result)
{
	struct pending *p;

	while ((p = list) != NULL) {
		list = p->next;
		p->done(p->arg, result, p->seq);
		log_pending_free(p);
	}
}

static void
fail_object(struct log_client *c, int result)
{
	lock(c);
	if (c->object != NULL) {
		c->object->stored.result = result;
		c->object->over = true;
		c->object = NULL;
		(void)pthread_cond_broadcast(&c->changed);
	}
	unlock(c);
}

/* All that waits fails with ERR_STATE; where the log is, is not known. */
static void
abandon(struct log_client *c)
{
	struct pending *list;

	lock(c);
	list = take_below(c, UINT64_MAX);
	if (list != NULL)
		c->seq_known = false;
	(void)pthread_cond_broadcast(&c->changed);
	unlock(c);
	answer(list, ERR_STATE);
}

static void
detach(struct log_client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);	/* what was in it is sent again */
	c->fd = -1;
	buf_reset(&c->in);
	buf_reset(&c->out);
	c->connect_ms = clock_mono_ms() + RECONNECT_MS;
	lock(c);
	c->attached = false;
	c->unsent = c->head;
	if (c->object != NULL) {
		c->object->sent = false;
		c->object->at = 0;
	}
	unlock(c);
}

static void
set_broken(struct log_client *c, const char *what)
{
	report(REPORT_ERROR, "the log and this gateway disagree: %s; nothing "
	    "more is recorded or released until the gateway starts anew",
	    what);
	lock(c);
	c->broken = true;
	unlock(c);
	detach(c);
	abandon(c);
	fail_object(c, ERR_STATE);
}

/* ---- answers of the log ---- */

static void
on_durable(struct log_client *c, uint64_t next)
{
	struct pending *list, *p;

	lock(c);
	list = take_below(c, next);
	if (list != NULL) {
		c->acked = next;
		c->refused = false;
		for (p = list; p->next != NULL;)
			p = p->next;
		c->has_acked_leaf = merkle_leaf(p->entry.data, p->entry.len,
		    &c->acked_leaf) == 0;
		(void)pthread_cond_broadcast(&c->changed);
	}
	unlock(c);
	answer(list, 0);
}

static void
on_refused(struct log_client *c, const struct log_refused *f)
{
	struct pending *list = NULL;

	lock(c);
	/* Ids that wait are without gaps; others were answered before. */
	if (c->head != NULL && f->id >= c->head->id && f->id < c->next_id) {
		list = take_below(c, UINT64_MAX);
		c->next_seq = f->next;
		c->refused = true;
		(void)pthread_cond_broadcast(&c->changed);
	}
	unlock(c);
	answer(list, ERR_IO);
}

static void
on_stored(struct log_client *c, const struct log_stored *s)
{
	lock(c);
	if (c->object != NULL && c->object->id == s->id) {
		c->object->stored = *s;
		c->object->over = true;
		c->object = NULL;
		(void)pthread_cond_broadcast(&c->changed);
	}
	unlock(c);
}

/* Under the lock: what is wrong with where the log says it is, or NULL. */
static const char *
check_where(const struct log_client *c, const struct log_where *w)
{
	const struct pending *p;
	struct merkle_hash leaf;
	uint64_t next = w->hello.next;

	if (!c->ever_attached)
		return NULL;
	if (strcmp(c->hello.key, w->hello.key) != 0)
		return "it has another key now";
	if (next < c->acked)
		return "it has lost records that it had acknowledged";
	if (next > c->next_seq)
		return "it has records that this gateway did not write";
	if (next == c->acked)
		return c->has_acked_leaf && memcmp(&c->acked_leaf, &w->last,
		    sizeof(w->last)) != 0 ? "its last record is not the one "
		    "that this gateway wrote" : NULL;
	for (p = c->head; p != NULL && p->seq != next - 1; p = p->next)
		;
	if (p == NULL)		/* abandoned, and durable after all */
		return c->seq_known ? "it has records that were refused" :
		    NULL;
	if (merkle_leaf(p->entry.data, p->entry.len, &leaf) != 0 ||
	    memcmp(&leaf, &w->last, sizeof(leaf)) != 0)
		return "its last record is not the one that this gateway "
		    "wrote";
	return NULL;
}

static void
on_hello(struct log_client *c, const struct log_where *w)
{
	const char *wrong;

	lock(c);
	wrong = check_where(c, w);
	if (wrong == NULL) {
		if (!c->seq_known) {
			c->next_seq = c->acked = w->hello.next;
			c->acked_leaf = w->last;
			c->has_acked_leaf = w->hello.next > 0;
			c->seq_known = true;
		}
		if (w->hello.last_time_ms > c->last_time_ms)
			c->last_time_ms = w->hello.last_time_ms;
		c->hello = w->hello;
		c->attached = c->ever_attached = true;
		(void)pthread_cond_broadcast(&c->changed);
	}
	unlock(c);
	if (wrong != NULL)
		set_broken(c, wrong);
	else
		on_durable(c, w->hello.next);
}

static int
on_message(struct log_client *c, uint8_t type, struct reader *body)
{
	struct log_refused refused;
	struct log_stored stored;
	struct log_where where;
	uint64_t next;
	int r;

	if (type == LOG_WIRE_BUSY)
		return ERR_STATE;	/* come again */
	if (!c->attached) {		/* only this thread sets it */
		if (type != LOG_WIRE_HELLO)
			return ERR_FORMAT;
		if ((r = log_wire_hello_read(body, &where)) == 0)
			on_hello(c, &where);
		return r;
	}
	switch (type) {
	case LOG_WIRE_DURABLE:
		if ((r = log_wire_durable_read(body, &next)) == 0)
			on_durable(c, next);
		return r;
	case LOG_WIRE_REFUSED:
		if ((r = log_wire_refused_read(body, &refused)) == 0)
			on_refused(c, &refused);
		return r;
	case LOG_WIRE_STORED:
		if ((r = log_wire_stored_read(body, &stored)) == 0)
			on_stored(c, &stored);
		return r;
	}
	return ERR_FORMAT;
}

/* ---- the thread ---- */

static void
connect_log(struct log_client *c)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path, c->path, sizeof(un.sun_path));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		detach(c);
	else
		log_wire_ask_write(&c->out);
}

static void
read_log(struct log_client *c)
{
	struct reader in, body;
	uint8_t type, *p;
	ssize_t n;
	int r = 0;

	if ((p = buf_reserve(&c->in, 65536)) == NULL) {
		detach(c);
		return;
	}
	do
		n = recv(c->fd, p, 65536, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		detach(c);
		return;
	}
	c->in.len += (size_t)n;
	reader_init(&in, c->in.data, c->in.len);
	while (c->fd >= 0 && (r = log_wire_next(&in, &type, &body)) == 0 &&
	    (r = on_message(c, type, &body)) == 0)
		;
	if (c->fd < 0)
		return;		/* broken, and detached already */
	if (r != ERR_SHORT)
		detach(c);
	else
		buf_consume(&c->in, in.pos);
}

/* The next part of an object. Its wait begins anew: the log takes it. */
static void
send_part(struct log_client *c, struct object_wait *w)
{
	struct log_object o = {.id = w->id, .len = w->content.len};
	size_t n = w->content.len - w->at;

	if (n > LOG_WIRE_PART_MAX)
		n = LOG_WIRE_PART_MAX;
	memcpy(o.hash, w->hash, HASH_LEN);
	o.part = bytes_of(w->content.data + w->at, n);
	log_wire_object_write(&c->out, &o);
	w->at += n;
	w->sent = w->at == w->content.len;
	w->since_ms = clock_mono_ms();
}

/* Moves what is unsent into out: records first, so that a large object does
 * not hold them up. */
static void
fill_out(struct log_client *c)
{
	lock(c);
	while (c->attached && c->unsent != NULL && c->out.len < OUT_LOW) {
		buf_bytes(&c->out, c->unsent->frame.data,
		    c->unsent->frame.len);
		c->unsent = c->unsent->next;
	}
	if (c->attached && c->object != NULL && !c->object->sent &&
	    c->out.len < OUT_LOW)
		send_part(c, c->object);
	unlock(c);
}

static void
write_log(struct log_client *c)
{
	ssize_t n;

	for (;;) {
		fill_out(c);
		if (c->out.failed) {
			detach(c);
			return;
		}
		if (c->out.len == 0)
			return;
		n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				detach(c);
			return;
		}
		buf_consume(&c->out, (size_t)n);
	}
}

/* Gives up on what has waited too long; returns how long it may sleep. */
static int
expire(struct log_client *c)
{
	int64_t now = clock_mono_ms(), left = POLL_MAX_MS, age;
	bool records = false, object = false;

	lock(c);
	if (c->head != NULL) {
		age = now - c->head->since_ms;
		records = age >= (int64_t)c->unreachable_ms;
		if ((int64_t)c->unreachable_ms - age < left)
			left = (int64_t)c->unreachable_ms - age;
	}
	if (c->object != NULL) {
		age = now - c->object->since_ms;
		object = age >= (int64_t)c->unreachable_ms;
		if ((int64_t)c->unreachable_ms - age < left)
			left = (int64_t)c->unreachable_ms - age;
	}
	unlock(c);
	if (records || object) {
		detach(c);	/* its late answers are not waited for */
		if (records)
			abandon(c);
		if (object)
			fail_object(c, ERR_STATE);
		return 0;
	}
	if (c->fd < 0 && !c->broken && c->connect_ms - now < left)
		left = c->connect_ms > now ? c->connect_ms - now : 0;
	return (int)left;
}

static void *
client_run(void *arg)
{
	struct log_client *c = arg;
	struct pollfd p[2];
	uint64_t count;
	bool stop = false;
	int timeout;

	while (!stop) {
		timeout = expire(c);
		if (c->fd < 0 && !c->broken &&
		    clock_mono_ms() >= c->connect_ms)
			connect_log(c);
		if (c->fd >= 0)
			write_log(c);
		p[0] = (struct pollfd){.fd = c->wake_fd, .events = POLLIN};
		p[1] = (struct pollfd){.fd = c->fd, .events = POLLIN};
		if (c->out.len > 0)
			p[1].events |= POLLOUT;
		if (poll(p, 2, timeout) < 0 && errno != EINTR)
			report(REPORT_ERROR, "log client: poll: %s",
			    strerror(errno));
		if ((p[0].revents & POLLIN) != 0 &&
		    read(c->wake_fd, &count, sizeof(count)) < 0)
			continue;	/* somebody's wake-up came twice */
		if (c->fd >= 0 && (p[1].revents & ~POLLOUT) != 0)
			read_log(c);
		lock(c);
		stop = c->stop;
		unlock(c);
	}
	detach(c);
	abandon(c);
	fail_object(c, ERR_STATE);
	return NULL;
}

/* ---- callers ---- */

/* Under the lock: until `until_ms`, or something changed. False: timeout. */
static bool
wait_change(struct log_client *c, int64_t until_ms)
{
	struct timespec ts = {
		.tv_sec = until_ms / 1000,
		.tv_nsec = until_ms % 1000 * 1000000,
	};

	return pthread_cond_timedwait(&c->changed, &c->lock, &ts) !=
	    ETIMEDOUT;
}

static int
init_locks(struct log_client *c)
{
	pthread_condattr_t attr;
	int r = ERR_MEMORY;

	if (pthread_condattr_init(&attr) != 0)
		return r;
	if (pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	    pthread_mutex_init(&c->lock, NULL) == 0) {
		if (pthread_mutex_init(&c->object_lock, NULL) != 0) {
			(void)pthread_mutex_destroy(&c->lock);
		} else if (pthread_cond_init(&c->changed, &attr) != 0) {
			(void)pthread_mutex_destroy(&c->object_lock);
			(void)pthread_mutex_destroy(&c->lock);
		} else {
			r = 0;
		}
	}
	(void)pthread_condattr_destroy(&attr);
	return r;
}

/* Signals are for the other threads. */
static int
start_thread(struct log_client *c)
{
	sigset_t all, old;
	int r;

	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
		return ERR_IO;
	r = pthread_create(&c->thread, NULL, client_run, c);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);	/* was valid */
	return r == 0 ? 0 : ERR_MEMORY;
}

int
log_client_new(const char *path, const char *gateway, unsigned timeout_ms,
    unsigned unreachable_ms, struct log_hello *hello,
    struct log_client **ret)
{
	int64_t until = clock_mono_ms() + timeout_ms;
	struct log_client *c;
	bool attached;
	int r = ERR_MEMORY;

	if (strlen(path) >= sizeof(c->path))
		return ERR_LIMIT;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return ERR_MEMORY;
	memcpy(c->path, path, strlen(path));
	c->unreachable_ms = unreachable_ms;
	c->tail = &c->head;
	c->fd = -1;
	c->next_id = 1;
	buf_init(&c->in, IN_MAX);
	buf_init(&c->out, LOG_WIRE_BODY_MAX + OUT_LOW + ((size_t)1 << 20));
	if ((c->gateway = strdup(gateway)) == NULL)
		goto fail;
	if ((c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		goto fail;
	if ((r = init_locks(c)) != 0)
		goto fail_fd;
	if ((r = start_thread(c)) != 0)
		goto fail_locks;
	lock(c);
	while (!c->attached && wait_change(c, until))
		;
	attached = c->attached;
	*hello = c->hello;
	unlock(c);
	if (!attached) {
		log_client_free(c, 0);
		return ERR_STATE;
	}
	*ret = c;
	return 0;
fail_locks:
	(void)pthread_cond_destroy(&c->changed);
	(void)pthread_mutex_destroy(&c->object_lock);
	(void)pthread_mutex_destroy(&c->lock);
fail_fd:
	(void)close(c->wake_fd);
fail:
	free(c->gateway);
	free(c);
	return r;
}

void
log_client_free(struct log_client *c, unsigned timeout_ms)
{
	int64_t until = clock_mono_ms() + timeout_ms;

	if (c == NULL)
		return;
	lock(c);
	while (c->head != NULL && wait_change(c, until))
		;
	c->stop = true;
	unlock(c);
	log_client_wake(c);
	(void)pthread_join(c->thread, NULL);	/* never detached */
	(void)pthread_cond_destroy(&c->changed);
	(void)pthread_mutex_destroy(&c->object_lock);
	(void)pthread_mutex_destroy(&c->lock);
	(void)close(c->wake_fd);
	buf_done(&c->in);
	buf_done(&c->out);
	free(c->gateway);
	free(c);
}
