/*
 * Two questions to the tables. What is listed under the tag is counted by day.
 * What was within reach is added up over spans: days up to the end of the
 * first month, whole months, and the days of the last one; so whole days
 * count, never less than was asked for.
 */
#include "seen/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "seen/state.h"

#define GROUPS_MAX 200000
#define FOREVER (INT64_MAX / 2)
#define UNKNOWN "unknown"		/* a residence that may be any */

struct asking {
	struct seen_index *x;
	const struct seen_question *q;
	struct arena *a;
	struct seen_answer *ret;
	size_t cap;
};

#define GROUP_COLUMNS "r.mode, r.kind, r.at, r.behind, r.purpose, " \
    "r.principal, h.rules, h.tables, h.plain, h.masked, h.why"
#define GROUP_FIRST 9		/* where they stand in every row */

#define EXACT_SQL(ticket, by) \
    "SELECT count(*), min(t.ms), max(t.ms), min(s.seq), max(s.seq), p.id, " \
    "p.label, r.id, h.id, " GROUP_COLUMNS ", " ticket " " \
    "FROM sight s JOIN place p ON p.id = s.place " \
    "JOIN statement t ON t.seq = s.statement JOIN reader r ON r.id = " \
    "t.named JOIN shown h ON h.id = t.shown WHERE s.tag = ?1 AND " \
    "p.store = ?2 AND t.ms >= ?3 AND t.ms < ?4 " \
    "GROUP BY t.ms / 86400000, p.id, h.id, " by " ORDER BY 3 DESC"

static const char exact_sql[] = EXACT_SQL("''",
    "r.mode, r.kind, r.at, r.behind, r.purpose");
static const char exact_full_sql[] = EXACT_SQL("t.ticket",
    "r.id, t.ticket");

static const char within_sql[] =
    "WITH range (lo, hi) AS (VALUES (?3, ?4), (?5, ?6), (?7, ?8)) "
    "SELECT sum(e.n) + sum(CASE WHEN e.span = ?9 THEN e.carried ELSE 0 END) "
    "AS total, min(e.first_ms), max(e.last_ms), min(e.first_seq), "
    "max(e.last_seq), p.id, p.label, r.id, h.id, " GROUP_COLUMNS ", '' "
    "FROM place p CROSS JOIN range CROSS JOIN reach e "
    "ON e.place = p.id AND e.names = ?10 AND e.span BETWEEN lo AND hi "
    "JOIN reader r ON r.id = e.reader JOIN shown h ON h.id = e.shown "
    "WHERE p.store = ?1 AND p.label = ?2 "
    "GROUP BY p.id, r.id, h.id HAVING total > 0 ORDER BY 3 DESC";

static const char services_sql[] =
    "SELECT CASE WHEN ?1 THEN named ELSE reader END, within, since, "
    "max(seq, clearance) FROM session WHERE service = 1 AND store = ?2 AND "
    "since < ?3";

static const char group_sql[] =
    "SELECT 0, 0, 0, 0, 0, p.id, p.label, r.id, h.id, " GROUP_COLUMNS ", '' "
    "FROM place p, reader r, shown h WHERE p.id = ?1 AND r.id = ?2 AND "
    "h.id = ?3";

static const char asked_sql[] =
    "SELECT ms, seq, by, full FROM asked WHERE tag = ?1 AND store = ?2 AND "
    "tag <> '' AND ms >= ?3 AND ms < ?4 ORDER BY seq DESC";

static const char places_sql[] =
    "SELECT DISTINCT p.label FROM sight s JOIN place p ON p.id = s.place "
    "WHERE s.tag = ?1 AND p.store = ?2 ORDER BY 1";

static int
damaged(struct asking *k)
{
	return why_set(k->x->why, ERR_FORMAT, 0, 0, "the index is damaged; "
	    "make it anew from the log with --rebuild");
}

static int
prepare(struct asking *k, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v2(k->x->db, sql, -1, ret, NULL) ==
	    SQLITE_OK ? 0 : seen_fail(k->x);
}

static void
bind(sqlite3_stmt *s, int i, int64_t v)
{
	(void)sqlite3_bind_int64(s, i, v);	/* cannot fail: i is there */
}

static int
bind_text(struct asking *k, sqlite3_stmt *s, int i, const char *text)
{
	return sqlite3_bind_text(s, i, text, -1, SQLITE_TRANSIENT) ==
	    SQLITE_OK ? 0 : seen_fail(k->x);
}

/* ---- rows ---- */

static const char *
text_of(struct asking *k, sqlite3_stmt *s, int i)
{
	const char *text = (const char *)sqlite3_column_text(s, i);

	return arena_str(k->a, text == NULL ? "" : text);
}

