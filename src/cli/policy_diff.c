/*
 * sworn policy diff OLD NEW -c FILE [--at TIME]: who gains and who loses
 * what between two policies, over everybody and every session there can be.
 *
 * Of each cell (policy/reach.h) two things are compared: the most that any
 * session shows, and, where that stays, whether it is shown in more sessions
 * or in fewer: where a rule newly asks for a purpose or ticket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"
#include "cli/load.h"
#include "cli/options.h"
#include "cli/policy.h"
#include "cli/say.h"
#include "cli/survey.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "gateway/policy_file.h"
#include "policy/memo.h"

static const char usage[] = "usage: sworn policy diff OLD NEW -c FILE "
    "[--at TIME]\n";

struct cell_change {
	uint8_t before, after;		/* the most: enum treatment */
	bool more, less;		/* in some session */
};

struct diff {
	const struct config *config;
	struct policy *before, *after;
	struct memo *memo_before, *memo_after;
	struct survey survey;
	uint8_t *levels;		/* a session's, after */
	struct cell_change *cells;	/* of whoever is looked at */
	size_t changed;			/* principals */
};

static int
compare(void *arg, const struct reach_session *q)
{
	struct diff *d = arg;
	struct survey *s = &d->survey;
	size_t i;
	int r;

	if ((r = memo_levels(d->memo_before, q, s->levels)) != 0 ||
	    (r = memo_levels(d->memo_after, q, d->levels)) != 0)
		return r;
	for (i = 0; i < s->space.n_cells; i++) {
		struct cell_change *c = &d->cells[i];

		c->more |= d->levels[i] > s->levels[i];
		c->less |= d->levels[i] < s->levels[i];
		if (s->levels[i] > c->before)
			c->before = s->levels[i];
		if (d->levels[i] > c->after)
			c->after = d->levels[i];
	}
	return 0;
}

