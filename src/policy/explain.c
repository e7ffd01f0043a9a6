/*
 * Of several conditions the one that a reader can do least about is named,
 * since the others would not help: who they are, then which data, then why
 * they read. Labels and names come from the policy and the directory, never
 * from what the session states.
 */
#include "policy/explain.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "policy/bulk.h"
#include "policy/explain_who.h"

/* Distances: one unmet of the former outweighs all of the latter. */
#define FAR_WHO 10000u
#define FAR_DATA 100u
#define FAR_WHY 2u
#define FAR_TICKET 1u		/* it is the right one already */

static const char *
finish(struct buf *out, struct arena *a)
{
	const char *s = buf_text(out);

	s = s == NULL ? NULL : arena_str(a, s);
	buf_done(out);
	return s;
}

/* Whether a label of the control set is one that a condition lists. */
static bool
is_label(const struct names *labels, const char *label)
{
	return strcmp(label, CONTROL_UNKNOWN) != 0 &&
	    names_match(labels, label);
}

/* The best path that meets a condition on labels: members are sorted. */
static const struct control_path *
best_path(const struct control *c, const struct names *labels, unsigned kinds)
{
	const struct control_path *best = NULL, *p;
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (!is_label(labels, c->members[i].label))
			continue;
		p = control_find(c, c->members[i].label, kinds);
		if (p != NULL && (best == NULL || p->n < best->n))
			best = p;
	}
	return best;
}

/* The path by which a residence stands to the reader as the rule says. */
static const struct control_path *
relation_path(const struct rule *r, const char *residence,
    const struct policy_request *q, bool unknown)
{
	const char *label = CONTROL_UNKNOWN;

	if (r->relation == RELATION_NONE ||
	    strcmp(residence, CONTROL_UNKNOWN) == 0)
		return NULL;
	if (!unknown)
		label = r->relation == RELATION_BEHIND ||
		    r->relation == RELATION_OTHERS_BEHIND ?
		    rule_label_behind(r, residence, q,
		    r->relation == RELATION_OTHERS_BEHIND) : NULL;
	else if (rule_relation(r, residence, q) != TRUTH_UNKNOWN)
		label = NULL;
	return label == NULL ? NULL : control_find(q->control, label,
	    r->relation_by);
}

/* The path by which a rule met the reader; NULL if by none. */
static const struct control_path *
rule_path(const struct rule *r, const char *residence,
    const struct policy_request *q, bool unknown)
{
	const struct {
		const struct names *labels;
		unsigned kinds;
	} by[] = {
		{&r->controlled_from, r->by},
		{&r->located_in, CONTROL_LOCATION},
	};
	const struct control_path *p;
	size_t i;

	for (i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		if (!by[i].labels->set)
			continue;
		p = unknown ?
		    control_find(q->control, CONTROL_UNKNOWN, by[i].kinds) :
		    best_path(q->control, by[i].labels, by[i].kinds);
		if (p != NULL)
			return p;
	}
	return relation_path(r, residence, q, unknown);
}

enum explanation
explain_rank(const struct rule *r, const char *residence,
    const struct policy_request *q)
{
	if (rule_path(r, residence, q, false) != NULL)
		return EXPLAIN_PATH;
	if (rule_has(r, CONDITION_IS))
		return rule_condition(r, CONDITION_IS, q) == TRUTH_TRUE ?
		    EXPLAIN_PATH : EXPLAIN_UNKNOWN;
	if (rule_path(r, residence, q, true) != NULL)
		return EXPLAIN_UNKNOWN;
	return EXPLAIN_SENTENCE;
}

static const char *
role_of(const struct rule *r, const struct principal *p)
{
	size_t i;

	for (i = 0; i < p->n_roles; i++)
		if (names_match(&r->roles, p->roles[i]))
			return p->roles[i];
	return "";
}

static const char *
matching(const struct names *n, const char *const *list, size_t n_list)
{
	size_t i;

	for (i = 0; i < n_list; i++)
		if (names_match(n, list[i]))
			return list[i];
	return NULL;
}

/* "behind you (by location, actual)" */
static void
put_by(struct buf *out, const struct rule *r)
{
	const char *comma = " (by ";
	unsigned k;

	buf_str(out, "behind you");
	if (r->relation_by == CONTROL_ALL)
		return;
	for (k = 1; k <= CONTROL_ALL; k <<= 1)
		if ((r->relation_by & k) != 0) {
			buf_fmt(out, "%s%s", comma, control_kind_text(
			    (enum control_kind)k));
			comma = ", ";
		}
	buf_str(out, ")");
}

/* How a residence and a reader are, where no path shows it. */
static void
put_relation_met(struct buf *out, const struct rule *r,
    const char *residence)
{
	if (strcmp(residence, CONTROL_UNKNOWN) == 0)
		buf_str(out, "where these people are at home is not known");
	else if (r->relation == RELATION_NO_OTHER_BEHIND)
		buf_fmt(out, "none but %s stands ", residence);
	else
		buf_fmt(out, "%s does not stand ", residence);
	if (strcmp(residence, CONTROL_UNKNOWN) != 0)
		put_by(out, r);
}

