/*
 * yaml/yaml.h - a YAML text as a tree with positions, typed by its reader.
 *
 * A scalar is text until the schema of whoever reads it says otherwise:
 * NO is Norway, 0123 is a name, 2026-01-01 is text where text is wanted.
 * Refused: anchors, aliases, tags, merge keys, several documents, duplicate
 * keys, invalid UTF-8, control characters.
 * Format: YAML 1.1 as libyaml reads it. Pure: bytes in, tree out.
 * Memory: everything lives in the arena.
 * Limits: YAML_MAX bytes, YAML_DEPTH_MAX levels.
 */
#ifndef YAML_YAML_H
#define YAML_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define YAML_MAX ((size_t)256 << 20)
#define YAML_DEPTH_MAX 32

struct arena;

enum yaml_kind {
	YAML_SCALAR,
	YAML_LIST,
	YAML_MAP,
};

struct yaml_node {
	enum yaml_kind kind;
	unsigned line;
	unsigned column;
	const char *text;		/* scalar: NUL-terminated */
	bool quoted;			/* scalar: written in quotes */
	size_t n;			/* list, map: number of items */
	struct yaml_node **keys;	/* map only; each a scalar */
	struct yaml_node **items;	/* list: items; map: values */
};

/* 0, ERR_FORMAT, ERR_LIMIT or ERR_MEMORY; *w says where and why. */
int yaml_parse(struct arena *a, const char *text, size_t len,
    const struct yaml_node **ret, struct why *w);

/*
 * As yaml_parse, for texts whose root has maps too long to keep as trees:
 * the pairs of those maps go to a function one by one, in order, and a map
 * without pairs stands in the tree. Whoever takes them finds doubled keys.
 * ERR_STATE, with nothing in *w: this text can only be read by yaml_parse;
 * forget what the function was given. Not 0 from the function ends it.
 */
struct yaml_sections {
	const char *const *names;	/* NULL-terminated */
	struct arena *scratch;		/* holds one pair, then is reset */
	int (*pair)(void *arg, const char *section,
	    const struct yaml_node *key, const struct yaml_node *value);
	void *arg;
};

int yaml_parse_sections(struct arena *a, const char *text, size_t len,
    const struct yaml_sections *s, const struct yaml_node **ret,
    struct why *w);

/*
 * Typed reading with one sticky result: after the first failure every call
 * returns an empty value (NULL, 0, false) and leaves *why alone, so read a
 * whole map and test `result` once.
 */
struct yaml_in {
	struct arena *arena;
	struct why *why;	/* may be NULL */
	int result;		/* 0 until the first failure */
};

/* Records a failure at a node (NULL: no position); returns in->result. */
int yaml_fail(struct yaml_in *in, const struct yaml_node *at,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Requires a map whose keys are all in `allowed` (NULL-terminated); an
 * unknown key is refused with its position and the nearest allowed one.
 */
void yaml_map(struct yaml_in *in, const struct yaml_node *n,
    const char *const *allowed);
void yaml_any_map(struct yaml_in *in, const struct yaml_node *n);
void yaml_list(struct yaml_in *in, const struct yaml_node *n);

/* The value under a key: NULL where absent (need: that is a failure). */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
const struct yaml_node *yaml_need(struct yaml_in *in,
    const struct yaml_node *map, const char *key);

/* Scalars. A NULL node gives the empty value without a failure. */
const char *yaml_str(struct yaml_in *in, const struct yaml_node *n);
bool yaml_bool(struct yaml_in *in, const struct yaml_node *n); /* true|false */
uint64_t yaml_u64(struct yaml_in *in, const struct yaml_node *n,
    uint64_t min, uint64_t max);
double yaml_share(struct yaml_in *in, const struct yaml_node *n); /* 0..100 */
int64_t yaml_time_ms(struct yaml_in *in, const struct yaml_node *n);
/* "250ms", "10s", "5m", "2h" as milliseconds. */
uint64_t yaml_duration_ms(struct yaml_in *in, const struct yaml_node *n,
    uint64_t min, uint64_t max);
/* One of the names (NULL-terminated): its index; refused otherwise. */
size_t yaml_enum(struct yaml_in *in, const struct yaml_node *n,
    const char *const *names);
/* A list of scalars, or one scalar as a list of one. */
const char *const *yaml_strs(struct yaml_in *in, const struct yaml_node *n,
    size_t *ret_n);

#endif
