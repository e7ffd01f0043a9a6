/*
 * A log gets its next key while call n of the disk fails, for each n: as if
 * the machine had stopped there. Whatever is left, no log process could go
 * on with the wrong key, no two keys have signed trees that contradict, and
 * the same run again finishes it, with one record.
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

#include "base/arena.h"
#include "base/buf.h"
#include "log/rotation.h"
#include "log/tile.h"
#include "record/record.h"
#include "store/journal.h"
#include "store/rotate.h"
#include "store/tiles.h"
#include "fault.h"

#define KEYS 3
#define NOW 1795000000000
#define ENTRIES_MAX 16

struct world {
	char path[64], log[80], state[80];
	int log_fd, state_fd;
	struct note_key key[KEYS];
	uint8_t seed[KEYS][SIGN_SEED_LEN];
	struct note_signer signer[KEYS];
	struct merkle_hash leaf[ENTRIES_MAX];	/* of what was appended */
};

/* A log as it lies there, opened as a log process with this key would. */
struct opened {
	const struct note_key *key;
	struct tiles *tiles;
	struct journal *journal;
	bool to_another;
};

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
	size_t i;

	assert_non_null(w);
	assert_non_null(fault_folder(w->path, sizeof(w->path), "rotate"));
	(void)snprintf(w->log, sizeof(w->log), "%s/log", w->path);
	(void)snprintf(w->state, sizeof(w->state), "%s/state", w->path);
	make_dirs(w);
	for (i = 0; i < KEYS; i++) {
		memset(w->seed[i], (int)i + 1, SIGN_SEED_LEN);
		assert_int_equal(sign_public(w->seed[i], public), 0);
		assert_int_equal(note_key_make("test.example/log", 1, public,
		    &w->key[i]), 0);
		w->signer[i].key = &w->key[i];
		w->signer[i].seed = w->seed[i];
	}
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

static int
replay(void *arg, uint64_t index, const struct journal_entry *e)
{
	struct opened *o = arg;

	if (index != tiles_next(o->tiles))
		return ERR_CONFLICT;
	o->to_another |= rotate_is_to_another(e, o->key);
	return tiles_add(o->tiles, e);
}

static void
shut(struct opened *o)
{
	tiles_free(o->tiles);
	journal_free(o->journal);
	memset(o, 0, sizeof(*o));
}

/* 0, or it refuses to start. */
static int
start(struct world *w, size_t i, struct opened *o)
{
	const struct tiles_conf conf = {&disk_real, w->log_fd, w->state_fd,
	    &w->signer[i], NULL};
	struct why why = {0};
	int r;

	memset(o, 0, sizeof(*o));
	o->key = &w->key[i];
	if ((r = tiles_open(&conf, &o->tiles, &why)) == 0 &&
	    (r = journal_open(&disk_real, w->state_fd,
	    tiles_published(o->tiles), replay, o, &o->journal, &why)) == 0)
		r = tiles_check_signed(o->tiles, &why);
	if (r == 0 && o->to_another)
		r = ERR_STATE;
	if (r != 0)
		shut(o);
	return r;
}

static void
publish(struct opened *o)
{
	struct why why = {0};

	while (tiles_published(o->tiles) < tiles_next(o->tiles))
		if (tiles_publish(o->tiles, &why) != 0)
			fail_msg("%s", why.text);
	journal_drop(o->journal, tiles_published(o->tiles));
}

static void
append(struct world *w, struct opened *o, enum record_type type)
{
	struct record rec = {.type = type};
	uint64_t seq = journal_next(o->journal);
	struct journal_entry e;
	struct buf b;

	assert_true(seq < ENTRIES_MAX);
	buf_init(&b, RECORD_MAX);
	assert_int_equal(record_encode_envelope("gw", seq, NOW, &b), 0);
	assert_int_equal(record_encode_body(&rec, &b), 0);
	e.data = bytes_of(b.data, b.len);
	assert_int_equal(merkle_leaf(b.data, b.len, &e.leaf), 0);
	w->leaf[seq] = e.leaf;
	assert_int_equal(journal_append(o->journal, &e, 1), 0);
	assert_int_equal(tiles_add(o->tiles, &e), 0);
	buf_done(&b);
}

/* Three entries, of which two are published. */
static void
make_log(struct world *w)
{
	struct opened o;

	remove_dirs(w);
	make_dirs(w);
	assert_int_equal(start(w, 0, &o), 0);
	append(w, &o, RECORD_HEARTBEAT);
	append(w, &o, RECORD_HEARTBEAT);
	publish(&o);
	append(w, &o, RECORD_STOP);
	shut(&o);
}

static int
rotate(struct world *w, const struct disk *d, size_t from, size_t to,
    uint64_t *seq, struct why *why)
{
	const struct rotate_conf conf = {
		.disk = d, .log_dir = w->log_fd, .state_dir = w->state_fd,
		.from = &w->signer[from], .to = &w->signer[to],
		.gateway = "gw", .now_ms = NOW,
	};

	memset(why, 0, sizeof(*why));
	return rotate_run(&conf, seq, why);
}

