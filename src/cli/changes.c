#include "cli/changes.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "policy/policy.h"
#include "policy/reach.h"

struct saying {
	const struct reach_space *space;
	const struct cell_change *cells;
	struct arena *scratch;
};

static bool
moves(const struct cell_change *c, unsigned from, unsigned to)
{
	return (c->moves & 1u << (from * 3u + to)) != 0;
}

/*
 * What happens in sessions besides what becomes of the most that any shows.
 * Where all is lost each loses what it had.
 */
static struct cell_change
rest_of(const struct cell_change *c)
{
	struct cell_change rest = *c;

	if (c->before == c->after)
		rest.before = rest.after = TREAT_ABSENT;
	else if (c->after == TREAT_ABSENT)
		rest.moves = 0;
	else
		rest.moves &= (uint16_t)~(1u << (c->before * 3u + c->after));
	return rest;
}

static bool
changes(const struct cell_change *c)
{
	return c->before != c->after || c->moves != 0;
}

/* Whether the same is to be said of both. */
static bool
same_change(const struct cell_change *x, const struct cell_change *y)
{
	struct cell_change a = rest_of(x), b = rest_of(y);

	return a.before == b.before && a.after == b.after &&
	    a.moves == b.moves;
}

static const char *
sessions_text(const struct cell_change *c)
{
	unsigned from, to;
	bool more = false, less = false;

	for (from = TREAT_ABSENT; from <= TREAT_PLAIN; from++)
		for (to = TREAT_ABSENT; to <= TREAT_PLAIN; to++) {
			more |= to > from && moves(c, from, to);
			less |= to < from && moves(c, from, to);
		}
	return more && less ? "in other sessions" : more ?
	    "in more sessions" : "in fewer sessions";
}

/* "in fewer sessions (hidden, was plain; masked, was plain)" */
static void
say_change(const struct cell_change *c, struct buf *out)
{
	static const char *const texts[3][3] = {
		[TREAT_ABSENT] = {"", "gains masked", "gains"},
		[TREAT_MASK] = {"loses masked", "", "gains plain, was masked"},
		[TREAT_PLAIN] = {"loses", "loses plain, now masked", ""},
	};
	static const char *const levels[] = {
		[TREAT_ABSENT] = "hidden", [TREAT_MASK] = "masked",
		[TREAT_PLAIN] = "plain",
	};
	const struct cell_change rest = rest_of(c);
	const char *before = " (";
	unsigned from, to;

	if (c->before == c->after)
		buf_str(out, sessions_text(c));
	else {
		buf_str(out, texts[c->before][c->after]);
		before = " (in some sessions ";
	}
	for (from = TREAT_ABSENT; from <= TREAT_PLAIN; from++)
		for (to = TREAT_ABSENT; to <= TREAT_PLAIN; to++) {
			if (!moves(&rest, from, to))
				continue;
			buf_fmt(out, "%s%s, was %s", before, levels[to],
			    levels[from]);
			before = "; ";
		}
	if (rest.moves != 0)
		buf_str(out, ")");
}

/* The cell after those of the same table and residence. */
static size_t
row_end(const struct reach_space *s, size_t first)
{
	const struct reach_cell *c = s->cells;
	size_t i = first;

	while (i < s->n_cells && c[i].store == c[first].store &&
	    c[i].table == c[first].table &&
	    c[i].residence == c[first].residence)
		i++;
	return i;
}

/* Lines for one table and residence, each a change and its columns. */
static void
say_row(const struct saying *d, size_t first, size_t end, struct buf *out)
{
	const struct reach_space *s = d->space;
	size_t i, k;

	for (i = first; i < end; i++) {
		for (k = first; k < i; k++)
			if (same_change(&d->cells[k], &d->cells[i]))
				break;
		if (k < i || !changes(&d->cells[i]))
			continue;
		buf_str(out, "    ");
		say_change(&d->cells[i], out);
		buf_str(out, ": ");
		for (k = i; k < end; k++)
			if (same_change(&d->cells[k], &d->cells[i]))
				buf_fmt(out, "%s%s", k > i ? ", " : "",
				    reach_column(s, &s->cells[k])->name);
		buf_str(out, "\n");
	}
}

/* What is said of the row where cell i is; NULL when out of memory. */
static const char *
row_text(const struct saying *d, size_t i)
{
	struct buf b;
	const char *text;

	buf_init(&b, 0);
	say_row(d, i, row_end(d->space, i), &b);
	text = buf_text(&b);
	if (text != NULL)
		text = arena_str(d->scratch, text);
	buf_done(&b);
	return text;
}

/* Residences of a table of which the same is said stand together. */
static int
say_table(const struct saying *d, size_t first, size_t end, struct buf *out)
{
	const struct reach_space *s = d->space;
	const char **texts, *comma;
	size_t i, k;

	arena_reset(d->scratch);
	if ((texts = arena_array(d->scratch, end - first,
	    sizeof(*texts))) == NULL)
		return ERR_MEMORY;
	for (i = first; i < end; i = row_end(s, i))
		if ((texts[i - first] = row_text(d, i)) == NULL)
			return ERR_MEMORY;
	for (i = first; i < end; i = row_end(s, i)) {
		for (k = first; strcmp(texts[k - first],
		    texts[i - first]) != 0; k = row_end(s, k))
			continue;
		if (k < i || *texts[i - first] == 0)
			continue;
		buf_fmt(out, "  store %s, %s, residents of ",
		    s->stores[s->cells[i].store].name,
		    reach_table(s, &s->cells[i])->full);
		comma = "";
		for (; k < end; k = row_end(s, k))
			if (strcmp(texts[k - first], texts[i - first]) == 0) {
				buf_fmt(out, "%s%s", comma,
				    reach_residence(s, &s->cells[k]));
				comma = ", ";
			}
		buf_fmt(out, "\n%s", texts[i - first]);
	}
	return 0;
}

bool
changes_any(const struct cell_change *cells, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (changes(&cells[i]))
			return true;
	return false;
}

int
changes_say(const struct reach_space *space,
    const struct cell_change *cells, struct arena *scratch, struct buf *out)
{
	const struct saying d = { space, cells, scratch };
	size_t i, end;
	int r;

	for (i = 0; i < space->n_cells; i = end) {
		for (end = i; end < space->n_cells &&
		    space->cells[end].store == space->cells[i].store &&
		    space->cells[end].table == space->cells[i].table;)
			end = row_end(space, end);
		if ((r = say_table(&d, i, end, out)) != 0)
			return r;
	}
	return 0;
}
