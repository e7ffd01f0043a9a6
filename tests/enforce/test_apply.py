"""sworn apply on a real server: one policy's clearances, made, kept, made
again, taken back; and the stores that it refuses."""
import hashlib
import hmac
import json
import re
import stat

import psycopg
import pytest
import world

DIRECTORY = """
directory: 1
issuer: hr.example
sites:
  dublin: {country: IE, networks: [127.1.0.0/16]}
  austin: {country: US, networks: [127.2.0.0/16]}
entities:
  firm: {name: Firm, country: US, owners: {}, rest: dispersed}
people:
  boss: {name: Boss, employer: firm, site: austin, manager: none,
         roles: [admin]}
  mod: {name: Mod, employer: firm, site: dublin, manager: none,
        roles: [moderator]}
  idle: {name: Idle, employer: firm, site: dublin, manager: none}
services:
  feed: {name: Feed, operator: firm, keepers: [boss], site: austin}
"""

POLICY = """
policy: test
version: "1"
purposes: [moderation, other]
rules:
  - rule: admins see all but what is masked
    permit: read
    who: {kind: person, roles: [admin]}
  - rule: moderators work on cases
    permit: read
    who: {kind: person, roles: [moderator]}
    what: {tables: [public.users, public.messages],
           categories: [technical, identity, content]}
    whose: [IE]
    why: {purposes: [moderation], ticket: "(TS|MOD)-[1-9][0-9]*"}
  - rule: contact data is masked for persons
    treat: mask
    who: {kind: person}
    what: {categories: [contact]}
"""


class Store:
    """A database, the files that describe it, and sworn apply for it."""

    def __init__(self, server, sworn, folder, kind="column", before="",
                 policy=POLICY, revoke_temp=True):
        self.server, self.sworn, self.folder = server, sworn, folder
        self.database = server.database(world.SCHEMA + before)
        with server.connect(self.database) as c:
            if revoke_temp:
                c.execute(f"REVOKE TEMP ON DATABASE {self.database} "
                          "FROM PUBLIC")
            world.load(c)
        files = {
            "catalog.yaml": world.catalog(kind), "policy.yaml": policy,
            "directory.yaml": DIRECTORY, "credentials": "feed:feed\n",
            "users": "", "sworn.conf": self.conf(kind)}
        for name, text in files.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        self.applied = folder / "state" / f"applied.{self.name}.json"

    @property
    def name(self):
        return self.database

    def conf(self, kind):
        labels = "[US]" if kind == "store" else "[US, IE]"
        return f"""
gateway: gw-test
state: state
listeners: [{{address: 127.0.0.1, port: 0}}]
users: users
directory: directory.yaml
policy: policy.yaml
log: {{dir: log, key: log.key}}
stores:
  {self.name}:
    host: {self.server.folder}
    port: 5432
    database: {self.database}
    mode: enforce
    residences: {labels}
    catalog: catalog.yaml
    credentials: credentials
"""

    def apply(self, *more, expect=0):
        (self.folder / "state").mkdir(mode=0o700, exist_ok=True)
        return self.sworn("apply", "-c", self.folder / "sworn.conf",
                          self.name, "--admin",
                          self.server.dsn(self.database), *more,
                          expect=expect)

    def admin(self):
        return self.server.connect(self.database)

    def logins(self):
        """Without the identifiers of views, which are new when a view is,
        and the verifiers, which are when a role is."""
        return [{k: v for k, v in x.items() if k not in (
            "twins", "panes", "verifier")} for x in
                json.loads(self.applied.read_text())["logins"]]

    def roles(self):
        with self.admin() as c:
            return [r for (r,) in c.execute(
                "SELECT key FROM sworn.state WHERE key ~ '^role' ORDER BY 1")]

    def kinds(self):
        """Tables that each clearance shows -> its login."""
        out = {}
        for login in self.logins():
            with self.admin() as c:
                views = tuple(v for (v,) in c.execute(
                    "SELECT viewname FROM pg_views WHERE schemaname = %s "
                    "ORDER BY 1", (login["role"],)))
            assert views not in out
            out[views] = login["role"]
        return out


    def lines(self, emit):
        """What anybody who looks would see: the seal, and (name, hash)."""
        with self.admin() as c:
            c.execute("SET search_path = pg_catalog")
            seal, *rest = c.execute(emit("watch", world.catalog("column"))
                                    ).fetchall()
        assert seal[0] == ""
        return seal[1], [list(r) for r in rest]

    def seal(self, number, lines):
        """By the format's words, and by another HMAC."""
        key = json.loads(self.applied.read_text())["seal"]["key"]
        text = self.name.encode() + b"\0" + number.to_bytes(8, "big")
        text += b"".join(f"{n}\0{h}\0".encode() for n, h in lines)
        mac = hmac.new(bytes.fromhex(key), text, "sha256").hexdigest()
        return f"sworn 1 {number} {mac}"


