"""Keys that are encrypted or in a token, through the gateway: the openssl
program and SoftHSM are the other side, sworn-verify reads what was signed."""
import base64
import contextlib
import hashlib
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess

import pytest
from conftest import connect
from world import Daemon, descendants, wait_for

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PASS = "a long passphrase"


def read_something(gateway):
    with connect(gateway) as c:
        assert c.execute("SELECT count(*) FROM users").fetchone()[0] > 0


def sealed(path, text=PASS):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def name_key(gateway, key, secret=None):
    text = gateway.conf.read_text()
    text = re.sub(r"(?m)^  key-secret: .*\n", "", text)
    more = f"\n  key-secret: '{secret}'" if secret else ""
    new, n = re.subn(r"(?m)^  key: .*$", f"  key: {key}{more}", text)
    assert n == 1, text
    gateway.conf.write_text(new)


def origin(gateway):
    return gateway.vkey.split("+")[0]


def new_key(gateway, name, *more):
    path = gateway.folder / name
    gateway.vkey = gateway.sworn("key", "new", "--name", origin(gateway),
                                 "--out", path, *more)[1].strip()
    return path


def verified(gateway):
    assert gateway.stop() == 0
    assert gateway.verify("log", gateway.log)[0] == 0


def openssl(*args, text=None):
    return subprocess.run(["openssl", *map(str, args)], input=text, text=True,
                          check=True, capture_output=True).stdout


def test_openssl_opens_our_key_and_its_key_signs_our_log(fresh, tmp_path):
    gateway = fresh(start=False)
    secret = sealed(tmp_path / "pass")
    ours = new_key(gateway, "ours", "--secret", f"file:{secret}")
    assert ours.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE+KEY" not in ours.read_text()
    der = openssl("pkey", "-in", ours, "-passin", f"file:{secret}", "-pubout")
    point = base64.b64decode("".join(der.splitlines()[1:-1]))[-32:]
    assert base64.b64decode(gateway.vkey.split("+", 2)[2]) == b"\1" + point
    with pytest.raises(subprocess.CalledProcessError):
        openssl("pkey", "-in", ours, "-passin", "pass:another", "-noout")

    pem = openssl("genpkey", "-algorithm", "ed25519")
    box = openssl("pkcs8", "-topk8", "-scrypt", "-passout", f"file:{secret}",
                  text=pem)
    der = openssl("pkey", "-pubout", text=pem)
    key = b"\1" + base64.b64decode("".join(der.splitlines()[1:-1]))[-32:]
    name = origin(gateway)
    vkey = "+".join([name, hashlib.sha256(
        name.encode() + b"\n" + key).hexdigest()[:8],
        base64.b64encode(key).decode()])
    theirs = gateway.folder / "theirs"
    theirs.write_text(f"{vkey}\n{box}")
    theirs.chmod(0o600)
    assert gateway.sworn("key", "show", theirs)[1].strip() == vkey
    name_key(gateway, theirs, f"file:{secret}")
    gateway.sworn("check", "-c", gateway.conf)
    gateway.vkey = vkey
    gateway.start()
    read_something(gateway)
    verified(gateway)


def test_a_passphrase_that_is_read_once_serves_each_log_process(
        fresh, tmp_path):
    gateway = fresh(start=False)
    secret = sealed(tmp_path / "pass")
    name_key(gateway, new_key(gateway, "key", "--secret", f"file:{secret}"),
             "fd:5")
    gateway.daemon = Daemon(
        ["sh", "-c", 'exec "$0" run -c "$1" 5<"$2"', gateway.bin / "sworn",
         gateway.conf, secret], gateway.folder / "sworn-fd.err")
    gateway.wait_ready()
    secret.unlink()
    for _ in range(2):
        read_something(gateway)
        old = gateway.process("log")
        os.kill(old, signal.SIGKILL)
        wait_for("the next log process", lambda: gateway.health() == 200 and
                 old not in descendants(gateway.daemon.pid))
    read_something(gateway)
    # Nobody of the same user looks into a process that has had the secret.
    for pid in (gateway.daemon.pid, gateway.process("log"),
                gateway.process("gateway")):
        with pytest.raises(PermissionError):
            pathlib.Path(f"/proc/{pid}/mem").open("rb")
    # In all its threads: the list of calls, no new privileges.
    tasks = list(pathlib.Path(
        f"/proc/{gateway.process('log')}/task").glob("*/status"))
    assert len(tasks) > 1
    for task in tasks:
        said = dict(x.split(":", 1) for x in task.read_text().splitlines())
        assert said["Seccomp"].strip() == "2"
        assert said["NoNewPrivs"].strip() == "1"
    verified(gateway)


