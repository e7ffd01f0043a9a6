"""Logs to serve, copy and witness: written by write_log, so by the code that
the log process writes with; and the programs under test as processes."""
import hashlib
import http.client
import os
import pathlib
import shutil
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("SWORN_BIN", "/nonexistent"))
ORIGIN = "log.test.example/gw"


def new_key(path, name):
    p = subprocess.run([BIN / "sworn", "key", "new", "--name", name, "--out",
                        path], check=True, capture_output=True, text=True)
    return p.stdout.strip()


class Log:
    """A log of lines, which can grow, and be copied before it grows."""

    def __init__(self, folder, origin=ORIGIN):
        self.folder = folder
        folder.mkdir()
        self.origin, self.key_file = origin, folder / "key"
        self.vkey = new_key(self.key_file, origin)
        self.dir, self.n = folder / "log", 0

    def grow(self, size, flavour="", entry=None):
        """To this size; a flavour tells one history from another."""
        make = entry or (lambda i: f"entry {i} {flavour}")
        lines = "".join(make(i) + "\n" for i in range(self.n, size))
        subprocess.run([BIN / "write_log", self.key_file, self.dir,
                        self.folder / "state", self.folder / "kept",
                        str(size)], input=lines, text=True, check=True,
                       capture_output=True)
        self.n = size
        return self

    def twin(self, folder):
        """The same log, key and all, to go another way."""
        shutil.copytree(self.folder, folder)
        twin = object.__new__(Log)
        twin.__dict__ = {**self.__dict__, "folder": folder,
                         "dir": folder / "log", "key_file": folder / "key"}
        return twin

    def checkpoint(self, size=None):
        if size is None:
            return (self.dir / "checkpoint").read_text()
        return (self.folder / "kept" / str(size)).read_text()

    def leaves(self):
        """RFC 6962 leaf hashes of its entries."""
        out = []
        for i in range((self.n + 255) // 256):
            data = bundle(self.dir, i, min(256, self.n - i * 256))
            while data and len(out) < self.n:
                n = 2 + int.from_bytes(data[:2], "big")
                out.append(hashlib.sha256(b"\0" + data[2:n]).digest())
                data = data[n:]
        return out


def name_of(i):
    groups = [f"{i % 1000:03}"]
    while i >= 1000:
        i //= 1000
        groups.insert(0, f"x{i % 1000:03}")
    return "/".join(groups)


def bundle(log_dir, i, width):
    p = log_dir / "tile/entries" / name_of(i)
    part = p.with_name(p.name + ".p") / str(width)
    return (part if width < 256 and part.exists() else p).read_bytes()


def files_of(log_dir, size):
    """Names of the files that a tree of this size has, and their bytes."""
    out, level, hashes = {}, 0, size
    while hashes:
        for kind in ([level] if level else ["entries", 0]):
            for i in range((hashes + 255) // 256):
                width = min(256, hashes - i * 256)
                name = f"tile/{kind}/{name_of(i)}"
                if width < 256:
                    name += f".p/{width}"
                out[name] = (log_dir / name).read_bytes()
        level, hashes = level + 1, hashes // 256
    return out


class Server:
    """A program that prints where it listens."""

    def __init__(self, *args, cwd=None):
        self.p = subprocess.Popen([BIN / "sworn", *map(str, args)], cwd=cwd,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        line = self.p.stdout.readline()
        while line and not line.startswith("listening on "):
            line = self.p.stdout.readline()
        if not line:
            raise AssertionError(self.p.communicate()[1])
        self.host, self.port = line.split()[2].rsplit(":", 1)
        self.url = f"http://{self.host}:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.p.returncode is None:
            self.p.send_signal(signal.SIGTERM)
            err = self.p.communicate(timeout=20)[1]
            assert self.p.returncode == 0, err
            assert "Sanitizer" not in err, err

    def kill(self):
        self.p.kill()
        self.p.communicate(timeout=20)

    def request(self, method, path, body=None):
        c = http.client.HTTPConnection(self.host, int(self.port), timeout=20)
        try:
            c.request(method, path, body)
            r = c.getresponse()
            return r.status, dict(r.getheaders()), r.read()
        finally:
            c.close()


def import_logkit():
    """What makes records for the tests of sworn-verify; it finds its
    programs in sys.argv."""
    sys.path.insert(0, str(HERE.parent / "verify"))
    argv, sys.argv = sys.argv, ["", str(BIN / "make_log"),
                                str(BIN / "sworn-verify")]
    try:
        import logkit
    finally:
        sys.argv = argv
    return logkit


def sworn(*args):
    p = subprocess.run([BIN / "sworn", *map(str, args)], capture_output=True,
                       text=True, timeout=60)
    assert p.returncode in (0, 1, 2), p
    assert "Sanitizer" not in p.stderr, p.stderr
    return p.returncode, p.stdout + p.stderr
