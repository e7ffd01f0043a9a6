/*
 * import/diff.h - what changes from one directory to another, in words.
 */
#ifndef IMPORT_DIFF_H
#define IMPORT_DIFF_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct draft;

struct diff_counts {
	size_t appear, leave, change, stay;
};

/*
 * Who appears, who leaves, and of those who stay which facts change, as they
 * hold at a time. Both are sorted. At most `max` lines of each kind of item
 * are written, then how many more there are; then the counts.
 * 0 or ERR_MEMORY. *ret: of all kinds together.
 */
int diff_text(const struct draft *from, const struct draft *to,
    int64_t at_ms, size_t max, struct buf *out, struct diff_counts *ret);

#endif
