"""Verdicts on logs made by hand: three values, completeness, store logs."""
import json
import itertools
import re
import sys

import logkit
from logkit import (BEGIN, CATALOG, CONTROL, MODERATOR_SEES, POLICY, VKEY, Log,
                    all_of, claim_text, clearance_text, main, renumber,
                    sha256, table, time_text)

HOLDS, BROKEN, REFUTED, NOT_SHOWN = 0, 1, 3, 4


def finish(log):
    """Ends the period and goes on beyond it."""
    end = log.now + 5
    log.wait(2000)
    return end


def doubts(out, what=None):
    return [d["text"] for d in out["doubts"] if what in (None, d["what"])]


def judge(bench, log, begin, end, **claim):
    return bench.claim(claim_text(begin, end, **claim), bench.write(log))


# -- reader and data, three values each ------------------------------------

def test_reader_and_data_combine_as_three_values(bench):
    """Every pair, with rows and without, against a table written down."""
    readers = {"true": [("CN", ["location"])],
               "unknown": [("unknown", ["location"])],
               "false": [("IE", ["location"])]}
    datas = {"true": all_of(["US"]), "unknown": all_of(["IE", "US"]),
             "false": all_of(["IE"]), "none": []}
    want = {("true", "true", True): "evidence"}
    for r, d, rows in itertools.product(readers, datas, (True, False)):
        if "false" not in (r, d) and d != "none":
            want.setdefault((r, d, rows), "undecided")
    seen = set()
    for r, d, rows in itertools.product(readers, datas, (True, False)):
        log = Log()
        begin = log.now
        s = log.session("wei", "mixed", control=readers[r])
        log.read(s, datas[d], rows=int(rows))
        log.close(s)
        status, out = judge(bench, log, begin, finish(log))
        got = ("evidence" if out["evidence"] else
               "undecided" if doubts(out, "undecided") else None)
        assert got == want.get((r, d, rows)), (r, d, rows, got)
        assert status == (REFUTED if got == "evidence" else NOT_SHOWN)
        seen.add(got)
    assert seen == {"evidence", "undecided", None}


def test_paths_count_by_their_kinds(bench):
    cases = [(["location"], "[location]", True),
             (["location", "actual"], "[location]", False),
             (["location", "actual"], "[location, actual]", True),
             (["location", "actual"], "[actual]", False),
             (["ownership"], "[location, formal, actual, keeping]", False),
             (["ownership", "employment"], "[ownership, employment]", True)]
    for kinds, by, matches in cases:
        for label, value in (("CN", 2), ("unknown", 1), ("IE", 0)):
            log = Log()
            begin = log.now
            s = log.session("aoife", "us", control=[(label, kinds)])
            log.read(s, all_of(["US"]))
            log.close(s)
            _, out = judge(bench, log, begin, finish(log),
                           who="{controlled-from: [CN], by: %s}" % by)
            got = 2 if out["evidence"] else 1 if doubts(out, "undecided") \
                else 0
            assert got == (value if matches else 0), (kinds, by, label)


def test_a_reader_must_meet_every_part_of_who(bench):
    log = Log()
    begin = log.now
    for who in ("wei", "aoife", "ethan"):
        log.visit(who, "us")
    s = log.session("feed", "us")
    log.close(s, 7, 70)
    end = finish(log)
    to = bench.write(log)
    cases = [("{}", {"wei", "aoife", "ethan", "feed"}),
             ("{kind: person}", {"wei", "aoife", "ethan"}),
             ("{kind: service}", {"feed"}),
             ("{principals: [wei, feed]}", {"wei", "feed"}),
             ("{roles: [moderator, analyst]}", {"aoife", "ethan"}),
             ("{employed-by: [us]}", {"ethan", "feed"}),
             ("{employed-by: [us], kind: person}", {"ethan"}),
             ("{roles: [admin], employed-by: [us]}", set()),
             ("{controlled-from: [CN], by: [location, actual]}",
              {"wei", "ethan"}),
             ("{controlled-from: [CN], kind: person, roles: [analyst]}",
              {"ethan"}),
             ("{controlled-from: [US]}", {"ethan", "feed"})]
    for who, want in cases:
        status, out = bench.claim(claim_text(begin, end, who=who), to)
        assert {e["principal"] for e in out["evidence"]} == want, who
        assert status == (REFUTED if want else HOLDS), (who, doubts(out))


