#include "import/table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/csv.h"
#include "base/text.h"

struct table {
	struct csv *csv;
	struct arena *arena;		/* names of columns */
	const char **names;
	size_t n;
	struct entry e;
	entry_fn *fn;
	void *arg;
	struct why *why;		/* during a call */
};

static int
fail(struct table *t, const char *text)
{
	return why_set(t->why, ERR_FORMAT, (unsigned)csv_row_line(t->csv), 0,
	    "%s", text);
}

static int
read_header(struct table *t, const char *const *fields, size_t n)
{
	const char *name;
	size_t i, k;

	if ((t->names = arena_array(t->arena, n, sizeof(*t->names))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++) {
		name = fields[i];
		if (i == 0 && strncmp(name, "\xef\xbb\xbf", 3) == 0)
			name += 3;
		if (*name == 0 || !text_is_utf8(name, strlen(name)))
			return fail(t, "the first row names the columns; one "
			    "has no name, or one that is not UTF-8");
		for (k = 0; k < i; k++)
			if (strcasecmp(t->names[k], name) == 0)
				return fail(t, "two columns have the same "
				    "name; rename or remove one");
		if ((t->names[i] = arena_str(t->arena, name)) == NULL)
			return ERR_MEMORY;
	}
	t->n = n;
	return 0;
}

static int
on_row(void *arg, const char *const *fields, size_t n)
{
	struct table *t = arg;
	size_t i;
	int r;

	if (t->names == NULL)
		return read_header(t, fields, n);
	if (n != t->n)
		return why_set(t->why, ERR_FORMAT,
		    (unsigned)csv_row_line(t->csv), 0, "this row has %zu "
		    "fields and the header %zu; a field with a comma in it "
		    "stands in quotes", n, t->n);
	entry_reset(&t->e);
	t->e.at.line = (unsigned)csv_row_line(t->csv);
	for (i = 0; i < n; i++)
		if ((r = entry_add(&t->e, t->names[i], fields[i],
		    strlen(fields[i]))) != 0)
			return r;
	return t->fn(t->arg, &t->e);
}

struct table *
table_new(const char *file, entry_fn *fn, void *arg)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	if ((t->csv = csv_new(on_row, t)) == NULL ||
	    (t->arena = arena_new()) == NULL || entry_init(&t->e) != 0) {
		table_free(t);
		return NULL;
	}
	t->e.at.file = file;
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	csv_free(t->csv);
	arena_free(t->arena);
	entry_done(&t->e);
	free(t);
}

/* What the rows' reader says, in words; others have said their own. */
static int
say(struct table *t, int r)
{
	unsigned line = (unsigned)csv_line(t->csv);

	if (r == 0 || t->why->text[0] != 0)
		return r;
	if (r == ERR_FORMAT)
		return why_set(t->why, r, line, 0, "this is not CSV (RFC "
		    "4180): a quote or carriage return stands where none can "
		    "be, or a NUL byte");
	if (r == ERR_SHORT)
		return why_set(t->why, r, line, 0, "the file ends within a "
		    "quoted field; it may have been cut");
	if (r == ERR_LIMIT)
		return why_set(t->why, r, line, 0, "this row is longer than "
		    "%zu bytes or has more than %d fields", CSV_ROW_MAX,
		    CSV_FIELDS_MAX);
	return why_set(t->why, r, 0, 0, "%s", err_text(r));
}

int
table_feed(struct table *t, const void *data, size_t len, struct why *w)
{
	memset(w, 0, sizeof(*w));
	t->why = w;
	return say(t, csv_feed(t->csv, data, len));
}

int
table_end(struct table *t, struct why *w)
{
	int r;

	memset(w, 0, sizeof(*w));
	t->why = w;
	r = say(t, csv_end_open(t->csv));
	if (r == 0 && t->names == NULL)
		return why_set(w, ERR_FORMAT, 0, 0, "the table is empty; its "
		    "first row names the columns");
	return r;
}
