"""Tables of which a part is on another server: partitions that postgres_fdw
reaches on two more servers. What a login sees is what it sees where all is in
one place; hidden rows over there do not meet a reader's conditions; the
application writes as before."""
import os
import tempfile

import conftest
import psycopg
import pytest
import test_apply
import world
from test_drift import drift
from test_shared import shows

PASSWORD = "keeper-of-the-far-rows"
FAR = {"b": ("'US', 'USA'", 0, 20), "c": ("'IE'", 20, 40)}
USERS = ("id int, country varchar(3), country_id int, handle text, "
         "email varchar(60), born date")
MESSAGES = "id int, sender_id int, recipient_id int, body text"

# No unique key can be over several servers, and so no foreign key either.
DIVIDED = f"""
CREATE TABLE topics (id int PRIMARY KEY, name text);
CREATE TABLE countries (id int PRIMARY KEY, iso varchar(3));
CREATE TABLE users ({USERS}) PARTITION BY LIST (country);
CREATE TABLE users_here PARTITION OF users DEFAULT;
CREATE TABLE videos (id int PRIMARY KEY, owner_id int, title text,
    secret text);
CREATE TABLE messages ({MESSAGES}) PARTITION BY RANGE (id);
CREATE TABLE messages_here PARTITION OF messages DEFAULT;
CREATE TABLE reports (id int PRIMARY KEY, video_id int, reporter_id int,
    reason text);
CREATE TABLE staff_notes (id int PRIMARY KEY, note text);
"""


def start(folder):
    s = conftest.Server(folder)
    hba = f"{folder}/data/pg_hba.conf"
    with open(hba) as f:
        rest = f.read()
    with open(hba, "w") as f:
        f.write("local all keeper scram-sha-256\n" + rest)
    with s.connect("postgres") as c:    # costs of far rows are guesses
        c.execute("ALTER SYSTEM SET jit = off")
    s.run("pg_ctl", "-D", f"{folder}/data", "reload")
    return s


@pytest.fixture(scope="module")
def servers():
    """The store's, and two more with the rest of its rows."""
    made = []
    with tempfile.TemporaryDirectory(prefix="e", dir=os.environ.get(
            "SWORN_SCRATCH", "/tmp")) as folder:
        try:
            for name in "abc":
                os.mkdir(f"{folder}/{name}")
                made.append(start(f"{folder}/{name}"))
            yield dict(zip("abc", made))
        finally:
            for s in made:
                s.stop()


def far_parts(servers):
    """SQL for the store; makes the tables over there."""
    sql = DIVIDED + "CREATE EXTENSION IF NOT EXISTS postgres_fdw;"
    for name, (values, low, high) in FAR.items():
        s = servers[name]
        base = s.database(f"CREATE TABLE users ({USERS}); "
                          f"CREATE TABLE messages ({MESSAGES})")
        with s.connect(base) as c:
            c.execute("DO $$BEGIN IF to_regrole('keeper') IS NULL THEN "
                      "CREATE ROLE keeper LOGIN; END IF; END$$; "
                      f"ALTER ROLE keeper PASSWORD '{PASSWORD}'; "
                      "GRANT ALL ON users, messages TO keeper")
        sql += f"""
CREATE SERVER {name} FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host '{s.folder}', dbname '{base}');
CREATE USER MAPPING FOR postgres SERVER {name}
    OPTIONS (user 'keeper', password '{PASSWORD}');
CREATE FOREIGN TABLE users_{name} PARTITION OF users FOR VALUES IN ({values})
    SERVER {name} OPTIONS (table_name 'users');
CREATE FOREIGN TABLE messages_{name} PARTITION OF messages
    FOR VALUES FROM ({low}) TO ({high})
    SERVER {name} OPTIONS (table_name 'messages');
"""
    return sql


class Store(test_apply.Store):
    def __init__(self, servers, sworn, folder):
        whole, world.SCHEMA = world.SCHEMA, far_parts(servers)
        try:
            super().__init__(servers["a"], sworn, folder)
        finally:
            world.SCHEMA = whole


@pytest.fixture(scope="module")
def divided(servers, sworn, tmp_path_factory):
    s = Store(servers, sworn, tmp_path_factory.mktemp("divided"))
    with s.admin() as c:
        s.before = c.execute(MAPPINGS).fetchall()
    s.apply()
    yield s
    s.apply("--remove")
    with s.admin() as c:
        assert c.execute(MAPPINGS).fetchall() == s.before


