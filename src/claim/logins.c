/*
 * Both sides are sorted by process, user and time; within one process and
 * user they are paired in order of time, each with at most one other.
 */
#include "claim/logins.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "base/csv.h"
#include "claim/csvlog.h"

struct login {
	uint32_t pid;
	const char *user;
	int64_t time_ms;
	const char *gateway;	/* ours */
	uint64_t seq;
	const char *from;	/* the store's */
	const char *database;
	bool matched;
};

struct login_list {
	struct login *l;
	size_t n, cap;
};

struct logins {
	struct arena *arena;
	const char *store;
	int64_t from_ms, to_ms;
	struct csv *csv;
	struct login_list theirs, ours;
	bool any;
	int64_t first_ms, last_ms;
};

static int on_row(void *, const char *const *, size_t);

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
	    (l->csv = csv_new(on_row, l)) == NULL) {
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
	csv_free(l->csv);
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
	return csv_line(l->csv);
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

/* "connection authorized: user=..." and "replication connection
 * authorized: ..." alike. */
static bool
is_login(const char *message)
{
	return text_starts(message, "connection authorized:") ||
	    text_starts(message, "replication connection authorized:");
}

static int
on_row(void *arg, const char *const *f, size_t n)
{
	struct logins *l = arg;
	struct login *p;
	int64_t time_ms;
	uint64_t pid;

	if (n < CSVLOG_FIELDS_MIN || csvlog_time(f[CSVLOG_TIME], &time_ms) != 0)
		return ERR_FORMAT;
	note_time(l, time_ms);
	if (!is_near(l, time_ms) || !is_login(f[CSVLOG_MESSAGE]))
		return 0;
	if (text_u64(f[CSVLOG_PROCESS], strlen(f[CSVLOG_PROCESS]), &pid) != 0 ||
	    pid > UINT32_MAX)
		return ERR_FORMAT;
	if ((p = list_add(&l->theirs)) == NULL)
		return ERR_MEMORY;
	p->pid = (uint32_t)pid;
	p->time_ms = time_ms;
	p->user = arena_str(l->arena, f[CSVLOG_USER]);
	p->from = arena_str(l->arena, f[CSVLOG_FROM]);
	p->database = arena_str(l->arena, f[CSVLOG_DATABASE]);
	return p->user == NULL || p->from == NULL || p->database == NULL ?
	    ERR_MEMORY : 0;
}

int
logins_feed(struct logins *l, const void *data, size_t len)
{
	return csv_feed(l->csv, data, len);
}

int
logins_feed_end(struct logins *l)
{
	return csv_end(l->csv);
}

int
logins_backend(struct logins *l, const char *gateway, uint64_t seq,
    int64_t time_ms, const char *role, uint32_t pid)
{
	struct login *p;

	if (!is_near(l, time_ms))
		return 0;
	if ((p = list_add(&l->ours)) == NULL)
		return ERR_MEMORY;
	p->pid = pid;
	p->time_ms = time_ms;
	p->seq = seq;
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
			a->matched = b->matched = true;
			i++;
			j++;
		}
	}
}

static int
tell(const struct logins *l, const struct login_list *list, bool around,
    int (*doubt)(void *, const struct logins_doubt *), void *arg,
    size_t *matched)
{
	const struct login *p;
	struct logins_doubt d;
	size_t i;
	int r;

	*matched = 0;
	for (i = 0; i < list->n; i++) {
		p = &list->l[i];
		if (!is_within(l, p->time_ms))
			continue;
		if (p->matched) {
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

int
logins_match(struct logins *l,
    int (*doubt)(void *arg, const struct logins_doubt *d), void *arg,
    struct logins_summary *ret)
{
	size_t ours;
	int r;

	sort(&l->theirs);
	sort(&l->ours);
	pair(l);
	ret->any = l->any;
	ret->first_ms = l->first_ms;
	ret->last_ms = l->last_ms;
	if ((r = tell(l, &l->theirs, true, doubt, arg, &ret->matched)) != 0)
		return r;
	return tell(l, &l->ours, false, doubt, arg, &ours);
}
