/*
 * From YAML to rules. A list may stand as one value, as a list, or as $name
 * of one of the sets, also inside a list. Everything that could make a rule
 * silently match nobody (an empty list, a set or purpose that is not there,
 * a pattern that does not compile) is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/control.h"
#include "policy/rule.h"
#include "yaml/yaml.h"

#define TEXT_MAX 1000
#define PATTERN_MAX 500
#define NAMES_MAX 100000	/* of one list, sets written out */

struct load {
	struct yaml_in in;
	struct policy *p;
	const struct yaml_node *sets;	/* a checked map of lists, or NULL */
};

/* Checks one item of a list; fails the load if it is not sound. */
typedef void check_item(struct load *l, const struct yaml_node *n);

static void *
take(struct load *l, void *p)
{
	if (p == NULL && l->in.result == 0)
		l->in.result = why_set(l->in.why, ERR_MEMORY, 0, 0,
		    "out of memory");
	return p;
}

static const char *
read_text(struct load *l, const struct yaml_node *n)
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

static void
check_text(struct load *l, const struct yaml_node *n)
{
	(void)read_text(l, n);
}

static void
check_label(struct load *l, const struct yaml_node *n)
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

static void
check_table(struct load *l, const struct yaml_node *n)
{
	const char *s = read_text(l, n), *dot;

	if (s == NULL)
		return;
	dot = strchr(s, '.');
	if (dot == NULL || dot == s || dot[1] == 0 ||
	    strchr(dot + 1, '.') != NULL)
		(void)yaml_fail(&l->in, n, "\"%.80s\" is not a table; write "
		    "it as schema.table", s);
}

static void
check_kind(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n);

	if (s != NULL && control_kind_of(s) == 0)
		(void)yaml_fail(&l->in, n, "\"%.40s\" is no kind of path; "
		    "known are: location, employment, ownership, formal, "
		    "actual, keeping", s);
}

static void
check_purpose(struct load *l, const struct yaml_node *n)
{
	const char *s = read_text(l, n);

	if (s != NULL && (l->p->purposes.n == 0 ||
	    !names_match(&l->p->purposes, s)))
		(void)yaml_fail(&l->in, n, "\"%.80s\" is not among the "
		    "policy's purposes; add it there or correct it", s);
}

static bool
is_set_name(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && n->text[0] == '$';
}

/* The list that $name stands for. */
static const struct yaml_node *
find_set(struct load *l, const struct yaml_node *n)
{
	const struct yaml_node *set = yaml_get(l->sets, n->text + 1);

	if (set == NULL)
		(void)yaml_fail(&l->in, n, "there is no set \"%.80s\"; add it "
		    "under \"sets\" or correct the name", n->text + 1);
	return set;
}

static size_t
count_items(struct load *l, const struct yaml_node *n)
{
	const struct yaml_node *set;
	size_t i, count = 0;

	if (n->kind != YAML_LIST) {
		if (!is_set_name(n))
			return 1;
		set = find_set(l, n);
		return set == NULL ? 0 : set->n;
	}
	for (i = 0; i < n->n && l->in.result == 0; i++)
		count += n->items[i]->kind == YAML_LIST ? 1 :
		    count_items(l, n->items[i]);
	return count;
}

static void
add_items(struct load *l, const struct yaml_node *n, check_item *check,
    const char **items, size_t *count)
{
	const struct yaml_node *set;
	size_t i;

	if (is_set_name(n)) {
		if ((set = find_set(l, n)) == NULL)
			return;
		for (i = 0; i < set->n && l->in.result == 0; i++) {
			check(l, set->items[i]);
			items[(*count)++] = set->items[i]->text;
		}
		return;
	}
	check(l, n);
	if (l->in.result == 0)
		items[(*count)++] = n->text;
}

static struct names
read_names(struct load *l, const struct yaml_node *n, check_item *check)
{
	struct names names = {NULL, 0, false};
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
	items = take(l, arena_array(l->in.arena, count, sizeof(*items)));
	if (n->kind != YAML_LIST && l->in.result == 0)
		add_items(l, n, check, items, &names.n);
	else
		for (i = 0; i < n->n && l->in.result == 0; i++)
			add_items(l, n->items[i], check, items, &names.n);
	names.items = items;
	names.set = true;
	return names;
}

static void
read_sets(struct load *l, const struct yaml_node *n)
{
	size_t i, k;

	yaml_any_map(&l->in, n);
	for (i = 0; n != NULL && l->in.result == 0 && i < n->n; i++) {
		yaml_list(&l->in, n->items[i]);
		for (k = 0; l->in.result == 0 && k < n->items[i]->n; k++) {
			const struct yaml_node *item = n->items[i]->items[k];

			if (read_text(l, item) != NULL && is_set_name(item))
				(void)yaml_fail(&l->in, item, "a set lists "
				    "values, not other sets");
		}
	}
	l->sets = n;
}

