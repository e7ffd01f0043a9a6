/*
 * From the root down, so that each file can be checked before it is kept:
 *
 *	checkpoint ── signature
 *	right edge ── the partial tiles, which together give the root
 *	level 2, 1 ── each full tile's hash is in the tile above it
 *	bundles    ── their leaf hashes make the tile of level 0, likewise
 *
 * Before that: is the new tree the one that was copied, grown? The source's
 * tiles give a hash for the old size, and a proof shows whether that hash
 * belongs to the new signed root. If it does and is not what was signed
 * before, the log has signed two histories, whatever its files say.
 */
#include "witness/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "log/tile.h"
#include "log/rotation.h"
#include "record/record.h"
#include "store/disk.h"
#include "store/object.h"
#include "witness/fetch.h"
#include "witness/source.h"

#define CHECKPOINT "checkpoint"
#define NEXT ".next"
#define WANTED ".wanted"
#define LOCK ".lock"
#define LEVELS 8
#define LEVEL_BITS 8
#define WANTED_MAX 100000		/* objects; over it they are counted */

/* A signed checkpoint that was seen. */
struct seen {
	bool any;
	struct buf note;
	struct checkpoint c;
};

struct mirror {
	const struct note_key *key;
	struct why *w;
	struct fetch *from;
	struct fetch *own;		/* the copy itself */
	int dir;
	struct rotations chain;		/* of the log's keys; maybe empty */
	struct source source;		/* the tree of head */
	struct seen head, kept, next;
	/* The right edge of head: its partial tiles, and the last bundle. */
	struct merkle_hash edge[LEVELS][TILE_WIDTH];
	struct buf bundle;
	struct buf data;
	/* The last tile that read_hash took from the copy. */
	struct buf parent;
	unsigned parent_level;
	uint64_t parent_index;
	struct buf wanted;		/* a line each */
	uint64_t n_wanted;
	struct arena *arena;
};

/* Durable all at once by syncfs, before the checkpoint: what a crash leaves
 * half written is found by its hash. */
static int
sync_later(void *arg, int fd)
{
	(void)arg;
	(void)fd;
	return 0;
}

static int
disk_failed(struct mirror *m, int r, const char *path)
{
	return why_set(m->w, r, 0, 0, "%s cannot be written: %s", path,
	    r == ERR_IO || r == ERR_STATE ? strerror(errno) : err_text(r));
}

static int
store_file(struct mirror *m, const char *path, const void *data, size_t len)
{
	struct disk d = disk_real;
	int r;

	d.sync = sync_later;
	if ((r = disk_parents(&d, m->dir, path)) != 0 ||
	    (r = disk_replace(&d, m->dir, path, data, len)) != 0)
		return disk_failed(m, r, path);
	return 0;
}

/* -- what was seen before ------------------------------------------------ */

static int
load_seen(struct mirror *m, const char *name, struct seen *s)
{
	int r = source_checkpoint(m->own, name, m->key, &m->chain, &s->note,
	    &s->c, m->w);
	char text[WHY_TEXT_MAX];

	s->any = r == 0;
	if (r == 0 || r == ERR_MISSING)
		return 0;
	(void)snprintf(text, sizeof(text), "%s", m->w != NULL ?
	    m->w->text : "");	/* cut is fine */
	return why_set(m->w, r, 0, 0, "in the copy, %s", text);
}

static int
keep_one(struct mirror *m, const struct seen *s)
{
	char path[128];
	struct buf hex;
	int n, r;

	buf_init(&hex, 0);
	text_hex(&hex, s->c.root.h, 8);
	n = snprintf(path, sizeof(path), "fork/%" PRIu64 "-%s", s->c.size,
	    buf_text(&hex) != NULL ? (const char *)hex.data : "");
	buf_done(&hex);
	if (n < 0 || (size_t)n >= sizeof(path))
		return ERR_LIMIT;
	if ((r = disk_parents(&disk_real, m->dir, path)) != 0 ||
	    (r = disk_replace(&disk_real, m->dir, path, s->note.data,
	    s->note.len)) != 0)
		return disk_failed(m, r, path);
	return 0;
}

static int
keep_fork(struct mirror *m, const struct seen *before)
{
	int r;

	if ((r = keep_one(m, before)) != 0 ||
	    (r = keep_one(m, &m->head)) != 0)
		return r;
	return why_set(m->w, ERR_CONFLICT, 0, 0, "the log of %s has FORKED: "
	    "its tree of %" PRIu64 " entries is no continuation of that of %"
	    PRIu64 " which it signed before; both checkpoints are kept in "
	    "fork/ as evidence, and the copy stays as it was", m->key->name,
	    m->head.c.size, before->c.size);
}

