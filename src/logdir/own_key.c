/*
 * The key that a log names as its own, for those who ask nothing but
 * whether it is whole.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "log/tile.h"
#include "logdir/logfile.h"
#include "logdir/logread.h"
#include "logdir/tree.h"

#define PATH_LEN 4096

/* How many entries an unchecked checkpoint speaks of. */
static int
claimed_size(const char *dir, uint64_t *ret)
{
	char path[PATH_LEN];
	struct checkpoint c;
	const char *text, *end;
	struct buf b;
	int n, r;

	n = snprintf(path, sizeof(path), "%s/checkpoint", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return ERR_LIMIT;
	buf_init(&b, 0);
	if ((r = logfile_read(path, NOTE_MAX, &b)) == 0) {
		r = (text = buf_text(&b)) == NULL ? ERR_MEMORY :
		    (end = strstr(text, "\n\n")) == NULL ? ERR_FORMAT :
		    checkpoint_read(text, (size_t)(end - text) + 1, &c);
		*ret = r == 0 ? c.size : 0;
	}
	buf_done(&b);
	return r;
}

static int
own_key(const char *dir, struct buf *bundle, struct arena *a,
    struct note_key *ret)
{
	struct bytes entry;
	struct record rec;
	struct reader in;
	uint64_t size = 0;
	int r;

	if ((r = claimed_size(dir, &size)) != 0)
		return r;
	if (size == 0)
		return ERR_FORMAT;
	if ((r = tree_read_tile(dir, TILE_ENTRIES, 0, tile_width(0, 0, size),
	    bundle)) != 0)
		return r;
	reader_init(&in, bundle->data, bundle->len);
	if (tile_entry(&in, &entry) != 0)
		return ERR_FORMAT;
	if ((r = record_decode(entry, a, &rec, NULL)) != 0)
		return r;
	if (rec.type != RECORD_GENESIS)
		return ERR_FORMAT;
	return note_key_read(rec.u.genesis.key, strlen(rec.u.genesis.key),
	    ret);
}

int
logread_own_key(const char *dir, struct note_key *ret, struct why *w)
{
	struct arena *a = arena_new();
	struct buf bundle;
	int r;

	buf_init(&bundle, 0);
	r = a == NULL ? ERR_MEMORY : own_key(dir, &bundle, a, ret);
	if (r != 0)
		(void)why_set(w, r, 0, 0, "%s is no log that can be read: %s",
		    dir, err_text(r));
	buf_done(&bundle);
	arena_free(a);
	return r;
}
