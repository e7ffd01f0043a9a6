/*
 * Labels and names come from the policy and the directory, never from what
 * a session states.
 */
#include "policy/explain_who.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/bulk.h"
#include "policy/who.h"

#define LIST_MAX 8		/* values of a list that are written out */

static void
put_list(struct buf *out, const char *const *items, size_t n)
{
	size_t i;

	for (i = 0; i < n && i < LIST_MAX; i++) {
		if (i > 0)
			buf_str(out, i + 1 == n ? " or " : ", ");
		buf_str(out, items[i]);
	}
	if (n > LIST_MAX)
		buf_fmt(out, " or %zu others", n - LIST_MAX);
}

void
explain_names(struct buf *out, const struct names *n)
{
	if (n->outside)
		buf_str(out, "anywhere but ");
	put_list(out, n->items, n->n);
}

/* Which of the definitions, and by which way. */
static void
put_definition(struct buf *out, const struct rule *r,
    const struct policy_request *q, struct arena *a)
{
	const struct definition *best = NULL;
	struct defined d, got = {false, false, NULL};
	size_t i;

	for (i = 0; i < r->n_is && !got.certain; i++)
		if (who_defined(r->is[i], q, a, &d) == 0 && d.possible &&
		    (best == NULL || d.certain)) {
			best = r->is[i];
			got = d;
		}
	if (best == NULL)
		buf_str(out, "what you are could not be found out");
	else
		buf_fmt(out, "%s: %s", best->name, got.because);
}

static void
put_employment(struct buf *out, unsigned as)
{
	static const struct {
		unsigned as;
		const char *words;
	} words[] = {
		{EMPLOYED_EMPLOYEE, "an employee"},
		{EMPLOYED_CONTRACTOR, "a contractor"},
		{EMPLOYED_NOBODY, "employed by nobody"},
	};
	const char *items[3];
	size_t i, n = 0;

	for (i = 0; i < 3; i++)
		if ((as & words[i].as) != 0)
			items[n++] = words[i].words;
	put_list(out, items, n);
}

/* "you are based in X", or that it is not known. */
static void
put_one(struct buf *out, const char *words, const struct names *n,
    const char *const *list, size_t n_list, const char *unknown)
{
	size_t i;

	for (i = 0; i < n_list; i++)
		if (strcmp(list[i], CONTROL_UNKNOWN) != 0 &&
		    names_match(n, list[i])) {
			buf_fmt(out, "%s %s", words, list[i]);
			return;
		}
	buf_str(out, unknown);
}

static void
put_office(struct buf *out, const struct rule *r, const struct principal *p)
{
	size_t i, k;

	for (i = 0; i < p->n_offices; i++)
		for (k = 0; k < r->offices.n; k++)
			if (office_is(p->offices[i], r->offices.items[k])) {
				buf_fmt(out, "you hold the office %s",
				    p->offices[i]);
				return;
			}
	buf_str(out, "which offices you hold is not known");
}

static void
put_connecting(struct buf *out, const struct rule *r,
    const struct policy_request *q)
{
	if (q->control->n_seen_at == 0)
		put_one(out, "you are based in", &r->connecting_from,
		    q->who->based_in, q->who->n_based_in,
		    "where you are based is not known");
	else
		put_one(out, "you connect from", &r->connecting_from,
		    q->control->seen_at, q->control->n_seen_at,
		    "you connect from a network that belongs to no site");
}

bool
explain_who_met(struct buf *out, const struct rule *r,
    const struct policy_request *q, struct arena *a)
{
	const struct principal *p = q->who;

	if (r->n_is > 0) {
		put_definition(out, r, q, a);
	} else if (r->offices.set) {
		put_office(out, r, p);
	} else if (r->instructed_by.set) {
		put_one(out, "you are instructed by", &r->instructed_by,
		    p->instructors, p->n_instructors,
		    "who instructs you is not known");
	} else if (r->connecting_from.set) {
		put_connecting(out, r, q);
	} else if (r->based_in.set) {
		put_one(out, "you are based in", &r->based_in, p->based_in,
		    p->n_based_in, "where you are based is not known");
	} else if (r->employed_as != 0) {
		if (rule_condition(r, CONDITION_EMPLOYED_AS, q) ==
		    TRUTH_UNKNOWN)
			buf_str(out, "as what you are employed is not known");
		else {
			buf_str(out, "you are ");
			put_employment(out, r->employed_as);
		}
	} else if (r->bulk != NULL) {
		bulk_text(out, r->bulk, q->catalog);
		return true;
	} else {
		return false;
	}
	if (r->bulk != NULL) {
		buf_str(out, "; ");
		bulk_text(out, r->bulk, q->catalog);
	}
	return true;
}

