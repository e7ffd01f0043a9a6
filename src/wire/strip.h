/*
 * wire/strip.h - messages with one column more or less in front.
 *
 * For a query that was given a column which the client must not see. Pure;
 * a body that is not whole is ERR_FORMAT, and nothing is written then.
 */
#ifndef WIRE_STRIP_H
#define WIRE_STRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define STRIP_ROW_HEAD 6	/* of a DataRow's body: count, first length */

/* What a RowDescription's table is to be called instead. */
typedef uint32_t strip_table_fn(void *arg, uint32_t oid);

/* Whether the first column's name begins so. */
bool strip_has_mark(struct bytes body, const char *mark);
/* RowDescription without its first column. */
int strip_description(struct bytes body, strip_table_fn *table, void *arg,
    struct buf *out);
/* CopyOutResponse without its first column, and how many others there are. */
int strip_copy(struct bytes body, uint16_t *others, struct buf *out);
/*
 * The first bytes of a DataRow's body: how long its first column is (0 if
 * NULL), and how many columns follow it.
 */
int strip_row_head(const uint8_t head[static STRIP_ROW_HEAD],
    uint32_t body_len, uint32_t *first_len, uint16_t *others);
/* Bind: a format for the column in front, where each has its own. */
int strip_bind(struct bytes body, struct buf *out);
/* Parse with another text. */
int strip_parse(struct bytes body, const char *sql, struct buf *out);
/*
 * ErrorResponse of a text that was changed: the place in it becomes what
 * `place` says (0: none), fields that tell the mark are left out.
 */
typedef uint32_t strip_place_fn(void *arg, uint32_t at);
int strip_error(struct bytes body, const char *mark, strip_place_fn *place,
    void *arg, struct buf *out);

#endif
