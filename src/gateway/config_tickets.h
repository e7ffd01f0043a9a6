/*
 * gateway/config_tickets.h - the section "tickets" of sworn.conf: whom to
 * ask about a ticket.
 */
#ifndef GATEWAY_CONFIG_TICKETS_H
#define GATEWAY_CONFIG_TICKETS_H

#include <stdbool.h>
#include <stddef.h>

struct yaml_in;
struct yaml_node;

struct config_tickets {
	bool set;			/* the section is there */
	const char *const *command;	/* argv, NULL-terminated; or NULL */
	const char *url;		/* or NULL */
	const char *token_path;		/* of a bearer token; or NULL */
	const char *ca_path;		/* of certificates; NULL: the system's */
	unsigned timeout_ms;
	unsigned cache_ms;
	unsigned parallel;
};

bool config_tickets_same(const struct config_tickets *a,
    const struct config_tickets *b);
/* Paths in it are below `folder`. Failures are in->result. */
void config_tickets_read(struct yaml_in *in, const struct yaml_node *n,
    const char *folder, struct config_tickets *ret);

#endif
