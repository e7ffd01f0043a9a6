#include "gateway/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "gateway/judge.h"
#include "gateway/run.h"
#include "lineage/naming.h"
#include "lineage/rewrite.h"

struct meaning *
meaning_new(struct arena *a, const struct judgement *j,
    const char text_hmac[static 65])
{
	struct meaning *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return NULL;
	m->refs = 1;
	m->a = a;
	m->judgement = j;
	memcpy(m->text_hmac, text_hmac, sizeof(m->text_hmac));
	return m;
}

struct meaning *
meaning_ref(struct meaning *m)
{
	if (m != NULL)
		m->refs++;
	return m;
}

void
meaning_unref(struct meaning *m)
{
	struct meaning *of;

	for (; m != NULL && --m->refs == 0; m = of) {
		of = m->of;
		meaning_unref(m->by);
		arena_free(m->a);
		free(m);
	}
}

/* One that rests on others, with a copy of a judgement that may be changed. */
static struct meaning *
derive(struct meaning *of, struct meaning *by, const struct judgement *from,
    const char text_hmac[static 65], struct judgement **ret)
{
	struct arena *a;
	struct meaning *m;

	if ((a = arena_new()) == NULL)
		return NULL;
	if ((*ret = arena_alloc(a, sizeof(**ret))) == NULL ||
	    (m = meaning_new(a, *ret, text_hmac)) == NULL) {
		arena_free(a);
		return NULL;
	}
	**ret = *from;
	m->of = meaning_ref(of);
	m->by = meaning_ref(by);
	return m;
}

/* A copy of how it is rewritten, for rows. NULL: out of memory. */
static struct rewrite *
rows_of(const struct meaning *m, const struct rewrite *from)
{
	struct rewrite *x = arena_alloc(m->a, sizeof(*x));

	if (x == NULL)
		return NULL;
	*x = *from;
	x->names = false;
	return x;
}

struct meaning *
meaning_inner(struct meaning *m)
{
	struct judgement *j;
	struct meaning *in;

	if ((in = derive(m, NULL, m->judgement, m->text_hmac, &j)) == NULL)
		return NULL;
	j->naming = NULL;
	j->leaves = false;
	j->sent = NULL;
	if (j->exact != NULL && (j->exact = rows_of(in, j->exact)) == NULL) {
		meaning_unref(in);
		return NULL;
	}
	return in;
}

/* What FETCH and MOVE show of a cursor, and what they do not. */
static void
fetched(struct judgement *j, struct rewrite *x, enum naming_way way)
{
	static const struct refusal passing = {
		.message = "passing over rows of a cursor is refused without "
		    "an exact record",
		.detail = "a rule permits it only where the record lists "
		    "whose rows they are, and those that are passed over are "
		    "not shown",
		.hint = "FETCH each row, one after another; where the query "
		    "sorts or groups by a value that several rows make, FETCH "
		    "ALL",
		.record = {"", "", "passes over rows, which are not shown and "
		    "matter", "42501"},
	};

	j->passes = x->prefix ? way == NAMING_PASSES : way != NAMING_ALL;
	x->prefix = false;	/* of what FETCH gives, itself */
	if (!j->passes)
		return;
	j->bounded_why = passing.record.because;
	if (j->exact_only && j->n_refusals == 0) {
		j->refusals = &passing;
		j->n_refusals = 1;
	}
}

struct meaning *
meaning_run(struct meaning *m, struct meaning *stands)
{
	const struct judgement *by = m->judgement;
	struct judgement *j;
	struct meaning *run;
	struct rewrite *x;

	run = derive(stands, m, stands->judgement, m->text_hmac, &j);
	if (run == NULL)
		return NULL;
	j->what = by->what;
	j->naming = by->naming;
	j->sent = by->sent;
	j->sql = by->sql;
	j->start = by->start;
	j->len = by->len;
	if (j->exact == NULL)
		return run;
	if ((j->exact = x = rows_of(run, j->exact)) == NULL) {
		meaning_unref(run);
		return NULL;
	}
	if (by->naming->kind == NAMING_FETCH)
		fetched(j, x, by->naming->way);
	return run;
}

