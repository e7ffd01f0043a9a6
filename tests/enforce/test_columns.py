"""Residence columns: the store keeps the residence beside the keys. The oracle
follows the ways by a join of its own for each row, whatever was written, by
whom, and in which order."""
import random
import re
import subprocess
import threading

import psycopg
import pytest
import world
from test_apply import ADMIN, Store, make  # noqa: F401
from test_drift import drift

# Row and its ways, written out: what each sworn$r_ column should be.
WAYS = {
    "videos": ["SELECT u.{c} FROM {users} WHERE u.id = t.owner_id"],
    "messages": ["SELECT u.{c} FROM {users} WHERE u.id = t.sender_id",
                 "SELECT u.{c} FROM {users} WHERE u.id = t.recipient_id"],
    "reports": ["SELECT u.{c} FROM videos v, {users} "
                "WHERE v.id = t.video_id AND u.id = v.owner_id",
                "SELECT u.{c} FROM {users} WHERE u.id = t.reporter_id"],
}
USERS = {"column": ("users u", "country"),
         "through": ("(SELECT u.id, k.iso FROM users u JOIN countries k ON "
                     "k.id = u.country_id) u", "iso")}


def columns_of(c, table):
    return [n for (n,) in c.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND "
        "attname LIKE 'sworn$r_%%' AND NOT attisdropped ORDER BY attnum",
        (table,))]


def wrong(c, kind):
    """Rows of which a kept residence is not what the way says."""
    users, name = USERS[kind]
    out = []
    for table, ways in WAYS.items():
        kept = columns_of(c, table)
        assert len(kept) == len(ways), (table, kept)
        for column, way in zip(kept, ways):
            sql = way.format(c=name, users=users)
            out += c.execute(
                f'SELECT {table!r}, id, "{column}", ({sql}) FROM {table} t '
                f'WHERE "{column}" IS DISTINCT FROM ({sql})').fetchall()
    return out


def drift_of(s, expect):
    """Without the writer, whom drift would name as going around."""
    with s.admin() as c:
        c.execute("ALTER ROLE writer NOLOGIN")
        try:
            return drift(s, expect)
        finally:
            c.execute("ALTER ROLE writer LOGIN")


def new_store(server, sworn, folder, kind="column", before=""):
    s = Store(server, sworn, folder, kind=kind, before=before)
    s.kind = kind
    s.apply("--residence-columns")
    return s


@pytest.fixture(scope="module", params=["column", "through"])
def one(request, server, sworn, tmp_path_factory):
    with server.connect("postgres") as c:
        c.execute("DROP ROLE IF EXISTS writer; CREATE ROLE writer LOGIN; "
                  "ALTER ROLE writer SET deadlock_timeout = '20ms'")
    s = new_store(server, sworn, tmp_path_factory.mktemp("columns"),
                  request.param,
                  "GRANT INSERT, UPDATE, DELETE, SELECT ON ALL TABLES IN "
                  "SCHEMA public TO writer;")
    yield s
    s.apply("--remove")
    with s.admin() as c:
        c.execute("DROP OWNED BY writer; DROP ROLE writer")


def test_columns_are_filled_for_rows_that_were_there(one):
    with one.admin() as c:
        assert wrong(c, one.kind) == []
        assert c.execute("SELECT bool_and(filled) FROM sworn_keep.columns"
                         ).fetchone() == (True,)
        # Something is there to be wrong about.
        column = columns_of(c, "reports")[0]
        assert c.execute(f'SELECT count(DISTINCT "{column}") FROM reports'
                         ).fetchone()[0] >= 3


def test_filters_read_the_columns_and_show_what_the_ways_show(one):
    with one.admin() as c:
        quals = dict(c.execute(
            "SELECT tablename, qual FROM pg_policies WHERE policyname ~ "
            "'_rows$' AND policyname LIKE %s",
            (one.kinds()[ADMIN] + "%",)).fetchall())
    for table in WAYS:
        assert "sworn$r_" in quals[table] and "EXISTS" not in quals[table]
    with one.server.connect(one.database, one.kinds()[ADMIN]) as c:
        for table in WAYS:
            want = [r["id"] for r in world.rows()[table] if world.allowed(
                table, r, ("US", "IE"), one.kind)]
            assert [i for (i,) in c.execute(
                f"SELECT id FROM {table} ORDER BY 1")] == sorted(want)
            assert not [d.name for d in c.execute(
                f"SELECT * FROM {table}").description if "$" in d.name]


