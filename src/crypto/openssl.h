/*
 * crypto/openssl.h - libcrypto's headers, for the .c files of crypto/ only.
 *
 * Its types.h has a type named ERR_STATE, as base/err.h has a code; within
 * libcrypto's headers it gets another name.
 */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#define ERR_STATE openssl_err_state
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#undef ERR_STATE

#endif
