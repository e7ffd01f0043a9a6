#include "verify/cosigned.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "logdir/logfile.h"
#include "logdir/logkeys.h"

struct cosignature {
	size_t witness;
	uint64_t time_s;
};

static int
compare(const void *a, const void *b)
{
	uint64_t x = ((const struct cosignature *)a)->time_s,
	    y = ((const struct cosignature *)b)->time_s;

	return x < y ? -1 : x > y;
}

/* In the order of time: the one with which there are enough. */
static void
find_time(const struct quorum *q, struct cosignature *all, struct cosigned *ret)
{
	bool has[QUORUM_MAX] = {false};
	size_t i;

	qsort(all, ret->n, sizeof(all[0]), compare);
	for (i = 0; i < ret->n && !ret->met; i++) {
		has[all[i].witness] = true;
		ret->met = quorum_met(q, has);
		ret->time_s = all[i].time_s;
	}
	if (!ret->met)
		ret->time_s = 0;
}

static void
count(const struct buf *note, const struct cosigned_keys *k,
    struct cosigned *ret)
{
	struct cosignature all[QUORUM_MAX];
	const struct quorum_party *ws;
	const char *body;
	size_t len, i, n;

	ws = quorum_witnesses(k->quorum, &n);
	ret->n = 0;
	for (i = 0; i < n; i++) {
		if (note_check((const char *)note->data, note->len,
		    &ws[i].key, &body, &len, &all[ret->n].time_s) != 0)
			continue;
		all[ret->n++].witness = i;
	}
	find_time(k->quorum, all, ret);
}

static bool
is_better(const struct cosigned *a, const struct cosigned *b)
{
	if (a->met && b->met)
		return a->c.size > b->c.size;
	return a->met != b->met ? a->met : a->n > b->n;
}

int
cosigned_read(const char *dir, const struct cosigned_keys *k,
    struct cosigned *ret)
{
	static const char *const names[] = {"checkpoint",
	    "checkpoint.cosigned"};
	const struct note_key *key;
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
		r = logfile_read(c.path, NOTE_MAX, &note);
		if (r != 0 || logkeys_note(&note, k->chain, k->keys,
		    k->n_keys, &key, &c.c) != 0)
			continue;
		count(&note, k, &c);
		if (is_better(&c, ret))
			*ret = c;
	}
	buf_done(&note);
	return r == ERR_MEMORY ? r : 0;
}
