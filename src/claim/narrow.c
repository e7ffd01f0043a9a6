/*
 * A disclosure is a person's statement, or a service's session, that lies
 * in the period at least in part. Why its data is not meant is found by
 * loosening the claim: whose first, then tables, categories, treatment; the
 * first that still excludes it is named.
 */
#include "claim/narrow.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "claim/claim.h"
#include "claim/defined.h"
#include "claim/match.h"
#include "claim/track.h"
#include "directory/control.h"

#define BUCKETS 4096
#define COUNTED_MAX 16

/* A statement whose result has not come. */
struct pending {
	struct pending *next;
	uint64_t n;
	struct narrow_line *line;
};

struct open_session {
	struct arena *arena;
	struct record rec;
	bool service;
	struct match_reader reader;
	enum truth is;			/* what the claim asks */
	struct narrow_line *line;	/* a service's */
	/* Lines in which it counts as a session already. */
	const struct narrow_line *counted[COUNTED_MAX];
	size_t n_counted;
	struct pending *pending;
};

struct narrow {
	const struct claim *claim;
	struct objects *objects;	/* NULL: none can be read */
	struct arena *arena;		/* lines */
	struct arena *scratch;
	struct track *track;
	struct narrow_line *buckets[BUCKETS];
	const struct narrow_line **sorted;
	struct narrow_result result;
};

const char *
narrow_why_text(enum narrow_why w)
{
	switch (w) {
	case NARROW_INSIDE:
		return "inside";
	case NARROW_MAYBE:
		return "undecided";
	case NARROW_READER:
		return "reader";
	case NARROW_DATA:
		return "data";
	case NARROW_BOTH:
		return "reader and data";
	case NARROW_STORE:
		return "store";
	}
	return "";
}

static void
session_free(struct open_session *s)
{
	struct pending *p;

	if (s == NULL)
		return;
	while ((p = s->pending) != NULL) {
		s->pending = p->next;
		free(p);
	}
	arena_free(s->arena);
	free(s);
}

static int
ignore_gap(void *arg, const struct track_gap *g)
{
	(void)arg;
	(void)g;
	return 0;
}

static int
on_ended(void *arg, struct track_session *t, enum track_end how,
    const struct record *r)
{
	struct open_session *s = t->data;

	(void)arg;
	if (s != NULL && s->line != NULL && how == TRACK_CLOSED) {
		s->line->rows += r->u.close.rows;
		s->line->bytes += r->u.close.bytes;
	}
	session_free(s);
	t->data = NULL;
	return 0;
}

struct narrow *
narrow_new(const struct claim *c, objects_read_fn *read, void *arg)
{
	struct narrow *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->claim = c;
	n->arena = arena_new();
	n->scratch = arena_new();
	if (read != NULL)
		n->objects = objects_new(read, arg);
	if (n->arena == NULL || n->scratch == NULL ||
	    (read != NULL && n->objects == NULL)) {
		narrow_free(n);
		return NULL;
	}
	return n;
}

void
narrow_free(struct narrow *n)
{
	if (n == NULL)
		return;
	track_each(n->track, on_ended, n);
	track_free(n->track);
	objects_free(n->objects);
	free(n->sorted);
	arena_free(n->scratch);
	arena_free(n->arena);
	free(n);
}

/* -- why ---------------------------------------------------------------- */

static char *
join(struct arena *a, const char *before, const struct record_strs *l)
{
	char *s = arena_str(a, before);
	size_t i;

	for (i = 0; s != NULL && i < l->n; i++)
		s = arena_fmt(a, "%s%s%s", s, i > 0 ? ", " : "", l->s[i]);
	return s;
}

/* How a reader stands under the claim's countries by kinds of path that the
 * claim leaves out; or which of its words the reader does not meet. */
