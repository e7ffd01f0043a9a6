#!/usr/bin/python3
"""The story of the README on real PostgreSQL servers, in four acts.

    story.py --scratch DIR --bin DIR [--scale X] [--keep]
    story.py --stop DIR         ends what --keep left running

Prints a narrative, checks every verdict against the expected one, and exits
with 1 if any differs.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import readers  # noqa: E402
import tlog  # noqa: E402
from cheats import CHEATS, of_wei  # noqa: E402
from world import (DEMO, Failed, World, fill, now,  # noqa: E402
                   stop_kept, wait_for)

HOLDS, BROKEN, REFUTED, NOT_SHOWN = 0, 1, 3, 4
VERDICT = {HOLDS: "holds", BROKEN: "the log is broken", REFUTED: "refuted",
           NOT_SHOWN: "not shown"}
SHOWN_LINES = 26

# Act 2: whose scripts must be refused, and whose must go on working.
REFUSED = {("aoife", "domestic"), ("lina", "us"), ("ethan", "us"),
           ("ethan", "eu"), ("wei", "us"), ("wei", "eu")}


class Teller:
    """Prints the narrative; colours on a terminal only."""

    CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32",
             "yellow": "33"}

    def __init__(self, out=sys.stdout):
        self.out = out
        self.colour = out.isatty()
        self.begun = time.monotonic()

    def paint(self, name, text):
        code = self.CODES[name]
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def line(self, text="", indent=0):
        print(" " * indent + text, file=self.out, flush=True)

    def prose(self, text):
        for line in textwrap.wrap(" ".join(text.split()), 76):
            self.line(line, 2)
        self.line()

    def act(self, title):
        self.line()
        self.line(self.paint("bold", title))
        self.line(self.paint("bold", "-" * len(title)))

    def quote(self, lines, limit, rest):
        for line in lines[:limit]:
            self.line(self.paint("dim", "| ") + line, 6)
        if limit is not None and len(lines) > limit:
            self.line(self.paint("dim", f"| ... {len(lines) - limit} more "
                                 f"lines in {rest}"), 6)


class Story:
    def __init__(self, world, tell):
        self.world = world
        self.gateway = world.gateway
        self.tell = tell
        self.wrong = []
        self.reports = world.scratch / "out"
        # The folder where whoever started us will find the reports.
        self.reports_as = os.environ.get("SWORN_OUT", self.reports)
        self.claims = world.scratch / "claims"
        self.kept = world.scratch / "auditor"

    def expect(self, good, text):
        """Notes whether something came out as it must."""
        if good:
            self.tell.line(self.tell.paint("green", "as expected: ") + text, 4)
        else:
            self.tell.line(self.tell.paint("red", "NOT EXPECTED: ") + text, 4)
            self.wrong.append(text)

    # -- reading -----------------------------------------------------------

    def read(self, reader, refused):
        tell = self.tell
        tell.line(f"{tell.paint('bold', reader.who)}  ({reader.user} at "
                  f"{reader.store}, from {reader.office})", 2)
        steps = readers.read(self.gateway, reader)
        seen = set()
        for step in steps:
            self.show(step, seen)
        rows = sum(s.rows + s.written for s in steps)
        denials = sum(len(s.refusals) for s in steps)
        if refused and (rows or not denials):
            self.expect(False, f"{reader.user} at {reader.store} got {rows} "
                        "rows and must get none")
        if not refused and (denials or not rows):
            self.expect(False, f"{reader.user} at {reader.store} was refused "
                        "and must not be")
        return steps

    def show(self, step, seen):
        tell = self.tell
        if not step.refusals:
            n = step.rows or step.written
            what = (f"{n} row{'' if n == 1 else 's'}"
                    f"{'' if step.rows or not n else ' written'}")
            tell.line(f"{tell.paint('green', 'ok     ')} {step.title:<52} "
                      f"{what:>14}", 4)
            return
        tell.line(f"{tell.paint('red', 'refused')} {step.title}", 4)
        for r in step.refusals:
            state = f"{r.sqlstate} " if r.sqlstate else ""
            for label, text in (("", state + r.message), ("because: ", r.detail),
                                ("hint: ", r.hint)):
                # The same reason again and again is said once.
                if text and text not in seen:
                    seen.add(text)
                    for line in textwrap.wrap(label + text, 68):
                        tell.line(line, 12)

    def quote(self, name, text, begin, limit):
        """Keeps what the verifier said, and shows it from some line on."""
        self.reports.mkdir(exist_ok=True)
        (self.reports / f"{name}.txt").write_text(text)
        lines = text.rstrip().splitlines()
        at = next((i for i, line in enumerate(lines)
                   if line.startswith(begin)), 0)
        self.tell.quote(lines[at:], limit, f"{self.reports_as}/{name}.txt")

    def wait_quiet(self):
        """Until every session that opened has its closing record."""
        def quiet():
            kinds = [r["type"] for r in self.gateway.records()]
            return kinds.count("session") == kinds.count("close")
        wait_for("all sessions to be closed in the log", quiet)

    # -- verifying ---------------------------------------------------------

    def claim(self, name, period, want, label, readers=(), quiet=False,
              whole=False, store_logs=True):
        """Verifies a claim; its verdict, and the readers in its evidence,
        must be these. Returns the verifier's words, all of which are shown
        if `whole`."""
        tell = self.tell
        self.claims.mkdir(exist_ok=True)
        path = self.claims / f"{name}-{label}.yaml"
        path.write_text(fill((DEMO / "claims" / f"{name}.yaml.in").read_text(),
                             {"FROM": period[0], "TO": period[1]}))
        stores = ["domestic"] if name.startswith("cn") else ["us", "eu"]
        code, out, err = self.gateway.verify_claim(path, store_logs={
            n: self.world.stores[n].connection_log for n in stores
            if store_logs})
        if not quiet:
            title = re.search(r"^title: (.*)$", path.read_text(), re.M)[1]
            tell.line()
            tell.line(tell.paint("bold", f"The claim: {title}"), 4)
            self.quote(f"{name}-{label}", out + err, "THE VERDICT",
                       None if whole else SHOWN_LINES)
        self.expect(code == want, f"{name}: {VERDICT.get(code, code)}"
                    + ("" if code == want else f", not {VERDICT[want]}"))
        found = set(re.findall(r"^  .*\(([\w-]+)\), a (?:person|service)$",
                               out, re.M))
        if readers or found:
            self.expect(found == set(readers), "its evidence names "
                        + ", ".join(sorted(found)))
        return out + err

    def reconcile(self, store, period, want, label):
        """The operator holds a store's own log to the record: the outcome is
        on record, too."""
        g = self.gateway
        code, out, err = g.sworn(
            "reconcile", "-c", g.conf, store, "--pg-log",
            self.world.stores[store].connection_log, "--from", period[0],
            "--to", period[1], expect=None)
        self.tell.line()
        self.quote(f"reconcile-{label}", out + err, "logins", 12)
        self.expect(code == want, "the store's log and the record "
                    + ("fit" if want == 0 else "do not fit, and that is on "
                       "record") if code == want else out + err)

    def keep_checkpoint(self, name):
        """The auditor writes down what the log promised today."""
        self.kept.mkdir(exist_ok=True)
        path = self.kept / f"checkpoint-{name}"
        path.write_text(self.gateway.checkpoint().text)
        return path

    def finish_period(self, begin):
        """Ends a period, and waits until the log has gone on beyond it."""
        self.wait_quiet()
        end = now()
        self.gateway.wait_published(end)
        return begin, end

    # -- the acts ----------------------------------------------------------

    def set_up(self, scale):
        tell, world = self.tell, self.world
        tell.act("Setting up")
        tell.prose("""Three PostgreSQL servers: the international edition's
            stores us and eu, and the domestic edition's. A platform's worth of
            made-up people, videos, messages and watch events is loaded.""")
        world.build(scale)
        rows = subjects = 0
        for name, store in world.stores.items():
            n = int(store.sql("SELECT count(*) FROM public.users")[0][0])
            total = int(store.sql("SELECT sum(n_live_tup) FROM "
                                  "pg_stat_user_tables")[0][0])
            tell.line(f"store {name:<9} {n:>6} subjects, {total:>7} rows, "
                      f"port {store.port}", 4)
            rows, subjects = rows + total, subjects + n
        self.expect(scale < 1 or (subjects == 20000 and rows > 1_000_000),
                    f"{subjects} subjects, {rows} rows")
        self.gateway.set_keeping()
        self.gateway.configure("observe")
        self.gateway.sworn("check", "-c", self.gateway.conf)
        self.apply()

    def apply(self):
        for name, said in self.gateway.apply().items():
            said = said.strip().splitlines() or ["(no words)"]
            self.tell.line(f"sworn apply {name}: {said[-1]}", 4)

    def act_1(self):
        self.tell.act("Act 1. Observe")
        self.tell.prose("""The gateway stands in front of the stores and lets
            everybody work as before. It writes down who reads what, and what
            it would have refused.""")
        self.gateway.start()
        begin = now()
        for reader in readers.READERS:
            self.read(reader, refused=False)
        period = self.finish_period(begin)
        self.tell.line()
        self.tell.prose("""Now the sworn statements about this period. An
            outsider checks them: with the log's files, the log's public key,
            the stores' own connection logs, and sworn-verify.""")
        self.claim("us-direction", period, REFUTED, "act-1",
                   ["feed-international", "lina", "ethan", "wei"], whole=True)
        self.claim("cn-direction", period, REFUTED, "act-1", ["aoife"])
        self.keep_checkpoint("act-1")
        self.expect(self.gateway.stop() == 0, "the gateway stops in order")
        self.gateway.copy_log(self.world.scratch / "cheats" / "old-copy")

    def act_2(self):
        world = self.world
        self.tell.act("Act 2. Enforce")
        self.tell.prose("""The company changes three things: the stores are in
            mode enforce; the international feed's password is new, and the
            directory says that Wei keeps it no longer; and that is all. The
            same people run the same scripts.""")
        self.gateway.set_keeping(until=now())
        world.secret["feed-international"] += "-new"
        world.write_passwords()
        self.gateway.set_password("feed-international",
                                  world.secret["feed-international"])
        self.gateway.configure("enforce")
        self.apply()
        self.gateway.start()
        begin = now()
        for reader in readers.READERS:
            self.read(reader, (reader.user, reader.store) in REFUSED)
        self.tell.line()
        self.tell.prose("""Somebody told Wei the new password. He tries it from
            his desk: a service connects from where it is expected, or not at
            all.""")
        self.read(readers.INTRUDER, refused=True)
        period = self.finish_period(begin)
        self.claim("us-direction", period, HOLDS, "act-2", whole=True)
        self.claim("cn-direction", period, HOLDS, "act-2")
        self.tell.line()
        self.tell.prose("""The same log, the same period, other words: if
            ownership of the employer counts as well, then the moderators of
            the subsidiaries are within reach too. The words decide.""")
        self.claim("us-ownership", period, REFUTED, "act-2",
                   ["feed-international", "aoife"])
        self.tell.line()
        self.tell.prose("""Whoever is not given the stores' own logs has the
            operator's word about them, which is a record like all others.""")
        for store in ("us", "eu"):
            self.reconcile(store, period, 0, f"act-2-{store}")
        self.gateway.wait_published(now())
        self.claim("us-direction", period, HOLDS, "act-2-word", quiet=True,
                   store_logs=False)
        self.keep_checkpoint("act-2")
        return period

    def act_3(self, period):
        tell, gateway = self.tell, self.gateway
        tell.act("Act 3. Cheating")
        tell.prose("""Somebody does not like what the log says. Each attempt is
            made on a copy of it.""")
        folder = self.world.scratch / "cheats"
        # So that the last bundle has a tail to cut.
        wait_for("more than one entry in the last bundle",
                 lambda: gateway.checkpoint().size % tlog.WIDTH > 1)
        honest = gateway.copy_log(folder / "honest")
        code, out, err = gateway.verify_log(honest)
        self.expect(code == 0, "the honest copy is consistent")
        records = tlog.read_records(honest)
        places = {"AT": of_wei(records), "LAST": len(records) - 1}
        for cheat in CHEATS:
            tell.line()
            tell.line(tell.paint("bold", cheat.title), 2)
            if cheat.old_copy:
                copy = folder / "old-copy"
            else:
                copy = folder / cheat.name
                shutil.copytree(honest, copy)
                cheat.do(copy, gateway)
            if cheat.looks_fine:
                code, out, err = gateway.verify_log(copy)
                self.expect(code == 0, "by itself this log looks consistent")
            kept = (self.kept / "checkpoint-act-2"
                    if cheat.needs_checkpoint else None)
            code, out, err = gateway.verify_log(copy, kept)
            self.quote(f"cheat-{cheat.name}", out + err, "THE LOG IS", 12)
            by = (", with the checkpoint that the auditor kept" if kept
                  else "")
            self.expect(code == BROKEN, "found" + by if code == BROKEN
                        else f"{cheat.name}: {VERDICT.get(code, code)}")
            pattern = fill(cheat.named, places)
            named = re.search(pattern, " ".join((out + err).split()))
            self.expect(bool(named), f"and named: {named[0]}" if named
                        else f"{cheat.name}: nothing says {pattern}")
        self.around_the_gateway(period)

    def around_the_gateway(self, period):
        tell, store = self.tell, self.world.stores["us"]
        tell.line()
        tell.line(tell.paint("bold", "A login to store us around the gateway"),
                  2)
        tell.prose("""The log knows nothing of it, and no record of it can be
            missing. But the store writes its own connection log.""")
        # Up to here, and with the store's log up to here, the claim holds.
        longer = self.finish_period(period[0])
        tell.line("before it, for the period up to here:", 4)
        self.claim("us-direction", longer, HOLDS, "before", quiet=True)
        p = subprocess.run(
            ["psql", "-X", "-A", "-t", "-h", "127.0.0.1", "-p",
             str(store.port), "-U", "staff", "-d", store.DATABASE, "-c",
             "SELECT count(*) FROM profiles"], capture_output=True, text=True,
            env={"PGPASSWORD": self.world.secret["staff"],
                 "PATH": "/usr/bin:/bin"})
        tell.line(f"staff, straight at the store: {p.stdout.strip()} "
                  "profiles counted", 4)
        self.expect(p.returncode == 0, "the store lets staff in")
        wait_for("the store to write its log", lambda: any(
            "user=staff" in line for line in
            store.connection_log.read_text().splitlines()[-20:]))
        longer = self.finish_period(period[0])
        said = self.claim("us-direction", longer, NOT_SHOWN, "after")
        self.expect("user staff from 127.0.0.1" in said,
                    "the login is named")
        self.reconcile("us", longer, 3, "around")

    # -- exceptions --------------------------------------------------------

    def desk(self, who, office, *args, expect=0):
        """A command at the approvals' desk, by one of the story's people;
        what it answered, as a dict."""
        tell = self.tell
        code, out, err = self.gateway.as_principal(
            who, office, *args, "--json", expect=None)
        words = " ".join(f'"{a}"' if " " in a else a for a in args)
        tell.line(f"{tell.paint('bold', who)}$ sworn {words}", 4)
        said = json.loads(out) if out else {}
        for line in err.strip().splitlines() or [
                f"{said['id']}: {said['state']}"]:
            for part in textwrap.wrap(line, 68):
                tell.line(part, 8)
        self.expect(code == expect, "it is done" if code == 0 else
                    "it is refused")
        return said if code == 0 else err

    def act_4(self):
        tell, gateway = self.tell, self.gateway
        rule = "reliability engineers look at accounts"
        tell.act("Act 4. Exceptions")
        tell.prose("""Rules that only say no get bypassed. The policy now has
            one that waits for somebody to agree, who is not under the same
            control as whoever asks. The clearances are made, and the running
            gateway takes the policy over.""")
        gateway.include("exceptions.yaml")
        said = gateway.apply("us")["us"].strip().splitlines() or ["(no words)"]
        tell.line(f"sworn apply us: {said[-1]}", 4)
        gateway.sworn("reload", gateway.conf)
        begin = now()
        self.read(readers.RELIABILITY, refused=True)
        tell.line()
        tell.prose("""She asks. Her own manager may not agree to it; the
            director of the hosting operator, who answers to nobody of the
            group, may.""")
        asked = self.desk("priya", "austin", "request", "us", rule, "--for",
                          "1h", "--why", "INC-17: a copy failed")
        said = self.desk("dana", "austin", "approval", "approve", asked["id"],
                         expect=1)
        self.expect("priya answers to dana" in said, "and why is said")
        said = self.desk("olga", "hosting", "approval", "approve",
                         asked["id"])
        self.expect(said["state"] == "in force", "the approval is in force")
        self.read(readers.RELIABILITY, refused=False)
        tell.line()
        tell.prose("""She hands it back. Another one, for two seconds, is over
            when they are.""")
        self.desk("priya", "austin", "approval", "revoke", asked["id"])
        self.read(readers.RELIABILITY, refused=True)
        short = self.desk("priya", "austin", "request", "us", rule, "--for",
                          "2s", "--why", "INC-17: one more look")
        tell.line("olga agrees, and two seconds later it has "
                  + self.expired(short["id"]), 4)
        self.read(readers.RELIABILITY, refused=True)
        tell.line()
        tell.prose("""At night nobody answers. She breaks the glass: it opens
            at once, the gateway says so loudly, and somebody who might have
            agreed has to look at it within a day, or the store closes to
            her.""")
        broken = self.desk("priya", "austin", "request", "us", rule, "--for",
                           "30m", "--why", "INC-18: the pager", "--break-glass")
        loud = [line for line in gateway.errors().splitlines()
                if "GLASS BROKEN" in line]
        self.expect(len(loud) == 1, "the gateway says: "
                    + (loud[0][loud[0].index("GLASS"):] if loud else "nothing"))
        self.read(readers.RELIABILITY, refused=False)
        self.desk("olga", "hosting", "approval", "review", broken["id"],
                  "--why", "12 rows, no more than needed")
        self.desk("priya", "austin", "approval", "revoke", broken["id"])
        self.exceptions(self.finish_period(begin), asked, broken)

    def expired(self, approval):
        """What it is once it is over, though somebody agreed to it."""
        def over():
            out = self.gateway.as_principal("priya", "austin", "approval",
                                            "show", approval, "--json")[1]
            state = json.loads(out)["state"]
            return state if state == "expired" else None
        self.gateway.as_principal("olga", "hosting", "approval", "approve",
                                  approval, expect=None)
        return wait_for("the approval to expire", over, step=0.2)

    def exceptions(self, period, asked, broken):
        tell = self.tell
        tell.line()
        tell.prose("""The claim holds, and names its exceptions. Whoever checks
            it takes each step again, by the policy and the directory in
            force.""")
        said = self.claim("us-direction", period, HOLDS, "act-4", quiet=True)
        for found in re.findall(r"^  - (an exception.*?)(?=^  - )", said,
                                re.M | re.S):
            tell.quote(textwrap.wrap(" ".join(found.split()), 68), None, "")
        said = " ".join(said.split())
        for text in (f"approval {asked['id']}: priya at store us",
                     "approved by olga",
                     f"broken glass {broken['id']}: priya at store us"):
            self.expect(text in said, f"it names: {text}")


