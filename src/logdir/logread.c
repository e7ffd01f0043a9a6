/*
 * Bundle by bundle: the entries' leaf hashes against the level-0 tile. Where
 * they differ, the hash that level 1 has for the tile tells which of the two
 * was changed, and the right one goes on up, so that one change is named
 * once. A last, partial tile has nothing above it: there the signed root
 * tells, at the end.
 */
#include "logdir/logread.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "log/tile.h"
#include "logdir/logfile.h"
#include "logdir/logkeys.h"
#include "logdir/tree.h"

#define PATH_LEN 4096
/* Bundles in a row that may be missing before looking further is idle. */
#define MISSING_MAX 4096

/* The entries of one bundle and both ideas of their hashes. */
struct bundle {
	uint64_t index;
	uint64_t first;			/* entry */
	unsigned width;
	unsigned n;			/* entries that are there */
	struct merkle_hash entry[TILE_WIDTH];
	bool has_tile;
	struct merkle_hash tile[TILE_WIDTH];
};

struct walk {
	struct logread *l;
	struct arena *arena;
	struct tree tree;
	struct merkle_frontier edge;
	struct buf bytes;		/* of the bundle */
	struct bundle b;
	bool lost;			/* hashes are missing: no root */
	uint64_t missing_from, missing_n;	/* bundles */
	uint64_t offset;		/* seq less index, as last seen */
	bool any;
	size_t n_rotated;		/* changes of key met */
};

