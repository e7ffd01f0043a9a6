"""Cursors, prepared statements by SQL, and several statements in one text:
the same bytes as the store gives, each statement with a record of its own, and
whose rows came exactly where they do not pass over any."""
import os
import subprocess

import pytest
from psycopg import pq
from test_exact import admin, direct as login, listed  # noqa: F401
from test_exact import reader, tag  # noqa: F401
from test_protocol import session_records

IDS = "SELECT id FROM users ORDER BY id LIMIT 6"


@pytest.fixture
def direct(login):
    """The store itself; each test leaves it as it was."""
    yield login
    for text in (b"ROLLBACK", b"CLOSE ALL", b"DEALLOCATE ALL"):
        login.pgconn.exec_(text)


def seen(result):
    """All that a client can see of one result."""
    rows = [[result.get_value(i, k) for k in range(result.nfields)]
            for i in range(result.ntuples)]
    return (result.status, result.command_status,
            result.error_field(pq.DiagnosticField.SQLSTATE),
            result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY),
            result.error_field(pq.DiagnosticField.STATEMENT_POSITION),
            [(result.fname(i), result.ftype(i), result.fmod(i),
              result.fformat(i), result.ftable(i), result.ftablecol(i))
             for i in range(result.nfields)], rows)


def simple(c, sql):
    c.pgconn.send_query(sql.encode())
    out = []
    while (r := c.pgconn.get_result()) is not None:
        out.append(seen(r))
    return out


def extended(c, sql, fmt=0):
    return seen(c.pgconn.exec_params(sql.encode(), None, result_format=fmt))


# Each list is one session's texts, of which each must give what the store
# gives; "~" in front: by the extended protocol, "#": that in binary.
SCRIPTS = {
    "forward": [
        "BEGIN", f"DECLARE c CURSOR FOR {IDS}", "FETCH c", "FETCH 2 FROM c",
        "~FETCH c", "#FETCH NEXT IN c", "FETCH ALL c", "FETCH c", "CLOSE c",
        "FETCH c", "ROLLBACK"],
    "every way": [
        f"BEGIN; DECLARE c SCROLL CURSOR FOR {IDS}", "FETCH LAST c",
        "FETCH PRIOR c", "FETCH ABSOLUTE 2 FROM c", "FETCH RELATIVE -1 FROM c",
        "MOVE 3 FROM c", "~MOVE BACKWARD 1 FROM c", "FETCH FIRST c",
        "~FETCH 0 FROM c", "FETCH BACKWARD ALL c", "#FETCH FORWARD 2 FROM c",
        "~FETCH LAST FROM c", "MOVE ABSOLUTE 0 c", "COMMIT", "FETCH c"],
    "binary, and what is not rewritten": [
        f"BEGIN; DECLARE c BINARY CURSOR FOR {IDS}; FETCH 2 FROM c",
        "~FETCH 1 FROM c",
        "DECLARE d CURSOR FOR SELECT id FROM users ORDER BY id OFFSET 3; "
        "FETCH 2 FROM d", "#FETCH 1 FROM d", "MOVE d",
        "DECLARE e CURSOR FOR SELECT 1, 2; FETCH e; FETCH e; CLOSE ALL",
        "FETCH d"],
    "held": [
        f"BEGIN; DECLARE c CURSOR WITH HOLD FOR {IDS}; COMMIT",
        "FETCH 2 FROM c", "BEGIN", "FETCH c",
        "DECLARE c CURSOR FOR SELECT 1, 2", "ROLLBACK", "FETCH c", "~FETCH c",
        "CLOSE c", "BEGIN; DECLARE c CURSOR FOR SELECT 1, 2", "FETCH c",
        "#FETCH c", "COMMIT"],
    "names that come again": [
        f"BEGIN; DECLARE c CURSOR FOR {IDS}; SAVEPOINT s; CLOSE c; DECLARE c "
        "CURSOR FOR SELECT 1, 2; FETCH c", "ROLLBACK TO s", "FETCH c",
        "ROLLBACK TO s", "DECLARE c CURSOR FOR SELECT 'a:b', 3", "~FETCH c",
        "COMMIT", "BEGIN", "FETCH c", "ROLLBACK", "DECLARE c CURSOR FOR "
        "SELECT id FROM users"],
    "prepared": [
        "PREPARE p (int) AS SELECT handle, id FROM users WHERE id < $1 "
        "ORDER BY id LIMIT 3", "EXECUTE p (100000)", "~EXECUTE p (5000)",
        "#EXECUTE p (5000)", "EXECUTE p", "EXECUTE p ('x')",
        "PREPARE p AS SELECT 1, 2", "EXECUTE p (100000)",
        "DEALLOCATE p; PREPARE p AS SELECT 1, 2; EXECUTE p", "~EXECUTE p",
        "DEALLOCATE ALL", "EXECUTE p", f"~PREPARE q AS {IDS}", "~EXECUTE q",
        "EXECUTE q", "DISCARD ALL", "EXECUTE q"],
    "several": [
        f"SELECT 1; {IDS}; SELECT 'x' -- end", f"{IDS};;{IDS};",
        "SELECT id, handle FROM users ORDER BY id LIMIT 2; SELECT count(*) "
        "FROM videos; SELECT id FROM users ORDER BY id OFFSET 2 LIMIT 1",
        f"{IDS}; SELECT handel FROM users; SELECT 1",
        f"/* é */ {IDS}; SELECT id FROM users WHERE nothing = 1",
        f"{IDS}; SELECT id FROM users OFFSET 3 LIMIT 1; SELECT 1 FROM users "
        "WHERE nothing",
        f"BEGIN; {IDS}; SELECT 1 / (id - id) FROM users; {IDS}", IDS,
        f"ROLLBACK; {IDS}; SELECT DISTINCT country FROM users; COMMIT",
        "; ;", "SELECT 1; SELECT", f"{IDS}; SET timezone = 'UTC'; SHOW "
        "timezone", f"COPY ({IDS}) TO STDOUT"],
}


