/*
 * POST <prefix>/add-checkpoint. A request's body is gathered whole, up to
 * the longest there can be, and then decided at once.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/report.h"
#include "base/time.h"
#include "witness/http.h"
#include "witness/request.h"
#include "witness/witness.h"

struct server {
	struct witness *witness;
	const char *prefix;
	bool broken;
};

struct body {
	struct buf data;
	bool too_long;
};

static struct body *
body_new(void)
{
	struct body *b = calloc(1, sizeof(*b));

	if (b != NULL)
		buf_init(&b->data, REQUEST_MAX);
	return b;
}

static void
body_free(struct body *b)
{
	if (b == NULL)
		return;
	buf_done(&b->data);
	free(b);
}

static bool
is_ours(const struct server *s, const char *url)
{
	size_t len = strlen(s->prefix);

	return strncmp(url, s->prefix, len) == 0 &&
	    strcmp(url + len, "/" REQUEST_PATH) == 0;
}

static enum MHD_Result
answer(struct server *s, struct MHD_Connection *c, const struct body *b)
{
	struct http_header headers[] = {
		{"Content-Type", NULL},
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
	};
	enum MHD_Result r = MHD_NO;
	unsigned status;
	struct buf out;

	buf_init(&out, 0);
	status = witness_ask(s->witness, (const char *)b->data.data,
	    b->data.len, (uint64_t)(clock_now_ms() / 1000), &out,
	    &headers[0].value);
	if (status == 503 && !s->broken) {
		s->broken = true;
		report(REPORT_ERROR, "the state's directory could not be "
		    "synced: what is durable is not known; ending");
		(void)kill(getpid(), SIGTERM);	/* to ourselves */
	} else if (status == 500) {
		report(REPORT_ERROR, "a checkpoint could not be stored");
	}
	if (!out.failed)
		r = http_answer(c, status, out.data, out.len, headers,
		    sizeof(headers) / sizeof(headers[0]));
	buf_done(&out);
	return r;
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_len, void **state)
{
	static const struct http_header allow[] = {{"Allow", "POST"}};
	struct server *s = arg;
	struct body *b = *state;

	(void)version;
	if (b == NULL) {
		*state = body_new();
		return *state == NULL ? MHD_NO : MHD_YES;
	}
	if (*upload_len > 0) {
		if (*upload_len > REQUEST_MAX - b->data.len)
			b->too_long = true;
		else if (!b->too_long)
			buf_bytes(&b->data, upload, *upload_len);
		*upload_len = 0;
		return b->data.failed ? MHD_NO : MHD_YES;
	}
	if (!is_ours(s, url))
		return http_say(c, MHD_HTTP_NOT_FOUND, "nothing is here\n");
	if (strcmp(method, "POST") != 0)
		return http_answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "", 0,
		    allow, 1);
	if (b->too_long)
		return http_say(c, MHD_HTTP_CONTENT_TOO_LARGE, "too long\n");
	return answer(s, c, b);
}

static void
done(void *arg, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode why)
{
	(void)arg;
	(void)c;
	(void)why;
	body_free(*state);
	*state = NULL;
}

int
witness_run(struct witness *x, const char *prefix, int fd)
{
	struct server s = {x, prefix, false};
	int r = http_run(fd, handle, done, &s);

	return r == 0 && s.broken ? ERR_STATE : r;
}
