"""A policy that is made of several files, asked of the real program."""
import os

import pytest
from test_policy_tools import Tools

import world as demo_world


@pytest.fixture
def tools(tmp_path, bin_dir):
    (tmp_path / "conf").mkdir()
    return Tools(tmp_path / "conf", bin_dir)


def spread(tools):
    """The demo's policy with its sets in one file and its rules in two."""
    text = (tools.folder / "policy.yaml").read_text()
    head, rules = text.split("\nrules:\n")
    before, sets = head.split("\nsets:", 1)
    before += "\n"
    rules = ["  - rule:" + r for r in rules.split("  - rule:")[1:]]
    (tools.folder / "parts" / "more").mkdir(parents=True)
    tools.write("policy.yaml", before + "include: [parts/rules.yaml]\n"
                "rules:\n" + "".join(rules[::2]))
    tools.write("parts/rules.yaml", "include: [more/sets.yaml]\nrules:\n"
                + "".join(rules[1::2]))
    tools.write("parts/more/sets.yaml", "sets:" + sets + "\n")


def test_every_command_answers_alike_however_the_rules_are_spread(tools):
    questions = [("who-can", "--at", "2026-11-23", "--json"),
                 ("explain", "aoife", "eu", "--purpose", "moderation",
                  "--ticket", "TS-1", "--at", "2026-11-23", "--json"),
                 ("policy", "test", tools.folder / "policy-test.yaml"),
                 ("policy", "lint", "--at", "2026-11-23")]
    whole = tools.write("whole.yaml",
                        (tools.folder / "policy.yaml").read_text())
    before = [tools.run(*q)[0] for q in questions]
    spread(tools)
    assert [tools.run(*q)[0] for q in questions] == before
    out, _ = tools.run("policy", "diff", whole, tools.folder / "policy.yaml")
    assert out.startswith("0 of 13 principals")


def test_a_warning_names_the_file_of_the_rule(tools):
    spread(tools)
    text = tools.write("parts/more/odd.yaml", "# odd\nrules:\n"
                       "- {rule: odd, forbid: read, what: {stores: [ue]}}\n")
    tools.edit("parts/rules.yaml", "[more/sets.yaml]",
               "[more/sets.yaml, more/odd.yaml]")
    _, err = tools.run("policy", "lint")
    assert f'{text}:3:3: rule "odd" names store "ue"' in err


@pytest.mark.parametrize("name, text, where, word", [
    ("parts/more/sets.yaml", "sets: {a: [b}\n", "1:13", "not YAML"),
    ("parts/more/sets.yaml", "include: [../rules.yaml]\n", "1:11", "below"),
    ("parts/more/sets.yaml", "include: [/etc/passwd]\n", "1:11", "below"),
    ("parts/more/sets.yaml", "include: [nothing.yaml]\n", "1:11",
     "No such file"),
    ("parts/more/sets.yaml", "include: [out.yaml]\n", "1:11",
     "leads out of"),
    ("parts/rules.yaml", "include: [rules.yaml]\n", "1:11",
     "within itself"),
    ("parts/rules.yaml", "include: [more/sets.yaml]\nrules: [{rule: x}]\n",
     "2:9", "exactly one"),
    ("parts/rules.yaml", "stores: []\n", "1:1", "unknown key"),
])
def test_what_is_wrong_is_named_where_it_stands(tools, name, text, where,
                                                word):
    spread(tools)
    outside = tools.folder.parent / "outside.yaml"
    outside.write_text("rules: []\n")
    os.symlink(outside, tools.folder / "parts" / "more" / "out.yaml")
    tools.write(name, text)
    path = (tools.folder / "policy.yaml").parent / name
    for command in (("policy", "lint"), ("check",), ("who-can",)):
        _, err = tools.run(*command, expect=1)
        assert err.startswith(f"{path}:{where}: "), err
        assert word in err
    _, _, err = demo_world.run(
        [tools.bin / "sworn", "policy", "diff", tools.folder / "policy.yaml",
         tools.folder / "policy.yaml", "-c", tools.conf], expect=(1,))
    assert word in err


def test_a_link_within_the_folder_is_followed(tools):
    spread(tools)
    sets = tools.folder / "parts" / "more" / "sets.yaml"
    sets.rename(tools.folder / "data.yaml")
    os.symlink(tools.folder / "data.yaml", sets)
    tools.run("policy", "test", tools.folder / "policy-test.yaml")
