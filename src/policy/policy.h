/*
 * policy/policy.h - rules and facts in, one clearance out, with reasons.
 *
 * Rules permit, forbid or treat. Forbid wins over permit whatever the
 * order; without a permit the answer is no; a fact that is unknown makes a
 * permit not apply and a forbid or a treatment apply.
 * Pure. Format: docs/policy.md.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct buf;
struct catalog;
struct catalog_table;
struct control;
struct directory;
struct policy;
struct principal;

int policy_load(const char *text, size_t len, struct policy **ret,
    struct why *w);
void policy_free(struct policy *p);
const char *policy_name(const struct policy *p);
/* The purposes that the policy knows; a session that states another one is
 * refused. */
const char *const *policy_purposes(const struct policy *p, size_t *ret_n);
/* Ticket patterns (POSIX extended, anchored) that rules mention, distinct. */
const char *const *policy_ticket_patterns(const struct policy *p,
    size_t *ret_n);

/*
 * Names in rules that nothing of a configuration has: a misspelt category
 * makes a forbid that never applies. Not refused at loading, since one policy
 * may serve gateways with different stores; whoever checks a configuration
 * shows them.
 */
struct policy_known {
	const char *const *stores;
	size_t n_stores;
	const char *const *residences;
	size_t n_residences;
	const struct catalog *const *catalogs;
	size_t n_catalogs;
	const struct directory *directory;
};

/* line and column are of the rule; what is "category", "table", ... */
typedef void policy_strange_fn(void *arg, unsigned line, unsigned column,
    const char *rule, const char *what, const char *name);

void policy_strange(const struct policy *p, const struct policy_known *k,
    policy_strange_fn *fn, void *arg);

struct policy_request {
	const struct principal *who;
	const struct control *control;	/* of this session */
	const char *store;
	const char *const *residences;	/* that belong in the store */
	size_t n_residences;
	const struct catalog *catalog;	/* of the store */
	const char *purpose;		/* NULL: none stated */
	const char *ticket;		/* NULL: none stated */
	int64_t at_ms;
};

enum treatment {
	TREAT_ABSENT = 0,	/* doubt denies */
	TREAT_MASK,
	TREAT_PLAIN,
};

const char *treatment_text(enum treatment t);

/* What one session may see of one table. */
struct clearance_table {
	const struct catalog_table *table;
	bool readable;			/* at least one residence, one column */
	const char *const *residences;	/* sorted; public tables: none, all rows */
	size_t n_residences;
	const enum treatment *columns;	/* as table->columns; NULL if public */
};

/* Why a residence of a table came out as it did. */
struct policy_reason {
	const char *residence;
	bool permitted;
	const char *rule;	/* that permits or forbids; NULL: none permits */
	/* A path, or the unmet condition nearest to a permit; "" if neither. */
	const char *because;
	const char *hint;	/* what would change it; "" if nothing known */
};

struct clearance {
	const char *store;
	const struct catalog *catalog;
	const struct clearance_table *tables;	/* as catalog->tables */
	size_t n_tables;
	bool empty;		/* no guarded table is readable */
	/* reasons[i * n_residences + j]: table i, request residence j */
	const struct policy_reason *reasons;
	size_t n_residences;
};

/* Decides everything for one session. Result in the arena; borrows from
 * catalog and policy. */
int policy_decide(const struct policy *p, const struct policy_request *q,
    struct arena *a, const struct clearance **ret);

/*
 * The canonical text of a clearance: equal outcomes are equal texts, bytes
 * of it are hashed for its name. Lines of ASCII or UTF-8, ended by \n.
 */
void clearance_text(struct buf *out, const struct clearance *c);

const struct clearance_table *clearance_find(const struct clearance *c,
    const struct catalog_table *t);

/*
 * The reason to give a reader who was refused a table: the forbid with a
 * path if there is one, else the nearest permit. NULL if it is readable.
 */
const struct policy_reason *clearance_refusal(const struct clearance *c,
    const struct clearance_table *t);

#endif
