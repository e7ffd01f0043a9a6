#include "cli/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/renewal.h"

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
converse(int fd, const char *verb, const char *path, struct bytes more,
    struct buf *answer)
{
	struct buf ask;
	uint8_t *p;
	ssize_t n = 0;
	int r = ERR_IO;

	buf_init(&ask, 0);
	buf_fmt(&ask, "%s %s\n", verb, path);
	buf_bytes(&ask, more.data, more.len);
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

int
supervisor_ask(const char *state_dir, const char *config, const char *verb,
    struct bytes more, bool *well, struct buf *answer)
{
	char *path = realpath(config, NULL);
	int fd, r = ERR_IO;

	if (path == NULL || (fd = reach(state_dir, config)) < 0)
		goto out;
	if ((r = converse(fd, verb, path, more, answer)) != 0) {
		(void)fprintf(stderr, "sworn: the supervisor gave no "
		    "answer; see its lines\n");
	} else {
		*well = answer->data[0] == '1';
		buf_consume(answer, 1);
		if (buf_text(answer) == NULL)
			r = ERR_MEMORY;
	}
	(void)close(fd);	/* all was read */
out:
	free(path);
	return r;
}
