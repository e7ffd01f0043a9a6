/*
 * One request at a time:
 *
 *   bytes -> the same loading code as ever -> its texts beside the log
 *   -> in one go, while nobody decides: the stores' records, the version's
 *      record, durable; then it is in force
 *   -> workers are woken, the answer goes out
 *
 * If the log fails at the second step, nobody knows what it has. Then nothing
 * is in force until the version from before is recorded again.
 *
 * The thread also moves each version's next turn on, and frees versions.
 */
#include "gateway/renew.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "gateway/asked.h"
#include "gateway/reconciled.h"
#include "gateway/parcel.h"
#include "gateway/config.h"
#include "gateway/drift.h"
#include "gateway/effective.h"
#include "gateway/steps.h"
#include "policy/grants.h"
#include "gateway/version.h"
#include "gateway/worker.h"

/* Of a request's text. */
#define REQUEST_MAX (RECONCILED_MAX > ASKED_MAX ? RECONCILED_MAX : ASKED_MAX)
#define LOOK_MS 1000		/* for versions that nobody refers to */
#define AGAIN_MS 500		/* between attempts to restore */

struct renew {
	struct shared *shared;
	struct worker *workers;
	unsigned n_workers;
	int fd;
	int wake_fd;
	pthread_t thread;
	atomic_bool stopping;
};

int
renew_start(struct shared *s, struct version *v)
{
	const struct effective e = {s->log, s->boot->gateway, "start", NULL};
	int r;

	if ((r = effective_objects(&e, v->config, NULL)) != 0 ||
	    (r = effective_version(&e, v->config, NULL)) != 0)
		return r;
	(void)versions_set(&s->versions, v);	/* there was none before */
	return 0;
}

static void
wake_workers(const struct renew *r)
{
	unsigned i;

	for (i = 0; i < r->n_workers; i++)
		worker_wake(&r->workers[i]);
	drift_wake(r->shared->drift);
}

/* Waits; true if the thread is to end. */
static bool
pause_ms(const struct renew *r, int ms)
{
	struct pollfd p = {r->wake_fd, POLLIN, 0};

	(void)poll(&p, 1, ms);	/* a signal or an error: just shorter */
	return atomic_load(&r->stopping);
}

/* Nothing is in force. Until `old` is on record again, all is refused. */
static void
restore(const struct renew *r, struct version *old)
{
	const struct effective e = {r->shared->log, r->shared->boot->gateway,
	    "restored", NULL};

	while (effective_objects(&e, old->config, NULL) != 0 ||
	    effective_version(&e, old->config, NULL) != 0)
		if (pause_ms(r, AGAIN_MS))
			return;
	versions_lock(&r->shared->versions);
	(void)versions_set(&r->shared->versions, old);
	versions_unlock(&r->shared->versions);
}

/*
 * Records v and puts it in force, taking over its reference; or gives it
 * back, and the one from before stays.
 */
static int
take(const struct renew *r, struct version *v, const char *by)
{
	const struct effective e = {r->shared->log, r->shared->boot->gateway,
	    "reload", by};
	struct versions *vs = &r->shared->versions;
	struct version *old = versions_get(vs);
	int err;

	if (old == NULL)
		return ERR_STATE;	/* the thread ends */
	/* Only this thread takes steps of approvals, so these stay. */
	if ((v->grants = grants_copy(old->grants, clock_now_ms())) == NULL) {
		version_unref(vs, old);
		return ERR_MEMORY;
	}
	version_turn(v, clock_now_ms());
	if ((err = effective_objects(&e, v->config, old->config)) != 0) {
		version_unref(vs, old);
		return err;
	}
	versions_lock(vs);
	err = effective_version(&e, v->config, old->config);
	version_unref(vs, versions_set(vs, err == 0 ? v : NULL));
	versions_unlock(vs);
	wake_workers(r);
	if (err != 0) {
		restore(r, old);	/* takes over the reference */
		wake_workers(r);
	} else {
		version_unref(vs, old);
	}
	return err;
}

