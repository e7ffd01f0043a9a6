#include "gateway/ticket_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "gateway/config_tickets.h"
#include "gateway/ticket_http.h"

#define HEAD 8			/* the number */
#define TICK_MS 20		/* between looks at a child that is ending */
#define AGAIN_S 1		/* before it is started again */

struct asking {
	pid_t pid;		/* 0: a free place */
	uint8_t number[HEAD];
	int fd;			/* of its output; -1: all read */
	int64_t until_ms;
	struct buf out;
};

struct hook {
	const struct config_tickets *c;
	int socket;
	struct asking *asking;	/* c->parallel of them */
	struct pollfd *polls;
	unsigned n;		/* in use */
};

/* --- in the child that asks --- */

static void
write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;		/* nobody reads: killed soon */
		p += n;
		len -= (size_t)n;
	}
}

static int
ask_http(const struct config_tickets *c, const char *question)
{
	struct buf out;
	int r;

	buf_init(&out, TICKET_ANSWER_MAX + 1);
	r = ticket_http(c, question, &out);
	write_all(STDOUT_FILENO, out.data, out.len);
	buf_done(&out);
	return r == 0 ? 0 : 1;
}

/* Runs the command with the question on its standard input. */
static int
run_command(const struct config_tickets *c, const char *question)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	static char locale[] = "LC_ALL=C.UTF-8";
	char *const environment[] = {path, locale, NULL};
	int in[2];

	/* The question is shorter than a pipe holds. */
	if (pipe(in) != 0 || dup2(in[0], STDIN_FILENO) < 0)
		return 127;
	write_all(in[1], question, strlen(question));
	(void)close(in[0]);
	(void)close(in[1]);
	(void)execve(c->command[0], (char *const *)(uintptr_t)c->command,
	    environment);
	return 127;
}

static void
child_main(const struct config_tickets *c, int out, const char *question)
{
	const struct rlimit none = {0, 0};
	sigset_t set;
	int null = open("/dev/null", O_RDONLY);

	(void)setpgid(0, 0);		/* the parent does so, too */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	if (setrlimit(RLIMIT_CORE, &none) != 0 || chdir("/") != 0 ||
	    null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0U, 0) != 0)
		_exit(127);
	_exit(c->url != NULL ? ask_http(c, question) :
	    run_command(c, question));
}

/* --- in the process that keeps them --- */

static void
reply(struct hook *h, const uint8_t *number, enum ticket_outcome outcome,
    const void *text, size_t len)
{
	struct buf b;

	buf_init(&b, 0);
	buf_bytes(&b, number, HEAD);
	buf_u8(&b, (uint8_t)outcome);
	buf_bytes(&b, text, len);
	/* One that cannot be sent is one that came too late. */
	if (!b.failed && send(h->socket, b.data, b.len, MSG_NOSIGNAL) < 0)
		report(REPORT_WARNING, "an answer about a ticket was lost: "
		    "%s", strerror(errno));
	buf_done(&b);
}

static void
fail(struct hook *h, const struct asking *a, const char *why)
{
	reply(h, a->number, TICKET_FAILED, why, strlen(why));
}

/* Ends it, with all that it started, and frees its place. */
static void
finish(struct hook *h, struct asking *a)
{
	if (a->pid > 0) {
		(void)kill(-a->pid, SIGKILL);
		(void)waitpid(a->pid, NULL, 0);	/* ended, or just killed */
	}
	if (a->fd >= 0)
		(void)close(a->fd);
	buf_done(&a->out);
	memset(a, 0, sizeof(*a));
	a->fd = -1;
	h->n--;
}

static void
start(struct hook *h, const uint8_t *number, const char *question)
{
	struct asking *a = h->asking;
	int out[2];

	while (a->pid != 0)
		a++;			/* there is a free place */
	h->n++;
	memcpy(a->number, number, HEAD);
	a->until_ms = clock_mono_ms() + h->c->timeout_ms;
	buf_init(&a->out, TICKET_ANSWER_MAX + 1);
	a->fd = -1;
	if (pipe2(out, O_CLOEXEC) != 0) {
		fail(h, a, "the ticket system cannot be asked now");
		finish(h, a);
		return;
	}
	if ((a->pid = fork()) == 0)
		child_main(h->c, out[1], question);
	(void)close(out[1]);
	a->fd = out[0];
	if (a->pid < 0) {
		a->pid = 0;
		fail(h, a, "the ticket system cannot be asked now");
		finish(h, a);
		return;
	}
	(void)setpgid(a->pid, a->pid);	/* the child does so, too */
	(void)fcntl(a->fd, F_SETFL, O_NONBLOCK);
}

/* Takes one question; false: the gateway is gone. */
static bool
take(struct hook *h)
{
	uint8_t message[HEAD + TICKET_QUESTION_MAX + 1];
	ssize_t n;

	n = recv(h->socket, message, sizeof(message) - 1, 0);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n < HEAD)
		return false;
	message[n] = 0;
	start(h, message, (const char *)message + HEAD);
	return true;
}

static void
read_output(struct asking *a)
{
	size_t room = TICKET_ANSWER_MAX + 1 - a->out.len;
	uint8_t *p = buf_reserve(&a->out, room);
	ssize_t n = p == NULL ? 0 : read(a->fd, p, room);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		a->out.len += (size_t)n;
	if (n > 0 && a->out.len <= TICKET_ANSWER_MAX)
		return;
	(void)close(a->fd);
	a->fd = -1;
}

