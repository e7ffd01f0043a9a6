"""`sworn reconcile` on a real store with pgaudit, csvlog and jsonlog: what it
counts against what this module had run there, what it finds in a store's log
that was changed, and what a claim makes of the record."""
import csv
import io
import json

import psycopg
import pytest
import tlog
from conftest import connect, connect_feed
from world import now, wait_for

HOLDS, NOT_SHOWN, DIFFERS = 0, 4, 3
CLAIM = """\
claim: 1
title: t
sworn-by: s
sentence: s
period: {{from: "{}", to: "{}"}}
gateways: [gw-demo]
stores: [us]
never-did:
  whose: [IE]
  who: {{principals: [nobody]}}
"""


@pytest.fixture(scope="module")
def us(world):
    """Store us, writing down what is run and in both forms."""
    store = world.stores["us"]
    store.sql("""
ALTER DATABASE video SET pgaudit.log = 'read, write';
ALTER DATABASE video SET pgaudit.log_relation = on;
ALTER SYSTEM SET log_destination = 'csvlog, jsonlog';
SELECT pg_reload_conf();
""")
    path = store.data / "log/connections.json"
    wait_for("the store to write jsonlog", path.exists)
    store.sql("SELECT 1")
    wait_for("a line in it", lambda: path.stat().st_size > 0)
    yield store
    store.sql("""
ALTER DATABASE video RESET pgaudit.log;
ALTER DATABASE video RESET pgaudit.log_relation;
ALTER SYSTEM RESET log_destination;
SELECT pg_reload_conf();
""")


@pytest.fixture(scope="module")
def gateway(world, us):
    g = world.new_gateway("reconciled")
    try:
        g.create()
        g.configure("observe")
        g.conf.write_text(g.conf.read_text().replace("publish: 500ms",
                                                     "publish: 20ms"))
        g.start()
        yield g
    finally:
        g.close()


def period(gateway, work):
    """Has it done; then both logs are complete up to the end."""
    gateway.wait_published(begin := now())
    work()

    def closed():
        kinds = [r["type"] for r in gateway.records()]
        return kinds.count("session") == kinds.count("close")
    wait_for("all sessions to be closed", closed)
    end = now()
    gateway.wait_published(end)
    return begin, end


def reconcile(gateway, how, path, span, *more, want=0):
    code, out, err = gateway.sworn(
        "reconcile", "-c", gateway.conf, "us", how, path, "--from", span[0],
        "--to", span[1], "--json", *more, expect=None)
    assert code == want, out + err
    out = json.loads(out)
    assert (out["entry"] is None) == ("--dry-run" in more)
    return out, [f["what"] for f in out["findings"]]


def claim(gateway, span, tmp_path):
    path = tmp_path / "claim.yaml"
    path.write_text(CLAIM.format(*span))
    code, out, err = gateway.verify_claim(path, as_json=True)
    return code, out


@pytest.fixture(scope="module")
def work(gateway, us):
    """Three sessions; (begin, end), and how many statements read users and
    messages."""
    def do():
        with connect(gateway) as c:
            c.execute("SELECT 1")
            c.execute("SET statement_timeout = 60000")
            c.execute("SELECT id FROM users LIMIT 2")
            c.execute("SELECT id FROM users LIMIT 1; SELECT id FROM "
                      "messages LIMIT 1; SELECT id FROM users LIMIT 1")
            c.execute("SELECT id FROM users WHERE id > %s", (0,), prepare=True)
            c.execute("SELECT id FROM users WHERE id > %s", (1,), prepare=True)
        with connect(gateway, user="sam", office="dublin") as c:
            c.execute("SELECT count(*) FROM users")
            with pytest.raises(psycopg.Error):
                c.execute("SELECT nothing FROM users")
            c.execute("SELECT body FROM messages LIMIT 1")
        with connect_feed(gateway) as c:
            c.execute("SELECT id FROM users LIMIT 1")
    return period(gateway, do)


def rows(us):
    with open(us.connection_log, newline="") as f:
        return list(csv.reader(f))


def write(tmp_path, table):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(table)
    path = tmp_path / "changed.csv"
    path.write_text(out.getvalue())
    return path


def test_store_and_gateway_fit_in_either_form(gateway, us, work, tmp_path):
    answers = []
    for path in (us.connection_log, us.data / "log/connections.json"):
        for how in ("--pg-log", "--pgaudit"):
            out, found = reconcile(gateway, how, path, work, "--dry-run")
            assert found == []
            assert out["logins"] == out["recorded"] == out["matched"] == 3
            answers.append((out["compared"], out["executed"],
                            out["statements"]))
    assert answers[0] == answers[2] == (False, 0, 0)
    compared, executed, statements = answers[1]
    assert answers[3] == answers[1] and compared
    # Runs of one text behind one another count once at the store: SELECT, the
    # text of three, the prepared one that ran twice; count, and one more. The
    # failed one is recorded and not run.
    in_log = [r for r in gateway.records() if r["type"] == "statement"
              and work[0] <= r["time"] <= work[1]]
    assert statements == len(in_log) and executed == 5 < statements