@pytest.fixture
def make(server, sworn, tmp_path):
    made = []

    def new(**more):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Store(server, sworn, folder, **more))
        return made[-1]
    yield new
    for s in made:
        with s.admin() as c:
            if c.execute("SELECT to_regclass('sworn.state')").fetchone()[0]:
                s.apply("--remove")


EMPTY = ("countries", "topics")
MODERATOR = ("countries", "messages", "topics", "users")
ADMIN = ("countries", "messages", "reports", "topics", "users", "videos")


def test_every_clearance_of_the_policy_is_made_and_no_other(make):
    s = make()
    said = s.apply()
    assert set(s.kinds()) == {EMPTY, MODERATOR, ADMIN}
    assert re.search(r"3 clearances \(3 new, 0 kept, 0 dropped\)", said)
    with s.server.connect(s.database, s.kinds()[MODERATOR]) as c:
        assert c.execute("SELECT id FROM users ORDER BY 1").fetchall() == [
            (3,), (4,)]
        assert [d.name for d in c.execute("SELECT * FROM users").description
                ] == ["id", "country", "country_id", "handle"]
    with s.server.connect(s.database, s.kinds()[ADMIN]) as c:
        assert c.execute("SELECT id, email, born FROM users ORDER BY 1"
                         ).fetchall() == [(i, "***", None) for i in
                                          (1, 2, 3, 4)]


def test_seal_in_the_store_is_of_what_the_file_has_and_of_this_database(
        make, emit):
    s, other = make(), make()
    s.apply()
    found = json.loads(s.applied.read_text())
    seal, lines = s.lines(emit)
    assert found["watch"] == lines and found["seal"]["number"] == 1
    assert seal == s.seal(1, lines)
    # Roles are the server's; what is made for another database is not seen.
    other.apply()
    assert s.lines(emit) == (seal, lines)
    s.apply()
    assert s.lines(emit) == (s.seal(2, lines), lines)
    # The key is the file's; the number goes on from the store's.
    s.applied.unlink()
    s.apply()
    assert json.loads(s.applied.read_text())["seal"]["number"] == 3
    assert found["seal"]["key"] not in s.applied.read_text()


@pytest.mark.parametrize("drifted", (False, True))
def test_residence_columns_on_the_way_are_sealed_unless_it_had_drifted(
        make, emit, drifted):
    """They are filled for as long as it takes, and then apply may fail."""
    s = make()
    s.apply()
    before, lines = s.lines(emit)
    path = s.folder / "catalog.yaml"
    path.write_text(path.read_text().replace(
        "subjects: {", "subjects: {at-most: 1, ", 1))
    if drifted:
        with s.admin() as c:
            c.execute("CREATE VIEW stray AS TABLE users")
    s.apply("--residence-columns", expect=1)
    seal, now = s.lines(emit)
    assert now != lines
    assert seal == (before if drifted else s.seal(2, now))


