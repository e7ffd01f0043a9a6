/*
 * sworn run -c FILE: the supervisor of the processes.
 *
 *   supervisor ── log        key, journal, tiles; answers when durable
 *              ├─ gateway    peers' bytes; never the key
 *              ├─ console    HTTP, reads only
 *              └─ cosigner   asks witnesses; neither key nor records
 *
 * The supervisor binds every socket and maps the counters, then parts; it
 * holds the log's listening socket, so that a gateway's connection waits in
 * its backlog while a log process that died is being replaced. A child dies
 * with the supervisor (PR_SET_PDEATHSIG): nothing serves without a parent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "cli/cmd.h"
#include "cli/cosigner.h"
#include "cli/key_supply.h"
#include "cli/load.h"
#include "cli/renewal.h"
#include "console/console.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/log_process.h"
#include "gateway/metrics.h"
#include "gateway/sandbox.h"

#define LISTENERS_MAX 64
#define BACKLOG 511
#define RESTART_MIN_MS 50
#define RESTART_MAX_MS 5000
#define RESTART_STEADY_MS 10000	/* alive this long: it is not flapping */
#define STARTS_MAX 5		/* of a process that never got ready */
#define STOP_MS 15000
#define TICK_MS 100
#define START_TICK_MS 5

enum child_kind {
	CHILD_LOG,
	CHILD_GATEWAY,
	CHILD_CONSOLE,
	CHILD_COSIGNER,
	CHILDREN,
};

static const char *const child_names[] = {"log", "gateway", "console",
    "cosigner"};

struct child {
	pid_t pid;		/* 0: not running */
	int64_t started_ms;
	int64_t again_ms;	/* when to start it again */
	unsigned delay_ms;
	unsigned failures;	/* in a row, without getting ready */
};

struct supervisor {
	const struct config *config;
	struct metrics *metrics;
	char log_socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int log_fd;
	int console_fd;
	int listen_fds[LISTENERS_MAX];
	size_t n_listen;
	struct child children[CHILDREN];
	struct renewal renewal;
	struct key_supply key;
	int signal_fd;
	bool stopping;
	bool signing;		/* the log has been started */
	bool serving;		/* and the gateway */
	bool announced;
	int status;
};

/* Binds and listens; returns the socket or -1, having said why. */
static int
listen_on(const struct config_listener *l, const char *what)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ss;
	socklen_t len = sizeof(*v4);
	int fd, one = 1, saved;

	if (inet_pton(AF_INET, l->address, &v4->sin_addr) == 1) {
		ss.ss_family = AF_INET;
		v4->sin_port = htons(l->port);
	} else {
		ss.ss_family = AF_INET6;
		(void)inet_pton(AF_INET6, l->address, &v6->sin6_addr);
		v6->sin6_port = htons(l->port);
		len = sizeof(*v6);
	}
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&ss, len) != 0 ||
	    listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) != 0) {
		saved = errno;
		report(REPORT_ERROR, "cannot listen on %s port %u for the %s: "
		    "%s", l->address, l->port, what, strerror(saved));
		if (fd >= 0)
			(void)close(fd); /* given up */
		return -1;
	}
	report(REPORT_INFO, "%s listens address=%s port=%u", what, l->address,
	    ntohs(ss.ss_family == AF_INET ? v4->sin_port : v6->sin6_port));
	return fd;
}

/* The log's own socket: a path that only this user can reach. */
static int
listen_log(struct supervisor *s)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int n;

	n = snprintf(un.sun_path, sizeof(un.sun_path), "%s/log.sock",
	    s->config->state_dir);
	if (n < 0 || (size_t)n >= sizeof(un.sun_path)) {
		report(REPORT_ERROR, "state folder %s: its path is too long "
		    "for a socket in it (%zu bytes at most)",
		    s->config->state_dir, sizeof(un.sun_path) - 10);
		return ERR_LIMIT;
	}
	memcpy(s->log_socket, un.sun_path, sizeof(s->log_socket));
	(void)unlink(un.sun_path); /* one that a killed run left */
	s->log_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (s->log_fd < 0 ||
	    bind(s->log_fd, (struct sockaddr *)&un, sizeof(un)) != 0 ||
	    chmod(un.sun_path, 0600) != 0 || listen(s->log_fd, 16) != 0) {
		report(REPORT_ERROR, "cannot listen on %s: %s", un.sun_path,
		    strerror(errno));
		return ERR_IO;
	}
	return 0;
}

