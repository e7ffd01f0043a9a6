"""Tickets that a rule wants confirmed: a gateway asks a real program, or a
real HTTP server, while clients read through it."""
import http.server
import json
import shutil
import ssl
import subprocess
import threading
import time

import psycopg
import pytest
from conftest import connect

import world as demo_world
from world import wait_for

CASES = """purposes: [moderation]
rules:
- rule: cases that are confirmed
  permit: read
  who: {kind: person, roles: [moderator]}
  what: {tables: [public.comments], categories: [technical, content]}
  why: {purposes: [moderation], ticket: "CASE-[0-9]+", confirmed: true}
"""
# What the program says is in a file, by ticket; some of it is not an answer.
PROGRAM = """#!/usr/bin/python3
import json, sys, time
asked = json.load(sys.stdin)
assert asked["version"] == 1 and asked["store"] and asked["purpose"]
with open(sys.argv[1]) as f:
    said = json.load(f).get(asked["ticket"], {"exists": False})
if "raw" in said:
    time.sleep(said.get("sleep", 0))
    sys.stdout.write(said["raw"] * said.get("times", 1))
    sys.exit(said.get("status", 0))
json.dump(said, sys.stdout)
"""
COUNT = "SELECT count(*) FROM comments"
REFERENCE = "subject-reference-4711"


def case(residences=("IE",), **other):
    return {"exists": True, "open": True, "holder": ["aoife"],
            "tables": ["public.comments"],
            "categories": ["technical", "content"],
            "residences": list(residences), "subjects": [REFERENCE], **other}


class Desk:
    """Whoever keeps the tickets."""

    def __init__(self, folder):
        self.file = folder / "tickets.json"
        self.program = folder / "ask"
        self.program.write_text(PROGRAM)
        self.program.chmod(0o700)
        self.said = {}
        self.say()

    def say(self, **tickets):
        self.said.update({k.replace("_", "-"): v for k, v in tickets.items()})
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.said))
        new.replace(self.file)


def make(world, name, tickets, applied_by=None):
    gateway = world.new_gateway(name)
    gateway.create()
    gateway.configure("enforce")
    (gateway.folder / "cases.yaml").write_text(CASES)
    policy = gateway.folder / "policy.yaml"
    policy.write_text(policy.read_text().replace(
        "\nsets:", "\ninclude: [cases.yaml]\nsets:", 1))
    gateway.conf.write_text(gateway.conf.read_text()
                            + "tickets: " + json.dumps(tickets) + "\n")
    if applied_by is None:
        gateway.apply("eu")
    else:
        (gateway.folder / "state").mkdir(mode=0o700, exist_ok=True)
        for path in (applied_by.folder / "state").glob("applied.*.json"):
            shutil.copy2(path, gateway.folder / "state" / path.name)
    gateway.start()
    return gateway


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def asking(world, desk):
    gateway = make(world, "asking", {
        "command": [str(desk.program), str(desk.file)], "timeout": "1500ms",
        "cache": "400ms"})
    yield gateway
    gateway.close()


def reader(gateway, ticket, **more):
    return connect(gateway, store="eu", ticket=ticket, **more)


def comments(world, *residences):
    homes = ", ".join(f"'{r}'" for r in residences)
    [[n]] = world.stores["eu"].sql(
        "SELECT count(*) FROM comments c JOIN users u ON u.id = c.author_id "
        f"WHERE u.country IN ({homes})")
    return int(n)


def refusal(c):
    with pytest.raises(psycopg.Error) as e:
        c.execute("SELECT body FROM comments LIMIT 1")
    return f"{e.value} {e.value.diag.message_detail}"


def sessions(gateway, ticket):
    def found():
        records = gateway.records()
        ids = {r["session"] for r in records if r["type"] == "session"
               and r.get("ticket") == ticket}
        mine = [r for r in records if r.get("session") in ids]
        return mine if any(r["type"] == "close" for r in mine) else None
    return wait_for(f"the session with {ticket} to be in the log", found)