static const char *
why_reader(struct narrow *n, const struct open_session *open)
{
	const struct record_session *s = &open->rec.u.session;
	const struct claim_who *w = &n->claim->who;
	const struct record_path *p;
	struct match_reader without;
	struct claim_who loose = *w;
	size_t i;
	char *s2;

	loose.controlled_from.n = 0;
	match_reader(&loose, s, &without);
	if (without.truth == TRUTH_FALSE)
		return "another kind, role, employer or name than the claim's";
	if (open->reader.truth != TRUTH_FALSE)
		return join(n->scratch, "is none of ", &w->is);
	for (i = 0; i < s->n_control; i++) {
		p = &s->control[i];
		if (!strs_have(&w->controlled_from, p->label))
			continue;
		s2 = arena_fmt(n->scratch, "stands under %s by ", p->label);
		return s2 == NULL ? NULL : join(n->scratch, s2, &p->kinds);
	}
	return join(n->scratch, "does not stand under ", &w->controlled_from);
}

static int
excludes(struct narrow *n, const struct claim_data *d,
    const struct record_bound *b, const struct match_context *x, bool *ret)
{
	struct match_data m;

	if (match_data(d, b, x, n->scratch, &m) != 0)
		return ERR_MEMORY;
	*ret = m.truth == TRUTH_FALSE;
	return 0;
}

/* Each string of the tables once. */
enum part {
	PART_RESIDENCES,
	PART_TABLES,
	PART_SHOWN,
};

static const char *
list_part(struct narrow *n, const char *before, const struct record_bound *b,
    enum part part)
{
	struct record_strs l = {NULL, 0};
	const struct record_strs *from[2] = {NULL, NULL};
	const char **to;
	size_t i, j, k, max = b->n;

	for (i = 0; i < b->n; i++)
		max += b->tables[i].residences.n + b->tables[i].categories.n +
		    b->tables[i].masked.n;
	if ((to = arena_array(n->scratch, max, sizeof(*to))) == NULL)
		return NULL;
	l.s = to;
	for (i = 0; i < b->n; i++) {
		struct record_strs name = {&b->tables[i].table, 1};

		from[0] = part == PART_TABLES ? &name :
		    part == PART_RESIDENCES ? &b->tables[i].residences :
		    &b->tables[i].categories;
		from[1] = part == PART_SHOWN ? &b->tables[i].masked : NULL;
		for (j = 0; j < 2 && from[j] != NULL; j++)
			for (k = 0; k < from[j]->n; k++)
				if (!strs_have(&l, from[j]->s[k]))
					to[l.n++] = from[j]->s[k];
	}
	return join(n->scratch, before, &l);
}

static const char *
why_data(struct narrow *n, const struct record_bound *b,
    const struct match_context *x)
{
	const struct claim_data *full = &n->claim->data;
	struct claim_data d = *full;
	bool out;

	if (b->n == 0)
		return "no guarded table";
	d.tables.n = d.categories.n = 0;
	d.plain = d.mask = true;
	if (excludes(n, &d, b, x, &out) != 0)
		return NULL;
	if (out)
		return list_part(n, "residents of ", b, PART_RESIDENCES);
	d.tables = full->tables;
	if (excludes(n, &d, b, x, &out) != 0)
		return NULL;
	if (out)
		return list_part(n, "tables ", b, PART_TABLES);
	d.categories = full->categories;
	if (excludes(n, &d, b, x, &out) != 0)
		return NULL;
	if (out)
		return list_part(n, "categories ", b, PART_SHOWN);
	return full->plain ? "shown masked" : "shown plain";
}

/* -- lines -------------------------------------------------------------- */

