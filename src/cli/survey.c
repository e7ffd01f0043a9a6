#include "cli/survey.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/places.h"
#include "directory/control.h"
#include "directory/directory.h"
#include "gateway/config.h"

static int
make_space(struct survey *s)
{
	const struct config *c = s->config;
	struct reach_store *stores;
	size_t i;
	int r;

	if ((stores = arena_array(s->a, c->n_stores, sizeof(*stores))) ==
	    NULL)
		return ERR_MEMORY;
	for (i = 0; i < c->n_stores; i++)
		stores[i] = (struct reach_store){
			.name = c->stores[i].name,
			.catalog = c->stores[i].catalog,
			.residences = c->stores[i].residences,
			.n_residences = c->stores[i].n_residences,
			.services = c->stores[i].service_principals,
			.n_services = c->stores[i].n_services,
		};
	s->stores = stores;
	if ((r = reach_space_make(stores, c->n_stores, s->a,
	    &s->space)) != 0)
		return r;
	s->levels = arena_alloc(s->a, s->space.n_cells);
	return s->levels == NULL ? ERR_MEMORY : 0;
}

int
survey_init(struct survey *s, const struct config *c,
    const struct policy *const *policies, size_t n, int64_t at_ms,
    struct why *w)
{
	struct sessions_more more;
	int r = ERR_MEMORY;

	memset(s, 0, sizeof(*s));
	s->config = c;
	s->at_ms = at_ms;
	if ((s->a = arena_new()) == NULL ||
	    (s->scratch = arena_new()) == NULL || (r = make_space(s)) != 0 ||
	    (r = directory_list(c->directory, at_ms, s->a, &s->ids,
	    &s->n_ids)) != 0 || (r = places_more(c, s->a, &more)) != 0)
		return why_set(w, r, 0, 0, "%s", err_text(r));
	if ((r = sessions_list(c->directory, &more, policies, n, at_ms, s->a,
	    &s->sessions, w)) != 0)
		return r;
	return reach_scopes_make(s->stores, c->n_stores, policies, n,
	    &s->sessions, s->a, w);
}

void
survey_done(struct survey *s)
{
	arena_free(s->a);
	arena_free(s->scratch);
}

static void
say_places(const struct survey *s, struct buf *out, const bool *places)
{
	const char *comma = "";
	size_t i, n = 0;

	for (i = 1; i < s->sessions.n_places; i++)
		n += places[i];
	if (n + 1 == s->sessions.n_places) {
		buf_str(out, "from anywhere");
		return;
	}
	buf_str(out, "from ");
	for (i = 1; i < s->sessions.n_places; i++) {
		if (!places[i])
			continue;
		buf_fmt(out, "%s%s", comma, strcmp(s->sessions.places[i],
		    CONTROL_UNKNOWN) == 0 ? "a network of no site" :
		    s->sessions.places[i]);
		comma = ", ";
	}
}

void
survey_say_way(const struct survey *s, struct buf *out, const char *purpose,
    const char *ticket, const bool *places)
{
	buf_str(out, "stating ");
	if (purpose != NULL)
		buf_fmt(out, "purpose %s", purpose);
	if (ticket != NULL)
		buf_fmt(out, "%sa ticket like \"%s\"",
		    purpose != NULL ? " and " : "", ticket);
	if (purpose == NULL && ticket == NULL)
		buf_str(out, "nothing");
	buf_str(out, ", ");
	say_places(s, out, places);
}

void
survey_warn(const struct survey *s)
{
	const struct config *c = s->config;
	size_t i;

	for (i = 0; i < c->n_stores; i++)
		if (c->stores[i].mode == STORE_OBSERVE)
			(void)fprintf(stderr, "warning: store %s is in mode "
			    "observe: whoever has a login there reaches all "
			    "of it, and the policy is only written down\n",
			    c->stores[i].name);
}
