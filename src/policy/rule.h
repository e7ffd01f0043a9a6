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

struct bulk;
struct definition;

struct names {
	const char *const *items;
	size_t n;
	bool set;		/* written at all */
	bool outside;		/* labels: any that is none of these */
};

/* Hours of days, at a fixed offset from UTC. */
struct span {
	unsigned from, to;	/* minutes of the day; past 1440: of the next */
};

#define DAYS_ALL 0x7fu

struct weekly {
	bool set;
	unsigned days;		/* on which a span begins; bit 0 is Monday */
	const struct span *spans;
	size_t n;
	int offset_min;		/* to the east of Greenwich: positive */
};

/*
 * How a subject's residence stands to the reader: whether it, or a label
 * that counts as one with it, is behind them; or whether another one is.
 */
enum relation {
	RELATION_NONE,		/* does not matter */
	RELATION_BEHIND,
	RELATION_NOT_BEHIND,
	RELATION_OTHERS_BEHIND,
	RELATION_NO_OTHER_BEHIND,
};

/* Who must have agreed. */
struct approval {
	bool set;
	struct names roles, principals;	/* who may: any of both */
	unsigned count;
	unsigned apart;		/* set of enum control_kind */
	struct names meet_at;	/* where two lines may meet all the same */
	int64_t longest_ms;	/* that one may be asked for */
	/* Who may do without at once, for how long, and by when somebody who
	 * might have approved has to have looked at it. */
	bool glass;
	struct names glass_roles, glass_principals;
	int64_t glass_ms, review_ms;
};

#define ACT_READ 1u
#define ACT_WRITES(k) (2u << (k))	/* k: enum policy_write */

enum verb {
	VERB_PERMIT,
	VERB_FORBID,
	VERB_TREAT,
};

struct rule {
	const char *name;
	const char *file;		/* that is included; NULL: the policy */
	unsigned line, column;		/* where the text has it */
	enum verb verb;
	unsigned acts;			/* set of ACT_*; treatments: reading */
	enum treatment treatment;	/* VERB_TREAT */
	/* who */
	bool has_kind;
	bool service;			/* else person; if has_kind */
	struct names principals;
	struct names roles;
	struct names employed_by;
	unsigned employed_as;		/* set of EMPLOYED_*; 0: not asked */
	struct names instructed_by;
	struct names nationality;
	struct names offices;
	struct names located_in;
	struct names based_in;		/* by their site alone */
	struct names connecting_from;	/* by the network alone */
	struct names controlled_from;
	unsigned by;			/* set of enum control_kind */
	const struct definition *const *is;
	size_t n_is;
	/* what */
	struct names stores;
	struct names tables;
	struct names categories;
	const struct bulk *bulk;	/* NULL: how many does not matter */
	struct names whose;
	enum relation relation;
	unsigned relation_by;		/* set of enum control_kind */
	const struct names *together;	/* labels of each count as one */
	size_t n_together;
	/* why */
	struct names purposes;
	const char *ticket;
	regex_t *regex;			/* of the ticket, anchored; or NULL */
	bool confirmed;			/* the ticket must be; permits only */
	/* when */
	bool has_when;
	int64_t from, to;
	struct weekly weekly;
	struct approval approval;	/* permits only */
	bool exact;			/* needs exact records; permits only */
	const char *hint;		/* NULL: none */
};

struct index;

struct policy {
	struct arena *arena;
	const char *name;
	const char *version;
	struct names purposes;
	struct names tickets;
	struct definition *definitions;
	size_t n_definitions;
	struct policy_regime *regimes;
	size_t n_regimes;
	struct bulk *bulks;
	size_t n_bulks;
	struct rule *all;		/* sorted by name: order says nothing */
	size_t n_all;
	struct rule *rules;		/* those about reading, as sorted */
	size_t n_rules;
	struct index *index;		/* of the rules about reading */
	/* The same policy, of the rules about one way of writing; NULL: there
	 * are none. */
	struct policy *writing[POLICY_WRITES];
	struct policy *plain;		/* without the permits that need exact
					 * records; NULL: there are none */
};

enum truth {
	TRUTH_FALSE,
	TRUTH_UNKNOWN,
	TRUTH_TRUE,
};

/* The conditions about a session; the others are about its data. From
 * CONDITION_STATED on they are about what a session states, when it is and
 * what was agreed to, and about nothing else. */
enum condition {
	CONDITION_KIND,
	CONDITION_PRINCIPALS,
	CONDITION_ROLES,
	CONDITION_EMPLOYED_BY,
	CONDITION_EMPLOYED_AS,
	CONDITION_INSTRUCTED_BY,
	CONDITION_NATIONALITY,
	CONDITION_OFFICES,
	CONDITION_LOCATED_IN,
	CONDITION_BASED_IN,
	CONDITION_CONNECTING_FROM,
	CONDITION_CONTROLLED_FROM,
	CONDITION_IS,
	CONDITION_STORES,
	CONDITION_BULK,
	CONDITION_STATED,
	CONDITION_WHEN = CONDITION_STATED,
	CONDITION_PURPOSES,
	CONDITION_TICKET,
	CONDITION_CONFIRMED,
	CONDITION_APPROVAL,
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

/*
 * Whether a rule is about a residence: that it is listed, how it stands to
 * the reader, and that a ticket which must be confirmed covers it. The rule
 * applies to it by the lesser of this and rule_session.
 */
enum truth rule_residence(const struct rule *r, const char *residence,
    const struct policy_request *q);
bool rule_applies_to(const struct rule *r, const char *residence,
    const struct policy_request *q);
enum truth rule_relation(const struct rule *r, const char *residence,
    const struct policy_request *q);
/* The label that is behind the reader and is (or is not) at one with a
 * residence; NULL if there is none that is known. */
const char *rule_label_behind(const struct rule *r, const char *residence,
    const struct policy_request *q, bool other);
/*
 * What the rule permits in this store and a confirmed ticket does not cover:
 * "table public.notes", "category contact"; NULL if it covers all.
 */
struct scope_gap {
	const char *what;	/* "table", "category"; NULL: none */
	const char *name;
};
struct scope_gap rule_scope_gap(const struct rule *r,
    const struct policy_request *q);
/* Whether only the ticket keeps the rule from a residence. */
bool rule_scope_lacks(const struct rule *r, const char *residence,
    const struct policy_request *q);

/* policy/when.c: the weekly hours, and when they or the interval turn. */
bool weekly_holds(const struct weekly *w, int64_t at_ms);
/* The next instant after at_ms at which it may turn; INT64_MAX: never. */
int64_t weekly_changes_at(const struct weekly *w, int64_t at_ms);
/* "08:00-18:00 (+01:00) on mon, fri" */
void weekly_text(struct buf *out, const struct weekly *w);

/* The purpose of a request, or NULL where it states none that is known. */
const char *request_purpose(const struct policy *p,
    const struct policy_request *q);

#endif
