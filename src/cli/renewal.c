#include "cli/renewal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "cli/renewal_read.h"
#include "gateway/asked.h"
#include "gateway/parcel.h"
#include "gateway/reconciled.h"
#include "gateway/config.h"
#include "gateway/metrics.h"

#define CLIENT_MS 5000		/* to say what it wants */
#define REQUEST_MAX (4200 + RECONCILED_MAX)	/* a path, and a request */

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);	/* nothing is lost with it */
	*fd = -1;
}

int
renewal_init(struct renewal *r, const struct config *c, struct metrics *m)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int n;

	memset(r, 0, sizeof(*r));
	r->config = c;
	r->metrics = m;
	r->control_fd = r->client_fd = r->said_fd = r->new_fd = -1;
	r->force_fd = r->gateway_fd = -1;
	r->force_ms = clock_now_ms();
	n = snprintf(un.sun_path, sizeof(un.sun_path), "%s/" RENEWAL_SOCKET,
	    c->state_dir);
	if (n < 0 || (size_t)n >= sizeof(un.sun_path)) {
		report(REPORT_ERROR, "state folder %s: its path is too long "
		    "for a socket in it", c->state_dir);
		return ERR_LIMIT;
	}
	(void)unlink(un.sun_path);	/* one that a killed run left */
	r->control_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (r->control_fd >= 0 &&
	    bind(r->control_fd, (struct sockaddr *)&un, sizeof(un)) == 0 &&
	    chmod(un.sun_path, 0600) == 0 && listen(r->control_fd, 4) == 0)
		return 0;
	report(REPORT_ERROR, "cannot listen on %s: %s", un.sun_path,
	    strerror(errno));
	close_fd(&r->control_fd);
	return ERR_IO;
}

void
renewal_done(struct renewal *r)
{
	char path[4096];

	if (r->config == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/" RENEWAL_SOCKET,
	    r->config->state_dir);
	if (r->control_fd >= 0)
		(void)unlink(path);	/* nobody listens there any more */
	if (r->reader != 0)
		(void)kill(r->reader, SIGKILL);
	close_fd(&r->control_fd);
	close_fd(&r->client_fd);
	close_fd(&r->said_fd);
	close_fd(&r->new_fd);
	close_fd(&r->force_fd);
	close_fd(&r->gateway_fd);
}

void
renewal_close(const struct renewal *r)
{
	const int fds[] = {r->control_fd, r->client_fd, r->said_fd,
	    r->new_fd, r->force_fd, r->gateway_fd};
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);	/* the supervisor's */
}

/* ---- the outcome ---- */

/* Each line of what was said, as one of ours. */
static void
report_said(const struct renewal *r, bool well)
{
	const char *p = r->said, *end;

	for (; *p != 0; p = *end != 0 ? end + 1 : end) {
		end = p + strcspn(p, "\n");
		if (end > p)
			report(well ? REPORT_WARNING : REPORT_ERROR, "%.*s",
			    (int)(end - p), p);
	}
}

/* "1..." well, "0..." not; whoever has gone does not matter. */
static void
tell_client(struct renewal *r, bool well, const char *text)
{
	const char *status = well ? "1" : "0";

	if (r->client_fd >= 0 &&
	    send(r->client_fd, status, 1, MSG_NOSIGNAL) == 1)
		(void)send(r->client_fd, text, strlen(text), MSG_NOSIGNAL);
	close_fd(&r->client_fd);
	r->client_asked = false;
}

static void
begin(struct renewal *r);

static void
finish(struct renewal *r, bool well)
{
	report_said(r, well);
	if (!well)
		report(REPORT_ERROR, "not reloaded; what was in force stays");
	if (well) {
		close_fd(&r->force_fd);
		r->force_fd = r->new_fd;
		r->new_fd = -1;
		r->force_ms = clock_now_ms();
		atomic_fetch_add(&r->metrics->reloads, 1);
	} else {
		atomic_fetch_add(&r->metrics->reloads_failed, 1);
	}
	atomic_store(&r->metrics->reload_failed, !well);
	atomic_store(&r->metrics->in_force_s, (uint64_t)(r->force_ms / 1000));
	close_fd(&r->new_fd);
	memcpy(r->last, r->said, sizeof(r->last));
	r->last_well = well;
	r->last_ms = clock_now_ms();
	r->state = RENEWAL_IDLE;
	if (r->client_asked)
		tell_client(r, well, r->said);
	if (r->again) {
		r->again = false;
		begin(r);
	}
}

