"""A gateway takes a new policy, directory or catalog while it works: open
sessions of real clients, a real store, and the log that tells of it. What
each statement was decided by is told from the log alone, in Python.
"""
import datetime
import json
import os
import pathlib
import re
import signal
import tempfile
import threading
import time
import traceback

import psycopg
import pytest
import yaml

import world as demo_world
from conftest import SANITIZER, connect

DEMO = pathlib.Path(demo_world.__file__).resolve().parent
TEST_SECONDS = 45
PERSONS = "SELECT id FROM users"


HOME = {}                       # id -> country


class Office:
    """One store (of the EU edition), one gateway, and its texts."""

    def __init__(self, folder, bin_dir):
        self.world = demo_world.World(folder, bin_dir)
        self.store = self.world.stores["eu"]
        self.store.create()
        self.store.load(0.02)
        # Readers do not see the column; the store's owner does.
        HOME.update((int(i), c) for i, c in
                    self.store.sql("SELECT id, country FROM users"))
        self.world.write_passwords()
        self.gateway = self.world.gateway
        self.gateway.create()
        self.first = {}

    def configure(self):
        for store in self.world.stores.values():
            store.port = store.port or 1
        self.gateway.configure("enforce")
        conf = yaml.safe_load(self.gateway.conf.read_text()
                              .replace("NO", "'NO'"))
        conf["stores"] = {"eu": conf["stores"]["eu"]}
        self.write("sworn.conf", yaml.safe_dump(conf))

    def path(self, name):
        return self.gateway.folder / name

    def read(self, name):
        return yaml.load(self.path(name).read_text(), yaml.BaseLoader)

    def write(self, name, text):
        if not isinstance(text, str):
            # Through JSON: what stands there twice is no anchor then.
            text = yaml.safe_dump(json.loads(json.dumps(text)),
                                  sort_keys=False)
        self.path(name).write_text(text)

    def edit(self, name, change):
        tree = self.read(name)
        change(tree)
        self.write(name, tree)

    def add_rule(self, **rule):
        self.edit("policy.yaml", lambda p: p["rules"].append(rule))

    def reload(self, *more, expect=0):
        return self.gateway.sworn("reload", self.gateway.conf, *more,
                                  expect=(expect,))[2]

    def apply_and_reload(self):
        self.gateway.apply("eu")
        return self.reload()

    def applied(self):
        return self.gateway.apply("eu")["eu"]

    def connect(self, user="aoife", **more):
        return connect(self.gateway, user, "eu", **more)

    def records(self):
        """All since this start, once they are published."""
        self.gateway.wait_published(demo_world.now())
        return self.gateway.records(self.since)

    def metric(self, name):
        text = self.gateway.get("/metrics")[1]
        return int(re.search(rf"^{name} (\d+)$", text, re.M)[1])

    def wait_freed(self, n):
        demo_world.wait_for(f"{n} old versions to be freed", lambda:
                            sum(map(int, re.findall(
                                r"old versions are freed n=(\d+)",
                                self.gateway.errors()))) >= n)


@pytest.fixture(scope="module")
def built(bin_dir):
    with tempfile.TemporaryDirectory(prefix="w", dir=os.environ.get(
            "SWORN_SCRATCH")) as folder:
        office = Office(folder, bin_dir)
        try:
            yield office
        finally:
            office.world.close()
            said = [f.read_text(errors="replace")
                    for f in office.gateway.folder.glob("sworn-*.err")]
    for text in said:
        assert not SANITIZER.search(text), text


@pytest.fixture
def office(built):
    """The gateway, running by the demo's texts, with a log of its own."""
    if not built.first:
        built.configure()
        # Others have both clearances that the tests move between, so that
        # apply makes both whatever else is said.
        built.edit("directory.yaml", lambda d: d["people"].update(
            {n: {**d["people"]["aoife"], "name": n}
             for n in ("moira", "nora")}))
        built.edit("policy.yaml", lambda p: p["rules"].append(
            forbid("DE", "nora")))
        built.first = {n: built.path(n).read_text() for n in
                       ("sworn.conf", "policy.yaml", "directory.yaml",
                        "catalog-international.yaml")}
        built.gateway.apply("eu")
    for name, text in built.first.items():
        built.write(name, text)
    built.gateway.apply("eu")
    c = built.gateway.checkpoint()
    built.since = c.size if c else 0
    built.gateway.start()
    yield built
    built.gateway.stop()


def countries(c, **how):
    """Whose rows a session is shown."""
    return sorted({HOME[i] for i, in c.execute(PERSONS, **how).fetchall()})


