/*
 * The thread sleeps until something is queued, then until it is publish_ms
 * old, then publishes all there is. When the disk does not let it, it tries
 * again every RETRY_MS; what waits is bounded by the log process, which
 * refuses records while it is too much.
 */
#include "gateway/log_publisher.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/report.h"
#include "base/time.h"
#include "gateway/metrics.h"
#include "store/journal.h"
#include "store/tiles.h"

#define RETRY_MS 1000
#define REPORT_EVERY_MS 10000

struct publisher {
	struct tiles *tiles;		/* the thread's */
	uint64_t publish_ms;
	struct metrics *metrics;
	int fd;
	pthread_t thread;
	atomic_uint_fast64_t published;
	atomic_size_t waiting;
	int64_t reported_ms;		/* the thread's */
	size_t held;			/* bytes in tiles; the thread's */
	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct journal_entry *queue;	/* data on the heap */
	size_t n_queue, cap_queue;
	int64_t since_ms;		/* when the oldest was queued */
	bool stop, finish;
	bool failed;
};

static void
entries_free(struct journal_entry *e, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free((void *)(uintptr_t)e[i].data.data);
	free(e);
}

static void
fail(struct publisher *p, const char *text)
{
	const uint64_t one = 1;

	report(REPORT_ERROR, "publishing failed: %s", text);
	(void)pthread_mutex_lock(&p->lock);
	p->failed = true;
	(void)pthread_mutex_unlock(&p->lock);
	if (write(p->fd, &one, sizeof(one)) < 0)
		report(REPORT_ERROR, "cannot wake the log: %s",
		    strerror(errno));
}

/* One failed try: counted, and said now and then. */
static void
complain(struct publisher *p, const char *text)
{
	int64_t now = clock_mono_ms();

	if (p->metrics != NULL)
		atomic_fetch_add(&p->metrics->log_failures, 1);
	if (p->reported_ms != 0 && now - p->reported_ms < REPORT_EVERY_MS)
		return;
	p->reported_ms = now;
	report(REPORT_WARNING, "cannot publish, trying again: %s", text);
}

/* Publishes all that the tiles have. 0, ERR_IO: again later; else failed. */
static int
publish_all(struct publisher *p)
{
	struct why w = {0};
	uint64_t n;
	int r;

	while (tiles_published(p->tiles) < tiles_next(p->tiles)) {
		r = tiles_publish(p->tiles, &w);
		n = tiles_published(p->tiles);
		atomic_store(&p->published, n);
		if (p->metrics != NULL)
			atomic_store(&p->metrics->log_published, n);
		if (r == ERR_IO)
			complain(p, w.text);
		else if (r != 0)
			fail(p, w.text);
		if (r != 0)
			return r;
	}
	p->reported_ms = 0;
	atomic_fetch_sub(&p->waiting, p->held);
	p->held = 0;
	return 0;
}

/* Moves the queue into the tiles. */
static int
take(struct publisher *p, struct journal_entry *queue, size_t n)
{
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		r = tiles_add(p->tiles, &queue[i]);
		p->held += queue[i].data.len;
	}
	entries_free(queue, n);
	if (r != 0)
		fail(p, err_text(r));
	return r;
}

/* Under the lock: until there is something to do. */
static void
wait_for_work(struct publisher *p, bool retry)
{
	struct timespec until;
	int64_t at, now = clock_mono_ms();

	while (!p->stop && !retry && p->n_queue == 0)
		(void)pthread_cond_wait(&p->wake, &p->lock);
	at = retry ? now + RETRY_MS : p->since_ms + (int64_t)p->publish_ms;
	until.tv_sec = at / 1000;
	until.tv_nsec = at % 1000 * 1000000;
	while (!p->stop && pthread_cond_timedwait(&p->wake, &p->lock,
	    &until) != ETIMEDOUT)
		;
}

