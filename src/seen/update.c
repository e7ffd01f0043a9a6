/*
 * Entries are read from where the index ends; each one's leaf hash goes to
 * the edge before its record goes to the tables. Both are committed together,
 * in rounds, so that a large log needs no large transaction. The last round
 * is committed only if the edge leads to the checkpoint's root.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "log/tile.h"
#include "logdir/logfile.h"
#include "logdir/logkeys.h"
#include "logdir/tree.h"
#include "record/record.h"
#include "seen/state.h"

#define ROUND 65536		/* entries to a transaction */

struct update {
	struct seen_index *x;
	const char *dir;
	struct checkpoint head;
	bool committed;		/* a round, before the root was compared */
};

static int
read_head(struct update *u, const struct note_key *key)
{
	char path[4096];
	const struct note_key *by;
	struct rotations chain;
	struct buf note;
	int n, r;

	buf_init(&note, 0);
	n = snprintf(path, sizeof(path), "%s/checkpoint", u->dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		r = ERR_LIMIT;
	else
		r = logfile_read(path, NOTE_MAX, &note);
	if (r != 0)
		(void)why_set(u->x->why, r, 0, 0, "%s/checkpoint cannot be "
		    "read: %s", u->dir, err_text(r));
	else if ((r = logkeys_read(u->dir, key, 1, &chain)) != 0)
		(void)why_set(u->x->why, r, 0, 0, "%s/" ROTATIONS_FILE
		    ", which says how the log's key was changed, is no such "
		    "file: %s", u->dir, err_text(r));
	else if ((r = logkeys_note(&note, &chain, key, 1, &by, &u->head)) != 0)
		(void)why_set(u->x->why, r, 0, 0, "%s/checkpoint %s", u->dir,
		    logkeys_words(r));
	buf_done(&note);
	return r;
}

static int
check_same(const struct update *u)
{
	const struct seen_state *s = &u->x->state;

	if (s->origin[0] != 0 && strcmp(s->origin, u->head.origin) != 0)
		return why_set(u->x->why, ERR_CONFLICT, 0, 0, "the index is "
		    "of the log %s, and %s has the log %s; make it anew with "
		    "--rebuild", s->origin, u->dir, u->head.origin);
	if (u->head.size < s->size)
		return why_set(u->x->why, ERR_CONFLICT, 0, 0, "the index has "
		    "%" PRIu64 " entries, and the log in %s has only %" PRIu64
		    ": it is an older copy", s->size, u->dir, u->head.size);
	return 0;
}

static int
take_entry(struct update *u, struct bytes entry)
{
	struct seen_index *x = u->x;
	struct merkle_hash leaf;
	struct record rec;
	struct why why = {0};
	int r;

	if ((r = merkle_leaf(entry.data, entry.len, &leaf)) != 0 ||
	    (r = merkle_frontier_add(&x->edge, &leaf)) != 0)
		return r;
	arena_reset(x->scratch);
	r = record_decode(entry, x->scratch, &rec, &why);
	if (r == ERR_MEMORY)
		return r;
	if (r != 0 || strlen(rec.gateway) >= sizeof(x->state.gateway))
		return why_set(x->why, ERR_FORMAT, 0, 0, "entry %" PRIu64
		    " is no record: %s", x->state.size, why.text);
	if (x->state.size == 0) {
		memcpy(x->state.gateway, rec.gateway,
		    strlen(rec.gateway) + 1);
		memcpy(x->state.origin, u->head.origin,
		    sizeof(x->state.origin));
		x->state.first_ms = rec.time_ms;
	}
	x->state.last_ms = rec.time_ms;
	if ((r = seen_fill(x, &rec)) != 0)
		return r;
	x->state.size++;
	return 0;
}

static int
take_bundle(struct update *u, uint64_t index, struct buf *b)
{
	unsigned width = tile_width(0, index, u->head.size), i;
	struct bytes entry;
	struct reader in;
	int r;

	buf_reset(b);
	if ((r = tree_read_tile(u->dir, TILE_ENTRIES, index, width, b)) != 0)
		return why_set(u->x->why, r, 0, 0, "entries %" PRIu64 " to %"
		    PRIu64 " of the log in %s cannot be read: %s",
		    index * TILE_WIDTH, index * TILE_WIDTH + width - 1,
		    u->dir, err_text(r));
	reader_init(&in, b->data, b->len);
	for (i = 0; i < width; i++) {
		if (tile_entry(&in, &entry) != 0)
			return why_set(u->x->why, ERR_CRYPTO, 0, 0, "entry %"
			    PRIu64 " of the log in %s is cut off",
			    index * TILE_WIDTH + i, u->dir);
		if (index * TILE_WIDTH + i == u->x->state.size &&
		    (r = take_entry(u, entry)) != 0)
			return r;
	}
	return 0;
}

static int
check_root(const struct update *u)
{
	struct merkle_hash root;
	int r;

	if ((r = merkle_frontier_root(&u->x->edge, &root)) != 0)
		return r;
	if (memcmp(root.h, u->head.root.h, HASH_LEN) == 0)
		return 0;
	return why_set(u->x->why, ERR_CRYPTO, 0, 0, "the entries do not lead "
	    "to the root that was signed: the log in %s was changed (sworn-"
	    "verify log says where), or the index is of others (--rebuild)",
	    u->dir);
}

static int
begin(struct seen_index *x)
{
	return seen_run(x, seen_bind(x, SQL_BEGIN, ""));
}

static int
commit(struct update *u)
{
	int r = seen_note(u->x);

	if (r == 0)
		r = seen_run(u->x, seen_bind(u->x, SQL_COMMIT, ""));
	return r;
}

static int
take_all(struct update *u)
{
	uint64_t round = u->x->state.size + ROUND;
	struct buf b;
	int r = 0;

	buf_init(&b, 0);
	while (r == 0 && u->x->state.size < u->head.size) {
		r = take_bundle(u, u->x->state.size / TILE_WIDTH, &b);
		if (r != 0 || u->x->state.size < round ||
		    u->x->state.size == u->head.size)
			continue;
		round = u->x->state.size + ROUND;
		if ((r = commit(u)) == 0) {
			u->committed = true;
			r = begin(u->x);
		}
	}
	buf_done(&b);
	if (r == 0)
		r = check_root(u);
	return r == 0 ? commit(u) : r;
}

/* Nothing of it can be trusted: it is not opened again. */
static void
spoil(struct seen_index *x)
{
	struct why *told = x->why;

	x->why = NULL;			/* the first error is told */
	x->state.size = UINT64_MAX / 4;	/* not what the edge says */
	if (begin(x) == 0 && seen_note(x) == 0)
		(void)seen_run(x, seen_bind(x, SQL_COMMIT, ""));
	x->why = told;
}

int
seen_update(struct seen_index *x, const char *log_dir,
    const struct note_key *key, struct why *w)
{
	struct update u = {.x = x, .dir = log_dir};
	size_t i;
	int r;

	memset(w, 0, sizeof(*w));
	x->why = w;
	if ((r = read_head(&u, key)) != 0 || (r = check_same(&u)) != 0 ||
	    (r = begin(x)) != 0)
		goto out;
	if ((r = take_all(&u)) == 0)
		goto out;
	for (i = 0; i < SQL_COUNT; i++)
		(void)sqlite3_reset(x->sql[i]);	/* or it cannot go back */
	x->why = NULL;			/* the first error is told */
	(void)seen_run(x, seen_bind(x, SQL_ROLLBACK, ""));
	x->why = w;
	if (u.committed && r == ERR_CRYPTO)
		spoil(x);
out:
	if (r != 0 && w->text[0] == 0)
		(void)why_set(w, r, 0, 0, "the index: %s", err_text(r));
	x->why = NULL;
	return r;
}
