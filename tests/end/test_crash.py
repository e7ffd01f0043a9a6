"""One gateway, killed again and again under load: the log process, the
gateway, or all at once, at random moments. `make crash ROUNDS=1000` is the
long run; a few rounds are part of every test."""
import os
import random
import signal
import time

import tlog
from conftest import Load, connect, records_by_ticket
from world import Failed, wait_for

ROUNDS = int(os.environ.get("SWORN_CRASH_ROUNDS", "5"))
TEST_SECONDS = 120 + 20 * ROUNDS
KINDS = ("all", "log", "gateway", "all")


def serves(gateway):
    try:
        with connect(gateway) as c:
            return c.execute("SELECT 1").fetchone() == (1,)
    except Exception:
        return False


def kill_one(gateway, kind):
    if kind == "all":
        gateway.kill()
        return
    try:
        os.kill(gateway.process(kind), signal.SIGKILL)
    except (Failed, ProcessLookupError):
        gateway.kill()          # it is being replaced at this very moment


def test_nothing_that_was_released_is_lost_however_often_it_is_killed(fresh):
    seed = int(os.environ.get("SWORN_CRASH_SEED", random.randrange(10 ** 6)))
    print(f"SWORN_CRASH_SEED={seed}")
    rolls, gateway = random.Random(seed), fresh(start=False)
    gateway.configure("observe")
    leaves, got, kept = [], {}, []
    for i in range(ROUNDS):
        if gateway.daemon is None:
            gateway.start()
        wait_for("it to serve", lambda: serves(gateway), 60)
        # Tickets tell whose answers are whose, so each round has its own.
        load = Load(gateway, readers=3)
        load.FIRST_TICKET = 700000 + i * 40000
        with load:
            wait_for("work", lambda: load.total() > 20, 60)
            time.sleep(rolls.random() * 0.3)
            kill_one(gateway, rolls.choice(KINDS))
        got.update(load.got)
        # The tree only grows, and what was published stays what it is.
        if (c := gateway.checkpoint()) is None:
            assert not leaves
            continue            # nothing was published yet
        new = tlog.read_entries(gateway.log, c.size, len(leaves))
        leaves += [tlog.leaf_hash(e) for e in new]
        assert c.size == len(leaves) and tlog.root_of(leaves) == c.root
        kept.append((gateway.log / "checkpoint").read_text())
        print(f"round {i}: {load.total()} answers, {c.size} entries",
              flush=True)
    if gateway.daemon is None:
        gateway.start()
    wait_for("it to serve", lambda: serves(gateway), 60)
    assert gateway.stop() == 0
    tlog.check(gateway.log, gateway.vkey)
    counts = records_by_ticket(gateway.records())
    for ticket, n in got.items():
        assert counts.get(ticket, 0) >= n, (ticket, n, counts.get(ticket))
    folder = gateway.folder / "kept"
    folder.mkdir()
    more = []
    for i, text in enumerate(kept[-50:]):
        (folder / str(i)).write_text(text)
        more += ["--checkpoint", folder / str(i)]
    code, out, err = gateway.verify("log", gateway.log, *more)
    assert code == 0, out + err
