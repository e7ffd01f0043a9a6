/*
 * sworn reload CONFIG [--unapplied | --status]: has a running gateway read
 * its configuration, policy, directory and catalogs anew, all or nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/renewal.h"
#include "gateway/config.h"

static const char usage[] = "usage: sworn reload CONFIG "
    "[--unapplied | --status]\n";

static int
reach(const char *state_dir, const char *config)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int n, fd;

	n = snprintf(un.sun_path, sizeof(un.sun_path), "%s/" RENEWAL_SOCKET,
	    state_dir);
	if (n < 0 || (size_t)n >= sizeof(un.sun_path)) {
		(void)fprintf(stderr, "%s: the path is too long\n",
		    state_dir);
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	(void)fprintf(stderr, "%s: %s; %s %s\n", un.sun_path,
	    strerror(errno), errno == EACCES ? "run this as the user of the "
	    "gateway that runs by" : "is sworn run under way? start it with: "
	    "sworn run -c", config);
	if (fd >= 0)
		(void)close(fd);	/* given up */
	return -1;
}

/* The answer's text, and whether it went well. */
static int
converse(int fd, const char *verb, const char *path, struct buf *answer)
{
	struct buf ask;
	uint8_t *p;
	ssize_t n = 0;
	int r = ERR_IO;

	buf_init(&ask, 0);
	buf_fmt(&ask, "%s %s\n", verb, path);
	if (buf_text(&ask) == NULL ||
	    send(fd, ask.data, ask.len, MSG_NOSIGNAL) != (ssize_t)ask.len)
		goto out;
	while ((p = buf_reserve(answer, 4096)) != NULL) {
		n = recv(fd, p, 4096, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		answer->len += (size_t)n;
	}
	if (n == 0 && answer->len > 0 && buf_text(answer) != NULL)
		r = 0;
out:
	buf_done(&ask);
	return r;
}

static int
ask(const char *state_dir, const char *config, const char *verb)
{
	struct buf answer;
	char *path = realpath(config, NULL);
	int fd, r = 1;

	buf_init(&answer, 0);
	if (path == NULL || (fd = reach(state_dir, config)) < 0)
		goto out;
	if (converse(fd, verb, path, &answer) != 0) {
		(void)fprintf(stderr, "sworn reload: the supervisor gave no "
		    "answer; see its lines\n");
	} else {
		r = answer.data[0] == '1' ? 0 : 1;
		(void)fputs((const char *)answer.data + 1,
		    strcmp(verb, "status") == 0 ? stdout : stderr);
		if (r != 0 && strcmp(verb, "status") != 0)
			(void)fprintf(stderr, "not reloaded; what was in "
			    "force stays\n");
	}
	(void)close(fd);	/* all was read */
out:
	buf_done(&answer);
	free(path);
	return r;
}

int
cmd_reload(int argc, char **argv)
{
	bool unapplied = false, status = false;
	const struct option_slot slots[] = {
		{"--unapplied", NULL, &unapplied},
		{"--status", NULL, &status}, {NULL, NULL, NULL},
	};
	char *state_dir = NULL, file[1024] = "";
	const char *config = NULL;
	struct why w = {0};
	int r;

	if ((r = options_read(argc, argv, slots, &config, 1, usage)) != 0)
		return r;
	if (unapplied && status) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if (config_state_dir(config, &state_dir, &w, file) != 0) {
		(void)fprintf(stderr, "%s:%u:%u: %s\nnot reloaded; what was "
		    "in force stays\n", file, w.line, w.column, w.text);
		return 1;
	}
	r = ask(state_dir, config, unapplied ? "unapplied" :
	    status ? "status" : "reload");
	free(state_dir);
	return r;
}
