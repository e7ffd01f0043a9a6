/*
 * seen/state.h - what the parts of the index share.
 *
 * Private to seen/. Lists of names are one text, joined by newlines.
 */
#ifndef SEEN_STATE_H
#define SEEN_STATE_H

#include <sqlite3.h>
#include <stdint.h>

#include "seen/index.h"

struct arena;
struct record;

enum seen_sql {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK,
	SQL_META, SQL_META_PUT,
	SQL_PLACE, SQL_PLACE_ADD,
	SQL_READER, SQL_READER_ADD,
	SQL_SHOWN, SQL_SHOWN_ADD,
	SQL_SESSION, SQL_SESSION_PUT, SQL_SESSION_DROP, SQL_SERVICES,
	SQL_SESSIONS_DROP, SQL_OPENS_DROP,
	SQL_OPEN, SQL_OPENS, SQL_OPEN_PUT, SQL_OPEN_COUNTED,
	SQL_OPEN_DROP, SQL_OPEN_DROP_OF,
	SQL_STATEMENT_PUT, SQL_SIGHT_PUT,
	SQL_REACH_PUT,
	SQL_ASKED_PUT,
	SQL_COUNT
};

struct seen_index {
	sqlite3 *db;
	sqlite3_stmt *sql[SQL_COUNT];
	int lock_fd;
	struct seen_state state;
	struct merkle_frontier edge;
	struct arena *scratch;		/* of one record */
	struct why *why;		/* of the call under way */
};

#define SEEN_DAY_MS INT64_C(86400000)

/*
 * What may have been seen is counted by spans of time: each day, each month,
 * and all; so that a question has few rows to add up, whatever its period.
 */
#define SEEN_SPAN_ALL (-1)
#define SEEN_SPAN_MONTH 1000000		/* + months since 1970; less: days */
int64_t seen_day(int64_t ms);
int64_t seen_month(int64_t day);	/* a span */
int64_t seen_month_begin(int64_t month);	/* the first day of a span */

/* A statement, with what is bound to it: i int64_t, t const char *, e the
 * Merkle edge. It is ready for its first step. */
sqlite3_stmt *seen_bind(struct seen_index *x, enum seen_sql which,
    const char *types, ...);
/* Takes one step: 0, ERR_MISSING (no row) or an error with a sentence. */
int seen_step(struct seen_index *x, sqlite3_stmt *s);
/* The same, for one without rows. */
int seen_run(struct seen_index *x, sqlite3_stmt *s);
/* The error of the latest call of SQLite. */
int seen_fail(struct seen_index *x);

/* Adds one record: in order, within a transaction. */
int seen_fill(struct seen_index *x, const struct record *r);

/*
 * Counts the bound of each exact statement whose answer has not ended, of one
 * session or of all (NULL): rows behind those that its list covers may have
 * decided what was shown.
 */
int seen_doubt_open(struct seen_index *x, const char *session);

/* Writes down how far it has come. */
int seen_note(struct seen_index *x);

#endif
