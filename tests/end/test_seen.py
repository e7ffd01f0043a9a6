"""Who saw my data: what `sworn seen` tells each subject of a store, against
what this module itself had read there, and whose rows those were by an
administrator's own look at the store; and that it tells nothing unless it is
on record that it was asked."""
import json
import os
import pwd
import shutil
import sqlite3

import psycopg
import pytest
from conftest import connect, connect_feed, demo_world

ME = pwd.getpwuid(os.getuid()).pw_name
US = "country IN ('US', 'USA')"
# Exact reads: ticket, statement, whose rows it reads. {a} to {d} are subjects.
READS = [
    ("TS-1", "SELECT handle FROM users WHERE id IN ({a}, {b})",
     "VALUES ({a}), ({b})"),
    ("TS-1", "SELECT handle FROM users WHERE id = {a}", "VALUES ({a})"),
    ("TS-2", "SELECT display_name FROM profiles WHERE user_id = {b}",
     "VALUES ({b})"),
    ("TS-3", "SELECT v.title, u.handle FROM videos v JOIN users u ON u.id = "
     "v.owner_id WHERE u.id BETWEEN {c} AND {d}",
     "SELECT owner_id FROM videos v JOIN users u ON u.id = v.owner_id "
     "WHERE u.id BETWEEN {c} AND {d} AND u." + US),
    ("TS-3", "SELECT id FROM users WHERE id = -1", "SELECT 1 WHERE false"),
]
# This one is bounded: of all who are at home there.
WIDE = "SELECT id FROM users ORDER BY id OFFSET 3 LIMIT 2"
WIDE_WHY = "skips rows, which are not shown and matter"


def configure(gateway, seen):
    """Its configuration, published often, with a part `seen` or without."""
    gateway.configure("enforce")
    text = gateway.conf.read_text().replace("publish: 500ms",
                                            "publish: 20ms")
    gateway.conf.write_text(text + (f"seen: {{names-for: [{seen}]}}\n"
                                    if seen else ""))


@pytest.fixture(scope="module")
def gateway(world):
    """One of this module's own, whose log has this module's reads alone."""
    g = world.new_gateway("seen")
    try:
        g.create()
        configure(g, ME)
        g.apply("us")
        g.start()
        yield g
    finally:
        g.close()


@pytest.fixture(scope="module")
def admin(world):
    us = world.stores["us"]
    with psycopg.connect(us.admin_dsn, password=us.passwords["postgres"],
                         autocommit=True) as c:
        yield c


@pytest.fixture(scope="module")
def reads(gateway, admin):
    """Has READS and WIDE read, and a service's session; {subject: [ticket of
    each exact read]} for every subject of the store."""
    ids = [r[0] for r in admin.execute(
        f"SELECT id FROM users WHERE {US} ORDER BY id")]
    names = dict(zip("abcd", (ids[0], ids[1], ids[3], ids[9])))
    whose = {r[0]: [] for r in admin.execute("SELECT id FROM users")}
    for ticket, sql, rows in READS:
        with connect(gateway, ticket=ticket) as c:
            c.execute(sql.format(**names)).fetchall()
        for subject in {r[0] for r in admin.execute(rows.format(**names))}:
            whose[subject].append(ticket)
    with connect(gateway, ticket="TS-9") as c:
        c.execute(WIDE).fetchall()
    with connect_feed(gateway) as c:
        c.execute("SELECT 1").fetchall()
    return names, whose


def seen(gateway, subject, *flags, expect=0):
    """(output, errors) of `sworn seen`, which ended as expected."""
    world = gateway.world
    code, out, err = gateway.sworn(
        "seen", "-c", gateway.conf, "us", str(subject), "--admin",
        world.stores["us"].admin_dsn, *flags, expect=None,
        env={"PGPASSFILE": str(world.passfile), "LC_ALL": "C.UTF-8"})
    assert code == expect, err
    return out, err


def answer(gateway, subject, *flags):
    return json.loads(seen(gateway, subject, "--json", *flags)[0])