WRITES = [
    "INSERT INTO messages VALUES (9001, 1, 3, 'x')",
    "INSERT INTO messages (id, sender_id) VALUES (9002, 1)",
    "UPDATE messages SET recipient_id = 2 WHERE id = 9001",
    "UPDATE messages SET body = 'y' WHERE id = 9001",
    "UPDATE messages SET \"{m0}\" = 'IE' WHERE id = 9001",
    "INSERT INTO messages (id, sender_id, recipient_id, \"{m0}\") VALUES "
    "(9003, 3, 3, 'US')",
    "UPDATE users SET {country} WHERE id = 1",
    "UPDATE users SET {country} WHERE id IN (1, 2, 5)",
    "UPDATE users SET {nowhere} WHERE id = 1",
    "UPDATE videos SET owner_id = 3 WHERE id = 11",
    "UPDATE videos SET owner_id = NULL WHERE id = 12",
    "UPDATE users SET handle = handle || '!'",
    "INSERT INTO videos VALUES (9004, 4, 't', 's')",
    "INSERT INTO reports VALUES (9005, 9004, 1, 'r')",
    "INSERT INTO messages SELECT 9100 + g, 1 + g % 6, 1 + g % 5, 'b' FROM "
    "generate_series(0, 99) g",
    "WITH u AS (UPDATE users SET {country} WHERE id = 4 RETURNING id) INSERT "
    "INTO messages SELECT 9300, id, id, 'z' FROM u",
    "DELETE FROM reports WHERE id = 9005",
    "INSERT INTO messages VALUES (9001, 5, 6, 'c') ON CONFLICT (id) DO "
    "UPDATE SET sender_id = excluded.sender_id",
]


def test_every_write_of_an_application_keeps_them_right(one):
    """By a role that owns nothing, that may not read sworn_keep."""
    sets = {"column": ("country = 'IE'", "country = NULL"),
            "through": ("country_id = (SELECT id FROM countries WHERE iso = "
                        "'IE')", "country_id = NULL")}[one.kind]
    with one.admin() as a:
        names = {"m0": columns_of(a, "messages")[0], "country": sets[0],
                 "nowhere": sets[1]}
        for sql in WRITES:
            with one.server.connect(one.database, "writer") as c:
                c.execute(sql.format(**names))
            assert wrong(a, one.kind) == [], sql
        if one.kind == "through":
            a.execute("UPDATE countries SET iso = 'USA' WHERE iso = 'US'")
            assert wrong(a, one.kind) == []


def test_a_residence_is_not_changed_at_a_stricter_level(one):
    change = {"column": "country = 'US'", "through": "country_id = 1"}
    with one.server.connect(one.database, "writer") as c:
        c.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        c.execute("UPDATE users SET handle = 'h' WHERE id = 4")
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            c.execute(f"UPDATE users SET {change[one.kind]} WHERE id = 4")


def test_a_writer_at_a_stricter_level_is_told_that_it_is_late(one):
    change = {"column": "country = 'USA'", "through": "country_id = 2"}
    with one.server.connect(one.database, "writer") as c, \
            one.admin() as a:
        c.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; "
                  "SELECT count(*) FROM users")
        a.execute(f"UPDATE users SET {change[one.kind]} WHERE id = 6")
        with pytest.raises(psycopg.errors.SerializationFailure):
            c.execute("INSERT INTO messages VALUES (9500, 6, 6, 'late')")


