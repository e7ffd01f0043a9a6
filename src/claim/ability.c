/*
 * A store's data is cut into cells (policy/reach.h). The claim's words select
 * some; a principal who is meant, and any of whose sessions shows one of
 * these, could. Most sessions are decided like many others, which the memo
 * knows, and who stands above somebody is found once for all.
 *
 * Approvals are nobody's yet: who reads by one alone could if it were given.
 */
#include "claim/ability.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "claim/match.h"
#include "directory/control.h"
#include "directory/definition.h"
#include "directory/directory.h"
#include "directory/places.h"
#include "directory/turns.h"
#include "policy/memo.h"
#include "policy/policy.h"
#include "policy/reach.h"
#include "policy/sessions.h"

enum pass {
	PASS_PLAIN,		/* without approvals */
	PASS_APPROVED,		/* with all that there can be */
	PASSES,
};

struct walk {
	const struct ability *x;
	struct arena *a;		/* the store's */
	struct arena *one;		/* a principal's */
	struct arena *scratch;
	struct reach_store store;
	struct reach_space space;
	struct sessions sessions;
	struct control_batch *batch;
	struct memo *memos[PASSES];
	enum truth *asked;		/* as space.cells */
	uint8_t *levels, *hits, *maybes;
	enum pass pass;
	int64_t until_ms;		/* facts hold so long, included */
	/* Of the principal, at a place: */
	enum truth truth;
	struct record_session facts;
	const struct record_path *path;
	const char *is, *because;
	struct ability_found sure, perhaps;	/* the first session of each */
	bool has_sure, has_perhaps;
};

/* ---- which cells ---- */

static enum truth
cell_asked(const struct walk *w, const struct reach_cell *c)
{
	const struct claim_data *d = &w->x->claim->data;
	const char *home = reach_residence(&w->space, c);

	if ((d->tables.n > 0 && !strs_have(&d->tables,
	    reach_table(&w->space, c)->full)) || (d->categories.n > 0 &&
	    !strs_have(&d->categories, reach_column(&w->space,
	    c)->category)))
		return TRUTH_FALSE;
	if (strs_have(&d->whose, home))
		return TRUTH_TRUE;
	return strcmp(home, CONTROL_UNKNOWN) == 0 ? TRUTH_UNKNOWN :
	    TRUTH_FALSE;
}

static bool
is_selected(const struct walk *w, uint8_t level)
{
	const struct claim_data *d = &w->x->claim->data;

	return (level == TREAT_PLAIN && d->plain) ||
	    (level == TREAT_MASK && d->mask);
}

/* ---- who ---- */

static int
kinds_of(struct walk *w, unsigned kinds, struct record_strs *ret)
{
	const char **s = arena_array(w->one, 6, sizeof(*s));
	size_t n = 0;
	unsigned k;

	if (s == NULL)
		return ERR_MEMORY;
	for (k = 1; k <= CONTROL_ALL; k <<= 1)
		if ((kinds & k) != 0)
			s[n++] = control_kind_text((enum control_kind)k);
	*ret = (struct record_strs){s, n};
	return 0;
}

static int
path_of(struct walk *w, const char *label, const struct control_path *p,
    struct record_path *ret)
{
	const char **s = arena_array(w->one, p->n, sizeof(*s));
	size_t i;

	if (s == NULL)
		return ERR_MEMORY;
	for (i = 0; i < p->n; i++)
		s[i] = p->steps[i].text;
	*ret = (struct record_path){ .label = label, .steps = {s, p->n} };
	return kinds_of(w, p->kinds, &ret->kinds);
}

/* As a session's record would have it. */
static int
note_control(struct walk *w, const struct control *c)
{
	struct record_path *paths;
	size_t i, j, n = 0;
	int r;

	for (i = 0; i < c->n; i++)
		n += c->members[i].n_paths;
	if ((paths = arena_array(w->one, n, sizeof(*paths))) == NULL)
		return ERR_MEMORY;
	for (n = 0, i = 0; i < c->n; i++)
		for (j = 0; j < c->members[i].n_paths; j++)
			if ((r = path_of(w, c->members[i].label,
			    &c->members[i].paths[j], &paths[n++])) != 0)
				return r;
	w->facts.control = paths;
	w->facts.n_control = n;
	return 0;
}

static void
note_principal(struct walk *w, const struct principal *who)
{
	w->facts = (struct record_session){
		.principal = who->id,
		.kind = who->kind == PRINCIPAL_PERSON ? "person" : "service",
		.roles = {who->roles, who->n_roles},
		.employers = {who->employers, who->n_employers},
	};
}

