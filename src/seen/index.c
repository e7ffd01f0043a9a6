/*
 * The tables. A `reader` is who may be told of without a name, or with one
 * (principal ""): both are kept, so that neither answer has to add up the
 * other's rows. `shown` is what came into view. `place` is a residence in a
 * store; "" is a table of which nobody knows whose data it holds.
 *
 *	sight	exact: this tag is listed for that statement
 *	reach	bounded: so many times in that span, for all of a place
 *	open	exact statements whose lists may go on; `within` is empty once
 *		it was counted
 */
#include "seen/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "seen/state.h"

#define SEEN_FILE "index.sqlite"
#define SEEN_VERSION 1
#define PATH_LEN 4096

static const char tables[] =
    "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " version INTEGER NOT NULL, gateway TEXT NOT NULL,"
    " origin TEXT NOT NULL, size INTEGER NOT NULL, edge BLOB NOT NULL,"
    " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " strange INTEGER NOT NULL);"
    "CREATE TABLE place (id INTEGER PRIMARY KEY, store TEXT NOT NULL,"
    " label TEXT NOT NULL, UNIQUE (store, label));"
    "CREATE TABLE reader (id INTEGER PRIMARY KEY, store TEXT NOT NULL,"
    " mode TEXT NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL,"
    " behind TEXT NOT NULL, purpose TEXT NOT NULL, principal TEXT NOT NULL,"
    " UNIQUE (store, mode, kind, at, behind, purpose, principal));"
    "CREATE TABLE shown (id INTEGER PRIMARY KEY, tables TEXT NOT NULL,"
    " plain TEXT NOT NULL, masked TEXT NOT NULL, rules TEXT NOT NULL,"
    " why TEXT NOT NULL, UNIQUE (tables, plain, masked, rules, why));"
    "CREATE TABLE session (id TEXT PRIMARY KEY, service INTEGER NOT NULL,"
    " store TEXT NOT NULL, mode TEXT NOT NULL, kind TEXT NOT NULL,"
    " principal TEXT NOT NULL, at TEXT NOT NULL, behind TEXT NOT NULL,"
    " ticket TEXT NOT NULL, reader INTEGER NOT NULL,"
    " named INTEGER NOT NULL, within TEXT NOT NULL, since INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, clearance INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX services ON session (service) WHERE service = 1;"
    "CREATE TABLE open (session TEXT NOT NULL, n INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, ms INTEGER NOT NULL, shown INTEGER NOT NULL,"
    " within TEXT NOT NULL, reader INTEGER NOT NULL,"
    " named INTEGER NOT NULL, PRIMARY KEY (session, n)) WITHOUT ROWID;"
    "CREATE TABLE statement (seq INTEGER PRIMARY KEY, ms INTEGER NOT NULL,"
    " session INTEGER NOT NULL, clearance INTEGER NOT NULL,"
    " named INTEGER NOT NULL, ticket TEXT NOT NULL,"
    " shown INTEGER NOT NULL);"
    "CREATE TABLE sight (tag TEXT NOT NULL, statement INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, place INTEGER NOT NULL,"
    " PRIMARY KEY (tag, statement)) WITHOUT ROWID;"
    "CREATE TABLE reach (place INTEGER NOT NULL, names INTEGER NOT NULL,"
    " span INTEGER NOT NULL, reader INTEGER NOT NULL,"
    " shown INTEGER NOT NULL, n INTEGER NOT NULL, carried INTEGER NOT NULL,"
    " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,"
    " PRIMARY KEY (place, names, span, reader, shown)) WITHOUT ROWID;"
    "CREATE TABLE asked (tag TEXT NOT NULL, store TEXT NOT NULL,"
    " seq INTEGER NOT NULL, ms INTEGER NOT NULL, by TEXT NOT NULL,"
    " full INTEGER NOT NULL, PRIMARY KEY (tag, store, seq)) WITHOUT ROWID;";