def test_a_reader_is_what_the_policy_defines(bench):
    """Covered are who is in CN or employed by whom CN owns; the policy does
    not say in any record who that is."""
    owned = logkit.DIRECTORY.replace(
        "country: IE, owners: {}", "country: IE, owners: {hq: 60}")
    with logkit.texts(owned, logkit.defining()):
        log = Log()
        begin = log.now
        for who in ("wei", "aoife", "ethan"):
            log.visit(who, "us")
        for who in ("feed", "hqfeed"):
            log.close(log.session(who, "us"), 7, 70)
        end = finish(log)
        to = bench.write(log)
    cases = [("covered", {"wei", "aoife", "feed", "hqfeed"}),
             ("homely", {"aoife"}),
             ("covered, homely", {"wei", "aoife", "feed", "hqfeed"}),
             ("covered], kind: [person", {"wei", "aoife"})]
    for names, want in cases:
        claim = claim_text(begin, end, who="{is: [%s]}" % names).replace(
            "[person]", "person")
        status, out = bench.claim(claim, to)
        assert {e["principal"] for e in out["evidence"]} == want, names
        assert status == REFUTED
        rests, = [r["text"] for r in out["rests_on"]
                  if r["what"] == "definition"]
        assert all(f'"{n}"' in rests for n in re.findall(r"\w+", names)
                   if n not in ("kind", "person"))
        assert log.records[2]["sha256"] in rests
    aoife, = [e for e in out["evidence"] if e["principal"] == "aoife"]
    assert aoife["is"]["definition"] == "covered"
    for word in ("IE Ltd", "HQ", "CN"):
        assert word in aoife["is"]["because"]
    text = bench.run("claim", bench.dir / "claim.yaml", "--log", to, "--key",
                     VKEY).stdout
    assert f"is covered by the policy's definition: " \
        f"{aoife['is']['because']}" in text
    # Nobody is what no policy defines, and nobody is not.
    claim = claim_text(begin, end, who="{is: [unheard-of]}")
    status, out = bench.claim(claim, to)
    assert status == NOT_SHOWN and not out["evidence"]
    assert any('defines no "unheard-of"' in d["text"] for d in out["doubts"])


def test_tables_categories_and_treatments_restrict_the_data(bench):
    users, messages = all_of(["US"])[1], all_of(["US"])[0]
    masked = table("public.users", ["US"], ["technical"], ["contact"])
    cases = [("", [users], 2), ("", [users, messages], 2),
             ("  tables: [public.messages]\n", [users], 0),
             ("  tables: [public.messages]\n", [users, messages], 2),
             ("  categories: [contact]\n", [messages], 0),
             ("  categories: [contact]\n", [users], 1),
             ("  categories: [contact, technical]\n", [users], 2),
             ("  treatment: [plain]\n", [masked], 1),
             ("  treatment: [mask]\n", [masked], 1),
             ("  treatment: [mask]\n", [users], 0),
             ("  treatment: [plain, mask]\n", [masked], 2),
             ("  treatment: [plain]\n  categories: [contact]\n", [masked], 0),
             ("  treatment: [mask]\n  categories: [contact]\n", [masked], 1)]
    for more, bound, want in cases:
        log = Log()
        begin = log.now
        s = log.session("wei", "us", bound=bound)
        log.read(s, bound)
        log.close(s)
        _, out = judge(bench, log, begin, finish(log), more=more)
        got = 2 if out["evidence"] else 1 if doubts(out, "undecided") else 0
        assert got == want, (more, bound, got)


def test_tables_of_unknown_subjects_are_no_no(bench):
    for bound, want in (([table("public.users", ["unknown"])], 1),
                        ([{"table": "public.other", "residences": [],
                           "categories": [], "masked": []}], 1),
                        ([{"table": "public.topics", "residences": [],
                           "categories": [], "masked": []}], 0)):
        log = Log()
        begin = log.now
        s = log.session("wei", "us")
        log.read(s, bound)
        log.close(s)
        _, out = judge(bench, log, begin, finish(log))
        assert len(doubts(out, "undecided")) == want, bound


