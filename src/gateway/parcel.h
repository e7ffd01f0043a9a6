/*
 * gateway/parcel.h - the bytes of all files of one configuration.
 *
 * Who may read files takes them once; who may not (the gateway, in its
 * sandbox) gets them through a descriptor. So both decide by the same bytes,
 * whatever becomes of the files meanwhile.
 * Memory: heap, wiped when freed, since passwords are among them.
 */
#ifndef GATEWAY_PARCEL_H
#define GATEWAY_PARCEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define PARCEL_ITEMS_MAX 100000
#define PARCEL_NAME_MAX 4096
#define PARCEL_MAX ((size_t)1 << 30)

struct parcel;

struct parcel *parcel_new(void);
void parcel_free(struct parcel *b);

/* A file's bytes, copied; or that there is no such file. A name that is there
 * already keeps its bytes. 0, ERR_MEMORY or ERR_LIMIT. */
int parcel_add(struct parcel *b, const char *name, const void *data,
    size_t len);
int parcel_add_absent(struct parcel *b, const char *name);
/* 0; ERR_MISSING: noted as absent; ERR_CONFLICT: nothing is known of it. */
int parcel_find(const struct parcel *b, const char *name, struct bytes *ret);

/* As one text, to be read back. 0 or ERR_MEMORY, ERR_FORMAT. */
int parcel_encode(const struct parcel *b, struct buf *out);
int parcel_decode(struct bytes in, struct parcel **ret);

/* Through a descriptor, from its begin. 0, ERR_IO, ERR_FORMAT, ... */
int parcel_write(const struct parcel *b, int fd);
int parcel_read(int fd, struct parcel **ret);

#endif
