#include "gateway/texts.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/names.h"

/* FNV-1a: the texts are the client's own, whose session it is that slows. */
static uint64_t
hash(const char *sql, size_t len)
{
	uint64_t h = 14695981039346656037u;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (uint8_t)sql[i]) * 1099511628211u;
	return h;
}

struct meaning *
texts_find(const struct texts *t, const char *sql, size_t len, bool otherwise)
{
	uint64_t h;
	size_t i;

	if (len > TEXT_MAX)
		return NULL;
	h = hash(sql, len);
	for (i = 0; i < TEXTS_MAX; i++)
		if (t->slots[i].meaning != NULL && t->slots[i].hash == h &&
		    t->slots[i].len == len &&
		    t->slots[i].otherwise == otherwise &&
		    memcmp(t->slots[i].sql, sql, len) == 0)
			return meaning_ref(t->slots[i].meaning);
	return NULL;
}

static void
forget(struct texts *t, size_t i)
{
	meaning_unref(t->slots[i].meaning);
	free(t->slots[i].sql);
	memset(&t->slots[i], 0, sizeof(t->slots[i]));
}

void
texts_add(struct texts *t, struct meaning *m, const char *sql, size_t len,
    bool otherwise)
{
	size_t i = t->next;

	if (len > TEXT_MAX)
		return;
	forget(t, i);
	if ((t->slots[i].sql = malloc(len + 1)) == NULL)
		return;
	memcpy(t->slots[i].sql, sql, len);
	t->slots[i].len = len;
	t->slots[i].hash = hash(sql, len);
	t->slots[i].otherwise = otherwise;
	t->slots[i].meaning = meaning_ref(m);
	t->next = (i + 1) % TEXTS_MAX;
}

void
texts_done(struct texts *t)
{
	size_t i;

	for (i = 0; i < TEXTS_MAX; i++)
		forget(t, i);
	t->next = 0;
}