def test_services_are_judged_by_their_session_and_its_end(bench):
    def service(who="hqfeed", store="us", close=True, rows=5, size=50):
        log = Log()
        begin = log.now
        s = log.session(who, store)
        if close:
            log.close(s, rows, size)
        status, out = judge(bench, log, begin, finish(log))
        return status, len(out["evidence"]), len(doubts(out, "undecided"))

    assert service() == (REFUTED, 1, 0)
    assert service(rows=0, size=3) == (REFUTED, 1, 0)
    assert service(rows=0, size=0) == (NOT_SHOWN, 0, 1)
    assert service(close=False) == (NOT_SHOWN, 0, 1)
    assert service(store="mixed") == (NOT_SHOWN, 0, 1)
    assert service(store="eu") == (HOLDS, 0, 0)
    assert service(who="feed") == (HOLDS, 0, 0)
    assert service(who="feed", close=False) == (HOLDS, 0, 0)


def test_statement_without_a_result_is_undecided(bench):
    log = Log()
    begin = log.now
    s = log.session("wei", "us")
    log.statement(s, all_of(["US"]))
    log.close(s)
    status, out = judge(bench, log, begin, finish(log))
    assert status == NOT_SHOWN and len(doubts(out, "undecided")) == 1


def test_a_list_counts_as_whole_only_once_a_result_ends_it(bench):
    """Of Irish rows only, at a store of both, by a reader of the claim."""
    irish = [{"label": "IE", "tags": ["t1"]}]

    def verdict(end, result, subjects=irish, of="US"):
        log = Log()
        begin = log.now
        s = log.session("wei", "mixed")
        # That this one has its result says nothing of the next.
        log.read(s, all_of(log.stores["mixed"]), basis="exact",
                 subjects=irish)
        at = log.statement(s, all_of(log.stores["mixed"]), basis="exact",
                           subjects=subjects)
        log.subjects(s, at, irish)
        if result:
            log.result(s, at)
        if end == "close":
            log.close(s)
        elif end == "crash":
            log.boot(clean=False)
        stop = finish(log)
        _, out = judge(bench, log, begin, stop, whose=f"[{of}]")
        return ([e["seq"] - at for e in out["evidence"]],
                [d["seq"] - at for d in out["doubts"]
                 if d["what"] == "undecided"])

    for end in ("close", "crash", "none"):
        assert verdict(end, True) == ([], []), end
        assert verdict(end, False) == ([], [0]), end
        # Who is listed stays listed: but what came out, no record says.
        assert verdict(end, False, of="IE")[1] == [0], end
    assert verdict("close", True, of="IE")[0] == [-2, 0]
    assert verdict("close", False, subjects=[]) == ([], [0])


def test_results_find_their_statements_when_several_wait(bench):
    log = Log()
    begin = log.now
    s = log.session("wei", "mixed")
    first = log.statement(s, all_of(["US"]))
    second = log.statement(s, all_of(["IE"]))
    third = log.statement(s, all_of(["US"]))
    log.result(s, third, 3)
    log.result(s, second, 2)
    log.result(s, first, 0)
    log.close(s)
    status, out = judge(bench, log, begin, finish(log))
    assert [(e["seq"], e["rows"]) for e in out["evidence"]] == [(third, 3)]
    # 1: no rows. The bounds are narrower than mixed's: another doubt each.
    assert [d["seq"] for d in out["doubts"] if d["what"] == "undecided"] == \
        [first]


def test_refusals_are_counted_and_no_disclosures(bench):
    log = Log()
    begin = log.now
    for who in ("wei", "wei", "aoife"):
        s = log.session(who, "us")
        log.denial(s)
        log.close(s)
    status, out = judge(bench, log, begin, finish(log))
    assert status == HOLDS and out["counts"]["denials"] == 2


# -- the period ------------------------------------------------------------

def test_only_what_lies_within_the_period_counts(bench):
    log = Log()
    before = log.now
    log.visit("wei", "us")
    log.now += 1000
    middle = log.now
    log.visit("aoife", "us")
    log.now += 1000
    after = log.now
    log.visit("wei", "us")
    end = finish(log)
    to = bench.write(log)
    for begin, stop, want in ((before, end, 2), (before, middle, 1),
                              (middle, after, 0), (after, end, 1)):
        status, out = bench.claim(claim_text(begin, stop), to)
        assert len(out["evidence"]) == want
        assert status == (REFUTED if want else HOLDS), doubts(out)


def test_disclosure_across_an_edge_is_undecided(bench):
    for edge in ("begin", "end"):
        log = Log()
        begin = log.now
        s = log.session("wei", "us")
        at = log.statement(s, all_of(["US"]))
        log.now += 500
        middle = log.now
        log.now += 500
        log.result(s, at)
        log.close(s)
        end = finish(log)
        status, out = judge(bench, log, middle if edge == "begin" else begin,
                            middle if edge == "end" else end)
        assert status == NOT_SHOWN, edge
        assert "partly" in doubts(out, "undecided")[0]


