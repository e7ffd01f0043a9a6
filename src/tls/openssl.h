/*
 * tls/openssl.h - libssl's headers, for the .c files of tls/ only.
 *
 * Their types.h has a type named ERR_STATE, as base/err.h has a code; within
 * those headers it gets another name.
 */
#ifndef TLS_OPENSSL_H
#define TLS_OPENSSL_H

#define ERR_STATE openssl_err_state
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#endif
