/*
 * Pure Ed25519 ("PureEdDSA"): the message itself is signed, no prehash.
 * libcrypto wipes its own copy of the seed when the EVP_PKEY is freed.
 */
#include "crypto/sign.h"

#include <string.h>

#include "base/err.h"
#include "crypto/openssl.h"

int
sign_public(const uint8_t seed[static SIGN_SEED_LEN],
    uint8_t ret[static SIGN_PUBLIC_LEN])
{
	EVP_PKEY *key = NULL;
	size_t len = SIGN_PUBLIC_LEN;
	int r = ERR_CRYPTO;

	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    SIGN_SEED_LEN);
	if (key != NULL && EVP_PKEY_get_raw_public_key(key, ret, &len) == 1 &&
	    len == SIGN_PUBLIC_LEN)
		r = 0;
	else
		memset(ret, 0, SIGN_PUBLIC_LEN);
	EVP_PKEY_free(key);
	return r;
}

int
sign_make(const uint8_t seed[static SIGN_SEED_LEN], const void *msg,
    size_t len, uint8_t ret[static SIGN_LEN])
{
	EVP_PKEY *key = NULL;
	EVP_MD_CTX *ctx = NULL;
	size_t sig_len = SIGN_LEN;
	int r = ERR_CRYPTO;

	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    SIGN_SEED_LEN);
	ctx = EVP_MD_CTX_new();
	if (key != NULL && ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, ret, &sig_len, msg, len) == 1 &&
	    sig_len == SIGN_LEN)
		r = 0;
	else
		memset(ret, 0, SIGN_LEN);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return r;
}

int
sign_check(const uint8_t public[static SIGN_PUBLIC_LEN], const void *msg,
    size_t len, const uint8_t sig[static SIGN_LEN])
{
	EVP_PKEY *key = NULL;
	EVP_MD_CTX *ctx = NULL;
	int r = ERR_CRYPTO;

	key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public,
	    SIGN_PUBLIC_LEN);
	ctx = EVP_MD_CTX_new();
	if (key != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, sig, SIGN_LEN, msg, len) == 1)
		r = 0;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return r;
}
