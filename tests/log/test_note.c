/*
 * Vectors: the keys and notes of the C2SP specifications' examples, made by
 * other implementations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "log/note.h"

#define PUBLIC "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define OTHER_TYPE "BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_KEY "example.com/foo+530d903a+" PUBLIC
#define FOO_BODY "This is an example message.\n"
#define FOO_LINE "\xe2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnag" \
	"v1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define MIRROR_KEY "mirror.example.org+3fb148ef+" \
	"BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O"
#define MIRROR_BODY "rome2026h1.example.org\n300\n" \
	"gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=\n"
#define MIRROR_LINE "\xe2\x80\x94 mirror.example.org P7FI7wAAAABpVGeAjA1S4" \
	"pJm6MbcXjX7UUImu4azZtrfcVW2uyr/LXIYlwEJzXC0N0EiZkbqfLdXt/4gVEEuGm" \
	"xJjAfXKMCISpsJAg==\n"

static void
key_of(const char *text, struct note_key *ret)
{
	assert_int_equal(note_key_read(text, strlen(text), ret), 0);
}

static int
check(const char *note, const char *key)
{
	const char *body;
	struct note_key k;
	size_t n;

	key_of(key, &k);
	return note_check(note, strlen(note), &k, &body, &n, NULL);
}

static void
signature_of_another_implementation_holds(void **state)
{
	static const char note[] = FOO_BODY "\n" FOO_LINE;
	const char *body;
	struct note_key k;
	uint64_t t = 7;
	size_t n;

	(void)state;
	key_of(FOO_KEY, &k);
	assert_string_equal(k.name, "example.com/foo");
	assert_int_equal(note_check(note, sizeof(note) - 1, &k, &body, &n, &t),
	    0);
	assert_ptr_equal(body, note);
	assert_int_equal(n, strlen(FOO_BODY));
	assert_int_equal(t, 0);
}

static void
cosignature_of_another_implementation_holds_with_its_time(void **state)
{
	static const char note[] = MIRROR_BODY "\n" MIRROR_LINE;
	struct checkpoint c;
	const char *body;
	struct note_key k;
	uint64_t t;
	size_t n;

	(void)state;
	key_of(MIRROR_KEY, &k);
	assert_int_equal(note_check(note, sizeof(note) - 1, &k, &body, &n, &t),
	    0);
	assert_int_equal(t, 1767139200);
	assert_int_equal(checkpoint_read(body, n, &c), 0);
	assert_string_equal(c.origin, "rome2026h1.example.org");
	assert_int_equal(c.size, 300);
	assert_int_equal(c.root.h[0], 0x83);
}

/* Any bit of the note, one at a time. Doubt denies. */
static void
no_bit_of_a_note_can_be_flipped(void **state)
{
	static const char *const notes[][2] = {
		{FOO_BODY "\n" FOO_LINE, FOO_KEY},
		{MIRROR_BODY "\n" MIRROR_LINE, MIRROR_KEY},
	};
	const char *body;
	struct note_key k;
	char copy[512];
	size_t i, j, len, n;
	uint64_t t;

	(void)state;
	for (i = 0; i < 2; i++) {
		key_of(notes[i][1], &k);
		len = strlen(notes[i][0]);
		for (j = 0; j < len * 8; j++) {
			memcpy(copy, notes[i][0], len);
			copy[j / 8] ^= (char)(1 << j % 8);
			assert_int_not_equal(note_check(copy, len, &k, &body,
			    &n, &t), 0);
		}
		for (j = 0; j < len; j++)
			assert_int_not_equal(note_check(notes[i][0], j, &k,
			    &body, &n, &t), 0);
	}
}

static void
lines_of_unknown_keys_are_ignored_and_bad_ones_of_known_reject(void **state)
{
	/* Another name, and the same name with another key id. */
	static const char others[] =
	    "\xe2\x80\x94 example.com/bar Uw2QOkn8srU=\n"
	    "\xe2\x80\x94 example.com/foo AAAAAEn8srU=\n";
	struct buf note;

	(void)state;
	buf_init(&note, 0);
	buf_str(&note, FOO_BODY "\n");
	buf_str(&note, others);
	assert_int_equal(check(buf_text(&note), FOO_KEY), ERR_MISSING);
	buf_str(&note, FOO_LINE);
	assert_int_equal(check(buf_text(&note), FOO_KEY), 0);
	/* Known, but of another length: even beside a good one. */
	buf_str(&note, "\xe2\x80\x94 example.com/foo Uw2QOkn8srU=\n");
	assert_int_equal(check(buf_text(&note), FOO_KEY), ERR_CRYPTO);
	buf_done(&note);
}

