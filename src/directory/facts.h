/*
 * directory/facts.h - the directory as its own files see it.
 *
 * Nodes are people, services and entities, sorted by id; an index leads from
 * an id to its node. A node's facts stand together, sorted by kind and by
 * what they lead to, so that whatever is derived from them does not depend
 * on the order in which a file was written. There may be millions of both,
 * so they are small: what many facts share is kept once.
 */
#ifndef DIRECTORY_FACTS_H
#define DIRECTORY_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "directory/directory.h"
#include "directory/network.h"

/* Shares are millionths of a percent: nothing is lost in a comparison. */
#define SHARE_ONE 1000000u
#define SHARE_WHOLE (100u * SHARE_ONE)
#define SHARE_THRESHOLD (50u * SHARE_ONE)	/* if the file names none */

enum node_kind {
	NODE_PERSON = 1,
	NODE_SERVICE = 2,
	NODE_ENTITY = 4,
};

enum fact_kind {
	FACT_SITE,
	FACT_EMPLOYER,		/* node NULL: works for nobody */
	FACT_MANAGER,		/* node NULL: reports to nobody */
	FACT_INSTRUCTOR,	/* node NULL: instructed by nobody */
	FACT_OPERATOR,
	FACT_KEEPER,		/* node NULL: nobody but the operator */
	FACT_NATIONALITY,
	FACT_RESIDENCE,
	FACT_OFFICE,		/* text NULL: holds none */
	FACT_ROLE,
	FACT_COUNTRY,
	FACT_PLACE,
	FACT_OWNER,
};

struct node;

/* Who says so, and when it holds: from `from` until just before `to`. */
struct warrant {
	const char *issuer;	/* equal ones have one address */
	const char *evidence;	/* what it rests on; or NULL */
	int64_t from, to;
};

struct fact {
	uint8_t kind;				/* enum fact_kind */
	bool contractor;			/* FACT_EMPLOYER */
	bool stated;		/* FACT_EMPLOYER: as which is written */
	union {
		uint32_t share;			/* FACT_OWNER */
		uint32_t label;			/* of a label, a site: its number */
	};
	union {
		const struct node *node;	/* NULL: nobody */
		const struct directory_site *site;	/* FACT_SITE */
		const char *text;		/* label, role, office: one
						   address for equal ones */
	};
	const struct warrant *warrant;
};

struct node {
	const char *id;
	const char *name;
	uint8_t kind;		/* enum node_kind */
	bool dispersed;		/* entity: the rest is in nobody's hands */
	uint32_t n_facts;
	const struct fact *facts;
	int64_t from, to;
	const char *const *networks;	/* service */
	size_t n_networks;
};

/* A site's network. */
struct site_network {
	struct network network;
	const struct directory_site *site;
};

struct directory {
	struct arena *arena;
	const char *issuer;	/* of facts that name no other */
	uint32_t threshold;
	struct directory_site *sites;		/* sorted by id */
	size_t n_sites;
	struct site_network *networks;		/* sorted by network_compare */
	size_t n_networks;
	struct node *nodes;			/* sorted by id */
	size_t n_nodes;
	uint32_t *index;	/* by hash of the id: number of a node + 1 */
	size_t n_index;		/* a power of two; open addressing */
	const char **labels;	/* all countries, sorted, by number */
	size_t n_labels;
	bool doubts_places;	/* directory_doubt_places */
};

static inline bool
fact_valid(const struct fact *f, int64_t at_ms)
{
	return f->warrant->from <= at_ms && at_ms < f->warrant->to;
}

static inline bool
fact_is_to_node(const struct fact *f)
{
	return (f->kind >= FACT_EMPLOYER && f->kind <= FACT_KEEPER) ||
	    f->kind == FACT_OWNER;
}

static inline bool
fact_is_label(const struct fact *f)
{
	return f->kind == FACT_NATIONALITY || f->kind == FACT_RESIDENCE ||
	    f->kind == FACT_COUNTRY || f->kind == FACT_PLACE;
}

static inline bool
node_valid(const struct node *n, int64_t at_ms)
{
	return n->from <= at_ms && at_ms < n->to;
}

/* NULL if there is none. */
const struct node *node_find(const struct directory *d, const char *id);

#define LABEL_NONE UINT32_MAX

/* The number of a label; LABEL_NONE if no fact has it. */
uint32_t label_find(const struct directory *d, const char *label);

/* A label: [A-Za-z0-9_-]{1,32}, and not "unknown". */
bool label_valid(const char *s);

#endif
