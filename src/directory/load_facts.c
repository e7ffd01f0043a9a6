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
#include "yaml/yaml.h"

/* What is true of all facts of one item. */
struct scope {
	const struct item *item;
	const char *issuer;
	int64_t from, to;
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

static struct item *
item_find(struct load *l, const char *id)
{
	size_t low = 0, high = l->n_items, mid;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		c = strcmp(id, l->items[mid].node.id);
		if (c == 0)
			return &l->items[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static const struct node *
node_named(struct load *l, const struct yaml_node *n, const char *from,
    const char *key, unsigned kinds)
{
	const char *id = yaml_str(&l->in, n);
	const struct item *item;

	if (id == NULL)
		return NULL;
	if ((item = item_find(l, id)) == NULL) {
		(void)yaml_fail(&l->in, n, "\"%.80s\" names \"%.80s\" under "
		    "\"%s\", which is nowhere in this file; add it or correct "
		    "the name", from, id, key);
		return NULL;
	}
	if ((item->node.kind & kinds) == 0) {
		(void)yaml_fail(&l->in, n, "\"%.80s\" names \"%.80s\" under "
		    "\"%s\", which is %s and cannot be that", from, id, key,
		    node_kind_text(item->node.kind));
		return NULL;
	}
	return &l->d->nodes[item - l->items];
}

static void
read_target(struct load *l, const struct scope *s, const struct fact_key *k,
    const struct yaml_node *n, struct fact *f)
{
	const char *from = s->item->node.id, *text;

	switch (k->to) {
	case TO_NODE:
		text = yaml_str(&l->in, n);
		if (text != NULL && !(k->none && strcmp(text, "none") == 0))
			f->node = node_named(l, n, from, k->key, k->nodes);
		break;
	case TO_SITE:
		if ((text = yaml_str(&l->in, n)) == NULL)
			break;
		if ((f->site = directory_site_find(l->d, text)) == NULL)
			(void)yaml_fail(&l->in, n, "\"%.80s\" names the site "
			    "\"%.80s\", which is nowhere in this file; add it "
			    "or correct the name", from, text);
		break;
	case TO_LABEL:
		f->text = load_keep(l, load_label(l, n));
		break;
	case TO_TEXT:
		text = load_text(l, n);
		if (text != NULL && !(k->none && strcmp(text, "none") == 0))
			f->text = load_keep(l, text);
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

	f->kind = k->kind;
	f->issuer = s->issuer;
	f->from = s->from;
	f->to = s->to;
	if (n->kind != YAML_MAP) {
		read_target(l, s, k, n, f);
		return;
	}
	yaml_map(&l->in, n, k->kind == FACT_EMPLOYER ? of_employers :
	    by_id ? of_ids : of_values);
	f->issuer = load_issuer(l, n, s->issuer);
	f->evidence = load_keep(l, load_text(l, yaml_get(n, "evidence")));
	load_interval(l, n, &f->from, &f->to);
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

static size_t
read_facts(struct load *l, const struct scope *s, const struct fact_key *k,
    struct fact *facts)
{
	const struct yaml_node *n = yaml_get(s->item->map, k->key);
	size_t i, count = load_count(n);

	if (says_none(k, n)) {
		facts->kind = k->kind;
		facts->issuer = s->issuer;
		facts->from = s->from;
		facts->to = s->to;
		return 1;
	}
	for (i = 0; i < count && l->in.result == 0; i++)
		read_fact(l, s, k, load_at(n, i), &facts[i]);
	return count;
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
	f->issuer = s->issuer;
	f->from = s->from;
	f->to = s->to;
	if (n->kind == YAML_MAP) {
		yaml_map(&l->in, n, allowed);
		f->issuer = load_issuer(l, n, s->issuer);
		f->evidence = load_keep(l, load_text(l, yaml_get(n,
		    "evidence")));
		load_interval(l, n, &f->from, &f->to);
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

	changes = load_take(l, arena_array(l->in.arena, 2 * n,
	    sizeof(*changes)));
	if (changes == NULL)
		return;
	for (i = 0; i < n; i++) {
		if (facts[i].from >= facts[i].to)
			continue;
		changes[k++] = (struct change){facts[i].from, facts[i].share};
		changes[k++] = (struct change){facts[i].to,
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

static size_t
count_owners(const struct yaml_node *n)
{
	size_t i, count = 0;

	if (n == NULL || n->kind != YAML_MAP)
		return 0;
	for (i = 0; i < n->n; i++)
		count += load_count(n->items[i]);
	return count;
}

static size_t
read_owners(struct load *l, const struct scope *s, struct fact *facts)
{
	const struct yaml_node *n = yaml_get(s->item->map, "owners");
	const struct node *owner;
	size_t i, j, count = 0;

	yaml_any_map(&l->in, n);
	if (n == NULL || l->in.result != 0)
		return 0;
	for (i = 0; i < n->n; i++) {
		owner = node_named(l, n->keys[i], s->item->node.id, "owners",
		    NODE_PERSON | NODE_ENTITY);
		for (j = 0; j < load_count(n->items[i]); j++) {
			if (owner == NULL || l->in.result != 0)
				return count;
			read_owner(l, s, owner, load_at(n->items[i], j),
			    &facts[count++]);
		}
	}
	check_shares(l, n, facts, count);
	return count;
}

static const char *
fact_target(const struct fact *f)
{
	if (f->site != NULL)
		return f->site->id;
	if (f->node != NULL)
		return f->node->id;
	return f->text != NULL ? f->text : "";
}

/* Any total order does, as long as the file's order is not in it. */
static int
compare_facts(const void *a, const void *b)
{
	const struct fact *x = a, *y = b;
	int c;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if ((c = strcmp(fact_target(x), fact_target(y))) != 0)
		return c;
	if (x->contractor != y->contractor)
		return x->contractor ? 1 : -1;
	if (x->stated != y->stated)
		return x->stated ? 1 : -1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	if (x->share != y->share)
		return x->share < y->share ? -1 : 1;
	return strcmp(x->issuer, y->issuer);
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

void
load_facts(struct load *l, const struct item *item, struct node *node)
{
	const struct fact_key *k, *keys = keys_of(item->node.kind);
	struct scope s = {item, NULL, node->from, node->to};
	struct fact *facts;
	size_t count = 0, n = 0;

	s.issuer = load_issuer(l, item->map, l->issuer);
	/* One more than counted: an empty list can be a fact, too. */
	for (k = keys; k->key != NULL; k++)
		count += load_count(yaml_get(item->map, k->key)) + 1;
	count += count_owners(yaml_get(item->map, "owners"));
	facts = load_take(l, arena_array(l->d->arena, count, sizeof(*facts)));
	for (k = keys; k->key != NULL && l->in.result == 0; k++)
		n += read_facts(l, &s, k, facts + n);
	if (item->node.kind == NODE_ENTITY && l->in.result == 0)
		n += read_owners(l, &s, facts + n);
	if (l->in.result != 0)
		return;
	qsort(facts, n, sizeof(*facts), compare_facts);
	node->facts = facts;
	node->n_facts = n;
}
