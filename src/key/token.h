/*
 * key/token.h - an Ed25519 key inside a PKCS#11 token, which never leaves it.
 *
 * A key is named by a URI (RFC 7512): `token` or another attribute that one
 * token alone has, `object` or `id`; `module-path` says which library speaks
 * to it, else those of p11-kit's configuration are asked. A URI with a PIN
 * in it is refused. The only user of p11-kit. A module may start threads,
 * open files and sockets: see token_process.h.
 */
#ifndef KEY_TOKEN_H
#define KEY_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sign.h"

struct secret;
struct token;

/* Logged in. write: new keys may be made. *w: what is missing. */
int token_open(const char *uri, const struct secret *pin, int write,
    struct token **ret, struct why *w);
void token_close(struct token *t);	/* NULL is fine */

/* Finds the private key; token_sign() uses it. ERR_MISSING: none has this
 * name; ERR_CONFLICT: several have. */
int token_find(struct token *t, struct why *w);
/* Makes a key pair under the URI's name; token_sign() uses it. */
int token_make(struct token *t, struct why *w);

/* Of the key found or made: its public half, as the token tells it. */
int token_public(struct token *t, uint8_t ret[static SIGN_PUBLIC_LEN],
    struct why *w);
int token_sign(struct token *t, const void *msg, size_t len,
    uint8_t ret[static SIGN_LEN]);

#endif
