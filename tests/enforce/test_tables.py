"""The tables that lineage finds in a SELECT, against a server's own word: a
view is made of it, and every table that pg_depend then names must have been
listed. And the names that lineage takes for harmless, against pg_proc."""
import re
import subprocess

import pytest
from conftest import HERE, program

TABLES = list("abcdefgh")
SCHEMA = "".join(f"CREATE TABLE {t} (i int, x text, j jsonb, d date);"
                 for t in TABLES) + """
CREATE SCHEMA s; CREATE TABLE s.a (i int); CREATE TABLE "A" (i int);
CREATE TABLE "we ird""t" (i int); CREATE TABLE "\u00fc" (i int);
"""

SELECTS = r"""
SELECT 1 AS x
SELECT a.i FROM a
SELECT i FROM "A"
SELECT i FROM U&"\0061"
SELECT i FROM "we ird""t"
SELECT i FROM ü
SELECT i FROM s.a
SELECT i FROM A
SELECT a.i FROM a, b, LATERAL (SELECT c.i FROM c WHERE c.i = b.i) z
SELECT a.i FROM a LEFT JOIN (b CROSS JOIN c) ON a.i = b.i
SELECT (SELECT max(i) FROM b) AS m FROM a
SELECT ARRAY(SELECT i FROM b) AS m FROM a
SELECT i FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.i = a.i)
SELECT i FROM a WHERE i NOT IN (SELECT i FROM b UNION SELECT i FROM c)
SELECT i FROM a WHERE (i, x) = ANY (SELECT i, x FROM b)
SELECT i FROM a WHERE i > ALL (SELECT i FROM b)
SELECT i FROM a UNION ALL (SELECT i FROM b EXCEPT SELECT i FROM c)
SELECT i FROM a GROUP BY i HAVING count(*) > (SELECT count(*) FROM b)
SELECT i FROM a ORDER BY (SELECT max(i) FROM b WHERE b.i = a.i)
SELECT i FROM a LIMIT (SELECT count(*) FROM b) OFFSET (SELECT 1 FROM c)
SELECT sum(i) FILTER (WHERE i IN (SELECT i FROM b)) AS s FROM a
SELECT row_number() OVER (PARTITION BY (SELECT max(i) FROM b)) AS n FROM a
SELECT rank() OVER w AS n FROM a WINDOW w AS (ORDER BY (SELECT 1 FROM b))
SELECT CASE WHEN i IN (SELECT i FROM b) THEN (SELECT 1 FROM c) END AS k FROM a
SELECT coalesce(i, (SELECT i FROM b LIMIT 1)) AS k FROM a
SELECT DISTINCT ON ((SELECT i FROM b LIMIT 1)) i FROM a
SELECT string_agg(x, ',' ORDER BY (SELECT 1 FROM b)) AS k FROM a
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i) AS k FROM a
SELECT g FROM generate_series(1, (SELECT 3 FROM a LIMIT 1)) g
SELECT g.* FROM ROWS FROM (generate_series(1, (SELECT 1 FROM a))) g(n)
SELECT k FROM a, jsonb_object_keys(j) k
SELECT t.k FROM a, xmltable('/r' PASSING xmlparse(content x) COLUMNS k int PATH 'k') t
SELECT i FROM a TABLESAMPLE bernoulli (10)
SELECT i FROM ONLY a
SELECT row_to_json(q) AS k FROM (SELECT * FROM a) q
SELECT a AS k FROM a
SELECT a::text AS k FROM a
SELECT to_jsonb(a) - 'x' AS k FROM a
SELECT q.column1 FROM (VALUES (1), ((SELECT max(i) FROM a))) q
SELECT (ARRAY[1,2,3])[(SELECT i FROM a LIMIT 1)] AS k
SELECT i FROM a WHERE x LIKE (SELECT x FROM b LIMIT 1)
SELECT i FROM a WHERE i BETWEEN (SELECT 1 FROM b) AND (SELECT 2 FROM c)
SELECT i FROM a WHERE x IS DISTINCT FROM (SELECT x FROM b LIMIT 1)
SELECT date_trunc('day', d) AS k FROM a GROUP BY GROUPING SETS ((1), ())
WITH q AS (SELECT i FROM a) SELECT i FROM q
WITH a AS (SELECT i FROM a) SELECT i FROM a
WITH a AS (SELECT 1 AS i), b AS (SELECT i FROM a) SELECT i FROM b
WITH b AS (SELECT i FROM a), a AS (SELECT 1 AS i) SELECT b.i FROM b, a
WITH z AS (SELECT 1 AS i), b AS (SELECT i FROM a), a AS (SELECT 2 AS i) SELECT b.i FROM b, a, z
WITH RECURSIVE b AS (SELECT i FROM a), a AS (SELECT 1 AS i) SELECT i FROM b
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t, a WHERE n < a.i) SELECT n FROM t
WITH a AS (SELECT 1 AS i) SELECT i FROM public.a
WITH a AS (SELECT 1 AS i) SELECT i FROM b WHERE i IN (SELECT i FROM a)
SELECT z.i FROM (WITH a AS (SELECT 1 AS i) SELECT i FROM a) z, a
SELECT i FROM a UNION (WITH a AS (SELECT 1 AS i) SELECT i FROM a)
WITH a AS (WITH b AS (SELECT 1 AS i) SELECT i FROM b) SELECT b.i FROM b, a
WITH "A" AS (SELECT 1 AS i) SELECT a.i FROM a, "A"
WITH x AS MATERIALIZED (SELECT i FROM c), y AS NOT MATERIALIZED (SELECT x.i FROM x, d) SELECT y.i FROM y JOIN e USING (i)
WITH RECURSIVE t AS (SELECT i, x FROM a UNION ALL SELECT b.i, b.x FROM b JOIN t USING (i)) SEARCH DEPTH FIRST BY i SET o CYCLE i SET y USING p SELECT i FROM t
SELECT i /* FROM b */ FROM a -- , c
SELECT '$$ from b' || $q$ from c $q$ AS k FROM a
""".strip().splitlines()


