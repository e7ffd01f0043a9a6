/*
 * Sets of a few places each; a key belongs into one set. The key is bytes:
 *
 *	answer's address | n_seen_at | each text: a byte, and if it is not
 *	NULL its length and bytes
 *
 * so no two keys have the same. A hash only finds the set; equal is what has
 * equal bytes. Whoever makes hashes collide makes others be decided again,
 * which costs what it would without a table.
 */
#include "policy/cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define WAYS 4
#define SETS (CACHE_VALUES_MAX / WAYS)	/* a power of two */

struct kept {
	uint8_t *key;			/* NULL: free */
	size_t key_len;
	uint64_t hash;
	uint64_t used;			/* when last, by cache->clock */
	int64_t from_ms, until_ms;
	void *value;
	size_t len;
};

struct cache {
	struct kept places[SETS][WAYS];
	void (*drop)(void *value);
	uint64_t version;
	int64_t turns_ms;
	uint64_t clock;
	size_t values, len, len_max;
	size_t hand;			/* the place that goes next for room */
	uint8_t key[CACHE_KEY_MAX];	/* being looked for */
	size_t key_len;
	bool failed;			/* it is too long */
};

struct cache *
cache_new(size_t len_max, void (*drop)(void *value))
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->len_max = len_max;
	c->drop = drop;
	return c;
}

static void
forget(struct cache *c, struct kept *k)
{
	if (k->key == NULL)
		return;
	c->values--;
	c->len -= k->len;
	c->drop(k->value);
	free(k->key);
	memset(k, 0, sizeof(*k));
}

static void
forget_all(struct cache *c)
{
	size_t i;

	for (i = 0; i < CACHE_VALUES_MAX && c->values > 0; i++)
		forget(c, &c->places[i / WAYS][i % WAYS]);
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	forget_all(c);
	free(c);
}

static void
put_bytes(struct cache *c, const void *p, size_t len)
{
	if (c->failed || len > sizeof(c->key) - c->key_len) {
		c->failed = true;
		return;
	}
	if (len > 0)
		memcpy(c->key + c->key_len, p, len);
	c->key_len += len;
}

static void
put_text(struct cache *c, const char *s)
{
	size_t len = s != NULL ? strlen(s) : 0;
	uint8_t is = s != NULL;

	put_bytes(c, &is, sizeof(is));
	if (s == NULL)
		return;
	put_bytes(c, &len, sizeof(len));
	put_bytes(c, s, len);
}

static void
make_key(struct cache *c, const struct cache_key *k)
{
	size_t i;

	c->key_len = 0;
	c->failed = false;
	put_bytes(c, &k->answer, sizeof(k->answer));
	put_bytes(c, &k->n_seen_at, sizeof(k->n_seen_at));
	for (i = 0; i < k->n_seen_at; i++)
		put_text(c, k->seen_at[i]);
	put_text(c, k->principal);
	put_text(c, k->store);
	put_text(c, k->purpose);
	put_text(c, k->ticket);
}

static uint64_t
hash_of(const uint8_t *key, size_t len)
{
	uint64_t h = len, word;
	size_t n;

	for (; len > 0; key += n, len -= n) {
		n = len < sizeof(word) ? len : sizeof(word);
		word = 0;
		memcpy(&word, key, n);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

/* Of another version or another stretch of time nothing stays. */
static void
begin(struct cache *c, const struct cache_key *k)
{
	if (c->version == k->version && c->turns_ms == k->turns_ms)
		return;
	forget_all(c);
	c->version = k->version;
	c->turns_ms = k->turns_ms;
}

static struct kept *
find(struct cache *c, uint64_t hash)
{
	struct kept *set = c->places[hash & (SETS - 1)];
	size_t i;

	for (i = 0; i < WAYS; i++)
		if (set[i].key != NULL && set[i].hash == hash &&
		    set[i].key_len == c->key_len &&
		    memcmp(set[i].key, c->key, c->key_len) == 0)
			return &set[i];
	return NULL;
}

void *
cache_find(struct cache *c, const struct cache_key *k)
{
	struct kept *found;

	begin(c, k);
	make_key(c, k);
	if (c->failed)
		return NULL;
	found = find(c, hash_of(c->key, c->key_len));
	/* Clocks are put back, too. */
	if (found == NULL || k->at_ms < found->from_ms ||
	    k->at_ms >= found->until_ms)
		return NULL;
	found->used = ++c->clock;
	return found->value;
}

/* The place for a key: its own, a free one, or what is used least. */
static struct kept *
place(struct cache *c, uint64_t hash)
{
	struct kept *set = c->places[hash & (SETS - 1)], *best;
	size_t i;

	if ((best = find(c, hash)) != NULL)
		return best;
	for (best = set, i = 1; i < WAYS; i++)
		if (set[i].used < best->used)
			best = &set[i];
	return best;
}

static void
make_room(struct cache *c, size_t len)
{
	while (c->len > c->len_max - len) {
		c->hand = (c->hand + 1) % CACHE_VALUES_MAX;
		forget(c, &c->places[c->hand / WAYS][c->hand % WAYS]);
	}
}

int
cache_put(struct cache *c, const struct cache_key *k, int64_t until_ms,
    void *value, size_t len)
{
	struct kept *to;
	uint64_t hash;
	uint8_t *key;

	begin(c, k);
	make_key(c, k);
	if (until_ms > k->turns_ms)
		until_ms = k->turns_ms;
	if (c->failed || c->key_len > c->len_max ||
	    len > c->len_max - c->key_len || until_ms <= k->at_ms)
		return ERR_LIMIT;
	if ((key = malloc(c->key_len)) == NULL)
		return ERR_MEMORY;
	memcpy(key, c->key, c->key_len);
	hash = hash_of(key, c->key_len);
	to = place(c, hash);
	forget(c, to);
	len += c->key_len;
	make_room(c, len);
	*to = (struct kept){.key = key, .key_len = c->key_len, .hash = hash,
	    .used = ++c->clock, .from_ms = k->at_ms, .until_ms = until_ms,
	    .value = value, .len = len};
	c->values++;
	c->len += len;
	return 0;
}

size_t
cache_values(const struct cache *c)
{
	return c->values;
}

size_t
cache_len(const struct cache *c)
{
	return c->len;
}