static void
read_chain(struct world *w, struct rotations *ret)
{
	struct buf b;

	buf_init(&b, 0);
	ret->n = 0;
	if (disk_read(w->log_fd, ROTATIONS_FILE, ROTATIONS_FILE_MAX, &b) == 0)
		assert_int_equal(rotations_read((char *)b.data, b.len, ret),
		    0);
	buf_done(&b);
}

/*
 * A checkpoint: signed by the key of its size, of the entries that there
 * are. Returns its size; 0 if there is none.
 */
static uint64_t
check_checkpoint(struct world *w, int dir, const char *name, uint64_t seq)
{
	const struct note_key *key;
	struct merkle_frontier f;
	struct merkle_hash root;
	struct checkpoint c;
	const char *body;
	struct buf b;
	uint64_t i;
	size_t n;

	buf_init(&b, 0);
	merkle_frontier_init(&f);
	if (disk_read(dir, name, NOTE_MAX, &b) == ERR_MISSING)
		return 0;
	assert_int_equal(note_body((char *)b.data, b.len, &body, &n), 0);
	assert_int_equal(checkpoint_read(body, n, &c), 0);
	key = &w->key[c.size > seq];
	assert_int_equal(note_check((char *)b.data, b.len, key, &body, &n,
	    NULL), 0);
	for (i = 0; i < c.size && i < seq; i++)
		assert_int_equal(merkle_frontier_add(&f, &w->leaf[i]), 0);
	if (c.size <= seq) {
		assert_int_equal(merkle_frontier_root(&f, &root), 0);
		assert_memory_equal(&root, &c.root, sizeof(root));
	}
	buf_done(&b);
	return c.size;
}

static unsigned
rotations_in(const struct buf *bundle, struct note_key *to)
{
	struct arena *a = arena_new();
	struct rotation got;
	struct record rec;
	struct reader in;
	struct bytes e;
	unsigned n = 0;

	assert_non_null(a);
	reader_init(&in, bundle->data, bundle->len);
	while (tile_entry(&in, &e) == 0) {
		assert_int_equal(record_decode(e, a, &rec, NULL), 0);
		if (rec.type != RECORD_ROTATION)
			continue;
		assert_int_equal(rotation_read(rec.u.rotation.note,
		    strlen(rec.u.rotation.note), &got), 0);
		assert_true(rec.u.rotation.clean);
		*to = got.to;
		n++;
	}
	arena_free(a);
	return n;
}

/* All is done: one record, the file says so, the new key goes on. */
static void
check_done(struct world *w)
{
	char path[TILE_PATH_MAX];
	struct rotations chain;
	struct note_key to;
	struct opened o;
	struct buf b;

	read_chain(w, &chain);
	assert_int_equal(chain.n, 1);
	assert_int_equal(chain.seq[0], 3);
	assert_true(note_key_same(&chain.keys[1], &w->key[1]));
	assert_int_equal(check_checkpoint(w, w->log_fd, TILES_CHECKPOINT, 3),
	    4);
	buf_init(&b, 0);
	assert_int_equal(tile_path(TILE_ENTRIES, 0, 4, path), 0);
	assert_int_equal(disk_read(w->log_fd, path, 65536, &b), 0);
	assert_int_equal(rotations_in(&b, &to), 1);
	assert_true(note_key_same(&to, &w->key[1]));
	buf_done(&b);
	assert_true(start(w, 0, &o) != 0);
	assert_int_equal(start(w, 1, &o), 0);
	append(w, &o, RECORD_HEARTBEAT);
	publish(&o);
	shut(&o);
	assert_int_equal(check_checkpoint(w, w->log_fd, TILES_CHECKPOINT, 3),
	    5);
}

/* What a run that stopped at some call has left. */
static void
check_left(struct world *w)
{
	uint64_t published, was_signed;
	bool old_starts, new_starts;
	struct opened o;

	published = check_checkpoint(w, w->log_fd, TILES_CHECKPOINT, 3);
	was_signed = check_checkpoint(w, w->state_fd, TILES_SIGNED, 3);
	assert_in_range(published, 2, 4);
	assert_true(was_signed >= published && was_signed <= 4);
	old_starts = start(w, 0, &o) == 0;
	if (old_starts) {		/* then nothing has begun */
		assert_true(journal_next(o.journal) == 3);
		shut(&o);
		assert_true(was_signed <= 3);
	}
	new_starts = start(w, 1, &o) == 0;
	if (new_starts) {		/* then all is done */
		assert_true(journal_next(o.journal) == 4);
		shut(&o);
		assert_int_equal(published, 4);
	}
	assert_false(old_starts && new_starts);
}

