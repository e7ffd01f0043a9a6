"""Approvals, confirmed tickets and hours, asked of the real program about a
small company. Who is apart from whom is found a second time, here."""
import json
import random

import pytest
from test_policy_tools import Tools

LEADS = "permit: read, who: {roles: [clerk]}, what: {categories: [content]}"


@pytest.fixture
def tools(tmp_path, bin_dir):
    return Tools(tmp_path, bin_dir)


def rules(tools, *lines, purposes="[]"):
    tools.write("policy.yaml", "policy: p\nversion: 1\npurposes: " + purposes
                + "\nrules:\n" + "".join(f"- {{{line}}}\n" for line in lines))


class Company:
    """People at random, in a form that both sides read."""

    def __init__(self, seed):
        r = random.Random(seed)
        self.people = {}
        ids = [f"p{i:02}" for i in range(24)]
        for i, name in enumerate(ids):
            above = ids[:i]
            self.people[name] = {
                "site": r.choice(["aa", "bb", "cc", "cc", None]),
                "manager": "none" if i < 2 else r.choice(
                    above[-8:] + ([None] if r.random() < .2 else [])),
                "instructor": r.choice(above) if above and r.random() < .25
                else None,
                "employer": r.choice(["e", "f", "f", None]),
                "role": r.choice(["clerk", "lead", "lead", "none"])}

    def text(self):
        out = ["directory: 1", "issuer: hr", "sites:"]
        out += [f"  {s}: {{country: {s.upper()}}}" for s in ("aa", "bb", "cc")]
        out += ["entities: {e: {country: AA, rest: dispersed},"
                " f: {country: BB, rest: dispersed}}", "people:"]
        for name, p in self.people.items():
            facts = [f"{k}: {p[k]}" for k in
                     ("site", "manager", "instructor", "employer") if p[k]]
            if p["role"] != "none":
                facts.append(f"roles: [{p['role']}]")
            out.append(f"  {name}: {{{', '.join(facts)}}}")
        return "\n".join(out) + "\n"

    def behind(self, name, kinds, meet):
        """(who is above, labels, whether all of it is known)"""
        seen, labels, known, todo = {name}, set(), True, [name]
        while todo:
            at = todo.pop()
            if at in ("e", "f"):
                labels.add({"e": "AA", "f": "BB"}[at])
                continue
            p = self.people[at]
            if "location" in kinds:
                labels |= {p["site"].upper()} if p["site"] else set()
                known &= p["site"] is not None
            steps = []
            if "formal" in kinds and p["manager"] != "none":
                known &= p["manager"] is not None
                steps.append(p["manager"])
            if "actual" in kinds:
                steps.append(p["instructor"])
            if "employment" in kinds:
                known &= p["employer"] is not None
                steps.append(p["employer"])
            for step in steps:
                if step and step not in seen:
                    seen.add(step)
                    todo.append(step)
        return seen, labels, known

    def above(self, name, kinds, meet):
        """The same without looking past whoever may be met."""
        seen, todo = {name}, [name]
        while todo:
            at = todo.pop()
            if at in ("e", "f") or (at in meet and at != name):
                continue
            p = self.people[at]
            for kind, key in (("formal", "manager"), ("actual", "instructor"),
                              ("employment", "employer")):
                step = p[key]
                if kind in kinds and step not in (None, "none") and \
                        step not in seen:
                    seen.add(step)
                    todo.append(step)
        return seen

    def apart(self, x, y, kinds, meet):
        _, labels_x, known_x = self.behind(x, kinds, meet)
        _, labels_y, known_y = self.behind(y, kinds, meet)
        both = self.above(x, kinds, meet) & self.above(y, kinds, meet)
        return (x != y and known_x and known_y and not both - set(meet)
                and not labels_x & labels_y)

    def approvers(self, who, kinds, meet):
        return sorted(n for n, p in self.people.items()
                      if p["role"] == "lead" and
                      self.apart(who, n, kinds, meet))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kinds, meet, count", [
    (["formal", "actual"], [], 1),
    (["formal", "actual"], ["p00", "p03"], 2),
    (["formal", "actual", "location"], ["p01"], 1),
    (["employment"], [], 3),
    (["actual", "employment", "location"], ["e"], 1),
    (["formal"], ["p02", "p03", "p04", "p05"], 1),
])
def test_who_could_approve_is_who_is_apart(tools, seed, kinds, meet, count):
    company = Company(seed)
    tools.write("directory.yaml", company.text())
    tools.edit("sworn.conf", "services: {feed-international: "
               "feed_international}", "services: {}") \
        if "services: {feed-international: feed_international}" in \
        tools.conf.read_text() else drop_services(tools)
    rules(tools, f"rule: r, {LEADS}, approval: {{by: {{roles: lead}}, "
          f"count: {count}, apart: [{', '.join(kinds)}]"
          + (f", meet-at: [{', '.join(meet)}]" if meet else "") + "}",
          f"rule: open, {LEADS.replace('content', 'technical')}")
    out, _ = tools.run("who-can", "--could-through-approval", "--json")
    got = {p["principal"]: {tuple(a["by"]) for w in p["ways"]
                            for a in w["approvals"]}
           for p in json.loads(out)["found"]}
    want = {n: {tuple(company.approvers(n, kinds, meet))}
            for n, p in company.people.items() if p["role"] == "clerk"
            and len(company.approvers(n, kinds, meet)) >= count}
    assert got == want
    # Without approval nobody reaches it, and what is open stays so.
    out, _ = tools.run("who-can", "--category", "content", "--json")
    assert json.loads(out)["found"] == []


