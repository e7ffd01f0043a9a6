/*
 * claim/defined.h - whether a reader is what a definition says, while data
 * was disclosed to them.
 *
 * A claim's `is` names definitions of the policy that decided the session: a
 * covered person, an importer. They are decided again here, over the recorded
 * directory; nothing in a record says the outcome. Facts turn while a session
 * goes on, so all of a disclosure's time is looked at.
 * Pure but for reading objects by the caller's function.
 */
#ifndef CLAIM_DEFINED_H
#define CLAIM_DEFINED_H

#include <stdbool.h>
#include <stdint.h>

#include "claim/claim.h"
#include "claim/truth.h"
#include "record/record.h"

#define DEFINED_TURNS_MAX 64	/* of facts in one disclosure; more: unknown */

struct arena;
struct objects;

/* A reader's record: facts and where they were; and by which texts. */
struct defined_reader {
	const struct claim_who *who;
	const struct record_session *facts;
	const char *policy, *directory;	/* SHA-256 */
};

struct defined_answer {
	enum truth truth;
	int64_t from_ms, until_ms;	/* it holds: until just before */
	const char *name;		/* the definition; NULL: none met */
	const char *because;		/* the path, or "" */
	/* What keeps it unknown, in words; NULL: facts that are not known. */
	const char *missing;
};

/* At one instant. Without objects (NULL) nothing is known. Texts live in the
 * arena, or as long as the claim. 0 or ERR_MEMORY. */
int defined_at(const struct defined_reader *r, struct objects *o,
    int64_t at_ms, struct arena *a, struct defined_answer *ret);
/* From one instant to another, both included: unknown where it changed.
 * *last: what was found before by the same texts, and then what is. */
int defined_over(const struct defined_reader *r, struct objects *o,
    int64_t from_ms, int64_t to_ms, struct arena *a,
    struct defined_answer *last, enum truth *ret);

#endif
