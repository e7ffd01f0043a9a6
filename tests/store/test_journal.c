/*
 * A journal is filled, its files are cut, spoilt or its calls failed, and it
 * is opened again. What must hold each time: every entry whose append
 * returned 0 is there with its bytes, in order and without a gap; or the
 * opening fails and says so. Never is an entry there that was refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal.h"
#include "fault.h"

#define ENTRY_MAX 700

struct place {
	char path[64];
	int fd;
};

static int
make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	assert_non_null(fault_folder(p->path, sizeof(p->path), "journal"));
	assert_true((p->fd = open(p->path, O_RDONLY | O_DIRECTORY)) >= 0);
	*state = p;
	return 0;
}

static void
clear(const struct place *p)
{
	struct dirent *e;
	DIR *d = opendir(p->path);

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			assert_int_equal(unlinkat(p->fd, e->d_name, 0), 0);
	(void)closedir(d);
}

static int
remove_place(void **state)
{
	struct place *p = *state;

	clear(p);
	(void)close(p->fd);
	assert_int_equal(rmdir(p->path), 0);
	free(p);
	return 0;
}

/* Entry i: bytes and length follow from i, so any copy can be checked. */
static size_t
entry_of(uint64_t i, uint8_t ret[static ENTRY_MAX])
{
	size_t len = (size_t)(i * 37 % ENTRY_MAX), k;

	for (k = 0; k < len; k++)
		ret[k] = (uint8_t)(i * 131 + k * 7);
	return len;
}

static int
append(struct journal *j, size_t n)
{
	static uint8_t data[64][ENTRY_MAX];
	struct journal_entry e[64];
	size_t i, len;

	assert_true(n <= 64);
	for (i = 0; i < n; i++) {
		len = entry_of(journal_next(j) + i, data[i]);
		e[i].data = bytes_of(data[i], len);
		assert_int_equal(merkle_leaf(data[i], len, &e[i].leaf), 0);
	}
	return journal_append(j, e, n);
}

struct walk {
	uint64_t next;
};

static int
check_entry(void *arg, uint64_t index, const struct journal_entry *e)
{
	uint8_t want[ENTRY_MAX];
	struct merkle_hash leaf;
	struct walk *w = arg;
	size_t len;

	assert_int_equal(index, w->next);
	len = entry_of(index, want);
	assert_true(bytes_equal(e->data, bytes_of(want, len)));
	assert_int_equal(merkle_leaf(want, len, &leaf), 0);
	assert_memory_equal(&leaf, &e->leaf, sizeof(leaf));
	w->next++;
	return 0;
}

/* Opens, checks every entry from first on. */
static int
reopen(const struct place *p, const struct disk *d, uint64_t first,
    struct journal **ret, struct why *w)
{
	struct walk walk = {first};
	int r;

	r = journal_open(d, p->fd, first, check_entry, &walk, ret, w);
	if (r == 0)
		assert_int_equal(journal_next(*ret), walk.next);
	return r;
}

/* Opens a healthy journal: it must have exactly the entries below next. */
static void
assert_holds(const struct place *p, uint64_t first, uint64_t next)
{
	struct journal *j = NULL;
	struct why w;

	if (reopen(p, &disk_real, first, &j, &w) != 0)
		fail_msg("%s", w.text);
	assert_int_equal(journal_next(j), next);
	journal_free(j);
}

static void
journal_gives_back_what_was_appended(void **state)
{
	const struct place *p = *state;
	struct journal *j = NULL;
	struct why w;
	uint64_t next = 0;
	size_t i;

	assert_int_equal(reopen(p, &disk_real, 0, &j, &w), 0);
	for (i = 1; i <= 20; i++) {
		assert_int_equal(append(j, i), 0);
		next += i;
		assert_int_equal(journal_next(j), next);
	}
	journal_free(j);
	assert_holds(p, 0, next);
	assert_holds(p, 0, next);	/* also from the copy */
	assert_holds(p, 100, next);	/* entries before it may go */
	assert_int_equal(reopen(p, &disk_real, 99, &j, &w), ERR_CONFLICT);
	assert_holds(p, next, next);
	clear(p);
}

