/*
 * policy/index.h - the rules of a policy as sets of bits, so that deciding
 * looks at facts and not at rules.
 *
 * A condition has for each value that some rule lists the set of rules that
 * it meets, those included that do not write the condition. The rules that
 * apply to a session are what is left when the sets of its facts are cut
 * with one another. What a policy says that has no such sets is asked of
 * each rule that is left then, by rule_condition.
 *
 * Bit i of a set is rules[i] of the policy: sorted by name.
 * Pure. Memory: the arena given; borrows the policy's rules.
 */
#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct arena;
struct index;
struct rule;

/* 0 or ERR_MEMORY. */
int index_make(const struct rule *rules, size_t n, struct arena *a,
    struct index **ret);

/* Words of a set: at least one. */
size_t index_words(const struct index *x);

/*
 * The rules that apply to a session, as far as the session goes. The
 * request's purpose is known or NULL. Both are index_words() words; met is
 * scratch.
 */
void index_session(const struct index *x, const struct policy_request *q,
    uint64_t *met, uint64_t *ret);

/* The same as far as the reader and the store go: the rules that some session
 * of theirs there may meet, whatever it states and whenever it is. */
void index_reader(const struct index *x, const struct policy_request *q,
    uint64_t *met, uint64_t *ret);

/* Takes out of a set the rules that do not apply to such data. */
void index_cut_table(const struct index *x, const char *full, uint64_t *set);
void index_cut_residence(const struct index *x,
    const struct policy_request *q, const char *label, uint64_t *set);
/* Of a residence, as far as the reader goes. */
void index_cut_relation(const struct index *x,
    const struct policy_request *q, const char *label, uint64_t *set);
void index_cut_category(const struct index *x, const char *name,
    uint64_t *set);

/* By what they do; the last two are treatments. */
const uint64_t *index_permits(const struct index *x);
const uint64_t *index_forbids(const struct index *x);
const uint64_t *index_masks(const struct index *x);
const uint64_t *index_absents(const struct index *x);

#endif
