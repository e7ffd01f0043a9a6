/*
 * gateway/config_seen.h - `seen` of the configuration: who may be told by
 * name who saw a subject's data.
 *
 *	seen:
 *	  names-for: [dpo, audit]	# users of this machine
 */
#ifndef GATEWAY_CONFIG_SEEN_H
#define GATEWAY_CONFIG_SEEN_H

#include <stdbool.h>
#include <stddef.h>

struct yaml_in;
struct yaml_node;

struct config_seen {
	const char *const *names_for;	/* nobody: n is 0 */
	size_t n;
};

/* n may be NULL: nobody. Errors are left in `in`. */
void config_seen_read(struct yaml_in *in, const struct yaml_node *n,
    struct config_seen *ret);
bool config_seen_names_for(const struct config_seen *s, const char *user);

#endif
