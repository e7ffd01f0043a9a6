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
struct decided;
struct definition;
struct directory;
struct policy;
struct principal;

/* Of one file, or of several that policy/bundle.h made one text. On failure
 * w->file is the included file that is wrong; "": the policy itself. */
int policy_load(const char *text, size_t len, struct policy **ret,
    struct why *w);
void policy_free(struct policy *p);
/*
 * The next instant after at_ms at which some rule's interval or hours may
 * turn; INT64_MAX: never. What was decided at at_ms holds until then, as far
 * as rules depend on time.
 */
int64_t policy_changes_at(const struct policy *p, int64_t at_ms);
/* Whether some rule about a store wants this ticket confirmed. */
bool policy_confirms(const struct policy *p, const char *store,
    const char *ticket);
/* The included file that a rule stands in; NULL: the policy's own text. */
const char *policy_file_of(const struct policy *p, const char *rule);
/* Whether a rule permits only what is recorded exactly. */
bool policy_rule_exact(const struct policy *p, const char *rule);
const char *policy_name(const struct policy *p);
/* Where the rules of a file come from, for people: nothing depends on it. */
struct policy_regime {
	const char *title, *as_of;
	const char *const *source;
	size_t n_source;
	const char *const *leaves_out;	/* what the rules do not do */
	size_t n_leaves_out;
};

const struct policy_regime *policy_regimes(const struct policy *p,
    size_t *ret_n);

/* The purposes that the policy knows; a session that states another one is
 * refused. */
const char *const *policy_purposes(const struct policy *p, size_t *ret_n);
/* What the policy defines by that name; NULL: nothing. */
const struct definition *policy_definition(const struct policy *p,
    const char *name);
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

/*
 * What a ticket is for, as whoever keeps tickets has confirmed it. A rule
 * that wants it confirmed applies only where all of that covers what the
 * rule permits: the tables and categories of it in the store, and each
 * residence by itself.
 */
struct policy_scope {
	const char *const *tables;	/* schema.table */
	size_t n_tables;
	const char *const *categories;
	size_t n_categories;
	const char *const *residences;	/* of the ticket's subjects */
	size_t n_residences;
};

/* Approvals that are taken for given. */
struct policy_approvals {
	bool all;
	const char *const *rules;	/* or those of these rules */
	size_t n;
};

struct policy_request {
	const struct principal *who;
	const struct control *control;	/* of this session */
	/* What definitions say of who (policy/who.h); NULL: ask each time. */
	const struct decided *decided;
	const char *store;
	const char *const *residences;	/* that belong in the store */
	size_t n_residences;
	const struct catalog *catalog;	/* of the store */
	const char *purpose;		/* NULL: none stated */
	const char *ticket;		/* NULL: none stated */
	/* What the ticket covers; NULL: it is not confirmed, for the reason
	 * that stands in unconfirmed (NULL: nobody was asked). */
	const struct policy_scope *scope;
	const char *unconfirmed;
	const struct policy_approvals *approved;	/* NULL: nothing is */
	int64_t at_ms;
};

enum treatment {
	TREAT_ABSENT = 0,	/* doubt denies */
	TREAT_MASK,
	TREAT_PLAIN,
};

const char *treatment_text(enum treatment t);

/* What may be written where it is read. */
enum policy_write {
	POLICY_INSERT,
	POLICY_UPDATE,
	POLICY_DELETE,
};

#define POLICY_WRITES 3

const char *policy_write_text(enum policy_write k);

/* What one session may see of one table. */
struct clearance_table {
	const struct catalog_table *table;
	bool readable;			/* at least one residence, one column */
	const char *const *residences;	/* sorted; public tables: none, all rows */
	size_t n_residences;
	const enum treatment *columns;	/* as table->columns; NULL if public */
	/* As table->columns: set of 1 << POLICY_INSERT, POLICY_UPDATE; of plain
	 * columns alone. NULL: nothing may be written to the table. */
	const uint8_t *writes;
	bool deletes;			/* whole rows; writes is not NULL */
};

/* Whether it may be done to some column of the table, or to its rows. */
bool clearance_writes(const struct clearance_table *t, enum policy_write k);

/* What became of a residence of a table. */
struct policy_outcome {
	const char *residence;
	bool permitted;
	const char *rule;	/* the first that permits some of it; or NULL */
	bool nothing_left;	/* no column may be shown for all residences */
};

/* Why it became so. */
struct policy_reason {
	const char *residence;
	bool permitted;
	const char *rule;	/* that permits or forbids; NULL: none permits */
	/* A path, or the unmet condition nearest to a permit; "" if neither. */
	const char *because;
	const char *hint;	/* what would change it; "" if nothing known */
};

struct clearance {
	const struct policy *policy;
	struct policy_request request;	/* its purpose known, or NULL */
	const char *store;
	const struct catalog *catalog;
	const struct clearance_table *tables;	/* as catalog->tables */
	size_t n_tables;
	bool empty;		/* no guarded table is readable */
	/* outcomes[i * n_residences + j]: table i, request residence j */
	const struct policy_outcome *outcomes;
	size_t n_residences;
};

/*
 * Decides everything for one session. Result in the arena; borrows from
 * catalog and policy, and for reasons from all that the request points to.
 */
int policy_decide(const struct policy *p, const struct policy_request *q,
    struct arena *a, const struct clearance **ret);

/* A policy's rules about one way of writing, as a policy; NULL: it has none.
 * Lives as long as the policy. */
const struct policy *policy_writing(const struct policy *p,
    enum policy_write k);

/*
 * A policy without its permits that are for exact records alone (record:
 * exact); NULL: it has none. Lives as long as the policy.
 */
const struct policy *policy_plain(const struct policy *p);

/*
 * Whether what a clearance shows of a table (index in the catalog) needs an
 * exact record: whether some of it is missing in what the plain policy
 * decides for the same request.
 */
bool clearance_needs_exact(const struct clearance *c,
    const struct clearance *plain, size_t table);

/*
 * The canonical text of a clearance: equal outcomes are equal texts, bytes
 * of it are hashed for its name. Lines of ASCII or UTF-8, ended by \n.
 */
void clearance_text(struct buf *out, const struct clearance *c);

const struct clearance_table *clearance_find(const struct clearance *c,
    const struct catalog_table *t);

/*
 * Why a residence (index in the request) of a table (index in the catalog)
 * came out as it did. Looks at every rule: for who is refused and asks. 0 or
 * ERR_MEMORY.
 */
int clearance_reason(const struct clearance *c, size_t table,
    size_t residence, struct arena *a, struct policy_reason *ret);

/*
 * The reason to give a reader who was refused a table: the forbid with a
 * path if there is one, else the nearest permit. Not for one that is
 * readable. 0 or ERR_MEMORY.
 */
int clearance_refusal(const struct clearance *c,
    const struct clearance_table *t, struct arena *a,
    struct policy_reason *ret);

#endif
