/*
 * One curl handle for all requests, so that connections are used again.
 */
#include "witness/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "store/disk.h"

#define CONNECT_TIMEOUT_S 15L
#define SLOW_S 30L			/* under SLOW_BYTES a second */
#define SLOW_BYTES 64L
#define URL_MAX 4096
#define PIECE ((size_t)64 << 10)

struct fetch {
	char *base;			/* URL without a last slash */
	int dir;			/* -1: it is a URL */
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	fetch_piece_fn *fn;		/* gets what comes */
	void *arg;
	size_t got, max;
	bool only_200;			/* else nothing of the body is taken */
	bool too_long, refused;
	int result;			/* of fn */
};

static int
into_buf(void *arg, const void *data, size_t len)
{
	struct buf *out = arg;

	buf_bytes(out, data, len);
	return out->failed ? ERR_MEMORY : 0;
}

static size_t
take(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;
	long status = 0;

	n *= size;
	if (f->only_200 && (curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE,
	    &status) != CURLE_OK || status != 200)) {
		f->refused = true;
		return 0;
	}
	if (n > f->max - f->got) {
		f->too_long = true;
		return 0;
	}
	f->got += n;
	f->result = f->fn(f->arg, data, n);
	return f->result != 0 ? 0 : n;
}

static int
open_url(struct fetch *f, const char *from)
{
	size_t len = strlen(from);

	while (len > 0 && from[len - 1] == '/')
		len--;
	if ((f->base = strndup(from, len)) == NULL ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (f->curl = curl_easy_init()) == NULL)
		return ERR_MEMORY;
	return 0;
}

int
fetch_open(const char *from, struct fetch **ret, struct why *w)
{
	struct fetch *f = calloc(1, sizeof(*f));
	int r = 0;

	if (f == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	f->dir = -1;
	if (text_starts(from, "http://") || text_starts(from, "https://")) {
		if ((r = open_url(f, from)) != 0)
			(void)why_set(w, r, 0, 0, "out of memory");
	} else {
		f->dir = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (f->dir < 0)
			r = why_set(w, ERR_IO, 0, 0, "%s: %s", from,
			    strerror(errno));
	}
	if (r == 0) {
		*ret = f;
		f = NULL;		/* now the caller's */
	}
	fetch_free(f);
	return r;
}

void
fetch_free(struct fetch *f)
{
	if (f == NULL)
		return;
	if (f->dir >= 0)
		(void)close(f->dir);	/* only read */
	if (f->curl != NULL)
		curl_easy_cleanup(f->curl);
	free(f->base);
	free(f);
}

/* What every request has in common. */
static int
prepare(struct fetch *f, const char *path, size_t max, fetch_piece_fn *fn,
    void *arg, struct why *w)
{
	char url[URL_MAX];
	CURL *c = f->curl;
	int n;

	n = snprintf(url, sizeof(url), "%s/%s", f->base, path);
	if (n < 0 || (size_t)n >= sizeof(url))
		return why_set(w, ERR_LIMIT, 0, 0, "the address is too long");
	f->fn = fn;
	f->arg = arg;
	f->got = 0;
	f->max = max;
	f->only_200 = f->too_long = f->refused = false;
	f->result = 0;
	f->error[0] = 0;
	curl_easy_reset(c);
	if (curl_easy_setopt(c, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") !=
	    CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") !=
	    CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S) !=
	    CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES) !=
	    CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, SLOW_S) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->error) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_USERAGENT, "sworn") != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_WRITEDATA, f) != CURLE_OK)
		return why_set(w, ERR_IO, 0, 0, "libcurl lacks an option");
	return 0;
}