static int damage(struct walk *, const char *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
damage(struct walk *w, const char *what, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	return w->l->damage(w->l->arg, what, text);
}

/* -- checkpoints -------------------------------------------------------- */

/* The file that leads from the key given to the others, once. */
int
logread_keys(struct logread *l)
{
	struct walk w = {.l = l};
	int r;

	if (l->keyed)
		return 0;
	l->keyed = true;
	r = logkeys_read(l->dir, l->keys, l->n_keys, &l->chain);
	if (r == 0 || r == ERR_MEMORY)
		return r;
	return damage(&w, "rotation", "the file " ROTATIONS_FILE " beside "
	    "the log, which says how its key was changed, %s", r ==
	    ERR_CRYPTO ? "is not signed by both keys" : "is damaged");
}

/* A key of this log that the tree does not lead to: the tree is not the
 * newest that the caller knows of, or not the one. */
static int
check_given(struct walk *w)
{
	struct logread *l = w->l;
	struct buf key;
	size_t i;
	int r = 0;

	rotations_cut(&l->chain, l->head.size);
	for (i = 0; i < l->n_keys && r == 0; i++) {
		if (strcmp(l->keys[i].name, l->head.origin) != 0 ||
		    note_key_same(&l->keys[i], l->key) ||
		    rotations_has(&l->chain, &l->keys[i]))
			continue;
		buf_init(&key, 0);
		note_key_write(&l->keys[i], &key);
		if (buf_text(&key) == NULL)
			r = ERR_MEMORY;
		else
			r = damage(w, "rollback", "the log's key is not changed "
			    "to %s, which is given, in its %" PRIu64
			    " entries: it was rolled back, or this is another "
			    "log", (const char *)key.data, l->head.size);
		buf_done(&key);
	}
	return r;
}

static int
read_head(struct walk *w)
{
	struct logread *l = w->l;
	char path[PATH_LEN];
	struct buf b;
	int n, r;

	n = snprintf(path, sizeof(path), "%s/checkpoint", l->dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return ERR_LIMIT;
	buf_init(&b, 0);
	if ((r = logfile_read(path, NOTE_MAX, &b)) != 0) {
		if (r != ERR_MEMORY)
			r = damage(w, "checkpoint", "the file %s cannot be "
			    "read: %s", path, err_text(r));
		goto out;
	}
	r = logkeys_note(&b, &l->chain, l->keys, l->n_keys, &l->key,
	    &l->head);
	if (r != 0 && r != ERR_MEMORY) {
		l->key = NULL;
		r = damage(w, "checkpoint", "the log's checkpoint %s",
		    logkeys_words(r));
	}
	if (r == 0 && l->note != NULL) {
		buf_bytes(l->note, b.data, b.len);
		r = l->note->failed ? ERR_MEMORY : 0;
	}
out:
	buf_done(&b);
	return r;
}

int
logread_kept_read(const char *path, const struct note_key *keys,
    size_t n_keys, struct logread_kept *ret, struct why *w)
{
	static const struct rotations none = {.n = 0};
	const struct note_key *key;
	const char *body;
	struct buf b;
	size_t len;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->path = path;
	buf_init(&b, 0);
	if ((r = logfile_read(path, NOTE_MAX, &b)) != 0) {
		(void)why_set(w, r, 0, 0, "%s cannot be read: %s", path,
		    err_text(r));
		goto out;
	}
	r = logkeys_note(&b, &none, keys, n_keys, &key, &ret->c);
	ret->by_given = r == 0;
	/* Perhaps by a key that the log itself leads to. */
	if (r == ERR_MISSING && note_body((const char *)b.data, b.len, &body,
	    &len) == 0 && checkpoint_read(body, len, &ret->c) == 0)
		r = 0;
	if (r != 0)
		(void)why_set(w, r, 0, 0, "the checkpoint %s %s", path,
		    logkeys_words(r));
out:
	buf_done(&b);
	return r;
}

/* Of this log: is it signed by the key that signs trees of its size? */
static int
check_kept_key(struct walk *w, const struct logread_kept *k)
{
	struct logread *l = w->l;
	const struct note_key *key;
	struct checkpoint c;
	struct buf b;
	int r;

	if (k->by_given && l->chain.n == 0)
		return 0;
	buf_init(&b, 0);
	if ((r = logfile_read(k->path, NOTE_MAX, &b)) == 0)
		r = logkeys_note(&b, &l->chain, l->keys, l->n_keys, &key, &c);
	buf_done(&b);
	if (r == 0 || r == ERR_MEMORY)
		return r;
	return damage(w, "checkpoint", "the checkpoint %s %s", k->path,
	    logkeys_words(r));
}

/* The tree has reached a size at which checkpoints may have been kept. */
static int
check_kept(struct walk *w)
{
	struct logread_kept *k;
	struct merkle_hash root;
	size_t i;
	int r;

	for (i = 0; i < w->l->n_kept; i++) {
		k = &w->l->kept[i];
		if (strcmp(k->c.origin, w->l->head.origin) != 0 ||
		    k->c.size != w->edge.size || w->lost)
			continue;
		if ((r = merkle_frontier_root(&w->edge, &root)) != 0)
			return r;
		if (memcmp(root.h, k->c.root.h, HASH_LEN) != 0 &&
		    (r = damage(w, "rewritten", "the log was rewritten: its "
		    "first %" PRIu64 " entries are not those that the "
		    "checkpoint %s was signed for", k->c.size, k->path)) != 0)
			return r;
	}
	return 0;
}

static int
check_rollback(struct walk *w)
{
	struct logread_kept *k;
	size_t i;
	int r;

	for (i = 0; i < w->l->n_kept; i++) {
		k = &w->l->kept[i];
		if (strcmp(k->c.origin, w->l->head.origin) != 0)
			continue;
		k->used = true;
		if ((r = check_kept_key(w, k)) != 0)
			return r;
		if (k->c.size > w->l->head.size && (r = damage(w, "rollback",
		    "the log was rolled back: it has %" PRIu64 " entries, and "
		    "the checkpoint %s was signed for %" PRIu64,
		    w->l->head.size, k->path, k->c.size)) != 0)
			return r;
	}
	return 0;
}

/* -- records ------------------------------------------------------------ */

static int
check_genesis(struct walk *w, const struct record *r)
{
	const struct record_genesis *g = &r->u.genesis;
	struct buf key;
	int e = 0;

	if (r->type != RECORD_GENESIS)
		return damage(w, "record", "entry 0 is no genesis record");
	buf_init(&key, 0);
	note_key_write(w->l->chain.n > 0 ? &w->l->chain.keys[0] : w->l->key,
	    &key);
	if (buf_text(&key) == NULL)
		e = ERR_MEMORY;
	else if (strcmp(g->origin, w->l->head.origin) != 0)
		e = damage(w, "record", "the genesis record is of another "
		    "log, %s", g->origin);
	else if (strcmp(g->key, (const char *)key.data) != 0)
		e = damage(w, "record", "the genesis record names another "
		    "key, %s", g->key);
	buf_done(&key);
	return e;
}

/* Where the file says that the key was changed, the log says it, and
 * nowhere else. */
static int
check_rotation(struct walk *w, const struct record *r, uint64_t index)
{
	const struct rotations *c = &w->l->chain;
	const char *note = r->u.rotation.note;
	struct rotation got;
	bool due = w->n_rotated < c->n && c->seq[w->n_rotated] == index;
	size_t i = w->n_rotated;

	w->n_rotated += due;
	if (!due && r->type != RECORD_ROTATION)
		return 0;
	if (r->type != RECORD_ROTATION)
		return damage(w, "rotation", "the log's key was changed at "
		    "entry %" PRIu64 ", says the file " ROTATIONS_FILE
		    ", and that entry does not say so", index);
	if (rotation_read(note, strlen(note), &got) != 0)
		return damage(w, "rotation", "entry %" PRIu64 " changes the "
		    "log's key, and is not signed by both keys", index);
	if (!due || got.seq != index || !note_key_same(&got.to,
	    &c->keys[i + 1]) || !note_key_same(&got.from, &c->keys[i]))
		return damage(w, "rotation", "entry %" PRIu64 " changes the "
		    "log's key, and the file " ROTATIONS_FILE " beside the "
		    "log does not say so", index);
	return 0;
}

static int
check_order(struct walk *w, const struct record *r, uint64_t index)
{
	struct logread *l = w->l;
	char was[TIME_TEXT_MAX], is[TIME_TEXT_MAX];
	int e;

	/* One jump is named once: all behind it are off by as much. */
	if (r->seq - index != w->offset) {
		w->offset = r->seq - index;
		if ((e = damage(w, "order", "entry %" PRIu64 " says that it "
		    "is seq %" PRIu64, index, r->seq)) != 0)
			return e;
	}
	if (w->any && r->time_ms < l->last_ms) {
		time_text(l->last_ms, was);
		time_text(r->time_ms, is);
		if ((e = damage(w, "order", "entry %" PRIu64 " is of %s, and "
		    "the one before it of %s", index, is, was)) != 0)
			return e;
	}
	if (w->any && strcmp(r->gateway, l->gateway) != 0)
		return damage(w, "record", "entry %" PRIu64 " is of gateway "
		    "%s, and the log is of %s", index, r->gateway,
		    l->gateway);
	return 0;
}

static int
note_record(struct walk *w, const struct record *r)
{
	struct logread *l = w->l;

	if (!w->any) {
		l->first_ms = r->time_ms;
		if (strlen(r->gateway) >= sizeof(l->gateway))
			return damage(w, "record", "the gateway's name is "
			    "longer than %zu bytes", sizeof(l->gateway) - 1);
		memcpy(l->gateway, r->gateway, strlen(r->gateway) + 1);
	}
	l->last_ms = r->time_ms;
	w->any = true;
	return 0;
}

static int
take_entry(struct walk *w, struct bytes entry, uint64_t index)
{
	struct logread *l = w->l;
	struct record r;
	struct why why;
	int e;

	arena_reset(w->arena);
	e = record_decode(entry, w->arena, &r, &why);
	if (e == ERR_MEMORY)
		return e;
	if (e != 0)
		return damage(w, "record", "entry %" PRIu64 " is no record: "
		    "%s", index, why.text);
	if ((index == 0 && (e = check_genesis(w, &r)) != 0) ||
	    (e = check_rotation(w, &r, index)) != 0 ||
	    (e = check_order(w, &r, index)) != 0 ||
	    (e = note_record(w, &r)) != 0)
		return e;
	l->entries++;
	return l->record != NULL ? l->record(l->arg, &r, entry) : 0;
}

/* -- bundles and tiles -------------------------------------------------- */

/* Says which run of bundles was missing, once it is over. */
static int
end_missing(struct walk *w, bool tail)
{
	uint64_t from = w->missing_from * TILE_WIDTH;
	uint64_t n = w->missing_n, to;

	if (n == 0)
		return 0;
	w->missing_n = 0;
	to = (w->missing_from + n) * TILE_WIDTH;
	if (tail || to > w->l->head.size)
		to = w->l->head.size;
	return damage(w, "missing", "entries %" PRIu64 " to %" PRIu64
	    " are missing%s", from, to - 1, tail ?
	    " (the tail was cut)" : "");
}

/* What is left behind a bundle's entries: nothing, or the full bundle's. */
static int
check_rest(struct walk *w, struct reader *r)
{
	unsigned n = w->b.width;
	char name[TILE_PATH_MAX];
	struct bytes entry;

	while (n <= TILE_WIDTH && tile_entry(r, &entry) == 0)
		n++;
	if (reader_left(r) == 0 && (n == w->b.width || n == TILE_WIDTH))
		return 0;
	if (tile_path(TILE_ENTRIES, w->b.index, w->b.width, name) != 0)
		return ERR_FORMAT;
	return damage(w, "entry", "bundle %s has more than its %u entries",
	    name, w->b.width);
}

static int
hash_entries(struct walk *w)
{
	struct bundle *b = &w->b;
	struct reader r;
	struct bytes entry;
	int e = 0;

	b->n = 0;
	reader_init(&r, w->bytes.data, w->bytes.len);
	while (b->n < b->width && (e = tile_entry(&r, &entry)) == 0) {
		if ((e = merkle_leaf(entry.data, entry.len,
		    &b->entry[b->n])) != 0)
			return e;
		b->n++;
	}
	return b->n == b->width ? check_rest(w, &r) : 0;
}

static int
read_bundle(struct walk *w, bool *ret_missing)
{
	struct bundle *b = &w->b;
	int r;

	*ret_missing = false;
	b->n = 0;
	buf_reset(&w->bytes);
	r = tree_read_tile(w->l->dir, TILE_ENTRIES, b->index, b->width,
	    &w->bytes);
	if (r == ERR_MEMORY)
		return r;
	if (r == 0)
		return hash_entries(w);
	*ret_missing = true;
	if (w->missing_n++ == 0)
		w->missing_from = b->index;
	return 0;
}

static int
read_tile(struct walk *w)
{
	struct bundle *b = &w->b;
	char name[TILE_PATH_MAX];
	struct buf t;
	int r;

	buf_init(&t, 0);
	b->has_tile = false;
	r = tree_read_tile(w->l->dir, 0, b->index, b->width, &t);
	if (r == ERR_MEMORY || tile_path(0, b->index, b->width, name) != 0) {
		r = ERR_MEMORY;
	} else if (r != 0) {
		r = w->missing_n > 0 ? 0 : damage(w, "tile", "tile %s "
		    "cannot be read: %s", name, err_text(r));
	} else if (t.len < (size_t)b->width * HASH_LEN) {
		r = damage(w, "tile", "tile %s has only %zu of %u hashes",
		    name, t.len / HASH_LEN, b->width);
	} else {
		memcpy(b->tile, t.data, (size_t)b->width * HASH_LEN);
		b->has_tile = true;
	}
	buf_done(&t);
	return r;
}

static bool
same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->h, b->h, HASH_LEN) == 0;
}

