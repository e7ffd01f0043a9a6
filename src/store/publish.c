/*
 * One round of publishing, in the order that survives a crash at any point:
 *
 *	1. tiles and bundles into the staging directory, each synced
 *	2. the root, computed again from the bytes read back
 *	3. the checkpoint signed, and stored in the state directory, synced
 *	4. the staged files renamed to their places, directories synced
 *	5. the checkpoint in the log's directory, synced
 *	6. partial tiles of sizes long past removed
 *
 * Up to 3 a failure leaves everything as it was. From 3 on this tree is the
 * only one that may be published next, and a failed round is done again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/disk.h"
#include "store/tiles_state.h"

#define STAGE_NAME_MAX 48

struct staged {
	int level;
	uint64_t index;
	unsigned width;
};

struct round {
	struct tiles *t;
	struct why *why;
	struct merkle_frontier tree;	/* grows from t->done to the target */
	struct merkle_hash edge[TILE_LEVELS][TILE_WIDTH];
	struct buf bundle;
	struct staged *staged;
	size_t n_staged, cap_staged;
	char (*dirs)[TILE_PATH_MAX];	/* that are to be synced */
	size_t n_dirs, cap_dirs;
};

static void
stage_name(size_t i, char ret[static STAGE_NAME_MAX])
{
	(void)snprintf(ret, STAGE_NAME_MAX, TILES_STAGING "/%zu", i);
}

static int
say(struct round *o, int code, const char *what, const char *name)
{
	return why_set(o->why, code, 0, 0, "%s %s: %s", what, name,
	    code == ERR_IO || code == ERR_STATE ? strerror(errno) :
	    err_text(code));
}

static int
stage(struct round *o, int level, uint64_t index, unsigned width,
    const void *data, size_t len)
{
	const struct tiles_conf *c = &o->t->conf;
	char name[STAGE_NAME_MAX];
	struct staged *p;
	int r;

	if (o->n_staged == o->cap_staged) {
		p = reallocarray(o->staged, o->cap_staged * 2 + 16,
		    sizeof(*p));
		if (p == NULL)
			return say(o, ERR_MEMORY, "cannot stage", "a tile");
		o->staged = p;
		o->cap_staged = o->cap_staged * 2 + 16;
	}
	stage_name(o->n_staged, name);
	if ((r = disk_create(c->disk, c->log_dir, name, data, len)) != 0)
		return say(o, r, "cannot write", name);
	o->staged[o->n_staged++] = (struct staged){level, index, width};
	return 0;
}

/* The bundle is full: its tile, and each tile above that it completes. */
static int
stage_full(struct round *o)
{
	uint64_t size = o->tree.size;
	struct merkle_hash root;
	unsigned level;
	int r;

	if ((r = stage(o, TILE_ENTRIES, edge_index(0, size) - 1, TILE_WIDTH,
	    o->bundle.data, o->bundle.len)) != 0)
		return r;
	buf_reset(&o->bundle);
	for (level = 0; level < TILE_LEVELS; level++) {
		if (edge_width(level, size) != 0)
			return 0;
		if ((r = stage(o, (int)level, edge_index(level, size) - 1,
		    TILE_WIDTH, o->edge[level], sizeof(o->edge[level]))) != 0)
			return r;
		if (level + 1 == TILE_LEVELS)
			return 0;
		if ((r = tile_subtree(bytes_of(o->edge[level],
		    sizeof(o->edge[level])), TILE_LEVEL_BITS, 0, &root)) != 0)
			return say(o, r, "cannot hash", "a tile");
		o->edge[level + 1][(edge_width(level + 1, size) +
		    TILE_WIDTH - 1) % TILE_WIDTH] = root;
	}
	return 0;
}

static int
stage_partial(struct round *o)
{
	uint64_t size = o->tree.size, old = o->t->done.size;
	unsigned level, shift, width;
	int r;

	width = edge_width(0, size);
	if (width > 0 && (r = stage(o, TILE_ENTRIES, edge_index(0, size),
	    width, o->bundle.data, o->bundle.len)) != 0)
		return r;
	for (level = 0; level < TILE_LEVELS; level++) {
		shift = level * TILE_LEVEL_BITS;
		width = edge_width(level, size);
		if (width == 0 || size >> shift == old >> shift)
			continue;
		if ((r = stage(o, (int)level, edge_index(level, size), width,
		    o->edge[level], width * HASH_LEN)) != 0)
			return r;
	}
	return 0;
}

