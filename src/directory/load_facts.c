/*
 * The second pass: what is known of one item. A fact is written as a value,
 * as a map of the value with an issuer and an interval of its own, or as a
 * list of such; a fact is never valid outside its item's own interval.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/definition.h"
#include "directory/facts.h"
#include "directory/load.h"
#include "directory/intern.h"
#include "yaml/yaml.h"

/* What is true of all facts of one item. */
struct scope {
	const struct node *node;
	const struct yaml_node *map;
	const struct warrant *warrant;
};

/* How the value of a key is read as a fact. */
struct fact_key {
	const char *key;
	enum fact_kind kind;
	enum { TO_NODE, TO_SITE, TO_LABEL, TO_TEXT } to;
	unsigned nodes;		/* TO_NODE: set of enum node_kind */
	bool none;		/* "none" says that there is nobody */
};

static const struct fact_key person_keys[] = {
	{"site", FACT_SITE, TO_SITE, 0, false},
	{"employer", FACT_EMPLOYER, TO_NODE, NODE_ENTITY, true},
	{"manager", FACT_MANAGER, TO_NODE, NODE_PERSON, true},
	{"instructor", FACT_INSTRUCTOR, TO_NODE, NODE_PERSON | NODE_ENTITY,
	    true},
	{"nationality", FACT_NATIONALITY, TO_LABEL, 0, false},
	{"residence", FACT_RESIDENCE, TO_LABEL, 0, false},
	{"offices", FACT_OFFICE, TO_TEXT, 0, true},
	{"roles", FACT_ROLE, TO_TEXT, 0, false},
	{0},
};

static const struct fact_key service_keys[] = {
	{"site", FACT_SITE, TO_SITE, 0, false},
	{"operator", FACT_OPERATOR, TO_NODE, NODE_ENTITY, false},
	{"keepers", FACT_KEEPER, TO_NODE,
	    NODE_PERSON | NODE_SERVICE | NODE_ENTITY, true},
	{"roles", FACT_ROLE, TO_TEXT, 0, false},
	{0},
};

static const struct fact_key entity_keys[] = {
	{"country", FACT_COUNTRY, TO_LABEL, 0, false},
	{"principal-place", FACT_PLACE, TO_LABEL, 0, false},
	{0},
};

/*
 * The warrant of these; most facts have their item's, and most items have
 * the one before theirs.
 */
static const struct warrant *
warrant_of(struct load *l, const struct warrant *like, const char *issuer,
    const char *evidence, int64_t from, int64_t to)
{
	const struct warrant *w = like;
	struct warrant *made;

	if (w == NULL || w->issuer != issuer || w->evidence != evidence ||
	    w->from != from || w->to != to)
		w = l->warrant;
	if (w != NULL && w->issuer == issuer && w->evidence == evidence &&
	    w->from == from && w->to == to)
		return w;
	made = load_take(l, arena_alloc(l->d->arena, sizeof(*made)));
	if (made == NULL)
		return NULL;
	*made = (struct warrant){issuer, evidence, from, to};
	l->warrant = made;
	return made;
}

/* What a map says of it, narrowed to its item's. */
static const struct warrant *
warrant_read(struct load *l, const struct warrant *usual,
    const struct yaml_node *map)
{
	int64_t from = usual->from, to = usual->to;
	const char *issuer, *evidence;

	issuer = load_once(l, load_text(l, yaml_get(map, "issuer")));
	evidence = load_once(l, load_text(l, yaml_get(map, "evidence")));
	load_interval(l, map, &from, &to);
	return warrant_of(l, usual, issuer != NULL ? issuer : usual->issuer,
	    evidence, from, to);
}

