"""Logs made by hand, for tests of sworn-verify.

A small company: who stands behind whom is written out below, by people, not
computed; so is what each clearance shows. Times are milliseconds.
"""
import contextlib
import copy
import datetime
import functools
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback

import jsonschema

MAKE_LOG, VERIFY = sys.argv[1:3]
VKEY = subprocess.run([MAKE_LOG, "--key"], capture_output=True, text=True,
                      check=True).stdout.strip()
ORIGIN = VKEY.split("+")[0]
BEGIN = 1795000000000           # 2026-11-18
BEAT = 10000

DIRECTORY = """\
directory: 1
issuer: hr.example
sites:
  beijing: {country: CN, networks: [127.86.0.0/16]}
  dublin: {country: IE, networks: [127.35.0.0/16]}
  austin: {country: US, networks: [127.11.0.0/16]}
entities:
  hq: {name: HQ, country: CN, owners: {}, rest: dispersed}
  us: {name: US Inc, country: US, owners: {}, rest: dispersed}
  ie: {name: IE Ltd, country: IE, owners: {}, rest: dispersed}
people:
  wei: {name: Wei Jun, employer: hq, site: beijing, manager: none, roles: [admin]}
  aoife: {name: Aoife Kelly, employer: ie, site: dublin, manager: none, roles: [moderator]}
  ethan: {name: Ethan Cole, employer: us, site: austin, manager: none, instructor: wei, roles: [analyst]}
services:
  feed: {name: the feed, operator: us, keepers: [aoife], site: dublin}
  hqfeed: {name: the other feed, operator: hq, keepers: [wei], site: beijing}
"""
CATALOG = """\
catalog: small
categories: [technical, contact, messages]
subjects:
  table: public.users
  key: id
  residence:
    column: country
    values: {US: US, IE: IE}
tables:
  public.users:
    subject: self
    columns: {id: technical, country: technical, email: contact}
  public.messages:
    subject: sender_id
    columns: {sender_id: technical, body: messages}
public: [public.topics]
"""
POLICY = """\
policy: small
version: 1
purposes: [moderation]
rules:
  - rule: not under direction from CN
    forbid: read
    who: {controlled-from: [CN], by: [location, formal, actual, keeping]}
    whose: [US, IE]
  - rule: moderators moderate
    permit: read
    who: {roles: [moderator]}
    why: {purposes: [moderation]}
  - rule: services serve
    permit: read
    who: {kind: service}
  - rule: contact is masked
    treat: mask
    who: {kind: person}
    what: {categories: [contact]}
"""

DEFINITIONS = """\
definitions:
  covered:
    entities: {organised-in: [CN], owned: 50}
    people: {resident-in: [CN], employed-as: [employee, contractor]}
    services: {through: [operator, keepers]}
  homely:
    people: {resident-in: [IE]}
"""


@contextlib.contextmanager
def texts(directory=None, policy=None):
    """Logs that are made within say what these do."""
    global DIRECTORY, POLICY
    before = DIRECTORY, POLICY
    DIRECTORY, POLICY = directory or DIRECTORY, policy or POLICY
    try:
        yield
    finally:
        DIRECTORY, POLICY = before


def defining():
    return POLICY.replace("rules:", DEFINITIONS + "rules:")


def vkey(i):
    """The verifier key number i."""
    return subprocess.run([MAKE_LOG, "--key", str(i)], capture_output=True,
                          text=True, check=True).stdout.strip()


def rotation(old, new, seq):
    """The note that key number `new` follows `old`, signed by both."""
    return subprocess.run([MAKE_LOG, "--rotation", str(old), str(new),
                           str(seq)], capture_output=True, text=True,
                          check=True).stdout


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def time_text(ms):
    t = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03}Z"


