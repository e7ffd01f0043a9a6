"""Claims that nobody could: against a naive decision, over small random
worlds, of who is shown what by whom stands behind them."""
import random
import re
import sys

import logkit
from logkit import (CATALOG, FACTS, VKEY, Log, main, sha256, table, time_text)

HOLDS, REFUTED, NOT_SHOWN = 0, 3, 4
FALSE, UNKNOWN, TRUE = 0, 1, 2
ROUNDS = 120
KINDS = ["location", "employment", "ownership", "formal", "actual", "keeping"]
STORES = {"us": ["US"], "eu": ["IE"], "mixed": ["IE", "US"]}
COLUMNS = {"public.users": ["technical", "technical", "contact"],
           "public.messages": ["technical", "messages"]}
PURPOSES = [None, "moderation", "audit"]
PLACES = ["CN", "IE", "US", "unknown"]


class World(Log):
    """Who is whose instructor when, which services work where; and a policy,
    directory and modes of stores that change."""

    def __init__(self, beat=1000):
        super().__init__(mode="enforce", beat=beat)
        self.records = self.records[:1]
        self.add("boot", program="sworn test", config=sha256("c"),
                 heartbeat_ms=self.beat, last=0, clean=True)
        self.versions = []          # (time, policy, directory, stores)

    def version(self, policy, directory, stores):
        """policy: rules; directory: who instructs ethan and when; stores:
        name -> (mode, services)."""
        texts = {"policy": policy_text(policy), "catalog": CATALOG,
                 "directory": directory_text(directory)}
        for kind, text in texts.items():
            self.objects[sha256(text)] = text
            self.add("object", kind=kind, name="", sha256=sha256(text),
                     len=len(text))
        for name, (mode, services) in stores.items():
            self.add("store", store=name, mode=mode, catalog=sha256(CATALOG),
                     residences=STORES[name], services=[
                         {"principal": s, "role": s} for s in services])
        self.add("in_force", cause="reload" if self.versions else "start",
                 config=sha256("c"), policy=sha256(texts["policy"]),
                 directory=sha256(texts["directory"]),
                 stores=[{"store": s} for s in stores])
        self.versions.append((self.now, policy, directory, stores))


def flow(items):
    return "[" + ", ".join(items) + "]"


def who_text(who):
    parts = [f"{k}: {v if isinstance(v, str) else flow(v)}"
             for k, v in who.items()]
    return "{" + ", ".join(parts) + "}"


def policy_text(rules):
    text = "policy: small\nversion: 1\npurposes: [moderation, audit]\nrules:\n"
    for i, r in enumerate(rules):
        text += f"  - rule: rule {i}\n    {r['verb']}\n"
        if r["who"]:
            text += f"    who: {who_text(r['who'])}\n"
        if r["whose"]:
            text += f"    whose: {flow(r['whose'])}\n"
        if r["what"]:
            text += f"    what: {{categories: {flow(r['what'])}}}\n"
        if r["why"]:
            text += f"    why: {{purposes: {flow(r['why'])}}}\n"
    return text


def directory_text(d):
    text = logkit.DIRECTORY
    if d["instructed"]:
        a, b = (time_text(t) for t in d["instructed"])
        text = text.replace("instructor: wei",
                            f'instructor: [{{id: wei, from: "{a}", to: "{b}"}}]')
    if d["nowhere"]:
        before = "{name: Aoife Kelly, employer: ie, site: dublin, "
        assert before in text
        text = text.replace(before, "{name: Aoife Kelly, employer: ie, ")
    return text


# -- the naive decision ---------------------------------------------------------

def behind(world_dir, who, place, t):
    """(label, kinds) of every path; by hand, as the directory is written."""
    home = "unknown" if world_dir["nowhere"] else "IE"
    own = {"wei": [("CN", {"location"}), ("CN", {"employment"})],
           "aoife": [(home, {"location"}), ("IE", {"employment"})],
           "ethan": [("US", {"location"}), ("US", {"employment"})],
           "feed": [("IE", {"location"}), ("US", {"keeping"}),
                    (home, {"location", "keeping"}),
                    ("IE", {"employment", "keeping"})],
           "hqfeed": [("CN", {"location"}), ("CN", {"keeping"}),
                      ("CN", {"location", "keeping"}),
                      ("CN", {"employment", "keeping"})]}[who]
    span = world_dir["instructed"]
    if who == "ethan" and (not span or span[0] <= t < span[1]):
        own = own + [("CN", {"location", "actual"}),
                     ("CN", {"employment", "actual"})]
    return own + [(place, {"location"})]


