"""A gateway looks whether its stores are still as sworn apply left them. One
that is not is closed to persons, after its record, until it is mended."""
import json
import re
import shutil
import urllib.request

import psycopg
import pytest
from conftest import connect, connect_feed
from world import now, wait_for

QUERY = "SELECT count(*) FROM users"
HINT = "sworn drift.*sworn apply"


@pytest.fixture(scope="module")
def watching(world, enforcing):
    """A gateway with the logins that are applied, that looks often."""
    gateway = world.new_gateway("watching")
    gateway.create()
    gateway.configure("enforce", DRIFT="200ms")
    (gateway.folder / "state").mkdir(mode=0o700, exist_ok=True)
    for path in (enforcing.folder / "state").glob("applied.*.json"):
        shutil.copy2(path, gateway.folder / "state" / path.name)
    gateway.start()
    yield gateway
    gateway.close()


def admin(gateway):
    us = gateway.world.stores["us"]
    return psycopg.connect(us.admin_dsn, password=us.passwords["postgres"],
                           autocommit=True)


def records(gateway):
    """All that there are by now."""
    gateway.wait_published(now())
    return gateway.records()


def looks(gateway, store="us"):
    return [r for r in records(gateway)
            if r["type"] == "drift" and r["store"] == store]


def reads(gateway, **more):
    with connect(gateway, **more) as c:
        return c.execute(QUERY).fetchone()[0] > 0


def refusal(gateway):
    """The error of a login that is refused; None: it is not."""
    try:
        reads(gateway)
    except psycopg.OperationalError as e:
        return str(e)
    return None


def is_open(gateway):
    return refusal(gateway) is None


def metric(gateway, name):
    url = f"http://127.0.0.1:{gateway.console}/metrics"
    text = urllib.request.urlopen(url, timeout=10).read().decode()
    return int(re.search(rf"^{name} (\d+)$", text, re.M)[1])


def wait_refused(gateway):
    wait_for("the store to be closed", lambda: not is_open(gateway))
    return refusal(gateway)


def login_of(gateway):
    path = gateway.folder / "state" / "applied.us.json"
    return json.loads(path.read_text())["logins"][0]["role"]


def test_store_as_applied_is_looked_at_and_open(watching):
    with connect(watching) as c, connect(watching, store="eu") as eu:
        before = len(looks(watching))
        wait_for("more looks", lambda: len(looks(watching)) > before)
        assert c.execute(QUERY).fetchone()[0] > 0
        assert eu.execute(QUERY).fetchone()[0] > 0
    for store in ("us", "eu", "domestic"):
        assert {r["state"] for r in looks(watching, store)} == {"applied"}
    for r in looks(watching):
        assert r["pid"] > 0 and r["role"].startswith("sworn_")
        assert r["found"] == 0 and r["what"] == []


# What somebody does -> how it is undone, and what is said of it.
CHANGES = {
    "a table granted to a login": (
        "GRANT SELECT ON messages TO {r}",
        "REVOKE SELECT ON messages FROM {r}", "{r}: it is not as"),
    "a table granted to PUBLIC": (
        "GRANT SELECT ON users TO PUBLIC",
        "REVOKE SELECT ON users FROM PUBLIC", "rights of PUBLIC: it is not"),
    "a new view": (
        "CREATE VIEW everybody AS SELECT * FROM users",
        "DROP VIEW everybody", "relation public.everybody: it was not"),
    "a login around the gateway": (
        "CREATE ROLE stray LOGIN; GRANT SELECT (id) ON users TO stray",
        "DROP OWNED BY stray; DROP ROLE stray", "login stray: it may log in"),
    "row security off": (
        "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "relation public.users: it is not"),
    "a membership": (
        "GRANT {r}_own TO {r}", "REVOKE {r}_own FROM {r}", "{r}: it is not"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_drift_closes_the_store_to_persons_until_mended(watching, name):
    change, undo, words = CHANGES[name]
    role = login_of(watching)
    with admin(watching) as a, connect(watching) as c, \
            connect_feed(watching) as feed:
        assert c.execute(QUERY).fetchone()[0] > 0
        a.execute(change.format(r=role))
        try:
            said = wait_refused(watching)
            assert "not as sworn apply left it" in said
            assert re.search(HINT, said)
            # Open sessions end at their next statement.
            with pytest.raises(psycopg.OperationalError,
                               match="the store is closed"):
                c.execute(QUERY)
            assert c.closed
            # Services, and the other stores, go on.
            assert feed.execute("SELECT count(*) FROM users").fetchone()[0]
            assert reads(watching, store="eu")
            wait_for("the metric to say so", lambda: metric(
                watching, "sworn_stores_drifted") == 1)
        finally:
            a.execute(undo.format(r=role))
    wait_for("the store to be open", lambda: is_open(watching))
    said = records(watching)
    drifted = [r for r in said if r["type"] == "drift"
               and r["state"] == "drifted"]
    assert words.format(r=role) in " ".join(drifted[-1]["what"])
    assert drifted[-1]["found"] >= 1
    # On record before anybody was refused.
    first = min(r["seq"] for r in drifted)
    refused = [r["seq"] for r in said if r["type"] == "login_failure"
               and r["reason"] == "drift"]
    assert refused and min(refused) > first


def test_dropped_policy_is_mended_by_apply_and_reload(watching):
    with admin(watching) as a:
        table, policy = a.execute(
            "SELECT polrelid::regclass::text, polname FROM pg_policy WHERE "
            "polname ~ '^sworn_[0-9a-f]{16}_rows$' LIMIT 1").fetchone()
        a.execute(f"DROP POLICY {policy} ON {table}")
    wait_refused(watching)
    assert policy.removesuffix("_rows") in " ".join(
        [r for r in looks(watching) if r["state"] == "drifted"][-1]["what"])
    watching.apply("us")
    watching.sworn("reload", watching.conf)
    wait_for("the store to be open", lambda: is_open(watching))


def test_store_that_cannot_be_looked_at_is_closed_after_five_looks(watching):
    """Nobody of the clearances gets in: no drift is known, and none ruled
    out."""
    with admin(watching) as a, connect(watching) as c:
        roles = [r for r, in a.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ "
            "'^sworn_[0-9a-f]{16}$'")]
        for r in roles:
            a.execute(f"ALTER ROLE {r} NOLOGIN")
        try:
            wait_for("the store to be closed", lambda: "could not be looked"
                     in (refusal(watching) or ""))
            with pytest.raises(psycopg.OperationalError, match="looked at"):
                c.execute(QUERY)
            wait_for("the metric to say so", lambda: metric(
                watching, "sworn_stores_unseen") == 1)
            assert looks(watching)[-1]["state"] == "unseen"
        finally:
            for r in roles:
                a.execute(f"ALTER ROLE {r} LOGIN")
    wait_for("the store to be open", lambda: is_open(watching))