static void *
publisher_run(void *arg)
{
	struct publisher *p = arg;
	struct journal_entry *queue;
	bool stop = false;
	size_t n;
	int r;

	r = publish_all(p);	/* what the journal had at the start */
	while (!stop && (r == 0 || r == ERR_IO)) {
		(void)pthread_mutex_lock(&p->lock);
		wait_for_work(p, r == ERR_IO);
		stop = p->stop;
		if (stop && !p->finish) {
			(void)pthread_mutex_unlock(&p->lock);
			break;
		}
		queue = p->queue;
		n = p->n_queue;
		p->queue = NULL;
		p->n_queue = p->cap_queue = 0;
		(void)pthread_mutex_unlock(&p->lock);
		if ((r = take(p, queue, n)) == 0)
			r = publish_all(p);
	}
	return NULL;
}

static int
init_locks(struct publisher *p)
{
	pthread_condattr_t attr;
	int r = ERR_MEMORY;

	if (pthread_condattr_init(&attr) != 0)
		return r;
	if (pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	    pthread_mutex_init(&p->lock, NULL) == 0) {
		if (pthread_cond_init(&p->wake, &attr) == 0)
			r = 0;
		else
			(void)pthread_mutex_destroy(&p->lock);
	}
	(void)pthread_condattr_destroy(&attr);
	return r;
}

int
publisher_new(struct tiles *t, uint64_t publish_ms, struct metrics *metrics,
    struct publisher **ret)
{
	struct publisher *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ERR_MEMORY;
	p->tiles = t;
	p->publish_ms = publish_ms;
	p->metrics = metrics;
	atomic_init(&p->published, tiles_published(t));
	atomic_init(&p->waiting, 0);
	if (metrics != NULL)
		atomic_store(&metrics->log_published, tiles_published(t));
	if ((p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		goto fail;
	if (init_locks(p) != 0)
		goto fail_fd;
	if (pthread_create(&p->thread, NULL, publisher_run, p) != 0)
		goto fail_locks;
	*ret = p;
	return 0;
fail_locks:
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
fail_fd:
	(void)close(p->fd);
fail:
	free(p);
	return ERR_MEMORY;
}

/* Under the lock. */
static int
queue_add(struct publisher *p, const struct journal_entry *e)
{
	struct journal_entry *q;
	uint8_t *data;
	size_t cap;

	if (p->n_queue == p->cap_queue) {
		cap = p->cap_queue * 2 + 64;
		if ((q = reallocarray(p->queue, cap, sizeof(*q))) == NULL)
			return ERR_MEMORY;
		p->queue = q;
		p->cap_queue = cap;
	}
	if ((data = malloc(e->data.len + 1)) == NULL)
		return ERR_MEMORY;
	if (e->data.len > 0)
		memcpy(data, e->data.data, e->data.len);
	q = &p->queue[p->n_queue++];
	q->data = bytes_of(data, e->data.len);
	q->leaf = e->leaf;
	atomic_fetch_add(&p->waiting, e->data.len);
	return 0;
}

int
publisher_push(struct publisher *p, const struct journal_entry *e, size_t n)
{
	size_t i;
	int r = 0;

	(void)pthread_mutex_lock(&p->lock);
	if (p->n_queue == 0)
		p->since_ms = clock_mono_ms();
	for (i = 0; i < n && r == 0; i++)
		r = queue_add(p, &e[i]);
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	return r;
}

uint64_t
publisher_published(const struct publisher *p)
{
	return atomic_load(&p->published);
}

size_t
publisher_waiting(const struct publisher *p)
{
	return atomic_load(&p->waiting);
}

int
publisher_fd(const struct publisher *p)
{
	return p->fd;
}

int
publisher_stop(struct publisher *p, bool finish)
{
	int r;

	if (p == NULL)
		return 0;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	p->finish = finish;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_join(p->thread, NULL);	/* it cannot be detached */
	r = !p->failed && p->n_queue == 0 &&
	    tiles_published(p->tiles) == tiles_next(p->tiles) ? 0 : ERR_STATE;
	entries_free(p->queue, p->n_queue);
	tiles_free(p->tiles);
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	(void)close(p->fd);
	free(p);
	return r;
}
