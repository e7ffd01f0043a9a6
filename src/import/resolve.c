/*
 * What entries name, looked up: by the source's own names first (a DN, a
 * SCIM id), then by id, then, for entities, by name, then by the id that
 * the text makes. What was known counts only if it stays: a person of this
 * issuer who is not in the source any more is nobody to report to.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "import/building.h"
#include "import/dn.h"
#include "import/merge.h"

struct resolve {
	struct build *b;
	struct index names;	/* of entities */
	struct index doubled;	/* names of several: they lead nowhere */
	struct arena *scratch;
	struct draft_item *item;	/* whose fact it is */
};

enum outcome {
	FOUND,
	LEFT_OUT,
	WRONG,
};

static int
add_names(struct resolve *v, const struct draft *d)
{
	struct draft_item *it;
	void *old;
	size_t i;
	int r;

	for (i = 0; d != NULL && i < d->n_items; i++) {
		it = d->items[i];
		if (it->kind != NODE_ENTITY || it->name == NULL)
			continue;
		r = index_add(&v->names, it->name, it, &old);
		if (r == ERR_MEMORY)
			return r;
		if (r == ERR_EXISTS &&
		    strcmp(((struct draft_item *)old)->id, it->id) != 0 &&
		    index_add(&v->doubled, it->name, it, NULL) == ERR_MEMORY)
			return ERR_MEMORY;
	}
	return 0;
}

/* By id, of the import or of what stays; NULL if there is none. */
static const struct draft_item *
by_id(const struct resolve *v, const char *id)
{
	const struct build *b = v->b;
	const struct draft_item *it = draft_item_find(b->draft, id);

	if (it != NULL || b->known == NULL)
		return it;
	it = draft_item_find(b->known, id);
	return it != NULL && merge_stays(it, b->draft->issuer, b->covers) ?
	    it : NULL;
}

static int
by_slug(struct resolve *v, const char *text, const struct draft_item **ret)
{
	const char *slug = value_slug(v->scratch, text);

	*ret = slug == NULL ? NULL : by_id(v, slug);
	return slug == NULL ? ERR_MEMORY : 0;
}

static int
find_item(struct resolve *v, const char *text, unsigned kinds,
    const struct draft_item **ret)
{
	const char *normal;
	int r = 0;

	*ret = index_find(&v->b->by_key, text);
	if (*ret == NULL && strchr(text, '=') != NULL &&
	    (normal = dn_normal(v->scratch, text)) != NULL)
		*ret = index_find(&v->b->by_key, normal);
	if (*ret == NULL)
		*ret = by_id(v, text);
	if (*ret == NULL && (kinds & NODE_ENTITY) != 0) {
		if (index_find(&v->doubled, text) == NULL)
			*ret = index_find(&v->names, text);
		if (*ret == NULL)
			r = by_slug(v, text, ret);
	}
	return r;
}

static int
find_site(struct resolve *v, const char *text, const char **ret)
{
	const struct build *b = v->b;
	const struct draft_site *s;
	const char *slug = value_slug(v->scratch, text);

	if (slug == NULL)
		return ERR_MEMORY;
	s = draft_site_find(b->draft, text);
	if (s == NULL && b->known != NULL)
		s = draft_site_find(b->known, text);
	if (s == NULL)
		s = draft_site_find(b->draft, slug);
	if (s == NULL && b->known != NULL)
		s = draft_site_find(b->known, slug);
	*ret = s != NULL ? s->id : NULL;
	return 0;
}

