/*
 * Opening: which tree was signed, which was published, and do the tiles on
 * disk give its root? Of the tree only the right edge is read: the partial
 * tile of each level, whose complete subtrees are the frontier.
 *
 *	signed   published   meaning
 *	none     none        a new log
 *	none     P           the state directory was lost: refuse
 *	S        P > S       the state is an older copy: refuse
 *	S        P == S      the usual case; the roots must be equal
 *	S        P < S       a crash between signing and publishing: the
 *	                     journal has P..S, and S is published first
 */
#include "store/tiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/disk.h"
#include "store/journal.h"
#include "store/tiles_state.h"

#define BUNDLE_MAX ((size_t)TILE_WIDTH * (TILE_ENTRY_MAX + 2))

/*
 * A checkpoint file, its signature checked. 0, or ERR_MISSING and *w unset:
 * there is none.
 */
static int
read_checkpoint(const struct tiles *t, int dir, const char *where,
    const char *name, struct buf *note, struct checkpoint *ret,
    struct why *w)
{
	const char *body;
	size_t len;
	int r;

	buf_reset(note);
	r = disk_read(dir, name, NOTE_MAX, note);
	if (r == ERR_MISSING)
		return r;
	if (r != 0)
		return why_set(w, r, 0, 0, "%s in %s cannot be read: %s",
		    name, where, r == ERR_IO ? strerror(errno) : err_text(r));
	r = note_check((const char *)note->data, note->len,
	    t->conf.signer->key, &body, &len, NULL);
	if (r == ERR_MISSING && t->conf.old_key != NULL)
		r = note_check((const char *)note->data, note->len,
		    t->conf.old_key, &body, &len, NULL);
	if (r == ERR_MISSING)
		return why_set(w, ERR_CONFLICT, 0, 0, "%s in %s is not signed "
		    "by this key of %s; name the log's own key (its newest, if "
		    "it was rotated), or another directory for a new log",
		    name, where, t->conf.signer->key->name);
	if (r == 0)
		r = checkpoint_read(body, len, ret);
	if (r != 0)
		return why_set(w, ERR_CONFLICT, 0, 0, "%s in %s is damaged "
		    "(%s); restore it from a copy of this disk", name, where,
		    err_text(r));
	if (strcmp(ret->origin, t->conf.signer->key->name) != 0)
		return why_set(w, ERR_CONFLICT, 0, 0, "%s in %s is of another "
		    "log, %s", name, where, ret->origin);
	return 0;
}

/* A tile that must be there and have its length, or any if len is 0. */
static int
read_tile(const struct tiles *t, int level, uint64_t index, unsigned width,
    size_t len, struct buf *out, struct why *w)
{
	char path[TILE_PATH_MAX];
	int r;

	buf_reset(out);
	if ((r = tile_path(level, index, width, path)) != 0)
		return why_set(w, r, 0, 0, "a tile's name is too long");
	r = disk_read(t->conf.log_dir, path, BUNDLE_MAX, out);
	if (r == 0 && len != 0 && out->len != len)
		r = ERR_FORMAT;
	if (r == 0)
		return 0;
	return why_set(w, ERR_CONFLICT, 0, 0, "%s in the log's directory is "
	    "%s; restore the log's directory from a copy", path,
	    r == ERR_MISSING ? "missing" : r == ERR_FORMAT ? "cut" :
	    r == ERR_IO ? strerror(errno) : err_text(r));
}

