/*
 * directory/turns.h - when facts begin and end to hold.
 */
#ifndef DIRECTORY_TURNS_H
#define DIRECTORY_TURNS_H

#include <stdint.h>

struct directory;

/* The first instant after at_ms from which something that is known at at_ms
 * is so no more, or something else is; INT64_MAX: there is none. Looks at
 * every fact. */
int64_t directory_changes_at(const struct directory *d, int64_t at_ms);

#endif
