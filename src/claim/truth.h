/*
 * claim/truth.h - three values: no, not known, yes.
 *
 * Kleene's logic: `and` is the least of its parts, `or` the greatest.
 */
#ifndef CLAIM_TRUTH_H
#define CLAIM_TRUTH_H

enum truth {
	TRUTH_FALSE = 0,
	TRUTH_UNKNOWN = 1,
	TRUTH_TRUE = 2,
};

static inline enum truth
truth_and(enum truth a, enum truth b)
{
	return a < b ? a : b;
}

static inline enum truth
truth_or(enum truth a, enum truth b)
{
	return a > b ? a : b;
}

#endif
