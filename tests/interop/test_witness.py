"""`sworn witness run` over real HTTP: every status of tlog-witness, and that
it never forgets. Proofs and cosignatures are computed here, from RFC 6962 and
tlog-cosignature, with none of Sworn's code.
"""
import base64
import hashlib
import os
import time

import pytest
from logworld import Log, Server, new_key, sworn


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root(leaves):
    if len(leaves) <= 1:
        return leaves[0] if leaves else sha()
    k = split(len(leaves))
    return sha(b"\1", root(leaves[:k]), root(leaves[k:]))


def proof(old, leaves, whole=True):
    """RFC 6962, section 2.1.2: PROOF(m, D[n]), word for word."""
    n = len(leaves)
    if old == n:
        return [] if whole else [root(leaves)]
    k = split(n)
    if old <= k:
        return proof(old, leaves[:k], whole) + [root(leaves[k:])]
    return proof(old - k, leaves[k:], False) + [root(leaves[:k])]


def consistency(log, old):
    return proof(old, log.leaves()) if old else []


def ask(old, hashes, note):
    lines = "".join(base64.b64encode(h).decode() + "\n" for h in hashes)
    return f"old {old}\n{lines}\n{note}".encode()


class Witness:
    """Started by `with`; may be killed and started again on its state."""

    def __init__(self, folder, logs, prefix=""):
        folder.mkdir(exist_ok=True)
        self.folder, self.state = folder, folder / "state"
        self.state.mkdir()
        self.key = folder / "key"
        sworn("key", "new", "--name", "witness.example", "--out", self.key)
        self.vkey = sworn("witness", "key", self.key)[1].strip()
        self.conf = folder / "witness.yaml"
        self.prefix = prefix
        text = (f"witness: 1\nkey: {self.key}\nstate: {self.state}\n"
                f"listen: 127.0.0.1:0\nlogs:\n")
        for log, keys in logs:
            text += f"  - origin: {log.origin}\n    keys:\n"
            text += "".join(f'      - "{k}"\n' for k in keys)
        if prefix:
            text += f"prefix: {prefix}\n"
        self.conf.write_text(text)
        self.server = None

    def start(self):
        self.server = Server("witness", "run", "-c", self.conf)
        self.url = self.server.url + self.prefix
        return self

    def kill(self):
        self.server.kill()
        self.start()

    __enter__ = start

    def __exit__(self, *exc):
        self.server.__exit__(*exc)

    def post(self, body):
        return self.server.request("POST", self.prefix + "/add-checkpoint",
                                   body)

    def add(self, log, old, hashes=None, note=None):
        if hashes is None:
            hashes = consistency(log, old)
        return self.post(ask(old, hashes, note or log.checkpoint()))

    def good(self, log, old, **more):
        """A cosignature, checked; its time."""
        status, _, body = self.add(log, old, **more)
        assert status == 200, body
        return self.check(body.decode(), log.checkpoint())

    def check(self, line, note):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import \
            Ed25519PublicKey
        name, key_id, key = self.vkey.split("+", 2)
        key = base64.b64decode(key)
        assert key[0] == 4 and line.endswith("\n") and line.count("\n") == 1
        assert sha(name.encode(), b"\n", key)[:4].hex() == key_id
        dash, signer, blob = line.rstrip("\n").split(" ")
        blob = base64.b64decode(blob, validate=True)
        assert (dash, signer) == ("\u2014", name)
        assert blob[:4].hex() == key_id and len(blob) == 4 + 8 + 64
        at = int.from_bytes(blob[4:12], "big")
        body = note.split("\n\n")[0] + "\n"
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(
            blob[12:], f"cosignature/v1\ntime {at}\n{body}".encode())
        return at

    def size_of(self, log):
        """What it has recorded, by its own word: 409's body. What is asked is
        never right, so it changes nothing."""
        status, head, body = self.add(log, 0, [bytes(32)])
        if status == 422:       # a proof from nothing: it knows nothing
            return 0
        assert status == 409 and head["Content-Type"] == "text/x.tlog.size"
        return int(body)


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "world")


@pytest.fixture
def witness(log, tmp_path):
    with Witness(tmp_path / "witness", [(log, [log.vkey])]) as w:
        yield w


def test_a_growing_log_is_cosigned(witness, log):
    old = 0
    begun = int(time.time())
    for size in (1, 2, 3, 255, 256, 257, 700):
        log.grow(size)
        assert begun <= witness.good(log, old) <= time.time()
        old = size
    assert witness.size_of(log) == 700


def test_the_same_checkpoint_again_gets_a_new_time(witness, log):
    log.grow(300)
    first = witness.good(log, 0)
    assert witness.good(log, 300, hashes=[]) >= first
    assert witness.size_of(log) == 300


