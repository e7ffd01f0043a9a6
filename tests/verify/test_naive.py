"""The verdict a second time, naively, over random logs; both must agree.

Written from docs/claims.md: whole lists, no streaming, and quadratic. It
looks at readers, data, period, and whether a session's end is there; logs
are otherwise complete, or made incomplete in one known way.
"""
import datetime
import os
import random
import sys

import logkit
from logkit import (BEGIN, CONTROL, FACTS, Log, all_of, claim_text, main, renumber,
                    table, time_text)

FALSE, UNKNOWN, TRUE = 0, 1, 2
# `make fuzz-claims` has many more, and others each time.
ROUNDS = int(os.environ.get("SWORN_CLAIMS", 500))
SEED = int(os.environ.get("SWORN_SEED", 20261123))
LABELS = ["CN", "IE", "US", "unknown"]
KINDS = ["location", "employment", "ownership", "formal", "actual", "keeping"]


def reader_truth(claim, s):
    for wanted, have in ((claim["kind"], [s["kind"]]),
                         (claim["principals"], [s["principal"]]),
                         (claim["roles"], s["roles"])):
        if wanted and not set(wanted) & set(have):
            return FALSE
    if not claim["from"]:
        return TRUE
    best = FALSE
    for path in s["control"]:
        if set(path["kinds"]) <= set(claim["by"]):
            if path["label"] in claim["from"]:
                return TRUE
            if path["label"] == "unknown":
                best = UNKNOWN
    return best


# -- what a definition says of a reader ---------------------------------------

COUNTRY = {"hq": "CN", "us": "US", "ie": "IE"}
KEEPERS = {"feed": ["aoife"], "hqfeed": ["wei"]}


class Owners:
    """Who owns the US and the Irish company, each for some time."""

    def __init__(self, rng, begin, end):
        when = lambda: sorted(rng.randint(begin, end) for _ in range(2))
        self.of = {e: [(o, rng.choice([30, 50, 60, 100]), *when())
                       for o in owners if rng.random() < 0.7]
                   for e, owners in (("ie", ["hq"]), ("us", ["ie"]))}
        self.vague = {e: rng.random() < 0.3 for e in self.of}

    def text(self):
        text = logkit.DIRECTORY
        for e, owners in self.of.items():
            owners = ", ".join(f'{o}: {{share: {n}, from: "{time_text(a)}", '
                               f'to: "{time_text(b)}"}}' for o, n, a, b in owners)
            rest = "unknown" if self.vague[e] else "dispersed"
            before = f"country: {COUNTRY[e]}, owners: {{}}, rest: dispersed"
            assert text.count(before) == 1
            text = text.replace(before, f"country: {COUNTRY[e]}, owners: "
                                        f"{{{owners}}}, rest: {rest}")
        return text

    def turns(self):
        return {t for owners in self.of.values() for *_, a, b in owners
                for t in (a, b)}

    def covered(self, entity, t):
        if COUNTRY[entity] == "CN":
            return TRUE
        held = [(self.covered(o, t), n) for o, n, a, b in self.of[entity]
                if a <= t < b]
        sure = sum(n for value, n in held if value == TRUE)
        perhaps = sum(n for value, n in held if value == UNKNOWN)
        if self.vague[entity]:
            perhaps += 100 - sum(n for _, n in held)
        return TRUE if sure >= 50 else \
            UNKNOWN if sure + perhaps >= 50 else FALSE

    def reader(self, name, who, t):
        kind, _, employers, seen, _ = FACTS[who]
        if name == "homely":
            return TRUE if (kind, seen) == ("person", "IE") else FALSE
        if name != "covered":
            return UNKNOWN              # no policy says what it is
        if kind == "service":
            return max([self.covered(e, t) for e in employers] +
                       [self.reader(name, k, t) for k in KEEPERS[who]])
        return max([TRUE if seen == "CN" else FALSE] +
                   [self.covered(e, t) for e in employers])


