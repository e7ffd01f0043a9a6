/*
 * tls/context.h - what connections encrypt by: certificate, key, authorities.
 *
 * Made once from the bytes of PEM files, immutable afterwards, shared by all
 * threads. TLS 1.2 at least; no renegotiation, no compression, no session
 * tickets and no other resumption: each connection proves everything anew.
 * Memory: heap, with counted references; connections hold one.
 */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct tls_context;

enum tls_side {
	TLS_SERVER,
	TLS_CLIENT,
};

enum tls_version {
	TLS_VERSION_1_2,
	TLS_VERSION_1_3,
};

/* Whether a client holds the server's certificate against its authorities;
 * the name is tls_connect_new's. A server asks once it has authorities. */
enum tls_verify {
	TLS_VERIFY_NONE,
	TLS_VERIFY_CHAIN,
};

/* 0 or ERR_MEMORY, ERR_CRYPTO. */
int tls_context_new(enum tls_side side, enum tls_version least,
    enum tls_verify verify, struct tls_context **ret);
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context *c);	/* NULL is fine */

/*
 * Each reads one file's text: 0 or an error, and *w says what is wrong with
 * it. The certificate comes first, with those between it and its authority
 * behind it; the key must be its own.
 */
int tls_context_certificate(struct tls_context *c, struct bytes pem,
    struct why *w);
int tls_context_key(struct tls_context *c, struct bytes pem, struct why *w);
int tls_context_authorities(struct tls_context *c, struct bytes pem,
    struct why *w);
/* Lists of revoked certificates: then every one of a chain's authorities
 * must have one. */
int tls_context_revoked(struct tls_context *c, struct bytes pem,
    struct why *w);

/* When its own certificate ends; INT64_MAX: it has none. */
int64_t tls_context_until_ms(const struct tls_context *c);
/* The file that this system's libssl takes authorities from. */
const char *tls_system_authorities(void);

#endif