def test_a_confirmed_ticket_opens_what_it_covers_and_is_recorded(
        world, asking, desk):
    desk.say(CASE_1=case(), CASE_2=case(["IE", "DE"]))
    with reader(asking, "CASE-1") as c:
        [n] = c.execute(COUNT).fetchone()
        assert n == comments(world, "IE") > 0
        # The same session with another case.
        c.execute("SET sworn.ticket = 'CASE-2'")
        assert c.execute(COUNT).fetchone()[0] == comments(world, "IE", "DE")
        with pytest.raises(psycopg.Error):
            c.execute("SELECT email FROM profiles LIMIT 1")
    records = sessions(asking, "CASE-1")
    said = [r["tickets"][0] for r in records if "tickets" in r]
    assert [t["ticket"] for t in said] == ["CASE-1", "CASE-2"]
    assert said[0]["confirmed"] and said[0]["why"] == ""
    assert said[0]["residences"] == ["IE"] and said[0]["subjects"] == 1
    assert len(said[0]["subjects_hmac"]) == 64
    for path in asking.log.rglob("*"):
        if path.is_file():
            assert REFERENCE.encode() not in path.read_bytes()


BAD = {
    "CASE-11": (case(holder="niamh"), "it is not yours"),
    "CASE-12": (case(open=False), "it is closed"),
    "CASE-13": ({"exists": False}, "there is no such ticket"),
    "CASE-14": (case(tables=["public.users"]),
                "does not cover table public.comments"),
    "CASE-15": (case(categories=["content"]),
                "does not cover category technical"),
    "CASE-16": (case(residences=[]), "covers residents of"),
    "CASE-17": ({"raw": "yes, of course"}, "was not understood"),
    "CASE-18": ({"raw": "[" * 1000, "times": 1000}, "was too long"),
    "CASE-19": ({"raw": json.dumps(case()), "status": 3},
                "failed with status 3"),
    "CASE-20": ({"raw": json.dumps(case()), "sleep": 60}, "took too long"),
}


@pytest.mark.parametrize("ticket", BAD)
def test_what_is_not_confirmed_opens_nothing_and_says_why(asking, desk,
                                                           ticket):
    said, why = BAD[ticket]
    desk.say(**{ticket: said})
    with reader(asking, ticket) as c:
        text = refusal(c)
        assert why in text, text
        assert "niamh" not in text
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_a_slow_answer_holds_up_nobody_else(asking, desk):
    desk.say(CASE_30={"raw": json.dumps(case()), "sleep": 60},
             CASE_31=case())
    opened = threading.Event()
    waited = []

    def slow():
        begin = time.monotonic()
        opened.set()
        with reader(asking, "CASE-30") as c:
            refusal(c)
        waited.append(time.monotonic() - begin)
    with reader(asking, "TS-1") as other:   # on one of the two workers
        threads = [threading.Thread(target=slow) for _ in range(2)]
        for t in threads:
            t.start()
        assert opened.wait(10)
        for _ in range(20):
            other.execute(COUNT)
        assert not waited
        with reader(asking, "CASE-31") as c:
            c.execute(COUNT)
        for t in threads:
            t.join(30)
    assert len(waited) == 2


def test_a_ticket_that_is_closed_ends_what_it_opened(world, asking, desk):
    desk.say(CASE_40=case())
    with reader(asking, "CASE-40") as c:
        assert c.execute(COUNT).fetchone()[0] == comments(world, "IE")
        desk.say(CASE_40=case(open=False))

        def refused():
            try:
                c.execute("SELECT body FROM comments LIMIT 1")
            except psycopg.Error as e:
                return str(e)
        assert "it is closed" in wait_for("the ticket to be looked up again",
                                          refused)
        desk.say(CASE_40=case(["ES"]))

        def open_again():
            try:
                return c.execute(COUNT).fetchone()
            except psycopg.Error:
                return None
        assert wait_for("it to be opened again", open_again) == (
            comments(world, "ES"),)
    said = [r["tickets"][0] for r in sessions(asking, "CASE-40")
            if "tickets" in r]
    assert [t["confirmed"] for t in said] == [True, False, True]
    assert said[1]["why"] == "it is closed"
    assert said[2]["residences"] == ["ES"]


