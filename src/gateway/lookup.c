#include "gateway/lookup.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "gateway/config_tickets.h"
#include "gateway/metrics.h"
#include "gateway/ticket_hook.h"

#define KEPT_MAX 4096		/* answers */
#define ASKS_MAX 1024		/* questions under way */
#define REFUSAL_KEPT_MS 2000	/* what is not confirmed now may soon be */
#define SLACK_MS 500		/* beside the time that asking may take */
#define HEAD 8

struct waiter {
	struct waiter *next;
	lookup_fn *fn;
	void *arg;
};

/* A question under way, or an answer that is kept. */
struct entry {
	struct entry *next;
	char *key;			/* of all that was asked */
	char *principal;
	uint64_t number;
	int64_t asked_ms;		/* wall clock */
	int64_t until_ms;		/* under way: monotonic */
	struct waiter *waiters;
	struct ticket_answer *answer;	/* kept */
};

struct lookup {
	const struct config_tickets *c;
	uint8_t secret[HASH_LEN];
	struct metrics *metrics;
	int fd;				/* to the process; -1: it is gone */
	int wake_fd;
	pthread_t thread;
	bool running;
	bool stopping;			/* under lock, as all below */
	pthread_mutex_t lock;
	uint64_t number;
	struct entry *asks, *kept;
	size_t n_asks, n_kept;
};

static void
entry_free(struct entry *e)
{
	struct waiter *w;

	if (e == NULL)
		return;
	while ((w = e->waiters) != NULL) {
		e->waiters = w->next;
		free(w);
	}
	ticket_answer_unref(e->answer);
	free(e->key);
	free(e->principal);
	free(e);
}

/* The question itself tells questions apart. */
static struct entry *
entry_new(const struct ticket_key *k)
{
	struct entry *e = calloc(1, sizeof(*e));
	struct buf b;

	buf_init(&b, 0);
	if (e == NULL || ticket_question_write(&b, k) != 0 ||
	    (e->key = buf_steal(&b)) == NULL ||
	    (e->principal = strdup(k->principal)) == NULL) {
		entry_free(e);
		e = NULL;
	}
	buf_done(&b);
	return e;
}

int
lookup_new(const struct config_tickets *c, const uint8_t *secret,
    struct metrics *metrics, struct lookup **ret)
{
	struct lookup *t = calloc(1, sizeof(*t));
	int r = ERR_MEMORY;

	if (t == NULL)
		return r;
	t->c = c;
	t->metrics = metrics;
	t->fd = t->wake_fd = -1;
	memcpy(t->secret, secret, sizeof(t->secret));
	if (pthread_mutex_init(&t->lock, NULL) != 0) {
		free(t);
		return ERR_IO;
	}
	r = ticket_hook_start(c, &t->fd);
	if (r == 0 && (t->wake_fd = eventfd(0, EFD_NONBLOCK |
	    EFD_CLOEXEC)) < 0)
		r = ERR_IO;
	if (r != 0)
		lookup_free(t);
	else
		*ret = t;
	return r;
}

static void
count(struct lookup *t, const struct ticket_answer *a, bool failed)
{
	if (t->metrics == NULL)
		return;
	atomic_fetch_add(&t->metrics->ticket_lookups, 1);
	if (failed)
		atomic_fetch_add(&t->metrics->ticket_failures, 1);
	else if (a == NULL || !a->confirmed)
		atomic_fetch_add(&t->metrics->ticket_refusals, 1);
}

/* Makes room: what holds no longer goes, else all. */
static void
make_room(struct lookup *t, int64_t now)
{
	struct entry **at = &t->kept, *e;
	bool all = true;

	for (e = t->kept; e != NULL; e = e->next)
		if (e->answer->until_ms <= now)
			all = false;
	while ((e = *at) != NULL) {
		if (!all && e->answer->until_ms > now) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		entry_free(e);
		t->n_kept--;
	}
}

/* Keeps the entry with its answer, in the place of an older one. */
static void
keep(struct lookup *t, struct entry *e, struct ticket_answer *a)
{
	struct entry **at, *old;

	for (at = &t->kept; (old = *at) != NULL; at = &old->next)
		if (strcmp(old->key, e->key) == 0) {
			*at = old->next;
			entry_free(old);
			t->n_kept--;
			break;
		}
	if (t->n_kept == KEPT_MAX)
		make_room(t, clock_now_ms());
	e->answer = ticket_answer_ref(a);
	e->next = t->kept;
	t->kept = e;
	t->n_kept++;
}

