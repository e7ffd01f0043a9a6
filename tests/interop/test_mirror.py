"""`sworn log mirror` and `sworn log serve`: a copy is a whole log at every
moment, of one history only; a server gives out a log's files and no others.
"""
import hashlib
import json
import os
import shutil
import socket

import pytest
from logworld import (BIN, Log, Server, files_of, import_logkit, name_of,
                      sworn)


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "world")


def mirror(source, to, vkey):
    return sworn("log", "mirror", source, to, "--key", vkey)


def is_copy(copy, log, size):
    """Byte for byte what a reader of this size needs, and nothing more."""
    want = files_of(log.dir, size)
    have = {str(p.relative_to(copy)): p.read_bytes()
            for p in (copy / "tile").rglob("*") if p.is_file()} \
        if size else {}
    assert have == want
    assert (copy / "checkpoint").read_text() == log.checkpoint(size)
    assert not (copy / ".next").exists()
    return True


def test_a_copy_grows_with_its_log(log, tmp_path):
    copy, before = tmp_path / "copy", 0
    for size in (1, 2, 255, 256, 257, 300, 511, 512, 1000):
        log.grow(size)
        assert mirror(log.dir, copy, log.vkey) == (
            0, f"{size} entries, {size - before} of them new\n")
        assert is_copy(copy, log, size)
        before = size
    assert mirror(log.dir, copy, log.vkey) == (
        0, "1000 entries, 0 of them new\n")
    assert is_copy(copy, log, 1000)


def test_three_levels_of_tiles_over_http(log, tmp_path):
    copy, other = tmp_path / "copy", tmp_path / "other"
    log.grow(300)
    with Server("log", "serve", log.dir, "--listen", "127.0.0.1:0") as s:
        assert mirror(s.url + "/", copy, log.vkey)[0] == 0
        log.grow(65536 + 700)
        assert mirror(s.url, copy, log.vkey) == (
            0, "66236 entries, 65936 of them new\n")
    assert is_copy(copy, log, 66236)
    # A copy of the copy, served: a mirror is as good as its log.
    with Server("log", "serve", copy, "--listen", "[::1]:0") as s:
        s.host = "::1"
        assert mirror(s.url, other, log.vkey)[0] == 0
    assert is_copy(other, log, 66236)


def test_source_without_the_partial_tile_gives_the_full_one(log, tmp_path):
    """A log that has gone on may drop partial tiles."""
    log.grow(700)
    log.grow(1024)
    for p in list((log.dir / "tile").rglob("*.p")):
        shutil.rmtree(p)
    (log.dir / "checkpoint").write_text(log.checkpoint(700))
    status, said = mirror(log.dir, tmp_path / "copy", log.vkey)
    # Level 1 was partial and stays so: that one a log must keep.
    assert status == 1 and "tile/1/000" in said
    log2 = Log(tmp_path / "w2").grow(200)
    log2.grow(256)
    shutil.rmtree(log2.dir / "tile/entries/000.p")
    (log2.dir / "checkpoint").write_text(log2.checkpoint(200))
    assert mirror(log2.dir, tmp_path / "copy2", log2.vkey)[0] == 0
    whole = (log2.dir / "tile/entries/000").read_bytes()
    part = (tmp_path / "copy2/tile/entries/000.p/200").read_bytes()
    assert whole.startswith(part) and len(part) < len(whole)


# -- forks -----------------------------------------------------------------

def forked(copy, *notes):
    kept = sorted(p.read_text() for p in (copy / "fork").iterdir())
    assert kept == sorted(notes)


@pytest.mark.parametrize("at,ours,theirs", [
    (300, 400, 500), (300, 400, 400), (300, 400, 350), (256, 512, 1024),
    (0, 1, 2), (1, 256, 257)],
    ids=["longer", "same-size", "shorter", "whole-tiles", "first", "second"])
def test_a_fork_is_refused_and_both_checkpoints_are_kept(
        log, tmp_path, at, ours, theirs):
    if at:
        log.grow(at)
    twin = log.twin(tmp_path / "twin")
    log.grow(ours, "one way")
    twin.grow(theirs, "another way")
    copy = tmp_path / "copy"
    assert mirror(log.dir, copy, log.vkey)[0] == 0
    for _ in range(2):
        status, said = mirror(twin.dir, copy, log.vkey)
        assert status == 1 and "FORKED" in said, said
        assert is_copy(copy, log, ours)
        forked(copy, log.checkpoint(), twin.checkpoint())
    log.grow(ours + 300, "one way")         # the honest one goes on
    assert mirror(log.dir, copy, log.vkey)[0] == 0
    assert is_copy(copy, log, ours + 300)