def test_file_for_the_gateway_is_whole_and_nobody_elses_to_read(make):
    s = make()
    s.apply()
    assert stat.S_IMODE(s.applied.stat().st_mode) == 0o600
    found = json.loads(s.applied.read_text())
    assert set(found) == {"version", "store", "logins", "counts", "counted",
                          "watch", "seal"}
    names = [name for name, _ in found["watch"]]
    assert names == sorted(names) and set(s.kinds().values()) <= set(names)
    assert found["version"] == 1 and found["store"] == s.name
    assert found["counts"] == {"US": 2, "IE": 2, "unknown": 2}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
                        found["counted"])
    for login in found["logins"]:
        assert re.fullmatch("[0-9a-f]{64}", login["password"])
        assert login["role"] == "sworn_" + login["clearance_sha256"][:16]
    assert [p.name for p in s.applied.parent.iterdir()] == [s.applied.name]


def scram_stored_key(password, verifier):
    """RFC 5802 by Python's own hashes; the verifier's salt and rounds."""
    import base64
    import hmac
    _, rounds, rest = verifier.split("$")[0], *verifier.split("$")[1:]
    n, salt = rounds.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                 base64.b64decode(salt), int(n))
    client = hmac.digest(salted, b"Client Key", "sha256")
    return (base64.b64encode(hashlib.sha256(client).digest()).decode(),
            rest.split(":")[0])


def test_passwords_open_the_logins_and_never_reach_the_server(make):
    s = make()
    s.apply()
    log = s.server.log()
    with s.admin() as c:
        for login in s.logins():
            (verifier,) = c.execute("SELECT rolpassword FROM pg_authid "
                                    "WHERE rolname = %s",
                                    (login["role"],)).fetchone()
            ours, stored = scram_stored_key(login["password"], verifier)
            assert ours == stored
            assert login["password"] not in log and verifier not in log


def test_applying_twice_keeps_everything_and_the_passwords(make):
    s = make()
    s.apply()
    before, oids = s.logins(), oids_of(s)
    assert re.search(r"\(0 new, 3 kept, 0 dropped\)", s.apply())
    assert s.logins() == before and oids_of(s) == oids


def oids_of(s):
    with s.admin() as c:
        return c.execute("SELECT oid FROM pg_roles WHERE rolname ~ '^sworn' "
                         "ORDER BY 1").fetchall()


def test_clearances_no_longer_given_out_are_dropped(make):
    s = make()
    s.apply()
    gone = s.kinds()[MODERATOR]
    policy = s.folder / "policy.yaml"
    policy.write_text(POLICY.replace("roles: [moderator]", "roles: [judge]"))
    assert re.search(r"\(0 new, 2 kept, 1 dropped\)", s.apply())
    with s.admin() as c:
        assert not c.execute("SELECT FROM pg_roles WHERE rolname ~ %s",
                             (gone,)).fetchall()
        assert not c.execute("SELECT FROM pg_policy WHERE polname ~ %s",
                             (gone,)).fetchall()


@pytest.mark.parametrize("change", [
    "DROP VIEW {r}.users", "DROP ROLE {r}_own", "ALTER ROLE {r} SUPERUSER",
    "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
    "GRANT SELECT ON videos TO {r}",
    "ALTER ROLE {r} IN DATABASE {d} SET search_path = public",
])
def test_what_somebody_changed_is_made_again_with_the_same_password(
        make, change):
    s = make()
    s.apply()
    role, before = s.kinds()[ADMIN], s.logins()
    with s.admin() as c:
        if change.startswith("DROP ROLE"):
            c.execute(f"DROP OWNED BY {role}_own CASCADE")
        c.execute(change.format(r=role, d=s.database))
    assert re.search(r"\([13] new, [02] kept, 0 dropped\)", s.apply())
    assert s.logins() == before
    with s.server.connect(s.database, role) as c:
        assert c.execute("SELECT id FROM users ORDER BY 1").fetchall() == [
            (1,), (2,), (3,), (4,)]
        assert c.execute("SHOW search_path").fetchone() == (role,)
    assert re.search(r"\(0 new, 3 kept, 0 dropped\)", s.apply())


def test_another_catalog_makes_the_base_again(make):
    s = make()
    s.apply()
    (s.folder / "catalog.yaml").write_text(world.catalog("through"))
    assert re.search(r"1 kept, 2 dropped|3 new", s.apply())
    with s.server.connect(s.database, s.kinds()[MODERATOR]) as c:
        assert c.execute("SELECT id FROM users ORDER BY 1").fetchall() == [
            (3,), (4,)]


