"""`sworn log cosign` with real witnesses, and what sworn-verify makes of the
cosignatures."""
import json
import subprocess

import pytest
from logworld import BIN, Log, import_logkit, sworn
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


# -- sworn-verify ----------------------------------------------------------

@pytest.fixture
def story(tmp_path):
    """A gateway's log with a period in which a claim holds: the log to grow,
    its size when the period ends, its size in the end, the claim."""
    kit = import_logkit()
    records = kit.Log()
    begin = records.now
    for _ in range(50):
        records.visit("aoife", "eu")
    end = records.now + 5
    n = len(records.records)
    records.wait(2000)
    log = Log(tmp_path / "story")
    first = {**records.records[0], "key": log.vkey, "origin": log.origin}
    lines = [json.dumps(r, separators=(",", ":"))
             for r in [first, *records.records[1:]]]
    claim = tmp_path / "claim.yaml"
    claim.write_text(kit.claim_text(begin, end, whose="[IE]"))
    (tmp_path / "objects").mkdir()
    for name, text in records.objects.items():
        (tmp_path / "objects" / name).write_text(text)

    def grow(size):
        log.grow(size, entry=lambda i: lines[i])
        if not (log.dir / "objects").exists():
            (tmp_path / "objects").rename(log.dir / "objects")
    return log, n, len(lines), claim, grow


def verify(*args):
    p = subprocess.run([BIN / "sworn-verify", *map(str, args), "--json"],
                       capture_output=True, text=True, timeout=60)
    assert p.returncode != 2, p.stderr
    return p.returncode, json.loads(p.stdout)


def by(ws, quorum=None):
    out = [a for w in ws for a in ("--witness", w.vkey)]
    return out + (["--quorum", quorum] if quorum else [])


def of_witness(items):
    return [i["text"] for i in items if i["what"] == "witness"]


def test_a_log_is_broken_without_its_quorum(story, tmp_path):
    log, _, size, _, grow = story
    grow(size)
    ws = witnesses(tmp_path, 3, [log])
    args = ("log", log.dir, "--key", log.vkey)
    try:
        assert verify(*args)[0] == 0
        status, out = verify(*args, *by(ws))
        assert status == 1 and \
            "3 at the least" in of_witness(out["damage"])[0]
        assert cosign(log, ws[:2])[0] == 0
        for wanted, quorum, good in ((ws, 2, 0), (ws, 3, 1), (ws, None, 1),
                                     (ws[:2], None, 0), (ws[2:], 1, 1)):
            status, out = verify(*args, *by(wanted, quorum))
            assert status == good, (quorum, out)
            said = of_witness(out["damage"] if good else out["notes"])
            assert len(said) == 1, out
    finally:
        for w in ws:
            w.__exit__()


def quorum_file(path, log, ws, *lines):
    path.write_text("".join([f"log {log.vkey}\n", *(
        f"witness W{i} {w.vkey} {getattr(w, 'url', 'http://127.0.0.1:9')}\n"
        for i, w in enumerate(ws)), *(line + "\n" for line in lines)]))
    return path


def test_groups_of_witnesses_are_asked_for_by_a_file(story, tmp_path):
    """Each set of witnesses, against what the file says in Python."""
    log, _, size, _, grow = story
    grow(size)
    ws = witnesses(tmp_path, 3, [log])
    rules = {("quorum W1",): lambda s: 1 in s,
             ("group g any W0 W1", "group h all g W2", "quorum h"):
                 lambda s: bool(s & {0, 1}) and 2 in s,
             ("group g 2 W0 W1 W2", "quorum g"): lambda s: len(s) >= 2}
    try:
        for i, some in enumerate(({0}, {1}, {2}, {0, 1}, {0, 2}, {0, 1, 2})):
            (log.dir / "checkpoint.cosigned").unlink(missing_ok=True)
            assert cosign(log, [ws[k] for k in some])[0] == 0
            for lines, enough in rules.items():
                path = quorum_file(tmp_path / "quorum", log, ws, *lines)
                status, out = verify("log", log.dir, "--quorum-file", path)
                assert status == (0 if enough(some) else 1), (some, lines)
                assert sworn("log", "cosign", log.dir, "--quorum-file",
                             path)[0] == 0      # all of them answer
                for w in ws:
                    assert w.size_of(log) == size
                # Back to what some have signed.
                (log.dir / "checkpoint.cosigned").unlink()
                assert cosign(log, [ws[k] for k in some])[0] == 0
    finally:
        for w in ws:
            w.__exit__()


