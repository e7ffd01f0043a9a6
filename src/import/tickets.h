/*
 * import/tickets.h - who instructs in fact, found in what a ticket system
 * has written down: who assigns a person's tickets, and who approves them.
 *
 * A ticket counts once for each pair of people, however many rows it has.
 * Somebody becomes an instructor of a person by a number of tickets or by a
 * share of that person's; the fact says on what it rests.
 */
#ifndef IMPORT_TICKETS_H
#define IMPORT_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "import/mapping.h"

struct draft;
struct entry;
struct findings;
struct tickets;

struct tickets_rule {
	int64_t from_ms, to_ms;		/* the window: from, until before to */
	uint64_t at_least;		/* tickets; 0: never by their number */
	uint64_t percent;		/* of all; 0: never by their share */
	int64_t valid_ms;		/* behind the last; 0: until replaced */
	bool skip_unknown;		/* instructors nobody knows: a note */
};

struct tickets_counts {
	size_t rows, outside, unassigned, unknown;
	size_t people, facts;
};

/* `known` names the people; all outlive it. NULL: out of memory. */
struct tickets *tickets_new(const struct section_map *map,
    const struct draft *known, const struct tickets_rule *rule,
    struct findings *f);
void tickets_free(struct tickets *t);
/* An entry_fn. */
int tickets_row(void *tickets, const struct entry *e);
/* The facts, of an issuer, into *ret, which is the caller's. */
int tickets_end(struct tickets *t, const char *issuer, struct draft **ret);
const struct tickets_counts *tickets_counts(const struct tickets *t);

#endif