static int
build(struct round *o, size_t n)
{
	const struct tiles_pending *p;
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		p = &o->t->pending[i];
		if ((r = tile_entry_write(&o->bundle, p->data.data,
		    p->data.len)) != 0)
			return say(o, r, "cannot write", "an entry");
		o->edge[0][edge_width(0, o->tree.size)] = p->leaf;
		if ((r = merkle_frontier_add(&o->tree, &p->leaf)) != 0)
			return say(o, r, "cannot hash", "an entry");
		if (edge_width(0, o->tree.size) == 0 &&
		    (r = stage_full(o)) != 0)
			return r;
	}
	return stage_partial(o);
}

/* What the bytes read back give, independently of what was meant. */
struct seen {
	struct merkle_hash edge[TILE_LEVELS][TILE_WIDTH];
	struct merkle_frontier tree;
};

static int
see_bundle(struct seen *s, const struct staged *f, const struct buf *data)
{
	struct merkle_hash leaf;
	struct reader in;
	struct bytes e;
	unsigned i;
	int r;

	reader_init(&in, data->data, data->len);
	for (i = 0; i < f->width; i++) {
		if (tile_entry(&in, &e) != 0)
			return ERR_CRYPTO;
		if ((r = merkle_leaf(e.data, e.len, &leaf)) != 0)
			return r;
		s->edge[0][i] = leaf;
		if (f->index * TILE_WIDTH + i >= s->tree.size &&
		    (r = merkle_frontier_add(&s->tree, &leaf)) != 0)
			return r;
	}
	return reader_left(&in) == 0 ? 0 : ERR_CRYPTO;
}

static int
see_tile(struct seen *s, const struct staged *f, const struct buf *data)
{
	struct merkle_hash root;
	int r;

	if (data->len != f->width * HASH_LEN ||
	    memcmp(data->data, s->edge[f->level], data->len) != 0)
		return ERR_CRYPTO;
	if (f->width < TILE_WIDTH || f->level + 1 == TILE_LEVELS)
		return 0;
	r = tile_subtree(bytes_of(data->data, data->len), TILE_LEVEL_BITS, 0,
	    &root);
	if (r == 0)
		s->edge[f->level + 1][f->index % TILE_WIDTH] = root;
	return r;
}

static int
read_back(struct round *o, struct seen *s)
{
	char name[STAGE_NAME_MAX];
	struct buf data;
	size_t i;
	int r = 0;

	buf_init(&data, 0);
	for (i = 0; i < o->n_staged && r == 0; i++) {
		stage_name(i, name);
		buf_reset(&data);
		r = disk_read(o->t->conf.log_dir, name, (size_t)TILE_WIDTH *
		    (TILE_ENTRY_MAX + 2), &data);
		if (r == 0 && o->staged[i].level == TILE_ENTRIES)
			r = see_bundle(s, &o->staged[i], &data);
		else if (r == 0)
			r = see_tile(s, &o->staged[i], &data);
		if (r != 0)
			(void)say(o, r, "cannot read back", name);
	}
	buf_done(&data);
	return r;
}

static int
verify(struct round *o, struct merkle_hash *root)
{
	struct merkle_hash meant;
	struct seen *s;
	int r;

	if ((s = malloc(sizeof(*s))) == NULL)
		return say(o, ERR_MEMORY, "cannot verify", "tiles");
	memcpy(s->edge, o->t->edge, sizeof(s->edge));
	s->tree = o->t->done;
	if ((r = read_back(o, s)) != 0)
		goto out;
	if ((r = merkle_frontier_root(&s->tree, root)) != 0 ||
	    (r = merkle_frontier_root(&o->tree, &meant)) != 0) {
		(void)say(o, r, "cannot hash", "the tree");
		goto out;
	}
	if (s->tree.size != o->tree.size ||
	    memcmp(root, &meant, sizeof(meant)) != 0)
		r = why_set(o->why, ERR_CRYPTO, 0, 0, "the tiles read back "
		    "from %s do not give the root of what was written; check "
		    "this disk", TILES_STAGING);
out:
	free(s);
	return r;
}

