#include "cli/places.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "policy/sessions.h"

static bool
has(const char *const *labels, size_t n, const char *label)
{
	while (n-- > 0)
		if (strcmp(labels[n], label) == 0)
			return true;
	return false;
}

int
places_more(const struct config *c, struct arena *a,
    struct sessions_more *ret)
{
	const char *const *known;
	const char **labels, *other = "elsewhere";
	size_t n_known, n = 0, i, k;

	*ret = (struct sessions_more){ .labels = NULL };
	/* Of a past version it is only known that there was a file. */
	if (c->addresses == NULL && c->addresses_text.sha256[0] == 0)
		return 0;
	known = directory_labels(c->directory, &n_known);
	for (i = 0; i < c->n_stores; i++)
		n += c->stores[i].n_residences;
	if ((labels = arena_array(a, n_known + n + 1,
	    sizeof(*labels))) == NULL)
		return ERR_MEMORY;
	for (n = 0; n < n_known; n++)
		labels[n] = known[n];
	for (i = 0; i < c->n_stores; i++)
		for (k = 0; k < c->stores[i].n_residences; k++)
			if (!has(labels, n, c->stores[i].residences[k]))
				labels[n++] = c->stores[i].residences[k];
	while (has(labels, n, other))
		if ((other = arena_fmt(a, "%s-", other)) == NULL)
			return ERR_MEMORY;
	labels[n++] = other;
	*ret = (struct sessions_more){ labels, n };
	return 0;
}
