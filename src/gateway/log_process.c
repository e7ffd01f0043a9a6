/*
 * The log process: journal, tiles and the signing key.
 *
 * May: read its key file once; write the log's and the state directory;
 * talk to gateways on its UNIX socket. It sees records, which have no
 * personal data, and no peer's bytes. sandbox_enter() comes before the first
 * gateway is accepted.
 *
 * Group commit: all records that a gateway has sent by the time of a wake-up
 * are one batch, one write, one fdatasync, one answer. While the disk is
 * busy the next batch gathers in the socket. Nothing is answered DURABLE
 * before fdatasync has returned.
 *
 * One gateway at a time holds the log: a record is taken only if its seq is
 * the next index. All else is REFUSED, and is not in the log.
 */
#include "gateway/log_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/report.h"
#include "base/text.h"
#include "base/time.h"
#include "gateway/log_objects.h"
#include "gateway/log_publisher.h"
#include "gateway/log_wire.h"
#include "gateway/metrics.h"
#include "gateway/sandbox.h"
#include "key/signing.h"
#include "record/record.h"
#include "store/disk.h"
#include "store/journal.h"
#include "store/rotate.h"
#include "store/tiles.h"

#define CLIENTS_MAX 16
#define EVENTS_MAX 32
#define TICK_MS 1000
#define READ_CHUNK ((size_t)256 << 10)
#define READ_AHEAD ((size_t)2 << 20)	/* of a client, at a wake-up */
#define OUT_MAX ((size_t)1 << 20)	/* unread answers; then it is dropped */
#define WAITING_MAX ((size_t)256 << 20)	/* not yet published, in memory */
#define REPORT_EVERY_MS 10000
#define STATE_LOCK "log.lock"

struct client {
	int fd;				/* -1: free */
	bool writing;			/* EPOLLOUT is asked for */
	struct buf in, out;
};

struct log {
	const struct log_process *p;
	struct signing *signing;
	struct note_key key;		/* its */
	int log_dir, state_dir, lock_fd, epoll_fd, signal_fd;
	struct journal *journal;
	struct tiles *tiles;		/* until the publisher has them */
	struct publisher *publisher;
	struct client clients[CLIENTS_MAX];
	struct client *writer;		/* the gateway that holds the log */
	struct log_objects objects;	/* of it */
	struct journal_entry *batch;	/* data points into a client's in */
	size_t n_batch, cap_batch, batch_len;
	uint64_t first_id;		/* of the batch */
	struct buf last;		/* the last entry, as it is */
	struct merkle_hash last_leaf;
	uint64_t dropped;		/* the journal was told of this */
	int64_t reported_ms;
	bool rotating;			/* to a key that is not this one */
	bool stop;
	int status;
};

static void
die(struct log *l, const char *what)
{
	report(REPORT_ERROR, "%s; the log stops, and starts again from what "
	    "is on disk", what);
	l->stop = true;
	l->status = 1;
}

static void
set_ok(struct log *l, uint64_t ok)
{
	if (l->p->metrics != NULL)
		atomic_store(&l->p->metrics->log_ok, ok);
}

/* ---- clients ---- */

static void
client_close(struct log *l, struct client *c)
{
	if (c->fd < 0)
		return;
	(void)close(c->fd);		/* nothing of it is kept */
	c->fd = -1;
	buf_done(&c->in);
	buf_done(&c->out);
	if (l->writer == c) {
		l->writer = NULL;
		log_objects_reset(&l->objects);
	}
}

/* Sends what can be sent, and asks to be woken for the rest. */
static void
client_flush(struct log *l, struct client *c)
{
	struct epoll_event ev = {.data.ptr = c};
	ssize_t n;

	/* After a failed sync nothing is known, so nothing is said. */
	if (c->fd < 0 || l->status != 0)
		return;
	while (c->out.len > 0 && !c->out.failed) {
		n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			client_close(l, c);
			return;
		}
		buf_consume(&c->out, (size_t)n);
	}
	if (c->out.failed) {	/* it does not read: OUT_MAX */
		report(REPORT_WARNING, "a gateway does not read its answers; "
		    "dropped");
		client_close(l, c);
		return;
	}
	if (c->writing == (c->out.len > 0))
		return;
	c->writing = c->out.len > 0;
	ev.events = EPOLLIN | (c->writing ? EPOLLOUT : 0u);
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) != 0)
		client_close(l, c);
}

