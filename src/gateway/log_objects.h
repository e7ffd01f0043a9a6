/*
 * gateway/log_objects.h - the log process takes objects, part by part.
 *
 * One at a time. Memory: of one part, which is the caller's.
 */
#ifndef GATEWAY_LOG_OBJECTS_H
#define GATEWAY_LOG_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

struct log_object;
struct log_stored;
struct object_writer;

struct log_objects {
	int log_dir;
	bool begun;
	uint64_t id;			/* of the last that was begun */
	uint64_t len, got;
	struct object_writer *writer;	/* NULL: it is over */
};

/* Takes a part; a new id ends what was begun before. True: *ret is to be
 * answered, and what else comes of that object is nothing. */
bool log_objects_take(struct log_objects *o, const struct log_object *part,
    struct log_stored *ret);
/* Whoever sent them is gone: what is not whole is forgotten. */
void log_objects_reset(struct log_objects *o);

#endif
