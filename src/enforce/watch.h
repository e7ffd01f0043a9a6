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
struct catalog;

struct watch_line {
	const char *name;
	const char *hash;
};

/* SELECT of (name, hash) in the order of strcmp. To be run with search_path
 * = pg_catalog. roles: logins beside it that are expected. 0 or ERR_MEMORY. */
int watch_sql(const struct catalog *c, const char *const *roles, size_t n,
    struct buf *out);

/* Calls found with each difference, in words; both lists in the order of
 * strcmp. Returns how many there are. */
size_t watch_compare(const struct watch_line *kept, size_t n_kept,
    const struct watch_line *now, size_t n_now,
    void (*found)(void *arg, const char *name, const char *why), void *arg);

#endif
