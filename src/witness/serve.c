/*
 * What may be asked for is a grammar, not a filter: a path is served if it
 * is one that a log can have, so there is no "..", no hidden file and no
 * staging folder to think of. Symbolic links are not followed.
 */
#include "witness/serve.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "log/rotation.h"
#include "log/tile.h"
#include "witness/http.h"

#define PATH_LEN_MAX 128

/* Three digits; moves on. */
static bool
group(const char **p)
{
	size_t i;

	for (i = 0; i < 3; i++)
		if ((*p)[i] < '0' || (*p)[i] > '9')
			return false;
	*p += 3;
	return true;
}

/* A number without leading zeros; moves on. */
static bool
number(const char **p, uint64_t max)
{
	size_t len = strspn(*p, "0123456789");
	uint64_t v;

	if (text_u64(*p, len, &v) != 0 || v > max)
		return false;
	*p += len;
	return true;
}

/* tile/<L>/<N>[.p/<W>], behind "tile/". */
static bool
is_tile(const char *p)
{
	if (text_starts(p, "entries/"))
		p += strlen("entries");
	else if (!number(&p, 63))
		return false;
	if (*p++ != '/')
		return false;
	while (*p == 'x') {
		p++;
		if (!group(&p) || *p++ != '/')
			return false;
	}
	if (!group(&p))
		return false;
	if (*p == 0)
		return true;
	if (!text_starts(p, ".p/"))
		return false;
	p += strlen(".p/");
	return *p != '0' && number(&p, TILE_WIDTH - 1) && *p == 0;
}

bool
serve_is_checkpoint(const char *path)
{
	return strcmp(path, "checkpoint") == 0 ||
	    strcmp(path, "checkpoint.cosigned") == 0 ||
	    strcmp(path, ROTATIONS_FILE) == 0;
}

bool
serve_is_name(const char *path)
{
	if (strlen(path) >= PATH_LEN_MAX)
		return false;
	if (serve_is_checkpoint(path))
		return true;
	if (text_starts(path, "tile/"))
		return is_tile(path + strlen("tile/"));
	if (!text_starts(path, "objects/"))
		return false;
	path += strlen("objects/");
	return strlen(path) == 64 && strspn(path, "0123456789abcdef") == 64;
}

static enum MHD_Result
send_file(struct MHD_Connection *c, int fd, uint64_t len, bool checkpoint)
{
	static const struct http_header once[] = {
		{"Content-Type", "application/octet-stream"},
		{"Cache-Control", "public, max-age=31536000, immutable"},
	}, soon[] = {
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Cache-Control", "public, max-age=2"},
	}, always[] = {
		{"Access-Control-Allow-Origin", "*"},
		{"X-Content-Type-Options", "nosniff"},
	};
	const struct http_header *h = checkpoint ? soon : once;
	struct MHD_Response *response;
	enum MHD_Result r = MHD_YES;
	size_t i;

	/* The descriptor is the response's from here on. */
	if ((response = MHD_create_response_from_fd64(len, fd)) == NULL) {
		(void)close(fd);	/* only read */
		return MHD_NO;
	}
	for (i = 0; i < 2 && r == MHD_YES; i++)
		if ((r = MHD_add_response_header(response, h[i].name,
		    h[i].value)) == MHD_YES)
			r = MHD_add_response_header(response, always[i].name,
			    always[i].value);
	if (r == MHD_YES)
		r = MHD_queue_response(c, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_len, void **state)
{
	const int *dir = arg;
	struct stat st;
	int fd;

	(void)version;
	(void)upload;
	(void)upload_len;
	(void)state;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		static const struct http_header allow[] = {
			{"Allow", "GET, HEAD"},
		};

		return http_answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "", 0,
		    allow, 1);
	}
	if (url[0] != '/' || !serve_is_name(url + 1))
		return http_say(c, MHD_HTTP_NOT_FOUND, "no such file of a "
		    "log\n");
	fd = openat(*dir, url + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			(void)close(fd); /* not read */
		return http_say(c, MHD_HTTP_NOT_FOUND, "not there (perhaps "
		    "the full tile is, or not yet)\n");
	}
	return send_file(c, fd, (uint64_t)st.st_size,
	    serve_is_checkpoint(url + 1));
}

int
serve_run(int dir, int fd)
{
	return http_run(fd, handle, NULL, &dir);
}
