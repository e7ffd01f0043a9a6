/*
 * From YAML to nodes and facts, in two passes: first every id, so that the
 * second can resolve what the facts name, whatever the order of the file.
 *
 * The tree of the text lives in an arena of its own and goes when loading
 * is done; what is kept is copied.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/directory.h"
#include "directory/facts.h"
#include "directory/load.h"
#include "yaml/yaml.h"

#define ID_MAX 200
#define TEXT_MAX 1000

static const char *const person_allowed[] = {"name", "issuer", "from", "to",
    "site", "employer", "manager", "instructor", "nationality",
    "residence", "offices", "roles", NULL};
static const char *const service_allowed[] = {"name", "issuer", "from", "to",
    "site", "operator", "keepers", "roles", "networks", NULL};
static const char *const entity_allowed[] = {"name", "issuer", "from", "to",
    "country", "principal-place", "owners", "rest", NULL};

bool
label_valid(const char *s)
{
	size_t len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len >= 1 && len <= 32 && s[len] == 0 &&
	    strcmp(s, "unknown") != 0;
}

void *
load_take(struct load *l, void *p)
{
	if (p == NULL && l->in.result == 0)
		l->in.result = why_set(l->in.why, ERR_MEMORY, 0, 0,
		    "out of memory");
	return p;
}

const char *
load_keep(struct load *l, const char *s)
{
	return s == NULL ? NULL : load_take(l, arena_str(l->d->arena, s));
}

/* Text that people write and that ends in messages: no control bytes. */
const char *
load_text(struct load *l, const struct yaml_node *n)
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

static const char *
id_text(struct load *l, const struct yaml_node *n)
{
	const char *s = load_text(l, n);

	if (s == NULL)
		return NULL;
	if (strchr(s, ' ') != NULL || strlen(s) > ID_MAX)
		(void)yaml_fail(&l->in, n, "an id has 1 to %d bytes and no "
		    "spaces", ID_MAX);
	else if (strcmp(s, "none") == 0)
		(void)yaml_fail(&l->in, n, "\"none\" says that there is "
		    "nobody; choose another id");
	return s;
}

const char *
load_label(struct load *l, const struct yaml_node *n)
{
	const char *s = yaml_str(&l->in, n);

	if (s == NULL || label_valid(s))
		return s;
	if (strcmp(s, "unknown") == 0)
		(void)yaml_fail(&l->in, n, "\"unknown\" is reserved; leave "
		    "the key out where a fact is not known");
	else
		(void)yaml_fail(&l->in, n, "\"%.40s\" is not a label: 1 to 32 "
		    "of A-Z a-z 0-9 _ -", s);
	return NULL;
}

/* Narrows [*from, *to) by the keys of a map. */
void
load_interval(struct load *l, const struct yaml_node *map, int64_t *from,
    int64_t *to)
{
	const struct yaml_node *f = yaml_get(map, "from");
	const struct yaml_node *t = yaml_get(map, "to");
	int64_t from_ms = f != NULL ? yaml_time_ms(&l->in, f) : INT64_MIN;
	int64_t to_ms = t != NULL ? yaml_time_ms(&l->in, t) : INT64_MAX;

	if (f != NULL && t != NULL && l->in.result == 0 && to_ms <= from_ms)
		(void)yaml_fail(&l->in, t, "\"to\" is not after \"from\"");
	if (from_ms > *from)
		*from = from_ms;
	if (to_ms < *to)
		*to = to_ms;
}

/* The issuer a map names, or the one that holds anyway (shared, not copied). */
const char *
load_issuer(struct load *l, const struct yaml_node *map, const char *usual)
{
	const char *s = load_text(l, yaml_get(map, "issuer"));

	if (s == NULL || strcmp(s, usual) == 0)
		return usual;
	return load_keep(l, s);
}

const char *
node_kind_text(enum node_kind kind)
{
	switch (kind) {
	case NODE_PERSON:
		return "a person";
	case NODE_SERVICE:
		return "a service";
	case NODE_ENTITY:
		return "an entity";
	}
	return "";
}

/* A fact is written as itself, or as a list of several. */
size_t
load_count(const struct yaml_node *n)
{
	if (n == NULL)
		return 0;
	return n->kind == YAML_LIST ? n->n : 1;
}

const struct yaml_node *
load_at(const struct yaml_node *n, size_t i)
{
	return n->kind == YAML_LIST ? n->items[i] : n;
}

