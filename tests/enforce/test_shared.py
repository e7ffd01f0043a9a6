"""Clearances over shared views (sworn apply --shared-views), on a server that
has too few locks for one transaction: what each shows is what it shows with
views of its own; what somebody changes is found; an apply that is killed
between two transactions leaves the store closed to persons, and the next one
goes on."""
import json
import re
import signal
import subprocess
import tempfile
import time
import os

import psycopg
import pytest
import conftest
from test_apply import POLICY, Store
from test_drift import drift

RULES = POLICY + """
  - rule: moderators of one place
    permit: read
    who: {kind: person, roles: [moderator]}
    what: {tables: [public.users, public.videos, public.reports],
           categories: [technical, identity]}
    whose: [US]
    why: {purposes: [other]}
  - rule: and of both
    permit: read
    who: {kind: person, roles: [moderator]}
    what: {tables: [public.users, public.videos, public.reports],
           categories: [technical, identity]}
    why: {purposes: [other], ticket: "ALL-[1-9][0-9]*"}
"""


@pytest.fixture(scope="module")
def server():
    with tempfile.TemporaryDirectory(prefix="e", dir=os.environ.get(
            "SWORN_SCRATCH", "/tmp")) as folder:
        s = conftest.Server(folder)
        try:
            with s.connect("postgres") as c:
                c.execute("ALTER SYSTEM SET max_locks_per_transaction = 10")
                c.execute("ALTER SYSTEM SET max_connections = 15")
            s.run("pg_ctl", "-D", f"{folder}/data", "-w", "-m", "fast",
                  "restart")
            yield s
        finally:
            s.stop()


def shows(s, login):
    """Every table that a login reads by its bare name: rows, and the labels
    of whose they are by its twin."""
    out = {}
    with s.server.connect(s.database, login) as c:
        for name, schema in c.execute(
                "SELECT c.relname, n.nspname FROM pg_class c JOIN "
                "pg_namespace n ON n.oid = c.relnamespace WHERE relkind = 'v'"
                " AND n.nspname ~ '^sworn' AND pg_table_is_visible(c.oid)"
                ).fetchall():
            cursor = c.execute(f"SELECT * FROM {name}")
            rows = sorted(map(str, cursor.fetchall()))
            labels = []
            if name not in ("topics", "countries"):
                labels = sorted(re.sub(":[^,]*", "", x or "") for (x,) in
                                c.execute(f'SELECT "sworn$" FROM '
                                          f"{schema}_twin.{name}"))
            out[name] = [d.name for d in cursor.description], rows, labels
    return out


@pytest.fixture(scope="module", params=["through", "store"])
def both(request, server, sworn, tmp_path_factory):
    """A store with shared views, and what its logins showed without."""
    s = Store(server, sworn, tmp_path_factory.mktemp("shared"),
              kind=request.param, policy=RULES)
    s.apply()
    s.own = {x["clearance_sha256"]: shows(s, x["role"]) for x in s.logins()}
    s.apply("--remove")
    s.said = s.apply("--shared-views")
    yield s
    s.apply("--remove")
    with s.admin() as c:
        assert c.execute("SELECT rolname FROM pg_roles WHERE rolname ~ "
                         "'^sworn'").fetchall() == []
        assert c.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ "
                         "'^sworn'").fetchall() == []
        assert c.execute("SELECT polname FROM pg_policy").fetchall() == []


def test_shared_views_show_what_own_views_show(both):
    assert len(both.own) >= 3
    shared = {x["clearance_sha256"]: shows(both, x["role"])
              for x in both.logins()}
    assert shared == both.own


def test_login_has_rights_on_its_panes_alone(both):
    found = json.loads(both.applied.read_text())
    for login in found["logins"]:
        mine = {found["panes"][i]["schema"] for i in login["panes"]}
        with both.server.connect(both.database, login["role"]) as c:
            for pane in found["panes"]:
                for view, _, _ in pane["views"]:
                    for schema in (pane["schema"], pane["schema"] + "_twin"):
                        ask = f"SELECT count(*) FROM {schema}.{view}"
                        if pane["schema"] in mine:
                            c.execute(ask)
                        else:
                            with pytest.raises(psycopg.errors.
                                               InsufficientPrivilege):
                                c.execute(ask)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                c.execute("SELECT * FROM sworn.sees")


def test_second_apply_keeps_all_and_stays_shared(both):
    before = both.applied.read_text()
    n = len(both.own)
    assert f"({n} new, 0 kept, 0 dropped)" in both.said
    said = both.apply()
    assert f"(0 new, {n} kept, 0 dropped)" in said and "panes of" in said
    strip = re.compile(r'"(counted|number)".*')
    assert strip.sub("", both.applied.read_text()) == strip.sub("", before)
    assert "as sworn apply made it" in drift(both, 0)