static bool
same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->h, b->h, HASH_LEN) == 0;
}

/* The source has grown: is its tree, at the old size, the one we know? */
static int
check_grown(struct mirror *m, const struct seen *before)
{
	struct merkle_hash proof[MERKLE_PROOF_MAX], was;
	uint64_t old = before->c.size, size = m->head.c.size;
	size_t n;
	int r;

	if ((r = merkle_root(old, source_subtree, &m->source, &was)) != 0 ||
	    (r = merkle_consistency(old, size, source_subtree, &m->source,
	    proof, &n)) != 0)
		return r;
	if (merkle_check_consistency(old, size, &was, &m->head.c.root, proof,
	    n) != 0)
		return why_set(m->w, ERR_CRYPTO, 0, 0, "the tiles at the "
		    "source do not give the root that its checkpoint is "
		    "signed for");
	return same(&was, &before->c.root) ? 0 : keep_fork(m, before);
}

/* The source shows less than we have; ours tells whether it is a part. */
static int
check_shrunk(struct mirror *m, const struct seen *before)
{
	struct merkle_hash was;
	struct source own;
	int r;

	if (before == &m->kept) {
		source_init(&own, m->own, before->c.size, m->w);
		r = merkle_root(m->head.c.size, source_subtree, &own, &was);
		source_done(&own);
		if (r != 0)
			return r;
		if (!same(&was, &m->head.c.root))
			return keep_fork(m, before);
	}
	return why_set(m->w, ERR_STATE, 0, 0, "the source shows %" PRIu64
	    " entries, but %" PRIu64 " were signed and seen before: it is an "
	    "old copy, or entries were taken out; nothing was changed here",
	    m->head.c.size, before->c.size);
}

static int
check_seen(struct mirror *m, const struct seen *before)
{
	if (!before->any)
		return 0;
	if (before->c.size > m->head.c.size)
		return check_shrunk(m, before);
	if (before->c.size < m->head.c.size)
		return check_grown(m, before);
	return same(&before->c.root, &m->head.c.root) ? 0 :
	    keep_fork(m, before);
}

/* -- objects ------------------------------------------------------------- */

static bool
has_object(struct mirror *m, const char *path)
{
	return faccessat(m->dir, path, F_OK, 0) == 0;
}

static int
want(struct mirror *m, const char *sha256)
{
	m->n_wanted++;
	if (m->n_wanted > WANTED_MAX)
		return 0;
	buf_fmt(&m->wanted, "%s\n", sha256);
	return m->wanted.failed ? ERR_MEMORY : 0;
}

static int
take_piece(void *arg, const void *data, size_t len)
{
	struct object_writer *out = arg;

	return object_write(out, data, len);
}

/* Piece by piece to the disk: nothing of it is in memory. */
static int
fetch_object(struct mirror *m, const char *path,
    const uint8_t hash[static HASH_LEN], size_t max)
{
	struct object_writer *out = NULL;
	char hex[65];
	int r;

	if ((r = object_open(&disk_real, m->dir, hash, &out)) != 0)
		return disk_failed(m, r, path);
	if (m->w != NULL)
		m->w->text[0] = 0;
	r = fetch_each(m->from, path, max, take_piece, out, m->w);
	if (r != 0) {
		object_abort(out);
		return r == ERR_IO && m->w != NULL && m->w->text[0] == 0 ?
		    disk_failed(m, r, path) : r;
	}
	r = object_close(out, hex);
	return r == 0 || r == ERR_CRYPTO ? r : disk_failed(m, r, path);
}

static int
read_name(const char *sha256, uint8_t ret[static HASH_LEN])
{
	struct buf b;
	int r = ERR_FORMAT;

	buf_init(&b, 0);
	if (strlen(sha256) == 64 &&
	    strspn(sha256, "0123456789abcdef") == 64 &&
	    (r = text_unhex(sha256, 64, &b)) == 0) {
		if (b.failed || b.len != HASH_LEN)
			r = ERR_MEMORY;
		else
			memcpy(ret, b.data, HASH_LEN);
	}
	buf_done(&b);
	return r;
}

/* At most max bytes are taken from the source. Content that is not what its
 * name says counts as missing. */