def test_period_must_lie_within_the_log(bench):
    log = Log()
    begin = log.now
    log.visit("aoife", "us")
    end = log.now
    to = bench.write(log)
    status, out = bench.claim(claim_text(begin, end), to)
    assert status == NOT_SHOWN and doubts(out, "end"), out["doubts"]
    log.wait(1000)
    to = bench.write(log)
    status, out = bench.claim(claim_text(begin, end), to)
    assert status == HOLDS
    status, out = bench.claim(claim_text(BEGIN - 1000, end), to)
    assert status == NOT_SHOWN and doubts(out, "start")
    assert doubts(out, "store")


# -- completeness ----------------------------------------------------------

def test_silence_beyond_two_heartbeats_is_missing(bench):
    for gap, want in ((22000, HOLDS), (22001, NOT_SHOWN)):
        log = Log()
        begin = log.now
        log.beat_now()
        log.now += gap - 10
        log.beat_now()
        status, out = judge(bench, log, begin, finish(log))
        assert status == want, (gap, doubts(out))


def drift(log, state, found=0, store="us"):
    what = ["rights of PUBLIC: it is not as sworn apply left it"] * found
    return log.add("drift", store=store, state=state, role="sworn_w", pid=7,
                   found=found, what=what)


def look(log, states, store):
    for s in states:
        log.now += 100
        drift(log, {"a": "applied", "d": "drifted", "u": "unseen"}[s],
              int(s == "d"), store)
    log.now += 100


# Looks before, in and after the period; whether the store is in doubt.
LOOKS = (("a", "a", "a", False), ("a", "d", "a", True), ("d", "a", "a", True),
         ("d", "", "", True), ("a", "", "d", True), ("a", "a", "da", True),
         ("da", "a", "ad", False), ("da", "u", "a", False),
         ("", "", "a", False))


def test_store_that_had_drifted_is_in_doubt(bench):
    for before, within, after, in_doubt in LOOKS:
        for store in ("us", "elsewhere"):
            log = Log()
            look(log, before, store)
            begin = log.now
            look(log, within, store)
            end = log.now
            log.now += 100
            look(log, after, store)
            log.beat_now()
            log.reconcile("us")
            status, out = judge(bench, log, begin, end, stores="[us]")
            want = in_doubt and store == "us"
            about = (before, within, after, out)
            assert bool(doubts(out, "drift")) == want, about
            assert status == (NOT_SHOWN if want else HOLDS), about
            rests = [r for r in out["rests_on"] if r["what"] == "drift"]
            assert bool(rests) == (store == "us" and "a" in within), about


def test_silence_outside_the_period_does_not_matter(bench):
    log = Log()
    log.now += 10 ** 7
    log.beat_now()
    begin = log.now
    log.visit("aoife", "us")
    end = finish(log)
    log.now += 10 ** 7
    log.beat_now()
    assert judge(bench, log, begin, end)[0] == HOLDS


def test_stopped_gateway_is_no_silence_but_is_told(bench):
    log = Log()
    begin = log.now
    log.stop()
    log.now += 10 ** 7
    log.boot()
    status, out = judge(bench, log, begin, finish(log))
    assert status == HOLDS
    assert [r for r in out["rests_on"] if r["what"] == "down"]


def test_crash_is_told_and_its_open_sessions_end(bench):
    log = Log()
    begin = log.now
    log.session("aoife", "us")
    log.session("feed", "us")
    log.boot(clean=False)
    status, out = judge(bench, log, begin, finish(log))
    assert status == HOLDS, doubts(out)
    assert any("without a stop" in r["text"] for r in out["rests_on"])
    log = Log()
    begin = log.now
    log.session("hqfeed", "us")
    log.boot(clean=False)
    assert judge(bench, log, begin, finish(log))[0] == NOT_SHOWN


def test_left_out_session_is_missing(bench):
    log = Log()
    begin = log.now
    log.visit("aoife", "us")
    log.visit("wei", "us")
    end = finish(log)
    gone = [r["session"] for r in log.records if r["type"] == "session"][1]
    log.records = renumber([r for r in log.records
                            if r.get("session") != gone])
    status, out = judge(bench, log, begin, end)
    assert status == NOT_SHOWN
    assert any("1 sessions are missing" in d for d in doubts(out, "counter"))


