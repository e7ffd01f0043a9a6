/*
 * policy/expect.h - a table of what readers are expected to be shown.
 *
 * Pure: text in, rows out. Format: docs/policy-tools.md.
 */
#ifndef POLICY_EXPECT_H
#define POLICY_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;

#define EXPECT_ROWS_MAX 100000

enum expected {
	EXPECT_PLAIN,
	EXPECT_MASK,
	EXPECT_ABSENT,		/* the residence is shown, without this */
	EXPECT_REFUSED,		/* nothing of the residence is shown */
	EXPECT_INSERT,		/* it may be written so; the same order as */
	EXPECT_UPDATE,		/* enum policy_write */
	EXPECT_DELETE,
	EXPECT_NO_WRITE,	/* none of these */
};

const char *expected_text(enum expected e);

struct expect_row {
	unsigned line;
	const char *reader;
	const char *purpose, *ticket, *from;	/* or NULL */
	const char *confirmed;	/* the ticket: "all", a residence, or NULL */
	bool approved;		/* as if every approval were given */
	const char *store;
	const char *table;	/* as written: [schema.]table[.column] */
	const char *residence;	/* NULL: each of the store's */
	enum expected expected;
	const char *rule;	/* that has a part in it; or NULL */
};

struct expect {
	const struct expect_row *rows;
	size_t n;
	bool has_at;
	int64_t at_ms;
};

/* 0 or an error with *w filled. Memory: the arena. */
int expect_load(const char *text, size_t len, struct arena *a,
    struct expect *ret, struct why *w);

#endif
