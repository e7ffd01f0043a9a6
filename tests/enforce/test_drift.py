"""sworn drift on a real server: nothing is found after an apply, and what
somebody changed is found by name, with SQL that mends it."""
import re

import pytest
from test_apply import EMPTY, MODERATOR, Store, make  # noqa: F401

MEND = re.compile(r"^    (?!--)(.*)$", re.M)


def drift(s, expect):
    """Runs it; what it printed."""
    return s.sworn("drift", "-c", s.folder / "sworn.conf", s.name, "--admin",
                   s.server.dsn(s.database), expect=expect)


@pytest.fixture(scope="module")
def one(server, sworn, tmp_path_factory):
    s = Store(server, sworn, tmp_path_factory.mktemp("drift"))
    s.apply()
    yield s
    s.apply("--remove")


@pytest.fixture
def applied(one):
    """As apply made it, before and after."""
    one.mended = False
    yield one
    if not one.mended:
        one.apply()
        drift(one, 0)


@pytest.mark.parametrize("kind", ["through", "store"])
def test_nothing_is_found_after_an_apply(make, kind):  # noqa: F811
    s = make(kind=kind)
    s.apply()
    assert "as sworn apply made it" in drift(s, 0)


def test_store_without_an_apply_has_drifted(make):  # noqa: F811
    assert "nothing is applied" in drift(make(), 1)


# What somebody does -> what is said, and whether the SQL given mends it.
CHANGES = {
    "table right": ("GRANT SELECT ON videos TO {r}",
                    r"SELECT on public\.videos for {r}"),
    "column right": ("GRANT SELECT (note) ON staff_notes TO {r}",
                     r"SELECT on public\.staff_notes\.note for {r}"),
    "right on own view": ("GRANT INSERT ON {r}.users TO {r}",
                          r"INSERT on {r}\.users for {r}"),
    "schema right": ("GRANT CREATE ON SCHEMA public TO {r}",
                     r"CREATE on schema public for {r}"),
    "function right": ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS "
                       "'SELECT 1'; GRANT EXECUTE ON FUNCTION f TO {r}",
                       r"function public\.f\(\) for {r}"),
    "superuser": ("ALTER ROLE {r} SUPERUSER", r"role {r}:"),
    "bypass": ("ALTER ROLE {r}_own BYPASSRLS", r"role {r}_own:"),
    "owner logs in": ("ALTER ROLE {r}_own LOGIN", r"role {r}_own:"),
    "membership": ("GRANT pg_read_all_data TO {r}",
                   r"role {r} in role pg_read_all_data"),
    "member": ("GRANT {r}_own TO {r}", r"role {r} in role {r}_own"),
    "owner's table right": ("GRANT SELECT ON users TO {r}_own",
                            r"SELECT on public\.users for {r}_own"),
    "owner's column right": ("GRANT SELECT (email) ON users TO {r}_own",
                             r"SELECT on public\.users\.email for {r}_own"),
    "owner may write": ("GRANT UPDATE ON messages TO {r}_own",
                        r"UPDATE on public\.messages for {r}_own"),
    "view's owner": ("ALTER VIEW {r}.users OWNER TO postgres",
                     r"{r}\.users, owned by postgres"),
    "view for all": ("GRANT SELECT ON {r}.users TO PUBLIC",
                     r"SELECT on {r}\.users for PUBLIC|{r}\.users: PUBLIC"),
    "row security": ("ALTER TABLE users DISABLE ROW LEVEL SECURITY",
                     r"table public\.users: row security is off"),
    "public right": ("GRANT SELECT ON users TO PUBLIC",
                     r"public\.users: PUBLIC may read it"),
    "public column": ("GRANT SELECT (secret) ON videos TO PUBLIC",
                      r"public\.videos\.secret: PUBLIC may read"),
    "temporary tables": ("GRANT TEMP ON DATABASE {d} TO PUBLIC",
                         r"database {d}: every login could make temp"),
    "definer function": ("CREATE FUNCTION g() RETURNS int LANGUAGE sql "
                         "SECURITY DEFINER AS 'SELECT 1'",
                         r"function public\.g\(\): it runs with its owner"),
    "default rights": ("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT "
                       "SELECT ON TABLES TO PUBLIC",
                       r"default privileges of postgres"),
    "policy for all": ("DROP POLICY sworn_all ON videos",
                       r"policy sworn_all on public\.videos"),
}

APPLY_TOO = ("owner's table right",)


@pytest.mark.parametrize("name", CHANGES)
def test_change_is_named_and_the_sql_given_mends_it(applied, name):
    change, words = CHANGES[name]
    names = {"r": applied.kinds()[MODERATOR], "d": applied.database}
    with applied.admin() as c:
        c.execute(change.format(**names))
        said = drift(applied, 1)
        assert re.search(words.format(**names), said), said
        for sql in MEND.findall(said):
            c.execute(sql)
        if "FUNCTION" in change:
            c.execute("DROP FUNCTION IF EXISTS f; "
                      "DROP FUNCTION IF EXISTS g")
    # Rights of columns go with the table's, and come back by apply.
    if name not in APPLY_TOO:
        drift(applied, 0)
        applied.mended = True


