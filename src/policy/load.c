/*
 * From texts to a policy: what each file has of sets, purposes and rules.
 * All names are common to all files, so sets and purposes are read from
 * every file before the first rule is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/bundle.h"
#include "policy/index.h"
#include "policy/load.h"

/* A set is named once, wherever it stands. */
static void
check_set_name(struct load *l, const struct yaml_node *key)
{
	size_t i;

	for (i = 0; i < l->file; i++)
		if (yaml_get(l->files[i].sets, key->text) != NULL)
			(void)yaml_fail(&l->in, key, "there is a set \"%.80s\" "
			    "in %s already; a set is written once", key->text,
			    i == 0 ? "the policy" : l->files[i].name);
}

static void
read_sets(struct load *l, const struct yaml_node *n)
{
	const struct yaml_node *item;
	size_t i, k;

	yaml_any_map(&l->in, n);
	for (i = 0; n != NULL && l->in.result == 0 && i < n->n; i++) {
		check_set_name(l, n->keys[i]);
		yaml_list(&l->in, n->items[i]);
		for (k = 0; l->in.result == 0 && k < n->items[i]->n; k++) {
			item = n->items[i]->items[k];
			if (rules_text(l, item) != NULL && rules_is_set(item))
				(void)yaml_fail(&l->in, item, "a set lists "
				    "values, not other sets");
		}
	}
	l->files[l->file].sets = n;
}

