/*
 * gateway/look.h - one look at a store: what its catalogs say now.
 *
 * Blocks, for its caller's own thread. Logs in as one of the clearances, and
 * so has no right to change anything there.
 */
#ifndef GATEWAY_LOOK_H
#define GATEWAY_LOOK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/watch.h"
#include "gateway/look_read.h"

struct arena;
struct config_login;
struct config_store;
struct version;

struct look {
	struct watch_list list;
	const char *seal;		/* the comment on schema sworn; "" */
	uint32_t pid;			/* of the login; 0: it got none */
	char why[LOOK_WHY_MAX];		/* of a failure */
};

/* until_ms: when to give up, as clock_mono_ms; stop: gives up, too. 0 or an
 * error, then why says it; pid is set either way. */
int look_take(const struct version *v, const struct config_store *s,
    const struct config_login *login, int64_t until_ms,
    const atomic_bool *stop, struct arena *a, struct look *ret);

#endif
