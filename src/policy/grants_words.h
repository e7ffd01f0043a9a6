/*
 * policy/grants_words.h - what rules that wait for an approval open:
 * in words, for people who are to decide about it; and all that sessions can
 * have approved. Pure.
 */
#ifndef POLICY_GRANTS_WORDS_H
#define POLICY_GRANTS_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct policy;
struct policy_approvals;
struct policy_request;

/* Each a list in words, "" for all there are. */
struct grant_words {
	const char *rule;
	const char *stores, *tables, *categories;
	const char *residences;
	const char *purposes, *ticket;	/* that it wants beside */
	const char *by;			/* who may approve */
	unsigned count;
	int64_t longest_ms;
	const char *glass_by;		/* who may break the glass; "": nobody */
	int64_t glass_ms, review_ms;
};

/* 0, ERR_MISSING: no such rule, ERR_MEMORY. */
int grant_words(const struct policy *p, const char *rule, struct arena *a,
    struct grant_words *ret);
/*
 * What sessions of a reader can have approved, whatever they state: no rule
 * (first), every set of up to GRANT_SETS_ALL rules that are about them; of
 * more than those each one, each two, and all. A session that has another set
 * finds no login.
 */
#define GRANT_SETS_ALL 4
int grant_sets(const struct policy *p, const struct policy_request *q,
    struct arena *a, const struct policy_approvals **ret, size_t *ret_n);

/* All rules that wait for an approval, in their order. */
int grant_rules(const struct policy *p, struct arena *a,
    const char *const **ret, size_t *ret_n);

#endif