static int
copy_object(struct mirror *m, const char *sha256, uint64_t max)
{
	uint8_t hash[HASH_LEN];
	char path[80];
	int r;

	if ((r = read_name(sha256, hash)) != 0)
		return r == ERR_MEMORY ? r : 0;	/* no name of an object */
	(void)snprintf(path, sizeof(path), "objects/%s", sha256); /* fits */
	if (has_object(m, path))
		return 0;
	r = fetch_object(m, path, hash, max < OBJECT_MAX ? (size_t)max :
	    OBJECT_MAX);
	if (r == ERR_MISSING || r == ERR_LIMIT || r == ERR_CRYPTO)
		r = want(m, sha256);
	return r;
}

/* Those that an earlier run did not find. */
static int
retry_wanted(struct mirror *m)
{
	struct buf old;
	char name[65];
	size_t at;
	int r;

	buf_init(&old, 0);
	r = disk_read(m->dir, WANTED, (size_t)WANTED_MAX * 65, &old);
	if (r == ERR_MISSING)
		r = 0;
	for (at = 0; r == 0 && at + 65 <= old.len; at += 65) {
		memcpy(name, old.data + at, 64);
		name[64] = 0;
		r = copy_object(m, name, OBJECT_MAX);
	}
	buf_done(&old);
	return r;
}

static int
save_wanted(struct mirror *m)
{
	if (m->wanted.len == 0) {
		(void)unlinkat(m->dir, WANTED, 0);	/* or it was not */
		return 0;
	}
	return store_file(m, WANTED, m->wanted.data, m->wanted.len);
}

/* -- tiles and bundles ---------------------------------------------------- */

/* The leaf hashes of a bundle's first `width` entries. */
static int
hash_bundle(const struct buf *b, unsigned width,
    struct merkle_hash ret[static TILE_WIDTH], size_t *ret_len)
{
	struct reader in;
	struct bytes e;
	unsigned i;
	int r;

	reader_init(&in, b->data, b->len);
	for (i = 0; i < width; i++)
		if (tile_entry(&in, &e) != 0 ||
		    (r = merkle_leaf(e.data, e.len, &ret[i])) != 0)
			return ERR_FORMAT;
	*ret_len = in.pos;
	return 0;
}

static unsigned
edge_width(const struct mirror *m, unsigned level)
{
	return (unsigned)(m->head.c.size >> (LEVEL_BITS * level)) %
	    TILE_WIDTH;
}

static uint64_t
full_tiles(uint64_t size, unsigned level)
{
	return size >> (LEVEL_BITS * level) >> LEVEL_BITS;
}

/* A merkle_read_fn that knows the right edge only. */
static int
edge_subtree(void *arg, unsigned level, uint64_t index,
    struct merkle_hash *ret)
{
	struct mirror *m = arg;
	unsigned at = level / LEVEL_BITS, within = level % LEVEL_BITS;

	return tile_subtree(bytes_of(m->edge[at],
	    (size_t)edge_width(m, at) * HASH_LEN), within,
	    index & ((1u << (LEVEL_BITS - within)) - 1), ret);
}

static int
fetch_edge(struct mirror *m)
{
	struct merkle_hash root;
	unsigned level, width;
	uint64_t index;
	size_t len;
	int r;

	for (level = 0; level < LEVELS; level++) {
		if ((width = edge_width(m, level)) == 0)
			continue;
		index = full_tiles(m->head.c.size, level);
		r = source_tile(&m->source, level == 0 ? TILE_ENTRIES :
		    (int)level, index, level == 0 ? &m->bundle : &m->data);
		if (r == 0 && level == 0)
			r = hash_bundle(&m->bundle, width, m->edge[0], &len);
		else if (r == 0)
			memcpy(m->edge[level], m->data.data,
			    (size_t)width * HASH_LEN);
		if (r == ERR_FORMAT)
			return why_set(m->w, r, 0, 0, "the last tile or "
			    "bundle at the source is cut");
		if (r != 0)
			return r;
		if (level == 0)
			m->bundle.len = len;	/* of a full one, our part */
	}
	if ((r = merkle_root(m->head.c.size, edge_subtree, m, &root)) != 0)
		return r;
	if (!same(&root, &m->head.c.root))
		return why_set(m->w, ERR_CRYPTO, 0, 0, "the newest tiles and "
		    "entries at the source do not give the root that its "
		    "checkpoint is signed for");
	return 0;
}

