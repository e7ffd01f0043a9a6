/*
 * One thread of libmicrohttpd behind a bound socket. A request is answered
 * from memory that the other processes share; nothing is written.
 */
#include "console/console.h"

#include <microhttpd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/report.h"

#define CONNECTIONS_MAX 64
#define IDLE_TIMEOUT_S 10
#define REQUEST_MEMORY_MAX 16384

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned status, const char *type,
    const char *text, size_t len)
{
	struct MHD_Response *response;
	enum MHD_Result r = MHD_NO;

	response = MHD_create_response_from_buffer(len,
	    (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	if (MHD_add_response_header(response, "Content-Type", type) ==
	    MHD_YES &&
	    MHD_add_response_header(response, "Cache-Control", "no-store") ==
	    MHD_YES &&
	    MHD_add_response_header(response, "X-Content-Type-Options",
	    "nosniff") == MHD_YES)
		r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result
answer_text(struct MHD_Connection *connection, unsigned status,
    const char *text)
{
	return answer(connection, status, "text/plain; charset=utf-8", text,
	    strlen(text));
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_len, void **state)
{
	const struct console *c = arg;
	enum MHD_Result r;
	struct buf out;

	(void)version;
	(void)upload;
	(void)upload_len;
	(void)state;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "only GET is answered here\n");
	if (strcmp(url, "/healthz") == 0) {
		if (c->healthy(c->arg))
			return answer_text(connection, MHD_HTTP_OK, "ok\n");
		return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
		    "nothing is released now: see sworn_log_up and "
		    "sworn_gateway_up under /metrics\n");
	}
	if (strcmp(url, "/metrics") != 0)
		return answer_text(connection, MHD_HTTP_NOT_FOUND,
		    "nothing is here; try /healthz or /metrics\n");
	buf_init(&out, 1 << 20);
	c->metrics(c->arg, &out);
	r = out.failed ? MHD_NO : answer(connection, MHD_HTTP_OK,
	    "text/plain; version=0.0.4; charset=utf-8",
	    (const char *)out.data, out.len);
	buf_done(&out);
	return r;
}

int
console_run(const struct console *c)
{
	struct MHD_Daemon *daemon;
	sigset_t set;
	int sig;

	(void)sigemptyset(&set); /* cannot fail */
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return 1;
	daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
	    MHD_USE_EPOLL, 0, NULL, NULL, handle, (void *)(uintptr_t)c,
	    MHD_OPTION_LISTEN_SOCKET, c->listen_fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY_MAX,
	    MHD_OPTION_END);
	if (daemon == NULL) {
		report(REPORT_ERROR, "HTTP server cannot start");
		return 1;
	}
	do {
		sig = sigwaitinfo(&set, NULL);
	} while (sig < 0);
	MHD_stop_daemon(daemon);
	return 0;
}