def test_malformed_requests_are_400_and_change_nothing(witness, log):
    log.grow(300)
    witness.good(log, 0)
    log.grow(400)
    note = log.checkpoint()
    hashes = consistency(log, 300)
    whole = ask(300, hashes, note)
    many = ask(300, [bytes(32)] * 64, note)
    for body in (b"", b"\n", b"old 300\n", b"old 300", whole[4:],
                 whole.replace(b"old 300", b"old 0300"),
                 whole.replace(b"old 300", b"old -1"),
                 whole.replace(b"old 300", b"old +300"),
                 whole.replace(b"old 300", b"old 300 "),
                 whole.replace(b"old 300", b"Old 300"),
                 whole.replace(b"old 300", b"old 18446744073709551616"),
                 whole.replace(b"=\n", b"\n", 1),
                 whole.replace(b"\n", b"\r\n"), many,
                 ask(300, [b"short"], note), ask(300, hashes, ""),
                 ask(300, hashes, note.split("\n\n")[0] + "\n"),
                 ask(300, hashes, note + "no signature line\n"),
                 ask(300, hashes, note[:-1]), ask(401, hashes, note)):
        status, _, said = witness.post(body)
        assert status == 400, (body, said)
    assert witness.size_of(log) == 300
    assert witness.post(whole)[0] == 200


def test_a_checkpoint_that_its_key_did_not_sign_is_403(
        witness, log, tmp_path):
    log.grow(300)
    other = Log(tmp_path / "other").grow(300)   # same origin, another key
    assert witness.add(other, 0)[0] == 403
    body, sig = log.checkpoint().split("\n\n")
    lead, _, blob = sig.strip().rpartition(" ")
    blob = bytearray(base64.b64decode(blob))
    blob[30] ^= 1
    bad = f"{body}\n\n{lead} {base64.b64encode(blob).decode()}\n"
    assert witness.add(log, 0, note=bad)[0] == 403
    assert witness.add(log, 0, note=log.checkpoint() + bad.split(
        "\n\n")[1])[0] == 403
    # Signatures of others beside the right one are no matter.
    more = log.checkpoint() + other.checkpoint().split("\n\n")[1]
    assert witness.size_of(log) == 0
    assert witness.add(log, 0, note=more)[0] == 200


def test_what_it_does_not_know_is_404_and_other_methods_405(
        witness, log, tmp_path):
    log.grow(3)
    other = Log(tmp_path / "other", "log.test.example/other").grow(3)
    assert witness.add(other, 0)[0] == 404
    request = witness.server.request
    for path in ("/", "/add-checkpoint/", "/x/add-checkpoint",
                 "/add-checkpointx", "/state", "/../state"):
        assert request("POST", path, b"x")[0] == 404, path
    for method in ("GET", "PUT", "DELETE"):
        status, head, _ = request(method, "/add-checkpoint")
        assert status == 405 and head["Allow"] == "POST"


def test_an_old_size_that_is_not_the_recorded_one_is_409(witness, log):
    log.grow(300)
    witness.good(log, 0)
    log.grow(600)
    for old in (0, 1, 299, 301, 600):
        status, head, body = witness.add(log, old)
        assert (status, body) == (409, b"300\n"), old
        assert head["Content-Type"] == "text/x.tlog.size"
    assert witness.good(log, 300)


def test_a_wrong_proof_is_422(witness, log):
    log.grow(300)
    right = log.checkpoint()
    assert witness.add(log, 0, [bytes(32)])[0] == 422   # none is due
    assert witness.good(log, 0)
    log.grow(600)
    hashes = consistency(log, 300)
    for i in range(len(hashes)):
        bad = list(hashes)
        bad[i] = bytes([bad[i][0] ^ 1]) + bad[i][1:]
        assert witness.add(log, 300, bad)[0] == 422
        assert witness.add(log, 300, hashes[:i] + hashes[i + 1:])[0] == 422
    assert witness.add(log, 300, hashes + hashes[:1])[0] == 422
    assert witness.add(log, 300, [])[0] == 422
    assert witness.add(log, 300, hashes[:1], note=right)[0] == 422
    assert witness.size_of(log) == 300
    assert witness.good(log, 300)


def test_a_fork_is_never_cosigned(witness, log, tmp_path):
    log.grow(300)
    twin = log.twin(tmp_path / "twin")
    log.grow(400, "one way")
    twin.grow(400, "another way")
    assert witness.good(log, 0)
    assert witness.add(twin, 400, [])[0] == 422     # the same size
    twin.grow(500, "another way")
    assert witness.add(twin, 400)[0] == 422
    assert witness.add(twin, 300)[0] == 409
    log.grow(500, "one way")
    assert witness.good(log, 400)