static int
make_folder(const char *path, mode_t mode, const char *what)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST) {
		report(REPORT_ERROR, "%s folder %s cannot be made: %s", what,
		    path, strerror(errno));
		return ERR_IO;
	}
	if (access(path, W_OK | X_OK) != 0) {
		report(REPORT_ERROR, "%s folder %s cannot be written: %s; "
		    "nothing can be released without it", what, path,
		    strerror(errno));
		return ERR_IO;
	}
	return 0;
}

/* One supervisor a state folder: two would serve one log. */
static int
lock_state(const char *state_dir)
{
	char path[4096];
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd;

	(void)snprintf(path, sizeof(path), "%s/run.lock", state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0) {
		report(REPORT_ERROR, "%s: %s", path, errno == EAGAIN ||
		    errno == EACCES ? "another sworn run uses this state "
		    "folder; stop it first" : strerror(errno));
		if (fd >= 0)
			(void)close(fd); /* given up */
		return ERR_STATE;
	}
	return 0; /* held, by the open descriptor, until the process ends */
}

static int
open_sockets(struct supervisor *s)
{
	const struct config *c = s->config;
	size_t i;
	int r;

	if (c->n_listeners > LISTENERS_MAX) {
		report(REPORT_ERROR, "more than %d listeners", LISTENERS_MAX);
		return ERR_LIMIT;
	}
	if ((r = listen_log(s)) != 0)
		return r;
	for (i = 0; i < c->n_listeners; i++) {
		s->listen_fds[i] = listen_on(&c->listeners[i], "gateway");
		if (s->listen_fds[i] < 0)
			return ERR_IO;
		s->n_listen++;
	}
	if (c->has_console &&
	    (s->console_fd = listen_on(&c->console, "console")) < 0)
		return ERR_IO;
	return 0;
}

static bool
console_healthy(const void *arg)
{
	return metrics_healthy(arg);
}

static void
console_metrics(const void *arg, struct buf *out)
{
	metrics_write(arg, out);
}

static int
child_run(const struct supervisor *s, enum child_kind kind, int own_fd)
{
	const struct config *c = s->config;
	char source[KEY_SUPPLY_SOURCE_MAX];

	if (kind == CHILD_LOG) {
		struct log_process p = {
			.dir = c->log_dir,
			.state_dir = c->state_dir,
			.key_file = c->log_key_file,
			.key_secret = key_supply_source(&s->key, own_fd,
			    source),
			.listen_fd = s->log_fd,
			.publish_ms = c->publish_ms,
			.metrics = s->metrics,
		};

		return log_process_run(&p);
	}
	if (kind == CHILD_GATEWAY) {
		/* After a reload it is not what the supervisor has read. */
		struct config *newer = s->renewal.force_fd < 0 ? NULL :
		    renewal_in_force(&s->renewal);
		struct gateway g = {
			.config = newer != NULL ? newer : c,
			.boot = c,
			.renew_fd = own_fd,
			.listen_fds = s->listen_fds,
			.n_listen_fds = s->n_listen,
			.log_path = s->log_socket,
			.metrics = s->metrics,
		};

		if (newer == NULL && s->renewal.force_fd >= 0)
			return 1;
		renewal_close(&s->renewal);
		return gateway_run(&g);
	}
	if (kind == CHILD_COSIGNER) {
		const struct cosigner cosigner = {
			.log_dir = c->log_dir,
			.quorum = c->witnesses.quorum,
			.every_ms = c->witnesses.every_ms,
			.start_needs_quorum = c->witnesses.start_needs_quorum,
			.metrics = s->metrics,
		};

		return cosigner_run(&cosigner);
	}
	{
		const struct sandbox none = {.tcp = false};
		struct console console = {
			.listen_fd = s->console_fd,
			.healthy = console_healthy,
			.metrics = console_metrics,
			.arg = s->metrics,
		};
		int r = sandbox_enter(&none);

		/* An older kernel cannot restrict paths; the rest holds. */
		if (r != 0 && r != ERR_MISSING) {
			report(REPORT_ERROR, "the sandbox cannot be entered: "
			    "%s", strerror(errno));
			return 1;
		}
		return console_run(&console);
	}
}

/* What a child does not need it does not keep. */
static void
close_others(const struct supervisor *s, enum child_kind kind)
{
	size_t i;

	if (kind != CHILD_LOG)
		(void)close(s->log_fd);
	if (kind != CHILD_GATEWAY)
		for (i = 0; i < s->n_listen; i++)
			(void)close(s->listen_fds[i]);
	if (kind != CHILD_CONSOLE && s->console_fd >= 0)
		(void)close(s->console_fd);
	(void)close(s->signal_fd);
	if (kind != CHILD_GATEWAY)
		renewal_close(&s->renewal);
}