# -- changes of key --------------------------------------------------------

@pytest.fixture
def rotated():
    """A log whose key was changed twice, at three of its sizes."""
    kit = import_logkit()
    log, notes, at = kit.Log(), [], []
    for i in (0, 1):
        log.visit("aoife", "eu")
        log.stop()
        at.append(len(log.records))
        notes.append(kit.rotation(i, i + 1, at[i]))
        log.add("rotation", note=notes[i], clean=True)
        log.boot()
        log.visit("aoife", "eu")
    with kit.Bench() as bench:
        def write(name, size=None, signer=2, rotations=notes):
            return bench.write(log, name, log.records[:size], signer=signer,
                               rotations=rotations)
        yield kit, write, notes, at


def objects_aside(status):
    return status in (0, 1)     # 1: an object that this log does not have


def size_of(folder):
    return int((folder / "checkpoint").read_text().split("\n")[1])


def tree_of(folder):
    return {p.relative_to(folder): p.read_bytes()
            for p in folder.rglob("*") if p.is_file()}


def test_a_copy_follows_changes_of_key_whichever_key_it_knows(
        rotated, tmp_path):
    kit, write, notes, at = rotated
    stages = [write("s0", at[0], 0, ()), write("s1", at[0] + 2, 1, notes[:1]),
              write("s2")]
    for known in range(3):
        copy = tmp_path / f"copy{known}"
        for i, stage in enumerate(stages):
            if i < known and known > 0 and i == 0:
                continue        # nothing there leads to this key yet
            status, said = mirror(stage, copy, kit.vkey(min(known, i) if
                                                        known < 2 else i))
            assert objects_aside(status), said
            assert size_of(copy) == size_of(stage), said
        assert (copy / "rotations").read_text() \
            == "".join(n + "\n" for n in notes)


def test_a_second_chain_of_keys_is_refused_and_the_copy_stays(
        rotated, tmp_path):
    kit, write, notes, at = rotated
    copy = tmp_path / "copy"
    assert objects_aside(mirror(write("one"), copy, kit.vkey(0))[0])
    before = tree_of(copy)
    for name, chain in {
            "another second key": [notes[0], kit.rotation(1, 3, at[1])],
            "another first place": [kit.rotation(0, 1, at[0] - 1), notes[1]],
            "another first key": [kit.rotation(0, 3, at[0])]}.items():
        other = write("other", signer=3, rotations=chain)
        status, said = mirror(other, copy, kit.vkey(0))
        assert status == 1 and "in two ways" in said, (name, said)
        assert tree_of(copy) == before, name
    # One key alone gives nobody another, whatever the copy knows.
    for chain in ([notes[0], "".join(kit.rotation(1, 3, at[1]).splitlines(
            keepends=True)[:7])], ["no note at all\n"]):
        status, said = mirror(write("bad", rotations=chain), copy,
                              kit.vkey(0))
        assert status == 1 and "rotations" in said, said
        assert tree_of(copy) == before


def test_a_change_of_key_before_what_is_copied_is_refused(rotated, tmp_path):
    """Whoever has the old key could name a place behind which the copy's own
    checkpoint would count no more."""
    kit, write, notes, at = rotated
    copy = tmp_path / "copy"
    assert objects_aside(mirror(write("old", at[0], 0, ()), copy,
                                kit.vkey(0))[0])
    before = tree_of(copy)
    for seq in (0, at[0] - 1):
        bad = write("bad", signer=3, rotations=[kit.rotation(0, 3, seq)])
        status, said = mirror(bad, copy, kit.vkey(0))
        assert status == 1 and "in two ways" in said, said
        assert tree_of(copy) == before
    status, said = mirror(write("good"), copy, kit.vkey(0))
    assert objects_aside(status) and size_of(copy) > at[1], said


def test_what_the_old_key_alone_signs_behind_the_change_is_not_copied(
        rotated, tmp_path):
    kit, write, notes, at = rotated
    copy = tmp_path / "copy"
    assert objects_aside(mirror(write("one", at[0] + 1, 1, notes[:1]), copy,
                                kit.vkey(0))[0])
    before = tree_of(copy)
    for rotations in (notes[:1], ()):
        bad = write("bad", at[0] + 3, signer=0, rotations=rotations)
        status, said = mirror(bad, copy, kit.vkey(0))
        assert status == 1 and "key was changed" in said, said
        assert tree_of(copy) == before


# -- half copied -----------------------------------------------------------

