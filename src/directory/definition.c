/*
 * First whoever could matter is gathered: from the reader to employers,
 * operators and keepers, from an entity to its owners, as far as the
 * definition asks for it and nobody is surely excepted. Of each it is found
 * what is true by their own facts. Then those who are one enter a queue and
 * let in whoever they lead to; once with what is certain, and if that does
 * not reach the reader, once more with all that is possible.
 */
#include "directory/definition.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "directory/facts.h"
#include "directory/seen.h"

enum truth3 { NO, MAYBE, YES };

struct member {
	const struct node *node;
	bool named;
	enum truth3 own;	/* by its own facts */
	enum truth3 unless;	/* an exception holds */
	const char *because;	/* of own, in words */
	uint64_t rest;		/* entity: held by nobody knows whom */
	uint32_t first, n;	/* the edges that lead on from it */
};

struct edge {
	uint32_t from, to;	/* if `from` is one, it counts for `to` */
	const struct fact *fact;
	bool maybe;		/* whether it counts is not known */
};

struct walk {
	const struct definition *def;
	int64_t at_ms;
	const char *const *seen_at;
	size_t n_seen_at;
	bool doubts_places;
	struct arena *arena;
	struct seen seen;
	struct member *members;	/* the first is the reader */
	size_t n, cap;
	struct edge *edges;
	size_t n_edges, cap_edges;
	/* Of one pass: */
	bool *in;
	uint64_t *sum;		/* held by those who are in */
	const struct edge **by;	/* that let it in; NULL: its own facts */
	uint32_t *queue;
};

static enum truth3
most(enum truth3 a, enum truth3 b)
{
	return a > b ? a : b;
}

static bool
is_listed(const struct defined_list *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->items[i], s) == 0)
			return !l->outside;
	return l->outside;
}

static bool
is_named(const struct defined_list *l, const char *id)
{
	return l->set && is_listed(l, id);
}

/* The label or text of a fact that a list is about. */
static const char *
fact_label(const struct fact *f)
{
	return f->kind == FACT_SITE ? f->site->country : f->text;
}

/*
 * Whether one of the valid facts of a kind is in a list; *ret is the one.
 * Without any such fact it is not known.
 */
static enum truth3
any_fact(const struct walk *w, const struct node *n, enum fact_kind kind,
    const struct defined_list *l, const char **ret)
{
	const char *label;
	bool known = false;
	size_t i;

	for (i = 0; i < n->n_facts; i++) {
		const struct fact *f = &n->facts[i];

		if (f->kind != kind || !fact_valid(f, w->at_ms))
			continue;
		known = true;
		label = fact_label(f);
		if (label != NULL && is_listed(l, label)) {
			*ret = label;
			return YES;
		}
	}
	return known ? NO : MAYBE;
}

/* Whether all of them are, and there is one. */
static enum truth3
only_facts(const struct walk *w, const struct node *n, enum fact_kind kind,
    const struct defined_list *l)
{
	bool known = false;
	size_t i;

	for (i = 0; i < n->n_facts; i++) {
		const struct fact *f = &n->facts[i];

		if (f->kind != kind || !fact_valid(f, w->at_ms))
			continue;
		known = true;
		if (!is_listed(l, fact_label(f)))
			return NO;
	}
	return known ? YES : MAYBE;
}

static bool
has_fact(const struct walk *w, const struct node *n, enum fact_kind kind)
{
	size_t i;

	for (i = 0; i < n->n_facts; i++)
		if (n->facts[i].kind == kind &&
		    fact_valid(&n->facts[i], w->at_ms))
			return true;
	return false;
}

static bool
holds_office(const struct defined_list *l, const char *office)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (office_is(office, l->items[i]))
			return true;
	return false;
}

/* Notes a reason if it is a better one than there is. */
static int
own_is(struct walk *w, struct member *m, enum truth3 t, const char *words,
    const char *label, const char *unknown)
{
	if (t <= m->own)
		return 0;
	m->own = t;
	m->because = t == MAYBE ? unknown :
	    arena_fmt(w->arena, "%s %s", words, label);
	return m->because == NULL ? ERR_MEMORY : 0;
}

static int
look_entity(struct walk *w, struct member *m)
{
	const struct definition *d = w->def;
	const struct node *n = m->node;
	const char *label = "";
	enum truth3 t;
	int r = 0;

	if (d->organised_in.set) {
		t = any_fact(w, n, FACT_COUNTRY, &d->organised_in, &label);
		r = own_is(w, m, t, "organised in", label,
		    "whose country is not known");
	}
	if (r == 0 && d->business_in.set) {
		/* Where none is written it is where it is organised. */
		t = any_fact(w, n, has_fact(w, n, FACT_PLACE) ? FACT_PLACE :
		    FACT_COUNTRY, &d->business_in, &label);
		if (w->doubts_places && !has_fact(w, n, FACT_PLACE))
			t = most(t, MAYBE);
		r = own_is(w, m, t, "with its principal place of business in",
		    label, "whose principal place of business is not known");
	}
	if (d->unless.organised_only_in.set)
		m->unless = most(m->unless, only_facts(w, n, FACT_COUNTRY,
		    &d->unless.organised_only_in));
	return r;
}