static int
compare_rules(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Rules are told apart by name; of two the later one is wrong. */
static void
fail_twice(struct load *l, const char *name)
{
	const struct yaml_node *rules, *at;
	size_t i, seen = 0;

	for (l->file = 0; l->file < l->n_files; l->file++) {
		rules = yaml_get(l->files[l->file].root, "rules");
		for (i = 0; rules != NULL && i < rules->n; i++) {
			at = yaml_get(rules->items[i], "rule");
			if (strcmp(at->text, name) != 0 || ++seen < 2)
				continue;
			(void)yaml_fail(&l->in, at, "the rule \"%.80s\" is "
			    "there twice; every rule has a name of its own",
			    name);
			return;
		}
	}
}

static void
check_rule_names(struct load *l)
{
	const struct rule *rules = l->p->all;
	size_t i;

	for (i = 1; i < l->p->n_all && l->in.result == 0; i++)
		if (strcmp(rules[i - 1].name, rules[i].name) == 0)
			fail_twice(l, rules[i].name);
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
gather_tickets(struct load *l)
{
	struct policy *p = l->p;
	const char **items;
	size_t i, n = 0, kept = 0;

	items = rules_take(l, arena_array(l->in.arena, p->n_all,
	    sizeof(*items)));
	if (items == NULL)
		return;
	for (i = 0; i < p->n_all; i++)
		if (p->all[i].ticket != NULL)
			items[n++] = p->all[i].ticket;
	qsort(items, n, sizeof(*items), compare_texts);
	for (i = 0; i < n; i++)
		if (kept == 0 || strcmp(items[kept - 1], items[i]) != 0)
			items[kept++] = items[i];
	p->tickets.items = items;
	p->tickets.n = kept;
}

/* The keys of a file, and its sets. */
static void
read_keys(struct load *l)
{
	static const char *const allowed[] = {"policy", "version", "include",
	    "regime", "purposes", "sets", "definitions", "bulk", "rules",
	    NULL};
	const struct yaml_node *root = l->files[l->file].root;
	const char *name, *version;
	bool whole = l->file == 0;

	yaml_map(&l->in, root, allowed);
	name = rules_text(l, whole ? yaml_need(&l->in, root, "policy") :
	    yaml_get(root, "policy"));
	version = rules_text(l, whole ? yaml_need(&l->in, root, "version") :
	    yaml_get(root, "version"));
	if (whole) {
		l->p->name = name;
		l->p->version = version;
	}
	read_sets(l, yaml_get(root, "sets"));
}

/* The purposes of all files; those of several count once. */
static void
read_purposes(struct load *l)
{
	struct names *lists, *all = &l->p->purposes;
	const struct yaml_node *n;
	const char **items;
	size_t i, total = 0;

	lists = rules_take(l, arena_array(l->in.arena, l->n_files,
	    sizeof(*lists)));
	for (l->file = 0; l->in.result == 0; l->file++) {
		n = yaml_get(l->files[l->file].root, "purposes");
		if (n != NULL && !(n->kind == YAML_LIST && n->n == 0))
			lists[l->file] = rules_names(l, n, rules_check_text);
		if (l->in.result != 0)
			return;
		total += lists[l->file].n;
		if (l->file + 1 == l->n_files)
			break;
	}
	items = rules_take(l, arena_array(l->in.arena, total, sizeof(*items)));
	if (l->in.result != 0)
		return;
	*all = (struct names){ .items = items, .set = true };
	for (l->file = 0; l->file < l->n_files; l->file++)
		for (i = 0; i < lists[l->file].n; i++)
			if (!names_match(all, lists[l->file].items[i]))
				items[all->n++] = lists[l->file].items[i];
}

static size_t
count_rules(struct load *l)
{
	const struct yaml_node *n;
	size_t total = 0;

	for (l->file = 0; l->file < l->n_files; l->file++) {
		n = yaml_get(l->files[l->file].root, "rules");
		if (n == NULL && l->file == 0 && l->n_files == 1)
			n = yaml_need(&l->in, l->files[0].root, "rules");
		yaml_list(&l->in, n);
		if (l->in.result != 0)
			return 0;
		total += n != NULL ? n->n : 0;
	}
	return total;
}

static void
read_rules(struct load *l)
{
	const struct yaml_node *n;
	struct policy *p = l->p;
	size_t i, total = count_rules(l);

	if (l->in.result != 0)
		return;
	p->all = rules_take(l, arena_array(l->in.arena, total,
	    sizeof(*p->all)));
	for (l->file = 0; l->file < l->n_files; l->file++) {
		n = yaml_get(l->files[l->file].root, "rules");
		for (i = 0; n != NULL && i < n->n; i++) {
			if (l->in.result != 0)
				return;
			rules_one(l, &p->all[p->n_all++], n->items[i]);
		}
		if (l->in.result != 0)
			return;
	}
	qsort(p->all, p->n_all, sizeof(*p->all), compare_rules);
	check_rule_names(l);
	gather_tickets(l);
}

static void
read_all(struct load *l)
{
	for (l->file = 0; l->file < l->n_files; l->file++) {
		read_keys(l);
		if (l->in.result != 0)
			return;
	}
	read_purposes(l);
	if (l->in.result == 0)
		rules_definitions(l);
	if (l->in.result == 0)
		rules_regime(l);
	if (l->in.result == 0)
		read_rules(l);
}

/* The bundle's files, and how far one is: found by following "include". */
struct follow {
	const struct bundle_file *files;
	size_t n;
	enum { UNSEEN, OPEN, SEEN } *seen;
};

static void follow_one(struct load *l, struct follow *f, size_t i);

static void
follow_include(struct load *l, struct follow *f,
    const struct bundle_include *include)
{
	size_t i, here = l->file;

	for (i = 0; i < f->n; i++)
		if (strcmp(f->files[i].name, include->name) == 0)
			break;
	if (i == f->n)
		(void)yaml_fail(&l->in, include->at, "\"%s\" is not there",
		    include->name);
	else if (f->seen[i] == OPEN)
		(void)yaml_fail(&l->in, include->at, "\"%s\" is included "
		    "within itself; take this line out", include->name);
	else if (f->seen[i] == UNSEEN)
		follow_one(l, f, i);
	if (l->in.result == 0)
		l->file = here;
}

/* Includes nest at most as deep as there are files, which are few. */
static void
follow_one(struct load *l, struct follow *f, size_t i)
{
	struct load_file *file = &l->files[l->n_files];
	const struct bundle_include *list;
	size_t k, n;

	f->seen[i] = OPEN;
	l->file = l->n_files++;
	if (i > 0)
		file->name = f->files[i].name;
	if ((l->in.result = yaml_parse(l->in.arena, f->files[i].text,
	    f->files[i].len, &file->root, l->in.why)) != 0)
		return;
	bundle_includes(&l->in, file->root, f->files[i].name, &list, &n);
	for (k = 0; k < n && l->in.result == 0; k++)
		follow_include(l, f, &list[k]);
	f->seen[i] = SEEN;
}

static void
parse_files(struct load *l, const struct bundle_file *files, size_t n)
{
	struct follow f = { .files = files, .n = n };
	size_t i;

	l->files = rules_take(l, arena_array(l->in.arena, n,
	    sizeof(*l->files)));
	f.seen = rules_take(l, arena_array(l->in.arena, n, sizeof(*f.seen)));
	if (l->in.result != 0)
		return;
	follow_one(l, &f, 0);
	for (i = 0; i < n && l->in.result == 0; i++)
		if (f.seen[i] == UNSEEN)
			(void)yaml_fail(&l->in, NULL, "the bundle has %s, "
			    "which nothing includes", files[i].name);
}

/* Its rules that are about an act; they share what they point to. */
static int
pick(struct policy *p, unsigned act, struct rule **ret, size_t *ret_n)
{
	struct rule *rules = arena_array(p->arena, p->n_all + 1,
	    sizeof(*rules));
	size_t i;

	if (rules == NULL)
		return ERR_MEMORY;
	for (i = *ret_n = 0; i < p->n_all; i++)
		if ((p->all[i].acts & act) != 0)
			rules[(*ret_n)++] = p->all[i];
	*ret = rules;
	return 0;
}

/* What is written is decided as what is read is, by other rules. */
static int
make_writing(struct policy *p)
{
	struct policy *q;
	struct rule *rules;
	size_t k, n;
	int r;

	for (k = 0; k < POLICY_WRITES; k++) {
		if ((r = pick(p, ACT_WRITES(k), &rules, &n)) != 0)
			return r;
		if (n == 0)
			continue;
		if ((q = arena_alloc(p->arena, sizeof(*q))) == NULL)
			return ERR_MEMORY;
		*q = *p;
		memset(q->writing, 0, sizeof(q->writing));
		q->plain = NULL;
		q->rules = rules;
		q->n_rules = n;
		if ((r = index_make(rules, n, p->arena, &q->index)) != 0)
			return r;
		p->writing[k] = q;
	}
	return 0;
}

/*
 * What may be read whatever the record is like. A permit that is for exact
 * records alone takes nothing away from what another permits, so which rules
 * demand one is asked by deciding without them.
 */
static int
make_plain(struct policy *p)
{
	struct policy *q;
	size_t i;

	for (i = 0; i < p->n_rules && !p->rules[i].exact; i++)
		;
	if (i == p->n_rules)
		return 0;
	if ((q = arena_alloc(p->arena, sizeof(*q))) == NULL)
		return ERR_MEMORY;
	*q = *p;
	q->rules = arena_array(p->arena, p->n_rules, sizeof(*q->rules));
	if (q->rules == NULL)
		return ERR_MEMORY;
	for (i = q->n_rules = 0; i < p->n_rules; i++)
		if (!p->rules[i].exact)
			q->rules[q->n_rules++] = p->rules[i];
	p->plain = q;
	return index_make(q->rules, q->n_rules, p->arena, &q->index);
}

const struct policy *
policy_writing(const struct policy *p, enum policy_write k)
{
	return p->writing[k];
}

const struct policy *
policy_plain(const struct policy *p)
{
	return p->plain;
}

int
policy_load(const char *text, size_t len, struct policy **ret, struct why *w)
{
	struct bundle_file one = {"policy", text, len};
	const struct bundle_file *files = &one;
	struct load l = {.in = {.why = w}};
	size_t n = 1;
	int r = ERR_MEMORY;

	if ((l.p = calloc(1, sizeof(*l.p))) == NULL ||
	    (l.p->arena = arena_new()) == NULL) {
		(void)why_set(w, r, 0, 0, "out of memory");
		goto out;
	}
	l.in.arena = l.p->arena;
	if (bundle_is(text, len) && (r = bundle_read(text, len, l.in.arena,
	    &files, &n, w)) != 0)
		goto out;
	parse_files(&l, files, n);
	if (l.in.result == 0)
		read_all(&l);
	if ((r = l.in.result) != 0) {
		if (w != NULL && l.n_files > 0 &&
		    l.files[l.file].name != NULL)
			(void)snprintf(w->file, sizeof(w->file), "%s",
			    l.files[l.file].name);
		goto out;
	}
	if ((r = pick(l.p, ACT_READ, &l.p->rules, &l.p->n_rules)) != 0 ||
	    (r = index_make(l.p->rules, l.p->n_rules, l.p->arena,
	    &l.p->index)) != 0 || (r = make_writing(l.p)) != 0 ||
	    (r = make_plain(l.p)) != 0) {
		(void)why_set(w, r, 0, 0, "out of memory");
		goto out;
	}
	*ret = l.p;
	l.p = NULL;		/* now the caller's */
out:
	policy_free(l.p);
	return r;
}

void
policy_free(struct policy *p)
{
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->n_all; i++)
		if (p->all[i].regex != NULL)
			regfree(p->all[i].regex);
	arena_free(p->arena);
	free(p);
}

const char *
policy_name(const struct policy *p)
{
	return p->name;
}

const char *const *
policy_purposes(const struct policy *p, size_t *ret_n)
{
	*ret_n = p->purposes.n;
	return p->purposes.items;
}

const char *const *
policy_ticket_patterns(const struct policy *p, size_t *ret_n)
{
	*ret_n = p->tickets.n;
	return p->tickets.items;
}

static const struct rule *
find_rule(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_all; i++)
		if (strcmp(p->all[i].name, name) == 0)
			return &p->all[i];
	return NULL;
}

const char *
policy_file_of(const struct policy *p, const char *rule)
{
	const struct rule *r = find_rule(p, rule);

	return r != NULL ? r->file : NULL;
}

bool
policy_rule_exact(const struct policy *p, const char *rule)
{
	const struct rule *r = find_rule(p, rule);

	return r != NULL && r->exact;
}
