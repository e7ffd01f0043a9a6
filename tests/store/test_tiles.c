/*
 * The log on disk is read here by a reader of its own (check_log): every
 * file at its place and nothing else, every hash computed from the entries
 * by the definition. Then calls fail, files are spoilt, and it is opened
 * again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "log/tile.h"
#include "store/journal.h"
#include "store/object.h"
#include "store/tiles.h"
#include "fault.h"

#define LEAVES_MAX 70001

static struct merkle_hash leaves[LEAVES_MAX];
static unsigned files_seen;

struct world {
	char path[64], log[80], state[80];
	int log_fd, state_fd;
	struct note_key key;
	uint8_t seed[SIGN_SEED_LEN];
};

static size_t
entry_of(uint64_t i, char ret[static 64])
{
	int n = snprintf(ret, 64, "entry %llu%.*s", (unsigned long long)i,
	    (int)(i % 11), "...........");

	assert_true(n > 0 && n < 64);
	return (size_t)n;
}

static void
make_dirs(struct world *w)
{
	assert_int_equal(mkdir(w->log, 0755), 0);
	assert_int_equal(mkdir(w->state, 0755), 0);
	w->log_fd = open(w->log, O_RDONLY | O_DIRECTORY);
	w->state_fd = open(w->state, O_RDONLY | O_DIRECTORY);
	assert_true(w->log_fd >= 0 && w->state_fd >= 0);
}

static int
remove_file(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_dirs(struct world *w)
{
	(void)close(w->log_fd);
	(void)close(w->state_fd);
	assert_int_equal(nftw(w->log, remove_file, 16, FTW_DEPTH | FTW_PHYS),
	    0);
	assert_int_equal(nftw(w->state, remove_file, 16,
	    FTW_DEPTH | FTW_PHYS), 0);
}

static int
make_world(void **state)
{
	uint8_t public[SIGN_PUBLIC_LEN];
	struct world *w = calloc(1, sizeof(*w));
	char entry[64];
	uint64_t i;

	assert_non_null(w);
	assert_non_null(fault_folder(w->path, sizeof(w->path), "tiles"));
	(void)snprintf(w->log, sizeof(w->log), "%s/log", w->path);
	(void)snprintf(w->state, sizeof(w->state), "%s/state", w->path);
	make_dirs(w);
	memset(w->seed, 7, sizeof(w->seed));
	assert_int_equal(sign_public(w->seed, public), 0);
	assert_int_equal(note_key_make("test.example/log", 1, public,
	    &w->key), 0);
	for (i = 0; i < LEAVES_MAX; i++)
		assert_int_equal(merkle_leaf(entry, entry_of(i, entry),
		    &leaves[i]), 0);
	*state = w;
	return 0;
}

static int
remove_world(void **state)
{
	struct world *w = *state;

	remove_dirs(w);
	assert_int_equal(rmdir(w->path), 0);
	free(w);
	return 0;
}

static void
again(struct world *w)
{
	remove_dirs(w);
	make_dirs(w);
}

/* RFC 6962's definition. */
static void
naive(uint64_t start, uint64_t n, struct merkle_hash *ret)
{
	struct merkle_hash l, r;
	uint64_t k = 1;

	if (n == 0) {
		assert_int_equal(hash_sha256("", 0, ret->h), 0);
	} else if (n == 1) {
		*ret = leaves[start];
	} else {
		while (k * 2 < n)
			k *= 2;
		naive(start, k, &l);
		naive(start + k, n - k, &r);
		assert_int_equal(merkle_node(&l, &r, ret), 0);
	}
}

/* Size of a checkpoint file whose tree is a prefix of ours; 0 if none. */
static uint64_t
checkpoint_size(const struct world *w, int dir, const char *name)
{
	struct merkle_hash root;
	struct checkpoint c;
	const char *body;
	struct buf b;
	size_t n;

	buf_init(&b, 0);
	if (disk_read(dir, name, NOTE_MAX, &b) == ERR_MISSING)
		return 0;
	assert_int_equal(note_check((char *)b.data, b.len, &w->key, &body, &n,
	    NULL), 0);
	assert_int_equal(checkpoint_read(body, n, &c), 0);
	assert_string_equal(c.origin, w->key.name);
	assert_in_range(c.size, 1, LEAVES_MAX);
	naive(0, c.size, &root);
	assert_memory_equal(&root, &c.root, sizeof(root));
	buf_done(&b);
	return c.size;
}

