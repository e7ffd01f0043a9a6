/*
 * gateway/effective.h - the records of what decides.
 */
#ifndef GATEWAY_EFFECTIVE_H
#define GATEWAY_EFFECTIVE_H

#include <stdbool.h>

struct config;
struct log_client;

/* Which of the two causes is asked for, and by whom (NULL: not known). */
struct effective {
	struct log_client *log;
	const char *gateway;		/* name in records */
	const char *cause;		/* of the version's record */
	const char *by;
};

/*
 * The texts that c has and `before` (NULL: none) has not: beside the log,
 * and as records. They decide nothing yet. 0 when durable.
 */
int effective_objects(const struct effective *e, const struct config *c,
    const struct config *before);

/* The stores that are not as in `before`, and the version. 0 when durable.
 * On failure nobody knows which of them the log has. */
int effective_version(const struct effective *e, const struct config *c,
    const struct config *before);

#endif
