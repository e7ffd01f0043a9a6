/*
 * gateway/config_logins.h - the rule file for logins that sworn.conf names.
 *
 * Its text is read with the configuration, and so are the files that it
 * names, and the addresses of this machine's interfaces (samehost, samenet):
 * a version decides by what it was loaded with.
 */
#ifndef GATEWAY_CONFIG_LOGINS_H
#define GATEWAY_CONFIG_LOGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/login_rules.h"

struct arena;
struct config;
struct loading;

struct config_logins {
	const char *path;	/* NULL: there is no such file */
	/* Of the file, and those that it names in their order, as one. */
	char sha256[65];
	struct login_rules rules;
	struct login_network *ours;
	size_t n_ours;
};

struct login_who {
	const char *store;
	const char *principal;
	const char *address;	/* NULL: through a UNIX socket */
	bool encrypted;
	int64_t at_ms;
};

/* Stores, directory and section tls are known. 0, or an error with its
 * why. */
int config_logins_load(struct loading *l, const char *name,
    struct config_logins *ret);

/* The rule that decides; NULL: none, so nobody is let in. ERR_FORMAT: that is
 * no address. */
int config_logins_find(const struct config *c, const struct login_who *who,
    struct arena *a, const struct login_rule **ret);

#endif
