/*
 * crypto/scram.h - SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677),
 * both sides.
 *
 * Text of the exchange in and out; no sockets. Of channel bindings there is
 * tls-server-end-point (RFC 5929), whose bytes the caller brings.
 * A verifier is PostgreSQL's pg_authid.rolpassword form:
 * SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
 * Passwords are used as given (SASLprep is the identity for ASCII; others
 * are taken as bytes, as PostgreSQL does when preparation fails).
 */
#ifndef CRYPTO_SCRAM_H
#define CRYPTO_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/hash.h"

#define SCRAM_ITERATIONS 4096
#define SCRAM_ITERATIONS_MAX 1000000
#define SCRAM_SALT_MAX 64
#define SCRAM_TEXT_MAX 2048
#define SCRAM_BINDING_MAX 64	/* a hash of the server's certificate */

struct buf;
struct bytes;

struct scram_verifier {
	unsigned iterations;
	uint8_t salt[SCRAM_SALT_MAX];
	size_t salt_len;
	uint8_t stored_key[HASH_LEN];
	uint8_t server_key[HASH_LEN];
};

int scram_verifier_make(const char *password, struct scram_verifier *ret);
int scram_verifier_read(const char *text, struct scram_verifier *ret);
void scram_verifier_write(const struct scram_verifier *v, struct buf *out);
/*
 * A verifier for a user that does not exist, steady for a name and a secret,
 * so that an exchange with it cannot be told from one with a wrong password.
 */
int scram_verifier_mock(const char *user, const uint8_t secret[static HASH_LEN],
    struct scram_verifier *ret);

/*
 * The arithmetic of both sides: from a salted password and the exchange's
 * AuthMessage, the client's proof and the server's signature.
 */
int scram_proof(const uint8_t salted[static HASH_LEN], const char *auth,
    size_t auth_len, uint8_t proof[static HASH_LEN],
    uint8_t signature[static HASH_LEN]);

struct scram_server;
struct scram_server *scram_server_new(const struct scram_verifier *v);
void scram_server_free(struct scram_server *s);
/* The offer had SCRAM-SHA-256-PLUS: what its exchange must be bound to. 0 or
 * ERR_LIMIT. */
int scram_server_bind(struct scram_server *s, struct bytes end_point);
/*
 * First: client-first-message -> server-first-message. plus: the mechanism
 * that the client chose. ERR_CONFLICT: the client can bind and believes that
 * the offer had no PLUS, which it had, so somebody changed it.
 */
int scram_server_first(struct scram_server *s, bool plus, const char *in,
    size_t len, struct buf *out);
/* Final: client-final-message -> server-final-message. 0: who they say they
 * are; ERR_DENIED: wrong proof; ERR_CONFLICT: bound to another certificate;
 * ERR_FORMAT: malformed. */
int scram_server_final(struct scram_server *s, const char *in, size_t len,
    struct buf *out);

/* A password salted for one server: spares the iterations next time. */
struct scram_salted {
	unsigned iterations;	/* 0: nothing kept yet */
	uint8_t salt[SCRAM_SALT_MAX];
	size_t salt_len;
	uint8_t password[HASH_LEN];
};

struct scram_client;
struct scram_client *scram_client_new(const char *password);
void scram_client_free(struct scram_client *c);
/*
 * The exchange is that of SCRAM-SHA-256-PLUS, bound to this. 0 or ERR_LIMIT.
 * scram_client_could_bind: it is not, since the server did not offer it; a
 * server that did will see that its offer was changed.
 */
int scram_client_bind(struct scram_client *c, struct bytes end_point);
void scram_client_could_bind(struct scram_client *c);
int scram_client_first(struct scram_client *c, struct buf *out);
int scram_client_final(struct scram_client *c, const char *in, size_t len,
    struct buf *out);
/* Checks the server's signature: 0, ERR_CRYPTO or ERR_FORMAT. */
int scram_client_check(struct scram_client *c, const char *in, size_t len);
/*
 * Used by scram_client_final if salt and iterations are still the server's,
 * else filled with the new ones. Borrowed until scram_client_free; a secret.
 */
void scram_client_keep(struct scram_client *c, struct scram_salted *salted);

#endif
