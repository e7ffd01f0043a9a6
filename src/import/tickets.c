/*
 * Each row makes deeds: that a ticket is somebody's, and that somebody
 * assigned or approved it. Sorted, a person's deeds stand together, first
 * those that count the tickets, then each instructor's.
 */
#include "import/tickets.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "import/draft.h"
#include "import/entry.h"
#include "import/findings.h"
#include "import/value.h"

struct deed {
	const char *whose;
	const char *by;			/* "": the ticket itself */
	const char *ticket;
	int64_t at_ms;
	bool assigned, approved;
	bool known;			/* of `by` */
	unsigned line;
};

struct tickets {
	const struct section_map *map;
	const struct draft *known;
	const struct tickets_rule *rule;
	struct findings *f;
	struct arena *arena;
	struct values scratch;
	struct index texts, names, doubled;
	struct deed *deeds;
	size_t n, cap;
	const char *file;
	struct tickets_counts counts;
};

/* What one has done about another's tickets. */
struct tally {
	uint64_t tickets, assigned, approved;
	int64_t first_ms, last_ms;
};

static int
index_names(struct tickets *t)
{
	const struct draft_item *it;
	size_t i;
	int r;

	for (i = 0; i < t->known->n_items; i++) {
		it = t->known->items[i];
		if (it->kind == NODE_SERVICE || it->name == NULL)
			continue;
		r = index_add(&t->names, it->name, (void *)it, NULL);
		if (r == ERR_EXISTS)
			r = index_add(&t->doubled, it->name, (void *)it, NULL);
		if (r == ERR_MEMORY)
			return r;
	}
	return 0;
}

struct tickets *
tickets_new(const struct section_map *map, const struct draft *known,
    const struct tickets_rule *rule, struct findings *f)
{
	struct tickets *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->map = map;
	t->known = known;
	t->rule = rule;
	t->f = f;
	index_init(&t->texts);
	index_init(&t->names);
	index_init(&t->doubled);
	if ((t->arena = arena_new()) == NULL || index_names(t) != 0) {
		tickets_free(t);
		return NULL;
	}
	return t;
}

void
tickets_free(struct tickets *t)
{
	if (t == NULL)
		return;
	values_done(&t->scratch);
	index_done(&t->texts);
	index_done(&t->names);
	index_done(&t->doubled);
	free(t->deeds);
	arena_free(t->arena);
	free(t);
}

const struct tickets_counts *
tickets_counts(const struct tickets *t)
{
	return &t->counts;
}

static const char *
keep(struct tickets *t, const char *text)
{
	char *kept = index_find(&t->texts, text);

	if (kept != NULL)
		return kept;
	if ((kept = arena_str(t->arena, text)) == NULL ||
	    index_add(&t->texts, kept, kept, NULL) != 0)
		return NULL;
	return kept;
}

/* By id, or by a name that only one has. */
static const struct draft_item *
find(const struct tickets *t, const char *text)
{
	const struct draft_item *it = draft_item_find(t->known, text);

	if (it == NULL && index_find(&t->doubled, text) == NULL)
		it = index_find(&t->names, text);
	return it != NULL && it->kind != NODE_SERVICE ? it : NULL;
}

static int
add_deed(struct tickets *t, const struct deed *deed)
{
	size_t cap = t->cap != 0 ? t->cap * 2 : 1024;
	struct deed *deeds;

	if (t->n == t->cap) {
		deeds = realloc(t->deeds, cap * sizeof(*deeds));
		if (deeds == NULL)
			return ERR_MEMORY;
		t->deeds = deeds;
		t->cap = cap;
	}
	t->deeds[t->n++] = *deed;
	return 0;
}

static int
add_by(struct tickets *t, const struct entry *e, enum field field,
    struct deed deed)
{
	const struct draft_item *it;
	size_t i;
	int r;

	r = values_of(t->map, field, e, t->f, &t->scratch);
	for (i = 0; i < t->scratch.n && r == 0; i++) {
		it = find(t, t->scratch.items[i].text);
		deed.known = it != NULL;
		deed.by = it != NULL ? it->id :
		    keep(t, t->scratch.items[i].text);
		if (deed.by == NULL)
			return ERR_MEMORY;
		deed.assigned = field == FIELD_ASSIGNER;
		deed.approved = field == FIELD_APPROVER;
		if (strcmp(deed.by, deed.whose) != 0)
			r = add_deed(t, &deed);
	}
	return r;
}

