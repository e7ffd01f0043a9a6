/*
 * gateway/seal.h - what `sworn apply` writes into a store, as the comment on
 * schema sworn, about what it left there.
 *
 * A gateway learns by it that a difference from what it knows is a later
 * apply's, which it has not been told of by a reload. Everybody can read it
 * and whoever owns the schema can write it, but only who has the key can make
 * one: a MAC over the store's name, a number that grows with each apply, and
 * the lines of enforce/watch.h. One from before does not serve, since its
 * number is below the last one's.
 * Format: "sworn 1 NUMBER MAC", MAC in hex. Pure.
 */
#ifndef GATEWAY_SEAL_H
#define GATEWAY_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/hash.h"

#define SEAL_NUMBER_MAX ((uint64_t)1 << 52)

struct buf;
struct watch_list;

struct seal {
	bool set;
	uint8_t key[HASH_LEN];
	uint64_t number;	/* of the apply that it is about */
};

/* 0 or an error of memory or hashing. */
int seal_write(const struct seal *s, const char *store,
    const struct watch_list *l, struct buf *out);
/* The number that a text says, whoever wrote it; 0: none. */
uint64_t seal_number(const char *text);
/* Whether text is what seal_write says of these lines by this key, for any
 * number: then *ret is that. Doubt is false. */
bool seal_check(const uint8_t key[static HASH_LEN], const char *store,
    const struct watch_list *l, const char *text, uint64_t *ret);

#endif
