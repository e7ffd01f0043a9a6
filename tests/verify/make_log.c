/*
 * make_log - a log on disk out of entries, for tests.
 *
 *	make_log --key [I]		prints the verifier key
 *	make_log --rotation I J SEQ	prints the note that key J follows I
 *	make_log DIR [I] <ENTRIES	an entry a line, as bytes
 *
 * Signs with keys that are known to everybody, numbered from 0, or with the
 * one that is named. Writes the tiles of the tree
 * as it ends, without those of smaller trees.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "log/merkle.h"
#include "log/note.h"
#include "log/rotation.h"
#include "log/tile.h"

#define ORIGIN "log.test.example/gw"

static uint8_t seed[SIGN_SEED_LEN] = "a key that is no secret at all";

static void
need(int good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "make_log: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Those who sign from now on: by key number i. */
static struct note_key
key(const char *i)
{
	uint8_t public[SIGN_PUBLIC_LEN];
	struct note_key k;

	seed[SIGN_SEED_LEN - 1] = (uint8_t)(*i - '0');
	need(sign_public(seed, public) == 0, "public key");
	need(note_key_make(ORIGIN, 0x01, public, &k) == 0, "key");
	return k;
}

static void
make_dirs(char *path)
{
	char *p;

	for (p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = 0;
		need(mkdir(path, 0777) == 0 || errno == EEXIST, path);
		*p = '/';
	}
}

static void
write_file(const char *dir, const char *name, const void *data, size_t len)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	make_dirs(path);
	need((f = fopen(path, "wb")) != NULL, path);
	need(fwrite(data, 1, len, f) == len && fclose(f) == 0, path);
}

/* Each level: its hashes in order; a tile's worth makes one of the next. */
static void
write_level(const char *dir, int level, const struct merkle_hash *h, size_t n)
{
	struct merkle_hash *up = calloc(n / TILE_WIDTH + 1, sizeof(*up));
	char name[TILE_PATH_MAX];
	size_t i, width, ups = 0;

	need(up != NULL, "memory");
	for (i = 0; i < n; i += width) {
		width = n - i < TILE_WIDTH ? n - i : TILE_WIDTH;
		need(tile_path(level, i / TILE_WIDTH, (unsigned)width,
		    name) == 0, "path");
		write_file(dir, name, &h[i], width * HASH_LEN);
		if (width == TILE_WIDTH)
			need(tile_subtree(bytes_of(&h[i], width * HASH_LEN), 8,
			    0, &up[ups++]) == 0, "subtree");
	}
	if (ups > 0)
		write_level(dir, level + 1, up, ups);
	free(up);
}

static void
write_checkpoint(const char *dir, const struct merkle_frontier *f,
    const char *i)
{
	struct checkpoint c = {.origin = ORIGIN, .size = f->size};
	struct note_key k = key(i);
	struct buf body, note;

	buf_init(&body, 0);
	buf_init(&note, 0);
	need(merkle_frontier_root(f, &c.root) == 0, "root");
	need(checkpoint_write(&c, &body) == 0, "checkpoint");
	need(note_sign((char *)body.data, body.len, &k, seed, &note) == 0,
	    "signature");
	write_file(dir, "checkpoint", note.data, note.len);
	buf_done(&body);
	buf_done(&note);
}

static void
write_bundle(const char *dir, size_t end, struct buf *bundle)
{
	char name[TILE_PATH_MAX];
	size_t first = (end - 1) / TILE_WIDTH;

	need(tile_path(TILE_ENTRIES, first,
	    (unsigned)(end - first * TILE_WIDTH), name) == 0, "path");
	write_file(dir, name, bundle->data, bundle->len);
	buf_reset(bundle);
}

static int
print_rotation(char **argv)
{
	struct note_key old = key(argv[0]), new;
	uint8_t old_seed[SIGN_SEED_LEN];
	struct buf note;

	memcpy(old_seed, seed, sizeof(seed));
	new = key(argv[1]);
	buf_init(&note, 0);
	need(rotation_write(&(struct note_signer){.key = &old,
	    .seed = old_seed}, &(struct note_signer){.key = &new,
	    .seed = seed}, strtoull(argv[2], NULL, 10), &note) == 0,
	    "rotation");
	(void)fputs(buf_text(&note), stdout);
	buf_done(&note);
	return 0;
}

int
main(int argc, char **argv)
{
	struct merkle_hash *leaves = NULL;
	struct merkle_frontier f;
	struct buf bundle, text;
	struct note_key k;
	char *line = NULL;
	size_t cap = 0, n = 0;
	ssize_t len;

	buf_init(&bundle, 0);
	buf_init(&text, 0);
	if (argc == 5 && strcmp(argv[1], "--rotation") == 0)
		return print_rotation(argv + 2);
	if (argc >= 2 && strcmp(argv[1], "--key") == 0) {
		k = key(argc == 3 ? argv[2] : "0");
		note_key_write(&k, &text);
		(void)puts(buf_text(&text));
		buf_done(&text);
		return 0;
	}
	need(argc == 2 || argc == 3, "usage: make_log DIR [I]");
	merkle_frontier_init(&f);
	while ((len = getline(&line, &cap, stdin)) > 0) {
		len -= line[len - 1] == '\n';
		leaves = realloc(leaves, (n + 1) * sizeof(*leaves));
		need(leaves != NULL, "memory");
		need(merkle_leaf(line, (size_t)len, &leaves[n]) == 0 &&
		    merkle_frontier_add(&f, &leaves[n]) == 0, "leaf");
		need(tile_entry_write(&bundle, line, (size_t)len) == 0,
		    "entry");
		if (++n % TILE_WIDTH == 0)
			write_bundle(argv[1], n, &bundle);
	}
	if (n % TILE_WIDTH != 0)
		write_bundle(argv[1], n, &bundle);
	if (n > 0)
		write_level(argv[1], 0, leaves, n);
	write_checkpoint(argv[1], &f, argc == 3 ? argv[2] : "0");
	free(leaves);
	free(line);
	buf_done(&bundle);
	return 0;
}