def everything(s):
    """The store as others find it: rights, policies, roles, settings."""
    with s.admin() as c:
        return [c.execute(q).fetchall() for q in (
            "SELECT c.relname, c.relrowsecurity, c.relkind, "
            "array(SELECT x::text FROM aclexplode(coalesce(c.relacl, "
            "acldefault('r', c.relowner))) x ORDER BY 1) FROM pg_class c "
            "WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
            "SELECT attname, attacl FROM pg_attribute WHERE attrelid IN ("
            "SELECT oid FROM pg_class WHERE relnamespace = "
            "'public'::regnamespace) AND attacl IS NOT NULL",
            "SELECT nspname, array(SELECT x::text FROM aclexplode("
            "nspacl) x ORDER BY 1) FROM pg_namespace "
            "WHERE nspname !~ '^pg_(toast_)?temp_' ORDER BY 1",
            "SELECT polname, polrelid::regclass::text FROM pg_policy "
            "ORDER BY 1",
            "SELECT rolname, rolbypassrls FROM pg_roles ORDER BY 1",
            "SELECT array(SELECT x::text FROM aclexplode(coalesce(datacl, "
            "acldefault('d', datdba))) x ORDER BY 1) FROM pg_database "
            "WHERE datname = current_database()",
            "SELECT count(*) FROM pg_db_role_setting",
            "SELECT count(*) FROM pg_default_acl",
            "SELECT count(*) FROM pg_largeobject_metadata")]


@pytest.fixture
def app(server):
    with server.connect("postgres") as c:
        c.execute("CREATE ROLE app LOGIN")
    yield ("GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO app;"
           "GRANT INSERT ON users TO app;")
    with server.connect("postgres") as c:
        for (d,) in c.execute("SELECT datname FROM pg_database WHERE "
                              "datallowconn").fetchall():
            with server.connect(d) as each:
                each.execute("DROP OWNED BY app")
        c.execute("DROP ROLE app")


@pytest.mark.parametrize("flags", [
    (), ("--revoke-public-temp", "--bypass-rls")], ids=["plain", "flags"])
def test_remove_leaves_the_store_as_it_was(make, app, flags):
    s = make(before=app, revoke_temp=not flags)
    before, rows = everything(s), s.server.dump(s.database, "app")
    s.apply(*flags)
    assert everything(s) != before
    assert s.server.dump(s.database, "app") == rows
    said = s.apply("--remove")
    assert "with 3 clearances" in said
    assert everything(s) == before and not s.applied.exists()
    assert s.server.dump(s.database, "app") == rows
    assert "nothing was applied" in s.apply("--remove")


def test_removal_gives_back_what_an_apply_before_a_new_base_took(make, app):
    s = make(before=app, revoke_temp=False)
    before = everything(s)
    s.apply("--revoke-public-temp", "--bypass-rls")
    (s.folder / "catalog.yaml").write_text(world.catalog("through"))
    s.apply()
    s.apply("--remove")
    assert everything(s) == before


def test_bypass_keeps_copy_from_working(make, app):
    s = make(before=app)
    said = s.apply()
    assert "role app" in said and "COPY FROM" in said

    def copy():
        with s.server.connect(s.database, "app") as c:
            with c.cursor().copy("COPY users (id) FROM STDIN") as out:
                out.write("77\n")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        copy()
    assert "COPY FROM" not in s.apply("--bypass-rls")
    copy()


def test_revoking_temp_from_public_leaves_it_to_those_who_had_it(make, app):
    s = make(before=app, revoke_temp=False)
    said = s.apply(expect=1)
    assert "REVOKE TEMPORARY ON DATABASE" in said
    s.apply("--revoke-public-temp")
    with s.server.connect(s.database, "app") as c:
        c.execute("CREATE TEMP TABLE t (id int)")
    with s.server.connect(s.database, s.kinds()[ADMIN]) as c:
        c.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute("CREATE TEMP TABLE t (id int)")