/* Of the reader also where they are seen. */
static enum truth3
located_only(const struct walk *w, const struct member *m,
    const struct defined_list *l)
{
	enum truth3 t = only_facts(w, m->node, FACT_SITE, l);
	size_t i;

	if (m != &w->members[0])
		return t;
	for (i = 0; i < w->n_seen_at && t != NO; i++) {
		if (strcmp(w->seen_at[i], CONTROL_UNKNOWN) == 0)
			t = MAYBE;
		else if (!is_listed(l, w->seen_at[i]))
			t = NO;
	}
	return t;
}

static enum truth3
in_office(const struct walk *w, const struct node *n,
    const struct defined_list *l, const char **ret)
{
	bool known = false;
	size_t i;

	for (i = 0; i < n->n_facts; i++) {
		const struct fact *f = &n->facts[i];

		if (f->kind != FACT_OFFICE || !fact_valid(f, w->at_ms))
			continue;
		known = true;
		if (f->text != NULL && holds_office(l, f->text)) {
			*ret = f->text;
			return YES;
		}
	}
	return known ? NO : MAYBE;
}

/* Whether somebody works on their own account. */
static enum truth3
contracts(const struct walk *w, const struct node *n)
{
	enum truth3 best = NO;
	bool known = false;
	size_t i;

	for (i = 0; i < n->n_facts; i++) {
		const struct fact *f = &n->facts[i];

		if (f->kind != FACT_EMPLOYER || !fact_valid(f, w->at_ms))
			continue;
		known = true;
		if (f->node == NULL || (f->stated && f->contractor))
			return YES;
		if (!f->stated)
			best = MAYBE;
	}
	return known ? best : MAYBE;
}

/* Where no residence is written it is where they are assigned to. */
static enum truth3
resides(const struct walk *w, const struct node *n,
    const struct defined_list *l, const char **ret)
{
	return any_fact(w, n, has_fact(w, n, FACT_RESIDENCE) ?
	    FACT_RESIDENCE : FACT_SITE, l, ret);
}

static int
look_residence(struct walk *w, struct member *m)
{
	const struct definition *d = w->def;
	const struct node *n = m->node;
	const char *label = "";
	enum truth3 t, own;
	int r = 0;

	if (d->resident_in.set) {
		t = resides(w, n, &d->resident_in, &label);
		r = own_is(w, m, t, "resident in", label,
		    "residence not known");
	}
	if (r == 0 && d->contracting_in.set) {
		t = resides(w, n, &d->contracting_in, &label);
		own = contracts(w, n);
		r = own_is(w, m, t < own ? t : own, "a contractor in", label,
		    "perhaps a contractor in such a place");
	}
	return r;
}

static int
look_person(struct walk *w, struct member *m)
{
	const struct definition *d = w->def;
	const struct node *n = m->node;
	const char *label = "";
	enum truth3 t;
	int r;

	if ((r = look_residence(w, m)) != 0)
		return r;
	if (d->holding_office.set) {
		t = in_office(w, n, &d->holding_office, &label);
		r = own_is(w, m, t, "in the office", label,
		    "offices not known");
	}
	if (r == 0 && d->employed_as != 0 && !has_fact(w, n, FACT_EMPLOYER))
		r = own_is(w, m, MAYBE, "", "", "employer not known");
	if (d->unless.nationality.set)
		m->unless = most(m->unless, any_fact(w, n, FACT_NATIONALITY,
		    &d->unless.nationality, &label));
	if (d->unless.located_only_in.set)
		m->unless = most(m->unless, located_only(w, m,
		    &d->unless.located_only_in));
	return r;
}

static int
look_service(struct walk *w, struct member *m)
{
	const struct definition *d = w->def;
	const char *label = "";
	enum truth3 t;
	int r = 0;

	if (d->running_in.set) {
		t = any_fact(w, m->node, FACT_SITE, &d->running_in, &label);
		r = own_is(w, m, t, "located in", label, "location not known");
	}
	if (r == 0 && d->by_operator && !has_fact(w, m->node, FACT_OPERATOR))
		r = own_is(w, m, MAYBE, "", "", "operator not known");
	if (r == 0 && d->by_keepers && !has_fact(w, m->node, FACT_KEEPER))
		r = own_is(w, m, MAYBE, "", "",
		    "keepers of its credentials not known");
	return r;
}