static void
child_start(struct supervisor *s, enum child_kind kind)
{
	struct child *child = &s->children[kind];
	int own_fd = kind == CHILD_GATEWAY ?
	    renewal_gateway_starts(&s->renewal) : kind == CHILD_LOG ?
	    key_supply_pipe(&s->key) : -1;
	pid_t parent = getpid(), pid = own_fd < -1 ? -1 : fork();
	sigset_t none;
	char name[16];

	if (pid < 0) {
		report(REPORT_ERROR, "cannot start the %s process: %s",
		    child_names[kind], strerror(errno));
		if (own_fd >= 0)
			(void)close(own_fd);
		child->again_ms = clock_mono_ms() + RESTART_MAX_MS;
		return;
	}
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
		    getppid() != parent)
			_exit(1); /* the supervisor is gone already */
		(void)signal(SIGPIPE, SIG_IGN);
		(void)signal(SIGINT, SIG_IGN); /* a terminal's ^C: by order */
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		close_others(s, kind);
		(void)snprintf(name, sizeof(name), "sworn-%s",
		    child_names[kind]);
		(void)prctl(PR_SET_NAME, name); /* for ps; cannot fail */
		report_init(child_names[kind], REPORT_INFO);
		_exit(child_run(s, kind, own_fd));
	}
	if (own_fd >= 0)
		(void)close(own_fd);	/* the child's */
	child->pid = pid;
	child->started_ms = clock_mono_ms();
	child->again_ms = 0;
}

static void
child_ended(struct supervisor *s, enum child_kind kind, int status)
{
	struct child *child = &s->children[kind];
	int64_t now = clock_mono_ms();
	bool was_ready = kind == CHILD_LOG ? atomic_load(&s->metrics->log_ok) :
	    kind == CHILD_GATEWAY ? atomic_load(&s->metrics->gateway_ok) :
	    now - child->started_ms > RESTART_STEADY_MS;

	child->pid = 0;
	if (kind == CHILD_GATEWAY)
		renewal_gateway_ended(&s->renewal);
	if (kind == CHILD_LOG)
		atomic_store(&s->metrics->log_ok, 0);
	if (kind == CHILD_GATEWAY)
		atomic_store(&s->metrics->gateway_ok, 0);
	if (kind == CHILD_COSIGNER && WIFEXITED(status) &&
	    WEXITSTATUS(status) == COSIGNER_CONTRADICTED) {
		s->stopping = true;	/* it has said why */
		s->status = 1;
		return;
	}
	if (s->stopping) {
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			s->status = 1;
		return;
	}
	if (WIFSIGNALED(status))
		report(REPORT_ERROR, "the %s process was ended by signal %d",
		    child_names[kind], WTERMSIG(status));
	else
		report(REPORT_ERROR, "the %s process ended with status %d",
		    child_names[kind], WEXITSTATUS(status));
	child->failures = was_ready ? 0 : child->failures + 1;
	if (child->failures >= STARTS_MAX) {
		report(REPORT_ERROR, "the %s process did not start %u times; "
		    "stopping: see its lines above", child_names[kind],
		    child->failures);
		s->stopping = true;
		s->status = 1;
		return;
	}
	if (was_ready && now - child->started_ms > RESTART_STEADY_MS)
		child->delay_ms = 0;
	child->delay_ms = child->delay_ms == 0 ? RESTART_MIN_MS :
	    child->delay_ms * 2;
	if (child->delay_ms > RESTART_MAX_MS)
		child->delay_ms = RESTART_MAX_MS;
	child->again_ms = now + child->delay_ms;
	if (kind == CHILD_LOG)
		atomic_fetch_add(&s->metrics->log_restarts, 1);
}

static void
reap(struct supervisor *s)
{
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (renewal_child_ended(&s->renewal, pid, status))
			continue;
		for (i = 0; i < CHILDREN; i++)
			if (s->children[i].pid == pid)
				child_ended(s, (enum child_kind)i, status);
	}
}

/* Waits for a signal, a tick, or whoever asks for a reload; true if it is to
 * stop. */
static bool
wait_signal(struct supervisor *s)
{
	struct pollfd p[1 + RENEWAL_POLL_MAX];
	struct signalfd_siginfo info;
	bool stop = false;
	size_t n;

	p[0] = (struct pollfd){s->signal_fd, POLLIN, 0};
	n = 1 + renewal_poll(&s->renewal, p + 1);
	/* What is there is seen below. */
	(void)poll(p, n, s->serving ? TICK_MS : START_TICK_MS);
	while (read(s->signal_fd, &info, sizeof(info)) ==
	    (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP && !s->stopping)
			renewal_signal(&s->renewal, info.ssi_uid);
		stop = stop || info.ssi_signo == SIGTERM ||
		    info.ssi_signo == SIGINT;
	}
	return stop;
}

