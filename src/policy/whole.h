/*
 * policy/whole.h - whether a clearance is for all that a store guards.
 *
 * A service works by a role of the store's own, which reaches every guarded
 * row and knows no masks: it may be let in only if it is cleared for all.
 */
#ifndef POLICY_WHOLE_H
#define POLICY_WHOLE_H

struct clearance;
struct clearance_table;

/* The first table of which not everything is plain for every residence of
 * the store; NULL if there is none. */
const struct clearance_table *clearance_uncleared(const struct clearance *c);

#endif