static void
client_accept(struct log *l)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct client *c = NULL;
	size_t i;
	int fd;

	fd = accept4(l->p->listen_fd, NULL, NULL,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;		/* gone again; epoll tells of the next */
	for (i = 0; i < CLIENTS_MAX && c == NULL; i++)
		if (l->clients[i].fd < 0)
			c = &l->clients[i];
	ev.data.ptr = c;
	if (c == NULL || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0) {
		(void)close(fd);	/* too many: it may try again */
		return;
	}
	c->fd = fd;
	c->writing = false;
	buf_init(&c->in, LOG_WIRE_BODY_MAX + READ_AHEAD + READ_CHUNK);
	buf_init(&c->out, OUT_MAX);
}

/* ---- records ---- */

static void
refuse(struct log *l, struct client *c, uint64_t id)
{
	const struct log_refused f = {id, journal_next(l->journal)};

	log_wire_refused_write(&c->out, &f);
}

static void
refuse_batch(struct log *l, struct client *c, const char *why)
{
	int64_t now = clock_mono_ms();

	refuse(l, c, l->first_id);
	set_ok(l, 0);
	if (l->p->metrics != NULL)
		atomic_fetch_add(&l->p->metrics->log_failures, 1);
	if (l->reported_ms == 0 || now - l->reported_ms > REPORT_EVERY_MS) {
		report(REPORT_ERROR, "records refused, nothing is released: "
		    "journal in %s: %s", l->p->state_dir, why);
		l->reported_ms = now;
	}
}

static void
batch_durable(struct log *l, struct client *c)
{
	const struct journal_entry *e = &l->batch[l->n_batch - 1];
	struct metrics *m = l->p->metrics;

	buf_reset(&l->last);
	buf_bytes(&l->last, e->data.data, e->data.len);
	l->last_leaf = e->leaf;
	if (publisher_push(l->publisher, l->batch, l->n_batch) != 0)
		die(l, "out of memory");
	log_wire_durable_write(&c->out, journal_next(l->journal));
	if (m != NULL) {
		atomic_fetch_add(&m->log_syncs, 1);
		atomic_store(&m->log_durable, journal_next(l->journal));
	}
	set_ok(l, 1);
	if (l->reported_ms != 0)
		report(REPORT_INFO, "records are accepted again");
	l->reported_ms = 0;
}

static void
commit(struct log *l, struct client *c)
{
	int r;

	if (l->n_batch == 0)
		return;
	if (publisher_waiting(l->publisher) > WAITING_MAX) {
		refuse_batch(l, c, "too much waits to be published");
		goto out;
	}
	r = journal_append(l->journal, l->batch, l->n_batch);
	if (r == 0)
		batch_durable(l, c);
	else if (r == ERR_STATE)
		die(l, "the journal cannot be synced");
	else
		refuse_batch(l, c, r == ERR_IO ? strerror(errno) :
		    err_text(r));
out:
	l->n_batch = 0;
	l->batch_len = 0;
}

static int
batch_add(struct log *l, const struct log_append *a)
{
	struct journal_entry *p;
	size_t cap;

	if (l->n_batch == l->cap_batch) {
		cap = l->cap_batch * 2 + 64;
		if ((p = reallocarray(l->batch, cap, sizeof(*p))) == NULL)
			return ERR_MEMORY;
		l->batch = p;
		l->cap_batch = cap;
	}
	p = &l->batch[l->n_batch];
	p->data = a->entry;
	if (merkle_leaf(a->entry.data, a->entry.len, &p->leaf) != 0)
		return ERR_MEMORY;
	if (l->n_batch == 0)
		l->first_id = a->id;
	l->n_batch++;
	l->batch_len += a->entry.len + JOURNAL_FRAME_LEN;
	return 0;
}

/* ---- messages ---- */

/* What the gateway must know of the last record. */
static void
last_record(const struct log *l, struct log_hello *h)
{
	struct arena *a;
	struct record rec;
	struct why w = {0};
	int r;

	if (h->next == 0 || (a = arena_new()) == NULL)
		return;
	r = record_decode(bytes_of(l->last.data, l->last.len), a, &rec, &w);
	if (r == 0) {
		h->last_time_ms = rec.time_ms;
		h->clean = rec.type == RECORD_STOP ||
		    (rec.type == RECORD_ROTATION && rec.u.rotation.clean);
	} else {
		report(REPORT_WARNING, "the last record, %llu, is not one "
		    "that this version writes: %s",
		    (unsigned long long)(h->next - 1), w.text);
	}
	arena_free(a);
}

