/*
 * witness/http.h - a listening HTTP server, one thread, for few requests.
 */
#ifndef WITNESS_HTTP_H
#define WITNESS_HTTP_H

#include <microhttpd.h>
#include <stddef.h>
#include <sys/types.h>

struct why;

/* "127.0.0.1:8081", "[::1]:8081", port 0: any. Prints the address that it
 * listens on, so that port 0 can be found: "listening on ...\n". */
int http_listen(const char *address, int *ret_fd, struct why *w);

/* Called at a request's headers (*state NULL), at each part of its body, and
 * at its end (*len 0). */
typedef enum MHD_Result http_fn(void *arg, struct MHD_Connection *c,
    const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_len, void **state);
typedef void http_done_fn(void *arg, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode why);

/* Serves until SIGTERM or SIGINT. Returns 0, or ERR_IO: it could not start. */
int http_run(int fd, http_fn *fn, http_done_fn *done, void *arg);

struct http_header {
	const char *name, *value;
};

/* Answers with bytes that are copied. */
enum MHD_Result http_answer(struct MHD_Connection *c, unsigned status,
    const void *data, size_t len, const struct http_header *h, size_t n);
/* One line for people, not to be kept by caches. */
enum MHD_Result http_say(struct MHD_Connection *c, unsigned status,
    const char *text);

#endif
