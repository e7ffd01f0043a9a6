"""A gateway looks whether its stores are still as sworn apply left them. One
that is not is closed to persons, after its record, until it is mended."""
import json
import re
import shutil
import socket

import psycopg
import pytest
from conftest import connect, connect_feed
from world import now, wait_for

QUERY = "SELECT count(*) FROM users"
HINT = "sworn drift.*sworn apply"


def with_logins_of(gateway, enforcing):
    """What is applied, for another gateway before the same stores."""
    state = gateway.folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    for path in (enforcing.folder / "state").glob("applied.*.json"):
        shutil.copy2(path, state / path.name)


@pytest.fixture(scope="module")
def watching(world, enforcing):
    """A gateway with the logins that are applied, that looks often."""
    gateway = world.new_gateway("watching")
    gateway.create()
    gateway.configure("enforce", DRIFT="100ms")
    conf = gateway.conf.read_text()
    assert conf.count("publish: 500ms") == 1
    gateway.conf.write_text(conf.replace("publish: 500ms", "publish: 100ms"))
    with_logins_of(gateway, enforcing)
    gateway.start()
    yield gateway
    gateway.close()


@pytest.fixture(scope="module")
def admin(world):
    us = world.stores["us"]
    with psycopg.connect(us.admin_dsn, password=us.passwords["postgres"],
                         autocommit=True) as c:
        yield c


def records(gateway):
    """All that there are by now."""
    gateway.wait_published(now())
    return gateway.records()


def looks(said, store="us"):
    return [r for r in said if r["type"] == "drift" and r["store"] == store]


def reads(gateway, **more):
    with connect(gateway, **more) as c:
        return c.execute(QUERY).fetchone()[0] > 0


def refusal(gateway, **more):
    """The error of a login that is refused; None: it is not."""
    try:
        reads(gateway, **more)
    except psycopg.OperationalError as e:
        return str(e)
    return None


def metric(gateway, name):
    return int(re.search(rf"^{name} (\d+)$", gateway.get("/metrics")[1],
                         re.M)[1])


def wait_refused(gateway):
    said = []
    wait_for("the store to be closed", lambda: said.append(refusal(gateway))
             or said[-1] is not None)
    return said[-1]


def wait_open(gateway):
    wait_for("the store to be open", lambda: refusal(gateway) is None)


# What somebody does -> how it is undone, and what is said of it. {r} is a
# clearance's login.
CHANGES = (
    ("GRANT SELECT ON messages TO {r}",
     "REVOKE SELECT ON messages FROM {r}", "{r}: it is not as"),
    ("GRANT SELECT ON users TO PUBLIC",
     "REVOKE SELECT ON users FROM PUBLIC", "rights of PUBLIC: it is not"),
    ("CREATE VIEW everybody AS SELECT * FROM users",
     "DROP VIEW everybody", "relation public.everybody: it was not"),
    ("CREATE ROLE stray LOGIN; GRANT SELECT (id) ON users TO stray",
     "DROP OWNED BY stray; DROP ROLE stray", "login stray: it may log in"),
    # By its name one of ours, and not this database's.
    ("CREATE ROLE sworn_00000000000000aa LOGIN SUPERUSER",
     "DROP ROLE sworn_00000000000000aa",
     "login sworn_00000000000000aa: it may log in"),
    ("ALTER TABLE users DISABLE ROW LEVEL SECURITY",
     "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
     "relation public.users: it is not"),
    ("GRANT {r}_own TO {r}", "REVOKE {r}_own FROM {r}", "{r}: it is not"),
)


def test_drift_closes_the_store_to_persons_until_mended(watching, admin):
    state = json.loads((watching.folder / "state" / "applied.us.json")
                       .read_text())
    role = state["logins"][0]["role"]
    with connect(watching) as c, connect_feed(watching) as feed:
        assert c.execute(QUERY).fetchone()[0] > 0
        for change, undo, _ in CHANGES:
            admin.execute(change.format(r=role))
            try:
                said = wait_refused(watching)
                assert "not as sworn apply left it" in said, change
                assert re.search(HINT, said)
                # Services, and the other stores, go on.
                assert feed.execute(QUERY).fetchone()[0]
                assert reads(watching, store="eu")
                if c.closed:
                    continue
                # Open sessions end at their next statement.
                with pytest.raises(psycopg.OperationalError,
                                   match="the store is closed"):
                    c.execute(QUERY)
                assert c.closed
                wait_for("the metric to say so", lambda: metric(
                    watching, "sworn_stores_drifted") == 1)
            finally:
                admin.execute(undo.format(r=role))
                wait_open(watching)
    said = records(watching)
    for store in ("eu", "domestic"):
        assert {r["state"] for r in looks(said, store)} == {"applied"}
    for r in looks(said):
        assert r["pid"] > 0 and r["role"].startswith("sworn_")
        assert bool(r["found"]) == bool(r["what"]) == (
            r["state"] == "drifted")
    found = " ".join(w for r in looks(said) for w in r["what"])
    for _, _, words in CHANGES:
        assert words.format(r=role) in found
    # On record before anybody was refused.
    first = min(r["seq"] for r in looks(said) if r["state"] == "drifted")
    refused = [r["seq"] for r in said if r["type"] == "login_failure"
               and r["reason"] == "drift"]
    assert refused and min(refused) > first