static int
on_ask(struct log *l, struct client *c, struct reader *body)
{
	struct log_where where = {0};
	struct buf key;
	int r;

	if ((r = log_wire_ask_read(body)) != 0)
		return r;
	if (l->writer != NULL) {
		log_wire_busy_write(&c->out);
		return 0;
	}
	buf_init(&key, 0);
	note_key_write(&l->key, &key);
	if (buf_text(&key) == NULL || key.len >= sizeof(where.hello.key)) {
		buf_done(&key);
		return ERR_MEMORY;
	}
	memcpy(where.hello.key, key.data, key.len + 1);
	buf_done(&key);
	memcpy(where.hello.origin, l->key.name, sizeof(where.hello.origin));
	where.hello.next = journal_next(l->journal);
	where.last = l->last_leaf;
	last_record(l, &where.hello);
	log_wire_hello_write(&c->out, &where);
	l->writer = c;
	return 0;
}

static int
on_append(struct log *l, struct client *c, struct reader *body)
{
	struct log_append a;
	int r;

	if ((r = log_wire_append_read(body, &a)) != 0)
		return r;
	if (a.entry.len > RECORD_MAX)
		return ERR_LIMIT;
	if (l->batch_len + a.entry.len + JOURNAL_FRAME_LEN >
	    JOURNAL_BATCH_MAX)
		commit(l, c);
	if (a.seq != journal_next(l->journal) + l->n_batch) {
		/* Its place in the stream of answers is behind the batch. */
		commit(l, c);
		refuse(l, c, a.id);
		return 0;
	}
	return batch_add(l, &a);
}

static int
on_object(struct log *l, struct client *c, struct reader *body)
{
	struct log_stored s;
	struct log_object o;
	int r;

	if ((r = log_wire_object_read(body, &o)) != 0)
		return r;
	if (log_objects_take(&l->objects, &o, &s))
		log_wire_stored_write(&c->out, &s);
	return 0;
}

/* What is allowed now: ASK first and once, then the others. */
static int
on_message(struct log *l, struct client *c, uint8_t type,
    struct reader *body)
{
	if (type == LOG_WIRE_ASK && l->writer != c)
		return on_ask(l, c, body);
	if (l->writer != c)
		return ERR_STATE;
	if (type == LOG_WIRE_APPEND)
		return on_append(l, c, body);
	if (type == LOG_WIRE_OBJECT)
		return on_object(l, c, body);
	return ERR_FORMAT;
}

