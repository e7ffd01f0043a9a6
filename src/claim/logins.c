/*
 * Both sides are sorted by process, user and time; within one process and
 * user they are paired in order of time, each with at most one other.
 */
#include "claim/logins.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "claim/lines.h"
#include "claim/pglog.h"

struct login {
	uint32_t pid;
	const char *user;
	int64_t time_ms;
	const char *gateway;	/* ours */
	uint64_t seq;
	const char *from;	/* the store's */
	const char *database;
	uint64_t session;	/* the store's own name for it */
	void *whose;		/* ours */
	struct login *with;	/* that of the other side */
};

struct login_list {
	struct login *l;
	size_t n, cap;
};

struct logins {
	struct arena *arena;
	const char *store;
	int64_t from_ms, to_ms;
	struct pglog *log;
	struct lines *lines;
	int (*also)(void *, const struct pglog_line *);
	void *also_arg;
	bool paired;
	struct login_list theirs, ours;
	bool any;
	int64_t first_ms, last_ms;
};

static int on_line(void *, const struct pglog_line *);

struct logins *
logins_new(const char *store, int64_t from_ms, int64_t to_ms)
{
	struct logins *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->from_ms = from_ms;
	l->to_ms = to_ms;
	if ((l->arena = arena_new()) == NULL ||
	    (l->store = arena_str(l->arena, store)) == NULL ||
	    (l->log = pglog_new(on_line, l)) == NULL ||
	    (l->lines = lines_new()) == NULL) {
		logins_free(l);
		return NULL;
	}
	return l;
}

void
logins_free(struct logins *l)
{
	if (l == NULL)
		return;
	arena_free(l->arena);
	pglog_free(l->log);
	lines_free(l->lines);
	free(l->theirs.l);
	free(l->ours.l);
	free(l);
}

const char *
logins_store(const struct logins *l)
{
	return l->store;
}

unsigned long
logins_line(const struct logins *l)
{
	return pglog_line_number(l->log);
}

bool
logins_times(const struct logins *l, int64_t *first_ms, int64_t *last_ms)
{
	*first_ms = l->first_ms;
	*last_ms = l->last_ms;
	return l->any;
}

void
logins_period(struct logins *l, int64_t from_ms, int64_t to_ms)
{
	l->from_ms = from_ms;
	l->to_ms = to_ms;
}

void
logins_also(struct logins *l,
    int (*line)(void *arg, const struct pglog_line *line), void *arg)
{
	l->also = line;
	l->also_arg = arg;
}

static struct login *
list_add(struct login_list *list)
{
	struct login *p;
	size_t cap;

	if (list->n == list->cap) {
		cap = list->cap == 0 ? 256 : list->cap * 2;
		if (cap > LOGINS_MAX ||
		    (p = realloc(list->l, cap * sizeof(*p))) == NULL)
			return NULL;
		list->l = p;
		list->cap = cap;
	}
	p = &list->l[list->n++];
	memset(p, 0, sizeof(*p));
	return p;
}

/* Whether an instant is near enough to the period to matter. */
static bool
is_near(const struct logins *l, int64_t time_ms)
{
	return time_ms >= l->from_ms - LOGINS_SLACK_MS &&
	    time_ms <= l->to_ms + LOGINS_SLACK_MS;
}

static bool
is_within(const struct logins *l, int64_t time_ms)
{
	return time_ms >= l->from_ms && time_ms <= l->to_ms;
}

static void
note_time(struct logins *l, int64_t time_ms)
{
	if (!l->any || time_ms < l->first_ms)
		l->first_ms = time_ms;
	if (!l->any || time_ms > l->last_ms)
		l->last_ms = time_ms;
	l->any = true;
}

static int
on_line(void *arg, const struct pglog_line *line)
{
	struct logins *l = arg;
	struct login *p;
	int r;

	note_time(l, line->time_ms);
	if ((r = lines_add(l->lines, line)) != 0 || (l->also != NULL &&
	    (r = l->also(l->also_arg, line)) != 0))
		return r;
	if (!is_near(l, line->time_ms) || !pglog_is_login(line))
		return 0;
	if ((p = list_add(&l->theirs)) == NULL)
		return ERR_MEMORY;
	p->pid = line->pid;
	p->time_ms = line->time_ms;
	p->session = line->session;
	p->user = arena_str(l->arena, line->user);
	p->from = arena_str(l->arena, line->from);
	p->database = arena_str(l->arena, line->database);
	return p->user == NULL || p->from == NULL || p->database == NULL ?
	    ERR_MEMORY : 0;
}