/* Makes the round's tree the signed one, unless it is that already. */
static int
sign_tree(struct round *o, const struct merkle_hash *root)
{
	struct tiles *t = o->t;
	struct checkpoint c;
	struct buf body, note;
	int r;

	if (t->has_signed && t->signed_tree.size == o->tree.size) {
		if (memcmp(root, &t->signed_tree.root, sizeof(*root)) == 0)
			return 0;
		return why_set(o->why, ERR_CONFLICT, 0, 0, "another tree of "
		    "%llu entries is signed", (unsigned long long)
		    o->tree.size);
	}
	memset(&c, 0, sizeof(c));
	memcpy(c.origin, t->conf.signer->key->name, sizeof(c.origin));
	c.size = o->tree.size;
	c.root = *root;
	buf_init(&body, 0);
	buf_init(&note, 0);
	if ((r = checkpoint_write(&c, &body)) != 0 ||
	    (r = note_sign_by(t->conf.signer, (const char *)body.data,
	    body.len, &note)) != 0) {
		(void)say(o, r, "cannot sign", "the checkpoint");
		goto out;
	}
	if ((r = disk_replace(t->conf.disk, t->conf.state_dir, TILES_SIGNED,
	    note.data, note.len)) != 0) {
		(void)say(o, r, "cannot store", TILES_SIGNED);
		goto out;
	}
	t->has_signed = t->signed_met = true;
	t->signed_tree = c;
	buf_done(&t->note);
	t->note = note;
	buf_init(&note, 0);	/* now t's */
out:
	buf_done(&body);
	buf_done(&note);
	return r;
}