/* But for where the session comes from and who stands behind. */
static bool
may_be_meant(const struct walk *w)
{
	struct claim_who who = w->x->claim->who;
	struct match_reader m;

	who.controlled_from = (struct record_strs){NULL, 0};
	match_reader(&who, &w->facts, &m);
	return m.truth != TRUTH_FALSE;
}

static int
ask_is(struct walk *w, const struct principal *who, const char *const *place)
{
	const struct record_strs *is = &w->x->claim->who.is;
	enum truth best = is->n == 0 ? TRUTH_TRUE : TRUTH_FALSE, t;
	const struct definition *def;
	struct defined found;
	size_t i;
	int r;

	for (i = 0; i < is->n; i++) {
		def = policy_definition(w->x->policy, is->s[i]);
		t = TRUTH_UNKNOWN;
		found = (struct defined){ .certain = false };
		if (def != NULL) {
			if ((r = definition_decide(def, who, place, 1, w->one,
			    &found)) != 0)
				return r;
			t = found.certain ? TRUTH_TRUE : found.possible ?
			    TRUTH_UNKNOWN : TRUTH_FALSE;
		}
		if (t <= best)
			continue;
		best = t;
		w->is = is->s[i];
		w->because = found.because != NULL ? found.because : "";
	}
	w->truth = truth_and(w->truth, best);
	return 0;
}

static int
judge_place(struct walk *w, const struct principal *who,
    const char *const *place, const struct control *c)
{
	struct match_reader m;
	int r;

	w->is = w->because = NULL;
	if ((r = note_control(w, c)) != 0)
		return r;
	match_reader(&w->x->claim->who, &w->facts, &m);
	w->truth = m.truth;
	w->path = m.path;
	return m.truth == TRUTH_FALSE ? 0 : ask_is(w, who, place);
}

/* ---- what they reach ---- */

static int
rules_of(struct walk *w, const struct reach_session *q,
    const uint8_t *chosen, struct record_strs *ret)
{
	const struct policy_request request = reach_request(&w->store, q);
	const struct clearance *c = NULL;
	const struct reach_cell *cell;
	struct record_strs found;
	const char **s, *rule;
	size_t i;
	int r;

	arena_reset(w->scratch);
	s = arena_array(w->one, w->space.n_cells, sizeof(*s));
	if (s == NULL)
		return ERR_MEMORY;
	if ((r = policy_decide(reach_policy(w->x->policy, q), &request,
	    w->scratch, &c)) != 0)
		return r;
	found = (struct record_strs){s, 0};
	for (i = 0; i < w->space.n_cells; i++) {
		cell = &w->space.cells[i];
		rule = c->outcomes[cell->table * c->n_residences +
		    cell->residence].rule;
		if (!chosen[i] || rule == NULL || strs_have(&found, rule))
			continue;
		if ((s[found.n] = arena_str(w->one, rule)) == NULL)
			return ERR_MEMORY;
		found.n++;
	}
	*ret = found;
	return 0;
}

static const char *
unclear(const struct walk *w, bool reader)
{
	if (w->pass == PASS_APPROVED)
		return "that takes an approval, if one is given";
	if (!reader)
		return "where whose data it is belongs is not known";
	return "facts about them are not known";
}

/* Keeps the first session by which something is reached. */
static int
keep(struct walk *w, const struct reach_session *q, const uint8_t *chosen,
    bool sure, struct ability_found *to)
{
	*to = (struct ability_found){
		.truth = sure ? TRUTH_TRUE : TRUTH_UNKNOWN,
		.who = q->who, .path = w->path, .is = w->is,
		.because = w->because, .place = w->sessions.places[q->place],
		.purpose = q->purpose, .ticket = q->ticket,
	};
	if (!sure)
		to->unclear = unclear(w, w->truth != TRUTH_TRUE);
	return rules_of(w, q, chosen, &to->rules);
}

static int
on_session(void *arg, const struct reach_session *q)
{
	struct walk *w = arg;
	bool sure = false, perhaps = false;
	size_t i, n = w->space.n_cells;
	int r;

	/* The hours of rules repeat; this is the first such instant. */
	if (q->at_ms > w->until_ms)
		return 0;
	if ((r = memo_levels(w->memos[w->pass], q, w->levels)) != 0)
		return r;
	for (i = 0; i < n; i++) {
		if (w->asked[i] == TRUTH_FALSE || !is_selected(w,
		    w->levels[i]))
			continue;
		if (w->pass == PASS_PLAIN && w->truth == TRUTH_TRUE &&
		    w->asked[i] == TRUTH_TRUE) {
			w->hits[i] = w->levels[i] > w->hits[i] ?
			    w->levels[i] : w->hits[i];
			sure = true;
		} else {
			w->maybes[i] = w->levels[i] > w->maybes[i] ?
			    w->levels[i] : w->maybes[i];
			perhaps = true;
		}
	}
	if (sure && !w->has_sure) {
		w->has_sure = true;
		if ((r = keep(w, q, w->hits, true, &w->sure)) != 0)
			return r;
	}
	if (!perhaps || w->has_perhaps)
		return 0;
	w->has_perhaps = true;
	return keep(w, q, w->maybes, false, &w->perhaps);
}