/* Ends a question, which has left the list: tells all who wait, and keeps
 * the answer. The lock is not held: who is told may ask again. */
static void
settle(struct lookup *t, struct entry *e, struct ticket_answer *a)
{
	struct waiter *w = e->waiters, *next;
	int64_t kept = t->c->cache_ms;

	e->waiters = NULL;
	if (a != NULL) {
		if (!a->confirmed && kept > REFUSAL_KEPT_MS)
			kept = REFUSAL_KEPT_MS;
		a->asked_ms = e->asked_ms;
		a->until_ms = e->asked_ms + kept;
		(void)pthread_mutex_lock(&t->lock);
		keep(t, e, a);
		(void)pthread_mutex_unlock(&t->lock);
	} else {
		entry_free(e);
	}
	for (; w != NULL; w = next) {
		next = w->next;
		w->fn(w->arg, a == NULL ? NULL : ticket_answer_ref(a));
		free(w);
	}
	ticket_answer_unref(a);
}

/* An answer that confirms nothing. */
static void
settle_failed(struct lookup *t, struct entry *e, const char *why, size_t len)
{
	struct ticket_answer *a = ticket_answer_new();
	char *s;
	size_t i;

	if (a != NULL && (s = arena_strn(a->a, why, len)) != NULL) {
		for (i = 0; s[i] != 0; i++)
			if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
				s[i] = '?';
		a->why = s;
	}
	count(t, a, true);
	report(REPORT_WARNING, "a ticket was not looked up: %.*s", (int)len,
	    why);
	settle(t, e, a);
}

static void
settle_answer(struct lookup *t, struct entry *e, const char *text,
    size_t len)
{
	struct ticket_answer *a = ticket_answer_new();

	if (a != NULL && ticket_answer_read(text, len, e->principal,
	    t->secret, a) != 0) {
		ticket_answer_unref(a);
		a = NULL;
	}
	count(t, a, false);
	settle(t, e, a);
}

/* Takes the question of a number, or the first that is too old, out. */
static struct entry *
take_ask(struct lookup *t, uint64_t number, int64_t now)
{
	struct entry **at, *e;

	(void)pthread_mutex_lock(&t->lock);
	for (at = &t->asks; (e = *at) != NULL; at = &e->next)
		if (number != 0 ? e->number == number : e->until_ms <= now) {
			*at = e->next;
			t->n_asks--;
			break;
		}
	(void)pthread_mutex_unlock(&t->lock);
	return e;
}

