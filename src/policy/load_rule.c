/*
 * One rule. Everything that could make it silently match nobody (an empty
 * list, a set or purpose that is not there, a pattern that does not compile)
 * is refused.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/control.h"
#include "policy/load.h"

#define PATTERN_MAX 500
#define APPROVERS_MAX 16
#define LONGEST_MS ((int64_t)31 * 24 * 3600 * 1000)
#define LONGEST_DEFAULT_MS ((int64_t)24 * 3600 * 1000)

static void
read_what(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"stores", "tables",
	    "categories", "bulk", NULL};

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	r->stores = rules_names(l, yaml_get(n, "stores"), rules_check_text);
	r->tables = rules_names(l, yaml_get(n, "tables"), rules_check_table);
	r->categories = rules_names(l, yaml_get(n, "categories"),
	    rules_check_text);
	rules_bulk(l, r, yaml_get(n, "bulk"));
}

/*
 * The pattern must compile by itself before it is anchored, or a stray
 * parenthesis could step out. Back-references are refused: a match with
 * them can take time without bound, and readers choose the ticket.
 */
static void
read_ticket(struct load *l, struct rule *r, const struct yaml_node *n)
{
	const char *s = rules_text(l, n), *p, *anchored;
	regex_t alone, *regex;
	char text[200];
	int code;

	if (s == NULL)
		return;
	if (strlen(s) > PATTERN_MAX)
		(void)yaml_fail(&l->in, n, "a pattern has at most %d bytes",
		    PATTERN_MAX);
	for (p = s; *p != 0; p++)
		if (p[0] == '\\' && p[1] != 0) {
			if (p[1] >= '1' && p[1] <= '9')
				(void)yaml_fail(&l->in, n, "back-references "
				    "are not used in patterns");
			p++;
		}
	if (l->in.result != 0)
		return;
	if ((code = regcomp(&alone, s, REG_EXTENDED | REG_NOSUB)) != 0) {
		(void)regerror(code, NULL, text, sizeof(text));
		(void)yaml_fail(&l->in, n, "this is not a POSIX extended "
		    "regular expression: %s", text);
		return;
	}
	regfree(&alone);
	anchored = rules_take(l, arena_fmt(l->in.arena, "^(%s)$", s));
	regex = rules_take(l, arena_alloc(l->in.arena, sizeof(*regex)));
	if (l->in.result != 0)
		return;
	if (regcomp(regex, anchored, REG_EXTENDED | REG_NOSUB) != 0) {
		(void)yaml_fail(&l->in, n, "this pattern cannot be anchored");
		return;
	}
	r->regex = regex;
	r->ticket = s;
}

static void
read_why(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"purposes", "ticket",
	    "confirmed", NULL};
	const struct yaml_node *confirmed = yaml_get(n, "confirmed");

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	r->purposes = rules_names(l, yaml_get(n, "purposes"),
	    rules_check_purpose);
	read_ticket(l, r, yaml_get(n, "ticket"));
	r->confirmed = yaml_bool(&l->in, confirmed);
	if (!r->confirmed || l->in.result != 0)
		return;
	if (r->ticket == NULL)
		(void)yaml_fail(&l->in, confirmed, "what is to be confirmed "
		    "is a \"ticket\", which is not here");
	else if (r->verb != VERB_PERMIT)
		(void)yaml_fail(&l->in, confirmed, "a ticket is confirmed for "
		    "a permit: without it the permit does not apply");
}

static void
read_approvers(struct load *l, const struct yaml_node *by, struct names *roles,
    struct names *principals, const char *missing)
{
	static const char *const allowed[] = {"roles", "principals", NULL};

	yaml_map(&l->in, by, allowed);
	*roles = rules_names(l, yaml_get(by, "roles"), rules_check_text);
	*principals = rules_names(l, yaml_get(by, "principals"),
	    rules_check_text);
	if (!roles->set && !principals->set)
		(void)yaml_fail(&l->in, by, "%s", missing);
}

static int64_t
read_span(struct load *l, const struct yaml_node *n)
{
	return (int64_t)yaml_duration_ms(&l->in, n, 1000, (uint64_t)LONGEST_MS);
}

/* Who may do without, since it cannot wait. */
static void
read_glass(struct load *l, struct approval *a, const struct yaml_node *n)
{
	static const char *const allowed[] = {"by", "at-most", "review-within",
	    NULL};

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	a->glass = true;
	read_approvers(l, yaml_need(&l->in, n, "by"), &a->glass_roles,
	    &a->glass_principals, "name the roles or principals that may "
	    "break the glass");
	a->glass_ms = read_span(l, yaml_need(&l->in, n, "at-most"));
	a->review_ms = read_span(l, yaml_need(&l->in, n, "review-within"));
}

/*
 * Who must have agreed. That requester and approver are not under the same
 * control is the point of it, so the kinds are not guessed.
 */
