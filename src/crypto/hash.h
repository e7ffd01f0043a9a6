/*
 * crypto/hash.h - SHA-256, HMAC-SHA-256, PBKDF2 and random bytes.
 *
 * crypto/ is the only user of libcrypto. A failure inside libcrypto returns
 * ERR_CRYPTO and leaves *ret zeroed.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_LEN 32

struct hash;	/* an incremental SHA-256 */

struct hash *hash_new(void);
void hash_free(struct hash *h);
int hash_add(struct hash *h, const void *data, size_t len);
int hash_end(struct hash *h, uint8_t ret[static HASH_LEN]);

int hash_sha256(const void *data, size_t len, uint8_t ret[static HASH_LEN]);
int hash_hmac(const void *key, size_t key_len, const void *data, size_t len,
    uint8_t ret[static HASH_LEN]);
int hash_pbkdf2(const char *password, const void *salt, size_t salt_len,
    unsigned iterations, uint8_t ret[static HASH_LEN]);
int random_bytes(void *ret, size_t len);

#endif