static const struct {
	enum fact_kind fact;
	enum section section;
	enum field field;
	unsigned kinds;
	const char *what;
} references[] = {
	{FACT_SITE, SECTION_PEOPLE, FIELD_SITE, 0, "a site"},
	{FACT_EMPLOYER, SECTION_PEOPLE, FIELD_EMPLOYER, NODE_ENTITY,
	    "an entity"},
	{FACT_MANAGER, SECTION_PEOPLE, FIELD_MANAGER, NODE_PERSON,
	    "a person"},
	{FACT_INSTRUCTOR, SECTION_PEOPLE, FIELD_INSTRUCTOR,
	    NODE_PERSON | NODE_ENTITY, "a person or entity"},
	{FACT_SITE, SECTION_SERVICES, FIELD_SITE, 0, "a site"},
	{FACT_OPERATOR, SECTION_SERVICES, FIELD_OPERATOR, NODE_ENTITY,
	    "an entity"},
	{FACT_KEEPER, SECTION_SERVICES, FIELD_KEEPERS,
	    NODE_PERSON | NODE_SERVICE | NODE_ENTITY,
	    "a person, service or entity"},
};
#define REFERENCES (sizeof(references) / sizeof(references[0]))

static size_t
reference_of(enum node_kind kind, enum fact_kind fact)
{
	enum section s = kind == NODE_SERVICE ? SECTION_SERVICES :
	    SECTION_PEOPLE;
	size_t i;

	for (i = 0; i < REFERENCES; i++)
		if (references[i].fact == fact && references[i].section == s)
			break;
	return i;
}

static enum outcome
say_missing(struct resolve *v, size_t which, const char *text)
{
	enum section s = references[which].section;
	enum field f = references[which].field;
	const struct rule *r = v->b->map->sections[s].rules[f];

	if (r != NULL && r->other == OTHER_UNKNOWN) {
		findings_add(v->b->f, FINDING_NOTE, &v->item->at, "%s: "
		    "\"%.100s\" is nobody known, so the %s is left unknown",
		    field_text(f), text, field_text(f));
		return LEFT_OUT;
	}
	findings_add(v->b->f, FINDING_ERROR, &v->item->at, "%s: \"%.100s\" is "
	    "not %s of the directory or of this import; add it, map the value "
	    "in \"values\", or say \"other: unknown\" to leave it unknown",
	    field_text(f), text, references[which].what);
	return WRONG;
}

static int
resolve_fact(struct resolve *v, struct draft_fact *f, enum outcome *ret)
{
	size_t which = reference_of(v->item->kind, f->kind);
	const struct draft_item *to = NULL;
	const char *id = NULL;
	int r;

	*ret = FOUND;
	if (which == REFERENCES || f->value == NULL)
		return 0;
	if (f->kind == FACT_SITE)
		r = find_site(v, f->value, &id);
	else
		r = find_item(v, f->value, references[which].kinds, &to);
	if (r != 0)
		return r;
	if (to != NULL && (to->kind & references[which].kinds) == 0) {
		findings_add(v->b->f, FINDING_ERROR, &v->item->at, "%s: "
		    "\"%.100s\" is not %s", field_text(
		    references[which].field), f->value,
		    references[which].what);
		*ret = WRONG;
		return 0;
	}
	if (to != NULL)
		id = to->id;
	if (id == NULL)
		*ret = say_missing(v, which, f->value);
	else
		f->value = id;
	return 0;
}

static int
resolve_item(struct resolve *v)
{
	struct draft_item *it = v->item;
	enum outcome outcome;
	size_t i, k = 0;
	int r;

	arena_reset(v->scratch);
	for (i = 0; i < it->n; i++) {
		if ((r = resolve_fact(v, &it->facts[i], &outcome)) != 0)
			return r;
		if (outcome == FOUND)
			it->facts[k++] = it->facts[i];
	}
	it->n = k;
	return 0;
}

/* The import's own item for an entity whose owners it tells. */
static int
own_entity(struct resolve *v, const struct draft_item *found,
    struct draft_item **ret)
{
	struct draft *d = v->b->draft;
	struct draft_item *exists;

	*ret = draft_item_find(d, found->id);
	if (*ret != NULL)
		return 0;
	if ((*ret = draft_item_add(d, found->id, &exists)) == NULL)
		return ERR_MEMORY;
	(*ret)->kind = NODE_ENTITY;
	(*ret)->from = found->from;
	(*ret)->to = found->to;
	return 0;
}

