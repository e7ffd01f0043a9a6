/*
 * import/merge.h - what one issuer says now, put into what was known.
 *
 * Of the kinds of fact that the import speaks for, those of its issuer are
 * replaced; everything else stays as it is. Somebody of whom nothing is left
 * leaves, unless others name them: then their time ends.
 */
#ifndef IMPORT_MERGE_H
#define IMPORT_MERGE_H

#include <stdbool.h>
#include <stdint.h>

struct draft;
struct draft_item;
struct findings;

struct merge {
	unsigned covers;	/* sections, as build_covers */
	bool instructors;	/* the import speaks for them, too */
	bool keep_history;	/* what is over ends, and is not forgotten */
	int64_t at_ms;		/* when it is over, or began */
};

/* Whether an item of a known directory will still be there, though an
 * import of this issuer that covers its section does not have it. */
bool merge_stays(const struct draft_item *it, const char *issuer,
    unsigned covers);

/*
 * Puts `fresh` into `known`, which is sorted then and borrows from fresh.
 * 0 or ERR_MEMORY; what contradicts goes to f as errors, and known is then
 * of no use.
 */
int merge_drafts(struct draft *known, const struct draft *fresh,
    const struct merge *m, struct findings *f);

#endif
