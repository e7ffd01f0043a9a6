/*
 * write_log - a log on disk, written by the code that the log process
 * writes with, in several rounds as it would grow.
 *
 *	write_log KEY DIR STATE KEPT SIZE... <ENTRIES
 *
 * An entry a line, as bytes. After each SIZE (growing; the last one is all)
 * the log is published, its checkpoint copied to KEPT/SIZE. Prints proofs
 * that our code makes, for others to check: of inclusion for entries near
 * every edge, and of consistency between each two of the sizes. A log that
 * is there already is continued, without proofs.
 *
 *	inclusion INDEX SIZE HASH...
 *	consistency OLD SIZE HASH...
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "log/merkle.h"
#include "log/note.h"
#include "store/disk.h"
#include "store/journal.h"
#include "store/tiles.h"

struct leaves {
	struct merkle_hash *h;
	uint64_t n;
};

static void
need(int good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "write_log: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int
open_dir(const char *path)
{
	int fd;

	need(mkdir(path, 0755) == 0 || errno == EEXIST, path);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	need(fd >= 0, path);
	return fd;
}

static void
read_key(const char *path, struct note_key *key,
    uint8_t seed[static SIGN_SEED_LEN])
{
	char text[4096];
	FILE *f = fopen(path, "r");

	need(f != NULL && fgets(text, sizeof(text), f) != NULL, path);
	(void)fclose(f);		/* only read */
	text[strcspn(text, "\n")] = 0;
	need(note_private_read(text, strlen(text), key, seed) == 0, path);
}

/* A complete subtree by its definition: small trees only. */
static int
subtree(void *arg, unsigned level, uint64_t index, struct merkle_hash *ret)
{
	const struct leaves *l = arg;
	struct merkle_hash a, b;
	int r;

	if (level == 0) {
		*ret = l->h[index];
		return 0;
	}
	if ((r = subtree(arg, level - 1, index * 2, &a)) != 0 ||
	    (r = subtree(arg, level - 1, index * 2 + 1, &b)) != 0)
		return r;
	return merkle_node(&a, &b, ret);
}

static void
print_proof(const char *what, uint64_t a, uint64_t b,
    const struct merkle_hash *h, size_t n)
{
	struct buf out;
	size_t i;

	buf_init(&out, 0);
	for (i = 0; i < n; i++) {
		buf_u8(&out, ' ');
		text_base64(&out, h[i].h, HASH_LEN);
	}
	(void)printf("%s %" PRIu64 " %" PRIu64 "%s\n", what, a, b,
	    buf_text(&out));
	buf_done(&out);
}

static void
print_inclusion(struct leaves *l, uint64_t index, uint64_t size)
{
	struct merkle_hash h[MERKLE_PROOF_MAX];
	size_t n;

	if (index >= size)
		return;
	need(merkle_inclusion(index, size, subtree, l, h, &n) == 0, "proof");
	print_proof("inclusion", index, size, h, n);
}

static void
print_proofs(struct leaves *l, const uint64_t *sizes, size_t n_sizes)
{
	static const uint64_t at[] = {0, 1, 2, 127, 254, 255, 256, 257, 511};
	struct merkle_hash h[MERKLE_PROOF_MAX];
	size_t i, j, n;

	for (i = 0; i < n_sizes; i++) {
		for (j = 0; j < sizeof(at) / sizeof(at[0]); j++)
			print_inclusion(l, at[j], sizes[i]);
		print_inclusion(l, sizes[i] / 2, sizes[i]);
		print_inclusion(l, sizes[i] - 1, sizes[i]);
		for (j = 0; j < i; j++) {
			need(merkle_consistency(sizes[j], sizes[i], subtree,
			    l, h, &n) == 0, "proof");
			print_proof("consistency", sizes[j], sizes[i], h, n);
		}
	}
}

static void
add_line(struct tiles *t, struct leaves *l, char **line, size_t *cap)
{
	struct journal_entry e;
	ssize_t len = getline(line, cap, stdin);

	need(len > 0, "an entry is missing");
	len -= (*line)[len - 1] == '\n';
	e.data = bytes_of(*line, (size_t)len);
	need(merkle_leaf(*line, (size_t)len, &e.leaf) == 0, "leaf");
	l->h = reallocarray(l->h, l->n + 1, sizeof(*l->h));
	need(l->h != NULL, "memory");
	l->h[l->n++] = e.leaf;
	need(tiles_add(t, &e) == 0, "add");
}

static void
keep(int log_dir, int kept, uint64_t size)
{
	char name[32];
	struct buf note;

	(void)snprintf(name, sizeof(name), "%" PRIu64, size);
	buf_init(&note, 0);
	need(disk_read(log_dir, TILES_CHECKPOINT, NOTE_MAX, &note) == 0 &&
	    disk_create(&disk_real, kept, name, note.data, note.len) == 0,
	    name);
	buf_done(&note);
}

int
main(int argc, char **argv)
{
	uint8_t seed[SIGN_SEED_LEN];
	struct tiles_conf conf = {.disk = &disk_real};
	struct leaves l = {NULL, 0};
	struct tiles *t = NULL;
	struct note_key key;
	const struct note_signer signer = {.key = &key, .seed = seed};
	struct why w = {0};
	uint64_t sizes[64], begun;
	char *line = NULL;
	size_t cap = 0;
	int i, kept;

	need(argc >= 6 && argc < 64, "usage: write_log KEY DIR STATE KEPT "
	    "SIZE...");
	read_key(argv[1], &key, seed);
	conf.signer = &signer;
	conf.log_dir = open_dir(argv[2]);
	conf.state_dir = open_dir(argv[3]);
	kept = open_dir(argv[4]);
	need(tiles_open(&conf, &t, &w) == 0, w.text);
	begun = tiles_next(t);
	for (i = 5; i < argc; i++) {
		need(text_u64(argv[i], strlen(argv[i]), &sizes[i - 5]) == 0,
		    argv[i]);
		while (tiles_next(t) < sizes[i - 5])
			add_line(t, &l, &line, &cap);
		do {
			need(tiles_publish(t, &w) == 0, w.text);
		} while (tiles_published(t) < tiles_next(t));
		keep(conf.log_dir, kept, sizes[i - 5]);
	}
	if (begun == 0)
		print_proofs(&l, sizes, (size_t)(argc - 5));
	tiles_free(t);
	free(l.h);
	free(line);
	return 0;
}
