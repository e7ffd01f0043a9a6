"""sworn placement check on a real server: what is in the wrong place and what
carries rows out is found by name, once it is there and not before."""
import json

import pytest
from test_apply import Store

# A way out -> what undoes it, what is said of it.
WAYS = {
    "publication": ("CREATE PUBLICATION p FOR TABLE videos",
                    "DROP PUBLICATION p",
                    "high", "publication p of public.videos"),
    "subscription": (
        "CREATE SUBSCRIPTION s CONNECTION 'host=far.example password=x "
        "dbname=d' PUBLICATION p WITH (connect = false)",
        "ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s",
        "medium", "subscription s to far.example"),
    "foreign server": (
        "CREATE EXTENSION postgres_fdw; CREATE SERVER away FOREIGN DATA "
        "WRAPPER postgres_fdw OPTIONS (host 'far.example')",
        "DROP EXTENSION postgres_fdw CASCADE",
        "medium", "server away at far.example"),
    "user mapping": (
        "CREATE EXTENSION postgres_fdw; CREATE SERVER away FOREIGN DATA "
        "WRAPPER postgres_fdw; CREATE USER MAPPING FOR PUBLIC SERVER away "
        "OPTIONS (password 'x')",
        "DROP EXTENSION postgres_fdw CASCADE",
        "high", "PUBLIC on server away"),
    "extension": ("CREATE EXTENSION dblink", "DROP EXTENSION dblink",
                  "medium", "extension dblink"),
    "slot": ("SELECT pg_create_physical_replication_slot('kept')",
             "SELECT pg_drop_replication_slot('kept')",
             "medium", "replication slot kept, physical"),
    "role": ("CREATE ROLE copier LOGIN REPLICATION", "DROP ROLE copier",
             "medium", "role copier (REPLICATION)"),
    "role of files": (
        "CREATE ROLE writer; GRANT pg_write_server_files TO writer",
        "DROP ROLE writer", "medium", "role writer in pg_write_server_files"),
    "event trigger": (
        "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS "
        "'BEGIN END'; CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE "
        "FUNCTION e()",
        "DROP FUNCTION e CASCADE", "low",
        "event trigger watch, function public.e()"),
    "unlisted": (
        "CREATE TABLE letters (id int, sent_to text); INSERT INTO letters "
        "SELECT i, 'a' || i || '@example.org' FROM generate_series(1, 9) i",
        "DROP TABLE letters", "medium",
        "public.letters.sent_to looks like contact, values look like e-mail "
        "addresses"),
    "public": (
        "ALTER TABLE topics ADD email text",
        "ALTER TABLE topics DROP email", "high",
        "public.topics.email looks like contact, by its name"),
}


@pytest.fixture(scope="module")
def store(server, sworn, tmp_path_factory):
    return Store(server, sworn, tmp_path_factory.mktemp("placement"))


def check(s, expect, *more):
    (s.folder / "state").mkdir(mode=0o700, exist_ok=True)
    return s.sworn("placement", "check", "-c", s.folder / "sworn.conf",
                   s.name, "--admin", s.server.dsn(s.database), *more,
                   expect=expect)


def findings(s, expect=1):
    return [(x["severity"], x["what"]) for x in
            json.loads(check(s, expect, "--json"))["findings"]]


def test_every_way_out_is_found_while_it_is_there(store):
    before = findings(store)
    with store.admin() as c:
        for name, (make, undo, severity, what) in WAYS.items():
            for one in make.split("; "):
                c.execute(one)
            found = findings(store)
            assert (severity, what) in found, (name, found)
            assert (severity, what) not in before
            for one in undo.split("; "):
                c.execute(one)
    assert findings(store) == before


def test_secrets_of_connections_are_not_printed(store):
    with store.admin() as c:
        make, undo = WAYS["subscription"][:2]
        c.execute(make)
        assert "password" not in check(store, 1)
        for one in undo.split("; "):
            c.execute(one)


def test_subjects_of_other_residences_are_counted(store):
    conf = store.folder / "sworn.conf"
    text = conf.read_text()
    assert ("medium", "2 subjects of no known residence") in findings(store)
    assert not any("at home in" in w for _, w in findings(store))
    conf.write_text(text.replace("residences: [US, IE]", "residences: [US]"))
    found = findings(store)
    assert ("high", "2 subjects at home in IE") in found
    assert not any("at home in US" in w for _, w in found)
    said = check(store, 1)
    assert "none of the configuration" in said and "findings" in said
    conf.write_text(text)


def test_status_is_0_where_nothing_is_found_and_2_where_nothing_is_known(
        store):
    with store.admin() as c:
        c.execute("DELETE FROM reports; DELETE FROM messages; DELETE FROM "
                  "videos; DELETE FROM users WHERE country IS NULL OR "
                  "country = 'XX'")
    left = [x for x in findings(store, 1) if x[0] != "low"]
    with store.admin() as c:     # what the world itself has unlisted
        for _, what in left:
            table, column = what.split()[0].rsplit(".", 1)
            c.execute(f"ALTER TABLE {table} DROP {column} CASCADE")
    check(store, 0)
    store.sworn("placement", "check", "-c", store.folder / "sworn.conf",
                store.name, "--admin", "host=/nowhere", expect=2)
    store.sworn("placement", "look", "-c", store.folder / "sworn.conf",
                store.name, "--admin", "x", expect=2)