def ms(text):
    t = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return round(t.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


def is_truth(claim, who, begin, end):
    """At each instant of it the same, or not known."""
    if not claim["is"]:
        return TRUE
    begin, end = ms(begin), ms(min(end, claim["end"]))
    owners = claim["owners"]
    values = {max(owners.reader(name, who, t) for name in claim["is"])
              for t in {begin} | {t for t in owners.turns()
                                  if begin < t <= end}}
    return values.pop() if len(values) == 1 else UNKNOWN


def data_truth(claim, bound):
    """Possible subjects' homes, and whether all shown is selected."""
    homes, sure = set(), False
    for t in bound:
        if claim["tables"] and t["table"] not in claim["tables"]:
            continue
        shown = [(c, "plain") for c in t["categories"]] + \
                [(c, "mask") for c in t["masked"]]
        chosen = [(c, how) for c, how in shown if how in claim["treatment"]
                  and (not claim["categories"] or c in claim["categories"])]
        if not chosen:
            continue
        homes |= set(t["residences"])
        if chosen == shown and set(t["residences"]) & (
                set(claim["whose"]) | {"unknown"}):
            sure = True
    inside = homes & set(claim["whose"])
    if not inside and "unknown" not in homes - set(claim["whose"]):
        return FALSE
    return TRUE if sure and homes <= set(claim["whose"]) else UNKNOWN


def listed_truth(claim, bound, subjects):
    """An exact record: somebody listed of whom only what is selected can
    have been shown; nobody listed whom the claim means; or neither."""
    homes = {x["label"] for x in subjects if x["tags"]}
    if not homes & (set(claim["whose"]) | {"unknown"}):
        return FALSE
    possible = False
    for home in homes & set(claim["whose"]):
        how_much = []
        for t in bound:
            if home not in t["residences"]:
                continue
            shown = [(c, "plain") for c in t["categories"]] + \
                    [(c, "mask") for c in t["masked"]]
            chosen = [(c, how) for c, how in shown
                      if how in claim["treatment"] and (
                          not claim["categories"] or
                          c in claim["categories"])]
            if claim["tables"] and t["table"] not in claim["tables"]:
                chosen = []
            how_much.append(TRUE if chosen == shown else
                            UNKNOWN if chosen else FALSE)
        if how_much and set(how_much) == {TRUE}:
            return TRUE
        possible |= any(how_much)
    if "unknown" in homes and data_truth(claim, [
            dict(t, residences=["unknown"]) for t in bound
            if "unknown" in t["residences"]]):
        possible = True
    return UNKNOWN if possible else FALSE


def statement_truth(claim, t, records):
    whole = data_truth(claim, t["bound"])
    if t.get("basis") != "exact":
        return whole
    more = [r for r in records if r["type"] == "subjects" and
            r["session"] == t["session"] and r["of"] == t["n"]]
    subjects = sum((r.get("subjects", []) for r in [t, *more]), [])
    listed = listed_truth(claim, t["bound"], subjects)
    ended = any(r["type"] == "result" and r["session"] == t["session"] and
                r["of"] == t["n"] for r in records)
    if listed == TRUE or \
            ended and all(r["basis"] == "exact" for r in more):
        return listed
    return whole


def disclosures(records):
    """(session, bound, begin, end or None, rows)"""
    for s in (r for r in records if r["type"] == "session"):
        own = [r for r in records if r.get("session") == s["session"]]
        close = [r for r in own if r["type"] == "close"]
        # A later start ends what is open.
        after = [r for r in records if r["seq"] > s["seq"]
                 and r["type"] == "boot"]
        ends = close[0]["time"] if close else after[0]["time"] if after \
            else "9999"
        if s["kind"] == "service":
            yield (s, s, ends, (close[0]["rows"] or close[0]["bytes"])
                   if close else None)
        for t in (r for r in own if r["type"] == "statement"):
            result = [r for r in own if r["type"] == "result"
                      and r["of"] == t["n"]]
            yield (s, t, result[0]["time"] if result else ends,
                   result[0]["rows"] if result else None)


def verdict(claim, records):
    refuting, undecided = [], []
    for s, r, end, rows in disclosures(records):
        if s["store"] not in claim["stores"]:
            continue
        if end < claim["begin"] or r["time"] > claim["end"]:
            continue
        value = min(reader_truth(claim, s), statement_truth(claim, r, records))
        if value == FALSE:
            continue
        value = min(value, is_truth(claim, s["principal"], r["time"], end))
        if value == FALSE:
            continue
        if not rows or r["time"] < claim["begin"] or end > claim["end"]:
            value = UNKNOWN
        (refuting if value == TRUE else undecided).append(r["seq"])
    return sorted(refuting), sorted(undecided)


def random_bound(rng, store_homes):
    bound = []
    for t in all_of(store_homes):
        if rng.random() < 0.3:
            continue
        homes = rng.choice([["US"], ["US"], ["IE"], ["IE", "US"],
                            ["unknown", "US"], ["unknown"]])
        t = table(t["table"], homes)
        if rng.random() < 0.4:
            t["masked"] = [t["categories"].pop()]
        bound.append(t)
    return bound


def random_subjects(rng, bound):
    """Of those within the bound, as a gateway lists them."""
    homes = sorted({h for t in bound for h in t["residences"]})
    return [{"label": h, "tags": [f"t{rng.randrange(5)}"]}
            for h in homes if rng.random() < 0.4]


def random_control(rng):
    return [(rng.choice(LABELS), rng.sample(KINDS, rng.randint(1, 2)))
            for _ in range(rng.randint(1, 3))]


def random_log(rng):
    log = Log()
    open_sessions = []
    for _ in range(rng.randint(3, 30)):
        log.now += rng.choice([0, 0, 50, 300])
        what = rng.random()
        if what < 0.25 or not open_sessions:
            who = rng.choice(list(CONTROL))
            store = rng.choice(["us", "eu", "mixed"])
            s = log.session(who, store, control=random_control(rng),
                            bound=random_bound(rng, log.stores[store]))
            open_sessions.append((s, store, []))
            continue
        s, store, waiting = at = rng.choice(open_sessions)
        if what < 0.65:
            bound = random_bound(rng, log.stores[store])
            more = {}
            if rng.random() < 0.6:
                more["basis"] = "exact"
                if subjects := random_subjects(rng, bound):
                    more["subjects"] = subjects
            waiting.append(log.statement(s, bound, **more))
            while more and rng.random() < 0.4:
                log.subjects(s, waiting[-1], random_subjects(rng, bound),
                             rng.choice(["exact", "exact", "bounded"]))
        elif what < 0.88 and waiting:
            log.result(s, waiting.pop(rng.randrange(len(waiting))),
                       rng.choice([0, 1, 7]))
        elif what < 0.95:
            log.close(s, *rng.choice([(0, 0), (0, 3), (4, 40)]))
            open_sessions.remove(at)
        elif what < 0.97:
            log.boot(clean=False)
            open_sessions.clear()
        else:
            log.beat_now()
    return log


def random_world(rng):
    """A log, and who owns whom meanwhile."""
    owners = Owners(rng, BEGIN, BEGIN + 6000)
    with logkit.texts(owners.text(), logkit.defining()):
        return random_log(rng), owners


def random_claim(rng, first, last, owners):
    times = [first, last]
    if rng.random() < 0.4:
        times = sorted(rng.randint(first, last) for _ in range(2))
    some = lambda l: rng.sample(l, rng.randint(1, len(l)))
    maybe = lambda l: some(l) if rng.random() < 0.1 else []
    labels = rng.random() < 0.7
    return {"begin": time_text(times[0]), "end": time_text(times[1] + 1),
            "times": (times[0], times[1] + 1),
            "whose": some(["US", "IE"]), "stores": some(["us", "eu", "mixed"]),
            "from": some(["CN", "IE", "US"]) if labels else [],
            "by": some(KINDS) if labels and rng.random() < 0.6 else KINDS,
            "is": rng.choice([[]] * 4 + [["covered"]] * 4 + [["homely"],
                             ["homely", "covered"], ["unheard-of"],
                             ["covered", "unheard-of"]]), "owners": owners,
            "kind": rng.choice([[]] * 4 + [["person"], ["service"]]),
            "principals": maybe(list(CONTROL)), "roles": maybe(
                ["admin", "moderator", "analyst"]),
            "tables": maybe(["public.users", "public.messages"]),
            "categories": maybe(["technical", "contact", "messages"]),
            "treatment": rng.choice([["plain", "mask"]] * 3 +
                                     [["plain"], ["mask"]])}


def text_of(claim):
    flow = lambda l: "[" + ", ".join(l) + "]"
    who = []
    if claim["from"]:
        who += [f"controlled-from: {flow(claim['from'])}",
                f"by: {flow(claim['by'])}"]
    if claim["kind"]:
        who += [f"kind: {claim['kind'][0]}"]
    for part in ("principals", "roles", "is"):
        if claim[part]:
            who += [f"{part}: {flow(claim[part])}"]
    more = "".join(f"  {part}: {flow(claim[part])}\n" for part in
                   ("tables", "categories", "treatment") if claim[part])
    return claim_text(*claim["times"], whose=flow(claim["whose"]),
                      stores=flow(claim["stores"]), more=more,
                      who="{" + ", ".join(who) + "}")


def test_a_second_implementation_agrees_on_random_logs(bench):
    rng = random.Random(SEED)
    refuted = undecided = neither = 0
    asked = set()
    for i in range(ROUNDS):
        log, owners = random_world(rng)
        last = log.now
        log.wait(1000)
        claim = random_claim(rng, BEGIN + 100, last, owners)
        want = verdict(claim, log.records)
        # Deciding again would doubt these random control sets and bounds,
        # so that nothing holds; which doubts are of disclosures is told.
        status, out = bench.claim(text_of(claim), bench.write(log))
        got = (sorted(e["seq"] for e in out["evidence"]),
               sorted(d["seq"] for d in out["doubts"]
                      if d["what"] == "undecided"))
        assert got == want, (i, got, want, text_of(claim), log.records)
        assert (status == 3) == bool(want[0])
        for e in out["evidence"]:
            name = e["is"]["definition"] if claim["is"] else None
            assert e["is"] is None if name is None else name in claim["is"]
        if claim["is"]:
            asked |= {bool(want[0]), "some" if want[1] else "none"}
        refuted += bool(want[0])
        undecided += bool(want[1])
        neither += not want[0] and not want[1]
    # The random logs must be worth something.
    assert asked == {True, False, "some", "none"}
    assert min(refuted, undecided, neither) > ROUNDS // 20, \
        (refuted, undecided, neither)


def test_no_record_can_be_left_out_unnoticed_while_it_holds(bench):
    """From a log that refutes, every subset of one session's records that
    leaves anything of it, and every whole session."""
    log = Log()
    begin = log.now
    for who in ("aoife", "wei", "aoife"):
        log.visit(who, "us")
    end = log.now + 5
    log.wait(2000)
    wei = [r["session"] for r in log.records if r["type"] == "session"][1]
    at = [i for i, r in enumerate(log.records) if r.get("session") == wei]
    for mask in range(1, 2 ** len(at)):
        gone = {i for bit, i in enumerate(at) if mask >> bit & 1}
        records = renumber([dict(r) for i, r in enumerate(log.records)
                            if i not in gone])
        status, _ = bench.claim(claim_text(begin, end),
                                bench.write(log, records=records))
        assert status in (3, 4), gone


if __name__ == "__main__":
    sys.exit(main(globals()))