/* What becomes of a cell; "" if nothing does. */
static const char *
change_text(const struct cell_change *c)
{
	static const char *const texts[3][3] = {
		[TREAT_ABSENT] = {"", "gains masked", "gains"},
		[TREAT_MASK] = {"loses masked", "", "gains plain, was masked"},
		[TREAT_PLAIN] = {"loses", "loses plain, now masked", ""},
	};

	if (c->before != c->after)
		return texts[c->before][c->after];
	if (c->more && c->less)
		return "in other sessions";
	if (c->more)
		return "in more sessions";
	return c->less ? "in fewer sessions" : "";
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
say_row(const struct diff *d, size_t first, size_t end, struct buf *out)
{
	const struct reach_space *s = &d->survey.space;
	const char *text;
	size_t i, k;

	for (i = first; i < end; i++) {
		text = change_text(&d->cells[i]);
		for (k = first; k < i; k++)
			if (strcmp(change_text(&d->cells[k]), text) == 0)
				break;
		if (*text == 0 || k < i)
			continue;
		buf_fmt(out, "    %s: ", text);
		for (k = i; k < end; k++)
			if (strcmp(change_text(&d->cells[k]), text) == 0)
				buf_fmt(out, "%s%s", k > i ? ", " : "",
				    reach_column(s, &s->cells[k])->name);
		buf_str(out, "\n");
	}
}

/* What is said of the row where cell i is; NULL when out of memory. */
static const char *
row_text(struct diff *d, size_t i)
{
	struct buf b;
	const char *text;

	buf_init(&b, 0);
	say_row(d, i, row_end(&d->survey.space, i), &b);
	text = buf_text(&b);
	if (text != NULL)
		text = arena_str(d->survey.scratch, text);
	buf_done(&b);
	return text;
}

/* Residences of a table of which the same is said stand together. */
static int
say_table(struct diff *d, size_t first, size_t end, struct buf *out)
{
	const struct reach_space *s = &d->survey.space;
	const char **texts, *comma;
	size_t i, k;

	arena_reset(d->survey.scratch);
	if ((texts = arena_array(d->survey.scratch, end - first,
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

static int
say_one(struct diff *d, const char *id, struct buf *out)
{
	const struct reach_space *s = &d->survey.space;
	const struct principal *who;
	size_t i, end;
	int r;

	for (i = 0; i < s->n_cells; i++)
		if (*change_text(&d->cells[i]) != 0)
			break;
	if (i == s->n_cells)
		return 0;
	d->changed++;
	if ((r = directory_principal(d->config->directory, id,
	    d->survey.at_ms, d->survey.a, &who)) != 0)
		return r;
	say_principal(out, who);
	buf_str(out, "\n");
	for (i = 0; i < s->n_cells; i = end) {
		for (end = i; end < s->n_cells &&
		    s->cells[end].store == s->cells[i].store &&
		    s->cells[end].table == s->cells[i].table;)
			end = row_end(s, end);
		if ((r = say_table(d, i, end, out)) != 0)
			return r;
	}
	return 0;
}

static int
diff_all(struct diff *d, struct buf *out)
{
	struct survey *s = &d->survey;
	size_t i, n = s->space.n_cells;
	int r;

	d->levels = arena_alloc(s->a, n);
	d->cells = arena_array(s->a, n, sizeof(*d->cells));
	if (d->levels == NULL || d->cells == NULL)
		return ERR_MEMORY;
	if ((r = memo_new(&s->space, d->before, &d->memo_before)) != 0 ||
	    (r = memo_new(&s->space, d->after, &d->memo_after)) != 0)
		return r;
	for (i = 0; i < s->n_ids; i++) {
		memset(d->cells, 0, n * sizeof(*d->cells));
		if ((r = reach_each(d->config->directory, &s->sessions,
		    s->ids[i], s->at_ms, compare, d)) != 0 ||
		    (r = say_one(d, s->ids[i], out)) != 0)
			return r;
	}
	buf_fmt(out, "%zu of %zu principals gain or lose something\n",
	    d->changed, s->n_ids);
	return 0;
}

static struct policy *
load_policy(const char *path)
{
	struct policy *p = NULL;
	char file[1024];
	struct buf text;
	struct why w;
	int r;

	buf_init(&text, 0);
	if ((r = policy_file_read(path, &text, &w, file)) == 0)
		r = policy_file_load(path, (const char *)text.data, text.len,
		    &p, &w, file);
	if (r != 0 && w.line != 0)
		(void)fprintf(stderr, "%s:%u:%u: %s\n", file, w.line,
		    w.column, w.text);
	else if (r != 0)
		(void)fprintf(stderr, "%s: %s\n", file, w.text);
	buf_done(&text);
	return p;
}

static int
answer(struct diff *d, const char *at, struct buf *out)
{
	const struct policy *policies[] = { d->before, d->after };
	int64_t at_ms;
	struct why w;
	int r;

	if (options_time(at, &at_ms) != 0)
		return 1;
	if (survey_init(&d->survey, d->config, policies, 2, at_ms, &w) != 0) {
		(void)fprintf(stderr, "sworn: %s\n", w.text);
		return 1;
	}
	r = diff_all(d, out);
	return r != 0 ? say_error(r) : say_out(out);
}

int
cmd_policy_diff(int argc, char **argv)
{
	struct diff d = { .config = NULL };
	const char *words[2] = { NULL, NULL }, *file = NULL, *at = NULL;
	const struct option_slot slots[] = {
		{"-c", &file, NULL}, {"--at", &at, NULL}, {NULL, NULL, NULL},
	};
	struct config *c = NULL;
	struct buf out;
	int r;

	if ((r = options_read(argc, argv, slots, words, 2, usage)) != 0)
		return r;
	if (file == NULL) {
		(void)fputs(usage, stderr);
		return 2;
	}
	buf_init(&out, 0);
	r = 1;
	if ((c = load_config(file)) == NULL ||
	    (d.before = load_policy(words[0])) == NULL ||
	    (d.after = load_policy(words[1])) == NULL)
		goto out;
	d.config = c;
	r = answer(&d, at, &out);
out:
	buf_done(&out);
	memo_free(d.memo_before);
	memo_free(d.memo_after);
	survey_done(&d.survey);
	policy_free(d.before);
	policy_free(d.after);
	config_free(c);
	return r;
}