static void
check_tile(const struct world *w, int level, uint64_t index, uint64_t size)
{
	unsigned l = level < 0 ? 0 : (unsigned)level, width, i;
	char path[TILE_PATH_MAX], entry[64];
	struct merkle_hash want;
	struct reader r;
	struct bytes e;
	struct buf b;

	width = tile_width(l, index, size);
	buf_init(&b, 0);
	assert_int_equal(tile_path(level, index, width, path), 0);
	if (disk_read(w->log_fd, path, (size_t)1 << 24, &b) != 0)
		fail_msg("size %llu: %s", (unsigned long long)size, path);
	reader_init(&r, b.data, b.len);
	for (i = 0; i < width; i++) {
		if (level < 0) {
			assert_int_equal(tile_entry(&r, &e), 0);
			assert_true(bytes_equal(e, bytes_of(entry,
			    entry_of(index * 256 + i, entry))));
		} else {
			assert_int_equal(reader_bytes(&r, HASH_LEN, &e), 0);
			naive((index * 256 + i) << (8 * l),
			    (uint64_t)1 << (8 * l), &want);
			assert_memory_equal(e.data, want.h, HASH_LEN);
		}
	}
	assert_int_equal(reader_left(&r), 0);
	buf_done(&b);
}

/* All tiles of the published tree; returns its size. */
static uint64_t
check_log(const struct world *w)
{
	uint64_t size = checkpoint_size(w, w->log_fd, TILES_CHECKPOINT), i;
	int level;

	assert_true(checkpoint_size(w, w->state_fd, TILES_SIGNED) >= size);
	for (level = TILE_ENTRIES; level < 8; level++)
		for (i = 0; i < tile_count(level < 0 ? 0 : (unsigned)level,
		    size); i++)
			check_tile(w, level, i, size);
	return size;
}

static void
add(struct tiles *t, uint64_t n)
{
	struct journal_entry e;
	char entry[64];
	uint64_t i;

	for (i = 0; i < n; i++) {
		e.data = bytes_of(entry, entry_of(tiles_next(t), entry));
		e.leaf = leaves[tiles_next(t)];
		assert_int_equal(tiles_add(t, &e), 0);
	}
}

static int
try_open(const struct world *w, const struct disk *d, struct tiles **ret,
    struct why *why)
{
	static struct note_signer signer;	/* as long as the tiles */
	struct tiles_conf conf = {
		d, w->log_fd, w->state_fd, &signer, NULL,
	};

	signer = (struct note_signer){.key = &w->key, .seed = w->seed};
	why->text[0] = '\0';
	*ret = NULL;
	return tiles_open(&conf, ret, why);
}

static struct tiles *
open_tiles(const struct world *w)
{
	struct tiles *t;
	struct why why;

	if (try_open(w, &disk_real, &t, &why) != 0)
		fail_msg("%s", why.text);
	return t;
}

static void
publish(struct tiles *t)
{
	struct why why = {0};

	while (tiles_published(t) < tiles_next(t))
		if (tiles_publish(t, &why) != 0)
			fail_msg("%s", why.text);
}

static int
count_file(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)ftw;
	files_seen += type == FTW_F;
	return 0;
}

static unsigned
files(const char *path)
{
	files_seen = 0;
	assert_int_equal(nftw(path, count_file, 16, FTW_PHYS), 0);
	return files_seen;
}

static void
every_size_is_published_with_all_its_tiles(void **state)
{
	struct world *w = *state;
	struct tiles *t = open_tiles(w);
	uint64_t size;

	for (size = 1; size <= 600; size++) {
		add(t, 1);
		publish(t);
		assert_int_equal(check_log(w), size);
	}
	tiles_free(t);
	again(w);
}

static void
large_steps_give_the_same_tree_as_the_definition(void **state)
{
	static const uint64_t sizes[] = {
		1, 255, 256, 257, 1000, 20000, 65535, 65536, 65537, 70000,
	};
	struct world *w = *state;
	struct tiles *t = open_tiles(w);
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		add(t, sizes[i] - tiles_next(t));
		publish(t);
		assert_int_equal(check_log(w), sizes[i]);
	}
	tiles_free(t);
	/* From the disk alone, right behind 70,000 = 273 * 256 + 112. */
	t = open_tiles(w);
	assert_int_equal(tiles_published(t), 70000);
	add(t, 1);
	publish(t);
	assert_int_equal(check_log(w), 70001);
	tiles_free(t);
	again(w);
}

