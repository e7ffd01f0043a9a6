/*
 * claim/drifted.h - stores that were not as they had been made, in a verdict;
 * for claim/ only.
 *
 * What a store enforces is shown by the texts in the log only while it is as
 * `sworn apply` left it. One that was found otherwise may have shown more, in
 * the time from the look before to the one that found it mended.
 */
#ifndef CLAIM_DRIFTED_H
#define CLAIM_DRIFTED_H

struct record;
struct verdict;

/* Each 0 or an error of memory. */
int drifted_take(struct verdict *v, const struct record *r);
/* At the end of a log, and over all logs. */
int drifted_end(struct verdict *v);
int drifted_say(struct verdict *v);
void drifted_free(struct verdict *v);

#endif