def test_deleting_evidence_one_by_one_never_makes_it_hold(bench):
    log = Log()
    begin = log.now
    for who in ("wei", "ethan", "wei"):
        log.visit(who, "us")
        log.visit("aoife", "eu")
    end = finish(log)
    status, out = judge(bench, log, begin, end)
    assert status == REFUTED and len(out["evidence"]) == 3
    left = 3
    while left > 0:
        at = out["evidence"][0]["seq"]
        log.records = renumber([r for i, r in enumerate(log.records)
                                if i != at])
        status, out = judge(bench, log, begin, end)
        left -= 1
        assert len(out["evidence"]) == left
        assert doubts(out, "session")
        assert status == (REFUTED if left else NOT_SHOWN)


def test_log_not_given_is_missing_and_all_given_are_read(bench):
    one, two = Log("gw"), Log("gw2")
    begin = one.now
    one.visit("aoife", "us")
    at = two.visit("wei", "us")
    one.wait(5000)
    two.wait(5000)
    end = one.now - 3000
    a, b = bench.write(one, "a"), bench.write(two, "b")
    text = claim_text(begin, end, gateways="[gw, gw2]")
    status, out = bench.claim(text, a)
    assert status == NOT_SHOWN and "gw2" in doubts(out, "log")[0]
    status, out = bench.claim(text, a, b)
    assert status == REFUTED
    assert [(e["gateway"], e["seq"]) for e in out["evidence"]] == [("gw2", at)]
    status, out = bench.claim(text, a, a, b)
    assert any("two logs" in d for d in doubts(out, "log"))


def test_store_that_no_log_knows_is_missing(bench):
    log = Log(stores={"us": ["US"]})
    begin = log.now
    status, out = judge(bench, log, begin, finish(log))
    assert status == NOT_SHOWN and len(doubts(out, "store")) == 2


# -- deciding again --------------------------------------------------------

def test_other_control_set_than_the_directory_gives_is_named(bench):
    for control, word in ((CONTROL["wei"][:1], "CN by employment"),
                          ([("IE", ["location"])], "CN by location"),
                          (CONTROL["wei"] + [("US", ["formal"])],
                           "US by formal")):
        log = Log()
        begin = log.now
        s = log.session("wei", "eu", control=control)
        log.close(s)
        status, out = judge(bench, log, begin, finish(log))
        assert status == NOT_SHOWN
        assert word in doubts(out, "control")[0], doubts(out)


def test_other_facts_than_the_directory_gives_are_named(bench):
    for change in ({"roles": ["moderator"]}, {"employers": ["ie"]},
                   {"kind": "service"}, {"source": "127.35.0.1:99"},
                   {"principal": "nobody"}):
        log = Log()
        begin = log.now
        s = log.session("wei", "eu", **change)
        log.close(s)
        status, out = judge(bench, log, begin, finish(log))
        assert status == NOT_SHOWN and doubts(out, "facts"), change


def test_a_country_that_nothing_recorded_tells_is_doubted(bench):
    """What a site's network does not say, a file of addresses must."""
    named = sha256("addresses")
    for seen, addresses, said in (
            (["CN", "NO"], named, None), (["CN", "NO"], None, "in NO"),
            (["NO"], named, "places in CN"), ([], named, "places in CN")):
        more = {"addresses": named} if addresses else {}
        log = Log()
        begin = log.now
        s = log.session("wei", "eu", seen_at=seen, control=CONTROL["wei"] + [
            (label, ["location"]) for label in seen if label != "CN"], **more)
        log.close(s)
        status, out = judge(bench, log, begin, finish(log))
        if said is None:
            assert not doubts(out, "facts"), doubts(out)
            assert named in json.dumps(out), out
        else:
            assert said in doubts(out, "facts")[0], doubts(out)


def enforced(shown, bound, clearance=None, purpose="moderation", **more):
    log = Log(mode="enforce")
    begin = log.now
    s = log.session("aoife", "mixed", bound=bound, purpose=purpose,
                    clearance=clearance or sha256(
                        clearance_text("mixed", shown)), **more)
    log.read(s, bound)
    log.close(s)
    return log, begin, finish(log)


MODERATOR_BOUND = [
    table("public.messages", ["IE", "US"]),
    table("public.users", ["IE", "US"], ["technical"], ["contact"])]


