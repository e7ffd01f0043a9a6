"""Approvals in logs made by hand: steps that may not be, sessions that rest on
what is not there, statements behind a revocation, stores that are closed for
want of a review. And random logs, judged a second time, naively.
"""
import random
import re
import sys

import logkit
from logkit import (MODERATOR_SEES, Log, claim_text, clearance_text, main,
                    sha256, table, time_text)

ROUNDS = 30
MINUTE = 60000
RULE = "moderators moderate"
POLICY = logkit.POLICY.replace(
    "    why: {purposes: [moderation]}\n",
    "    why: {purposes: [moderation]}\n"
    "    approval: {by: {roles: [lead]}, apart: [location], at-most: 1h,\n"
    "      break-glass: {by: {roles: [moderator]}, at-most: 10m, "
    "review-within: 20m}}\n")
# Rosa is elsewhere, Nora where Aoife is.
DIRECTORY = logkit.DIRECTORY.replace("people:\n", """people:
  rosa: {name: Rosa, employer: us, site: austin, manager: none, roles: [lead]}
  nora: {name: Nora, employer: ie, site: dublin, manager: none, roles: [lead]}
""")
assert POLICY != logkit.POLICY and DIRECTORY != logkit.DIRECTORY
OPEN = [table("public.messages", ["IE"]),
        table("public.users", ["IE"], ["technical"], ["contact"])]
APPROVED = sha256(clearance_text("eu", MODERATOR_SEES(["IE"])))
NOTHING = sha256(clearance_text("eu", {"public.topics": (None, {})}))


class Approving(Log):
    def __init__(self):
        super().__init__(mode="enforce")
        self.add("in_force", cause="start", config=sha256("c"),
                 policy=sha256(logkit.POLICY),
                 directory=sha256(logkit.DIRECTORY))
        self.begin = self.now
        self.asked = 0

    def step(self, step, id, by, **more):
        return self.add("approval", step=step, id=id, by=by,
                        source="127.35.0.9:1", auth="scram-sha-256",
                        **{"decided": time_text(self.now + 10), **more})

    def ask(self, by="aoife", span=30 * MINUTE, step="request", **more):
        self.asked += 1
        id = f"{self.asked:016x}"
        self.until = time_text(self.now + 10 + span)
        if step == "break_glass":
            more = {"review": time_text(self.now + 10 + 15 * MINUTE), **more}
        self.step(step, id, by, store="eu", rule=RULE, until=self.until,
                  why="INC-1", **more)
        return id

    def resting(self, id=None, by=("rosa",), **more):
        """A session of Aoife's, with what an approval opens."""
        cites = [] if id is None else [
            {"id": id, "rule": RULE, "by": list(by), "until": self.until}]
        return self.session(
            "aoife", "eu", bound=OPEN, purpose="moderation",
            clearance=APPROVED, **{"approvals": cites, **more})

    def look(self, session, *ids):
        return self.read(session, OPEN, approvals=[{"id": i} for i in ids])


def doubts(bench, log, begin=None):
    """What it doubts: (kind, entry), and all of the answer."""
    end = log.now + 5
    log.wait(1000)
    _, out = bench.claim(claim_text(begin or log.begin, end, stores="[eu]",
                                    whose="[US]"), bench.write(log))
    return sorted({(d["what"], int(re.search(r"entry (\d+)", d["text"])[1]))
                   for d in out["doubts"]}), out


def approving(test):
    def run(bench):
        with logkit.texts(directory=DIRECTORY, policy=POLICY):
            test(bench)
    return run


@approving
def test_a_session_is_decided_again_with_its_approval_and_it_is_named(bench):
    log = Approving()
    id = log.ask()
    log.step("approve", id, "rosa")
    s = log.resting(id)
    log.look(s, id)
    log.look(s, id)
    log.close(s)
    found, out = doubts(bench, log)
    assert (found, out["verdict"]) == ([], "holds"), out["doubts"]
    [said] = [r["text"] for r in out["rests_on"] if r["what"] == "approval"]
    assert f"approval {id}: aoife at store eu" in said
    assert "approved by rosa; 2 statements" in said


