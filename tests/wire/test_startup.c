/* wire/startup.h and wire/options.h: the first packet, whole and broken. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/options.h"
#include "wire/startup.h"

/* As psql 15 sends it, byte for byte. */
static const uint8_t psql[] =
    "\0\0\0\x4b" "\0\3\0\0"
    "user\0alice\0" "database\0us\0" "application_name\0psql\0"
    "client_encoding\0UTF8\0" "\0";
#define PSQL_LEN (sizeof(psql) - 1)

static int
read_all(const void *data, size_t len, struct startup *ret)
{
	struct reader r;

	reader_init(&r, data, len);
	return startup_read(&r, ret);
}

static void
startup_of_psql_is_read(void **state)
{
	struct startup s;

	(void)state;
	assert_int_equal(PSQL_LEN, 0x4b);
	assert_int_equal(read_all(psql, PSQL_LEN, &s), 0);
	assert_int_equal(s.kind, STARTUP_SESSION);
	assert_int_equal(s.minor, 0);
	assert_int_equal(s.n_params, 4);
	assert_string_equal(startup_param(&s, "user"), "alice");
	assert_string_equal(startup_param(&s, "database"), "us");
	assert_null(startup_param(&s, "replication"));
}

static void
startup_cut_anywhere_waits_and_moves_nothing(void **state)
{
	struct startup s;
	struct reader r;
	size_t n;

	(void)state;
	for (n = 0; n < PSQL_LEN; n++) {
		reader_init(&r, psql, n);
		assert_int_equal(startup_read(&r, &s), ERR_SHORT);
		assert_int_equal(r.pos, 0);
	}
}

/* The same bytes, said to be shorter than they are: never accepted. */
static void
startup_with_length_inside_its_fields_is_rejected(void **state)
{
	uint8_t copy[PSQL_LEN];
	struct startup s;
	size_t n;

	(void)state;
	for (n = 8; n < PSQL_LEN; n++) {
		memcpy(copy, psql, sizeof(copy));
		copy[3] = (uint8_t)n;
		assert_int_equal(read_all(copy, PSQL_LEN, &s), ERR_FORMAT);
	}
}

static void
startup_rejects_length_before_waiting_for_it(void **state)
{
	static const struct {
		uint32_t len;
		int want;
	} cases[] = {
		{0, ERR_FORMAT}, {4, ERR_FORMAT}, {7, ERR_FORMAT},
		{8, ERR_SHORT}, {10004, ERR_SHORT}, {10005, ERR_FORMAT},
		{0x7fffffff, ERR_FORMAT}, {0x80000000, ERR_FORMAT},
		{0xffffffff, ERR_FORMAT}, {0x16030100, ERR_FORMAT},
	};
	struct startup s;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_reset(&b);
		buf_u32(&b, cases[i].len);
		assert_int_equal(read_all(b.data, b.len, &s), cases[i].want);
	}
	buf_done(&b);
}

static void
startup_rejects_bytes_behind_the_last_parameter(void **state)
{
	static const uint8_t packet[] =
	    "\0\0\0\x15" "\0\3\0\0" "user\0bob\0" "\0" "junk";
	struct startup s;

	(void)state;
	assert_int_equal(read_all(packet, 0x15, &s), ERR_FORMAT);
}

static void
startup_rejects_one_parameter_too_many(void **state)
{
	struct startup_param params[STARTUP_PARAMS_MAX + 1];
	struct startup s;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < STARTUP_PARAMS_MAX + 1; i++)
		params[i] = (struct startup_param){"a", "b"};
	buf_init(&b, 0);
	startup_write(&b, params, STARTUP_PARAMS_MAX);
	assert_int_equal(read_all(b.data, b.len, &s), 0);
	assert_int_equal(s.n_params, STARTUP_PARAMS_MAX);
	buf_reset(&b);
	startup_write(&b, params, STARTUP_PARAMS_MAX + 1);
	assert_int_equal(read_all(b.data, b.len, &s), ERR_LIMIT);
	buf_done(&b);
}