def meets(cond, who, paths):
    kind, roles, *_ = FACTS[who]
    best = TRUE
    if "kind" in cond and cond["kind"] != kind:
        return FALSE
    if "roles" in cond and not set(cond["roles"]) & set(roles):
        return FALSE
    if "principals" in cond and who not in cond["principals"]:
        return FALSE
    if "controlled-from" in cond:
        by = set(cond.get("by", KINDS))
        labels = {label for label, kinds in paths if kinds <= by}
        best = TRUE if labels & set(cond["controlled-from"]) else \
            UNKNOWN if "unknown" in labels else FALSE
    return best


def shown(rules, who, paths, purpose, homes):
    """{(home, table, category): 'plain' or 'mask'}"""
    at_least = {"permit: read": TRUE, "forbid: read": UNKNOWN,
                "treat: mask": UNKNOWN, "treat: absent": UNKNOWN}
    apply = [r for r in rules if meets(r["who"], who, paths) >=
             at_least[r["verb"]] and (not r["why"] or purpose in r["why"])]
    of = lambda verb: [r for r in apply if r["verb"] == verb]
    out = {}
    for home in homes:
        about = lambda r: not r["whose"] or home in r["whose"]
        if not any(about(r) for r in of("permit: read")) or \
                any(about(r) for r in of("forbid: read")):
            continue
        for t, categories in COLUMNS.items():
            for c in categories:
                if any(c in r["what"] for r in of("treat: absent")):
                    continue
                masked = any(c in r["what"] for r in of("treat: mask"))
                out[home, t, c] = "mask" if masked else "plain"
    return out


def selected(claim, cells):
    return any(home in claim["whose"] and how in claim["treatment"] and
               (not claim["tables"] or t in claim["tables"]) and
               (not claim["categories"] or c in claim["categories"])
               for (home, t, c), how in cells.items())


def could(claim, rules, directory, store, services, who, t):
    kind = FACTS[who][0]
    if kind == "service" and who not in services:
        return FALSE
    best = FALSE
    for place in PLACES:
        paths = behind(directory, who, place, t)
        meant = meets(claim["who"], who, paths)
        for purpose in PURPOSES:
            cells = shown(rules, who, paths, purpose, STORES[store])
            every = len(STORES[store]) * 4      # cells by category
            if kind == "service" and (len(cells) != every or
                                      "mask" in cells.values()):
                continue
            if selected(claim, cells):
                best = max(best, meant)
    return best


def decide(claim, log):
    """(who could, who perhaps, stores that were observed)"""
    sure, perhaps, observed = set(), set(), set()
    begin, end = claim["times"]
    for i, (start, rules, directory, stores) in enumerate(log.versions):
        until = log.versions[i + 1][0] if i + 1 < len(log.versions) else end + 1
        first, last = max(start, begin), min(until - 1, end)
        if first > last:
            continue
        times = {first} | {t for t in directory["instructed"] or ()
                           if first < t <= last}
        for store, (mode, services) in stores.items():
            if mode == "observe":
                observed.add(store)
                continue
            for who in FACTS:
                for t in times:
                    value = could(claim, rules, directory, store, services,
                                  who, t)
                    if value == TRUE:
                        sure.add((who, store))
                    elif value == UNKNOWN:
                        perhaps.add((who, store))
    return sure, perhaps, observed


# -- random worlds ----------------------------------------------------------------

def some(rng, items, most=None):
    return sorted(rng.sample(items, rng.randint(1, most or len(items))))


def random_who(rng):
    what = rng.random()
    if what < 0.4:
        who = {"controlled-from": some(rng, ["CN", "IE", "US"], 2)}
        if rng.random() < 0.7:
            who["by"] = some(rng, KINDS)
        return who
    if what < 0.6:
        return {"roles": some(rng, ["admin", "moderator", "analyst"])}
    if what < 0.75:
        return {"kind": rng.choice(["person", "service"])}
    if what < 0.85:
        return {"principals": some(rng, list(FACTS))}
    return {}


def random_rule(rng):
    verb = rng.choice(["permit: read"] * 4 + ["forbid: read"] * 3 +
                      ["treat: mask", "treat: absent"])
    treat = verb.startswith("treat")
    return {"verb": verb, "who": random_who(rng),
            "whose": some(rng, ["IE", "US"]) if not treat and
            rng.random() < 0.4 else [],
            "what": some(rng, ["technical", "contact", "messages"], 2)
            if treat else [],
            "why": some(rng, PURPOSES[1:]) if verb == "permit: read" and
            rng.random() < 0.4 else []}