static uint32_t
hash_str(uint32_t h, const char *s)
{
	for (; *s != 0; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;	/* FNV-1a */
	return (h ^ 0xff) * 16777619u;
}

static struct narrow_line *
line_new(struct narrow *n, const struct record_session *s,
    enum narrow_why why, const char *detail)
{
	struct narrow_line *l = arena_alloc(n->arena, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->why = why;
	l->principal = arena_str(n->arena, s->principal);
	l->kind = arena_str(n->arena, s->kind);
	l->store = arena_str(n->arena, s->store);
	l->detail = arena_str(n->arena, detail);
	return l->principal == NULL || l->kind == NULL || l->store == NULL ||
	    l->detail == NULL ? NULL : l;
}

/* *ret is NULL when there is no room for another line. */
static int
line_of(struct narrow *n, const struct record_session *s, enum narrow_why why,
    const char *detail, struct narrow_line **ret)
{
	uint32_t h = hash_str(2166136261u ^ (uint32_t)why, s->principal);
	struct narrow_line **at, *l;

	h = hash_str(hash_str(hash_str(h, s->kind), s->store), detail);
	at = &n->buckets[h % BUCKETS];
	for (l = *at; l != NULL; l = l->next)
		if (l->why == why && strcmp(l->principal, s->principal) == 0 &&
		    strcmp(l->kind, s->kind) == 0 &&
		    strcmp(l->store, s->store) == 0 &&
		    strcmp(l->detail, detail) == 0)
			break;
	*ret = l;
	if (l != NULL || n->result.n == NARROW_LINES_MAX)
		return 0;
	if ((l = line_new(n, s, why, detail)) == NULL)
		return ERR_MEMORY;
	l->next = *at;
	*ret = *at = l;
	n->result.n++;
	return 0;
}

static int
why_of(struct narrow *n, const struct open_session *s,
    const struct record_bound *b, enum narrow_why *ret, const char **detail)
{
	const struct record_session *in = &s->rec.u.session;
	struct match_context x = {NULL, !s->service &&
	    strcmp(in->mode, "enforce") == 0, NULL};
	const char *reader = "", *data = "";
	struct match_data m;

	*detail = "";
	*ret = NARROW_STORE;
	if (!strs_have(&n->claim->stores, in->store))
		return 0;
	if (match_data(&n->claim->data, b, &x, n->scratch, &m) != 0)
		return ERR_MEMORY;
	if (truth_and(s->reader.truth, s->is) == TRUTH_FALSE)
		reader = why_reader(n, s);
	if (m.truth == TRUTH_FALSE)
		data = why_data(n, b, &x);
	if (reader == NULL || data == NULL)
		return ERR_MEMORY;
	if (reader[0] != 0 && data[0] != 0) {
		*ret = NARROW_BOTH;
		*detail = arena_fmt(n->scratch, "%s; %s", reader, data);
		return *detail == NULL ? ERR_MEMORY : 0;
	}
	*detail = reader[0] != 0 ? reader : data;
	*ret = reader[0] != 0 ? NARROW_READER : data[0] != 0 ? NARROW_DATA :
	    truth_and(truth_and(s->reader.truth, s->is), m.truth) ==
	    TRUTH_TRUE ?
	    NARROW_INSIDE : NARROW_MAYBE;
	return 0;
}

static void
count_session(struct open_session *s, struct narrow_line *l)
{
	size_t i;

	for (i = 0; i < s->n_counted; i++)
		if (s->counted[i] == l)
			return;
	if (s->n_counted < COUNTED_MAX)
		s->counted[s->n_counted++] = l;
	l->sessions++;
}

/* One disclosure more; *ret is its line, or NULL. */
static int
disclosed(struct narrow *n, struct open_session *s,
    const struct record_bound *b, struct narrow_line **ret)
{
	enum narrow_why why;
	const char *detail;
	int e;

	if ((e = why_of(n, s, b, &why, &detail)) != 0 ||
	    (e = line_of(n, &s->rec.u.session, why, detail, ret)) != 0)
		return e;
	n->result.disclosures[why]++;
	if (*ret == NULL)
		n->result.more++;
	else
		count_session(s, *ret);
	return 0;
}

/* -- records ------------------------------------------------------------ */

static bool
in_period(const struct narrow *n, const struct record *r)
{
	return r->time_ms >= n->claim->from_ms &&
	    r->time_ms <= n->claim->to_ms;
}

static int
find_is(struct narrow *n, struct open_session *s)
{
	const struct record_session *in = &s->rec.u.session;
	const struct defined_reader r = { .who = &n->claim->who,
	    .facts = in, .policy = in->policy, .directory = in->directory };
	struct defined_answer a = { .truth = TRUTH_TRUE };
	int e;

	if (r.who->is.n > 0 && (e = defined_at(&r, n->objects,
	    s->rec.time_ms, n->scratch, &a)) != 0)
		return e;
	s->is = a.truth;
	return 0;
}

static int
on_session(struct narrow *n, const struct record *r, struct bytes entry)
{
	struct track_session *t = track_find(n->track, r->u.session.session);
	struct open_session *s;
	int e;

	if (t == NULL || t->data != NULL || t->seq != r->seq ||
	    r->time_ms > n->claim->to_ms)
		return 0;
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->arena = arena_new()) == NULL) {
		session_free(s);
		return ERR_MEMORY;
	}
	t->data = s;
	if ((e = record_decode(entry, s->arena, &s->rec, NULL)) != 0)
		return e;
	s->service = strcmp(s->rec.u.session.kind, "person") != 0;
	match_reader(&n->claim->who, &s->rec.u.session, &s->reader);
	if ((e = find_is(n, s)) != 0)
		return e;
	if (!s->service || !in_period(n, r))
		return 0;
	return disclosed(n, s, &s->rec.u.session.bound, &s->line);
}