def test_without_the_right_passphrase_nothing_starts(fresh, tmp_path):
    gateway = fresh(start=False)
    secret = sealed(tmp_path / "pass")
    key = new_key(gateway, "key", "--secret", f"file:{secret}")
    name_key(gateway, key)
    status, _, said = gateway.sworn("check", "-c", gateway.conf, expect=None)
    assert status == 1 and "log.key-secret" in said
    status, _, said = gateway.sworn("run", "-c", gateway.conf, expect=None)
    assert status == 1 and "encrypted" in said
    name_key(gateway, key, f"file:{sealed(tmp_path / 'other', 'another')}")
    status, _, said = gateway.sworn("run", "-c", gateway.conf, expect=None)
    assert status == 1 and "not its passphrase" in said
    assert "another" not in said and PASS not in said
    secret.chmod(0o644)
    name_key(gateway, key, f"file:{secret}")
    status, _, said = gateway.sworn("run", "-c", gateway.conf, expect=None)
    assert status == 1 and "can be read by others" in said
    for wrong in ("env:PASS", "file:", "fd:x"):
        name_key(gateway, key, wrong)
        status, _, said = gateway.sworn("check", "-c", gateway.conf,
                                        expect=None)
        assert status == 1 and "credential:NAME" in said
    assert not (gateway.log / "checkpoint").exists()


