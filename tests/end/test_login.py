"""The rule file for logins: what PostgreSQL reads of the same file, who is let
in through a real gateway, and reload. (Certificates: test_tls.py.)"""
import concurrent.futures
import hashlib
import ipaddress
import random
import re
import time

import psycopg
import pytest

from conftest import connect
from world import now, run

NAMES = ("aoife", "ethan", "priya", "feed-international")
ADDRESSES = ("127.35.0.10", "127.11.0.10", "10.1.2.3", "10.129.0.1",
             "2001:db8::1", "2001:db8:1::7")


def words(rng, choices):
    found = rng.sample(choices, rng.randint(1, 2))
    return rng.choice((",", ", ")).join(found)


def address(rng):
    a = ipaddress.ip_address(rng.choice(ADDRESSES))
    bits = rng.randint(0, a.max_prefixlen)
    if rng.random() < .3:
        mask = ipaddress.ip_network(f"{a}/{bits}", strict=False).netmask
        return f"{a} {mask}"
    return rng.choice((f"{a}/{bits}", "all"))


def line(rng):
    """A line that PostgreSQL and Sworn both read."""
    stores = words(rng, ["us", '"eu"', "all", "@stores"])
    people = words(rng, [*NAMES, '"aoife"', "all", "@people"])
    text = (f"{rng.choice(('host', 'hostssl', 'hostnossl'))} {stores}\t"
            f"{people}  {address(rng)} "
            f"{rng.choice(('reject', 'scram-sha-256'))}")
    if rng.random() < .2:
        text = text.replace("\t", " \\\n\t")
    return text + rng.choice(("\n", " # all\n", "\n\n", "\r\n"))


def decides(rules, who, store, at, encrypted):
    """By the rules as PostgreSQL shows them: a line number, or None."""
    at = ipaddress.ip_address(at)
    for number, kind, stores, people, net, mask, method, _ in rules:
        if kind == ("hostnossl" if encrypted else "hostssl"):
            continue
        if store not in stores and "all" not in stores:
            continue
        if who not in people and "all" not in people:
            continue
        if net != "all":
            net, mask = map(ipaddress.ip_address, (net, mask))
            if (net.version != at.version
                    or int(net) & int(mask) != int(at) & int(mask)):
                continue
        return number, method
    return None


def test_the_line_that_decides_is_that_of_postgresqls_own_reading(fresh,
                                                                  world):
    rng = random.Random(8)
    gateway, store = fresh(start=False), world.stores["us"]
    with gateway.conf.open("a") as f:
        f.write("logins: logins\ntls: {mode: allow, certificate: gw.crt, "
                "key: gw.key}\n")
    run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj",
         "/CN=gw", "-out", gateway.folder / "gw.crt", "-keyout",
         gateway.folder / "gw.key"])
    (gateway.folder / "gw.key").chmod(0o600)
    text = "".join(line(rng) for _ in range(12))
    files = {"stores": "us # us\n", "people": "priya,\n\"ethan\"\n"}
    for name, content in {**files, "logins": text}.items():
        (gateway.folder / name).write_bytes(content.encode())
    hba = store.data / "pg_hba.conf"
    before = hba.read_bytes()
    try:        # the view reads the file; the server goes on by the old one
        hba.write_bytes(text.encode())
        for name, content in files.items():
            (store.data / name).write_text(content)
        with psycopg.connect(store.admin_dsn, passfile=world.passfile) as c:
            rules = c.execute(
                "SELECT line_number, type, database, user_name, address, "
                "netmask, auth_method, error FROM pg_hba_file_rules "
                "ORDER BY line_number").fetchall()
    finally:
        hba.write_bytes(before)
    # The server has no certificate, and says so of hostssl.
    assert len(rules) == 12 and not [
        r for r in rules if r[7] and "SSL is disabled" not in r[7]], text
    asked = [(rng.choice(NAMES), rng.choice(("us", "eu")),
              rng.choice(ADDRESSES), rng.random() < .5) for _ in range(40)]

    def ask(q):
        status, out, _ = gateway.sworn(
            "login", "check", "-c", gateway.conf, "--principal", q[0],
            "--store", q[1], "--from", q[2], *["--tls"] * q[3],
            expect=(0, 1))
        at = re.match(r"\S+/logins:(\d+): .* (\S+)$", out, re.M)
        assert at or "no line matches" in out, out
        assert status == (0 if at and at[2] != "reject" else 1), out
        return (int(at[1]), at[2]) if at else None
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        got = list(pool.map(ask, asked))
    assert got == [decides(rules, *q) for q in asked]
    assert len(set(got)) > 4, "the questions tell nothing"


