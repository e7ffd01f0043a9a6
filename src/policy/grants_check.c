/*
 * Which steps may be taken, and what counts. Both look at the rule as the
 * policy has it now: nothing that was approved is more than the rule.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "directory/directory.h"
#include "policy/approvers.h"
#include "policy/grants.h"
#include "policy/rule.h"

struct check {
	const struct grants *g;
	const struct grants_by *by;
	const struct grant_step *s;
	struct arena *a;
	struct why *w;
	const struct rule *rule;
	const struct principal *who;	/* takes the step */
};

static int no(struct check *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static int
no(struct check *c, const char *fmt, ...)
{
	char text[sizeof(c->w->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	return why_set(c->w, ERR_DENIED, 0, 0, "%s", text);
}

static const struct rule *
find_rule(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		if (strcmp(p->rules[i].name, name) == 0)
			return p->rules[i].approval.set ? &p->rules[i] : NULL;
	return NULL;
}

static bool
is_named(const struct names *roles, const struct names *principals,
    const struct principal *p)
{
	size_t i;

	if (principals->set && names_match(principals, p->id))
		return true;
	for (i = 0; roles->set && i < p->n_roles; i++)
		if (names_match(roles, p->roles[i]))
			return true;
	return false;
}

static bool
may_break(const struct rule *r, const struct principal *p)
{
	return r->approval.glass && is_named(&r->approval.glass_roles,
	    &r->approval.glass_principals, p);
}

static bool
text_fits(const char *s)
{
	const unsigned char *p;

	if (s == NULL || *s == 0 || strlen(s) > GRANTS_TEXT_MAX ||
	    !text_is_utf8(s, strlen(s)))
		return false;
	for (p = (const unsigned char *)s; *p != 0; p++)
		if (*p < 0x20 || *p == 0x7f)
			return false;
	return true;
}

/* ---- what is asked for ---- */

static int
check_rule(struct check *c)
{
	const struct grant_step *s = c->s;

	if ((c->rule = find_rule(c->by->policy, s->rule)) == NULL)
		return no(c, "the policy has no rule \"%s\" that waits for an "
		    "approval", s->rule);
	if (c->rule->stores.set && !names_match(&c->rule->stores, s->store))
		return no(c, "rule \"%s\" is not about store %s", s->rule,
		    s->store);
	if ((c->rule->has_kind && c->rule->service) ||
	    (c->rule->principals.set &&
	    !names_match(&c->rule->principals, s->by)) ||
	    (c->rule->roles.set && !is_named(&c->rule->roles,
	    &(struct names){ .n = 0 }, c->who)))
		return no(c, "rule \"%s\" is not about %s, approved or not",
		    s->rule, s->by);
	if (s->ticket != NULL && (!text_fits(s->ticket) ||
	    (c->rule->regex != NULL && regexec(c->rule->regex, s->ticket, 0,
	    NULL, 0) != 0)))
		return no(c, "ticket \"%s\" is none that rule \"%s\" is about",
		    s->ticket, s->rule);
	return 0;
}

static int
check_span(struct check *c, int64_t longest_ms)
{
	const struct grant_step *s = c->s;

	if (s->until_ms <= s->at_ms)
		return no(c, "it would be over before it begins");
	if (s->until_ms - s->at_ms > longest_ms)
		return no(c, "rule \"%s\" gives %" PRId64 " minutes at most",
		    s->rule, longest_ms / 60000);
	return 0;
}

static int
check_room(struct check *c)
{
	const struct grant_step *s = c->s;
	const struct grant *x;
	size_t i, open = 0, all = 0;

	for (i = 0; i < grants_count(c->g); i++) {
		x = grants_at(c->g, i);
		if (strcmp(x->id, s->id) == 0)
			return no(c, "there is a request %s already", s->id);
		if (strcmp(x->principal, s->by) != 0)
			continue;
		all++;
		open += x->denied_by == NULL && x->revoked_by == NULL &&
		    x->until_ms > s->at_ms;
		if (s->kind == GRANT_GLASS && x->glass &&
		    x->reviewed_by == NULL && strcmp(x->store, s->store) == 0)
			return no(c, "you broke the glass there before (%s), "
			    "and nobody has reviewed it", x->id);
	}
	if (open >= GRANTS_OPEN_MAX)
		return no(c, "you have %d open requests; revoke one first",
		    GRANTS_OPEN_MAX);
	if (all >= GRANTS_EACH_MAX)
		return no(c, "you asked %d times within a week; that is all "
		    "there is", GRANTS_EACH_MAX);
	if (grants_count(c->g) == GRANTS_MAX)
		return no(c, "there are %d requests already", GRANTS_MAX);
	return 0;
}

/* Enough who might approve: one that nobody can give is not asked for. */
static int
check_can_be(struct check *c)
{
	const struct directory *d = c->by->directory;
	const char *const *ids, *const *can;
	struct approvers l;
	size_t n, n_can = 0;
	int r;

	if ((r = directory_list(d, c->s->at_ms, c->a, &ids, &n)) != 0 ||
	    (r = approvers_list(d, c->rule, ids, n, c->s->at_ms, c->a,
	    &l)) != 0 || (r = approvers_for(&l, d, c->s->by, c->s->at_ms,
	    c->a, &can, &n_can)) != 0)
		return r;
	if (n_can < c->rule->approval.count)
		return no(c, "rule \"%s\" needs %u approvals, and only %zu may "
		    "approve who are not under the same control as you",
		    c->s->rule, c->rule->approval.count, n_can);
	return 0;
}

static int
check_begin(struct check *c)
{
	bool glass = c->s->kind == GRANT_GLASS;
	int r;

	if (c->s->store == NULL || c->s->rule == NULL)
		return no(c, "it names no store and rule");
	if (!text_fits(c->s->why))
		return no(c, "say why, in at most %d bytes of plain text",
		    GRANTS_TEXT_MAX);
	if ((r = check_rule(c)) != 0 || (r = check_room(c)) != 0)
		return r;
	if (!glass)
		return (r = check_span(c, c->rule->approval.longest_ms)) != 0 ?
		    r : check_can_be(c);
	if (!may_break(c->rule, c->who))
		return no(c, "rule \"%s\" lets nobody like %s break the glass",
		    c->s->rule, c->s->by);
	if (c->s->review_ms - c->s->at_ms > c->rule->approval.review_ms)
		return no(c, "its review may not wait that long");
	return check_span(c, c->rule->approval.glass_ms);
}

/* ---- what is done about it ---- */

static int
check_apart(struct check *c, const struct grant *x, const char *to)
{
	const char *together;
	int r;

	if (strcmp(c->s->by, x->principal) == 0)
		return no(c, "nobody %ss what they asked for themselves", to);
	if (!approval_names(c->rule, c->who))
		return no(c, "rule \"%s\" does not name %s among those who "
		    "may %s", x->rule, c->s->by, to);
	if ((r = approvers_together(c->by->directory, c->rule, x->principal,
	    c->s->by, c->s->at_ms, c->a, &together)) != 0)
		return r;
	return together == NULL ? 0 : no(c, "you may not %s for %s, who is "
	    "under the same control: %s", to, x->principal, together);
}

static int
check_open(struct check *c, const struct grant *x)
{
	if (x->denied_by != NULL)
		return no(c, "%s denied it", x->denied_by);
	if (x->revoked_by != NULL)
		return no(c, "%s revoked it", x->revoked_by);
	if (x->until_ms <= c->s->at_ms)
		return no(c, "it has expired");
	return 0;
}

static int
check_approve(struct check *c, const struct grant *x)
{
	size_t i;
	int r;

	if (x->glass)
		return no(c, "the glass is broken already: review it");
	if ((r = check_open(c, x)) != 0)
		return r;
	for (i = 0; i < x->n_by; i++)
		if (strcmp(x->by[i], c->s->by) == 0)
			return no(c, "you have approved it already");
	return check_apart(c, x, "approve");
}

/* What only takes away needs no distance. */
static int
check_end(struct check *c, const struct grant *x)
{
	bool deny = c->s->kind == GRANT_DENY;
	int r;

	if ((r = check_open(c, x)) != 0)
		return r;
	if (deny && x->glass)
		return no(c, "the glass is broken already: revoke it");
	if (deny && !text_fits(c->s->why))
		return no(c, "say why it is denied");
	if (!deny && strcmp(c->s->by, x->principal) == 0)
		return 0;
	if (deny && strcmp(c->s->by, x->principal) == 0)
		return no(c, "it is yours: revoke it");
	return approval_names(c->rule, c->who) ? 0 : no(c, "rule \"%s\" does "
	    "not name %s among those who may approve", x->rule, c->s->by);
}

static int
check_review(struct check *c, const struct grant *x)
{
	if (!x->glass)
		return no(c, "only broken glass is reviewed");
	if (x->reviewed_by != NULL)
		return no(c, "%s has reviewed it", x->reviewed_by);
	if (!text_fits(c->s->why))
		return no(c, "say what you found");
	return check_apart(c, x, "review");
}

static int
check_about(struct check *c)
{
	const struct grant *x = grants_find(c->g, c->s->id);

	if (x == NULL || !grant_concerns(x, c->by, c->s->by, c->s->at_ms,
	    c->a))
		return no(c, "there is no request %s that concerns you",
		    c->s->id);
	if (c->s->why != NULL && !text_fits(c->s->why))
		return no(c, "a reason is at most %d bytes of plain text",
		    GRANTS_TEXT_MAX);
	if ((c->rule = find_rule(c->by->policy, x->rule)) == NULL)
		return c->s->kind == GRANT_REVOKE ? 0 : no(c, "the policy has "
		    "no rule \"%s\" any more that waits for an approval",
		    x->rule);
	switch (c->s->kind) {
	case GRANT_APPROVE:
		return check_approve(c, x);
	case GRANT_DENY:
	case GRANT_REVOKE:
		return check_end(c, x);
	case GRANT_REVIEW:
		return check_review(c, x);
	case GRANT_REQUEST:
	case GRANT_GLASS:
	case GRANT_KINDS:
		break;
	}
	return no(c, "no such step");
}

int
grants_check(const struct grants *g, const struct grants_by *by,
    const struct grant_step *s, struct arena *a, struct why *w)
{
	struct check c = { .g = g, .by = by, .s = s, .a = a, .w = w };
	int r;

	r = directory_principal(by->directory, s->by, s->at_ms, a, &c.who);
	if (r == ERR_MISSING || (r == 0 && c.who->kind != PRINCIPAL_PERSON))
		return no(&c, "the directory knows no person \"%s\" now",
		    s->by);
	if (r == 0 && (s->kind == GRANT_REQUEST || s->kind == GRANT_GLASS))
		r = check_begin(&c);
	else if (r == 0)
		r = check_about(&c);
	return r == 0 || r == ERR_DENIED ? r : why_set(w, r, 0, 0, "%s",
	    err_text(r));
}

/* ---- what counts ---- */

/* Those who approved, are still there, still named and still apart. */
static int
count_by(const struct grant *x, const struct rule *rule,
    const struct directory *d, int64_t at_ms, struct arena *a,
    struct granted *ret)
{
	const struct principal *p;
	const char **there;
	struct approvers l;
	size_t i, n = 0;
	int r;

	if ((there = arena_array(a, x->n_by, sizeof(*there))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->n_by; i++) {
		r = directory_principal(d, x->by[i], at_ms, a, &p);
		if (r == 0)
			there[n++] = x->by[i];
		else if (r != ERR_MISSING)
			return r;
	}
	if ((r = approvers_list(d, rule, there, n, at_ms, a, &l)) != 0)
		return r;
	return approvers_for(&l, d, x->principal, at_ms, a, &ret->by,
	    &ret->n_by);
}

int
grants_counts(const struct grant *x, const struct grants_by *by,
    int64_t at_ms, struct arena *a, bool *ret, struct granted *ret_granted)
{
	const struct rule *rule = find_rule(by->policy, x->rule);
	struct granted g = { .grant = x };
	const struct principal *p;
	int r;

	*ret = false;
	if (rule == NULL || x->denied_by != NULL || x->revoked_by != NULL ||
	    at_ms >= x->until_ms)
		return 0;
	if ((r = directory_principal(by->directory, x->principal, at_ms, a,
	    &p)) != 0)
		return r == ERR_MISSING ? 0 : r;
	if (x->glass) {
		*ret = may_break(rule, p);
	} else {
		if ((r = count_by(x, rule, by->directory, at_ms, a, &g)) != 0)
			return r;
		*ret = g.n_by >= rule->approval.count;
	}
	*ret_granted = g;
	return 0;
}

static bool
is_for(const struct grant *x, const char *principal, const char *store,
    const char *ticket)
{
	return strcmp(x->principal, principal) == 0 &&
	    strcmp(x->store, store) == 0 && (x->ticket == NULL ||
	    (ticket != NULL && strcmp(x->ticket, ticket) == 0));
}

int
grants_in_force(const struct grants *g, const struct grants_by *by,
    const char *principal, const char *store, const char *ticket,
    int64_t at_ms, struct arena *a, struct granted_list *ret)
{
	struct granted *list = NULL;
	size_t i, n = 0;
	bool counts;
	int r;

	*ret = (struct granted_list){ NULL, 0 };
	for (i = 0; i < grants_count(g); i++) {
		if (!is_for(grants_at(g, i), principal, store, ticket))
			continue;
		if (list == NULL && (list = arena_array(a,
		    grants_count(g), sizeof(*list))) == NULL)
			return ERR_MEMORY;
		if ((r = grants_counts(grants_at(g, i), by, at_ms, a, &counts,
		    &list[n])) != 0)
			return r;
		n += counts;
	}
	*ret = (struct granted_list){ list, n };
	return 0;
}

const char *
grant_state(const struct grant *x, const struct grants_by *by, int64_t at_ms,
    struct arena *a)
{
	const struct rule *rule = find_rule(by->policy, x->rule);
	const char *seen = x->glass && x->reviewed_by == NULL ?
	    at_ms >= x->review_ms ? ", not reviewed in time: the store is "
	    "closed" : ", to be reviewed" : "";
	struct granted g = { .n_by = 0 };
	bool counts;

	if (x->denied_by != NULL)
		return arena_fmt(a, "denied by %s", x->denied_by);
	if (x->revoked_by != NULL)
		return arena_fmt(a, "revoked by %s%s", x->revoked_by, seen);
	if (at_ms >= x->until_ms)
		return arena_fmt(a, "expired%s", seen);
	if (rule == NULL)
		return arena_fmt(a, "of a rule that is not there%s", seen);
	if (grants_counts(x, by, at_ms, a, &counts, &g) != 0)
		return NULL;
	if (counts)
		return arena_fmt(a, "%s%s", x->glass ? "glass broken" :
		    "in force", seen);
	return arena_fmt(a, "waits for %zu of %u",
	    (size_t)rule->approval.count - g.n_by, rule->approval.count);
}

bool
grant_concerns(const struct grant *x, const struct grants_by *by,
    const char *principal, int64_t at_ms, struct arena *a)
{
	const struct rule *rule = find_rule(by->policy, x->rule);
	const struct principal *p;

	if (strcmp(x->principal, principal) == 0)
		return true;
	return rule != NULL && directory_principal(by->directory, principal,
	    at_ms, a, &p) == 0 && approval_names(rule, p);
}