def goodbye(world, tell):
    """What --keep leaves: how to look around, and how to end it."""
    tell.act("Everything is left running")
    seen = set()
    for r in readers.READERS:
        if (r.user, r.store) in seen:
            continue
        seen.add((r.user, r.store))
        tell.line(f"# {r.who}", 2)
        tell.line(f"PGPASSFILE={world.passfile} psql \""
                  f"{world.gateway.dsn(r.user, r.store, r.office, r.purpose, r.ticket)}"
                  "\"", 2)
    g = world.gateway
    tell.line()
    tell.line(f"their scripts   {g.folder / 'readers'}", 2)
    tell.line(f"configuration   {g.conf}", 2)
    tell.line(f"the log         {g.log}", 2)
    tell.line(f"its public key  {g.vkey}", 2)
    tell.line(f"claims          {world.scratch / 'claims'}", 2)
    tell.line(f"connection log  {world.stores['us'].connection_log}", 2)
    tell.line(f"verify it       {g.bin / 'sworn-verify'} log {g.log} "
              f"--key {g.vkey}", 2)
    tell.line(f"stop, clean up  make stop SCRATCH={world.scratch}", 2)
    (world.scratch / "kept.json").write_text(json.dumps({
        "pids": world.pids(),
        "stores": [str(s.data) for s in world.stores.values()]}))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--scratch", type=pathlib.Path)
    p.add_argument("--bin", type=pathlib.Path)
    p.add_argument("--scale", type=float, default=1.0)
    p.add_argument("--keep", action="store_true")
    p.add_argument("--stop", type=pathlib.Path)
    a = p.parse_args()
    if a.stop:
        stop_kept(a.stop)
        return 0
    if not (a.scratch and a.bin):
        p.error("--scratch and --bin are needed")

    # A signal ends it by way of the clean-up below.
    def stop(number, frame):
        for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(s, signal.SIG_IGN)
        raise SystemExit(128 + number)
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, stop)

    tell = Teller()
    world = World(a.scratch, a.bin)
    kept = False
    try:
        story = Story(world, tell)
        story.set_up(a.scale)
        ready = time.monotonic()
        story.act_1()
        story.act_3(story.act_2())
        story.act_4()
        tell.act("The end")
        tell.line(f"set-up {ready - tell.begun:.0f} s, story "
                  f"{time.monotonic() - ready:.0f} s", 2)
        for text in story.wrong:
            tell.line(tell.paint("red", "not as expected: ") + text, 2)
        if not story.wrong:
            tell.line(tell.paint("green", "Every verdict was the expected "
                                 "one."), 2)
        if a.keep and not story.wrong:
            goodbye(world, tell)
            kept = True
        return 1 if story.wrong else 0
    except (Failed, tlog.Broken, subprocess.TimeoutExpired) as e:
        tell.line(tell.paint("red", "The demo failed: ") + str(e))
        if errors := world.gateway.errors():
            tell.line("sworn said:")
            tell.quote(errors.splitlines()[-20:], 20, "")
        return 1
    finally:
        if not kept:
            world.close()


if __name__ == "__main__":
    sys.exit(main())
