/*
 * gateway/cover.h - what one statement record has to cover: the union of
 * all that a message may stand for.
 */
#ifndef GATEWAY_COVER_H
#define GATEWAY_COVER_H

#include <stdbool.h>
#include <stddef.h>

#include "record/record.h"

struct arena;
struct meaning;
struct named;
struct session;

struct cover {
	const struct meaning *newest;
	bool whole;
	const char *whole_why;
	bool guarded;
	bool *tables;			/* in the job's arena */
	struct record_refusal *would;
	size_t n_would;
};

/* The arena is that of the record's job. 0 or ERR_MEMORY. */
int cover_init(struct cover *c, const struct session *s, struct arena *a);
void cover_add(struct cover *c, const struct session *s,
    const struct meaning *m);
/* Everything that a name may stand for; NULL: any statement. */
void cover_named(struct cover *c, const struct session *s,
    const struct named *x);
int cover_record(const struct cover *c, const struct session *s,
    struct arena *a, struct record_statement *ret);

#endif
