/*
 * ways[table * n + clearance]: 0 if the clearance does not read the table,
 * else 1 + the first clearance that treats it so. Two tables whose rows in
 * this are equal are of one block, and equal numbers in a block are one pane.
 */
#include "enforce/share.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"

struct work {
	const struct share_clearance *all;
	size_t n, n_tables;
	uint32_t *ways;
	struct arena *a;
	struct share *ret;
	size_t cap;
};

static bool
treats_alike(const struct clearance_table *a, const struct clearance_table *b)
{
	size_t n = a->table->n_columns;

	if (a->table->is_public)
		return true;
	if ((a->writes != NULL) != (b->writes != NULL) ||
	    (a->writes != NULL && (a->deletes != b->deletes ||
	    memcmp(a->writes, b->writes, n * sizeof(*a->writes)) != 0)))
		return false;
	return memcmp(a->columns, b->columns, n * sizeof(*a->columns)) == 0;
}

/* Of one table. Few ways are distinct, so each is compared with those. */
static int
find_ways(struct work *w, size_t table)
{
	const struct clearance_table *t;
	uint32_t *row = &w->ways[table * w->n], *firsts;
	size_t i, k, n = 0;

	if ((firsts = arena_array(w->a, w->n + 1, sizeof(*firsts))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < w->n; i++) {
		t = &w->all[i].clearance->tables[table];
		row[i] = 0;
		if (!t->readable)
			continue;
		for (k = 0; k < n; k++)
			if (treats_alike(t, &w->all[firsts[k]].clearance->
			    tables[table]))
				break;
		if (k == n)
			firsts[n++] = (uint32_t)i;
		row[i] = firsts[k] + 1;
	}
	return 0;
}

/* So many panes that none has many readers; a power of two. */
static size_t
parts_for(size_t readers)
{
	size_t n = 1;

	while (readers / n > PANE_LOGINS)
		n *= 2;
	return n;
}

/* By its name, so that a login stays where it is. */
static size_t
part_of(const char *role, size_t parts)
{
	size_t h = 0;

	for (; *role != 0; role++)
		h = h * 31 + (unsigned char)*role;
	return (h ^ h >> 8) % parts;
}

static const char *
written(const struct clearance_table *t, size_t column, enum policy_write k)
{
	if (t->writes == NULL || (t->writes[column] & 1u << k) == 0)
		return "";
	return k == POLICY_INSERT ? "+insert" : "+update";
}

static const char *
pane_text(struct work *w, const struct clearance *shown, size_t part,
    size_t parts)
{
	const struct clearance_table *t;
	struct buf out;
	const char *text;
	size_t i, k;

	buf_init(&out, 0);
	/* Roles are a server's, so a store's own need its name. */
	buf_fmt(&out, "sworn pane 1\nstore %s\n%zu of %zu\n", shown->store,
	    part, parts);
	for (i = 0; i < shown->n_tables; i++) {
		t = &shown->tables[i];
		if (!t->readable)
			continue;
		buf_fmt(&out, "%s:%s", t->table->full,
		    t->table->is_public ? " public" : "");
		for (k = 0; !t->table->is_public &&
		    k < t->table->n_columns; k++)
			if (t->columns[k] != TREAT_ABSENT)
				buf_fmt(&out, " %s=%s%s%s",
				    t->table->columns[k].name,
				    treatment_text(t->columns[k]),
				    written(t, k, POLICY_INSERT),
				    written(t, k, POLICY_UPDATE));
		buf_str(&out, t->deletes ? " delete\n" : "\n");
	}
	text = buf_text(&out) == NULL ? NULL :
	    arena_str(w->a, buf_text(&out));
	buf_done(&out);
	return text;
}

/* The clearance that a pane is made from: a block's tables as `first` reads
 * them, whose rows the session's login decides. */
static int
pane_shown(struct work *w, const struct clearance *first, size_t block,
    const size_t *block_of, struct clearance *ret, size_t *ret_n)
{
	struct clearance_table *tables;
	size_t i;

	tables = arena_array(w->a, w->n_tables, sizeof(*tables));
	if (tables == NULL)
		return ERR_MEMORY;
	*ret_n = 0;
	for (i = 0; i < w->n_tables; i++) {
		tables[i] = first->tables[i];
		tables[i].residences = NULL;
		tables[i].n_residences = 0;
		tables[i].readable = block_of[i] == block;
		*ret_n += tables[i].readable;
	}
	*ret = (struct clearance){ .store = first->store,
	    .catalog = first->catalog, .tables = tables,
	    .n_tables = w->n_tables };
	return 0;
}

static struct share_pane *
new_pane(struct work *w)
{
	struct share_pane *more;

	if (w->ret->n == w->cap) {
		w->cap = w->cap == 0 ? 64 : 2 * w->cap;
		more = arena_array(w->a, w->cap, sizeof(*more));
		if (more == NULL)
			return NULL;
		if (w->ret->n > 0)
			memcpy(more, w->ret->panes,
			    w->ret->n * sizeof(*more));
		w->ret->panes = more;
	}
	return &w->ret->panes[w->ret->n];
}

/* The panes of one block that show it as clearance `first` does. */
static int
add_panes(struct work *w, size_t first, size_t block, const size_t *block_of)
{
	const uint32_t *row = &w->ways[block * w->n];
	struct share_pane *p, all = {0};
	size_t i, part, parts, readers = 0;
	int r;

	for (i = first; i < w->n; i++)
		readers += row[i] == row[first];
	parts = parts_for(readers);
	if ((r = pane_shown(w, w->all[first].clearance, block, block_of,
	    &all.shown, &all.n_tables)) != 0)
		return r;
	for (part = 0; part < parts; part++) {
		if ((p = new_pane(w)) == NULL)
			return ERR_MEMORY;
		*p = all;
		p->readers = arena_array(w->a, readers, sizeof(*p->readers));
		p->text = pane_text(w, &p->shown, part, parts);
		if (p->readers == NULL || p->text == NULL)
			return ERR_MEMORY;
		for (i = first; i < w->n; i++)
			if (row[i] == row[first] && part_of(w->all[i].role,
			    parts) == part)
				p->readers[p->n_readers++] = i;
		w->ret->n += p->n_readers > 0;
	}
	return 0;
}

static int
find_blocks(struct work *w, size_t *block_of)
{
	size_t len = w->n * sizeof(*w->ways), t, k;
	int r;

	for (t = 0; t < w->n_tables; t++) {
		if ((r = find_ways(w, t)) != 0)
			return r;
		for (k = 0; k < t; k++)
			if (block_of[k] == k && memcmp(&w->ways[k * w->n],
			    &w->ways[t * w->n], len) == 0)
				break;
		block_of[t] = k;
	}
	return 0;
}

int
share_make(const struct share_clearance *all, size_t n, struct arena *a,
    struct share *ret)
{
	struct work w = { .all = all, .n = n, .a = a, .ret = ret };
	size_t *block_of, t, i;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (n == 0)
		return 0;
	w.n_tables = all[0].clearance->n_tables;
	w.ways = arena_array(a, w.n_tables * n + 1, sizeof(*w.ways));
	block_of = arena_array(a, w.n_tables + 1, sizeof(*block_of));
	if (w.ways == NULL || block_of == NULL)
		return ERR_MEMORY;
	if ((r = find_blocks(&w, block_of)) != 0)
		return r;
	for (t = 0; t < w.n_tables; t++)
		for (i = 0; i < n && block_of[t] == t; i++)
			if (w.ways[t * n + i] == i + 1 &&
			    (r = add_panes(&w, i, t, block_of)) != 0)
				return r;
	return 0;
}