/* Reads what has come. False: the peer is gone, but see what it sent. */
static bool
client_fill(struct client *c)
{
	uint8_t *p;
	ssize_t n;

	/* A message that is longer than READ_AHEAD is let grow. */
	for (;;) {
		if ((p = buf_reserve(&c->in, READ_CHUNK)) == NULL)
			return c->in.len > 0;
		n = recv(c->fd, p, READ_CHUNK, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		c->in.len += (size_t)n;
		if (c->in.len > READ_AHEAD)
			return true;
	}
}

static void
client_read(struct log *l, struct client *c)
{
	struct reader in, body;
	bool open;
	uint8_t type;
	int r = 0;

	open = client_fill(c);
	reader_init(&in, c->in.data, c->in.len);
	while (r == 0 && !l->stop &&
	    (r = log_wire_next(&in, &type, &body)) == 0)
		r = on_message(l, c, type, &body);
	commit(l, c);
	buf_consume(&c->in, in.pos);
	c->in.failed = false;
	if (r != 0 && r != ERR_SHORT)
		report(REPORT_WARNING, "a gateway's message is refused: %s",
		    err_text(r));
	if (!open || (r != 0 && r != ERR_SHORT))
		client_close(l, c);
	else
		client_flush(l, c);
}

/* ---- start ---- */

/* The key comes into a process of which nothing is ever dumped. */
static int
read_key(struct log *l)
{
	struct why w = {0};
	int r;

	if ((r = signing_keep_secret()) != 0)
		report(REPORT_ERROR, "core dumps cannot be forbidden: %s",
		    strerror(errno));
	else if ((r = signing_open(l->p->key_file, l->p->key_secret, "the log's "
	    "key", &l->signing, &w)) != 0)
		report(REPORT_ERROR, "%s", w.text);
	else
		l->key = *signing_signer(l->signing)->key;
	return r;
}

/*
 * The directory's own name must be durable too, whoever made it. A parent
 * that we may not read was made by somebody else, long ago.
 */
static bool
sync_name(int fd)
{
	bool synced;
	int up;

	if ((up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return true;
	synced = fsync(up) == 0;
	(void)close(up);		/* only synced */
	return synced;
}

static int
open_dir(const char *path, mode_t mode)
{
	int fd;

	if (mkdir(path, mode) != 0 && errno != EEXIST) {
		report(REPORT_ERROR, "%s cannot be made: %s", path,
		    strerror(errno));
		return -1;
	}
	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		report(REPORT_ERROR, "%s cannot be opened: %s", path,
		    strerror(errno));
	} else if (!sync_name(fd)) {
		report(REPORT_ERROR, "%s cannot be synced: %s", path,
		    strerror(errno));
		(void)close(fd);	/* given up */
		fd = -1;
	}
	return fd;
}

/* Two processes on one state would sign two trees. */
static int
lock_state(struct log *l)
{
	l->lock_fd = openat(l->state_dir, STATE_LOCK,
	    O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (l->lock_fd < 0) {
		report(REPORT_ERROR, "%s/%s cannot be opened: %s",
		    l->p->state_dir, STATE_LOCK, strerror(errno));
		return ERR_IO;
	}
	if (flock(l->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		report(REPORT_ERROR, "%s is in use by another log process",
		    l->p->state_dir);
		return ERR_STATE;
	}
	return 0;
}

static int
enter_sandbox(const struct log *l)
{
	const char *const write[] = {l->p->dir, l->p->state_dir};
	const struct sandbox s = {.write = write, .n_write = 2};
	int r;

	r = sandbox_enter(&s);
	if (r == ERR_MISSING) {
		report(REPORT_INFO, "this kernel does not restrict paths");
		return 0;
	}
	if (r != 0)
		report(REPORT_ERROR, "the sandbox cannot be entered: %s",
		    strerror(errno));
	return r;
}

/* The last of the start: what only a start needs is not in the list. */
static int
limit_calls(const struct log *l)
{
	int r = sandbox_calls_of_log(signing_child(l->signing));

	if (r == ERR_MISSING) {
		report(REPORT_INFO, "this kernel does not restrict calls");
		return 0;
	}
	if (r != 0)
		report(REPORT_ERROR, "calls cannot be restricted: %s",
		    strerror(errno));
	return r;
}

static int
replay(void *arg, uint64_t index, const struct journal_entry *e)
{
	struct log *l = arg;

	if (index != tiles_next(l->tiles))
		return ERR_CONFLICT;
	l->rotating |= rotate_is_to_another(e, &l->key);
	return tiles_add(l->tiles, e);
}

static int
open_store(struct log *l)
{
	const struct tiles_conf conf = {
		&disk_real, l->log_dir, l->state_dir,
		signing_signer(l->signing), NULL,
	};
	struct why w = {0};
	int r;

	if ((r = tiles_open(&conf, &l->tiles, &w)) != 0) {
		report(REPORT_ERROR, "log %s, state %s: %s", l->p->dir,
		    l->p->state_dir, w.text);
		return r;
	}
	l->dropped = tiles_published(l->tiles);
	r = journal_open(&disk_real, l->state_dir, l->dropped, replay, l,
	    &l->journal, &w);
	if (r == 0)
		r = tiles_check_signed(l->tiles, &w);
	if (r != 0) {
		report(REPORT_ERROR, "log %s, state %s: %s%s", l->p->dir,
		    l->p->state_dir, w.text, l->dropped == 0 &&
		    tiles_signed(l->tiles) > 0 ? " (the log's directory has "
		    "no file checkpoint; was it lost?)" : "");
		return r;
	}
	if (l->rotating) {
		report(REPORT_ERROR, "log %s: its key is being changed, and "
		    "that was cut short; run the same sworn key rotate again",
		    l->p->dir);
		return ERR_STATE;
	}
	buf_reset(&l->last);
	r = tiles_last(l->tiles, &l->last);
	if (r == 0)
		r = merkle_leaf(l->last.data, l->last.len, &l->last_leaf);
	if (r != 0 && r != ERR_MISSING) {
		report(REPORT_ERROR, "log %s: its last entry cannot be read: "
		    "%s", l->p->dir, err_text(r));
		return r;
	}
	return 0;
}

static int
watch(struct log *l, int fd, void *what)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = what};

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 :
	    ERR_IO;
}

/* SIGTERM through a descriptor; SIGINT is the supervisor's to answer. */
static int
open_events(struct log *l)
{
	sigset_t set;
	int flags;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
	    signal(SIGTERM, SIG_DFL) == SIG_ERR ||
	    signal(SIGINT, SIG_IGN) == SIG_ERR ||
	    /* Over a limit on file sizes writes fail, as on a full disk. */
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR ||
	    (l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0
	    || (l->epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
	    (flags = fcntl(l->p->listen_fd, F_GETFL)) < 0 ||
	    fcntl(l->p->listen_fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    watch(l, l->signal_fd, &l->signal_fd) != 0 ||
	    watch(l, l->p->listen_fd, &l->epoll_fd) != 0) {
		report(REPORT_ERROR, "cannot wait for events: %s",
		    strerror(errno));
		return ERR_IO;
	}
	return 0;
}

static int
start(struct log *l)
{
	int r;

	if ((r = read_key(l)) != 0)
		return r;
	if ((l->log_dir = open_dir(l->p->dir, 0755)) < 0 ||
	    (l->state_dir = open_dir(l->p->state_dir, 0700)) < 0)
		return ERR_IO;
	l->objects.log_dir = l->log_dir;
	if ((r = lock_state(l)) != 0 || (r = enter_sandbox(l)) != 0 ||
	    (r = open_events(l)) != 0 || (r = open_store(l)) != 0)
		return r;
	if ((r = publisher_new(l->tiles, l->p->publish_ms, l->p->metrics,
	    &l->publisher)) != 0) {
		report(REPORT_ERROR, "cannot start the publisher");
		return r;
	}
	l->tiles = NULL;	/* now the publisher's */
	if (watch(l, publisher_fd(l->publisher), &l->publisher) != 0)
		return ERR_IO;
	if ((r = limit_calls(l)) != 0)
		return r;
	if (l->p->metrics != NULL)
		atomic_store(&l->p->metrics->log_durable,
		    journal_next(l->journal));
	set_ok(l, 1);
	report(REPORT_INFO, "log opened origin=%s entries=%llu "
	    "published=%llu", l->key.name,
	    (unsigned long long)journal_next(l->journal),
	    (unsigned long long)l->dropped);
	return 0;
}

/* ---- run ---- */

static void
on_event(struct log *l, const struct epoll_event *ev)
{
	struct client *c = ev->data.ptr;
	size_t i;

	if (ev->data.ptr == &l->signal_fd) {
		/* What has come by now still counts. */
		for (i = 0; i < CLIENTS_MAX && !l->stop; i++)
			if (l->clients[i].fd >= 0)
				client_read(l, &l->clients[i]);
		l->stop = true;
	} else if (ev->data.ptr == &l->publisher) {
		die(l, "what is durable cannot be published");
	} else if (ev->data.ptr == &l->epoll_fd) {
		client_accept(l);
	} else if (c->fd >= 0) {
		if ((ev->events & EPOLLOUT) != 0)
			client_flush(l, c);
		if (c->fd >= 0 && (ev->events & ~(uint32_t)EPOLLOUT) != 0)
			client_read(l, c);
	}
}

static void
loop(struct log *l)
{
	struct epoll_event ev[EVENTS_MAX];
	uint64_t published;
	int i, n;

	while (!l->stop) {
		n = epoll_wait(l->epoll_fd, ev, EVENTS_MAX, TICK_MS);
		if (n < 0 && errno != EINTR) {
			die(l, "cannot wait for events");
			break;
		}
		for (i = 0; i < n && !l->stop; i++)
			on_event(l, &ev[i]);
		published = publisher_published(l->publisher);
		if (published != l->dropped && !l->stop) {
			journal_drop(l->journal, published);
			l->dropped = published;
		}
	}
}

static void
finish(struct log *l)
{
	size_t i;

	set_ok(l, 0);
	for (i = 0; i < CLIENTS_MAX; i++)
		client_close(l, &l->clients[i]);
	if (publisher_stop(l->publisher, l->status == 0) != 0 &&
	    l->status == 0) {
		report(REPORT_WARNING, "not everything is published; the rest "
		    "is in the journal, for the next start");
		l->status = 1;
	}
	tiles_free(l->tiles);
	signing_close(l->signing);
	journal_free(l->journal);
	free(l->batch);
	buf_done(&l->last);
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	if (l->signal_fd >= 0)
		(void)close(l->signal_fd);
	if (l->lock_fd >= 0)
		(void)close(l->lock_fd);
	if (l->log_dir >= 0)
		(void)close(l->log_dir);
	if (l->state_dir >= 0)
		(void)close(l->state_dir);
}

int
log_process_run(const struct log_process *p)
{
	struct log *l;
	size_t i;
	int status;

	if ((l = calloc(1, sizeof(*l))) == NULL) {
		report(REPORT_ERROR, "out of memory");
		return 1;
	}
	l->p = p;
	l->log_dir = l->state_dir = l->lock_fd = -1;
	l->epoll_fd = l->signal_fd = -1;
	buf_init(&l->last, 0);
	for (i = 0; i < CLIENTS_MAX; i++)
		l->clients[i].fd = -1;
	if (start(l) == 0)
		loop(l);
	else
		l->status = 1;
	finish(l);
	status = l->status;
	wipe(l, sizeof(*l));
	free(l);
	return status;
}