static int
load(const struct renew *r, int fd, struct version **ret, char *text)
{
	struct parcel *b = NULL;
	struct config *c = NULL;
	char file[1024] = "";
	struct why w = {0};
	int err;

	if ((err = parcel_read(fd, &b)) != 0) {
		(void)snprintf(text, RENEW_TEXT_MAX, "the files did not "
		    "arrive whole: %s", err_text(err));
		return err;
	}
	err = config_load_by(r->shared->boot->path, NULL, b, &c, &w, file);
	if (err != 0)
		(void)snprintf(text, RENEW_TEXT_MAX, "%s:%u:%u: %s", file,
		    w.line, w.column, w.text);
	else if ((err = version_new(c, c, b, r->n_workers, ret)) != 0)
		config_free(c);
	parcel_free(b);
	return err;
}

static bool
answer(const struct renew *r, int err, const char *text)
{
	char out[RENEW_TEXT_MAX + 1];
	int n = snprintf(out, sizeof(out), "%c%s", err == 0 ? '1' : '0',
	    text);
	ssize_t sent;

	if (n < 0)
		return false;
	do
		sent = send(r->fd, out, strlen(out), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent > 0;
}

static void
renew(struct renew *r, int fd, const char *by)
{
	char text[RENEW_TEXT_MAX] = "";
	struct version *v = NULL;
	int err;

	if ((err = load(r, fd, &v, text)) == 0 &&
	    (err = take(r, v, by[0] != 0 ? by : NULL)) != 0) {
		version_free(v);
		(void)snprintf(text, sizeof(text), "the log did not take the "
		    "records of the new version: %s; the old one stays in "
		    "force", err_text(err));
	}
	if (err == 0)
		report(REPORT_INFO, "reloaded version=%llu policy=%.16s",
		    (unsigned long long)v->number,
		    v->config->policy_text.sha256);
	else
		report(REPORT_ERROR, "not reloaded: %s", text[0] != 0 ? text :
		    err_text(err));
	if (!answer(r, err, text))
		report(REPORT_WARNING, "nobody waits for the answer to a "
		    "reload");
}

/* What somebody asks, who saw a subject's data, becomes a record. */
static void
record_asked(const struct renew *r, struct bytes in)
{
	struct version *v = versions_get(&r->shared->versions);
	char text[ASKED_TEXT_MAX] = "nothing is in force";
	struct asked a;
	uint64_t seq = 0;
	int err = ERR_STATE;

	if (v != NULL && (err = asked_read(in, &a)) != 0)
		(void)snprintf(text, sizeof(text), "no such request");
	if (err == 0 && (err = asked_record(&a, r->shared->boot->gateway,
	    v->config, r->shared->log, &seq, text)) == 0)
		(void)snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)seq);
	version_unref(&r->shared->versions, v);
	if (!answer(r, err, text))
		report(REPORT_WARNING, "nobody waits for the answer to who "
		    "saw whose data");
}

/* What came of holding a store's own log to ours becomes a record. */
static void
record_reconciled(const struct renew *r, struct bytes in)
{
	struct version *v = versions_get(&r->shared->versions);
	char text[RECONCILED_TEXT_MAX] = "nothing is in force";
	struct reconciled what;
	uint64_t seq = 0;
	int err = ERR_STATE;

	if (v != NULL && (err = reconciled_read(in, &what)) != 0)
		(void)snprintf(text, sizeof(text), "no such request");
	if (err == 0 && (err = reconciled_record(&what,
	    r->shared->boot->gateway, v->config, r->shared->log, &seq,
	    text)) == 0)
		(void)snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)seq);
	version_unref(&r->shared->versions, v);
	if (!answer(r, err, text))
		report(REPORT_WARNING, "nobody waits for the answer to a "
		    "reconciliation");
}

static void
take_record(const struct renew *r, struct bytes in)
{
	if (reconciled_is(in))
		record_reconciled(r, in);
	else
		record_asked(r, in);
}

