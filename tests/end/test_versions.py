"""What was in force at a time, told from a log and the texts beside it.

A real gateway is started, reloaded, stopped and started again, with stores
that no session needs. What `--log DIR --at TIME` answers must be, word for
word, what `-c FILE --at TIME` answers when the files of that version are put
back: they never went through a log.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
import yaml

import world as demo_world
from conftest import SANITIZER

TEXTS = ("sworn.conf", "policy.yaml", "directory.yaml",
         "catalog-international.yaml", "catalog-domestic.yaml")
BIG = 17 << 20
QUESTIONS = [
    ("explain", "ethan", "us"),
    ("explain", "ethan", "us", "--purpose", "analytics", "--json"),
    ("explain", "feed-international", "us"),
    ("control", "ethan"),
    ("control", "ethan", "--facts"),
    ("who-can", "--store", "us", "--category", "contact"),
    ("who-can", "--widest", "--json"),
    ("policy", "lint"),
]


class Past:
    """A gateway with five versions, and the files of each of them."""

    def __init__(self, folder, bin_dir):
        self.world = demo_world.World(folder, bin_dir)
        self.gateway = self.world.gateway
        self.kept = []              # (folder, in_force record)
        self.folder = pathlib.Path(folder)

    def live(self):
        g = self.gateway
        g.create()
        for store in self.world.stores.values():
            store.port = 1          # nobody asks them anything
        g.configure("enforce")
        g.start()
        self.keep()
        # A rule, a fact and a store's service go; a store goes.
        self.edit("policy.yaml", lambda p: p["rules"].pop())
        self.edit("directory.yaml", self.move_ethan)
        self.edit("sworn.conf", self.take_feed)
        self.reload()
        self.edit("sworn.conf", lambda c: c["stores"].pop("domestic"))
        self.edit("catalog-international.yaml", self.unlist)
        self.reload()
        g.stop()
        # From here on the directory is larger than any message or buffer.
        self.grow()
        g.start()
        self.keep()
        self.grow(1)
        self.reload()
        demo_world.wait_for("all to be published", lambda: len(
            [r for r in g.records() if r["type"] == "in_force"]) == 5)
        g.stop()
        self.records = g.records()
        versions = [r for r in self.records if r["type"] == "in_force"]
        self.kept = list(zip(self.kept, versions))

    @staticmethod
    def move_ethan(d):
        d["people"]["ethan"]["site"] = "dublin"
        d["people"]["ethan"]["roles"] = ["moderator"]
        d["people"]["nora"] = {**d["people"]["aoife"], "name": "Nora"}

    @staticmethod
    def take_feed(c):
        c["stores"]["us"]["services"].pop("feed-international")

    @staticmethod
    def unlist(c):
        table = c["tables"]["public.profiles"]
        table["columns"]["phone"] = "identity"

    def grow(self, lines=BIG // 63 + 1):
        with open(self.path("directory.yaml"), "a") as f:
            f.writelines(f"# {i:060}\n" for i in range(lines))

    def path(self, name):
        return self.gateway.folder / name

    def keep(self):
        to = self.folder / f"kept-{len(self.kept)}"
        to.mkdir()
        for name in TEXTS:
            shutil.copy2(self.path(name), to / name)
        self.kept.append(to)

    def edit(self, name, change):
        tree = yaml.load(self.path(name).read_text(), yaml.BaseLoader)
        change(tree)
        self.path(name).write_text(yaml.safe_dump(
            json.loads(json.dumps(tree)), sort_keys=False))

    def reload(self):
        self.gateway.sworn("reload", self.gateway.conf)
        self.keep()

    def put_back(self, folder):
        for name in TEXTS:
            shutil.copy2(folder / name, self.path(name))

    def ask(self, *args, log=None, expect=(0,)):
        return self.gateway.sworn(*args, "--log", log or self.gateway.log,
                                  "--key", self.gateway.vkey, expect=expect)

    def refused(self, *args, log=None):
        code, out, err = self.ask(*args, log=log, expect=(1,))
        assert out == ""
        return err

    def log_copy(self):
        to = self.folder / "copy"
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.gateway.log, to)
        return to


@pytest.fixture(scope="module")
def past(bin_dir):
    with tempfile.TemporaryDirectory(prefix="w", dir=os.environ.get(
            "SWORN_SCRATCH")) as folder:
        p = Past(folder, bin_dir)
        try:
            p.live()
            yield p
        finally:
            p.world.close()
            said = [f.read_text(errors="replace") for f in
                    pathlib.Path(folder).glob("gateway/sworn-*.err")]
    for text in said:
        assert not SANITIZER.search(text), text


def without_paths(text):
    """A text is told by its file, or by its object."""
    return re.sub(r"\S*/(objects/[0-9a-f]{64}|[\w-]+\.yaml)", "FILE", text)


def test_each_version_answers_as_its_files_did(past):
    answers = []
    for folder, version in past.kept:
        past.put_back(folder)
        large = (folder / "directory.yaml").stat().st_size > BIG
        for question in QUESTIONS[:1] if large else QUESTIONS:
            at = ("--at", version["time"])
            want = past.gateway.sworn(*question, "-c", past.gateway.conf,
                                      *at, expect=None)
            got = past.ask(*question, *at, expect=None)
            assert got[:2] == want[:2], (question, version["time"], got)
            head, _, rest = got[2].partition("\n")
            assert head.startswith(f"as of {version['time']}: version ")
            assert version["policy"][:12] in head
            assert without_paths(rest) == without_paths(want[2])
            answers.append(want[1])
    # The first two versions do differ, or this has shown nothing.
    for i, question in enumerate(QUESTIONS):
        if question[0] in ("explain", "who-can"):
            assert answers[i] != answers[len(QUESTIONS) + i], question


def test_between_two_versions_the_earlier_one_decides(past):
    times = [v["time"] for _, v in past.kept]
    later = past.records[[r["seq"] for r in past.records].index(
        past.kept[1][1]["seq"]) - 1]
    assert times[0] <= later["time"] <= times[1]
    if later["time"] < times[1]:
        err = past.ask("control", "ethan", "--at", later["time"])[2]
        assert f"in force since {times[0]}" in err
    err = past.ask("control", "ethan", "--at", times[1])[2]
    assert f"in force since {times[1]}" in err


def test_without_a_time_it_is_as_of_the_logs_end(past):
    last = past.records[-1]["time"]
    assert past.records[-1]["type"] == "stop"
    assert f"as of {last}: version 5" in past.ask("control", "ethan")[2]


def test_times_that_no_version_decided_are_refused_with_the_reason(past):
    first = past.kept[0][1]["time"]
    for at, words in [("2020-01-01", f"first version came into force at "
                       f"{first}"), ("2999-01-01", "the log ends at "
                                     + past.records[-1]["time"])]:
        for command in (("explain", "ethan", "us"), ("control", "ethan"),
                        ("who-can",), ("policy", "lint")):
            assert words in past.refused(*command, "--at", at)
    # Between the stop and the next start nothing decides.
    stop = next(r for r in past.records if r["type"] == "stop")
    boot = next(r for r in past.records if r["seq"] == stop["seq"] + 1)
    assert boot["type"] == "boot" and boot["time"] > stop["time"]
    err = past.refused("control", "ethan", "--at", boot["time"])
    assert f"the gateway stopped at {stop['time']}" in err
    assert past.kept[3][1]["time"] in err


def test_key_that_did_not_sign_the_log_is_refused(past):
    other = past.gateway.sworn("key", "new", "--name", "other.example/log",
                               "--out", past.folder / "other.key")[1]
    code, out, err = past.gateway.sworn(
        "control", "ethan", "--log", past.gateway.log, "--key",
        other.strip().splitlines()[-1], expect=(1,))
    assert out == "" and "is not signed by the key given" in err
    # With none it is said whose word that is.
    err = past.gateway.sworn("control", "ethan", "--log",
                             past.gateway.log)[2]
    assert "warning: no --key" in err and past.gateway.vkey in err


def test_log_or_text_that_was_changed_is_refused(past):
    log = past.log_copy()
    at = ("--at", past.kept[0][1]["time"])
    policy = log / "objects" / past.kept[0][1]["policy"]
    text = policy.read_bytes()
    policy.write_bytes(text.replace(b"permit", b"forbid", 1))
    err = past.refused("control", "ethan", *at, log=log)
    assert "policy" in err and "holds other bytes than its name says" in err
    policy.unlink()
    err = past.refused("explain", "ethan", "us", *at, log=log)
    assert str(policy) in err and "sworn log mirror" in err
    # Another version does not need it.
    past.ask("control", "ethan", log=log)
    policy.symlink_to("/dev/zero")
    assert "cannot be read" in past.refused("control", "ethan", *at, log=log)
    policy.unlink()
    policy.write_bytes(text)
    past.ask("control", "ethan", *at, log=log)
    bundle = max((log / "tile" / "entries").glob("000.p/*"),
                 key=lambda p: int(p.name))
    entries = bundle.read_bytes()
    assert entries.count(b'"reload"') == 3
    bundle.write_bytes(entries.replace(b'"reload"', b'"start" ', 1))
    err = past.refused("control", "ethan", *at, log=log)
    assert "not the one that the log promised" in err \
        and "nothing in it is relied on" in err
    # No log at all.
    assert "is no log" in past.gateway.sworn(
        "who-can", "--log", past.folder, expect=(1,))[2]


def test_one_source_and_one_only_is_asked(past):
    conf, log = past.gateway.conf, past.gateway.log
    for wrong in ((), ("-c", conf, "--log", log),
                  ("-c", conf, "--key", past.gateway.vkey),
                  ("--log", log, "--log", log)):
        for command in (("explain", "ethan", "us"), ("control", "ethan"),
                        ("who-can",), ("policy", "lint")):
            err = past.gateway.sworn(*command, *wrong, expect=(2,))[2]
            assert "usage: sworn" in err and "--log DIR" in err


def test_record_names_stores_and_the_roles_of_services(past):
    stores = {r["store"]: r for r in past.records[:past.kept[0][1]["seq"]]
              if r["type"] == "store"}
    conf = yaml.load((past.kept[0][0] / "sworn.conf").read_text(),
                     yaml.BaseLoader)
    for name, store in stores.items():
        assert {s["principal"]: s["role"] for s in store["services"]} == \
            conf["stores"][name]["services"]
    names = [{s["store"] for s in v["stores"]} for _, v in past.kept]
    assert names[0] == names[1] == set(conf["stores"])
    assert names[2] == names[3] == names[4] == names[0] - {"domestic"}


# -- the history ------------------------------------------------------------------

def history(past, *more, **how):
    return json.loads(past.ask("policy", "history", "--json", *more,
                               **how)[1])


def counts(added=0, removed=0, changed=0):
    return {"added": added, "removed": removed, "changed": changed}


def test_history_has_every_version_and_what_changed(past):
    told = history(past)
    assert told["gateway"] == "gw-demo"
    assert told["first"] == past.records[0]["time"]
    assert told["last"] == past.records[-1]["time"]
    assert told["log"] == past.gateway.vkey.split("+")[0]
    got = told["versions"]
    stops = [r["time"] for r in past.records if r["type"] == "stop"]
    times = [v["time"] for _, v in past.kept]
    assert [v["version"] for v in got] == [1, 2, 3, 4, 5]
    assert [v["end"] for v in got] == [
        "replaced", "replaced", "stopped", "replaced", "stopped"]
    assert [v["until"] for v in got] == [
        times[1], times[2], stops[0], times[4], stops[1]]
    for v, (_, r) in zip(got, past.kept):
        assert v["from"] == r["time"] and v["seq"] == r["seq"]
        for k in ("cause", "config", "policy", "directory"):
            assert v[k] == r[k]
        assert v["by"] == r.get("by")
        assert {s["store"] for s in v["stores"]} == {
            s["store"] for s in r["stores"]}
    assert [v["by"] is not None for v in got] == [
        False, True, True, False, True]
    # By hand, from what the fixture changes.
    assert got[0]["changes"] is None
    for v, rules, principals, stores in [
            (got[1], counts(removed=1), counts(added=1, changed=1),
             counts(changed=1)),
            (got[2], counts(), counts(), counts(removed=1, changed=2)),
            (got[3], counts(), counts(), counts()),
            (got[4], counts(), counts(), counts())]:
        assert v["changes"]["rules"] == rules, v
        assert v["changes"]["principals"] == principals, v
        assert v["changes"]["stores"] == stores, v
    assert [v["changes"]["directory"] for v in got[1:]] == [
        True, False, True, True]
    words = past.ask("policy", "history")[1]
    assert "1 rule taken out, 1 principal added, 1 principal changed, " \
        "1 store changed" in words
    assert "the directory's text but nothing said of a principal" in words
    assert "5 versions of gateway gw-demo" in words


def reach(past, at):
    """Cells by principal: from who-can, which decides by other code paths
    than a comparison does."""
    out = json.loads(past.ask("who-can", "--json", "--at", at)[1])
    cells = {}
    for p in out["found"]:
        for way in p["ways"]:
            for t in way["tables"]:
                for level, names in ((2, t["plain"]), (1, t["mask"])):
                    for c in names:
                        for r in t["residences"]:
                            key = (p["principal"], way["store"], t["table"],
                                   r, c)
                            cells[key] = max(cells.get(key, 0), level)
    return cells


def test_difference_names_whoever_reaches_something_else(past):
    got = history(past, "--diff")["versions"]
    reaches = [reach(past, v["from"]) for v in got[:3]]
    for before, after, version in zip(reaches, reaches[1:], got[1:]):
        want = {k[0] for k in before.keys() | after.keys()
                if before.get(k) != after.get(k)}
        assert want
        named = set(re.findall(r"^(\S+) \(", version["diff"], re.M))
        assert named == want, (version["version"], version["diff"])
    # A store and a column that are gone, and a reader who is new.
    assert "store domestic" in got[2]["diff"] \
        and "loses" in got[2]["diff"]
    assert "nora (Nora), a person" in got[1]["diff"]


def test_policy_diff_of_the_shown_texts_is_the_historys(past, tmp_path):
    """Where the policy alone changed: by sworn policy diff on files."""
    for n in (1, 2):
        past.ask("policy", "show", "--version", str(n), "--out",
                 tmp_path / str(n))
    for n, (folder, r) in enumerate(past.kept[:2], 1):
        shown = tmp_path / str(n)
        assert (shown / "policy.yaml").read_bytes() == \
            (folder / "policy.yaml").read_bytes()
        assert (shown / "directory.yaml").read_bytes() == \
            (folder / "directory.yaml").read_bytes()
        catalogs = {hashlib.sha256(p.read_bytes()).hexdigest()
                    for p in shown.glob("catalog-*.yaml")}
        assert catalogs == {hashlib.sha256((folder / c).read_bytes())
                            .hexdigest() for c in TEXTS if "catalog" in c}
        # On its own the policy goes to standard output, by any name.
        for name in (str(n), r["config"], r["config"][:8]):
            assert past.ask("policy", "show", "--version", name)[1] == \
                (folder / "policy.yaml").read_text()
        assert past.ask("policy", "show", "--at", r["time"])[1] == \
            (folder / "policy.yaml").read_text()
    err = past.refused("policy", "show", "--version", "1", "--out",
                       tmp_path / "1")
    assert "there already" in err
    assert "no version \"9\"" in past.refused(
        "policy", "show", "--version", "9")
    # Two versions have this directory, and are not the same.
    assert "are not the same" in past.refused(
        "policy", "show", "--version", past.kept[1][1]["directory"])


def test_history_goes_on_past_a_text_that_is_gone(past):
    log = past.log_copy()
    (log / "objects" / past.kept[0][1]["policy"]).unlink()
    got = history(past, log=log, expect=(1,))["versions"]
    assert len(got) == 5
    assert "cannot be read" in got[0]["trouble"]
    assert got[1]["changes"] is None and got[1]["trouble"]
    assert got[2]["changes"]["stores"] == counts(removed=1, changed=2)


# -- a directory of more than 16 MiB -------------------------------------------

def peak_kib(*argv, expect=0):
    """(how much memory a program took at most, what it said)."""
    p = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    said = p.stdout.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    assert p.returncode == expect, said
    return usage.ru_maxrss, said


def mirror(past, source, to, expect=0):
    return peak_kib(past.gateway.bin / "sworn", "log", "mirror", source, to,
                    "--key", past.gateway.vkey, expect=expect)


def served(past, folder):
    """`sworn log serve`, and its address."""
    p = subprocess.Popen([past.gateway.bin / "sworn", "log", "serve", folder,
                          "--listen", "127.0.0.1:0"], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    line = p.stdout.readline()
    return p, "http://" + line.split()[-1]


def test_large_directory_is_recorded_mirrored_served_and_verified(past):
    sha256 = past.kept[4][1]["directory"]
    kept = past.gateway.log / "objects" / sha256
    text = (past.kept[4][0] / "directory.yaml").read_bytes()
    assert len(text) > BIG and kept.read_bytes() == text
    assert hashlib.sha256(text).hexdigest() == sha256
    record = next(r for r in past.records if r["type"] == "object"
                  and r["sha256"] == sha256)
    assert record["len"] == len(text)
    # The log process had a part of it in memory at a time, and so has
    # whoever copies it.
    idle = peak_kib(past.gateway.bin / "sworn", "--version")[0]
    server, url = served(past, past.gateway.log)
    try:
        to = past.folder / "mirror"
        peak, _ = mirror(past, url, to)
        assert (to / "objects" / sha256).read_bytes() == text
        if os.environ.get("ASAN_OPTIONS") is None:
            assert peak - idle < BIG >> 11
        past.gateway.verify("log", to)
        past.ask("control", "ethan", log=to)
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def test_source_cannot_make_a_mirror_take_more_than_was_recorded(past):
    source = past.log_copy()
    objects = source / "objects"
    sha256 = past.kept[0][1]["policy"]
    text = (objects / sha256).read_bytes()
    to = past.folder / "mirror-hostile"
    for wrong in (text + b"#", None):
        (objects / sha256).unlink()
        if wrong is None:
            (objects / sha256).symlink_to("/dev/zero")
        else:
            (objects / sha256).write_bytes(wrong)
        shutil.rmtree(to, ignore_errors=True)
        said = mirror(past, source, to, expect=1)[1]
        assert "1 objects that records name are not at the source" in said
        assert sorted(os.listdir(to / "objects")) == sorted(
            set(os.listdir(objects)) - {sha256})
    # Once the right one is there, it comes.
    (objects / sha256).unlink()
    (objects / sha256).write_bytes(text)
    mirror(past, source, to)
    assert (to / "objects" / sha256).read_bytes() == text
