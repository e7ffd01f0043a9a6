/*
 * policy/load.h - among the files that make rules of a text.
 *
 * Everything reads through one struct load, whose `in` keeps the first
 * failure; `file` is then the file that it is in.
 */
#ifndef POLICY_LOAD_H
#define POLICY_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/rule.h"
#include "yaml/yaml.h"

struct load_file {
	const char *name;		/* NULL: the policy itself */
	const struct yaml_node *root;
	const struct yaml_node *sets;	/* a checked map of lists, or NULL */
};

struct load {
	struct yaml_in in;
	struct policy *p;
	struct load_file *files;	/* the policy itself first */
	size_t n_files;
	size_t file;			/* that is being read */
};

/* Checks one item of a list; fails the load if it is not sound. */
typedef void rules_check(struct load *l, const struct yaml_node *n);

/* load_list.c */
void *rules_take(struct load *l, void *p);	/* NULL fails the load */
const char *rules_text(struct load *l, const struct yaml_node *n);
struct names rules_names(struct load *l, const struct yaml_node *n,
    rules_check *check);
bool rules_is_set(const struct yaml_node *n);
rules_check rules_check_text, rules_check_label, rules_check_table,
    rules_check_kind, rules_check_purpose;
/* A list of kinds of path as a set of enum control_kind. */
unsigned rules_kinds(struct load *l, const struct yaml_node *n);

/* load_who.c, load_regime.c: what rules name, of all files. */
void rules_definitions(struct load *l);
void rules_regime(struct load *l);
const struct bulk *rules_bulk_find(const struct policy *p, const char *name);

/* load_rule.c, load_who.c, load_regime.c, load_when.c, load_whose.c */
void rules_one(struct load *l, struct rule *r, const struct yaml_node *n);
void rules_who(struct load *l, struct rule *r, const struct yaml_node *n);
void rules_bulk(struct load *l, struct rule *r, const struct yaml_node *n);
void rules_when(struct load *l, struct rule *r, const struct yaml_node *n);
void rules_whose(struct load *l, struct rule *r, const struct yaml_node *n);

#endif
