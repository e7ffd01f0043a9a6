/*
 * gateway/texts.h - what the last texts of a session meant, so that a text
 * which comes again is not read again.
 *
 * A meaning rests on the text, on what the session stands for (whoever changes
 * that empties this: texts_done), and on whether the store reads SQL in
 * another way, which is part of the key.
 * Limits: TEXTS_MAX texts of at most TEXT_MAX bytes; the oldest goes first.
 */
#ifndef GATEWAY_TEXTS_H
#define GATEWAY_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXTS_MAX 16
#define TEXT_MAX 4096

struct meaning;

struct texts {
	struct {
		struct meaning *meaning;
		char *sql;
		size_t len;
		uint64_t hash;
		bool otherwise;
	} slots[TEXTS_MAX];
	size_t next;		/* to be replaced */
};

/* A reference for the caller, or NULL. */
struct meaning *texts_find(const struct texts *t, const char *sql, size_t len,
    bool otherwise);
/* Takes a reference; where memory is short, it is not kept. */
void texts_add(struct texts *t, struct meaning *m, const char *sql, size_t len,
    bool otherwise);
void texts_done(struct texts *t);	/* may be used again */

#endif