def typed(argv, *lines):
    """Runs a program on a terminal of its own, answering each question;
    exit status and what stood on the terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            os.execv(argv[0], [str(a) for a in argv])
        os._exit(127)
    shown, lines = b"", list(lines)
    with contextlib.suppress(OSError):          # its end is an EIO
        while data := os.read(fd, 4096):
            shown += data
            if data.endswith(b": ") and lines:
                os.write(fd, lines.pop(0).encode() + b"\n")
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_a_person_is_asked_twice_and_the_terminal_shows_nothing(
        bin_dir, tmp_path):
    argv = [bin_dir / "sworn", "key", "new", "--name", "log.example",
            "--out", tmp_path / "key", "--secret", "prompt"]
    status, shown = typed(argv, PASS, PASS + "x")
    assert status == 1 and "not the same" in shown
    assert not (tmp_path / "key").exists()
    status, shown = typed(argv, PASS, PASS)
    assert status == 0 and PASS not in shown, shown
    openssl("pkey", "-in", tmp_path / "key", "-passin", f"pass:{PASS}",
            "-noout")
    with open("/dev/null") as nobody:
        p = subprocess.run([str(a) for a in argv[:-3]] + [
            str(tmp_path / "other"), "--secret", "prompt"], stdin=nobody,
            capture_output=True, text=True, start_new_session=True)
    assert p.returncode == 1 and "no terminal" in p.stderr


@pytest.fixture
def token(tmp_path, monkeypatch):
    """A SoftHSM token of its own; the URI of a key in it, and the PIN's
    source."""
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n"
                    "objectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label",
                    "sworn", "--so-pin", "12345678", "--pin", "87654321"],
                   check=True, capture_output=True)
    pin = sealed(tmp_path / "pin", "87654321")

    def uri(name, more=""):
        return (f"pkcs11:token=sworn;object={name}?module-path={MODULE}"
                f"{more}")
    return uri, f"file:{pin}"


def token_processes(gateway):
    found = []
    for pid in descendants(gateway.daemon.pid):
        with contextlib.suppress(OSError):
            name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            found += [pid] if name == "sworn-token" else []
    return found


def test_a_token_signs_the_log_and_may_fail_under_it(fresh, token):
    uri, pin = token
    gateway = fresh(start=False)
    first = gateway.folder / "log.key"
    gateway.start()                 # a log with a key in a file, at first
    read_something(gateway)
    assert gateway.stop() == 0
    old = gateway.vkey
    key = new_key(gateway, "token.key", "--token", uri("log"), "--secret",
                  pin)
    assert gateway.sworn("key", "show", key)[1].strip() == gateway.vkey
    assert "87654321" not in key.read_text()
    name_key(gateway, first)
    gateway.sworn("key", "rotate", "-c", gateway.conf, "--to", key,
                  "--secret", pin)
    name_key(gateway, key, pin)
    gateway.start()
    read_something(gateway)
    one, = token_processes(gateway)
    os.kill(one, signal.SIGKILL)
    wait_for("another process for the token", lambda: gateway.health() == 200
             and token_processes(gateway) not in ([], [one]))
    read_something(gateway)
    # None stays behind when its log process is killed.
    one, = token_processes(gateway)
    os.kill(gateway.process("log"), signal.SIGKILL)
    wait_for("it to end with its log process", lambda: one not in
             token_processes(gateway) and gateway.health() == 200)
    read_something(gateway)
    verified(gateway)
    gateway.vkey = old
    assert gateway.verify("log", gateway.log)[0] == 0


def test_what_is_wrong_with_a_token_is_told(fresh, token, tmp_path):
    uri, pin = token
    gateway = fresh(start=False)
    key = new_key(gateway, "token.key", "--token", uri("log"), "--secret",
                  pin)

    def refused(*args):
        status, _, said = gateway.sworn(
            "key", "new", "--name", "x", "--out", gateway.folder / "none",
            *args, expect=None)
        assert status in (1, 2) and not (gateway.folder / "none").exists()
        return said
    assert "needs its PIN" in refused("--token", uri("log"))
    wrong = f"file:{sealed(tmp_path / 'wrong', '11111111')}"
    assert "not let us in" in refused("--token", uri("log"), "--secret",
                                      wrong)
    for text, words in {
            uri("log").replace("=sworn", "=other"): "no token is there",
            uri("log", "&pin-value=87654321"): "has a PIN in it",
            uri("log", f"&pin-source={pin}"): "has a PIN in it",
            f"pkcs11:token=sworn?module-path={MODULE}": "names no key",
            f"pkcs11:token=sworn;object=a?module-path={pin}": "module",
            "pkcs11:token=sworn;object=a?module-path=x.so": "whole path",
            "token=sworn;object=a": "not a URI"}.items():
        assert words in refused("--token", text, "--secret", pin), text
    # A file that names another key than the token has; one that it has not.
    vkey = gateway.sworn("key", "new", "--name", origin(gateway), "--out",
                         gateway.folder / "plain")[1].strip()
    for text, words in {f"{vkey}\n{uri('log')}\n": "another one than its file",
                        f"{vkey}\n{uri('none')}\n": "no Ed25519 key"}.items():
        key.write_text(text)
        name_key(gateway, key, pin)
        status, _, said = gateway.sworn("run", "-c", gateway.conf,
                                        expect=None)
        assert status == 1 and words in said, said
    assert not (gateway.log / "checkpoint").exists()


def test_a_witness_keeps_its_key_as_a_log_does(bin_dir, token, tmp_path):
    uri, pin = token
    secret = sealed(tmp_path / "pass")
    (tmp_path / "state").mkdir()
    log = subprocess.run([bin_dir / "sworn", "key", "new", "--name", "l",
                          "--out", tmp_path / "log"], capture_output=True,
                         text=True, check=True).stdout.strip()
    for i, (more, source) in enumerate((
            (["--secret", f"file:{secret}"], f"file:{secret}"),
            (["--secret", pin, "--token", uri("witness")], pin))):
        key, conf = tmp_path / f"key{i}", tmp_path / f"conf{i}"
        subprocess.run([bin_dir / "sworn", "key", "new", "--name", "w",
                        "--out", key, *more], check=True, capture_output=True)
        vkey = subprocess.run([bin_dir / "sworn", "witness", "key", key],
                              capture_output=True, text=True,
                              check=True).stdout.strip()
        conf.write_text(f"witness: 1\nkey: {key}\nkey-secret: {source}\n"
                        f"state: {tmp_path / 'state'}\nlisten: 127.0.0.1:0\n"
                        f"logs:\n  - keys: ['{log}']\n")
        with subprocess.Popen([bin_dir / "sworn", "witness", "run", "-c",
                               conf], stdout=subprocess.PIPE, text=True) as p:
            assert p.stdout.readline().strip() == vkey
            host, port = p.stdout.readline().split()[2].rsplit(":", 1)
            with socket.create_connection((host, int(port)), 20) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert s.recv(100).startswith(b"HTTP/1")
            p.terminate()
        assert p.returncode == 0
