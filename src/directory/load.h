/*
 * directory/load.h - what the two passes of loading share.
 *
 * Every function here may fail the load (in.result); they return NULL or 0
 * then, and do nothing once it has failed.
 */
#ifndef DIRECTORY_LOAD_H
#define DIRECTORY_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "directory/facts.h"
#include "yaml/yaml.h"

/* A node together with where it stands in the text. */
struct item {
	struct node node;
	const struct yaml_node *key;
	const struct yaml_node *map;
};

struct load {
	struct yaml_in in;
	struct directory *d;
	struct item *items;		/* sorted by id, as d->nodes will be */
	size_t n_items;
	const char *issuer;		/* of the file */
};

/* p, which an allocation returned; NULL fails the load. */
void *load_take(struct load *l, void *p);
/* A copy that lives as long as the directory; NULL of NULL. */
const char *load_keep(struct load *l, const char *s);
/* Text that people write and that ends in messages: no control bytes. */
const char *load_text(struct load *l, const struct yaml_node *n);
const char *load_label(struct load *l, const struct yaml_node *n);
/* Percent as millionths of a percent. */
uint32_t load_share(struct load *l, const struct yaml_node *n);
/* Narrows [*from, *to) by the keys of a map. */
void load_interval(struct load *l, const struct yaml_node *map, int64_t *from,
    int64_t *to);
/* The issuer a map names, or the usual one (shared, not copied). */
const char *load_issuer(struct load *l, const struct yaml_node *map,
    const char *usual);
/* A value is written as itself, or as a list of several. */
size_t load_count(const struct yaml_node *n);
const struct yaml_node *load_at(const struct yaml_node *n, size_t i);

/* "a person", "a service", "an entity". */
const char *node_kind_text(enum node_kind kind);

/* Second pass: reads all facts of an item into its node. */
void load_facts(struct load *l, const struct item *item, struct node *node);

#endif
