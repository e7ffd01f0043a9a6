/*
 * The first pass: ids, names and intervals. Then the nodes are put into the
 * order of their ids, and an index is made from ids to nodes; only now there
 * are addresses that facts can point to.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/facts.h"
#include "directory/load.h"
#include "directory/intern.h"
#include "yaml/yaml.h"

static const char *const person_allowed[] = {"name", "issuer", "from", "to",
    "site", "employer", "manager", "instructor", "nationality",
    "residence", "offices", "roles", NULL};
static const char *const service_allowed[] = {"name", "issuer", "from", "to",
    "site", "operator", "keepers", "roles", "networks", NULL};
static const char *const entity_allowed[] = {"name", "issuer", "from", "to",
    "country", "principal-place", "owners", "rest", NULL};

/* Where an item's key stands in the text. */
struct load_place {
	unsigned line, column;
};

/* A number of a node with the part of its id that sorting looks at first. */
struct load_key {
	uint64_t start;
	uint32_t number;
};

static int
grow(struct load *l)
{
	size_t cap = l->cap_items == 0 ? 256 : l->cap_items * 2;
	struct load_place *places;
	struct node *items;

	if (l->n_items < l->cap_items)
		return 0;
	items = load_take(l, reallocarray(l->items, cap, sizeof(*items)));
	if (items == NULL)
		return ERR_MEMORY;
	l->items = items;
	places = load_take(l, reallocarray(l->places, cap, sizeof(*places)));
	if (places == NULL)
		return ERR_MEMORY;
	l->places = places;
	l->cap_items = cap;
	return 0;
}

void
load_item(struct load *l, const char *section, const struct yaml_node *key,
    const struct yaml_node *map)
{
	static const char *const rests[] = {"unknown", "dispersed", NULL};
	const struct yaml_node *name;
	struct node *node;

	if (grow(l) != 0)
		return;
	node = &l->items[l->n_items];
	memset(node, 0, sizeof(*node));
	node->kind = section[0] == 'e' ? NODE_ENTITY :
	    section[0] == 'p' ? NODE_PERSON : NODE_SERVICE;
	node->from = INT64_MIN;
	node->to = INT64_MAX;
	yaml_map(&l->in, map, node->kind == NODE_ENTITY ? entity_allowed :
	    node->kind == NODE_PERSON ? person_allowed : service_allowed);
	node->id = load_keep(l, load_id(l, key));
	name = yaml_get(map, "name");
	node->name = name == NULL ? node->id : load_keep(l,
	    load_text(l, name));
	load_interval(l, map, &node->from, &node->to);
	node->dispersed = yaml_enum(&l->in, yaml_get(map, "rest"),
	    rests) == 1;
	node->networks = load_networks(l, yaml_get(map, "networks"),
	    &node->n_networks);
	l->places[l->n_items++] = (struct load_place){key->line, key->column};
}

/* Eight bytes of an id after what all ids begin with, as a number. */
static uint64_t
start_of(const char *id, size_t skip)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < 8; i++) {
		v = v << 8 | (unsigned char)id[skip];
		skip += id[skip] != 0;
	}
	return v;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct load_key *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Equal starts: by the whole id, and by place for the same id. */
static int
compare_ids(const void *a, const void *b, void *arg)
{
	const struct load_key *x = a, *y = b;
	const struct load *l = arg;
	const struct load_place *p = l->places;
	int c = strcmp(l->items[x->number].id, l->items[y->number].id);

	if (c != 0)
		return c;
	if (p[x->number].line != p[y->number].line)
		return p[x->number].line < p[y->number].line ? -1 : 1;
	return p[x->number].column < p[y->number].column ? -1 :
	    p[x->number].column > p[y->number].column;
}

static size_t
common_start(const struct load *l)
{
	size_t n = l->n_items > 0 ? strlen(l->items[0].id) : 0, i, k;

	for (i = 1; i < l->n_items && n > 0; i++) {
		for (k = 0; k < n && l->items[i].id[k] ==
		    l->items[0].id[k]; k++)
			continue;
		n = k;
	}
	return n;
}

static void
sort_keys(struct load *l, struct load_key *keys)
{
	size_t skip = common_start(l), i, n;

	for (i = 0; i < l->n_items; i++)
		keys[i] = (struct load_key){start_of(l->items[i].id, skip),
		    (uint32_t)i};
	qsort(keys, l->n_items, sizeof(*keys), compare_keys);
	for (i = 0; i < l->n_items; i += n) {
		for (n = 1; i + n < l->n_items &&
		    keys[i + n].start == keys[i].start; n++)
			continue;
		if (n > 1)
			qsort_r(&keys[i], n, sizeof(*keys), compare_ids, l);
	}
}