/* The partial bundle: its entries must be those of the level 0 tile. */
static int
load_bundle(struct tiles *t, uint64_t size, struct why *w)
{
	unsigned width = edge_width(0, size), i;
	struct merkle_hash leaf;
	struct reader in;
	struct bytes e;
	int r;

	if (width == 0)
		return 0;
	if ((r = read_tile(t, TILE_ENTRIES, edge_index(0, size), width, 0,
	    &t->bundle, w)) != 0)
		return r;
	reader_init(&in, t->bundle.data, t->bundle.len);
	for (i = 0; i < width; i++) {
		if (tile_entry(&in, &e) != 0)
			break;
		if ((r = merkle_leaf(e.data, e.len, &leaf)) != 0)
			return why_set(w, r, 0, 0, "%s", err_text(r));
		if (memcmp(&leaf, &t->edge[0][i], sizeof(leaf)) != 0)
			break;
	}
	if (i < width || reader_left(&in) != 0)
		return why_set(w, ERR_CONFLICT, 0, 0, "entry %llu in the last "
		    "bundle of tile/entries is not the one in the tree; "
		    "restore the log's directory from a copy",
		    (unsigned long long)(size - width + i));
	return 0;
}

/* The right edge of the tree of `size`, and the frontier that it gives. */
static int
load_edge(struct tiles *t, uint64_t size, struct why *w)
{
	unsigned level, bit, width, k;
	struct buf tile;
	uint64_t at;
	int r = 0;

	buf_init(&tile, 0);
	for (level = 0; level < TILE_LEVELS; level++) {
		if ((width = edge_width(level, size)) == 0)
			continue;
		if ((r = read_tile(t, (int)level, edge_index(level, size),
		    width, width * HASH_LEN, &tile, w)) != 0)
			goto out;
		memcpy(t->edge[level], tile.data, width * HASH_LEN);
		for (k = 0; k < TILE_LEVEL_BITS; k++) {
			bit = level * TILE_LEVEL_BITS + k;
			if ((size >> bit & 1) == 0)
				continue;
			/* The subtree before the last, within the tile. */
			at = ((size >> bit) - 1) % (TILE_WIDTH >> k);
			if ((r = tile_subtree(bytes_of(tile.data, tile.len), k,
			    at, &t->done.edge[bit])) != 0) {
				(void)why_set(w, r, 0, 0, "%s", err_text(r));
				goto out;
			}
		}
	}
	t->done.size = size;
out:
	buf_done(&tile);
	return r;
}

static int
load_published(struct tiles *t, const struct checkpoint *published,
    struct why *w)
{
	struct merkle_hash root;
	int r;

	if ((r = load_edge(t, published->size, w)) != 0)
		return r;
	if ((r = merkle_frontier_root(&t->done, &root)) != 0)
		return why_set(w, r, 0, 0, "%s", err_text(r));
	if (memcmp(&root, &published->root, sizeof(root)) != 0)
		return why_set(w, ERR_CONFLICT, 0, 0, "the tiles in the log's "
		    "directory do not give the root of its checkpoint (%llu "
		    "entries); restore the log's directory from a copy",
		    (unsigned long long)published->size);
	return load_bundle(t, published->size, w);
}

/* The table at the top of this file. */
static int
check_states(const struct tiles *t, bool has_published,
    const struct checkpoint *p, struct why *w)
{
	const struct checkpoint *s = &t->signed_tree;

	if (!t->has_signed && has_published)
		return why_set(w, ERR_CONFLICT, 0, 0, "the log has %llu "
		    "published entries, but the state directory has no file "
		    TILES_SIGNED "; name the right state directory or restore "
		    "it (docs/log.md says what to do if it is lost)",
		    (unsigned long long)p->size);
	if (has_published && p->size > s->size)
		return why_set(w, ERR_CONFLICT, 0, 0, "the state directory "
		    "knows of %llu signed entries, but the log has %llu "
		    "published ones: it is an older copy; restore the newest",
		    (unsigned long long)s->size, (unsigned long long)p->size);
	if (has_published && p->size == s->size &&
	    memcmp(&p->root, &s->root, sizeof(p->root)) != 0)
		return why_set(w, ERR_CONFLICT, 0, 0, "two different trees of "
		    "%llu entries are signed, one in the state directory and "
		    "one in the log: the log has forked; keep both as "
		    "evidence and start no process on either",
		    (unsigned long long)p->size);
	if (!has_published &&
	    faccessat(t->conf.log_dir, "tile", F_OK, 0) == 0 &&
	    !t->has_signed)
		return why_set(w, ERR_CONFLICT, 0, 0, "the log's directory "
		    "has tiles but no checkpoint; name an empty directory for "
		    "a new log, or restore this one");
	return 0;
}