static int
add(struct record_strs *l, const char **room, const char *s)
{
	if (!strs_have(l, s))
		room[l->n++] = s;
	return 0;
}

/* What all sessions together show of the cells. */
static int
describe(struct walk *w, const uint8_t *cells, struct ability_found *f)
{
	size_t n = w->space.n_cells, i;
	const char **homes = arena_array(w->one, n, sizeof(*homes));
	const char **tables = arena_array(w->one, n, sizeof(*tables));
	const char **plain = arena_array(w->one, n, sizeof(*plain));
	const char **masked = arena_array(w->one, n, sizeof(*masked));
	const struct reach_cell *c;

	if (homes == NULL || tables == NULL || plain == NULL ||
	    masked == NULL)
		return ERR_MEMORY;
	f->residences = (struct record_strs){homes, 0};
	f->tables = (struct record_strs){tables, 0};
	f->categories = (struct record_strs){plain, 0};
	f->masked = (struct record_strs){masked, 0};
	for (i = 0; i < n; i++) {
		if (cells[i] == TREAT_ABSENT)
			continue;
		c = &w->space.cells[i];
		(void)add(&f->residences, homes, reach_residence(&w->space,
		    c));		/* there is room for all */
		(void)add(&f->tables, tables, reach_table(&w->space,
		    c)->full);
		if (cells[i] == TREAT_PLAIN)
			(void)add(&f->categories, plain,
			    reach_column(&w->space, c)->category);
		else
			(void)add(&f->masked, masked,
			    reach_column(&w->space, c)->category);
	}
	return 0;
}

/* ---- everybody ---- */

static int
walk_place(struct walk *w, struct reach_session *q)
{
	const char *const *place = &w->sessions.places[q->place];
	int r;

	if (!w->sessions.by_address &&
	    !place_possible(w->x->directory, q->who, *place))
		return 0;
	if ((r = control_batch_of(w->batch, q->who->id, place, 1, w->one,
	    &q->control)) != 0 ||
	    (r = judge_place(w, q->who, place, q->control)) != 0)
		return r;
	return w->truth == TRUTH_FALSE ? 0 :
	    reach_each_stated(&w->sessions, q, on_session, w);
}

static int
walk_pass(struct walk *w, const struct principal *who, enum pass pass)
{
	static const struct policy_approvals all = { .all = true };
	struct reach_session q = { .who = who, .at_ms = w->x->from_ms,
	    .approved = pass == PASS_APPROVED ? &all : NULL };
	int r = 0;

	w->pass = pass;
	if (w->memos[pass] == NULL && (r = memo_new(&w->space, w->x->policy,
	    &w->memos[pass])) != 0)
		return r;
	for (q.place = 1; r == 0 && q.place < w->sessions.n_places; q.place++)
		r = walk_place(w, &q);
	return r;
}

static int
walk_one(struct walk *w, const char *id)
{
	const struct principal *who;
	int r;

	arena_reset(w->one);
	if ((r = directory_principal(w->x->directory, id, w->x->from_ms,
	    w->one, &who)) != 0)
		return r == ERR_MISSING ? 0 : r;
	note_principal(w, who);
	if (!may_be_meant(w) || (who->kind == PRINCIPAL_SERVICE &&
	    !reach_has_role(&w->store, id)))
		return 0;
	w->has_sure = w->has_perhaps = false;
	memset(w->hits, 0, w->space.n_cells);
	memset(w->maybes, 0, w->space.n_cells);
	if ((r = walk_pass(w, who, PASS_PLAIN)) != 0)
		return r;
	if (!w->has_sure && !w->has_perhaps &&
	    (r = walk_pass(w, who, PASS_APPROVED)) != 0)
		return r;
	if (w->has_sure)
		return (r = describe(w, w->hits, &w->sure)) != 0 ? r :
		    w->x->found(w->x->arg, &w->sure);
	if (!w->has_perhaps)
		return 0;
	return (r = describe(w, w->maybes, &w->perhaps)) != 0 ? r :
	    w->x->found(w->x->arg, &w->perhaps);
}

