/*
 * Blocks in a list, the newest first; each hands out from its front. A
 * request larger than a block gets a block of its own.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 4096
#define ALIGN _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t used;
	size_t cap;
	max_align_t data[];
};

struct arena {
	struct block *blocks;
};

struct arena *
arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void
arena_reset(struct arena *a)
{
	struct block *b;

	while ((b = a->blocks) != NULL) {
		a->blocks = b->next;
		free(b);
	}
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a);
	free(a);
}

size_t
arena_len(const struct arena *a)
{
	const struct block *b;
	size_t len = sizeof(*a);

	for (b = a->blocks; b != NULL; b = b->next)
		len += sizeof(*b) + b->cap;
	return len;
}

void *
arena_alloc(struct arena *a, size_t len)
{
	struct block *b = a->blocks;
	size_t cap;
	void *p;

	if (len > SIZE_MAX - BLOCK_MIN - sizeof(*b))
		return NULL;
	len = (len + ALIGN - 1) / ALIGN * ALIGN;
	if (b == NULL || b->cap - b->used < len) {
		cap = len > BLOCK_MIN ? len : BLOCK_MIN;
		if ((b = malloc(sizeof(*b) + cap)) == NULL)
			return NULL;
		b->next = a->blocks;
		b->used = 0;
		b->cap = cap;
		a->blocks = b;
	}
	p = (char *)b->data + b->used;
	b->used += len;
	memset(p, 0, len);
	return p;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		return NULL;
	return arena_alloc(a, n * size);
}

char *
arena_strn(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	if (p != NULL && len > 0)
		memcpy(p, s, len);
	return p;
}

char *
arena_str(struct arena *a, const char *s)
{
	return arena_strn(a, s, strlen(s));
}

char *
arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (p = arena_alloc(a, (size_t)n + 1)) == NULL)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap); /* measured above */
	va_end(ap);
	return p;
}