/* The next request: its descriptor, or -1; in *n how long its text is. */
static int
receive(struct renew *r, char by[static REQUEST_MAX + 1], size_t *len)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec io = {by, REQUEST_MAX};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room)};
	const struct cmsghdr *c;
	ssize_t n;
	int fd;

	*len = 0;
	n = recvmsg(r->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
		r->fd = -1;	/* the supervisor is gone, and we with it */
		return -1;
	}
	c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	*len = n > 0 && c == NULL ? (size_t)n : 0;
	if (c == NULL || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	by[n < RENEW_BY_MAX ? n : RENEW_BY_MAX - 1] = 0;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Moves the next turn of the version in force on once it lies behind. */
static void
turn(const struct renew *r)
{
	struct version *v = versions_get(&r->shared->versions);
	int64_t now = clock_now_ms();

	if (v != NULL && atomic_load(&v->turns_ms) <= now)
		version_turn(v, now);
	version_unref(&r->shared->versions, v);
}

static int
wait_ms(const struct renew *r)
{
	struct version *v = versions_get(&r->shared->versions);
	int64_t left = LOOK_MS;

	if (v != NULL)
		left = atomic_load(&v->turns_ms) - clock_now_ms();
	version_unref(&r->shared->versions, v);
	return left < 0 ? 0 : left > LOOK_MS ? LOOK_MS : (int)left + 1;
}

static void *
renew_main(void *arg)
{
	char by[REQUEST_MAX + 1] = "";
	struct renew *r = arg;
	struct pollfd p[3];
	unsigned freed;
	size_t len;
	int fd;

	while (!atomic_load(&r->stopping)) {
		p[0] = (struct pollfd){r->wake_fd, POLLIN, 0};
		p[1] = (struct pollfd){r->fd, POLLIN, 0};
		p[2] = (struct pollfd){steps_fd(r->shared->steps), POLLIN, 0};
		(void)poll(p, 3, wait_ms(r));	/* looked at below anyway */
		turn(r);
		if (steps_run(r->shared->steps, r->shared))
			wake_workers(r);
		if ((freed = versions_sweep(&r->shared->versions)) > 0)
			report(REPORT_INFO, "old versions are freed n=%u",
			    freed);
		if (r->fd < 0 || (p[1].revents & (POLLIN | POLLHUP)) == 0)
			continue;
		if ((fd = receive(r, by, &len)) < 0) {
			if (len > 0)
				take_record(r, bytes_of(by, len));
			continue;
		}
		renew(r, fd, by);
		(void)close(fd);	/* only read */
	}
	return NULL;
}

int
renew_new(struct shared *s, struct worker *workers, unsigned n, int fd,
    struct renew **ret)
{
	struct renew *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return ERR_MEMORY;
	r->shared = s;
	r->workers = workers;
	r->n_workers = n;
	r->fd = fd;
	if ((r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0 ||
	    pthread_create(&r->thread, NULL, renew_main, r) != 0) {
		if (r->wake_fd >= 0)
			(void)close(r->wake_fd);
		free(r);
		return ERR_IO;
	}
	*ret = r;
	return 0;
}

void
renew_free(struct renew *r)
{
	uint64_t one = 1;

	if (r == NULL)
		return;
	atomic_store(&r->stopping, true);
	if (write(r->wake_fd, &one, sizeof(one)) < 0)
		report(REPORT_WARNING, "eventfd errno=%d", errno);
	(void)pthread_join(r->thread, NULL);	/* started, not detached */
	(void)close(r->wake_fd);
	free(r);
}

int
renew_ask(int fd, int parcel_fd, const char *by)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	/* At least one byte, or the descriptor would not travel. */
	struct iovec io = {(void *)(uintptr_t)by, strlen(by) + 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t n;

	memset(&control, 0, sizeof(control));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(parcel_fd));
	memcpy(CMSG_DATA(c), &parcel_fd, sizeof(parcel_fd));
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : ERR_IO;
}

int
renew_ask_record(int fd, const void *asked, size_t len)
{
	ssize_t n;

	do
		n = send(fd, asked, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len ? 0 : ERR_IO;
}

int
renew_answer(int fd, bool *taken, char text[static RENEW_TEXT_MAX])
{
	ssize_t n = recv(fd, text, RENEW_TEXT_MAX - 1, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return ERR_SHORT;
	if (n <= 0)
		return ERR_IO;
	text[n] = 0;
	*taken = text[0] == '1';
	memmove(text, text + 1, (size_t)n);
	return 0;
}