static void
say_double(struct load *l, uint32_t one, uint32_t two)
{
	const struct yaml_node at = { .line = l->places[two].line,
	    .column = l->places[two].column };
	const struct node *n = &l->items[two];

	/* Within a section this is a key of YAML that stands twice. */
	if (l->items[one].kind == n->kind)
		(void)yaml_fail(&l->in, &at, "the key \"%.200s\" stands twice "
		    "in the same map; keep one of them", n->id);
	else
		(void)yaml_fail(&l->in, &at, "\"%.80s\" is the id of %s "
		    "already, in line %u; an id names one of all people, "
		    "services and entities", n->id,
		    node_kind_text(l->items[one].kind), l->places[one].line);
}

static void
index_nodes(struct load *l)
{
	struct directory *d = l->d;
	size_t i, k;

	for (d->n_index = 16; d->n_index < 2 * d->n_nodes; d->n_index *= 2)
		continue;
	d->index = load_take(l, arena_array(d->arena, d->n_index,
	    sizeof(*d->index)));
	for (i = 0; i < d->n_nodes && d->index != NULL; i++) {
		k = (size_t)intern_hash(d->nodes[i].id) & (d->n_index - 1);
		while (d->index[k] != 0)
			k = (k + 1) & (d->n_index - 1);
		d->index[k] = (uint32_t)i + 1;
	}
}

static void
place_nodes(struct load *l, const struct load_key *keys)
{
	struct directory *d = l->d;
	size_t i;

	for (i = 1; i < l->n_items; i++)
		if (strcmp(l->items[keys[i - 1].number].id,
		    l->items[keys[i].number].id) == 0) {
			say_double(l, keys[i - 1].number, keys[i].number);
			return;
		}
	d->nodes = load_take(l, arena_array(d->arena, l->n_items,
	    sizeof(*d->nodes)));
	l->rank = load_take(l, calloc(l->n_items + 1, sizeof(*l->rank)));
	if (l->in.result != 0)
		return;
	for (i = 0; i < l->n_items; i++) {
		d->nodes[i] = l->items[keys[i].number];
		l->rank[keys[i].number] = (uint32_t)i;
	}
	d->n_nodes = l->n_items;
	index_nodes(l);
}

void
load_order(struct load *l)
{
	struct load_key *keys;

	if (l->in.result != 0)
		return;
	if (l->n_items >= UINT32_MAX / 4) {
		(void)yaml_fail(&l->in, NULL, "these are too many");
		return;
	}
	keys = load_take(l, calloc(l->n_items + 1, sizeof(*keys)));
	if (keys != NULL) {
		sort_keys(l, keys);
		place_nodes(l, keys);
	}
	free(keys);
	free(l->items);
	l->items = NULL;
}

static int
compare_labels(const void *a, const void *b, void *arg)
{
	const struct intern *t = arg;
	const uint32_t *x = a, *y = b;

	return strcmp(t->texts[*x], t->texts[*y]);
}

/* Labels got numbers as they came; now numbers in order. */
void
load_labels(struct load *l)
{
	struct directory *d = l->d;
	uint32_t *order, *number;
	struct fact *facts;
	size_t i, k;

	d->n_labels = l->labels.n;
	d->labels = load_take(l, arena_array(d->arena, d->n_labels,
	    sizeof(*d->labels)));
	order = load_take(l, arena_array(l->scratch, d->n_labels,
	    sizeof(*order)));
	number = load_take(l, arena_array(l->scratch, d->n_labels,
	    sizeof(*number)));
	if (l->in.result != 0)
		return;
	for (i = 0; i < d->n_labels; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, d->n_labels, sizeof(*order), compare_labels,
	    &l->labels);
	for (i = 0; i < d->n_labels; i++) {
		d->labels[i] = l->labels.texts[order[i]];
		number[order[i]] = (uint32_t)i;
	}
	for (i = 0; i < d->n_nodes; i++) {
		/* Made by load_facts, and ours until loading is done. */
		facts = (struct fact *)d->nodes[i].facts;
		for (k = 0; k < d->nodes[i].n_facts; k++)
			if (facts[k].kind == FACT_SITE ||
			    fact_is_label(&facts[k]))
				facts[k].label = number[facts[k].label];
	}
}

void
load_nodes_done(struct load *l)
{
	free(l->items);
	free(l->places);
	free(l->rank);
	free(l->facts);
	l->items = NULL;
	l->places = NULL;
	l->rank = NULL;
	l->facts = NULL;
	l->n_items = l->cap_items = l->cap_facts = 0;
}