/* The hash at a level, out of the edge or a full tile of the copy. */
static int
read_hash(struct mirror *m, unsigned level, uint64_t index,
    struct merkle_hash *ret)
{
	uint64_t tile = index / TILE_WIDTH;
	char path[TILE_PATH_MAX];
	int r;

	if (tile == full_tiles(m->head.c.size, level)) {
		*ret = m->edge[level][index % TILE_WIDTH];
		return 0;
	}
	if (m->parent.len == 0 || m->parent_level != level ||
	    m->parent_index != tile) {
		buf_reset(&m->parent);
		if ((r = tile_path((int)level, tile, TILE_WIDTH, path)) != 0)
			return r;
		r = disk_read(m->dir, path, (size_t)TILE_WIDTH * HASH_LEN,
		    &m->parent);
		if (r == 0 && m->parent.len != (size_t)TILE_WIDTH * HASH_LEN)
			r = ERR_FORMAT;
		if (r != 0) {
			buf_reset(&m->parent);
			return why_set(m->w, r, 0, 0, "%s of the copy is "
			    "damaged: begin with an empty folder", path);
		}
		m->parent_level = level;
		m->parent_index = tile;
	}
	memcpy(ret->h, m->parent.data + (index % TILE_WIDTH) * HASH_LEN,
	    HASH_LEN);
	return 0;
}

static int
tile_fits(const void *hashes, const struct merkle_hash *want)
{
	struct merkle_hash h;
	int r;

	r = tile_subtree(bytes_of(hashes, (size_t)TILE_WIDTH * HASH_LEN),
	    LEVEL_BITS, 0, &h);
	return r != 0 ? r : same(&h, want) ? 0 : ERR_CRYPTO;
}

/* A full tile of level 1 and up; one that is here already is left alone. */
static int
copy_tile(struct mirror *m, unsigned level, uint64_t index)
{
	char path[TILE_PATH_MAX];
	struct merkle_hash up;
	int r;

	if ((r = read_hash(m, level + 1, index, &up)) != 0 ||
	    (r = tile_path((int)level, index, TILE_WIDTH, path)) != 0)
		return r;
	buf_reset(&m->data);
	if (disk_read(m->dir, path, (size_t)TILE_WIDTH * HASH_LEN,
	    &m->data) == 0 && m->data.len == (size_t)TILE_WIDTH * HASH_LEN &&
	    tile_fits(m->data.data, &up) == 0)
		return 0;
	if ((r = source_tile(&m->source, (int)level, index, &m->data)) != 0)
		return r;
	if (tile_fits(m->data.data, &up) != 0)
		return why_set(m->w, ERR_CRYPTO, 0, 0, "%s at the source does "
		    "not fit the tile above it", path);
	return store_file(m, path, m->data.data, m->data.len);
}

static int
copy_objects_of(struct mirror *m, const struct buf *bundle)
{
	struct record rec;
	struct reader in;
	struct bytes e;
	struct why w;
	int r = 0;

	reader_init(&in, bundle->data, bundle->len);
	while (r == 0 && tile_entry(&in, &e) == 0) {
		arena_reset(m->arena);
		/* Logs of others have entries that are no records of ours. */
		if (record_decode(e, m->arena, &rec, &w) == 0 &&
		    rec.type == RECORD_OBJECT)
			r = copy_object(m, rec.u.object.sha256,
			    rec.u.object.len);
	}
	return r;
}

static int
bundle_fits(const struct buf *b, const struct merkle_hash *up,
    struct merkle_hash ret[static TILE_WIDTH])
{
	size_t len;
	int r;

	if ((r = hash_bundle(b, TILE_WIDTH, ret, &len)) != 0)
		return r;
	return len != b->len ? ERR_FORMAT : tile_fits(ret, up);
}

