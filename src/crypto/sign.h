/*
 * crypto/sign.h - Ed25519 (RFC 8032).
 *
 * A private key is its 32-byte seed; the holder wipes it.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include <stddef.h>
#include <stdint.h>

#define SIGN_SEED_LEN 32
#define SIGN_PUBLIC_LEN 32
#define SIGN_LEN 64

int sign_public(const uint8_t seed[static SIGN_SEED_LEN],
    uint8_t ret[static SIGN_PUBLIC_LEN]);
int sign_make(const uint8_t seed[static SIGN_SEED_LEN], const void *msg,
    size_t len, uint8_t ret[static SIGN_LEN]);
/* 0 if the signature holds, ERR_CRYPTO otherwise. */
int sign_check(const uint8_t public[static SIGN_PUBLIC_LEN], const void *msg,
    size_t len, const uint8_t sig[static SIGN_LEN]);

#endif