@approving
def test_what_it_rests_on_must_be_there_count_and_last(bench):
    for case in ("none", "not approved", "near", "one's own", "revoked",
                 "denied", "expired", "other", "ticket", "longer", "glass"):
        log = Approving()
        more, by = {}, ["rosa"]
        if case == "none":
            s = log.resting()
        elif case != "other":
            id = log.ask(span=MINUTE if case == "expired" else 30 * MINUTE,
                         **({"ticket": "T-1"} if case == "ticket" else {}))
        bad = []
        if case in ("revoked", "denied", "expired", "ticket", "longer",
                    "glass"):
            log.step("approve", id, "rosa")
        if case in ("near", "one's own"):
            by = ["nora"] if case == "near" else ["aoife"]
            bad.append(("approval", log.step("approve", id, by[0])))
        if case in ("revoked", "denied"):
            log.step(case[:-1] if case == "revoked" else "deny", id, "nora",
                     why="no")
        if case == "expired":
            log.wait(2 * MINUTE)
        if case == "longer":
            log.until = time_text(log.now + 40 * MINUTE)
        if case == "other":
            log.until = time_text(log.now + 10 * MINUTE)
            id = "00000000000000aa"
        if case == "glass":
            by = []
        if case != "none":
            s = log.resting(id, by, **more)
        at = len(log.records) - 1
        log.look(s)
        log.close(s)
        found, out = doubts(bench, log)
        assert out["verdict"] == "not shown", case
        kind = "clearance" if case in ("none", "expired") else "approval"
        assert (kind, at) in found, (case, found, at)
        assert all(b in found for b in bad), (case, found)


@approving
def test_statements_behind_a_revocation_or_the_end_are_doubted(bench):
    log = Approving()
    id = log.ask(span=20 * MINUTE)
    log.step("approve", id, "rosa")
    s, t = log.resting(id), log.resting(id)
    log.look(s, id)
    log.wait(5 * MINUTE)
    log.look(s, id)
    log.step("revoke", id, "aoife")
    late = log.look(s, id)
    # One that is decided again has what is left.
    log.clearance(t, "eu", [], NOTHING, purpose="moderation")
    log.close(s)
    log.close(t)
    found, _ = doubts(bench, log)
    assert found == [("approval", late)], found

    log = Approving()
    id = log.ask(span=20 * MINUTE)
    log.step("approve", id, "rosa")
    s = log.resting(id)
    log.look(s, id)
    opened = len(log.records) - 3       # its own record, named
    log.wait(25 * MINUTE)
    log.look(s, id)
    log.close(s)
    found, _ = doubts(bench, log)
    assert found == [("clearance", opened)], found


@approving
def test_broken_glass_counts_and_closes_the_store_without_a_review(bench):
    for case in ("fine", "reviewed", "late", "by itself", "near"):
        log = Approving()
        id = log.ask(step="break_glass", span=8 * MINUTE)
        s = log.resting(id, [])
        log.look(s, id)
        log.close(s)
        bad = []
        if case == "reviewed":
            log.step("review", id, "rosa", why="seen")
        if case in ("by itself", "near"):
            bad.append(("approval", log.step(
                "review", id, "nora" if case == "near" else "aoife",
                why="seen")))
        if case != "fine":
            log.wait(17 * MINUTE)
            s = log.session("aoife", "eu", bound=[], clearance=NOTHING)
            at = len(log.records) - 1
            log.close(s)
            if case != "reviewed":
                bad.append(("approval", at))
        found, out = doubts(bench, log)
        assert found == bad, (case, found, bad)
        said = [r["text"] for r in out["rests_on"] if r["what"] == "approval"]
        by = "rosa" if case == "reviewed" else "nobody"
        assert f"approved by nobody, reviewed by {by}; 1 statement of" in \
            said[0], (case, said)