/* "is for those located in X; you are not". */
static void
put_labels(struct buf *out, const char *words, const struct names *n,
    bool unknown, const char *what)
{
	buf_fmt(out, "is for %s ", words);
	explain_names(out, n);
	if (unknown)
		buf_fmt(out, "; %s is not known", what);
	else
		buf_str(out, "; you are not");
}

/* The same, and what is written of the reader. */
static void
put_facts(struct buf *out, const char *words, const struct names *n,
    const char *none, const char *some, const char *const *items,
    size_t n_items)
{
	buf_fmt(out, "is for %s ", words);
	explain_names(out, n);
	buf_str(out, n_items == 0 ? none : some);
	put_list(out, items, n_items);
}

static void
put_unmet_employer(struct buf *out, const struct rule *r, enum condition c,
    const struct principal *p, bool unknown)
{
	if (c == CONDITION_EMPLOYED_BY) {
		put_facts(out, "those employed by", &r->employed_by,
		    unknown ? "; your employer is not known" :
		    "; you have no employer", "; your employer is ",
		    p->employers, p->n_employers);
	} else if (c == CONDITION_INSTRUCTED_BY) {
		put_facts(out, "those instructed by", &r->instructed_by,
		    unknown ? "; who instructs you is not known" :
		    "; nobody instructs you", "; you are by ",
		    p->instructors, p->n_instructors);
	} else {
		buf_str(out, "is for whoever is ");
		put_employment(out, r->employed_as);
		buf_str(out, unknown ? "; what you are is not known" :
		    "; you are not");
	}
}

static void
put_unmet_definition(struct buf *out, const struct rule *r, bool unknown)
{
	size_t i;

	buf_str(out, "is for whoever is ");
	for (i = 0; i < r->n_is; i++)
		buf_fmt(out, "%s%s", i > 0 ? " or " : "", r->is[i]->name);
	buf_str(out, unknown ? "; whether you are is not known" :
	    "; you are not");
}

void
explain_who_unmet(struct buf *out, const struct rule *r, enum condition c,
    const struct policy_request *q)
{
	const struct principal *p = q->who;
	bool unknown = rule_condition(r, c, q) == TRUTH_UNKNOWN;

	if (c == CONDITION_KIND)
		buf_fmt(out, "is for %s; you are a %s",
		    r->service ? "services" : "persons",
		    r->service ? "person" : "service");
	else if (c == CONDITION_PRINCIPALS)
		buf_str(out, "is for those it names; you are not among them");
	else if (c == CONDITION_ROLES)
		put_facts(out, "the role", &r->roles, "; you have none",
		    "; yours is ", p->roles, p->n_roles);
	else if (c == CONDITION_NATIONALITY)
		put_facts(out, "nationals of", &r->nationality,
		    "; your nationality is not known", "; you are one of ",
		    p->nationalities, p->n_nationalities);
	else if (c == CONDITION_OFFICES)
		put_facts(out, "those in the office", &r->offices,
		    unknown ? "; which you hold is not known" :
		    "; you hold none", "; yours is ", p->offices,
		    p->n_offices);
	else if (c == CONDITION_LOCATED_IN)
		put_labels(out, "those located in", &r->located_in, unknown,
		    "your location");
	else if (c == CONDITION_BASED_IN)
		put_labels(out, "those based in", &r->based_in, unknown,
		    "where you are based");
	else if (c == CONDITION_CONNECTING_FROM)
		put_labels(out, "those connecting from", &r->connecting_from,
		    unknown, "where you connect from");
	else if (c == CONDITION_CONTROLLED_FROM)
		put_labels(out, "those controlled from", &r->controlled_from,
		    unknown, "who controls you");
	else if (c == CONDITION_IS)
		put_unmet_definition(out, r, unknown);
	else
		put_unmet_employer(out, r, c, p, unknown);
}