static void
start_at_any_size_goes_on_from_the_disk_alone(void **state)
{
	struct world *w = *state;
	struct tiles *t;
	struct buf last;
	char entry[64];
	size_t len;
	uint64_t size;

	buf_init(&last, 0);
	for (size = 0; size <= 520; size += 1 + size % 3) {
		t = open_tiles(w);
		if (tiles_next(t) > 0) {
			buf_reset(&last);
			assert_int_equal(tiles_last(t, &last), 0);
			len = entry_of(tiles_next(t) - 1, entry);
			assert_true(bytes_equal(bytes_of(last.data, last.len),
			    bytes_of(entry, len)));
		} else {
			assert_int_equal(tiles_last(t, &last), ERR_MISSING);
		}
		add(t, size - tiles_next(t));
		publish(t);
		if (size > 0)
			assert_int_equal(check_log(w), size);
		tiles_free(t);
	}
	t = open_tiles(w);
	add(t, 1024 - tiles_next(t));	/* ends with a full bundle */
	publish(t);
	tiles_free(t);
	t = open_tiles(w);
	buf_reset(&last);
	assert_int_equal(tiles_last(t, &last), 0);
	assert_int_equal(last.len, entry_of(1023, entry));
	assert_memory_equal(last.data, entry, last.len);
	tiles_free(t);
	buf_done(&last);
	again(w);
}

static void
old_partial_tiles_are_removed_and_recent_ones_stay(void **state)
{
	struct world *w = *state;
	struct tiles *t = open_tiles(w);
	char path[TILE_PATH_MAX];
	uint64_t size, back;

	for (size = 1; size <= 2000; size++) {
		add(t, 1);
		publish(t);
		if (size == 700) {	/* the list survives a restart */
			tiles_free(t);
			t = open_tiles(w);
		}
		for (back = size > TILES_KEEP ? size - TILES_KEEP + 1 : 1;
		    back <= size; back++) {
			if (back % 256 == 0)
				continue;
			assert_int_equal(tile_path(0, back / 256,
			    (unsigned)(back % 256), path), 0);
			assert_int_equal(faccessat(w->log_fd, path, F_OK, 0),
			    0);
		}
	}
	/* 7 full tiles and bundles, the kept ones of two levels, checkpoint. */
	assert_in_range(files(w->log), 7 * 2, 7 * 2 + 2 * TILES_KEEP + 3);
	tiles_free(t);
	again(w);
}

/* Adds what the tiles lack up to n, as replaying the journal does. */
static struct tiles *
recover(const struct world *w, uint64_t n)
{
	struct tiles *t = open_tiles(w);
	struct why why = {0};

	add(t, n - tiles_next(t));
	if (tiles_check_signed(t, &why) != 0)
		fail_msg("%s", why.text);
	return t;
}

/*
 * Two rounds of publishing where call n fails, for each n. Then either the
 * same process goes on (after ERR_IO), or a new one starts with the journal.
 * No two signed trees may ever contradict each other; since each is checked
 * to be a prefix of the same entries, none can.
 */
static void
fail_each_call(struct world *w, int error, bool for_good)
{
	struct fault f = {.error = error, .for_good = for_good};
	const struct disk d = fault_disk(&f);
	uint64_t was_signed;
	struct tiles *t;
	struct why why;
	unsigned n;
	int r;

	for (n = 1, f.failed = true; f.failed; n++) {
		again(w);
		t = open_tiles(w);
		add(t, 250);
		publish(t);
		tiles_free(t);
		f.calls = f.fail_at = 0;
		f.failed = false;
		f.fail_at = n;
		r = try_open(w, &d, &t, &why);
		if (r == 0) {
			add(t, 300);
			r = tiles_publish(t, &why);
		}
		if (r == 0) {
			add(t, 1);
			r = tiles_publish(t, &why);
		}
		assert_true(r == 0 || (f.failed && why.text[0] != '\0'));
		assert_in_range(check_log(w), 250, 551);
		was_signed = checkpoint_size(w, w->state_fd, TILES_SIGNED);
		if (r == ERR_IO && t != NULL) {
			f.fail_at = 0;	/* room again: the same process */
			f.failed = true;
			assert_int_equal(tiles_publish(t, &why), 0);
			assert_true(tiles_published(t) >= was_signed);
			(void)check_log(w);
		}
		tiles_free(t);
		t = recover(w, 551);
		add(t, 3);
		publish(t);
		assert_int_equal(check_log(w), 554);
		tiles_free(t);
	}
	assert_true(n > 30);
	again(w);
}

static void
no_failing_call_signs_or_publishes_another_tree(void **state)
{
	fail_each_call(*state, EIO, false);
}

static void
full_disk_from_any_call_on_heals_when_there_is_room(void **state)
{
	fail_each_call(*state, ENOSPC, true);
}

/* A disk that writes something else than it was given, once. */
struct liar {
	unsigned writes;
	unsigned lie_at;
};

