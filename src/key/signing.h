/*
 * key/signing.h - a key that signs, whatever kind of file it is in.
 *
 * A seed lies in locked pages, out of core dumps and of forked processes; a
 * token's key in a process of its own.
 */
#ifndef KEY_SIGNING_H
#define KEY_SIGNING_H

#include <sys/types.h>

#include "base/err.h"
#include "log/note.h"

struct signing;

/*
 * source: of the passphrase or PIN (key/secret.h), NULL if none is said.
 * what: whose key, in words, for who is asked. ERR_MISSING: it needs a
 * source. Forks for a token: before there are threads.
 */
int signing_open(const char *path, const char *source, const char *what,
    struct signing **ret, struct why *w);
void signing_close(struct signing *s);	/* NULL is fine */

/* Lives as long as s does. */
const struct note_signer *signing_signer(const struct signing *s);

/* The process that holds a token's key; 0: there is none. */
pid_t signing_child(const struct signing *s);

/* No core dump of this process from here on, and no debugger. */
int signing_keep_secret(void);

#endif