/* One message of the process; false: it is gone. */
static bool
take_message(struct lookup *t, uint8_t *message)
{
	struct entry *e;
	uint64_t number;
	ssize_t n;

	n = recv(t->fd, message, TICKET_MESSAGE_MAX, MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	if (n < HEAD + 1)
		return true;
	memcpy(&number, message, HEAD);
	/* One that came too late is about nothing. */
	if (number == 0 || (e = take_ask(t, number, 0)) == NULL)
		return true;
	if (message[HEAD] == TICKET_ANSWERED)
		settle_answer(t, e, (const char *)message + HEAD + 1,
		    (size_t)n - HEAD - 1);
	else
		settle_failed(t, e, (const char *)message + HEAD + 1,
		    (size_t)n - HEAD - 1);
	return true;
}

static void
settle_late(struct lookup *t, bool all)
{
	static const char late[] = "asking about it took too long";
	struct entry *e;

	while ((e = take_ask(t, 0, all ? INT64_MAX : clock_mono_ms())) != NULL)
		settle_failed(t, e, late, strlen(late));
}

static int
wait_ms(struct lookup *t, bool *ret_stopping)
{
	int64_t now = clock_mono_ms(), wait = -1, left;
	const struct entry *e;

	(void)pthread_mutex_lock(&t->lock);
	for (e = t->asks; e != NULL; e = e->next) {
		left = e->until_ms > now ? e->until_ms - now : 0;
		if (wait < 0 || left < wait)
			wait = left;
	}
	*ret_stopping = t->stopping;
	(void)pthread_mutex_unlock(&t->lock);
	return (int)wait;
}

static void *
thread_main(void *arg)
{
	struct lookup *t = arg;
	uint8_t *message = malloc(TICKET_MESSAGE_MAX);
	bool stopping = false, gone = message == NULL;
	uint64_t woken;
	int wait;

	for (;;) {
		struct pollfd polls[2] = {{gone ? -1 : t->fd, POLLIN, 0},
		    {t->wake_fd, POLLIN, 0}};

		wait = wait_ms(t, &stopping);
		if (stopping)
			break;
		if (poll(polls, 2, wait) < 0)
			continue;
		if (polls[1].revents != 0 && read(t->wake_fd, &woken,
		    sizeof(woken)) < 0)
			report(REPORT_DEBUG, "woken for nothing");
		if (polls[0].revents != 0 && !take_message(t, message)) {
			report(REPORT_ERROR, "the process that asks about "
			    "tickets is gone: none is confirmed any more");
			gone = true;
		}
		settle_late(t, gone);
	}
	free(message);
	return NULL;
}

int
lookup_run(struct lookup *t)
{
	if (pthread_create(&t->thread, NULL, thread_main, t) != 0)
		return ERR_IO;
	t->running = true;
	return 0;
}

static void
wake(struct lookup *t)
{
	uint64_t one = 1;

	/* A counter that is full wakes as well. */
	if (write(t->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void
free_list(struct entry *e)
{
	struct entry *next;

	for (; e != NULL; e = next) {
		next = e->next;
		entry_free(e);
	}
}

void
lookup_free(struct lookup *t)
{
	if (t == NULL)
		return;
	if (t->running) {
		(void)pthread_mutex_lock(&t->lock);
		t->stopping = true;
		(void)pthread_mutex_unlock(&t->lock);
		wake(t);
		(void)pthread_join(t->thread, NULL);
	}
	if (t->fd >= 0)
		(void)close(t->fd);	/* the process ends by that */
	if (t->wake_fd >= 0)
		(void)close(t->wake_fd);
	free_list(t->asks);
	free_list(t->kept);
	(void)pthread_mutex_destroy(&t->lock);
	wipe(t->secret, sizeof(t->secret));
	free(t);
}

struct ticket_answer *
lookup_find(struct lookup *t, const struct ticket_key *k, int64_t at_ms)
{
	struct ticket_answer *found = NULL;
	struct entry *e;
	struct buf key;

	buf_init(&key, 0);
	if (ticket_question_write(&key, k) == 0 && buf_text(&key) != NULL) {
		(void)pthread_mutex_lock(&t->lock);
		for (e = t->kept; e != NULL; e = e->next)
			if (strcmp(e->key, (const char *)key.data) == 0)
				break;
		/* A clock that was set back does not prolong anything. */
		if (e != NULL && e->answer->until_ms > at_ms &&
		    e->answer->asked_ms <= at_ms)
			found = ticket_answer_ref(e->answer);
		(void)pthread_mutex_unlock(&t->lock);
	}
	buf_done(&key);
	return found;
}

/* Puts the question on its way; NULL, or why it cannot be. Under lock. */
static const char *
send_ask(struct lookup *t, struct entry *e)
{
	size_t len = strlen(e->key);
	uint8_t message[HEAD + TICKET_QUESTION_MAX];

	e->number = ++t->number;
	e->asked_ms = clock_now_ms();
	e->until_ms = clock_mono_ms() + 2 * (int64_t)t->c->timeout_ms +
	    SLACK_MS;
	if (len > TICKET_QUESTION_MAX)
		return "the question about it is too long";
	memcpy(message, &e->number, HEAD);
	memcpy(message + HEAD, e->key, len);
	if (t->n_asks == ASKS_MAX || send(t->fd, message, HEAD + len,
	    MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return "too many tickets are asked about now";
	return NULL;
}

void
lookup_ask(struct lookup *t, const struct ticket_key *k, lookup_fn *fn,
    void *arg)
{
	struct entry *e = entry_new(k), *same;
	struct waiter *w = malloc(sizeof(*w));
	const char *why = NULL;

	if (e == NULL || w == NULL) {
		entry_free(e);
		free(w);
		fn(arg, NULL);
		return;
	}
	*w = (struct waiter){NULL, fn, arg};
	(void)pthread_mutex_lock(&t->lock);
	for (same = t->asks; same != NULL; same = same->next)
		if (strcmp(same->key, e->key) == 0)
			break;
	if (same != NULL) {
		w->next = same->waiters;
		same->waiters = w;
	} else {
		e->waiters = w;
		if ((why = send_ask(t, e)) == NULL) {
			e->next = t->asks;
			t->asks = e;
			t->n_asks++;
		}
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (same != NULL)
		entry_free(e);
	else if (why != NULL)
		settle_failed(t, e, why, strlen(why));
	else
		wake(t);
}
