/*
 * gateway/ticket_answer.h - what is asked about a ticket, and what comes
 * back: two JSON objects (docs/configuration.md).
 *
 * Pure. An answer that is not whole, or that is about another reader or a
 * closed ticket, confirms nothing and says why. Whoever a ticket belongs to,
 * and whatever it is about, stands in no reason.
 * Limits: TICKET_ANSWER_MAX bytes, TICKET_LIST_MAX values of a list.
 */
#ifndef GATEWAY_TICKET_ANSWER_H
#define GATEWAY_TICKET_ANSWER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define TICKET_ANSWER_MAX 65536
#define TICKET_LIST_MAX 1000
#define TICKET_TEXT_MAX 16384	/* of all lists that are recorded, together */

struct arena;
struct buf;

struct ticket_key {
	const char *ticket, *principal, *store;
	const char *purpose;		/* NULL: none */
};

struct ticket_answer {
	struct arena *a;		/* owns all of it */
	atomic_uint refs;
	bool confirmed;
	const char *why;		/* not confirmed; "" if it is */
	struct policy_scope scope;
	uint64_t subjects;
	char subjects_hmac[65];		/* of their references; "" if counted */
	int64_t asked_ms;		/* wall clock */
	int64_t until_ms;		/* it holds no longer than this */
};

/* The question, as one line. */
int ticket_question_write(struct buf *out, const struct ticket_key *k);

/* One reference, and nothing confirmed. NULL: out of memory. */
struct ticket_answer *ticket_answer_new(void);
struct ticket_answer *ticket_answer_ref(struct ticket_answer *t);
void ticket_answer_unref(struct ticket_answer *t);	/* NULL is fine */

/* Takes text as the answer about a reader's ticket; ret->why says why it
 * confirms nothing. 0 or ERR_MEMORY. secret: of references, 32 bytes. */
int ticket_answer_read(const char *text, size_t len, const char *principal,
    const uint8_t *secret, struct ticket_answer *ret);

#endif
