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
#include "directory/intern.h"
#include "yaml/yaml.h"

struct load_place;

struct load {
	struct yaml_in in;		/* its arena: the root, or all */
	const char *text;
	size_t len;
	const struct yaml_node *tree;	/* NULL: items come one by one */
	struct arena *scratch;		/* of the item looked at */
	struct directory *d;
	unsigned pass;
	struct intern texts, labels;	/* what facts say, each kept once */
	/* First pass, in the order of the text: */
	struct node *items;
	struct load_place *places;
	size_t n_items, cap_items;
	/* Second pass: */
	uint32_t *rank;			/* number in d->nodes of each item */
	size_t n_read;
	const struct warrant *usual;	/* of the item, or the one before */
	const struct warrant *warrant;	/* the newest */
	struct fact *facts;		/* of the item */
	size_t n_facts, cap_facts;
};

/* p, which an allocation returned; NULL fails the load. */
void *load_take(struct load *l, void *p);
/* A copy that lives as long as the directory; NULL of NULL. */
const char *load_keep(struct load *l, const char *s);
/* The same, but equal ones are one. */
const char *load_once(struct load *l, const char *s);
/* The number of a label among all. */
uint32_t load_number(struct load *l, const char *label);
/* Text that people write and that ends in messages: no control bytes. */
const char *load_text(struct load *l, const struct yaml_node *n);
const char *load_id(struct load *l, const struct yaml_node *n);
const char *load_label(struct load *l, const struct yaml_node *n);
/* Percent as millionths of a percent. */
uint32_t load_share(struct load *l, const struct yaml_node *n);
/* Narrows [*from, *to) by the keys of a map. */
void load_interval(struct load *l, const struct yaml_node *map, int64_t *from,
    int64_t *to);
/* A value is written as itself, or as a list of several. */
size_t load_count(const struct yaml_node *n);
const struct yaml_node *load_at(const struct yaml_node *n, size_t i);

/* "a person", "a service", "an entity". */
const char *node_kind_text(enum node_kind kind);

void load_sites(struct load *l, const struct yaml_node *n);
/* Texts of networks, each checked. */
const char *const *load_networks(struct load *l, const struct yaml_node *n,
    size_t *ret_n);

/* First pass: an item of a section. */
void load_item(struct load *l, const char *section,
    const struct yaml_node *key, const struct yaml_node *map);
/* Between the passes: sorts and finds doubled ids. */
void load_order(struct load *l);
/* Second pass: all facts of the next item. */
void load_facts(struct load *l, const struct yaml_node *key,
    const struct yaml_node *map);
/* After it. */
void load_labels(struct load *l);
void load_nodes_done(struct load *l);

#endif
