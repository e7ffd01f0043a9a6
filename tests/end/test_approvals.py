"""Approvals at run time: asked for, given by another chain of command, refused
to one's own, cited by what they let, over when they expire, and found by the
verifier where they were not there. Real gateway, real store, real clients."""
import json
import os
import signal

import psycopg
import pytest
from conftest import connect

from world import now, run, wait_for

RULES = """rules:
- rule: reliability engineers look at accounts
  permit: read
  who: {kind: person, roles: [sre]}
  what: {stores: [us], tables: [public.users], categories: [technical, identity]}
  approval:
    by: {roles: [director]}
    apart: [formal, actual]
    at-most: 1h
    break-glass: {by: {roles: [sre]}, at-most: 30m, review-within: 2s}
- rule: two have to agree about profiles
  permit: read
  who: {kind: person, roles: [sre]}
  what: {stores: [us], tables: [public.profiles]}
  approval: {by: {roles: [director]}, count: 2, apart: [formal], at-most: 1h}
"""
ACCOUNTS = "reliability engineers look at accounts"
PROFILES = "two have to agree about profiles"
DIRECTORS = ("dana", "niamh", "olga", "liu", "zhang")
CLAIM = """claim: 1
title: Nobody under direction from China
sworn-by: whoever runs this test
sentence: No data of Americans was disclosed to anyone under that direction.
period: {from: "%s", to: "%s"}
gateways: [gw-demo]
stores: [us]
never-did:
  whose: [US]
  who: {controlled-from: [CN], by: [location, formal, actual, keeping]}
"""
READ = "SELECT id, handle FROM users LIMIT 3"


def make(world, name):
    gateway = world.new_gateway(name)
    gateway.create()
    gateway.configure("enforce")
    gateway.conf.write_text(gateway.conf.read_text().replace(
        "log: 5s}", "log: 1500ms}"))
    (gateway.folder / "asked.yaml").write_text(RULES)
    policy = gateway.folder / "policy.yaml"
    policy.write_text(policy.read_text().replace(
        "\nsets:", "\ninclude: [asked.yaml]\nsets:", 1))
    for who in DIRECTORS:
        world.secret.setdefault(who, f"password-of-{who}")
        gateway.set_password(who, world.secret[who])
    return gateway


@pytest.fixture(scope="module")
def approving(world):
    gateway = make(world, "approving")
    gateway.apply("us")
    gateway.start()
    yield gateway
    gateway.close()


def desk(gateway, who, office="austin"):
    return connect(gateway, who, "sworn", office, None, None)


def say(gateway, who, order):
    """An order at the desk, by somebody: its answer as a dict."""
    with desk(gateway, who) as c:
        return dict(c.execute(order).fetchall())


def refused(gateway, who, order):
    with pytest.raises(psycopg.Error) as e:
        say(gateway, who, order)
    return str(e.value)


def ask(gateway, rule=ACCOUNTS, span="30m", who="priya", more=""):
    return say(gateway, who, f"REQUEST '{rule}' ON us FOR '{span}' BECAUSE "
               f"'INC-17: replication lag'{more}")["id"]


def reader(gateway, ticket=None):
    return connect(gateway, "priya", "us", "austin", "operations", ticket)


def opens(gateway):
    """Whether a session gets in: its records are taken."""
    try:
        reader(gateway).close()
    except psycopg.OperationalError:
        return False
    return True


def steps(gateway, approval):
    return [r for r in gateway.records()
            if r["type"] == "approval" and r["id"] == approval]


def wait_step(gateway, approval, step):
    return wait_for(f"{step} to be published", lambda: [
        r for r in steps(gateway, approval) if r["step"] == step])[-1]