def run(c, text):
    if text[0] in "~#":
        return extended(c, text[1:], text[0] == "#")
    if text.startswith("COPY"):
        with c.cursor().copy(text) as copy:
            return b"".join(copy)
    return simple(c, text)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_reader_sees_what_the_store_gives(reader, direct, name):
    for text in SCRIPTS[name]:
        if text == "DISCARD ALL":       # what else it resets is no matter
            direct.execute("DEALLOCATE ALL")
            reader.execute(text)
            continue
        assert run(reader, text) == run(direct, text), text


def statements(records):
    """Each statement's record with what belongs to it."""
    out = []
    for r in records:
        if r["type"] == "statement":
            out.append([r])
        elif r["type"] in ("subjects", "result"):
            next(s for s in out if s[0]["n"] == r["of"]).append(r)
    return out


def told(records):
    """(what, basis, whose) of each statement; every one has ended."""
    out = []
    for s in statements(records):
        assert [r["type"] for r in s].count("result") == 1, s
        basis = "bounded" if "bounded" in [r.get("basis") for r in s] else \
            "exact"
        out.append((s[0]["what"], basis, {t for _, t in listed(s)}))
    return out


@pytest.fixture
def ids(admin, tag):
    """The first readable subjects, by their tags."""
    return [tag[r[0]] for r in admin.execute(
        "SELECT id FROM users WHERE country IN ('US', 'USA') ORDER BY id "
        "LIMIT 6")]


def test_each_fetch_lists_whose_rows_it_shows(reader, ids):
    for text in [f"BEGIN; DECLARE c SCROLL CURSOR FOR {IDS}",
                 "FETCH 2 FROM c", "~FETCH c", "FETCH PRIOR FROM c",
                 "#FETCH ALL FROM c", "FETCH FIRST FROM c",
                 "MOVE BACKWARD ALL IN c", "MOVE 4 IN c", "FETCH LAST IN c",
                 "COMMIT"]:
        run(reader, text)
    assert told(reader.records()) == [
        ("DECLARE", "exact", set()),
        ("FETCH", "exact", set(ids[:2])), ("FETCH", "exact", {ids[2]}),
        ("FETCH", "exact", {ids[1]}), ("FETCH", "exact", set(ids[2:])),
        ("FETCH", "exact", {ids[0]}), ("MOVE", "exact", set()),
        ("MOVE", "bounded", set()), ("FETCH", "bounded", set())]