int
logins_feed(struct logins *l, const void *data, size_t len)
{
	return pglog_feed(l->log, data, len);
}

int
logins_feed_end(struct logins *l)
{
	return pglog_end(l->log);
}

int
logins_backend(struct logins *l, const char *gateway, uint64_t seq,
    int64_t time_ms, const char *role, uint32_t pid, void *whose)
{
	struct login *p;

	if (!is_near(l, time_ms))
		return 0;
	if ((p = list_add(&l->ours)) == NULL)
		return ERR_MEMORY;
	p->pid = pid;
	p->time_ms = time_ms;
	p->seq = seq;
	p->whose = whose;
	p->user = arena_str(l->arena, role);
	p->gateway = arena_str(l->arena, gateway);
	return p->user == NULL || p->gateway == NULL ? ERR_MEMORY : 0;
}

static int
compare_key(const struct login *a, const struct login *b)
{
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return strcmp(a->user, b->user);
}

static int
compare(const void *x, const void *y)
{
	const struct login *a = x, *b = y;
	int c = compare_key(a, b);

	if (c != 0)
		return c;
	return (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
}

static void
pair(struct logins *l)
{
	struct login *a, *b;
	size_t i = 0, j = 0;
	int c;

	while (i < l->theirs.n && j < l->ours.n) {
		a = &l->theirs.l[i];
		b = &l->ours.l[j];
		if ((c = compare_key(a, b)) != 0) {
			i += c < 0;
			j += c > 0;
		} else if (a->time_ms < b->time_ms - LOGINS_SLACK_MS) {
			i++;
		} else if (b->time_ms < a->time_ms - LOGINS_SLACK_MS) {
			j++;
		} else {
			a->with = b;
			b->with = a;
			i++;
			j++;
		}
	}
}

static int
tell(const struct logins *l, const struct login_list *list, bool around,
    int (*doubt)(void *, const struct logins_doubt *), void *arg,
    size_t *within, size_t *matched)
{
	const struct login *p;
	struct logins_doubt d;
	size_t i;
	int r;

	*within = *matched = 0;
	for (i = 0; i < list->n; i++) {
		p = &list->l[i];
		if (!is_within(l, p->time_ms))
			continue;
		(*within)++;
		if (p->with != NULL) {
			(*matched)++;
			continue;
		}
		d = (struct logins_doubt){
			.around = around, .time_ms = p->time_ms,
			.gateway = p->gateway, .seq = p->seq,
			.user = p->user, .pid = p->pid,
			.from = around ? p->from : "",
			.database = around ? p->database : "",
		};
		if ((r = doubt(arg, &d)) != 0)
			return r;
	}
	return 0;
}

static void
sort(struct login_list *list)
{
	if (list->n > 0)
		qsort(list->l, list->n, sizeof(*list->l), compare);
}

/* Once all is there: after it, nothing is added. */
static void
match(struct logins *l)
{
	if (l->paired)
		return;
	l->paired = true;
	sort(&l->theirs);
	sort(&l->ours);
	pair(l);
}

int
logins_pairs(struct logins *l,
    int (*fn)(void *arg, const struct logins_pair *p), void *arg)
{
	const struct login *t;
	struct logins_pair p;
	size_t i;
	int r;

	match(l);
	for (i = 0; i < l->theirs.n; i++) {
		t = &l->theirs.l[i];
		if (t->with == NULL)
			continue;
		p = (struct logins_pair){t->with->whose, t->session, t->user,
		    t->from};
		if ((r = fn(arg, &p)) != 0)
			return r;
	}
	return 0;
}

int
logins_match(struct logins *l,
    int (*doubt)(void *arg, const struct logins_doubt *d), void *arg,
    struct logins_summary *ret)
{
	size_t matched;
	int r;

	match(l);
	ret->any = l->any;
	ret->first_ms = l->first_ms;
	ret->last_ms = l->last_ms;
	if ((r = tell(l, &l->theirs, true, doubt, arg, &ret->theirs,
	    &ret->matched)) != 0)
		return r;
	return tell(l, &l->ours, false, doubt, arg, &ret->ours, &matched);
}

int
logins_gaps(struct logins *l,
    int (*gap)(void *arg, const struct lines_gap *g), void *arg)
{
	return lines_gaps(l->lines, l->from_ms, l->to_ms, gap, arg);
}
