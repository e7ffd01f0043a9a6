/*
 * import/draft.h - a directory that is being made: as directory/facts.h has
 * it, but able to change, and with every reference still a text.
 *
 * Memory: items, facts and texts live in the draft's arena, or in that of a
 * loaded directory which it was made of and which must outlive it.
 * An end of time (INT64_MIN, INT64_MAX) of a fact means that of its item.
 */
#ifndef IMPORT_DRAFT_H
#define IMPORT_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "directory/facts.h"
#include "import/findings.h"
#include "import/index.h"

struct draft_fact {
	enum fact_kind kind;
	bool stated;		/* FACT_EMPLOYER: as which */
	bool contractor;	/* else an employee; if stated */
	uint32_t share;		/* FACT_OWNER */
	const char *value;	/* id, label, text; NULL: nobody */
	const char *issuer;
	const char *evidence;	/* or NULL */
	int64_t from, to;
};

struct draft_item {
	const char *id;
	const char *name;		/* or NULL */
	enum node_kind kind;
	bool dispersed, rest_given;	/* entity */
	int64_t from, to;
	const char *const *networks;	/* service */
	size_t n_networks;
	struct draft_fact *facts;
	size_t n, cap;
	size_t number;			/* among all, once they are sorted */
	bool leaves, named;		/* during a merge */
	/* Of an import: how the source names it, and where it stands. */
	const char *key;
	struct origin at;
};

struct draft_site {
	const char *id;
	const char *country;
	const char *const *networks;
	size_t n_networks;
	struct origin at;
};

struct draft {
	struct arena *arena;
	const char *issuer;		/* of facts that name no other */
	uint32_t threshold;
	struct draft_site **sites;
	size_t n_sites, cap_sites;
	struct draft_item **items;
	size_t n_items, cap_items;
	struct index by_id, site_by_id;
};

struct draft *draft_new(const char *issuer);
void draft_free(struct draft *d);
/* Borrows from `loaded`, which must outlive it. NULL: out of memory. */
struct draft *draft_of(const struct directory *loaded);

/* What an import adds stands in the order of adding, until draft_sort.
 * NULL: out of memory, or *exists says who has the id. */
struct draft_item *draft_item_add(struct draft *d, const char *id,
    struct draft_item **exists);
struct draft_site *draft_site_add(struct draft *d, const char *id,
    struct draft_site **exists);
struct draft_item *draft_item_find(const struct draft *d, const char *id);
struct draft_site *draft_site_find(const struct draft *d, const char *id);
/* Zeroed but for the interval; NULL: out of memory. */
struct draft_fact *draft_fact_add(struct draft *d, struct draft_item *it,
    enum fact_kind kind);
/* Leaves out items for which drop is true. */
void draft_drop(struct draft *d, bool (*drop)(void *arg,
    const struct draft_item *it), void *arg);

/* Items and sites by id, numbered; facts by kind and value, each once. */
void draft_sort(struct draft *d);
/* As draft_sort orders them; 0: the same in every way. */
int draft_fact_compare(const struct draft_fact *a, const struct draft_fact *b);
/* The same but for issuer, evidence and interval. */
bool draft_fact_same(const struct draft_fact *a, const struct draft_fact *b);
/* Whether a fact, or its item, holds at a time. */
bool draft_fact_holds(const struct draft_item *it, const struct draft_fact *f,
    int64_t at_ms);
bool draft_item_holds(const struct draft_item *it, int64_t at_ms);

/* The key of a fact in the format: "site", "employer", ... */
const char *draft_key(enum fact_kind kind);

#endif