static void
announce(struct supervisor *s)
{
	if (s->announced || !metrics_healthy(s->metrics))
		return;
	s->announced = true;
	report(REPORT_INFO, "ready gateway=%s policy=%.16s",
	    s->config->gateway, s->config->policy_text.sha256);
	(void)sd_notify(0, "READY=1\nSTATUS=records are durable, "
	    "sessions are accepted"); /* no systemd: nobody listens */
}

/* Ends one child in order; by force if it does not. */
static void
child_stop(struct supervisor *s, enum child_kind kind)
{
	struct child *child = &s->children[kind];
	int64_t until = clock_mono_ms() + STOP_MS;

	if (child->pid == 0)
		return;
	(void)kill(child->pid, SIGTERM); /* reaped below in any case */
	while (child->pid != 0 && clock_mono_ms() < until) {
		(void)wait_signal(s);
		reap(s);
	}
	if (child->pid != 0) {
		report(REPORT_ERROR, "the %s process does not stop; killed",
		    child_names[kind]);
		(void)kill(child->pid, SIGKILL);
		(void)waitpid(child->pid, NULL, 0);
		child->pid = 0;
		s->status = 1;
	}
}

/* The log waits until the witnesses, if there are any, have let it be the
 * newest, and the gateway until the log has been ready once: a key that does
 * not open needs nobody who waits for records. */
static void
start_signing(struct supervisor *s)
{
	if (s->stopping || (s->config->witnesses.quorum != NULL &&
	    atomic_load(&s->metrics->witness_ok) == 0))
		return;
	if (!s->signing)
		child_start(s, CHILD_LOG);
	s->signing = true;
	if (s->serving || atomic_load(&s->metrics->log_ok) == 0)
		return;
	s->serving = true;
	child_start(s, CHILD_GATEWAY);
}

static int
supervise(struct supervisor *s)
{
	sigset_t set;
	int64_t now;
	int i;

	(void)sigemptyset(&set); /* cannot fail */
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || (s->signal_fd =
	    signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return 1;
	if (s->console_fd >= 0)
		child_start(s, CHILD_CONSOLE);
	if (s->config->witnesses.quorum != NULL)
		child_start(s, CHILD_COSIGNER);
	start_signing(s);
	while (!s->stopping) {
		if (wait_signal(s))
			s->stopping = true;
		reap(s);
		renewal_step(&s->renewal);
		start_signing(s);
		announce(s);
		now = clock_mono_ms();
		for (i = 0; i < CHILDREN && !s->stopping; i++)
			if (s->children[i].again_ms != 0 &&
			    s->children[i].again_ms <= now)
				child_start(s, (enum child_kind)i);
	}
	(void)sd_notify(0, "STOPPING=1"); /* as above */
	/* The gateway's last records need the log, so it goes first. */
	child_stop(s, CHILD_GATEWAY);
	child_stop(s, CHILD_LOG);
	child_stop(s, CHILD_COSIGNER);
	child_stop(s, CHILD_CONSOLE);
	report(REPORT_INFO, "stopped");
	return s->status;
}

int
cmd_run(int argc, char **argv)
{
	struct supervisor s = {.log_fd = -1, .console_fd = -1};
	struct config *c;
	int status = 1;

	if (argc != 3 || strcmp(argv[1], "-c") != 0) {
		(void)fprintf(stderr, "usage: sworn run -c FILE\n");
		return 2;
	}
	report_init("supervisor", REPORT_INFO);
	if ((c = load_config(argv[2])) == NULL)
		return 1;
	s.config = c;
	(void)umask(022);
	if (check_log_key(c) != 0 ||
	    make_folder(c->state_dir, 0700, "state") != 0 ||
	    make_folder(c->log_dir, 0755, "log") != 0 ||
	    lock_state(c->state_dir) != 0 ||
	    key_supply_open(&s.key, c->log_key_secret) != 0)
		goto out;
	if ((s.metrics = metrics_new()) == NULL) {
		report(REPORT_ERROR, "no shared memory: %s", strerror(errno));
		goto out;
	}
	if (open_sockets(&s) == 0 &&
	    renewal_init(&s.renewal, c, s.metrics) == 0)
		status = supervise(&s);
out:
	renewal_done(&s.renewal);
	key_supply_close(&s.key);
	config_free(c);
	return status;
}
