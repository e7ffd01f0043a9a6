/*
 * import/building.h - what the files of a build share.
 */
#ifndef IMPORT_BUILDING_H
#define IMPORT_BUILDING_H

#include <stdint.h>

#include "import/build.h"
#include "import/draft.h"
#include "import/findings.h"
#include "import/index.h"
#include "import/value.h"

/* A role that somebody has by a group, or a share: to be looked up. */
struct build_link {
	const char *from;	/* member; owned entity */
	const char *to;		/* role; owner */
	uint32_t share;
	int64_t from_ms, to_ms;
	struct origin at;
};

struct build_links {
	struct build_link *items;
	size_t n, cap;
};

struct build {
	const struct mapping *map;
	const struct draft *known;	/* or NULL */
	struct findings *f;
	struct draft *draft;
	struct values scratch;
	struct index texts;		/* each text that comes often, once */
	struct index by_key;		/* people, by DN or SCIM id */
	struct build_links members, owners;
	struct build_counts counts;
	unsigned covers;
};

/* A copy that lives as long as the draft, shared by all who ask for the
 * same text; NULL: out of memory. */
const char *build_keep(struct build *b, const char *text);
int build_link(struct build_links *l, const struct build_link *link);
/* The sections that have no facts of their own item's. */
int build_site(struct build *b, const struct entry *e);
int build_owner(struct build *b, const struct entry *e);
int build_group(struct build *b, const struct entry *e);
/* The CIDR networks of a site or a service; what is none is a finding. *ret
 * is left alone if there are none. */
int build_networks(struct build *b, enum section section,
    const struct entry *e, const char *const **ret, size_t *ret_n);
/* A site that a person's place and country make. 0 or ERR_MEMORY. */
int build_place(struct build *b, const struct value *v,
    const struct origin *at, const char **ret);
/* An item's own keys: id, name, interval. *ret NULL: there is an error. */
int build_item(struct build *b, enum section s, const struct entry *e,
    enum node_kind kind, struct draft_item **ret);

int build_resolve(struct build *b);

#endif
