/*
 * wire/options.h - the startup parameter `options`, split as PostgreSQL
 * splits it.
 *
 * Words are separated by white space; a backslash takes the next character
 * as it is. Accepted words: "-c" with "name=value" in the same or the next
 * word, and "--name=value"; in a name, '-' counts as '_' (ParseLongOption).
 * Memory: the caller's arena.
 */
#ifndef WIRE_OPTIONS_H
#define WIRE_OPTIONS_H

#include <stddef.h>

#include "wire/startup.h"

#define OPTIONS_MAX 64

struct arena;

/*
 * 0; ERR_FORMAT: a word that is not a setting, *ret_bad is it (or what is
 * left); ERR_LIMIT: more than OPTIONS_MAX; ERR_MEMORY.
 */
int options_split(const char *text, struct arena *a,
    struct startup_param **ret, size_t *ret_n, const char **ret_bad);

#endif