def told(answer):
    """What an answer tells, without what each time of asking changes."""
    return {k: answer[k] for k in ("residences", "shown",
                                   "may_have_been_seen")}


def asked_records(gateway):
    return [r for r in gateway.records() if r["type"] == "asked"]


def test_every_subject_is_told_of_every_read_and_of_no_other(gateway, reads):
    names, whose = reads
    some = sorted(s for s in whose if whose[s])
    others = sorted(s for s in whose if not whose[s])
    assert len(some) > 4 and len(others) > 4
    for subject in some + others[:: max(1, len(others) // 12)]:
        got = answer(gateway, subject, "--full")
        assert {g["principal"] for g in got["shown"]} <= {"aoife"}
        assert sorted(g["ticket"] for g in got["shown"]
                      for _ in range(g["n"])) == sorted(whose[subject])
        for g in got["shown"]:
            assert g["purpose"] == "moderation" and g["basis"] == "exact"
            assert g["kind"] == "person" and g["at"] == ["IE"]
        wide = [g for g in got["may_have_been_seen"]
                if g["kind"] == "person"]
        service = [g for g in got["may_have_been_seen"]
                   if g["kind"] == "service"]
        assert [(g["principal"], g["why"], g["n"]) for g in wide] == \
            [("aoife", WIDE_WHY, 1)], subject
        assert {g["principal"] for g in service} == {"feed-international"}
        assert sum(g["n"] for g in service) == 1
        assert len(got["may_have_been_seen"]) == 2


def test_it_says_what_was_readable_and_by_which_rule(gateway, reads):
    got = answer(gateway, reads[0]["b"], "--full")["shown"]
    profile = [g for g in got if g["ticket"] == "TS-2"]
    assert len(profile) == 1
    assert profile[0]["tables"] == ["public.profiles"]
    assert "identity" in profile[0]["plain"]
    assert "contact" not in profile[0]["plain"]
    assert profile[0]["rules"] == ["moderators work on reported cases"]


def test_a_period_leaves_out_what_lies_outside(gateway, reads):
    subject = reads[0]["a"]
    before = answer(gateway, subject, "--to", "2020-01-01")
    after = answer(gateway, subject, "--from", "2020-01-01")
    assert before["shown"] == [] and before["may_have_been_seen"] == []
    assert told(after) == told(answer(gateway, subject))
    seen(gateway, subject, "--from", "2021-01-01", "--to", "2020-01-01",
         expect=2)


def test_names_are_told_to_whom_the_configuration_lists(gateway, reads):
    subject = reads[0]["a"]
    short, full = answer(gateway, subject), answer(gateway, subject, "--full")
    assert "aoife" not in json.dumps(short)
    assert "TS-1" not in json.dumps(short)
    # Nor anything that leads to an entry, which has the name.
    assert full["tag"] not in json.dumps(short)
    assert {"entry", "first_entry", "last_entry", "by"} & {
        k for part in ("shown", "may_have_been_seen", "asked")
        for g in short[part] for k in g} == set()
    assert "aoife" in json.dumps(full)
    assert sum(g["n"] for g in short["shown"]) == \
        sum(g["n"] for g in full["shown"]) == 2
    configure(gateway, "somebody-else")
    gateway.sworn("reload", gateway.conf)
    try:
        asked = len(asked_records(gateway))
        out, err = seen(gateway, subject, "--full", expect=1)
        assert out == "" and "names-for" in err and ME in err
        assert "aoife" not in seen(gateway, subject)[0]
        gateway.wait_published(demo_world.now())
        assert [r["full"] for r in asked_records(gateway)[asked:]] == [False]
    finally:
        configure(gateway, ME)
        gateway.sworn("reload", gateway.conf)


def test_that_it_was_asked_is_on_record(gateway, reads):
    first = answer(gateway, reads[0]["c"], "--full", "--from", "2020-01-01")
    entry = gateway.records(first["asked_entry"])[0]
    assert entry["type"] == "asked" and entry["store"] == "us"
    assert entry["tag"] == first["tag"] != ""
    assert ME in entry["by"] and entry["full"]
    assert entry["from"].startswith("2020-01-01") and "to" not in entry
    assert first["entries"] > first["asked_entry"]
    again = answer(gateway, reads[0]["c"], "--full")
    assert first["asked_entry"] in [a["entry"] for a in again["asked"]]


def test_a_log_with_questions_in_it_is_verified(gateway, reads):
    answer(gateway, reads[0]["a"])
    code, out, err = gateway.verify_log()
    assert code == 0, out + err


def test_a_person_reads_it_in_their_language(gateway, reads):
    english = seen(gateway, reads[0]["a"])[0]
    german = seen(gateway, reads[0]["a"], "--lang", "de")[0]
    assert english.startswith("Who saw my data?")
    assert german.startswith("Wer hat meine Daten gesehen?")
    for text in english, german:
        assert "identity" in text and "moderation" in text
        assert "IE" in text and "US" in text and "aoife" not in text


def test_a_service_that_is_there_is_within_reach_still(gateway, reads):
    with connect_feed(gateway) as c:
        c.execute("SELECT 1").fetchall()
        services = [g for g in answer(gateway, reads[0]["a"])
                    ["may_have_been_seen"] if g["kind"] == "service"]
        assert [(g["n"], g["going_on"]) for g in services] == [(2, True)]
    gateway.wait_published(demo_world.now())
    services = [g for g in answer(gateway, reads[0]["a"])
                ["may_have_been_seen"] if g["kind"] == "service"]
    assert [(g["n"], g["going_on"]) for g in services] == [(2, False)]


def index_file(gateway):
    return next(gateway.folder.glob("state/seen/index.sqlite"))


def change_edge(gateway):
    """The index says that it is of other entries."""
    with sqlite3.connect(index_file(gateway)) as c:
        edge = bytearray(c.execute("SELECT edge FROM meta").fetchone()[0])
        edge = bytes(b ^ (i >= 8) for i, b in
                     enumerate(edge))
        c.execute("UPDATE meta SET edge = ?", (edge,))
    c.close()


def overwrite(gateway):
    path = index_file(gateway)
    path.write_bytes(b"\x55" * path.stat().st_size)
    for end in "-wal", "-shm":
        path.with_name(path.name + end).unlink(missing_ok=True)


@pytest.mark.parametrize("damage", [change_edge, overwrite])
def test_a_damaged_index_tells_nothing_until_it_is_made_anew(
        gateway, reads, damage):
    subject = reads[0]["b"]
    before = told(answer(gateway, subject, "--full"))
    damage(gateway)
    for _ in range(2):
        out, err = seen(gateway, subject, "--full", expect=1)
        assert out == "" and "--rebuild" in err
    assert told(answer(gateway, subject, "--full", "--rebuild")) == before
    assert told(answer(gateway, subject, "--full")) == before


def test_an_index_of_another_folder_says_the_same(gateway, reads, tmp_path):
    subject = reads[0]["d"]
    assert told(answer(gateway, subject, "--index", tmp_path / "i")) == \
        told(answer(gateway, subject))


def test_nothing_is_told_while_it_cannot_be_recorded(gateway, reads):
    gateway.stop()
    try:
        out, err = seen(gateway, reads[0]["a"], expect=1)
        assert out == "" and "sworn run" in err
    finally:
        gateway.start()
    assert answer(gateway, reads[0]["a"])["shown"] != []


# -- what shows it, for the person ------------------------------------------

def proof(gateway, subject, folder, *flags):
    seen(gateway, subject, "--full", "--json", "--proof", folder, *flags)
    return {int(p.stem): json.loads(p.read_bytes())
            for p in folder.glob("*.json")}


def check(gateway, folder, expect=0):
    return gateway.verify("seen", folder, expect=(expect,))[1]


@pytest.mark.parametrize("flags", [[], ["--readers"]])
def test_a_folder_has_every_read_and_nothing_else(gateway, reads, tmp_path,
                                                  flags):
    """By the log itself, read here, not by the program's own reader."""
    names, whose = reads
    subject = names["b"]
    tag = answer(gateway, subject, "--full")["tag"]
    got = proof(gateway, subject, tmp_path / "p", *flags)
    log = {r["seq"]: r for r in gateway.records()}
    mine = {seq for seq, r in log.items()
            if tag in str(r.get("subjects", "")) and r["type"] != "store"}
    of = {(log[seq]["session"], log[seq].get("of", log[seq]["n"]))
          for seq in mine}
    mine |= {seq for seq, r in log.items() if r["type"] == "result" and
             (r["session"], r["of"]) in of}
    assert len(of) == len(whose[subject]) > 1
    if flags:
        mine |= {seq for seq, r in log.items() if r["type"] == "session" and
                 r["session"] in {s for s, _ in of}}
    assert got == {seq: log[seq] for seq in mine}
    out = check(gateway, tmp_path / "p")
    assert out.startswith(f"{len(of)} reads of rows of the subject {tag} ")
    assert ("aoife" in out) == ("moderation" in out) == bool(flags)
    assert "identity" in out and "public.profiles" in out
    assert "aoife" in json.dumps(list(got.values())) or not flags


def test_a_folder_that_was_changed_shows_nothing(gateway, reads, tmp_path):
    made = tmp_path / "p"
    got = proof(gateway, reads[0]["b"], made, "--readers")
    first = min(s for s, r in got.items() if r["type"] == "statement")

    def changed(change):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(made, copy)
        change(copy)
        out = check(gateway, copy, 1)
        assert out.startswith("BROKEN") and "shows nothing" in out
        return out

    def rewrite(name, old, new):
        def change(folder):
            text = (folder / name).read_bytes()
            assert old in text
            (folder / name).write_bytes(text.replace(old, new, 1))
        return change

    # In the log, and of nothing that lists the subject.
    strange = rewrite("SEEN", f"entry {first}\n".encode(), b"")

    assert "not in the log" in changed(rewrite(
        f"{first}.json", b'"what":"SELECT"', b'"what":"SELEKT"'))
    assert "no proof" in changed(rewrite(
        f"{first}.tlog-proof", f"index {first}".encode(),
        f"index {first + 1}".encode()))
    assert "does not list" in changed(rewrite("SEEN", b"\ntag ", b"\ntag x"))
    assert "of no read" in changed(strange)
    assert "checkpoint" in changed(rewrite(
        "checkpoint", b"\n\n", b"\nx\n\n"))
    changed(lambda f: (f / f"{first}.json").unlink())
    changed(lambda f: (f / "SEEN").unlink())
    # Nor by another log's key.
    assert check(gateway.world.gateway, made, 1).startswith("BROKEN")


def test_what_leads_to_names_is_for_those_who_may_have_them(
        gateway, reads, tmp_path):
    for flags in (["--proof", tmp_path / "p"], ["--full", "--readers"]):
        out, err = seen(gateway, reads[0]["a"], *flags, expect=2)
        assert out == "" and "--proof" in err
    assert not (tmp_path / "p").exists()
    proof(gateway, reads[0]["a"], tmp_path / "p")
    out, err = seen(gateway, reads[0]["a"], "--full", "--proof",
                    tmp_path / "p", expect=1)
    assert "exists" in err.lower()


def test_a_forgotten_subject_is_found_by_nobody(gateway, reads):
    subject = reads[0]["c"]
    before = answer(gateway, subject, "--full")
    assert before["shown"] != []
    gateway.sworn("forget", "-c", gateway.conf, "us", str(subject),
                  "--admin", gateway.world.stores["us"].admin_dsn,
                  env={"PGPASSFILE": str(gateway.world.passfile)})
    after = answer(gateway, subject, "--full")
    assert after["tag"] == "" and after["shown"] == []
    assert after["asked"] == []
    assert after["may_have_been_seen"] == before["may_have_been_seen"]
    assert "forgotten" in seen(gateway, subject)[0]
    out, err = seen(gateway, 77, expect=1)
    assert out == "" and "--residence" in err
    out, err = seen(gateway, subject, "--full", "--proof", "p", expect=1)
    assert out == "" and "nothing to put" in err
