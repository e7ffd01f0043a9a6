/*
 * The gateway process. Its main thread writes what concerns the gateway as
 * a whole (what took effect, that it lives, that it stops); workers serve
 * sessions.
 *
 * May: listen and accept on the sockets it was given, connect to stores and
 * to the log's socket, read and create state_dir/text.key at the start.
 */
#include "gateway/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "gateway/cancel.h"
#include "gateway/addresses.h"
#include "gateway/config.h"
#include "gateway/drift.h"
#include "gateway/log_client.h"
#include "gateway/lookup.h"
#include "gateway/recall.h"
#include "gateway/renew.h"
#include "gateway/sandbox.h"
#include "gateway/steps.h"
#include "gateway/worker.h"
#include "record/record.h"

#define PROGRAM "sworn " SWORN_VERSION
#define LOG_WAIT_MS 10000	/* for the log process to listen */
#define LOG_CLOSE_MS 1000
#define RECALL_WAIT_MS 10000	/* for it to publish, beyond its time */
#define BEAT_MAX_MS 1000	/* the console looks at it */

/* 32 secret bytes in state_dir, made when there are none yet. */
static int
text_key(const char *state_dir, uint8_t ret[static HASH_LEN])
{
	struct arena *a = arena_new();
	const char *path;
	int fd = -1, r = ERR_MEMORY;

	if (a == NULL ||
	    (path = arena_fmt(a, "%s/text.key", state_dir)) == NULL)
		goto out;
	r = ERR_IO;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
		if (read(fd, ret, HASH_LEN) == HASH_LEN)
			r = 0;
		goto out;
	}
	if (errno != ENOENT || (fd = open(path,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		goto out;
	if ((r = random_bytes(ret, HASH_LEN)) != 0)
		goto out;
	if (write(fd, ret, HASH_LEN) != HASH_LEN || fsync(fd) != 0) {
		(void)unlink(path);	/* half a key is none */
		r = ERR_IO;
	}
out:
	if (r != 0)
		report(REPORT_ERROR, "the key of text hashes cannot be read "
		    "or made: %s/text.key", state_dir);
	if (fd >= 0)
		(void)close(fd);	/* synced, or given up */
	arena_free(a);
	return r;
}

static int
submit(struct shared *s, struct record *r)
{
	int e;

	r->gateway = s->boot->gateway;
	if ((e = log_client_submit_wait(s->log, r)) != 0)
		report(REPORT_ERROR, "the log did not take record %s: %s",
		    record_type_text(r->type), err_text(e));
	return e;
}

static int
write_boot(struct shared *s, const struct log_hello *h)
{
	struct record r = {0};
	int e;

	if (h->next == 0) {
		r.type = RECORD_GENESIS;
		r.u.genesis.origin = h->origin;
		r.u.genesis.key = h->key;
		if ((e = submit(s, &r)) != 0)
			return e;
	}
	memset(&r, 0, sizeof(r));
	r.type = RECORD_BOOT;
	r.u.boot.program = PROGRAM;
	r.u.boot.config = s->boot->sha256;
	r.u.boot.heartbeat_ms = s->boot->heartbeat_ms;
	r.u.boot.last = h->next == 0 ? 0 : h->next - 1;
	r.u.boot.clean = h->next == 0 || h->clean;
	return submit(s, &r);
}

static void
ignore_done(void *arg, int result, uint64_t seq)
{
	(void)arg;
	(void)seq;
	if (result != 0)
		report(REPORT_WARNING, "a heartbeat was not written: %s",
		    err_text(result));
}

static void
heartbeat(struct shared *s)
{
	struct record r = {.type = RECORD_HEARTBEAT};

	r.gateway = s->boot->gateway;
	r.u.heartbeat.opened = atomic_load(&s->opened);
	r.u.heartbeat.closed = atomic_load(&s->closed);
	if (log_client_submit(s->log, &r, ignore_done, NULL) != 0)
		report(REPORT_WARNING, "a heartbeat was not taken");
}

static void
show_alive(struct shared *s, bool ok)
{
	struct version *v;

	if (s->metrics == NULL)
		return;
	atomic_store(&s->metrics->gateway_ok, ok);
	v = versions_get(&s->versions);
	atomic_store(&s->metrics->addresses_built_s,
	    v == NULL || v->config->addresses == NULL ? 0 : (uint64_t)(
	    addresses_built_ms(v->config->addresses) / 1000));
	version_unref(&s->versions, v);
	atomic_store(&s->metrics->gateway_beat_ms,
	    (uint64_t)clock_now_ms());
}

/* Until a signal says stop. Writes heartbeats. */
static void
main_loop(struct shared *s, const sigset_t *signals)
{
	int64_t next, now;
	struct timespec ts;
	int64_t wait;

	next = clock_mono_ms() + (int64_t)s->boot->heartbeat_ms / 2;
	for (;;) {
		show_alive(s, true);
		now = clock_mono_ms();
		if (now >= next) {
			heartbeat(s);
			/* Half, so that one that comes late is in time. */
			next = now + (int64_t)s->boot->heartbeat_ms / 2;
		}
		wait = next - now;
		if (wait < 1)
			wait = 1;
		if (wait > BEAT_MAX_MS)
			wait = BEAT_MAX_MS;
		ts.tv_sec = wait / 1000;
		ts.tv_nsec = wait % 1000 * 1000000;
		if (sigtimedwait(signals, NULL, &ts) > 0)
			return;
	}
}

static void
write_stop(struct shared *s)
{
	struct record r = {.type = RECORD_STOP};

	r.u.stop.opened = atomic_load(&s->opened);
	r.u.stop.closed = atomic_load(&s->closed);
	(void)submit(s, &r);	/* reported; the process ends anyway */
}

static int
prepare(struct shared *s, const struct gateway *g)
{
	size_t i;
	int r, flags;

	s->boot = g->boot;
	s->metrics = g->metrics;
	s->listen_fds = g->listen_fds;
	s->n_listen_fds = g->n_listen_fds;
	if ((r = text_key(g->boot->state_dir, s->text_key)) != 0)
		return r;
	if ((r = hash_hmac(s->text_key, HASH_LEN, "mock", 4,
	    s->mock_key)) != 0 ||
	    (r = hash_hmac(s->text_key, HASH_LEN, "tickets", 7,
	    s->ticket_key)) != 0)
		return r;
	if ((s->cancels = cancel_new()) == NULL ||
	    (s->steps = steps_new()) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < g->n_listen_fds; i++) {
		flags = fcntl(g->listen_fds[i], F_GETFL);
		if (flags < 0 || fcntl(g->listen_fds[i], F_SETFL,
		    flags | O_NONBLOCK) != 0)
			return ERR_IO;
	}
	return versions_init(&s->versions);
}

/* The approvals there are, before anything is decided. */
static int
remember(const struct gateway *g, const struct log_hello *h,
    struct version *v)
{
	const struct recall r = {g->boot->log_dir, h,
	    g->boot->publish_ms + RECALL_WAIT_MS};
	struct why w;
	int e;

	if ((e = recall_grants(&r, &v->grants, &w)) != 0) {
		report(REPORT_ERROR, "which approvals there are is not known: "
		    "%s", w.text);
		return e;
	}
	version_turn(v, clock_now_ms());
	return 0;
}

/* From here on: sockets, and names of stores that are looked up no more. */
static void
confine(void)
{
	const struct sandbox none = {.tcp = true};

	switch (sandbox_enter(&none)) {
	case 0:
		break;
	case ERR_MISSING:
		report(REPORT_INFO, "this kernel cannot restrict paths");
		break;
	default:
		report(REPORT_WARNING, "the sandbox was not entered errno=%d",
		    errno);
	}
}

static int
start_workers(struct shared *s, struct worker *w, unsigned n, unsigned *ret)
{
	int r;

	for (*ret = 0; *ret < n; (*ret)++)
		if ((r = worker_start(s, &w[*ret], *ret)) != 0) {
			report(REPORT_ERROR, "a worker could not start");
			return r;
		}
	return 0;
}

static void
stop_workers(struct shared *s, struct worker *w, unsigned n)
{
	unsigned i;

	atomic_store(&s->stopping, true);
	for (i = 0; i < n; i++)
		worker_wake(&w[i]);
	for (i = 0; i < n; i++)
		worker_join(&w[i]);
}

int
gateway_run(const struct gateway *g)
{
	unsigned n = g->boot->workers > 0 ? g->boot->workers : 1;
	struct shared *s = NULL;
	struct worker *w = NULL;
	struct log_hello hello;
	struct renew *renew = NULL;
	struct version *v = NULL;
	unsigned started = 0;
	sigset_t signals;
	int status = 1;

	(void)sigemptyset(&signals);		/* cannot fail */
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return 1;
	s = calloc(1, sizeof(*s));
	w = calloc(n, sizeof(*w));
	if (s == NULL || w == NULL || prepare(s, g) != 0)
		goto out;
	/* A process of its own, before there are threads. */
	if (g->boot->tickets.set && lookup_new(&g->boot->tickets,
	    s->ticket_key, s->metrics, &s->lookup) != 0) {
		report(REPORT_ERROR, "the process that asks about tickets "
		    "could not be started: %s", strerror(errno));
		goto out;
	}
	if (log_client_new(g->log_path, g->boot->gateway, LOG_WAIT_MS,
	    g->boot->log_timeout_ms, &hello, &s->log) != 0) {
		report(REPORT_ERROR, "the log cannot be reached");
		goto out;
	}
	/* Everything that decisions rest on, before the first session. */
	if (version_new(g->config, NULL, NULL, n, &v) != 0 ||
	    remember(g, &hello, v) != 0 || write_boot(s, &hello) != 0 || renew_start(s, v) != 0)
		goto out;
	confine();
	if (s->lookup != NULL && lookup_run(s->lookup) != 0)
		goto out;
	if (drift_new(s, &s->drift) != 0) {
		report(REPORT_ERROR, "what looks for drift could not start");
		goto out;
	}
	if (start_workers(s, w, n, &started) == 0 &&
	    renew_new(s, w, n, g->renew_fd, &renew) == 0) {
		report(REPORT_INFO, "accepting sessions workers=%u", n);
		main_loop(s, &signals);
		status = 0;
	}
	show_alive(s, false);
	renew_free(renew);
	stop_workers(s, w, started);
	drift_stop(s->drift);
	write_stop(s);
out:
	if (s != NULL)
		lookup_free(s->lookup);
	if (s != NULL && s->log != NULL)
		log_client_free(s->log, LOG_CLOSE_MS);
	if (s != NULL) {
		/* Sessions that did not end in time may still refer to it. */
		wipe(s->text_key, sizeof(s->text_key));
		wipe(s->mock_key, sizeof(s->mock_key));
		wipe(s->ticket_key, sizeof(s->ticket_key));
	}
	return status;
}