static void
say(struct renewal *r, const char *text)
{
	size_t room = sizeof(r->said) - r->said_len - 2;
	size_t len = strlen(text);

	if (len > room)
		len = room;
	memcpy(r->said + r->said_len, text, len);
	r->said_len += len;
	r->said[r->said_len++] = '\n';
	r->said[r->said_len] = 0;
}

static void
fail(struct renewal *r, const char *text)
{
	say(r, text);
	finish(r, false);
}

/* ---- reading ---- */

static void
be_reader(const struct renewal *r, int parcel_fd, int said_fd, pid_t parent)
{
	sigset_t none;
	FILE *said = fdopen(said_fd, "w");

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    said == NULL)
		_exit(1);
	(void)prctl(PR_SET_NAME, "sworn-reload");	/* for ps */
	if (renewal_read(r->config, r->unapplied, parcel_fd, said) != 0) {
		(void)fflush(said);	/* or it says less */
		_exit(1);
	}
	_exit(fflush(said) == 0 ? 0 : 1);
}

static void
begin(struct renewal *r)
{
	pid_t parent = getpid();
	int said[2] = {-1, -1};

	r->begun_ms = clock_now_ms();
	r->said[0] = 0;
	r->said_len = 0;
	r->reader_ended = false;
	r->state = RENEWAL_READING;
	report(REPORT_INFO, "reloading by=%s", r->by);
	r->new_fd = memfd_create("sworn-configuration", MFD_CLOEXEC);
	if (r->new_fd < 0 || pipe2(said, O_CLOEXEC | O_NONBLOCK) != 0 ||
	    (r->reader = fork()) < 0) {
		close_fd(&said[0]);
		close_fd(&said[1]);
		r->reader = 0;
		fail(r, "no process can be started to read the files");
		return;
	}
	if (r->reader == 0) {
		(void)fcntl(said[1], F_SETFL, 0);	/* it may block */
		be_reader(r, r->new_fd, said[1], parent);
	}
	close_fd(&said[1]);
	r->said_fd = said[0];
}

static void
hear(struct renewal *r)
{
	char drop[1024];
	size_t room;
	ssize_t n;

	for (;;) {
		room = sizeof(r->said) - 1 - r->said_len;
		n = room > 0 ? read(r->said_fd, r->said + r->said_len, room) :
		    read(r->said_fd, drop, sizeof(drop));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			break;
		if (room > 0)
			r->said_len += (size_t)n;
		r->said[r->said_len] = 0;
	}
	close_fd(&r->said_fd);
}

bool
renewal_child_ended(struct renewal *r, pid_t pid, int status)
{
	if (r->reader == 0 || pid != r->reader)
		return false;
	r->reader = 0;
	r->reader_ended = true;
	r->reader_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (!WIFEXITED(status))
		say(r, "the process that reads the files was ended by a "
		    "signal");
	return true;
}

/* The files are read: on to the gateway. */
static void
hand_over(struct renewal *r)
{
	if (!r->reader_well) {
		finish(r, false);
	} else if (r->gateway_fd < 0) {
		fail(r, "the gateway is not running; reload again when it "
		    "is");
	} else if (renew_ask(r->gateway_fd, r->new_fd, r->by) != 0) {
		fail(r, "the gateway cannot be reached; reload again");
	} else {
		r->state = RENEWAL_TAKING;
	}
}

/* The record that somebody wants is durable, or it is not. */
static void
answer_asking(struct renewal *r, bool taken, const char *text)
{
	r->state = RENEWAL_IDLE;
	tell_client(r, taken, text);
	if (r->again) {
		r->again = false;
		begin(r);
	}
}

static void
gateway_gone(struct renewal *r)
{
	if (r->state == RENEWAL_TAKING)
		fail(r, "the gateway ended while it took the new version; its "
		    "successor starts by the old one");
	else if (r->state == RENEWAL_ASKING)
		answer_asking(r, false, "the gateway ended while it recorded "
		    "this; ask again");
}