# Who stands behind whom: label, kinds of path. By hand.
CONTROL = {
    "wei": [("CN", ["location"]), ("CN", ["employment"])],
    "aoife": [("IE", ["location"]), ("IE", ["employment"])],
    "ethan": [("US", ["location"]), ("US", ["employment"]),
              ("CN", ["location", "actual"]), ("CN", ["employment", "actual"])],
    "feed": [("IE", ["location"]), ("US", ["keeping"]),
             ("IE", ["location", "keeping"]),
             ("IE", ["employment", "keeping"])],
    "hqfeed": [("CN", ["location"]), ("CN", ["keeping"])],
}
# A path whose kinds include another's to the same label is left out.
CONTROL["feed"] = [("IE", ["location"]), ("US", ["keeping"]),
                   ("IE", ["employment", "keeping"])]
FACTS = {
    "wei": ("person", ["admin"], ["hq"], "CN", "127.86.0.9:1"),
    "aoife": ("person", ["moderator"], ["ie"], "IE", "127.35.0.9:1"),
    "ethan": ("person", ["analyst"], ["us"], "US", "127.11.0.9:1"),
    "feed": ("service", [], ["us"], "IE", "127.35.0.8:1"),
    "hqfeed": ("service", [], ["hq"], "CN", "127.86.0.8:1"),
}


def table(name, residences, plain=None, masked=()):
    every = {"public.users": ["technical", "contact"],
             "public.messages": ["technical", "messages"]}
    return {"table": name, "residences": list(residences),
            "categories": list(every[name] if plain is None else plain),
            "masked": list(masked)}


def all_of(residences):
    return [table("public.messages", residences),
            table("public.users", residences)]


def clearance_text(store, shown):
    """docs/policy.md's canonical text; shown: table -> (residences, column
    -> treatment)."""
    lines = ["sworn clearance 1", f"store {store}"]
    if any(residences is not None for residences, _ in shown.values()):
        lines += ["residence country of public.users.id", " value 'IE' IE",
                  " value 'US' US"]
    for name, (residences, columns) in sorted(shown.items()):
        lines += [f"table {name}"]
        if residences is None:
            lines += [" public"]
            continue
        lines += [" residences " + " ".join(sorted(residences))]
        lines += [" subject self" if name == "public.users" else
                  " subject sender_id > public.users.id"]
        lines += [f" column {c} {t}" for c, t in sorted(columns.items())]
    return "\n".join(lines) + "\n"


MODERATOR_SEES = lambda residences: {
    "public.users": (residences, {"id": "plain", "country": "plain",
                                  "email": "mask"}),
    "public.messages": (residences, {"sender_id": "plain", "body": "plain"}),
    "public.topics": (None, {}),
}