/* What a row must have; false if it does not count. */
static int
read_row(struct tickets *t, const struct entry *e, struct deed *d, bool *ret)
{
	const char *ticket, *whose, *time;
	const struct draft_item *it;
	int r;

	*ret = false;
	if ((r = value_of(t->map, FIELD_TICKET, e, t->f, &t->scratch,
	    &ticket)) != 0 || (r = value_of(t->map, FIELD_TIME, e, t->f,
	    &t->scratch, &time)) != 0 || (r = value_of(t->map, FIELD_ASSIGNEE,
	    e, t->f, &t->scratch, &whose)) != 0)
		return r;
	if (ticket == NULL || time == NULL ||
	    value_time(time, &d->at_ms) != 0) {
		findings_add(t->f, FINDING_ERROR, &e->at, "%s: %s%.60s; each "
		    "row has a ticket and a time as 2026-11-23T17:40:00Z",
		    ticket == NULL ? "ticket" : "time",
		    ticket == NULL || time == NULL ? "there is none" :
		    "this is no time: ", ticket == NULL || time == NULL ? "" :
		    time);
		return 0;
	}
	if (d->at_ms < t->rule->from_ms || d->at_ms >= t->rule->to_ms)
		t->counts.outside++;
	else if (whose == NULL)
		t->counts.unassigned++;
	else if ((it = find(t, whose)) == NULL || it->kind != NODE_PERSON)
		t->counts.unknown++;
	else {
		d->whose = it->id;
		d->ticket = keep(t, ticket);
		*ret = d->ticket != NULL;
		return d->ticket != NULL ? 0 : ERR_MEMORY;
	}
	return 0;
}

static bool
has_column(const struct tickets *t, const struct entry *e, enum field field)
{
	const struct rule *r;
	size_t i;

	for (r = t->map->rules[field]; r != NULL; r = r->next)
		for (i = 0; i < r->n_attributes; i++)
			if (entry_has(e, r->attributes[i]))
				return true;
	return false;
}

/* Of the first row: without these nothing could ever be found. */
static void
check_columns(struct tickets *t, const struct entry *e)
{
	static const enum field needed[] = {FIELD_TICKET, FIELD_ASSIGNEE,
	    FIELD_TIME};
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!has_column(t, e, needed[i]))
			findings_add(t->f, FINDING_ERROR, &e->at, "there is "
			    "no column for \"%s\"; name it in \"tickets\" of "
			    "a mapping", field_text(needed[i]));
	if (!has_column(t, e, FIELD_ASSIGNER) &&
	    !has_column(t, e, FIELD_APPROVER))
		findings_add(t->f, FINDING_ERROR, &e->at, "there is no "
		    "column for \"assigner\" nor \"approver\"; name one in "
		    "\"tickets\" of a mapping");
}

int
tickets_row(void *tickets, const struct entry *e)
{
	struct tickets *t = tickets;
	struct deed d = {.by = "", .known = true, .line = e->at.line};
	bool counts;
	int r;

	if (t->counts.rows++ == 0)
		check_columns(t, e);
	if (t->file == NULL && e->at.file != NULL &&
	    (t->file = keep(t, e->at.file)) == NULL)
		return ERR_MEMORY;
	if ((r = read_row(t, e, &d, &counts)) != 0 || !counts)
		return r;
	if ((r = add_deed(t, &d)) != 0 ||
	    (r = add_by(t, e, FIELD_ASSIGNER, d)) != 0)
		return r;
	return add_by(t, e, FIELD_APPROVER, d);
}

