#include "policy/memo.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/directory.h"
#include "policy/alike.h"
#include "policy/rule.h"

struct memo {
	const struct reach_space *space;
	const struct policy *policy;
	struct arena *kept, *scratch;
	struct alike *alike;		/* what a store's cells show */
	uint8_t *levels;		/* of a store, as if all came in */
	size_t *first;			/* cell of each store; and the end */
};

int
memo_new(const struct reach_space *s, const struct policy *p,
    struct memo **ret)
{
	size_t i, most = 0;
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
	m->levels = arena_alloc(m->kept, s->n_cells);
	m->first = arena_array(m->kept, s->n_stores + 1, sizeof(*m->first));
	if (m->levels == NULL || m->first == NULL ||
	    alike_new(p, most, &m->alike) != 0)
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
	alike_free(m->alike);
	arena_free(m->kept);
	arena_free(m->scratch);
	free(m);
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

/* As decided before, or decided now. */
static int
shown_of(struct memo *m, const struct policy_request *q, size_t store,
    size_t cells, const uint8_t **ret)
{
	const void **known;
	uint8_t *kept;
	int r;

	if ((r = alike_find(m->alike, q, store, &known)) != 0)
		return r;
	if (known != NULL && *known != NULL) {
		*ret = *known;
		return 0;
	}
	arena_reset(m->scratch);
	*ret = m->levels;
	if ((r = reach_shown(m->space, m->policy, q, store, m->scratch,
	    m->levels)) != 0 || known == NULL)
		return r;
	if ((kept = arena_alloc(m->kept, cells)) == NULL)
		return ERR_MEMORY;
	memcpy(kept, m->levels, cells);
	*known = kept;
	return 0;
}

static int
store_levels(struct memo *m, const struct reach_session *q,
    const struct policy_request *request, size_t store, uint8_t *levels)
{
	const struct reach_store *s = &m->space->stores[store];
	size_t cells = m->first[store + 1] - m->first[store];
	const uint8_t *shown;
	int r;

	if ((r = shown_of(m, request, store, cells, &shown)) != 0)
		return r;
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

	if (reach_policy(m->policy, q) != m->policy)
		return reach_levels(m->space, m->policy, q, m->scratch,
		    levels);
	memset(levels, TREAT_ABSENT, m->space->n_cells);
	for (i = 0; i < m->space->n_stores; i++) {
		if (m->first[i] == m->first[i + 1] ||
		    !reach_possible(&m->space->stores[i], q))
			continue;
		request = reach_request(&m->space->stores[i], q);
		if (q->purpose != NULL &&
		    request_purpose(m->policy, &request) == NULL)
			return 0;
		if ((r = store_levels(m, q, &request, i, levels)) != 0)
			return r;
	}
	return 0;
}
