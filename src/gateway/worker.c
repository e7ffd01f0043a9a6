/*
 * The loop: wait; handle each event; handle finished jobs; let sessions
 * whose time has come know; free the dead. Sessions are freed nowhere else,
 * so an event can never meet one that is gone.
 */
#include "gateway/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "gateway/job.h"
#include "gateway/session.h"
#include "gateway/standing.h"
#include "policy/cache.h"

#define EVENTS_MAX 64
#define ACCEPTS_MAX 16		/* per wake-up */
#define TICK_MS 100		/* how exact deadlines are */
#define STOP_MS 3000		/* for sessions to end in order */

void
worker_wake(struct worker *w)
{
	uint64_t one = 1;
	ssize_t n;

	do
		n = write(w->wake_fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
	/* EAGAIN: the counter is full, so the worker wakes anyway. */
}

void
worker_job_done(struct worker *w, struct job *j)
{
	bool first;

	(void)pthread_mutex_lock(&w->lock);
	j->next = NULL;
	first = w->done_first == NULL;
	if (first)
		w->done_first = j;
	else
		w->done_last->next = j;
	w->done_last = j;
	(void)pthread_mutex_unlock(&w->lock);
	if (first)
		worker_wake(w);
}

static void
take_jobs(struct worker *w)
{
	struct job *j, *next;

	(void)pthread_mutex_lock(&w->lock);
	j = w->done_first;
	w->done_first = w->done_last = NULL;
	(void)pthread_mutex_unlock(&w->lock);
	for (; j != NULL; j = next) {
		next = j->next;
		session_job_done(j->session, j);
	}
}

void
worker_watch(struct worker *w, struct source *src, uint32_t wants)
{
	struct epoll_event ev = {.events = wants, .data.ptr = src};

	if (src->fd < 0 || (src->added && src->wants == wants))
		return;
	if (epoll_ctl(w->epoll_fd, src->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
	    src->fd, &ev) != 0) {
		report(REPORT_ERROR, "epoll_ctl failed errno=%d", errno);
		return;
	}
	src->added = true;
	src->wants = wants;
}

struct scram_salted *
worker_salted(struct worker *w, struct version *v,
    const struct config_login *login)
{
	struct kept_password *k;

	/* Those of a base are its own, in a list for each worker. */
	for (k = v->kept[w->index]; k != NULL; k = k->next)
		if (k->login == login)
			return &k->salted;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	k->login = login;
	k->next = v->kept[w->index];
	v->kept[w->index] = k;
	return &k->salted;
}

static void
accept_some(struct worker *w, int listen_fd)
{
	struct sockaddr_storage sa;
	struct session *s;
	socklen_t len;
	int fd, i;

	for (i = 0; i < ACCEPTS_MAX; i++) {
		len = sizeof(sa);
		fd = accept4(listen_fd, (struct sockaddr *)&sa, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				report(REPORT_WARNING, "accept failed "
				    "errno=%d", errno);
			return;
		}
		if ((s = session_new(w, fd, &sa)) == NULL) {
			(void)close(fd);	/* out of memory: nobody */
			continue;
		}
		s->next = w->sessions;
		if (s->next != NULL)
			s->next->prev = s;
		w->sessions = s;
		session_settle(s);
	}
}

static void
handle(struct worker *w, struct source *src, uint32_t events)
{
	uint64_t count;

	switch (src->kind) {
	case SOURCE_WAKE:
		/* Only empties the counter; the queue is looked at anyway. */
		if (read(w->wake_fd, &count, sizeof(count)) < 0)
			return;
		break;
	case SOURCE_LISTENER:
		accept_some(w, src->fd);
		break;
	case SOURCE_CLIENT:
		session_client_event(src->session, events);
		break;
	case SOURCE_STORE:
		session_store_event(src->session, events);
		break;
	}
}

static void
tick(struct worker *w, int64_t now)
{
	struct session *s, *next;

	for (s = w->sessions; s != NULL; s = next) {
		next = s->next;
		if (s->deadline_ms != 0 && now >= s->deadline_ms)
			session_timeout(s);
		else
			session_turn(s);
	}
}

/* Once for each version: sessions learn that another one is in force. */
static void
tell(struct worker *w)
{
	uint64_t number = atomic_load(&w->shared->versions.number);
	struct session *s, *next;

	if (number == w->seen)
		return;
	w->seen = number;
	for (s = w->sessions; s != NULL; s = next) {
		next = s->next;
		session_version(s);
	}
}

static void
bury(struct worker *w)
{
	struct session *s, *next;

	for (s = w->sessions; s != NULL; s = next) {
		next = s->next;
		if (!session_is_dead(s))
			continue;
		if (s->prev != NULL)
			s->prev->next = s->next;
		else
			w->sessions = s->next;
		if (s->next != NULL)
			s->next->prev = s->prev;
		session_free(s);
	}
}

/* Once: no more sessions, and those there are end. */
static void
stop_listening(struct worker *w)
{
	struct session *s, *next;
	size_t i;

	for (i = 0; i < w->shared->n_listen_fds; i++)
		(void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL,
		    w->listeners[i].fd, NULL);	/* it was added */
	w->listening = false;
	for (s = w->sessions; s != NULL; s = next) {
		next = s->next;
		session_stop(s);
	}
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct epoll_event events[EVENTS_MAX];
	int64_t now, stop_at = 0, ticked = 0;
	int i, n;

	for (;;) {
		n = epoll_wait(w->epoll_fd, events, EVENTS_MAX,
		    w->sessions != NULL ? TICK_MS : -1);
		for (i = 0; i < n; i++)
			handle(w, events[i].data.ptr, events[i].events);
		take_jobs(w);
		tell(w);
		now = clock_mono_ms();
		if (w->listening && atomic_load(&w->shared->stopping)) {
			stop_listening(w);
			stop_at = now + STOP_MS;
		}
		if (now - ticked >= TICK_MS) {
			tick(w, now);
			ticked = now;
		}
		bury(w);
		if (!w->listening && (w->sessions == NULL || now >= stop_at))
			return NULL;
	}
}

static int
watch_all(struct worker *w)
{
	struct epoll_event ev;
	size_t i;

	w->wake = (struct source){SOURCE_WAKE, NULL, w->wake_fd, 0, false};
	worker_watch(w, &w->wake, EPOLLIN);
	for (i = 0; i < w->shared->n_listen_fds; i++) {
		w->listeners[i] = (struct source){SOURCE_LISTENER, NULL,
		    w->shared->listen_fds[i], 0, true};
		ev.events = EPOLLIN | EPOLLEXCLUSIVE;
		ev.data.ptr = &w->listeners[i];
		if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD,
		    w->listeners[i].fd, &ev) != 0)
			return ERR_IO;
	}
	return w->wake.added ? 0 : ERR_IO;
}

int
worker_start(struct shared *s, struct worker *w, unsigned index)
{
	int r = ERR_IO;

	w->shared = s;
	w->index = index;
	w->seen = atomic_load(&s->versions.number);
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->listeners = calloc(s->n_listen_fds + 1, sizeof(*w->listeners));
	w->listening = true;
	w->cache = standing_cache_new();
	if (w->cache == NULL || w->epoll_fd < 0 || w->wake_fd < 0 || w->listeners == NULL ||
	    (r = watch_all(w)) != 0)
		goto out;
	if (pthread_mutex_init(&w->lock, NULL) != 0 ||
	    pthread_create(&w->thread, NULL, worker_main, w) != 0)
		r = ERR_IO;
out:
	if (r != 0) {
		if (w->epoll_fd >= 0)
			(void)close(w->epoll_fd);
		if (w->wake_fd >= 0)
			(void)close(w->wake_fd);
		free(w->listeners);
		cache_free(w->cache);
	}
	return r;
}

/*
 * Sessions that did not end in time are left as they are: the process ends,
 * and jobs of theirs may still be with the log client's thread.
 */
void
worker_join(struct worker *w)
{
	(void)pthread_join(w->thread, NULL);	/* started, not detached */
	cache_free(w->cache);
}