def random_world(rng):
    log = World()
    for _ in range(rng.randint(1, 3)):
        log.now += rng.randint(50, 400)
        span = sorted(log.now + rng.randint(-200, 700) for _ in range(2))
        log.version([random_rule(rng) for _ in range(rng.randint(1, 4))],
                    {"instructed": span if span[0] < span[1] and
                     rng.random() < 0.7 else None,
                     "nowhere": rng.random() < 0.2},
                    {s: (rng.choice(["enforce"] * 9 + ["observe"]),
                         rng.choice([["feed"], ["feed", "hqfeed"], []]))
                     for s in STORES})
    return log


def random_claim(rng, log):
    first = log.versions[0][0]
    times = sorted(rng.sample(range(first, log.now + 600), 2))
    maybe = lambda l: some(rng, l) if rng.random() < 0.2 else []
    return {"times": times, "whose": some(rng, ["IE", "US"]),
            "who": random_who(rng), "tables": maybe(list(COLUMNS)),
            "categories": maybe(["technical", "contact", "messages"]),
            "treatment": rng.choice([["plain", "mask"], ["plain"], ["mask"]])}


def text_of(claim, could="never-could"):
    part = "".join(f"  {k}: {flow(claim[k])}\n" for k in
                   ("tables", "categories", "treatment") if claim.get(k))
    begin, end = (time_text(t) for t in claim["times"])
    return f"""\
claim: 1
title: a test
sworn-by: nobody
sentence: Nobody could.
period: {{from: "{begin}", to: "{end}"}}
gateways: [gw]
stores: [us, eu, mixed]
{could}:
  whose: {flow(claim['whose'])}
  who: {who_text(claim['who'])}
{part}"""


def test_a_second_implementation_agrees_on_random_worlds(bench):
    rng = random.Random(77)
    seen = {HOLDS: 0, REFUTED: 0, NOT_SHOWN: 0}
    for i in range(ROUNDS):
        log = random_world(rng)
        claim = random_claim(rng, log)
        log.wait(2000)
        sure, perhaps, observed = decide(claim, log)
        status, out = bench.claim(text_of(claim), bench.write(log))
        about = (i, text_of(claim), log.versions, out["doubts"],
                 out["abilities"])
        got = {(a["principal"], a["store"]) for a in out["abilities"]}
        assert got == sure, (got, sure, about)
        doubts = [d["text"] for d in out["doubts"]]
        found = {m.groups() for d in doubts if (m := re.search(
            r"\((\w+)\) may have been able to read at store (\w+) ", d))}
        assert found == perhaps, (found, perhaps, about)
        found = {m[1] for d in doubts
                 if (m := re.search(r"store (\w+) was in mode observe", d))}
        assert found == observed, about
        want = REFUTED if sure else NOT_SHOWN if perhaps or observed else HOLDS
        assert status == want, about
        seen[want] += 1
    assert min(seen.values()) > ROUNDS // 20, seen


# -- by hand --------------------------------------------------------------------------

PERMIT = {"verb": "permit: read", "who": {"roles": ["analyst"]}, "whose": [],
          "what": [], "why": ["moderation"]}
PLAIN = {"instructed": None, "nowhere": False}
ALL = {s: ("enforce", []) for s in STORES}
CHINA = {"whose": ["US"], "who": {"controlled-from": ["CN"], "by": [
    "employment", "formal", "actual"]}}


def ended(log):
    log.wait(1000)
    begin, end = log.versions[0][0], log.now
    log.wait(2000)
    return {**CHINA, "times": (begin + 1, end)}


def test_evidence_names_who_why_and_by_which_version(bench):
    log = World()
    log.version([PERMIT], PLAIN, ALL)
    claim = ended(log)
    status, out = bench.claim(text_of(claim), bench.write(log))
    assert status == REFUTED and out["claim"]["about"] == "ability"
    one, two = sorted(out["abilities"], key=lambda a: a["store"])
    assert (one["store"], two["store"]) == ("mixed", "us")
    assert one["principal"] == "ethan" and one["name"] == "Ethan Cole"
    assert one["residences"] == ["US"] and one["rules"] == ["rule 0"]
    assert set(one["tables"]) == set(COLUMNS)
    assert one["purpose"] == "moderation" and one["ticket"] is None
    assert one["control"]["label"] == "CN"
    assert set(one["control"]["kinds"]) == {"employment", "actual"}
    assert any("Wei Jun" in s for s in one["control"]["steps"])
    assert one["policy"] == sha256(policy_text([PERMIT]))
    assert log.records[one["seq"]]["type"] == "in_force"
    p = bench.run("claim", bench.claim_file(text_of(claim)), "--key", VKEY,
                  "--log", bench.dir / "log", "--html", bench.dir / "x.html")
    assert "2 readers could what the claim says nobody could" in p.stdout
    assert "permitted by rule: rule 0" in p.stdout
    assert "Who could" in (bench.dir / "x.html").read_text()