static const struct node *
node_named(struct load *l, const struct yaml_node *n, const char *from,
    const char *key, unsigned kinds)
{
	const char *id = yaml_str(&l->in, n);
	const struct node *node;

	if (id == NULL)
		return NULL;
	if ((node = node_find(l->d, id)) == NULL) {
		(void)yaml_fail(&l->in, n, "\"%.80s\" names \"%.80s\" under "
		    "\"%s\", which is nowhere in this file; add it or correct "
		    "the name", from, id, key);
		return NULL;
	}
	if ((node->kind & kinds) == 0) {
		(void)yaml_fail(&l->in, n, "\"%.80s\" names \"%.80s\" under "
		    "\"%s\", which is %s and cannot be that", from, id, key,
		    node_kind_text(node->kind));
		return NULL;
	}
	return node;
}

static void
read_target(struct load *l, const struct scope *s, const struct fact_key *k,
    const struct yaml_node *n, struct fact *f)
{
	const char *from = s->node->id, *text;

	switch (k->to) {
	case TO_NODE:
		text = yaml_str(&l->in, n);
		if (text != NULL && !(k->none && strcmp(text, "none") == 0))
			f->node = node_named(l, n, from, k->key, k->nodes);
		break;
	case TO_SITE:
		if ((text = yaml_str(&l->in, n)) == NULL)
			break;
		if ((f->site = directory_site_find(l->d, text)) != NULL)
			f->label = load_number(l, f->site->country);
		else
			(void)yaml_fail(&l->in, n, "\"%.80s\" names the site "
			    "\"%.80s\", which is nowhere in this file; add it "
			    "or correct the name", from, text);
		break;
	case TO_LABEL:
		f->label = load_number(l, load_label(l, n));
		f->text = l->in.result == 0 ? l->labels.texts[f->label] :
		    NULL;
		break;
	case TO_TEXT:
		text = load_text(l, n);
		if (text != NULL && !(k->none && strcmp(text, "none") == 0))
			f->text = load_once(l, text);
		break;
	}
}

static void
read_fact(struct load *l, const struct scope *s, const struct fact_key *k,
    const struct yaml_node *n, struct fact *f)
{
	static const char *const of_ids[] = {"id", "issuer", "from", "to",
	    "evidence", NULL};
	static const char *const of_employers[] = {"id", "issuer", "from",
	    "to", "evidence", "kind", NULL};
	static const char *const of_values[] = {"value", "issuer", "from",
	    "to", "evidence", NULL};
	static const char *const kinds[] = {"employee", "contractor", NULL};
	bool by_id = k->to == TO_NODE || k->to == TO_SITE;

	f->kind = (uint8_t)k->kind;
	f->warrant = s->warrant;
	if (n->kind != YAML_MAP) {
		read_target(l, s, k, n, f);
		return;
	}
	yaml_map(&l->in, n, k->kind == FACT_EMPLOYER ? of_employers :
	    by_id ? of_ids : of_values);
	if ((f->warrant = warrant_read(l, s->warrant, n)) == NULL)
		return;
	f->stated = yaml_get(n, "kind") != NULL;
	f->contractor = yaml_enum(&l->in, yaml_get(n, "kind"), kinds) == 1;
	n = yaml_need(&l->in, n, by_id ? "id" : "value");
	if (n != NULL)
		read_target(l, s, k, n, f);
}

/* An empty list of keepers or offices says that there are none. */
static bool
says_none(const struct fact_key *k, const struct yaml_node *n)
{
	return (k->kind == FACT_KEEPER || k->kind == FACT_OFFICE) &&
	    n != NULL && n->kind == YAML_LIST && n->n == 0;
}

/* Room for one more fact of the item; NULL fails the load. */
static struct fact *
fact_add(struct load *l)
{
	size_t cap = l->cap_facts == 0 ? 32 : l->cap_facts * 2;
	struct fact *facts;

	if (l->n_facts == l->cap_facts) {
		facts = load_take(l, reallocarray(l->facts, cap,
		    sizeof(*facts)));
		if (facts == NULL)
			return NULL;
		l->facts = facts;
		l->cap_facts = cap;
	}
	memset(&l->facts[l->n_facts], 0, sizeof(*facts));
	return &l->facts[l->n_facts++];
}