def test_a_bad_quorum_file_is_refused_by_line(story, tmp_path):
    log, _, size, _, grow = story
    grow(size)
    path = tmp_path / "quorum"
    for text, line in (("quorum none\n", 0), ("log x\nquorum none\n", 1),
                       (f"log {log.vkey}\n\nquorum W\n", 3)):
        path.write_text(text)
        p = subprocess.run(
            [BIN / "sworn-verify", "log", log.dir, "--key", log.vkey,
             "--quorum-file", path], capture_output=True, text=True)
        assert p.returncode == 2, (text, p.stdout)
        assert line == 0 or f"{path}:{line}: " in p.stderr


def test_a_cosignature_that_was_changed_does_not_count(story, tmp_path):
    log, _, size, _, grow = story
    grow(size)
    ws = witnesses(tmp_path, 2, [log])
    try:
        assert cosign(log, ws)[0] == 0
        args = ("log", log.dir, "--key", log.vkey)
        assert verify(*args, *by(ws))[0] == 0
        path = log.dir / "checkpoint.cosigned"
        whole = path.read_text()
        one = whole.splitlines(keepends=True)[-1]
        bad = one[:-12] + ("A" if one[-12] != "A" else "B") + one[-11:]
        for text in (whole.replace(one, bad), whole.replace(one, "")):
            path.write_text(text)
            assert verify(*args, *by(ws))[0] == 1
            assert verify(*args, *by(ws, 1))[0] == 0
    finally:
        for w in ws:
            w.__exit__()


def test_what_witnesses_saw_binds_the_log(story, tmp_path):
    """Rolled back, or rewritten with the log's own key, after a cosignature
    that somebody kept beside it."""
    log, n, size, _, grow = story
    grow(n)
    old = log.twin(tmp_path / "old")
    grow(size)
    ws = witnesses(tmp_path, 1, [log])
    try:
        assert cosign(log, ws)[0] == 0
    finally:
        ws[0].__exit__()
    note = (log.dir / "checkpoint.cosigned").read_text()
    (old.dir / "checkpoint.cosigned").write_text(note)
    args = ("--key", log.vkey, *by(ws))
    status, out = verify("log", old.dir, *args)
    assert status == 1 and out["damage"][0]["what"] == "rollback"
    assert verify("log", log.dir, *args)[0] == 0


def test_a_claim_is_not_shown_beyond_what_witnesses_saw(story, tmp_path):
    log, n, size, claim, grow = story
    ws = witnesses(tmp_path, 2, [log])
    args = ("claim", claim, "--log", log.dir, "--key", log.vkey)
    try:
        grow(n - 1)
        assert cosign(log, ws)[0] == 0
        grow(size)
        plain = verify(*args)[1]["doubts"]
        status, out = verify(*args, *by(ws))
        assert status == 4
        said = of_witness(out["doubts"])
        assert len(said) == 1 and f"first {n - 1} entries" in said[0]
        assert f"up to {n - 1}" in said[0]
        ws[1].server.kill()
        assert cosign(log, ws)[0] == 1          # by one: the older stays
        assert of_witness(verify(*args, *by(ws))[1]["doubts"]) == said
        ws[1].start()
        assert cosign(log, ws)[0] == 0
        status, out = verify(*args, *by(ws))
        assert out["doubts"] == plain == [], plain
        rests = of_witness(out["rests_on"])
        assert len(rests) == 1 and "2 of the witnesses" in rests[0]
        assert status == 0 and out["verdict"] == "holds"
    finally:
        for w in ws:
            w.__exit__()


def test_wrong_options_of_sworn_verify_are_told(log, tmp_path):
    log.grow(1)
    sworn("key", "new", "--name", "w.example", "--out", tmp_path / "k")
    w = sworn("witness", "key", tmp_path / "k")[1].strip()
    for more in (["--quorum", "1"], ["--witness", log.vkey],
                 ["--witness", w, "--quorum", "2"],
                 ["--witness", w, "--quorum", "0"],
                 ["--witness", w, "--witness", w]):
        p = subprocess.run([BIN / "sworn-verify", "log", log.dir, "--key",
                            log.vkey, *more], capture_output=True)
        assert p.returncode == 2, more
