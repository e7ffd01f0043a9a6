/*
 * policy/grants.h - approvals: asked for, given, ended.
 *
 *   request ──approve (k of n)──> in force ──expires, revoke──> over
 *      └─deny, revoke, expires──> over
 *   glass: in force at once ──expires, revoke──> over; until `review`
 *      somebody who might have approved looks at it, or the store closes to
 *      whoever broke it
 *
 * What there is follows from the steps alone, in the order of the log; so a
 * gateway that starts and a verifier come to the same. Whether a step may be
 * taken, and whether what was approved counts, is asked of the policy and the
 * directory in effect: an approver who has left, or is under the same control
 * by now, counts no more.
 * Pure. Memory: its own arena; steps are copied.
 * Limits: GRANTS_MAX at a time; of one principal GRANTS_OPEN_MAX that are open
 * and GRANTS_EACH_MAX that are kept, so that nobody takes the others' room.
 */
#ifndef POLICY_GRANTS_H
#define POLICY_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GRANTS_MAX 4096
#define GRANTS_OPEN_MAX 16
#define GRANTS_EACH_MAX 128
#define GRANTS_KEPT_MS ((int64_t)7 * 24 * 3600 * 1000)	/* once over */
#define GRANTS_TEXT_MAX 200	/* bytes of a reason or a ticket */

struct arena;
struct directory;
struct policy;
struct rule;

enum grant_kind {
	GRANT_REQUEST = 0,
	GRANT_APPROVE,
	GRANT_DENY,
	GRANT_REVOKE,
	GRANT_GLASS,		/* done without, since it cannot wait */
	GRANT_REVIEW,		/* of that */
	GRANT_KINDS,
};

/* As the log has them: "request", "break_glass", ... */
const char *grant_kind_text(enum grant_kind k);
/* GRANT_KINDS: there is no such step. */
enum grant_kind grant_kind_of(const char *text);

struct grant_step {
	enum grant_kind kind;
	const char *id;
	const char *by;
	int64_t at_ms;
	const char *why;		/* NULL: not said */
	/* Of a request or broken glass: */
	const char *store, *rule;
	const char *ticket;		/* only with it; NULL: with any */
	int64_t until_ms;
	int64_t review_ms;		/* of broken glass */
};

struct grant {
	const char *id;
	const char *principal;		/* whose */
	const char *store, *rule;
	const char *ticket;		/* or NULL */
	const char *why;
	bool glass;
	int64_t asked_ms, until_ms, review_ms;
	const char *const *by;		/* who approved, each once */
	size_t n_by;
	const char *denied_by, *revoked_by, *reviewed_by;	/* or NULL */
	int64_t over_ms;		/* when the last of these was */
};

struct grants;

struct grants *grants_new(void);	/* NULL: out of memory */
/* The same without what has been over for GRANTS_KEPT_MS. */
struct grants *grants_copy(const struct grants *g, int64_t at_ms);
void grants_free(struct grants *g);	/* NULL is fine */

size_t grants_count(const struct grants *g);	/* of NULL: 0 */
const struct grant *grants_at(const struct grants *g, size_t i);
const struct grant *grants_find(const struct grants *g, const char *id);

/* As the log has it, unasked: 0; ERR_MISSING: of nothing that is known;
 * ERR_CONFLICT: twice; ERR_LIMIT; ERR_MEMORY. */
int grants_take(struct grants *g, const struct grant_step *s);

/* By what steps are judged. */
struct grants_by {
	const struct policy *policy;
	const struct directory *directory;
};

/* 0, or ERR_DENIED with a sentence in *w, ERR_MEMORY. */
int grants_check(const struct grants *g, const struct grants_by *by,
    const struct grant_step *s, struct arena *a, struct why *w);

/* What counts for one session. */
struct granted {
	const struct grant *grant;
	const char *const *by;		/* whose approval counts; glass: none */
	size_t n_by;
};

struct granted_list {
	const struct granted *items;
	size_t n;
};

/* ticket NULL: none. The list lives in the arena, and borrows from g. */
int grants_in_force(const struct grants *g, const struct grants_by *by,
    const char *principal, const char *store, const char *ticket,
    int64_t at_ms, struct arena *a, struct granted_list *ret);
/* One of them, asked of by its id; whatever the session's ticket. */
int grants_counts(const struct grant *x, const struct grants_by *by,
    int64_t at_ms, struct arena *a, bool *ret, struct granted *ret_granted);
/* Broken glass that nobody looked at in time closes the store: which, or
 * NULL. */
const struct grant *grants_closed(const struct grants *g,
    const char *principal, const char *store, int64_t at_ms);
/* The next instant after at_ms at which one expires or closes a store;
 * INT64_MAX: never. */
int64_t grants_change_at(const struct grants *g, int64_t at_ms);

/* "waits for 1 more approval", "in force", "expired", ... */
const char *grant_state(const struct grant *x, const struct grants_by *by,
    int64_t at_ms, struct arena *a);
/* Whether somebody may know of it: it is theirs, or the rule names them. */
bool grant_concerns(const struct grant *x, const struct grants_by *by,
    const char *principal, int64_t at_ms, struct arena *a);

#endif