static void
read_facts(struct load *l, const struct scope *s, const struct fact_key *k)
{
	const struct yaml_node *n = yaml_get(s->map, k->key);
	size_t i, count = load_count(n);
	struct fact *f;

	if (says_none(k, n) && (f = fact_add(l)) != NULL) {
		f->kind = (uint8_t)k->kind;
		f->warrant = s->warrant;
	}
	for (i = 0; i < count && l->in.result == 0; i++)
		if ((f = fact_add(l)) != NULL)
			read_fact(l, s, k, load_at(n, i), f);
}

bool
share_parse(const char *s, uint32_t *ret)
{
	uint32_t v = 0, unit = SHARE_ONE;
	size_t digits = strspn(s, "0123456789"), i;

	if (digits < 1 || digits > 3)
		return false;
	for (i = 0; i < digits; i++)
		v = v * 10 + (uint32_t)(s[i] - '0');
	if (v > 100)
		return false;
	v *= SHARE_ONE;
	if (s[i] == '.') {
		for (i++; s[i] >= '0' && s[i] <= '9' && unit > 1; i++) {
			unit /= 10;
			v += (uint32_t)(s[i] - '0') * unit;
		}
		if (unit == SHARE_ONE)
			return false;
	}
	*ret = v;
	return s[i] == 0 && v <= SHARE_WHOLE;
}

uint32_t
load_share(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n);
	uint32_t share = 0;

	if (s != NULL && !share_parse(s, &share))
		(void)yaml_fail(&l->in, n, "\"%.40s\" is not a share in "
		    "percent: 0 to 100, at most six decimals", s);
	return share;
}

static void
read_owner(struct load *l, const struct scope *s, const struct node *owner,
    const struct yaml_node *n, struct fact *f)
{
	static const char *const allowed[] = {"share", "issuer", "from", "to",
	    "evidence", NULL};

	f->kind = FACT_OWNER;
	f->node = owner;
	f->warrant = s->warrant;
	if (n->kind == YAML_MAP) {
		yaml_map(&l->in, n, allowed);
		f->warrant = warrant_read(l, s->warrant, n);
		n = yaml_need(&l->in, n, "share");
	}
	f->share = load_share(l, n);
}

/* A share that begins or ends. */
struct change {
	int64_t at;
	int64_t by;
};

static int
compare_changes(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->by > y->by) - (x->by < y->by);
}

/* At no time may owners hold more than all of it. */
static void
check_shares(struct load *l, const struct yaml_node *at,
    const struct fact *facts, size_t n)
{
	struct change *changes;
	int64_t sum = 0;
	size_t i, k = 0;

	changes = load_take(l, arena_array(l->scratch, 2 * n,
	    sizeof(*changes)));
	if (changes == NULL)
		return;
	for (i = 0; i < n; i++) {
		const struct warrant *w = facts[i].warrant;

		if (w->from >= w->to)
			continue;
		changes[k++] = (struct change){w->from, facts[i].share};
		changes[k++] = (struct change){w->to,
		    -(int64_t)facts[i].share};
	}
	qsort(changes, k, sizeof(*changes), compare_changes);
	for (i = 0; i < k; i++)
		if ((sum += changes[i].by) > SHARE_WHOLE) {
			(void)yaml_fail(&l->in, at, "these owners hold more "
			    "than 100 percent at one time");
			return;
		}
}

