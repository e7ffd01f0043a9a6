/*
 * scrypt's cost is 16 MiB and five passes (N 2^14, r 8, p 5): some 200 ms,
 * once at a start; more memory than OpenSSL's own limit of 32 MiB would make
 * a file that the openssl program does not open.
 */
#include "crypto/pkcs8.h"

#include <limits.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/openssl.h"

#define ERR_STATE openssl_err_state
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#undef ERR_STATE

#define SCRYPT_N ((uint64_t)1 << 14)
#define SCRYPT_R 8
#define SCRYPT_P 5
#define SALT_LEN 16

/* The key's own form, encrypted; the plain one is wiped when it is freed. */
static X509_SIG *
encrypt(EVP_PKEY *key, const char *pass, int pass_len)
{
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
	X509_ALGOR *pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL,
	    SALT_LEN, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
	X509_SIG *ret = NULL;

	if (plain != NULL && pbe != NULL)
		ret = PKCS8_set0_pbe(pass, pass_len, plain, pbe);
	if (ret == NULL)
		X509_ALGOR_free(pbe);	/* else it has become ret's */
	PKCS8_PRIV_KEY_INFO_free(plain);
	return ret;
}

int
pkcs8_write(const uint8_t seed[static SIGN_SEED_LEN], const char *pass,
    size_t pass_len, struct buf *out)
{
	EVP_PKEY *key = NULL;
	X509_SIG *sig = NULL;
	BIO *bio = NULL;
	char *text;
	long len;
	int r = ERR_CRYPTO;

	if (pass_len > INT_MAX)
		return ERR_LIMIT;
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    SIGN_SEED_LEN);
	bio = BIO_new(BIO_s_mem());
	if (key != NULL && bio != NULL &&
	    (sig = encrypt(key, pass, (int)pass_len)) != NULL &&
	    PEM_write_bio_PKCS8(bio, sig) == 1 &&
	    (len = BIO_get_mem_data(bio, &text)) > 0) {
		buf_bytes(out, text, (size_t)len);
		r = out->failed ? ERR_MEMORY : 0;
	}
	X509_SIG_free(sig);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return r;
}

static int
decrypt(X509_SIG *sig, const char *pass, int pass_len,
    uint8_t ret[static SIGN_SEED_LEN])
{
	PKCS8_PRIV_KEY_INFO *plain = PKCS8_decrypt(sig, pass, pass_len);
	EVP_PKEY *key = plain != NULL ? EVP_PKCS82PKEY(plain) : NULL;
	size_t len = SIGN_SEED_LEN;
	int r = ERR_CRYPTO;

	if (key != NULL)
		r = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
		    EVP_PKEY_get_raw_private_key(key, ret, &len) == 1 &&
		    len == SIGN_SEED_LEN ? 0 : ERR_DENIED;
	EVP_PKEY_free(key);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return r;
}

int
pkcs8_read(const char *text, size_t len, const char *pass, size_t pass_len,
    uint8_t ret[static SIGN_SEED_LEN])
{
	X509_SIG *sig;
	BIO *bio;
	int r = ERR_FORMAT;

	if (len > INT_MAX || pass_len > INT_MAX)
		return ERR_LIMIT;
	if ((bio = BIO_new_mem_buf(text, (int)len)) == NULL)
		return ERR_MEMORY;
	if ((sig = PEM_read_bio_PKCS8(bio, NULL, NULL, NULL)) != NULL)
		r = decrypt(sig, pass, (int)pass_len, ret);
	X509_SIG_free(sig);
	BIO_free(bio);
	return r;
}
