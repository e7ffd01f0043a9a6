"""Real clients, a real gateway, real PostgreSQL servers: what the tests in
this folder stand on. Run by tests/run.py through scripts/unprivileged.sh.

Fixtures
  world       three stores with a small data set, for the whole run
  enforcing   the gateway of the world, applied, in mode enforce, running
  observing   another one in front of the same stores, in mode observe
  fresh       makes further gateways, not started; ended after the test
`connect` and `Load` below are for tests to import from here.
"""
import os
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time

import psycopg
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "demo")]
import world as demo_world  # noqa: E402

SCALE = float(os.environ.get("SWORN_TEST_SCALE", "0.02"))
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:")


TEST_SECONDS = 120


def pytest_configure(config):
    # A request to end is handled like ^C: fixtures are torn down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """No test may hang: after TEST_SECONDS it has failed."""
    def too_long(number, frame):
        raise demo_world.Failed(f"hangs: still running after {seconds} s")
    seconds = getattr(item.module, "TEST_SECONDS", TEST_SECONDS)
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    yield
    signal.alarm(0)


@pytest.fixture(scope="session")
def bin_dir():
    folder = os.environ.get("SWORN_BIN")
    if not folder:
        pytest.exit("SWORN_BIN is not set: use tests/run.py, or "
                    "scripts/unprivileged.sh", 2)
    return pathlib.Path(folder)


@pytest.fixture(scope="session")
def world(bin_dir):
    with tempfile.TemporaryDirectory(prefix="w", dir=os.environ.get(
            "SWORN_SCRATCH")) as folder:
        w = demo_world.World(folder, bin_dir)
        try:
            w.build(SCALE)
            yield w
        finally:
            w.close()
            said = {f: f.read_text(errors="replace") for f in
                    pathlib.Path(folder).glob("*/sworn-*.err")}
    for text in said.values():
        assert not SANITIZER.search(text), text


@pytest.fixture(scope="session")
def enforcing(world):
    world.gateway.configure("enforce")
    world.gateway.apply()
    world.gateway.start()
    return world.gateway


@pytest.fixture(autouse=True)
def applied_again(request):
    """A store has the clearances of the gateway that applied last. Where a
    module brought one of its own, the world's applies again."""
    if "enforcing" in request.fixturenames:
        take_back(request.getfixturevalue("enforcing"))


def take_back(gateway):
    """The same, for fixtures that come before a test's own."""
    by = gateway.world.applied_by
    taken = [name for name in by if by[name] is not gateway]
    if taken:
        gateway.stop()
        gateway.apply(*taken)
        gateway.start()


@pytest.fixture(scope="session")
def observing(world):
    gateway = world.new_gateway("observing")
    gateway.create()
    gateway.configure("observe")
    gateway.start()
    return gateway


@pytest.fixture
def fresh(world, request):
    made = []

    def make(mode="observe", start=True, **replace):
        gateway = world.new_gateway(f"g{len(world.gateways)}")
        made.append(gateway)
        gateway.create()
        gateway.configure(mode, **replace)
        if start:
            gateway.start()
        return gateway
    yield make
    for gateway in made:
        gateway.close()


def connect(gateway, user="aoife", store="us", office="dublin",
            purpose="moderation", ticket="TS-1042", password=None, **more):
    """A psycopg connection of one reader from one office, autocommit."""
    return psycopg.connect(
        gateway.dsn(user, store, office, purpose, ticket),
        password=password or gateway.world.secret[user],
        **{"autocommit": True, **more})


def connect_feed(gateway, store="us"):
    return connect(gateway, "feed-international", store, "hosting",
                   None, None)


class Load:
    """Readers at work in threads until told to end. Each notes, for every
    session it had, the statements whose rows it got in full."""

    FIRST_TICKET = 700000

    def __init__(self, gateway, readers=4):
        self.gateway = gateway
        self.got = {}           # ticket -> statements answered
        self.errors = []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(i,))
                        for i in range(readers)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.ending.set()
        for t in self.threads:
            t.join(60)
        assert not any(t.is_alive() for t in self.threads), \
            "a reader hangs, though each wait of it is bounded"

    def total(self):
        return sum(self.got.values())

    def work(self, number):
        ticket = self.FIRST_TICKET + number * 10000
        while not self.ending.is_set():
            ticket += 1
            name = f"TS-{ticket}"
            try:
                with connect(self.gateway, ticket=name) as c:
                    while not self.ending.is_set():
                        rows = c.execute("SELECT id, handle FROM users "
                                         "ORDER BY id LIMIT 5").fetchall()
                        assert len(rows) == 5
                        self.got[name] = self.got.get(name, 0) + 1
            except psycopg.Error as e:
                self.errors.append(e)
                time.sleep(0.02)


def records_by_ticket(records):
    """ticket -> number of statement records in its sessions."""
    ticket_of = {r["session"]: r.get("ticket") for r in records
                 if r["type"] == "session"}
    counts = {}
    for r in records:
        if r["type"] == "statement":
            t = ticket_of[r["session"]]
            counts[t] = counts.get(t, 0) + 1
    return counts
