/*
 * Look-ups, none of which depends much on how large the directory is: what
 * is loaded is sorted, and has an index by id.
 */
#include "directory/directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "directory/facts.h"
#include "directory/intern.h"

void
directory_free(struct directory *d)
{
	if (d == NULL)
		return;
	arena_free(d->arena);
	free(d);
}

const struct node *
node_find(const struct directory *d, const char *id)
{
	size_t mask = d->n_index - 1, i;

	if (d->n_index == 0)
		return NULL;
	for (i = (size_t)intern_hash(id) & mask; d->index[i] != 0;
	    i = (i + 1) & mask)
		if (strcmp(d->nodes[d->index[i] - 1].id, id) == 0)
			return &d->nodes[d->index[i] - 1];
	return NULL;
}

uint32_t
label_find(const struct directory *d, const char *label)
{
	size_t low = 0, high = d->n_labels, mid;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		c = strcmp(label, d->labels[mid]);
		if (c == 0)
			return (uint32_t)mid;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return LABEL_NONE;
}

const struct directory_site *
directory_site_find(const struct directory *d, const char *id)
{
	size_t low = 0, high = d->n_sites, mid;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		c = strcmp(id, d->sites[mid].id);
		if (c == 0)
			return &d->sites[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const char *const *
directory_labels(const struct directory *d, size_t *ret_n)
{
	*ret_n = d->n_labels;
	return d->labels;
}

const struct directory_site *
directory_sites(const struct directory *d, size_t *ret_n)
{
	*ret_n = d->n_sites;
	return d->sites;
}

static const struct directory_site *
find_network(const struct directory *d, const struct network *n)
{
	size_t low = 0, high = d->n_networks, mid;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		c = network_compare(n, &d->networks[mid].network);
		if (c == 0)
			return d->networks[mid].site;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct directory_site *
directory_site_of_address(const struct directory *d, const char *address)
{
	const struct directory_site *site;
	struct network full, cut;
	int prefix;

	if (network_address(address, &full) != 0)
		return NULL;
	for (prefix = full.prefix; prefix >= 0; prefix--) {
		cut = network_cut(&full, (uint8_t)prefix);
		if ((site = find_network(d, &cut)) != NULL)
			return site;
	}
	return NULL;
}

int
directory_list(const struct directory *d, int64_t at_ms, struct arena *a,
    const char *const **ret, size_t *ret_n)
{
	const char **ids;
	size_t i, n = 0;

	ids = arena_array(a, d->n_nodes, sizeof(*ids));
	if (ids == NULL)
		return ERR_MEMORY;
	for (i = 0; i < d->n_nodes; i++)
		if (d->nodes[i].kind != NODE_ENTITY &&
		    node_valid(&d->nodes[i], at_ms))
			ids[n++] = d->nodes[i].id;
	*ret = ids;
	*ret_n = n;
	return 0;
}

/* What a fact says, as text; NULL if it says "nobody". */
static const char *
fact_text(const struct fact *f)
{
	if (f->kind == FACT_SITE)
		return f->site->id;
	if (fact_is_to_node(f))
		return f->node != NULL ? f->node->id : NULL;
	return f->text;
}

/* The facts of one kind that are valid, each text once: they are sorted. */
static int
collect(const struct node *n, enum fact_kind kind, int64_t at_ms,
    struct arena *a, const char *const **ret, size_t *ret_n)
{
	const char **texts, *text;
	size_t i, count = 0;

	if ((texts = arena_array(a, n->n_facts, sizeof(*texts))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n->n_facts; i++) {
		if (n->facts[i].kind != kind ||
		    !fact_valid(&n->facts[i], at_ms) ||
		    (text = fact_text(&n->facts[i])) == NULL)
			continue;
		if (count > 0 && strcmp(texts[count - 1], text) == 0)
			continue;
		texts[count++] = text;
	}
	*ret = texts;
	*ret_n = count;
	return 0;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
collect_employments(const struct node *n, int64_t at_ms, struct arena *a,
    struct principal *p)
{
	struct employment *items, *e;
	size_t i;

	if ((items = arena_array(a, n->n_facts, sizeof(*items))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n->n_facts; i++) {
		const struct fact *f = &n->facts[i];

		if (f->kind != FACT_EMPLOYER || !fact_valid(f, at_ms))
			continue;
		e = &items[p->n_employments++];
		e->employer = f->node != NULL ? f->node->id : NULL;
		e->stated = f->stated;
		e->contractor = f->contractor;
	}
	p->employments = items;
	return 0;
}

/* Countries of the assigned sites, each once. */
static int
collect_places(const struct node *n, int64_t at_ms, struct arena *a,
    struct principal *p)
{
	const char **labels;
	size_t i, k;

	if ((labels = arena_array(a, n->n_facts, sizeof(*labels))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n->n_facts; i++) {
		const struct fact *f = &n->facts[i];

		if (f->kind != FACT_SITE || !fact_valid(f, at_ms))
			continue;
		for (k = 0; k < p->n_based_in; k++)
			if (strcmp(labels[k], f->site->country) == 0)
				break;
		if (k == p->n_based_in)
			labels[p->n_based_in++] = f->site->country;
	}
	p->based_in = labels;
	return 0;
}

static bool
says(const struct node *n, enum fact_kind kind, int64_t at_ms)
{
	size_t i;

	for (i = 0; i < n->n_facts; i++)
		if (n->facts[i].kind == kind && fact_valid(&n->facts[i], at_ms))
			return true;
	return false;
}

/* What conditions of rules ask beside the lists of old. */
static int
collect_more(const struct node *n, int64_t at_ms, struct arena *a,
    struct principal *p)
{
	int r;

	p->node = n;
	p->at_ms = at_ms;
	p->instructors_known = says(n, FACT_INSTRUCTOR, at_ms);
	p->offices_known = says(n, FACT_OFFICE, at_ms);
	if ((r = collect(n, FACT_INSTRUCTOR, at_ms, a, &p->instructors,
	    &p->n_instructors)) != 0 ||
	    (r = collect_employments(n, at_ms, a, p)) != 0)
		return r;
	return collect_places(n, at_ms, a, p);
}

static int
collect_issuers(const struct node *n, int64_t at_ms, struct arena *a,
    struct principal *p)
{
	const char **issuers;
	size_t i, count = 0, kept = 0;

	if ((issuers = arena_array(a, n->n_facts, sizeof(*issuers))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n->n_facts; i++)
		if (fact_valid(&n->facts[i], at_ms))
			issuers[count++] = n->facts[i].warrant->issuer;
	qsort(issuers, count, sizeof(*issuers), compare_texts);
	for (i = 0; i < count; i++)
		if (kept == 0 || strcmp(issuers[kept - 1], issuers[i]) != 0)
			issuers[kept++] = issuers[i];
	p->issuers = issuers;
	p->n_issuers = kept;
	return 0;
}

int
directory_principal(const struct directory *d, const char *id,
    int64_t at_ms, struct arena *a, const struct principal **ret)
{
	const struct node *n = node_find(d, id);
	const char *const *sites;
	struct principal *p;
	size_t n_sites;
	bool service;
	int r;

	if (n == NULL || n->kind == NODE_ENTITY || !node_valid(n, at_ms))
		return ERR_MISSING;
	if ((p = arena_alloc(a, sizeof(*p))) == NULL)
		return ERR_MEMORY;
	service = n->kind == NODE_SERVICE;
	p->id = n->id;
	p->name = n->name;
	p->kind = service ? PRINCIPAL_SERVICE : PRINCIPAL_PERSON;
	p->networks = n->networks;
	p->n_networks = n->n_networks;
	if ((r = collect(n, FACT_ROLE, at_ms, a, &p->roles,
	    &p->n_roles)) != 0 ||
	    (r = collect(n, service ? FACT_OPERATOR : FACT_EMPLOYER, at_ms, a,
	    &p->employers, &p->n_employers)) != 0 ||
	    (r = collect(n, FACT_NATIONALITY, at_ms, a, &p->nationalities,
	    &p->n_nationalities)) != 0 ||
	    (r = collect(n, FACT_OFFICE, at_ms, a, &p->offices,
	    &p->n_offices)) != 0 ||
	    (r = collect(n, FACT_SITE, at_ms, a, &sites, &n_sites)) != 0 ||
	    (r = collect_more(n, at_ms, a, p)) != 0 ||
	    (r = collect_issuers(n, at_ms, a, p)) != 0)
		return r;
	p->site = n_sites > 0 ? sites[0] : NULL;
	p->doubts_places = d->doubts_places;
	*ret = p;
	return 0;
}

void
directory_doubt_places(struct directory *d, bool doubts)
{
	d->doubts_places = doubts;
}

bool
directory_knows(const struct directory *d, const char *id)
{
	return node_find(d, id) != NULL;
}

bool
office_is(const char *office, const char *wanted)
{
	size_t len = strlen(wanted);

	return strncmp(office, wanted, len) == 0 &&
	    (office[len] == 0 || office[len] == ':');
}

const char *
employment_text(const struct employment *e)
{
	if (e->employer == NULL)
		return "nobody";
	if (!e->stated)
		return "employee or contractor";
	return e->contractor ? "contractor" : "employee";
}
