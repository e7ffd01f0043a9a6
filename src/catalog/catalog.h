/*
 * catalog/catalog.h - whose data is where, and of which category.
 *
 * A catalog names the table of subjects, how a subject's residence is
 * found, and for each guarded table the way from a row to its subject or
 * subjects and the category of each column. What it does not list, persons
 * do not get. Pure: text in, struct out.
 * Format: docs/catalog.md.
 */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "catalog/mask.h"

struct catalog;

/* From this table's `column` to the row of `table` whose `key` equals it. */
struct catalog_step {
	const char *column;
	const char *schema;
	const char *table;
	const char *key;
};

/* The way from a row to one of its subjects; no steps: the row is one. */
struct catalog_subject {
	const struct catalog_step *steps;
	size_t n;
};

struct catalog_column {
	const char *name;
	const char *category;	/* one of catalog->categories */
	struct mask mask;	/* what `treat: mask` shows of it */
};

struct catalog_table {
	const char *schema;
	const char *name;
	const char *full;	/* schema.name, the name in policy and records */
	bool is_public;		/* no personal data: readable by all */
	const struct catalog_column *columns; /* of guarded tables */
	size_t n_columns;
	const struct catalog_subject *subjects; /* at least one if guarded */
	size_t n_subjects;
};

struct catalog_value {
	const char *value;	/* as stored, compared as text */
	const char *label;	/* the residence */
};

struct catalog {
	const char *name;
	const char *const *categories;
	size_t n_categories;
	const struct catalog_table *tables;	/* sorted by full */
	size_t n_tables;
	const char *subject_schema;
	const char *subject_table;
	const char *subject_key;
	bool has_at_most;	/* states that it has no more subjects */
	uint64_t at_most;
	/*
	 * Where a subject is at home: the whole store (the store has exactly
	 * one residence then), or a column reached from the subject's row
	 * over `residence_steps`, its values mapped to labels. A value that
	 * is not mapped, or NULL, is residence `unknown`: shown to no person.
	 */
	bool residence_store;
	const struct catalog_step *residence_steps;
	size_t n_residence_steps;
	const char *residence_column;
	const struct catalog_value *values;
	size_t n_values;
};

/* 0 or an error with *w filled. The text is not kept. */
int catalog_load(const char *text, size_t len, struct catalog **ret,
    struct why *w);
void catalog_free(struct catalog *c);

/* schema NULL: the table of that name in any schema, if there is just one;
 * prefers "public". NULL if none. */
const struct catalog_table *catalog_find(const struct catalog *c,
    const char *schema, const char *name);
const struct catalog_column *catalog_column_find(
    const struct catalog_table *t, const char *name);

#endif