@approving
def test_steps_from_before_the_period_count_and_are_not_doubted(bench):
    log = Approving()
    id = log.ask()
    log.step("approve", id, "nora")         # may not be
    good = log.ask()
    log.step("approve", good, "rosa")
    until = log.until
    s = log.resting(good)
    log.wait(2 * MINUTE)
    begin = log.now + 5
    log.look(s, good)
    log.step("revoke", good, "rosa")
    log.clearance(s, "eu", [], NOTHING, purpose="moderation")
    log.close(s)
    found, out = doubts(bench, log, begin)
    assert found == [], found
    log = Approving()
    id = log.ask()
    log.step("approve", id, "nora")
    s = log.resting(id, ["nora"])
    at = len(log.records) - 1
    log.wait(2 * MINUTE)
    begin = log.now + 5
    log.look(s, id)
    log.close(s)
    found, out = doubts(bench, log, begin)
    assert found == [("approval", at)], found
    assert until > time_text(begin)


# -- a second time, naively ---------------------------------------------------

class Naive:
    """What there is, told by going through the steps."""

    def __init__(self):
        self.requests = {}

    def step(self, step, id, by):
        """Whether it may be; then it is."""
        x = self.requests.get(id)
        if step == "request":
            may = by == "aoife"
            if may:
                self.requests[id] = {"by": set(), "over": False}
            return may
        if x is None:
            return False
        if step == "approve":
            may = by == "rosa" and not x["over"] and by not in x["by"]
            x["by"] |= {by} if may else set()
            return may
        may = not x["over"] and (by in ("rosa", "nora")
                                 or (step == "revoke" and by == "aoife"))
        x["over"] = True            # it takes away, whoever did it
        return may

    def good(self, id, by):
        x = self.requests.get(id)
        return (x is not None and not x["over"] and by == ["rosa"]
                and "rosa" in x["by"])


def random_log(rng):
    log, naive, want = Approving(), Naive(), []
    until, ids, sessions, newest = {}, [log.ask()], [], len(log.records) - 1
    until[ids[0]] = log.until
    naive.step("request", ids[0], "aoife")
    careless = rng.random() < 0.6
    if careless:
        ids.append("00000000000000aa")
    for _ in range(rng.randint(5, 40) if careless else rng.randint(3, 8)):
        what = rng.random()
        if what < 0.2:
            by = rng.choice(["aoife"] * 4 + ["rosa"] * careless)
            id = log.ask(by)
            ids.append(id)
            until[id], newest = log.until, len(log.records) - 1
            if not naive.step("request", id, by):
                want.append(newest)
        elif what < 0.5:
            step = rng.choice(["approve", "approve", "approve", "revoke",
                               "deny"])
            id = rng.choice(ids[-3:])
            by = rng.choice(["rosa", "rosa"] + ["nora", "aoife", "ethan"]
                            * careless)
            newest = log.step(step, id, by, why="because")
            if not naive.step(step, id, by):
                want.append(newest)
        elif what < 0.7:
            id, by = rng.choice(ids[-3:]), rng.choice(
                [["rosa"], ["rosa"]] + [["nora"], ["rosa", "nora"]] * careless)
            if not careless and not naive.good(id, by):
                continue
            log.until = until.get(id, log.until)
            s = log.resting(id, by)
            sessions.append((s, id, by, len(log.records) - 1, [-1]))
            if not (naive.good(id, ["rosa"]) and by == ["rosa"]):
                want.append(len(log.records) - 1)
        elif sessions:
            s, id, by, opened, asked = rng.choice(sessions)
            at = log.look(s, id)
            if newest > opened and asked[0] != newest:
                asked[0] = newest
                if not (naive.good(id, ["rosa"]) and by == ["rosa"]):
                    want.append(at)
    for s, *_ in sessions:
        log.close(s)
    return log, sorted(want)


@approving
def test_random_logs_are_judged_as_a_naive_reader_does(bench):
    rng = random.Random(20261124)
    some = none = 0
    for i in range(ROUNDS):
        log, want = random_log(rng)
        found, out = doubts(bench, log)
        got = [seq for what, seq in found if what == "approval"]
        assert got == want, (i, got, want, out["doubts"], log.records)
        some += bool(want)
        none += not want
    assert min(some, none) > 3, (some, none)


if __name__ == "__main__":
    sys.exit(main(globals()))
