#include "wire/options.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* isspace() of the C locale, which PostgreSQL uses here. */
static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word, unescaped, into the arena; NULL in *ret at the end. */
static int
next_word(const char **in, struct arena *a, char **ret)
{
	const char *p = *in;
	size_t n = 0;
	char *w;

	*ret = NULL;
	while (is_space(*p))
		p++;
	if (*p == 0) {
		*in = p;
		return 0;
	}
	if ((w = arena_alloc(a, strlen(p) + 1)) == NULL)
		return ERR_MEMORY;
	while (*p != 0 && !is_space(*p)) {
		if (*p == '\\' && p[1] != 0)
			p++;
		else if (*p == '\\') {
			p++;
			break;
		}
		w[n++] = *p++;
	}
	*in = p;
	*ret = w;
	return 0;
}

static int
setting(char *word, struct startup_param *ret)
{
	char *eq = strchr(word, '='), *p;

	if (eq == NULL || eq == word)
		return ERR_FORMAT;
	*eq = 0;
	for (p = word; *p != 0; p++)
		if (*p == '-')
			*p = '_';
	ret->name = word;
	ret->value = eq + 1;
	return 0;
}

int
options_split(const char *text, struct arena *a, struct startup_param **ret,
    size_t *ret_n, const char **ret_bad)
{
	struct startup_param *list;
	char *word, *name;
	size_t n = 0;
	int r;

	if ((list = arena_array(a, OPTIONS_MAX, sizeof(*list))) == NULL)
		return ERR_MEMORY;
	for (;;) {
		if ((r = next_word(&text, a, &word)) != 0)
			return r;
		if (word == NULL)
			break;
		if (n == OPTIONS_MAX)
			return ERR_LIMIT;
		*ret_bad = word;
		if (strcmp(word, "-c") == 0) {
			if ((r = next_word(&text, a, &name)) != 0)
				return r;
			if (name == NULL)
				return ERR_FORMAT;
		} else if (word[0] == '-' && word[1] == 'c') {
			name = word + 2;
		} else if (word[0] == '-' && word[1] == '-') {
			name = word + 2;
		} else {
			return ERR_FORMAT;
		}
		if ((r = setting(name, &list[n])) != 0)
			return r;
		n++;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}
