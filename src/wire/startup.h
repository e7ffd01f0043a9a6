/*
 * wire/startup.h - the first packet a client sends.
 *
 * Bytes in, one struct out. Knows no sockets and no policy.
 * Format: PostgreSQL manual, "StartupMessage", "SSLRequest",
 * "GSSENCRequest", "CancelRequest": u32 length that counts itself, u32 code.
 * Memory: results point into the input and live as long as it does.
 * Limits: STARTUP_MAX bytes, STARTUP_PARAMS_MAX parameters.
 */
#ifndef WIRE_STARTUP_H
#define WIRE_STARTUP_H

#include <stdint.h>

#include "base/buf.h"

#define STARTUP_MAX 10000	/* behind the length, as PostgreSQL has it */
#define STARTUP_PARAMS_MAX 64
#define STARTUP_SECRET_MAX 256

enum startup_kind {
	STARTUP_UNSUPPORTED = 0,	/* another major version */
	STARTUP_SESSION,
	STARTUP_SSL,
	STARTUP_GSSENC,
	STARTUP_CANCEL,
};

struct startup_param {
	const char *name;
	const char *value;
};

struct startup {
	enum startup_kind kind;
	uint16_t major;
	uint16_t minor;
	uint32_t cancel_pid;
	struct bytes cancel_secret;
	struct startup_param params[STARTUP_PARAMS_MAX];
	size_t n_params;
};

/*
 * Reads one packet from r. Returns 0, ERR_SHORT (r unmoved: wait for more
 * bytes), ERR_FORMAT, or ERR_LIMIT (too many parameters). *ret is written
 * only on 0.
 */
int startup_read(struct reader *r, struct startup *ret);
/* The value of the last parameter of that name, or NULL. */
const char *startup_param(const struct startup *s, const char *name);

/* What a client sends: for the way to a store. */
void startup_write(struct buf *out, const struct startup_param *params,
    size_t n);
void startup_ssl_write(struct buf *out);	/* SSLRequest */
void startup_cancel_write(struct buf *out, uint32_t pid,
    struct bytes secret);

#endif
