/*
 * sworn policy diff OLD NEW -c FILE [--at TIME]: who gains and who loses
 * what between two policies, over everybody and every session there can be.
 *
 * Of each cell (policy/reach.h) two things are compared: the most that any
 * session shows, and what else becomes of it in single sessions: whether it is
 * hidden or masked where it was plain, where a rule newly asks for a purpose
 * or ticket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/changes.h"
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

struct diff {
	const struct config *config;
	const struct policy *before, *after;
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

		changes_move(c, s->levels[i], d->levels[i]);
		if (s->levels[i] > c->before)
			c->before = s->levels[i];
		if (d->levels[i] > c->after)
			c->after = d->levels[i];
	}
	return 0;
}

static int
say_one(struct diff *d, const char *id, struct buf *out)
{
	const struct principal *who;
	int r;

	if (!changes_any(d->cells, d->survey.space.n_cells))
		return 0;
	d->changed++;
	if ((r = directory_principal(d->config->directory, id,
	    d->survey.at_ms, d->survey.a, &who)) != 0)
		return r;
	say_principal(out, who);
	buf_str(out, "\n");
	return changes_say(&d->survey.space, d->cells, d->survey.scratch,
	    out);
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

int
policy_diff_words(const struct config *c, const struct policy *before,
    const struct policy *after, int64_t at_ms, struct buf *out,
    struct why *w)
{
	const struct policy *policies[] = { before, after };
	struct diff d = { .config = c, .before = before, .after = after };
	int r;

	if ((r = survey_init(&d.survey, c, policies, 2, at_ms, w)) == 0 &&
	    (r = diff_all(&d, out)) != 0)
		(void)why_set(w, r, 0, 0, "%s", err_text(r));
	memo_free(d.memo_before);
	memo_free(d.memo_after);
	survey_done(&d.survey);
	return r;
}

int
cmd_policy_diff(int argc, char **argv)
{
	const char *words[2] = { NULL, NULL }, *file = NULL, *at = NULL;
	const struct option_slot slots[] = {
		{"-c", &file, NULL}, {"--at", &at, NULL}, {NULL, NULL, NULL},
	};
	struct policy *before = NULL, *after = NULL;
	struct config *c = NULL;
	int64_t at_ms;
	struct why w;
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
	    (before = load_policy(words[0])) == NULL ||
	    (after = load_policy(words[1])) == NULL ||
	    options_time(at, &at_ms) != 0)
		goto out;
	if (policy_diff_words(c, before, after, at_ms, &out, &w) != 0)
		(void)fprintf(stderr, "sworn: %s\n", w.text);
	else
		r = say_out(&out);
out:
	buf_done(&out);
	policy_free(before);
	policy_free(after);
	config_free(c);
	return r;
}
