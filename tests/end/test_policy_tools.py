"""What `sworn` answers about a directory and a policy, asked of the real
program. No store runs here: the answers are about files."""
import itertools
import json
import os
import pathlib
import random
import re
import stat
from xml.etree import ElementTree

import pytest

import world as demo_world

CONF = pathlib.Path(demo_world.__file__).resolve().parent / "conf"


class Tools:
    """The program, and the demo's configuration in a folder of its own."""

    def __init__(self, folder, bin_dir):
        self.folder = folder
        self.bin = bin_dir
        for f in CONF.glob("*.yaml"):
            (folder / f.name).write_text(f.read_text())
        self.conf = folder / "sworn.conf"
        self.conf.write_text(demo_world.fill(
            (CONF / "sworn.conf.in").read_text(),
            {"GATEWAY_PORT": 1, "DRIFT": "60s", "CONSOLE_PORT": 2, "US_PORT": 3,
             "EU_PORT": 4, "DOMESTIC_PORT": 5, "MODE": "enforce"}))
        for name in ("users", "credentials.us", "credentials.eu",
                     "credentials.domestic"):
            demo_world.write_secret(folder / name, "")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def edit(self, name, old, new):
        text = (self.folder / name).read_text()
        assert old in text
        return self.write(name, text.replace(old, new))

    def run(self, *args, expect=0, env=None):
        """(output, errors) of sworn with the configuration."""
        _, out, err = demo_world.run(
            [self.bin / "sworn", *args, "-c", self.conf], expect=(expect,),
            env={"ASAN_OPTIONS": "detect_leaks=1", **(env or {})})
        return out, err


@pytest.fixture
def tools(tmp_path, bin_dir):
    return Tools(tmp_path, bin_dir)


def members(out):
    """What `sworn control` says: label -> its paths, each (kinds, steps)."""
    found, label = {}, None
    lines = out.splitlines()[1:-1]
    for i, line in enumerate(lines):
        if line.startswith("    "):
            found[label].append((frozenset(lines[i - 1].strip().split(", ")),
                                 line.strip().split(" → ")))
        elif not line.startswith(" "):
            label = line
            found[label] = []
    return found


def test_control_names_each_country_with_each_way_to_it(tools):
    out, _ = tools.run("control", "ethan")
    found = members(out)
    assert set(found) == {"US", "CN"}
    assert (frozenset(["location", "actual"]),
            ["Ethan Cole", "instructed by Liu Yang", "located in CN"]) \
        in found["CN"]
    assert {kinds for kinds, _ in found["US"]} == \
        {frozenset(["location"]), frozenset(["employment"])}
    # No way's kinds include another's to the same country.
    for paths in found.values():
        for i, (kinds, _) in enumerate(paths):
            assert not any(other <= kinds for k, (other, _)
                           in enumerate(paths) if k != i)


def test_control_is_told_as_of_a_time_and_from_a_place(tools):
    def ways(*more):
        return members(tools.run("control", "feed-international", *more)[0])
    keeping = frozenset(["location", "keeping"])
    assert keeping in {k for k, _ in
                       ways("--at", "2026-10-31T23:59:59Z")["CN"]}
    assert keeping not in {k for k, _ in
                           ways("--at", "2026-11-01")["CN"]}
    assert "IE" not in ways()
    assert ways("--from", "dublin")["IE"][0][0] == {"location"}
    assert ways("--from", "unknown")["unknown"][0][0] == {"location"}


@pytest.mark.parametrize("args, words", [
    (["nobody"], "nobody"), (["clipwave-us"], "clipwave-us"),
    (["aoife", "--at", "yesterday"], "yesterday"),
    (["aoife", "--from", "atlantis"], "atlantis")])
def test_control_says_what_it_does_not_know(tools, args, words):
    out, err = tools.run("control", *args, expect=1)
    assert out == "" and f'"{words}"' in err


TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(->|[{}\[\];,=])|'
                   r'([A-Za-z][A-Za-z0-9]*|[0-9]+))')


def read_dot(text):
    """A strict reader of the part of dot's grammar that we write: the edges
    as (name, name, label), and each node's label."""
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        m = TOKEN.match(text, at)
        assert m, text[at:at + 40]
        tokens.append(m[2] or m[3] or ("s", m[1]))
        at = m.end()
    assert tokens[:3] == ["digraph", "control", "{"] and tokens[-1] == "}"
    edges, labels, statement = [], {}, []
    for t in tokens[3:-1]:
        if t != ";":
            statement.append(t)
            continue
        label = statement[statement.index("label") + 2][1] \
            if "label" in statement else None
        if len(statement) > 1 and statement[1] == "->":
            assert statement[3] == "[" and statement[-1] == "]"
            edges.append((statement[0][1], statement[2][1], label))
        elif isinstance(statement[0], tuple):
            assert statement[1] == "[" and statement[-1] == "]"
            assert statement[0][1] not in labels, "drawn twice"
            labels[statement[0][1]] = label
        statement = []
    assert not statement
    return edges, labels