static int
resolve_owner(struct resolve *v, const struct build_link *l)
{
	const struct draft_item *of, *owner;
	struct draft_item *it;
	struct draft_fact *f;
	int r;

	arena_reset(v->scratch);
	if ((r = find_item(v, l->from, NODE_ENTITY, &of)) != 0 ||
	    (r = find_item(v, l->to, NODE_ENTITY | NODE_PERSON, &owner)) != 0)
		return r;
	if (of == NULL || of->kind != NODE_ENTITY) {
		findings_add(v->b->f, FINDING_ERROR, &l->at, "entity: "
		    "\"%.100s\" is not an entity of the directory or of this "
		    "import", l->from);
		return 0;
	}
	if (owner == NULL || owner->kind == NODE_SERVICE) {
		findings_add(v->b->f, FINDING_ERROR, &l->at, "owner: "
		    "\"%.100s\" is not a person or entity of the directory or "
		    "of this import", l->to);
		return 0;
	}
	if ((r = own_entity(v, of, &it)) != 0)
		return r;
	if ((f = draft_fact_add(v->b->draft, it, FACT_OWNER)) == NULL)
		return ERR_MEMORY;
	f->issuer = v->b->draft->issuer;
	f->value = owner->id;
	f->share = l->share;
	f->from = l->from_ms;
	f->to = l->to_ms;
	return 0;
}

static int
resolve_member(struct resolve *v, const struct build_link *l)
{
	const struct draft_item *found;
	struct draft_item *it;
	struct draft_fact *f;
	int r;

	arena_reset(v->scratch);
	if ((r = find_item(v, l->from, NODE_PERSON, &found)) != 0)
		return r;
	it = found == NULL ? NULL : draft_item_find(v->b->draft, found->id);
	if (it == NULL || it->kind == NODE_ENTITY) {
		findings_add(v->b->f, FINDING_NOTE, &l->at, "member: "
		    "\"%.100s\" is nobody of this import and gets no role "
		    "\"%.60s\"", l->from, l->to);
		return 0;
	}
	if ((f = draft_fact_add(v->b->draft, it, FACT_ROLE)) == NULL)
		return ERR_MEMORY;
	f->issuer = v->b->draft->issuer;
	f->value = l->to;
	return 0;
}

/* Owners of an entity that hold more than all of it are a mistake. */
static void
check_shares(struct resolve *v, const struct build_links *l)
{
	struct draft_item *it;
	uint64_t sum;
	size_t i, k;

	for (i = 0; i < l->n; i++) {
		it = draft_item_find(v->b->draft, l->items[i].from);
		for (k = 0, sum = 0; it != NULL && k < it->n; k++)
			if (it->facts[k].kind == FACT_OWNER &&
			    it->facts[k].from == INT64_MIN &&
			    it->facts[k].to == INT64_MAX)
				sum += it->facts[k].share;
		if (sum <= SHARE_WHOLE)
			continue;
		findings_add(v->b->f, FINDING_ERROR, &l->items[i].at,
		    "share: the owners of \"%.80s\" hold more than 100 "
		    "percent together", it->id);
		return;
	}
}

int
build_resolve(struct build *b)
{
	struct resolve v = {.b = b};
	size_t i, n = b->draft->n_items;
	int r = ERR_MEMORY;

	index_init(&v.names);
	index_init(&v.doubled);
	if ((v.scratch = arena_new()) == NULL ||
	    (r = add_names(&v, b->draft)) != 0 ||
	    (r = add_names(&v, b->known)) != 0)
		goto out;
	for (i = 0; i < n && r == 0; i++) {
		v.item = b->draft->items[i];
		r = resolve_item(&v);
	}
	for (i = 0; i < b->owners.n && r == 0; i++)
		r = resolve_owner(&v, &b->owners.items[i]);
	for (i = 0; i < b->members.n && r == 0; i++)
		r = resolve_member(&v, &b->members.items[i]);
	if (r == 0)
		check_shares(&v, &b->owners);
out:
	index_done(&v.names);
	index_done(&v.doubled);
	arena_free(v.scratch);
	return r;
}
