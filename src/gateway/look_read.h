/*
 * gateway/look_read.h - a store's answer to watch_sql, as lines. Pure.
 *
 * Memory: texts go into the arena; the array is the caller's to free.
 * Limits: LOOK_LINES_MAX lines, LOOK_BYTES_MAX bytes of answer.
 */
#ifndef GATEWAY_LOOK_READ_H
#define GATEWAY_LOOK_READ_H

#include <stdbool.h>
#include <stddef.h>

#define LOOK_LINES_MAX ((size_t)1 << 20)
#define LOOK_BYTES_MAX ((size_t)256 << 20)
#define LOOK_WHY_MAX 256

struct arena;
struct watch_line;

struct look_read {
	struct arena *a;
	struct watch_line *lines;	/* n of them, in the order of strcmp */
	size_t n, cap, bytes;
	const char *seal;		/* NULL: it did not come */
	bool done;			/* the answer is whole */
	char why[LOOK_WHY_MAX];		/* the store's own words; "" */
};

/*
 * Takes as many whole messages as there are at the front of data, up to the
 * answer's end; *ret_used says how long they were. 0 or an error, after which
 * it must not be called again.
 */
int look_read(struct look_read *k, const void *data, size_t len,
    size_t *ret_used);

#endif
