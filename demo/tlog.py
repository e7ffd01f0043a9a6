"""Read a tile log without any of Sworn's code, and rewrite one as a cheat would.

Formats: c2sp.org/tlog-tiles, c2sp.org/tlog-checkpoint, c2sp.org/signed-note
and RFC 6962. Reading needs the standard library only; checking and making
signatures needs python3-cryptography and is imported where it is used.

It shares no code with sworn-verify on purpose: where both agree, the format
is what the specifications say and not what one program happens to write.
"""
import base64
import hashlib
import json
import pathlib

WIDTH = 256
DASH = "\u2014"


class Broken(Exception):
    """The log is not what its format or its signature promises."""


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(hashes):
    """RFC 6962's tree hash over leaf (or complete subtree) hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    row, tail = list(hashes), []
    # Level by level; an odd one out joins the right edge, kept apart.
    while len(row) > 1:
        if len(row) % 2:
            tail.append(row.pop())
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    tail.append(row[0])
    h = tail.pop(0)
    for left in tail:
        h = node_hash(left, h)
    return h


# -- names -----------------------------------------------------------------

def tile_path(level, index, width=WIDTH):
    """tile/<L>/<N>[.p/<W>]; level is a number or "entries"."""
    digits = f"{index:03}"
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[i:i + 3] for i in range(0, len(digits), 3)]
    name = "/".join(["x" + g for g in groups[:-1]] + groups[-1:])
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{name}{partial}"


def tiles(level, size):
    """(index, width) of each tile at a level of a tree of that size."""
    hashes = size // WIDTH ** level
    for index in range(hashes // WIDTH):
        yield index, WIDTH
    if hashes % WIDTH:
        yield hashes // WIDTH, hashes % WIDTH


def read_tile(log, level, index, width):
    """The tile's bytes; a reader falls back from partial to full."""
    for w in (width, WIDTH):
        try:
            return (log / tile_path(level, index, w)).read_bytes()
        except FileNotFoundError:
            pass
    raise Broken(f"{tile_path(level, index, width)} is missing")


# -- notes -----------------------------------------------------------------

class Key:
    """A verifier key: name+hex8(id)+base64(type || public key)."""

    def __init__(self, vkey):
        self.name, hex_id, data = vkey.strip().split("+", 2)
        self.id = bytes.fromhex(hex_id)
        self.data = base64.b64decode(data, validate=True)
        if self.data[0] != 1 or len(self.data) != 33:
            raise Broken("not an Ed25519 verifier key")
        want = hashlib.sha256(self.name.encode() + b"\n" + self.data).digest()
        if want[:4] != self.id:
            raise Broken("the verifier key's id does not fit it")

    def check(self, body, signature):
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import \
            Ed25519PublicKey
        try:
            Ed25519PublicKey.from_public_bytes(self.data[1:]).verify(
                signature, body.encode())
        except InvalidSignature:
            raise Broken("the checkpoint's signature is wrong") from None


class Checkpoint:
    def __init__(self, text, vkey=None):
        body, blank, signatures = text.partition("\n\n")
        if not blank:
            raise Broken("the checkpoint has no signature")
        self.text, self.body = text, body + "\n"
        lines = body.split("\n")
        if len(lines) != 3:
            raise Broken(f"the checkpoint has {len(lines)} lines, not 3")
        self.origin, size, root = lines
        self.size = int(size)
        if str(self.size) != size:
            raise Broken("the tree size is not written in plain decimal")
        self.root = base64.b64decode(root, validate=True)
        if vkey is not None:
            self.check(Key(vkey), signatures)

    def check(self, key, signatures):
        good = 0
        for line in signatures.splitlines():
            dash, name, data = line.split(" ")
            data = base64.b64decode(data, validate=True)
            if dash == DASH and name == key.name and data[:4] == key.id:
                key.check(self.body, data[4:])
                good += 1
        if good == 0:
            raise Broken(f"the checkpoint is not signed by {key.name}")


