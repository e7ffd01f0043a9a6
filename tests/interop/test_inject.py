"""Each system call of the log process fails once, at its first, second, third
... time, or the process is killed right there: strace injects it. Whoever
waited for records gets another log process at once, as the supervisor would
give, and in the end the log is what it was told, and nothing else.

`make faults` tries all of them; here is a share, so that none is forgotten.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "demo"))
import tlog  # noqa: E402

BIN = pathlib.Path(os.environ.get("SWORN_BIN", "/nonexistent"))
ALONE = BIN / "log_alone"
ALL = bool(os.environ.get("SWORN_INJECT_ALL"))
TEST_SECONDS = 7200 if ALL else 120
BEFORE, MORE = 250, 20      # a bundle and a tile are completed on the way
LAST = 400                  # more of one call there cannot be
EIO, FULL, KILL = "error=EIO", "error=ENOSPC", "signal=KILL"
CALLS = {
    "openat": (EIO, FULL, KILL), "write": (EIO, FULL, KILL),
    "fsync": (EIO, KILL), "fdatasync": (EIO, KILL),
    "renameat": (EIO, FULL, KILL), "mkdirat": (EIO, FULL, KILL),
    "unlinkat": (EIO, KILL), "read": (EIO, KILL), "pread64": (EIO, KILL),
    "getdents64": (EIO, KILL), "newfstatat": (EIO, KILL),
    "close": (EIO, KILL), "epoll_wait": (EIO, KILL),
    "accept4": (EIO, KILL), "recvfrom": (EIO, KILL),
    "sendto": (EIO, KILL), "flock": (EIO, KILL),
}
SHARE = [
    ("write", EIO, 5), ("write", FULL, 9), ("write", KILL, 6),
    ("fsync", EIO, 1), ("fdatasync", EIO, 4), ("fdatasync", EIO, 11),
    ("fdatasync", KILL, 7), ("renameat", FULL, 4), ("renameat", KILL, 3),
    ("openat", EIO, 30), ("mkdirat", FULL, 3), ("sendto", KILL, 4),
]


class Log:
    """A folder with a log, and the socket that outlives its processes."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.dir, self.state = folder / "log", folder / "state"
        self.sock = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(FileNotFoundError):
            (folder / "sock").unlink()
        self.sock.bind(str(folder / "sock"))
        self.sock.listen(16)
        self.words = folder / "words"

    def close(self):
        self.sock.close()

    def serve(self, *before):
        fd = self.sock.fileno()
        with open(self.words, "a") as out:
            return subprocess.Popen(
                [*before, ALONE, "serve", str(fd), self.folder / "key",
                 self.dir, self.state], pass_fds=[fd], stderr=out)

    def feed(self, first, count):
        return subprocess.Popen([ALONE, "feed", self.folder / "sock",
                                 str(first), str(count)], text=True,
                                stdout=subprocess.PIPE)


def traced(pid):
    """The process that a strace traces; itself, if there is none."""
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return None
    return int(children.split()[0]) if children.split() else None


def stop(server, pid):
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    try:
        return server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        raise


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inject") / "template"
    folder.mkdir()
    vkey = subprocess.run([BIN / "sworn", "key", "new", "--name", "a.log",
                           "--out", folder / "key"], check=True, text=True,
                          capture_output=True).stdout.strip()
    log = Log(folder)
    server, feeder = log.serve(), log.feed(0, BEFORE)
    said = feeder.communicate(timeout=60)[0]
    assert feeder.returncode == 0
    assert said == "".join(f"{i} {i}\n" for i in range(BEFORE))
    assert stop(server, server.pid) == 0
    log.close()
    (folder / "sock").unlink()
    return folder, vkey


def prefix_of(note, entries, vkey):
    c = tlog.Checkpoint(note, vkey)
    assert c.size <= len(entries), "signed more than there is"
    row = [tlog.leaf_hash(e) for e in entries[:c.size]]
    assert tlog.root_of(row) == c.root, "another tree was signed"


def attempt(template, folder, call, what, n):
    """False if the call did not come to its n-th time."""
    source, vkey = template
    shutil.copytree(source, folder)
    log, trace = Log(folder), folder / "trace"
    server = log.serve("strace", "-f", "-qq", "-o", trace, "-e",
                       f"trace={call}", "-e",
                       f"inject={call}:{what}:when={n}", "--")
    first, pid = server, None
    feeder = log.feed(BEFORE, MORE)
    try:
        while feeder.poll() is None:
            if server is first:
                pid = traced(server.pid) or pid
            if server.poll() is not None:   # as the supervisor does
                server = log.serve()
                pid = server.pid
            time.sleep(0.005)
        said = feeder.communicate()[0]
        assert feeder.returncode == 0, "no log process came up"
        stop(server, pid)
        notes = [p.read_text() for p in (log.dir / "checkpoint",
                                         log.state / "signed")]
        # And a sound start after it, which publishes all that is durable.
        server = log.serve()
        more = log.feed(BEFORE + MORE, 1)
        assert more.communicate(timeout=60)[0].split()[1].isdigit()
        assert stop(server, server.pid) == 0
    finally:
        for p in (server, feeder):
            if p.poll() is None:
                p.kill()
                p.wait()
        log.close()
    entries = tlog.check(log.dir, vkey)
    told = {int(a): b for a, b in map(str.split, said.splitlines())}
    assert set(told) == set(range(BEFORE, BEFORE + MORE))
    numbers = [json.loads(e)["opened"] for e in entries]
    assert numbers == sorted(set(numbers))
    for number, seq in told.items():
        if seq.isdigit():
            assert numbers[int(seq)] == number, "acknowledged and not there"
        elif seq == "-":
            assert number not in numbers, "refused and there"
    for note in notes:
        prefix_of(note, entries, vkey)
    with open(trace, errors="replace") as f:
        return any("INJECTED" in x or "killed by SIGKILL" in x for x in f)


def some_calls(template, tmp_path):
    for i, (call, what, n) in enumerate(SHARE):
        print(f"{call} {what} the {n}th time")
        assert attempt(template, tmp_path / str(i), call, what, n), \
            "it never came to that"
        shutil.rmtree(tmp_path / str(i))


@pytest.mark.parametrize("call,what", [(c, w) for c in CALLS
                                       for w in CALLS[c]])
def every_call(template, tmp_path, call, what):
    for n in range(1, LAST):
        folder = tmp_path / str(n)
        print(f"{call} {what} the {n}th time")
        met = attempt(template, folder, call, what, n)
        shutil.rmtree(folder)
        if not met:
            break
    assert 1 < n < LAST


if ALL:
    test_no_failing_call_at_all_loses_or_forges_a_record = every_call
else:
    test_no_failing_call_loses_or_forges_a_record = some_calls