/* Texts of networks, each checked; kept. */
static const char *const *
read_networks(struct load *l, const struct yaml_node *n, size_t *ret_n)
{
	const char **kept;
	size_t i, count = load_count(n);
	const char *s;

	*ret_n = 0;
	if (n == NULL || l->in.result != 0)
		return NULL;
	kept = load_take(l, arena_array(l->d->arena, count, sizeof(*kept)));
	for (i = 0; i < count && l->in.result == 0; i++) {
		s = yaml_str(&l->in, load_at(n, i));
		if (s != NULL && !network_valid(s))
			(void)yaml_fail(&l->in, load_at(n, i), "\"%.60s\" is "
			    "not a network; write it as 192.0.2.0/24 or "
			    "2001:db8::/32, with no bits set beyond the "
			    "prefix", s);
		if ((kept[i] = load_keep(l, s)) == NULL)
			return NULL;
	}
	*ret_n = count;
	return kept;
}

/* A site together with where it stands. */
struct place {
	struct directory_site site;
	const struct yaml_node *networks;
};

static int
compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->site.id, y->site.id);
}

static int
compare_networks(const void *a, const void *b)
{
	const struct site_network *x = a, *y = b;

	return network_compare(&x->network, &y->network);
}

/* Networks of all sites, so that an address leads to its site. */
static void
index_networks(struct load *l, const struct place *places, size_t n,
    size_t count)
{
	struct directory *d = l->d;
	struct site_network *networks;
	size_t i, j, k = 0;

	networks = load_take(l, arena_array(d->arena, count,
	    sizeof(*networks)));
	if (networks == NULL)
		return;
	for (i = 0; i < n; i++)
		for (j = 0; j < d->sites[i].n_networks; j++) {
			networks[k].site = &d->sites[i];
			if (network_parse(d->sites[i].networks[j],
			    &networks[k].network) == 0)
				k++;
		}
	qsort(networks, k, sizeof(*networks), compare_networks);
	for (i = 1; i < k; i++) {
		const struct directory_site *one = networks[i - 1].site;
		const struct directory_site *two = networks[i].site;

		if (compare_networks(&networks[i - 1], &networks[i]) != 0)
			continue;
		if (places[two - d->sites].networks->line <
		    places[one - d->sites].networks->line) {
			one = two;
			two = networks[i - 1].site;
		}
		(void)yaml_fail(&l->in, places[two - d->sites].networks,
		    "the sites \"%.80s\" and \"%.80s\" have a network in "
		    "common; one network is in one place", one->id, two->id);
		return;
	}
	d->networks = networks;
	d->n_networks = k;
}

static void
load_sites(struct load *l, const struct yaml_node *n)
{
	static const char *const allowed[] = {"country", "networks", NULL};
	struct place *places;
	size_t i, count = 0;

	yaml_any_map(&l->in, n);
	if (n == NULL || l->in.result != 0)
		return;
	places = load_take(l, arena_array(l->in.arena, n->n, sizeof(*places)));
	l->d->sites = load_take(l, arena_array(l->d->arena, n->n,
	    sizeof(*l->d->sites)));
	for (i = 0; i < n->n && l->in.result == 0; i++) {
		struct directory_site *s = &places[i].site;

		yaml_map(&l->in, n->items[i], allowed);
		s->id = load_keep(l, id_text(l, n->keys[i]));
		s->country = load_keep(l, load_label(l, yaml_need(&l->in,
		    n->items[i], "country")));
		places[i].networks = yaml_get(n->items[i], "networks");
		s->networks = read_networks(l, places[i].networks,
		    &s->n_networks);
		count += s->n_networks;
	}
	if (l->in.result != 0)
		return;
	qsort(places, n->n, sizeof(*places), compare_places);
	for (i = 0; i < n->n; i++)
		l->d->sites[i] = places[i].site;
	l->d->n_sites = n->n;
	index_networks(l, places, n->n, count);
}

/* First pass: ids, names and intervals of one section. */
static void
load_section(struct load *l, const struct yaml_node *n, enum node_kind kind,
    const char *const *allowed)
{
	static const char *const rests[] = {"unknown", "dispersed", NULL};
	const struct yaml_node *name;
	struct item *item;
	size_t i;

	for (i = 0; n != NULL && i < n->n && l->in.result == 0; i++) {
		item = &l->items[l->n_items++];
		item->key = n->keys[i];
		item->map = n->items[i];
		item->node.kind = kind;
		item->node.from = INT64_MIN;
		item->node.to = INT64_MAX;
		yaml_map(&l->in, item->map, allowed);
		item->node.id = load_keep(l, id_text(l, item->key));
		name = yaml_get(item->map, "name");
		item->node.name = name == NULL ? item->node.id :
		    load_keep(l, load_text(l, name));
		load_interval(l, item->map, &item->node.from, &item->node.to);
		item->node.dispersed = yaml_enum(&l->in,
		    yaml_get(item->map, "rest"), rests) == 1;
		item->node.networks = read_networks(l,
		    yaml_get(item->map, "networks"), &item->node.n_networks);
	}
}

