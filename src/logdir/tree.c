#include "logdir/tree.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "logdir/logfile.h"

#define PATH_LEN 4096
#define BUNDLE_MAX ((size_t)TILE_WIDTH * (TILE_ENTRY_MAX + 2))

static int
read_path(const char *dir, int level, uint64_t index, unsigned width,
    struct buf *out)
{
	char name[TILE_PATH_MAX], path[PATH_LEN];
	int n, r;

	if ((r = tile_path(level, index, width, name)) != 0)
		return r;
	n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return ERR_LIMIT;
	return logfile_read(path, level == TILE_ENTRIES ? BUNDLE_MAX :
	    (size_t)TILE_WIDTH * HASH_LEN, out);
}

int
tree_read_tile(const char *dir, int level, uint64_t index, unsigned width,
    struct buf *out)
{
	int r = read_path(dir, level, index, width, out);

	if (r == ERR_MISSING && width < TILE_WIDTH)
		r = read_path(dir, level, index, TILE_WIDTH, out);
	return r;
}

int
tree_tile_root(const struct merkle_hash h[static TILE_WIDTH],
    struct merkle_hash *ret)
{
	return tile_subtree(bytes_of(h, (size_t)TILE_WIDTH * HASH_LEN), 8, 0,
	    ret);
}

int
tree_above(const char *dir, unsigned level, uint64_t index, uint64_t size,
    struct merkle_hash *ret)
{
	unsigned width = tile_width(level + 1, index / TILE_WIDTH, size);
	size_t at = (size_t)(index % TILE_WIDTH) * HASH_LEN;
	struct buf b;
	int r;

	if (index % TILE_WIDTH >= width)
		return ERR_MISSING;
	buf_init(&b, 0);
	r = tree_read_tile(dir, (int)level + 1, index / TILE_WIDTH, width, &b);
	if (r == 0 && b.len < at + HASH_LEN)
		r = ERR_MISSING;
	if (r == 0)
		memcpy(ret->h, b.data + at, HASH_LEN);
	buf_done(&b);
	return r;
}

static int say(struct tree *, unsigned, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
say(struct tree *t, unsigned level, const char *fmt, ...)
{
	char name[TILE_PATH_MAX], what[96], text[TILE_PATH_MAX + 128];
	va_list ap;

	if (tile_path((int)level, t->level[level].index, t->level[level].n,
	    name) != 0)
		return ERR_FORMAT;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap); /* fits */
	va_end(ap);
	(void)snprintf(text, sizeof(text), "tile %s %s", name, what);
	return t->damage(t->arg, "tile", text);
}

static int
compare(struct tree *t, unsigned level, const struct buf *b)
{
	unsigned n = t->level[level].n, i;

	if (b->len < (size_t)n * HASH_LEN)
		return say(t, level, "has only %zu hashes", b->len / HASH_LEN);
	for (i = 0; i < n; i++)
		if (memcmp(b->data + (size_t)i * HASH_LEN,
		    t->level[level].h[i].h, HASH_LEN) != 0)
			return say(t, level, "does not match the tiles below "
			    "it, at hash %u", i);
	return 0;
}

static int
check_tile(struct tree *t, unsigned level)
{
	struct buf b;
	int r;

	buf_init(&b, 0);
	r = tree_read_tile(t->dir, (int)level, t->level[level].index,
	    t->level[level].n, &b);
	if (r == ERR_MISSING)
		r = say(t, level, "is missing");
	else if (r != 0 && r != ERR_MEMORY)
		r = say(t, level, "cannot be read: %s", err_text(r));
	else if (r == 0)
		r = compare(t, level, &b);
	buf_done(&b);
	return r;
}

static int
add_at(struct tree *t, unsigned level, const struct merkle_hash *h)
{
	struct merkle_hash up;
	int r;

	if (level >= TREE_LEVELS)
		return ERR_LIMIT;
	t->level[level].h[t->level[level].n++] = *h;
	if (t->level[level].n < TILE_WIDTH)
		return 0;
	if ((r = check_tile(t, level)) != 0 ||
	    (r = tree_tile_root(t->level[level].h, &up)) != 0)
		return r;
	t->level[level].n = 0;
	t->level[level].index++;
	return add_at(t, level + 1, &up);
}

int
tree_add(struct tree *t, const struct merkle_hash *h)
{
	return add_at(t, 1, h);
}

int
tree_end(struct tree *t)
{
	unsigned level;
	int r;

	for (level = 1; level < TREE_LEVELS; level++)
		if (t->level[level].n > 0 && (r = check_tile(t, level)) != 0)
			return r;
	return 0;
}
