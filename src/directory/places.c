/*
 * Which site an address belongs to changes only where a site's network
 * begins and just after one ends. So within a network that somebody is
 * expected from it is enough to try its first address, and those two of
 * each site's network inside it.
 */
#include "directory/places.h"

#include <arpa/inet.h>
#include <string.h>

#include "directory/control.h"
#include "directory/directory.h"
#include "directory/facts.h"
#include "directory/network.h"

static bool
belongs(const struct directory *d, const struct network *address,
    const char *label)
{
	const struct directory_site *site;
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(address->len == 4 ? AF_INET : AF_INET6, address->bits,
	    text, sizeof(text)) == NULL)
		return false;
	site = directory_site_of_address(d, text);
	return strcmp(site != NULL ? site->country : CONTROL_UNKNOWN,
	    label) == 0;
}

static bool
is_inside(const struct network *outer, const struct network *inner)
{
	struct network cut;

	if (outer->len != inner->len || outer->prefix > inner->prefix)
		return false;
	cut = network_cut(inner, outer->prefix);
	return memcmp(cut.bits, outer->bits, sizeof(cut.bits)) == 0;
}

/* The first address after a network; false if there is none. */
static bool
after(const struct network *n, struct network *ret)
{
	unsigned i = n->prefix;

	*ret = *n;
	ret->prefix = (uint8_t)(8 * n->len);
	while (i-- > 0) {		/* adds one to the prefix */
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		ret->bits[i / 8] ^= bit;
		if ((ret->bits[i / 8] & bit) != 0)
			return true;
	}
	return false;
}

static bool
within(const struct directory *d, const struct network *expected,
    const char *label)
{
	struct network next;
	size_t i;

	if (belongs(d, expected, label))
		return true;
	for (i = 0; i < d->n_networks; i++) {
		const struct network *n = &d->networks[i].network;

		if (!is_inside(expected, n))
			continue;
		if (belongs(d, n, label) || (after(n, &next) &&
		    is_inside(expected, &next) && belongs(d, &next, label)))
			return true;
	}
	return false;
}

bool
place_possible(const struct directory *d, const struct principal *who,
    const char *label)
{
	struct network n;
	size_t i;

	for (i = 0; i < who->n_networks; i++)
		if (network_parse(who->networks[i], &n) == 0 &&
		    within(d, &n, label))
			return true;
	return who->n_networks == 0;
}
