/*
 * base/buf.h - bytes with bounds: borrowed, read, and written.
 *
 * struct bytes borrows. struct reader walks borrowed bytes and never past
 * their end. struct buf owns a growing array; its writers keep a sticky
 * `failed` flag, so append twenty fields and test once.
 * Integers are big-endian, as in PostgreSQL's protocol and in tiles.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *data;
	size_t len;
};

struct bytes bytes_of(const void *data, size_t len);
struct bytes bytes_str(const char *s);	/* without the NUL */
bool bytes_equal(struct bytes a, struct bytes b);

struct reader {
	const uint8_t *data;
	size_t len;
	size_t pos;
};

void reader_init(struct reader *r, const void *data, size_t len);
size_t reader_left(const struct reader *r);

/* Each returns 0, or ERR_SHORT with r unmoved and *ret untouched. */
int reader_u8(struct reader *r, uint8_t *ret);
int reader_u16(struct reader *r, uint16_t *ret);
int reader_u32(struct reader *r, uint32_t *ret);
int reader_u64(struct reader *r, uint64_t *ret);
int reader_bytes(struct reader *r, size_t len, struct bytes *ret);
/* A NUL-terminated string; the result points into the input. */
int reader_cstr(struct reader *r, const char **ret);

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;	/* never grows past this; 0 means BUF_MAX_DEFAULT */
	bool failed;
};

#define BUF_MAX_DEFAULT ((size_t)1 << 30)

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);		/* frees; b may be used again */
void buf_wipe_done(struct buf *b);	/* zeroes, then frees: for secrets */
void buf_reset(struct buf *b);		/* empties, keeps memory, clears failed */
/* Room for at least n more bytes: where to write, or NULL (failed is set). */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_consume(struct buf *b, size_t n);	/* drops n bytes at the front */

void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_bytes(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);	/* without the NUL */
void buf_cstr(struct buf *b, const char *s);	/* with the NUL */
void buf_fmt(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_put_u32(struct buf *b, size_t pos, uint32_t v); /* overwrite */
/* Terminates with a NUL that does not count; NULL if failed. */
const char *buf_text(struct buf *b);
/* Hands over the NUL-terminated array (caller frees) and empties b. */
char *buf_steal(struct buf *b);

/* Zeroes memory in a way that compilers keep. */
void wipe(void *p, size_t len);
/* Constant-time comparison of equally long secrets. */
bool equal_secret(const void *a, const void *b, size_t len);

#endif