static int
compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = strcmp(x->node.id, y->node.id);

	if (c != 0)
		return c;
	if (x->key->line != y->key->line)
		return x->key->line < y->key->line ? -1 : 1;
	return x->key->column < y->key->column ? -1 :
	    x->key->column > y->key->column;
}

static void
sort_items(struct load *l)
{
	const struct item *one, *two;
	size_t i;

	if (l->in.result != 0)
		return;
	qsort(l->items, l->n_items, sizeof(*l->items), compare_items);
	for (i = 1; i < l->n_items; i++) {
		one = &l->items[i - 1];
		two = &l->items[i];
		if (strcmp(one->node.id, two->node.id) != 0)
			continue;
		(void)yaml_fail(&l->in, two->key, "\"%.80s\" is the id of %s "
		    "already, in line %u; an id names one of all people, "
		    "services and entities", two->node.id,
		    node_kind_text(one->node.kind), one->key->line);
		return;
	}
}

static size_t
section_size(struct load *l, const struct yaml_node *n)
{
	yaml_any_map(&l->in, n);
	return n != NULL && l->in.result == 0 ? n->n : 0;
}

static void
load_nodes(struct load *l, const struct yaml_node *root)
{
	const struct yaml_node *entities = yaml_get(root, "entities");
	const struct yaml_node *people = yaml_get(root, "people");
	const struct yaml_node *services = yaml_get(root, "services");
	struct directory *d = l->d;
	size_t i, n;

	n = section_size(l, entities) + section_size(l, people) +
	    section_size(l, services);
	l->items = load_take(l, arena_array(l->in.arena, n, sizeof(*l->items)));
	d->nodes = load_take(l, arena_array(d->arena, n, sizeof(*d->nodes)));
	load_section(l, entities, NODE_ENTITY, entity_allowed);
	load_section(l, people, NODE_PERSON, person_allowed);
	load_section(l, services, NODE_SERVICE, service_allowed);
	sort_items(l);
	for (i = 0; i < l->n_items && l->in.result == 0; i++)
		d->nodes[i] = l->items[i].node;
	d->n_nodes = l->n_items;
	for (i = 0; i < l->n_items && l->in.result == 0; i++)
		load_facts(l, &l->items[i], &d->nodes[i]);
}

static void
load_root(struct load *l, const struct yaml_node *root)
{
	static const char *const allowed[] = {"directory", "issuer",
	    "ownership-threshold", "sites", "entities", "people", "services",
	    NULL};
	const struct yaml_node *threshold;

	yaml_map(&l->in, root, allowed);
	(void)yaml_u64(&l->in, yaml_need(&l->in, root, "directory"), 1, 1);
	l->issuer = load_keep(l, load_text(l, yaml_need(&l->in, root,
	    "issuer")));
	l->d->issuer = l->issuer;
	l->d->threshold = SHARE_THRESHOLD;
	if ((threshold = yaml_get(root, "ownership-threshold")) != NULL)
		l->d->threshold = load_share(l, threshold);
	if (l->in.result == 0 && l->d->threshold == 0)
		(void)yaml_fail(&l->in, threshold,
		    "a threshold of 0 percent would make everybody an owner");
	load_sites(l, yaml_get(root, "sites"));
	if (l->in.result == 0)
		load_nodes(l, root);
}

int
directory_load(const char *text, size_t len, struct directory **ret,
    struct why *w)
{
	struct load l = {.in = {.why = w}};
	const struct yaml_node *root;
	int r = ERR_MEMORY;

	if ((l.d = calloc(1, sizeof(*l.d))) == NULL ||
	    (l.d->arena = arena_new()) == NULL ||
	    (l.in.arena = arena_new()) == NULL) {
		(void)why_set(w, r, 0, 0, "out of memory");
		goto out;
	}
	if ((r = yaml_parse(l.in.arena, text, len, &root, w)) != 0)
		goto out;
	load_root(&l, root);
	if ((r = l.in.result) != 0)
		goto out;
	*ret = l.d;
	l.d = NULL;		/* now the caller's */
out:
	directory_free(l.d);
	arena_free(l.in.arena);
	return r;
}