MAPPINGS = "SELECT umserver, umuser FROM pg_user_mapping ORDER BY 1, 2"


def by_kind(s):
    return {kind: shows(s, login) for kind, login in s.kinds().items()}


def test_divided_tables_show_what_whole_ones_show(divided, servers, sworn,
                                                  tmp_path):
    whole = test_apply.Store(servers["a"], sworn, tmp_path)
    whole.apply()
    try:
        want = by_kind(whole)
    finally:
        whole.apply("--remove")
    assert by_kind(divided) == want
    assert any(len(x["messages"][1]) > 3 for x in want.values()
               if "messages" in x)
    divided.apply("--remove")
    divided.apply("--shared-views")
    assert "form" in str(divided.admin().execute(
        "SELECT key FROM sworn.state").fetchall())
    try:
        # With shared views no schema is a clearance's, so by what they show.
        got = [shows(divided, x["role"]) for x in divided.logins()]
        assert sorted(str(sorted(x.items())) for x in got) == \
            sorted(str(sorted(x.items())) for x in want.values())
        probes(divided, [x["role"] for x in divided.logins()])
    finally:
        divided.apply("--remove")
        divided.apply()


def probes(s, logins):
    """Each hidden value that is over there, asked for by an error."""
    messages = {r["id"] for r in world.rows()["messages"]}
    tried = 0
    for login in logins:
        with s.server.connect(s.database, login) as c:
            tables = {t for (t,) in c.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'v' AND "
                "pg_table_is_visible(oid)").fetchall()}
            for table, ids in (("users", set(world.USERS)),
                               ("messages", messages)):
                if table not in tables:
                    continue
                shown = {i for (i,) in c.execute(
                    f"SELECT id FROM {table}").fetchall()}
                for i in ids - shown:
                    c.execute(f"SELECT count(*) FROM {table} "
                              f"WHERE 1 / (id - {i}) > -5")
                    tried += 1
                if table == "users":
                    with pytest.raises(psycopg.errors.DivisionByZero):
                        c.execute(f"SELECT count(*) FROM users WHERE "
                                  f"1 / (id - {min(shown)}) > -5")
    return tried


def test_a_hidden_row_over_there_makes_no_error(divided):
    assert probes(divided, divided.kinds().values()) > 40


def test_the_probe_above_finds_a_view_that_is_no_barrier(divided):
    login = divided.kinds()[test_apply.MODERATOR]
    assert "barrier" not in drift(divided, 0)
    with divided.admin() as c:
        c.execute(f"ALTER VIEW {login}.messages RESET (security_barrier)")
    with pytest.raises(psycopg.errors.DivisionByZero):
        probes(divided, [login])
    said = drift(divided, 1)
    assert f"view {login}.messages: a part of its table is on another" in said
    divided.apply()
    drift(divided, 0)
    assert probes(divided, [login]) > 0


def test_what_is_sent_away_is_the_row_filter_alone(divided, servers):
    login = divided.kinds()[test_apply.MODERATOR]
    with divided.server.connect(divided.database, login) as c:
        plan = "\n".join(x for (x,) in c.execute(
            "EXPLAIN (VERBOSE) SELECT id FROM users WHERE handle LIKE "
            "'%needle%'").fetchall())
    assert "Remote SQL" in plan
    assert not [x for x in plan.splitlines() if "Remote SQL" in x and
                "needle" in x]


def test_the_application_writes_as_before(divided, servers):
    """Into a part over there, from one to another, and back out."""
    with divided.admin() as c:
        c.execute("INSERT INTO users VALUES (70, 'IE', NULL, 'mark-new', "
                  "NULL, NULL)")
        try:
            login = divided.kinds()[test_apply.MODERATOR]
            with divided.server.connect(divided.database, login) as r:
                shown = r.execute("SELECT handle FROM users WHERE id = 70")
                assert shown.fetchall() == [("mark-new",)]
                tag = r.execute(f'SELECT "sworn$" FROM {login}_twin.users '
                                "WHERE id = 70").fetchone()
                assert tag is not None
                c.execute("UPDATE users SET handle = 'mark-newer' "
                          "WHERE id = 70")
                assert r.execute("SELECT handle FROM users WHERE id = 70"
                                 ).fetchall() == [("mark-newer",)]
                c.execute("DELETE FROM users WHERE id = 70; INSERT INTO "
                          "users VALUES (70, 'US', NULL, 'mark-us', NULL, "
                          "NULL)")
                assert r.execute("SELECT handle FROM users WHERE id = 70"
                                 ).fetchall() == []
        finally:
            assert c.execute("DELETE FROM users WHERE id = 70").rowcount == 1


