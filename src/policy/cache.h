/*
 * policy/cache.h - what was decided, found again.
 *
 * Under one version (policy, directory, catalogs, stores), and until the next
 * instant at which a fact or a rule turns, facts and control set follow from
 * who reads and where they are, and a decision from those, the store, what
 * the session states and what its ticket is confirmed for. That is the key.
 * A table holds decisions of one version and one such stretch of time only:
 * asked for another, it is emptied first.
 *
 * What is kept is the caller's, who can keep more than the clearance: all
 * that follows from the key. Pure. Heap, one owner, one thread.
 * Limits: CACHE_VALUES_MAX values, and as many bytes as whoever makes it
 * says; beyond that what was used longest ago, or stands nearest, goes.
 */
#ifndef POLICY_CACHE_H
#define POLICY_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define CACHE_VALUES_MAX 1024
#define CACHE_KEY_MAX 4096	/* bytes; what has a longer key is not kept */

struct cache;

struct cache_key {
	uint64_t version;
	int64_t at_ms;
	int64_t turns_ms;	/* the first turn after at_ms */
	const char *principal;
	const char *const *seen_at;	/* labels, in the order they count */
	size_t n_seen_at;
	const char *store;
	const char *purpose;		/* NULL: none */
	const char *ticket;
	/* What is known of the ticket, by its address: the value kept holds
	 * it, so no other can come to lie there. NULL: nothing. */
	const void *answer;
};

/* drop is called with each value that goes. NULL: out of memory. */
struct cache *cache_new(size_t len_max, void (*drop)(void *value));
void cache_free(struct cache *c);	/* NULL is fine */

/* What was kept, still the cache's; NULL: nothing that holds at k->at_ms. */
void *cache_find(struct cache *c, const struct cache_key *k);
/*
 * Keeps a value of len bytes, decided at k->at_ms, that holds until just
 * before until_ms. Returns 0: it is the cache's now. Else it stays the
 * caller's: ERR_LIMIT (too large, or it holds for no time) or ERR_MEMORY.
 */
int cache_put(struct cache *c, const struct cache_key *k, int64_t until_ms,
    void *value, size_t len);

/* How much is kept. */
size_t cache_values(const struct cache *c);
size_t cache_len(const struct cache *c);

#endif
