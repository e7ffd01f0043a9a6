#include "enforce/far.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "enforce/enforce.h"
#include "policy/policy.h"

/* Whether a type's table stands before, at or behind that of the name. */
static int
order(const struct enforce_type *t, const char *schema, const char *table)
{
	int r = strcmp(t->schema, schema);

	return r != 0 ? r : strcmp(t->table, table);
}

const char *
far_servers(const struct enforce_type *types, size_t n, const char *schema,
    const char *table)
{
	size_t low = 0, high = n, mid;
	int r;

	while (low < high) {
		mid = low + (high - low) / 2;
		if ((r = order(&types[mid], schema, table)) == 0)
			return types[mid].far;
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void
far_barrier(bool far, struct buf *out)
{
	if (far)
		buf_str(out, " WITH (security_barrier)");
}

/* The password stays in the server: the statement that has it is run there
 * and is no text of a client's. */
void
far_mapping_sql(const char *role, const char *schema, const char *table,
    const char *servers, struct buf *out)
{
	struct buf name;

	buf_init(&name, 0);
	text_sql_ident(&name, schema);
	buf_str(&name, ".");
	text_sql_ident(&name, table);
	buf_str(out, "DO $$DECLARE m record; BEGIN\n"
	    "\tFOR m IN WITH RECURSIVE part(oid) AS (SELECT ");
	text_sql_literal(out, buf_text(&name) != NULL ? buf_text(&name) : "");
	buf_str(out, "::regclass::oid\n"
	    "\t    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i\n"
	    "\t    JOIN part ON i.inhparent = part.oid)\n"
	    "\t    SELECT DISTINCT s.srvname, (SELECT string_agg(format('%I "
	    "%L',\n\t    o.option_name, o.option_value), ', ')\n"
	    "\t    FROM pg_catalog.pg_options_to_table(u.umoptions) o) AS "
	    "options\n"
	    "\t    FROM part JOIN pg_catalog.pg_foreign_table f ON f.ftrelid "
	    "= part.oid\n"
	    "\t    JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid\n"
	    "\t    JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver\n"
	    "\t    JOIN pg_catalog.pg_user_mapping u ON u.umserver = s.oid\n"
	    "\t    AND u.umuser = c.relowner\n"
	    "\t    WHERE s.srvname = ANY (");
	text_sql_literal(out, servers);
	buf_fmt(out, "::name[]) LOOP\n"
	    "\t\tEXECUTE format('CREATE USER MAPPING IF NOT EXISTS FOR %s '\n"
	    "\t\t    'SERVER %%I OPTIONS (%%s)', m.srvname, m.options);\n"
	    "\tEND LOOP;\n"
	    "END$$;\n", role);
	out->failed = out->failed || name.failed;
	buf_done(&name);
}

void
far_owner_sql(const struct clearance *cl, const char *name,
    const struct enforce_type *types, size_t n, struct buf *out)
{
	char owner[ENFORCE_NAME_MAX + 8];
	const struct catalog_table *t;
	const char *servers;
	size_t i;

	(void)snprintf(owner, sizeof(owner), "%s_own", name);
	for (i = 0; i < cl->n_tables; i++) {
		t = cl->tables[i].table;
		servers = far_servers(types, n, t->schema, t->name);
		if (cl->tables[i].readable && servers != NULL)
			far_mapping_sql(owner, t->schema, t->name, servers,
			    out);
	}
}