def test_nothing_is_read_before_and_something_after_another_chain_agrees(
        approving):
    with reader(approving) as c:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as e:
            c.execute(READ)
        assert "needs the approval of 1 of the role director" in \
            e.value.diag.message_detail
        assert "sworn request us" in e.value.diag.message_hint
        id = ask(approving)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute(READ)
        said = say(approving, "olga", f"APPROVE {id}")
        assert (said["state"], said["approved by"]) == ("in force", "olga")
        # The session that was open has it from its next statement on.
        assert len(c.execute(READ).fetchall()) == 3
        with pytest.raises(psycopg.Error):
            c.execute("SELECT bio FROM profiles LIMIT 1")
        say(approving, "priya", f"REVOKE {id}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute(READ)
    wait_step(approving, id, "revoke")
    records = approving.records()
    assert [s["step"] for s in steps(approving, id)] == [
        "request", "approve", "revoke"]
    assert steps(approving, id)[1]["auth"] == "scram-sha-256"
    cited = [r for r in records if r["type"] == "statement"
             and {"id": id} in r.get("approvals", [])]
    assert len(cited) == 1
    before, after = (s["seq"] for s in steps(approving, id)[1:])
    assert before < cited[0]["seq"] < after
    given = [r for r in records if r["type"] == "clearance"
             and any(a["id"] == id for a in r.get("approvals", []))]
    assert given[0]["approvals"][0]["by"] == ["olga"]


def test_who_is_under_the_same_control_or_not_named_cannot_approve(approving):
    id = ask(approving)
    for who, why in (("priya", "nobody approves what they asked for "
                      "themselves"),
                     ("dana", "priya answers to dana"),
                     ("niamh", "both answer to dana")):
        assert why in refused(approving, who, f"APPROVE {id}")
    # Who is not named is not told that there is such a request.
    assert "there is no request" in refused(approving, "aoife",
                                            f"APPROVE {id}")
    assert refused(approving, "aoife", f"SHOW APPROVAL {id}") == \
        refused(approving, "aoife", "SHOW APPROVAL 0123456789abcdef") \
        .replace("0123456789abcdef", id)
    say(approving, "liu", f"DENY {id} BECAUSE 'not without a plan'")
    wait_step(approving, id, "deny")
    assert [s["step"] for s in steps(approving, id)] == ["request", "deny"]
    assert "liu denied it" in refused(approving, "olga", f"APPROVE {id}")


def test_two_of_them_must_agree_and_one_twice_is_one(approving):
    id = ask(approving, PROFILES)
    assert say(approving, "olga", f"APPROVE {id}")["state"] == "waits for 1 of 2"
    assert "already" in refused(approving, "olga", f"APPROVE {id}")
    with reader(approving) as c:
        with pytest.raises(psycopg.Error):
            c.execute("SELECT bio FROM profiles LIMIT 1")
        say(approving, "liu", f"APPROVE {id}")
        assert c.execute("SELECT bio FROM profiles LIMIT 1").fetchall()
    say(approving, "olga", f"REVOKE {id}")


def test_an_approval_ends_for_open_sessions_when_it_expires(approving):
    id = ask(approving, span="3s")
    say(approving, "olga", f"APPROVE {id}")
    with reader(approving) as c:
        assert c.execute(READ).fetchall()
        wait_for("it to expire", lambda: say(
            approving, "priya", f"SHOW APPROVAL {id}")["state"] == "expired",
            10, 0.1)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute(READ)
    assert "expired" in refused(approving, "liu", f"APPROVE {id}")


def test_an_approval_for_a_ticket_opens_nothing_without_it(approving):
    id = ask(approving, more=" TICKET 'INC-17'")
    say(approving, "olga", f"APPROVE {id}")
    with reader(approving) as c:
        with pytest.raises(psycopg.Error):
            c.execute(READ)
        c.execute("SET sworn.ticket = 'INC-17'")
        assert c.execute(READ).fetchall()
        c.execute("SET sworn.ticket = 'INC-18'")
        with pytest.raises(psycopg.Error):
            c.execute(READ)
    say(approving, "priya", f"REVOKE {id}")


def test_approvals_outlive_a_crash_and_what_was_revoked_stays_so(approving):
    kept, gone = ask(approving), ask(approving, PROFILES)
    say(approving, "olga", f"APPROVE {kept}")
    say(approving, "olga", f"APPROVE {gone}")
    say(approving, "liu", f"APPROVE {gone}")
    say(approving, "liu", f"REVOKE {gone}")
    approving.kill()
    approving.start()
    with reader(approving) as c:
        assert c.execute(READ).fetchall()
        with pytest.raises(psycopg.Error):
            c.execute("SELECT bio FROM profiles LIMIT 1")
    assert say(approving, "priya", f"SHOW APPROVAL {gone}")["state"] == \
        "revoked by liu"
    say(approving, "priya", f"REVOKE {kept}")


def test_a_step_that_the_log_does_not_answer_gives_nothing(approving):
    id, other = ask(approving), ask(approving, PROFILES)
    log = approving.process("log")
    os.kill(log, signal.SIGSTOP)
    try:
        with pytest.raises(psycopg.Error) as e:
            say(approving, "olga", f"APPROVE {id}")
        assert e.value.sqlstate == "58030" and "the log" in str(e.value)
    finally:
        os.kill(log, signal.SIGCONT)
    wait_for("the log to take records again", lambda: opens(approving))
    with reader(approving) as c:
        with pytest.raises(psycopg.Error):
            c.execute(READ)
    # Nobody knows what the log has: no step until it was read again.
    assert "restart the gateway" in refused(approving, "liu",
                                            f"APPROVE {other}")
    approving.stop()
    approving.start()
    taken = [s["step"] for s in steps(approving, id)]
    with reader(approving) as c:
        if "approve" in taken:
            assert c.execute(READ).fetchall()
        else:
            with pytest.raises(psycopg.Error):
                c.execute(READ)
    say(approving, "priya", f"REVOKE {id}")
    say(approving, "priya", f"REVOKE {other}")


def test_broken_glass_opens_at_once_and_closes_without_a_review(approving):
    order = (f"BREAK GLASS '{ACCOUNTS}' ON us FOR '2m' BECAUSE 'pager, down'")
    assert "lets nobody like dana" in refused(
        approving, "dana", order) or "is not about dana" in refused(
        approving, "dana", order)
    said = say(approving, "priya", order)
    id = said["id"]
    assert said["state"] == "glass broken, to be reviewed"
    assert "GLASS BROKEN" in approving.errors()
    assert "sworn_glass_broken_total 1" in approving.get("/metrics")[1]
    with reader(approving) as c:
        assert c.execute(READ).fetchall()
        wait_for("the review to be late", lambda: "closed" in say(
            approving, "priya", f"SHOW APPROVAL {id}")["state"], 10, 0.1)
        with pytest.raises(psycopg.OperationalError) as e:
            c.execute(READ)
        assert "is closed to you" in str(e.value)
    with pytest.raises(psycopg.OperationalError) as e:
        reader(approving)
    assert "nobody had reviewed it" in str(e.value)
    assert "priya answers to dana" in refused(
        approving, "dana", f"REVIEW {id} BECAUSE 'fine'")
    say(approving, "olga", f"REVIEW {id} BECAUSE 'the log shows 3 rows'")
    with reader(approving) as c:
        assert c.execute(READ).fetchall()
    say(approving, "priya", f"REVOKE {id}")


def test_commands_ask_and_answer_as_whoever_logs_in(approving):
    def sworn(who, *args, expect=(0,)):
        return run([approving.bin / "sworn", *args, "--to", approving.dsn(
            who, "us", "austin")], expect=expect,
            env={"PGPASSWORD": approving.world.secret[who]})
    _, out, _ = sworn("priya", "request", "us", ACCOUNTS, "--for", "10m",
                      "--why", "it's INC-18", "--json")
    asked = json.loads(out)
    assert asked["why"] == "it's INC-18" and asked["tables"] == "public.users"
    _, out, _ = sworn("olga", "approval", "list", "--json")
    assert [a for a in json.loads(out) if a["id"] == asked["id"]][0]["state"] \
        == "waits for 1 of 1"
    code, _, err = sworn("dana", "approval", "approve", asked["id"],
                         expect=(1,))
    assert "under the same control: priya answers to dana" in err
    assert "in force" in sworn("olga", "approval", "approve", asked["id"],
                               "--why", "seen the plan")[1]
    assert ACCOUNTS in sworn("aoife", "approval", "rules")[1]
    assert asked["id"] not in sworn("aoife", "approval", "list")[1]
    sworn("priya", "approval", "revoke", asked["id"])
    code, _, err = sworn("priya", "request", "us", ACCOUNTS, "--for", "9h",
                         "--why", "long", expect=(1,))
    assert "60 minutes at most" in err
    assert "usage" in sworn("priya", "approval", "deny", asked["id"],
                            expect=(2,))[2]


def test_the_desk_takes_no_sql_and_no_services(approving):
    with desk(approving, "olga") as c:
        for text in ("SELECT 1", "SET role postgres", "APPROVE"):
            with pytest.raises(psycopg.errors.SyntaxError):
                c.execute(text)
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            c.execute("SHOW APPROVAL %s", ["x"])
        assert c.execute("").statusmessage in (None, "")
        assert c.execute("SHOW RULES").rowcount == 2
    with pytest.raises(psycopg.OperationalError):
        desk(approving, "feed-international", "hosting")


def test_the_verifier_decides_again_with_them_and_names_them(approving,
                                                             tmp_path):
    begin = now()
    id = ask(approving)
    say(approving, "olga", f"APPROVE {id}")
    with reader(approving) as c:
        c.execute(READ)
        c.execute(READ)
        say(approving, "priya", f"REVOKE {id}")
        with pytest.raises(psycopg.Error):
            c.execute(READ)
    broken = say(approving, "priya", f"BREAK GLASS '{ACCOUNTS}' ON us FOR "
                 "'1m' BECAUSE 'again'")["id"]
    with reader(approving) as c:
        c.execute(READ)
    say(approving, "olga", f"REVIEW {broken} BECAUSE 'seen'")
    say(approving, "olga", f"REVOKE {broken}")
    end = now()
    approving.wait_published(end)
    claim = tmp_path / "claim.yaml"
    claim.write_text(CLAIM % (begin, end))
    code, out, err = approving.verify_claim(claim, as_json=True, store_logs={
        "us": approving.world.stores["us"].connection_log})
    assert (out["doubts"], code, out["verdict"]) == ([], 0, "holds"), err
    said = [r["text"] for r in out["rests_on"] if r["what"] == "approval"]
    assert len(said) == 2
    assert f"approval {id}: priya at store us" in said[0]
    assert "approved by olga; 2 statements" in said[0]
    assert f"broken glass {broken}: priya" in said[1]
    assert "approved by nobody, reviewed by olga; 1 statement of" in said[1]
    # And for whoever has no part in them, from the log's files alone.
    told = json.loads(approving.sworn(
        "approval", "history", "--log", approving.log, "--key",
        approving.vkey, "--json")[1])
    one = {a["id"]: a for a in told}
    assert [s["step"] for s in one[id]["steps"]] == [
        "request", "approve", "revoke"]
    assert one[id]["statements"] == 2 and not one[id]["glass"]
    assert [(s["step"], s["by"]) for s in one[broken]["steps"]] == [
        ("break_glass", "priya"), ("review", "olga"), ("revoke", "olga")]
    assert one[broken]["glass"] and one[broken]["statements"] == 1
    shown = approving.sworn("approval", "history", "--log", approving.log)[1]
    assert f"{len(told)} approvals in the log" in shown
    assert "  review by olga, from 127.11.0.10:" in shown