def unescape(label):
    """As dot draws it: (lines of) text."""
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], label)


@pytest.mark.parametrize("who", ["ethan", "aoife", "feed-international"])
def test_control_draws_the_same_paths_that_it_tells(tools, who):
    edges, labels = read_dot(tools.run("control", who, "--dot")[0])
    assert len(set(edges)) == len(edges)
    assert {e for edge in edges for e in edge[:2]} == set(labels)
    told = members(tools.run("control", who)[0])
    assert {n[3:] for n in labels if n.startswith("in ")} == set(told)
    # Each way told is drawn: walk its steps' names along the edges.
    for label, paths in told.items():
        for kinds, steps in paths:
            here, used = {(f"id {who}", frozenset())}, kinds
            for step in steps[1:]:
                here = {(to, seen | {kind}) for at, seen in here
                        for source, to, kind in edges if source == at
                        and step.endswith(
                            unescape(labels[to]).split("\n")[0])}
            assert (f"in {label}", used) in here, (label, steps)


HOSTILE = 'x"]; "evil" -> "y\\N\\" <b> \\n // #'


def test_control_quotes_whatever_stands_in_a_name(tools):
    tools.edit("directory.yaml", "name: Liu Yang",
               "name: '" + HOSTILE + "'")
    edges, labels = read_dot(tools.run("control", "ethan", "--dot")[0])
    assert unescape(labels["id liu"].removesuffix("\\nliu")) == HOSTILE
    assert not any("evil" in n for n in labels)
    assert ("id ethan", "id liu", "actual") in edges


