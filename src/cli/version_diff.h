/*
 * cli/version_diff.h - what changed from one version to the next.
 */
#ifndef CLI_VERSION_DIFF_H
#define CLI_VERSION_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf;
struct config;

struct change_count {
	size_t added, removed, changed;
};

struct version_change {
	struct change_count rules;	/* by their names */
	struct change_count principals;	/* by what is said of them then */
	struct change_count stores;	/* mode, residences, catalog, services */
	bool policy;			/* its text is another one */
	bool directory;
};

/* 0 or ERR_MEMORY. */
int version_count(const struct config *before, const struct config *after,
    int64_t at_ms, struct version_change *ret);

/* Adds to *ret. */
void version_count_stores(const struct config *before,
    const struct config *after, struct change_count *ret);

/*
 * Who gains and who loses, as sworn policy diff says it. Where directory or
 * stores are others, too, the most that anybody reaches is compared. 0 or an
 * error with a sentence in *w.
 */
int version_diff(const struct config *before, const struct config *after,
    int64_t at_ms, struct buf *out, struct why *w);

#endif