static void
take_answer(struct renewal *r)
{
	char text[RENEW_TEXT_MAX];
	bool taken = false;
	int e = renew_answer(r->gateway_fd, &taken, text);

	if (e == ERR_SHORT)
		return;
	if (e != 0) {
		close_fd(&r->gateway_fd);
		gateway_gone(r);
		return;
	}
	if (r->state == RENEWAL_ASKING) {
		answer_asking(r, taken, text);
		return;
	}
	if (r->state != RENEWAL_TAKING)
		return;			/* of a request given up */
	if (text[0] != 0)
		say(r, text);
	finish(r, taken);
}

/* ---- who asks ---- */

static void
name_user(uid_t uid, const char *how, char ret[static RENEW_BY_MAX])
{
	const struct passwd *p = getpwuid(uid);

	if (p != NULL)
		(void)snprintf(ret, RENEW_BY_MAX, "%.64s (uid %u), %s",
		    p->pw_name, (unsigned)uid, how);
	else
		(void)snprintf(ret, RENEW_BY_MAX, "uid %u, %s",
		    (unsigned)uid, how);
}

void
renewal_signal(struct renewal *r, uid_t from)
{
	if (r->state != RENEWAL_IDLE) {
		r->again = true;	/* what changed since is read then */
		return;
	}
	name_user(from, "SIGHUP", r->by);
	r->unapplied = false;
	begin(r);
}