static ssize_t
lying_write(void *arg, int fd, const void *data, size_t len)
{
	struct liar *l = arg;
	uint8_t copy[65536];

	if (++l->writes != l->lie_at || len > sizeof(copy))
		return write(fd, data, len);
	memcpy(copy, data, len);
	copy[len / 2] ^= 1;
	return write(fd, copy, len);
}

static void
nothing_is_signed_that_does_not_read_back(void **state)
{
	struct world *w = *state;
	struct liar l = {0, 0};
	struct disk d = disk_real;
	struct tiles *t;
	struct why why;
	unsigned n;

	d.write = lying_write;
	d.arg = &l;
	/* Bundle and tile of 0, then of 1, then level 1: six files. */
	for (n = 1; n <= 5; n++) {
		again(w);
		l.writes = 0;
		l.lie_at = n;
		assert_int_equal(try_open(w, &d, &t, &why), 0);
		add(t, 300);
		assert_int_equal(tiles_publish(t, &why), ERR_CRYPTO);
		assert_true(why.text[0] != '\0');
		assert_int_equal(l.writes, 5);
		assert_int_equal(checkpoint_size(w, w->state_fd,
		    TILES_SIGNED), 0);
		assert_int_equal(checkpoint_size(w, w->log_fd,
		    TILES_CHECKPOINT), 0);
		tiles_free(t);
	}
	again(w);
}