/* What its own facts say of a member. */
static int
look(struct walk *w, struct member *m)
{
	const struct definition *d = w->def;
	int r = 0;

	m->unless = is_named(&d->unless.named, m->node->id) ? YES : NO;
	switch (m->node->kind) {
	case NODE_ENTITY:
		r = look_entity(w, m);
		break;
	case NODE_PERSON:
		r = look_person(w, m);
		break;
	case NODE_SERVICE:
		r = look_service(w, m);
		break;
	}
	if (r == 0 && is_named(&d->named, m->node->id)) {
		m->named = true;
		m->own = YES;
		m->because = arena_fmt(w->arena, "named as %s", d->name);
		r = m->because == NULL ? ERR_MEMORY : 0;
	}
	return r;
}

static int
member_add(struct walk *w, const struct node *node, uint32_t *ret)
{
	struct member *members;
	int r;

	if ((*ret = seen_find(&w->seen, node)) != SEEN_NONE)
		return 0;
	members = seen_grow(w->arena, w->members, w->n, &w->cap,
	    sizeof(*members));
	if (members == NULL)
		return ERR_MEMORY;
	w->members = members;
	*ret = (uint32_t)w->n;
	if ((r = seen_put(&w->seen, node, *ret)) != 0)
		return r;
	w->members[w->n++] = (struct member){.node = node};
	return look(w, &w->members[*ret]);
}

/* Whether a fact leads on to somebody who counts, and surely. */
static enum truth3
leads_on(const struct walk *w, const struct fact *f)
{
	unsigned as;

	if (f->node == NULL || !fact_valid(f, w->at_ms))
		return NO;
	switch (f->kind) {
	case FACT_EMPLOYER:
		as = w->def->employed_as;
		if ((as & EMPLOYED_EMPLOYEE) != 0 &&
		    (as & EMPLOYED_CONTRACTOR) != 0)
			return YES;
		if (!f->stated)
			return as != 0 ? MAYBE : NO;
		return (as & (f->contractor ? EMPLOYED_CONTRACTOR :
		    EMPLOYED_EMPLOYEE)) != 0 ? YES : NO;
	case FACT_OPERATOR:
		return w->def->by_operator ? YES : NO;
	case FACT_KEEPER:
		return w->def->by_keepers ? YES : NO;
	case FACT_OWNER:
		return w->def->owned > 0 && f->share > 0 ? YES : NO;
	case FACT_SITE:
	case FACT_MANAGER:
	case FACT_INSTRUCTOR:
	case FACT_NATIONALITY:
	case FACT_RESIDENCE:
	case FACT_OFFICE:
	case FACT_ROLE:
	case FACT_COUNTRY:
	case FACT_PLACE:
		return NO;
	}
	return NO;
}

static int
expand(struct walk *w, uint32_t i)
{
	const struct node *node = w->members[i].node;
	uint64_t known = 0;
	struct edge *edges;
	enum truth3 t;
	uint32_t from;
	size_t k;
	int r;

	/* Nothing lets in whom an exception surely keeps out. */
	if (w->members[i].unless == YES || w->members[i].named)
		return 0;
	for (k = 0; k < node->n_facts; k++) {
		const struct fact *f = &node->facts[k];

		if ((t = leads_on(w, f)) == NO)
			continue;
		if (f->kind == FACT_OWNER)
			known += f->share;
		if ((r = member_add(w, f->node, &from)) != 0)
			return r;
		if ((edges = seen_grow(w->arena, w->edges, w->n_edges,
		    &w->cap_edges, sizeof(*edges))) == NULL)
			return ERR_MEMORY;
		w->edges = edges;
		w->edges[w->n_edges++] = (struct edge){from, i, f, t == MAYBE};
	}
	if (node->kind == NODE_ENTITY && w->def->owned > 0 &&
	    known < SHARE_WHOLE &&
	    !(node->dispersed && node_valid(node, w->at_ms)))
		w->members[i].rest = SHARE_WHOLE - known;
	return 0;
}

/* Puts the edges that lead on from one member together. */
static int
group_edges(struct walk *w)
{
	struct edge *edges = arena_array(w->arena, w->n_edges, sizeof(*edges));
	uint32_t at = 0;
	size_t i;

	if (edges == NULL)
		return ERR_MEMORY;
	for (i = 0; i < w->n_edges; i++)
		w->members[w->edges[i].from].n++;
	for (i = 0; i < w->n; i++) {
		w->members[i].first = at;
		at += w->members[i].n;
		w->members[i].n = 0;
	}
	for (i = 0; i < w->n_edges; i++) {
		struct member *m = &w->members[w->edges[i].from];

		edges[m->first + m->n++] = w->edges[i];
	}
	w->edges = edges;
	return 0;
}