static int
compare_deeds(const void *a, const void *b)
{
	const struct deed *x = a, *y = b;
	int c;

	if ((c = strcmp(x->whose, y->whose)) != 0 ||
	    (c = strcmp(x->by, y->by)) != 0 ||
	    (c = strcmp(x->ticket, y->ticket)) != 0)
		return c;
	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

/* Deeds [at, end) are of one pair. */
static struct tally
count(const struct deed *d, size_t at, size_t end)
{
	struct tally n = {0, 0, 0, INT64_MAX, INT64_MIN};
	bool assigned, approved;
	size_t i = at, k;

	while (i < end) {
		assigned = approved = false;
		for (k = i; k < end &&
		    strcmp(d[k].ticket, d[i].ticket) == 0; k++) {
			assigned |= d[k].assigned;
			approved |= d[k].approved;
			if (d[k].at_ms < n.first_ms)
				n.first_ms = d[k].at_ms;
			if (d[k].at_ms > n.last_ms)
				n.last_ms = d[k].at_ms;
		}
		n.tickets++;
		n.assigned += assigned;
		n.approved += approved;
		i = k;
	}
	return n;
}

static bool
qualifies(const struct tickets_rule *r, const struct tally *n, uint64_t all)
{
	return (r->at_least > 0 && n->tickets >= r->at_least) ||
	    (r->percent > 0 && n->tickets * 100 >= r->percent * all);
}

static int
add_fact(struct tickets *t, struct draft *out, const struct deed *d,
    const struct tally *n, uint64_t all)
{
	char first[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
	struct draft_item *it, *exists;
	struct draft_fact *f;

	it = draft_item_add(out, d->whose, &exists);
	if (it == NULL && (it = exists) == NULL)
		return ERR_MEMORY;
	it->kind = NODE_PERSON;
	if ((f = draft_fact_add(out, it, FACT_INSTRUCTOR)) == NULL)
		return ERR_MEMORY;
	time_text(n->first_ms, first);
	time_text(n->last_ms, last);
	f->value = d->by;
	f->issuer = out->issuer;
	f->from = n->first_ms;
	if (t->rule->valid_ms > 0)
		f->to = n->last_ms + t->rule->valid_ms;
	f->evidence = arena_fmt(out->arena, "%llu of %llu tickets from %.10s "
	    "to %.10s: assigned %llu, approved %llu",
	    (unsigned long long)n->tickets, (unsigned long long)all, first,
	    last, (unsigned long long)n->assigned,
	    (unsigned long long)n->approved);
	t->counts.facts++;
	return f->evidence != NULL ? 0 : ERR_MEMORY;
}

static int
judge_pair(struct tickets *t, struct draft *out, size_t at, size_t end,
    uint64_t all)
{
	struct tally n = count(t->deeds, at, end);
	const struct deed *d = &t->deeds[at];
	struct origin where = {t->file, d->line, NULL};

	if (!qualifies(t->rule, &n, all))
		return 0;
	if (d->known)
		return add_fact(t, out, d, &n, all);
	findings_add(t->f, t->rule->skip_unknown ? FINDING_NOTE :
	    FINDING_ERROR, &where, "\"%.100s\" instructs %.80s by %llu of %llu "
	    "tickets and is nobody of the directory; %s", d->by, d->whose,
	    (unsigned long long)n.tickets, (unsigned long long)all,
	    t->rule->skip_unknown ? "left out" : "add them, map the value in "
	    "\"tickets\" of the mapping, or say --skip-unknown");
	return 0;
}

int
tickets_end(struct tickets *t, const char *issuer, struct draft **ret)
{
	struct draft *out = draft_new(issuer);
	size_t i, k;
	uint64_t all = 0;
	int r = 0;

	if (out == NULL)
		return ERR_MEMORY;
	if (t->n > 1)
		qsort(t->deeds, t->n, sizeof(*t->deeds), compare_deeds);
	for (i = 0; i < t->n && r == 0; i = k) {
		for (k = i + 1; k < t->n &&
		    strcmp(t->deeds[k].whose, t->deeds[i].whose) == 0 &&
		    strcmp(t->deeds[k].by, t->deeds[i].by) == 0; k++)
			continue;
		if (*t->deeds[i].by == 0) {
			all = count(t->deeds, i, k).tickets;
			t->counts.people++;
		} else
			r = judge_pair(t, out, i, k, all);
	}
	if (r != 0) {
		draft_free(out);
		return r;
	}
	draft_sort(out);
	*ret = out;
	return 0;
}
