#include "import/circles.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "import/draft.h"

#define SHOWN_MAX 10

/* A person on the way up, and the fact that is looked at next. */
struct step {
	size_t item;
	size_t fact;
};

enum colour {
	NEW,
	ON_THE_WAY,
	DONE,
};

struct walk {
	const struct draft *d;
	int64_t at_ms;
	struct findings *f;
	unsigned char *colours;
	struct step *steps;
	size_t n;
};

static void
note_circle(struct walk *w, size_t back_to)
{
	struct buf text;
	size_t i = w->n, shown = 0;

	while (i > 0 && w->steps[i - 1].item != back_to)
		i--;
	buf_init(&text, 0);
	for (i = i > 0 ? i - 1 : 0; i < w->n; i++)
		if (shown++ < SHOWN_MAX)
			buf_fmt(&text, "%s \xe2\x86\x92 ",
			    w->d->items[w->steps[i].item]->id);
	if (shown > SHOWN_MAX)
		buf_fmt(&text, "... (%zu more) \xe2\x86\x92 ",
		    shown - SHOWN_MAX);
	buf_str(&text, w->d->items[back_to]->id);
	if (buf_text(&text) != NULL)
		findings_add(w->f, FINDING_NOTE, NULL, "circle of managers: "
		    "%s; everything that stands behind one of them stands "
		    "behind each", buf_text(&text));
	buf_done(&text);
}

/* One step up from whoever is on top of the stack, or back. */
static void
advance(struct walk *w)
{
	struct step *s = &w->steps[w->n - 1];
	const struct draft_item *it = w->d->items[s->item];
	const struct draft_fact *f;
	const struct draft_item *above;
	size_t to;

	if (s->fact == it->n) {
		w->colours[s->item] = DONE;
		w->n--;
		return;
	}
	f = &it->facts[s->fact++];
	if (f->kind != FACT_MANAGER || f->value == NULL ||
	    !draft_fact_holds(it, f, w->at_ms))
		return;
	if ((above = draft_item_find(w->d, f->value)) == NULL)
		return;
	to = above->number;
	if (w->colours[to] == ON_THE_WAY)
		note_circle(w, to);
	if (w->colours[to] != NEW)
		return;
	w->colours[to] = ON_THE_WAY;
	w->steps[w->n++] = (struct step){to, 0};
}

int
circles_note(const struct draft *d, int64_t at_ms, struct findings *f)
{
	struct walk w = {.d = d, .at_ms = at_ms, .f = f};
	size_t i;
	int r = ERR_MEMORY;

	w.colours = calloc(d->n_items + 1, 1);
	w.steps = calloc(d->n_items + 1, sizeof(*w.steps));
	if (w.colours == NULL || w.steps == NULL)
		goto out;
	for (i = 0; i < d->n_items; i++) {
		if (w.colours[i] != NEW)
			continue;
		w.colours[i] = ON_THE_WAY;
		w.steps[w.n++] = (struct step){i, 0};
		while (w.n > 0)
			advance(&w);
	}
	r = 0;
out:
	free(w.colours);
	free(w.steps);
	return r;
}
