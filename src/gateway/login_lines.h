/*
 * gateway/login_lines.h - the words of a rule file for logins.
 *
 * Lines of fields of words, written as in PostgreSQL's pg_hba.conf: blanks
 * between fields, commas between a field's words, # and what follows it is a
 * comment, "..." is one word ("" in it a quote), a backslash at the end of a
 * line goes on in the next, and @FILE stands for all words of that file.
 * Pure: who calls gives the files. Memory: everything is in the arena.
 * Limits: LOGIN_DEPTH_MAX files in each other, LOGIN_WORDS_MAX words.
 */
#ifndef GATEWAY_LOGIN_LINES_H
#define GATEWAY_LOGIN_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define LOGIN_DEPTH_MAX 10
#define LOGIN_WORDS_MAX 100000

struct arena;

struct login_word {
	const char *text;
	bool quoted;		/* it means nothing but itself */
};

struct login_field {
	struct login_word *words;
	size_t n;
};

struct login_line {
	unsigned number;	/* where it begins */
	struct login_field *fields;
	size_t n;
};

/* Gives the file that `outer` (NULL: the rule file) names. 0 with its text
 * and its own name, for those that it names; or an error, its why set. */
struct login_files {
	int (*read)(void *arg, const char *outer, const char *name,
	    const char **ret_name, const char **ret, size_t *ret_len);
	void *arg;
};

/* All lines that are not empty. 0, or ERR_FORMAT, ERR_LIMIT, ERR_MEMORY or
 * what reading a file gave. */
int login_lines_read(const char *text, size_t len,
    const struct login_files *files, struct arena *a,
    struct login_line **ret, size_t *ret_n, struct why *w);

/* Room for one more in an array of the arena that has n; or NULL. */
void *login_grown(struct arena *a, void *array, size_t n, size_t size);

#endif
