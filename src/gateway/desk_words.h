/*
 * gateway/desk_words.h - what may be said at the approvals' desk.
 *
 *	REQUEST 'rule' ON store FOR '2h' BECAUSE 'why' [TICKET 'ticket']
 *	BREAK GLASS 'rule' ON store FOR '30m' BECAUSE 'why' [TICKET 'ticket']
 *	APPROVE id [BECAUSE 'why']		DENY id BECAUSE 'why'
 *	REVOKE id [BECAUSE 'why']		REVIEW id BECAUSE 'what was found'
 *	SHOW APPROVALS		SHOW APPROVAL id	SHOW RULES
 *
 * Words in any letter case; a quote within quotes is doubled; a name may
 * stand without quotes; one ";" may end it. Pure.
 * Limits: DESK_TEXT_MAX bytes of a quoted text, which is UTF-8.
 */
#ifndef GATEWAY_DESK_WORDS_H
#define GATEWAY_DESK_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/grants.h"

#define DESK_TEXT_MAX 256

struct arena;

enum desk_verb {
	DESK_NOTHING = 0,	/* an empty text */
	DESK_SHOW_ALL,
	DESK_SHOW_ONE,
	DESK_SHOW_RULES,
	DESK_STEP,
};

struct desk_order {
	enum desk_verb verb;
	enum grant_kind kind;		/* of DESK_STEP */
	const char *id;
	const char *rule, *store, *ticket, *why;	/* or NULL */
	int64_t for_ms;			/* 0: not said */
};

/* Results live in the arena. 0, ERR_FORMAT with a sentence in *w, or
 * ERR_MEMORY. */
int desk_read(const char *text, size_t len, struct arena *a,
    struct desk_order *ret, struct why *w);

/* "90s", "30m", "2h": in milliseconds. 0 or ERR_FORMAT. */
int desk_span(const char *text, int64_t *ret_ms);

#endif
