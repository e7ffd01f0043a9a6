/*
 * gateway/config_witnesses.h - `log.witnesses` of the configuration.
 *
 *	witnesses:
 *	  quorum: FILE		# log/quorum.h's format, each with a URL
 *	  every: 10s
 *	  start: quorum | reachable
 */
#ifndef GATEWAY_CONFIG_WITNESSES_H
#define GATEWAY_CONFIG_WITNESSES_H

struct config_witnesses;
struct loading;
struct yaml_in;
struct yaml_node;

/* n may be NULL: nobody is asked. Errors are left in `in`. */
void config_witnesses_read(struct yaml_in *in, const struct yaml_node *n,
    struct config_witnesses *ret);
/* The quorum file, if one is named; the caller frees w->quorum. */
int config_witnesses_load(struct loading *l, struct config_witnesses *w);

#endif
