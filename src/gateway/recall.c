/*
 * Every entry is hashed, as only that leads to the root; but only those that
 * have the type's text, as the encoder writes it, are decoded. Within a string
 * its quotes would be escaped.
 */
#include "gateway/recall.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "gateway/log_client.h"
#include "log/merkle.h"
#include "log/note.h"
#include "log/tile.h"
#include "logdir/logfile.h"
#include "logdir/logkeys.h"
#include "logdir/tree.h"
#include "record/record.h"

#define LOOK_MS 20

static const char mark[] = "\"type\":\"approval\"";

struct reading {
	const struct recall *r;
	struct note_key key;
	struct checkpoint head;
	struct merkle_frontier edge;
	struct arena *scratch;
	struct grants *grants;
	struct why *w;
};

int
recall_step(const struct record_approval *r, struct grant_step *ret)
{
	*ret = (struct grant_step){
		.kind = grant_kind_of(r->step), .id = r->id, .by = r->by,
		.at_ms = r->decided_ms, .why = r->why, .store = r->store,
		.rule = r->rule, .ticket = r->ticket,
		.until_ms = r->until_ms, .review_ms = r->review_ms,
	};
	return ret->kind == GRANT_KINDS ? ERR_FORMAT : 0;
}

static int
read_head(struct reading *x)
{
	const struct note_key *by;
	struct rotations chain;
	char path[4096];
	struct buf note;
	int n, r = ERR_LIMIT;

	buf_init(&note, 0);
	n = snprintf(path, sizeof(path), "%s/checkpoint", x->r->dir);
	if (n > 0 && (size_t)n < sizeof(path))
		r = logfile_read(path, NOTE_MAX, &note);
	if (r != 0 && r != ERR_MISSING)
		(void)why_set(x->w, r, 0, 0, "%s cannot be read: %s", path,
		    r == ERR_IO ? strerror(errno) : err_text(r));
	else if (r == 0 && ((r = logkeys_read(x->r->dir, &x->key, 1,
	    &chain)) != 0 || (r = logkeys_note(&note, &chain, &x->key, 1, &by,
	    &x->head)) != 0))
		(void)why_set(x->w, r, 0, 0, "%s %s", path,
		    logkeys_words(r));
	buf_done(&note);
	return r;
}

/* Until all that is durable is published, too. */
static int
wait_for_head(struct reading *x)
{
	const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
	int64_t end = clock_mono_ms() + x->r->wait_ms;
	int r;

	for (;;) {
		if ((r = read_head(x)) == 0 &&
		    x->head.size >= x->r->hello->next)
			return 0;
		if (r != 0 && r != ERR_MISSING)
			return r;
		if (clock_mono_ms() >= end)
			return why_set(x->w, ERR_MISSING, 0, 0, "the log has %"
			    PRIu64 " entries, and %s has only %" PRIu64
			    " of them: is it an older copy?",
			    x->r->hello->next, x->r->dir, x->head.size);
		(void)nanosleep(&look, NULL); /* shorter is fine */
	}
}

/* Drops what is over when there is no room. */
static int
take_step(struct reading *x, const struct grant_step *s)
{
	struct grants *fewer;
	int r = grants_take(x->grants, s);

	if (r != ERR_LIMIT)
		return r;
	if ((fewer = grants_copy(x->grants, s->at_ms)) == NULL)
		return ERR_MEMORY;
	grants_free(x->grants);
	x->grants = fewer;
	return grants_take(x->grants, s);
}

static int
take_record(struct reading *x, struct bytes entry, uint64_t seq)
{
	struct grant_step step;
	struct why why = {0};
	struct record rec;
	int r;

	arena_reset(x->scratch);
	r = record_decode(entry, x->scratch, &rec, &why);
	if (r == 0 && rec.type == RECORD_APPROVAL &&
	    (r = recall_step(&rec.u.approval, &step)) == 0)
		r = take_step(x, &step);
	return r == 0 || r == ERR_MEMORY ? r : why_set(x->w, r, 0, 0,
	    "entry %" PRIu64 " of the log, an approval's, cannot be: %s",
	    seq, why.text[0] != 0 ? why.text : err_text(r));
}

static int
take_entry(struct reading *x, struct bytes entry)
{
	struct merkle_hash leaf;
	int r;

	if ((r = merkle_leaf(entry.data, entry.len, &leaf)) != 0 ||
	    (r = merkle_frontier_add(&x->edge, &leaf)) != 0)
		return r;
	return memmem(entry.data, entry.len, mark, sizeof(mark) - 1) == NULL ?
	    0 : take_record(x, entry, x->edge.size - 1);
}

static int
take_bundle(struct reading *x, struct buf *b)
{
	uint64_t index = x->edge.size / TILE_WIDTH;
	unsigned width = tile_width(0, index, x->head.size), i;
	struct bytes entry;
	struct reader in;
	int r;

	buf_reset(b);
	if ((r = tree_read_tile(x->r->dir, TILE_ENTRIES, index, width,
	    b)) != 0)
		return why_set(x->w, r, 0, 0, "entries from %" PRIu64 " on of "
		    "the log in %s cannot be read: %s", index * TILE_WIDTH,
		    x->r->dir, err_text(r));
	reader_init(&in, b->data, b->len);
	for (i = 0; i < width; i++) {
		if (tile_entry(&in, &entry) != 0)
			return why_set(x->w, ERR_FORMAT, 0, 0, "entry %" PRIu64
			    " of the log in %s is cut off", x->edge.size,
			    x->r->dir);
		if ((r = take_entry(x, entry)) != 0)
			return r;
	}
	return 0;
}

static int
take_all(struct reading *x)
{
	struct merkle_hash root;
	struct buf b;
	int r = 0;

	buf_init(&b, 0);
	merkle_frontier_init(&x->edge);
	while (r == 0 && x->edge.size < x->head.size)
		r = take_bundle(x, &b);
	buf_done(&b);
	if (r == 0)
		r = merkle_frontier_root(&x->edge, &root);
	if (r == 0 && memcmp(root.h, x->head.root.h, sizeof(root.h)) != 0)
		r = why_set(x->w, ERR_CRYPTO, 0, 0, "the entries of the log in "
		    "%s do not lead to the root that was signed: sworn-verify "
		    "log says where they were changed", x->r->dir);
	return r;
}

int
recall_grants(const struct recall *recall, struct grants **ret, struct why *w)
{
	struct reading x = {.r = recall, .w = w};
	const char *key = recall->hello->key;
	int r = ERR_MEMORY;

	memset(w, 0, sizeof(*w));
	if ((x.grants = grants_new()) == NULL ||
	    (x.scratch = arena_new()) == NULL)
		goto out;
	r = 0;
	if (recall->hello->next > 0 && (r = note_key_read(key, strlen(key),
	    &x.key)) == 0 && (r = wait_for_head(&x)) == 0)
		r = take_all(&x);
	if (r == 0) {
		*ret = x.grants;
		x.grants = NULL;
	}
out:
	if (r != 0 && w->text[0] == 0)
		(void)why_set(w, r, 0, 0, "%s", err_text(r));
	grants_free(x.grants);
	arena_free(x.scratch);
	return r;
}