static const char *const statements[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_META] = "SELECT version, gateway, origin, size, edge, first_ms, "
	    "last_ms, strange FROM meta",
	[SQL_META_PUT] = "INSERT OR REPLACE INTO meta VALUES (1, ?, ?, ?, ?, "
	    "?, ?, ?, ?)",
	[SQL_PLACE] = "SELECT id FROM place WHERE store = ? AND label = ?",
	[SQL_PLACE_ADD] = "INSERT INTO place (store, label) VALUES (?, ?)",
	[SQL_READER] = "SELECT id FROM reader WHERE store = ? AND mode = ? "
	    "AND kind = ? AND at = ? AND behind = ? AND purpose = ? AND "
	    "principal = ?",
	[SQL_READER_ADD] = "INSERT INTO reader (store, mode, kind, at, "
	    "behind, purpose, principal) VALUES (?, ?, ?, ?, ?, ?, ?)",
	[SQL_SHOWN] = "SELECT id FROM shown WHERE tables = ? AND plain = ? "
	    "AND masked = ? AND rules = ? AND why = ?",
	[SQL_SHOWN_ADD] = "INSERT INTO shown (tables, plain, masked, rules, "
	    "why) VALUES (?, ?, ?, ?, ?)",
	[SQL_SESSION] = "SELECT service, store, mode, kind, principal, at, "
	    "behind, ticket, reader, named, within, since, seq, clearance "
	    "FROM session WHERE id = ?",
	[SQL_SESSION_PUT] = "INSERT OR REPLACE INTO session VALUES (?, ?, ?, "
	    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_SESSION_DROP] = "DELETE FROM session WHERE id = ?",
	[SQL_SERVICES] = "SELECT reader, named, within, since, seq FROM "
	    "session WHERE service = 1",
	[SQL_SESSIONS_DROP] = "DELETE FROM session",
	[SQL_OPENS_DROP] = "DELETE FROM open",
	[SQL_OPEN] = "SELECT seq, ms, shown, within FROM open WHERE "
	    "session = ? AND n = ?",
	[SQL_OPENS] = "SELECT seq, ms, within, reader, named FROM open WHERE "
	    "?1 = '' OR session = ?1",
	[SQL_OPEN_PUT] = "INSERT OR REPLACE INTO open VALUES (?, ?, ?, ?, ?, "
	    "?, ?, ?)",
	[SQL_OPEN_COUNTED] = "UPDATE open SET within = '' WHERE session = ? "
	    "AND n = ?",
	[SQL_OPEN_DROP] = "DELETE FROM open WHERE session = ? AND n = ?",
	[SQL_OPEN_DROP_OF] = "DELETE FROM open WHERE session = ?",
	[SQL_STATEMENT_PUT] = "INSERT OR IGNORE INTO statement VALUES (?, ?, "
	    "?, ?, ?, ?, ?)",
	[SQL_SIGHT_PUT] = "INSERT OR IGNORE INTO sight VALUES (?, ?, ?, ?)",
	[SQL_REACH_PUT] = "INSERT INTO reach VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
	    "?7, ?8, ?9, ?10, ?11) ON CONFLICT DO UPDATE SET n = n + ?6, "
	    "carried = carried + ?7, first_ms = min(first_ms, ?8), "
	    "last_ms = max(last_ms, ?9), last_seq = max(last_seq, ?11)",
	[SQL_ASKED_PUT] = "INSERT OR IGNORE INTO asked VALUES (?, ?, ?, ?, "
	    "?, ?)",
};

/* ---- SQLite ---- */

int
seen_fail(struct seen_index *x)
{
	int code = sqlite3_errcode(x->db) & 0xff;

	if (code == SQLITE_NOMEM)
		return ERR_MEMORY;
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return why_set(x->why, ERR_FORMAT, 0, 0, "the index is "
		    "damaged (%s); make it anew from the log with --rebuild",
		    sqlite3_errmsg(x->db));
	return why_set(x->why, ERR_IO, 0, 0, "the index: %s",
	    sqlite3_errmsg(x->db));
}

