"""Our logs, read by an implementation that is not ours, and the other way
round: Go's golang.org/x/mod/sumdb, packages note and tlog, as Debian has
them (golang-golang-x-mod-dev). tlogcheck.go is all that stands between.

The logs are written by the code that the log process writes with
(write_log.c), in rounds, as they would grow; damage is done by hand, and
both readers must find each.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from logworld import import_logkit

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("SWORN_BIN", "/nonexistent"))
ORIGIN = "log.test.example/gw"
SIZES = [1, 2, 3, 255, 256, 257, 511, 513, 600]
WRITE_LOG = BIN / "write_log"


@pytest.fixture(scope="session")
def go(tmp_path_factory):
    """Go's reader, built offline from Debian's packages."""
    folder = tmp_path_factory.mktemp("go")
    program = folder / "tlogcheck"
    subprocess.run(
        ["go", "build", "-o", program, HERE / "tlogcheck.go"], check=True,
        env={**os.environ, "GOPATH": "/usr/share/gocode",
             "GO111MODULE": "off", "GOFLAGS": "", "GOPROXY": "off",
             "CGO_ENABLED": "0", "GOCACHE": str(folder / "cache")})

    def run(*args, stdin=""):
        p = subprocess.run([program, *map(str, args)], input=stdin,
                           capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout + p.stderr
    return run


@pytest.fixture(scope="session")
def records():
    """The lines of a small gateway's log, as the tests of sworn-verify make
    them."""
    logkit = import_logkit()
    log = logkit.Log()
    while len(log.records) < SIZES[-1]:
        log.visit("aoife", "eu")
        log.beat_now()
    return log.records[:SIZES[-1]]


def lines(records, vkey):
    """With the key of this log in its first record."""
    first = {**records[0], "key": vkey, "origin": vkey.split("+")[0]}
    return "".join(json.dumps(r, separators=(",", ":")) + "\n"
                   for r in [first, *records[1:]])


class Log:
    def __init__(self, folder, records):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.dir, self.kept = folder / "log", folder / "kept"
        self.key_file = folder / "key"
        p = subprocess.run([BIN / "sworn", "key", "new", "--name", ORIGIN,
                            "--out", self.key_file], check=True,
                           capture_output=True, text=True)
        self.vkey = p.stdout.strip()
        p = subprocess.run(
            [WRITE_LOG, self.key_file, self.dir, folder / "state", self.kept,
             *map(str, SIZES)], input=lines(records, self.vkey), check=True,
            capture_output=True, text=True)
        self.proofs = p.stdout

    def checkpoints(self):
        return [self.kept / str(n) for n in SIZES]


@pytest.fixture(scope="session")
def whole(tmp_path_factory, records):
    return Log(tmp_path_factory.mktemp("whole") / "world", records)


@pytest.fixture
def log(whole, tmp_path):
    """A copy of the log, to be damaged."""
    copy = object.__new__(Log)
    copy.__dict__ = dict(whole.__dict__)
    copy.dir = tmp_path / "log"
    shutil.copytree(whole.dir, copy.dir)
    return copy


def sworn_verify(log, vkey=None, kept=()):
    """0, or 1 and what is damaged, by our own verifier."""
    args = [BIN / "sworn-verify", "log", log.dir, "--key", vkey or log.vkey]
    for k in kept:
        args += ["--checkpoint", k]
    p = subprocess.run(args, capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout + p.stderr


def edit(path, fn):
    path.write_bytes(fn(path.read_bytes()))


def flip(path, at, bit=1):
    edit(path, lambda d: d[:at] + bytes([d[at] ^ bit]) + d[at + 1:])


def split(data):
    out = []
    while data:
        n = 2 + int.from_bytes(data[:2], "big")
        out.append(data[:n])
        data = data[n:]
    return out


# -- ours, read by theirs --------------------------------------------------

def test_every_size_of_a_growing_log_is_read_by_go(go, whole, tmp_path):
    """Each older checkpoint with the tiles as they are now: the readers of
    a moment ago."""
    for n in SIZES:
        copy = tmp_path / f"at{n}"
        shutil.copytree(whole.dir, copy)
        shutil.copy(whole.kept / str(n), copy / "checkpoint")
        older = [whole.kept / str(m) for m in SIZES if m <= n]
        status, said = go("check", whole.vkey, copy, *older)
        assert status == 0, said
        assert said == f"{n} entries, {len(older)} older checkpoints\n"


def test_our_proofs_are_accepted_by_go(go, whole):
    status, said = go("proofs", whole.vkey, whole.dir, whole.kept,
                      stdin=whole.proofs)
    assert status == 0, said
    n = len(SIZES)
    inclusion, consistency = map(int, re.findall(r"\d+", said))
    assert consistency == n * (n - 1) // 2 and inclusion > 60


def test_a_proof_with_one_wrong_bit_is_refused_by_go(go, whole):
    tried = 0
    for kind in ("inclusion", "consistency"):
        for line in [x for x in whole.proofs.splitlines() if x.startswith(
                kind) and len(x.split()) > 4][::7]:
            words = line.split()
            h = bytearray(base64.b64decode(words[3 + tried % (len(words) - 3)]))
            h[tried % 32] ^= 1
            words[3 + tried % (len(words) - 3)] = base64.b64encode(h).decode()
            status, _ = go("proofs", whole.vkey, whole.dir, whole.kept,
                           stdin=" ".join(words) + "\n")
            assert status == 1, line
            tried += 1
    assert tried >= 8


# -- theirs, read by ours --------------------------------------------------

def test_the_same_entries_and_key_give_the_same_bytes_in_go(
        go, whole, records, tmp_path):
    """Tiles, bundles and checkpoint, byte for byte (Ed25519 signatures have
    one value only); all our partial tiles of older sizes come on top."""
    status, said = go("write", whole.key_file, ORIGIN, tmp_path,
                      stdin=lines(records, whole.vkey))
    assert status == 0, said
    theirs = {p.relative_to(tmp_path) for p in tmp_path.rglob("*")
              if p.is_file()}
    assert len(theirs) == 1 + 3 + 3 + 1
    for name in theirs:
        assert (tmp_path / name).read_bytes() \
            == (whole.dir / name).read_bytes(), name


def test_a_log_and_key_made_by_go_are_read_by_ours(go, records, tmp_path):
    status, vkey = go("key", ORIGIN, tmp_path / "key")
    assert status == 0, vkey
    vkey = vkey.strip()
    p = subprocess.run([BIN / "sworn", "key", "show", tmp_path / "key"],
                       capture_output=True, text=True)
    assert p.stdout.strip() == vkey, p.stderr
    log = object.__new__(Log)
    log.dir, log.vkey = tmp_path / "log", vkey
    status, said = go("write", tmp_path / "key", ORIGIN, log.dir,
                      stdin=lines(records, vkey))
    assert status == 0, said
    status, said = sworn_verify(log)
    assert status == 0, said
    flip(log.dir / "tile/0/001", 700)
    assert sworn_verify(log)[0] == 1


def test_a_change_of_key_is_a_note_that_go_opens_by_both_keys(go):
    kit = import_logkit()
    note, keys = kit.rotation(0, 1, 300), [kit.vkey(0), kit.vkey(1)]
    status, said = go("signed", *keys, stdin=note)
    assert status == 0, said
    assert said == 2 * ("sworn log key rotation v1\n"
                        f"{keys[0].split('+')[0]}\n300\n"
                        f"{keys[0]}\n{keys[1]}\n")
    assert go("signed", kit.vkey(2), stdin=note)[0] == 1
    lines = note.splitlines(keepends=True)
    for i in (0, 1):        # without the signature of one
        half = "".join(lines[:6 + i] + lines[7 + i:])
        assert go("signed", keys[i], stdin=half)[0] == 1
        assert go("signed", keys[1 - i], stdin=half)[0] == 0


# -- damage: both find it --------------------------------------------------

def change_entry(log):
    flip(log.dir / "tile/entries/001", 3000)


def change_last_entry(log):
    flip(log.dir / "tile/entries/002.p/88", -9)


def remove_entry(log):
    edit(log.dir / "tile/entries/000",
         lambda d: b"".join(split(d)[:100] + split(d)[101:]))


def swap_entries(log):
    def swap(d):
        e = split(d)
        e[10], e[11] = e[11], e[10]
        return b"".join(e)
    edit(log.dir / "tile/entries/001", swap)


def add_entry(log):
    edit(log.dir / "tile/entries/000", lambda d: d + split(d)[-1])


def cut_tail(log):
    edit(log.dir / "tile/entries/002.p/88",
         lambda d: b"".join(split(d)[:-5]))


def remove_bundle(log):
    (log.dir / "tile/entries/001").unlink()


def remove_tail(log):
    shutil.rmtree(log.dir / "tile/entries/002.p")


def change_tile_0(log):
    flip(log.dir / "tile/0/000", 4000)


def change_partial_tile(log):
    flip(log.dir / "tile/0/002.p/88", 88 * 32 - 1, 0x80)


def change_tile_1(log):
    flip(log.dir / "tile/1/000.p/2", 40)


def cut_tile(log):
    edit(log.dir / "tile/0/001", lambda d: d[:-1])


def remove_tile(log):
    (log.dir / "tile/0/001").unlink()


def cut_signature(log):
    edit(log.dir / "checkpoint", lambda d: d[:d.index(b"\n\n") + 1])


def change_signature(log):
    def change(d):
        head, _, sig = d.strip().rpartition(b" ")
        sig = bytearray(base64.b64decode(sig))
        sig[20] ^= 4
        return head + b" " + base64.b64encode(sig) + b"\n"
    edit(log.dir / "checkpoint", change)


def change_size(log):
    edit(log.dir / "checkpoint", lambda d: d.replace(b"\n600\n", b"\n599\n"))


def change_root(log):
    def change(d):
        body = d.split(b"\n")
        root = bytearray(base64.b64decode(body[2]))
        root[0] ^= 1
        body[2] = base64.b64encode(root)
        return b"\n".join(body)
    edit(log.dir / "checkpoint", change)


def remove_checkpoint(log):
    (log.dir / "checkpoint").unlink()


@pytest.mark.parametrize("damage", [
    change_entry, change_last_entry, remove_entry, swap_entries, add_entry,
    cut_tail, remove_bundle, remove_tail, change_tile_0, change_partial_tile,
    change_tile_1, cut_tile, remove_tile, cut_signature, change_signature,
    change_size, change_root, remove_checkpoint], ids=lambda f: f.__name__)
def test_damage_is_found_by_go_and_by_ours(go, log, damage):
    assert go("check", log.vkey, log.dir)[0] == 0
    damage(log)
    status, said = go("check", log.vkey, log.dir)
    assert status == 1, f"not found by Go: {said}"
    status, said = sworn_verify(log)
    assert status == 1, f"not found by sworn-verify: {said}"


def test_another_key_of_the_same_name_is_refused_by_both(go, log, tmp_path):
    _, other = go("key", ORIGIN, tmp_path / "other")
    assert go("check", other.strip(), log.dir)[0] == 1
    assert sworn_verify(log, other.strip())[0] == 1


def test_a_rolled_back_log_is_refused_by_both(go, log):
    """All of it valid, but shorter than a checkpoint that somebody kept."""
    newest = log.kept / "600"
    shutil.copy(log.kept / "513", log.dir / "checkpoint")
    assert go("check", log.vkey, log.dir)[0] == 0
    assert sworn_verify(log)[0] == 0
    assert go("check", log.vkey, log.dir, newest)[0] == 1
    assert sworn_verify(log, kept=[newest])[0] == 1


def test_a_rewritten_log_is_refused_by_both(go, whole, records, tmp_path):
    """Signed again by its own key with one old entry changed."""
    changed = [dict(r) for r in records]
    changed[300]["time"] = changed[299]["time"]
    assert changed[300] != records[300]
    log = object.__new__(Log)
    log.dir, log.vkey = tmp_path / "log", whole.vkey
    status, said = go("write", whole.key_file, ORIGIN, log.dir,
                      stdin=lines(changed, whole.vkey))
    assert status == 0, said
    assert go("check", log.vkey, log.dir, whole.kept / "257")[0] == 0
    assert go("check", log.vkey, log.dir, whole.kept / "511")[0] == 1
    assert sworn_verify(log, kept=[whole.kept / "257"])[0] == 0
    assert sworn_verify(log, kept=[whole.kept / "511"])[0] == 1