def test_no_login_writes_over_there(divided):
    for login in divided.kinds().values():
        with divided.server.connect(divided.database, login) as c:
            c.execute("SET default_transaction_read_only = off")
            for sql in ("INSERT INTO users (id) VALUES (71)",
                        "DELETE FROM users", "UPDATE users SET handle = ''",
                        "INSERT INTO public.users_b (id) VALUES (71)",
                        "SELECT * FROM public.users_b"):
                with pytest.raises(psycopg.Error) as e:
                    c.execute(sql)
                assert e.value.sqlstate in ("42501", "42P01"), sql


def test_a_new_password_over_there_is_taken_over(divided, servers):
    said = divided.apply()
    assert "0 new, 3 kept" in said
    for name in FAR:
        with servers[name].connect("postgres") as c:
            c.execute("ALTER ROLE keeper PASSWORD 'another-one'")
    with divided.admin() as c:
        for name in FAR:
            c.execute(f"ALTER USER MAPPING FOR postgres SERVER {name} "
                      "OPTIONS (SET password 'another-one')")
    assert drift(divided, 1).count("not as ") == 3    # the ways, two owners
    divided.apply()
    drift(divided, 0)
    with divided.server.connect(
            divided.database, divided.kinds()[test_apply.MODERATOR]) as c:
        assert len(c.execute("SELECT * FROM users").fetchall()) == 2
    # Copied inside of the server: no statement of ours has it.
    mine = [x for x in divided.server.log().splitlines()
            if "another-one" in x and "ALTER USER MAPPING FOR postgres"
            not in x]
    assert mine == []


def test_a_part_that_goes_away_later_is_found_and_made_a_barrier(
        divided, servers):
    with divided.admin() as c:
        c.execute("CREATE TABLE old_videos (LIKE videos); CREATE FOREIGN "
                  "TABLE videos_b () INHERITS (videos) SERVER b "
                  "OPTIONS (table_name 'videos')")
        try:
            assert "videos: a part of its table is on another server" in \
                drift(divided, 1)
            divided.apply()
            drift(divided, 0)
            assert c.execute(
                "SELECT count(*) FROM pg_class WHERE relname = 'videos' AND "
                "relkind = 'v' AND reloptions = "
                "'{security_barrier=true}'").fetchone() == (2,)
        finally:
            c.execute("DROP FOREIGN TABLE videos_b; DROP TABLE old_videos")
            divided.apply()
    drift(divided, 0)


def test_what_cannot_be_held_is_refused(divided):
    with divided.admin() as c:
        c.execute("CREATE ROLE elsewhere NOLOGIN; GRANT USAGE ON FOREIGN "
                  "SERVER b TO elsewhere; ALTER FOREIGN TABLE users_b "
                  "OWNER TO elsewhere")
        try:
            said = divided.apply(expect=1)
            assert "public.users_b: it is on another server, where its " \
                "owner has no user mapping" in said
            assert "CREATE USER MAPPING FOR elsewhere SERVER b" in said
            c.execute("CREATE USER MAPPING FOR elsewhere SERVER b OPTIONS "
                      "(user 'somebody', password 'else')")
            assert "server b: the owners of tables there have different " \
                "user mappings" in divided.apply(expect=1)
        finally:
            c.execute("ALTER FOREIGN TABLE users_b OWNER TO postgres; "
                      "DROP OWNED BY elsewhere; DROP ROLE elsewhere")
        assert "can keep no residence" in divided.apply(
            "--residence-columns", expect=1)
        c.execute("CREATE EXTENSION file_fdw; CREATE SERVER disk FOREIGN "
                  "DATA WRAPPER file_fdw; CREATE FOREIGN TABLE reports_disk "
                  "() INHERITS (reports) SERVER disk OPTIONS "
                  "(filename '/dev/null')")
        try:
            assert "public.reports_disk: of postgres_fdw alone" in \
                divided.apply(expect=1)
        finally:
            c.execute("DROP EXTENSION file_fdw CASCADE")
    drift(divided, 0)