@pytest.fixture(scope="module")
def database(server):
    return server.database(SCHEMA)


@pytest.fixture(scope="module")
def tables():
    binary = program("tables", "tests/lineage/tables")

    def run(sql):
        p = subprocess.run([binary], input=sql.encode(), capture_output=True)
        assert p.returncode == 0, p.stderr
        cls, whole, *names = p.stdout.decode().rstrip("\n").split("\t")
        return cls, whole, set(names)
    return run


@pytest.mark.parametrize("sql", SELECTS)
def test_every_table_the_server_depends_on_is_listed(
        server, database, tables, sql):
    with server.connect(database) as c, c.transaction(force_rollback=True):
        c.execute(f"CREATE VIEW v AS {sql}")
        read = {tuple(r) for r in c.execute("""
            SELECT DISTINCT n.nspname, c.relname FROM pg_depend d
            JOIN pg_rewrite r ON r.oid = d.objid
            JOIN pg_class c ON c.oid = d.refobjid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE d.classid = 'pg_rewrite'::regclass
            AND d.refclassid = 'pg_class'::regclass
            AND r.ev_class = 'v'::regclass AND c.relname <> 'v'""")}
    cls, whole, listed = tables(sql)
    assert (cls, whole) == ("read", "-")
    for schema, name in read:
        assert name in listed and schema == "public" or \
            f"{schema}.{name}" in listed
    # Not more than that either, here: the lists are exact in these cases.
    assert len(listed) == len(read)


def names(kind):
    source = HERE.parent.parent / "src/lineage/names.c"
    if not source.exists():
        pytest.skip("the sources are not here")
    text = source.read_text()
    block = re.search(rf"{kind}\[\] = \{{(.*?)\}};", text, re.S)[1]
    return [n.replace("\\", "") for n in re.findall(r'"([^"]+)"', block)]


@pytest.mark.parametrize("kind", ["harmless", "forbidden", "operators",
                                  "types"])
def test_lists_of_names_are_in_order(kind):
    found = names(kind)
    assert found == sorted(set(found), key=str.encode) and len(found) > 40


def test_operators_and_types_are_those_of_the_server(server, database):
    with server.connect(database) as c:
        have = {o for (o,) in c.execute("SELECT oprname FROM pg_operator")}
        assert set(names("operators")) == have
        types = {t for (t,) in c.execute(
            "SELECT typname FROM pg_type WHERE typnamespace = "
            "'pg_catalog'::regnamespace AND typtype <> 'c'")}
        assert set(names("types")) <= types


def test_harmless_functions_neither_write_nor_are_forbidden(
        server, database):
    harmless, forbidden = names("harmless"), names("forbidden")
    assert not [n for n in harmless if n.startswith(tuple(forbidden))]
    with server.connect(database) as c:
        have = {n for (n,) in c.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = "
            "'pg_catalog'::regnamespace")}
        # PostgreSQL 16 has it; it reads what it is given.
        assert set(harmless) - have <= {"any_value"}
        # By default only mighty roles may call these: none is harmless.
        guarded = {n for (n,) in c.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = "
            "'pg_catalog'::regnamespace AND NOT has_function_privilege("
            "'public', oid, 'EXECUTE')")}
        assert not guarded & set(harmless)
        # Nothing that takes a query as text, or a table by name to read.
        xml = {n for (n,) in c.execute(
            "SELECT proname FROM pg_proc WHERE proname ~ '_to_xml' OR "
            "prosrc ~ '(query|table|cursor|schema|database)_to_xml'")}
        assert not xml & set(harmless) and len(xml) > 10
        assert all(n.startswith(tuple(forbidden)) for n in xml)
