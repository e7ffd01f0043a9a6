/*
 * A session always comes from somewhere, so the first of sessions->places,
 * nothing known, is left out: for somebody at their own site it is the same
 * as coming from there.
 */
#include "policy/reach.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "directory/places.h"
#include "policy/decide.h"
#include "policy/rule.h"
#include "policy/scopes.h"
#include "policy/sessions.h"
#include "policy/whole.h"

static size_t
count_cells(const struct reach_store *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->catalog->n_tables; i++)
		n += s->catalog->tables[i].n_columns * s->n_residences;
	return n;
}

int
reach_space_make(const struct reach_store *stores, size_t n_stores,
    struct arena *a, struct reach_space *ret)
{
	struct reach_cell *cells, c;
	size_t i, n = 0;

	for (i = 0; i < n_stores; i++)
		n += count_cells(&stores[i]);
	if ((cells = arena_array(a, n, sizeof(*cells))) == NULL)
		return ERR_MEMORY;
	*ret = (struct reach_space){ .stores = stores, .n_stores = n_stores,
	    .cells = cells };
	for (c.store = 0; c.store < n_stores; c.store++) {
		const struct reach_store *s = &stores[c.store];

		for (c.table = 0; c.table < s->catalog->n_tables; c.table++)
			for (c.residence = 0; c.residence < s->n_residences;
			    c.residence++)
				for (c.column = 0; c.column <
				    s->catalog->tables[c.table].n_columns;
				    c.column++)
					cells[ret->n_cells++] = c;
	}
	return 0;
}

const char *
reach_residence(const struct reach_space *s, const struct reach_cell *c)
{
	return s->stores[c->store].residences[c->residence];
}

const struct catalog_table *
reach_table(const struct reach_space *s, const struct reach_cell *c)
{
	return &s->stores[c->store].catalog->tables[c->table];
}

const struct catalog_column *
reach_column(const struct reach_space *s, const struct reach_cell *c)
{
	return &reach_table(s, c)->columns[c->column];
}

struct policy_request
reach_request(const struct reach_store *s, const struct reach_session *q)
{
	return (struct policy_request){
		.who = q->who, .control = q->control, .store = s->name,
		.residences = s->residences, .n_residences = s->n_residences,
		.catalog = s->catalog, .purpose = q->purpose,
		.ticket = q->ticket, .at_ms = q->at_ms,
		.scope = s->scopes != NULL && reach_possible(s, q) ?
		    s->scopes[q->ticket_at].items[q->scope] : NULL,
		.unconfirmed = "it is taken for one that is not",
		.approved = q->approved,
	};
}

bool
reach_possible(const struct reach_store *s, const struct reach_session *q)
{
	/* Nobody is asked about the ticket of a service. */
	if (s->scopes == NULL || q->who->kind == PRINCIPAL_SERVICE)
		return q->scope == 0;
	return q->scope < s->scopes[q->ticket_at].n;
}

int
reach_scopes_make(struct reach_store *stores, size_t n_stores,
    const struct policy *const *policies, size_t n, struct sessions *s,
    struct arena *a, struct why *w)
{
	size_t *most = arena_array(a, s->n_tickets, sizeof(*most)), i, k;
	struct scopes *scopes;
	int r;

	for (i = 0; i < n_stores; i++) {
		const struct scopes_store store = { .name = stores[i].name,
		    .catalog = stores[i].catalog,
		    .residences = stores[i].residences,
		    .n_residences = stores[i].n_residences };

		scopes = arena_array(a, s->n_tickets, sizeof(*scopes));
		if (scopes == NULL || most == NULL)
			return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
		for (k = 0; k < s->n_tickets; k++) {
			if ((r = scopes_list(policies, n, &store,
			    s->tickets[k], a, &scopes[k], w)) != 0)
				return r;
			if (scopes[k].n > most[k])
				most[k] = scopes[k].n;
		}
		stores[i].scopes = scopes;
	}
	s->n_scopes = most;
	return 0;
}

/* With one ticket, confirmed for all it can be, at each time. */
static int
each_scope(const struct sessions *s, struct reach_session *q, reach_fn *fn,
    void *arg)
{
	size_t t, n = s->n_scopes != NULL ? s->n_scopes[q->ticket_at] : 1;
	int r;

	q->ticket = s->tickets[q->ticket_at];
	for (q->scope = 0; q->scope < n; q->scope++)
		for (t = 0; t < s->times.n_now; t++) {
			q->at_ms = s->times.items[t];
			if ((r = fn(arg, q)) != 0)
				return r;
		}
	return 0;
}

