/*
 * cli/subject.h - a subject in its store: its tag, and where it is at home.
 */
#ifndef CLI_SUBJECT_H
#define CLI_SUBJECT_H

#include <stdbool.h>

#include "record/record.h"

struct arena;
struct config_store;

struct subject {
	bool there;			/* in the table of subjects */
	const char *tag;		/* "": none, or forgotten */
	struct record_strs residences;	/* of it there */
};

/*
 * Asks the store as its administrator. 0, or an error said on standard
 * error. The results are in the arena.
 */
int subject_find(const struct config_store *s, const char *admin,
    const char *subject, struct arena *a, struct subject *ret);

#endif