class Log:
    """Appends records; a method each. The clock goes on by itself."""

    def __init__(self, gateway="gw", begin=BEGIN, stores=None, mode="observe",
                 beat=BEAT):
        self.gateway, self.now, self.beat = gateway, begin, beat
        self.records, self.n, self.mode = [], {}, mode
        self.stores = stores or {"us": ["US"], "eu": ["IE"],
                                 "mixed": ["IE", "US"]}
        self.objects = {sha256(t): t for t in (DIRECTORY, CATALOG, POLICY)}
        self.opened = self.closed = 0
        self.ids = 0
        self.begin, self.reconciling, self.with_gateways = begin, True, None
        self.add("genesis", origin=ORIGIN, key=VKEY)
        self.boot(clean=True)

    def add(self, type_, **members):
        self.now += 10
        self.records.append({"v": 1, "gateway": self.gateway,
                             "seq": len(self.records),
                             "time": time_text(self.now), "type": type_,
                             **members})
        return len(self.records) - 1

    def boot(self, clean=True):
        self.opened = self.closed = 0
        self.add("boot", program="sworn test", config=sha256("c"),
                 heartbeat_ms=self.beat, last=len(self.records) - 1,
                 clean=clean)
        for kind, text in (("policy", POLICY), ("directory", DIRECTORY),
                           ("catalog", CATALOG)):
            self.add("object", kind=kind, name="", sha256=sha256(text),
                     len=len(text))
        for store in self.stores:
            self.store(store)

    def store(self, store, mode=None):
        self.add("store", store=store, mode=mode or self.mode,
                 residences=self.stores[store], catalog=sha256(CATALOG),
                 subjects=[{"label": r, "n": 100 + i} for i, r in
                           enumerate(self.stores[store])],
                 counted=time_text(BEGIN))

    def beat_now(self):
        return self.add("heartbeat", opened=self.opened, closed=self.closed)

    def stop(self):
        return self.add("stop", opened=self.opened, closed=self.closed)

    def wait(self, ms):
        """Lets time go by, with heartbeats; then the operator holds the
        stores' own logs to this one, and all is well."""
        while ms > 0:
            step = min(ms, self.beat)
            self.now += step - 10
            self.beat_now()
            ms -= step
        for store in self.stores if self.reconciling else ():
            self.reconcile(store)

    def reconcile(self, store, begin=None, end=None, gateways=None, **more):
        counts = dict.fromkeys(["around", "unrecorded", "absent", "gaps",
                                "differ"], 0)
        members = dict(
            by="ops (uid 7), sworn reconcile", program="sworn test",
            store=store, source="pg-log",
            **{"from": time_text(begin or self.begin),
               "to": time_text(end or self.now)},
            gateways=[{"gateway": g, "entries": len(self.records)}
                      for g in gateways or self.with_gateways or
                      [self.gateway]],
            files=[{"sha256": sha256(store), "len": 9}],
            first=time_text(self.begin), last=time_text(end or self.now),
            logins=self.opened, recorded=self.opened, matched=self.opened,
            **counts, compared=False, executed=0, statements=0)
        members.update(more)
        return self.add("reconciled", **members)

    def next_n(self, session):
        self.n[session] = self.n.get(session, -1) + 1
        return self.n[session]

    def session(self, who, store, mode=None, bound=None, control=None,
                clearance=None, purpose=None, **more):
        kind, roles, employers, seen, source = FACTS[who]
        self.ids += 1
        session = f"{self.ids:016x}"
        mode = mode or self.mode
        if bound is None:
            bound = all_of(self.stores[store])
        control = CONTROL[who] if control is None else control
        members = dict(
            session=session, n=self.next_n(session), store=store, mode=mode,
            principal=who, kind=kind, source=source, seen_at=[seen],
            roles=roles, employers=employers, issuers=["hr.example"],
            control=[{"label": label, "kinds": kinds, "steps": ["by test"]}
                     for label, kinds in control],
            policy=sha256(POLICY), directory=sha256(DIRECTORY),
            clearance=clearance or "", role="staff", bound=bound)
        if purpose:
            members["purpose"] = purpose
        members.update(more)
        self.opened += 1
        self.add("session", **members)
        return session

    def clearance(self, session, store, bound, clearance="", **more):
        return self.add("clearance", session=session, n=self.next_n(session),
                        store=store, mode=self.mode, policy=sha256(POLICY),
                        directory=sha256(DIRECTORY), clearance=clearance,
                        role="staff", bound=bound, **more)

    def backend(self, session, role="staff", pid=100):
        return self.add("backend", session=session, n=self.next_n(session),
                        role=role, pid=pid)

    def statement(self, session, bound, whole=False, **more):
        members = dict(session=session, n=self.next_n(session),
                       text_hmac="ab", what="SELECT", basis="bounded",
                       whole=whole, whole_why="calls f" if whole else "",
                       bound=bound, rules=["some rule"])
        members.update(more)
        return self.add("statement", **members)

    def subjects(self, session, of, subjects, basis="exact"):
        more = {"subjects": subjects} if subjects else {}
        return self.add("subjects", session=session, n=self.next_n(session),
                        of=self.records[of]["n"], basis=basis, **more)

    def result(self, session, of, rows=1, sqlstate="00000"):
        return self.add("result", session=session, n=self.next_n(session),
                        of=self.records[of]["n"], rows=rows,
                        bytes=rows * 10, sqlstate=sqlstate)

    def read(self, session, bound, rows=1, **more):
        at = self.statement(session, bound, **more)
        self.result(session, at, rows)
        return at

    def denial(self, session):
        return self.add("denial", session=session, n=self.next_n(session),
                        text_hmac="ab", what="SELECT",
                        refusal={"table": "public.users", "rule": "r",
                                 "because": "b", "sqlstate": "42501"})

    def close(self, session, rows=0, size=0):
        self.closed += 1
        return self.add("close", session=session, n=self.next_n(session),
                        statements=0, denials=0, rows=rows, bytes=size,
                        reason="client")

    def visit(self, who, store, bound=None, rows=1):
        """A session with one statement."""
        s = self.session(who, store)
        at = self.read(s, bound or all_of(self.stores[store]), rows)
        self.close(s)
        return at

    def time(self, at):
        return self.records[at]["time"]


