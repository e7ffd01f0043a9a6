/*
 * T? D* C? Z, and N, S, A anywhere; E instead of the rest. The first row is
 * the seal, the others are lines in the order of their names.
 */
#include "gateway/look_read.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "enforce/watch.h"
#include "wire/backend.h"
#include "wire/frame.h"

#define ROW_MAX ((size_t)1 << 16)

static int
take_text(struct look_read *k, struct reader *r, const char **ret)
{
	struct bytes b;
	uint32_t len;

	if (reader_u32(r, &len) != 0 || reader_bytes(r, len, &b) != 0 ||
	    (b.len > 0 && memchr(b.data, 0, b.len) != NULL))
		return ERR_FORMAT;
	k->bytes += b.len;
	if (k->bytes > LOOK_BYTES_MAX)
		return ERR_LIMIT;
	*ret = arena_strn(k->a, (const char *)b.data, b.len);
	return *ret == NULL ? ERR_MEMORY : 0;
}

static int
grow(struct look_read *k)
{
	size_t cap = k->cap > 0 ? 2 * k->cap : 256;
	struct watch_line *more;

	if (cap > LOOK_LINES_MAX)
		return ERR_LIMIT;
	if ((more = realloc(k->lines, cap * sizeof(*more))) == NULL)
		return ERR_MEMORY;
	k->lines = more;
	k->cap = cap;
	return 0;
}

static int
take_row(struct look_read *k, struct bytes body)
{
	struct watch_line line;
	struct reader r;
	uint16_t n;
	int e;

	reader_init(&r, body.data, body.len);
	if (reader_u16(&r, &n) != 0 || n != 2)
		return ERR_FORMAT;
	if ((e = take_text(k, &r, &line.name)) != 0 ||
	    (e = take_text(k, &r, &line.hash)) != 0)
		return e;
	if (reader_left(&r) > 0 || (k->seal == NULL) != (line.name[0] == 0))
		return ERR_FORMAT;
	if (k->seal == NULL) {
		k->seal = line.hash;
		return 0;
	}
	if (k->n > 0 && strcmp(k->lines[k->n - 1].name, line.name) >= 0)
		return ERR_FORMAT;
	if (k->n == k->cap && (e = grow(k)) != 0)
		return e;
	k->lines[k->n++] = line;
	return 0;
}

static int
take_error(struct look_read *k, struct bytes body)
{
	struct backend_error e;

	if (backend_error_read(body, &e) != 0)
		return ERR_FORMAT;
	(void)snprintf(k->why, sizeof(k->why), "%s", e.message);
	return ERR_IO;
}

static int
take_message(struct look_read *k, const struct frame *f)
{
	switch (f->type) {
	case 'D':
		return take_row(k, f->body);
	case 'E':
		return take_error(k, f->body);
	case 'Z':
		k->done = true;
		return k->seal != NULL ? 0 : ERR_FORMAT;
	case 'T':
	case 'C':
	case 'N':
	case 'S':
	case 'A':
		return 0;
	default:
		return ERR_FORMAT;
	}
}

int
look_read(struct look_read *k, const void *data, size_t len,
    size_t *ret_used)
{
	struct reader r;
	struct frame f;
	int e;

	*ret_used = 0;
	while (!k->done && *ret_used < len) {
		reader_init(&r, (const uint8_t *)data + *ret_used,
		    len - *ret_used);
		if ((e = frame_read(&r, ROW_MAX, &f)) == ERR_SHORT)
			return 0;
		if (e != 0 || (e = take_message(k, &f)) != 0)
			return e;
		*ret_used += r.pos;
	}
	return 0;
}
