"""Statements that were answered under bounded records although a rule wants
exact ones, a second time, naively, over random logs; both must agree.

Which tables of a policy want it is written down by hand.
"""
import random
import re
import sys

import logkit
from logkit import POLICY, Log, claim_text, main, table

ROUNDS = 60
WHO = "    who: {roles: [moderator]}\n    why: {purposes: [moderation]}\n"
EXACT = WHO + "    record: exact\n"
SOME = """  - rule: moderators look who it is
    permit: read
    who: {roles: [moderator]}
    what: {categories: [technical, contact]}
"""
USERS, MESSAGES = "public.users", "public.messages"
assert WHO in POLICY
# A policy, and the tables that it shows less of without its exact permits:
# to who states moderation, and to who states nothing.
BOTH = {USERS, MESSAGES}
POLICIES = [
    (POLICY, set(), set()),
    (POLICY.replace(WHO, EXACT), BOTH, set()),
    (POLICY.replace(WHO, EXACT) + SOME, {MESSAGES}, set()),
    (POLICY + SOME.replace("    what", "    record: exact\n    what"),
     set(), BOTH),
]


def random_statement(rng, log, session):
    bound = [table(t, ["IE"]) for t in (USERS, MESSAGES)
             if rng.random() < 0.6]
    whole = rng.random() < 0.2
    exact = not whole and rng.random() < 0.5
    more = {"basis": "exact"} if exact else {}
    at = log.statement(session, bound, whole=whole, **more)
    if exact and rng.random() < 0.5:
        log.subjects(session, at, [], rng.choice(["exact", "bounded"]))
    return at


def random_log(rng):
    """The log, and {place: tables that the statement there wants exact}."""
    text, moderating, idle = rng.choice(POLICIES)
    demanded = {}
    with logkit.texts(policy=text):
        log = Log(mode="enforce" if rng.random() < 0.8 else "observe")
        begin = log.now
        purpose = rng.choice(["moderation", None])
        session = log.session("aoife", "eu", purpose=purpose)
        waiting = []
        for _ in range(rng.randint(2, 12)):
            what = rng.random()
            if what < 0.5:
                at = random_statement(rng, log, session)
                waiting.append(at)
                demanded[at] = set() if log.mode != "enforce" else \
                    moderating if purpose else idle
            elif what < 0.85 and waiting:
                log.result(session, waiting.pop(rng.randrange(len(waiting))),
                           rng.choice([0, 3]),
                           rng.choice(["00000", "00000", "22012"]))
            else:
                purpose = rng.choice(["moderation", None])
                more = {"purpose": purpose} if purpose else {}
                log.clearance(session, "eu", [], **more)
        log.close(session)
    return log, demanded, begin


def breaches(log, demanded):
    found = []
    for at, tables in demanded.items():
        own = log.records[at]
        later = [r for r in log.records if r.get("of") == own["n"]]
        result = [r for r in later if r["type"] == "result"]
        bases = {own["basis"]} | {r["basis"] for r in later
                                  if r["type"] == "subjects"}
        read = {USERS, MESSAGES} if own["whole"] else \
            {t["table"] for t in own["bound"]}
        if "bounded" in bases and tables & read and result and \
                result[0]["sqlstate"] == "00000":
            found.append(at)
    return found


def test_what_a_rule_wants_exact_and_is_bounded_is_named(bench):
    rng = random.Random(20261124)
    some = none = 0
    for i in range(ROUNDS):
        log, demanded, begin = random_log(rng)
        end = log.now + 5
        log.wait(1000)
        want = breaches(log, demanded)
        who = rng.choice(["CN", "IE"])
        _, out = bench.claim(claim_text(
            begin, end, whose=rng.choice(["[US]", "[IE]"]),
            who=f"{{controlled-from: [{who}]}}"), bench.write(log))
        got = sorted(int(re.search(r"entry (\d+), which", d["text"])[1])
                     for d in out["doubts"] if d["what"] == "exact")
        assert got == want, (i, got, want, log.records)
        assert not want or out["verdict"] != "holds"
        some += bool(want)
        none += not want
    assert min(some, none) > ROUNDS // 10, (some, none)


if __name__ == "__main__":
    sys.exit(main(globals()))
