/*
 * enforce/twin.h - what lets an answer say whose rows it came from.
 *
 * Each guarded view of a clearance has a twin of the same name in schema
 * sworn_<h>_twin, with the same owner and for the same login. It has the same
 * columns and behind them one more, `sworn$`: the row's subjects, each as
 * LABEL:TAG, joined by commas, or `?` for one that has no tag.
 *
 * A tag is a random word that stands for one subject in one store. It is
 * kept in sworn_tag.tag, which no reader may read, since it is what leads
 * from the log back to a person.
 * Pure: text out. Format: docs/enforcement.md.
 */
#ifndef ENFORCE_TWIN_H
#define ENFORCE_TWIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct catalog;
struct clearance_table;

#define TWIN_COLUMN "sworn$"
#define TWIN_SUFFIX "_twin"	/* behind a clearance's schema */

/*
 * SQL that is run at each apply, before the base: makes the table of tags if
 * it is not there, and the tags that are missing. Outlives the base.
 */
int twin_tags_sql(const struct catalog *c, struct buf *out);
int twin_tags_drop_sql(struct buf *out);

/* What of it belongs to the base, and goes with it; needs the tags. */
void twin_base_sql(const struct catalog *c, struct buf *out);
/* The schema of a clearance's twins, then each; `columns` as in its view.
 * shared: of a pane (enforce/share.h), to which logins get rights later; far:
 * enforce/far.h. */
void twin_schema_sql(const char *name, bool shared, struct buf *out);
void twin_view_sql(const struct catalog *c, const struct clearance_table *ct,
    const char *name, bool shared, bool far, struct bytes columns,
    struct buf *out);

/* SELECT of each schema of views, and the object identifiers of a view and
 * its twin, and their name; by schema, in the order of strcmp. */
extern const char twin_pairs_sql[];

#endif