def put(gateway, text, expect=0):
    (gateway.folder / "logins").write_text(text)
    return gateway.sworn("reload", gateway.conf, expect=(expect,))[2]


def test_who_may_come_from_where_is_as_the_file_says(fresh):
    gateway = fresh(start=False)
    plain = gateway.conf.read_text()
    gateway.conf.write_text(plain + "logins: logins\n")
    first = ("host all priya all reject\n"
             "host us +moderator,@more 127.35.0.0/16 scram-sha-256\n"
             "host all service 127.0.0.0/8 scram-sha-256\n")
    (gateway.folder / "more").write_text("ethan\n")
    (gateway.folder / "logins").write_text(first)
    gateway.start()
    since, begun = now(), time.monotonic()
    with connect(gateway, "ethan"), connect(
            gateway, "feed-international", "eu", "hosting", None, None):
        pass

    def refused(q):
        user, store, office = q
        with pytest.raises(psycopg.OperationalError) as e:
            connect(gateway, user, store, office)
        return str(e.value)
    tried = (("priya", "us", "dublin"), ("ethan", "us", "austin"),
             ("ethan", "eu", "dublin"))
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        said = list(pool.map(refused, tried))
    assert time.monotonic() - begun > .9, "failed logins wait"
    assert ('pg_hba.conf rejects connection for host "127.35.0.10", user '
            '"priya", database "us", no encryption') in said[0]
    assert ('no pg_hba.conf entry for host "127.11.0.10", user "ethan", '
            'database "us", no encryption') in said[1]
    assert "no pg_hba.conf entry" in said[2]
    gateway.wait_published(since)
    failures = [r for r in gateway.records() if r["type"] == "login_failure"]
    assert {(f["principal"], f["store"]) for f in failures} == {
        (t[0], t[1]) for t in tried}
    assert {(f["reason"], f["sqlstate"]) for f in failures} == {
        ("rule", "28000")}

    # A broken one is named, and leaves the old in force.
    said = put(gateway, first + "host all all all ldap\n", 1)
    assert f"{gateway.folder}/logins:4" in said and '"ldap"' in said, said
    with connect(gateway, "ethan") as open_:
        put(gateway, "host all priya all scram-sha-256\n")
        with connect(gateway, "priya"):
            pass
        assert "no pg_hba.conf entry" in refused(("ethan", "us", "dublin"))
        assert open_.execute("SELECT 1").fetchone() == (1,)
    gateway.conf.write_text(plain)
    gateway.sworn("reload", gateway.conf)
    with connect(gateway, "ethan"):
        pass
    want = [hashlib.sha256(t.encode()).hexdigest() for t in (
        first + "ethan\n", "host all priya all scram-sha-256\n")] + [None]
    gateway.wait_published(now())
    assert [r.get("logins") for r in gateway.records()
            if r["type"] == "in_force"] == want
    assert gateway.verify_log()


@pytest.mark.parametrize("text,word", [
    ("host uk all all reject\n", '"uk"'),
    ("host all nobody-at-all all reject\n", '"nobody-at-all"'),
    ("hostssl all all all cert\n", "client-ca"),
    ("host all @logins.none all reject\n", "logins.none"),
])
def test_a_file_that_names_what_is_not_there_is_refused(world, text, word):
    conf = world.gateway.folder / "logins.conf"
    if not world.gateway.conf.exists():
        world.gateway.configure("observe")
    (conf.parent / "logins").write_text(text)
    conf.write_text(world.gateway.conf.read_text() + "logins: logins\n")
    err = world.gateway.sworn("check", "-c", conf, expect=(1, 2))[2]
    assert word in err and "logins" in err, err