static int
on_statement(struct narrow *n, struct open_session *s,
    const struct record *r)
{
	struct narrow_line *l;
	struct pending *p;
	int e;

	if (!in_period(n, r))
		return 0;
	if ((e = disclosed(n, s, &r->u.statement.bound, &l)) != 0 ||
	    l == NULL)
		return e;
	l->statements++;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ERR_MEMORY;
	p->n = r->u.statement.n;
	p->line = l;
	p->next = s->pending;
	s->pending = p;
	return 0;
}

static void
on_result(struct open_session *s, const struct record_result *in)
{
	struct pending **at = &s->pending, *p;

	while (*at != NULL && (*at)->n != in->of)
		at = &(*at)->next;
	if ((p = *at) == NULL)
		return;
	p->line->rows += in->rows;
	p->line->bytes += in->bytes;
	*at = p->next;
	free(p);
}

int
narrow_record(struct narrow *n, const struct record *r, struct bytes entry)
{
	const struct track_hooks hooks = {n, ignore_gap, on_ended};
	struct track_session *t;
	int e;

	if (n->track == NULL && (n->track = track_new(&hooks)) == NULL)
		return ERR_MEMORY;
	arena_reset(n->scratch);
	if ((e = track_record(n->track, r)) != 0)
		return e;
	if (r->type == RECORD_SESSION)
		return on_session(n, r, entry);
	if (r->type == RECORD_STATEMENT) {
		t = track_find(n->track, r->u.statement.session);
		return t == NULL || t->data == NULL ? 0 :
		    on_statement(n, t->data, r);
	}
	if (r->type == RECORD_RESULT &&
	    (t = track_find(n->track, r->u.result.session)) != NULL &&
	    t->data != NULL)
		on_result(t->data, &r->u.result);
	return 0;
}

int
narrow_log_end(struct narrow *n)
{
	int e;

	if (n->track == NULL)
		return 0;
	e = track_end(n->track);
	track_each(n->track, on_ended, n);
	track_free(n->track);
	n->track = NULL;
	return e;
}

static int
compare_lines(const void *a, const void *b)
{
	const struct narrow_line *x = *(const struct narrow_line *const *)a;
	const struct narrow_line *y = *(const struct narrow_line *const *)b;
	int c;

	if (x->why != y->why)
		return x->why < y->why ? -1 : 1;
	if (x->rows != y->rows)
		return x->rows > y->rows ? -1 : 1;
	if ((c = strcmp(x->principal, y->principal)) != 0 ||
	    (c = strcmp(x->store, y->store)) != 0)
		return c;
	return strcmp(x->detail, y->detail);
}

int
narrow_end(struct narrow *n, const struct narrow_result **ret)
{
	const struct narrow_line *l;
	size_t i, at = 0;

	n->sorted = calloc(n->result.n + 1, sizeof(*n->sorted));
	if (n->sorted == NULL)
		return ERR_MEMORY;
	for (i = 0; i < BUCKETS; i++)
		for (l = n->buckets[i]; l != NULL; l = l->next)
			n->sorted[at++] = l;
	qsort(n->sorted, at, sizeof(*n->sorted), compare_lines);
	n->result.lines = n->sorted;
	*ret = &n->result;
	return 0;
}