static void
read_who(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"kind", "principals", "roles",
	    "employed-by", "located-in", "controlled-from", "by",
	    "nationality", NULL};
	static const char *const kinds[] = {"person", "service", NULL};
	const struct yaml_node *by = yaml_get(n, "by");
	struct names names;
	size_t i;

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	r->has_kind = yaml_get(n, "kind") != NULL;
	r->service = yaml_enum(&l->in, yaml_get(n, "kind"), kinds) == 1;
	r->principals = read_names(l, yaml_get(n, "principals"), check_text);
	r->roles = read_names(l, yaml_get(n, "roles"), check_text);
	r->employed_by = read_names(l, yaml_get(n, "employed-by"),
	    check_text);
	r->nationality = read_names(l, yaml_get(n, "nationality"),
	    check_label);
	r->located_in = read_names(l, yaml_get(n, "located-in"), check_label);
	r->controlled_from = read_names(l, yaml_get(n, "controlled-from"),
	    check_label);
	r->by = CONTROL_ALL;
	if (by == NULL)
		return;
	if (!r->controlled_from.set)
		(void)yaml_fail(&l->in, by, "\"by\" chooses among the paths of "
		    "\"controlled-from\", which is not here");
	names = read_names(l, by, check_kind);
	for (i = 0, r->by = 0; l->in.result == 0 && i < names.n; i++)
		r->by |= control_kind_of(names.items[i]);
}

static void
read_what(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"stores", "tables",
	    "categories", NULL};

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	r->stores = read_names(l, yaml_get(n, "stores"), check_text);
	r->tables = read_names(l, yaml_get(n, "tables"), check_table);
	r->categories = read_names(l, yaml_get(n, "categories"), check_text);
}

static void
read_whose(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"residence", NULL};

	if (n != NULL && n->kind == YAML_MAP) {
		yaml_map(&l->in, n, allowed);
		n = yaml_need(&l->in, n, "residence");
	}
	r->whose = read_names(l, n, check_label);
}

/*
 * The pattern must compile by itself before it is anchored, or a stray
 * parenthesis could step out. Back-references are refused: a match with
 * them can take time without bound, and readers choose the ticket.
 */
static void
read_ticket(struct load *l, struct rule *r, const struct yaml_node *n)
{
	const char *s = read_text(l, n), *p, *anchored;
	regex_t alone, *regex;
	char text[200];
	int code;

	if (s == NULL)
		return;
	if (strlen(s) > PATTERN_MAX)
		(void)yaml_fail(&l->in, n, "a pattern has at most %d bytes",
		    PATTERN_MAX);
	for (p = s; *p != 0; p++)
		if (p[0] == '\\' && p[1] != 0) {
			if (p[1] >= '1' && p[1] <= '9')
				(void)yaml_fail(&l->in, n, "back-references "
				    "are not used in patterns");
			p++;
		}
	if (l->in.result != 0)
		return;
	if ((code = regcomp(&alone, s, REG_EXTENDED | REG_NOSUB)) != 0) {
		(void)regerror(code, NULL, text, sizeof(text));
		(void)yaml_fail(&l->in, n, "this is not a POSIX extended "
		    "regular expression: %s", text);
		return;
	}
	regfree(&alone);
	anchored = take(l, arena_fmt(l->in.arena, "^(%s)$", s));
	regex = take(l, arena_alloc(l->in.arena, sizeof(*regex)));
	if (l->in.result != 0)
		return;
	if (regcomp(regex, anchored, REG_EXTENDED | REG_NOSUB) != 0) {
		(void)yaml_fail(&l->in, n, "this pattern cannot be anchored");
		return;
	}
	r->regex = regex;
	r->ticket = s;
}

static void
read_why(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"purposes", "ticket", NULL};

	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	r->purposes = read_names(l, yaml_get(n, "purposes"), check_purpose);
	read_ticket(l, r, yaml_get(n, "ticket"));
}

static void
read_when(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"from", "to", NULL};
	const struct yaml_node *from, *to;

	r->from = INT64_MIN;
	r->to = INT64_MAX;
	if (n == NULL)
		return;
	yaml_map(&l->in, n, allowed);
	r->has_when = true;
	if ((from = yaml_get(n, "from")) != NULL)
		r->from = yaml_time_ms(&l->in, from);
	if ((to = yaml_get(n, "to")) != NULL)
		r->to = yaml_time_ms(&l->in, to);
	if (l->in.result == 0 && r->to <= r->from)
		(void)yaml_fail(&l->in, n, "\"to\" is not after \"from\"");
}

static void
read_verb(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const read[] = {"read", NULL};
	static const char *const treatments[] = {"absent", "mask", NULL};
	const struct yaml_node *permit = yaml_get(n, "permit");
	const struct yaml_node *forbid = yaml_get(n, "forbid");
	const struct yaml_node *treat = yaml_get(n, "treat");

	if ((permit != NULL) + (forbid != NULL) + (treat != NULL) != 1) {
		(void)yaml_fail(&l->in, n, "a rule has exactly one of "
		    "\"permit\", \"forbid\" and \"treat\"");
		return;
	}
	(void)yaml_enum(&l->in, permit, read);
	(void)yaml_enum(&l->in, forbid, read);
	r->verb = permit != NULL ? VERB_PERMIT : forbid != NULL ?
	    VERB_FORBID : VERB_TREAT;
	r->treatment = yaml_enum(&l->in, treat, treatments) == 1 ?
	    TREAT_MASK : TREAT_ABSENT;
}

