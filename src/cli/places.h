/*
 * cli/places.h - where sessions can come from by a file of addresses.
 */
#ifndef CLI_PLACES_H
#define CLI_PLACES_H

struct arena;
struct config;
struct sessions_more;

/*
 * None without such a file. With one: every label of the directory and of a
 * store, and one that is none of these, since a policy can only tell apart
 * what somebody is or has, and all the rest is alike to it. 0 or ERR_MEMORY.
 */
int places_more(const struct config *c, struct arena *a,
    struct sessions_more *ret);

#endif