def test_kill_9_between_requests_forgets_nothing(log, tmp_path):
    with Witness(tmp_path / "witness", [(log, [log.vkey])]) as witness:
        log.grow(100)
        old_note, old = log.checkpoint(), 0
        for size in (100, 300, 301, 700):
            log.grow(size)
            assert witness.good(log, old)
            witness.kill()
            assert witness.size_of(log) == size
            old = size
        # An old backup of the log asks: it is told what is known.
        status, _, body = witness.add(log, 0, [], note=old_note)
        assert (status, body) == (409, b"700\n")
        assert witness.add(log, 700, [], note=old_note)[0] == 400


def test_what_cannot_be_stored_is_not_cosigned(witness, log):
    log.grow(300)
    assert witness.good(log, 0)
    log.grow(400)
    os.chmod(witness.state, 0o500)
    try:
        status, _, body = witness.add(log, 300)
        assert status == 500 and "\u2014".encode() not in body
        assert witness.size_of(log) == 300
    finally:
        os.chmod(witness.state, 0o700)
    assert witness.good(log, 300)


def test_several_logs_with_their_keys(log, tmp_path):
    other = Log(tmp_path / "other", "log.test.example/other")
    again = Log(tmp_path / "again", other.origin)   # its next key
    logs = [(log, [log.vkey]), (other, [other.vkey, again.vkey])]
    with Witness(tmp_path / "witness", logs, "/w/1") as witness:
        log.grow(300)
        other.grow(500)
        assert witness.good(other, 0)
        assert witness.good(log, 0)
        assert witness.size_of(log) == 300
        assert witness.size_of(other) == 500
        assert witness.server.request("POST", "/add-checkpoint", b"")[0] \
            == 404
        # By either key; what counts is that the tree only grows.
        assert witness.add(again.grow(500, "x"), 500)[0] == 422
        assert witness.add(again, 0)[0] == 409


def test_a_key_that_was_followed_by_the_next_signs_no_more(tmp_path):
    log = Log(tmp_path / "one")
    new = log.twin(tmp_path / "two")            # the same entries ...
    new.vkey = new_key(tmp_path / "next", log.origin)
    (new.folder / "key").unlink()
    (tmp_path / "next").rename(new.folder / "key")
    log.grow(300)
    logs = [(log, [log.vkey, new.vkey])]
    with Witness(tmp_path / "witness", logs) as witness:
        assert witness.good(log, 0)
        assert new.grow(500).vkey != log.vkey   # ... by the next key
        assert witness.good(new, 300)
        log.grow(600)
        for _ in range(2):
            status, _, said = witness.add(log, 500)
            assert status == 403 and b"no signature by a key" in said
            assert witness.size_of(new) == 500
            witness.kill()                      # nor after a restart
        both = new.grow(700).checkpoint() \
            + log.grow(700).checkpoint().split("\n\n")[1]
        assert witness.add(new, 500, note=both)[0] == 200
        assert witness.add(log, 700, [])[0] == 403


def test_too_long_a_request_is_refused(witness, log):
    log.grow(1)
    assert witness.post(b"old 0\n\n" + b"x" * 100000)[0] == 413
    assert witness.good(log, 0)


def test_it_does_not_start_on_what_is_wrong(log, tmp_path):
    log.grow(300)
    with Witness(tmp_path / "witness", [(log, [log.vkey])]) as witness:
        assert witness.good(log, 0)
        status, said = sworn("witness", "run", "-c", witness.conf)
        assert status == 1 and "in use" in said     # two on one state
    state = witness.state / hashlib.sha256(log.origin.encode()).hexdigest()
    whole = state.read_bytes()
    for bad in (whole[:-5], whole.replace(b"\n300\n", b"\n200\n"), b""):
        state.write_bytes(bad)
        status, said = sworn("witness", "run", "-c", witness.conf)
        assert status == 1 and log.origin in said, said
    state.write_bytes(whole)
    text = witness.conf.read_text()
    for a, b in (("witness: 1", "witness: 2"), ("keys:", "kyes:"),
                 (log.vkey, log.vkey[:-2]), ("state:", "states:"),
                 ("listen: 127.0.0.1:0", "listen: here"),
                 ("logs:\n", "prefix: w/\nlogs:\n"),
                 (log.vkey, witness.vkey)):
        witness.conf.write_text(text.replace(a, b))
        assert sworn("witness", "run", "-c", witness.conf)[0] == 1, b
    witness.conf.write_text(text)
    witness.key.chmod(0o644)
    status, said = sworn("witness", "run", "-c", witness.conf)
    assert status == 1 and "others" in said
    witness.key.chmod(0o600)
    with witness:
        assert witness.size_of(log) == 300


def test_what_was_answered_is_on_the_disk(witness, log):
    state = witness.state / hashlib.sha256(log.origin.encode()).hexdigest()
    for old, size in ((0, 300), (300, 301)):
        log.grow(size)
        assert witness.good(log, old)
        assert state.read_text() == log.checkpoint()
        assert {p.name for p in witness.state.iterdir()} \
            == {state.name, "lock"}
