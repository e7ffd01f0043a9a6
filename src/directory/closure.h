/*
 * directory/closure.h - for one time, from every node that was asked about
 * to each label: the kinds of path that lead there, and how long they are.
 *
 * An end of a node is a label with a set of kinds and a length; another end
 * of the label with no more kinds and no more length makes it superfluous.
 * A node's ends are its own and those of whoever stands above it, one edge
 * longer: so what was found for a manager serves everybody below. Which edge
 * an end takes is the first in the order of facts that gives it, and does
 * not depend on who was asked about before.
 *
 * Not thread-safe; one owner. Memory: the two arenas, which are the
 * caller's; they may be one. `scratch` is reset if it is another.
 */
#ifndef DIRECTORY_CLOSURE_H
#define DIRECTORY_CLOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "directory/control.h"
#include "directory/facts.h"
#include "directory/seen.h"

struct arena;

#define CLOSURE_WORDS 6		/* ways to say of an edge who is reached */

struct end {
	uint32_t label;		/* d->n_labels is "unknown"; more: caller's */
	uint32_t len;
	/* Over an edge: the target's entry, and which of its ends. */
	uint32_t entry, at;
	uint8_t kinds;
	bool own;
	union {
		const struct fact *edge;		/* not own */
		const struct control_step *tail;	/* own: len steps */
	};
};

struct ends {
	struct end *items;
	size_t n, cap;
};

/* An edge that holds, and the entry of whom it reaches. */
struct above {
	const struct fact *edge;
	uint32_t entry;
};

/* Sorted, distinct; shared by nodes that have the same. */
struct issuer_set {
	const char *const *items;
	size_t n;
};

/* What is known of a node. */
struct entry {
	const struct node *node;
	struct ends ends;
	struct issuer_set issuers;
	uint32_t order, low;	/* of the search for circles */
	bool done, on_stack;
	const char *texts[CLOSURE_WORDS];
};

struct closure {
	const struct directory *d;
	int64_t at_ms;
	struct arena *kept, *scratch;
	struct seen seen;		/* node -> entry */
	struct entry *entries;
	size_t n, cap;
	/* Of labels, each made when it is needed first: */
	struct control_step *words[3];
	/* While ends are combined: */
	struct above *above;
	size_t n_above, cap_above;
	struct ends made;
	uint32_t *next;			/* another end of the label, + 1 */
	size_t cap_next;
	uint32_t *heads;		/* by label: its newest end, + 1 */
	size_t n_heads;
	/* While circles are searched: */
	struct frame *frames;
	size_t n_frames, cap_frames;
	uint32_t *stack;
	size_t n_stack, cap_stack;
	uint32_t order;
};

int closure_init(struct closure *c, const struct directory *d, int64_t at_ms,
    struct arena *kept, struct arena *scratch);	/* 0 or ERR_MEMORY */
/* The caller may number as many labels of its own, from n_labels + 1 on;
 * before any end is added. */
int closure_room(struct closure *c, size_t more);

/* What stands above a node is known after this, and listed in c->above. */
int closure_above(struct closure *c, const struct node *node);

/*
 * The ends of a node with c->above as its edges, into c->made, after those
 * that were put there (ends_begin, ends_add); *issuers likewise.
 */
void ends_begin(struct closure *c);
int ends_add(struct closure *c, const struct end *e);
int closure_ends(struct closure *c, const struct node *node,
    struct issuer_set *issuers);

/* "reports to Chen Wei"; NULL: out of memory. */
const char *closure_text(struct closure *c, const struct end *e);

/* The kind of an edge to a node; 0 if the fact is no such edge. */
unsigned edge_kind(unsigned fact_kind);

#endif