/* Leftovers of a round that was cut short, and a look whether we may write. */
static int
make_staging(struct tiles *t, struct why *w)
{
	const struct disk *d = t->conf.disk;
	struct dirent *e;
	DIR *dir = NULL;
	int fd = -1, other;

	if (d->mkdir(d->arg, t->conf.log_dir, TILES_STAGING, 0755) != 0 &&
	    errno != EEXIST)
		goto fail;
	fd = openat(t->conf.log_dir, TILES_STAGING,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || faccessat(fd, ".", W_OK, AT_EACCESS) != 0 ||
	    (other = dup(fd)) < 0)
		goto fail;
	if ((dir = fdopendir(other)) == NULL) {
		(void)close(other);	/* only opened */
		goto fail;
	}
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')	/* what stays does no harm */
			(void)d->unlink(d->arg, fd, e->d_name, 0);
	(void)closedir(dir);		/* only read */
	(void)close(fd);
	return 0;
fail:
	(void)why_set(w, ERR_IO, 0, 0, "the log's directory cannot be "
	    "written: %s", strerror(errno));
	if (fd >= 0)
		(void)close(fd);	/* only read */
	return ERR_IO;
}

/* A list to clean up by; without it old partial tiles stay, no more. */
static void
load_kept(struct tiles *t)
{
	const char *p, *nl, *end;
	uint64_t size;
	struct buf b;

	buf_init(&b, 0);
	if (disk_read(t->conf.state_dir, TILES_PARTIALS, 65536, &b) == 0) {
		p = (const char *)b.data;
		end = p + b.len;
		while (p < end && t->n_kept < TILES_KEEP + 1 &&
		    (nl = memchr(p, '\n', (size_t)(end - p))) != NULL) {
			if (text_u64(p, (size_t)(nl - p), &size) == 0 &&
			    size < t->done.size && (t->n_kept == 0 ||
			    size > t->kept[t->n_kept - 1]))
				t->kept[t->n_kept++] = size;
			p = nl + 1;
		}
	}
	if (t->done.size > 0)
		t->kept[t->n_kept++] = t->done.size;
	buf_done(&b);
}

int
tiles_open(const struct tiles_conf *conf, struct tiles **ret, struct why *w)
{
	struct checkpoint published;
	struct tiles *t;
	struct buf note;
	bool has_published;
	int r;

	buf_init(&note, 0);
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	t->conf = *conf;
	buf_init(&t->note, 0);
	buf_init(&t->bundle, 0);
	r = read_checkpoint(t, conf->state_dir, "the state directory",
	    TILES_SIGNED, &t->note, &t->signed_tree, w);
	if (r != 0 && r != ERR_MISSING)
		goto out;
	t->has_signed = r == 0;
	r = read_checkpoint(t, conf->log_dir, "the log's directory",
	    TILES_CHECKPOINT, &note, &published, w);
	if (r != 0 && r != ERR_MISSING)
		goto out;
	has_published = r == 0;
	if ((r = check_states(t, has_published, &published, w)) != 0 ||
	    (has_published && (r = load_published(t, &published, w)) != 0) ||
	    (r = make_staging(t, w)) != 0)
		goto out;
	t->added = t->done;
	t->signed_met = t->has_signed &&
	    t->signed_tree.size == t->done.size;
	load_kept(t);
	*ret = t;
	t = NULL;		/* now the caller's */
out:
	buf_done(&note);
	tiles_free(t);
	return r;
}

void
tiles_sign_by(struct tiles *t, const struct note_signer *signer)
{
	t->conf.signer = signer;
}