CHANGES = [
    "UPDATE sworn.sees SET stored = '{{US,USA,IE,XX}}' WHERE place = "
    "'public.users'",
    "ALTER POLICY {p}_rows ON public.users USING (true)",
    "CREATE OR REPLACE VIEW {p}.users AS TABLE {p}.users",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {p} TO {other}",
    "REVOKE SELECT ON {p}.users FROM {reader}",
    "ALTER ROLE {reader} SET search_path = public",
]


def test_change_of_what_is_shared_is_found_and_made_again(both):
    found = json.loads(both.applied.read_text())
    at, pane = next((i, x["schema"]) for i, x in enumerate(found["panes"])
                    if any(v[0] == "users" for v in x["views"]))
    reader = next(x["role"] for x in found["logins"] if at in x["panes"])
    other = next(x["role"] for x in found["logins"] if at not in x["panes"])
    with both.admin() as c:
        if not c.execute("SELECT 1 FROM sworn.sees").fetchone():
            return      # in a store of one residence nothing is filtered
        for change in CHANGES:
            c.execute(change.format(p=pane, reader=reader, other=other))
            said = drift(both, 1)
            assert re.search("(role|shared views) sworn_p?[0-9a-f]{16}: not "
                             "as they were made", said), (change, said)
            if change is not CHANGES[-1]:
                both.apply()
    both.apply()
    drift(both, 0)
    assert {x["clearance_sha256"]: shows(both, x["role"])
            for x in both.logins()} == both.own


SLOW = """
CREATE FUNCTION public.slow() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM sworn.state WHERE value <> '' AND
        key ~ '^(role|pane)') >= 2 THEN PERFORM pg_sleep(1000); END IF;
END$$;
REVOKE ALL ON FUNCTION public.slow FROM PUBLIC;
CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('CREATE VIEW')
    EXECUTE FUNCTION public.slow();
"""


@pytest.mark.parametrize("form", [[], ["--shared-views"]])
def test_apply_killed_between_two_transactions_leaves_the_store_closed(
        server, sworn, tmp_path, form):
    s = Store(server, sworn, tmp_path, policy=RULES)
    s.apply(*form)
    before = s.logins()
    with s.admin() as c:
        c.execute(SLOW + "UPDATE sworn.state SET value = '' WHERE key "
                  "~ '^(role|pane)'")   # as if all were to be made again
    with server.connect(s.database, before[0]["role"]) as person:
        p = subprocess.Popen(
            [conftest.program("sworn", "src/cli/sworn"), "apply", "-c",
             tmp_path / "sworn.conf", s.name, "--admin",
             server.dsn(s.database)], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        with s.admin() as c:
            until = time.monotonic() + 60
            asleep = None
            while asleep is None and time.monotonic() < until:
                asleep = c.execute(
                    "SELECT pid FROM pg_stat_activity WHERE "
                    "wait_event = 'PgSleep'").fetchone()
                time.sleep(0.02)
            assert asleep, "the apply did not come to its second transaction"
            p.send_signal(signal.SIGKILL)
            assert "persons cannot log in" in p.communicate()[1]
            c.execute("SELECT pg_terminate_backend(%s, 5000)", asleep)
        with pytest.raises(psycopg.OperationalError):
            person.execute("SELECT 1")  # its session was ended
    with s.admin() as c:
        logins = c.execute("SELECT rolname, rolcanlogin FROM pg_roles JOIN "
                           "sworn.state ON key = 'role ' || rolname"
                           ).fetchall()
        assert not any(can for _, can in logins)
        done = {k for (k,) in c.execute("SELECT key FROM sworn.state WHERE "
                                        "value <> '' AND key ~ '^role|pane'")}
        assert len(done) >= 2
        c.execute("DROP EVENT TRIGGER slow; DROP FUNCTION public.slow()")
    assert "persons cannot log in until" in drift(s, 1)
    oids = "SELECT oid FROM pg_namespace WHERE nspname ~ '^sworn_p?[0-9a-f]{16}'"
    with s.admin() as c:
        had = set(c.execute(oids).fetchall())
    s.apply()
    with s.admin() as c:
        assert had & set(c.execute(oids).fetchall())    # it went on
        assert c.execute("SELECT 1 FROM sworn.state WHERE key = 'closed'"
                         ).fetchone() is None
    drift(s, 0)
    assert s.logins()[0]["role"] == before[0]["role"]
    for login in s.logins():
        server.connect(s.database, login["role"]).close()
    s.apply("--remove")