/* Entries from `at` on are, one place on, those of the tile: one was taken
 * out there. */
static bool
is_removal(const struct bundle *b, unsigned at)
{
	unsigned i;

	if (b->n + 1 != b->width)
		return false;
	for (i = at; i < b->n; i++)
		if (!same(&b->entry[i], &b->tile[i + 1]))
			return false;
	return true;
}

static int
say_entries(struct walk *w, unsigned at)
{
	const struct bundle *b = &w->b;
	char name[TILE_PATH_MAX];
	unsigned i, wrong = 0;

	if (tile_path(TILE_ENTRIES, b->index, b->width, name) != 0)
		return ERR_FORMAT;
	if (b->has_tile && is_removal(b, at))
		return damage(w, "entry", "entry %" PRIu64 " was removed from "
		    "bundle %s", b->first + at, name);
	if (at >= b->n)
		return damage(w, "missing", "entries %" PRIu64 " to %" PRIu64
		    " are missing: bundle %s ends early%s", b->first + b->n,
		    b->first + b->width - 1, name, b->first + b->width ==
		    w->l->head.size ? " (the tail was cut)" : "");
	for (i = at; i < b->n; i++)
		wrong += !same(&b->entry[i], &b->tile[i]);
	if (wrong > 1)
		return damage(w, "entry", "entry %" PRIu64 " and %u more "
		    "entries of bundle %s are not those that the log promised",
		    b->first + at, wrong - 1, name);
	return damage(w, "entry", "entry %" PRIu64 " in bundle %s is not the "
	    "one that the log promised: it was changed", b->first + at, name);
}