REFUSED = {
    "table": ("GRANT SELECT ON users TO PUBLIC",
              "REVOKE ALL ON TABLE public.users FROM PUBLIC;"),
    "column": ("GRANT SELECT (email) ON users TO PUBLIC",
               "REVOKE ALL (email) ON TABLE public.users FROM PUBLIC;"),
    "unlisted": ("GRANT SELECT ON staff_notes TO PUBLIC",
                 "REVOKE ALL ON TABLE public.staff_notes FROM PUBLIC;"),
    "view": ("CREATE VIEW v AS SELECT * FROM users; "
             "GRANT SELECT ON v TO PUBLIC",
             "REVOKE ALL ON TABLE public.v FROM PUBLIC;"),
    "matview": ("CREATE SCHEMA other; CREATE MATERIALIZED VIEW other.m AS "
                "SELECT * FROM users; GRANT SELECT ON other.m TO PUBLIC",
                "REVOKE ALL ON TABLE other.m FROM PUBLIC;"),
    "definer": ("CREATE FUNCTION f() RETURNS text LANGUAGE sql "
                "SECURITY DEFINER AS 'SELECT email FROM users LIMIT 1'",
                "REVOKE EXECUTE ON ROUTINE public.f() FROM PUBLIC;"),
    "schema": ("CREATE SCHEMA free; GRANT CREATE ON SCHEMA free TO PUBLIC",
               "REVOKE CREATE ON SCHEMA free FROM PUBLIC;"),
    "large object": ("SELECT lo_create(4711); "
                     "GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC",
                     "REVOKE ALL ON LARGE OBJECT 4711 FROM PUBLIC;"),
    "idle policy": ("CREATE POLICY p ON users AS RESTRICTIVE USING (false)",
                    "DROP POLICY p ON public.users;"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_store_is_refused_until_the_command_named_is_run(make, case):
    spoil, command = REFUSED[case]
    s = make(before=spoil)
    before = everything(s)
    said = s.apply(expect=1)
    assert command in said and "nothing was changed" in said
    assert everything(s) == before and not s.applied.exists()
    with s.admin() as c:
        c.execute(command)
    s.apply()


def test_store_is_refused_if_the_catalog_names_what_is_not_there(make):
    s = make()
    with s.admin() as c:
        c.execute("DROP TABLE reports; ALTER TABLE users DROP COLUMN born")
    said = s.apply(expect=1)
    assert "table public.reports" in said and "public.users.born" in said


def test_store_is_refused_if_a_guarded_table_is_a_view(make):
    s = make()
    with s.admin() as c:
        c.execute("ALTER TABLE messages RENAME TO m; "
                  "CREATE VIEW messages AS SELECT * FROM m")
    assert "public.messages is not a table" in s.apply(expect=1)


def test_dry_run_prints_the_sql_and_changes_nothing(make):
    s = make()
    before = everything(s)
    sql = s.apply("--dry-run")
    assert "CREATE POLICY" in sql and not s.applied.exists()
    assert everything(s) == before
    with s.admin() as c, c.transaction(force_rollback=True):
        c.execute(re.sub(r"PASSWORD '\(made by apply\)'", "PASSWORD NULL",
                         sql))
        assert len(c.execute("SELECT FROM pg_roles WHERE rolname ~ "
                             "'^sworn_.*_own$'").fetchall()) == 3


def test_nothing_is_half_applied_when_the_file_cannot_be_written(make):
    s = make()
    (s.folder / "state").mkdir()
    s.applied.mkdir()           # a folder stands where the file should go
    (s.applied.parent / (s.applied.name + ".new")).mkdir()
    before = everything(s)
    # The configuration refuses to read a folder first; so take it away.
    s.applied.rmdir()
    assert "Is a directory" in s.apply(expect=1)
    assert everything(s) == before


def test_wrong_usage_and_an_unreachable_store_are_said(make, sworn):
    s = make()
    conf = s.folder / "sworn.conf"
    assert "usage" in sworn("apply", expect=2)
    assert "usage" in sworn("apply", "-c", conf, s.name, expect=2)
    assert "no store" in sworn("apply", "-c", conf, "nowhere", "--admin",
                               "x=y", expect=1)
    assert "cannot reach" in sworn("apply", "-c", conf, s.name, "--admin",
                                   "host=/nowhere", expect=1)


def test_admin_must_be_a_superuser(make, server, app):
    s = make(before=app)
    said = s.sworn("apply", "-c", s.folder / "sworn.conf", s.name, "--admin",
                   server.dsn(s.database, "app"), expect=1)
    assert "not a superuser" in said


@pytest.mark.parametrize("kind", ["through", "store"])
def test_other_ways_to_a_residence_are_applied_too(make, kind):
    s = make(kind=kind, policy=POLICY.replace(
        "    whose: [IE]\n", "") if kind == "store" else POLICY)
    s.apply()
    want = [3, 4] if kind == "through" else [1, 2, 3, 4, 5, 6]
    with s.server.connect(s.database, s.kinds()[MODERATOR]) as c:
        assert [r[0] for r in c.execute("SELECT id FROM users ORDER BY 1")
                ] == want


def test_probe_refuses_a_store_where_new_tables_are_everybodys(make):
    """Stands for any engine that does not hold the form."""
    s = make(before="ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "
             "PUBLIC; ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO "
             "PUBLIC")
    before = everything(s)
    said = s.apply(expect=1)
    assert "does not hold a clearance: the base tables are out of reach" \
        in said
    assert everything(s) == before


def test_limits_that_the_store_holds_are_not_a_logins_to_raise(make):
    s = make()
    conf = s.folder / "sworn.conf"
    conf.write_text(conf.read_text().replace(
        "    credentials:", "    limits: {statement: 30s, temp-mb: 2, "
        "work-mb: 1, connections: 2}\n    credentials:"))
    s.apply()
    role = s.kinds()[ADMIN]
    with s.server.connect(s.database, role) as c:
        for name, value in (("statement_timeout", "30s"),
                            ("temp_file_limit", "2MB"), ("work_mem", "1MB")):
            assert c.execute(f"SHOW {name}").fetchone() == (value,)
        c.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute("SET temp_file_limit = -1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute(f"ALTER ROLE {role} SET temp_file_limit = -1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute(f"ALTER ROLE {role} CONNECTION LIMIT 9")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
            c.execute("SELECT count(*) FROM (SELECT g FROM generate_series("
                      "1, 500000) g ORDER BY random()) t")
        # These two it may raise, around the gateway: docs/enforcement.md.
        c.execute("SET statement_timeout = 0; SET work_mem = '9MB'")
        with s.server.connect(s.database, role):
            with pytest.raises(psycopg.OperationalError,
                               match="too many connections"):
                s.server.connect(s.database, role)
    conf.write_text(conf.read_text().replace("connections: 2", "rows: 5"))
    assert re.search(r"\(3 new, 0 kept, 0 dropped\)", s.apply())
    with s.admin() as c:
        assert c.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = "
                         "%s", (role,)).fetchone() == (-1,)


def test_forget_takes_one_subject_s_tag_and_apply_makes_another(make):
    s = make()
    s.apply()

    def tags():
        with s.admin() as c:
            return dict(c.execute("SELECT key, tag FROM sworn_tag.tag"))

    def forget(who, expect):
        return s.sworn("forget", "-c", s.folder / "sworn.conf", s.name, who,
                       "--admin", s.server.dsn(s.database), expect=expect)
    before = tags()
    assert "is forgotten" in forget("3", 0)
    assert tags() == {k: t for k, t in before.items() if k != 3}
    assert "no tag of subject 3" in forget("3", 1)
    s.apply()
    after = tags()
    assert after.keys() == before.keys() and after[3] != before[3]
    assert all(after[k] == before[k] for k in before if k != 3)
    s.apply("--remove")
    with s.admin() as c:
        assert c.execute("SELECT to_regnamespace('sworn_tag')").fetchone() \
            == (None,)
