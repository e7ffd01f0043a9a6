"""The Python reader of logs against the specifications' own vectors, so that
it may serve as an oracle for the log that the gateway writes."""
import base64
import hashlib
import json

import pytest
import tlog


def naive_root(leaves):
    """RFC 6962, section 2.1, word for word."""
    n = len(leaves)
    if n == 0:
        return hashlib.sha256(b"").digest()
    if n == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < n:
        k *= 2
    return hashlib.sha256(b"\1" + naive_root(leaves[:k])
                          + naive_root(leaves[k:])).digest()


def test_roots_are_those_of_rfc_6962():
    leaves = [b"", b"\0"]
    assert tlog.root_of([tlog.leaf_hash(b"")]).hex().startswith("6e340b9c")
    assert tlog.root_of([tlog.leaf_hash(x) for x in leaves]).hex() \
        .startswith("fac54203")
    for n in [0, 1, 2, 3, 5, 7, 8, 9, 255, 256, 257, 700]:
        leaves = [str(i).encode() for i in range(n)]
        assert tlog.root_of([tlog.leaf_hash(x) for x in leaves]) \
            == naive_root(leaves), n


def test_tile_names_are_those_of_the_specification():
    assert tlog.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tlog.tile_path(1, 0, 17) == "tile/1/000.p/17"
    assert tlog.tile_path("entries", 5, 3) == "tile/entries/005.p/3"
    at = [list(tlog.tiles(level, 70000)) for level in range(4)]
    assert [len(a) for a in at] == [274, 2, 1, 0]
    assert at[0][-1] == (273, 112) and at[1][-1] == (1, 17)
    assert at[2] == [(0, 1)]


def test_a_known_note_verifies_and_a_changed_one_does_not():
    key = tlog.Key("example.com/foo+530d903a+"
                   "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    signature = base64.b64decode(
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3"
        "mFXmRKuwHjG1Yu72IneyaQM=")
    assert signature[:4] == key.id
    key.check("This is an example message.\n", signature[4:])
    with pytest.raises(tlog.Broken):
        key.check("This is an example messagf.\n", signature[4:])


def test_a_written_log_reads_back_and_each_change_is_noticed(tmp_path):
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import \
        Ed25519PrivateKey
    seed = bytes(range(32))
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key() \
        .public_bytes(s.Encoding.Raw, s.PublicFormat.Raw)
    data = b"\1" + public
    key_id = hashlib.sha256(b"log.example\n" + data).digest()[:4]
    vkey = f"log.example+{key_id.hex()}+{base64.b64encode(data).decode()}"
    entries = [json.dumps({"seq": i}).encode() for i in range(600)]
    (tmp_path / "tile").mkdir()
    tlog.write_log(tmp_path, "log.example", entries, vkey, seed)
    assert tlog.check(tmp_path, vkey) == entries
    for path in [p for p in tmp_path.rglob("*") if p.is_file()]:
        whole = path.read_bytes()
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 4]) + whole[-2:])
        with pytest.raises((tlog.Broken, ValueError)):
            tlog.check(tmp_path, vkey)
        path.unlink()
        with pytest.raises((tlog.Broken, OSError)):
            tlog.check(tmp_path, vkey)
        path.write_bytes(whole)
    assert tlog.check(tmp_path, vkey) == entries
