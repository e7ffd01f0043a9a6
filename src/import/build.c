#include "import/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "import/building.h"
#include "import/dn.h"
#include "import/entry.h"

/* Which field of a section becomes which fact. */
static const struct {
	enum field field;
	enum fact_kind fact;
	bool none;		/* "none" says that there is nobody */
} fact_fields[] = {
	{FIELD_SITE, FACT_SITE, false},
	{FIELD_EMPLOYER, FACT_EMPLOYER, true},
	{FIELD_MANAGER, FACT_MANAGER, true},
	{FIELD_INSTRUCTOR, FACT_INSTRUCTOR, true},
	{FIELD_OPERATOR, FACT_OPERATOR, false},
	{FIELD_KEEPERS, FACT_KEEPER, true},
	{FIELD_NATIONALITY, FACT_NATIONALITY, false},
	{FIELD_RESIDENCE, FACT_RESIDENCE, false},
	{FIELD_OFFICES, FACT_OFFICE, true},
	{FIELD_ROLES, FACT_ROLE, false},
	{FIELD_COUNTRY, FACT_COUNTRY, false},
	{FIELD_PLACE, FACT_PLACE, false},
};

struct build *
build_new(const struct mapping *m, const struct draft *known,
    struct findings *f)
{
	struct build *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->map = m;
	b->known = known;
	b->f = f;
	index_init(&b->texts);
	index_init(&b->by_key);
	if ((b->draft = draft_new(m->issuer)) == NULL) {
		build_free(b);
		return NULL;
	}
	return b;
}

void
build_free(struct build *b)
{
	if (b == NULL)
		return;
	draft_free(b->draft);
	values_done(&b->scratch);
	index_done(&b->texts);
	index_done(&b->by_key);
	free(b->members.items);
	free(b->owners.items);
	free(b);
}

const struct build_counts *
build_counts(const struct build *b)
{
	return &b->counts;
}

unsigned
build_covers(const struct build *b)
{
	return b->covers;
}

void
build_cover(struct build *b, enum section s)
{
	b->covers |= 1u << s;
}

const char *
build_keep(struct build *b, const char *text)
{
	char *kept = index_find(&b->texts, text);

	if (kept != NULL)
		return kept;
	if ((kept = arena_str(b->draft->arena, text)) == NULL ||
	    index_add(&b->texts, kept, kept, NULL) != 0)
		return NULL;
	return kept;
}

static int
keep_origin(struct build *b, const struct entry *e, struct origin *ret)
{
	*ret = e->at;
	if (e->at.file != NULL &&
	    (ret->file = build_keep(b, e->at.file)) == NULL)
		return ERR_MEMORY;
	if (e->at.place != NULL && (ret->place = arena_str(b->draft->arena,
	    e->at.place)) == NULL)
		return ERR_MEMORY;
	return 0;
}

/* The time in a field; *ret is untouched where there is none. */
static int
read_time(struct build *b, const struct section_map *s, enum field field,
    const struct entry *e, int64_t *ret)
{
	const char *text;
	int r;

	r = value_of(s, field, e, b->f, &b->scratch, &text);
	if (r == 0 && text != NULL && value_time(text, ret) != 0)
		findings_add(b->f, FINDING_ERROR, &e->at, "%s: \"%.60s\" is "
		    "no time; write it as 2026-11-23 or 2026-11-23T17:40:00Z",
		    field_text(field), text);
	return r;
}

static int
read_interval(struct build *b, const struct section_map *s,
    const struct entry *e, int64_t *from, int64_t *to)
{
	int r;

	if ((r = read_time(b, s, FIELD_FROM, e, from)) != 0 ||
	    (r = read_time(b, s, FIELD_TO, e, to)) != 0)
		return r;
	if (*to <= *from)
		findings_add(b->f, FINDING_ERROR, &e->at, "to: this is not "
		    "after \"from\"");
	return 0;
}

static void
say_twice(struct build *b, const struct entry *e,
    const struct draft_item *first)
{
	findings_add(b->f, FINDING_ERROR, &e->at, "id: \"%.80s\" is there "
	    "already, at %s%s%.0u%s%s; each id is one person, service or "
	    "entity", first->id, first->at.file != NULL ? first->at.file : "",
	    first->at.line != 0 ? ":" : "", first->at.line,
	    first->at.place != NULL ? " " : "",
	    first->at.place != NULL ? first->at.place : "");
}

