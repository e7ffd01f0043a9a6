/*
 * wire/frame.h, wire/frontend.h, wire/backend.h: every message cut and
 * stretched, lengths that cannot be, and the stream in pieces of any size.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/backend.h"
#include "wire/frame.h"
#include "wire/frontend.h"

static void
frame_length_is_judged_before_it_is_waited_for(void **state)
{
	static const struct {
		uint32_t len;
		int want;
	} cases[] = {
		{0, ERR_FORMAT}, {3, ERR_FORMAT}, {4, 0}, {5, ERR_SHORT},
		{104, ERR_SHORT}, {105, ERR_LIMIT}, {0x7fffffff, ERR_LIMIT},
		{0x80000000, ERR_FORMAT}, {0xffffffff, ERR_FORMAT},
	};
	struct reader r;
	struct frame f;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_reset(&b);
		buf_u8(&b, 'Q');
		buf_u32(&b, cases[i].len);
		reader_init(&r, b.data, b.len);
		assert_int_equal(frame_read(&r, 100, &f), cases[i].want);
		assert_int_equal(r.pos, cases[i].want == 0 ? 5 : 0);
	}
	buf_done(&b);
}

static int
read_query(struct bytes b)
{
	struct frontend_query q;

	return frontend_query_read(b, &q);
}

static int
read_parse(struct bytes b)
{
	struct frontend_parse p;

	return frontend_parse_read(b, &p);
}

static int
read_bind(struct bytes b)
{
	struct frontend_bind p;

	return frontend_bind_read(b, &p);
}

static int
read_target(struct bytes b)
{
	struct frontend_target t;

	return frontend_target_read(b, &t);
}

static int
read_execute(struct bytes b)
{
	struct frontend_execute x;

	return frontend_execute_read(b, &x);
}

static int
read_sasl(struct bytes b)
{
	struct frontend_sasl s;

	return frontend_sasl_read(b, &s);
}

static int
read_error(struct bytes b)
{
	struct backend_error e;

	return backend_error_read(b, &e);
}

#define BODY(s) s, sizeof(s) - 1

static const struct {
	const char *name;
	int (*read)(struct bytes);
	const char *body;
	size_t len;
} messages[] = {
	{"Query", read_query, BODY("select 1\0")},
	{"Parse", read_parse, BODY("s1\0select $1\0\0\1\0\0\0\x17")},
	{"Bind", read_bind, BODY("p\0s1\0\0\1\0\1\0\2\0\0\0\1x"
	    "\xff\xff\xff\xff\0\1\0\0")},
	{"Describe", read_target, BODY("Ss1\0")},
	{"Close", read_target, BODY("Pp\0")},
	{"Execute", read_execute, BODY("p\0\0\0\0\0")},
	{"SASLInitialResponse", read_sasl,
	    BODY("SCRAM-SHA-256\0\0\0\0\3n,,")},
	{"ErrorResponse", read_error,
	    BODY("SERROR\0VERROR\0C42501\0Mno\0\0")},
};

static void
each_message_is_read_whole_and_only_whole(void **state)
{
	struct bytes b;
	uint8_t *copy;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		b = bytes_of(messages[i].body, messages[i].len);
		assert_int_equal(messages[i].read(b), 0);
		for (n = 0; n < messages[i].len; n++) {
			/* A copy of just that size, so that a sanitizer sees
			 * whoever reads on. */
			copy = malloc(n + 1);
			assert_non_null(copy);
			memcpy(copy, messages[i].body, n);
			assert_int_equal(messages[i].read(bytes_of(copy, n)),
			    ERR_FORMAT);
			free(copy);
		}
		copy = malloc(messages[i].len + 1);
		assert_non_null(copy);
		memcpy(copy, messages[i].body, messages[i].len);
		copy[messages[i].len] = 'x';
		assert_int_equal(messages[i].read(bytes_of(copy,
		    messages[i].len + 1)), ERR_FORMAT);
		free(copy);
	}
}

static void
bind_with_a_negative_length_other_than_null_is_rejected(void **state)
{
	struct buf b;
	uint32_t len;

	(void)state;
	buf_init(&b, 0);
	for (len = 0xfffffff0; len != 0xffffffff; len++) {
		buf_reset(&b);
		buf_bytes(&b, "\0\0\0\0\0\1", 6);
		buf_u32(&b, len);
		buf_u16(&b, 0);
		assert_int_equal(read_bind(bytes_of(b.data, b.len)),
		    ERR_FORMAT);
	}
	buf_reset(&b);
	buf_bytes(&b, "\0\0\0\0\0\1\xff\xff\xff\xff\0\0", 12);
	assert_int_equal(read_bind(bytes_of(b.data, b.len)), 0);
	buf_done(&b);
}

