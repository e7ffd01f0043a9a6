/*
 * The key is made of the very sets that policy_decide looks at and nothing
 * else, so a condition that is new to rules is in it as soon as it decides.
 */
#include "policy/alike.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/index.h"
#include "policy/rule.h"
#include "policy/who.h"

#define SLOTS (2 * ALIKE_MAX)	/* a power of two */

/* What a key says something of. */
struct of {
	size_t store;
	size_t len;			/* words */
	bool reader;			/* of all their sessions */
	uint64_t hash;
};

struct slot {
	const uint64_t *key;		/* NULL: free */
	const void *value;
	struct of of;
};

struct alike {
	/* The one that it is about, and those about writing. */
	const struct policy *policies[1 + POLICY_WRITES];
	size_t n_policies;
	struct arena *kept, *scratch;
	struct slot *slots;
	size_t n;
	uint64_t *key, *met;
};

int
alike_new(const struct policy *p, size_t n_residences, struct alike **ret)
{
	struct alike *a;
	size_t k, words = 0, most = 0;

	if ((a = calloc(1, sizeof(*a))) == NULL ||
	    (a->kept = arena_new()) == NULL ||
	    (a->scratch = arena_new()) == NULL)
		goto fail;
	a->policies[a->n_policies++] = p;
	for (k = 0; k < POLICY_WRITES; k++)
		if (p->writing[k] != NULL)
			a->policies[a->n_policies++] = p->writing[k];
	for (k = 0; k < a->n_policies; k++) {
		words += index_words(a->policies[k]->index);
		if (index_words(a->policies[k]->index) > most)
			most = index_words(a->policies[k]->index);
	}
	a->slots = calloc(SLOTS, sizeof(*a->slots));
	a->key = arena_array(a->kept, n_residences + 1,
	    words * sizeof(*a->key));
	a->met = arena_array(a->kept, most, sizeof(*a->met));
	if (a->slots == NULL || a->key == NULL || a->met == NULL)
		goto fail;
	*ret = a;
	return 0;
fail:
	alike_free(a);
	return ERR_MEMORY;
}

void
alike_free(struct alike *a)
{
	if (a == NULL)
		return;
	arena_free(a->kept);
	arena_free(a->scratch);
	free(a->slots);
	free(a);
}

/* The sets of one policy's rules; returns where the next one's may begin. */
static uint64_t *
add_sets(struct alike *a, const struct policy *p,
    const struct policy_request *q, const struct of *of, uint64_t *set)
{
	const struct index *x = p->index;
	size_t words = index_words(x), i;
	const uint64_t *first = set;

	if (of->reader)
		index_reader(x, q, a->met, set);
	else
		index_session(x, q, a->met, set);
	for (i = 0; i < q->n_residences; i++) {
		set += words;
		memcpy(set, first, words * sizeof(*set));
		if (of->reader)
			index_cut_relation(x, q, q->residences[i], set);
		else
			index_cut_residence(x, q, q->residences[i], set);
	}
	return set + words;
}

/* The sets of rules that decide. */
static int
make_key(struct alike *a, struct policy_request *q, struct of *of)
{
	uint64_t *set = a->key;
	size_t k;
	int r;

	arena_reset(a->scratch);
	if ((r = who_decide(a->policies[0], q, a->scratch)) != 0)
		return r;
	for (k = 0; k < a->n_policies; k++)
		set = add_sets(a, a->policies[k], q, of, set);
	of->len = (size_t)(set - a->key);
	return 0;
}

static uint64_t
hash_of(const uint64_t *key, const struct of *of)
{
	uint64_t h = 2 * of->store + of->reader + 1;
	size_t i;

	for (i = 0; i < of->len; i++) {
		h = (h ^ key[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

/* The slot of the key, or the free one where it would be. */
static struct slot *
lookup(const struct alike *a, const struct of *of)
{
	size_t i = (size_t)of->hash & (SLOTS - 1);
	struct slot *s;

	for (;; i = (i + 1) & (SLOTS - 1)) {
		s = &a->slots[i];
		if (s->key == NULL || (s->of.hash == of->hash &&
		    s->of.store == of->store && s->of.reader == of->reader &&
		    s->of.len == of->len &&
		    memcmp(s->key, a->key, of->len * sizeof(*a->key)) == 0))
			return s;
	}
}

static int
place_of(struct alike *a, const struct policy_request *q, struct of of,
    const void ***ret)
{
	struct policy_request request = *q;
	struct slot *s;
	uint64_t *key;
	int r;

	*ret = NULL;
	request.purpose = request_purpose(a->policies[0], q);
	if ((r = make_key(a, &request, &of)) != 0)
		return r;
	of.hash = hash_of(a->key, &of);
	s = lookup(a, &of);
	if (s->key == NULL) {
		if (a->n == ALIKE_MAX)
			return 0;
		if ((key = arena_array(a->kept, of.len,
		    sizeof(*key))) == NULL)
			return ERR_MEMORY;
		memcpy(key, a->key, of.len * sizeof(*key));
		*s = (struct slot){ .key = key, .of = of };
		a->n++;
	}
	*ret = &s->value;
	return 0;
}

int
alike_find(struct alike *a, const struct policy_request *q, size_t store,
    const void ***ret)
{
	return place_of(a, q, (struct of){ .store = store }, ret);
}

int
alike_reader(struct alike *a, const struct policy_request *q, size_t store,
    const void ***ret)
{
	return place_of(a, q, (struct of){ .store = store, .reader = true },
	    ret);
}
