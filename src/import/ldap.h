/*
 * import/ldap.h - a live directory as entries.
 *
 * The only user of libldap. LDAP version 3, simple bind; results come in
 * pages (RFC 2696) where the server has them; referrals are not followed,
 * since they would send the password elsewhere, but told.
 */
#ifndef IMPORT_LDAP_H
#define IMPORT_LDAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "import/entry.h"

struct ldap_ask {
	const char *url;		/* ldaps://, ldap://, ldapi:// */
	const char *base;
	const char *filter;		/* NULL: everything */
	const char *bind_dn;		/* NULL: nobody in particular */
	const char *password;
	const char *ca_file;		/* NULL: the system's */
	bool start_tls;
	/* Without it what decides on access may have been changed on the way,
	 * and passwords are seen: only if the caller wants just that. */
	bool clear_text;
	const char *const *attributes;	/* NULL-terminated */
	size_t page;			/* entries a page */
	size_t limit;			/* entries at most; more is an error */
	unsigned timeout_s;		/* of each answer */
};

/* 0, or an error with *w filled (where the function was not its origin).
 * *referrals: places that were named and not asked. */
int ldap_read(const struct ldap_ask *q, entry_fn *fn, void *arg,
    size_t *referrals, struct why *w);

#endif