static void
journal_goes_on_where_it_stood(void **state)
{
	const struct place *p = *state;
	struct journal *j = NULL;
	struct why w;
	uint64_t i;

	for (i = 0; i < 30; i++) {
		assert_int_equal(reopen(p, &disk_real, i / 2, &j, &w), 0);
		assert_int_equal(journal_next(j), i * 3);
		assert_int_equal(append(j, 3), 0);
		journal_free(j);
	}
	assert_holds(p, 20, 90);
	clear(p);
}

static unsigned
files(const struct place *p)
{
	struct dirent *e;
	unsigned n = 0;
	DIR *d = opendir(p->path);

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

static void
journal_starts_new_generations_and_drops_old_ones(void **state)
{
	const struct place *p = *state;
	static uint8_t big[60000];
	struct journal_entry e[100];
	struct merkle_hash leaf;
	struct journal *j = NULL;
	struct why w;
	uint64_t next = 0;
	size_t i;

	assert_int_equal(merkle_leaf(big, sizeof(big), &leaf), 0);
	for (i = 0; i < 100; i++) {
		e[i].data = bytes_of(big, sizeof(big));
		e[i].leaf = leaf;
	}
	assert_int_equal(reopen(p, &disk_real, 0, &j, &w), 0);
	while (files(p) < 3) {
		assert_int_equal(journal_append(j, e, 100), 0);
		next += 100;
		assert_true(next < 2000);
	}
	journal_drop(j, 100);
	assert_int_equal(files(p), 3);	/* all have entries above */
	journal_drop(j, next - 1);
	assert_int_equal(files(p), 1);	/* the last always stays */
	journal_drop(j, next);
	assert_int_equal(files(p), 1);
	journal_free(j);
	assert_int_equal(journal_open(&disk_real, p->fd, 99, check_entry,
	    &(struct walk){99}, &j, &w), ERR_CONFLICT);
	clear(p);
}

static void
batch_over_its_maximum_is_refused_whole(void **state)
{
	const struct place *p = *state;
	static uint8_t big[65535];
	struct journal_entry e[200];
	struct journal *j = NULL;
	struct why w;
	size_t i;

	for (i = 0; i < 200; i++) {
		e[i].data = bytes_of(big, sizeof(big));
		assert_int_equal(merkle_leaf(big, sizeof(big), &e[i].leaf),
		    0);
	}
	assert_int_equal(reopen(p, &disk_real, 0, &j, &w), 0);
	assert_int_equal(journal_append(j, e, 200), ERR_LIMIT);
	assert_int_equal(journal_next(j), 0);
	assert_int_equal(append(j, 2), 0);
	journal_free(j);
	assert_holds(p, 0, 2);
	clear(p);
}

/* Bytes of the one generation that a fill leaves, and where batches end. */
struct image {
	char name[32];
	uint8_t data[65536];
	size_t len;
	size_t ends[16];
	uint64_t nexts[16];
	size_t n;
};

static void
save(const struct place *p, struct image *m)
{
	int fd = openat(p->fd, m->name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, m->data, m->len), (ssize_t)m->len);
	(void)close(fd);
}

static void
fill(const struct place *p, struct image *m)
{
	struct journal *j = NULL;
	struct stat st;
	struct why w;
	size_t i;
	int fd;

	memset(m, 0, sizeof(*m));
	(void)snprintf(m->name, sizeof(m->name), "journal.0");
	assert_int_equal(reopen(p, &disk_real, 0, &j, &w), 0);
	for (i = 0; i < 6; i++) {
		assert_int_equal(fstatat(p->fd, m->name, &st, 0), 0);
		m->ends[m->n] = (size_t)st.st_size;
		m->nexts[m->n++] = journal_next(j);
		assert_int_equal(append(j, 1 + i % 3), 0);
	}
	assert_int_equal(fstatat(p->fd, m->name, &st, 0), 0);
	m->ends[m->n] = (size_t)st.st_size;
	m->nexts[m->n++] = journal_next(j);
	journal_free(j);
	assert_true((fd = openat(p->fd, m->name, O_RDONLY)) >= 0);
	assert_int_equal(read(fd, m->data, sizeof(m->data)), st.st_size);
	m->len = (size_t)st.st_size;
	(void)close(fd);
	clear(p);
}

