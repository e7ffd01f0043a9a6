/*
 * Each remembers in sworn.state what it gave to whom, under "temp", "temp
 * ROLE" and "bypass ROLE", and gives nothing that a role had already.
 */
#include "cli/rights.h"

/* Who had the right by PUBLIC gets it by name. */
const char rights_revoke_temp_sql[] =
    "DO $$DECLARE r record; d text := current_database(); BEGIN\n"
    "\tIF NOT EXISTS (SELECT FROM pg_database b, aclexplode(coalesce(\n"
    "\t    b.datacl, acldefault('d', b.datdba))) x WHERE b.datname = d\n"
    "\t    AND x.grantee = 0 AND x.privilege_type = 'TEMPORARY') THEN\n"
    "\t\tRETURN;\n"
    "\tEND IF;\n"
    "\tFOR r IN SELECT rolname FROM pg_roles g WHERE NOT rolsuper\n"
    "\t    AND rolname !~ '^(pg_|sworn_)' AND NOT EXISTS (SELECT FROM\n"
    "\t    pg_database b, aclexplode(coalesce(b.datacl,\n"
    "\t    acldefault('d', b.datdba))) x WHERE b.datname = d\n"
    "\t    AND x.grantee = g.oid AND x.privilege_type = 'TEMPORARY') LOOP\n"
    "\t\tEXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', d,\n"
    "\t\t    r.rolname);\n"
    "\t\tINSERT INTO sworn.state VALUES ('temp ' || r.rolname, '')\n"
    "\t\t    ON CONFLICT DO NOTHING;\n"
    "\tEND LOOP;\n"
    "\tEXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', d);\n"
    "\tINSERT INTO sworn.state VALUES ('temp', '')\n"
    "\t    ON CONFLICT DO NOTHING;\n"
    "END$$;\n";

/* INSERT is what says that a role might use COPY FROM. */
const char rights_bypass_sql[] =
    "DO $$DECLARE r record; BEGIN\n"
    "\tFOR r IN SELECT rolname FROM pg_roles g WHERE NOT rolsuper\n"
    "\t    AND NOT rolbypassrls AND rolcanlogin\n"
    "\t    AND rolname !~ '^(pg_|sworn_)' AND EXISTS (SELECT FROM\n"
    "\t    sworn.row_security s WHERE has_any_column_privilege(g.oid,\n"
    "\t    format('%I.%I', s.table_schema, s.table_name), 'INSERT')) LOOP\n"
    "\t\tEXECUTE format('ALTER ROLE %I BYPASSRLS', r.rolname);\n"
    "\t\tINSERT INTO sworn.state VALUES ('bypass ' || r.rolname, '')\n"
    "\t\t    ON CONFLICT DO NOTHING;\n"
    "\tEND LOOP;\n"
    "END$$;\n";

const char rights_give_back_sql[] =
    "DO $$DECLARE r record; d text := current_database(); BEGIN\n"
    "\tIF EXISTS (SELECT FROM sworn.state WHERE key = 'temp') THEN\n"
    "\t\tEXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', d);\n"
    "\tEND IF;\n"
    "\tFOR r IN SELECT g.rolname, s.key ~ '^temp' AS temp\n"
    "\t    FROM sworn.state s JOIN pg_roles g\n"
    "\t    ON s.key IN ('temp ' || g.rolname, 'bypass ' || g.rolname) LOOP\n"
    "\t\tEXECUTE CASE WHEN r.temp THEN\n"
    "\t\t    format('REVOKE TEMPORARY ON DATABASE %I FROM %I', d,\n"
    "\t\t    r.rolname) ELSE\n"
    "\t\t    format('ALTER ROLE %I NOBYPASSRLS', r.rolname) END;\n"
    "\tEND LOOP;\n"
    "END$$;\n";