CLAIM = """claim: 1
title: Whoever had a case
sworn-by: nobody
sentence: During this period Aoife read no data of residents of %s.
period: {from: "%s", to: "%s"}
gateways: [gw-demo]
stores: [eu]
never-did: {whose: [%s], who: {principals: [aoife]}}
"""


def test_a_verifier_decides_again_with_what_was_confirmed(world, asking, desk,
                                                          tmp_path):
    begin = demo_world.now()
    desk.say(CASE_50=case())
    with reader(asking, "CASE-50") as c:
        c.execute(COUNT)
    with reader(asking, "CASE-51") as c:
        refusal(c)
    sessions(asking, "CASE-51")
    period = (begin, demo_world.now())
    asking.wait_published(period[1])
    claim = tmp_path / "claim.yaml"
    for residence, status in (("IE", 3), ("DE", 0)):
        claim.write_text(CLAIM % (residence, *period, residence))
        code, out, err = asking.verify_claim(claim, store_logs={
            "eu": world.stores["eu"].connection_log})
        assert code == status, out + err
        assert "another clearance" not in out


def metric(gateway, name):
    for line in gateway.get("/metrics")[1].splitlines():
        if line.startswith(name + " "):
            return int(line.split()[1])


def test_look_ups_are_counted(asking, desk):
    before = {k: metric(asking, f"sworn_ticket_{k}_total")
              for k in ("lookups", "refusals", "failures")}
    desk.say(CASE_60={"raw": "x", "status": 1}, CASE_61={"exists": False})
    for ticket in ("CASE-60", "CASE-61"):
        with reader(asking, ticket) as c:
            refusal(c)
    after = {k: metric(asking, f"sworn_ticket_{k}_total") for k in before}
    assert after["failures"] > before["failures"]
    assert after["refusals"] > before["refusals"]
    assert after["lookups"] >= before["lookups"] + 2


def test_the_process_that_asks_is_started_again(asking, desk):
    desk.say(CASE_70=case(), CASE_71=case())
    with reader(asking, "CASE-70") as c:
        c.execute(COUNT)
    keeper = min(p for p in demo_world.descendants(
        asking.process("gateway")))
    workers = demo_world.descendants(keeper)
    assert len(workers) == 1
    subprocess.run(["kill", "-9", str(workers[0])], check=True)

    def works():
        with reader(asking, "CASE-71") as c:
            try:
                return c.execute(COUNT).fetchone()
            except psycopg.Error:
                return None
    wait_for("tickets to be confirmed again", works)


# -- over HTTP -----------------------------------------------------------------

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(
            int(self.headers["Content-Length"])))
        self.server.asked.append(
            (asked, self.headers.get("Authorization"),
             self.headers.get("Content-Type")))
        status, body = ANSWERS.get(asked["ticket"], (404, "{}"))
        if body == "slow":
            time.sleep(20)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


ANSWERS = {
    "CASE-1": (200, json.dumps(case())),
    "CASE-2": (500, json.dumps(case())),
    "CASE-3": (302, json.dumps(case())),
    "CASE-4": (200, "x" * 100000),
    "CASE-5": (200, "slow"),
    "CASE-6": (204, ""),
}


