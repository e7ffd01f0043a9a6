#include "lineage/naming.h"

#include <stdint.h>
#include <string.h>

#include <pg_query/pg_query.pb-c.h>

#define HOLD 0x0020		/* CURSOR_OPT_HOLD of PostgreSQL's parser */

bool
naming_is_sure(const char *name)
{
	size_t i;

	for (i = 0; name[i] != 0; i++)
		if (i == NAMING_MAX || (unsigned char)name[i] >= 0x80)
			return false;
	return true;
}

/*
 * FETCH FORWARD n shows the next n rows, and with n < 0 those before; FETCH
 * BACKWARD the other way round. FIRST is ABSOLUTE 1, NEXT is FORWARD 1, PRIOR
 * is BACKWARD 1, LAST is ABSOLUTE -1.
 */
static enum naming_way
fetch_way(const PgQuery__FetchStmt *f)
{
	long n = (long)f->how_many;

	switch (f->direction) {
	case PG_QUERY__FETCH_DIRECTION__FETCH_FORWARD:
		return n == INT64_MAX ? NAMING_ALL : NAMING_STEPS;
	case PG_QUERY__FETCH_DIRECTION__FETCH_BACKWARD:
		return NAMING_STEPS;
	case PG_QUERY__FETCH_DIRECTION__FETCH_ABSOLUTE:
		return n == 0 || n == 1 ? NAMING_STEPS : NAMING_PASSES;
	case PG_QUERY__FETCH_DIRECTION__FETCH_RELATIVE:
		return n >= -1 && n <= 1 ? NAMING_STEPS : NAMING_PASSES;
	default:
		return NAMING_PASSES;
	}
}

/* MOVE shows nothing: what it goes forward by is passed over. */
static enum naming_way
move_way(const PgQuery__FetchStmt *f)
{
	switch (f->direction) {
	case PG_QUERY__FETCH_DIRECTION__FETCH_FORWARD:
		return f->how_many <= 0 ? NAMING_STEPS : NAMING_PASSES;
	case PG_QUERY__FETCH_DIRECTION__FETCH_BACKWARD:
		return f->how_many >= 0 ? NAMING_STEPS : NAMING_PASSES;
	case PG_QUERY__FETCH_DIRECTION__FETCH_ABSOLUTE:
		return f->how_many == 0 ? NAMING_STEPS : NAMING_PASSES;
	default:
		return NAMING_PASSES;
	}
}

static void
set(struct naming *r, enum naming_kind kind, const char *name)
{
	r->kind = kind;
	r->name = name != NULL && *name != 0 ? name : NULL;
}

void
naming_read(const PgQuery__Node *n, struct naming *ret)
{
	memset(ret, 0, sizeof(*ret));
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
		set(ret, NAMING_DECLARE, n->declare_cursor_stmt->portalname);
		ret->hold = (n->declare_cursor_stmt->options & HOLD) != 0;
		break;
	case PG_QUERY__NODE__NODE_PREPARE_STMT:
		set(ret, NAMING_PREPARE, n->prepare_stmt->name);
		break;
	case PG_QUERY__NODE__NODE_FETCH_STMT:
		set(ret, NAMING_FETCH, n->fetch_stmt->portalname);
		ret->way = n->fetch_stmt->ismove ? move_way(n->fetch_stmt) :
		    fetch_way(n->fetch_stmt);
		break;
	case PG_QUERY__NODE__NODE_EXECUTE_STMT:
		set(ret, NAMING_EXECUTE, n->execute_stmt->name);
		break;
	case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
		set(ret, NAMING_CLOSE, n->close_portal_stmt->portalname);
		break;
	case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
		set(ret, NAMING_DEALLOCATE, n->deallocate_stmt->name);
		break;
	case PG_QUERY__NODE__NODE_DISCARD_STMT:
		if (n->discard_stmt->target ==
		    PG_QUERY__DISCARD_MODE__DISCARD_ALL)
			set(ret, NAMING_DISCARD, NULL);
		break;
	default:
		break;
	}
}
