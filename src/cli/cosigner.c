/*
 * May: read and write the log's folder, reach the network. Its sandbox keeps
 * it from every other file but what names and certificates are looked up by.
 *
 * Start: every witness is asked once about the checkpoint that is published.
 * One that has cosigned more than that, or another tree, contradicts: the
 * folder is an old backup, or there are two logs of one key, and whoever goes
 * on signs a fork. A log without a checkpoint is new, so that nobody can be
 * asked; a witness that knows better says so in the first round.
 *
 * Afterwards single witnesses may be mistaken. If without those that
 * contradict no quorum is left, the log is over.
 */
#include "cli/cosigner.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "gateway/metrics.h"
#include "gateway/sandbox.h"
#include "log/quorum.h"
#include "witness/cosign.h"

#define START_RETRY_MS 1000
#define REPORT_EVERY_MS 60000
#define PATHS_MAX 16

enum round {
	ROUND_MET,			/* a quorum has cosigned */
	ROUND_SHORT,			/* fewer have */
	ROUND_NEW,			/* nothing is published yet */
	ROUND_CONTRADICTED,
	ROUND_FAILED,			/* our own files */
};

struct state {
	const struct cosigner *c;
	struct cosign_witness witnesses[QUORUM_MAX];
	size_t n;
	bool begun;			/* the log may sign */
	int64_t said_ms;		/* when a shortage was last reported */
};

static void
on_term(int sig)
{
	(void)sig;
	_exit(0);		/* its file is replaced whole or not at all */
}

static void
sleep_ms(uint64_t ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000L};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static int
enter_sandbox(const struct cosigner *c)
{
	/* What resolving names and checking certificates needs. */
	static const char *const wanted[PATHS_MAX] = {
		"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
		"/etc/host.conf", "/etc/gai.conf", "/etc/services",
		"/etc/ssl", "/etc/ca-certificates", "/usr/share/zoneinfo",
		"/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
		"/usr/lib", "/lib", "/dev/urandom",
	};
	const char *read[PATHS_MAX];
	struct sandbox box = {.read = read, .write = &c->log_dir,
	    .n_write = 1, .tcp = true};
	size_t i;
	int r;

	for (i = 0; i < PATHS_MAX; i++)
		if (wanted[i] != NULL && access(wanted[i], R_OK) == 0)
			read[box.n_read++] = wanted[i];
	r = sandbox_enter(&box);
	if (r == ERR_MISSING)
		return 0;	/* an older kernel; the rest is in force */
	if (r != 0)
		report(REPORT_ERROR, "the sandbox cannot be entered: %s",
		    strerror(errno));
	return r;
}

/* What goes wrong goes on: it is said once a minute. */
static bool
may_say(struct state *s)
{
	int64_t now = clock_mono_ms();

	if (s->said_ms != 0 && now - s->said_ms < REPORT_EVERY_MS)
		return false;
	s->said_ms = now;
	return true;
}

/* Which witnesses did not cosign. */
static void
say_short(struct state *s)
{
	size_t i;

	if (!may_say(s))
		return;
	for (i = 0; i < s->n; i++)
		if (s->witnesses[i].result != 0)
			report(REPORT_WARNING, "witness %s at %s: %s",
			    s->witnesses[i].key.name, s->witnesses[i].url,
			    s->witnesses[i].why.text);
	report(REPORT_WARNING, s->begun ? "no quorum of witnesses has "
	    "cosigned the log's newest checkpoint; asking on" : "no quorum "
	    "of witnesses confirms that this log is the newest that they "
	    "know; nothing is signed until one does (log.witnesses.start: "
	    "reachable would go on without)");
}

static void
say_contradicted(const struct state *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->witnesses[i].result == ERR_CONFLICT)
			report(REPORT_ERROR, "witness %s at %s contradicts "
			    "this log: %s", s->witnesses[i].key.name,
			    s->witnesses[i].url, s->witnesses[i].why.text);
}

/* What a round came to. */
static enum round
judge(struct state *s, const struct cosign_result *result)
{
	bool good[QUORUM_MAX], left[QUORUM_MAX], any = false;
	size_t i;

	for (i = 0; i < s->n; i++) {
		good[i] = s->witnesses[i].result == 0;
		left[i] = s->witnesses[i].result != ERR_CONFLICT;
		any |= !left[i];
	}
	if (any)
		say_contradicted(s);
	if (any && (!s->begun || !quorum_met(s->c->quorum, left)))
		return ROUND_CONTRADICTED;
	if (!quorum_met(s->c->quorum, good))
		return ROUND_SHORT;
	if (!result->kept)
		atomic_store(&s->c->metrics->log_cosigned, result->size);
	return ROUND_MET;
}

static enum round
ask(struct state *s)
{
	struct cosign_result result;
	struct why w = {0};
	int r;

	r = cosign_run(s->c->log_dir, s->witnesses, s->n, &result, &w);
	if (r == ERR_MISSING)
		return ROUND_NEW;
	if (r == 0)
		return judge(s, &result);
	/* A tile that the log process has just replaced is there again. */
	if (may_say(s))
		report(REPORT_WARNING, "the log cannot be shown to its "
		    "witnesses: %s", w.text[0] != 0 ? w.text : err_text(r));
	return ROUND_FAILED;
}

static void
begin(struct state *s)
{
	s->begun = true;
	s->said_ms = 0;
	atomic_store(&s->c->metrics->witness_ok, 1);
}

/* One round; how long to wait for the next, or -1: the log is over. */
static int64_t
step(struct state *s)
{
	enum round round = ask(s);
	int64_t wait = (int64_t)s->c->every_ms;

	if (round == ROUND_CONTRADICTED)
		return -1;
	if (round == ROUND_SHORT || round == ROUND_FAILED) {
		atomic_fetch_add(&s->c->metrics->witness_failures, 1);
		if (round == ROUND_SHORT)
			say_short(s);
	}
	if (s->begun)
		return wait;
	if (round == ROUND_MET || round == ROUND_NEW ||
	    (round == ROUND_SHORT && !s->c->start_needs_quorum))
		begin(s);
	return START_RETRY_MS;
}

int
cosigner_run(const struct cosigner *c)
{
	struct state s = {.c = c};
	const struct quorum_party *p = quorum_witnesses(c->quorum, &s.n);
	int64_t wait;
	size_t i;

	if (signal(SIGTERM, on_term) == SIG_ERR || enter_sandbox(c) != 0)
		return 1;
	for (i = 0; i < s.n; i++) {
		s.witnesses[i].url = p[i].url;
		s.witnesses[i].key = p[i].key;
	}
	while ((wait = step(&s)) >= 0)
		sleep_ms((uint64_t)wait);
	report(REPORT_ERROR, "nothing more is signed: this folder is an old "
	    "copy of the log, or there are two logs of one key; see "
	    "docs/witness.md");
	return COSIGNER_CONTRADICTED;
}
