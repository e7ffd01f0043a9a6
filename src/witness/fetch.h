/*
 * witness/fetch.h - a log's files from a web server or a folder.
 *
 * What comes back was written by strangers: it is bounded here and checked
 * by whoever asked. HTTP and HTTPS by libcurl; at most FETCH_REDIRECTS_MAX
 * redirects. One thread at a time.
 */
#ifndef WITNESS_FETCH_H
#define WITNESS_FETCH_H

#include <stddef.h>

#define FETCH_REDIRECTS_MAX 3
#define FETCH_TYPE_MAX 128

struct buf;
struct fetch;
struct why;

/* from: http://..., https://... or a folder. */
int fetch_open(const char *from, struct fetch **ret, struct why *w);
void fetch_free(struct fetch *f);

/*
 * Replaces out with a file of at most max bytes. ERR_MISSING: it is not
 * there; ERR_LIMIT; ERR_IO, and *w says why; ERR_MEMORY.
 */
int fetch_file(struct fetch *f, const char *path, size_t max,
    struct buf *out, struct why *w);

/*
 * The same, piece by piece, to a function: for files too long to be held.
 * What it returns but 0 ends it, and is returned, with nothing in *w.
 */
typedef int fetch_piece_fn(void *arg, const void *data, size_t len);
int fetch_each(struct fetch *f, const char *path, size_t max,
    fetch_piece_fn *fn, void *arg, struct why *w);

struct fetch_answer {
	long status;
	char type[FETCH_TYPE_MAX];	/* Content-Type, "" if none */
};

/* POSTs to path; replaces out with the answer's body. Redirects are not
 * followed. ERR_IO: there was no answer, and *w says why. */
int fetch_post(struct fetch *f, const char *path, const void *body,
    size_t len, size_t max, struct buf *out, struct fetch_answer *ret,
    struct why *w);

#endif