/* With each purpose and ticket, from one place. */
int
reach_each_stated(const struct sessions *s, struct reach_session *q, reach_fn *fn,
    void *arg)
{
	size_t i;
	int r;

	for (i = 0; i < s->n_purposes; i++) {
		q->purpose = s->purposes[i];
		for (q->ticket_at = 0; q->ticket_at < s->n_tickets;
		    q->ticket_at++)
			if ((r = each_scope(s, q, fn, arg)) != 0)
				return r;
	}
	return 0;
}

int
reach_each(const struct directory *d, const struct sessions *s,
    const char *principal, int64_t at_ms, reach_fn *fn, void *arg)
{
	return reach_each_approved(d, s, principal, at_ms, NULL, fn, arg);
}

int
reach_each_approved(const struct directory *d, const struct sessions *s,
    const char *principal, int64_t at_ms,
    const struct policy_approvals *approved, reach_fn *fn, void *arg)
{
	struct reach_session q = { .at_ms = at_ms, .approved = approved };
	struct arena *a;
	int r;

	if ((a = arena_new()) == NULL)
		return ERR_MEMORY;
	r = directory_principal(d, principal, at_ms, a, &q.who);
	for (q.place = 1; r == 0 && q.place < s->n_places; q.place++) {
		if (!s->by_address &&
		    !place_possible(d, q.who, s->places[q.place]))
			continue;
		r = control_of(d, principal, at_ms, &s->places[q.place], 1, a,
		    &q.control);
		if (r == 0)
			r = reach_each_stated(s, &q, fn, arg);
	}
	arena_free(a);
	return r;
}

bool
reach_has_role(const struct reach_store *s, const char *service)
{
	size_t i;

	for (i = 0; i < s->n_services; i++)
		if (strcmp(s->services[i], service) == 0)
			return true;
	return false;
}

/* Whether the gateway lets it in at all. */
static bool
is_open(const struct reach_store *s, const struct reach_session *q,
    const struct clearance *c)
{
	return q->who->kind != PRINCIPAL_SERVICE ||
	    (reach_has_role(s, q->who->id) && clearance_uncleared(c) == NULL);
}

const struct policy *
reach_policy(const struct policy *p, const struct reach_session *q)
{
	return q->who->kind == PRINCIPAL_SERVICE && policy_plain(p) != NULL ?
	    policy_plain(p) : p;
}

static enum treatment
level_of(const struct reach_space *s, const struct clearance *c,
    const struct reach_cell *cell)
{
	const struct clearance_table *t = &c->tables[cell->table];
	bool may;

	if (!t->readable || !c->outcomes[cell->table * c->n_residences +
	    cell->residence].permitted)
		return TREAT_ABSENT;
	if (!s->writes)
		return t->columns[cell->column];
	may = s->write == POLICY_DELETE ? t->deletes : t->writes != NULL &&
	    (t->writes[cell->column] & 1u << s->write) != 0;
	return may ? TREAT_PLAIN : TREAT_ABSENT;
}

int
reach_shown_without(const struct reach_space *s, const struct policy *p,
    const struct policy_request *q, size_t store, size_t rule,
    struct arena *scratch, uint8_t *shown, size_t *ret_n)
{
	const struct clearance *c = NULL;
	size_t i, n = 0;
	int r;

	if ((r = decide_without(p, q, rule, scratch, &c)) != 0)
		return r;
	for (i = 0; i < s->n_cells; i++)
		if (s->cells[i].store == store)
			shown[n++] = (uint8_t)level_of(s, c, &s->cells[i]);
	*ret_n = n;
	return 0;
}

int
reach_shown(const struct reach_space *s, const struct policy *p,
    const struct policy_request *q, size_t store, struct arena *scratch,
    uint8_t *shown)
{
	size_t n;

	return reach_shown_without(s, p, q, store, DECIDE_ALL, scratch,
	    shown, &n);
}

int
reach_levels(const struct reach_space *s, const struct policy *p,
    const struct reach_session *q, struct arena *scratch, uint8_t *levels)
{
	const struct clearance *c = NULL;
	const struct reach_store *store;
	struct policy_request request;
	size_t i;
	bool open = false;
	int r;

	p = reach_policy(p, q);
	memset(levels, TREAT_ABSENT, s->n_cells);
	for (i = 0; i < s->n_cells; i++) {
		store = &s->stores[s->cells[i].store];
		if (i == 0 || s->cells[i].store != s->cells[i - 1].store) {
			request = reach_request(store, q);
			if (q->purpose != NULL &&
			    request_purpose(p, &request) == NULL)
				return 0;
			arena_reset(scratch);
			if ((r = policy_decide(p, &request, scratch,
			    &c)) != 0)
				return r;
			open = reach_possible(store, q) &&
			    is_open(store, q, c);
		}
		if (open)
			levels[i] = (uint8_t)level_of(s, c, &s->cells[i]);
	}
	return 0;
}