static void
accept_client(struct renewal *r)
{
	int fd = accept4(r->control_fd, NULL, NULL,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (r->client_fd >= 0) {
		(void)send(fd, "0another reload is being asked for; try again"
		    "\n", 47, MSG_NOSIGNAL); /* or it has gone */
		(void)close(fd);
		return;
	}
	r->client_fd = fd;
	r->client_since_ms = clock_mono_ms();
}

static void
tell_status(struct renewal *r)
{
	char text[RENEWAL_TEXT_MAX + 512], since[TIME_TEXT_MAX];
	char last[TIME_TEXT_MAX] = "";
	int n;

	time_text(r->force_ms, since);
	if (r->last_ms != 0)
		time_text(r->last_ms, last);
	n = snprintf(text, sizeof(text), "in force since %s (%s)\n%s%s%s%s",
	    since, r->force_fd >= 0 ? "by a reload" : "by the start",
	    r->last_ms == 0 ? "no reload since the start\n" :
	    r->last_well ? "last reload, taken, " : "last reload, NOT taken, ",
	    last, r->last_ms != 0 ? ":\n" : "", r->last_ms != 0 ? r->last :
	    "");
	tell_client(r, n > 0 && (r->last_ms == 0 || r->last_well), text);
}

static void
send_record(struct renewal *r, const struct buf *out, const char *no_gateway)
{
	if (r->gateway_fd < 0) {
		tell_client(r, false, no_gateway);
	} else if (out->failed || renew_ask_record(r->gateway_fd, out->data,
	    out->len) != 0) {
		tell_client(r, false, "the gateway cannot be reached");
	} else {
		r->state = RENEWAL_ASKING;
		r->client_asked = true;
	}
}

/* On to the gateway, with who the kernel says it is. */
static void
ask_gateway(struct renewal *r, struct bytes in, uid_t uid)
{
	const struct passwd *p = getpwuid(uid);
	struct asked a;
	struct buf out;

	if (asked_read(in, &a) != 0) {
		tell_client(r, false, "no such request");
		return;
	}
	name_user(uid, "sworn seen", r->by);
	a.user = p == NULL ? "" : p->pw_name;
	a.by = r->by;
	buf_init(&out, ASKED_MAX);
	asked_write(&out, &a);
	send_record(r, &out, "the gateway is not running, so it cannot be "
	    "recorded that this is asked");
	buf_done(&out);
}

/* A reconciliation's outcome. What it says is read by the gateway alone. */
static void
pass_reconciled(struct renewal *r, struct bytes in, uid_t uid)
{
	const struct reconciled what = {r->by, in};
	struct buf out;

	name_user(uid, "sworn reconcile", r->by);
	buf_init(&out, RECONCILED_MAX);
	reconciled_write(&out, &what);
	send_record(r, &out, "the gateway is not running, so the outcome "
	    "cannot be recorded");
	buf_done(&out);
}

/* "reload PATH", "unapplied PATH" or "status PATH", ended by a newline; or
 * "seen PATH" and, behind the newline, what gateway/asked.h writes; or
 * "reconciled PATH" and a record. */
static void
hear_client(struct renewal *r)
{
	char line[REQUEST_MAX], mine[4096], *path, *end;
	struct ucred who;
	socklen_t len = sizeof(who);
	ssize_t n = recv(r->client_fd, line, sizeof(line) - 1, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_fd(&r->client_fd);
		r->client_asked = false;	/* it does not wait any more */
		return;
	}
	if (r->client_asked)
		return;
	line[n] = 0;
	if ((end = strchr(line, '\n')) == NULL ||
	    (path = strchr(line, ' ')) == NULL || getsockopt(r->client_fd,
	    SOL_SOCKET, SO_PEERCRED, &who, &len) != 0) {
		tell_client(r, false, "no such request\n");
		return;
	}
	*end = 0;
	*path++ = 0;
	if (realpath(r->config->path, mine) == NULL ||
	    strcmp(mine, path) != 0) {
		tell_client(r, false, "the gateway with this state folder "
		    "runs by another configuration\n");
	} else if (strcmp(line, "status") == 0) {
		tell_status(r);
	} else if (strcmp(line, "reload") != 0 &&
	    strcmp(line, "unapplied") != 0 && strcmp(line, "seen") != 0 &&
	    strcmp(line, "reconciled") != 0) {
		tell_client(r, false, "no such request\n");
	} else if (r->state != RENEWAL_IDLE) {
		tell_client(r, false, "a reload is under way; try again\n");
	} else if (strcmp(line, "seen") == 0) {
		ask_gateway(r, bytes_of(end + 1, (size_t)(line + n - end) -
		    1), who.uid);
	} else if (strcmp(line, "reconciled") == 0) {
		pass_reconciled(r, bytes_of(end + 1, (size_t)(line + n -
		    end) - 1), who.uid);
	} else {
		name_user(who.uid, "sworn reload", r->by);
		r->unapplied = line[0] == 'u';
		r->client_asked = true;
		begin(r);
	}
}

/* ---- the supervisor's loop ---- */

static size_t
add_poll(struct pollfd *p, size_t n, int fd)
{
	if (fd < 0)
		return n;
	p[n] = (struct pollfd){fd, POLLIN, 0};
	return n + 1;
}

size_t
renewal_poll(const struct renewal *r, struct pollfd *p)
{
	size_t n = 0;

	n = add_poll(p, n, r->control_fd);
	n = add_poll(p, n, r->client_fd);
	n = add_poll(p, n, r->said_fd);
	return add_poll(p, n, r->gateway_fd);
}

void
renewal_step(struct renewal *r)
{
	accept_client(r);
	if (r->client_fd >= 0)
		hear_client(r);
	if (r->client_fd >= 0 && !r->client_asked &&
	    clock_mono_ms() - r->client_since_ms > CLIENT_MS)
		close_fd(&r->client_fd);
	if (r->said_fd >= 0)
		hear(r);
	if (r->state == RENEWAL_READING && r->reader_ended && r->said_fd < 0)
		hand_over(r);
	if (r->gateway_fd >= 0)
		take_answer(r);
}

int
renewal_gateway_starts(struct renewal *r)
{
	int pair[2];

	close_fd(&r->gateway_fd);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	/* The gateway's own thread may wait on its end. */
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
		close_fd(&pair[0]);
		close_fd(&pair[1]);
		return -1;
	}
	r->gateway_fd = pair[0];
	return pair[1];
}

void
renewal_gateway_ended(struct renewal *r)
{
	if (r->gateway_fd >= 0)
		take_answer(r);		/* its last words, perhaps */
	if (r->gateway_fd < 0)
		return;
	close_fd(&r->gateway_fd);
	gateway_gone(r);
}

struct config *
renewal_in_force(const struct renewal *r)
{
	struct parcel *b = NULL;
	struct config *c = NULL;
	char file[1024] = "";
	struct why w = {0};
	int e;

	if ((e = parcel_read(r->force_fd, &b)) == 0)
		e = config_load_by(r->config->path, NULL, b, &c, &w, file);
	if (e != 0)
		report(REPORT_ERROR, "the version in force cannot be read "
		    "again: %s:%u:%u: %s", file, w.line, w.column, w.text);
	parcel_free(b);
	return c;
}