def test_what_passes_over_rows_is_bounded_by_the_cursor_s_tables(reader):
    run(reader, f"BEGIN; DECLARE c CURSOR FOR {IDS}; MOVE 2 FROM c; COMMIT")
    got = reader.records()
    moved = statements(got)[1][0]
    assert moved["bounded_why"] == "passes over rows, which are not shown " \
        "and matter"
    assert not moved["whole"]
    assert [b["table"] for b in moved["bound"]] == ["public.users"]


def test_a_part_of_rows_that_depend_on_all_is_bounded(reader):
    run(reader, "BEGIN; DECLARE c CURSOR FOR SELECT id, count(*) OVER () FROM "
        "users; FETCH 2 FROM c; FETCH ALL FROM c; CLOSE c; DECLARE c CURSOR "
        "FOR SELECT id, count(*) OVER () FROM users; FETCH FORWARD ALL FROM c")
    assert [b for _, b, _ in told(reader.records())] == [
        "exact", "bounded", "exact", "exact", "exact"]


@pytest.mark.parametrize("more", [{}, {"withhold": True}, {"scrollable": True},
                                  {"binary": True}])
def test_psycopg_s_server_side_cursors_are_exact(reader, direct, ids, more):
    """As psycopg and what stands on it (pandas with chunks) use them."""
    got = []
    for c in (reader, direct):
        with c.transaction(), c.cursor("named", **{
                k: v for k, v in more.items() if k != "binary"}) as cursor:
            cursor.itersize = 4
            cursor.execute("SELECT id, handle FROM users WHERE id > %s ORDER "
                           "BY id LIMIT 6", (-1,), **{
                               k: v for k, v in more.items()
                               if k == "binary"})
            got.append((cursor.description, list(cursor)))
    assert [d.name for d in got[0][0]] == [d.name for d in got[1][0]]
    assert got[0][1] == got[1][1]
    records = told(reader.records())
    assert {b for _, b, _ in records} == {"exact"}
    assert set().union(*[w for _, _, w in records]) == set(ids)


def test_psql_that_fetches_some_rows_at_a_time_is_exact(enforcing, ids):
    """FETCH_COUNT: psql makes a cursor of each query by itself."""
    dsn = enforcing.dsn("aoife", "us", "dublin", "moderation", "TS-929990")
    out = []
    for count in ("0", "4"):
        out.append(subprocess.run(
            ["psql", "-X", "-A", "-v", f"FETCH_COUNT={count}", "-d", dsn],
            input=f"{IDS};\nSELECT handel FROM users;\nSELECT 1;\n",
            capture_output=True, text=True, timeout=60,
            env={**os.environ, "PGPASSWORD": enforcing.world.secret["aoife"]}
            ).stdout)
        if count == "0":
            dsn = dsn.replace("TS-929990", "TS-929991")
    assert out[0].splitlines()[:7] == out[1].splitlines()[:7]
    assert len(out[0].splitlines()) > 7
    got = told(session_records(enforcing, "TS-929991", {
        "statement", "subjects", "result"}))
    assert [g for g in got if g[2]] == [("FETCH", "exact", set(ids[:4])),
                                        ("FETCH", "exact", set(ids[4:]))]


def test_prepared_by_sql_it_is_exact_each_time(reader, ids):
    reader.execute("PREPARE p (int) AS SELECT handle FROM users ORDER BY id "
                   "LIMIT $1; EXECUTE p (1)")
    simple(reader, "EXECUTE p (2); DEALLOCATE p")
    # The protocol knows it by the same name, and the other way round.
    reader.pgconn.prepare(b"q", IDS.encode())
    simple(reader, "EXECUTE q; PREPARE r AS SELECT id, handle FROM users "
           "ORDER BY id LIMIT 1")
    assert reader.pgconn.exec_prepared(b"r", []).nfields == 2
    assert told(reader.records()) == [
        ("PREPARE", "exact", set()), ("EXECUTE", "exact", {ids[0]}),
        ("EXECUTE", "exact", set(ids[:2])), ("EXECUTE", "exact", set(ids)),
        ("PREPARE", "exact", set()), ("PREPARE", "exact", {ids[0]})]


