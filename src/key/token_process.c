#include "key/token_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"
#include "key/secret.h"
#include "key/token.h"

#define START_TIMEOUT_MS 60000	/* slow tokens, and somebody who types */
#define STOP_TIMEOUT_MS 5000
#define FD 3			/* the child's end of the pair */

static const char proof[] = "is this key at hand?\n";

struct ask {
	uint32_t id;
	uint8_t msg[TOKEN_MESSAGE_MAX];
};

struct answer {
	uint32_t id;
	int32_t result;
	uint8_t sig[SIGN_LEN];
	char text[WHY_TEXT_MAX];
};

struct token_process {
	pid_t pid;
	int fd;
	uint8_t public[SIGN_PUBLIC_LEN];
	struct ask ask;
};

/* ---- the child ---- */

static void
tell(const struct answer *a)
{
	/* If nobody listens, the next recv() ends this process. */
	(void)send(FD, a, sizeof(*a), MSG_NOSIGNAL);
}

static void
serve(struct token *t)
{
	static struct ask q;
	struct answer a;
	ssize_t n;

	while ((n = recv(FD, &q, sizeof(q), 0)) >= (ssize_t)sizeof(q.id)) {
		memset(&a, 0, sizeof(a));
		a.id = q.id;
		a.result = token_sign(t, q.msg, (size_t)n - sizeof(q.id),
		    a.sig);
		tell(&a);
	}
}

/* Nothing stops it but the end of the pair: its parent stops in order. */
static int
enter(void)
{
	const struct rlimit none = {0, 0};
	sigset_t all;

	(void)prctl(PR_SET_NAME, "sworn-token");	/* for ps */
	return prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0 || sigfillset(&all) != 0 ||
	    sigprocmask(SIG_SETMASK, &all, NULL) != 0 ? ERR_IO : 0;
}

/* The PIN may come over a descriptor; then all that is not ours goes. */
static int
open_token(int fd, const char *uri, const char *source, struct token **ret,
    struct why *w)
{
	struct secret *pin = secret_new();
	struct why words = {0};
	int r;

	if (pin == NULL)
		return ERR_MEMORY;
	r = secret_read(source, "the key's token", false, pin, &words);
	if ((fd != FD && dup2(fd, FD) != FD) || close_range(FD + 1, ~0U, 0))
		r = why_set(&words, ERR_IO, 0, 0, "descriptors: %s",
		    strerror(errno));
	if (r == 0 && (r = token_open(uri, pin, 0, ret, &words)) == 0)
		r = token_find(*ret, &words);
	secret_free(pin);
	*w = words;
	return r;
}

static void
child(int fd, const char *uri, const char *source)
{
	struct token *t = NULL;
	struct answer a = {0};
	struct why w = {0};

	a.result = enter();
	if (a.result == 0)
		a.result = open_token(fd, uri, source, &t, &w);
	(void)snprintf(a.text, sizeof(a.text), "%s", w.text[0] != 0 ?
	    w.text : err_text(a.result));
	tell(&a);
	if (a.result == 0)
		serve(t);
	token_close(t);
}

/* ---- its parent ---- */

/* The answer to this question; older ones came too late for theirs. */
static int
hear(struct token_process *p, uint32_t id, int timeout_ms, struct answer *a)
{
	int64_t until = clock_mono_ms() + timeout_ms, left;
	struct pollfd ready = {.fd = p->fd, .events = POLLIN};
	ssize_t n;

	while ((left = until - clock_mono_ms()) > 0) {
		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		n = recv(p->fd, a, sizeof(*a), MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n != (ssize_t)sizeof(*a))
			return ERR_STATE;
		if (a->id == id)
			return 0;
	}
	return ERR_IO;
}

int
token_process_sign(struct token_process *p, const void *msg, size_t len,
    uint8_t ret[static SIGN_LEN])
{
	struct answer a;
	int r;

	if (len > TOKEN_MESSAGE_MAX)
		return ERR_LIMIT;
	p->ask.id++;
	memcpy(p->ask.msg, msg, len);
	if (send(p->fd, &p->ask, sizeof(p->ask.id) + len,
	    MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? ERR_IO : ERR_STATE;
	if ((r = hear(p, p->ask.id, TOKEN_TIMEOUT_MS, &a)) != 0)
		return r;
	if (a.result != 0)
		return a.result;
	if ((r = sign_check(p->public, msg, len, a.sig)) == 0)
		memcpy(ret, a.sig, SIGN_LEN);
	return r;
}

/* The child's first words, and that its key is the one. */
static int
greet(struct token_process *p, struct why *w)
{
	uint8_t sig[SIGN_LEN];
	struct answer a;
	int r;

	if ((r = hear(p, 0, START_TIMEOUT_MS, &a)) != 0)
		return why_set(w, r, 0, 0, "the token's process %s",
		    r == ERR_IO ? "does not answer" : "ended");
	if (a.result != 0) {
		a.text[sizeof(a.text) - 1] = 0;
		return why_set(w, a.result, 0, 0, "%.400s", a.text);
	}
	if ((r = token_process_sign(p, proof, sizeof(proof) - 1, sig)) != 0)
		return why_set(w, r, 0, 0, "%s", r == ERR_CRYPTO ? "the key in "
		    "the token is another one than its file says" :
		    "the token does not sign (CKM_EDDSA)");
	return 0;
}

static int
part(struct token_process *p, const char *uri, const char *source,
    struct why *w)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return why_set(w, ERR_IO, 0, 0, "no process for the token: %s",
		    strerror(errno));
	if ((p->pid = fork()) == 0) {
		child(fds[1], uri, source);
		_exit(0);
	}
	(void)close(fds[1]);		/* the child's */
	p->fd = fds[0];
	if (p->pid < 0)
		return why_set(w, ERR_IO, 0, 0, "no process for the token: %s",
		    strerror(errno));
	return 0;
}

int
token_process_start(const char *uri, const char *source,
    const uint8_t public[static SIGN_PUBLIC_LEN], struct token_process **ret,
    struct why *w)
{
	struct token_process *p = calloc(1, sizeof(*p));
	int r;

	if (p == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	p->fd = -1;
	p->pid = -1;
	memcpy(p->public, public, SIGN_PUBLIC_LEN);
	if ((r = part(p, uri, source, w)) == 0 && (r = greet(p, w)) == 0) {
		*ret = p;
		p = NULL;		/* now the caller's */
	}
	token_process_stop(p);
	return r;
}

void
token_process_stop(struct token_process *p)
{
	struct pollfd gone = {.fd = -1, .events = POLLIN};

	if (p == NULL)
		return;
	if (p->fd >= 0) {
		(void)shutdown(p->fd, SHUT_WR);	/* it reads its end */
		gone.fd = p->fd;
		while (poll(&gone, 1, STOP_TIMEOUT_MS) > 0 &&
		    recv(p->fd, &p->ask, sizeof(p->ask), MSG_DONTWAIT) > 0)
			;
		(void)close(p->fd);
	}
	if (p->pid > 0) {
		if (gone.revents == 0)
			(void)kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(p);
}

pid_t
token_process_pid(const struct token_process *p)
{
	return p->pid;
}
