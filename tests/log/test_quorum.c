/*
 * Files are read or refused with their line; whether a set of witnesses is
 * enough is held against a plain expression of the same file, and the fewest
 * that can be enough against all sets there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "log/quorum.h"

#define WITNESSES 6

/* The text of a verifier key of its own. */
static const char *
key_text(unsigned i, uint8_t type, char ret[static 512])
{
	uint8_t public[SIGN_PUBLIC_LEN] = {(uint8_t)(i + 1)};
	struct note_key key;
	struct buf out;
	char name[16];

	(void)snprintf(name, sizeof(name), "w%u.example", i);
	assert_int_equal(note_key_make(name, type, public, &key), 0);
	buf_init(&out, 0);
	note_key_write(&key, &out);
	(void)snprintf(ret, 512, "%s", buf_text(&out));
	buf_done(&out);
	return ret;
}

/* WITNESSES lines of witnesses A, B, ...; then the text. */
static struct quorum *
read(const char *text, struct why *w)
{
	struct quorum *q = NULL;
	struct buf b;
	char key[512];
	unsigned i;

	buf_init(&b, 0);
	for (i = 0; i < WITNESSES; i++)
		buf_fmt(&b, "witness %c %s https://%c.example\n", 'A' + i,
		    key_text(i, 4, key), 'a' + i);
	buf_fmt(&b, "%s", text);
	memset(w, 0, sizeof(*w));
	if (quorum_read(buf_text(&b), b.len, &q, w) != 0)
		assert_null(q);
	buf_done(&b);
	return q;
}

typedef bool enough(unsigned set);

#define HAS(i) ((set >> (i) & 1) != 0)

static bool
one_alone(unsigned set)
{
	return HAS(2);
}

static bool
two_of_three(unsigned set)
{
	return HAS(0) + HAS(1) + HAS(2) >= 2;
}

static bool
nested(unsigned set)
{
	return (HAS(0) + HAS(1) + HAS(2) >= 2) && (HAS(3) || HAS(4));
}

static bool
uneven(unsigned set)
{
	return ((HAS(0) && HAS(1) && HAS(2)) + (HAS(3) || HAS(4)) +
	    HAS(5)) >= 2;
}

static bool
always(unsigned set)
{
	(void)set;
	return true;
}

static void
any_set_of_witnesses_is_decided_as_the_file_says(void **state)
{
	static const struct {
		const char *text;
		enough *want;
	} cases[] = {
		{"quorum C\n", one_alone},
		{"group g 2 A B C\nquorum g\n", two_of_three},
		{"group g 2 A B C\n\n# two rooms\ngroup h any D E\n"
		    "group both all g h\nquorum both", nested},
		{"group g all A B C\ngroup h\tany  D E\n"
		    "group k 2 g h F\n  quorum k\n", uneven},
		{"quorum none\n", always},
	};
	bool has[WITNESSES];
	size_t i, k, least, n;
	struct quorum *q;
	struct why w;
	unsigned set;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		q = read(cases[i].text, &w);
		assert_non_null(q);
		least = WITNESSES;
		for (set = 0; set < 1u << WITNESSES; set++) {
			for (k = n = 0; k < WITNESSES; k++)
				n += has[k] = HAS(k);
			assert_int_equal(quorum_met(q, has),
			    cases[i].want(set));
			if (cases[i].want(set) && n < least)
				least = n;
		}
		assert_int_equal(quorum_least(q), least);
		quorum_free(q);
	}
}

static void
logs_and_witnesses_keep_their_keys_and_urls(void **state)
{
	const struct quorum_party *p;
	struct quorum *q;
	struct note_key key;
	struct why w;
	char text[2048], k[512], k2[512];
	size_t n;

	(void)state;
	(void)snprintf(text, sizeof(text), "log %s\nlog %s https://log\n"
	    "quorum A\n", key_text(30, 1, k), key_text(31, 1, k2));
	q = read(text, &w);
	assert_non_null(q);
	p = quorum_logs(q, &n);
	assert_int_equal(n, 2);
	assert_null(p[0].url);
	assert_string_equal(p[1].url, "https://log");
	assert_string_equal(p[1].key.name, "w31.example");
	p = quorum_witnesses(q, &n);
	assert_int_equal(n, WITNESSES);
	assert_string_equal(p[5].name, "F");
	assert_string_equal(p[5].url, "https://f.example");
	(void)key_text(5, 4, k);
	assert_int_equal(note_key_read(k, strlen(k), &key), 0);
	assert_memory_equal(&p[5].key, &key, sizeof(key));
	quorum_free(q);
}