/* A full bundle, and its tile of level 0. */
static int
copy_bundle(struct mirror *m, uint64_t index)
{
	char path[TILE_PATH_MAX], tile[TILE_PATH_MAX];
	struct merkle_hash up, h[TILE_WIDTH];
	int r;

	if ((r = read_hash(m, 1, index, &up)) != 0 ||
	    (r = tile_path(TILE_ENTRIES, index, TILE_WIDTH, path)) != 0 ||
	    (r = tile_path(0, index, TILE_WIDTH, tile)) != 0)
		return r;
	buf_reset(&m->data);
	if (disk_read(m->dir, path, SOURCE_BUNDLE_MAX, &m->data) != 0 ||
	    bundle_fits(&m->data, &up, h) != 0) {
		if ((r = source_tile(&m->source, TILE_ENTRIES, index,
		    &m->data)) != 0)
			return r;
		if (bundle_fits(&m->data, &up, h) != 0)
			return why_set(m->w, ERR_CRYPTO, 0, 0, "%s at the "
			    "source is not what the log has promised: an "
			    "entry was changed or is missing", path);
		if ((r = store_file(m, path, m->data.data, m->data.len)) != 0)
			return r;
	}
	if ((r = store_file(m, tile, h, sizeof(h))) != 0)
		return r;
	return copy_objects_of(m, &m->data);
}

static int
copy_full(struct mirror *m)
{
	uint64_t i, end, old = m->kept.any ? m->kept.c.size : 0;
	unsigned level;
	int r;

	for (level = LEVELS - 1; level-- > 1;) {
		end = full_tiles(m->head.c.size, level);
		for (i = full_tiles(old, level); i < end; i++)
			if ((r = copy_tile(m, level, i)) != 0)
				return r;
	}
	end = full_tiles(m->head.c.size, 0);
	for (i = full_tiles(old, 0); i < end; i++)
		if ((r = copy_bundle(m, i)) != 0)
			return r;
	return 0;
}

static int
store_edge(struct mirror *m)
{
	char path[TILE_PATH_MAX];
	unsigned level, width;
	int r;

	for (level = 0; level < LEVELS; level++) {
		if ((width = edge_width(m, level)) == 0)
			continue;
		if ((r = tile_path((int)level, full_tiles(m->head.c.size,
		    level), width, path)) != 0 ||
		    (r = store_file(m, path, m->edge[level],
		    (size_t)width * HASH_LEN)) != 0)
			return r;
	}
	if ((width = edge_width(m, 0)) == 0)
		return 0;
	if ((r = tile_path(TILE_ENTRIES, full_tiles(m->head.c.size, 0), width,
	    path)) != 0 ||
	    (r = store_file(m, path, m->bundle.data, m->bundle.len)) != 0)
		return r;
	return copy_objects_of(m, &m->bundle);
}

/* Partial tiles of a tree that is no longer the newest. */
static void
drop_edge(struct mirror *m, const struct seen *of)
{
	char path[TILE_PATH_MAX];
	unsigned width;
	int level;

	if (!of->any || of->c.size >= m->head.c.size)
		return;
	for (level = TILE_ENTRIES; level < LEVELS; level++) {
		unsigned at = level == TILE_ENTRIES ? 0 : (unsigned)level;

		width = (unsigned)(of->c.size >> (LEVEL_BITS * at)) %
		    TILE_WIDTH;
		if (width == 0 || (width == edge_width(m, at) &&
		    full_tiles(of->c.size, at) ==
		    full_tiles(m->head.c.size, at)) ||
		    tile_path(level, full_tiles(of->c.size, at), width,
		    path) != 0)
			continue;
		(void)unlinkat(m->dir, path, 0);	/* or it was not */
		*strrchr(path, '/') = 0;
		(void)unlinkat(m->dir, path, AT_REMOVEDIR); /* if empty */
	}
}

/* -- which keys ------------------------------------------------------------- */

static int
two_ways(struct mirror *m)
{
	return why_set(m->w, ERR_CONFLICT, 0, 0, "the log of %s has changed "
	    "its key in two ways: its file " ROTATIONS_FILE " does not "
	    "continue the one copied before; the copy stays as it was",
	    m->key->name);
}

/*
 * A change of key that was copied once stays. The source may add others,
 * behind all that is copied and signed by the key before; they are kept
 * before anything that only they explain.
 */
static int
learn_keys(struct mirror *m)
{
	struct rotations own;
	bool more = false;
	struct buf text;
	int r;

	buf_init(&text, 0);
	if ((r = source_rotations(m->own, m->key, &text, &own, m->w)) != 0 ||
	    (r = source_rotations(m->from, m->key, &text, &m->chain,
	    m->w)) != 0)
		goto out;
	if (rotations_begin(&own, &m->chain))
		m->chain = own;
	else if (!(more = rotations_begin(&m->chain, &own)))
		r = two_ways(m);
	if (r != 0)
		goto out;
	if ((r = load_seen(m, CHECKPOINT, &m->kept)) != 0 ||
	    (r = load_seen(m, NEXT, &m->next)) != 0) {
		if (more && r == ERR_CRYPTO)
			r = two_ways(m);
	} else if (more && (r = disk_replace(&disk_real, m->dir,
	    ROTATIONS_FILE, text.data, text.len)) != 0) {
		r = disk_failed(m, r, ROTATIONS_FILE);
	}
out:
	buf_done(&text);
	return r;
}

