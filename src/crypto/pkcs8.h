/*
 * crypto/pkcs8.h - an Ed25519 key in PEM, encrypted under a passphrase.
 *
 * RFC 5958 and 8410 in RFC 8018's PBES2: scrypt (RFC 7914), AES-256-CBC. The
 * openssl program reads it, and what it writes is read here:
 *
 *	openssl pkcs8 -topk8 -scrypt -in key.pem -out encrypted.pem
 */
#ifndef CRYPTO_PKCS8_H
#define CRYPTO_PKCS8_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sign.h"

#define PKCS8_PEM_MAX 2048

struct buf;

/* Appends "-----BEGIN ENCRYPTED PRIVATE KEY-----" ... to out. */
int pkcs8_write(const uint8_t seed[static SIGN_SEED_LEN], const char *pass,
    size_t pass_len, struct buf *out);

/* Text before the PEM is passed over. ERR_FORMAT: there is none; ERR_CRYPTO:
 * the passphrase is another one, or the text was changed; ERR_DENIED: it is
 * no Ed25519 key. The caller wipes the seed. */
int pkcs8_read(const char *text, size_t len, const char *pass,
    size_t pass_len, uint8_t ret[static SIGN_SEED_LEN]);

#endif
