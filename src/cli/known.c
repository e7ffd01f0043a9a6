#include "cli/known.h"

#include "base/arena.h"
#include "base/err.h"
#include "gateway/config.h"
#include "policy/policy.h"

int
known_names(const struct config *c, struct arena *a,
    struct policy_known *ret)
{
	const struct catalog **catalogs;
	const char **stores, **residences;
	size_t i, k, n = 0;

	for (i = 0; i < c->n_stores; i++)
		n += c->stores[i].n_residences;
	stores = arena_array(a, c->n_stores, sizeof(*stores));
	catalogs = arena_array(a, c->n_stores, sizeof(*catalogs));
	residences = arena_array(a, n + 1, sizeof(*residences));
	if (stores == NULL || catalogs == NULL || residences == NULL)
		return ERR_MEMORY;
	*ret = (struct policy_known){ .stores = stores,
	    .residences = residences, .catalogs = catalogs,
	    .directory = c->directory };
	for (i = 0; i < c->n_stores; i++) {
		stores[ret->n_stores++] = c->stores[i].name;
		catalogs[ret->n_catalogs++] = c->stores[i].catalog;
		for (k = 0; k < c->stores[i].n_residences; k++)
			residences[ret->n_residences++] =
			    c->stores[i].residences[k];
	}
	return 0;
}