static int
say_tile(struct walk *w, unsigned at)
{
	char name[TILE_PATH_MAX];

	if (tile_path(0, w->b.index, w->b.width, name) != 0)
		return ERR_FORMAT;
	return damage(w, "tile", "tile %s was changed: its hash of entry %"
	    PRIu64 " is not that of the entry", name, w->b.first + at);
}

/* The root of the tree when the last bundle's hashes are these. */
static int
root_with(const struct walk *w, const struct merkle_hash *h,
    struct merkle_hash *ret)
{
	struct merkle_frontier f = w->edge;
	unsigned i;
	int r;

	for (i = 0; i < w->b.width; i++)
		if ((r = merkle_frontier_add(&f, &h[i])) != 0)
			return r;
	return merkle_frontier_root(&f, ret);
}

/* Whether hashes are what stands above them: level 1, or the signed root. */
static int
is_promised(const struct walk *w, const struct merkle_hash *h, bool *ret)
{
	struct merkle_hash up, above;
	int r;

	*ret = false;
	if (w->b.width == TILE_WIDTH) {
		r = tree_above(w->l->dir, 0, w->b.index, w->l->head.size,
		    &above);
		if (r == ERR_MEMORY)
			return r;
		if (r != 0)
			return 0;
		r = tree_tile_root(h, &up);
	} else {
		above = w->l->head.root;
		r = root_with(w, h, &up);
	}
	if (r == 0)
		*ret = same(&up, &above);
	return r;
}