/* Names that were joined by newlines. */
static int
names_of(struct asking *k, sqlite3_stmt *s, int i, struct record_strs *ret)
{
	const char *text = text_of(k, s, i), *p, **list;
	size_t n = 0, len;

	if (text == NULL)
		return ERR_MEMORY;
	for (p = text; *p != 0; p++)
		n += *p == '\n';
	if ((list = arena_array(k->a, n + 1, sizeof(*list))) == NULL)
		return ERR_MEMORY;
	for (n = 0, p = text; *p != 0; p += len + (p[len] != 0)) {
		len = strcspn(p, "\n");
		if ((list[n++] = arena_strn(k->a, p, len)) == NULL)
			return ERR_MEMORY;
	}
	*ret = (struct record_strs){list, n};
	return 0;
}

static int
group_of(struct asking *k, sqlite3_stmt *s, struct seen_group *g)
{
	int c = GROUP_FIRST;

	memset(g, 0, sizeof(*g));
	g->n = (uint64_t)sqlite3_column_int64(s, 0);
	g->first_ms = sqlite3_column_int64(s, 1);
	g->last_ms = sqlite3_column_int64(s, 2);
	g->first_seq = (uint64_t)sqlite3_column_int64(s, 3);
	g->last_seq = (uint64_t)sqlite3_column_int64(s, 4);
	g->place = sqlite3_column_int64(s, 5);
	g->residence = text_of(k, s, 6);
	g->reader = sqlite3_column_int64(s, 7);
	g->shown = sqlite3_column_int64(s, 8);
	g->mode = text_of(k, s, c);
	g->kind = text_of(k, s, c + 1);
	g->purpose = text_of(k, s, c + 4);
	g->principal = k->q->full ? text_of(k, s, c + 5) : "";
	g->why = text_of(k, s, c + 10);
	g->ticket = k->q->full ? text_of(k, s, c + 11) : "";
	if (g->residence == NULL || g->mode == NULL || g->kind == NULL ||
	    g->purpose == NULL || g->principal == NULL || g->why == NULL ||
	    g->ticket == NULL || names_of(k, s, c + 2, &g->at) != 0 ||
	    names_of(k, s, c + 3, &g->behind) != 0 ||
	    names_of(k, s, c + 6, &g->rules) != 0 ||
	    names_of(k, s, c + 7, &g->tables) != 0 ||
	    names_of(k, s, c + 8, &g->plain) != 0 ||
	    names_of(k, s, c + 9, &g->masked) != 0)
		return ERR_MEMORY;
	return 0;
}

/* A list that doubles within the arena. */
static struct seen_group *
push(struct asking *k, struct seen_group **list, size_t *n)
{
	struct seen_group *more;
	size_t cap;

	if (*n == k->cap) {
		cap = k->cap == 0 ? 32 : k->cap * 2;
		if ((more = arena_array(k->a, cap, sizeof(*more))) == NULL)
			return NULL;
		if (*n > 0)
			memcpy(more, *list, *n * sizeof(*more));
		*list = more;
		k->cap = cap;
	}
	return &(*list)[(*n)++];
}

static int
collect(struct asking *k, sqlite3_stmt *s, struct seen_group **list,
    size_t *n)
{
	struct seen_group *g;
	int r;

	while ((r = seen_step(k->x, s)) == 0) {
		if (*n == GROUPS_MAX)
			return why_set(k->x->why, ERR_LIMIT, 0, 0, "the "
			    "answer has more than %d groups; ask for a "
			    "shorter period with --from and --to",
			    GROUPS_MAX);
		if ((g = push(k, list, n)) == NULL)
			return ERR_MEMORY;
		if ((r = group_of(k, s, g)) != 0)
			return r;
	}
	return r == ERR_MISSING ? 0 : r;
}

static int64_t
until(const struct asking *k)
{
	return k->q->to_ms == 0 ? FOREVER : k->q->to_ms;
}

/* ---- exact ---- */

static int
ask_exact(struct asking *k)
{
	sqlite3_stmt *s = NULL;
	int r;

	k->cap = 0;
	if ((r = prepare(k, k->q->full ? exact_full_sql : exact_sql,
	    &s)) == 0 && (r = bind_text(k, s, 1, k->q->tag)) == 0 &&
	    (r = bind_text(k, s, 2, k->q->store)) == 0) {
		bind(s, 3, k->q->from_ms);
		bind(s, 4, until(k));
		r = collect(k, s, &k->ret->exact, &k->ret->n_exact);
	}
	(void)sqlite3_finalize(s);	/* r has it */
	return r;
}