def test_whoever_comes_second_waits_for_the_first(one):
    """Neither order leaves a row with the residence of before."""
    there, here = {"column": ("country = 'USA'", "country = 'IE'"),
                   "through": ("country_id = 3", "country_id = 1")}[one.kind]
    for n, first in enumerate(("writer", "mover") * 2):
        with one.admin() as a, one.admin() as b, one.admin() as watch:
            a.execute(f"UPDATE users SET {there} WHERE id = 2")
            write = f"INSERT INTO messages VALUES ({9600 + n}, 2, 2, 'w')"
            move = f"UPDATE users SET {here} WHERE id = 2"
            one_, two = ((write, move), (move, write))[first == "mover"]
            a.execute("BEGIN")
            a.execute(one_)
            done = threading.Thread(target=b.execute, args=(two,))
            done.start()
            pid = b.info.backend_pid
            for _ in range(600):
                if watch.execute(
                        "SELECT pg_blocking_pids(%s) <> '{}'",
                        (pid,)).fetchone()[0]:
                    break
                done.join(0.02)
            assert done.is_alive(), "it did not wait"
            a.execute("COMMIT")
            done.join(20)
            assert not done.is_alive() and wrong(watch, one.kind) == []


def test_many_writers_at_once_keep_them_right(one):
    """Random writes by four connections; deadlocks may end one of them."""
    countries = {"column": ["country = 'US'", "country = 'IE'",
                            "country = NULL"],
                 "through": ["country_id = 1", "country_id = 2",
                             "country_id = NULL"]}[one.kind]
    errors, counts = [], []

    def work(seed):
        roll, done = random.Random(seed), 0
        with one.server.connect(one.database, "writer") as c:
            for n in range(40):
                sql = roll.choice([
                    f"INSERT INTO messages VALUES ({10000 + seed * 100 + n},"
                    f" {roll.randint(1, 6)}, {roll.randint(1, 6)}, 'm')",
                    f"UPDATE users SET {roll.choice(countries)} WHERE id = "
                    f"{roll.randint(1, 6)}",
                    f"UPDATE videos SET owner_id = {roll.randint(1, 6)} "
                    f"WHERE id = {roll.randint(11, 16)}",
                    f"UPDATE messages SET sender_id = {roll.randint(1, 6)} "
                    f"WHERE id = {10000 + roll.randint(0, 399)}",
                    f"UPDATE reports SET video_id = {roll.randint(11, 16)} "
                    f"WHERE id = {roll.randint(0, 50)}"])
                try:
                    c.execute(sql)
                    done += 1
                except psycopg.errors.DeadlockDetected:
                    pass
                except psycopg.Error as e:
                    errors.append((sql, e))
        counts.append(done)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert errors == [] and sum(counts) > 60
    with one.admin() as c:
        assert wrong(c, one.kind) == []


def test_a_second_apply_does_nothing_and_drift_finds_nothing(one):
    one.apply()                 # whoever wrote above changed no clearance
    assert re.search(r"\(0 new, 3 kept, 0 dropped\)", one.apply())
    assert "as sworn apply made it" in drift_of(one, 0)


@pytest.mark.parametrize("change, words", [
    ("ALTER TABLE messages DISABLE TRIGGER zz_sworn_set", "not as they were"),
    ("ALTER TABLE messages DISABLE TRIGGER ALL; UPDATE messages SET "
     "\"{m0}\" = 'US'; ALTER TABLE messages ENABLE TRIGGER ALL",
     "in [0-9]+ rows it is not the residence"),
    ("ALTER ROLE sworn_keep LOGIN", "not as they were"),
    ("DROP TRIGGER zz_sworn_new ON reports", "not as they were"),
])
def test_drift_finds_what_no_longer_keeps_them(one, change, words):
    with one.admin() as c:
        c.execute(change.format(m0=columns_of(c, "messages")[0]))
        said = drift_of(one, 1)
        assert re.search(words, said), said
        for sql in re.findall(r"^    (UPDATE .*)$", said, re.M):
            c.execute(sql)
        one.apply()
        assert wrong(c, one.kind) == []
    drift_of(one, 0)


def test_keys_that_nothing_keeps_unique_are_refused(make):  # noqa: F811
    s = make()
    with s.admin() as c:
        c.execute("ALTER TABLE reports DROP CONSTRAINT reports_video_id_fkey;"
                  "ALTER TABLE videos DROP CONSTRAINT videos_pkey")
    said = s.apply("--residence-columns", expect=1)
    assert "CREATE UNIQUE INDEX ON public.videos (id)" in said.replace(
        '"', "")
    s.apply()


