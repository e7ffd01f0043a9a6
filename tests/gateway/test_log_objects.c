/*
 * What the log process does with the parts of objects that a gateway sends,
 * right ones and wrong ones; the oracle is the file that is there afterwards.
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
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "gateway/log_objects.h"
#include "gateway/log_wire.h"
#include "store/disk.h"
#include "store/object.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char folder[] = "/tmp/sworn-objects-XXXXXX";

static int
make_folder(void **state)
{
	static struct log_objects o;

	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	memset(&o, 0, sizeof(o));
	if (mkdtemp(folder) == NULL ||
	    (o.log_dir = open(folder, O_RDONLY | O_DIRECTORY)) < 0)
		return -1;
	*state = &o;
	return 0;
}

static int
remove_folder(void **state)
{
	struct log_objects *o = *state;

	log_objects_reset(o);
	(void)unlinkat(o->log_dir, "objects/" ABC, 0);
	(void)unlinkat(o->log_dir, "objects", AT_REMOVEDIR);
	(void)close(o->log_dir);
	return rmdir(folder);	/* fails if anything else was left there */
}

/* One that says it is "abc". */
static struct log_object
abc(uint64_t id, uint64_t len)
{
	struct log_object o = {.id = id, .len = len};

	assert_int_equal(hash_sha256("abc", 3, o.hash), 0);
	return o;
}

/* Each letter is a part; the result that was answered, 1 if none was. */
static int
send(struct log_objects *o, struct log_object one, const char *parts)
{
	struct log_stored s;
	int result = 1;

	do {
		one.part = bytes_of(parts, *parts != 0);
		if (!log_objects_take(o, &one, &s))
			continue;
		assert_int_equal(result, 1);	/* one answer and no other */
		assert_int_equal(s.id, one.id);
		assert_string_equal(s.hex, s.result == 0 ? ABC : "");
		result = s.result;
	} while (*parts != 0 && *++parts != 0);
	return result;
}

static bool
is_kept(struct log_objects *o)
{
	struct buf b;
	bool is;

	buf_init(&b, 0);
	is = disk_read(o->log_dir, "objects/" ABC, 3, &b) == 0 &&
	    bytes_equal(bytes_of(b.data, b.len), bytes_str("abc"));
	buf_done(&b);
	return is;
}

static void
parts_become_one_object(void **state)
{
	assert_int_equal(send(*state, abc(7, 3), "ab"), 1);
	assert_false(is_kept(*state));
	assert_int_equal(send(*state, abc(7, 3), "c"), 0);
	assert_true(is_kept(*state));
	/* Again: it is there, and the answer is the same. */
	assert_int_equal(send(*state, abc(8, 3), "abc"), 0);
	assert_true(is_kept(*state));
}

static void
bytes_that_are_not_of_the_hash_are_not_kept(void **state)
{
	struct log_stored s;
	struct log_object o;

	assert_int_equal(send(*state, abc(1, 3), "abd"), ERR_CRYPTO);
	assert_int_equal(send(*state, abc(2, 2), "ab"), ERR_CRYPTO);
	assert_int_equal(send(*state, abc(3, 2), "abc"), ERR_CRYPTO);
	assert_int_equal(send(*state, abc(4, 0), ""), ERR_CRYPTO);
	o = abc(5, 2);			/* all at once, and one too many */
	o.part = bytes_of("abc", 3);
	assert_true(log_objects_take(*state, &o, &s));
	assert_int_equal(s.result, ERR_CRYPTO);
	assert_false(is_kept(*state));
	/* Nor do they pass when the right ones are there already. */
	assert_int_equal(send(*state, abc(6, 3), "abc"), 0);
	assert_int_equal(send(*state, abc(7, 3), "abd"), ERR_CRYPTO);
	assert_true(is_kept(*state));
}

static void
length_past_the_maximum_is_refused_at_its_first_part(void **state)
{
	assert_int_equal(send(*state, abc(1, OBJECT_MAX + 1), "a"),
	    ERR_LIMIT);
	assert_int_equal(send(*state, abc(1, OBJECT_MAX + 1), "bc"), 1);
	assert_int_equal(send(*state, abc(2, UINT64_MAX), "a"), ERR_LIMIT);
	assert_false(is_kept(*state));
}

static void
half_an_object_is_forgotten_with_its_sender_or_for_another(void **state)
{
	struct log_objects *o = *state;

	assert_int_equal(send(o, abc(1, 3), "ab"), 1);
	log_objects_reset(o);
	assert_int_equal(send(o, abc(1, 3), "c"), 1);	/* a new one */
	assert_int_equal(send(o, abc(2, 3), "ab"), 1);
	assert_int_equal(send(o, abc(3, 3), "abc"), 0);
	assert_true(is_kept(o));
}

static void
spoilt_object_is_made_good(void **state)
{
	struct log_objects *o = *state;
	int fd;

	assert_int_equal(send(o, abc(1, 3), "abc"), 0);
	fd = openat(o->log_dir, "objects/" ABC, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 1), 1);
	(void)close(fd);
	assert_false(is_kept(o));
	assert_int_equal(send(o, abc(2, 3), "abc"), 0);
	assert_true(is_kept(o));
}

#define T(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(parts_become_one_object),
		T(bytes_that_are_not_of_the_hash_are_not_kept),
		T(length_past_the_maximum_is_refused_at_its_first_part),
		T(half_an_object_is_forgotten_with_its_sender_or_for_another),
		T(spoilt_object_is_made_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
