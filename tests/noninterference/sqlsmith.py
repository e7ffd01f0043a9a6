"""Statements by sqlsmith (Debian's), which makes them up from a database's own
tables, operators and functions.

It is shown a database of empty tables that look like the reader's views, in a
schema that is on everybody's search path, and prints; nothing is executed
there. Left out is what two equal stores need not answer alike: functions whose
results are not theirs alone (now(), random()), rows chosen by LIMIT or a
sample, and what writes, which all readers are refused.
"""
import re
import subprocess

DATABASE = "smith"
CHOSEN = re.compile(r"\s(limit \d+( offset \d+)?|offset \d+|"
                    r"tablesample \w+ \([^)]*\))(?![\w.])", re.I)
WRITES = re.compile(r"\b(insert|update|delete|merge|for share)\b", re.I)
CALLED = re.compile(r"\b(?:pg_catalog|information_schema)\.(\w+)\s*\(")
TABLE = re.compile(r"\bpublic\.")


class Smith:
    def __init__(self, store, role):
        self.store = store
        views = store.sql(
            "SELECT c.relname, string_agg(format('%I %s', a.attname, "
            "format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) "
            "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            f"WHERE c.relnamespace = '{role}'::regnamespace "
            "AND a.attnum > 0 GROUP BY 1")
        store.psql(["-c", f"CREATE DATABASE {DATABASE}"])
        store.sql("".join(f"CREATE TABLE public.{name} ({columns});"
                          for name, columns in views), DATABASE)
        # By these names sqlsmith passes over functions: here those that are
        # not their arguments' alone, and those whose arguments it chooses
        # wrongly. It calls some by itself. A throwaway's catalog.
        store.sql("UPDATE pg_proc SET proname = 'ri_fkey_' || oid WHERE "
                  "((provolatile <> 'i' AND prokind <> 'a') OR EXISTS ("
                  "SELECT FROM unnest(proargtypes || prorettype) t JOIN "
                  "pg_type p ON p.oid = t WHERE p.typtype = 'p')) AND "
                  "proname NOT IN ('format', 'quote_ident', 'unnest', "
                  "'version'); UPDATE pg_operator SET oprresult = 0 WHERE "
                  "EXISTS (SELECT FROM pg_type p WHERE p.typtype = 'p' AND "
                  "p.oid IN (oprleft, oprright, oprresult))", DATABASE)
        self.unsteady = {name for (name,) in store.sql(
            "SELECT DISTINCT proname FROM pg_proc WHERE provolatile <> 'i' "
            "AND prokind <> 'a'")}

    def close(self):
        self.store.psql(["-c", f"DROP DATABASE {DATABASE}"])

    def steady(self, sql):
        return not WRITES.search(sql) and not any(
            name in self.unsteady for name in CALLED.findall(sql)) and not \
            re.search(r"\b(current_\w+|localtime\w*|session_user|user)\b",
                      sql)

    def texts(self, seed, count):
        """That many statements; always the same for a seed."""
        made = subprocess.run(
            ["sqlsmith", "--dry-run", "--exclude-catalog", f"--seed={seed}",
             f"--max-queries={count}", "--target=host=127.0.0.1 "
             f"port={self.store.port} dbname={DATABASE} user=postgres "
             f"password={self.store.passwords['postgres']}"], capture_output=True,
            text=True, check=True).stdout
        return [CHOSEN.sub("", TABLE.sub("", s.strip()))
                for s in made.split(";") if s.strip()]
