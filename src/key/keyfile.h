/*
 * key/keyfile.h - the file that a signing key is in, or that says where it is.
 *
 * Mode 0600, one of three kinds; name+id+base64 is the verifier key:
 *
 *	PRIVATE+KEY+name+id+base64		the key itself
 *
 *	name+id+base64				encrypted: PKCS#8, which the
 *	-----BEGIN ENCRYPTED PRIVATE KEY-----	openssl program opens, too
 *	...
 *
 *	name+id+base64				in a PKCS#11 token (RFC 7512)
 *	pkcs11:token=...;object=...
 */
#ifndef KEY_KEYFILE_H
#define KEY_KEYFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/pkcs8.h"
#include "log/note.h"

#define KEYFILE_MAX 4096
#define KEYFILE_URI_MAX 1024

struct buf;
struct secret;

enum keyfile_kind {
	KEYFILE_PLAIN,
	KEYFILE_ENCRYPTED,
	KEYFILE_TOKEN,
};

/* The holder wipes it. */
struct keyfile {
	enum keyfile_kind kind;
	struct note_key key;
	uint8_t seed[SIGN_SEED_LEN];		/* PLAIN only */
	char pem[PKCS8_PEM_MAX];		/* ENCRYPTED */
	char uri[KEYFILE_URI_MAX];		/* TOKEN */
};

/* The text of such a file; pure. ERR_FORMAT. */
int keyfile_parse(const char *text, size_t len, struct keyfile *ret);
void keyfile_print(const struct keyfile *k, struct buf *out);

/* *w names the file and what to do. ERR_DENIED: others can read it. */
int keyfile_read(const char *path, struct keyfile *ret, struct why *w);
/* A new file, durable; ERR_EXISTS: a key is never overwritten. */
int keyfile_write(const char *path, const struct keyfile *k, struct why *w);

/* A new plain key of that name. ERR_FORMAT: it cannot be a name. */
int keyfile_make(const char *name, struct keyfile *ret);
/* PLAIN becomes ENCRYPTED, its seed wiped. */
int keyfile_seal(struct keyfile *k, const struct secret *pass);
/* The seed of an encrypted one. ERR_CRYPTO: the passphrase is wrong, or the
 * file was changed; ERR_CONFLICT: it is not the key that it says. */
int keyfile_unseal(const struct keyfile *k, const struct secret *pass,
    uint8_t seed[static SIGN_SEED_LEN]);

#endif