def sign_checkpoint(origin, entries, vkey, seed):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import \
        Ed25519PrivateKey
    key = Key(vkey)
    root = base64.b64encode(root_of([leaf_hash(e) for e in entries])).decode()
    body = f"{origin}\n{len(entries)}\n{root}\n"
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(body.encode())
    blob = base64.b64encode(key.id + signature).decode()
    return f"{body}\n{DASH} {key.name} {blob}\n"


# -- the log ---------------------------------------------------------------

def split_bundle(data, count):
    entries, pos = [], 0
    for _ in range(count):
        n = int.from_bytes(data[pos:pos + 2], "big")
        if pos + 2 > len(data) or pos + 2 + n > len(data):
            raise Broken("an entry bundle is cut")
        entries.append(data[pos + 2:pos + 2 + n])
        pos += 2 + n
    return entries


def join_bundle(entries):
    return b"".join(len(e).to_bytes(2, "big") + e for e in entries)


def read_checkpoint(log, vkey=None):
    return Checkpoint((pathlib.Path(log) / "checkpoint").read_text(), vkey)


def read_entries(log, size, first=0):
    """Entries first..size-1 as bytes, straight from the bundles."""
    log, entries = pathlib.Path(log), []
    for index, width in tiles(0, size):
        if (index + 1) * WIDTH <= first:
            continue
        part = split_bundle(read_tile(log, "entries", index, width), width)
        entries += part[max(0, first - index * WIDTH):]
    return entries


def read_records(log, first=0):
    """The published records as dicts, by what the checkpoint covers."""
    size = read_checkpoint(log).size
    return [json.loads(e) for e in read_entries(log, size, first)]


def check(log, vkey):
    """Everything that hashes and the signature promise; the entries."""
    log = pathlib.Path(log)
    c = read_checkpoint(log, vkey)
    entries = read_entries(log, c.size)
    row = [leaf_hash(e) for e in entries]
    if root_of(row) != c.root:
        raise Broken("the entries do not have the checkpoint's root")
    level = 0
    while row:
        for index, width in tiles(level, c.size):
            want = b"".join(row[index * WIDTH:index * WIDTH + width])
            # A full tile in place of a partial one begins the same way.
            if read_tile(log, level, index, width)[:len(want)] != want:
                raise Broken(f"{tile_path(level, index, width)} is wrong")
        row = [root_of(row[i:i + WIDTH])
               for i in range(0, len(row) - len(row) % WIDTH, WIDTH)]
        level += 1
    return entries


def write_log(log, origin, entries, vkey, seed):
    """Replaces a log's tiles and checkpoint by a tree of these entries."""
    log = pathlib.Path(log)
    for old in sorted((log / "tile").rglob("*"), reverse=True):
        old.rmdir() if old.is_dir() else old.unlink()
    row, level = [leaf_hash(e) for e in entries], 0
    while row:
        for index, width in tiles(level, len(entries)):
            part = row[index * WIDTH:index * WIDTH + width]
            write_file(log / tile_path(level, index, width), b"".join(part))
        row = [root_of(row[i:i + WIDTH])
               for i in range(0, len(row) - len(row) % WIDTH, WIDTH)]
        level += 1
    for index, width in tiles(0, len(entries)):
        part = entries[index * WIDTH:index * WIDTH + width]
        write_file(log / tile_path("entries", index, width), join_bundle(part))
    write_file(log / "checkpoint",
               sign_checkpoint(origin, entries, vkey, seed).encode())


def write_file(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def read_seed(key_file):
    """The Ed25519 seed in a file of `sworn key new`.

    It is PRIVATE+KEY+name+id+base64(type || seed), as keys of signed notes
    are commonly kept.
    """
    for word in pathlib.Path(key_file).read_text().split():
        if word.startswith("PRIVATE+KEY+"):
            data = base64.b64decode(word.split("+", 4)[4], validate=True)
            if len(data) == 33 and data[0] == 1:
                return data[1:]
    raise Broken(f"{key_file} holds no Ed25519 seed")