static void
every_cut_of_the_tail_leaves_the_whole_batches_before_it(void **state)
{
	const struct place *p = *state;
	static struct image m, cut;
	uint64_t want;
	size_t len, i;

	fill(p, &m);
	for (len = 0; len <= m.len; len++) {
		cut = m;
		cut.len = len;
		save(p, &cut);
		want = 0;
		for (i = 0; i < m.n; i++)
			if (m.ends[i] <= len)
				want = m.nexts[i];
		assert_holds(p, 0, want);
		clear(p);
	}
}

static void
tail_of_zeros_or_noise_is_cut(void **state)
{
	const struct place *p = *state;
	static struct image m, torn;
	size_t i, from;

	fill(p, &m);
	for (from = m.ends[m.n - 2]; from < m.len; from++) {
		torn = m;
		memset(torn.data + from, 0, m.len - from);
		/* The file's end may have been zeros itself. */
		if (memcmp(torn.data, m.data, m.len) == 0)
			continue;
		save(p, &torn);
		assert_holds(p, 0, m.nexts[m.n - 2]);
		clear(p);
	}
	torn = m;
	for (i = 0; i < 500; i++)
		torn.data[torn.len++] = (uint8_t)(i * 73 + 11);
	save(p, &torn);
	assert_holds(p, 0, m.nexts[m.n - 1]);
	clear(p);
}

static void
every_flipped_bit_is_found(void **state)
{
	const struct place *p = *state;
	static struct image m, bad;
	struct journal *j;
	struct why w;
	size_t i;
	int r;

	fill(p, &m);
	for (i = 0; i < m.len * 8; i++) {
		bad = m;
		bad.data[i / 8] ^= (uint8_t)(1 << i % 8);
		save(p, &bad);
		j = NULL;
		r = reopen(p, &disk_real, 0, &j, &w);
		if (i / 8 < m.ends[m.n - 2]) {
			/* Entries that are acknowledged lie behind. */
			assert_int_equal(r, ERR_FORMAT);
			assert_non_null(strstr(w.text, "journal.0"));
			assert_non_null(strstr(w.text, "offset"));
		} else {
			/* As if torn: all before the last batch is there. */
			assert_int_equal(r, 0);
			assert_int_equal(journal_next(j), m.nexts[m.n - 2]);
		}
		journal_free(j);
		clear(p);
	}
}

static void
missing_and_old_files_are_named(void **state)
{
	const struct place *p = *state;
	static struct image m;
	struct journal *j = NULL;
	struct why w;

	fill(p, &m);
	save(p, &m);
	/* More is in tiles than the journal knows: an old copy. */
	assert_int_equal(reopen(p, &disk_real, 1000, &j, &w), ERR_CONFLICT);
	assert_non_null(strstr(w.text, "old copy"));
	assert_int_equal(reopen(p, &disk_real, 5, &j, &w), 0);
	journal_free(j);
	/* Now it starts at 5, but 3 is asked for. */
	assert_int_equal(reopen(p, &disk_real, 3, &j, &w), ERR_CONFLICT);
	assert_non_null(strstr(w.text, "starts at entry 5"));
	clear(p);
}

/*
 * Fails call n of a session of opening and appending, for each n until none
 * fails, then opens with a healthy disk.
 */