static void
misshapen_notes_are_refused(void **state)
{
	static const struct {
		const char *note;
		int want;
	} cases[] = {
		{"", ERR_FORMAT},
		{"\n", ERR_FORMAT},
		{"\n\n", ERR_FORMAT},
		{FOO_BODY, ERR_FORMAT},
		{FOO_BODY "\n", ERR_FORMAT},
		{FOO_BODY FOO_LINE, ERR_FORMAT},
		{"\n" FOO_LINE, ERR_FORMAT},
		{FOO_BODY "\n" FOO_LINE "x", ERR_FORMAT},
		{FOO_BODY "\n" FOO_LINE "x\n", ERR_FORMAT},
		{FOO_BODY "\n" FOO_LINE "\n", ERR_FORMAT},
		{FOO_BODY "\n- example.com/foo Uw2QOg==\n", ERR_FORMAT},
		{FOO_BODY "\n\xe2\x80\x94 foo\n", ERR_FORMAT},
		{FOO_BODY "\n\xe2\x80\x94 foo AAAA\n", ERR_FORMAT},
		{FOO_BODY "\n\xe2\x80\x94 foo  AAAAAAA=\n", ERR_FORMAT},
		{FOO_BODY "\n\xe2\x80\x94 f+o AAAAAAA=\n", ERR_FORMAT},
		{FOO_BODY "\n\xe2\x80\x94 f\xc2\xa0o AAAAAAA=\n", ERR_FORMAT},
		{FOO_BODY "\n\xe2\x80\x94 foo AAAAAAA=\n", ERR_MISSING},
		{"\x01\n" FOO_BODY "\n" FOO_LINE, ERR_FORMAT},
		{"\xff\n" FOO_BODY "\n" FOO_LINE, ERR_FORMAT},
		{"more\n" FOO_BODY "\n" FOO_LINE, ERR_CRYPTO},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (check(cases[i].note, FOO_KEY) != cases[i].want)
			fail_msg("case %zu: %s", i, cases[i].note);
}

static void
sixteen_signatures_are_accepted_and_too_many_refused(void **state)
{
	struct buf note;
	int i;

	(void)state;
	buf_init(&note, 0);
	buf_str(&note, FOO_BODY "\n");
	for (i = 0; i < 15; i++)
		buf_fmt(&note, "\xe2\x80\x94 w%d AAAAAAAA\n", i);
	buf_str(&note, FOO_LINE);
	assert_int_equal(check(buf_text(&note), FOO_KEY), 0);
	for (i = 16; i < NOTE_SIGNATURES_MAX; i++)
		buf_fmt(&note, "\xe2\x80\x94 w%d AAAAAAAA\n", i);
	assert_int_equal(check(buf_text(&note), FOO_KEY), 0);
	buf_str(&note, "\xe2\x80\x94 last AAAAAAAA\n");
	assert_int_equal(check(buf_text(&note), FOO_KEY), ERR_LIMIT);
	buf_done(&note);
}

static void
verifier_keys_are_written_as_they_were_read(void **state)
{
	static const char *const keys[] = {FOO_KEY, MIRROR_KEY};
	struct note_key k;
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 0);
	for (i = 0; i < 2; i++) {
		key_of(keys[i], &k);
		buf_reset(&out);
		note_key_write(&k, &out);
		assert_string_equal(buf_text(&out), keys[i]);
	}
	buf_done(&out);
}

static void
misshapen_verifier_keys_are_refused(void **state)
{
	static const char *const keys[] = {
		"", "+", "foo", "foo+530d903a", "foo+530d903a+",
		"+530d903a+" PUBLIC,
		"example.com/foo+530d903+" PUBLIC,
		"example.com/foo+530d903b+" PUBLIC,	/* another id */
		"example.com/fop+530d903a+" PUBLIC,	/* another name */
		"example.com/foo+530d903a+" OTHER_TYPE,
		FOO_KEY "\n", FOO_KEY "=", " " FOO_KEY,
	};
	struct note_key k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (note_key_read(keys[i], strlen(keys[i]), &k) != ERR_FORMAT)
			fail_msg("case %zu: %s", i, keys[i]);
}