def forbid(residence, principal="aoife"):
    return {"rule": f"not {residence} for {principal}", "forbid": "read",
            "who": {"principals": [principal]}, "whose": [residence]}


# -- what each statement was decided by, from the log alone -------------------

def seconds(a, b):
    """From one record to another."""
    return (datetime.datetime.fromisoformat(b["time"]) -
            datetime.datetime.fromisoformat(a["time"])).total_seconds()


def decided_by_one_version(records):
    """For each statement: the texts that its session was decided by are those
    that were in force where it stands. Returns how many were looked at, and
    the versions in the order of their force."""
    force, stores, sessions, versions, looked = None, {}, {}, [], 0
    for r in records:
        if r["type"] == "store":
            stores[r["store"]] = r
        elif r["type"] == "boot":
            force, sessions = None, {}
        elif r["type"] == "in_force":
            force = {k: r[k] for k in ("policy", "directory")}
            force["seq"] = r["seq"]
            versions.append(r)
        elif r["type"] in ("session", "clearance"):
            assert force, "decided before anything was in force"
            assert r["policy"] == force["policy"], r
            assert r["directory"] == force["directory"], r
            assert r["mode"] == stores[r["store"]]["mode"]
            sessions[r["session"]] = r
        elif r["type"] in ("statement", "denial") and r["session"] in sessions:
            own = sessions[r["session"]]
            if r.get("what") == "login":
                continue
            # An exact statement's record comes behind what it showed.
            since = [v["seq"] for v in versions if r.get("basis") != "exact"
                     or seconds(v, r) > 5 or v["cause"] == "start"][-1]
            assert own["seq"] > since, \
                f"{r['seq']} was decided before {since}"
            looked += 1
        elif r["type"] == "backend":
            # Whoever was let in has the role of its clearance.
            assert r["role"] == sessions[r["session"]]["role"]
    return looked, versions


def verdict(office, since):
    """sworn-verify's word on a claim that is about everything."""
    claim = office.path("claim.yaml")
    until = demo_world.now()
    time.sleep(1.1)             # a claim needs a record behind its end
    office.gateway.wait_published(until)
    claim.write_text(f"""\
claim: 1
title: Nobody under direction from China
sworn-by: whoever runs this test
sentence: No data of Europeans was disclosed to anyone under that direction.
period: {{from: "{since}", to: "{until}"}}
gateways: [gw-demo]
stores: [eu]
never-did:
  whose: [IE, DE, FR, ES]
  who: {{controlled-from: [CN], by: [location, formal, actual, keeping]}}
""")
    gateway = office.gateway
    return gateway.verify_claim(claim, store_logs={
        "eu": gateway.world.stores["eu"].connection_log})


# -- persons -------------------------------------------------------------------

def test_rule_that_forbids_refuses_the_next_statement_by_its_name(office):
    with office.connect() as c:
        assert countries(c) == ["DE", "ES", "FR", "IE"]
        for r in ("IE", "DE", "FR", "ES"):
            office.add_rule(**forbid(r))
        office.apply_and_reload()
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as e:
            countries(c)
        assert "not " in str(e.value) and "for aoife" in str(e.value)
        office.write("policy.yaml", office.first["policy.yaml"])
        office.apply_and_reload()
        assert countries(c) == ["DE", "ES", "FR", "IE"]
    looked, versions = decided_by_one_version(office.records())
    assert looked == 3
    assert [v["cause"] for v in versions] == ["start", "reload", "reload"]
    assert versions[0]["policy"] == versions[2]["policy"]
    assert all("sworn reload" in v["by"] for v in versions[1:])


def test_rule_that_goes_shows_more_rows_at_the_next_statement(office):
    office.add_rule(**forbid("DE"))
    office.apply_and_reload()
    with office.connect() as c:
        assert countries(c) == ["ES", "FR", "IE"]
        pid = c.execute("SELECT 1").fetchone() and c.info.backend_pid
        office.write("policy.yaml", office.first["policy.yaml"])
        office.apply_and_reload()
        notices = []
        c.add_notice_handler(lambda d: notices.append(d.message_primary))
        assert countries(c) == ["DE", "ES", "FR", "IE"]
        assert c.info.backend_pid == pid and not c.broken
        assert any("clearance has changed" in n for n in notices)


