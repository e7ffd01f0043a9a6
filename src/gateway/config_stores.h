/*
 * gateway/config_stores.h - the stores of sworn.conf.
 */
#ifndef GATEWAY_CONFIG_STORES_H
#define GATEWAY_CONFIG_STORES_H

struct loading;
struct yaml_node;

/* Into l->c, with every file that they name. 0, or an error with its why. */
int config_stores_load(struct loading *l, const struct yaml_node *n);

#endif
