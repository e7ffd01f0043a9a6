#include "gateway/login_lines.h"

#include <string.h>

#include "base/arena.h"

struct lines {			/* one text, and who reads it */
	const struct login_files *files;
	struct arena *arena;
	struct why *why;
	const char *name;	/* NULL: the rule file */
	const char *at, *end;
	char *line;		/* room for any of its lines */
	unsigned next;		/* number of the line at `at` */
	unsigned number;	/* of the one being read, in the rule file */
	unsigned depth;
	size_t *n_words;	/* of all files */
};

void *
login_grown(struct arena *a, void *array, size_t n, size_t size)
{
	void *more;

	if ((n & (n - 1)) != 0)
		return array;	/* grows at 0, 1, 2, 4, 8, ... */
	more = arena_array(a, n == 0 ? 1 : 2 * n, size);
	if (more != NULL && n > 0)
		memcpy(more, array, n * size);
	return more;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line with those that it goes on in: 1; 0 at the end. */
static int
next_line(struct lines *l, char **ret)
{
	const char *from, *stop;
	char *out = l->line;
	bool more = true;

	if (l->at == l->end)
		return 0;
	*ret = out;
	if (l->name == NULL)
		l->number = l->next;
	while (more && l->at < l->end) {
		from = l->at;
		stop = memchr(from, '\n', (size_t)(l->end - from));
		l->at = stop != NULL ? stop + 1 : l->end;
		if (stop == NULL)
			stop = l->end;
		while (stop > from && stop[-1] == '\r')
			stop--;
		if ((more = stop > from && stop[-1] == '\\'))
			stop--;
		memcpy(out, from, (size_t)(stop - from));
		out += stop - from;
		l->next++;
	}
	*out = 0;
	return 1;
}

/*
 * The next word of a line: 1, or 0 if there is none. *ret_more: a comma
 * stands right behind it, so the field has another.
 */
static int
next_word(struct lines *l, char **at, struct login_word *ret, bool *ret_more)
{
	char *in = *at, *out;
	bool open = false, found = false;

	*ret_more = false;
	while (is_blank(*in) || *in == ',')
		in++;
	ret->text = out = in;	/* a word is never longer than as written */
	ret->quoted = false;
	for (; *in != 0 && (open || !is_blank(*in)); in++) {
		if (!open && *in == '#') {
			in += strlen(in);
			break;
		}
		if (!open && *in == ',') {
			*ret_more = true;
			in++;
			break;
		}
		if (*in != '"') {
			*out++ = *in;
		} else if (open && in[1] == '"') {
			*out++ = '"';
			in++;
		} else {
			open = !open;
			found = true;
			if (out == ret->text)
				ret->quoted = true;
		}
	}
	if (open)
		return why_set(l->why, ERR_FORMAT, l->number, 0, "a quote is "
		    "not closed in its line; write another \"");
	*at = in;
	if (!found && out == ret->text)
		return 0;
	if ((ret->text = arena_strn(l->arena, ret->text,
	    (size_t)(out - ret->text))) == NULL)
		return ERR_MEMORY;
	return 1;
}

static int
add_word(struct lines *l, struct login_field *f, const struct login_word *w)
{
	if (++*l->n_words > LOGIN_WORDS_MAX)
		return why_set(l->why, ERR_LIMIT, l->number, 0,
		    "more than %d words, with those of the files named by @",
		    LOGIN_WORDS_MAX);
	if ((f->words = login_grown(l->arena, f->words, f->n,
	    sizeof(*f->words))) == NULL)
		return ERR_MEMORY;
	f->words[f->n++] = *w;
	return 0;
}

static int add_file(struct lines *l, struct login_field *f, const char *name);

/* The words up to the end of the field; *ret_any: if there was one. */
static int
next_field(struct lines *l, char **at, struct login_field *f, bool *ret_any)
{
	struct login_word w;
	bool more = true;
	int r = 0;

	*ret_any = false;
	while (r == 0 && more && (r = next_word(l, at, &w, &more)) == 1) {
		*ret_any = true;
		r = !w.quoted && w.text[0] == '@' && w.text[1] != 0 ?
		    add_file(l, f, w.text + 1) : add_word(l, f, &w);
	}
	return r;
}

static int
begin(struct lines *l, const char *text, size_t len)
{
	l->at = text;
	l->end = text + len;
	l->line = arena_alloc(l->arena, len + 1);
	return l->line == NULL ? ERR_MEMORY : 0;
}

/* All words of all lines of a file. */
static int
add_file(struct lines *l, struct login_field *f, const char *name)
{
	struct lines in = *l;
	const char *text;
	char *line;
	size_t len;
	bool any;
	int r;

	if (l->depth >= LOGIN_DEPTH_MAX)
		return why_set(l->why, ERR_LIMIT, l->number, 0, "@%.100s: "
		    "files name each other more than %d deep, or in a circle",
		    name, LOGIN_DEPTH_MAX);
	if ((r = l->files->read(l->files->arg, l->name, name, &in.name, &text,
	    &len)) != 0)
		return r;
	if (memchr(text, 0, len) != NULL)
		return why_set(l->why, ERR_FORMAT, l->number, 0,
		    "@%.100s: a NUL byte is in it", name);
	if ((r = begin(&in, text, len)) != 0)
		return r;
	in.depth++;
	while ((r = next_line(&in, &line)) == 1) {
		do {
			r = next_field(&in, &line, f, &any);
		} while (r == 0 && any);
		if (r != 0)
			return r;
	}
	return r;
}

static int
read_line(struct lines *l, char *text, struct login_line *line)
{
	struct login_field f;
	bool any = true;
	int r = 0;

	line->number = l->number;
	while (r == 0) {
		memset(&f, 0, sizeof(f));
		if ((r = next_field(l, &text, &f, &any)) != 0 || !any)
			break;
		if ((line->fields = login_grown(l->arena, line->fields,
		    line->n, sizeof(f))) == NULL)
			return ERR_MEMORY;
		line->fields[line->n++] = f;
	}
	return r;
}

int
login_lines_read(const char *text, size_t len,
    const struct login_files *files, struct arena *a,
    struct login_line **ret, size_t *ret_n, struct why *w)
{
	size_t n_words = 0, n = 0;
	struct lines l = {.files = files, .arena = a, .why = w, .next = 1,
	    .n_words = &n_words};
	struct login_line *list = NULL, line;
	char *s;
	int r;

	if (memchr(text, 0, len) != NULL)
		return why_set(w, ERR_FORMAT, 0, 0, "a NUL byte is in it");
	if ((r = begin(&l, text, len)) != 0)
		return r;
	while ((r = next_line(&l, &s)) == 1) {
		memset(&line, 0, sizeof(line));
		if ((r = read_line(&l, s, &line)) != 0)
			return r;
		if (line.n == 0)
			continue;
		if ((list = login_grown(a, list, n, sizeof(line))) == NULL)
			return ERR_MEMORY;
		list[n++] = line;
	}
	if (r != 0)
		return r;
	*ret = list;
	*ret_n = n;
	return 0;
}
