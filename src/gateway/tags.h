/*
 * gateway/tags.h - whose rows came with an answer so far: a set of LABEL:TAG
 * (enforce/twin.h), of which some are not in a record yet.
 *
 * For what has no tag or is no list of tags `unknown` is set: the answer is
 * bounded then.
 * Memory: heap. The caller asks tags_are_many, records them, and lets them be
 * forgotten; then some may come to be listed twice.
 */
#ifndef GATEWAY_TAGS_H
#define GATEWAY_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "record/record.h"

#define TAG_MAX 96		/* bytes of LABEL:TAG */
#define TAGS_RECORD_MAX 32768	/* bytes of them in one record */

struct arena;

struct tags {
	char **list;		/* in order of arrival */
	size_t n, cap;
	size_t recorded;	/* of them, at the front */
	size_t *slots;		/* open addressing: 1 + place in list */
	size_t n_slots;
	char part[TAG_MAX + 1];	/* of a tag that is not over yet */
	size_t part_len;
	bool unknown;
};

void tags_done(struct tags *t);		/* may be used again */
/* Whether `most` or more are not in a record yet. */
bool tags_are_many(const struct tags *t, size_t most);
/* Forgets all if there are so many and each is in a record. */
void tags_forget(struct tags *t, size_t most);
/* A field's bytes, in pieces; then its end. */
void tags_feed(struct tags *t, const void *data, size_t len);
void tags_end(struct tags *t);
/*
 * What one more record can take, by label; they count as recorded. An empty
 * label stands for `home`. *n is 0 when none is left. 0 or ERR_MEMORY.
 */
int tags_take(struct tags *t, const char *home, struct arena *a,
    const struct record_subjects **ret, size_t *n);

#endif