static void
bad_lines_are_refused_by_number(void **state)
{
	static const struct {
		const char *text;
		unsigned line;		/* after those of the witnesses */
		const char *says;
	} cases[] = {
		{"", 0, "no quorum line"},
		{"quorum A\nquorum B\n", 2, "second quorum"},
		{"quorum Z\n", 1, "no line above"},
		{"quorum g\ngroup g any A\n", 1, "no line above"},
		{"group g any g\nquorum g\n", 1, "no line above"},
		{"group g any A A\nquorum g\n", 1, "twice"},
		{"group g any A\ngroup h any A B\nquorum h\n", 2, "twice"},
		{"group g 3 A B\nquorum g\n", 1, "threshold"},
		{"group g 0 A B\nquorum g\n", 1, "threshold"},
		{"group g 01 A B\nquorum g\n", 1, "threshold"},
		{"group g some A B\nquorum g\n", 1, "threshold"},
		{"group g any\nquorum g\n", 1, "line is"},
		{"group A any B\nquorum A\n", 1, "second witness or group"},
		{"group none any B\nquorum A\n", 1, "reserved"},
		{"quorum A B\n", 1, "line is"},
		{"witness X\nquorum A\n", 1, "line is"},
		{"witness X x+00000000+AAAA\nquorum A\n", 1, "no verifier key"},
		{"log\nquorum A\n", 1, "line is"},
		{"quorum A # all\n", 1, "line is"},
		{"Quorum A\n", 1, "begins with"},
		{"\xff\nquorum A\n", 0, "UTF-8"},
	};
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(read(cases[i].text, &w));
		if (strstr(w.text, cases[i].says) == NULL)
			fail_msg("case %zu says: %s", i, w.text);
		assert_int_equal(w.line, cases[i].line == 0 ? 0 :
		    cases[i].line + WITNESSES);
	}
}

static void
a_key_has_the_type_of_who_signs_and_stands_once(void **state)
{
	char text[1024], k[512];
	struct why w;

	(void)state;
	(void)snprintf(text, sizeof(text), "witness X %s\nquorum A\n",
	    key_text(40, 1, k));
	assert_null(read(text, &w));
	assert_non_null(strstr(w.text, "type 4"));
	(void)snprintf(text, sizeof(text), "log %s\nquorum A\n",
	    key_text(40, 4, k));
	assert_null(read(text, &w));
	assert_non_null(strstr(w.text, "type 1"));
	(void)snprintf(text, sizeof(text), "witness X %s\nquorum A\n",
	    key_text(3, 4, k));
	assert_null(read(text, &w));
	assert_non_null(strstr(w.text, "another witness, D"));
}

static void
k_of_n_keys_are_a_quorum_without_a_file(void **state)
{
	struct note_key keys[4];
	bool has[4] = {true, false, true, false};
	struct quorum *q;
	char text[512];
	unsigned i;
	size_t n;

	(void)state;
	for (i = 0; i < 4; i++) {
		(void)key_text(i, 4, text);
		assert_int_equal(note_key_read(text, strlen(text), &keys[i]),
		    0);
	}
	for (i = 1; i <= 4; i++) {
		assert_int_equal(quorum_of(keys, 4, i, &q), 0);
		assert_int_equal(quorum_met(q, has), i <= 2);
		assert_int_equal(quorum_least(q), i);
		(void)quorum_witnesses(q, &n);
		assert_int_equal(n, 4);
		quorum_free(q);
	}
	assert_int_equal(quorum_of(keys, 4, 0, &q), ERR_LIMIT);
	assert_int_equal(quorum_of(keys, 4, 5, &q), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    any_set_of_witnesses_is_decided_as_the_file_says),
		cmocka_unit_test(logs_and_witnesses_keep_their_keys_and_urls),
		cmocka_unit_test(bad_lines_are_refused_by_number),
		cmocka_unit_test(
		    a_key_has_the_type_of_who_signs_and_stands_once),
		cmocka_unit_test(k_of_n_keys_are_a_quorum_without_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
