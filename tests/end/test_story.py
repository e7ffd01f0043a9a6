"""The story's claims in small: who is refused and why, what the records say,
what the verdicts are; and that the demo itself fails when a verdict does."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import psycopg
import pytest
import readers
import story
import tlog
from conftest import connect, connect_feed
from world import DEMO, fill, now, wait_for

TEST_SECONDS = 300
QUERY = "SELECT id, handle FROM users ORDER BY id LIMIT 5"
READER_IDS = [f"{r.user}@{r.store}" for r in readers.READERS]


def by_type(records, kind, **want):
    return [r for r in records if r["type"] == kind
            and all(r.get(k) == v for k, v in want.items())]


def records_of(gateway, ticket):
    """The closed session that stated a ticket: its records in order."""
    def closed():
        records = gateway.records()
        found = by_type(records, "session", ticket=ticket)
        if not found:
            return None
        mine = [r for r in records
                if r.get("session") == found[-1]["session"]]
        return mine if mine[-1]["type"] == "close" else None
    return wait_for(f"the session of {ticket} to be closed", closed)


# -- who gets what ---------------------------------------------------------

@pytest.mark.parametrize("reader", readers.READERS, ids=READER_IDS)
def test_observing_lets_everybody_work_as_before(observing, reader):
    steps = readers.read(observing, reader)
    assert not [s.refusals for s in steps if s.refusals]
    assert sum(s.rows + s.written for s in steps) > 0


@pytest.mark.parametrize("reader", readers.READERS, ids=READER_IDS)
def test_enforcing_refuses_those_and_only_those_it_must(enforcing, reader):
    steps = readers.read(enforcing, reader)
    refusals = [r for s in steps for r in s.refusals]
    rows = sum(s.rows + s.written for s in steps)
    if (reader.user, reader.store) in story.REFUSED:
        assert rows == 0 and refusals
    else:
        assert rows > 0 and not refusals


REASONS = {
    # By location, by the line in fact, and mirrored by location abroad.
    ("lina", "us"): "CN",
    ("wei", "eu"): "CN",
    ("ethan", "us"): "Liu Yang",
    ("aoife", "domestic"): "IE",
}


@pytest.mark.parametrize("who", REASONS, ids="@".join)
def test_refusal_names_the_rule_and_the_path_that_met_the_reader(
        enforcing, who):
    reader = next(r for r in readers.READERS if (r.user, r.store) == who)
    said = " ".join(f"{r.message} {r.detail} {r.hint}" for s in
                    readers.read(enforcing, reader) for r in s.refusals)
    assert REASONS[who] in said, said
    assert "is not handled under direction from" in said, said
    assert "\u2192" in said, said


def test_credentials_of_a_service_do_not_open_from_elsewhere(enforcing):
    with connect_feed(enforcing) as c:
        assert c.execute("SELECT count(*) FROM users").fetchone()[0] > 0
    for office in ("beijing", "dublin", "austin"):
        with pytest.raises(psycopg.OperationalError):
            connect(enforcing, "feed-international", "us", office, None, None)


def test_moderator_gets_no_contact_data_and_no_location(enforcing):
    with connect(enforcing) as c:
        c.execute(QUERY).fetchall()
        for sql in ("SELECT email FROM profiles",
                    "SELECT country FROM users",
                    "SELECT ip FROM watch_events",
                    "SELECT body FROM messages",
                    "SELECT lower(p.email) FROM profiles p",
                    "SELECT 1 FROM profiles WHERE email LIKE 'a%'",
                    "SELECT id FROM public.users"):
            try:
                rows = c.execute(sql).fetchall()
            except psycopg.Error as e:
                assert e.sqlstate[:2] == "42", (sql, e)
            else:
                # Only the views' own tables may answer to public's name.
                assert sql.endswith("public.users"), (sql, rows[:1])


def test_contact_data_is_masked_for_the_master_admin_at_home(enforcing):
    with connect(enforcing, "wei", "domestic", "beijing", "operations",
                 None) as c:
        rows = c.execute("SELECT email, phone, display_name "
                         "FROM profiles LIMIT 50").fetchall()
    assert len(rows) == 50
    for email, phone, name in rows:
        assert "@mail.example" not in (email or "")
        assert "+999" not in (phone or "")
        assert name


def test_without_a_purpose_a_person_gets_nothing(enforcing):
    try:
        with connect(enforcing, purpose=None, ticket=None) as c:
            with pytest.raises(psycopg.Error) as e:
                c.execute(QUERY).fetchall()
            assert e.value.sqlstate == "42501"
            c.execute("SET sworn.purpose = 'moderation'")
            c.execute("SET sworn.ticket = 'TS-77'")
            assert len(c.execute(QUERY).fetchall()) == 5
    except psycopg.OperationalError as e:
        assert "purpose" in str(e)


@pytest.mark.parametrize("ticket", [None, "", "x", "TS-", "TS-1 OR 1=1",
                                    "ATS-1"])
def test_ticket_that_does_not_fit_gives_a_moderator_nothing(
        enforcing, ticket):
    with pytest.raises(psycopg.Error):
        with psycopg.connect(
                enforcing.dsn("aoife", "us", "dublin", "moderation"),
                password=enforcing.world.secret["aoife"],
                autocommit=True) as c:
            if ticket is not None:
                c.execute(f"SET sworn.ticket = '{ticket}'")
            c.execute(QUERY).fetchall()
            pytest.fail("rows came without a fitting ticket")


# -- what is recorded ------------------------------------------------------

def test_session_is_recorded_with_facts_and_statement_before_result(
        observing):
    with connect(observing, "ethan", "us", "austin", "analytics",
                 "TS-31337") as c:
        c.execute("SELECT city, count(*) FROM watch_events GROUP BY city") \
            .fetchall()
        c.execute(QUERY).fetchall()
    mine = records_of(observing, "TS-31337")
    assert [r["n"] for r in mine] == list(range(len(mine)))
    opened, closed = mine[0], mine[-1]
    assert opened["type"] == "session" and closed["type"] == "close"
    assert opened["principal"] == "ethan" and opened["mode"] == "observe"
    assert opened["purpose"] == "analytics" and opened["seen_at"] == ["US"]
    assert opened["source"].startswith("127.11.0.10:")
    led = {p["label"]: p for p in opened["control"]}
    assert "CN" in led and "US" in led
    lines = [p["kinds"] for p in opened["control"] if p["label"] == "CN"]
    assert any("actual" in kinds and "ownership" not in kinds
               for kinds in lines)
    statements = by_type(mine, "statement")
    results = by_type(mine, "result")
    tables = [{b["table"] for b in s["bound"]} for s in statements]
    assert {"public.watch_events"} in tables and {"public.users"} in tables
    assert all(s["would"] for s in statements), \
        "enforcing would have refused, and the record must say so"
    assert sum(r["rows"] for r in results) == closed["rows"]
    for r in results:
        assert any(s["n"] == r["of"] and s["seq"] < r["seq"]
                   for s in statements + [opened])


def test_service_is_recorded_once_before_its_first_byte(observing):
    size = observing.checkpoint().size
    with connect_feed(observing) as c:
        for _ in range(20):
            c.execute("SELECT * FROM users LIMIT 1").fetchall()

    def closed():
        mine = [r for r in observing.records(size)]
        found = by_type(mine, "session", principal="feed-international")
        if found:
            got = [r for r in mine if r.get("session") == found[0]["session"]]
            return got if got[-1]["type"] == "close" else None
    mine = wait_for("the service's session to be closed", closed)
    assert not by_type(mine, "statement")
    assert {b["table"] for b in mine[0]["bound"]} >= {"public.users",
                                                      "public.messages"}
    assert mine[-1]["rows"] >= 20


def test_no_personal_data_and_no_sql_are_in_the_log(observing):
    with connect(observing, "wei", "us", "beijing", "operations",
                 "TS-31338") as c:
        handle, email = c.execute(
            "SELECT u.handle, p.email FROM users u JOIN profiles p "
            "ON p.user_id = u.id LIMIT 1").fetchone()
        c.execute(f"SELECT id FROM users WHERE handle = '{handle}'").fetchall()
        c.execute("SELECT phone FROM profiles WHERE email = %s",
                  [email]).fetchall()
    records_of(observing, "TS-31338")
    for f in observing.folder.rglob("*"):
        if f.is_file() and not f.is_relative_to(observing.folder / "readers"):
            data = f.read_bytes()
            assert handle.encode() not in data and email.encode() not in data


def test_equal_statements_have_equal_keyed_hashes_and_no_plain_ones(
        observing):
    import hashlib
    with connect(observing, ticket="TS-31339") as c:
        c.execute(QUERY).fetchall()
        c.execute(QUERY).fetchall()
    found = {s["text_hmac"] for s in
             by_type(records_of(observing, "TS-31339"), "statement")}
    assert len(found) == 1
    assert found != {hashlib.sha256(QUERY.encode()).hexdigest()}


def test_both_readers_of_logs_agree_about_this_one(observing):
    observing.wait_published(now())
    entries = tlog.check(observing.log, observing.vkey)
    for i, e in enumerate(entries):
        r = json.loads(e)
        assert r["seq"] == i and r["v"] == 1
        # One form only, so that re-encoding gives the same bytes.
        assert json.dumps(r, separators=(",", ":"),
                          ensure_ascii=False).encode() == e
    code, out, err = observing.verify_log()
    assert code == 0, out + err


# -- verdicts --------------------------------------------------------------

def claim(gateway, name, period, tmp_path, store_logs=True):
    path = tmp_path / f"{name}.yaml"
    path.write_text(fill((DEMO / "claims" / f"{name}.yaml.in").read_text(),
                         {"FROM": period[0], "TO": period[1]}))
    stores = gateway.world.stores
    logs = {n: stores[n].connection_log for n in
            (["domestic"] if name.startswith("cn") else ["us", "eu"])}
    return gateway.verify_claim(path, store_logs=logs if store_logs else None)


def period_around(gateway, work):
    begin = now()
    work()

    def closed():
        kinds = [r["type"] for r in gateway.records()]
        return kinds.count("session") == kinds.count("close")
    wait_for("all sessions to be closed", closed)
    end = now()
    gateway.wait_published(end)
    return begin, end


def reading(gateway, *who):
    def work():
        for reader in readers.READERS:
            if (reader.user, reader.store) in who:
                readers.read(gateway, reader)
    return work


@pytest.mark.parametrize("who,verdict", [
    ([("sam", "us")], story.HOLDS),
    ([("aoife", "us"), ("aoife", "eu")], story.HOLDS),
    ([("lina", "domestic")], story.HOLDS),
    ([("wei", "eu")], story.HOLDS),             # no residents of US there
    ([("ethan", "us")], story.REFUTED),
    ([("lina", "us")], story.REFUTED),
    ([("sam", "us"), ("wei", "us")], story.REFUTED),
], ids=lambda v: str(v))
def test_verdict_follows_from_who_read_what(fresh, tmp_path, who, verdict):
    gateway = fresh("observe")
    period = period_around(gateway, reading(gateway, *who))
    code, out, err = claim(gateway, "us-direction", period, tmp_path)
    assert code == verdict, out + err
    if verdict == story.REFUTED:
        assert who[-1][0] in out, "the reader is not named"


def test_holding_claim_says_on_what_it_rests(fresh, tmp_path):
    gateway = fresh("observe")
    period = period_around(gateway, reading(gateway, ("sam", "us")))
    code, out, err = claim(gateway, "us-direction", period, tmp_path)
    assert code == story.HOLDS, out + err
    assert "hr.clipwave.example" in out, "the issuer of the facts"


def test_record_and_verdict_name_who_issued_what_leads_to_a_manager(fresh,
                                                                    tmp_path):
    gateway = fresh("observe", start=False)
    text = (gateway.folder / "directory.yaml").read_text()
    olga = "name: Olga Reyes, employer: granite, site: ashburn-hosting"
    assert text.count(olga) == 1
    (gateway.folder / "directory.yaml").write_text(text.replace(
        olga, olga.replace("site: ashburn-hosting", "site: "
                           "{id: ashburn-hosting, issuer: leases.example}")))
    gateway.start()
    period = period_around(gateway, reading(gateway, ("sam", "us")))
    session, = [r for r in gateway.records() if r["type"] == "session"]
    assert "leases.example" in session["issuers"], \
        "sam's manager's place is that issuer's word"
    code, out, err = claim(gateway, "us-direction", period, tmp_path)
    assert code == story.HOLDS, out + err
    assert "leases.example" in out


def test_period_that_the_log_does_not_cover_is_not_shown(fresh, tmp_path):
    gateway = fresh("observe")
    period = period_around(gateway, reading(gateway, ("sam", "us")))
    early = ("2026-01-01T00:00:00Z", period[1])
    late = (period[0], "2036-01-01T00:00:00Z")
    for p in (early, late):
        code, out, err = claim(gateway, "us-direction", p, tmp_path)
        assert code == story.NOT_SHOWN, out + err


def test_time_without_a_sign_of_life_is_not_shown(fresh, tmp_path):
    gateway = fresh("observe")

    def work():
        reading(gateway, ("sam", "us"))()
        pid = gateway.process("gateway")
        os.kill(pid, signal.SIGSTOP)
        # Longer than docs/claims.md allows for a heartbeat of 1 s, which is
        # twice that and 2 s; the wall clock is what is tested.
        time.sleep(5)
        os.kill(pid, signal.SIGCONT)
    period = period_around(gateway, work)
    code, out, err = claim(gateway, "us-direction", period, tmp_path)
    assert code == story.NOT_SHOWN, out + err


def test_same_log_refutes_when_ownership_counts(fresh, tmp_path):
    gateway = fresh("observe")
    period = period_around(gateway, reading(gateway, ("aoife", "us")))
    assert claim(gateway, "us-direction", period, tmp_path)[0] == story.HOLDS
    code, out, err = claim(gateway, "us-ownership", period, tmp_path)
    assert code == story.REFUTED and "aoife" in out, out + err


# -- the demo itself -------------------------------------------------------

def run_demo(folder, bin_dir):
    folder.mkdir()
    return subprocess.run(
        [sys.executable, "-B", DEMO / "story.py", "--scratch", folder,
         "--bin", bin_dir, "--scale", "0.02"], capture_output=True, text=True,
        timeout=240)


def test_small_story_comes_out_as_told(tmp_path_factory, bin_dir):
    p = run_demo(tmp_path_factory.mktemp("d") / "s", bin_dir)
    assert p.returncode == 0, p.stdout + p.stderr
    assert "Every verdict was the expected one." in p.stdout
    assert "\033" not in p.stdout, "colours are for terminals"
    assert "NOT EXPECTED" not in p.stdout


def test_demo_fails_if_the_verifier_accepts_everything(
        tmp_path_factory, bin_dir):
    """Also shows that each expectation of the demo can fail."""
    folder = tmp_path_factory.mktemp("d")
    lax = folder / "bin"
    lax.mkdir()
    os.symlink(bin_dir / "sworn", lax / "sworn")
    (lax / "sworn-verify").write_text("#!/bin/sh\nexit 0\n")
    (lax / "sworn-verify").chmod(0o700)
    p = run_demo(folder / "s", lax)
    assert p.returncode == 1, p.stdout + p.stderr
    wrong = re.findall(r"NOT EXPECTED: (.*)", p.stdout)
    assert len([w for w in wrong if "holds" in w]) >= 4, wrong
    assert not [x for x in pathlib.Path("/proc").glob("[0-9]*/cwd")
                if str(folder) in os.path.realpath(x)]
