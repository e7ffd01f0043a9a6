"""Where an address is, by a database of addresses: what libmaxminddb's own
program says of the same file; and what becomes of a session that comes from
a country which its site does not tell."""
import hashlib
import ipaddress
import json
import pathlib
import random
import re
import subprocess
import sys

import psycopg
import pytest

from conftest import connect, demo_world

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import mmdb  # noqa: E402

BUILT = 1790000000


@pytest.fixture
def placed(fresh):
    """A gateway, not started, with a database of addresses."""
    def make(networks, mode="enforce", **more):
        gateway = fresh(mode, start=False)
        place(gateway, networks, **more)
        text = gateway.conf.read_text()
        gateway.conf.write_text(text + "addresses: places.mmdb\n")
        return gateway
    return make


def place(gateway, networks, **more):
    mmdb.write(gateway.folder / "places.mmdb", networks, built=BUILT, **more)


def seen(gateway, address):
    """The labels that `sworn control` says an address connects from."""
    out = gateway.sworn("control", "-c", gateway.conf, "aoife", "--from",
                        address)[1]
    return set(re.findall(r"connected from ([A-Z][A-Z0-9]*)", out)) | (
        {"unknown"} if "that belongs to no site" in out else set())


def looked_up(path, address):
    """What libmaxminddb's program finds; None if nothing."""
    p = subprocess.run(["mmdblookup", "--file", path, "--ip", address,
                        "country", "iso_code"], capture_output=True,
                       text=True)
    m = re.search(r'"(\w+)" <utf8_string>', p.stdout)
    assert m or p.returncode != 0, p.stdout
    return m[1] if m else None


@pytest.mark.parametrize("size,version", [(24, 6), (28, 6), (32, 4)])
def test_addresses_are_where_mmdblookup_says(placed, size, version):
    rng = random.Random(f"{size} {version}")
    networks = {}
    for _ in range(120):
        bits = 32 if version == 4 or rng.random() < 0.6 else 128
        prefix = rng.randint(4, 24 if bits == 32 else 64)
        base = rng.getrandbits(bits) >> (bits - prefix) << (bits - prefix)
        n = ipaddress.IPv4Network((base, prefix)) if bits == 32 else \
            ipaddress.IPv6Network((base, prefix))
        if n.version == 6 and int(n.network_address) >> 96 == 0:
            continue
        networks[str(n)] = f"L{rng.randint(0, 30)}"
    networks["198.51.100.0/24"] = {"registered_country": {"iso_code": "QQ"}}
    gateway = placed(networks, version=version, record_size=size)
    path = gateway.folder / "places.mmdb"
    asked = ["198.51.100.7", "203.0.113.9"]
    for n in rng.sample(sorted(networks), 12):
        first = ipaddress.ip_network(n)
        asked.append(str(first[rng.randrange(first.num_addresses)]))
        if first.version == 4:
            asked.append(f"::ffff:{first[0]}")
    found = 0
    for address in asked:
        plain = address.removeprefix("::ffff:")
        label = looked_up(path, plain)
        found += label is not None
        # None of these is in a network of the directory's.
        assert seen(gateway, address) == {label or "unknown"}, address
    assert found > 10


def test_a_conflict_counts_as_each_and_nothing_known_as_unknown(placed):
    gateway = placed({"127.35.0.0/16": "CN", "127.11.0.0/16": "US",
                      "10.0.0.0/8": "unknown", "203.0.113.0/24": "N O"})
    assert seen(gateway, "127.35.0.1") == {"IE", "CN"}
    assert seen(gateway, "127.11.0.1") == {"US"}
    assert seen(gateway, "127.86.0.1") == {"CN"}          # the site alone
    assert seen(gateway, "172.16.0.1") == {"unknown"}
    # What is no label is a broken file: it might have said anything.
    assert seen(gateway, "10.0.0.1") == {"unknown"}
    assert seen(gateway, "203.0.113.1") == {"unknown"}


