/*
 * directory/intern.h - texts that occur often, each kept once and numbered.
 *
 * Two that are equal have the same number and the same address.
 */
#ifndef DIRECTORY_INTERN_H
#define DIRECTORY_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTERN_NONE UINT32_MAX

struct arena;

struct intern {
	const char **texts;	/* by number, from 0 on */
	uint32_t *slots;	/* number + 1; 0 is free */
	size_t n, cap, n_slots;
};

/* The number of s, copied into the arena if it is new. INTERN_NONE: out of
 * memory. */
uint32_t intern_add(struct intern *t, const char *s, struct arena *a);
void intern_done(struct intern *t);	/* the texts live on */

/* FNV-1a. */
static inline uint64_t
intern_hash(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s != 0; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

#endif
