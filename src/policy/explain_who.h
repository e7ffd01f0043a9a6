/*
 * policy/explain_who.h - a rule's conditions about who reads, in words for
 * them.
 */
#ifndef POLICY_EXPLAIN_WHO_H
#define POLICY_EXPLAIN_WHO_H

#include "policy/rule.h"

struct arena;
struct buf;

/* "a, b or c"; "anywhere but a, b or c". */
void explain_names(struct buf *out, const struct names *n);

/*
 * By what a rule met the reader, of those conditions that no path of the
 * control set shows. False, and nothing written, if it has none of them.
 */
bool explain_who_met(struct buf *out, const struct rule *r,
    const struct policy_request *q, struct arena *a);

/* An unmet condition, before CONDITION_STORES. */
void explain_who_unmet(struct buf *out, const struct rule *r,
    enum condition c, const struct policy_request *q);

#endif
