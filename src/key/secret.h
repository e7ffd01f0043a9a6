/*
 * key/secret.h - a passphrase or a PIN, and where it comes from.
 *
 * A source is one of
 *
 *	prompt			the terminal, without echo
 *	fd:N			an open descriptor, read to its end and closed
 *	file:PATH		a file that nobody else can read
 *	credential:NAME		what systemd's LoadCredential= hands over
 *
 * One newline at its end is not part of it. There is no source in the
 * environment or among arguments, which other processes can see.
 * Memory: pages of its own, locked, left out of core dumps, and empty in
 * every process that is forked.
 */
#ifndef KEY_SECRET_H
#define KEY_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define SECRET_MAX 1024

struct secret {
	size_t len;
	char text[SECRET_MAX];
};

/* Whether it is a source at all; *w says what one looks like. */
int secret_source_check(const char *source, struct why *w);
/* Whether it can be asked once only. */
bool secret_source_is_once(const char *source);

struct secret *secret_new(void);	/* NULL: no memory */
void secret_free(struct secret *s);	/* wiped; NULL is fine */

/*
 * For what, in words ("the log's key"), names it to whoever is asked; twice:
 * it is a new one, so a person types it again. ERR_MISSING: it is empty, or
 * nobody is there to ask. *w names the source, never the secret.
 */
int secret_read(const char *source, const char *what, bool twice,
    struct secret *ret, struct why *w);

#endif
