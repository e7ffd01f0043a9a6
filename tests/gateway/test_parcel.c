/*
 * The bytes of a configuration's files, handed over: as written by hand from
 * the format in parcel.c, and as nobody may write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/parcel.h"

/* "a" is "hi"; there is no "bc"; "d" is empty. */
static const uint8_t by_hand[] =
    "\0\0\0\1" "a" "\1" "\0\0\0\0\0\0\0\2" "hi"
    "\0\0\0\2" "bc" "\0"
    "\0\0\0\1" "d" "\1" "\0\0\0\0\0\0\0\0";
#define HAND_LEN (sizeof(by_hand) - 1)
static const size_t borders[] = {0, 16, 23, HAND_LEN};

static struct parcel *
make(void)
{
	struct parcel *b = parcel_new();

	assert_non_null(b);
	assert_int_equal(parcel_add(b, "a", "hi", 2), 0);
	assert_int_equal(parcel_add_absent(b, "bc"), 0);
	assert_int_equal(parcel_add(b, "d", NULL, 0), 0);
	return b;
}

static void
assert_made(const struct parcel *b)
{
	struct bytes got;

	assert_int_equal(parcel_find(b, "a", &got), 0);
	assert_true(bytes_equal(got, bytes_str("hi")));
	assert_int_equal(parcel_find(b, "bc", &got), ERR_MISSING);
	assert_int_equal(parcel_find(b, "d", &got), 0);
	assert_int_equal(got.len, 0);
	assert_int_equal(parcel_find(b, "e", &got), ERR_CONFLICT);
}

static void
parcel_is_written_and_read_as_its_format_says(void **state)
{
	struct parcel *b = make(), *back = NULL;
	struct buf out;

	(void)state;
	assert_made(b);
	buf_init(&out, 0);
	assert_int_equal(parcel_encode(b, &out), 0);
	assert_true(bytes_equal(bytes_of(out.data, out.len),
	    bytes_of(by_hand, HAND_LEN)));
	assert_int_equal(parcel_decode(bytes_of(by_hand, HAND_LEN), &back),
	    0);
	assert_made(back);
	buf_done(&out);
	parcel_free(b);
	parcel_free(back);
}

static void
first_bytes_of_a_name_are_kept(void **state)
{
	struct parcel *b = make();
	struct bytes got;

	(void)state;
	assert_int_equal(parcel_add(b, "a", "other", 5), 0);
	assert_int_equal(parcel_add_absent(b, "a"), 0);
	assert_int_equal(parcel_add(b, "bc", "there after all", 15), 0);
	assert_made(b);
	assert_int_equal(parcel_add(b, "nul", "x\0y", 3), 0);
	assert_int_equal(parcel_find(b, "nul", &got), 0);
	assert_true(bytes_equal(got, bytes_of("x\0y", 3)));
	parcel_free(b);
}

static void
cut_anywhere_it_is_refused_or_ends_between_two_items(void **state)
{
	struct parcel *b;
	uint8_t *exact;
	size_t len, i;
	bool border;
	int r;

	(void)state;
	for (len = 0; len <= HAND_LEN; len++) {
		/* Of its own, so that a read past the end is seen. */
		assert_non_null(exact = malloc(len + (len == 0)));
		memcpy(exact, by_hand, len);
		border = false;
		for (i = 0; i < sizeof(borders) / sizeof(borders[0]); i++)
			border |= borders[i] == len;
		b = NULL;
		r = parcel_decode(bytes_of(exact, len), &b);
		assert_int_equal(r, border ? 0 : ERR_FORMAT);
		assert_int_equal(b != NULL, border);
		parcel_free(b);
		free(exact);
	}
}

static void
wrong_bytes_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} wrong[] = {
		{0, 0x7f},	/* a name of 2 GiB */
		{2, 0x10},	/* of 4097 bytes */
		{4, 0},		/* with a NUL in it */
		{5, 2},		/* neither there nor not */
		{6, 0x80},	/* a file of 2^63 bytes */
		{9, 0x40},	/* longer than a parcel may be */
		{13, 3},	/* and so the next one is misread */
	};
	uint8_t bytes[HAND_LEN];
	struct parcel *b = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(bytes, by_hand, HAND_LEN);
		bytes[wrong[i].at] = wrong[i].byte;
		if (parcel_decode(bytes_of(bytes, HAND_LEN), &b) !=
		    ERR_FORMAT)
			fail_msg("byte %zu", wrong[i].at);
		assert_null(b);
	}
}

static void
names_and_items_are_bounded(void **state)
{
	struct parcel *b = parcel_new();
	char *name = calloc(1, PARCEL_NAME_MAX + 2);

	(void)state;
	assert_non_null(name);
	memset(name, 'n', PARCEL_NAME_MAX);
	assert_int_equal(parcel_add(b, name, "", 0), 0);
	name[PARCEL_NAME_MAX] = 'n';
	assert_int_equal(parcel_add(b, name, "", 0), ERR_LIMIT);
	assert_int_equal(parcel_add_absent(b, name), ERR_LIMIT);
	free(name);
	parcel_free(b);
}

static void
parcel_goes_through_a_descriptor_whole(void **state)
{
	size_t len = ((size_t)3 << 20) + 1, i;
	struct parcel *b = make(), *back = NULL;
	uint8_t *big = malloc(len);
	struct bytes got;
	int fd = memfd_create("parcel", 0);

	(void)state;
	assert_non_null(big);
	assert_true(fd >= 0);
	for (i = 0; i < len; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(parcel_add(b, "big", big, len), 0);
	assert_int_equal(parcel_write(b, fd), 0);
	assert_int_equal(parcel_read(fd, &back), 0);
	assert_made(back);
	assert_int_equal(parcel_find(back, "big", &got), 0);
	assert_true(bytes_equal(got, bytes_of(big, len)));
	parcel_free(back);
	back = NULL;
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	assert_int_equal(parcel_read(fd, &back), ERR_FORMAT);
	(void)close(fd);
	assert_int_equal(parcel_read(fd, &back), ERR_IO);
	assert_int_equal(parcel_write(b, fd), ERR_IO);
	parcel_free(b);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    parcel_is_written_and_read_as_its_format_says),
		cmocka_unit_test(first_bytes_of_a_name_are_kept),
		cmocka_unit_test(
		    cut_anywhere_it_is_refused_or_ends_between_two_items),
		cmocka_unit_test(wrong_bytes_are_refused),
		cmocka_unit_test(names_and_items_are_bounded),
		cmocka_unit_test(parcel_goes_through_a_descriptor_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
