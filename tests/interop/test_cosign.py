"""`sworn log cosign` with real witnesses, and what sworn-verify makes of the
cosignatures."""
import json
import subprocess

import pytest
from logworld import BIN, Log, sworn
from test_witness import Witness


def witnesses(tmp_path, n, logs):
    out = []
    for i in range(n):
        w = Witness(tmp_path / f"w{i}", [(log, [log.vkey]) for log in logs])
        w.key.unlink()
        sworn("key", "new", "--name", f"w{i}.example", "--out", w.key)
        w.vkey = sworn("witness", "key", w.key)[1].strip()
        out.append(w.start())
    return out


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "world")


@pytest.fixture
def three(log, tmp_path):
    ws = witnesses(tmp_path, 3, [log])
    yield ws
    for w in ws:
        w.__exit__()


def cosign(log, ws, *more):
    args = ["log", "cosign", log.dir]
    for w in ws:
        args += ["--witness", w.url, "--key", w.vkey]
    return sworn(*args, *more)


def cosigned(log, ws):
    """Which of them have, by tlog-cosignature as test_witness reads it."""
    path = log.dir / "checkpoint.cosigned"
    note = path.read_text()
    good = []
    for line in note.split("\n\n")[1].splitlines(keepends=True):
        for i, w in enumerate(ws):
            if line.split(" ")[1] == w.vkey.split("+")[0]:
                w.check(line, note)
                good.append(i)
    assert note.split("\n\n")[1].startswith("\u2014 " + log.origin + " ")
    return note, good


def test_each_witness_cosigns_a_growing_log(log, three):
    for size in (1, 300, 301, 1000):
        log.grow(size)
        assert cosign(log, three) == (
            0, f"{size} entries, cosigned by 3 of 3\n")
        note, good = cosigned(log, three)
        assert note.startswith(log.checkpoint()) and good == [0, 1, 2]
    # Again, and one at a time: none is there twice, none gets lost.
    for ws in (three, three[1:2], three[:1]):
        assert cosign(log, ws)[0] == 0
        assert sorted(cosigned(log, three)[1]) == [0, 1, 2]


def test_a_witness_that_is_asked_late_says_what_it_knows(log, three):
    log.grow(300)
    assert cosign(log, three)[0] == 0
    (log.dir / "checkpoint.cosigned").unlink()      # nothing is remembered
    log.grow(600)
    assert cosign(log, three)[0] == 0
    assert cosigned(log, three)[1] == [0, 1, 2]


def test_a_quorum_is_enough_and_fewer_is_a_failure(log, three):
    log.grow(300)
    three[2].server.kill()
    status, said = cosign(log, three, "--quorum", "2")
    assert status == 0 and "cosigned by 2 of 3" in said
    assert "w2.example: " in said
    assert cosign(log, three)[0] == 1
    three[1].server.kill()
    log.grow(400)
    status, said = cosign(log, three, "--quorum", "2")
    assert status == 1 and "older file has more" in said
    assert cosigned(log, three)[0].split("\n")[1] == "300"
    three[2].start(), three[1].start()
    assert cosign(log, three)[0] == 0
    assert cosigned(log, three)[0].split("\n")[1] == "400"


def test_an_old_copy_and_a_fork_are_named(log, three, tmp_path):
    log.grow(300)
    old, twin = log.twin(tmp_path / "old"), log.twin(tmp_path / "twin")
    log.grow(600, "one way")
    twin.grow(700, "another way")
    assert cosign(log, three)[0] == 0
    status, said = cosign(old, three)
    assert status == 1 and "OLD COPY" in said and "600" in said
    status, said = cosign(twin, three)
    assert status == 1 and "ANOTHER TREE" in said
    for x in (old, twin):
        assert not (x.dir / "checkpoint.cosigned").exists()


def test_a_log_with_damaged_tiles_is_not_shown_to_witnesses(log, three):
    log.grow(300)
    tile = log.dir / "tile/0/001.p/44"
    tile.write_bytes(tile.read_bytes()[::-1])
    status, said = cosign(log, three)
    assert status == 1 and "root" in said
    assert all(w.size_of(log) == 0 for w in three)


def test_wrong_usage_is_told(log):
    log.grow(1)
    for more in ([], ["--witness", "http://x"],
                 ["--witness", "http://x", "--key", log.vkey],
                 ["--witness", "http://x", "--key", "x", "--key", "y"]):
        assert sworn("log", "cosign", log.dir, *more)[0] == 2, more