/* By its key in the source an item is found by those who name it so. */
static int
index_key(struct build *b, const struct entry *e, struct draft_item *it)
{
	const char *key = e->key;
	int r;

	if (key != NULL && e->key_is_dn)
		key = dn_normal(e->arena, key);
	if (key == NULL)
		return 0;
	if ((it->key = arena_str(b->draft->arena, key)) == NULL)
		return ERR_MEMORY;
	r = index_add(&b->by_key, it->key, it, NULL);
	if (r == ERR_EXISTS)
		findings_add(b->f, FINDING_ERROR, &e->at, "this name stands "
		    "for two entries");
	return r == ERR_MEMORY ? r : 0;
}

static int
new_item(struct build *b, const struct entry *e, const char *id,
    enum node_kind kind, struct draft_item **ret)
{
	const char *kept = arena_str(b->draft->arena, id);
	struct draft_item *it, *exists;
	int r;

	if (kept == NULL)
		return ERR_MEMORY;
	if ((it = draft_item_add(b->draft, kept, &exists)) == NULL) {
		if (exists == NULL)
			return ERR_MEMORY;
		say_twice(b, e, exists);
		return 0;
	}
	it->kind = kind;
	if ((r = keep_origin(b, e, &it->at)) != 0 ||
	    (r = index_key(b, e, it)) != 0)
		return r;
	*ret = it;
	return 0;
}

int
build_item(struct build *b, enum section s, const struct entry *e,
    enum node_kind kind, struct draft_item **ret)
{
	const struct section_map *map = &b->map->sections[s];
	const char *id, *name, *wrong;
	int r;

	*ret = NULL;
	r = value_of(map, FIELD_ID, e, b->f, &b->scratch, &id);
	if (r != 0)
		return r;
	if (id == NULL) {
		findings_add(b->f, FINDING_ERROR, &e->at, "id: there is none; "
		    "map %s's id to an attribute that each has, or leave the "
		    "entry out with \"skip\"", section_text(s));
		return 0;
	}
	if ((wrong = value_id_wrong(id)) != NULL) {
		findings_add(b->f, FINDING_ERROR, &e->at, "id: \"%.80s\" %s",
		    id, wrong);
		return 0;
	}
	if ((r = new_item(b, e, id, kind, ret)) != 0 || *ret == NULL)
		return r;
	r = value_of(map, FIELD_NAME, e, b->f, &b->scratch, &name);
	if (r != 0 || name == NULL)
		goto interval;
	if ((wrong = value_text_wrong(name)) != NULL)
		findings_add(b->f, FINDING_ERROR, &e->at, "name: \"%.80s\" "
		    "%s", name, wrong);
	else if (strcmp(name, id) != 0 && ((*ret)->name =
	    arena_str(b->draft->arena, name)) == NULL)
		r = ERR_MEMORY;
interval:
	return r != 0 ? r : read_interval(b, map, e, &(*ret)->from,
	    &(*ret)->to);
}

static const char *
fact_wrong(enum fact_kind kind, const char *text)
{
	if (kind == FACT_NATIONALITY || kind == FACT_RESIDENCE ||
	    kind == FACT_COUNTRY || kind == FACT_PLACE)
		return value_label_wrong(text);
	return value_text_wrong(text);
}

static int
add_fact(struct build *b, const struct entry *e, struct draft_item *it,
    size_t which, const struct value *v)
{
	enum fact_kind kind = fact_fields[which].fact;
	const char *wrong, *text = v->text;
	struct draft_fact *f;
	int r;

	if ((wrong = fact_wrong(kind, text)) != NULL) {
		findings_add(b->f, FINDING_ERROR, &e->at, "%s: \"%.80s\" %s",
		    field_text(fact_fields[which].field), text, wrong);
		return 0;
	}
	if (kind == FACT_SITE && v->country != NULL) {
		if ((r = build_place(b, v, &it->at, &text)) != 0)
			return r;
		if (text == NULL)
			return 0;
	}
	if ((f = draft_fact_add(b->draft, it, kind)) == NULL)
		return ERR_MEMORY;
	f->issuer = b->draft->issuer;
	if (fact_fields[which].none && strcmp(text, "none") == 0)
		return 0;
	return (f->value = build_keep(b, text)) != NULL ? 0 : ERR_MEMORY;
}

static bool
is_top(const struct rule *r, const char *id)
{
	size_t i;

	for (i = 0; i < r->n_top; i++)
		if (strcmp(r->top[i], id) == 0)
			return true;
	return false;
}

static int
add_facts(struct build *b, enum section s, const struct entry *e,
    struct draft_item *it)
{
	const struct section_map *map = &b->map->sections[s];
	struct value none = {"none", NULL, NULL};
	const struct rule *rule;
	size_t i, k;
	int r;