@pytest.mark.parametrize("tls", [False, True])
def test_a_server_is_asked_over_http(world, asking, tmp_path, tls):
    pem = tmp_path / "server.pem"
    if tls:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-keyout", pem, "-out", tmp_path / "cert.pem", "-days", "2",
             "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost"], check=True,
            capture_output=True)
        with open(pem, "a") as f:
            f.write((tmp_path / "cert.pem").read_text())
    server = Server(pem if tls else None)
    (tmp_path / "token").write_text("s3cret\n")
    url = f"{'https' if tls else 'http'}://localhost:{server.server_port}/t"
    gateway = make(world, f"http{tls}", {
        "url": url, "timeout": "1s", "cache": "5s",
        "token": str(tmp_path / "token"),
        **({"ca": str(tmp_path / "cert.pem")} if tls else {})},
        applied_by=asking)
    try:
        with reader(gateway, "CASE-1") as c:
            assert c.execute(COUNT).fetchone()[0] == comments(world, "IE")
        assert server.asked[0] == ({
            "version": 1, "ticket": "CASE-1", "principal": "aoife",
            "store": "eu", "purpose": "moderation"}, "Bearer s3cret",
            "application/json")
        with reader(gateway, "CASE-1") as c:    # known for a while
            c.execute(COUNT)
        assert len(server.asked) == 1
        for ticket, why in (("CASE-2", "HTTP status 500"),
                            ("CASE-3", "HTTP status 302"),
                            ("CASE-4", "was too long"),
                            ("CASE-5", "too long" if tls else "imeout"),
                            ("CASE-6", "HTTP status 204"),
                            ("CASE-9", "HTTP status 404")):
            if tls and ticket != "CASE-2":
                continue
            with reader(gateway, ticket) as c:
                text = refusal(c)
                assert why in text or "took too long" in text, text
        server.shutdown()
        server.server_close()
        with reader(gateway, "CASE-8") as c:
            assert "cannot be asked" in refusal(c)
    finally:
        gateway.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(world, asking,
                                                          tmp_path):
    pem = tmp_path / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
         "-keyout", pem, "-out", tmp_path / "cert.pem", "-days", "2",
         "-subj", "/CN=localhost"], check=True, capture_output=True)
    with open(pem, "a") as f:
        f.write((tmp_path / "cert.pem").read_text())
    server = Server(pem)
    gateway = make(world, "untrusted", {
        "url": f"https://localhost:{server.server_port}/t"},
        applied_by=asking)
    try:
        with reader(gateway, "CASE-1") as c:
            assert "cannot be asked" in refusal(c)
        assert server.asked == []
    finally:
        gateway.close()
        server.shutdown()
        server.server_close()


# -- the configuration ---------------------------------------------------------

@pytest.mark.parametrize("tickets, word", [
    ("{}", 'either a "command" or a "url"'),
    ("{command: [/bin/true], url: 'http://x/'}", "either"),
    ("{command: [/bin/nothing]}", "no program"),
    ("{command: []}", "a program"),
    ("{url: 'ftp://x/'}", "no URL"),
    ("{command: [/bin/true], token: t}", 'is for a "url"'),
    ("{command: [/bin/true], timeout: 1h}", "outside"),
    ("{command: [/bin/true], retries: 3}", "unknown key"),
])
def test_what_cannot_be_asked_is_refused_at_the_start(fresh, tickets, word):
    gateway = fresh("observe", start=False)
    gateway.conf.write_text(gateway.conf.read_text()
                            + f"tickets: {tickets}\n")
    _, _, err = gateway.sworn("check", "-c", gateway.conf, expect=(1,))
    assert word in err and ":" in err


def test_with_nobody_to_ask_nothing_is_confirmed(world, asking):
    gateway = world.new_gateway("unasked")
    gateway.create()
    gateway.configure("enforce")
    (gateway.folder / "policy.yaml").write_text(
        (asking.folder / "policy.yaml").read_text())
    (gateway.folder / "cases.yaml").write_text(CASES)
    (gateway.folder / "state").mkdir(mode=0o700, exist_ok=True)
    for path in (asking.folder / "state").glob("applied.*.json"):
        shutil.copy2(path, gateway.folder / "state" / path.name)
    gateway.start()
    try:
        with reader(gateway, "CASE-1") as c:
            assert "has nobody to ask about tickets" in refusal(c)
    finally:
        gateway.close()
