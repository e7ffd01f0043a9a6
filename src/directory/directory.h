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

int directory_load(const char *text, size_t len, struct directory **ret,
    struct why *w);
void directory_free(struct directory *d);

enum principal_kind {
	PRINCIPAL_PERSON,
	PRINCIPAL_SERVICE,
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
	const char *const *offices;	/* "country: office" labels, as given */
	size_t n_offices;
	const char *site;
	/* Services only: networks (CIDR) they are expected from; empty: any. */
	const char *const *networks;
	size_t n_networks;
	const char *const *issuers;	/* of the facts used, sorted, distinct */
	size_t n_issuers;
};

/* 0, or ERR_MISSING when no such principal is valid at that time. */
int directory_principal(const struct directory *d, const char *id,
    int64_t at_ms, struct arena *a, const struct principal **ret);

/* Whether the directory has a person, service or entity of that id, at any
 * time. */
bool directory_knows(const struct directory *d, const char *id);

/* Ids of all principals valid at a time, sorted. */
int directory_list(const struct directory *d, int64_t at_ms, struct arena *a,
    const char *const **ret, size_t *ret_n);

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