# What only apply can mend, and what closes it meanwhile.
@pytest.mark.parametrize("change,words", [
    ("DROP POLICY {r}_rows ON users", r"table public\.users for {r}_own"),
    ("ALTER POLICY {r}_rows ON users USING (true)",
     r"table public\.users for {r}_own"),
    ("ALTER POLICY {r}_rows ON users USING (country <> 'XX')", r"role {r}:"),
    ("CREATE OR REPLACE VIEW {r}.users AS SELECT t.id, 'x'::varchar(3) AS "
     "country, t.country_id, t.handle FROM public.users t", r"role {r}:"),
    ("DROP VIEW {r}.users", r"role {r}:"),
    ("ALTER ROLE {r} SET search_path = public", r"role {r}:"),
    ("ALTER ROLE {r} IN DATABASE {d} SET track_activities = on",
     r"role {r}:"),
    ("CREATE OR REPLACE VIEW sworn.\"public.users\" AS SELECT id, "
     "'US'::varchar(3) AS country FROM public.users",
     r"the ways to residences"),
    ("DELETE FROM sworn.state WHERE key = 'role {r}'",
     r"role {r}: the policy gives out"),
])
def test_change_that_only_apply_mends_is_found(applied, change, words):
    names = {"r": applied.kinds()[MODERATOR], "d": applied.database}
    with applied.admin() as c:
        c.execute(change.format(**names))
        said = drift(applied, 1)
        assert re.search(words.format(**names), said), said
        for sql in MEND.findall(said):
            c.execute(sql)
        if "DELETE" in change:
            c.execute("DROP OWNED BY {r}, {r}_own CASCADE; DROP ROLE {r}, "
                      "{r}_own; DROP SCHEMA IF EXISTS {r}, {r}_twin CASCADE"
                      .format(**names))


def test_new_tables_in_guarded_schemas_are_found(applied):
    with applied.admin() as c:
        c.execute("CREATE TABLE diaries (id int, text text); CREATE VIEW "
                  "everybody AS TABLE users; CREATE SCHEMA elsewhere; "
                  "CREATE TABLE elsewhere.other (id int)")
    said = drift(applied, 1)
    assert re.search(r"^public\.diaries: it was made since", said, re.M)
    assert re.search(r"^public\.everybody: it was made since", said, re.M)
    assert "elsewhere.other" not in said and "staff_notes" not in said
    with applied.admin() as c:
        c.execute("DROP VIEW everybody; DROP TABLE diaries; "
                  "DROP SCHEMA elsewhere CASCADE")


def test_roles_that_log_in_around_the_gateway_are_found(applied):
    with applied.admin() as c:
        for name in ("stray", "feed", "harmless", "nobody"):
            c.execute(f"CREATE ROLE {name} LOGIN")
        c.execute("ALTER ROLE nobody NOLOGIN; CREATE ROLE boss SUPERUSER "
                  "LOGIN; GRANT SELECT (email) ON users TO stray; GRANT "
                  "SELECT ON users TO nobody")
        try:
            said = drift(applied, 1)
            assert re.search(r"^role stray: it may log in around", said, re.M)
            assert re.search(r"^role boss \(superuser\): it may log in", said,
                             re.M)
            assert "harmless" not in said and "nobody" not in said
            for sql in MEND.findall(said):
                c.execute(sql)
            drift(applied, 0)
        finally:
            c.execute("DROP OWNED BY stray, nobody; DROP ROLE stray, feed, "
                      "harmless, nobody, boss")


def test_policy_that_gives_out_less_is_drift(applied):
    p = applied.folder / "policy.yaml"
    p.write_text(p.read_text().replace("roles: [moderator]",
                                       "roles: [judge]"))
    assert "no longer gives out this clearance" in drift(applied, 1)
    p.write_text(p.read_text().replace("roles: [judge]",
                                       "roles: [moderator]"))


def test_looking_changes_nothing(applied):
    with applied.admin() as c:
        c.execute("GRANT SELECT ON videos TO " + applied.kinds()[EMPTY])
        assert drift(applied, 1) == drift(applied, 1)
        c.execute("REVOKE SELECT ON videos FROM " + applied.kinds()[EMPTY])


def test_what_cannot_be_told_is_neither(applied, sworn):
    conf = applied.folder / "sworn.conf"
    sworn("drift", "-c", conf, applied.name, expect=2)
    sworn("drift", "-c", conf, "nowhere", "--admin",
          applied.server.dsn(applied.database), expect=2)
    sworn("drift", "-c", conf, applied.name, "--admin",
          applied.server.dsn("nowhere"), expect=2)