/* -- a run ----------------------------------------------------------------- */

static int
commit(struct mirror *m)
{
	int r;

	if ((r = save_wanted(m)) != 0)
		return r;
	if (syncfs(m->dir) != 0)
		return disk_failed(m, ERR_IO, "the copy");
	r = disk_replace(&disk_real, m->dir, CHECKPOINT, m->head.note.data,
	    m->head.note.len);
	if (r != 0)
		return disk_failed(m, r, CHECKPOINT);
	(void)unlinkat(m->dir, NEXT, 0);	/* or it was not */
	return 0;
}

static int
copy_all(struct mirror *m)
{
	int r;

	if ((r = disk_replace(&disk_real, m->dir, NEXT, m->head.note.data,
	    m->head.note.len)) != 0)
		return disk_failed(m, r, NEXT);
	if ((r = fetch_edge(m)) != 0 || (r = copy_full(m)) != 0 ||
	    (r = store_edge(m)) != 0 || (r = commit(m)) != 0)
		return r;
	drop_edge(m, &m->kept);
	drop_edge(m, &m->next);
	return 0;
}

static int
extend(struct mirror *m, struct mirror_result *ret)
{
	int r;

	if ((r = learn_keys(m)) != 0 ||
	    (r = source_checkpoint(m->from, CHECKPOINT, m->key, &m->chain,
	    &m->head.note, &m->head.c, m->w)) != 0)
		return r;
	m->source.size = m->head.c.size;
	ret->before = ret->after = m->kept.any ? m->kept.c.size : 0;
	if ((r = check_seen(m, &m->kept)) != 0 ||
	    (r = check_seen(m, &m->next)) != 0 ||
	    (r = retry_wanted(m)) != 0)
		return r;
	if (m->kept.any && m->kept.c.size == m->head.c.size)
		r = commit(m);		/* perhaps with a newer signature */
	else
		r = copy_all(m);
	if (r == 0)
		ret->after = m->head.c.size;
	ret->wanted = m->n_wanted;
	return r;
}

static int
open_copy(struct mirror *m, const char *to, int *ret_lock)
{
	if (mkdir(to, 0755) != 0 && errno != EEXIST)
		return why_set(m->w, ERR_IO, 0, 0, "%s: %s", to,
		    strerror(errno));
	m->dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir < 0)
		return why_set(m->w, ERR_IO, 0, 0, "%s: %s", to,
		    strerror(errno));
	*ret_lock = openat(m->dir, LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (*ret_lock < 0)
		return why_set(m->w, ERR_IO, 0, 0, "%s/%s: %s", to, LOCK,
		    strerror(errno));
	if (flock(*ret_lock, LOCK_EX | LOCK_NB) != 0)
		return why_set(m->w, ERR_EXISTS, 0, 0, "%s is being written "
		    "by another run", to);
	return fetch_open(to, &m->own, m->w);
}

int
mirror_run(const char *from, const char *to, const struct note_key *key,
    struct mirror_result *ret, struct why *w)
{
	struct mirror *m = calloc(1, sizeof(*m));
	int r, lock = -1;

	memset(ret, 0, sizeof(*ret));
	if (m == NULL || (m->arena = arena_new()) == NULL) {
		free(m);
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	}
	m->key = key;
	m->w = w;
	m->dir = -1;
	if ((r = fetch_open(from, &m->from, w)) == 0)
		r = open_copy(m, to, &lock);
	source_init(&m->source, m->from, 0, w);
	if (r == 0)
		r = extend(m, ret);
	source_done(&m->source);
	buf_done(&m->head.note);
	buf_done(&m->kept.note);
	buf_done(&m->next.note);
	buf_done(&m->bundle);
	buf_done(&m->data);
	buf_done(&m->parent);
	buf_done(&m->wanted);
	fetch_free(m->from);
	fetch_free(m->own);
	arena_free(m->arena);
	if (lock >= 0)
		(void)close(lock);	/* and so unlocked */
	if (m->dir >= 0)
		(void)close(m->dir);	/* only opened */
	free(m);
	return r;
}
