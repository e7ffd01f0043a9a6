/*
 * policy/rule.h - a rule as loaded, and whether its conditions are met.
 *
 * A rule is a conjunction of conditions, each of them a list of which one
 * must match. A condition that is not written is met. Each is true, false
 * or, where it is about a fact that is not known, unknown; the whole is the
 * least of them. A permit applies if it is true; a forbid and a treatment
 * also if it is unknown.
 */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define TICKET_MAX 256		/* a longer one matches no pattern */

struct names {
	const char *const *items;
	size_t n;
	bool set;		/* written at all */
};

enum verb {
	VERB_PERMIT,
	VERB_FORBID,
	VERB_TREAT,
};

struct rule {
	const char *name;
	unsigned line, column;		/* where the text has it */
	enum verb verb;
	enum treatment treatment;	/* VERB_TREAT */
	/* who */
	bool has_kind;
	bool service;			/* else person; if has_kind */
	struct names principals;
	struct names roles;
	struct names employed_by;
	struct names nationality;
	struct names located_in;
	struct names controlled_from;
	unsigned by;			/* set of enum control_kind */
	/* what */
	struct names stores;
	struct names tables;
	struct names categories;
	struct names whose;
	/* why */
	struct names purposes;
	const char *ticket;
	regex_t *regex;			/* of the ticket, anchored; or NULL */
	/* when */
	bool has_when;
	int64_t from, to;
	const char *hint;		/* NULL: none */
};

struct policy {
	struct arena *arena;
	const char *name;
	const char *version;
	struct names purposes;
	struct names tickets;
	struct rule *rules;		/* sorted by name: order says nothing */
	size_t n_rules;
};

enum truth {
	TRUTH_FALSE,
	TRUTH_UNKNOWN,
	TRUTH_TRUE,
};

/* The conditions about a session; the others are about its data. */
enum condition {
	CONDITION_KIND,
	CONDITION_PRINCIPALS,
	CONDITION_ROLES,
	CONDITION_EMPLOYED_BY,
	CONDITION_NATIONALITY,
	CONDITION_LOCATED_IN,
	CONDITION_CONTROLLED_FROM,
	CONDITION_STORES,
	CONDITION_WHEN,
	CONDITION_PURPOSES,
	CONDITION_TICKET,
	CONDITION_COUNT,
};

bool names_match(const struct names *n, const char *s);

/* Whether it is written in the rule. */
bool rule_has(const struct rule *r, enum condition c);
enum truth rule_condition(const struct rule *r, enum condition c,
    const struct policy_request *q);
/* All conditions about the session. */
enum truth rule_session(const struct rule *r, const struct policy_request *q);
bool rule_applies(const struct rule *r, enum truth t);

/* The purpose of a request, or NULL where it states none that is known. */
const char *request_purpose(const struct policy *p,
    const struct policy_request *q);

#endif