def test_a_fork_from_a_tree_that_was_only_half_copied_is_refused(
        log, tmp_path):
    log.grow(300)
    copy = tmp_path / "copy"
    assert mirror(log.dir, copy, log.vkey)[0] == 0
    twin = log.twin(tmp_path / "twin").grow(900, "another way")
    log.grow(800, "one way")
    (log.dir / "tile/entries/002").rename(tmp_path / "away")
    assert mirror(log.dir, copy, log.vkey)[0] == 1
    assert (copy / "checkpoint").read_text() == log.checkpoint(300)
    status, said = mirror(twin.dir, copy, log.vkey)
    assert status == 1 and "FORKED" in said, said
    forked(copy, log.checkpoint(), twin.checkpoint())


def test_an_older_tree_is_refused_without_a_cry_of_fork(log, tmp_path):
    log.grow(300)
    old = log.twin(tmp_path / "old")
    log.grow(600)
    copy = tmp_path / "copy"
    assert mirror(log.dir, copy, log.vkey)[0] == 0
    status, said = mirror(old.dir, copy, log.vkey)
    assert status == 1 and "300" in said and "600" in said
    assert "FORKED" not in said and not (copy / "fork").exists()
    assert is_copy(copy, log, 600)


def test_another_key_is_refused(log, tmp_path):
    log.grow(10)
    other = Log(tmp_path / "other").grow(10)
    status, said = mirror(log.dir, tmp_path / "copy", other.vkey)
    assert status == 1 and "not signed by the key" in said
    assert not (tmp_path / "copy/checkpoint").exists()


# -- damage and interruption -----------------------------------------------

@pytest.mark.parametrize("name", [
    "checkpoint", "tile/entries/000", "tile/entries/002.p/188",
    "tile/1/000.p/2"])
def test_what_is_damaged_at_the_source_is_not_taken_over(
        log, tmp_path, name):
    log.grow(700)
    copy, path = tmp_path / "copy", log.dir / name
    whole = path.read_bytes()
    for bad in (whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
                whole[:-1], None):
        path.unlink()
        if bad is not None:
            path.write_bytes(bad)
        status, said = mirror(log.dir, copy, log.vkey)
        assert status == 1, said
        assert not (copy / "checkpoint").exists()
        path.write_bytes(whole)
    assert mirror(log.dir, copy, log.vkey)[0] == 0
    assert is_copy(copy, log, 700)


def test_an_interrupted_run_goes_on_where_it_was(log, tmp_path):
    log.grow(2000)
    copy, away = tmp_path / "copy", tmp_path / "away"
    away.mkdir()
    bundles = log.dir / "tile/entries"
    (bundles / "004").rename(away / "004")
    status, said = mirror(log.dir, copy, log.vkey)
    assert status == 1 and "004" in said
    assert not (copy / "checkpoint").exists()
    (away / "004").rename(bundles / "004")
    for i in range(4):          # what it has already, it does not ask for
        (bundles / name_of(i)).rename(away / name_of(i))
    assert mirror(log.dir, copy, log.vkey)[0] == 0
    for i in range(4):
        (away / name_of(i)).rename(bundles / name_of(i))
    assert is_copy(copy, log, 2000)


def test_what_a_crash_left_half_written_is_fetched_again(log, tmp_path):
    log.grow(2000)
    copy = tmp_path / "copy"
    (log.dir / "tile/entries/005").rename(tmp_path / "away")
    assert mirror(log.dir, copy, log.vkey)[0] == 1
    (tmp_path / "away").rename(log.dir / "tile/entries/005")
    for name in ("tile/entries/001", "tile/0/002"):
        with open(copy / name, "r+b") as f:
            f.truncate(100)
    assert mirror(log.dir, copy, log.vkey)[0] == 0
    assert is_copy(copy, log, 2000)


def test_objects_that_records_name_come_along(log, tmp_path):
    text = b"policy: small\n"
    sha = hashlib.sha256(text).hexdigest()

    def entry(i):
        return json.dumps({
            "v": 1, "gateway": "gw", "seq": i,
            "time": "2026-11-18T00:00:00.000Z", "type": "object",
            "kind": "policy", "name": "small", "sha256": sha,
            "len": len(text)}, separators=(",", ":"))
    log.grow(3, entry=entry)
    copy = tmp_path / "copy"
    for content in (None, b"policy: other\n"):
        if content:
            (log.dir / "objects").mkdir()
            (log.dir / "objects" / sha).write_bytes(content)
        status, said = mirror(log.dir, copy, log.vkey)
        assert status == 1 and "objects" in said
        assert is_copy(copy, log, 3)
        assert not (copy / "objects" / sha).exists()
    (log.dir / "objects" / sha).write_bytes(text)
    assert mirror(log.dir, copy, log.vkey)[0] == 0
    assert (copy / "objects" / sha).read_bytes() == text
    assert not (copy / ".wanted").exists()