def test_rows_that_come_before_what_they_lead_to(make):  # noqa: F811
    """Without a foreign key to see to it, triggers do."""
    s = make()
    with s.admin() as c:
        c.execute("ALTER TABLE reports DROP CONSTRAINT reports_video_id_fkey;"
                  "ALTER TABLE messages DROP CONSTRAINT "
                  "messages_sender_id_fkey")
        s.kind = "column"
        s.apply("--residence-columns")
        c.execute("INSERT INTO reports VALUES (800, 700, 1, 'r'); "
                  "INSERT INTO messages VALUES (800, 70, 1, 'r')")
        assert wrong(c, "column") == []
        c.execute("INSERT INTO users (id, country) VALUES (70, 'IE'); "
                  "INSERT INTO videos VALUES (700, 70, 'x', 'y')")
        assert wrong(c, "column") == []
        column = columns_of(c, "reports")[0]
        assert c.execute(f'SELECT "{column}" FROM reports WHERE id = 800'
                         ).fetchone() == ("IE",)
        c.execute("DELETE FROM videos WHERE id = 700")
        assert wrong(c, "column") == []
        c.execute("TRUNCATE videos")
        assert wrong(c, "column") == []


def test_another_way_has_another_column_and_the_old_one_goes(
        make):  # noqa: F811
    s = make()
    s.apply("--residence-columns")
    with s.admin() as c:
        before = columns_of(c, "videos")
        (s.folder / "catalog.yaml").write_text(world.catalog("through"))
        s.apply()
        after = columns_of(c, "videos")
        assert len(before) == len(after) == 1 and before != after
        assert wrong(c, "through") == []
        # The residence of before is in users itself; now there is a way.
        assert len(columns_of(c, "users")) == 1


def test_partitions_are_filled_and_kept(make):  # noqa: F811
    s = make()
    with s.admin() as c:
        c.execute("ALTER TABLE messages RENAME TO old; CREATE TABLE messages "
                  "(id int, sender_id int REFERENCES users, recipient_id int "
                  "REFERENCES users, body text) PARTITION BY RANGE (id); "
                  "CREATE TABLE m1 PARTITION OF messages FOR VALUES FROM (0) "
                  "TO (20); CREATE TABLE m2 PARTITION OF messages FOR VALUES "
                  "FROM (20) TO (1000); INSERT INTO messages TABLE old; "
                  "DROP TABLE old")
        s.apply("--residence-columns")
        assert wrong(c, "column") == []
        c.execute("UPDATE users SET country = 'IE' WHERE id = 1; "
                  "UPDATE messages SET id = 900 WHERE id = 3")
        assert wrong(c, "column") == []
        with s.server.connect(s.database, s.kinds()[ADMIN]) as r:
            r.execute("SET enable_partition_pruning = on")
            plan = "\n".join(x for (x,) in r.execute(
                "EXPLAIN SELECT * FROM messages WHERE id = 5"))
            assert "m1" in plan and "m2" not in plan, plan


def schema_dump(s):
    text = subprocess.run(
        [s.server.bin / "pg_dump", "--schema-only", "-h", s.server.folder,
         "-U", "postgres", s.database], capture_output=True, text=True,
        check=True).stdout
    return re.sub(r"^\\(un)?restrict .*$", "", text, flags=re.M)


def test_removal_leaves_the_schema_and_the_roles_as_they_were(
        make):  # noqa: F811
    s = make()
    with s.admin() as c:
        ask = "SELECT rolname, rolbypassrls FROM pg_roles ORDER BY 1"
        before = schema_dump(s), c.execute(ask).fetchall()
        s.apply("--residence-columns")
        assert schema_dump(s) != before[0]
        assert ("sworn_keep", True) in c.execute(ask).fetchall()
        s.apply("--remove")
        after = schema_dump(s), c.execute(ask).fetchall()
    assert after[0] == before[0]
    # The module's other store still has both of these.
    shared = {("sworn_way", False), ("sworn_keep", True)}
    assert set(after[1]) - shared == set(before[1]) - shared
