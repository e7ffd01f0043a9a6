/*
 * import/index.h - from a text to whatever has it.
 *
 * Open addressing. Keys are borrowed and live as long as the index.
 */
#ifndef IMPORT_INDEX_H
#define IMPORT_INDEX_H

#include <stddef.h>

struct index {
	struct index_slot *slots;
	size_t n, cap;		/* cap is 0 or a power of two */
};

void index_init(struct index *x);
void index_done(struct index *x);
void *index_find(const struct index *x, const char *key);	/* or NULL */
/* Adds; what a key has already stays, and is in *old (may be NULL).
 * 0, ERR_EXISTS or ERR_MEMORY. */
int index_add(struct index *x, const char *key, void *value, void **old);

#endif
