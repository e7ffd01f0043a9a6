"""What `sworn` answers about a directory and a policy, asked of the real
program. No store runs here: the answers are about files."""
import os
import pathlib
import re
import stat

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
            {"GATEWAY_PORT": 1, "CONSOLE_PORT": 2, "US_PORT": 3,
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


def test_control_names_the_package_that_dot_is_in(tools):
    empty = tools.folder / "empty"
    empty.mkdir()
    out, err = tools.run("control", "ethan", "--svg", expect=1,
                         env={"PATH": str(empty)})
    assert out == "" and "dot" in err and "package graphviz" in err
