/*
 * base/text.h - text that people and files write: numbers, hex, base64.
 *
 * Base64 is RFC 4648, section 4 (standard alphabet, padded), decoded
 * strictly: no white space, no missing padding, no stray bits.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Decimal without sign or leading zeros ("0" is fine). 0 or ERR_FORMAT. */
int text_u64(const char *s, size_t len, uint64_t *ret);

void text_hex(struct buf *out, const void *data, size_t len);
int text_unhex(const char *s, size_t len, struct buf *out);
void text_base64(struct buf *out, const void *data, size_t len);
int text_unbase64(const char *s, size_t len, struct buf *out);

bool text_starts(const char *s, const char *prefix);
bool text_is_utf8(const char *s, size_t len);

/* An SQL identifier or literal, quoted for PostgreSQL with
 * standard_conforming_strings on. */
void text_sql_ident(struct buf *out, const char *name);
void text_sql_literal(struct buf *out, const char *value);

#endif
