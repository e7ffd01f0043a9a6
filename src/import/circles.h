/*
 * import/circles.h - managers in a circle: legal, and worth knowing.
 */
#ifndef IMPORT_CIRCLES_H
#define IMPORT_CIRCLES_H

#include <stdint.h>

struct draft;
struct findings;

/* A note for each circle that a walk up from everybody closes, at least one
 * for each set of people who are in one. d is sorted. 0 or ERR_MEMORY. */
int circles_note(const struct draft *d, int64_t at_ms, struct findings *f);

#endif
