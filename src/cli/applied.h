/*
 * cli/applied.h - the file that `sworn apply` leaves for the gateway.
 *
 *	{"version":1, "store":"us",
 *	 "logins":[{"role":"sworn_...", "password":"...", "verifier":"...",
 *	            "clearance_sha256":"...", "twins":[[VIEW, TWIN], ...]}, ...],
 *	 "counts":{"US":9000}, "counted":"2026-11-23T17:40:00.123Z"}
 *
 * Where views are shared there is, besides,
 *	 "panes":[{"schema":"sworn_p...", "views":[[NAME, VIEW, TWIN], ...]}]
 * and a login has, in place of twins, "panes":[INDEX, ...].
 *
 * It is written and made durable beside the old one before the store's
 * transaction commits, and takes its place right after.
 */
#ifndef CLI_APPLIED_H
#define CLI_APPLIED_H

#include <libpq-fe.h>
#include <stdint.h>

struct apply;

#define PASSWORD_HEX 64

struct applied {
	const char *path;
	char *temporary;	/* NULL: nothing written */
};

/* The folder that it stands in: sworn run makes it too, whichever comes
 * first. */
int applied_folder(const char *path);
/* counts: (label, n) rows; twins: those of twin_pairs_sql. 0 or an error,
 * said on standard error. */
int applied_write(struct applied *f, const struct apply *a,
    PGresult *counts, PGresult *twins, int64_t at_ms);
/* Puts it in place. */
int applied_commit(struct applied *f);
/* Removes what was not put in place. */
void applied_done(struct applied *f);

#endif
