/*
 * directory/circles.h - people who stand above each other, and companies
 * that own each other.
 *
 * Circles are legal: walks end in them, and a ring of owners that nobody
 * from outside holds is owned by nobody. But whoever keeps a directory
 * wants to know, since many are mistakes.
 */
#ifndef DIRECTORY_CIRCLES_H
#define DIRECTORY_CIRCLES_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct directory;

/* ids: one circle, a shortest one through its first; whoever is first is not
 * said again at its end. Not 0 ends the search. */
typedef int circle_fn(void *arg, const char *what, const char *const *ids,
    size_t n);

/*
 * One circle for each set of those that reach each other at a time, sorted
 * by what they are and by id: "manager circle"; "circle of instruction", of
 * managers and instructors, for those who are in no circle of managers;
 * "ownership circle"; "keeping circle". 0, ERR_MEMORY, or what fn returned.
 */
int circles_each(const struct directory *d, int64_t at_ms, struct arena *a,
    circle_fn *fn, void *arg);

#endif