def drop_services(tools):
    lines = tools.conf.read_text().splitlines(keepends=True)
    kept, skip = [], None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if skip is not None and line.strip() and indent > skip:
            continue
        skip = None
        if line.strip().startswith("services:"):
            skip = indent
            continue
        kept.append(line)
    tools.conf.write_text("".join(kept))


def test_an_approval_is_explained_assumed_and_looked_at(tools):
    rules(tools, "rule: r, permit: read, who: {roles: moderator}, what: "
          "{categories: [content]}, approval: {by: {principals: [olga]}, "
          "apart: [formal, actual]}",
          "rule: s, permit: read, who: {roles: moderator}, approval: "
          "{by: {principals: [niamh]}, apart: [formal]}, what: "
          "{categories: [contact]}",
          "rule: t, permit: read, approval: {by: {roles: [ghost]}, apart: "
          "[formal]}, what: {categories: [contact]}")
    out, _ = tools.run("explain", "aoife", "eu", "--table", "comments")
    assert "needs the approval of 1 of olga, not under the same control as " \
        "you; there is none" in out
    out, _ = tools.run("explain", "aoife", "eu", "--table", "comments",
                       "--approved")
    assert "needs the approval" not in out
    assert 'permit by "r"' in out
    table = tools.write("table.yaml", """policy-test: 1
columns: [reader, approved, store, table, expect, rule]
rows:
- [aoife, true,  eu, comments.body, plain, r]
- [aoife, false, eu, comments.body, refused]
""")
    tools.run("policy", "test", table)
    # niamh is aoife's own manager: nobody can ever approve s for aoife.
    out, _ = tools.run("who-can", "--could-through-approval")
    assert 'by "r", approved by 1 of olga' in out
    out, _ = tools.run("who-can", "--could-through-approval", "--json")
    aoife, = (p for p in json.loads(out)["found"]
              if p["principal"] == "aoife")
    assert {r for w in aoife["ways"] for r in w["rules"]} == {"r"}
    assert aoife["ways"][0]["approvals"] == [
        {"rule": "r", "count": 1, "by": ["olga"]}]
    _, err = tools.run("policy", "lint")
    assert 'rule "t" needs the approval of 1, and nobody has more than 0' \
        in err
    assert 'rule "s" needs the approval' not in err
    assert "is dead" not in err


