"""A gateway whose log is cosigned by witnesses in the background: real
witnesses as processes, sworn-verify and the cosignatures as they lie there as
judges."""
import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import connect
from world import wait_for

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent /
                    "interop"))
from test_witness import Witness  # noqa: E402


class Known:
    """As much of a log as a witness's configuration asks for."""

    def __init__(self, gateway):
        self.vkey = gateway.vkey
        self.origin = gateway.vkey.split("+")[0]


@pytest.fixture
def three(tmp_path):
    """Makes three witnesses of a gateway's log, not started."""
    made = []

    def make(gateway):
        for i in range(3):
            made.append(Witness(tmp_path / f"w{i}",
                                [(Known(gateway), [gateway.vkey])]))
        return made
    yield make
    for w in made:
        if w.server is not None:
            w.__exit__()


def witnessed(gateway, ws, rule="group g 2 W0 W1 W2", start=None,
              urls=None):
    """Configures the gateway to ask them each second."""
    lines = [f"witness W{i} {w.vkey} {(urls or {}).get(i) or w.url}"
             for i, w in enumerate(ws)] + [rule, "quorum g"]
    path = gateway.folder / "witnesses"
    path.write_text("\n".join(lines) + "\n")
    gateway.configure("observe")
    more = "" if start is None else f"\n    start: {start}"
    text = gateway.conf.read_text()
    gateway.conf.write_text(text.replace(
        "  publish: 500ms\n", "  publish: 100ms\n  witnesses:\n"
        f"    quorum: witnesses\n    every: 200ms{more}\n", 1))
    return path


def metric(gateway, name):
    for line in gateway.get("/metrics")[1].splitlines():
        if line.startswith(name + " "):
            return int(line.split()[1])
    raise AssertionError(f"no metric {name}")


def cosigned(gateway):
    """The size in checkpoint.cosigned; 0 if there is none."""
    path = gateway.log / "checkpoint.cosigned"
    return int(path.read_text().split("\n")[1]) if path.exists() else 0


def verify(gateway, quorum):
    return subprocess.run(
        [gateway.bin / "sworn-verify", "log", gateway.log, "--key",
         gateway.vkey, "--quorum-file", quorum], capture_output=True,
        text=True)


def read_something(gateway):
    with connect(gateway) as c:
        return c.execute("SELECT count(*) FROM users").fetchone()[0]


def follow(gateway):
    """All that is durable now gets cosigned."""
    size = metric(gateway, "sworn_log_durable_records")
    wait_for("cosignatures", lambda: cosigned(gateway) >= size)


def started(gateway, make):
    ws = make(gateway)
    for w in ws:
        w.start()
    return ws, witnessed(gateway, ws)


def test_the_log_is_cosigned_while_it_grows(fresh, three):
    gateway = fresh(start=False)
    ws, quorum = started(gateway, three)
    gateway.start()
    for _ in range(2):
        read_something(gateway)
        follow(gateway)
    wait_for("the metric", lambda: metric(
        gateway, "sworn_log_cosigned_records") >= cosigned(gateway) - 5)
    assert metric(gateway, "sworn_log_cosigned_records") <= \
        metric(gateway, "sworn_log_published_records")
    # Without a quorum nothing waits, and the three numbers part.
    for w in ws[1:]:
        w.server.kill()
    before = cosigned(gateway)
    failures = metric(gateway, "sworn_log_cosign_failures_total")
    read_something(gateway)
    wait_for("rounds that fall short", lambda: metric(
        gateway, "sworn_log_cosign_failures_total") > failures + 1)
    assert gateway.health() == 200 and read_something(gateway) > 0
    assert metric(gateway, "sworn_log_cosigned_records") <= before
    ws[1].start()
    # It has a port of its own each time: the gateway is told at a restart.
    assert gateway.stop() == 0
    quorum = witnessed(gateway, [ws[0], ws[1]], "group g all W0 W1")
    gateway.start()
    follow(gateway)
    assert gateway.stop() == 0
    p = verify(gateway, quorum)
    assert p.returncode == 0, p.stdout + p.stderr


def test_an_old_backup_is_not_signed_on(fresh, three, tmp_path):
    gateway = fresh(start=False)
    ws, quorum = started(gateway, three)
    gateway.start()
    read_something(gateway)
    follow(gateway)
    assert gateway.stop() == 0
    for name in ("log", "state"):
        shutil.copytree(gateway.folder / name, tmp_path / name,
                        ignore=shutil.ignore_patterns("*.sock"))
    gateway.start()
    read_something(gateway)
    follow(gateway)
    assert gateway.stop() == 0
    kept = (gateway.log / "checkpoint").read_text()
    for name in ("log", "state"):
        shutil.rmtree(gateway.folder / name)
        shutil.copytree(tmp_path / name, gateway.folder / name)
    old = (gateway.log / "checkpoint").read_text()
    assert old != kept
    gateway.start(ready=False)
    wait_for("the refusal", lambda: not gateway.daemon.running())
    assert "OLD COPY" in gateway.errors()
    assert gateway.stop() != 0
    assert (gateway.log / "checkpoint").read_text() == old
    # Nor is a log begun anew with the same key, once a witness is asked.
    for name in ("log", "state"):
        shutil.rmtree(gateway.folder / name)
    gateway.start(ready=False)
    wait_for("the refusal", lambda: not gateway.daemon.running())
    assert "OLD COPY" in gateway.errors() or "ANOTHER TREE" in \
        gateway.errors()
    gateway.stop()


def test_a_start_waits_for_a_quorum_unless_told_not_to(fresh, three):
    gateway = fresh(start=False)
    ws, _ = started(gateway, three)
    gateway.start()
    follow(gateway)
    assert gateway.stop() == 0
    for w in ws[1:]:
        w.server.kill()
    signed = (gateway.log / "checkpoint").read_bytes()
    gateway.start(ready=False)
    wait_for("its saying so", lambda: "nothing is signed until" in
             gateway.errors())
    assert gateway.daemon.running() and gateway.health() != 200
    assert (gateway.log / "checkpoint").read_bytes() == signed
    assert gateway.stop() == 0
    witnessed(gateway, ws, start="reachable")
    gateway.start()
    assert read_something(gateway) > 0
    assert gateway.stop() == 0


@pytest.mark.parametrize("text, says", [
    ("quorum none\n", "none"),
    ("witness A nonsense\nquorum A\n", "verifier key"),
])
def test_a_bad_quorum_file_is_refused(fresh, three, text, says):
    gateway = fresh(start=False)
    ws, quorum = started(gateway, three)
    quorum.write_text(text)
    code, _, err = gateway.sworn("check", "-c", gateway.conf, expect=None)
    assert code != 0 and str(quorum) in err and says in err, err