/* Entries and tile differ, or entries are not all there: names which is at
 * fault and chooses what goes on up. NULL: neither is known. */
static int
judge(struct walk *w, unsigned at, const struct merkle_hash **ret)
{
	struct bundle *b = &w->b;
	bool entries = false, tile = false;
	int r;

	*ret = NULL;
	if (b->n == b->width && (r = is_promised(w, b->entry, &entries)) != 0)
		return r;
	if (b->has_tile && (r = is_promised(w, b->tile, &tile)) != 0)
		return r;
	if (b->has_tile)
		*ret = b->tile;
	if (entries || (!tile && b->n == b->width && !b->has_tile))
		*ret = b->entry;
	if (entries && b->has_tile)
		return say_tile(w, at);
	if (b->n == b->width && !b->has_tile)
		return 0;		/* the tile was named already */
	return say_entries(w, at);
}

static int
choose(struct walk *w, bool missing, const struct merkle_hash **ret)
{
	struct bundle *b = &w->b;
	unsigned at = 0;

	if (missing) {
		*ret = b->has_tile ? b->tile : NULL;
		return 0;
	}
	while (b->has_tile && at < b->n && same(&b->entry[at], &b->tile[at]))
		at++;
	if (at == b->width) {
		*ret = b->tile;
		return 0;
	}
	if (!b->has_tile)
		at = b->n;
	return judge(w, at, ret);
}

