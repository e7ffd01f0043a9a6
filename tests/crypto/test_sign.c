/*
 * Vectors: RFC 8032, section 7.1, tests 1 to 3.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "crypto/sign.h"

static const struct {
	const char *seed, *public, *msg, *sig;
} vectors[] = {
	{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	"5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
	{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	"72",
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
	{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
	"af82",
	"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	"18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void
unhex(const char *s, struct buf *b)
{
	buf_init(b, 0);
	assert_int_equal(text_unhex(s, strlen(s), b), 0);
}

static void
signatures_are_those_of_the_rfc(void **state)
{
	uint8_t public[SIGN_PUBLIC_LEN], sig[SIGN_LEN];
	struct buf seed, pub, msg, want;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		unhex(vectors[i].seed, &seed);
		unhex(vectors[i].public, &pub);
		unhex(vectors[i].msg, &msg);
		unhex(vectors[i].sig, &want);
		assert_int_equal(sign_public(seed.data, public), 0);
		assert_memory_equal(public, pub.data, sizeof(public));
		assert_int_equal(sign_make(seed.data, msg.data, msg.len, sig),
		    0);
		assert_memory_equal(sig, want.data, sizeof(sig));
		assert_int_equal(sign_check(public, msg.data, msg.len, sig),
		    0);
		for (j = 0; j < sizeof(sig) * 8; j++) {
			sig[j / 8] ^= (uint8_t)(1 << j % 8);
			assert_int_equal(sign_check(public, msg.data, msg.len,
			    sig), ERR_CRYPTO);
			sig[j / 8] ^= (uint8_t)(1 << j % 8);
		}
		assert_int_equal(sign_check(public, "other", 5, sig),
		    ERR_CRYPTO);
		public[3] ^= 4;
		assert_int_equal(sign_check(public, msg.data, msg.len, sig),
		    ERR_CRYPTO);
		buf_done(&seed);
		buf_done(&pub);
		buf_done(&msg);
		buf_done(&want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_those_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
