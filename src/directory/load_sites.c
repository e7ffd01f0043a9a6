/*
 * Sites and their networks: from an address to a place.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/facts.h"
#include "directory/load.h"
#include "yaml/yaml.h"

/* Texts of networks, each checked; kept. */
const char *const *
load_networks(struct load *l, const struct yaml_node *n, size_t *ret_n)
{
	const char **kept;
	size_t i, count = load_count(n);
	const char *s;

	*ret_n = 0;
	if (n == NULL || l->in.result != 0)
		return NULL;
	kept = load_take(l, arena_array(l->d->arena, count, sizeof(*kept)));
	for (i = 0; i < count && l->in.result == 0; i++) {
		s = yaml_str(&l->in, load_at(n, i));
		if (s != NULL && !network_valid(s))
			(void)yaml_fail(&l->in, load_at(n, i), "\"%.60s\" is "
			    "not a network; write it as 192.0.2.0/24 or "
			    "2001:db8::/32, with no bits set beyond the "
			    "prefix", s);
		if ((kept[i] = load_keep(l, s)) == NULL)
			return NULL;
	}
	*ret_n = count;
	return kept;
}

/* A site together with where it stands. */
struct place {
	struct directory_site site;
	const struct yaml_node *networks;
};

static int
compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->site.id, y->site.id);
}

static int
compare_networks(const void *a, const void *b)
{
	const struct site_network *x = a, *y = b;

	return network_compare(&x->network, &y->network);
}

/* Networks of all sites, so that an address leads to its site. */
static void
index_networks(struct load *l, const struct place *places, size_t n,
    size_t count)
{
	struct directory *d = l->d;
	struct site_network *networks;
	size_t i, j, k = 0;

	networks = load_take(l, arena_array(d->arena, count,
	    sizeof(*networks)));
	if (networks == NULL)
		return;
	for (i = 0; i < n; i++)
		for (j = 0; j < d->sites[i].n_networks; j++) {
			networks[k].site = &d->sites[i];
			if (network_parse(d->sites[i].networks[j],
			    &networks[k].network) == 0)
				k++;
		}
	qsort(networks, k, sizeof(*networks), compare_networks);
	for (i = 1; i < k; i++) {
		const struct directory_site *one = networks[i - 1].site;
		const struct directory_site *two = networks[i].site;

		if (compare_networks(&networks[i - 1], &networks[i]) != 0)
			continue;
		if (places[two - d->sites].networks->line <
		    places[one - d->sites].networks->line) {
			one = two;
			two = networks[i - 1].site;
		}
		(void)yaml_fail(&l->in, places[two - d->sites].networks,
		    "the sites \"%.80s\" and \"%.80s\" have a network in "
		    "common; one network is in one place", one->id, two->id);
		return;
	}
	d->networks = networks;
	d->n_networks = k;
}

void
load_sites(struct load *l, const struct yaml_node *n)
{
	static const char *const allowed[] = {"country", "networks", NULL};
	struct place *places;
	size_t i, count = 0;

	yaml_any_map(&l->in, n);
	if (n == NULL || l->in.result != 0)
		return;
	places = load_take(l, arena_array(l->in.arena, n->n, sizeof(*places)));
	l->d->sites = load_take(l, arena_array(l->d->arena, n->n,
	    sizeof(*l->d->sites)));
	for (i = 0; i < n->n && l->in.result == 0; i++) {
		struct directory_site *s = &places[i].site;

		yaml_map(&l->in, n->items[i], allowed);
		s->id = load_keep(l, load_id(l, n->keys[i]));
		s->country = load_keep(l, load_label(l, yaml_need(&l->in,
		    n->items[i], "country")));
		(void)load_number(l, s->country);
		places[i].networks = yaml_get(n->items[i], "networks");
		s->networks = load_networks(l, places[i].networks,
		    &s->n_networks);
		count += s->n_networks;
	}
	if (l->in.result != 0)
		return;
	qsort(places, n->n, sizeof(*places), compare_places);
	for (i = 0; i < n->n; i++)
		l->d->sites[i] = places[i].site;
	l->d->n_sites = n->n;
	index_networks(l, places, n->n, count);
}