sqlite3_stmt *
seen_bind(struct seen_index *x, enum seen_sql which, const char *types, ...)
{
	sqlite3_stmt *s = x->sql[which];
	va_list ap;
	int i;

	(void)sqlite3_reset(s);		/* its error was told when it was made */
	va_start(ap, types);
	for (i = 1; types[i - 1] != 0; i++)
		if (types[i - 1] == 'i')
			(void)sqlite3_bind_int64(s, i, va_arg(ap, int64_t));
		else if (types[i - 1] == 'e')
			(void)sqlite3_bind_blob(s, i, va_arg(ap,
			    const struct merkle_frontier *),
			    sizeof(struct merkle_frontier), SQLITE_TRANSIENT);
		else	/* a failed one stays NULL, which no column takes */
			(void)sqlite3_bind_text(s, i, va_arg(ap,
			    const char *), -1, SQLITE_TRANSIENT);
	va_end(ap);
	return s;
}

int
seen_step(struct seen_index *x, sqlite3_stmt *s)
{
	switch (sqlite3_step(s)) {
	case SQLITE_ROW:
		return 0;
	case SQLITE_DONE:
		(void)sqlite3_reset(s);	/* it went well */
		return ERR_MISSING;
	default:
		return seen_fail(x);
	}
}

int
seen_run(struct seen_index *x, sqlite3_stmt *s)
{
	int r = seen_step(x, s);

	return r == ERR_MISSING ? 0 : r == 0 ? ERR_STATE : r;
}

/* ---- how far it has come ---- */

int
seen_note(struct seen_index *x)
{
	return seen_run(x, seen_bind(x, SQL_META_PUT, "ittieiii",
	    (int64_t)SEEN_VERSION, x->state.gateway, x->state.origin,
	    (int64_t)x->state.size, &x->edge, x->state.first_ms,
	    x->state.last_ms, (int64_t)x->state.strange));
}

static int
take_text(struct seen_index *x, sqlite3_stmt *s, int column, char *to,
    size_t size)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	if (text == NULL || strlen(text) >= size)
		return why_set(x->why, ERR_FORMAT, 0, 0, "the index is "
		    "damaged; make it anew from the log with --rebuild");
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int
read_meta(struct seen_index *x)
{
	sqlite3_stmt *s = seen_bind(x, SQL_META, "");
	int r;

	if ((r = seen_step(x, s)) == ERR_MISSING)
		return seen_note(x);
	if (r != 0)
		return r;
	if (sqlite3_column_int64(s, 0) != SEEN_VERSION ||
	    sqlite3_column_bytes(s, 4) != (int)sizeof(x->edge)) {
		r = why_set(x->why, ERR_FORMAT, 0, 0, "the index is of "
		    "another version of this program; make it anew from the "
		    "log with --rebuild");
		goto out;
	}
	if ((r = take_text(x, s, 1, x->state.gateway,
	    sizeof(x->state.gateway))) != 0 ||
	    (r = take_text(x, s, 2, x->state.origin,
	    sizeof(x->state.origin))) != 0)
		goto out;
	x->state.size = (uint64_t)sqlite3_column_int64(s, 3);
	memcpy(&x->edge, sqlite3_column_blob(s, 4), sizeof(x->edge));
	x->state.first_ms = sqlite3_column_int64(s, 5);
	x->state.last_ms = sqlite3_column_int64(s, 6);
	x->state.strange = (uint64_t)sqlite3_column_int64(s, 7);
	if (x->edge.size != x->state.size)
		r = why_set(x->why, ERR_FORMAT, 0, 0, "the index is damaged; "
		    "make it anew from the log with --rebuild");
out:
	(void)sqlite3_reset(s);		/* only read */
	return r;
}

/* ---- opening ---- */

/* The folder and its lock, held until the index is closed. */
static int
lock_folder(struct seen_index *x, const char *dir)
{
	char path[PATH_LEN];
	int n = snprintf(path, sizeof(path), "%s/lock", dir);

	if (n < 0 || n >= PATH_LEN - 64)
		return why_set(x->why, ERR_LIMIT, 0, 0, "%.256s...: the path "
		    "is too long", dir);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return why_set(x->why, ERR_IO, 0, 0, "the folder of the index "
		    "%s cannot be made: %s", dir, strerror(errno));
	x->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (x->lock_fd < 0)
		return why_set(x->why, ERR_IO, 0, 0, "%s cannot be opened: %s",
		    path, strerror(errno));
	if (flock(x->lock_fd, LOCK_EX) != 0)
		return why_set(x->why, ERR_STATE, 0, 0, "%s cannot be locked: "
		    "%s", path, strerror(errno));
	return 0;
}

