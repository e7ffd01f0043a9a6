/*
 * base/arena.h - memory that is given back all at once.
 *
 * For a session, a message, a parsed file. Not thread-safe; one owner.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);		/* NULL: out of memory */
void arena_free(struct arena *a);	/* NULL is fine */
void arena_reset(struct arena *a);	/* frees all that it handed out */
/* Bytes that it takes, those not handed out yet included. */
size_t arena_len(const struct arena *a);

/* Zeroed, aligned for any type; NULL when out of memory. */
void *arena_alloc(struct arena *a, size_t len);
void *arena_array(struct arena *a, size_t n, size_t size); /* checked n*size */
char *arena_str(struct arena *a, const char *s);
char *arena_strn(struct arena *a, const char *s, size_t len);
char *arena_fmt(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
