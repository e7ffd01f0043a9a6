/*
 * Texts and lists. A list may stand as one value, as a list, or as $name of
 * one of the sets, also inside a list.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/control.h"
#include "policy/load.h"

#define TEXT_MAX 1000
#define NAMES_MAX 100000	/* of one list, sets written out */

void *
rules_take(struct load *l, void *p)
{
	if (p == NULL && l->in.result == 0)
		l->in.result = why_set(l->in.why, ERR_MEMORY, 0, 0,
		    "out of memory");
	return p;
}

const char *
rules_text(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n), *p;

	if (s == NULL)
		return NULL;
	for (p = s; *p != 0; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			break;
	if (*p != 0 || p == s || p - s > TEXT_MAX) {
		(void)yaml_fail(&l->in, n, "text of 1 to %d bytes without line "
		    "ends or other control characters is wanted here",
		    TEXT_MAX);
		return NULL;
	}
	return s;
}

void
rules_check_text(struct load *l, const struct yaml_node *n)
{
	(void)rules_text(l, n);
}

void
rules_check_label(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n);
	size_t len;

	if (s == NULL)
		return;
	len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");
	if (strcmp(s, CONTROL_UNKNOWN) == 0)
		(void)yaml_fail(&l->in, n, "\"unknown\" is reserved: what is "
		    "not known permits nothing and is always forbidden");
	else if (len < 1 || len > 32 || s[len] != 0)
		(void)yaml_fail(&l->in, n, "\"%.40s\" is not a label: 1 to 32 "
		    "of A-Z a-z 0-9 _ -", s);
}

void
rules_check_table(struct load *l, const struct yaml_node *n)
{
	const char *s = rules_text(l, n), *dot;

	if (s == NULL)
		return;
	dot = strchr(s, '.');
	if (dot == NULL || dot == s || dot[1] == 0 ||
	    strchr(dot + 1, '.') != NULL)
		(void)yaml_fail(&l->in, n, "\"%.80s\" is not a table; write "
		    "it as schema.table", s);
}

void
rules_check_kind(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n);

	if (s != NULL && control_kind_of(s) == 0)
		(void)yaml_fail(&l->in, n, "\"%.40s\" is no kind of path; "
		    "known are: location, employment, ownership, formal, "
		    "actual, keeping", s);
}

void
rules_check_purpose(struct load *l, const struct yaml_node *n)
{
	const char *s = rules_text(l, n);

	if (s != NULL && (l->p->purposes.n == 0 ||
	    !names_match(&l->p->purposes, s)))
		(void)yaml_fail(&l->in, n, "\"%.80s\" is not among the "
		    "policy's purposes; add it there or correct it", s);
}

bool
rules_is_set(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && n->text[0] == '$';
}

/* The list that $name stands for. */
static const struct yaml_node *
find_set(struct load *l, const struct yaml_node *n, size_t *ret_file)
{
	const struct yaml_node *set;
	size_t i;

	for (i = 0; i < l->n_files; i++)
		if ((set = yaml_get(l->files[i].sets, n->text + 1)) != NULL) {
			*ret_file = i;
			return set;
		}
	(void)yaml_fail(&l->in, n, "there is no set \"%.80s\"; add it under "
	    "\"sets\" or correct the name", n->text + 1);
	return NULL;
}

static size_t
count_items(struct load *l, const struct yaml_node *n)
{
	const struct yaml_node *set;
	size_t i, file, count = 0;

	if (n->kind != YAML_LIST) {
		if (!rules_is_set(n))
			return 1;
		set = find_set(l, n, &file);
		return set == NULL ? 0 : set->n;
	}
	for (i = 0; i < n->n && l->in.result == 0; i++)
		count += n->items[i]->kind == YAML_LIST ? 1 :
		    count_items(l, n->items[i]);
	return count;
}

/* A value of a set is wrong where it stands, perhaps in another file. */
static void
add_set(struct load *l, const struct yaml_node *n, rules_check *check,
    const char **items, size_t *count)
{
	const struct yaml_node *set;
	size_t i, file, here = l->file;

	if ((set = find_set(l, n, &file)) == NULL)
		return;
	l->file = file;
	for (i = 0; i < set->n && l->in.result == 0; i++) {
		check(l, set->items[i]);
		items[(*count)++] = set->items[i]->text;
	}
	if (l->in.result == 0)
		l->file = here;
}

static void
add_items(struct load *l, const struct yaml_node *n, rules_check *check,
    const char **items, size_t *count)
{
	if (rules_is_set(n)) {
		add_set(l, n, check, items, count);
		return;
	}
	check(l, n);
	if (l->in.result == 0)
		items[(*count)++] = n->text;
}

struct names
rules_names(struct load *l, const struct yaml_node *n, rules_check *check)
{
	struct names names = {.items = NULL};
	const char **items;
	size_t i, count;

	if (n == NULL || l->in.result != 0)
		return names;
	count = count_items(l, n);
	if (l->in.result == 0 && count == 0)
		(void)yaml_fail(&l->in, n, "an empty list matches nothing; "
		    "leave the key out if it is not a condition");
	if (l->in.result == 0 && count > NAMES_MAX)
		(void)yaml_fail(&l->in, n, "a list has at most %d values",
		    NAMES_MAX);
	items = rules_take(l, arena_array(l->in.arena, count, sizeof(*items)));
	if (n->kind != YAML_LIST && l->in.result == 0)
		add_items(l, n, check, items, &names.n);
	else
		for (i = 0; i < n->n && l->in.result == 0; i++)
			add_items(l, n->items[i], check, items, &names.n);
	names.items = items;
	names.set = true;
	return names;
}

unsigned
rules_kinds(struct load *l, const struct yaml_node *n)
{
	struct names names = rules_names(l, n, rules_check_kind);
	unsigned kinds = 0;
	size_t i;

	for (i = 0; l->in.result == 0 && i < names.n; i++)
		kinds |= control_kind_of(names.items[i]);
	return kinds;
}