def test_each_of_several_statements_has_its_own_record(reader, ids):
    simple(reader, f"BEGIN; {IDS}; SELECT id FROM users ORDER BY id OFFSET 1; "
           "SELECT count(*) FROM users WHERE id = -1; SELECT 1; COMMIT")
    got = reader.records()
    assert sorted(told(got)) == [("SELECT", "bounded", set()),
                                 ("SELECT", "exact", set()),
                                 ("SELECT", "exact", set(ids))]
    assert len({r["text_hmac"] for r in got if r["type"] == "statement"}) == 3


def test_what_comes_behind_an_error_has_a_record_that_says_so(reader):
    simple(reader, "SELECT id FROM users LIMIT 1 OFFSET 1; SELECT 1 / (id - "
           "id) FROM users; SELECT id FROM users OFFSET 2")
    got = statements(reader.records())
    assert [s[0]["basis"] for s in got] == ["bounded"] * 3
    assert sorted(s[-1]["sqlstate"] for s in got) == \
        ["00000", "22012", "22012"]


@pytest.mark.parametrize("way", ["simple", "script", "extended"])
def test_an_error_as_a_held_cursor_is_filled_is_covered(reader, direct, way):
    """It comes with COMMIT, or the Sync, and may tell of any row."""
    text = "DECLARE c CURSOR WITH HOLD FOR SELECT handle::int FROM users"
    texts = {"simple": ["BEGIN", text, "COMMIT"],
             "script": [f"BEGIN; {text}; SELECT 1; COMMIT"],
             "extended": ["~" + text]}[way]
    for sql in texts:
        result = run(reader, sql)
        assert result == run(direct, sql)
    failed = result if way == "extended" else result[-1]
    assert failed[2] == b"22P02"
    got = told(reader.records())
    assert [b for _, b, _ in got] == ["exact", "bounded"]


@pytest.fixture
def dynamic(admin):
    """A function that runs any text, as stores have them."""
    admin.execute("CREATE FUNCTION public.run(t text) RETURNS void LANGUAGE "
                  "plpgsql AS 'BEGIN EXECUTE t; END'")
    yield
    admin.execute("DROP FUNCTION public.run")


def test_what_a_function_did_to_names_forges_no_list(reader, dynamic):
    reader.pgconn.prepare(b"s", IDS.encode())
    reader.pgconn.exec_prepared(b"s", [])
    simple(reader, f"PREPARE p AS {IDS}; BEGIN; DECLARE c CURSOR FOR {IDS}")
    for name in "ps":
        for text in (f"DEALLOCATE {name}",
                     f"PREPARE {name} AS SELECT ''X:forged'', handle FROM "
                     "users"):
            assert simple(reader, f"SELECT public.run('{text}')")[0][0] == \
                pq.ExecStatus.TUPLES_OK
    forged = simple(reader, "EXECUTE p")[0]
    assert [f[0] for f in forged[5]] == [b"?column?", b"handle"], forged
    assert reader.pgconn.exec_prepared(b"s", []).nfields == 1
    assert extended(reader, "FETCH c")[2] == b"0A000"
    got = reader.records()
    assert not [t for _, t in listed(got) if t == "forged"]
    executed = [r for r in got if r.get("what") == "EXECUTE"]
    assert [r["whole"] for r in executed] == [True]


def test_a_fetch_that_is_kept_follows_its_cursor_s_name(reader, direct):
    """Prepared once, and the cursor is another at the next time."""
    for c in (reader, direct):
        simple(c, f"BEGIN; DECLARE c CURSOR FOR {IDS}")
        c.pgconn.prepare(b"f", b"FETCH c")
        assert c.pgconn.exec_prepared(b"f", []).nfields == 1
        simple(c, "CLOSE c; DECLARE c CURSOR FOR SELECT 'a:b'")
    assert seen(reader.pgconn.exec_prepared(b"f", [])) == \
        seen(direct.pgconn.exec_prepared(b"f", []))
    assert not [t for _, t in listed(reader.records()) if t == "b"]


def test_names_that_the_store_may_read_otherwise_are_bounded(reader):
    simple(reader, f'BEGIN; DECLARE "é" CURSOR FOR {IDS}; FETCH 1 FROM "é"; '
           "COMMIT")
    simple(reader, f'PREPARE "é" AS {IDS}; EXECUTE "é"')
    reader.pgconn.prepare(b"m" * 70, IDS.encode())
    assert reader.pgconn.exec_prepared(b"m" * 70, []).nfields == 1
    assert {b for _, b, _ in told(reader.records())} == {"bounded"}