static void
read_owners(struct load *l, const struct scope *s)
{
	const struct yaml_node *n = yaml_get(s->map, "owners");
	const struct node *owner;
	size_t i, j, before = l->n_facts;
	struct fact *f;

	yaml_any_map(&l->in, n);
	for (i = 0; n != NULL && l->in.result == 0 && i < n->n; i++) {
		owner = node_named(l, n->keys[i], s->node->id, "owners",
		    NODE_PERSON | NODE_ENTITY);
		for (j = 0; j < load_count(n->items[i]); j++)
			if (l->in.result == 0 && (f = fact_add(l)) != NULL)
				read_owner(l, s, owner, load_at(n->items[i],
				    j), f);
	}
	if (n != NULL && l->in.result == 0)
		check_shares(l, n, l->facts + before, l->n_facts - before);
}

/* By what a fact leads to: nodes and sites stand in the order of their ids. */
static int
compare_targets(const struct fact *x, const struct fact *y)
{
	if (x->kind == FACT_SITE)
		return (x->site > y->site) - (x->site < y->site);
	if (fact_is_to_node(x))
		return (x->node > y->node) - (x->node < y->node);
	if (x->text == y->text)
		return 0;
	return x->text == NULL ? -1 : y->text == NULL ? 1 :
	    strcmp(x->text, y->text);
}

/* Any total order does, as long as the file's order is not in it. */
static int
compare_facts(const void *a, const void *b)
{
	const struct fact *x = a, *y = b;
	const struct warrant *v = x->warrant, *w = y->warrant;
	int c;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if ((c = compare_targets(x, y)) != 0)
		return c;
	if (x->contractor != y->contractor)
		return x->contractor ? 1 : -1;
	if (x->stated != y->stated)
		return x->stated ? 1 : -1;
	if (v->from != w->from)
		return v->from < w->from ? -1 : 1;
	if (v->to != w->to)
		return v->to < w->to ? -1 : 1;
	if (x->share != y->share)
		return x->share < y->share ? -1 : 1;
	return strcmp(v->issuer, w->issuer);
}

/* Few as they are, they are nearly sorted already. */
static void
sort_facts(struct fact *facts, size_t n)
{
	struct fact f;
	size_t i, k;

	if (n > 32) {
		qsort(facts, n, sizeof(*facts), compare_facts);
		return;
	}
	for (i = 1; i < n; i++) {
		f = facts[i];
		for (k = i; k > 0 && compare_facts(&facts[k - 1], &f) > 0;
		    k--)
			facts[k] = facts[k - 1];
		facts[k] = f;
	}
}

static const struct fact_key *
keys_of(enum node_kind kind)
{
	switch (kind) {
	case NODE_PERSON:
		return person_keys;
	case NODE_SERVICE:
		return service_keys;
	case NODE_ENTITY:
		return entity_keys;
	}
	return NULL;
}

/* The load's own facts, sorted, become the node's. */
static void
keep_facts(struct load *l, struct node *node)
{
	struct fact *facts;

	sort_facts(l->facts, l->n_facts);
	facts = load_take(l, arena_array(l->d->arena, l->n_facts,
	    sizeof(*facts)));
	if (facts == NULL)
		return;
	if (l->n_facts > 0)
		memcpy(facts, l->facts, l->n_facts * sizeof(*facts));
	node->facts = facts;
	node->n_facts = (uint32_t)l->n_facts;
}

void
load_facts(struct load *l, const struct yaml_node *key,
    const struct yaml_node *map)
{
	struct node *node = &l->d->nodes[l->rank[l->n_read++]];
	struct scope s = { .node = node, .map = map };
	const struct fact_key *k;
	const char *issuer;

	(void)key;		/* read in the first pass */
	issuer = load_once(l, load_text(l, yaml_get(map, "issuer")));
	l->usual = s.warrant = warrant_of(l, l->usual, issuer != NULL ? issuer :
	    l->d->issuer, NULL, node->from, node->to);
	l->n_facts = 0;
	for (k = keys_of(node->kind); k->key != NULL && l->in.result == 0;
	    k++)
		read_facts(l, &s, k);
	if (node->kind == NODE_ENTITY && l->in.result == 0)
		read_owners(l, &s);
	if (l->in.result == 0)
		keep_facts(l, node);
}
