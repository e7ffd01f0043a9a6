/*
 * wire/frontend.h - messages that clients send, read and written.
 *
 * Each reader takes a message's body and accepts it only whole: a field that
 * runs out or bytes behind the last one are ERR_FORMAT.
 * Memory: results point into the body.
 */
#ifndef WIRE_FRONTEND_H
#define WIRE_FRONTEND_H

#include <stdint.h>

#include "base/buf.h"

#define FRONTEND_EARLY_MAX 65536	/* a body before authentication */
#define FRONTEND_MAX ((size_t)16 << 20)	/* and afterwards */

struct frontend_query {
	const char *sql;
	size_t len;		/* without the NUL */
};

struct frontend_parse {
	const char *name;
	const char *sql;
	size_t len;
};

struct frontend_bind {
	const char *portal;
	const char *statement;
};

struct frontend_target {	/* Describe, Close */
	char kind;		/* 'S' statement, 'P' portal */
	const char *name;
};

struct frontend_execute {
	const char *portal;
	uint32_t max_rows;
};

struct frontend_sasl {
	const char *mechanism;
	struct bytes data;
};

int frontend_query_read(struct bytes body, struct frontend_query *ret);
int frontend_parse_read(struct bytes body, struct frontend_parse *ret);
int frontend_bind_read(struct bytes body, struct frontend_bind *ret);
int frontend_target_read(struct bytes body, struct frontend_target *ret);
int frontend_execute_read(struct bytes body, struct frontend_execute *ret);
/* SASLInitialResponse; one without data has data.data == NULL. */
int frontend_sasl_read(struct bytes body, struct frontend_sasl *ret);

void frontend_empty_write(struct buf *out, uint8_t type); /* Sync, Flush, X */
void frontend_query_write(struct buf *out, const char *sql);
void frontend_parse_write(struct buf *out, const char *name,
    const char *sql);
/* Close of a statement ('S') or portal ('P'). */
void frontend_close_write(struct buf *out, char kind, const char *name);
void frontend_sasl_write(struct buf *out, const char *mechanism,
    struct bytes data);
void frontend_sasl_next_write(struct buf *out, struct bytes data);

#endif