def test_what_nobody_did_somebody_could(bench):
    log = World()
    log.version([PERMIT], PLAIN, ALL)
    claim = ended(log)
    to = bench.write(log)
    assert bench.claim(text_of(claim, "never-did"), to)[0] == HOLDS
    assert bench.claim(text_of(claim), to)[0] == REFUTED
    p = bench.run("claim", bench.claim_file(text_of(claim)), "--key", VKEY,
                  "--log", to, "--evidence", bench.dir / "e")
    assert p.returncode == REFUTED and "hand on the log itself" in p.stderr
    assert not (bench.dir / "e").exists()


def test_what_was_done_refutes_that_nobody_could(bench):
    """Whatever the policy says: the store was in mode observe."""
    log = World()
    log.version([PERMIT], PLAIN, {"us": ("observe", [])})
    begin = log.now
    s = log.session("wei", "us", mode="observe", bound=[
        table("public.users", ["US"])])
    log.read(s, [table("public.users", ["US"])])
    log.close(s)
    end = log.now + 5
    log.wait(2000)
    claim = {**CHINA, "times": (begin, end)}
    status, out = bench.claim(text_of(claim), bench.write(log))
    assert status == REFUTED and out["evidence"] and not out["abilities"]


def test_an_approval_that_could_be_given_leaves_it_open(bench):
    log = World()
    log.version([{**PERMIT, "verb": "permit: read\n    approval: {by: "
                 "{roles: [moderator]}, apart: [formal]}"}], PLAIN, ALL)
    claim = ended(log)
    status, out = bench.claim(text_of(claim), bench.write(log))
    assert status == NOT_SHOWN and not out["abilities"]
    assert any("takes an approval" in d["text"] for d in out["doubts"])


HOUR = 3600000


def test_hours_of_rules_count_while_the_facts_hold(bench):
    """The rule is in force from 12 to 13 o'clock, the log begins at 11:06."""
    permit = {**PERMIT, "verb": PERMIT["verb"] + "\n    when: {hours: \"12:00-"
              "13:00\", utc-offset: \"+00:00\"}"}
    for until, end, want in ((20, 180, HOLDS), (80, 180, REFUTED),
                             (80, 30, HOLDS), (500, 30, HOLDS)):
        log = World(beat=HOUR)
        start = log.now
        log.version([permit], {"instructed": (start - HOUR, start +
                                              until * 60000),
                               "nowhere": False}, ALL)
        first = log.now + 1
        log.wait(4 * HOUR)
        claim = {**CHINA, "times": (first, first + end * 60000)}
        status, out = bench.claim(text_of(claim), bench.write(log))
        assert status == want, (until, end, out["doubts"], out["abilities"])


def test_what_is_missing_is_not_shown(bench):
    log = World()
    log.version([PERMIT], PLAIN, ALL)
    claim = ended(log)
    for kind in ("policy", "directory", "catalog"):
        at = next(r["sha256"] for r in log.records
                  if r["type"] == "object" and r["kind"] == kind)
        to = bench.write(log)
        (to / "objects" / at).unlink()
        status, out = bench.claim(text_of(claim), to)
        assert status == NOT_SHOWN
        assert any(kind in d["text"] for d in out["doubts"]
                   if d["what"] == "object")
    early = {**claim, "times": (claim["times"][0] - 300, claim["times"][1])}
    status, out = bench.claim(text_of({**early, "who": {"principals": ["x"]}}),
                              bench.write(log))
    assert status == NOT_SHOWN
    assert any("does not say what was in force" in d["text"]
               for d in out["doubts"])
    old = Log()                             # no in_force at all
    old.wait(1000)
    begin = old.now - 500
    old.wait(2000)
    status, out = bench.claim(text_of({**claim, "times": (begin, begin + 9)}),
                              bench.write(old))
    assert status == NOT_SHOWN
    both = text_of(claim) + text_of(claim).split("stores: [us, eu, mixed]\n")[
        1].replace("never-could", "never-did")
    p = bench.run("claim", bench.claim_file(both), "--key", VKEY, "--log", to)
    assert p.returncode == 2 and "never-did or never-could" in p.stderr


if __name__ == "__main__":
    sys.exit(main(globals()))
