/*
 * cli/jsons.h - what commands that answer in JSON have in common.
 *
 * Whatever fails gives NULL, and jansson passes that on: json_pack takes
 * what it was given and returns NULL.
 */
#ifndef CLI_JSONS_H
#define CLI_JSONS_H

#include <stddef.h>

#include <jansson.h>

struct buf;

/* Appends to a list that may be NULL; frees and clears it on failure. */
void jsons_add(json_t **list, json_t *item);
json_t *jsons_list(const char *const *items, size_t n);
/* Appends the text, and drops j. 0, or ERR_MEMORY (also if j is NULL). */
int jsons_write(json_t *j, struct buf *out);

#endif