void
tiles_free(struct tiles *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n_pending; i++)
		free((void *)(uintptr_t)t->pending[i].data.data);
	free(t->pending);
	buf_done(&t->note);
	buf_done(&t->bundle);
	free(t);
}

uint64_t
tiles_published(const struct tiles *t)
{
	return t->done.size;
}

uint64_t
tiles_signed(const struct tiles *t)
{
	return t->has_signed ? t->signed_tree.size : 0;
}

uint64_t
tiles_next(const struct tiles *t)
{
	return t->added.size;
}

int
tiles_add(struct tiles *t, const struct journal_entry *e)
{
	struct tiles_pending *p;
	struct merkle_hash root;
	uint8_t *data;
	size_t cap;
	int r;

	if (t->n_pending == t->cap_pending) {
		cap = t->cap_pending * 2 + 64;
		p = reallocarray(t->pending, cap, sizeof(*p));
		if (p == NULL)
			return ERR_MEMORY;
		t->pending = p;
		t->cap_pending = cap;
	}
	if ((data = malloc(e->data.len + 1)) == NULL)
		return ERR_MEMORY;
	if ((r = merkle_frontier_add(&t->added, &e->leaf)) != 0) {
		free(data);
		return r;
	}
	if (e->data.len > 0)
		memcpy(data, e->data.data, e->data.len);
	t->pending[t->n_pending].data = bytes_of(data, e->data.len);
	t->pending[t->n_pending++].leaf = e->leaf;
	if (t->has_signed && t->added.size == t->signed_tree.size) {
		if ((r = merkle_frontier_root(&t->added, &root)) != 0)
			return r;
		t->signed_met = memcmp(&root, &t->signed_tree.root,
		    sizeof(root)) == 0;
	}
	return 0;
}

int
tiles_check_signed(const struct tiles *t, struct why *w)
{
	if (!t->has_signed || t->signed_met)
		return 0;
	if (t->added.size < t->signed_tree.size)
		return why_set(w, ERR_CONFLICT, 0, 0, "%llu entries are "
		    "signed, but tiles and journal hold %llu only; restore "
		    "the newest copy of both directories",
		    (unsigned long long)t->signed_tree.size,
		    (unsigned long long)t->added.size);
	return why_set(w, ERR_CONFLICT, 0, 0, "the entries in tiles and "
	    "journal are not those of the signed tree of %llu; they were "
	    "changed or are of another log: restore both directories",
	    (unsigned long long)t->signed_tree.size);
}

/* Appends the last entry of a bundle of `width`. */
static int
last_of(const struct buf *bundle, unsigned width, struct buf *out)
{
	struct reader in;
	struct bytes e = {NULL, 0};
	unsigned i;

	reader_init(&in, bundle->data, bundle->len);
	for (i = 0; i < width; i++)
		if (tile_entry(&in, &e) != 0)
			return ERR_FORMAT;
	if (reader_left(&in) != 0)
		return ERR_FORMAT;
	buf_bytes(out, e.data, e.len);
	return out->failed ? ERR_MEMORY : 0;
}

int
tiles_last(const struct tiles *t, struct buf *out)
{
	uint64_t size = t->done.size;
	struct bytes last;
	struct buf bundle;
	int r;

	if (t->n_pending > 0) {
		last = t->pending[t->n_pending - 1].data;
		buf_bytes(out, last.data, last.len);
		return out->failed ? ERR_MEMORY : 0;
	}
	if (size == 0)
		return ERR_MISSING;
	if (edge_width(0, size) > 0)
		return last_of(&t->bundle, edge_width(0, size), out);
	buf_init(&bundle, 0);
	r = read_tile(t, TILE_ENTRIES, edge_index(0, size) - 1, TILE_WIDTH, 0,
	    &bundle, NULL);
	if (r == 0)
		r = last_of(&bundle, TILE_WIDTH, out);
	buf_done(&bundle);
	return r;
}