struct meaning *
meaning_part(struct meaning *m, size_t i, const char text_hmac[static 65])
{
	struct judgement *j;

	return derive(m, NULL, m->judgement->parts[i], text_hmac, &j);
}

/* Takes over *m's reference. */
static int
make_own(struct meaning **m)
{
	struct arena *a;
	struct meaning *own;

	if ((a = arena_new()) == NULL)
		return ERR_MEMORY;
	own = meaning_new(a, (*m)->judgement, (*m)->text_hmac);
	if (own == NULL) {
		arena_free(a);
		return ERR_MEMORY;
	}
	own->of = *m;
	*m = own;
	return 0;
}

/* FNV-1a: names come from the client, whose own session it is that slows. */
static struct named **
bucket(struct names *t, const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != 0; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return &t->buckets[h % (sizeof(t->buckets) / sizeof(*t->buckets))];
}

int
meaning_keep(struct meaning **m, struct bytes parse)
{
	void *copy;

	if (parse.len > NAMES_KEEP_MAX)
		return 0;
	if ((*m)->refs > 1 && make_own(m) != 0)
		return ERR_MEMORY;
	if ((copy = arena_alloc((*m)->a, parse.len)) == NULL)
		return ERR_MEMORY;
	memcpy(copy, parse.data, parse.len);
	(*m)->parse = bytes_of(copy, parse.len);
	return 0;
}

struct named *
names_find(struct names *t, const char *name)
{
	struct named *x;

	if (!naming_is_sure(name))
		return NULL;
	for (x = *bucket(t, name); x != NULL; x = x->next)
		if (strcmp(x->name, name) == 0)
			return x;
	return NULL;
}

struct named *
names_get(struct names *t, const char *name)
{
	struct named *x, **b;

	if ((x = names_find(t, name)) != NULL)
		return x;
	if (!naming_is_sure(name) || t->n == NAMES_MAX ||
	    (x = calloc(1, sizeof(*x))) == NULL)
		return NULL;
	if ((x->name = strdup(name)) == NULL) {
		free(x);
		return NULL;
	}
	b = bucket(t, name);
	x->refs = 1;
	x->listed = true;
	x->next = *b;
	*b = x;
	t->n++;
	return x;
}

void
names_remove(struct names *t, struct named *x)
{
	struct named **p;

	if (!x->listed)
		return;
	for (p = bucket(t, x->name); *p != x; p = &(*p)->next)
		;
	*p = x->next;
	x->next = NULL;
	x->listed = false;
	t->n--;
	named_unref(x);
}

void
names_done(struct names *t)
{
	size_t i;

	for (i = 0; i < sizeof(t->buckets) / sizeof(*t->buckets); i++)
		while (t->buckets[i] != NULL)
			names_remove(t, t->buckets[i]);
}

static bool
can_be_prepared(const struct named *x)
{
	return x->n == 1 && !x->anything && x->slots[0].meaning->parse.len > 0;
}

void
names_lose(struct names *t)
{
	struct named *x, *next;
	size_t i;

	for (i = 0; i < sizeof(t->buckets) / sizeof(*t->buckets); i++) {
		for (x = t->buckets[i]; x != NULL; x = next) {
			next = x->next;
			if (can_be_prepared(x))
				x->lost = true;
			else
				names_remove(t, x);
		}
	}
}

/* Of a portal: what was known of its execution. */
void
named_forget_run(struct named *x)
{
	run_unref(x->run);
	meaning_unref(x->by);
	x->run = NULL;
	x->by = NULL;
}

void
names_doubt(struct names *t, const struct named *but, bool portals)
{
	struct named *x;
	size_t i;

	for (i = 0; i < sizeof(t->buckets) / sizeof(*t->buckets); i++) {
		for (x = t->buckets[i]; x != NULL; x = x->next) {
			if (x == but || *x->name == 0 || (x->n == 0 && !x->anything))
				continue;	/* SQL cannot reach "" */
			if (!portals && can_be_prepared(x)) {
				x->lost = true;
				x->doubted = true;
				continue;
			}
			(void)named_begin(x);
			named_become(x, NULL);
			named_forget_run(x);
		}
	}
}