def test_a_broken_database_is_refused_by_name(placed):
    gateway = placed({"192.0.2.0/24": "NO", "2001:db8::/32": "IE"})
    path = gateway.folder / "places.mmdb"
    good = path.read_bytes()
    for bad in (b"", b"no database", good[:len(good) // 2], good[:-30],
                good.replace(mmdb.MARKER, b"x" * len(mmdb.MARKER))):
        path.write_bytes(bad)
        code, _, err = gateway.sworn("check", "-c", gateway.conf,
                                     expect=(1,))
        assert "places.mmdb" in err and "database of addresses" in err, err
    rng = random.Random(7)
    for _ in range(40):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 6)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        path.write_bytes(bytes(bad))
        gateway.sworn("control", "-c", gateway.conf, "aoife", "--from",
                      "192.0.2.1", expect=(0, 1))


CLAIM = """claim: 1
title: Nobody reads there while in CN
sworn-by: Dana Brooks, Clipwave US Inc.
sentence: Nobody who was in CN read data of US residents.
period: {{from: "{start}", to: "{end}"}}
gateways: [gw-demo]
stores: [us]
never-did: {{whose: [US], who: {{controlled-from: [CN], by: [location]}}}}
"""


def judged(gateway, start):
    """The verdict over all of a gateway's log so far."""
    path = gateway.folder / "claim.yaml"
    path.write_text(CLAIM.format(start=start, end=demo_world.now()))
    return gateway.verify_claim(path, as_json=True)[1]


def test_a_reader_seen_abroad_is_evidence_that_names_the_database(placed):
    start = demo_world.now()
    gateway = placed({"127.35.0.0/16": "CN"}, mode="observe")
    gateway.start()
    with connect(gateway) as c:
        assert c.execute("SELECT id FROM users LIMIT 3").fetchall()
    gateway.stop()
    verdict = judged(gateway, start)
    assert verdict["verdict"] == "refuted", verdict
    assert [e["principal"] for e in verdict["evidence"]] == ["aoife"]
    data = (gateway.folder / "places.mmdb").read_bytes()
    assert hashlib.sha256(data).hexdigest() in json.dumps(verdict)
    # The control set came out of the record's places as it was recorded.
    assert not [d for d in verdict["doubts"]
                if d["what"] in ("facts", "control", "bound")], verdict


def test_who_is_seen_in_another_country_loses_what_they_had(placed, world):
    start = demo_world.now()
    gateway = placed({"127.35.0.0/16": "IE"})
    gateway.apply("us")
    gateway.start()
    with connect(gateway) as c:
        assert c.execute("SELECT id FROM users LIMIT 3").fetchall()
    gateway.stop()
    first = (gateway.folder / "places.mmdb").read_bytes()

    place(gateway, {"127.35.0.0/16": "CN"})     # her laptop has moved
    second = (gateway.folder / "places.mmdb").read_bytes()
    gateway.start()
    with connect(gateway) as c:
        with pytest.raises(psycopg.Error) as e:
            c.execute("SELECT id FROM users LIMIT 3").fetchall()
    assert e.value.sqlstate == "42501", e.value
    text = gateway.get("/metrics")[1]
    assert re.search(rf"^sworn_addresses_built_seconds {BUILT}$", text, re.M)
    gateway.stop()

    sessions = [r for r in gateway.records() if r["type"] == "session"]
    assert [s["seen_at"] for s in sessions] == [["IE"], ["IE", "CN"]]
    for s, data in zip(sessions, (first, second)):
        assert s["addresses"] == hashlib.sha256(data).hexdigest()
        assert s["addresses_built"].startswith("2026-09-21T")
    code, out, err = gateway.verify_log()
    assert code == 0, out + err
    verdict = judged(gateway, start)
    assert verdict["verdict"] != "refuted", verdict
    assert not [d for d in verdict["doubts"]
                if d["what"] in ("facts", "control", "bound", "clearance")]


def test_who_can_thinks_of_countries_without_a_site(placed):
    gateway = placed({"192.0.2.0/24": "NO"})
    before = gateway.conf.read_text()
    said = gateway.sworn("who-can", "-c", gateway.conf, "--json")[1]
    assert "elsewhere" in said
    gateway.conf.write_text(before.replace("addresses:", "# addresses:"))
    said = gateway.sworn("who-can", "-c", gateway.conf, "--json")[1]
    assert "elsewhere" not in said
