/*
 * The key is made of the very sets that policy_decide looks at and nothing
 * else, so a condition that is new to rules is in it as soon as it decides.
 */
#include "policy/memo.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/directory.h"
#include "policy/index.h"
#include "policy/rule.h"
#include "policy/who.h"

#define SLOTS (2 * MEMO_MAX)	/* a power of two */

struct answer {
	const uint64_t *key;
	const uint8_t *shown;		/* of the store's cells */
	uint64_t hash;
	size_t store;
};

struct memo {
	const struct reach_space *space;
	const struct policy *policy;
	struct arena *kept, *scratch;
	struct answer *slots;		/* key NULL: free */
	size_t n;
	uint64_t *key, *met;
	uint8_t *levels;		/* of a store, as if all came in */
	size_t *first;			/* cell of each store; and the end */
};

int
memo_new(const struct reach_space *s, const struct policy *p,
    struct memo **ret)
{
	size_t i, most = 0, words = index_words(p->index);
	struct memo *m;

	if ((m = calloc(1, sizeof(*m))) == NULL ||
	    (m->kept = arena_new()) == NULL ||
	    (m->scratch = arena_new()) == NULL)
		goto fail;
	m->space = s;
	m->policy = p;
	for (i = 0; i < s->n_stores; i++)
		if (s->stores[i].n_residences > most)
			most = s->stores[i].n_residences;
	m->slots = calloc(SLOTS, sizeof(*m->slots));
	m->key = arena_array(m->kept, most + 1, words * sizeof(*m->key));
	m->met = arena_array(m->kept, words, sizeof(*m->met));
	m->levels = arena_alloc(m->kept, s->n_cells);
	m->first = arena_array(m->kept, s->n_stores + 1, sizeof(*m->first));
	if (m->slots == NULL || m->key == NULL || m->met == NULL ||
	    m->levels == NULL || m->first == NULL)
		goto fail;
	for (i = s->n_cells; i-- > 0;)
		m->first[s->cells[i].store] = i;
	m->first[s->n_stores] = s->n_cells;
	for (i = s->n_stores; i-- > 0;)		/* stores without cells */
		if (m->first[i] == 0 && (s->n_cells == 0 ||
		    s->cells[0].store != i))
			m->first[i] = m->first[i + 1];
	*ret = m;
	return 0;
fail:
	memo_free(m);
	return ERR_MEMORY;
}

void
memo_free(struct memo *m)
{
	if (m == NULL)
		return;
	arena_free(m->kept);
	arena_free(m->scratch);
	free(m->slots);
	free(m);
}

/* The sets of rules that decide; their number of words. */
static int
make_key(struct memo *m, struct policy_request *q, size_t *ret)
{
	const struct index *x = m->policy->index;
	size_t words = index_words(x), i;
	uint64_t *set = m->key;
	int r;

	if ((r = who_decide(m->policy, q, m->scratch)) != 0)
		return r;
	index_session(x, q, m->met, set);
	for (i = 0; i < q->n_residences; i++) {
		set += words;
		memcpy(set, m->key, words * sizeof(*set));
		index_cut_residence(x, q, q->residences[i], set);
	}
	*ret = (1 + q->n_residences) * words;
	return 0;
}

static uint64_t
hash_of(const uint64_t *key, size_t n, size_t store)
{
	uint64_t h = store + 1;
	size_t i;

	for (i = 0; i < n; i++) {
		h = (h ^ key[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

/* The answer under the key, or the free slot where it would be. */
static struct answer *
find(const struct memo *m, size_t n, size_t store, uint64_t hash)
{
	size_t i = (size_t)hash & (SLOTS - 1);
	struct answer *a;

	for (;; i = (i + 1) & (SLOTS - 1)) {
		a = &m->slots[i];
		if (a->key == NULL || (a->hash == hash && a->store == store &&
		    memcmp(a->key, m->key, n * sizeof(*m->key)) == 0))
			return a;
	}
}

/* Keeps the levels of a store while there is room. */
static int
keep(struct memo *m, struct answer *a, size_t n, size_t store, uint64_t hash)
{
	size_t cells = m->first[store + 1] - m->first[store];
	uint64_t *key;
	uint8_t *shown;

	if (m->n == MEMO_MAX)
		return 0;
	key = arena_array(m->kept, n, sizeof(*key));
	shown = arena_alloc(m->kept, cells + 1);
	if (key == NULL || shown == NULL)
		return ERR_MEMORY;
	memcpy(key, m->key, n * sizeof(*key));
	memcpy(shown, m->levels, cells);
	*a = (struct answer){key, shown, hash, store};
	m->n++;
	return 0;
}

/* A service has all of a store or nothing of it. */
static bool
is_whole(const uint8_t *shown, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (shown[i] != TREAT_PLAIN)
			return false;
	return true;
}

static int
store_levels(struct memo *m, const struct reach_session *q,
    struct policy_request *request, size_t store, uint8_t *levels)
{
	const struct reach_store *s = &m->space->stores[store];
	size_t cells = m->first[store + 1] - m->first[store], n;
	const uint8_t *shown;
	struct answer *a;
	uint64_t hash;
	int r;

	arena_reset(m->scratch);
	if ((r = make_key(m, request, &n)) != 0)
		return r;
	hash = hash_of(m->key, n, store);
	a = find(m, n, store, hash);
	shown = a->shown;
	if (a->key == NULL) {
		if ((r = reach_shown(m->space, m->policy, request, store,
		    m->scratch, m->levels)) != 0 ||
		    (r = keep(m, a, n, store, hash)) != 0)
			return r;
		shown = m->levels;
	}
	if (q->who->kind != PRINCIPAL_SERVICE ||
	    (reach_has_role(s, q->who->id) && is_whole(shown, cells)))
		memcpy(levels + m->first[store], shown, cells);
	return 0;
}

int
memo_levels(struct memo *m, const struct reach_session *q, uint8_t *levels)
{
	struct policy_request request;
	size_t i;
	int r;

	memset(levels, TREAT_ABSENT, m->space->n_cells);
	for (i = 0; i < m->space->n_stores; i++) {
		if (m->first[i] == m->first[i + 1] ||
		    !reach_possible(&m->space->stores[i], q))
			continue;
		request = reach_request(&m->space->stores[i], q);
		request.purpose = request_purpose(m->policy, &request);
		if (q->purpose != NULL && request.purpose == NULL)
			return 0;
		if ((r = store_levels(m, q, &request, i, levels)) != 0)
			return r;
	}
	return 0;
}