def renumber(records):
    """New places, and boot records that fit them."""
    for i, r in enumerate(records):
        r["seq"] = i
        if r["type"] == "boot":
            r["last"] = i - 1
    return records


@functools.cache
def schema():
    """What users are promised of the JSON; every answer is held to it."""
    path = pathlib.Path(__file__).resolve().parents[2]
    text = (path / "docs/verify.schema.json").read_text()
    jsonschema.Draft202012Validator.check_schema(json.loads(text))
    return jsonschema.Draft202012Validator(json.loads(text))


class Bench:
    """A scratch folder with one test's logs, and the program's answers."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sworn-verify-"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def write(self, log, name="log", records=None, objects=True, signer=0,
              rotations=()):
        """The log's folder, signed by key number `signer`."""
        to = self.dir / name
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir()
        lines = "".join(json.dumps(r, separators=(",", ":"),
                                   ensure_ascii=False) + "\n" for r in
                        (log.records if records is None else records))
        subprocess.run([MAKE_LOG, to, str(signer)], input=lines.encode(), check=True)
        if rotations:
            (to / "rotations").write_text("".join(n + "\n"
                                                  for n in rotations))
        (to / "objects").mkdir()
        if objects:
            for name, text in log.objects.items():
                (to / "objects" / name).write_text(text)
        return to

    def run(self, *args):
        p = subprocess.run([VERIFY, *map(str, args)], capture_output=True,
                           text=True, timeout=120)
        assert p.returncode in (0, 1, 2, 3, 4), \
            f"exit {p.returncode}: {p.stderr}"
        if "--json" in args and p.returncode != 2:
            schema().validate(json.loads(p.stdout))
        return p

    def log(self, to, *more, keys=(VKEY,)):
        """Exit status and the words of each damage."""
        p = self.run("log", to, *(a for k in keys for a in ("--key", k)),
                     "--json", *more)
        assert p.returncode != 2, p.stderr
        out = json.loads(p.stdout)
        assert out["consistent"] == (p.returncode == 0)
        return p.returncode, [d["text"] for d in out["damage"]]

    def claim_file(self, text, name="claim.yaml"):
        path = self.dir / name
        path.write_text(text)
        return path

    def claim(self, text, *logs, more=()):
        """Exit status and the JSON."""
        args = ["claim", self.claim_file(text), "--key", VKEY, "--json"]
        for to in logs:
            args += ["--log", to]
        p = self.run(*args, *more)
        assert p.returncode != 2, p.stderr
        out = json.loads(p.stdout)
        value = {"holds": 0, "refuted": 3, "not shown": 4, None: 1}
        assert value[out["verdict"]] == p.returncode == out["exit"]
        return p.returncode, out


def claim_text(begin, end, whose="[US]", who=None, stores="[us, eu, mixed]",
               gateways="[gw]", more=""):
    if who is None:
        who = "{controlled-from: [CN], by: [location, formal, actual, keeping]}"
    return f"""\
claim: 1
title: a test
sworn-by: nobody
sentence: No data went there.
period: {{from: "{time_text(begin)}", to: "{time_text(end)}"}}
gateways: {gateways}
stores: {stores}
never-did:
  whose: {whose}
  who: {who}
{more}"""


def changed(records, at, **members):
    out = copy.deepcopy(records)
    out[at].update(members)
    return out


def main(names):
    """Runs the tests of a module; TAP, a name each."""
    tests = [(n, f) for n, f in names.items() if n.startswith("test_")]
    print(f"1..{len(tests)}")
    failed = 0
    for i, (name, fn) in enumerate(tests, 1):
        title = name.removeprefix("test_")
        try:
            with Bench() as bench:
                fn(bench)
            print(f"ok {i} - {title}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {i} - {title}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            sys.stdout.flush()
    return failed != 0
