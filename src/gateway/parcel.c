/*
 * Format: for each item a u32 length of its name, the name, a u8 that is 1
 * if there is such a file, and then a u64 length and the bytes.
 */
#include "gateway/parcel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

struct item {
	struct item *next;
	char *name;
	uint8_t *data;		/* NULL: there is no such file */
	size_t len;
};

struct parcel {
	struct item *first;
	struct item **tail;
	size_t n;
};

struct parcel *
parcel_new(void)
{
	struct parcel *b = calloc(1, sizeof(*b));

	if (b != NULL)
		b->tail = &b->first;
	return b;
}

static void
item_free(struct item *i)
{
	if (i == NULL)
		return;
	if (i->data != NULL)
		wipe(i->data, i->len);
	free(i->data);
	free(i->name);
	free(i);
}

void
parcel_free(struct parcel *b)
{
	struct item *i;

	if (b == NULL)
		return;
	while ((i = b->first) != NULL) {
		b->first = i->next;
		item_free(i);
	}
	free(b);
}

static const struct item *
find(const struct parcel *b, const char *name)
{
	const struct item *i;

	for (i = b->first; i != NULL; i = i->next)
		if (strcmp(i->name, name) == 0)
			return i;
	return NULL;
}

static int
add(struct parcel *b, const char *name, const void *data, size_t len)
{
	struct item *i;

	if (find(b, name) != NULL)
		return 0;
	if (b->n == PARCEL_ITEMS_MAX || strlen(name) > PARCEL_NAME_MAX)
		return ERR_LIMIT;
	if ((i = calloc(1, sizeof(*i))) == NULL ||
	    (i->name = strdup(name)) == NULL ||
	    (data != NULL && (i->data = malloc(len + 1)) == NULL)) {
		item_free(i);
		return ERR_MEMORY;
	}
	if (data != NULL) {
		memcpy(i->data, data, len);
		i->data[len] = 0;
		i->len = len;
	}
	*b->tail = i;
	b->tail = &i->next;
	b->n++;
	return 0;
}

int
parcel_add(struct parcel *b, const char *name, const void *data, size_t len)
{
	return add(b, name, data != NULL ? data : "", len);
}

int
parcel_add_absent(struct parcel *b, const char *name)
{
	return add(b, name, NULL, 0);
}

int
parcel_find(const struct parcel *b, const char *name, struct bytes *ret)
{
	const struct item *i = find(b, name);

	if (i == NULL)
		return ERR_CONFLICT;
	if (i->data == NULL)
		return ERR_MISSING;
	*ret = bytes_of(i->data, i->len);
	return 0;
}

int
parcel_encode(const struct parcel *b, struct buf *out)
{
	const struct item *i;

	for (i = b->first; i != NULL; i = i->next) {
		buf_u32(out, (uint32_t)strlen(i->name));
		buf_str(out, i->name);
		buf_u8(out, i->data != NULL);
		if (i->data == NULL)
			continue;
		buf_u64(out, i->len);
		buf_bytes(out, i->data, i->len);
	}
	return out->failed ? ERR_MEMORY : 0;
}

static int
decode_item(struct reader *r, struct parcel *b)
{
	char name[PARCEL_NAME_MAX + 1];
	struct bytes at, data;
	uint32_t name_len;
	uint64_t len;
	uint8_t there;

	if (reader_u32(r, &name_len) != 0 || name_len > PARCEL_NAME_MAX ||
	    reader_bytes(r, name_len, &at) != 0 || reader_u8(r, &there) != 0 ||
	    there > 1 || memchr(at.data, 0, at.len) != NULL)
		return ERR_FORMAT;
	memcpy(name, at.data, at.len);
	name[at.len] = 0;
	if (!there)
		return parcel_add_absent(b, name);
	if (reader_u64(r, &len) != 0 || len > PARCEL_MAX ||
	    reader_bytes(r, (size_t)len, &data) != 0)
		return ERR_FORMAT;
	return parcel_add(b, name, data.data, data.len);
}

int
parcel_decode(struct bytes in, struct parcel **ret)
{
	struct parcel *b = parcel_new();
	struct reader r;
	int e = b == NULL ? ERR_MEMORY : 0;

	reader_init(&r, in.data, in.len);
	while (e == 0 && reader_left(&r) > 0)
		e = decode_item(&r, b);
	if (e == 0) {
		*ret = b;
		b = NULL;	/* now the caller's */
	}
	parcel_free(b);
	return e;
}

int
parcel_write(const struct parcel *b, int fd)
{
	struct buf out;
	size_t at = 0;
	ssize_t n;
	int r;

	buf_init(&out, PARCEL_MAX);
	if ((r = parcel_encode(b, &out)) != 0)
		goto out;
	while (at < out.len && r == 0) {
		n = pwrite(fd, out.data + at, out.len - at, (off_t)at);
		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			r = ERR_IO;
	}
out:
	buf_wipe_done(&out);
	return r;
}

#define CHUNK ((size_t)1 << 20)

int
parcel_read(int fd, struct parcel **ret)
{
	struct buf in;
	uint8_t *p;
	ssize_t n;
	int r = 0;

	buf_init(&in, PARCEL_MAX);
	for (;;) {
		if ((p = buf_reserve(&in, CHUNK)) == NULL) {
			r = ERR_MEMORY;
			break;
		}
		n = pread(fd, p, CHUNK, (off_t)in.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = ERR_IO;
		if (n <= 0)
			break;
		in.len += (size_t)n;
	}
	if (r == 0)
		r = parcel_decode(bytes_of(in.data, in.len), ret);
	buf_wipe_done(&in);
	return r;
}
