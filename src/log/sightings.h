/*
 * log/sightings.h - the list in a folder that shows reads of one subject.
 *
 *	# sworn seen 1
 *	store us
 *	tag 3f1c...
 *	from 2026-11-01T00:00:00.000Z
 *	to 2026-12-01T00:00:00.000Z
 *	entry 57
 *
 * from and to may be missing; entries rise. Pure. Memory: the caller's arena.
 * Limits: SIGHTINGS_MAX entries, names of SIGHTINGS_NAME_MAX bytes.
 */
#ifndef LOG_SIGHTINGS_H
#define LOG_SIGHTINGS_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

#define SIGHTINGS_FILE "SEEN"
#define SIGHTINGS_MAX 20000
#define SIGHTINGS_NAME_MAX 200
#define SIGHTINGS_FILE_MAX ((size_t)4 << 20)

struct sightings {
	const char *store, *tag;
	int64_t from_ms, to_ms;		/* 0: open; to is excluded */
	const uint64_t *entries;
	size_t n;
};

/* Sets out->failed if there is no memory. */
void sightings_write(struct buf *out, const struct sightings *s);
/* 0, ERR_MEMORY, or ERR_FORMAT and *line (from 1) where it is none. */
int sightings_read(const char *text, size_t len, struct arena *a,
    struct sightings *ret, unsigned *line);

#endif