def test_store_that_cannot_be_looked_at_is_closed_after_five_looks(
        watching, admin):
    """Nobody of the clearances gets in: no drift is known, and none ruled
    out. A password is nothing that a look could see."""
    roles = admin.execute(
        "SELECT rolname, rolpassword FROM pg_authid WHERE rolname ~ "
        "'^sworn_[0-9a-f]{16}$'").fetchall()
    with connect(watching) as c:
        for r, _ in roles:
            admin.execute(f"ALTER ROLE {r} PASSWORD 'another'")
        try:
            wait_for("the store to be closed", lambda: "could not be looked"
                     in (refusal(watching) or ""))
            with pytest.raises(psycopg.OperationalError, match="looked at"):
                c.execute(QUERY)
            wait_for("the metric to say so", lambda: metric(
                watching, "sworn_stores_unseen") == 1)
            assert looks(records(watching))[-1]["state"] == "unseen"
        finally:
            for r, verifier in roles:
                admin.execute(f"ALTER ROLE {r} PASSWORD '{verifier}'")
    wait_open(watching)


def test_start_waits_for_no_store_and_opens_none_unlooked_at(
        world, enforcing):
    """One does not answer; one was applied by a sworn that kept nothing to
    compare with; the third is as it should be."""
    gateway = world.new_gateway("starting")
    gateway.create()
    with_logins_of(gateway, enforcing)
    path = gateway.folder / "state" / "applied.domestic.json"
    kept = json.loads(path.read_text())
    del kept["watch"], kept["seal"]
    path.write_text(json.dumps(kept))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway.configure("enforce", DRIFT="1h",
                          US_PORT=silent.getsockname()[1])
        try:
            gateway.start()
            assert reads(gateway, store="eu")
            assert "it was not looked at yet" in refusal(gateway)
            said = refusal(gateway, store="domestic")
            assert "an older sworn applied it" in said
            assert re.search("sworn apply.*sworn reload", said)
            assert metric(gateway, "sworn_stores_unseen") == 1
        finally:
            gateway.close()


def comment(admin, text=None):
    if text is not None:
        admin.execute("COMMENT ON SCHEMA sworn IS "
                      + psycopg.sql.quote(text))
    return admin.execute("SELECT obj_description('sworn'::regnamespace, "
                         "'pg_namespace')").fetchone()[0]


def drifted(said):
    return [r for r in looks(said) if r["state"] == "drifted"]


def wait_looks(gateway, n=2):
    """Until some more looks are on record; all that is."""
    before = len(looks(records(gateway)))
    said = []
    wait_for("more looks", lambda: said.append(records(gateway)) or
             len(looks(said[-1])) >= before + n)
    return said[-1]


def test_apply_mends_and_is_no_drift_and_nobody_else_can_say_so(
        watching, admin):
    table, policy = admin.execute(
        "SELECT polrelid::regclass::text, polname FROM pg_policy WHERE "
        "polname ~ '^sworn_[0-9a-f]{16}_rows$' LIMIT 1").fetchone()
    admin.execute(f"DROP POLICY {policy} ON {table}")
    wait_refused(watching)
    watching.apply("us")
    wait_open(watching)                 # without a reload
    said = records(watching)
    assert policy.removesuffix("_rows") in " ".join(drifted(said)[-1]["what"])
    # What is known at an apply is so from then on, and not from an earlier.
    admin.execute("CREATE VIEW known AS SELECT 1 AS one")
    wait_refused(watching)
    told = watching.apply("us", flags=("--keep",))["us"]
    assert "relation public.known: new or changed" in told
    wait_open(watching)
    with_view = comment(admin)
    before = len(drifted(records(watching)))
    with connect(watching) as idle:
        watching.sworn("reload", watching.conf)
        assert idle.execute(QUERY).fetchone()[0] > 0
    admin.execute("BEGIN; DROP VIEW known; COMMIT")     # as before: no drift
    watching.apply("us")
    assert len(drifted(wait_looks(watching))) == before
    assert reads(watching)
    latest = comment(admin)
    assert latest != with_view
    # Who can write the comment can take it away, and hide nothing by it.
    assert comment(admin, "") is None
    assert len(drifted(wait_looks(watching))) == before
    comment(admin, with_view)
    assert len(drifted(wait_looks(watching))) == before
    admin.execute("CREATE VIEW known AS SELECT 1 AS one")
    assert "not as sworn apply left it" in wait_refused(watching)
    admin.execute("DROP VIEW known")
    comment(admin, latest)
    wait_open(watching)