static void
read_rule(struct load *l, struct rule *r, const struct yaml_node *n)
{
	static const char *const allowed[] = {"rule", "permit", "forbid",
	    "treat", "who", "what", "whose", "why", "when", "hint", NULL};
	const struct yaml_node *hint;

	yaml_map(&l->in, n, allowed);
	r->name = read_text(l, yaml_need(&l->in, n, "rule"));
	r->line = n->line;
	r->column = n->column;
	read_verb(l, r, n);
	read_who(l, r, yaml_get(n, "who"));
	read_what(l, r, yaml_get(n, "what"));
	read_whose(l, r, yaml_get(n, "whose"));
	read_why(l, r, yaml_get(n, "why"));
	read_when(l, r, yaml_get(n, "when"));
	r->hint = read_text(l, hint = yaml_get(n, "hint"));
	if (hint != NULL && l->in.result == 0 && r->verb == VERB_TREAT)
		(void)yaml_fail(&l->in, hint, "a hint is for who is refused; "
		    "a treatment refuses nobody");
}

static int
compare_rules(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Rules are told apart by name. */
static void
check_rule_names(struct load *l, const struct yaml_node *n)
{
	const struct rule *rules = l->p->rules;
	const char *name;
	size_t i, k, seen;

	for (i = 1; i < l->p->n_rules; i++) {
		if (strcmp(rules[i - 1].name, rules[i].name) != 0)
			continue;
		name = rules[i].name;
		for (k = seen = 0; k < n->n && seen < 2; k++)
			if (strcmp(yaml_get(n->items[k], "rule")->text,
			    name) == 0)
				seen++;
		(void)yaml_fail(&l->in, yaml_get(n->items[k - 1], "rule"),
		    "the rule \"%.80s\" is there twice; every rule has a name "
		    "of its own", name);
		return;
	}
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

	items = take(l, arena_array(l->in.arena, p->n_rules, sizeof(*items)));
	if (items == NULL)
		return;
	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].ticket != NULL)
			items[n++] = p->rules[i].ticket;
	qsort(items, n, sizeof(*items), compare_texts);
	for (i = 0; i < n; i++)
		if (kept == 0 || strcmp(items[kept - 1], items[i]) != 0)
			items[kept++] = items[i];
	p->tickets.items = items;
	p->tickets.n = kept;
}

static void
read_rules(struct load *l, const struct yaml_node *n)
{
	size_t i;

	yaml_list(&l->in, n);
	if (n == NULL || l->in.result != 0)
		return;
	l->p->rules = take(l, arena_array(l->in.arena, n->n,
	    sizeof(*l->p->rules)));
	for (i = 0; i < n->n && l->in.result == 0; i++)
		read_rule(l, &l->p->rules[l->p->n_rules++], n->items[i]);
	if (l->in.result != 0)
		return;
	qsort(l->p->rules, l->p->n_rules, sizeof(*l->p->rules),
	    compare_rules);
	check_rule_names(l, n);
	gather_tickets(l);
}

static void
read_root(struct load *l, const struct yaml_node *root)
{
	static const char *const allowed[] = {"policy", "version", "purposes",
	    "sets", "rules", NULL};
	const struct yaml_node *purposes;

	yaml_map(&l->in, root, allowed);
	l->p->name = read_text(l, yaml_need(&l->in, root, "policy"));
	l->p->version = read_text(l, yaml_need(&l->in, root, "version"));
	read_sets(l, yaml_get(root, "sets"));
	purposes = yaml_get(root, "purposes");
	if (purposes != NULL && !(purposes->kind == YAML_LIST &&
	    purposes->n == 0))
		l->p->purposes = read_names(l, purposes, check_text);
	read_rules(l, yaml_need(&l->in, root, "rules"));
}

/* The policy points into the tree of its text, so the tree is kept. */
int
policy_load(const char *text, size_t len, struct policy **ret, struct why *w)
{
	struct load l = {.in = {.why = w}};
	const struct yaml_node *root;
	int r = ERR_MEMORY;

	if ((l.p = calloc(1, sizeof(*l.p))) == NULL ||
	    (l.p->arena = arena_new()) == NULL) {
		(void)why_set(w, r, 0, 0, "out of memory");
		goto out;
	}
	l.in.arena = l.p->arena;
	if ((r = yaml_parse(l.in.arena, text, len, &root, w)) != 0)
		goto out;
	read_root(&l, root);
	if ((r = l.in.result) != 0)
		goto out;
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
	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].regex != NULL)
			regfree(p->rules[i].regex);
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