/* What a permit asks of a residence and a reader, and how they are. */
static void
put_relation_unmet(struct buf *out, const struct rule *r,
    const char *residence, const struct policy_request *q)
{
	static const char *const asks[] = {
		[RELATION_BEHIND] = "where they are at home stands ",
		[RELATION_NOT_BEHIND] =
		    "where they are at home does not stand ",
		[RELATION_OTHERS_BEHIND] = "another country stands ",
		[RELATION_NO_OTHER_BEHIND] = "no other country stands ",
	};
	const char *label;

	buf_fmt(out, "is about people of whom %s", asks[r->relation]);
	put_by(out, r);
	if (rule_relation(r, residence, q) == TRUTH_UNKNOWN) {
		buf_str(out, "; what stands behind you is not known");
		return;
	}
	label = rule_label_behind(r, residence, q,
	    r->relation == RELATION_OTHERS_BEHIND ||
	    r->relation == RELATION_NO_OTHER_BEHIND);
	if (label != NULL)
		buf_fmt(out, "; %s does", label);
	else if (r->relation == RELATION_OTHERS_BEHIND)
		buf_str(out, "; none does");
	else
		buf_fmt(out, "; %s does not", residence);
}

/* One met condition of a forbid, as a sentence about the reader. */
static void
put_met(struct buf *out, const struct rule *r, const char *residence,
    const struct policy_request *q)
{
	const struct principal *p = q->who;
	const char *s;

	if (r->roles.set) {
		buf_fmt(out, "your role is %s", role_of(r, p));
	} else if (r->employed_by.set) {
		s = matching(&r->employed_by, p->employers, p->n_employers);
		if (s == NULL)
			buf_str(out, "your employer is not known");
		else
			buf_fmt(out, "your employer is %s", s);
	} else if (r->nationality.set) {
		s = matching(&r->nationality, p->nationalities,
		    p->n_nationalities);
		if (s == NULL)
			buf_str(out, "your nationality is not known");
		else
			buf_fmt(out, "you are a national of %s", s);
	} else if (r->principals.set) {
		buf_fmt(out, "the rule names you (%s)", p->id);
	} else if (r->purposes.set) {
		buf_fmt(out, "your purpose is %s",
		    q->purpose != NULL ? q->purpose : "not stated");
	} else if (r->ticket != NULL) {
		buf_fmt(out, "your ticket is one of %s", r->ticket);
	} else if (r->relation != RELATION_NONE) {
		put_relation_met(out, r, residence);
	} else if (r->has_kind) {
		buf_fmt(out, "you are a %s", r->service ? "service" :
		    "person");
	} else if (r->weekly.set) {
		buf_str(out, "it is in force ");
		weekly_text(out, &r->weekly);
	} else {
		buf_str(out, "it holds for everybody");
	}
}

const char *
explain_forbid(const struct rule *r, const char *residence,
    const struct policy_request *q, struct arena *a)
{
	const struct control_path *p = rule_path(r, residence, q, false);
	struct buf out;

	buf_init(&out, 0);
	if (p == NULL && !rule_has(r, CONDITION_IS))
		p = rule_path(r, residence, q, true);
	if (p != NULL)
		control_path_text(&out, p);
	else if (!explain_who_met(&out, r, q, a))
		put_met(&out, r, residence, q);
	return finish(&out, a);
}

static bool
is_unmet(const struct rule *r, enum condition c,
    const struct policy_request *q)
{
	return rule_condition(r, c, q) != TRUTH_TRUE;
}

void
explain_measure(struct unmet *u, const struct policy_request *q)
{
	int c;

	u->distance = FAR_DATA * ((unsigned)u->table +
	    (u->residence && !u->scope) + u->category);
	if (u->scope)
		u->distance += FAR_TICKET;
	for (c = 0; c < CONDITION_COUNT; c++) {
		if (!is_unmet(u->rule, (enum condition)c, q))
			continue;
		if (c < CONDITION_STORES)
			u->distance += FAR_WHO;
		else if (c == CONDITION_STORES || c == CONDITION_BULK)
			u->distance += FAR_DATA;
		else if (c == CONDITION_CONFIRMED || c == CONDITION_APPROVAL)
			u->distance += FAR_TICKET;
		else
			u->distance += FAR_WHY;
	}
}

static void
put_interval(struct buf *out, const struct rule *r, int64_t at_ms)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	if (r->from <= at_ms && at_ms < r->to) {
		buf_str(out, "is not in force outside ");
		weekly_text(out, &r->weekly);
		return;
	}
	buf_str(out, "is in force");
	if (r->from != INT64_MIN) {
		time_text(r->from, from);
		buf_fmt(out, " from %s", from);
	}
	if (r->to != INT64_MAX) {
		time_text(r->to, to);
		buf_fmt(out, " until %s", to);
	}
	buf_str(out, " only");
}