static void
read_approval(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"by", "count", "apart",
	    "meet-at", "at-most", "break-glass", NULL};
	struct approval *a = &r->approval;
	const struct yaml_node *count, *longest;

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	a->set = true;
	read_approvers(l, yaml_need(&l->in, n, "by"), &a->roles,
	    &a->principals, "name the roles or principals that may approve");
	a->count = 1;
	if ((count = yaml_get(n, "count")) != NULL)
		a->count = (unsigned)yaml_u64(&l->in, count, 1, APPROVERS_MAX);
	a->apart = rules_kinds(l, yaml_need(&l->in, n, "apart"));
	a->meet_at = rules_names(l, yaml_get(n, "meet-at"), rules_check_text);
	a->longest_ms = LONGEST_DEFAULT_MS;
	if ((longest = yaml_get(n, "at-most")) != NULL)
		a->longest_ms = read_span(l, longest);
	read_glass(l, a, yaml_get(n, "break-glass"));
	if (r->verb != VERB_PERMIT)
		(void)yaml_fail(&l->in, n, "an approval is for a permit: "
		    "without it the permit does not apply");
	else if ((r->acts & ~ACT_READ) != 0)
		(void)yaml_fail(&l->in, n, "an approval is for reading; write "
		    "a rule of its own for what may be written");
}

/* What a permit or a forbid is about: one word, or several. */
static unsigned
read_acts(struct load *l, const struct yaml_node *n)
{
	static const char *const acts[] = {"insert", "update", "delete",
	    "read", "write", NULL};
	static const unsigned of[] = {
		ACT_WRITES(POLICY_INSERT), ACT_WRITES(POLICY_UPDATE),
		ACT_WRITES(POLICY_DELETE), ACT_READ,
		ACT_WRITES(POLICY_INSERT) | ACT_WRITES(POLICY_UPDATE) |
		ACT_WRITES(POLICY_DELETE),
	};
	unsigned all = 0;
	size_t i;

	if (n == NULL || n->kind != YAML_LIST)
		return of[yaml_enum(&l->in, n, acts)];
	if (n->n == 0)
		(void)yaml_fail(&l->in, n, "an empty list is about nothing");
	for (i = 0; i < n->n; i++)
		all |= of[yaml_enum(&l->in, n->items[i], acts)];
	return all;
}

static void
read_verb(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const treatments[] = {"absent", "mask", NULL};
	const struct yaml_node *permit = yaml_get(n, "permit");
	const struct yaml_node *forbid = yaml_get(n, "forbid");
	const struct yaml_node *treat = yaml_get(n, "treat");

	if ((permit != NULL) + (forbid != NULL) + (treat != NULL) != 1) {
		(void)yaml_fail(&l->in, n, "a rule has exactly one of "
		    "\"permit\", \"forbid\" and \"treat\"");
		return;
	}
	r->acts = treat != NULL ? ACT_READ : read_acts(l, permit != NULL ?
	    permit : forbid);
	r->verb = permit != NULL ? VERB_PERMIT : forbid != NULL ?
	    VERB_FORBID : VERB_TREAT;
	r->treatment = yaml_enum(&l->in, treat, treatments) == 1 ?
	    TREAT_MASK : TREAT_ABSENT;
}

void
rules_one(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"rule", "permit", "forbid",
	    "treat", "who", "what", "whose", "why", "when", "approval",
	    "record", "hint", NULL};
	static const char *const records[] = {"exact", NULL};
	const struct yaml_node *hint, *record;

	yaml_map(&l->in, n, allowed);
	r->name = rules_text(l, yaml_need(&l->in, n, "rule"));
	r->file = l->files[l->file].name;
	r->line = n->line;
	r->column = n->column;
	read_verb(l, r, n);
	rules_who(l, r, yaml_get(n, "who"));
	read_what(l, r, yaml_get(n, "what"));
	rules_whose(l, r, yaml_get(n, "whose"));
	read_why(l, r, yaml_get(n, "why"));
	rules_when(l, r, yaml_get(n, "when"));
	read_approval(l, r, yaml_get(n, "approval"));
	if ((record = yaml_get(n, "record")) != NULL) {
		(void)yaml_enum(&l->in, record, records);
		r->exact = true;
		if (r->verb != VERB_PERMIT)
			(void)yaml_fail(&l->in, record, "\"record\" is for a "
			    "permit: what it permits needs such a record");
		if ((r->acts & ~ACT_READ) != 0)
			(void)yaml_fail(&l->in, record, "no record of writing "
			    "is exact");
	}
	r->hint = rules_text(l, hint = yaml_get(n, "hint"));
	if (hint != NULL && l->in.result == 0 && r->verb == VERB_TREAT)
		(void)yaml_fail(&l->in, hint, "a hint is for who is refused; "
		    "a treatment refuses nobody");
}