static int
gather(struct walk *w, const struct node *start)
{
	uint32_t number;
	size_t i;
	int r;

	if ((r = member_add(w, start, &number)) != 0)
		return r;
	for (i = 0; i < w->n; i++)	/* w->n grows on the way */
		if ((r = expand(w, (uint32_t)i)) != 0)
			return r;
	if ((r = group_edges(w)) != 0)
		return r;
	w->in = arena_array(w->arena, w->n, sizeof(*w->in));
	w->sum = arena_array(w->arena, w->n, sizeof(*w->sum));
	w->by = arena_array(w->arena, w->n, sizeof(*w->by));
	w->queue = arena_array(w->arena, w->n, sizeof(*w->queue));
	return w->in == NULL || w->sum == NULL || w->by == NULL ||
	    w->queue == NULL ? ERR_MEMORY : 0;
}

/* By itself; with `doubt` what is not known counts. */
static bool
starts_in(struct walk *w, size_t i, bool doubt)
{
	struct member *m = &w->members[i];

	if (m->named)
		return true;
	if (m->unless > (doubt ? MAYBE : NO))
		return false;
	if (m->own >= (doubt ? MAYBE : YES))
		return true;
	if (!doubt || w->def->owned == 0 || m->rest < w->def->owned)
		return false;
	m->because = "whose owners are not all known";
	return true;
}

/* Whether an edge from somebody who is in lets the other in. */
static bool
lets_in(struct walk *w, const struct edge *e, bool doubt)
{
	if (w->in[e->to] || (e->maybe && !doubt) ||
	    w->members[e->to].unless > (doubt ? MAYBE : NO))
		return false;
	if (e->fact->kind != FACT_OWNER)
		return true;
	w->sum[e->to] += e->fact->share;
	return w->sum[e->to] >= w->def->owned;
}

static void
spread(struct walk *w, bool doubt)
{
	size_t i, head, tail = 0;

	for (i = 0; i < w->n; i++) {
		w->by[i] = NULL;
		w->sum[i] = doubt ? w->members[i].rest : 0;
		if ((w->in[i] = starts_in(w, i, doubt)))
			w->queue[tail++] = (uint32_t)i;
	}
	for (head = 0; head < tail; head++) {
		const struct member *m = &w->members[w->queue[head]];

		for (i = m->first; i < (size_t)m->first + m->n; i++) {
			const struct edge *e = &w->edges[i];

			if (!lets_in(w, e, doubt))
				continue;
			w->in[e->to] = true;
			w->by[e->to] = e;
			w->queue[tail++] = e->to;
		}
	}
}

static void
put_step(struct buf *out, const struct walk *w, const struct edge *e)
{
	const struct fact *f = e->fact;
	const char *words = "credentials kept by";

	if (f->kind == FACT_EMPLOYER)
		words = f->contractor ? "contracted by" : "employed by";
	else if (f->kind == FACT_OPERATOR)
		words = "operated by";
	else if (f->kind == FACT_OWNER)
		words = "owned by";
	buf_fmt(out, "%s %s", words, f->node->name);
	if (f->kind == FACT_OWNER && f->share < w->def->owned)
		buf_str(out, " and others");
}

/* From the reader to whoever is one by their own facts. */
static const char *
path_text(const struct walk *w, bool doubt)
{
	const char *arrow = " \xe2\x86\x92 ", *s;
	struct buf out;
	uint32_t at;

	buf_init(&out, 0);
	buf_str(&out, "you");
	for (at = 0; w->by[at] != NULL; at = w->by[at]->from) {
		buf_str(&out, arrow);
		put_step(&out, w, w->by[at]);
	}
	buf_str(&out, arrow);
	buf_str(&out, w->members[at].because);
	if (doubt && w->members[at].own == YES)
		buf_str(&out, ", as far as is known");
	s = buf_text(&out);
	s = s == NULL ? NULL : arena_str(w->arena, s);
	buf_done(&out);
	return s;
}

int
definition_decide(const struct definition *def, const struct principal *who,
    const char *const *seen_at, size_t n_seen_at, struct arena *a,
    struct defined *ret)
{
	struct walk w = {.def = def, .at_ms = who->at_ms, .seen_at = seen_at,
	    .n_seen_at = n_seen_at, .arena = a, .seen = {.arena = a},
	    .doubts_places = who->doubts_places};
	int r;

	*ret = (struct defined){.possible = true,
	    .because = "nothing is known of you"};
	if (who->node == NULL)
		return 0;
	if ((r = gather(&w, who->node)) != 0)
		return r;
	spread(&w, false);
	ret->certain = w.in[0];
	if (!ret->certain)
		spread(&w, true);
	ret->possible = w.in[0];
	ret->because = NULL;
	if (ret->possible &&
	    (ret->because = path_text(&w, !ret->certain)) == NULL)
		return ERR_MEMORY;
	return 0;
}