static void
what_is_signed_is_accepted_with_the_key_read_back(void **state)
{
	uint8_t seed[SIGN_SEED_LEN], seed2[SIGN_SEED_LEN];
	uint8_t public[SIGN_PUBLIC_LEN];
	struct note_key k, k2;
	struct buf priv, note;
	const char *body;
	size_t n;

	(void)state;
	buf_init(&priv, 0);
	buf_init(&note, 0);
	memset(seed, 0x42, sizeof(seed));
	assert_int_equal(sign_public(seed, public), 0);
	assert_int_equal(note_key_make("log.example", 1, public, &k), 0);
	assert_int_equal(note_private_write(&k, seed, &priv), 0);
	assert_memory_equal(buf_text(&priv), "PRIVATE+KEY+log.example+", 24);
	assert_int_equal(note_private_read(buf_text(&priv), priv.len, &k2,
	    seed2), 0);
	assert_memory_equal(&k, &k2, sizeof(k));
	assert_memory_equal(seed, seed2, sizeof(seed));
	assert_int_equal(note_sign(MIRROR_BODY, strlen(MIRROR_BODY), &k2,
	    seed2, &note), 0);
	/* Another party's line behind ours does not matter. */
	buf_str(&note, MIRROR_LINE);
	assert_int_equal(note_check((char *)note.data, note.len, &k, &body, &n,
	    NULL), 0);
	assert_int_equal(n, strlen(MIRROR_BODY));
	assert_int_equal(check(buf_text(&note), MIRROR_KEY), 0);
	/* A key that is cut, or of another name, is none. */
	for (n = 0; n < priv.len; n++)
		assert_int_equal(note_private_read((char *)priv.data, n, &k2,
		    seed2), ERR_FORMAT);
	priv.data[13] ^= 1;
	assert_int_equal(note_private_read((char *)priv.data, priv.len, &k2,
	    seed2), ERR_FORMAT);
	buf_done(&priv);
	buf_done(&note);
}

static void
names_with_spaces_or_plus_make_no_key(void **state)
{
	static const char *const names[] = {
		"", " ", "a b", "a+b", "a\nb", "a\tb", "a\xe2\x80\x83-b",
		"\xff",
	};
	uint8_t public[SIGN_PUBLIC_LEN] = {1};
	struct note_key k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(note_key_make(names[i], 1, public, &k),
		    ERR_FORMAT);
	assert_int_equal(note_key_make("a", 2, public, &k), ERR_FORMAT);
	assert_int_equal(note_key_make("\xc3\xa9", 1, public, &k), 0);
}

static void
checkpoints_are_three_lines(void **state)
{
#define ROOT "gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU="
	static const struct {
		const char *body;
		int want;
	} cases[] = {
		{"o\n0\n" ROOT "\n", 0},
		{"o\n9223372036854775807\n" ROOT "\n", 0},
		{"o\n1\n" ROOT "\nextension\n", 0},
		{"o\n9223372036854775808\n" ROOT "\n", ERR_FORMAT},
		{"o\n18446744073709551616\n" ROOT "\n", ERR_FORMAT},
		{"", ERR_FORMAT}, {"\n", ERR_FORMAT}, {"o\n", ERR_FORMAT},
		{"o\n1\n", ERR_FORMAT}, {"o\n1\n" ROOT, ERR_FORMAT},
		{"\n1\n" ROOT "\n", ERR_FORMAT},
		{"o\n\n" ROOT "\n", ERR_FORMAT},
		{"o\n01\n" ROOT "\n", ERR_FORMAT},
		{"o\n-1\n" ROOT "\n", ERR_FORMAT},
		{"o\n 1\n" ROOT "\n", ERR_FORMAT},
		{"o\n1\nAAAA\n", ERR_FORMAT},
		{"o\n1\n" ROOT "\n\n", ERR_FORMAT},
		{"o\n1\n" ROOT "\nx", ERR_FORMAT},
		{"o\n1\n" ROOT "AAAA\n", ERR_FORMAT},
	};
	struct checkpoint c;
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (checkpoint_read(cases[i].body, strlen(cases[i].body), &c)
		    != cases[i].want)
			fail_msg("case %zu: %s", i, cases[i].body);
	assert_int_equal(checkpoint_read(MIRROR_BODY, strlen(MIRROR_BODY), &c),
	    0);
	buf_init(&out, 0);
	assert_int_equal(checkpoint_write(&c, &out), 0);
	assert_string_equal(buf_text(&out), MIRROR_BODY);
	memset(c.origin, 'a', sizeof(c.origin));
	assert_int_equal(checkpoint_write(&c, &out), ERR_FORMAT);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_of_another_implementation_holds),
		cmocka_unit_test(
		    cosignature_of_another_implementation_holds_with_its_time),
		cmocka_unit_test(no_bit_of_a_note_can_be_flipped),
		cmocka_unit_test(
	    lines_of_unknown_keys_are_ignored_and_bad_ones_of_known_reject),
		cmocka_unit_test(misshapen_notes_are_refused),
		cmocka_unit_test(
		    sixteen_signatures_are_accepted_and_too_many_refused),
		cmocka_unit_test(verifier_keys_are_written_as_they_were_read),
		cmocka_unit_test(misshapen_verifier_keys_are_refused),
		cmocka_unit_test(
		    what_is_signed_is_accepted_with_the_key_read_back),
		cmocka_unit_test(names_with_spaces_or_plus_make_no_key),
		cmocka_unit_test(checkpoints_are_three_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