	for (i = 0; i < sizeof(fact_fields) / sizeof(fact_fields[0]); i++) {
		if ((rule = map->rules[fact_fields[i].field]) == NULL)
			continue;
		if (is_top(rule, it->id)) {
			if ((r = add_fact(b, e, it, i, &none)) != 0)
				return r;
			continue;
		}
		r = values_of(map, fact_fields[i].field, e, b->f,
		    &b->scratch);
		for (k = 0; r == 0 && k < b->scratch.n; k++)
			r = add_fact(b, e, it, i, &b->scratch.items[k]);
		if (r != 0)
			return r;
	}
	return 0;
}

static int
read_kind(struct build *b, const struct entry *e, struct draft_item *it)
{
	const char *kind;
	bool contractor;
	size_t i;
	int r;

	r = value_of(&b->map->sections[SECTION_PEOPLE], FIELD_KIND, e, b->f,
	    &b->scratch, &kind);
	if (r != 0 || kind == NULL)
		return r;
	contractor = strcmp(kind, "contractor") == 0;
	if (!contractor && strcmp(kind, "employee") != 0)
		findings_add(b->f, FINDING_ERROR, &e->at, "kind: \"%.80s\" is "
		    "neither employee nor contractor; map it in values", kind);
	for (i = 0; i < it->n; i++)
		if (it->facts[i].kind == FACT_EMPLOYER &&
		    it->facts[i].value != NULL) {
			it->facts[i].stated = true;
			it->facts[i].contractor = contractor;
		}
	return 0;
}

int
build_networks(struct build *b, enum section section, const struct entry *e,
    const char *const **ret, size_t *ret_n)
{
	const char **networks;
	size_t i;
	int r;

	r = values_of(&b->map->sections[section], FIELD_NETWORKS, e, b->f,
	    &b->scratch);
	if (r != 0 || b->scratch.n == 0)
		return r;
	networks = arena_array(b->draft->arena, b->scratch.n,
	    sizeof(*networks));
	if (networks == NULL)
		return ERR_MEMORY;
	for (i = 0; i < b->scratch.n; i++) {
		networks[i] = build_keep(b, b->scratch.items[i].text);
		if (networks[i] == NULL)
			return ERR_MEMORY;
		if (!network_valid(networks[i]))
			findings_add(b->f, FINDING_ERROR, &e->at, "networks: "
			    "\"%.60s\" is not a network; write it as "
			    "192.0.2.0/24, with no bits beyond the prefix",
			    networks[i]);
	}
	*ret = networks;
	*ret_n = b->scratch.n;
	return 0;
}

static int
read_rest(struct build *b, const struct entry *e, struct draft_item *it)
{
	const char *rest;
	int r;

	r = value_of(&b->map->sections[SECTION_ENTITIES], FIELD_REST, e, b->f,
	    &b->scratch, &rest);
	if (r != 0 || rest == NULL)
		return r;
	it->rest_given = true;
	it->dispersed = strcmp(rest, "dispersed") == 0;
	if (!it->dispersed && strcmp(rest, "unknown") != 0)
		findings_add(b->f, FINDING_ERROR, &e->at, "rest: \"%.60s\" is "
		    "neither dispersed nor unknown", rest);
	return 0;
}

static int
build_principal(struct build *b, enum section s, const struct entry *e)
{
	enum node_kind kind = s == SECTION_PEOPLE ? NODE_PERSON :
	    s == SECTION_SERVICES ? NODE_SERVICE : NODE_ENTITY;
	struct draft_item *it;
	int r;

	if ((r = build_item(b, s, e, kind, &it)) != 0 || it == NULL)
		return r;
	if ((r = add_facts(b, s, e, it)) != 0)
		return r;
	if (s == SECTION_PEOPLE)
		return read_kind(b, e, it);
	return s == SECTION_SERVICES ? build_networks(b, SECTION_SERVICES, e,
	    &it->networks, &it->n_networks) :
	    read_rest(b, e, it);
}

int
build_link(struct build_links *l, const struct build_link *link)
{
	size_t cap = l->cap != 0 ? l->cap * 2 : 64;
	struct build_link *items;

	if (l->n == l->cap) {
		items = realloc(l->items, cap * sizeof(*items));
		if (items == NULL)
			return ERR_MEMORY;
		l->items = items;
		l->cap = cap;
	}
	l->items[l->n++] = *link;
	return 0;
}

