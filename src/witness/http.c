#include "witness/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define CONNECTIONS_MAX 256
#define IDLE_TIMEOUT_S 15
#define BACKLOG 128
#define HOST_MAX 256

/* Host and port of "host:port" or "[host]:port". */
static int
split(const char *address, char host[static HOST_MAX], const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len;

	if (colon == NULL || colon[1] == 0)
		return ERR_FORMAT;
	*port = colon + 1;
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (len == 0 || len >= HOST_MAX)
		return ERR_FORMAT;
	memcpy(host, address, len);
	host[len] = 0;
	return 0;
}

static int
say_address(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char host[HOST_MAX], port[16];

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return ERR_IO;
	if (printf(ss.ss_family == AF_INET6 ? "listening on [%s]:%s\n" :
	    "listening on %s:%s\n", host, port) < 0 || fflush(stdout) != 0)
		return ERR_IO;
	return 0;
}

int
http_listen(const char *address, int *ret_fd, struct why *w)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *ai = NULL;
	char host[HOST_MAX];
	const char *port;
	int fd = -1, on = 1, r = 0;

	if (split(address, host, &port) != 0 ||
	    getaddrinfo(host, port, &hints, &ai) != 0)
		return why_set(w, ERR_FORMAT, 0, 0, "%s is no numeric address "
		    "and port, like 127.0.0.1:8081", address);
	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0 || say_address(fd) != 0)
		r = why_set(w, ERR_IO, 0, 0, "%s: %s", address,
		    strerror(errno));
	freeaddrinfo(ai);
	if (r != 0 && fd >= 0)
		(void)close(fd);	/* nothing was accepted */
	else
		*ret_fd = fd;
	return r;
}

int
http_run(int fd, http_fn *fn, http_done_fn *done, void *arg)
{
	struct MHD_Daemon *daemon;
	sigset_t set;
	int sig;

	(void)sigemptyset(&set);	/* cannot fail */
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return ERR_IO;
	daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
	    MHD_USE_EPOLL, 0, NULL, NULL, fn, arg,
	    MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_NOTIFY_COMPLETED, done, arg,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
	    MHD_OPTION_END);
	if (daemon == NULL)
		return ERR_IO;
	do {
		sig = sigwaitinfo(&set, NULL);
	} while (sig < 0);
	MHD_stop_daemon(daemon);
	return 0;
}

enum MHD_Result
http_answer(struct MHD_Connection *c, unsigned status, const void *data,
    size_t len, const struct http_header *h, size_t n)
{
	struct MHD_Response *response;
	enum MHD_Result r = MHD_YES;
	size_t i;

	response = MHD_create_response_from_buffer(len,
	    (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	for (i = 0; i < n && r == MHD_YES; i++)
		r = MHD_add_response_header(response, h[i].name, h[i].value);
	if (r == MHD_YES)
		r = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return r;
}

enum MHD_Result
http_say(struct MHD_Connection *c, unsigned status, const char *text)
{
	static const struct http_header headers[] = {
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
	};

	return http_answer(c, status, text, strlen(text), headers,
	    sizeof(headers) / sizeof(headers[0]));
}