def test_broken_text_leaves_the_old_one_working_and_names_file_and_line(
        office):
    with office.connect() as c:
        before = countries(c)
        text = office.first["policy.yaml"]
        line = text.splitlines().index("rules:") + 2
        office.write("policy.yaml", text.replace("- rule:", "- rul:", 1))
        said = office.reload(expect=1)
        assert f"policy.yaml:{line}:" in said, said
        assert "what was in force stays" in said
        assert f"policy.yaml:{line}:" in office.gateway.errors()
        assert countries(c) == before
        assert office.metric("sworn_reload_failed") == 1
        assert office.metric("sworn_reloads_failed_total") == 1
        out = office.gateway.sworn("reload", office.gateway.conf,
                                   "--status", expect=(1,))
        assert f"policy.yaml:{line}:" in out[2] + out[1]
        office.write("policy.yaml", text)
        office.reload()
        assert office.metric("sworn_reload_failed") == 0
        office.gateway.sworn("reload", office.gateway.conf, "--status")
        assert countries(c) == before
    # The configuration itself may be the broken one.
    office.write("sworn.conf", office.first["sworn.conf"] + "nonsense: 1\n")
    assert "sworn.conf:" in office.reload(expect=1)
    office.write("sworn.conf", "a: [")
    assert "sworn.conf:" in office.reload(expect=1)
    assert office.gateway.health() == 200


def test_transaction_is_refused_until_rollback_if_the_login_changes(office):
    with office.connect() as c:
        c.execute("BEGIN")
        assert "DE" in countries(c)
        office.add_rule(**forbid("DE"))
        office.apply_and_reload()
        for _ in range(2):
            with pytest.raises(psycopg.errors.SerializationFailure) as e:
                countries(c)
            assert "ROLLBACK" in e.value.diag.message_hint
        c.execute("ROLLBACK")
        assert countries(c) == ["ES", "FR", "IE"]
        # By the extended protocol, too; and nothing else leads out.
        c.execute("BEGIN")
        assert countries(c) == ["ES", "FR", "IE"]
        office.write("policy.yaml", office.first["policy.yaml"])
        office.apply_and_reload()
        for text in ("SELECT 1", "SAVEPOINT a", "ROLLBACK; SELECT 1",
                     "COMMIT; SELECT id FROM users", "DEALLOCATE ALL"):
            with pytest.raises(psycopg.errors.SerializationFailure):
                c.execute(text)
        c.execute("ROLLBACK", prepare=True)
        assert countries(c) == ["DE", "ES", "FR", "IE"]
        c.execute("BEGIN")
        countries(c)
        office.add_rule(**forbid("DE"))
        office.reload()
        c.execute("COMMIT")
        assert countries(c) == ["ES", "FR", "IE"]
    decided_by_one_version(office.records())


def test_transaction_goes_on_if_the_clearance_stays(office):
    with office.connect() as c:
        c.execute("BEGIN")
        c.execute("DECLARE k CURSOR FOR SELECT id FROM users ORDER BY id")
        first = c.execute("FETCH 1 FROM k").fetchone()
        office.write("policy.yaml", office.first["policy.yaml"] + "# more\n")
        office.reload()
        second = c.execute("FETCH 1 FROM k").fetchone()
        assert second > first
        c.execute("COMMIT")
    records = office.records()
    decided_by_one_version(records)
    moved = [r for r in records if r["type"] == "clearance"]
    assert len(moved) == 1 and moved[0]["facts"]["roles"] == ["moderator"]
    assert sum(r["type"] == "backend" for r in records) == 1


def test_prepared_statement_from_before_runs_by_the_new_clearance(office):
    with office.connect() as c:
        for _ in range(2):
            assert "DE" in countries(c, prepare=True)
        office.add_rule(**forbid("DE"))
        office.apply_and_reload()
        assert countries(c, prepare=True) == ["ES", "FR", "IE"]
        # What it reads is not there any more: the next is refused by a rule.
        for r in ("IE", "FR", "ES"):
            office.add_rule(**forbid(r))
        office.apply_and_reload()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            countries(c, prepare=True)
        office.write("policy.yaml", office.first["policy.yaml"])
        office.apply_and_reload()
        assert "DE" in countries(c, prepare=True)
    decided_by_one_version(office.records())


def test_session_with_settings_of_its_own_ends_and_is_told_why(office):
    with office.connect() as c, office.connect() as plain:
        countries(c)
        c.execute("SET timezone = 'Asia/Kathmandu'")
        countries(plain)
        office.add_rule(**forbid("DE"))
        office.apply_and_reload()
        with pytest.raises(psycopg.OperationalError) as e:
            countries(c)
        assert c.closed and "what this session set" in str(e.value)
        assert "connect again" in str(e.value)
        assert countries(plain) == ["ES", "FR", "IE"]


