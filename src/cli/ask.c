#include "cli/ask.h"

#include <string.h>

#include "base/arena.h"
#include "catalog/catalog.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "directory/network.h"
#include "gateway/config.h"
#include "gateway/standing.h"
#include "policy/whole.h"

int
ask_place(const struct config *c, const char *from, struct arena *a,
    struct ask_places *ret, struct why *w)
{
	const struct directory_site *site;
	struct network address;

	ret->n = 0;
	if (from == NULL)
		return 0;
	site = directory_site_find(c->directory, from);
	if (site == NULL && network_address(from, &address) == 0 &&
	    c->addresses == NULL && c->addresses_text.sha256[0] != 0)
		return why_set(w, ERR_MISSING, 0, 0, "where an address is was "
		    "told by a file that the log does not have; name a site "
		    "of the directory's, or \"unknown\"");
	if (site == NULL && network_address(from, &address) == 0)
		return standing_seen(c, from, a, ret->labels, &ret->n) == 0 ?
		    0 : why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if (site == NULL && strcmp(from, CONTROL_UNKNOWN) != 0)
		return why_set(w, ERR_MISSING, 0, 0, "there is no site "
		    "\"%s\"; name one of the directory's, an address, or "
		    "\"unknown\" for a network of none", from);
	ret->labels[ret->n++] = site != NULL ? site->country :
	    CONTROL_UNKNOWN;
	return 0;
}

static int
find_principal(const struct config *c, const struct ask *q,
    const struct ask_places *seen, struct arena *a, struct ask_answer *ret,
    struct why *w)
{
	int r;

	r = directory_principal(c->directory, q->principal, q->at_ms, a,
	    &ret->who);
	if (r == 0)
		r = control_of(c->directory, q->principal, q->at_ms,
		    seen->labels, seen->n, a, &ret->control);
	if (r == ERR_MISSING)
		return why_set(w, r, 0, 0, "the directory has no person or "
		    "service \"%s\" at that time", q->principal);
	return r == 0 ? 0 : why_set(w, r, 0, 0, "%s", err_text(r));
}

static bool
purpose_known(const struct policy *p, const char *purpose)
{
	const char *const *known;
	size_t i, n;

	known = policy_purposes(p, &n);
	for (i = 0; i < n; i++)
		if (strcmp(known[i], purpose) == 0)
			return true;
	return false;
}

/* Why the gateway would open no session; *ret NULL if it would. */
static int
find_refusal(const struct policy *p, const struct ask *q,
    const struct ask_answer *s, struct arena *a, const char **ret)
{
	/* The records of services are bounded. */
	const struct clearance *c = s->plain != NULL ? s->plain :
	    s->clearance;
	const struct clearance_table *t;
	const char *text;

	*ret = NULL;
	if (q->purpose != NULL && !purpose_known(p, q->purpose))
		text = arena_fmt(a, "the policy knows no purpose \"%s\"",
		    q->purpose);
	else if (s->who->kind != PRINCIPAL_SERVICE)
		return 0;
	else if (config_service_role(s->store, s->who->id) == NULL)
		text = arena_fmt(a, "store %s names no role for service %s",
		    s->store->name, s->who->id);
	else if ((t = clearance_uncleared(c)) != NULL)
		text = arena_fmt(a, "the service is not cleared for all of "
		    "%s, and its role reaches all", t->table->full);
	else
		return 0;
	*ret = text;
	return text == NULL ? ERR_MEMORY : 0;
}

/* A ticket that covers everything, for all residences or for one. */
static int
confirm(const struct ask *q, struct arena *a, struct policy_request *ret,
    struct why *w)
{
	const struct catalog *c = ret->catalog;
	struct policy_scope *s;
	const char **tables, **home;
	size_t i;

	ret->unconfirmed = "it is taken for one that is not";
	if (q->confirmed == NULL)
		return 0;
	s = arena_alloc(a, sizeof(*s));
	tables = arena_array(a, c->n_tables, sizeof(*tables));
	home = arena_array(a, 1, sizeof(*home));
	if (s == NULL || tables == NULL || home == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	for (i = 0; i < c->n_tables; i++)
		tables[i] = c->tables[i].full;
	home[0] = q->confirmed;
	*s = (struct policy_scope){ .tables = tables,
	    .n_tables = c->n_tables, .categories = c->categories,
	    .n_categories = c->n_categories, .residences = home,
	    .n_residences = 1 };
	for (i = 0; i < ret->n_residences; i++)
		if (strcmp(ret->residences[i], q->confirmed) == 0)
			break;
	if (strcmp(q->confirmed, "all") == 0) {
		s->residences = ret->residences;
		s->n_residences = ret->n_residences;
	} else if (i == ret->n_residences) {
		return why_set(w, ERR_MISSING, 0, 0, "the ticket is confirmed "
		    "for \"%s\", which is no residence of store %s; name one, "
		    "or \"all\"", q->confirmed, ret->store);
	}
	ret->scope = s;
	return 0;
}

int
ask(const struct config *c, const struct policy *p, const struct ask *q,
    struct arena *a, struct ask_answer *ret, struct why *w)
{
	static const struct policy_approvals all_approved = { .all = true };
	struct ask_places seen;
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((ret->store = config_store_find(c, q->store)) == NULL)
		return why_set(w, ERR_MISSING, 0, 0, "there is no store "
		    "\"%s\"", q->store);
	if ((r = ask_place(c, q->from, a, &seen, w)) != 0 ||
	    (r = find_principal(c, q, &seen, a, ret, w)) != 0)
		return r;
	ret->request = (struct policy_request){
		.who = ret->who, .control = ret->control, .store = q->store,
		.residences = ret->store->residences,
		.n_residences = ret->store->n_residences,
		.catalog = ret->store->catalog, .purpose = q->purpose,
		.ticket = q->ticket, .at_ms = q->at_ms,
	};
	if ((r = confirm(q, a, &ret->request, w)) != 0)
		return r;
	if (q->approved)
		ret->request.approved = &all_approved;
	if ((r = policy_decide(p, &ret->request, a, &ret->clearance)) != 0 ||
	    (policy_plain(p) != NULL && (r = policy_decide(policy_plain(p),
	    &ret->request, a, &ret->plain)) != 0) ||
	    (r = find_refusal(p, q, ret, a, &ret->refused)) != 0)
		return why_set(w, r, 0, 0, "%s", err_text(r));
	return 0;
}