static int
climb(struct walk *w, const struct merkle_hash *h)
{
	struct merkle_hash up;
	unsigned i;
	int r;

	if (h == NULL)
		w->lost = true;
	if (w->lost)
		return 0;
	for (i = 0; i < w->b.width; i++) {
		if ((r = merkle_frontier_add(&w->edge, &h[i])) != 0 ||
		    (r = check_kept(w)) != 0)
			return r;
	}
	if (w->b.width < TILE_WIDTH)
		return 0;
	if ((r = tree_tile_root(h, &up)) != 0)
		return r;
	return tree_add(&w->tree, &up);
}

static int
take_entries(struct walk *w)
{
	struct reader r;
	struct bytes entry;
	unsigned i;
	int e;

	reader_init(&r, w->bytes.data, w->bytes.len);
	for (i = 0; i < w->b.n; i++) {
		if ((e = tile_entry(&r, &entry)) != 0 ||
		    (e = take_entry(w, entry, w->b.first + i)) != 0)
			return e;
	}
	return 0;
}

/* Whether anything of the log is left behind here. */
static int
is_tail(const struct walk *w, bool *ret)
{
	uint64_t last = tile_count(0, w->l->head.size) - 1;
	struct buf b;
	int r;

	buf_init(&b, 0);
	r = tree_read_tile(w->l->dir, TILE_ENTRIES, last,
	    tile_width(0, last, w->l->head.size), &b);
	*ret = r == ERR_MISSING;
	buf_done(&b);
	return r == ERR_MEMORY ? r : 0;
}

static int
take_bundle(struct walk *w, uint64_t index, bool *ret_stop)
{
	struct bundle *b = &w->b;
	const struct merkle_hash *h;
	bool missing, tail = false;
	int r;

	b->index = index;
	b->first = index * TILE_WIDTH;
	b->width = tile_width(0, index, w->l->head.size);
	if ((r = read_bundle(w, &missing)) != 0)
		return r;
	if (!missing && (r = end_missing(w, false)) != 0)
		return r;
	if (missing && w->missing_n == 1 && (r = is_tail(w, &tail)) != 0)
		return r;
	*ret_stop = w->missing_n >= MISSING_MAX || tail;
	if (*ret_stop) {
		w->lost = true;
		return end_missing(w, true);
	}
	if ((r = read_tile(w)) != 0 || (r = choose(w, missing, &h)) != 0 ||
	    (r = climb(w, h)) != 0)
		return r;
	return take_entries(w);
}

static int
check_root(struct walk *w)
{
	struct merkle_hash root;
	int r;

	if (w->lost)
		return 0;
	if ((r = tree_end(&w->tree)) != 0 ||
	    (r = merkle_frontier_root(&w->edge, &root)) != 0)
		return r;
	if (!same(&root, &w->l->head.root))
		return damage(w, "root", "the entries together are not those "
		    "that the checkpoint was signed for");
	return 0;
}

static int
walk_all(struct walk *w)
{
	uint64_t i, n;
	bool stop = false;
	int r;

	if ((r = logread_keys(w->l)) != 0 || (r = read_head(w)) != 0 ||
	    w->l->key == NULL)
		return r;
	if ((r = check_given(w)) != 0 || (r = check_rollback(w)) != 0 ||
	    (r = check_kept(w)) != 0)
		return r;
	if (w->l->head.size == 0)
		return damage(w, "missing", "the log has no entries");
	w->tree.size = w->l->head.size;
	n = tile_count(0, w->l->head.size);
	for (i = 0; i < n && !stop; i++)
		if ((r = take_bundle(w, i, &stop)) != 0)
			return r;
	if ((r = end_missing(w, true)) != 0)
		return r;
	return check_root(w);
}

int
logread(struct logread *l)
{
	struct walk *w = calloc(1, sizeof(*w));
	int r = ERR_MEMORY;

	if (w == NULL)
		return ERR_MEMORY;
	w->l = l;
	w->tree.dir = l->dir;
	w->tree.arg = l->arg;
	w->tree.damage = l->damage;
	buf_init(&w->bytes, 0);
	merkle_frontier_init(&w->edge);
	if ((w->arena = arena_new()) != NULL)
		r = walk_all(w);
	arena_free(w->arena);
	buf_done(&w->bytes);
	free(w);
	return r;
}
