/*
 * cli/ask.h - what a session would get, told by its words.
 *
 * Decides as the gateway does at login, from names that people give.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/policy.h"

struct arena;
struct clearance_table;
struct config;
struct config_store;
struct control;
struct policy;
struct principal;

struct ask {
	const char *principal;
	const char *store;
	const char *purpose, *ticket;	/* or NULL */
	const char *confirmed;	/* the ticket is: "all", or for a residence;
				 * NULL: it is not */
	bool approved;		/* as if every approval were given */
	const char *from;		/* a site, "unknown"; NULL: its own */
	int64_t at_ms;
};

struct ask_answer {
	const struct config_store *store;
	const struct principal *who;
	const struct control *control;
	struct policy_request request;
	const struct clearance *clearance;
	/* As if nothing were recorded exactly; NULL: no rule asks for it. */
	const struct clearance *plain;
	/* A sentence: why there would be no session; NULL if there would. */
	const char *refused;
};

/* Where a session comes from, for control_of: the country of a site; all that
 * is said of an address; "unknown" of itself; nothing of NULL. */
struct ask_places {
	const char *labels[2];
	size_t n;
};

/* 0 or an error with *w filled. */
int ask_place(const struct config *c, const char *from, struct arena *a,
    struct ask_places *ret, struct why *w);

/* 0 or an error with *w filled, if a name is not known. */
int ask(const struct config *c, const struct policy *p, const struct ask *q,
    struct arena *a, struct ask_answer *ret, struct why *w);

#endif