/* Remembers a directory, and those above it if `all`. */
static int
note_dir(struct round *o, const char *path, bool all)
{
	char dir[TILE_PATH_MAX];
	char (*p)[TILE_PATH_MAX];
	char *slash;
	size_t i;

	(void)snprintf(dir, sizeof(dir), "%s", path);	/* as long as path */
	while ((slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		for (i = 0; i < o->n_dirs; i++)
			if (strcmp(o->dirs[i], dir) == 0)
				return 0;
		if (o->n_dirs == o->cap_dirs) {
			p = reallocarray(o->dirs, o->cap_dirs * 2 + 16,
			    sizeof(*p));
			if (p == NULL)
				return ERR_MEMORY;
			o->dirs = p;
			o->cap_dirs = o->cap_dirs * 2 + 16;
		}
		memcpy(o->dirs[o->n_dirs++], dir, sizeof(dir));
		if (!all)
			break;
	}
	return 0;
}

static int
place(struct round *o, size_t i)
{
	const struct tiles_conf *c = &o->t->conf;
	char name[STAGE_NAME_MAX], path[TILE_PATH_MAX];
	const struct staged *f = &o->staged[i];
	bool fresh = false;
	int r;

	stage_name(i, name);
	if ((r = tile_path(f->level, f->index, f->width, path)) != 0)
		return say(o, r, "cannot name", name);
	if (c->disk->rename(c->disk->arg, c->log_dir, name, c->log_dir,
	    path) != 0) {
		fresh = true;	/* its directory is not there yet */
		if ((r = disk_parents(c->disk, c->log_dir, path)) != 0 ||
		    c->disk->rename(c->disk->arg, c->log_dir, name,
		    c->log_dir, path) != 0)
			return say(o, ERR_IO, "cannot place", path);
	}
	if ((r = note_dir(o, path, fresh || !o->t->synced)) != 0)
		return say(o, r, "cannot place", path);
	return 0;
}

static int
place_all(struct round *o)
{
	const struct tiles_conf *c = &o->t->conf;
	size_t i;
	int r;

	for (i = 0; i < o->n_staged; i++)
		if ((r = place(o, i)) != 0)
			return r;
	for (i = 0; i < o->n_dirs; i++)
		if ((r = disk_sync_dir(c->disk, c->log_dir, o->dirs[i])) != 0)
			return say(o, r, "cannot sync", o->dirs[i]);
	/* The new checkpoint's own sync of this directory comes too late
	 * for a tile/ that was just made. */
	if (!o->t->synced &&
	    (r = disk_sync_dir(c->disk, c->log_dir, ".")) != 0)
		return say(o, r, "cannot sync", "the log's directory");
	o->t->synced = true;
	return 0;
}

/* Not synced, and no error: what it serves is cleaning up. */
static void
save_kept(struct round *o)
{
	const struct tiles_conf *c = &o->t->conf;
	const struct disk *d = c->disk;
	struct buf b;
	size_t i;
	int fd;

	buf_init(&b, 0);
	for (i = 0; i < o->t->n_kept; i++)
		buf_fmt(&b, "%llu\n", (unsigned long long)o->t->kept[i]);
	buf_fmt(&b, "%llu\n", (unsigned long long)o->tree.size);
	fd = d->open(d->arg, c->state_dir, TILES_PARTIALS ".tmp",
	    O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0) {
		if (!b.failed && disk_write(d, fd, b.data, b.len) == 0)
			(void)d->rename(d->arg, c->state_dir,
			    TILES_PARTIALS ".tmp", c->state_dir,
			    TILES_PARTIALS);
		(void)close(fd);	/* see above */
	}
	buf_done(&b);
}

/* Removes the partial tiles of a size that no kept size also has. */
static void
collect(struct tiles *t, uint64_t size)
{
	const struct disk *d = t->conf.disk;
	char path[TILE_PATH_MAX];
	unsigned width, shift, l;
	int level;
	size_t i;

	for (level = TILE_ENTRIES; level < TILE_LEVELS; level++) {
		l = level < 0 ? 0 : (unsigned)level;
		shift = l * TILE_LEVEL_BITS;
		if ((width = edge_width(l, size)) == 0)
			continue;
		for (i = 0; i < t->n_kept; i++)
			if (t->kept[i] >> shift == size >> shift)
				break;
		if (i < t->n_kept ||
		    tile_path(level, edge_index(l, size), width, path) != 0)
			continue;
		(void)d->unlink(d->arg, t->conf.log_dir, path, 0);
		*strrchr(path, '/') = '\0';
		/* Fails while others are in it. */
		(void)d->unlink(d->arg, t->conf.log_dir, path, AT_REMOVEDIR);
	}
}

/* The round's tree is published: it is what the next round starts from. */
static void
adopt(struct round *o, size_t n)
{
	struct tiles *t = o->t;
	struct buf old = t->bundle;
	uint64_t oldest;
	size_t i;

	t->done = o->tree;
	memcpy(t->edge, o->edge, sizeof(t->edge));
	t->bundle = o->bundle;
	o->bundle = old;
	for (i = 0; i < n; i++)
		free((void *)(uintptr_t)t->pending[i].data.data);
	t->n_pending -= n;
	memmove(t->pending, t->pending + n,
	    t->n_pending * sizeof(*t->pending));
	t->kept[t->n_kept++] = t->done.size;
	while (t->n_kept > TILES_KEEP) {
		oldest = t->kept[0];
		memmove(t->kept, t->kept + 1,
		    --t->n_kept * sizeof(t->kept[0]));
		collect(t, oldest);
	}
}

static int
round_run(struct round *o, size_t n)
{
	const struct tiles_conf *c = &o->t->conf;
	struct merkle_hash root;
	int r;

	if ((r = build(o, n)) != 0 || (r = verify(o, &root)) != 0 ||
	    (r = sign_tree(o, &root)) != 0)
		return r;
	save_kept(o);
	if ((r = place_all(o)) != 0)
		return r;
	if ((r = disk_replace(c->disk, c->log_dir, TILES_CHECKPOINT,
	    o->t->note.data, o->t->note.len)) != 0)
		return say(o, r, "cannot store", TILES_CHECKPOINT);
	adopt(o, n);
	return 0;
}

int
tiles_publish(struct tiles *t, struct why *w)
{
	char name[STAGE_NAME_MAX];
	struct round *o;
	size_t i, n;
	int r;

	n = t->n_pending < TILES_ROUND_MAX ? t->n_pending : TILES_ROUND_MAX;
	if (t->has_signed && t->signed_tree.size > t->done.size) {
		if ((r = tiles_check_signed(t, w)) != 0)
			return r;
		n = (size_t)(t->signed_tree.size - t->done.size);
	}
	if (n == 0)
		return 0;
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	o->t = t;
	o->why = w;
	o->tree = t->done;
	memcpy(o->edge, t->edge, sizeof(o->edge));
	buf_init(&o->bundle, 0);
	buf_bytes(&o->bundle, t->bundle.data, t->bundle.len);
	r = round_run(o, n);
	for (i = 0; r != 0 && i < o->n_staged; i++) {
		stage_name(i, name);	/* gone if it was placed */
		(void)t->conf.disk->unlink(t->conf.disk->arg,
		    t->conf.log_dir, name, 0);
	}
	free(o->staged);
	free(o->dirs);
	buf_done(&o->bundle);
	free(o);
	return r;
}