static int
perform(struct fetch *f, const char *path, long *status, struct why *w)
{
	CURLcode e = curl_easy_perform(f->curl);

	if (f->result == ERR_MEMORY)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if (f->result != 0)
		return f->result;
	if (f->too_long)
		return why_set(w, ERR_LIMIT, 0, 0, "%s/%s is longer than %zu "
		    "bytes", f->base, path, f->max);
	if (e == CURLE_OK || f->refused)
		e = curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE,
		    status);
	if (e != CURLE_OK)
		return why_set(w, ERR_IO, 0, 0, "%s/%s: %s", f->base, path,
		    f->error[0] != 0 ? f->error : curl_easy_strerror(e));
	return 0;
}

static int
get_url(struct fetch *f, const char *path, size_t max, fetch_piece_fn *fn,
    void *arg, struct why *w)
{
	long status = 0;
	int r;

	if ((r = prepare(f, path, max, fn, arg, w)) != 0)
		return r;
	f->only_200 = true;
	if (curl_easy_setopt(f->curl, CURLOPT_FOLLOWLOCATION, 1L) !=
	    CURLE_OK ||
	    curl_easy_setopt(f->curl, CURLOPT_MAXREDIRS,
	    (long)FETCH_REDIRECTS_MAX) != CURLE_OK)
		return why_set(w, ERR_IO, 0, 0, "libcurl lacks an option");
	if ((r = perform(f, path, &status, w)) != 0)
		return r;
	if (status == 404 || status == 410)
		return why_set(w, ERR_MISSING, 0, 0, "%s/%s is not there",
		    f->base, path);
	if (status != 200)
		return why_set(w, ERR_IO, 0, 0, "%s/%s: the server answers "
		    "%ld", f->base, path, status);
	return 0;
}

int
fetch_file(struct fetch *f, const char *path, size_t max, struct buf *out,
    struct why *w)
{
	int r;

	buf_reset(out);
	if (f->dir < 0)
		return get_url(f, path, max, into_buf, out, w);
	if ((r = disk_read(f->dir, path, max, out)) != 0)
		(void)why_set(w, r, 0, 0, "%s: %s", path, r == ERR_IO ?
		    strerror(errno) : err_text(r));
	return r;
}

static int
each_piece(int fd, size_t max, fetch_piece_fn *fn, void *arg)
{
	char piece[PIECE];
	size_t got = 0;
	ssize_t n;
	int r;

	for (;;) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? ERR_IO : 0;
		if ((size_t)n > max - got)
			return ERR_LIMIT;
		got += (size_t)n;
		if ((r = fn(arg, piece, (size_t)n)) != 0)
			return r;
	}
}

int
fetch_each(struct fetch *f, const char *path, size_t max, fetch_piece_fn *fn,
    void *arg, struct why *w)
{
	int fd, r;

	if (f->dir < 0)
		return get_url(f, path, max, fn, arg, w);
	fd = openat(f->dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return why_set(w, errno == ENOENT || errno == ENOTDIR ?
		    ERR_MISSING : ERR_IO, 0, 0, "%s: %s", path,
		    strerror(errno));
	r = each_piece(fd, max, fn, arg);
	(void)close(fd);		/* only read */
	return r;
}

int
fetch_post(struct fetch *f, const char *path, const void *body, size_t len,
    size_t max, struct buf *out, struct fetch_answer *ret, struct why *w)
{
	const char *type = NULL;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (f->dir >= 0)
		return why_set(w, ERR_FORMAT, 0, 0, "not a http address");
	buf_reset(out);
	if ((r = prepare(f, path, max, into_buf, out, w)) != 0)
		return r;
	if (curl_easy_setopt(f->curl, CURLOPT_POST, 1L) != CURLE_OK ||
	    curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE, (long)len) !=
	    CURLE_OK ||
	    curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, body) != CURLE_OK)
		return why_set(w, ERR_IO, 0, 0, "libcurl lacks an option");
	if ((r = perform(f, path, &ret->status, w)) != 0)
		return r;
	if (curl_easy_getinfo(f->curl, CURLINFO_CONTENT_TYPE, &type) ==
	    CURLE_OK && type != NULL)
		(void)snprintf(ret->type, sizeof(ret->type), "%s", type);
	return 0;	/* a type cut short is none that we know */
}