static int
drop(struct seen_index *x, const char *dir)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char path[PATH_LEN];
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/" SEEN_FILE "%s", dir,
		    ends[i]);		/* lock_folder found it short */
		if (unlink(path) != 0 && errno != ENOENT)
			return why_set(x->why, ERR_IO, 0, 0, "%s cannot be "
			    "removed: %s", path, strerror(errno));
	}
	return 0;
}

static int
exec(struct seen_index *x, const char *sql)
{
	return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 :
	    seen_fail(x);
}

/* Its tables, in one transaction, if they are not there. */
static int
make_tables(struct seen_index *x)
{
	sqlite3_stmt *s = NULL;
	int r, code;

	if ((r = exec(x, "BEGIN IMMEDIATE")) != 0)
		return r;
	code = sqlite3_prepare_v2(x->db, "SELECT 1 FROM sqlite_master WHERE "
	    "name = 'meta'", -1, &s, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(s);
	(void)sqlite3_finalize(s);	/* code has it */
	if (code == SQLITE_DONE)
		r = exec(x, tables);
	else if (code != SQLITE_ROW)
		r = seen_fail(x);
	return r == 0 ? exec(x, "COMMIT") : r;
}

static int
open_file(struct seen_index *x, const char *dir)
{
	char path[PATH_LEN];
	mode_t mask = umask(077);
	int r;

	(void)snprintf(path, sizeof(path), "%s/" SEEN_FILE, dir); /* fits */
	r = sqlite3_open_v2(path, &x->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW |
	    SQLITE_OPEN_NOMUTEX, NULL);
	(void)umask(mask);		/* what it was */
	if (x->db == NULL)
		return ERR_MEMORY;
	if (r != SQLITE_OK)
		return why_set(x->why, ERR_IO, 0, 0, "%s: %s", path,
		    sqlite3_errmsg(x->db));
	if ((r = exec(x, "PRAGMA journal_mode = WAL; PRAGMA synchronous = "
	    "NORMAL; PRAGMA cache_size = -65536; "
	    "PRAGMA trusted_schema = OFF")) != 0)
		return r;
	return make_tables(x);
}

static int
prepare(struct seen_index *x)
{
	size_t i;

	for (i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(x->db, statements[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &x->sql[i], NULL) != SQLITE_OK)
			return seen_fail(x);
	return 0;
}

int
seen_open(const char *dir, bool anew, struct seen_index **ret, struct why *w)
{
	struct seen_index *x;
	int r = ERR_MEMORY;

	memset(w, 0, sizeof(*w));
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	x->lock_fd = -1;
	x->why = w;
	merkle_frontier_init(&x->edge);
	if ((x->scratch = arena_new()) == NULL ||
	    (r = lock_folder(x, dir)) != 0 ||
	    (anew && (r = drop(x, dir)) != 0) ||
	    (r = open_file(x, dir)) != 0 || (r = prepare(x)) != 0 ||
	    (r = read_meta(x)) != 0) {
		seen_close(x);
		return w->text[0] != 0 ? r : why_set(w, r, 0, 0,
		    "the index in %s: %s", dir, err_text(r));
	}
	x->why = NULL;
	*ret = x;
	return 0;
}

void
seen_close(struct seen_index *x)
{
	size_t i;

	if (x == NULL)
		return;
	for (i = 0; i < SQL_COUNT; i++)
		(void)sqlite3_finalize(x->sql[i]);	/* told before */
	(void)sqlite3_close(x->db);	/* nothing is open on it */
	if (x->lock_fd >= 0)
		(void)close(x->lock_fd);	/* and unlocked */
	arena_free(x->scratch);
	free(x);
}

const struct seen_state *
seen_state(const struct seen_index *x)
{
	return &x->state;
}
