/*
 * PostgreSQL's CSV: quoting, line ends, pieces of any size, times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/csv.h"
#include "claim/csvlog.h"

/* Rows as one text: fields ended by |, rows by a line feed. */
static int
collect(void *arg, const char *const *fields, size_t n)
{
	struct buf *out = arg;
	size_t i;

	for (i = 0; i < n; i++) {
		buf_str(out, fields[i]);
		buf_u8(out, '|');
	}
	buf_u8(out, '\n');
	return 0;
}

static int
parse(const char *text, size_t piece, struct buf *out)
{
	struct csv *c = csv_new(collect, out);
	size_t len = strlen(text), at, n;
	int r = 0;

	assert_non_null(c);
	buf_reset(out);
	for (at = 0; at < len && r == 0; at += n) {
		n = len - at < piece ? len - at : piece;
		r = csv_feed(c, text + at, n);
	}
	if (r == 0)
		r = csv_end(c);
	csv_free(c);
	return r;
}

static const struct {
	const char *text;
	const char *rows;	/* NULL: refused */
} cases[] = {
	{"", ""},
	{"a,b\n", "a|b|\n"},
	{"a,b\r\nc\r\n", "a|b|\nc|\n"},
	{",\n", "||\n"},
	{"a,,c\n", "a||c|\n"},
	{"\"a\"\n", "a|\n"},
	{"\"\",x\n", "|x|\n"},
	{"\"a,b\",\"c\"\"d\"\n", "a,b|c\"d|\n"},
	{"\"\"\"\"\n", "\"|\n"},
	{"\"two\nlines\r\n\",x\n", "two\nlines\r\n|x|\n"},
	{"\n\na\n", "a|\n"},
	{"a,b", NULL},
	{"\"a", NULL},
	{"\"a\"b\n", NULL},
	{"a\"b\n", NULL},
	{"a\rb\n", NULL},
};

static void
rows_come_out_alike_whatever_the_pieces(void **state)
{
	struct buf out;
	size_t i, piece;
	int r;

	(void)state;
	buf_init(&out, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (piece = 1; piece < 8; piece++) {
			r = parse(cases[i].text, piece, &out);
			if (cases[i].rows == NULL) {
				assert_int_not_equal(r, 0);
				continue;
			}
			assert_int_equal(r, 0);
			assert_string_equal(buf_text(&out), cases[i].rows);
		}
	}
	buf_done(&out);
}

static void
row_with_too_many_fields_is_refused(void **state)
{
	char text[CSV_FIELDS_MAX + 3];
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	memset(text, ',', sizeof(text));
	text[sizeof(text) - 2] = '\n';
	text[sizeof(text) - 1] = 0;
	assert_int_equal(parse(text, 5, &out), ERR_LIMIT);
	text[CSV_FIELDS_MAX - 1] = '\n';
	text[CSV_FIELDS_MAX] = 0;
	assert_int_equal(parse(text, 5, &out), 0);
	buf_done(&out);
}

static void
times_are_read_in_utc_only(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(csvlog_time("2026-11-23 17:40:00.123 UTC", &ms), 0);
	assert_int_equal(ms, 1795455600123);
	assert_int_equal(csvlog_time("2026-11-23 17:40:00.123 GMT", &ms), 0);
	assert_int_equal(csvlog_time("2026-11-23 17:40:00.123 CET", &ms),
	    ERR_FORMAT);
	assert_int_equal(csvlog_time("2026-11-23 17:40:00.123", &ms),
	    ERR_FORMAT);
	assert_int_equal(csvlog_time("2026-11-23T17:40:00.123 UTC", &ms),
	    ERR_FORMAT);
	assert_int_equal(csvlog_time("2026-13-23 17:40:00.123 UTC", &ms),
	    ERR_FORMAT);
	assert_int_equal(csvlog_time("", &ms), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_out_alike_whatever_the_pieces),
		cmocka_unit_test(row_with_too_many_fields_is_refused),
		cmocka_unit_test(times_are_read_in_utc_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
