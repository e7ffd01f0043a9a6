/*
 * Vectors: FIPS 180-2 (SHA-256), RFC 4231 (HMAC), RFC 7914 (PBKDF2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "crypto/hash.h"

static void
assert_hex(const uint8_t h[static HASH_LEN], const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	text_hex(&b, h, HASH_LEN);
	assert_string_equal(buf_text(&b), want);
	buf_done(&b);
}

static void
sha256_gives_the_published_digests(void **state)
{
	static const char *const cases[][2] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1"},
	};
	uint8_t h[HASH_LEN];
	struct hash *inc;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(hash_sha256(cases[i][0], strlen(cases[i][0]),
		    h), 0);
		assert_hex(h, cases[i][1]);
	}
	assert_int_equal(hash_sha256(NULL, 0, h), 0);
	assert_hex(h, cases[0][1]);
	/* The same byte by byte, with one hash used again. */
	assert_non_null(inc = hash_new());
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (j = 0; cases[i][0][j] != 0; j++)
			assert_int_equal(hash_add(inc, cases[i][0] + j, 1),
			    0);
		assert_int_equal(hash_end(inc, h), 0);
		assert_hex(h, cases[i][1]);
	}
	hash_free(inc);
	hash_free(NULL);
}

static void
sha256_of_a_million_a_is_as_published(void **state)
{
	char *a = malloc(1000000);
	uint8_t h[HASH_LEN];

	(void)state;
	assert_non_null(a);
	memset(a, 'a', 1000000);
	assert_int_equal(hash_sha256(a, 1000000, h), 0);
	assert_hex(h, "cdc76e5c9914fb9281a1c7e284d73e67"
	    "f1809a48a497200e046d39ccc7112cd0");
	free(a);
}

static void
hmac_gives_the_published_codes(void **state)
{
	uint8_t key[131], h[HASH_LEN];

	(void)state;
	memset(key, 0x0b, 20);
	assert_int_equal(hash_hmac(key, 20, "Hi There", 8, h), 0);
	assert_hex(h, "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
	assert_int_equal(hash_hmac("Jefe", 4, "what do ya want for nothing?",
	    28, h), 0);
	assert_hex(h, "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));		/* longer than a block */
	assert_int_equal(hash_hmac(key, sizeof(key),
	    "Test Using Larger Than Block-Size Key - Hash Key First", 54, h),
	    0);
	assert_hex(h, "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
	/* Empty key and data are values, not "as before". */
	assert_int_equal(hash_hmac(NULL, 0, NULL, 0, h), 0);
	assert_hex(h, "b613679a0814d9ec772f95d778c35fc5"
	    "ff1697c493715653c6c712144292c5ad");
}

static void
pbkdf2_gives_the_published_keys(void **state)
{
	uint8_t h[HASH_LEN];

	(void)state;
	assert_int_equal(hash_pbkdf2("passwd", "salt", 4, 1, h), 0);
	assert_hex(h, "55ac046e56e3089fec1691c22544b605"
	    "f94185216dde0465e68b9d57c20dacbc");
	assert_int_equal(hash_pbkdf2("Password", "NaCl", 4, 80000, h), 0);
	assert_hex(h, "4ddcd8f60b98be21830cee5ef22701f9"
	    "641a4418d04c0414aeff08876b34ab56");
	assert_int_not_equal(hash_pbkdf2("passwd", "salt", 4, 0, h), 0);
}

static void
random_bytes_differ_between_calls(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	(void)state;
	assert_int_equal(random_bytes(a, sizeof(a)), 0);
	assert_int_equal(random_bytes(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_digests),
		cmocka_unit_test(sha256_of_a_million_a_is_as_published),
		cmocka_unit_test(hmac_gives_the_published_codes),
		cmocka_unit_test(pbkdf2_gives_the_published_keys),
		cmocka_unit_test(random_bytes_differ_between_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
