#include "claim/pgaudit.h"

#include <string.h>

#include "base/arena.h"
#include "base/csv.h"
#include "base/err.h"
#include "base/text.h"

#define PREFIX "AUDIT: "

enum field {
	FIELD_TYPE,		/* SESSION, OBJECT */
	FIELD_STATEMENT,
	FIELD_SUBSTATEMENT,
	FIELD_CLASS,
	FIELD_COMMAND,
	FIELD_OBJECT_TYPE,
	FIELD_OBJECT,
	FIELD_TEXT,
	FIELDS_MIN,
};

struct reading {
	struct arena *arena;
	struct pgaudit *ret;
	unsigned rows;
};

static int
on_row(void *arg, const char *const *f, size_t n)
{
	struct reading *x = arg;

	if (x->rows++ > 0 || n < FIELDS_MIN ||
	    (strcmp(f[FIELD_TYPE], "SESSION") != 0 &&
	    strcmp(f[FIELD_TYPE], "OBJECT") != 0) ||
	    text_u64(f[FIELD_STATEMENT], strlen(f[FIELD_STATEMENT]),
	    &x->ret->statement) != 0)
		return ERR_FORMAT;
	x->ret->class = arena_str(x->arena, f[FIELD_CLASS]);
	x->ret->object = arena_str(x->arena, f[FIELD_OBJECT]);
	x->ret->text = arena_str(x->arena, f[FIELD_TEXT]);
	return x->ret->class == NULL || x->ret->object == NULL ||
	    x->ret->text == NULL ? ERR_MEMORY : 0;
}

int
pgaudit_read(const char *message, struct arena *a, bool *is,
    struct pgaudit *ret)
{
	struct reading x = {a, ret, 0};
	struct csv *c;
	int r;

	*is = text_starts(message, PREFIX);
	if (!*is)
		return 0;
	message += strlen(PREFIX);
	if ((c = csv_new(on_row, &x)) == NULL)
		return ERR_MEMORY;
	if ((r = csv_feed(c, message, strlen(message))) == 0)
		r = csv_end_open(c);
	csv_free(c);
	if (r == ERR_SHORT || (r == 0 && x.rows == 0))
		r = ERR_FORMAT;
	return r;
}
