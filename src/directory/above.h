/*
 * directory/above.h - whoever a reader answers to, step by step.
 *
 * People and entities that are reached over edges of the kinds chosen:
 * employment to an employer, formal to a manager, actual to whoever
 * instructs, keeping to a service's operator and keepers. The reader is
 * among them. Pure.
 */
#ifndef DIRECTORY_ABOVE_H
#define DIRECTORY_ABOVE_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct directory;

/*
 * Ids, sorted, in the arena. kinds: a set of enum control_kind; others lead
 * to nobody. Of those in `stop` it is not looked who is above them, unless it
 * is the reader. 0, ERR_MISSING: no such principal then, ERR_MEMORY.
 */
int directory_above(const struct directory *d, const char *id, int64_t at_ms,
    unsigned kinds, const char *const *stop, size_t n_stop, struct arena *a,
    const char *const **ret, size_t *ret_n);

#endif
