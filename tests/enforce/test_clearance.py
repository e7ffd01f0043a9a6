"""The SQL of a clearance on a real server: the login sees exactly the rows
and columns that the oracle in world.py says, and nothing by any other way."""
import itertools
import re

import psycopg
import pytest
import world

numbers = itertools.count(1)
PLAIN = {"users": "id handle country", "videos": "id owner_id title",
         "messages": "id sender_id recipient_id body",
         "reports": "id video_id reporter_id reason"}


class Clearance:
    """A database with one clearance made in it, and its login."""

    def __init__(self, server, emit, kind, labels_of, mask=("email", "born"),
                 plain=PLAIN, before=""):
        self.server, self.emit, self.kind = server, emit, kind
        self.labels_of = labels_of
        self.catalog = world.catalog(kind)
        self.role = f"sworn_{next(numbers):016x}"
        self.database = server.database(world.SCHEMA + before)
        with server.connect(self.database) as c:
            c.execute(f"REVOKE TEMP ON DATABASE {self.database} FROM PUBLIC")
            world.load(c)
            self.spec = self.describe(c, labels_of, mask, plain)
            c.execute(emit("base", self.catalog, spec=self.spec))
            c.execute(emit("clearance", self.catalog, self.role, self.spec))

    def describe(self, c, labels_of, mask, plain):
        types = c.execute("""
            SELECT c.relname, a.attname, t.typcategory, a.attnotnull,
                   format_type(a.atttypid, a.atttypmod),
                   format_type(a.atttypid, -1)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_type t ON t.oid = a.atttypid
            WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0
            AND c.relkind = 'r'""").fetchall()
        spec = "".join(f"type public {t} {col} {cat} {str(nn).lower()[0]} "
                       f"{name};{bare}\n"
                       for t, col, cat, nn, name, bare in types)
        spec += "".join(f"state public {t}\n" for (t,) in c.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity"))
        spec += "table public.topics -\n"
        for table, labels in labels_of.items():
            columns = [f"{x}=plain" for x in plain[table].split()]
            if table == "users":
                columns += [f"{x}=mask" for x in mask]
            spec += (f"table public.{table} {','.join(labels)} "
                     f"{' '.join(columns)}\n")
        return spec

    def connect(self, **more):
        return self.server.connect(self.database, self.role, **more)

    def admin(self):
        return self.server.connect(self.database)

    def seen(self, table):
        with self.connect() as c:
            cur = c.execute(f"SELECT * FROM {table}")
            names = [d.name for d in cur.description]
            return [dict(zip(names, r)) for r in cur]


def expected(table, labels, kind, mask=("email", "born"), plain=PLAIN):
    out = []
    for row in world.rows()[table]:
        if not world.allowed(table, row, labels, kind):
            continue
        keep = {k: v for k, v in row.items() if k in plain[table].split()}
        if table == "users":
            keep |= {"email": "***", "born": None}
        out.append(keep)
    return out


def by_id(all_rows):
    return sorted(all_rows, key=lambda r: r["id"])


EVERY = ("users", "videos", "messages", "reports")
SETS = [("US",), ("IE",), ("US", "IE"), ("FR",)]


@pytest.mark.parametrize("kind", ["column", "through", "store"])
@pytest.mark.parametrize("labels", SETS, ids="+".join)
def test_login_sees_exactly_the_rows_and_columns_of_its_clearance(
        server, emit, kind, labels):
    c = Clearance(server, emit, kind, {t: labels for t in EVERY})
    for table in EVERY:
        assert by_id(c.seen(table)) == by_id(
            expected(table, labels, kind)), table
    assert c.seen("topics") == world.rows()["topics"]


def test_tables_of_one_clearance_may_have_different_residences(server, emit):
    """users is not readable at all, and narrows no other table."""
    labels_of = {"messages": ("US", "IE"), "reports": ("US",),
                 "videos": ("IE",)}
    c = Clearance(server, emit, "column", labels_of)
    for table, labels in labels_of.items():
        assert by_id(c.seen(table)) == by_id(
            expected(table, labels, "column")), table
    with c.connect() as login, pytest.raises(psycopg.errors.UndefinedTable):
        login.execute("SELECT * FROM users")


def test_all_columns_masked_still_shows_how_many_rows(server, emit):
    plain = PLAIN | {"users": ""}
    c = Clearance(server, emit, "column", {"users": ("US",)}, plain=plain)
    assert c.seen("users") == [{"email": "***", "born": None}] * 2


def test_row_security_of_others_stays_and_does_not_hide_from_the_owner_role(
        server, emit):
    before = """
    CREATE ROLE tenant_app LOGIN; GRANT SELECT ON users TO tenant_app;
    ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON users TO tenant_app USING (id = 3);
    """
    c = Clearance(server, emit, "column", {t: ("US",) for t in EVERY},
                  before=before)
    for table in EVERY:
        assert by_id(c.seen(table)) == by_id(expected(table, ("US",),
                                                      "column"))
    assert [re.match(r"\((\d+),", r)[1] for r in server.dump(
        c.database, "tenant_app")["users"]] == ["3"]
    with c.admin() as a:
        assert a.execute("SELECT polname FROM pg_policy WHERE polname = "
                         "'sworn_all' AND polrelid = 'users'::regclass"
                         ).fetchall() == []
        a.execute(emit("drop", c.catalog, c.role))
        a.execute(emit("base-drop", c.catalog))
        assert a.execute("SELECT relrowsecurity FROM pg_class WHERE oid = "
                         "'users'::regclass").fetchone() == (True,)
    with server.connect("postgres") as a:
        a.execute(f"DROP DATABASE {c.database}")
        a.execute("DROP ROLE tenant_app")


def state_of(server, database):
    """All that could differ for others, as text."""
    with server.connect(database) as c:
        return [c.execute(q).fetchall() for q in (
            "SELECT relname, relrowsecurity, relforcerowsecurity, relacl::text"
            " FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " ORDER BY 1",
            "SELECT attrelid::regclass::text, attname, attacl::text FROM "
            "pg_attribute WHERE attacl IS NOT NULL AND attrelid IN (SELECT oid "
            "FROM pg_class WHERE relnamespace = 'public'::regnamespace) "
            "ORDER BY 1, 2",
            "SELECT nspname, nspacl::text FROM pg_namespace ORDER BY 1",
            "SELECT polname, polrelid::regclass::text FROM pg_policy",
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^sworn' "
            "AND rolname <> 'sworn_way'",
            "SELECT count(*) FROM pg_views WHERE schemaname !~ "
            "'^(pg_|information)'")]


def test_others_see_the_same_before_and_after_and_after_removal(
        server, emit):
    with server.connect("postgres") as a:
        a.execute("CREATE ROLE app LOGIN; CREATE ROLE owner_app LOGIN")
    before = ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO app;"
              "ALTER TABLE users OWNER TO owner_app;"
              "CREATE POLICY idle ON videos USING (id > 0);")
    plain = server.database(world.SCHEMA + before)
    with server.connect(plain) as c:
        world.load(c)
    want = {r: server.dump(plain, r) for r in ("app", "owner_app")}
    assert len(want["app"]) == 7 and want["owner_app"]["users"]

    roles = state_of(server, plain)[4]
    c = Clearance(server, emit, "column", {t: ("US",) for t in EVERY},
                  before=before)
    assert {r: server.dump(c.database, r) for r in want} == want
    with c.admin() as a:
        a.execute(emit("drop", c.catalog, c.role))
        a.execute(emit("base-drop", c.catalog))
    assert {r: server.dump(c.database, r) for r in want} == want
    after, untouched = state_of(server, c.database), state_of(server, plain)
    # Empty and absent privilege lists say the same; GRANT then REVOKE by
    # DROP OWNED leaves the owner's default written out.
    written_out = "postgres=arwdDxt/postgres"
    for row in range(len(after[0])):
        a, b = after[0][row], untouched[0][row]
        assert a[:3] == b[:3]
        assert (a[3] or f"{{{written_out}}}").replace(
            ",", "") == (b[3] or f"{{{written_out}}}").replace(",", "")
    assert after[1] == untouched[1] == []
    assert after[3] == untouched[3] and after[4] == roles
    assert after[5] == untouched[5]


