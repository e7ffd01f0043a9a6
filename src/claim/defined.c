#include "claim/defined.h"

#include "base/arena.h"
#include "base/err.h"
#include "claim/objects.h"
#include "directory/definition.h"
#include "directory/directory.h"
#include "policy/policy.h"

/* One definition of those that the claim names. */
static int
ask(const struct defined_reader *r, const struct policy *p,
    const struct principal *who, const char *name, struct arena *a,
    struct defined_answer *ret)
{
	const struct definition *def = policy_definition(p, name);
	enum truth t = TRUTH_UNKNOWN;
	struct defined found;
	int e;

	if (def == NULL) {
		ret->missing = arena_fmt(a, "the policy %s defines no \"%s\"",
		    r->policy, name);
		if (ret->missing == NULL)
			return ERR_MEMORY;
	} else {
		if ((e = definition_decide(def, who, r->facts->seen_at.s,
		    r->facts->seen_at.n, a, &found)) != 0)
			return e;
		t = found.certain ? TRUTH_TRUE : found.possible ?
		    TRUTH_UNKNOWN : TRUTH_FALSE;
	}
	if (t <= ret->truth)
		return 0;
	ret->truth = t;
	ret->name = name;
	ret->because = def != NULL && found.because != NULL ?
	    found.because : "";
	return 0;
}

/* A text that cannot be had leaves it unknown. */
static int
lacking(int r, const char *why, struct arena *a, struct defined_answer *ret)
{
	if (r == ERR_MEMORY || (ret->missing = arena_str(a, why)) == NULL)
		return ERR_MEMORY;
	return 0;
}

int
defined_at(const struct defined_reader *r, struct objects *o, int64_t at_ms,
    struct arena *a, struct defined_answer *ret)
{
	const struct directory *d = NULL;
	const struct policy *p = NULL;
	const struct principal *who;
	const char *why;
	size_t i;
	int e;

	*ret = (struct defined_answer){ .truth = TRUTH_UNKNOWN,
	    .from_ms = at_ms, .until_ms = INT64_MAX, .because = "" };
	if (o == NULL)
		return 0;
	ret->until_ms = objects_changes_at(o, r->policy, r->directory, at_ms);
	if ((e = objects_policy(o, r->policy, &p, &why)) != 0 ||
	    (e = objects_directory(o, r->directory, &d, &why)) != 0)
		return lacking(e, why, a, ret);
	e = directory_principal(d, r->facts->principal, at_ms, a, &who);
	if (e == ERR_MEMORY)
		return e;
	if (e != 0)
		return lacking(e, "the directory does not know the reader", a,
		    ret);
	ret->truth = TRUTH_FALSE;
	for (i = 0; i < r->who->is.n; i++)
		if ((e = ask(r, p, who, r->who->is.s[i], a, ret)) != 0)
			return e;
	if (ret->truth != TRUTH_UNKNOWN)
		ret->missing = NULL;
	return 0;
}

int
defined_over(const struct defined_reader *r, struct objects *o,
    int64_t from_ms, int64_t to_ms, struct arena *a,
    struct defined_answer *last, enum truth *ret)
{
	int64_t at_ms = from_ms;
	unsigned turns = 0;
	int e;

	for (; turns <= DEFINED_TURNS_MAX; turns++, at_ms = last->until_ms) {
		if ((at_ms < last->from_ms || at_ms >= last->until_ms) &&
		    (e = defined_at(r, o, at_ms, a, last)) != 0)
			return e;
		if (turns == 0)
			*ret = last->truth;
		else if (*ret != last->truth)
			*ret = TRUTH_UNKNOWN;
		if (last->until_ms > to_ms || last->until_ms == INT64_MAX)
			return 0;
	}
	*ret = TRUTH_UNKNOWN;
	return 0;
}