int
build_owner(struct build *b, const struct entry *e)
{
	static const enum field fields[] = {FIELD_ENTITY, FIELD_OWNER,
	    FIELD_SHARE};
	const struct section_map *map = &b->map->sections[SECTION_OWNERS];
	struct build_link l = {.from_ms = INT64_MIN, .to_ms = INT64_MAX};
	const char *text[3];
	size_t i;
	int r;

	for (i = 0; i < 3; i++) {
		r = value_of(map, fields[i], e, b->f, &b->scratch, &text[i]);
		if (r != 0)
			return r;
		if (text[i] == NULL) {
			findings_add(b->f, FINDING_ERROR, &e->at, "%s: there "
			    "is no value", field_text(fields[i]));
			return 0;
		}
	}
	if (value_share(text[2], &l.share) != 0)
		findings_add(b->f, FINDING_ERROR, &e->at, "share: \"%.40s\" "
		    "is not a share in percent: 0 to 100, at most six "
		    "decimals", text[2]);
	if ((r = read_interval(b, map, e, &l.from_ms, &l.to_ms)) != 0 ||
	    (r = keep_origin(b, e, &l.at)) != 0)
		return r;
	if ((l.from = build_keep(b, text[0])) == NULL ||
	    (l.to = build_keep(b, text[1])) == NULL)
		return ERR_MEMORY;
	return build_link(&b->owners, &l);
}

static int
add_members(struct build *b, const struct entry *e, const char *role)
{
	struct build_link l = {.from_ms = INT64_MIN, .to_ms = INT64_MAX};
	size_t i;
	int r;

	r = values_of(&b->map->sections[SECTION_GROUPS], FIELD_MEMBER, e,
	    b->f, &b->scratch);
	if (r != 0 || (r = keep_origin(b, e, &l.at)) != 0)
		return r;
	l.to = role;
	for (i = 0; i < b->scratch.n; i++) {
		l.from = build_keep(b, b->scratch.items[i].text);
		if (l.from == NULL)
			return ERR_MEMORY;
		if ((r = build_link(&b->members, &l)) != 0)
			return r;
	}
	return 0;
}

/* Every role that the group's rules give goes to each of its members. */
int
build_group(struct build *b, const struct entry *e)
{
	struct values roles = {0};
	const char *wrong, *role;
	size_t i;
	int r;

	r = values_of(&b->map->sections[SECTION_GROUPS], FIELD_ROLES, e, b->f,
	    &roles);
	for (i = 0; r == 0 && i < roles.n; i++) {
		if ((wrong = value_text_wrong(roles.items[i].text)) != NULL) {
			findings_add(b->f, FINDING_ERROR, &e->at, "roles: "
			    "\"%.80s\" %s", roles.items[i].text, wrong);
			continue;
		}
		if ((role = build_keep(b, roles.items[i].text)) == NULL)
			r = ERR_MEMORY;
		else
			r = add_members(b, e, role);
	}
	values_done(&roles);
	return r;
}

int
build_row(struct build *b, enum section s, const struct entry *e)
{
	b->counts.entries++;
	b->covers |= 1u << s;
	if (!mapping_meant(&b->map->sections[s], e)) {
		b->counts.left_out++;
		return 0;
	}
	b->counts.taken[s]++;
	switch (s) {
	case SECTION_PEOPLE:
	case SECTION_SERVICES:
	case SECTION_ENTITIES:
		return build_principal(b, s, e);
	case SECTION_OWNERS:
		return build_owner(b, e);
	case SECTION_SITES:
		return build_site(b, e);
	case SECTION_GROUPS:
		return build_group(b, e);
	case SECTION_TICKETS:
	case SECTIONS:
		break;
	}
	return 0;
}

int
build_entry(void *build, const struct entry *e)
{
	static const enum section which[] = {SECTION_PEOPLE, SECTION_GROUPS,
	    SECTION_SERVICES, SECTION_ENTITIES};
	struct build *b = build;
	const struct section_map *s;
	size_t i;

	/* What a mapping looks for the source speaks for, even if it has none
	 * left. */
	for (i = 0; i < sizeof(which) / sizeof(which[0]); i++)
		if (b->map->sections[which[i]].n_where > 0)
			build_cover(b, which[i]);
	for (i = 0; i < sizeof(which) / sizeof(which[0]); i++) {
		s = &b->map->sections[which[i]];
		if (s->n_where > 0 && mapping_meant(s, e))
			return build_row(b, which[i], e);
	}
	b->counts.entries++;
	b->counts.left_out++;
	return 0;
}

int
build_end(struct build *b, struct draft **ret)
{
	int r;

	if ((r = build_resolve(b)) != 0)
		return r;
	if (b->f->failed)
		return ERR_MEMORY;
	*ret = b->draft;
	b->draft = NULL;	/* now the caller's */
	return 0;
}
