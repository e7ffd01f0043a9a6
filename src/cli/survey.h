/*
 * cli/survey.h - what a configuration has for questions about everybody.
 */
#ifndef CLI_SURVEY_H
#define CLI_SURVEY_H

#include <stdint.h>

#include "base/err.h"
#include "policy/reach.h"
#include "policy/sessions.h"

struct arena;
struct buf;
struct config;
struct policy;

struct survey {
	const struct config *config;
	int64_t at_ms;
	struct arena *a, *scratch;
	struct reach_store *stores;	/* of the space */
	struct reach_space space;
	struct sessions sessions;
	const char *const *ids;		/* of all principals, sorted */
	size_t n_ids;
	uint8_t *levels;		/* room for one session's */
};

/* What the policies' sessions can state. On failure *w is filled; done is
 * to be called either way. */
int survey_init(struct survey *s, const struct config *c,
    const struct policy *const *policies, size_t n, int64_t at_ms,
    struct why *w);
void survey_done(struct survey *s);

/* "stating purpose analytics, from US or IE"; places: as in sessions. */
void survey_say_way(const struct survey *s, struct buf *out,
    const char *purpose, const char *ticket, const bool *places);
/* Warns on stderr of stores where a policy is only written down. */
void survey_warn(const struct survey *s);

#endif