static void
fail_each_call(struct world *w, int error, bool for_good)
{
	struct fault f = {.error = error, .for_good = for_good};
	const struct disk d = fault_disk(&f);
	unsigned n, begun = 0;
	struct opened o;
	struct why why;
	uint64_t seq;
	int r;

	for (n = 1, f.failed = true; f.failed; n++) {
		make_log(w);
		f.calls = 0;
		f.fail_at = n;
		f.failed = false;
		r = rotate(w, &d, 0, 1, &seq, &why);
		assert_true(r == 0 || (f.failed && why.text[0] != '\0'));
		check_left(w);
		if (start(w, 0, &o) == 0)
			shut(&o);
		else
			begun++;
		if (rotate(w, &disk_real, 0, 1, &seq, &why) != 0)
			fail_msg("call %u: %s", n, why.text);
		assert_int_equal(seq, 3);
		check_done(w);
		/* And once more is nothing new. */
		assert_int_equal(rotate(w, &disk_real, 0, 1, &seq, &why), 0);
		assert_int_equal(seq, 3);
	}
	/* Cut short before its record as well as behind it. */
	assert_true(n > 20 && begun > 5 && begun < n - 5);
}

static void
change_that_stops_at_any_call_is_finished_by_the_next_run(void **state)
{
	fail_each_call(*state, EIO, true);
}

static void
change_survives_any_one_call_that_fails(void **state)
{
	fail_each_call(*state, ENOSPC, false);
}

/* Stopped behind the record, which is the 2nd thing that is synced. */
static void
begin_only(struct world *w)
{
	struct fault f = {.error = EIO, .for_good = true};
	const struct disk d = fault_disk(&f);
	struct rotations chain;
	struct opened o;
	struct why why;
	uint64_t seq;

	do {
		make_log(w);
		f.fail_at++;
		f.calls = 0;
		assert_true(rotate(w, &d, 0, 1, &seq, &why) != 0);
		read_chain(w, &chain);
		if (start(w, 0, &o) != 0)
			return;
		shut(&o);
	} while (chain.n == 0);
	fail_msg("the file came before the record");
}

static void
change_that_was_begun_is_not_turned_to_another_key(void **state)
{
	struct world *w = *state;
	struct why why;
	uint64_t seq;

	begin_only(w);
	assert_int_equal(rotate(w, &disk_real, 0, 2, &seq, &why),
	    ERR_CONFLICT);
	assert_non_null(strstr(why.text, "finish that one first"));
	assert_true(rotate(w, &disk_real, 1, 2, &seq, &why) != 0);
	assert_int_equal(rotate(w, &disk_real, 0, 1, &seq, &why), 0);
	check_done(w);
}

static void
retired_key_neither_signs_nor_comes_back(void **state)
{
	struct world *w = *state;
	struct opened o;
	struct why why;
	uint64_t seq;

	make_log(w);
	assert_int_equal(rotate(w, &disk_real, 0, 1, &seq, &why), 0);
	assert_int_equal(rotate(w, &disk_real, 1, 0, &seq, &why), ERR_DENIED);
	assert_non_null(strstr(why.text, "retired"));
	assert_int_equal(rotate(w, &disk_real, 0, 2, &seq, &why),
	    ERR_CONFLICT);
	assert_int_equal(rotate(w, &disk_real, 1, 2, &seq, &why), 0);
	assert_int_equal(seq, 4);
	assert_true(start(w, 0, &o) != 0);
	assert_true(start(w, 1, &o) != 0);
	assert_int_equal(start(w, 2, &o), 0);
	shut(&o);
	/* A run that was done long ago is told so, and changes nothing. */
	assert_int_equal(rotate(w, &disk_real, 0, 1, &seq, &why),
	    ERR_DENIED);
}

static void
damaged_file_of_rotations_stops_the_next_one(void **state)
{
	struct world *w = *state;
	struct why why;
	uint64_t seq;
	int fd;

	make_log(w);
	assert_int_equal(rotate(w, &disk_real, 0, 1, &seq, &why), 0);
	assert_true((fd = openat(w->log_fd, ROTATIONS_FILE, O_RDWR)) >= 0);
	assert_int_equal(pwrite(fd, "X", 1, 30), 1);
	(void)close(fd);
	assert_true(rotate(w, &disk_real, 1, 2, &seq, &why) != 0);
	assert_non_null(strstr(why.text, ROTATIONS_FILE));
}

static void
log_without_an_entry_has_no_key_to_change(void **state)
{
	struct world *w = *state;
	struct why why;
	uint64_t seq;

	remove_dirs(w);
	make_dirs(w);
	assert_int_equal(rotate(w, &disk_real, 0, 1, &seq, &why), ERR_STATE);
	assert_non_null(strstr(why.text, "no entries"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    change_that_stops_at_any_call_is_finished_by_the_next_run),
		cmocka_unit_test(change_survives_any_one_call_that_fails),
		cmocka_unit_test(
		    change_that_was_begun_is_not_turned_to_another_key),
		cmocka_unit_test(retired_key_neither_signs_nor_comes_back),
		cmocka_unit_test(damaged_file_of_rotations_stops_the_next_one),
		cmocka_unit_test(log_without_an_entry_has_no_key_to_change),
	};

	return cmocka_run_group_tests_name("rotate", tests, make_world,
	    remove_world);
}