def test_control_has_dot_draw_the_picture(tools):
    fake = tools.write("dot", '#!/bin/sh\n[ "$*" = -Tsvg ] || exit 9\n'
                              'echo "<svg>"\nexec cat\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    env = {"PATH": f"{tools.folder}:{os.environ['PATH']}"}
    out, _ = tools.run("control", "ethan", "--svg", env=env)
    assert out == "<svg>\n" + tools.run("control", "ethan", "--dot")[0]
    tools.write("dot", "#!/bin/sh\nexit 3\n")
    _, err = tools.run("control", "ethan", "--svg", env=env, expect=1)
    assert "did not draw" in err


def test_control_draws_with_the_real_dot(tools):
    """Each node and edge of the graph is in the picture, names as they are."""
    tools.edit("directory.yaml", "name: Liu Yang",
               "name: '" + HOSTILE + "'")
    edges, labels = read_dot(tools.run("control", "ethan", "--dot")[0])
    svg = ElementTree.fromstring(tools.run("control", "ethan", "--svg")[0])
    ns = "{http://www.w3.org/2000/svg}"
    drawn = {"node": [], "edge": []}
    words = set()
    for g in svg.iter(ns + "g"):
        if g.get("class") in drawn:
            drawn[g.get("class")].append(g.find(ns + "title").text)
            words |= {t.text.replace("\xa0", " ")
                      for t in g.iter(ns + "text")}
    assert sorted(drawn["node"]) == sorted(labels)
    assert sorted(drawn["edge"]) == sorted(f"{a}->{b}" for a, b, _ in edges)
    assert words == {line for text in labels.values()
                     for line in unescape(text).split("\n")} | {
        label for _, _, label in edges}


def test_control_tells_every_fact(tools):
    tools.edit("directory.yaml", "employer: clipwave-us\n    site: austin",
               "employer: {id: clipwave-us, kind: contractor, evidence: "
               "contract 7, to: 2030-01-01}\n    nationality: [US, IE]\n"
               "    offices: [\"US: school board\"]\n    site: austin")
    out = tools.run("control", "ethan", "--facts")[0]
    assert out.split("\nfacts\n")[1].splitlines() == [
        "  site: austin (US); hr.clipwave.example",
        "  employer: clipwave-us (Clipwave US Inc.), as contractor; "
        "hr.clipwave.example, to 2030-01-01T00:00:00.000Z; by contract 7",
        "  manager: dana (Dana Brooks); hr.clipwave.example",
        "  instructor: liu (Liu Yang); audit.granite.example",
        "  nationality: IE; hr.clipwave.example",
        "  nationality: US; hr.clipwave.example",
        "  office: US: school board; hr.clipwave.example",
        "  role: analyst; hr.clipwave.example"]


def circles(tools):
    code, out, err = demo_world.run(
        [tools.bin / "sworn", "check", "-c", tools.conf], expect=(0, 1))
    return re.findall(r"note: .*directory\.yaml: (.* circle: .*)", err)


def test_check_names_circles(tools):
    assert circles(tools) == []
    tools.edit("directory.yaml", "dana: {name: Dana Brooks, employer: "
               "clipwave-us, site: austin, manager: none",
               "dana: {name: Dana Brooks, employer: clipwave-us, "
               "site: austin, manager: aoife")
    tools.edit("directory.yaml", "owners: {}, rest: dispersed",
               "owners: {granite: 5}, rest: dispersed")
    assert circles(tools) == [
        "manager circle: aoife -> niamh -> dana -> aoife",
        "ownership circle: granite -> granite"]


def test_control_names_the_package_that_dot_is_in(tools):
    empty = tools.folder / "empty"
    empty.mkdir()
    out, err = tools.run("control", "ethan", "--svg", expect=1,
                         env={"PATH": str(empty)})
    assert out == "" and "dot" in err and "package graphviz" in err


# -- sworn explain ---------------------------------------------------------

def explain(tools, principal, store, **more):
    """What it says as JSON: {(table, residence, column): its answer}."""
    args = [a for k, v in more.items() for a in (f"--{k}", v)]
    said = json.loads(tools.run("explain", principal, store, "--json",
                                *args)[0])
    return said, {(t["table"], r["residence"], c["column"]): c
                  for t in said["tables"] for r in t["residences"]
                  for c in r["columns"]}


def test_what_only_an_exact_record_permits_is_told(tools):
    rule = '"moderators work on reported cases"'
    text = (tools.folder / "policy.yaml").read_text()
    assert "rule: moderators work on reported cases\n" in text
    tools.edit("policy.yaml", "rule: moderators work on reported cases\n",
               "rule: moderators work on reported cases\n"
               "    record: exact\n")
    said, _ = explain(tools, "aoife", "eu", **MODERATION)
    only = {t["table"] for t in said["tables"] if t["only-exact"]}
    assert only == {t["table"] for t in said["tables"] if t["readable"]
                    and not t["public"]} != set()
    said, _ = explain(tools, "sam", "us", purpose="operations")
    assert not any(t["only-exact"] for t in said["tables"])
    found = {p["principal"]: p["ways"] for p in json.loads(tools.run(
        "who-can", "--json")[0])["found"]}
    assert {r for w in found["aoife"] for r in w["only-exact"]} == \
        {rule.strip('"')}
    assert not any(w["only-exact"] for w in found["sam"])
    # A service's records are bounded: what it had by such a rule is gone.
    assert "feed-international" in found
    tools.edit("policy.yaml", "rule: the feed serves its users\n",
               "rule: the feed serves its users\n    record: exact\n")
    found = {p["principal"] for p in json.loads(tools.run(
        "who-can", "--json")[0])["found"]}
    assert "feed-international" not in found and "aoife" in found
    said, _ = explain(tools, "feed-international", "us")
    assert "not cleared for all" in said["refused"]


def names(column):
    return {r["rule"] for r in column["rules"]}


MODERATION = {"purpose": "moderation", "ticket": "TS-1042"}
DIRECTION = "international data is not handled under direction from CN"
MASKED = "contact data is masked for persons"


def test_explain_tells_each_column_with_rule_and_path(tools):
    said, cells = explain(tools, "ethan", "us", purpose="analytics")
    assert {c["outcome"] for c in cells.values()} == {"absent"}
    email = cells["public.profiles", "US", "email"]
    assert names(email) == {"analysts study behaviour", DIRECTION, MASKED}
    assert "you → instructed by Liu Yang → located in CN" in \
        {r["because"] for r in email["rules"] if r["verb"] == "forbid"}
    assert said["facts"]["site"] == "austin"
    assert {"label": "CN", "kinds": ["location", "actual"],
            "steps": ["instructed by Liu Yang", "located in CN"]} \
        in said["control"]
    # Had nobody in Beijing instructed him, he would be an analyst.
    tools.edit("directory.yaml", "instructor: {id: liu,",
               "instructor: {id: dana,")
    _, cells = explain(tools, "ethan", "us", purpose="analytics")
    assert cells["public.profiles", "US", "email"]["outcome"] == "mask"
    assert cells["public.profiles", "US", "interests"]["outcome"] == "plain"
    assert cells["public.profiles", "US", "bio"]["outcome"] == "absent"
    assert cells["public.profiles", "US", "bio"]["rules"] == []


def test_explain_tells_the_facts_that_rules_can_ask_for(tools):
    tools.edit("directory.yaml", "instructor: {id: liu,",
               "offices: none\n    instructor: {id: liu,")
    tools.edit("directory.yaml", "employer: clipwave-us\n    site: austin",
               "employer: [{id: clipwave-us, kind: contractor}, granite]\n"
               "    site: austin")
    facts = explain(tools, "ethan", "us")[0]["facts"]
    assert sorted((e["employer"], e["as"]) for e in facts["employments"]) \
        == [("clipwave-us", "contractor"),
            ("granite", "employee or contractor")]
    assert facts["instructors"] == ["liu"]
    assert facts["offices"] == [] and facts["offices-known"] is True
    out = tools.run("explain", "ethan", "us")[0]
    assert "contractor of clipwave-us" in out and "offices: none\n" in out
    facts = explain(tools, "aoife", "us")[0]["facts"]
    assert facts["offices-known"] is facts["instructors-known"] is False
    assert "offices: none known\n" in tools.run("explain", "aoife", "us")[0]


def test_explain_names_every_rule_that_has_a_part_and_no_other(tools):
    """A rule that is not named can go and nothing changes; without the
    permits that are named nothing is shown."""
    text = (tools.folder / "policy.yaml").read_text()
    head, *rules = re.split(r"(?m)^  - rule: ", text)
    ask = ("aoife", "us")
    _, before = explain(tools, *ask, **MODERATION)
    assert {c["outcome"] for c in before.values()} == {"plain", "absent"}
    for i, rule in enumerate(rules):
        name = rule.split("\n")[0].strip()
        tools.write("policy.yaml", "  - rule: ".join(
            [head, *rules[:i], *rules[i + 1:]]))
        _, after = explain(tools, *ask, **MODERATION)
        for cell, c in before.items():
            assert name not in names(after[cell])
            if name not in names(c):
                assert after[cell]["outcome"] == c["outcome"], (name, cell)
            elif [r["rule"] for r in c["rules"] if r["verb"] == "permit"] \
                    == [name]:
                assert after[cell]["outcome"] == "absent"


def test_explain_says_for_whose_sake_a_column_is_masked(tools):
    tools.edit("policy.yaml", "  - rule: contact data is masked for persons",
               "  - rule: handles of Ireland\n    treat: mask\n"
               "    what: {categories: [identity]}\n    whose: [IE]\n"
               "  - rule: contact data is masked for persons")
    _, cells = explain(tools, "aoife", "eu", **MODERATION)
    for residence in ("IE", "DE"):
        handle = cells["public.users", residence, "handle"]
        assert handle["outcome"] == "mask"
        assert handle["as-for"] == (None if residence == "IE" else "IE")
        assert ("handles of Ireland" in names(handle)) == (residence == "IE")
    out, _ = tools.run("explain", "aoife", "eu", "--table", "users",
                       "--purpose", "moderation", "--ticket", "TS-1")
    assert "residents of IE\n" in out and "residents of DE, FR, ES\n" in out
    assert "public.profiles" not in out


def test_explain_tells_where_there_would_be_no_session(tools):
    tools.edit("directory.yaml", 'to: "2026-11-01T00:00:00Z"',
               'to: "2026-12-01T00:00:00Z"')

    def feed(at, store="us"):
        return explain(tools, "feed-international", store, at=at)[0]
    assert "not cleared for all" in feed("2026-11-30")["refused"]
    assert feed("2026-12-01")["refused"] is None
    assert "no role" in feed("2026-12-01", "domestic")["refused"]
    said, _ = explain(tools, "aoife", "us", purpose="curiosity")
    assert "curiosity" in said["refused"]


@pytest.mark.parametrize("args, words", [
    (["nobody", "us"], "nobody"), (["aoife", "mars"], "mars"),
    (["aoife", "us", "--from", "atlantis"], "atlantis"),
    (["aoife", "us", "--at", "12:00"], "12:00"),
    (["aoife", "us", "--table", "secrets"], "secrets")])
def test_explain_says_what_it_does_not_know(tools, args, words):
    out, err = tools.run("explain", *args, expect=1)
    assert out == "" and f'"{words}"' in err


# -- sworn who-can ---------------------------------------------------------

def who_can(tools, *args):
    """Its answer, and {principal: {(store, table, residence, column):
    "plain" or "mask"}}, the best of all its ways."""
    said = json.loads(tools.run("who-can", "--json", *args)[0])
    return said, {p["principal"]: reached(p["ways"]) for p in said["found"]}


def reached(ways):
    cells = {}
    for way in ways:
        for t in way["tables"]:
            for r in t["residences"]:
                for level in ("mask", "plain"):
                    for c in t[level]:
                        cell = (way["store"], t["table"], r, c)
                        if cells.get(cell) != "plain":
                            cells[cell] = level
    return cells


STATED = (
    {}, {"purpose": "moderation"}, {"purpose": "moderation", "ticket": "TS-9"},
    {"purpose": "analytics"}, {"purpose": "operations"})


def test_who_can_finds_what_asking_one_by_one_finds(tools):
    """Through `sworn explain`; every session is tried in
    tests/policy/test_reach.c."""
    _, told = who_can(tools)
    for person in ("wei", "lina", "aoife", "ethan"):
        found = {}
        for store, stated, place in itertools.product(
                ("us", "domestic"), STATED, ("beijing", "dublin", "unknown")):
            for cell, c in explain(tools, person, store, **stated,
                                   **{"from": place})[1].items():
                if c["outcome"] != "absent" and \
                        found.get((store, *cell)) != "plain":
                    found[store, *cell] = c["outcome"]
        assert found == {cell: level for cell, level
                         in told.get(person, {}).items()
                         if cell[0] != "eu"}, person


def test_who_can_tells_the_way_and_the_rule(tools):
    said, told = who_can(tools, "--residence", "IE", "--table", "comments")
    assert said["cells"] == 5 and said["principals"] == 13
    assert set(told) == {"aoife", "sam", "feed-international"}
    aoife, = [p for p in said["found"] if p["principal"] == "aoife"]
    assert aoife["plain"] == 5 and aoife["masked"] == 0
    way, = aoife["ways"]
    assert re.fullmatch("TS-[0-9]+", way["ticket"])
    assert (way["purpose"], way["rules"], sorted(way["from"])) == (
        "moderation", ["moderators work on reported cases"], ["IE", "US"])


def test_who_can_counts_a_service_with_all_or_nothing(tools):
    def feed(*args):
        return who_can(tools, "--store", "us", *args)[1].get(
            "feed-international", {})
    assert set(feed().values()) == {"plain"} and len(feed()) == 48
    assert feed("--at", "2026-10-31") == {}
    # A column that is masked for it is one too many: its role knows none.
    tools.edit("policy.yaml", "    who: {kind: person}\n"
               "    what: {categories: [contact]}",
               "    what: {categories: [contact]}")
    assert feed() == {}
    tools.edit("sworn.conf", "mode: enforce", "mode: observe")
    assert feed() == {}
    _, err = tools.run("who-can")
    assert "store us is in mode observe" in err


def test_who_can_orders_by_reach(tools):
    said, told = who_can(tools, "--widest")
    order = [p["plain"] for p in said["found"]]
    assert order == sorted(order, reverse=True) and len(set(order)) > 3
    for p in said["found"]:
        levels = list(told[p["principal"]].values())
        assert p["plain"] == levels.count("plain")
        assert p["masked"] == levels.count("mask")
    out, _ = tools.run("who-can", "--widest")
    assert [line.split(" ")[0] for line in out.splitlines()[2:] if line and
            line[0] != " "] == [p["principal"] for p in said["found"]]


def test_who_can_asks_back_where_nothing_is_of_what_is_named(tools):
    _, err = tools.run("who-can", "--category", "contcat", expect=1)
    assert "compare with the catalogs" in err


# -- sworn policy ----------------------------------------------------------

def policy_test(tools, path, expect=0):
    """(rows as expected, rows, {line: what differs})"""
    out, err = tools.run("policy", "test", path, expect=expect)
    good, rows = re.fullmatch(r"(\d+) of (\d+) rows are as expected\n",
                              out).groups()
    lines = [line.split(": ", 1) for line in err.splitlines()]
    assert all(where.startswith(f"{path}:") for where, _ in lines)
    return int(good), int(rows), {int(where.rpartition(":")[2]): what
                                  for where, what in lines}


def test_the_demos_policy_does_what_its_table_expects(tools):
    good, rows, differ = policy_test(tools,
                                     tools.folder / "policy-test.yaml")
    assert not differ and good == rows > 20


def test_policy_test_names_each_difference_by_its_line(tools):
    path = tools.write("t.yaml", """policy-test: 1
columns: [reader, store, table, expect, residence, purpose, ticket, rule]
rows:
- [aoife, us, comments, plain, US, moderation, TS-1]
- [aoife, us, comments.body, mask, US, moderation, TS-1]
- [aoife, us, profiles.email, absent, US, moderation, TS-1]
- [aoife, us, profiles.email, refused, US, moderation, TS-1]
- [aoife, us, public.profiles, plain, US, moderation, TS-1]
- [aoife, us, comments, refused]
- [aoife, us, comments, plain]
- [nobody, us, comments, refused]
- [aoife, mars, comments, refused]
- [aoife, us, secrets, refused]
- [aoife, us, comments.secret, refused]
- [aoife, us, comments, refused, IE]
- [aoife, us, comments, refused, US, curiosity]
- [aoife, us, topics, refused]
- [aoife, us, comments, plain, US, moderation, TS-1, the feed serves its users]
- [ethan, us, likes, refused, US, analytics, none, "%s"]
- [ethan, us, likes, plain, US, analytics]
""" % DIRECTION)
    good, rows, differ = policy_test(tools, path, expect=1)
    assert set(differ) == {5, 7, 8, 10, 11, 12, 13, 14, 15, 17, 18, 20}
    assert good == rows - len(differ)
    assert "body of US is plain, expected mask" in differ[5]
    assert "located in CN" in differ[20] and DIRECTION in differ[20]
    assert "has no part in it" in differ[18]


WRITING = """
  - rule: moderators hide videos
    permit: [insert, update]
    who: {kind: person, roles: [moderator]}
    what: {tables: [public.videos], categories: [moderation, technical]}
    why: {purposes: [moderation], ticket: "TS-[0-9]+"}
"""


def test_tools_tell_who_may_write_what_and_by_which_rule(tools):
    path = tools.folder / "policy.yaml"
    path.write_text(path.read_text().rstrip() + "\n" + WRITING)
    said, _ = explain(tools, "aoife", "us", purpose="moderation",
                      ticket="TS-1")
    words = tools.run("explain", "aoife", "us", "--purpose", "moderation",
                      "--ticket", "TS-1")[0]
    writes = {t["table"]: t["writes"] for t in said["tables"]
              if t.get("writes")}
    assert writes == {"public.videos": {
        "insert": "id, owner_id, hidden, created",
        "update": "hidden, created"}}
    assert "may update, for all residents shown: hidden, created\n" in words
    # The same of everybody, by asking one by one.
    _, found = who_can(tools, "--write", "update", "--store", "us")
    want = set()
    people = [p["principal"] for p in json.loads(tools.run(
        "who-can", "--json", "--store", "us")[0])["found"]]
    for who in people:
        one, _ = explain(tools, who, "us", purpose="moderation",
                         ticket="TS-1")
        if any(t.get("writes") for t in one["tables"]):
            want.add(who)
    assert set(found) == want and "aoife" in want and len(people) > len(want)
    assert {(t, c) for _, t, _, c in found["aoife"]} == {
        ("public.videos", "created"), ("public.videos", "hidden")}
    out, _ = tools.run("who-can", "--write", "update", "--store", "us")
    assert 'by "moderators hide videos"' in out and "2 to update" in out
    assert who_can(tools, "--write", "delete")[1] == {}
    assert "insert, update or delete" in tools.run(
        "who-can", "--write", "erase", expect=1)[1]
    table = tools.write("w.yaml", """policy-test: 1
columns: [reader, store, table, expect, purpose, ticket, rule]
rows:
- [aoife, us, videos.hidden, update, moderation, TS-1, moderators hide videos]
- [aoife, us, videos.id, insert, moderation, TS-1]
- [aoife, us, videos.id, update, moderation, TS-1]
- [aoife, us, videos.hidden, delete, moderation, TS-1]
- [aoife, us, videos.hidden, no-write, moderation, TS-1]
- [aoife, us, videos.title, no-write, moderation, TS-1]
- [aoife, us, videos.hidden, no-write, moderation]
- [ethan, us, videos.hidden, no-write, moderation, TS-1]
- [aoife, us, topics, no-write, moderation, TS-1]
""")
    _, _, differ = policy_test(tools, table, expect=1)
    assert set(differ) == {6, 7, 8}
    assert "id of US is not written by update" in differ[6]


def test_policy_test_says_where_a_table_is_malformed(tools):
    path = tools.write("t.yaml", "policy-test: 1\ncolumns: [reader]\n")
    _, err = tools.run("policy", "test", path, expect=1)
    assert err.startswith(f"{path}:2:")
    _, err = tools.run("policy", "test", tools.folder / "none.yaml", expect=1)
    assert "none.yaml" in err and "No such file" in err


def split_rules(tools):
    head, *rules = re.split(r"(?m)^  - rule: ",
                            (tools.folder / "policy.yaml").read_text())
    return head, {r.split("\n")[0]: r for r in rules}


def join_rules(head, rules):
    return "".join([head, *(f"  - rule: {r}" for r in rules)])


def lint(tools, *args, expect=0):
    """(those reach everything, {rule: what is said of it})"""
    _, err = tools.run("policy", "lint", *args, expect=expect)
    return (re.findall(r"policy\.yaml: (\S+) reaches every", err),
            dict(re.findall(r'^warning: \S+:\d+:\d+: rule "([^"]*)" (.*)$',
                            err, re.M)))


EXTRA = """  - rule: a dead one
    permit: read
    who: {roles: [astronaut]}
  - rule: one that nothing can meet
    forbid: read
    what: {stores: [domestic]}
    whose: [US]
  - rule: a shadowed one
    permit: read
    who: {located-in: [CN]}
    whose: [US]
  - rule: a misspelt one
    forbid: read
    what: {categories: [contcat]}
"""


def test_policy_lint_names_the_rules_that_do_nothing(tools):
    tools.write("policy.yaml",
                (tools.folder / "policy.yaml").read_text() + EXTRA)
    masters, said = lint(tools)
    lint(tools, "--strict", expect=1)
    assert masters == []
    assert "dead" in said["a dead one"]
    assert "dead" in said["one that nothing can meet"]
    assert "shadowed" in said["a shadowed one"]
    assert "shadowed" in said["analysts study behaviour"]
    assert '"contcat"' in said["a misspelt one"]
    assert len(said) == 5
    # Without a rule that is named nothing changes for anybody; without any
    # other something does.
    head, rules = split_rules(tools)
    old = tools.write("old.yaml", join_rules(head, rules.values()))
    for name in rules:
        new = tools.write("new.yaml", join_rules(
            head, [r for n, r in rules.items() if n != name]))
        out, _ = tools.run("policy", "diff", old, new)
        assert (out == "0 of 13 principals gain or lose something\n") == \
            (name in said), name


def test_policy_lint_fails_where_there_is_a_master_admin(tools):
    lint(tools)
    head, rules = split_rules(tools)
    tools.write("policy.yaml", join_rules(head, [
        r for r in rules.values() if not r.startswith((DIRECTION, "domestic"))
    ]))
    assert lint(tools, expect=1)[0] == ["wei"]
    # One category of one residence less, and there is none.
    tools.write("policy.yaml", join_rules(head, [
        r for r in rules.values() if not r.startswith((DIRECTION, "domestic"))
    ]) + "  - rule: not this\n    forbid: read\n    whose: [FR]\n"
        "    what: {categories: [location]}\n")
    assert lint(tools)[0] == []


def resting(tools, on):
    """{rule: how many principals rest on what nobody wrote}"""
    _, err = tools.run("policy", "lint")
    found = re.findall(
        r'^note: \S+:\d+:\d+: rule "([^"]*)" rests on a missing fact: (\d+)'
        r" principals .* if the directory said " + re.escape(on), err, re.M)
    assert len(found) == len(dict(found))
    return {rule: int(n) for rule, n in found}


def reaching(tools):
    out, _ = tools.run("who-can", "--json")
    return {one["principal"] for one in json.loads(out)["found"]}


def test_policy_lint_counts_who_rests_on_what_nobody_wrote(tools):
    rule = "international data is not handled under direction from CN"
    who = "who instructs them in fact"
    before, manager = resting(tools, who)[rule], "dublin, manager: niamh,"
    assert "aoife" in reaching(tools)
    # It is written that nobody else instructs her: she rests on it no more.
    tools.edit("directory.yaml", manager, manager + " instructor: none,")
    assert resting(tools, who)[rule] == before - 1
    assert "aoife" in reaching(tools)
    # It is written that somebody in CN does: what she had is gone.
    tools.edit("directory.yaml", "instructor: none", "instructor: liu")
    assert resting(tools, who)[rule] == before - 1
    assert "aoife" not in reaching(tools)


def test_policy_lint_counts_who_rests_on_a_place_that_nobody_wrote(tools):
    rule = "international data is not handled under direction from CN"
    where = "where a company behind them does its business"
    operator = "name: Clipwave US Inc., country: US"
    assert resting(tools, where)[rule] == 1
    everybody = reaching(tools)
    # It is written, as it was taken to be: nobody rests on it.
    tools.edit("directory.yaml", operator, operator + ", principal-place: US")
    assert resting(tools, where) == {}
    assert reaching(tools) == everybody
    # It is in CN: one, and no other, has nothing any more.
    tools.edit("directory.yaml", "principal-place: US", "principal-place: CN")
    assert resting(tools, where) == {}
    assert everybody - reaching(tools) == {"feed-international"}


def told_changes(out):
    """{(principal, store, table, residence, column): what is said}"""
    told, who, where = {}, None, None
    for line in out.splitlines()[:-1]:
        if m := re.fullmatch(r"  store (\S+), (\S+), residents of (.*)",
                             line):
            where = m
        elif m := re.fullmatch(r"    ([^:]+): (.*)", line):
            for r in where[3].split(", "):
                for c in m[2].split(", "):
                    cell = (who, where[1], where[2], r, c)
                    assert cell not in told
                    told[cell] = m[1]
        else:
            who = line.split(" ")[0]
    return told


def test_policy_diff_tells_what_who_can_tells_of_both(tools):
    """Random mixtures of the demo's rules, changed a little: gains and losses
    are the difference between two answers of who-can."""
    rng = random.Random(7)
    head, rules = split_rules(tools)
    rules = [r.rstrip() + "\n" for r in rules.values()]
    rules += [r.replace(a, b, 1).replace("\n", f" but {len(b)}\n", 1)
              for r in rules for a, b in (
                  ("analyst]", "director]"), ("[moderation]", "[operations]"),
                  ("treat: mask", "treat: absent"), ("TS-", "(TS|CS)-"),
                  ("kind: service", "kind: person"), ("[CN]", "[US]"))
              if a in r]
    words = {(None, "plain"): "gains", (None, "mask"): "gains masked",
             ("plain", None): "loses", ("mask", None): "loses masked",
             ("plain", "mask"): "loses plain, now masked",
             ("mask", "plain"): "gains plain, was masked"}
    seen = set()
    for _ in range(12):
        found = []
        for name in ("old.yaml", "new.yaml"):
            text = join_rules(head, rng.sample(rules, 7))
            tools.write(name, text)
            tools.write("policy.yaml", text)
            found.append({(p, *cell): level for p, cells
                          in who_can(tools)[1].items()
                          for cell, level in cells.items()})
        old, new = found
        want = {cell: words[old.get(cell), new.get(cell)]
                for cell in {*old, *new} if old.get(cell) != new.get(cell)}
        told = told_changes(tools.run(
            "policy", "diff", tools.folder / "old.yaml",
            tools.folder / "new.yaml")[0])
        assert {c: w.split(" (in some sessions")[0]
                for c, w in told.items() if not w.startswith("in ")} == want
        seen |= set(want.values())
    assert len(seen) > 3


def test_policy_diff_tells_what_is_harder_or_easier_to_reach(tools):
    text = (tools.folder / "policy.yaml").read_text()
    old = tools.write("old.yaml", text)

    def diff(was, becomes):
        assert was in text
        new = tools.write("new.yaml", text.replace(was, becomes, 1))
        return {(cell[0], what) for cell, what in told_changes(
            tools.run("policy", "diff", old, new)[0]).items()}
    moderators = ("aoife", "lina")
    more = "in more sessions (plain, was hidden)"
    fewer = "in fewer sessions (hidden, was plain)"
    assert diff('"TS-[0-9]+"', '"(TS|CS)-[0-9]+"') == \
        {(m, more) for m in moderators}
    assert diff('"TS-[0-9]+"', '"TS-1[0-9]*"') == \
        {(m, fewer) for m in moderators}
    assert diff("purposes: [moderation], ticket", "ticket") == \
        {(m, more) for m in moderators}
    assert diff("why: {purposes: [operations]}",
                "why: {purposes: [analytics]}") == \
        {("sam", "in other sessions (plain, was hidden; hidden, was plain)")}
    assert diff("version: 2026-11", "version: 2026-12") == set()


TREATING = """  - rule: %s is %s
    treat: %s
    what: {categories: [content]}
    why: {ticket: "%s"}
"""
TICKETS = (None, "TS-1", "TS-2", "TS-3")


def shown(tools):
    """{cell: what each of aoife's sessions in the store eu is shown of it},
    a session after the other, as `sworn explain` decides each by itself."""
    found = {}
    for i, ticket in enumerate(TICKETS):
        more = {"ticket": ticket} if ticket else {}
        for cell, is_ in explain(tools, "aoife", "eu", purpose="moderation",
                                 **more)[1].items():
            level = {"absent": "hidden", "mask": "masked"}.get(
                is_["outcome"], is_["outcome"])
            found.setdefault(cell, []).append(level)
            assert len(found[cell]) == i + 1
    return found


def test_policy_diff_tells_hidden_from_masked_from_plain(tools):
    """Between any two of some policies: the most that any session shows, and
    each pair of levels that a session has before and after."""
    text = (tools.folder / "policy.yaml").read_text()
    ranks = ["hidden", "masked", "plain"]
    policies = []
    for i, some in enumerate([
            (), [("mask", "TS-2")], [("absent", "TS-2")],
            [("mask", "TS-2"), ("absent", "TS-3")], [("mask", ".*")],
            [("mask", ".*"), ("absent", "TS-2")], [("absent", ".*")]]):
        new = text + "".join(TREATING % (t, how, how, t) for how, t in some)
        tools.write("policy.yaml", new)
        policies.append((tools.write(f"{i}.yaml", new), shown(tools)))
    seen = set()
    for (old, before), (new, after) in itertools.permutations(policies, 2):
        told = {(table, residence, column): words for
                (who, store, table, residence, column), words in
                told_changes(tools.run("policy", "diff", old, new)[0]).items()
                if (who, store) == ("aoife", "eu")}
        for cell in before:
            most = [max(x[cell], key=ranks.index) for x in (before, after)]
            moves = {(b, a) for b, a in zip(before[cell], after[cell])
                     if a != b}
            said = told.pop(cell, "")
            assert bool(said) == bool(moves)
            # What is not in brackets is what becomes of the most.
            head = said.split(" (")[0]
            assert head.startswith("in ") == (most[0] == most[1]
                                              and bool(moves))
            if most[0] != most[1]:
                moves.discard(tuple(most))
                if most[1] == "hidden":
                    moves = set()
            assert set(re.findall(r"(\w+), was (\w+)", "".join(
                said.split(" (")[1:]))) == {(a, b) for b, a in moves}
            up = {ranks.index(a) > ranks.index(b) for b, a in moves}
            if most[0] == most[1] and moves:
                assert head == {(True,): "in more sessions",
                                (False,): "in fewer sessions",
                                (False, True): "in other sessions"}[
                                    tuple(sorted(up))]
            seen |= {(head, m) for m in moves}
        assert told == {}
    # Each move is among them where the most stays, and some where it changes.
    stays = {m for head, m in seen if head.startswith("in ")}
    assert stays == set(itertools.permutations(ranks, 2))
    assert len({m for head, m in seen if not head.startswith("in ")}) >= 3