def test_default_privileges_for_public_do_not_open_the_views(server, emit):
    before = """ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
        ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO PUBLIC;"""
    c = Clearance(server, emit, "column", {"users": ("US",)}, before=before)
    with c.admin() as a:
        a.execute("CREATE ROLE stranger LOGIN")
        for view in (f"{c.role}.users", 'sworn."public.users"',
                     "sworn.state"):
            assert a.execute("SELECT has_table_privilege('stranger', %s, "
                             "'SELECT')", (view,)).fetchone() == (False,)
        a.execute("DROP ROLE stranger")


def test_count_agrees_with_the_residences_of_the_subjects(server, emit):
    want = [("IE", 2), ("US", 2), ("unknown", 2)]
    for kind in ("column", "through"):
        c = Clearance(server, emit, kind, {"users": ("US",)})
        with c.admin() as a:
            assert a.execute(emit("count", c.catalog)).fetchall() == want
    c = Clearance(server, emit, "store", {"users": ("US",)})
    with c.admin() as a:
        assert a.execute(emit("count", c.catalog)).fetchall() == [("XX", 6)]


@pytest.mark.parametrize("change", [
    "ALTER ROLE {r} BYPASSRLS",
    "GRANT SELECT ON public.users TO {r}",
    "GRANT SELECT (email) ON public.users TO {r}_own",
    "DROP POLICY {r}_rows ON public.users",
    "ALTER POLICY {r}_rows ON public.users USING (true)",
    "CREATE OR REPLACE VIEW {r}.users AS SELECT id, country, handle "
    "FROM ONLY public.users",
    "GRANT {r}_own TO {r}",
    "GRANT USAGE ON SCHEMA public TO {r}",
    "ALTER VIEW {r}.users OWNER TO postgres",
    "ALTER ROLE {r} RESET track_activities",
])
def test_print_tells_when_somebody_changed_a_part(server, emit, change):
    c = Clearance(server, emit, "column", {"users": ("US",)}, mask=())
    with c.admin() as a:
        ask = emit("print", c.catalog, c.role)
        before = a.execute(ask).fetchone()
        assert a.execute(ask).fetchone() == before and len(before[1]) == 64
        a.execute(change.format(r=c.role))
        assert a.execute(ask).fetchone() != before


@pytest.mark.parametrize("change", [
    "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
    "ALTER POLICY sworn_all ON videos USING (false)",
    "GRANT SELECT ON sworn.\"public.users\" TO PUBLIC",
    "ALTER ROLE sworn_way SET row_security = off",
])
def test_print_of_the_base_tells_when_somebody_changed_it(
        server, emit, change):
    c = Clearance(server, emit, "column", {"users": ("US",)})
    with c.admin() as a:
        ask = emit("print", c.catalog)
        before = a.execute(ask).fetchone()
        assert a.execute(ask).fetchone() == before and len(before[0]) > 100
        a.execute(change)
        try:
            assert a.execute(ask).fetchone() != before
        finally:
            a.execute("ALTER ROLE sworn_way RESET ALL")