/* Past its output: what its end says. */
static void
settle(struct hook *h, struct asking *a)
{
	siginfo_t end = {0};
	char why[80];

	/* It is reaped in finish, so its group's number stays its own. */
	if (a->out.len > TICKET_ANSWER_MAX) {
		fail(h, a, "the answer about it was too long");
	} else if (waitid(P_PID, (id_t)a->pid, &end, WEXITED | WNOHANG |
	    WNOWAIT) != 0 || end.si_pid != a->pid) {
		return;			/* not yet */
	} else if (end.si_code == CLD_EXITED && end.si_status == 0) {
		reply(h, a->number, TICKET_ANSWERED, a->out.data, a->out.len);
	} else if (h->c->url != NULL && end.si_code == CLD_EXITED &&
	    end.si_status == 1) {
		reply(h, a->number, TICKET_FAILED, a->out.data, a->out.len);
	} else if (end.si_code == CLD_EXITED) {
		(void)snprintf(why, sizeof(why), "asking about it failed "
		    "with status %d", end.si_status);
		fail(h, a, why);
	} else {
		fail(h, a, "asking about it was ended by a signal");
	}
	finish(h, a);
}

/* How long nothing can happen that no descriptor tells. */
static int
wait_ms(const struct hook *h, int64_t now)
{
	int64_t wait = -1, left;
	unsigned i;

	for (i = 0; i < h->c->parallel; i++) {
		if (h->asking[i].pid == 0)
			continue;
		left = h->asking[i].until_ms - now;
		left = left < 0 ? 0 : left;
		if (h->asking[i].fd < 0 && left > TICK_MS)
			left = TICK_MS;
		if (wait < 0 || left < wait)
			wait = left;
	}
	return (int)wait;
}

static bool
step(struct hook *h)
{
	unsigned i;
	int64_t now;

	for (i = 0; i < h->c->parallel; i++)
		h->polls[i] = (struct pollfd){h->asking[i].fd, POLLIN, 0};
	/* With every place taken, questions wait in the socket. */
	h->polls[i] = (struct pollfd){h->n < h->c->parallel ? h->socket : -1,
	    POLLIN, 0};
	if (poll(h->polls, h->c->parallel + 1, wait_ms(h,
	    clock_mono_ms())) < 0)
		return errno == EINTR;
	now = clock_mono_ms();
	for (i = 0; i < h->c->parallel; i++) {
		struct asking *a = &h->asking[i];

		if (a->pid == 0)
			continue;
		if (a->fd >= 0 && h->polls[i].revents != 0)
			read_output(a);
		if (a->fd < 0)
			settle(h, a);
		if (a->pid != 0 && now >= a->until_ms) {
			fail(h, a, "asking about it took too long");
			finish(h, a);
		}
	}
	return h->polls[h->c->parallel].revents == 0 || take(h);
}

static int
serve(const struct config_tickets *c, int fd)
{
	struct hook h = { .c = c, .socket = fd };
	unsigned i;

	h.asking = calloc(c->parallel, sizeof(*h.asking));
	h.polls = calloc(c->parallel + 1, sizeof(*h.polls));
	if (h.asking == NULL || h.polls == NULL)
		return 1;
	for (i = 0; i < c->parallel; i++)
		h.asking[i].fd = -1;
	while (step(&h))
		continue;
	for (i = 0; i < c->parallel; i++)
		if (h.asking[i].pid != 0)
			finish(&h, &h.asking[i]);
	free(h.asking);
	free(h.polls);
	return 0;
}

/* Dies with its parent. */
static pid_t
fork_tied(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    getppid() != parent))
		_exit(1);
	return pid;
}

/* Starts the one that serves again if it dies; what it was asking then is
 * answered by nobody, and the gateway stops waiting by itself. */
static void
keep(const struct config_tickets *c, int fd)
{
	sigset_t set;
	int status;
	pid_t pid;

	(void)sigemptyset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)signal(SIGTERM, SIG_DFL);
	/* Only the socket, as descriptor 3. */
	if ((fd != 3 && dup2(fd, 3) < 0) || close_range(4, ~0U, 0) != 0)
		_exit(1);
	(void)fcntl(3, F_SETFD, FD_CLOEXEC);
	(void)prctl(PR_SET_NAME, "sworn-tickets");	/* for ps */
	report_init("tickets", REPORT_INFO);
	for (;;) {
		if ((pid = fork_tied()) == 0)
			_exit(serve(c, 3));
		while (pid > 0 && waitpid(pid, &status, 0) < 0 &&
		    errno == EINTR)
			continue;
		if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			_exit(0);	/* the gateway is gone */
		report(REPORT_ERROR, "the process that asks about tickets "
		    "ended; starting it again");
		(void)sleep(AGAIN_S);
	}
}

int
ticket_hook_start(const struct config_tickets *c, int *ret_fd)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return ERR_IO;
	if ((pid = fork_tied()) == 0)
		keep(c, ends[1]);
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return ERR_IO;
	}
	*ret_fd = ends[0];
	return 0;
}
