/*
 * policy/approvers.h - who may approve what a permit makes depend on it.
 *
 * Persons whom the rule names and who are apart from the requester: nobody
 * and nothing stands above both, by the kinds that the rule chooses, but
 * where the rule lets them meet; no label stands behind both; and nothing
 * that is not known stands behind either. Everybody is at their own site.
 * Pure. Memory: the arena.
 */
#ifndef POLICY_APPROVERS_H
#define POLICY_APPROVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct arena;
struct directory;
struct principal;
struct rule;

/* One who might approve, or asks for it. */
struct approver {
	const char *id;
	bool known;			/* nothing behind them is not */
	const char *const *above;	/* sorted; themselves included */
	size_t n_above;
	const char *const *labels;	/* that stand behind them */
	size_t n_labels;
};

struct approvers {
	const struct rule *rule;
	const struct approver *items;	/* whom the rule names, apart or not */
	size_t n;
};

/* Of a rule that needs an approval; ids: of all principals. 0 or ERR_... */
int approvers_list(const struct directory *d, const struct rule *r,
    const char *const *ids, size_t n, int64_t at_ms, struct arena *a,
    struct approvers *ret);
/* Those who are apart from a requester. */
int approvers_for(const struct approvers *l, const struct directory *d,
    const char *requester, int64_t at_ms, struct arena *a,
    const char *const **ret, size_t *ret_n);

/*
 * What keeps somebody from approving for a requester: "both answer to ceo",
 * "CN stands behind both"; NULL: nothing, as far as control goes. Whether the
 * rule names them is another question: approval_names. 0 or ERR_...
 */
int approvers_together(const struct directory *d, const struct rule *r,
    const char *requester, const char *approver, int64_t at_ms,
    struct arena *a, const char **ret);
bool approval_names(const struct rule *r, const struct principal *p);

/* All rules of a policy that need an approval, and who may give it. */
struct approval_survey {
	struct approvers *rules;
	size_t n;
};

int approval_survey_make(const struct directory *d, const struct policy *p,
    const char *const *ids, size_t n, int64_t at_ms, struct arena *a,
    struct approval_survey *ret);

/* What one principal could have approved. */
struct approvable {
	const char *rule;
	unsigned count;
	const char *const *by;		/* at least that many */
	size_t n;
};

int approvable_list(const struct approval_survey *s,
    const struct directory *d, const char *requester, int64_t at_ms,
    struct arena *a, const struct approvable **ret, size_t *ret_n);

#endif