static void
put_unconfirmed(struct buf *out, const struct rule *r,
    const struct policy_request *q)
{
	struct scope_gap gap;

	if (q->scope == NULL) {
		buf_fmt(out, "needs a ticket that is confirmed; yours is "
		    "not: %s", q->unconfirmed != NULL ? q->unconfirmed :
		    "nobody was asked");
		return;
	}
	gap = rule_scope_gap(r, q);
	buf_fmt(out, "needs a ticket that covers all it permits; yours does "
	    "not cover %s %s", gap.what, gap.name);
}

static void
put_approval(struct buf *out, const struct rule *r)
{
	const struct approval *a = &r->approval;

	buf_fmt(out, "needs the approval of %u of ", a->count);
	if (a->roles.set) {
		buf_str(out, "the role ");
		explain_names(out, &a->roles);
	}
	if (a->principals.set) {
		buf_str(out, a->roles.set ? " or " : "");
		explain_names(out, &a->principals);
	}
	buf_str(out, ", not under the same control as you; there is none "
	    "now");
}

/* An unmet condition about why, or when. */
static void
put_unmet_why(struct buf *out, const struct rule *r, enum condition c,
    const struct policy_request *q)
{
	if (c == CONDITION_WHEN) {
		put_interval(out, r, q->at_ms);
	} else if (c == CONDITION_PURPOSES) {
		buf_str(out, "needs the purpose ");
		explain_names(out, &r->purposes);
		if (q->purpose != NULL)
			buf_fmt(out, "; this session states %s", q->purpose);
		else
			buf_str(out, "; this session states none");
	} else if (c == CONDITION_CONFIRMED) {
		put_unconfirmed(out, r, q);
	} else if (c == CONDITION_APPROVAL) {
		put_approval(out, r);
	} else {
		buf_fmt(out, "needs a ticket of the form %s; ", r->ticket);
		buf_str(out, q->ticket == NULL ? "this session states none" :
		    "the one this session states is not");
	}
}

static bool
put_unmet_data(struct buf *out, const struct unmet *u,
    const struct policy_request *q, const struct catalog_table *t,
    const char *residence)
{
	if (is_unmet(u->rule, CONDITION_STORES, q)) {
		buf_fmt(out, "is about the store ");
		explain_names(out, &u->rule->stores);
		buf_fmt(out, ", not %s", q->store);
	} else if (is_unmet(u->rule, CONDITION_BULK, q)) {
		buf_str(out, "is about data in bulk; ");
		bulk_text(out, u->rule->bulk, q->catalog);
	} else if (u->table) {
		buf_fmt(out, "is not about %s", t->full);
	} else if (u->residence && names_match(&u->rule->whose, residence)) {
		if (rule_relation(u->rule, residence, q) != TRUTH_TRUE)
			put_relation_unmet(out, u->rule, residence, q);
		else
			buf_fmt(out, "needs a ticket that covers residents "
			    "of %s; yours does not", residence);
	} else if (u->residence) {
		buf_fmt(out, "is about data at home in ");
		explain_names(out, &u->rule->whose);
		buf_fmt(out, ", not %s", residence);
	} else if (u->category) {
		buf_fmt(out, "covers none of the columns of %s: only the "
		    "category ", t->full);
		explain_names(out, &u->rule->categories);
	} else {
		return false;
	}
	return true;
}

const char *
explain_unmet(const struct unmet *u, const struct policy_request *q,
    const struct catalog_table *t, const char *residence, struct arena *a)
{
	struct buf out;
	int c;

	buf_init(&out, 0);
	buf_fmt(&out, "rule \"%s\" ", u->rule->name);
	for (c = 0; c < CONDITION_STORES; c++)
		if (is_unmet(u->rule, (enum condition)c, q)) {
			explain_who_unmet(&out, u->rule, (enum condition)c, q);
			return finish(&out, a);
		}
	if (put_unmet_data(&out, u, q, t, residence))
		return finish(&out, a);
	for (c = CONDITION_WHEN; c < CONDITION_COUNT; c++)
		if (is_unmet(u->rule, (enum condition)c, q)) {
			put_unmet_why(&out, u->rule, (enum condition)c, q);
			break;
		}
	return finish(&out, a);
}

/* Only what the reader can change by stating it is hinted at. */
const char *
explain_hint(const struct unmet *u, const struct policy_request *q,
    struct arena *a)
{
	const struct rule *r = u->rule;
	struct buf out;

	if (r->hint != NULL)
		return r->hint;
	if (u->distance >= FAR_DATA || is_unmet(r, CONDITION_WHEN, q))
		return "";
	buf_init(&out, 0);
	if (is_unmet(r, CONDITION_APPROVAL, q))
		buf_fmt(&out, "sworn request %s '%s' --for 1h --why ... asks "
		    "for it%s", q->store, r->name, is_unmet(r,
		    CONDITION_PURPOSES, q) || is_unmet(r, CONDITION_TICKET,
		    q) ? "; then " : "");
	if (is_unmet(r, CONDITION_PURPOSES, q))
		buf_fmt(&out, "SET sworn.purpose = '%s'", r->purposes.items[0]);
	if (is_unmet(r, CONDITION_TICKET, q))
		buf_fmt(&out, "%sSET sworn.ticket = '...' of the form %s",
		    out.len > 0 ? "; " : "", r->ticket);
	return finish(&out, a);
}
