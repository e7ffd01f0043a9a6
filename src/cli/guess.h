/*
 * cli/guess.h - what a column holds, by its name, its type and the shapes of
 * some of its values. Pure: tables of words.
 */
#ifndef CLI_GUESS_H
#define CLI_GUESS_H

#include <stdbool.h>
#include <stddef.h>

/* How many of the values looked at have a shape. */
struct guess_shapes {
	long n;		/* values that are not NULL */
	long email, phone, address, country;
};

/* All categories that guess_category gives. */
extern const char *const guess_categories[];
extern const size_t guess_n_categories;

/* One of them; *ret_why: how it came about, in words. */
const char *guess_category(const char *table, const char *column,
    const char *type, const struct guess_shapes *s, const char **ret_why);

/* Whether a table of this name holds people, whether a column's name is that
 * of a country, and whether it is one of a list of terms (id, name, code). */
bool guess_is_people(const char *table);
bool guess_is_country(const char *column);
bool guess_is_term(const char *column);

#endif
