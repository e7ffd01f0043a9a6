/*
 * Sites: from a table of their own, or made by a person's place and country
 * where nobody has written them down.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "import/building.h"
#include "import/entry.h"

int
build_site(struct build *b, const struct entry *e)
{
	const struct section_map *map = &b->map->sections[SECTION_SITES];
	struct draft_site *s, *exists;
	const char *id, *country, *wrong;
	int r;

	if ((r = value_of(map, FIELD_ID, e, b->f, &b->scratch, &id)) != 0 ||
	    (r = value_of(map, FIELD_COUNTRY, e, b->f, &b->scratch,
	    &country)) != 0)
		return r;
	if (id == NULL || country == NULL) {
		findings_add(b->f, FINDING_ERROR, &e->at, "%s: there is no "
		    "value", id == NULL ? "id" : "country");
		return 0;
	}
	if ((wrong = value_id_wrong(id)) != NULL)
		findings_add(b->f, FINDING_ERROR, &e->at, "id: \"%.80s\" %s",
		    id, wrong);
	if (wrong == NULL && (wrong = value_label_wrong(country)) != NULL)
		findings_add(b->f, FINDING_ERROR, &e->at, "country: \"%.80s\" "
		    "%s", country, wrong);
	if (wrong != NULL)
		return 0;
	if ((id = build_keep(b, id)) == NULL ||
	    (country = build_keep(b, country)) == NULL)
		return ERR_MEMORY;
	if ((s = draft_site_add(b->draft, id, &exists)) == NULL) {
		if (exists == NULL)
			return ERR_MEMORY;
		findings_add(b->f, FINDING_ERROR, &e->at, "id: the site "
		    "\"%.80s\" is there already", id);
		return 0;
	}
	s->country = country;
	s->at.line = e->at.line;
	if (e->at.file != NULL &&
	    (s->at.file = build_keep(b, e->at.file)) == NULL)
		return ERR_MEMORY;
	return build_networks(b, SECTION_SITES, e,
	    &s->networks, &s->n_networks);
}

/* The site of that text that somebody has written down: its id, or the id
 * made of the text. */
static int
place_id(struct build *b, const char *text, const char **ret)
{
	const char *slug;

	*ret = text;
	if ((b->known != NULL && draft_site_find(b->known, text) != NULL) ||
	    draft_site_find(b->draft, text) != NULL)
		return 0;
	if ((slug = value_slug(b->draft->arena, text)) == NULL)
		return ERR_MEMORY;
	*ret = *slug != 0 ? build_keep(b, slug) : NULL;
	return *slug == 0 || *ret != NULL ? 0 : ERR_MEMORY;
}

int
build_place(struct build *b, const struct value *v, const struct origin *at,
    const char **ret)
{
	struct draft_site *s, *exists;
	const char *id, *wrong, *country = v->country;
	int r;

	*ret = NULL;
	if ((wrong = value_label_wrong(country)) != NULL) {
		findings_add(b->f, FINDING_ERROR, at, "site: the country "
		    "\"%.80s\" of \"%.80s\" %s", country, v->text, wrong);
		return 0;
	}
	if ((r = place_id(b, v->text, &id)) != 0)
		return r;
	if (id == NULL) {
		findings_add(b->f, FINDING_ERROR, at, "site: no id can be "
		    "made of \"%.80s\"; map it in values", v->text);
		return 0;
	}
	exists = b->known != NULL ? draft_site_find(b->known, id) : NULL;
	s = NULL;
	if (exists == NULL && (id = build_keep(b, id)) != NULL)
		s = draft_site_add(b->draft, id, &exists);
	if (s == NULL && exists == NULL)
		return ERR_MEMORY;
	if (s != NULL) {
		s->at = *at;
		s->country = build_keep(b, country);
	} else if (strcmp(exists->country, country) != 0) {
		findings_add(b->f, FINDING_ERROR, at, "site: \"%.80s\" is in "
		    "%s here and in %s elsewhere; correct one, give the place "
		    "a site of its own in values, or leave \"country\" out of "
		    "the mapping", v->text, country, exists->country);
		return 0;
	}
	*ret = id;
	return s != NULL && s->country == NULL ? ERR_MEMORY : 0;
}
