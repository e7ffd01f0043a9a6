/*
 * Two directories make different sessions, so these cannot be compared one
 * by one: of each cell it is the most that any session of each version shows.
 * Cells are the same if their store, table, residence and column are; those
 * of one version alone are none of the other's.
 */
#include "cli/version_diff.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"
#include "cli/changes.h"
#include "cli/policy.h"
#include "cli/say.h"
#include "cli/survey.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "policy/memo.h"

#define NOWHERE SIZE_MAX

struct side {
	const struct config *config;
	struct survey survey;
	struct memo *memo;
	uint8_t *most;			/* of whoever is looked at */
	size_t *other;			/* the same cell's index over there */
	struct cell_change *cells;
	size_t next;			/* in survey.ids */
};

static bool
same_cell(const struct side *x, const struct reach_cell *a,
    const struct side *y, const struct reach_cell *b)
{
	const struct reach_space *s = &x->survey.space, *t = &y->survey.space;

	return strcmp(s->stores[a->store].name, t->stores[b->store].name) ==
	    0 && strcmp(reach_table(s, a)->full, reach_table(t, b)->full) ==
	    0 && strcmp(reach_residence(s, a), reach_residence(t, b)) == 0 &&
	    strcmp(reach_column(s, a)->name, reach_column(t, b)->name) == 0;
}

/* Mostly they are at the same place, or a little off. */
static int
match(struct side *x, const struct side *y)
{
	size_t i, k, at, n = y->survey.space.n_cells, from = 0;

	x->other = arena_array(x->survey.a, x->survey.space.n_cells + 1,
	    sizeof(*x->other));
	if (x->other == NULL)
		return ERR_MEMORY;
	for (i = 0; i < x->survey.space.n_cells; i++) {
		x->other[i] = NOWHERE;
		for (k = 0; k < n; k++) {
			at = (from + k) % n;
			if (!same_cell(x, &x->survey.space.cells[i], y,
			    &y->survey.space.cells[at]))
				continue;
			x->other[i] = at;
			from = at + 1;
			break;
		}
	}
	return 0;
}

static int
side_init(struct side *x, int64_t at_ms, struct why *w)
{
	const struct policy *policies[] = { x->config->policy };
	size_t n;
	int r;

	if ((r = survey_init(&x->survey, x->config, policies, 1, at_ms,
	    w)) != 0)
		return r;
	n = x->survey.space.n_cells;
	x->most = arena_alloc(x->survey.a, n + 1);
	x->cells = arena_array(x->survey.a, n + 1, sizeof(*x->cells));
	if (x->most == NULL || x->cells == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if ((r = memo_new(&x->survey.space, x->config->policy,
	    &x->memo)) != 0)
		return why_set(w, r, 0, 0, "%s", err_text(r));
	return 0;
}

static int
take(void *arg, const struct reach_session *q)
{
	struct side *x = arg;
	struct survey *s = &x->survey;
	size_t i;
	int r;

	if ((r = memo_levels(x->memo, q, s->levels)) != 0)
		return r;
	for (i = 0; i < s->space.n_cells; i++)
		if (s->levels[i] > x->most[i])
			x->most[i] = s->levels[i];
	return 0;
}

/* Nothing of somebody who is not there. */
static int
look(struct side *x, const char *id, bool is_there)
{
	memset(x->most, 0, x->survey.space.n_cells);
	return is_there ? reach_each(x->config->directory,
	    &x->survey.sessions, id, x->survey.at_ms, take, x) : 0;
}

static void
compare(struct side *x, struct side *y)
{
	size_t i;

	memset(x->cells, 0, x->survey.space.n_cells * sizeof(*x->cells));
	for (i = 0; i < x->survey.space.n_cells; i++)
		if (x->other[i] == NOWHERE)
			x->cells[i].before = x->most[i];
	memset(y->cells, 0, y->survey.space.n_cells * sizeof(*y->cells));
	for (i = 0; i < y->survey.space.n_cells; i++) {
		y->cells[i].after = y->most[i];
		if (y->other[i] != NOWHERE)
			y->cells[i].before = x->most[y->other[i]];
	}
}

static int
say_one(struct side *x, struct side *y, const char *id, bool is_there,
    struct buf *out, size_t *changed)
{
	const struct side *of = is_there ? y : x;
	const struct principal *who;
	int r;

	compare(x, y);
	if (!changes_any(x->cells, x->survey.space.n_cells) &&
	    !changes_any(y->cells, y->survey.space.n_cells))
		return 0;
	(*changed)++;
	if ((r = directory_principal(of->config->directory, id,
	    of->survey.at_ms, of->survey.a, &who)) != 0)
		return r;
	say_principal(out, who);
	buf_str(out, "\n");
	if ((r = changes_say(&x->survey.space, x->cells, x->survey.scratch,
	    out)) != 0)
		return r;
	return changes_say(&y->survey.space, y->cells, y->survey.scratch,
	    out);
}

/* Both lists of principals are sorted. */
static int
walk(struct side *x, struct side *y, struct buf *out)
{
	size_t changed = 0, all = 0;
	const char *id;
	int cmp, r;

	while (x->next < x->survey.n_ids || y->next < y->survey.n_ids) {
		cmp = x->next == x->survey.n_ids ? 1 :
		    y->next == y->survey.n_ids ? -1 :
		    strcmp(x->survey.ids[x->next], y->survey.ids[y->next]);
		id = cmp <= 0 ? x->survey.ids[x->next] :
		    y->survey.ids[y->next];
		if ((r = look(x, id, cmp <= 0)) != 0 ||
		    (r = look(y, id, cmp >= 0)) != 0 ||
		    (r = say_one(x, y, id, cmp >= 0, out, &changed)) != 0)
			return r;
		x->next += cmp <= 0;
		y->next += cmp >= 0;
		all++;
	}
	buf_fmt(out, "%zu of %zu principals gain or lose something\n",
	    changed, all);
	return 0;
}

static int
diff_all(const struct config *before, const struct config *after,
    int64_t at_ms, struct buf *out, struct why *w)
{
	struct side x = { .config = before }, y = { .config = after };
	int r;

	if ((r = side_init(&x, at_ms, w)) == 0 &&
	    (r = side_init(&y, at_ms, w)) == 0 &&
	    ((r = match(&x, &y)) != 0 || (r = match(&y, &x)) != 0 ||
	    (r = walk(&x, &y, out)) != 0))
		(void)why_set(w, r, 0, 0, "%s", err_text(r));
	memo_free(x.memo);
	memo_free(y.memo);
	survey_done(&x.survey);
	survey_done(&y.survey);
	return r;
}

static bool
same_stores(const struct config *x, const struct config *y)
{
	struct change_count c = { 0, 0, 0 };

	version_count_stores(x, y, &c);
	return c.added + c.removed + c.changed == 0;
}

int
version_diff(const struct config *before, const struct config *after,
    int64_t at_ms, struct buf *out, struct why *w)
{
	memset(w, 0, sizeof(*w));
	if (strcmp(before->directory_text.sha256,
	    after->directory_text.sha256) == 0 && same_stores(before, after))
		return policy_diff_words(after, before->policy,
		    after->policy, at_ms, out, w);
	return diff_all(before, after, at_ms, out, w);
}
