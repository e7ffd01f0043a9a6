#include "verify/cosigned.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "verify/file.h"

#define WITNESSES_MAX 64
#define TYPE_ED25519 0x01

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Whether a key of the log has signed it; what it says. */
static bool
is_of_log(const struct buf *note, const struct cosigned_keys *k,
    struct checkpoint *ret)
{
	const char *body;
	size_t len, i;

	for (i = 0; i < k->n_keys; i++)
		if (k->keys[i].type == TYPE_ED25519 &&
		    note_check((const char *)note->data, note->len,
		    &k->keys[i], &body, &len, NULL) == 0)
			return checkpoint_read(body, len, ret) == 0;
	return false;
}

static void
count(const struct buf *note, const struct cosigned_keys *k,
    struct cosigned *ret)
{
	uint64_t times[WITNESSES_MAX], t;
	const char *body;
	size_t len, i;

	ret->n = 0;
	for (i = 0; i < k->n_witnesses && ret->n < WITNESSES_MAX; i++)
		if (note_check((const char *)note->data, note->len,
		    &k->witnesses[i], &body, &len, &t) == 0)
			times[ret->n++] = t;
	ret->time_s = 0;
	if (ret->n < k->quorum)
		return;
	qsort(times, ret->n, sizeof(times[0]), compare);
	ret->time_s = times[k->quorum - 1];
}

static bool
is_better(const struct cosigned *a, const struct cosigned *b, size_t quorum)
{
	if (a->n >= quorum && b->n >= quorum)
		return a->c.size > b->c.size;
	return a->n > b->n;
}

int
cosigned_read(const char *dir, const struct cosigned_keys *k,
    struct cosigned *ret)
{
	static const char *const names[] = {"checkpoint",
	    "checkpoint.cosigned"};
	struct cosigned c;
	struct buf note;
	size_t i;
	int len, r = 0;

	memset(ret, 0, sizeof(*ret));
	buf_init(&note, 0);
	for (i = 0; i < 2 && r != ERR_MEMORY; i++) {
		memset(&c, 0, sizeof(c));
		buf_reset(&note);
		len = snprintf(c.path, sizeof(c.path), "%s/%s", dir, names[i]);
		if (len < 0 || (size_t)len >= sizeof(c.path))
			continue;
		r = file_read(c.path, NOTE_MAX, &note);
		if (r != 0 || !is_of_log(&note, k, &c.c))
			continue;
		count(&note, k, &c);
		if (is_better(&c, ret, k->quorum))
			*ret = c;
	}
	buf_done(&note);
	return r == ERR_MEMORY ? r : 0;
}