static int
walk_all(struct walk *w)
{
	const char *const *ids;
	size_t n, i;
	int r;

	if ((r = directory_list(w->x->directory, w->x->from_ms, w->a, &ids,
	    &n)) != 0 || (r = control_batch_new(w->x->directory,
	    w->x->from_ms, &w->batch)) != 0)
		return r;
	for (i = 0; i < n; i++)
		if ((r = walk_one(w, ids[i])) != 0)
			return r;
	return 0;
}

/* ---- one store ---- */

/* Labels that addresses can have beside those of sites: those that the claim
 * and the store name, and one that nobody does. */
static int
more_places(struct walk *w, struct sessions_more *ret)
{
	const struct record_strs *lists[] = {
		&w->x->claim->who.controlled_from, &w->x->claim->data.whose,
		&w->x->store->residences };
	struct record_strs l;
	const char **s, *other = "elsewhere";
	size_t i, k;

	*ret = (struct sessions_more){ .labels = NULL };
	if (!w->x->by_address)
		return 0;
	if ((s = arena_array(w->a, lists[0]->n + lists[1]->n + lists[2]->n +
	    1, sizeof(*s))) == NULL)
		return ERR_MEMORY;
	l = (struct record_strs){s, 0};
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (k = 0; k < lists[i]->n; k++)
			(void)add(&l, s, lists[i]->s[k]); /* has room */
	while (strs_have(&l, other))
		if ((other = arena_fmt(w->a, "%s-", other)) == NULL)
			return ERR_MEMORY;
	(void)add(&l, s, other);
	*ret = (struct sessions_more){ l.s, l.n };
	return 0;
}

static int
make_store(struct walk *w)
{
	const struct record_store *s = w->x->store;
	const char **services;
	size_t i;

	if ((services = arena_array(w->a, s->n_services,
	    sizeof(*services))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < s->n_services; i++)
		services[i] = s->services[i].principal;
	w->store = (struct reach_store){
		.name = s->store, .catalog = w->x->catalog,
		.residences = s->residences.s,
		.n_residences = s->residences.n,
		.services = services, .n_services = s->n_services,
	};
	return reach_space_make(&w->store, 1, w->a, &w->space);
}

/* *any: whether the claim selects some of the store at all. */
static int
choose(struct walk *w, bool *any)
{
	size_t n = w->space.n_cells, i;

	w->asked = arena_array(w->a, n, sizeof(*w->asked));
	w->levels = arena_alloc(w->a, n + 1);
	w->hits = arena_alloc(w->a, n + 1);
	w->maybes = arena_alloc(w->a, n + 1);
	if (w->asked == NULL || w->levels == NULL || w->hits == NULL ||
	    w->maybes == NULL)
		return ERR_MEMORY;
	*any = false;
	for (i = 0; i < n; i++) {
		w->asked[i] = cell_asked(w, &w->space.cells[i]);
		*any |= w->asked[i] != TRUTH_FALSE;
	}
	return 0;
}

static int
decide(struct walk *w, int64_t *next_ms)
{
	const struct policy *policies[] = { w->x->policy };
	struct sessions_more more;
	const struct times *t = &w->sessions.times;
	struct why why = {0};
	bool any;
	int r;

	if ((r = make_store(w)) != 0 || (r = choose(w, &any)) != 0 ||
	    (r = more_places(w, &more)) != 0)
		return r;
	if (!any) {
		*next_ms = INT64_MAX;
		return 0;
	}
	if ((r = sessions_list(w->x->directory, &more, policies, 1,
	    w->x->from_ms, w->a, &w->sessions, &why)) != 0 ||
	    (r = reach_scopes_make(&w->store, 1, policies, 1, &w->sessions,
	    w->a, &why)) != 0)
		return r == ERR_MEMORY ? r : w->x->doubt(w->x->arg, why.text);
	if (t->n > t->n_now && t->items[t->n_now] < *next_ms)
		*next_ms = t->items[t->n_now];
	w->until_ms = *next_ms <= w->x->to_ms ? *next_ms - 1 : w->x->to_ms;
	return walk_all(w);
}

int
ability_decide(const struct ability *x, int64_t *next_ms)
{
	struct walk w = { .x = x };
	int i, r = ERR_MEMORY;

	*next_ms = directory_changes_at(x->directory, x->from_ms);
	if ((w.a = arena_new()) != NULL && (w.one = arena_new()) != NULL &&
	    (w.scratch = arena_new()) != NULL)
		r = decide(&w, next_ms);
	for (i = 0; i < PASSES; i++)
		memo_free(w.memos[i]);
	control_batch_free(w.batch);
	arena_free(w.scratch);
	arena_free(w.one);
	arena_free(w.a);
	return r;
}
