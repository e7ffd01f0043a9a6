/*
 * cli/options.h - the command line of commands that ask questions.
 *
 * An option is a name with a value after it, or a flag. What starts with no
 * dash is a word. Anything else, an option twice, a word too many: wrong.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option_slot {
	const char *name;	/* "--at"; NULL ends a list of slots */
	const char **value;	/* takes a value; or NULL: */
	bool *flag;
};

/* Fills words[0..n_words); all are needed. 0, or 2 having said why and how
 * the command is used. */
int options_read(int argc, char **argv, const struct option_slot *slots,
    const char **words, size_t n_words, const char *usage);

/* NULL text: now. 0, or 1 having said on stderr what is wrong. */
int options_time(const char *text, int64_t *ret_ms);

#endif