def test_outcome_is_a_record_and_a_claim_rests_on_it(gateway, us, work,
                                                     tmp_path):
    code, out = claim(gateway, work, tmp_path)
    assert code == NOT_SHOWN
    assert [d["what"] for d in out["doubts"]] == ["reconciliation"]
    said, _ = reconcile(gateway, "--pgaudit", us.connection_log, work)
    gateway.wait_published(now())
    record = tlog.read_records(gateway.log, said["entry"])[0]
    assert record["type"] == "reconciled" and record["store"] == "us"
    assert record["by"].endswith("sworn reconcile")
    for name in ("from", "to", "logins", "matched", "executed"):
        assert record[name] == said[name], name
    code, out = claim(gateway, work, tmp_path)
    assert code == HOLDS, out["doubts"]
    assert any(f"entry {said['entry']} of gw-demo" in r["text"]
               for r in out["rests_on"] if r["what"] == "logins")


def test_changed_logs_are_found_out(gateway, us, work, tmp_path):
    table = rows(us)
    audits = [i for i, r in enumerate(table) if r[13].startswith("AUDIT:")
              and "public.users" in r[13] and r[1] == "staff"]
    session = table[audits[0]][5]
    check = lambda table, want, how="--pgaudit": reconcile(
        gateway, how, write(tmp_path, table), work, "--dry-run",
        want=DIFFERS)[1] == want or pytest.fail(want)
    check(table[:audits[0]] + table[audits[0] + 1:], ["gap"], "--pg-log")
    check([r for r in table if r[5] != session], ["absent"], "--pg-log")
    check([r for r in table if r[0] > work[0].replace("T", " ")],
          ["gap"], "--pg-log")
    # More was run in it than is recorded: one is let pass (an answer that
    # nobody waited for), two are not. The numbers of lines stay whole.
    more = [list(r) for r in table]
    last = max(i for i, r in enumerate(more) if r[5] == session)
    for k in range(8):
        row = list(more[audits[0]])
        row[6] = str(int(table[last][6]) + 1 + k)
        row[13] = row[13].replace(row[13].split(",")[1], str(900 + 2 * k), 1)
        more.insert(last + 1 + k, row)
    check(more, ["differ"])
    # And nothing of what was answered is in it.
    for row in (less := [list(r) for r in table]):
        if row[13].startswith("AUDIT:") and row[5] == session:
            row[13] = "something else"
    check(less, ["differ"])
    before = len(gateway.records())
    code, _, err = gateway.sworn(
        "reconcile", "-c", gateway.conf, "us", "--pg-log",
        write(tmp_path, [["no", "log"]]), expect=None)
    assert code == 1 and "changed.csv:" in err and "csvlog" in err
    assert not [r for r in gateway.records(before) if r["type"] ==
                "reconciled"]


def test_logins_around_the_gateway_are_told_apart(gateway, us, tmp_path):
    def work():
        us.sql("SELECT 1")
        with psycopg.connect(host="127.0.0.1", port=us.port, dbname="video",
                             user="staff", password=us.passwords["staff"]):
            pass
        with connect(gateway) as c:
            c.execute("SELECT id FROM users LIMIT 1")
    span = period(gateway, work)
    said, found = reconcile(gateway, "--pg-log", us.connection_log, span,
                            want=DIFFERS)
    assert sorted(found) == ["around", "unrecorded"]
    assert (said["logins"], said["matched"]) == (3, 1)
    gateway.wait_published(now())
    code, out = claim(gateway, span, tmp_path)
    assert code == NOT_SHOWN
    text = " ".join(d["text"] for d in out["doubts"])
    assert "user postgres logged in" in text and "staff" in text
    assert f"entry {said['entry']} of gw-demo" in text
    # What the operator records later cannot hide it with less.
    reconcile(gateway, "--pg-log", write(tmp_path, [
        r for r in rows(us) if r[1] != "postgres"]), span, want=DIFFERS)
    gateway.wait_published(now())
    assert "user postgres logged in" in json.dumps(claim(
        gateway, span, tmp_path)[1]["doubts"])


def test_without_a_running_gateway_nothing_is_said(world, gateway, us, work):
    gateway.stop()
    try:
        code, out, err = gateway.sworn(
            "reconcile", "-c", gateway.conf, "us", "--pg-log",
            us.connection_log, expect=None)
        assert code == 1 and out == "" and "sworn run" in err
        code, out, err = gateway.sworn(
            "reconcile", "-c", gateway.conf, "us", "--pg-log",
            us.connection_log, "--to", "2099-01-01", expect=None)
        assert code == 1 and "--to is later than the log" in err
    finally:
        gateway.start()
