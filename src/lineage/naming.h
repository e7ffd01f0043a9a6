/*
 * lineage/naming.h - statements about what has a name in a session: cursors
 * and prepared statements.
 *
 * Memory: the caller's arena; a name may point into the tree until it is
 * copied. Names come as the parser has them: folded, cut to what PostgreSQL
 * keeps of them.
 */
#ifndef LINEAGE_NAMING_H
#define LINEAGE_NAMING_H

#include <stdbool.h>

#define NAMING_MAX 63		/* bytes of a name that are compared */

enum naming_kind {
	NAMING_NONE = 0,
	NAMING_DECLARE,
	NAMING_PREPARE,
	NAMING_FETCH,		/* or MOVE */
	NAMING_EXECUTE,
	NAMING_CLOSE,
	NAMING_DEALLOCATE,
	NAMING_DISCARD,		/* ALL: cursors and prepared statements */
};

/*
 * What FETCH or MOVE does about rows of the cursor that it does not show. A
 * row behind the place that was reached so far is passed over if it is not
 * shown; one before that was shown, or passed over by another statement.
 */
enum naming_way {
	NAMING_PASSES = 0,	/* it may pass over rows */
	NAMING_STEPS,		/* it passes over none */
	NAMING_ALL,		/* it shows all from there to the last */
};

struct naming {
	enum naming_kind kind;
	const char *name;	/* NULL: all that there are */
	bool hold;		/* DECLARE: it outlives its transaction */
	enum naming_way way;
};

/*
 * Whether a name means the same to us and to the store: not if it is longer
 * than what is compared, nor if the store's encoding may change its letters.
 */
bool naming_is_sure(const char *name);

struct PgQuery__Node;
/* kind is NAMING_NONE for all other statements. */
void naming_read(const struct PgQuery__Node *n, struct naming *ret);

#endif
