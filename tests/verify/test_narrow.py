"""The narrowness report against naive counting, and the worked examples."""
import collections
import json
import pathlib
import random
import re
import sys

import test_naive as naive
from logkit import (BEGIN, VKEY, Log, all_of, claim_text, main, table)

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs/examples/claims"
ROUNDS = 60


def lint(bench, log_dir, claim, *more):
    p = bench.run("claim", bench.claim_file(claim), "--log", log_dir,
                  "--key", VKEY, "--lint", "--json", *more)
    assert p.returncode in (0, 1), p.stderr
    return p.returncode, json.loads(p.stdout)


def expected(claim, records):
    """why -> disclosures; (why, principal, store) -> statements and rows."""
    sums, lines = collections.Counter(), collections.Counter()
    for s, r, end, rows in naive.disclosures(records):
        if not claim["begin"] <= r["time"] <= claim["end"]:
            continue
        # As of its opening.
        reader = min(naive.reader_truth(claim, s), naive.is_truth(
            claim, s["principal"], s["time"], s["time"]))
        data = naive.data_truth(claim, r["bound"])
        why = ("store" if s["store"] not in claim["stores"] else
               "reader and data" if reader == data == naive.FALSE else
               "reader" if reader == naive.FALSE else
               "data" if data == naive.FALSE else
               "inside" if min(reader, data) == naive.TRUE else "undecided")
        if r["type"] == "session":
            closes = [c for c in records if c["type"] == "close"
                      and c["session"] == s["session"]]
            rows = closes[0]["rows"] if closes else 0
        sums[why] += 1
        key = why, s["principal"], s["store"]
        lines[key + ("statements",)] += r["type"] == "statement"
        lines[key + ("rows",)] += rows or 0
    return +sums, +lines


def test_counts_agree_with_naive_ones_on_random_logs(bench):
    rng = random.Random(1123)
    seen = collections.Counter()
    for _ in range(ROUNDS):
        log, owners = naive.random_world(rng)
        last = log.now
        log.wait(1000)
        claim = naive.random_claim(rng, BEGIN + 100, last, owners)
        status, out = lint(bench, bench.write(log), naive.text_of(claim))
        assert status == 0 and "verdict" in out and out["verdict"] is None
        sums, lines = expected(claim, log.records)
        got = out["narrow"]
        assert +collections.Counter(got["disclosures"]) == sums
        mine = collections.Counter()
        for l in got["lines"]:
            for what in ("statements", "rows"):
                mine[l["why"], l["principal"], l["store"], what] += l[what]
        assert +mine == lines
        seen += sums
    assert len(seen) == 6 and min(seen.values()) > 10, seen


def test_each_line_says_what_is_not_meant(bench):
    plain = table("public.users", ["US"])
    masked = table("public.users", ["US"], [], ["contact"])
    log = Log()
    begin = log.now
    cases = [("aoife", "us", [plain], "reader", "does not stand under CN"),
             ("ethan", "us", [plain], "reader",
              "stands under CN by location, actual"),
             ("wei", "eu", all_of(["IE"]), "data", "residents of IE"),
             ("wei", "us", [table("public.messages", ["US"])], "data",
              "tables public.messages"),
             ("wei", "us", [table("public.users", ["US"], ["technical"])],
              "data", "categories technical"),
             ("wei", "us", [masked], "data", "shown masked"),
             ("wei", "mixed", [plain], "store", ""),
             ("wei", "us", [table("public.users", ["US"], ["contact"])],
              "inside", "")]
    for who, store, bound, _, _ in cases:
        log.visit(who, store, bound)
    end = log.now + 5
    log.wait(2000)
    claim = claim_text(
        begin, end, stores="[us, eu]",
        who="{controlled-from: [CN], by: [location]}",
        more="  tables: [public.users]\n  categories: [contact]\n"
             "  treatment: [plain]\n")
    log_dir = bench.write(log)
    _, out = lint(bench, log_dir, claim)
    got = {(l["principal"], l["store"], l["why"], l["detail"])
           for l in out["narrow"]["lines"]}
    assert got == {(w, s, why, detail) for w, s, _, why, detail in cases}, got
    p = bench.run("claim", bench.dir / "claim.yaml", "--log", log_dir,
                  "--key", VKEY, "--lint")
    assert "8 disclosures" in p.stdout and "This is no verdict" in p.stdout
    for _, _, _, _, detail in cases:
        assert detail in p.stdout


def test_lint_gives_no_verdict_and_none_on_a_broken_log(bench):
    log = Log()
    log.visit("wei", "us")
    to = bench.write(log)
    claim = claim_text(BEGIN, log.now)
    for more in (["--evidence", "x"], ["--html", "x"],
                 ["--store-log", "us=x"]):
        p = bench.run("claim", bench.claim_file(claim), "--log", to, "--key",
                      VKEY, "--lint", *more)
        assert p.returncode == 2, more
    (to / "checkpoint").write_text("x\n")
    status, out = lint(bench, to, claim)
    assert status == 1 and "narrow" not in out


def test_ten_worked_examples_load_and_are_in_the_manual(bench):
    log = Log()
    to = bench.write(log)
    files = sorted(EXAMPLES.glob("*.yaml"))
    assert len(files) == 10
    manual = (EXAMPLES.parents[1] / "claims.md").read_text()
    for file in files:
        p = bench.run("claim", file, "--log", to, "--key", VKEY, "--json")
        assert p.returncode == 4, p.stderr     # this log is of another year
        assert json.loads(p.stdout)["claim"]["title"]
        assert f"(examples/claims/{file.name})" in manual, file.name
    named = re.findall(r"\(examples/claims/([^)]*)\)", manual)
    assert sorted(named) == [f.name for f in files]


if __name__ == "__main__":
    sys.exit(main(globals()))