void
names_drop(struct names *t)
{
	struct named *x, *next;
	size_t i;

	for (i = 0; i < sizeof(t->buckets) / sizeof(*t->buckets); i++) {
		for (x = t->buckets[i]; x != NULL; x = next) {
			next = x->next;
			if (*x->name != 0)
				names_remove(t, x);
		}
	}
}

void
names_end(struct names *t)
{
	struct named *x, *next;
	size_t i;

	for (i = 0; t->n > 0 &&
	    i < sizeof(t->buckets) / sizeof(*t->buckets); i++) {
		for (x = t->buckets[i]; x != NULL; x = next) {
			next = x->next;
			x->held_new = false;
			if (x->sql && !x->held)
				names_remove(t, x);
		}
	}
}

struct named *
names_held(struct names *t)
{
	struct named *x;
	size_t i;

	for (i = 0; t->n > 0 &&
	    i < sizeof(t->buckets) / sizeof(*t->buckets); i++)
		for (x = t->buckets[i]; x != NULL; x = x->next)
			if (x->held_new)
				return x;
	return NULL;
}

struct meaning *
named_sure(const struct named *x)
{
	return x != NULL && x->n == 1 && !x->anything && !x->rewritten ?
	    x->slots[0].meaning : NULL;
}

struct named *
named_ref(struct named *x)
{
	if (x != NULL)
		x->refs++;
	return x;
}

void
named_unref(struct named *x)
{
	size_t i;

	if (x == NULL || --x->refs > 0)
		return;
	for (i = 0; i < x->n; i++)
		meaning_unref(x->slots[i].meaning);
	named_forget_run(x);
	free(x->name);
	free(x);
}

void
named_clear(struct named *x)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		meaning_unref(x->slots[i].meaning);
	x->n = 0;
	x->anything = false;
	x->rewritten = false;
}

void
named_become(struct named *x, struct meaning *m)
{
	bool rewritten = x->rewritten;
	size_t i;

	for (i = 0; i < x->n; i++)
		rewritten |= x->slots[i].meaning->judgement->exact != NULL;
	(void)meaning_ref(m);
	named_clear(x);
	if (m == NULL) {
		named_add_anything(x);
		x->anything_version = 0;	/* of none that may yet fail */
		x->rewritten = rewritten;
	} else {
		named_add(x, m);
	}
	meaning_unref(m);
}

/* Once it cannot be anything, it is not one of those. */
static void
not_anything(struct named *x)
{
	x->anything = false;
	x->rewritten = false;
}

uint64_t
named_begin(struct named *x)
{
	return ++x->version;
}

void
named_add(struct named *x, struct meaning *m)
{
	if (x->n == NAMED_MAX) {
		named_add_anything(x);
		return;
	}
	x->slots[x->n].meaning = meaning_ref(m);
	x->slots[x->n].version = x->version;
	x->n++;
}

void
named_add_anything(struct named *x)
{
	x->anything = true;
	x->anything_version = x->version;
}

void
named_confirm(struct named *x, uint64_t version)
{
	size_t i, n = 0;

	if (version != x->version)
		return;
	for (i = 0; i < x->n; i++) {
		if (x->slots[i].version == version)
			x->slots[n++] = x->slots[i];
		else
			meaning_unref(x->slots[i].meaning);
	}
	x->n = n;
	if (x->anything_version != version)
		not_anything(x);
}

void
named_reject(struct named *x, uint64_t version)
{
	size_t i, n = 0;

	for (i = 0; i < x->n; i++) {
		if (x->slots[i].version != version)
			x->slots[n++] = x->slots[i];
		else
			meaning_unref(x->slots[i].meaning);
	}
	x->n = n;
	if (x->anything_version == version)
		not_anything(x);
}

enum named_kind
named_kind(const struct named *x)
{
	bool exact = false, same = true;
	size_t i;

	for (i = 0; x != NULL && i < x->n; i++) {
		exact |= x->slots[i].meaning->judgement->exact != NULL;
		same &= x->slots[i].meaning == x->slots[0].meaning;
	}
	if (x != NULL && x->rewritten)
		return NAMED_UNSURE;
	if (!exact)
		return NAMED_PLAIN;
	return same && !x->anything ? NAMED_EXACT : NAMED_UNSURE;
}
