/*
 * directory/directory.h - people, services and entities, and what is known
 * of them: each fact with its issuer and the interval in which it is valid.
 *
 * Pure: text in, struct out. Format: docs/directory.md.
 */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct directory;
struct node;

int directory_load(const char *text, size_t len, struct directory **ret,
    struct why *w);
void directory_free(struct directory *d);

enum principal_kind {
	PRINCIPAL_PERSON,
	PRINCIPAL_SERVICE,
};

/* One of several employers, and as what. */
struct employment {
	const char *employer;		/* entity id; NULL: employed by nobody */
	bool stated;			/* as which is written */
	bool contractor;		/* else an employee; if stated */
};

/*
 * What is known of a principal at one time. Lives in the caller's arena.
 * Lists may be empty; `site` is NULL when no site is assigned.
 */
struct principal {
	const char *id;
	const char *name;	/* as people say it; the id if none */
	enum principal_kind kind;
	const char *const *roles;
	size_t n_roles;
	const char *const *employers;	/* entity ids; a service: operators */
	size_t n_employers;
	const char *const *nationalities;
	size_t n_nationalities;
	const char *const *offices;	/* "country: office", as given */
	size_t n_offices;
	const char *site;
	/* Persons only. Empty lists: nothing is known, or that there is none;
	 * the flags tell which. */
	const struct employment *employments;
	size_t n_employments;
	const char *const *instructors;	/* people and entities, by id */
	size_t n_instructors;
	bool instructors_known, offices_known;
	const char *const *based_in;	/* the assigned sites' countries */
	size_t n_based_in;
	/* For what is derived from the whole directory; NULL: nothing can be. */
	const struct node *node;
	int64_t at_ms;
	bool doubts_places;	/* directory_doubt_places, then */
	/* Services only: networks (CIDR) they are expected from; empty: any. */
	const char *const *networks;
	size_t n_networks;
	const char *const *issuers;	/* of the facts used, sorted, distinct */
	size_t n_issuers;
};

/* 0, or ERR_MISSING when no such principal is valid at that time. */
int directory_principal(const struct directory *d, const char *id,
    int64_t at_ms, struct arena *a, const struct principal **ret);

/*
 * From now on, or no longer: an entity of which nobody wrote where its
 * principal place of business is has it in a country that is not known, and
 * not where it is organised. For asking what rests on that.
 */
void directory_doubt_places(struct directory *d, bool doubts);

/* "employee", "contractor", "employee or contractor", "nobody". */
const char *employment_text(const struct employment *e);

/* Whether an office is meant: all of its text, or what is before its ":". */
bool office_is(const char *office, const char *wanted);

/* Whether the directory has a person, service or entity of that id, at any
 * time. */
bool directory_knows(const struct directory *d, const char *id);

/* Ids of all principals valid at a time, sorted. */
int directory_list(const struct directory *d, int64_t at_ms, struct arena *a,
    const char *const **ret, size_t *ret_n);

/* All labels of countries that facts and sites have, sorted. */
const char *const *directory_labels(const struct directory *d,
    size_t *ret_n);

/* Sites: id, country label, and the networks that belong to them. */
struct directory_site {
	const char *id;
	const char *country;
	const char *const *networks;
	size_t n_networks;
};

const struct directory_site *directory_site_find(const struct directory *d,
    const char *id);
/* The site of a source address ("127.20.0.4", "2001:db8::1"): the longest
 * matching network; NULL if none matches. */
const struct directory_site *directory_site_of_address(
    const struct directory *d, const char *address);
/* All sites, for enumeration. */
const struct directory_site *directory_sites(const struct directory *d,
    size_t *ret_n);

/* Whether an address is in a CIDR network; false if either is malformed. */
bool network_contains(const char *network, const char *address);
bool network_valid(const char *network);

#endif
