#include "enforce/write.h"

#include <stddef.h>

#include "base/buf.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "enforce/sql.h"
#include "policy/policy.h"

bool
write_any(const struct clearance *cl)
{
	size_t i;

	for (i = 0; i < cl->n_tables; i++)
		if (cl->tables[i].readable && cl->tables[i].writes != NULL)
			return true;
	return false;
}

static void
put_columns(const struct clearance_table *ct, enum policy_write k,
    struct buf *out)
{
	bool first = true;
	size_t i;

	for (i = 0; i < ct->table->n_columns; i++) {
		if ((ct->writes[i] & 1u << k) == 0)
			continue;
		buf_str(out, first ? " (" : ", ");
		first = false;
		text_sql_ident(out, ct->table->columns[i].name);
	}
	buf_str(out, ")");
}

void
write_grant_sql(const struct clearance_table *ct, const char *schema,
    const char *roles, struct buf *out)
{
	static const char *const rights[] = {
		[POLICY_INSERT] = "INSERT", [POLICY_UPDATE] = "UPDATE",
		[POLICY_DELETE] = "DELETE",
	};
	int k;

	if (ct->writes == NULL)
		return;
	for (k = 0; k < POLICY_WRITES; k++) {
		if (!clearance_writes(ct, (enum policy_write)k))
			continue;
		buf_fmt(out, "GRANT %s", rights[k]);
		if (k != POLICY_DELETE)
			put_columns(ct, (enum policy_write)k, out);
		buf_str(out, " ON ");
		sql_table(out, schema, ct->table->name);
		buf_fmt(out, " TO %s;\n", roles);
	}
}
