"""The key of a gateway's log is changed, twice: sworn-verify, a mirror and the
gateway itself go on with what they know."""
import re

from conftest import connect


def read_something(gateway):
    with connect(gateway) as c:
        assert c.execute("SELECT count(*) FROM users").fetchone()[0] > 0


def name_key(gateway, name):
    text = gateway.conf.read_text()
    new, n = re.subn(r"(?m)^  key: .*$", f"  key: {gateway.folder / name}",
                     text)
    assert n == 1, text
    gateway.conf.write_text(new)


def keyed(gateway, i):
    origin = gateway.vkey.split("+")[0]
    return gateway.sworn("key", "new", "--name", origin, "--out",
                         gateway.folder / f"key{i}")[1].strip()


def rotate(gateway, i):
    return gateway.sworn("key", "rotate", "-c", gateway.conf, "--to",
                         gateway.folder / f"key{i}", expect=None)


def test_the_logs_key_is_changed_and_readers_are_led_to_it(fresh, tmp_path):
    gateway = fresh(start=False)
    gateway.configure("observe")
    keys, copy = [gateway.vkey], tmp_path / "copy"
    gateway.start()
    read_something(gateway)
    keys.append(keyed(gateway, 1))
    status, _, said = rotate(gateway, 1)
    assert status == 1 and "running; stop it" in said
    for i in (1, 2):
        if i == 2:
            keys.append(keyed(gateway, 2))
        assert gateway.stop() == 0
        size = int((gateway.log / "checkpoint").read_text().split("\n")[1])
        gateway.sworn("log", "mirror", gateway.log, copy, "--key",
                      keys[0], expect=(0, 1))
        status, out, said = rotate(gateway, i)
        assert status == 0, said
        assert out.strip() == keys[i]
        # Again is nothing new, and one record is all that came.
        assert rotate(gateway, i)[0] == 0
        head = (gateway.log / "checkpoint").read_text().split("\n")
        assert int(head[1]) == size + 1
        # The old key does not start it any more.
        if i == 1:
            p = gateway.sworn("run", "-c", gateway.conf, expect=None)
            assert p[0] != 0 and "its newest, if it was rotated" in p[2]
        name_key(gateway, f"key{i}")
        gateway.start()
        read_something(gateway)
    assert gateway.stop() == 0
    for key in keys:
        for folder in (gateway.log, copy):
            gateway.sworn("log", "mirror", gateway.log, copy, "--key",
                          key, expect=(0, 1))
            gateway.vkey = key
            p = gateway.verify("log", folder)
            assert p[0] == 0, p
    name_key(gateway, "key0")
    # A retired key never comes back.
    (gateway.folder / "key0").write_bytes(
        (gateway.folder / "log.key").read_bytes())
    (gateway.folder / "key0").chmod(0o600)
    name_key(gateway, "key2")
    status, _, said = rotate(gateway, 0)
    assert status == 1 and "retired" in said