def test_principal_who_is_gone_is_ended_at_the_next_statement(office):
    with office.connect() as c, office.connect() as idle:
        countries(c)
        office.edit("directory.yaml", lambda d: d["people"].pop("aoife"))
        office.reload("--unapplied")
        with pytest.raises(psycopg.OperationalError) as e:
            countries(c)
        assert c.closed and 'no principal "aoife" any more' in str(e.value)
        # One that asks for nothing is let be, and gets nothing.
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")
    closed = [r for r in office.records() if r["type"] == "close"]
    assert [r["reason"] for r in closed] == ["revoked", "revoked"]


def until_past(instant):
    while datetime.datetime.now(datetime.timezone.utc) <= instant:
        time.sleep(0.02)


def test_fact_that_ends_is_felt_without_a_reload(office):
    at = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(seconds=4)
    until = at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    office.edit("directory.yaml", lambda d: d["people"]["aoife"].update(
        instructor=[{"id": "niamh", "to": until}, {"id": "liu",
                                                   "from": until}]))
    # What she may afterwards, nothing, has a login already: others may that.
    office.apply_and_reload()
    since = demo_world.now()    # an administrator's login is one around
    with office.connect() as c:
        assert "DE" in countries(c)
        before = sum(r["type"] == "clearance" for r in office.records())
        until_past(at)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            countries(c)
        records = office.records()
    assert before == 0
    moved = [r for r in records if r["type"] == "clearance"]
    assert len(moved) == 1 and "CN" in {
        p["label"] for p in moved[0]["facts"]["control"]}
    code, out, err = verdict(office, since)
    assert code == 0, out + err


def test_purpose_that_the_policy_drops_ends_the_session(office):
    with office.connect() as c:
        countries(c)
        text = office.first["policy.yaml"]
        office.write("policy.yaml", re.sub(r"^( *)- moderation$",
                                           r"\1- review", text, flags=re.M))
        office.apply_and_reload()
        with pytest.raises(psycopg.OperationalError) as e:
            countries(c)
        assert c.closed and 'no purpose "moderation" any more' in str(e.value)


# -- services --------------------------------------------------------------------

def feed(office):
    return connect(office.gateway, "feed-international", "eu", "hosting",
                   None, None)


def test_service_goes_on_under_a_record_or_ends_with_a_reason(office):
    since = demo_world.now()
    with feed(office) as c:
        assert c.execute("SELECT count(*) FROM messages").fetchone()[0] > 0
        office.write("policy.yaml", office.first["policy.yaml"] + "# more\n")
        office.reload()
        demo_world.wait_for("the service's new record", lambda: any(
            r["type"] == "clearance" for r in office.records()))
        assert c.execute("SELECT count(*) FROM messages").fetchone()[0] > 0
        # Headquarters' administrator holds its credentials again.
        office.edit("directory.yaml", lambda d: d["services"]
                    ["feed-international"].update(keepers=["priya", "wei"]))
        office.reload()
        with pytest.raises(psycopg.OperationalError) as e:
            for _ in range(100):
                c.execute("SELECT 1")
                time.sleep(0.05)
        assert "is not cleared for all of" in str(e.value)
    code, out, err = verdict(office, since)
    assert code != 1, "nothing was read under that direction: " + out + err
    with pytest.raises(psycopg.OperationalError):
        feed(office)


# -- what is not taken --------------------------------------------------------

def test_clearances_without_a_login_are_asked_for_before_it_is_taken(office):
    with office.connect() as c:
        before = countries(c)
        office.add_rule(**forbid("FR"))
        said = office.reload(expect=1)
        assert "sworn apply" in said and "store eu" in said, said
        assert countries(c) == before
        said = office.reload("--unapplied")
        with pytest.raises(psycopg.errors.CannotConnectNow) as e:
            countries(c)
        assert "sworn apply" in e.value.diag.message_hint
        office.apply_and_reload()
        assert countries(c) == ["DE", "ES", "IE"]


def test_keys_that_need_a_restart_are_named(office):
    text = office.first["sworn.conf"]
    office.write("sworn.conf", text.replace("workers: 2", "workers: 3"))
    assert '"workers" has changed' in office.reload()
    office.write("sworn.conf", text.replace("state: state", "state: other"))
    said = office.gateway.sworn("reload", office.gateway.conf,
                                expect=(1,))[2]
    assert "other/control.sock" in said
    office.write("sworn.conf", text.replace("key: log.key", "key: o.key"))
    assert '"log.key" is another one' in office.reload(expect=1)


