/*
 * log/note.h - signed notes and checkpoints.
 *
 * Formats: c2sp.org/signed-note, c2sp.org/tlog-checkpoint; type 0x01
 * (Ed25519) and type 0x04 (cosignature/v1) signatures.
 */
#ifndef LOG_NOTE_H
#define LOG_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sign.h"
#include "log/merkle.h"

#define NOTE_MAX 65536
#define NOTE_NAME_MAX 256
#define NOTE_SIGNATURES_MAX 64

struct buf;

/* A verifier key: name+hex8(keyID)+base64(type || public key). */
struct note_key {
	char name[NOTE_NAME_MAX];
	uint8_t id[4];
	uint8_t type;			/* 0x01 or 0x04 */
	uint8_t public[SIGN_PUBLIC_LEN];
};

int note_key_make(const char *name, uint8_t type,
    const uint8_t public[static SIGN_PUBLIC_LEN], struct note_key *ret);
int note_key_read(const char *text, size_t len, struct note_key *ret);
void note_key_write(const struct note_key *k, struct buf *out);

/*
 * A private key: PRIVATE+KEY+name+hex8(keyID)+base64(0x01 || seed). The
 * caller wipes the seed, and out.
 */
int note_private_read(const char *text, size_t len, struct note_key *ret,
    uint8_t seed[static SIGN_SEED_LEN]);
int note_private_write(const struct note_key *k,
    const uint8_t seed[static SIGN_SEED_LEN], struct buf *out);

/* Who signs: a seed, or if `sign` is set, whoever holds the key. */
struct note_signer {
	const struct note_key *key;
	const uint8_t *seed;		/* SIGN_SEED_LEN bytes */
	int (*sign)(void *arg, const void *msg, size_t len,
	    uint8_t ret[static SIGN_LEN]);
	void *arg;
};

/* Appends body, blank line and one type 0x01 signature line to out. */
int note_sign_by(const struct note_signer *s, const char *body,
    size_t body_len, struct buf *out);
int note_sign(const char *body, size_t body_len, const struct note_key *key,
    const uint8_t seed[static SIGN_SEED_LEN], struct buf *out);

/*
 * Checks a note against one known key. 0: signed by it, *body points into
 * the note; ERR_MISSING: no signature by this key; ERR_CRYPTO: a bad one;
 * ERR_FORMAT. For type 0x04 *time_s is the cosignature's time, else 0.
 */
int note_check(const char *note, size_t len, const struct note_key *key,
    const char **body, size_t *body_len, uint64_t *time_s);

/*
 * A witness's word, cosignature/v1: appends one signature line for the body
 * to out. The signer's key is of type 0x04.
 */
int note_cosign(const char *body, size_t body_len,
    const struct note_signer *by, uint64_t time_s, struct buf *out);

/* What is signed in a note; no signature is checked. 0 or ERR_FORMAT. */
int note_body(const char *note, size_t len, const char **body,
    size_t *body_len);

/* Appends the first of some signature lines that is of this key, unchecked.
 * ERR_MISSING: none is. */
int note_line(const char *lines, size_t len, const struct note_key *key,
    struct buf *out);

/* Appends the note without the signature lines of this key. */
int note_without(const char *note, size_t len, const struct note_key *key,
    struct buf *out);

struct checkpoint {
	char origin[NOTE_NAME_MAX];
	uint64_t size;
	struct merkle_hash root;
};

int checkpoint_read(const char *body, size_t len, struct checkpoint *ret);
int checkpoint_write(const struct checkpoint *c, struct buf *out);

#endif