def test_a_confirmed_ticket_is_explained_assumed_and_looked_at(tools):
    rules(tools, "rule: r, permit: read, who: {roles: moderator}, what: "
          "{categories: [content]}, why: {ticket: 'TS-[0-9]+', "
          "confirmed: true}",
          "rule: q, permit: read, who: {roles: moderator}, why: {ticket: "
          "'X-[0-9]+'}")
    ask = ("explain", "aoife", "eu", "--table", "comments", "--ticket",
           "TS-7")
    out, _ = tools.run(*ask)
    assert 'rule "r" needs a ticket that is confirmed; yours is not' in out
    out, _ = tools.run(*ask, "--confirmed", "IE")
    assert "needs a ticket that covers residents of DE; yours does not" in out
    assert 'permit by "r"' in out
    out, _ = tools.run(*ask, "--confirmed", "all")
    assert "needs a ticket" not in out
    _, err = tools.run(*ask, "--confirmed", "CN", expect=1)
    assert "no residence of store eu" in err
    table = tools.write("table.yaml", """policy-test: 1
columns: [reader, ticket, confirmed, store, table, residence, expect]
rows:
- [aoife, TS-7, all,  eu, comments.body, none, plain]
- [aoife, TS-7, IE,   eu, comments.body, IE,   plain]
- [aoife, TS-7, IE,   eu, comments.body, DE,   refused]
- [aoife, TS-7, none, eu, comments.body, none, refused]
- [aoife, X,    all,  eu, comments.body, none, refused]
""")
    tools.run("policy", "test", table)
    out, _ = tools.run("who-can", "--store", "eu", "--residence", "IE",
                       "--json")
    found = {p["principal"]: [w["confirmed-for"] for w in p["ways"]
                              if w["rules"] == ["r"]]
             for p in json.loads(out)["found"]}
    assert found == {"aoife": [["IE"]], "lina": [["IE"]]}
    out, _ = tools.run("who-can", "--store", "eu", "--json")
    ways = [w["confirmed-for"] for w in json.loads(out)["found"][0]["ways"]
            if w["rules"] == ["r"]]
    assert sorted(ways) == [["DE"], ["ES"], ["FR"], ["IE"]]


def test_hours_are_told_with_the_way_and_the_reason(tools):
    rules(tools, "rule: r, permit: read, who: {roles: moderator}, what: "
          "{stores: [eu], categories: [content]}, when: {hours: "
          "'08:00-18:00', days: [mon, tue, wed, thu, fri], utc-offset: "
          "'+01:00'}")
    ask = ("explain", "aoife", "eu", "--table", "comments", "--at")
    out, _ = tools.run(*ask, "2026-11-23T06:59:59Z")
    assert "is not in force outside 08:00-18:00 (+01:00) on mon, tue, " \
        "wed, thu, fri" in out
    for at in ("2026-11-23T07:00:00Z", "2026-11-23T16:59:59Z"):
        assert 'permit by "r"' in tools.run(*ask, at)[0]
    for at in ("2026-11-23T17:00:00Z", "2026-11-22T10:00:00Z"):
        assert "not in force" in tools.run(*ask, at)[0]
    # By night as by day: who can, can at some hours.
    for at in ("2026-11-23T06:00:00Z", "2026-11-23T09:00:00Z"):
        out, _ = tools.run("who-can", "--at", at)
        assert "aoife" in out and ", at some hours only" in out


def test_own_residents_only_names_no_country(tools):
    rules(tools, "rule: r, permit: read, who: {kind: person}, what: "
          "{categories: [content]}, whose: {relation: behind, by: "
          "[location]}",
          "rule: s, forbid: read, whose: {relation: others-behind, by: "
          "[location, actual]}")
    out, _ = tools.run("who-can", "--json")
    reach = {p["principal"]: {r for w in p["ways"] for t in w["tables"]
                              for r in t["residences"]}
             for p in json.loads(out)["found"]}
    # Who sits in one place, and whose whole line does.
    assert reach["aoife"] == {"IE"}
    assert reach["wei"] == {"CN"} and reach["lina"] == {"CN"}
    assert "ethan" not in reach