def test_clearance_is_decided_again_and_bound_checked(bench):
    shown = MODERATOR_SEES(["IE", "US"])
    log, *period = enforced(shown, MODERATOR_BOUND)
    status, out = judge(bench, log, *period)
    assert status == HOLDS, doubts(out)
    log, *period = enforced(shown, MODERATOR_BOUND, clearance=sha256("x"))
    status, out = judge(bench, log, *period)
    assert status == NOT_SHOWN and doubts(out, "clearance")
    log, *period = enforced(shown, MODERATOR_BOUND, purpose=None)
    status, out = judge(bench, log, *period)
    assert status == NOT_SHOWN and doubts(out, "clearance")
    for bound in (MODERATOR_BOUND[:1],
                  [MODERATOR_BOUND[0], table("public.users", ["IE"],
                                             ["technical"], ["contact"])],
                  [MODERATOR_BOUND[0], table("public.users", ["IE", "US"],
                                             ["technical"], [])]):
        log, *period = enforced(shown, bound)
        status, out = judge(bench, log, *period)
        assert status == NOT_SHOWN and doubts(out, "bound"), bound


def test_change_of_purpose_is_decided_again(bench):
    shown = MODERATOR_SEES(["IE", "US"])
    right = sha256(clearance_text("mixed", shown))
    public = sha256(clearance_text("mixed", {"public.topics": (None, {})}))
    for clearance, purpose, want in ((right, "moderation", HOLDS),
                                     (right, "other", NOT_SHOWN),
                                     (public, "moderation", NOT_SHOWN)):
        log = Log(mode="enforce")
        begin = log.now
        s = log.session("aoife", "mixed", bound=[], clearance=public)
        at = log.clearance(s, "mixed", MODERATOR_BOUND, clearance,
                           purpose=purpose)
        log.read(s, MODERATOR_BOUND)
        log.close(s)
        status, out = judge(bench, log, begin, finish(log))
        assert status == want, (purpose, doubts(out))
        assert want == HOLDS or str(at) in doubts(out, "clearance")[0]


def test_purpose_in_evidence_is_the_latest(bench):
    log = Log()
    begin = log.now
    s = log.session("wei", "us", purpose="moderation")
    log.clearance(s, "us", all_of(["US"]), purpose="curiosity")
    log.read(s, all_of(["US"]))
    log.close(s)
    status, out = judge(bench, log, begin, finish(log))
    assert [e["purpose"] for e in out["evidence"]] == ["curiosity"]


def test_service_whose_bound_changes_is_sure_only_of_both(bench):
    for first, second, want in ((["US"], ["US"], REFUTED),
                                (["IE"], ["IE"], None),
                                (["US"], ["IE"], NOT_SHOWN),
                                (["IE"], ["US"], NOT_SHOWN)):
        log = Log()
        begin = log.now
        s = log.session("hqfeed", "mixed", bound=all_of(first))
        log.clearance(s, "mixed", all_of(second))
        log.close(s, 3, 30)
        _, out = judge(bench, log, begin, finish(log))
        got = REFUTED if out["evidence"] else \
            NOT_SHOWN if doubts(out, "undecided") else None
        assert got == want, (first, second)


def test_session_in_another_mode_than_its_store_is_named(bench):
    log = Log(mode="observe")
    begin = log.now
    s = log.session("aoife", "eu", mode="enforce", bound=[])
    log.close(s)
    status, out = judge(bench, log, begin, finish(log))
    assert status == NOT_SHOWN
    assert any("mode enforce" in d for d in doubts(out, "bound"))


def test_bound_of_an_open_role_must_be_everything(bench):
    for bound in ([], all_of(["US"])[:1], all_of(["IE"]),
                  [all_of(["US"])[0], table("public.users", ["US"], [])]):
        log = Log()
        begin = log.now
        s = log.session("aoife", "us", bound=bound)
        log.close(s)
        status, out = judge(bench, log, begin, finish(log))
        assert status == NOT_SHOWN and doubts(out, "bound"), bound


def test_statement_bound_below_the_sessions_is_named(bench):
    for bound, whole in (([table("public.users", ["IE"])], False),
                         ([table("public.users", ["IE", "US"], [])], False),
                         (all_of(["IE", "US"])[:1], True)):
        log = Log()
        begin = log.now
        s = log.session("aoife", "mixed")
        log.read(s, bound, whole=whole)
        log.close(s)
        status, out = judge(bench, log, begin, finish(log))
        assert status == NOT_SHOWN and doubts(out, "bound"), bound


