/*
 * directory/definition.h - whether somebody is what a definition says: a
 * covered person, an importer, whatever a regime calls those it is about.
 *
 * A definition is data. Somebody is one if they are named; else if something
 * of it is true of them and no exception is. What leads on (an employer, an
 * owner, an operator or a keeper that is one) makes it a least fixed point
 * over the directory: a ring of companies that own each other, and that
 * nobody from outside holds, is nothing.
 *
 * What is not known may make two answers: what is certain, and what is
 * possible if all of it turned out for the worst.
 * Pure. Memory: the arena.
 */
#ifndef DIRECTORY_DEFINITION_H
#define DIRECTORY_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct principal;

/* Labels or ids. Of labels with `outside`: any that is none of them. */
struct defined_list {
	const char *const *items;
	size_t n;
	bool outside;
	bool set;			/* asked at all */
};

#define EMPLOYED_EMPLOYEE 1u
#define EMPLOYED_CONTRACTOR 2u
#define EMPLOYED_NOBODY 4u		/* has no employer */

struct definition {
	const char *name;
	struct defined_list named;	/* ids, whatever else is true */
	/* An entity is one by any of these. */
	struct defined_list organised_in;
	struct defined_list business_in;	/* its principal place */
	uint32_t owned;		/* share held by those who are; 0: not asked */
	/* A person. */
	struct defined_list resident_in;
	struct defined_list holding_office;
	unsigned employed_as;	/* by an entity that is; set of EMPLOYED_* */
	/* Resident there, and somebody's contractor or nobody's employee. */
	struct defined_list contracting_in;
	/* A service. */
	bool by_operator, by_keepers;	/* who are */
	struct defined_list running_in;
	/* None of them is one by any of these. */
	struct {
		struct defined_list named;
		struct defined_list organised_only_in;
		struct defined_list nationality;
		struct defined_list located_only_in;
	} unless;
};

struct defined {
	bool certain;
	bool possible;		/* certain, or not known not to be */
	/* "you -> employed by X -> organised in L", why it is possible; NULL
	 * if it is not. */
	const char *because;
};

/* Percent with up to six decimals, as millionths; false if it is none. */
bool share_parse(const char *s, uint32_t *ret);

/*
 * `seen_at` are labels of where the session comes from: whoever reads is
 * located there as well. 0 or ERR_MEMORY.
 */
int definition_decide(const struct definition *def,
    const struct principal *who, const char *const *seen_at, size_t n_seen_at,
    struct arena *a, struct defined *ret);

#endif