def test_signal_reloads(office):
    with office.connect() as c:
        countries(c)
        office.add_rule(**forbid("DE"))
        office.gateway.apply("eu")
        os.kill(office.gateway.daemon.pid, signal.SIGHUP)
        demo_world.wait_for("the reload", lambda:
                            office.metric("sworn_reloads_total") == 1)
        assert countries(c) == ["ES", "FR", "IE"]
    _, versions = decided_by_one_version(office.records())
    assert "SIGHUP" in versions[-1]["by"]


# -- under load, and when something dies ------------------------------------------

class Readers:
    """Sessions that read without a pause, and take what they are told."""

    def __init__(self, office, n, allowed):
        self.office, self.allowed = office, allowed
        self.ending = threading.Event()
        self.statements, self.wrong, self.refused = 0, [], 0
        self.threads = [threading.Thread(target=self.work, args=(i,))
                        for i in range(n)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.ending.set()
        for t in self.threads:
            t.join(15)
        assert not any(t.is_alive() for t in self.threads)

    def work(self, i):
        try:
            with self.office.connect(ticket=f"TS-{i}") as c:
                while not self.ending.is_set():
                    self.once(c, i)
        except psycopg.Error as e:
            self.wrong.append(repr(e) + traceback.format_exc())

    def once(self, c, i):
        try:
            if i % 3 == 0:
                with c.transaction():
                    a, b = countries(c), countries(c)
                    if a != b:
                        self.wrong.append(f"{a} and {b} in a transaction")
            else:
                a = countries(c, prepare=i % 3 == 1)
            if a not in self.allowed:
                self.wrong.append(f"{a} is of no version")
            self.statements += 1
        except psycopg.errors.SerializationFailure:
            self.refused += 1


def test_each_statement_under_load_is_decided_by_one_version(office):
    """Twenty sessions, twenty reloads between two policies."""
    since = demo_world.now()
    narrow = office.read("policy.yaml")
    narrow["rules"].append(forbid("DE"))
    texts = [yaml.safe_dump(narrow, sort_keys=False),
             office.first["policy.yaml"]]
    wide, few = ["DE", "ES", "FR", "IE"], ["ES", "FR", "IE"]
    with Readers(office, 20, (wide, few)) as readers:
        for i in range(20):
            n = readers.statements
            office.write("policy.yaml", texts[i % 2])
            office.reload()
            demo_world.wait_for("statements", lambda:
                                readers.statements > n + 20)
    assert readers.wrong == [], "\n".join(readers.wrong[:2])
    records = office.records()
    looked, versions = decided_by_one_version(records)
    assert looked > 400 and len(versions) == 21
    assert [v["policy"] for v in versions[1:3]] * 10 == \
        [v["policy"] for v in versions[1:]]
    code, out, err = verdict(office, since)
    assert code == 0, out + err
    office.wait_freed(19)


def test_gateway_killed_in_a_reload_starts_by_one_version(office):
    texts = [office.first["policy.yaml"] + f"# {i}\n" for i in range(2)]
    for i in range(4):
        office.write("policy.yaml", texts[i % 2])
        pid = office.gateway.process("gateway")
        reloading = threading.Thread(target=office.gateway.sworn, args=(
            "reload", office.gateway.conf), kwargs={"expect": None})
        reloading.start()
        time.sleep(0.01 * i)
        os.kill(pid, signal.SIGKILL)
        reloading.join(30)
        demo_world.wait_for("another gateway", lambda: any(
            p != pid for p in [pid_of(office)]) and
            office.gateway.health() == 200)
        with office.connect() as c:
            countries(c)
    looked, _ = decided_by_one_version(office.records())
    assert looked == 4


def pid_of(office):
    try:
        return office.gateway.process("gateway")
    except demo_world.Failed:
        return None


def test_log_that_stands_still_takes_no_version_and_releases_nothing(office):
    with office.connect() as c:
        countries(c)
        office.write("policy.yaml", office.first["policy.yaml"] + "# more\n")
        log = office.gateway.process("log")
        os.kill(log, signal.SIGSTOP)
        try:
            said = office.reload(expect=1)
            assert "log" in said
        finally:
            os.kill(log, signal.SIGCONT)
        office.write("policy.yaml", office.first["policy.yaml"] + "# less\n")
        demo_world.wait_for("a reload that is taken", lambda: office.gateway
                            .sworn("reload", office.gateway.conf,
                                   expect=None)[0] == 0)
    with office.connect() as c:
        countries(c)
    decided_by_one_version(office.records())