static void
spoil(int dir, const char *path, size_t at)
{
	uint8_t c;
	int fd = openat(dir, path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
	(void)close(fd);
}

static void
copy_file(int from_dir, const char *from, int to_dir, const char *to)
{
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(disk_read(from_dir, from, (size_t)1 << 24, &b), 0);
	assert_int_equal(disk_replace(&disk_real, to_dir, to, b.data, b.len),
	    0);
	buf_done(&b);
}

/* Publishes 300 and then 310; state "signed" of 300 is kept as "older". */
static void
two_rounds(struct world *w)
{
	struct tiles *t;

	again(w);
	t = open_tiles(w);
	add(t, 300);
	publish(t);
	copy_file(w->state_fd, TILES_SIGNED, w->state_fd, "older");
	add(t, 10);
	publish(t);
	tiles_free(t);
}

static void
assert_refused(const struct world *w, const char *word)
{
	struct tiles *t;
	struct why why;

	assert_int_equal(try_open(w, &disk_real, &t, &why), ERR_CONFLICT);
	assert_null(t);
	if (strstr(why.text, word) == NULL)
		fail_msg("not \"%s\": %s", word, why.text);
}

static void
start_refuses_what_does_not_fit_together(void **state)
{
	struct world *w = *state, other;
	uint8_t public[SIGN_PUBLIC_LEN];
	struct tiles *t;

	two_rounds(w);
	assert_int_equal(unlinkat(w->state_fd, TILES_SIGNED, 0), 0);
	assert_refused(w, "no file signed");

	two_rounds(w);
	copy_file(w->state_fd, "older", w->state_fd, TILES_SIGNED);
	assert_refused(w, "older copy");

	two_rounds(w);
	spoil(w->state_fd, TILES_SIGNED, 20);
	assert_refused(w, "damaged");

	two_rounds(w);
	spoil(w->log_fd, TILES_CHECKPOINT, 20);
	assert_refused(w, "damaged");

	two_rounds(w);
	spoil(w->log_fd, "tile/0/001.p/54", 5);
	assert_refused(w, "root");

	two_rounds(w);
	spoil(w->log_fd, "tile/1/000.p/1", 5);
	assert_refused(w, "root");

	two_rounds(w);
	spoil(w->log_fd, "tile/entries/001.p/54", 5);
	assert_refused(w, "entry 256");

	two_rounds(w);
	assert_int_equal(unlinkat(w->log_fd, "tile/1/000.p/1", 0), 0);
	assert_refused(w, "tile/1/000.p/1");

	two_rounds(w);
	assert_int_equal(unlinkat(w->state_fd, TILES_SIGNED, 0), 0);
	assert_int_equal(unlinkat(w->log_fd, TILES_CHECKPOINT, 0), 0);
	assert_refused(w, "no checkpoint");

	/* The same state and log with another key. */
	two_rounds(w);
	other = *w;
	other.seed[0] ^= 1;
	assert_int_equal(sign_public(other.seed, public), 0);
	assert_int_equal(note_key_make("test.example/log", 1, public,
	    &other.key), 0);
	assert_refused(&other, "this key");

	/* The log's directory is an older copy: the journal must fill it. */
	two_rounds(w);
	copy_file(w->state_fd, "older", w->log_fd, TILES_CHECKPOINT);
	t = recover(w, 310);
	publish(t);
	assert_int_equal(check_log(w), 310);
	tiles_free(t);
	again(w);
}

static void
journal_that_contradicts_the_signed_tree_is_refused(void **state)
{
	struct world *w = *state;
	struct journal_entry e;
	struct tiles *t;
	struct why why = {0};

	two_rounds(w);
	copy_file(w->state_fd, "older", w->log_fd, TILES_CHECKPOINT);
	t = open_tiles(w);
	add(t, 9);			/* one less than was signed */
	assert_int_equal(tiles_check_signed(t, &why), ERR_CONFLICT);
	assert_non_null(strstr(why.text, "310"));
	assert_int_equal(tiles_publish(t, &why), ERR_CONFLICT);
	e.data = bytes_of("forged", 6);	/* enough, but not the same */
	assert_int_equal(merkle_leaf("forged", 6, &e.leaf), 0);
	assert_int_equal(tiles_add(t, &e), 0);
	assert_int_equal(tiles_check_signed(t, &why), ERR_CONFLICT);
	assert_int_equal(tiles_publish(t, &why), ERR_CONFLICT);
	add(t, 5);
	assert_int_equal(tiles_publish(t, &why), ERR_CONFLICT);
	assert_int_equal(check_log(w), 300);
	tiles_free(t);
	again(w);
}

static void
forked_checkpoints_are_called_a_fork(void **state)
{
	struct world *w = *state;
	struct journal_entry e;
	struct tiles *t;
	int top;

	two_rounds(w);
	assert_true((top = open(w->path, O_RDONLY | O_DIRECTORY)) >= 0);
	copy_file(w->log_fd, TILES_CHECKPOINT, top, "forked");
	again(w);
	t = open_tiles(w);
	add(t, 309);
	e.data = bytes_of("forged", 6);
	assert_int_equal(merkle_leaf("forged", 6, &e.leaf), 0);
	assert_int_equal(tiles_add(t, &e), 0);
	publish(t);
	tiles_free(t);
	copy_file(top, "forked", w->log_fd, TILES_CHECKPOINT);
	assert_refused(w, "forked");
	assert_int_equal(unlinkat(top, "forked", 0), 0);
	(void)close(top);
	again(w);
}

static void
objects_are_stored_under_their_hash(void **state)
{
	static const char *const abc =
	    "objects/ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad";
	struct world *w = *state;
	struct fault f = {.error = ENOSPC};
	const struct disk d = fault_disk(&f);
	char hex[65];
	struct buf b;
	unsigned n;
	int r;

	/* Whichever call fails: an error, or the file is there and whole. */
	for (n = 1, f.failed = true; f.failed; n++) {
		again(w);
		f.calls = 0;
		f.fail_at = n;
		f.failed = false;
		r = object_store(&d, w->log_fd, "abc", 3, hex);
		assert_true(r == 0 || (f.failed && hex[0] == '\0'));
		assert_int_equal(object_store(&disk_real, w->log_fd, "abc", 3,
		    hex), 0);
		assert_string_equal(hex, abc + 8);
		assert_int_equal(files(w->log), 1);
	}
	assert_true(n > 5);
	/* One that was spoilt is made good. */
	spoil(w->log_fd, abc, 1);
	assert_int_equal(object_store(&disk_real, w->log_fd, "abc", 3, hex),
	    0);
	buf_init(&b, 0);
	assert_int_equal(disk_read(w->log_fd, abc, 10, &b), 0);
	assert_true(bytes_equal(bytes_of(b.data, b.len), bytes_str("abc")));
	buf_done(&b);
	again(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_is_published_with_all_its_tiles),
		cmocka_unit_test(
		    large_steps_give_the_same_tree_as_the_definition),
		cmocka_unit_test(
		    start_at_any_size_goes_on_from_the_disk_alone),
		cmocka_unit_test(
		    old_partial_tiles_are_removed_and_recent_ones_stay),
		cmocka_unit_test(
		    no_failing_call_signs_or_publishes_another_tree),
		cmocka_unit_test(
		    full_disk_from_any_call_on_heals_when_there_is_room),
		cmocka_unit_test(nothing_is_signed_that_does_not_read_back),
		cmocka_unit_test(start_refuses_what_does_not_fit_together),
		cmocka_unit_test(
		    journal_that_contradicts_the_signed_tree_is_refused),
		cmocka_unit_test(forked_checkpoints_are_called_a_fork),
		cmocka_unit_test(objects_are_stored_under_their_hash),
	};

	return cmocka_run_group_tests(tests, make_world, remove_world);
}
