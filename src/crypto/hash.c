/*
 * All through libcrypto's EVP interface. EVP takes int lengths for HMAC keys,
 * passwords and salts, so longer ones are refused rather than cut.
 */
#include "crypto/hash.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/openssl.h"

struct hash {
	EVP_MD_CTX *ctx;
};

struct hash *
hash_new(void)
{
	struct hash *h;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	if ((h->ctx = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
		hash_free(h);
		return NULL;
	}
	return h;
}

void
hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

int
hash_add(struct hash *h, const void *data, size_t len)
{
	if (EVP_DigestUpdate(h->ctx, data, len) != 1)
		return ERR_CRYPTO;
	return 0;
}

int
hash_end(struct hash *h, uint8_t ret[static HASH_LEN])
{
	/* Ready for the next message, as after hash_new. */
	if (EVP_DigestFinal_ex(h->ctx, ret, NULL) != 1 ||
	    EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
		memset(ret, 0, HASH_LEN);
		return ERR_CRYPTO;
	}
	return 0;
}

int
hash_sha256(const void *data, size_t len, uint8_t ret[static HASH_LEN])
{
	if (EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL) != 1) {
		memset(ret, 0, HASH_LEN);
		return ERR_CRYPTO;
	}
	return 0;
}

int
hash_hmac(const void *key, size_t key_len, const void *data, size_t len,
    uint8_t ret[static HASH_LEN])
{
	unsigned n = HASH_LEN;

	/* With a NULL key HMAC() would go on with an earlier one. */
	if (key_len > INT_MAX ||
	    HMAC(EVP_sha256(), key_len > 0 ? key : "", (int)key_len,
	    len > 0 ? data : "", len, ret, &n) == NULL) {
		memset(ret, 0, HASH_LEN);
		return ERR_CRYPTO;
	}
	return 0;
}

int
hash_pbkdf2(const char *password, const void *salt, size_t salt_len,
    unsigned iterations, uint8_t ret[static HASH_LEN])
{
	size_t len = strlen(password);

	if (len > INT_MAX || salt_len > INT_MAX || iterations == 0 ||
	    iterations > INT_MAX ||
	    PKCS5_PBKDF2_HMAC(password, (int)len, salt, (int)salt_len,
	    (int)iterations, EVP_sha256(), HASH_LEN, ret) != 1) {
		memset(ret, 0, HASH_LEN);
		return ERR_CRYPTO;
	}
	return 0;
}

int
random_bytes(void *ret, size_t len)
{
	if (len > INT_MAX || RAND_bytes(ret, (int)len) != 1) {
		memset(ret, 0, len);
		return ERR_CRYPTO;
	}
	return 0;
}