static void
requests_that_are_no_session_are_told_apart(void **state)
{
	static const struct {
		const char *packet;
		size_t len;
		enum startup_kind want;
	} cases[] = {
		{"\0\0\0\x08\x04\xd2\x16\x2f", 8, STARTUP_SSL},
		{"\0\0\0\x08\x04\xd2\x16\x30", 8, STARTUP_GSSENC},
		{"\0\0\0\x10\x04\xd2\x16\x2e\0\0\x30\x39""abcd", 16,
		    STARTUP_CANCEL},
		{"\0\0\0\x08\0\2\0\0", 8, STARTUP_UNSUPPORTED},
		{"\0\0\0\x08\0\4\0\0", 8, STARTUP_UNSUPPORTED},
	};
	struct startup s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(read_all(cases[i].packet, cases[i].len, &s),
		    0);
		assert_int_equal(s.kind, cases[i].want);
		if (s.kind == STARTUP_CANCEL) {
			assert_int_equal(s.cancel_pid, 12345);
			assert_int_equal(s.cancel_secret.len, 4);
			assert_memory_equal(s.cancel_secret.data, "abcd", 4);
		}
	}
}

static void
cancel_with_a_secret_of_a_wrong_length_is_rejected(void **state)
{
	struct startup s;
	struct buf b;
	uint8_t secret[257] = {0};
	size_t n;

	(void)state;
	buf_init(&b, 0);
	for (n = 0; n <= 257; n++) {
		buf_reset(&b);
		startup_cancel_write(&b, 1, bytes_of(secret, n));
		assert_int_equal(read_all(b.data, b.len, &s),
		    n >= 4 && n <= 256 ? 0 : ERR_FORMAT);
	}
	buf_done(&b);
}

static void
options_are_split_as_postgresql_splits_them(void **state)
{
	static const struct {
		const char *text;
		int want;
		size_t n;
		const char *name, *value;	/* of the last */
	} cases[] = {
		{"", 0, 0, NULL, NULL},
		{"  \t\n ", 0, 0, NULL, NULL},
		{"-c a=b", 0, 1, "a", "b"},
		{"-ca=b", 0, 1, "a", "b"},
		{"--a=b", 0, 1, "a", "b"},
		{"--work-mem=1MB", 0, 1, "work_mem", "1MB"},
		{"-c a=b  --c=d", 0, 2, "c", "d"},
		{"-c a=x\\ y", 0, 1, "a", "x y"},
		{"-c a=x\\\\y", 0, 1, "a", "x\\y"},
		{"-c a=b=c", 0, 1, "a", "b=c"},
		{"-c a=", 0, 1, "a", ""},
		{"-c a=b\\", 0, 1, "a", "b"},
		{"-c", ERR_FORMAT, 0, NULL, NULL},
		{"-c a", ERR_FORMAT, 0, NULL, NULL},
		{"--a", ERR_FORMAT, 0, NULL, NULL},
		{"-c =b", ERR_FORMAT, 0, NULL, NULL},
		{"-d 5", ERR_FORMAT, 0, NULL, NULL},
		{"a=b", ERR_FORMAT, 0, NULL, NULL},
	};
	struct startup_param *list;
	struct arena *a = arena_new();
	const char *bad;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(options_split(cases[i].text, a, &list, &n,
		    &bad), cases[i].want);
		if (cases[i].want != 0)
			continue;
		assert_int_equal(n, cases[i].n);
		if (n == 0)
			continue;
		assert_string_equal(list[n - 1].name, cases[i].name);
		assert_string_equal(list[n - 1].value, cases[i].value);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(startup_of_psql_is_read),
		cmocka_unit_test(startup_cut_anywhere_waits_and_moves_nothing),
		cmocka_unit_test(
		    startup_with_length_inside_its_fields_is_rejected),
		cmocka_unit_test(startup_rejects_length_before_waiting_for_it),
		cmocka_unit_test(
		    startup_rejects_bytes_behind_the_last_parameter),
		cmocka_unit_test(startup_rejects_one_parameter_too_many),
		cmocka_unit_test(requests_that_are_no_session_are_told_apart),
		cmocka_unit_test(
		    cancel_with_a_secret_of_a_wrong_length_is_rejected),
		cmocka_unit_test(options_are_split_as_postgresql_splits_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