def test_missing_or_changed_objects_are_named_once(bench):
    log = Log()
    begin = log.now
    for _ in range(5):
        log.visit("aoife", "us")
    end = finish(log)
    for text in (CATALOG, log.objects[sha256(CATALOG)]):
        to = bench.write(log)
        (to / "objects" / sha256(text)).unlink()
        status, out = bench.claim(claim_text(begin, end), to)
        assert status == NOT_SHOWN and len(doubts(out, "object")) == 1
        (to / "objects" / sha256(text)).write_text("other: text\n")
        status, out = bench.claim(claim_text(begin, end), to)
        assert status == NOT_SHOWN
        assert "other bytes" in doubts(out, "object")[0]


def test_object_that_never_took_effect_is_named(bench):
    log = Log()
    begin = log.now
    other = POLICY.replace("version: 1", "version: 2")
    log.objects[sha256(other)] = other
    s = log.session("aoife", "us", policy=sha256(other))
    log.close(s)
    status, out = judge(bench, log, begin, finish(log))
    assert status == NOT_SHOWN and sha256(other) in doubts(out, "object")[0]


# -- the stores' own logs --------------------------------------------------

def csv_row(ms, message, user="staff", pid=100, database="video",
            host="127.0.0.1:5"):
    at = time_text(ms).replace("T", " ").replace("Z", " UTC")
    quote = lambda s: '"' + s.replace('"', '""') + '"'
    return ",".join([at, quote(user), quote(database), str(pid), quote(host),
                     "6531.1", "2", quote("authentication"), at, "3/1", "0",
                     "LOG", "00000", quote(message), "", "", "", "", "", "",
                     "", "", quote(""), quote("client backend"), "", "0"])


def login(ms, **kw):
    return csv_row(ms, "connection authorized: user=x database=y", **kw)


def store_log_case(bench, rows, backends=((100, "staff"),), more=()):
    log = Log()
    begin = log.now
    s = log.session("aoife", "us")
    for pid, role in backends:
        log.backend(s, role, pid)
    log.close(s)
    end = finish(log)
    path = bench.dir / "us.csv"
    path.write_text("".join(r + "\n" for r in rows(begin, end)))
    to = bench.write(log)
    return bench.claim(claim_text(begin, end, stores="[us]"), to,
                       more=["--store-log", f"us={path}", *more])


def start(begin):
    return csv_row(begin - 60000, 'database system is ready, "quoted",\nand '
                   'on several lines: connection authorized: user=none')


def test_logins_of_the_gateway_are_matched(bench):
    status, out = store_log_case(bench, lambda b, e: [
        start(b), login(b + 15), csv_row(e + 99999, "end")])
    assert status == HOLDS, doubts(out)
    assert any("each of the 1 logins" in r["text"] for r in out["rests_on"])


def test_login_around_the_gateway_is_named(bench):
    cases = [dict(user="staff", pid=101), dict(user="dba", pid=100),
             dict(user="dba", pid=7, database="template1")]
    for case in cases:
        status, out = store_log_case(bench, lambda b, e: [
            start(b), login(b + 15), login(b + 30, **case)])
        assert status == NOT_SHOWN
        assert f"user {case['user']}" in doubts(out, "login")[0]
        assert "around the gateway" in doubts(out, "login")[0]
    status, out = store_log_case(bench, lambda b, e: [
        start(b), login(b + 15), csv_row(b + 25, "replication connection "
                                         "authorized: user=copy", "copy", 9)])
    assert status == NOT_SHOWN and "user copy" in doubts(out, "login")[0]


def test_one_recorded_login_explains_one_only(bench):
    status, out = store_log_case(bench, lambda b, e: [
        start(b), login(b + 15), login(b + 16)])
    assert status == NOT_SHOWN and len(doubts(out, "login")) == 1


def test_login_long_before_or_after_the_record_is_another(bench):
    log = Log(beat=100000)
    begin = log.now
    s = log.session("aoife", "us")
    log.now += 30000
    at = log.now
    log.backend(s)
    log.close(s)
    log.now += 30000
    end = finish(log)
    to = bench.write(log)
    path = bench.dir / "us.csv"
    for shift, want in ((-9000, HOLDS), (9000, HOLDS), (-11000, NOT_SHOWN),
                        (11000, NOT_SHOWN)):
        path.write_text(start(begin) + "\n" + login(at + shift) + "\n")
        status, out = bench.claim(claim_text(begin, end, stores="[us]"), to,
                                  more=["--store-log", f"us={path}"])
        assert status == want, (shift, doubts(out))


