/*
 * lineage/walk.h - everything that a statement's parse tree names.
 *
 * Visits each message of a libpg_query tree by its descriptor, so that no
 * kind of node can be forgotten.
 * Memory: found names point into the tree; walk_done frees the array.
 * Recursion: as deep as the tree, which lineage/depth.h bounds.
 */
#ifndef LINEAGE_WALK_H
#define LINEAGE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

struct walk_table {
	const char *schema;	/* "" if unqualified */
	const char *name;
};

struct walk_scope;

struct walk {
	struct walk_table *tables;	/* in order, with repetitions */
	size_t n_tables;
	size_t cap;
	unsigned writes;		/* INSERT, UPDATE, DELETE or MERGE */
	bool locks;			/* FOR UPDATE, FOR SHARE, ... */
	bool into;			/* SELECT INTO, CREATE TABLE AS */
	/* The first name that is not known to be harmless, and of what. */
	const char *unknown;
	const char *unknown_kind;	/* "calls function", ... */
	const char *forbidden;		/* the first forbidden function */
	bool failed;			/* out of memory */
	const struct walk_scope *scope;	/* WITH clauses around this node */
	size_t compared;
};

void walk_init(struct walk *w);
void walk_done(struct walk *w);
void walk_message(struct walk *w, const ProtobufCMessage *m);

#endif