static void
fail_each_call(const struct place *p, int error, bool for_good)
{
	struct fault f = {.error = error, .for_good = for_good};
	const struct disk d = fault_disk(&f);
	uint64_t durable, unsure;
	struct journal *j;
	struct why w;
	unsigned n;
	size_t i;
	int r;

	for (n = 1, f.failed = true; f.failed; n++) {
		durable = unsure = 0;
		f.calls = f.fail_at = 0;
		f.failed = f.was_sync = false;
		assert_int_equal(reopen(p, &disk_real, 0, &j, &w), 0);
		assert_int_equal(append(j, 4), 0);
		durable = 4;
		journal_free(j);
		j = NULL;
		f.fail_at = n;
		r = reopen(p, &d, 0, &j, &w);
		if (r != 0)
			assert_true(f.failed && w.text[0] != '\0');
		for (i = 0; r == 0 && i < 8; i++) {
			r = append(j, 3);
			if (r == 0)
				durable += 3;
			else if (r == ERR_STATE)
				unsure = durable + 3;
			else if (!for_good)
				r = 0;	/* refused; go on */
			if (j != NULL && r != ERR_STATE)
				assert_int_equal(journal_next(j), durable);
		}
		if (r == ERR_STATE && j != NULL)	/* final */
			assert_int_equal(append(j, 1), ERR_STATE);
		journal_free(j);
		j = NULL;
		if (reopen(p, &disk_real, 0, &j, &w) != 0)
			fail_msg("call %u: %s", n, w.text);
		if (journal_next(j) != durable)
			assert_int_equal(journal_next(j), unsure);
		journal_free(j);
		clear(p);
	}
	assert_true(n > 20);
}

static void
no_failing_call_loses_what_was_acknowledged(void **state)
{
	fail_each_call(*state, EIO, false);
}

static void
full_disk_from_any_call_on_loses_nothing_acknowledged(void **state)
{
	fail_each_call(*state, ENOSPC, true);
}

static void
refused_batch_leaves_the_file_at_its_durable_end(void **state)
{
	const struct place *p = *state;
	struct fault f = {.error = ENOSPC};
	const struct disk d = fault_disk(&f);
	struct journal *j = NULL;
	struct stat before, after;
	struct why w;

	assert_int_equal(reopen(p, &d, 0, &j, &w), 0);
	assert_int_equal(append(j, 9), 0);
	assert_int_equal(fstatat(p->fd, "journal.0", &before, 0), 0);
	f.fail_at = f.calls + 1;	/* the write */
	assert_int_equal(append(j, 9), ERR_IO);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fstatat(p->fd, "journal.0", &after, 0), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(append(j, 9), 0);
	/* Also if the first try to cut it back fails as well. */
	f.fail_at = f.calls + 1;
	f.for_good = true;
	assert_int_equal(append(j, 9), ERR_IO);
	assert_int_equal(append(j, 9), ERR_IO);
	f.fail_at = 0;
	assert_int_equal(append(j, 9), 0);
	assert_int_equal(journal_next(j), 27);
	journal_free(j);
	assert_holds(p, 0, 27);
	clear(p);
}

static void
failed_sync_is_final(void **state)
{
	const struct place *p = *state;
	struct fault f = {.error = EIO};
	const struct disk d = fault_disk(&f);
	struct journal *j = NULL;
	struct why w;

	assert_int_equal(reopen(p, &d, 0, &j, &w), 0);
	assert_int_equal(append(j, 2), 0);
	f.fail_at = f.calls + 2;	/* write, sync */
	assert_int_equal(append(j, 2), ERR_STATE);
	assert_true(f.was_sync);
	f.fail_at = 0;			/* the disk is fine again: no matter */
	assert_int_equal(append(j, 2), ERR_STATE);
	journal_free(j);
	clear(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(journal_gives_back_what_was_appended),
		cmocka_unit_test(journal_goes_on_where_it_stood),
		cmocka_unit_test(
		    journal_starts_new_generations_and_drops_old_ones),
		cmocka_unit_test(batch_over_its_maximum_is_refused_whole),
		cmocka_unit_test(
		    every_cut_of_the_tail_leaves_the_whole_batches_before_it),
		cmocka_unit_test(tail_of_zeros_or_noise_is_cut),
		cmocka_unit_test(every_flipped_bit_is_found),
		cmocka_unit_test(missing_and_old_files_are_named),
		cmocka_unit_test(no_failing_call_loses_what_was_acknowledged),
		cmocka_unit_test(
		    full_disk_from_any_call_on_loses_nothing_acknowledged),
		cmocka_unit_test(
		    refused_batch_leaves_the_file_at_its_durable_end),
		cmocka_unit_test(failed_sync_is_final),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