static void
error_is_written_with_the_fields_that_postgresql_names(void **state)
{
	static const char want[] = "E\0\0\0\x33" "SERROR\0VERROR\0C42501\0"
	    "Mno such right\0Dwhy\0Hask\0\0";
	const struct backend_error e = {"ERROR", "42501", "no such right",
	    "why", "ask"};
	struct backend_error back;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	backend_error_write(&b, &e);
	assert_int_equal(b.len, sizeof(want) - 1);
	assert_memory_equal(b.data, want, b.len);
	assert_int_equal(backend_error_read(bytes_of(b.data + 5, b.len - 5),
	    &back), 0);
	assert_string_equal(back.detail, "why");
	buf_done(&b);
}

static void
sasl_offer_is_that_of_postgresql(void **state)
{
	static const char want[] =
	    "R\0\0\0\x17\0\0\0\x0a" "SCRAM-SHA-256\0\0";
	static const char both[] = "R\0\0\0\x2a\0\0\0\x0a"
	    "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	backend_sasl_write(&b, false);
	assert_int_equal(b.len, sizeof(want) - 1);
	assert_memory_equal(b.data, want, b.len);
	assert_true(backend_sasl_offers(bytes_of(want + 9, 15),
	    "SCRAM-SHA-256"));
	assert_false(backend_sasl_offers(bytes_of(want + 9, 15), "SCRAM"));
	buf_reset(&b);
	backend_sasl_write(&b, true);
	assert_int_equal(b.len, sizeof(both) - 1);
	assert_memory_equal(b.data, both, b.len);
	assert_true(backend_sasl_offers(bytes_of(both + 9, 34),
	    "SCRAM-SHA-256"));
	assert_true(backend_sasl_offers(bytes_of(both + 9, 34),
	    "SCRAM-SHA-256-PLUS"));
	buf_done(&b);
}

/* Two rows of 3 and 0 bytes, one CopyData of 2, a notice, ReadyForQuery. */
static const char answer[] = "T\0\0\0\6\0\0" "D\0\0\0\7abc" "D\0\0\0\4"
    "d\0\0\0\6xy" "N\0\0\0\5\0" "Z\0\0\0\5E";

static void
stream_counts_the_same_in_pieces_of_any_size(void **state)
{
	struct stream s;
	size_t piece, i, n, len = sizeof(answer) - 1;

	(void)state;
	for (piece = 1; piece <= len; piece++) {
		stream_init(&s);
		for (i = 0; i < len; i += n) {
			n = len - i < piece ? len - i : piece;
			assert_int_equal(stream_feed(&s, answer + i, n), 0);
		}
		assert_int_equal(s.rows, 3);
		assert_int_equal(s.bytes, 5);
		assert_int_equal(s.status, 'E');
		assert_true(stream_between(&s));
	}
}

static void
stream_is_between_messages_only_at_their_ends(void **state)
{
	static const size_t ends[] = {0, 7, 15, 20, 27, 33, 39};
	struct stream s;
	size_t i, next = 1;

	(void)state;
	stream_init(&s);
	for (i = 0; i < sizeof(answer) - 1; i++) {
		assert_int_equal(stream_feed(&s, answer + i, 1), 0);
		if (i + 1 == ends[next]) {
			assert_true(stream_between(&s));
			next++;
		} else {
			assert_false(stream_between(&s));
		}
	}
}

static void
stream_with_an_impossible_length_is_lost(void **state)
{
	struct stream s;

	(void)state;
	stream_init(&s);
	assert_int_equal(stream_feed(&s, "D\0\0\0\3", 5), ERR_FORMAT);
	stream_init(&s);
	assert_int_equal(stream_feed(&s, "D\xff\xff\xff\xff", 5), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    frame_length_is_judged_before_it_is_waited_for),
		cmocka_unit_test(each_message_is_read_whole_and_only_whole),
		cmocka_unit_test(
		    bind_with_a_negative_length_other_than_null_is_rejected),
		cmocka_unit_test(
		    error_is_written_with_the_fields_that_postgresql_names),
		cmocka_unit_test(sasl_offer_is_that_of_postgresql),
		cmocka_unit_test(stream_counts_the_same_in_pieces_of_any_size),
		cmocka_unit_test(
		    stream_is_between_messages_only_at_their_ends),
		cmocka_unit_test(stream_with_an_impossible_length_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
