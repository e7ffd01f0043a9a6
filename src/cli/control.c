/*
 * sworn control -c FILE | --log DIR PRINCIPAL [--at TIME] [--from PLACE]
 *     [--facts | --dot | --svg]
 *
 * Every country that stands behind a principal, and by which paths: in
 * words, as a text for Graphviz, or as a picture that its program dot draws.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/say.h"
#include "cli/source.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "directory/picture.h"
#include "directory/told.h"
#include "gateway/config.h"

static const char usage[] = "usage: sworn control PRINCIPAL "
    SOURCE_USAGE "\n    [--at TIME] [--from PLACE] [--facts | --dot | "
    "--svg]\n";

static void
put_words(struct buf *out, const struct principal *who,
    const struct control *c, int64_t at_ms)
{
	char at[TIME_TEXT_MAX];

	time_text(at_ms, at);
	say_principal(out, who);
	buf_fmt(out, ", as of %s\n", at);
	say_control(out, who->name, c);
}

/* In the child: dot reads `in` and writes where we would. */
static void
become_dot(int in, int failed)
{
	char name[] = "dot", format[] = "-Tsvg";
	char *const argv[] = { name, format, NULL };
	int code;

	if (dup2(in, STDIN_FILENO) != -1)
		(void)execvp(name, argv); /* returns only if it failed */
	code = errno;
	(void)!write(failed, &code, sizeof(code)); /* what else to tell it */
	_exit(127);
}

static int
feed(int fd, const struct buf *text)
{
	size_t done = 0;
	ssize_t n;

	while (done < text->len) {
		n = write(fd, text->data + done, text->len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return ERR_IO;
		done += (size_t)n;
	}
	return 0;
}

/* Says how it went: 0 or 1. */
static int
end_dot(pid_t child, int failed, int fed)
{
	int status, code = 0;
	ssize_t n = read(failed, &code, sizeof(code));

	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			return 1;
	if (n == (ssize_t)sizeof(code) && code == ENOENT)
		(void)fprintf(stderr, "sworn: the program dot is not "
		    "installed; Debian has it in the package graphviz\n");
	else if (n == (ssize_t)sizeof(code))
		(void)fprintf(stderr, "sworn: dot cannot be run: %s\n",
		    strerror(code));
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || fed != 0)
		(void)fprintf(stderr, "sworn: dot did not draw the "
		    "picture\n");
	else
		return 0;
	return 1;
}

static int
draw(const struct buf *text)
{
	int in[2] = { -1, -1 }, failed[2] = { -1, -1 }, fed, r = 1;
	pid_t child;

	/* A dot that ends early is seen by its status. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(failed, O_CLOEXEC) == -1 ||
	    (child = fork()) == -1) {
		(void)fprintf(stderr, "sworn: dot cannot be run: %s\n",
		    strerror(errno));
		goto out;
	}
	if (child == 0)
		become_dot(in[0], failed[1]);
	(void)close(in[0]);	/* only a pipe */
	(void)close(failed[1]);
	in[0] = failed[1] = -1;
	fed = feed(in[1], text);
	(void)close(in[1]);
	in[1] = -1;
	r = end_dot(child, failed[0], fed);
out:
	if (in[0] != -1)
		(void)close(in[0]);
	if (in[1] != -1)
		(void)close(in[1]);
	if (failed[0] != -1)
		(void)close(failed[0]);
	if (failed[1] != -1)
		(void)close(failed[1]);
	return r;
}

struct asked {
	struct source source;
	const char *from, *id;
	bool facts, dot, svg;
};

static int
answer(const struct asked *q, struct arena *a, struct buf *out)
{
	const struct config *c = q->source.config;
	int64_t at_ms = q->source.at_ms;
	const struct principal *who;
	const struct control *control = NULL;
	struct ask_places seen;
	struct why w;
	int r;

	if (ask_place(c, q->from, a, &seen, &w) != 0) {
		(void)fprintf(stderr, "sworn: %s\n", w.text);
		return 1;
	}
	r = directory_principal(c->directory, q->id, at_ms, a, &who);
	if (r == ERR_MISSING) {
		(void)fprintf(stderr, "%s: there is no person or service "
		    "\"%s\" at that time\n", c->directory_text.path, q->id);
		return 1;
	}
	if (r == 0)
		r = control_of(c->directory, q->id, at_ms, seen.labels,
		    seen.n, a, &control);
	if (r == 0 && (q->dot || q->svg))
		r = control_dot(out, c->directory, who, control, a);
	else if (r == 0)
		put_words(out, who, control, at_ms);
	if (r == 0 && q->facts) {
		buf_str(out, "facts\n");
		r = told_facts(out, c->directory, q->id, at_ms);
	}
	return r != 0 ? say_error(r) : 0;
}

int
cmd_control(int argc, char **argv)
{
	struct asked q = { .id = NULL };
	const struct option_slot slots[] = {
		SOURCE_SLOTS(&q.source),
		{"--from", &q.from, NULL}, {"--facts", NULL, &q.facts},
		{"--dot", NULL, &q.dot},
		{"--svg", NULL, &q.svg}, {NULL, NULL, NULL},
	};
	struct arena *a = NULL;
	struct buf out;
	int r;

	if ((r = options_read(argc, argv, slots, &q.id, 1, usage)) != 0)
		return r;
	if (q.facts + q.dot + q.svg > 1) {
		(void)fputs(usage, stderr);
		return 2;
	}
	buf_init(&out, 0);
	if ((r = source_open(&q.source, usage)) != 0)
		goto out;
	r = 1;
	if ((a = arena_new()) == NULL || (r = answer(&q, a, &out)) != 0)
		goto out;
	if (out.failed)
		r = say_error(ERR_MEMORY);
	else
		r = q.svg ? draw(&out) : say_out(&out);
out:
	buf_done(&out);
	arena_free(a);
	source_close(&q.source);
	return r;
}
