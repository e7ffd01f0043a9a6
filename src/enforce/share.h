/*
 * enforce/share.h - many clearances over few views.
 *
 * A view says which columns are shown and how; whose rows, the row filter
 * says, by the session's login (sworn.sees). So clearances whose columns of a
 * table are treated alike can read the same view, whatever residences each
 * may see. Tables that are treated alike by everybody stand together:
 *
 *	block	tables such that any two clearances treat all of them alike
 *		or all of them differently
 *	pane	a block's tables, treated in one way, for at most PANE_LOGINS
 *		logins or so: a schema of views (enforce_pane_sql)
 *
 * A clearance reads one pane of each block that it may read any of. Logins
 * are spread over several panes of the same views since PostgreSQL keeps all
 * rights on a view in one row of a catalog, which cannot be longer than a
 * page. A pane is named for what it shows, so that it stays when other
 * clearances come and go.
 * Pure. Memory: the caller's arena; borrows from the clearances.
 */
#ifndef ENFORCE_SHARE_H
#define ENFORCE_SHARE_H

#include <stddef.h>

#include "enforce/enforce.h"
#include "policy/policy.h"

struct arena;

#define PANE_LOGINS 128
#define PANE_PREFIX "sworn_p"	/* then 16 hex digits */

struct share_clearance {
	const char *role;
	const struct clearance *clearance;
};

struct share_pane {
	const char *text;	/* to be hashed for its name */
	char name[ENFORCE_NAME_MAX];	/* by enforce_pane_name */
	struct clearance shown;	/* its tables only, of no residence */
	size_t n_tables;
	size_t *readers;	/* of the clearances, ascending */
	size_t n_readers;
};

struct share {
	struct share_pane *panes;
	size_t n;
};

/* All clearances are of one catalog. 0 or ERR_MEMORY. */
int share_make(const struct share_clearance *all, size_t n,
    struct arena *a, struct share *ret);

#endif
