/*
 * directory/places.h - where a session of a principal can come from.
 */
#ifndef DIRECTORY_PLACES_H
#define DIRECTORY_PLACES_H

#include <stdbool.h>

struct directory;
struct principal;

/*
 * Whether some address that a principal is expected from belongs to a site
 * in the country of that label; "unknown": to no site. True of everything
 * for whoever is expected from anywhere.
 */
bool place_possible(const struct directory *d, const struct principal *who,
    const char *label);

#endif