def test_incomplete_store_log_is_named(bench):
    status, out = store_log_case(bench, lambda b, e: [start(b)])
    assert status == NOT_SHOWN and "incomplete" in doubts(out, "store-log")[0]
    status, out = store_log_case(bench, lambda b, e: [login(b + 15)])
    assert "begins at" in doubts(out, "store-log")[0]
    status, out = store_log_case(bench, lambda b, e: [], backends=())
    assert status == NOT_SHOWN and doubts(out, "store-log")


def test_store_log_that_is_not_understood_is_a_doubt(bench):
    for bad in ('x,y', 'no csv "at all', '2026-11-18 11:00:00.000 CET,"a"',
                '"unfinished'):
        status, out = store_log_case(bench, lambda b, e: [
            start(b), login(b + 15), bad])
        assert status == NOT_SHOWN, bad
        assert "not understood" in doubts(out, "store-log")[0]


# -- what is printed -------------------------------------------------------

def test_evidence_says_who_whose_and_why(bench):
    log = Log()
    begin = log.now
    s = log.session("ethan", "us", purpose="analytics", ticket="TS-1")
    at = log.statement(s, all_of(["US"]), would=[
        {"table": "public.users", "rule": "not from CN", "because": "x",
         "sqlstate": "42501"}])
    log.result(s, at, 12)
    log.close(s)
    end = finish(log)
    to = bench.write(log)
    status, out = bench.claim(claim_text(begin, end), to)
    e, = out["evidence"]
    assert (e["seq"], e["time"], e["end_seq"]) == (at, log.time(at), at + 1)
    assert (e["principal"], e["name"], e["kind"]) == ("ethan", "Ethan Cole",
                                                      "person")
    assert (e["purpose"], e["ticket"], e["rows"]) == ("analytics", "TS-1", 12)
    assert e["residences"] == ["US"] and e["at_most"] == 100
    assert sorted(e["tables"]) == ["public.messages", "public.users"]
    assert e["refused_by"] == ["not from CN"] and e["rules"] == ["some rule"]
    assert e["control"]["label"] == "CN"
    assert "actual" in e["control"]["kinds"]
    text = bench.run("claim", bench.dir / "claim.yaml", "--log", to, "--key",
                     out["logs"][0]["key"]).stdout
    for word in ("refuted", "Ethan Cole (ethan)", f"entry {at} ", "TS-1",
                 "analytics", "at most 100", "not from CN", "12 rows",
                 "actual"):
        assert word in text, word


def test_long_evidence_is_grouped_by_reader(bench):
    log = Log()
    begin = log.now
    for _ in range(15):
        log.visit("wei", "us")
        log.visit("ethan", "us")
    end = finish(log)
    to = bench.write(log)
    args = ["claim", bench.claim_file(claim_text(begin, end)), "--log", to,
            "--key", VKEY]
    short, full = bench.run(*args).stdout, bench.run(*args, "--all").stdout
    assert short.count("came out") == 6 and "12 more disclosures" in short
    assert full.count("came out") == 30
    assert full.count("Wei Jun (wei)") == 1


def test_claims_that_say_nothing_clear_are_refused(bench):
    log = Log()
    begin = log.now
    end = finish(log)
    to = bench.write(log)
    good = claim_text(begin, end)
    bad = [good.replace("claim: 1", "claim: 2"),
           good.replace("whose: [US]", "whose: []"),
           good.replace("  whose: [US]\n", ""),
           good.replace("location,", "locatoin,"),
           good.replace("never-did", "never-might"),
           good + "more: 1\n",
           good.replace("who: {", "who: {nationality: [CN], "),
           claim_text(end, begin), claim_text(begin, begin),
           claim_text(begin, end, gateways="[]"),
           claim_text(begin, end, stores="[]"),
           claim_text(begin, end, more="  treatment: [absent]\n"),
           claim_text(begin, end, who="{kind: robot}"),
           claim_text(begin, end, who="{is: []}"),
           claim_text(begin, end, who="{by: [location]}")]
    for text in bad:
        p = bench.run("claim", bench.claim_file(text), "--log", to, "--key",
                      VKEY)
        assert p.returncode == 2 and "claim.yaml:" in p.stderr, text


def test_country_codes_are_text(bench):
    """NO is Norway."""
    log = Log()
    begin = log.now
    status, out = judge(bench, log, begin, finish(log),
                        who="{controlled-from: [NO, ON]}", whose="[NO]")
    assert status == HOLDS


if __name__ == "__main__":
    sys.exit(main(globals()))