# -- serving ---------------------------------------------------------------

@pytest.fixture
def served(log):
    log.grow(300)
    (log.dir / "objects").mkdir()
    (log.dir / "objects" / ("ab" * 32)).write_bytes(b"an object")
    with Server("log", "serve", log.dir, "--listen", "127.0.0.1:0") as s:
        yield s


def test_files_have_the_headers_of_the_specification(served, log):
    status, head, body = served.request("GET", "/checkpoint")
    assert (status, body.decode()) == (200, log.checkpoint())
    assert head["Content-Type"] == "text/plain; charset=utf-8"
    age = int(head["Cache-Control"].rpartition("max-age=")[2])
    assert 0 < age <= 10
    for name, data in {**files_of(log.dir, 300),
                       "objects/" + "ab" * 32: b"an object"}.items():
        status, head, body = served.request("GET", "/" + name)
        assert (status, body) == (200, data), name
        assert head["Content-Type"] == "application/octet-stream"
        assert "immutable" in head["Cache-Control"]
        status, head, body = served.request("HEAD", "/" + name)
        assert (status, body) == (200, b"")
        assert int(head["Content-Length"]) == len(data)


def test_a_tile_that_is_not_there_yet_or_no_longer_is_404(served):
    for name in ("tile/0/001.p/45", "tile/0/001", "tile/0/000.p/9",
                 "tile/2/000.p/1", "tile/entries/002"):
        status, head, _ = served.request("GET", "/" + name)
        assert status == 404, name
        assert head["Cache-Control"] == "no-store"


def test_only_get_and_head(served):
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "FOO"):
        status, head, _ = served.request(method, "/checkpoint", b"x")
        assert status == 405, method
        assert head["Allow"] == "GET, HEAD"


def raw(server, path):
    with socket.create_connection((server.host, int(server.port)), 20) as s:
        s.sendall(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        data = b""
        while part := s.recv(65536):
            data += part
    return int(data.split(b" ", 2)[1]), data


@pytest.mark.parametrize("path", [
    b"/", b"//", b"/tile", b"/tile/", b"/tile/0", b"/tile/0/", b"/objects/",
    b"/../key", b"/tile/../../key", b"/tile/0/../../../key",
    b"/%2e%2e/key", b"/tile/%2e%2e/%2e%2e/key", b"/..%2fkey", b"/.%2e/key",
    b"/%2e%2e%2fkey", b"/tile/0/000/../../../../key", b"/./checkpoint",
    b"//checkpoint", b"/checkpoint/", b"/tile/entries/../../../key",
    b"/.staging", b"/.staging/x", b"/.next", b"/fork/1", b"/key",
    b"/tile/00/000", b"/tile/64/000", b"/tile/-1/000", b"/tile/0/0",
    b"/tile/0/0000", b"/tile/0/000.p/0", b"/tile/0/000.p/256",
    b"/tile/0/000.p/044", b"/tile/0/001.p/44/", b"/tile/0/x001",
    b"/tile/data/000", b"/objects/" + b"AB" * 32, b"/objects/" + b"ab" * 31,
    b"/objects/link", b"/" + b"tile/" * 4000, b"/etc/passwd",
    b"file:///etc/passwd", b"/checkpoint.tmp"])
def test_nothing_else_can_be_named(served, log, path):
    (log.folder / "key").chmod(0o644)
    (log.dir / ".next").write_text("a secret of the folder")
    (log.dir / "key").write_text("a secret of the folder")
    (log.dir / "checkpoint.tmp").write_text("a secret of the folder")
    status, data = raw(served, path)
    assert status in (400, 404, 414, 431), data
    assert b"secret" not in data and b"PRIVATE" not in data
    assert served.request("GET", "/checkpoint")[0] == 200


def test_symbolic_links_are_not_followed(served, log):
    os.symlink(log.folder / "key", log.dir / "objects" / ("cd" * 32))
    os.symlink(log.dir / "checkpoint", log.dir / "tile/0/007")
    for path in ("/objects/" + "cd" * 32, "/tile/0/007"):
        assert served.request("GET", path)[0] == 404


def test_wrong_usage_is_told(tmp_path):
    for args in ([], ["mirror", "a"], ["mirror", "a", "b"],
                 ["mirror", "a", "b", "--key", "nokey"], ["serve", "x"],
                 ["nothing"], ["serve", tmp_path, "--listen", "x"]):
        status, said = sworn("log", *args)
        assert status == (1 if "x" in args and tmp_path in args else 2), said
    assert (BIN / "sworn").exists()
