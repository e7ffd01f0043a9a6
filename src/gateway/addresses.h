/*
 * gateway/addresses.h - from an address to a country, by an MMDB file.
 *
 * The file is given as bytes, so that what is asked is what was hashed,
 * whatever becomes of the file. The only user of libmaxminddb.
 * Any thread may ask.
 */
#ifndef GATEWAY_ADDRESSES_H
#define GATEWAY_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ADDRESSES_LABEL_MAX 33

struct addresses;

/* 0, or an error with words in *w. */
int addresses_new(const void *data, size_t len, struct addresses **ret,
    struct why *w);
void addresses_free(struct addresses *a);	/* NULL is fine */

/* When the file was made, as it says itself; and what it is called. */
int64_t addresses_built_ms(const struct addresses *a);
const char *addresses_type(const struct addresses *a);

/*
 * The country of an address ("192.0.2.1", "2001:db8::1"): 0, ERR_MISSING if
 * the file has none for it, or an error (the file is broken there).
 */
int addresses_country(const struct addresses *a, const char *address,
    char ret[static ADDRESSES_LABEL_MAX]);

#endif