/* Where it was at home when its tag was written down, and what was given. */
static int
find_residences(struct asking *k)
{
	const struct record_strs *given = &k->q->residences;
	sqlite3_stmt *s = NULL;
	const char **list, *label;
	size_t n = 0, i;
	int r;

	if ((list = arena_array(k->a, given->n + 256, sizeof(*list))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < given->n; i++)
		list[n++] = given->s[i];
	if ((r = prepare(k, places_sql, &s)) != 0 ||
	    (r = bind_text(k, s, 1, k->q->tag)) != 0 ||
	    (r = bind_text(k, s, 2, k->q->store)) != 0)
		goto out;
	while ((r = seen_step(k->x, s)) == 0) {
		if ((label = text_of(k, s, 0)) == NULL) {
			r = ERR_MEMORY;
			goto out;
		}
		for (i = 0; i < n && strcmp(list[i], label) != 0; i++)
			;
		if (i == n && n < given->n + 256)
			list[n++] = label;
	}
	r = r == ERR_MISSING ? 0 : r;
	k->ret->residences = (struct record_strs){list, n};
out:
	(void)sqlite3_finalize(s);	/* r has it */
	return r;
}

/* ---- within reach ---- */

/* Three ranges of spans; one that is empty begins behind its end. */
static void
ranges(const struct asking *k, int64_t ret[static 6])
{
	const struct seen_state *s = &k->x->state;
	int64_t from = seen_day(s->first_ms), to = seen_day(s->last_ms);
	int64_t first, last;
	size_t i;

	for (i = 0; i < 6; i += 2) {
		ret[i] = 1;
		ret[i + 1] = 0;
	}
	if (k->q->from_ms == 0 && k->q->to_ms == 0) {
		ret[0] = ret[1] = SEEN_SPAN_ALL;
		return;
	}
	/* Nothing lies before the log's first entry, nor behind its last. */
	if (k->q->from_ms != 0 && seen_day(k->q->from_ms) > from)
		from = seen_day(k->q->from_ms);
	if (k->q->to_ms != 0 && seen_day(k->q->to_ms - 1) < to)
		to = seen_day(k->q->to_ms - 1);
	if (to < from)
		return;
	first = seen_month(from);
	last = seen_month(to);
	ret[0] = from;
	if (first == last) {
		ret[1] = to;
		return;
	}
	ret[1] = seen_month_begin(first + 1) - 1;
	ret[2] = first + 1;
	ret[3] = last - 1;
	ret[4] = seen_month_begin(last);
	ret[5] = to;
}

static int
ask_within(struct asking *k, const char *label)
{
	sqlite3_stmt *s = NULL;
	int64_t span[6];
	int i, r;

	ranges(k, span);
	if ((r = prepare(k, within_sql, &s)) == 0 &&
	    (r = bind_text(k, s, 1, k->q->store)) == 0 &&
	    (r = bind_text(k, s, 2, label)) == 0) {
		for (i = 0; i < 6; i++)
			bind(s, 3 + i, span[i]);
		bind(s, 9, span[0]);
		bind(s, 10, k->q->full);
		r = collect(k, s, &k->ret->within, &k->ret->n_within);
	}
	(void)sqlite3_finalize(s);	/* r has it */
	return r;
}

static int
add_group(struct asking *k, int64_t place, int64_t reader, int64_t shown,
    struct seen_group **ret)
{
	size_t n = k->ret->n_within;
	sqlite3_stmt *s = NULL;
	int r;

	if ((r = prepare(k, group_sql, &s)) == 0) {
		bind(s, 1, place);
		bind(s, 2, reader);
		bind(s, 3, shown);
		r = collect(k, s, &k->ret->within, &k->ret->n_within);
	}
	(void)sqlite3_finalize(s);	/* r has it */
	if (r == 0 && k->ret->n_within == n)
		return damaged(k);
	if (r == 0)
		*ret = &k->ret->within[n];
	return r;
}

static bool
is_asked_for(const struct asking *k, const char *label)
{
	size_t i;

	if (label[0] == 0 || strcmp(label, UNKNOWN) == 0)
		return true;
	for (i = 0; i < k->ret->residences.n; i++)
		if (strcmp(k->ret->residences.s[i], label) == 0)
			return true;
	return false;
}

/*
 * An open session of a service is counted on the day on which it began, so
 * one from before the first day asked for is added here. (Its end adds it to
 * the days between.)
 */
static int
add_service(struct asking *k, sqlite3_stmt *s)
{
	int64_t reader = sqlite3_column_int64(s, 0);
	int64_t since = sqlite3_column_int64(s, 2);
	const char *p = text_of(k, s, 1);
	long long place, shown;
	struct seen_group *g;
	size_t i;
	int r;

	for (; p != NULL && *p != 0; p += strcspn(p, "\n") + 1) {
		if (sscanf(p, "%lld %lld", &place, &shown) != 2)
			return damaged(k);
		for (i = 0, g = NULL; i < k->ret->n_within && g == NULL; i++)
			if (k->ret->within[i].place == place &&
			    k->ret->within[i].reader == reader &&
			    k->ret->within[i].shown == shown)
				g = &k->ret->within[i];
		if (g == NULL) {
			if ((r = add_group(k, place, reader, shown, &g)) != 0)
				return r;
			if (!is_asked_for(k, g->residence)) {
				k->ret->n_within--;
				continue;
			}
		}
		if (g->n == 0) {
			g->first_ms = since;
			g->first_seq = g->last_seq =
			    (uint64_t)sqlite3_column_int64(s, 3);
		}
		if (g->n == 0 || seen_day(since) < seen_day(k->q->from_ms))
			g->n++;
		g->going_on = true;
		g->last_ms = k->x->state.last_ms;
	}
	return p == NULL ? ERR_MEMORY : 0;
}

static int
add_services(struct asking *k)
{
	sqlite3_stmt *s = NULL;
	int r;

	if ((r = prepare(k, services_sql, &s)) == 0 &&
	    (r = bind_text(k, s, 2, k->q->store)) == 0) {
		bind(s, 1, k->q->full);
		bind(s, 3, until(k));
		while ((r = seen_step(k->x, s)) == 0)
			if ((r = add_service(k, s)) != 0)
				break;
		r = r == ERR_MISSING ? 0 : r;
	}
	(void)sqlite3_finalize(s);	/* r has it */
	return r;
}

static int
newest_first(const void *a, const void *b)
{
	const struct seen_group *x = a, *y = b;

	if (x->last_ms != y->last_ms)
		return x->last_ms < y->last_ms ? 1 : -1;
	return (x->first_seq > y->first_seq) - (x->first_seq < y->first_seq);
}

static int
ask_all_within(struct asking *k)
{
	static const char *const any[] = {"", UNKNOWN};
	size_t i;
	int r;

	k->cap = 0;
	for (i = 0; i < 2; i++)
		if ((r = ask_within(k, any[i])) != 0)
			return r;
	for (i = 0; i < k->ret->residences.n; i++)
		if (strcmp(k->ret->residences.s[i], UNKNOWN) != 0 &&
		    (r = ask_within(k, k->ret->residences.s[i])) != 0)
			return r;
	if ((r = add_services(k)) != 0)
		return r;
	if (k->ret->n_within > 0)
		qsort(k->ret->within, k->ret->n_within,
		    sizeof(*k->ret->within), newest_first);
	return 0;
}

/* ---- who asked ---- */

static int
ask_asked(struct asking *k)
{
	struct seen_asked *list = NULL, *more;
	sqlite3_stmt *s = NULL;
	size_t cap = 0, n = 0;
	int r;

	if ((r = prepare(k, asked_sql, &s)) != 0 ||
	    (r = bind_text(k, s, 1, k->q->tag)) != 0 ||
	    (r = bind_text(k, s, 2, k->q->store)) != 0)
		goto out;
	bind(s, 3, k->q->from_ms);
	bind(s, 4, until(k));
	while ((r = seen_step(k->x, s)) == 0) {
		if (n == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			if ((more = arena_array(k->a, cap,
			    sizeof(*more))) == NULL) {
				r = ERR_MEMORY;
				goto out;
			}
			if (n > 0)
				memcpy(more, list, n * sizeof(*more));
			list = more;
		}
		list[n].ms = sqlite3_column_int64(s, 0);
		list[n].seq = (uint64_t)sqlite3_column_int64(s, 1);
		list[n].by = k->q->full ? text_of(k, s, 2) : "";
		list[n].full = sqlite3_column_int(s, 3) != 0;
		if (list[n++].by == NULL) {
			r = ERR_MEMORY;
			goto out;
		}
	}
	r = r == ERR_MISSING ? 0 : r;
	k->ret->asked = list;
	k->ret->n_asked = n;
out:
	(void)sqlite3_finalize(s);	/* r has it */
	return r;
}

int
seen_ask(struct seen_index *x, const struct seen_question *q,
    struct arena *a, struct seen_answer *ret, struct why *w)
{
	struct asking k = {.x = x, .q = q, .a = a, .ret = ret};
	int r;

	memset(ret, 0, sizeof(*ret));
	memset(w, 0, sizeof(*w));
	x->why = w;
	arena_reset(x->scratch);
	/* What has not ended is counted for this answer alone. */
	if ((r = seen_run(x, seen_bind(x, SQL_BEGIN, ""))) != 0)
		goto out;
	if ((r = seen_doubt_open(x, NULL)) == 0 &&
	    (r = find_residences(&k)) == 0 && (r = ask_exact(&k)) == 0 &&
	    (r = ask_all_within(&k)) == 0)
		r = ask_asked(&k);
	if (seen_run(x, seen_bind(x, SQL_ROLLBACK, "")) != 0 && r == 0)
		r = seen_fail(x);
out:
	x->why = NULL;
	if (r != 0 && w->text[0] == 0)
		(void)why_set(w, r, 0, 0, "the index: %s", err_text(r));
	return r;
}
