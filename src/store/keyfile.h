/*
 * store/keyfile.h - a signing key in a file that nobody else can read.
 *
 * One line, PRIVATE+KEY+name+id+base64, mode 0600.
 */
#ifndef STORE_KEYFILE_H
#define STORE_KEYFILE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "log/note.h"

/* The seed is the caller's to wipe. *w names the file and what to do. */
int keyfile_read(const char *path, struct note_key *ret,
    uint8_t seed[static SIGN_SEED_LEN], struct why *w);

/* A new file, durable; ERR_EXISTS: a key is never overwritten. */
int keyfile_write(const char *path, const struct note_key *key,
    const uint8_t seed[static SIGN_SEED_LEN], struct why *w);

/* A new key of that name. ERR_FORMAT: it cannot be a name. */
int keyfile_make(const char *name, struct note_key *ret,
    uint8_t seed[static SIGN_SEED_LEN]);

#endif
