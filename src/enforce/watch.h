/*
 * enforce/watch.h - what anybody who may log in can see of a store, to find
 * drift without any right there.
 *
 * `sworn apply` keeps what it sees at its end; a gateway compares it with
 * what it sees later. Each line is a name and a hash; the words for a change
 * are made of the name.
 * Limits: not the data of the store, so neither what residence columns hold
 * nor the lines of sworn.state; not pg_hba.conf and no password.
 */
#ifndef ENFORCE_WATCH_H
#define ENFORCE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

struct watch_line {
	const char *name;
	const char *hash;
};

/* In the order of strcmp. */
struct watch_list {
	const struct watch_line *lines;
	size_t n;
};

/*
 * SELECT of (name, hash) in the order of strcmp, the first of them named "":
 * it is no line, but the comment on schema sworn. To be run with search_path
 * = pg_catalog. It is the same for every configuration, so that whoever has
 * another one sees the same. 0 or ERR_MEMORY.
 */
int watch_sql(struct buf *out);

/* Calls found with each difference, in words, but not those about logins that
 * are expected, by their roles. Returns how many there are. */
size_t watch_compare(const struct watch_list *kept,
    const struct watch_list *now, const char *const *roles, size_t n_roles,
    void (*found)(void *arg, const char *name, const char *why), void *arg);

#endif
