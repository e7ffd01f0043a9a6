"""Exact records: whose rows came with each answer, as the log has it, against
what an administrator's own look at the store says; and that readers notice
nothing: the same bytes as the clearance's login gets without the gateway."""
import json
import os
import socket

import psycopg
import pytest
from conftest import HERE, connect, take_back
from psycopg import pq
from test_protocol import session_records

import world as demo_world

TICKET = iter(range(930000, 940000))
KINDS = {"statement", "subjects", "result"}


@pytest.fixture
def reader(enforcing):
    """A session of its own; `records` after it was closed."""
    ticket = f"TS-{next(TICKET)}"
    with connect(enforcing, ticket=ticket) as c:
        c.records = lambda: (c.close(), session_records(
            enforcing, ticket, KINDS))[1]
        yield c


@pytest.fixture(scope="module")
def direct(enforcing, world):
    """The moderator's login at the store itself, without the gateway."""
    take_back(enforcing)
    state = json.loads(next(enforcing.folder.glob(
        "**/applied.us.json")).read_text())
    with connect(enforcing, ticket="TS-929999") as c:
        role = c.execute("SELECT current_user").fetchone()[0]
    login = [x for x in state["logins"] if x["role"] == role][0]
    with psycopg.connect(world.stores["us"].admin_dsn, user=role,
                         password=login["password"], autocommit=True) as c:
        yield c


@pytest.fixture(scope="module")
def tag(world):
    """key -> tag, from the store's own table of them."""
    us = world.stores["us"]
    with psycopg.connect(us.admin_dsn, password=us.passwords["postgres"]) as c:
        return dict(c.execute("SELECT key, tag FROM sworn_tag.tag"))


@pytest.fixture(scope="module")
def admin(world):
    us = world.stores["us"]
    with psycopg.connect(us.admin_dsn, password=us.passwords["postgres"],
                         autocommit=True) as c:
        yield c


def listed(records):
    """The tags of one session's records, with their labels."""
    return {(s["label"], t) for r in records for s in r.get("subjects", [])
            for t in s["tags"]}


def answer(c, sql, params, fmt):
    """All that a client can see of a result."""
    r = c.pgconn.exec_params(sql.encode(), params, result_format=fmt)
    return (r.status, r.command_status, r.error_message.decode().partition(
        "server")[0], [(r.fname(i), r.ftype(i), r.fmod(i), r.fsize(i),
                        r.fformat(i), r.ftable(i), r.ftablecol(i))
                       for i in range(r.nfields)],
            [[r.get_value(i, k) for k in range(r.nfields)]
             for i in range(r.ntuples)])


SAME = [
    "SELECT * FROM users ORDER BY id LIMIT 20",
    "SELECT u.*, p.display_name AS n, 1, 'x', NULL FROM users u "
    "JOIN profiles p ON p.user_id = u.id ORDER BY 1 LIMIT 10",
    "SELECT u.id, v.* FROM users u LEFT JOIN videos v ON v.owner_id = u.id "
    "ORDER BY u.id, v.id LIMIT 30",
    "SELECT v.owner_id, count(*), max(v.title) FROM videos v GROUP BY 1 "
    "HAVING count(*) > 1 ORDER BY 2 DESC, 1 LIMIT 5",
    "SELECT DISTINCT country FROM users ORDER BY 1",
    "SELECT id AS \"Limit\", handle h FROM users WHERE id IN (SELECT "
    "owner_id FROM videos WHERE NOT hidden) ORDER BY 1 LIMIT 10 -- end",
    "WITH x AS (SELECT owner_id, count(*) AS n FROM videos GROUP BY 1) "
    "SELECT u.handle, x.n FROM users u JOIN x ON x.owner_id = u.id "
    "ORDER BY 2 DESC, 1",
    "SELECT t.name, (SELECT count(*) FROM videos) FROM topics t ORDER BY 1",
    "SELECT id FROM users UNION ALL SELECT id FROM videos ORDER BY 1 LIMIT 9",
    "SELECT u.id, l.title FROM users u, LATERAL (SELECT title FROM videos v "
    "WHERE v.owner_id = u.id ORDER BY v.id LIMIT 2) l ORDER BY 1, 2",
    "SELECT count(*) FROM messages",
    "SELECT id FROM users WHERE id = -1",
    "SELECT DISTINCT ON (owner_id) owner_id, title FROM videos "
    "ORDER BY owner_id, id DESC",
    "SELECT id, row_number() OVER (ORDER BY id) FROM users ORDER BY 1",
    "SELECT country, count(*), sum(count(*)) OVER () AS \"all\" FROM users "
    "GROUP BY 1 ORDER BY 1",
    "SELECT * FROM (SELECT v.id, v.owner_id, rank() OVER w FROM videos v "
    "WINDOW w AS (PARTITION BY v.owner_id ORDER BY v.id DESC)) x "
    "ORDER BY 1",
    "SELECT * FROM (SELECT v.id, v.owner_id, row_number() OVER (PARTITION BY "
    "v.owner_id ORDER BY v.id DESC) AS n FROM videos v) x WHERE n <= 2 "
    "ORDER BY 1",
    "SELECT id FROM users UNION SELECT owner_id FROM videos ORDER BY 1",
    "SELECT country AS \"Land\", 'x' FROM users UNION DISTINCT SELECT title, "
    "NULL FROM videos ORDER BY \"Land\" DESC NULLS LAST LIMIT 5",
    "SELECT id FROM users INTERSECT SELECT owner_id FROM videos ORDER BY 1",
    "SELECT * FROM (SELECT handle FROM users WHERE id < 1000 UNION (SELECT "
    "title FROM videos ORDER BY id LIMIT 3) UNION ALL SELECT 'z') q "
    "ORDER BY 1",
    # Of these the record is bounded.
    "SELECT id FROM users ORDER BY id OFFSET 3 LIMIT 3",
    "SELECT u FROM users u ORDER BY u.id LIMIT 2",
    "SELECT id FROM users EXCEPT SELECT owner_id FROM videos ORDER BY 1",
    "SELECT id FROM users UNION SELECT id + 0 FROM videos ORDER BY id + 1",
    # And these are errors.
    "SELECT nothing FROM users",
    "SELECT id, handle FROM users WHERE handel = 'x'",
    "SELECT u.emial FROM users u",
    "SELECT 1 / (id - id) FROM users",
    "SELECT handle::int FROM users ORDER BY id LIMIT 1",
    "SELECT 'é', id FROM users WHERE id = 'x'",
    "SELECT id FROM users GROUP BY country",
]


@pytest.mark.parametrize("sql", SAME)
def test_a_reader_sees_the_bytes_that_the_store_gives(enforcing, direct, sql):
    with connect(enforcing, ticket=f"TS-{next(TICKET)}") as c:
        for fmt in (0, 1):
            assert answer(c, sql, None, fmt) == answer(direct, sql, None, fmt)
        simple = [x.pgconn.exec_(sql.encode()) for x in (c, direct)]
        assert simple[0].error_field(pq.DiagnosticField.STATEMENT_POSITION) \
            == simple[1].error_field(pq.DiagnosticField.STATEMENT_POSITION)
        assert [simple[i].fname(0) for i in (0, 1)] != [b"sworn$1"] * 2


WHOSE = [
    ("SELECT handle FROM users WHERE id = {a}",
     "SELECT id FROM users WHERE id = {a}"),
    ("SELECT u.id, v.title FROM users u LEFT JOIN videos v "
     "ON v.owner_id = u.id WHERE u.id IN ({a}, {b})",
     "VALUES ({a}), ({b})"),
    ("SELECT c.body FROM comments c JOIN videos v ON v.id = c.video_id "
     "ORDER BY c.id LIMIT 3",
     "SELECT unnest(ARRAY[author_id, owner_id]) FROM (SELECT c.author_id, "
     "v.owner_id FROM comments c JOIN videos v ON v.id = c.video_id JOIN "
     "users x ON x.id = c.author_id JOIN users y ON y.id = v.owner_id "
     "WHERE x.country IN ('US', 'USA') AND y.country IN ('US', 'USA') "
     "ORDER BY c.id LIMIT 3) q"),
    ("SELECT count(*) FROM videos",
     "SELECT owner_id FROM videos v JOIN users u ON u.id = v.owner_id "
     "WHERE u.country IN ('US', 'USA')"),
    ("SELECT id FROM users WHERE id = -5", "SELECT 1 WHERE false"),
    ("SELECT id FROM users WHERE id = {a} UNION SELECT owner_id FROM videos "
     "WHERE owner_id = {b} UNION SELECT 7",
     "SELECT id FROM users WHERE id = {a} UNION ALL SELECT owner_id FROM "
     "videos WHERE owner_id = {b}"),
    ("SELECT id FROM users WHERE id IN ({a}, {b}) INTERSECT SELECT user_id "
     "FROM profiles WHERE user_id <= {a}",
     "VALUES ({a})"),
    ("SELECT * FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM "
     "users) x WHERE n <= 2 ORDER BY n", "VALUES ({a}), ({b})"),
    ("SELECT id, rank() OVER (ORDER BY id) AS n FROM users ORDER BY n "
     "LIMIT 2", "VALUES ({a}), ({b})"),
    ("SELECT u.handle, avg(v.id) FROM users u JOIN videos v ON v.owner_id = "
     "u.id WHERE u.id <= {b} GROUP BY u.id, 1 HAVING avg(v.id) > 0 "
     "ORDER BY sum(v.id) / count(*) - u.id LIMIT 99",
     "SELECT owner_id FROM videos v JOIN users u ON u.id = v.owner_id WHERE "
     "v.owner_id <= {b} AND u.country IN ('US', 'USA')"),
    ("SELECT owner_id, count(*), sum(count(*)) OVER () FROM videos WHERE "
     "owner_id IN ({a}, {b}) GROUP BY 1",
     "SELECT owner_id FROM videos WHERE owner_id IN ({a}, {b})"),
    ("SELECT t.id, (SELECT min(handle) FROM users WHERE id = {b}) "
     "FROM topics t", "VALUES ({b})"),
]


@pytest.mark.parametrize("sql, whose", WHOSE)
def test_exactly_those_are_listed_whose_rows_it_read(reader, admin, tag,
                                                     sql, whose):
    a, b = [r[0] for r in admin.execute(
        "SELECT id FROM users WHERE country = 'US' ORDER BY id LIMIT 2")]
    reader.execute(sql.format(a=a, b=b)).fetchall()
    want = {("US", tag[r[0]]) for r in
            admin.execute(whose.format(a=a, b=b))}
    got = reader.records()
    assert [r["type"] for r in got][-1] == "result"
    assert got[0]["basis"] == "exact" and not got[0]["whole"]
    assert listed(got) == want


COPIES = ["COPY ({}) TO STDOUT", "COPY ({}) TO STDOUT WITH CSV",
          "copy ({}) to stdout (format csv) -- end",
          "COPY ({}) TO STDOUT (FORMAT csv, HEADER)",
          "COPY ({}) TO STDOUT (FORMAT binary)"]
# What is copied, and whose rows that reads.
COPIED = [("SELECT id, handle, NULL, 'a\tb\\' FROM users ORDER BY id LIMIT 3",
           "SELECT id FROM users ORDER BY id LIMIT 3"),
          ("SELECT owner_id, count(*) FROM videos GROUP BY 1 ORDER BY 1",
           "SELECT owner_id FROM videos"),
          ("SELECT id FROM users UNION SELECT 7 ORDER BY 1",
           "SELECT id FROM users"),
          ("SELECT id FROM users WHERE false", "SELECT 1 WHERE false"),
          ("SELECT repeat('x', 3000), id FROM users, generate_series(1, 40) "
           "ORDER BY 2", "SELECT id FROM users"),
          # Alone in a line, these are quoted in CSV.
          ("SELECT CASE WHEN id % 2 = 0 THEN '\\.' WHEN id % 3 = 0 THEN '' "
           "WHEN id % 5 = 0 THEN 'ab' END FROM users ORDER BY id",
           "SELECT id FROM users")]


@pytest.mark.parametrize("how", COPIES)
def test_lines_of_a_copy_are_as_the_store_s_and_listed(reader, direct, tag,
                                                       how):
    plain = how in COPIES[:3]
    copied = COPIED if plain else COPIED[:1]
    for sql, _ in copied:
        with reader.cursor().copy(how.format(sql)) as copy:
            got = b"".join(copy)
        with direct.cursor().copy(how.format(sql)) as copy:
            assert got == b"".join(copy), sql
    statements = []
    for r in reader.records():
        if r["type"] == "statement":
            statements.append([r])
        else:
            statements[-1].append(r)
    assert [s[0]["basis"] for s in statements] == \
        ["exact" if plain else "bounded"] * len(copied)
    if not plain:
        return
    for (sql, whose), s in zip(copied, statements):
        assert listed(s) == {("US", tag[r[0]])
                             for r in direct.execute(whose)}, sql
        assert s[-1]["type"] == "result", sql


def test_a_copy_that_fails_half_way_is_bounded_from_there(reader, direct):
    last, = direct.execute("SELECT max(id) FROM users").fetchone()
    sql = f"COPY (SELECT id, 1 / (id - {last}) FROM users ORDER BY id) TO " \
        "STDOUT"
    with pytest.raises(psycopg.errors.DivisionByZero):
        with reader.cursor().copy(sql) as copy:
            list(copy)
    assert reader.execute("SELECT 1").fetchone() == (1,)
    got = [r for r in reader.records() if r["type"] != "close"]
    assert [r["type"] for r in got][-1] == "result"
    assert got[-2]["basis"] == "bounded" and got[-1]["sqlstate"] == "22012"


def test_what_cannot_be_exact_says_why(reader):
    reader.execute("SELECT id FROM users ORDER BY id OFFSET 3").fetchall()
    got = reader.records()
    assert got[0]["basis"] == "bounded"
    assert got[0]["bounded_why"] == \
        "skips rows, which are not shown and matter"
    assert [b["table"] for b in got[0]["bound"]] == ["public.users"]


def test_an_error_is_released_under_a_bounded_record(reader):
    with pytest.raises(psycopg.errors.DivisionByZero):
        reader.execute("SELECT 1 / (id - id) FROM users")
    got = reader.records()
    assert [r["type"] for r in got] == ["statement", "result"]
    assert got[0]["basis"] == "bounded" and got[1]["sqlstate"] == "22012"


@pytest.mark.parametrize("sql", [
    'SELECT "sworn$" FROM users', 'SELECT u."SWORN$" FROM users u',
    'SELECT id AS "sworn$1" FROM users', "SELECT 'sworn$'",
])
def test_names_of_the_gateway_s_own_are_refused(reader, sql):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(sql)


@pytest.mark.parametrize("sql", [
    'SELECT U&"sworn\\0024" FROM users LIMIT 1',
    'SELECT u.U&"sworn\\0024" FROM users u LIMIT 1',
    'SELECT * FROM users a JOIN users b USING (U&"sworn\\0024")',
])
def test_no_spelling_reaches_the_column_of_tags(reader, direct, sql):
    with pytest.raises(psycopg.errors.UndefinedColumn):
        reader.execute(sql)


def test_the_twins_themselves_are_refused(reader):
    role = reader.execute("SELECT current_user").fetchone()[0]
    for sql in (f"SELECT * FROM {role}_twin.users", "SELECT * FROM sworn.subject",
                "SELECT * FROM sworn_tag.tag",
                f"SET search_path = {role}_twin"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(sql)


def test_rows_one_by_one_are_listed_too(reader, tag):
    rows = list(reader.cursor().stream(
        "SELECT id FROM users ORDER BY id LIMIT 40"))
    assert len(rows) == 40
    assert listed(reader.records()) == {("US", tag[r[0]]) for r in rows}


def test_prepared_pipelined_and_parsed_again(reader, tag):
    ids = [r[0] for r in reader.execute(
        "SELECT id FROM users ORDER BY id LIMIT 4", prepare=True)]
    with reader.pipeline():
        cursors = [reader.execute("SELECT handle, id FROM users WHERE id = "
                                  "%s", (i,), prepare=True) for i in ids]
        other = reader.execute("SELECT 1, 2, 3")
    assert [c.fetchone()[1] for c in cursors] == ids
    assert other.fetchone() == (1, 2, 3)
    reader.execute("SELECT handle, id FROM users WHERE id = %s", (ids[0],),
                   prepare=True, binary=True).fetchall()
    got = [r for r in reader.records() if r["type"] == "statement"]
    assert all(r["basis"] == "exact" for r in got) and len(got) == 6
    assert listed(got[1:2]) == {("US", tag[ids[0]])}
    assert listed(got[2:3]) == {("US", tag[ids[1]])}


def test_sql_execute_of_a_protocol_s_statement_shows_no_tags(reader):
    for _ in range(2):
        reader.execute("SELECT id, handle FROM users ORDER BY id LIMIT 2",
                       prepare=True).fetchall()
    r = reader.pgconn.exec_(b'EXECUTE "_pg3_0"')
    assert r.status == pq.ExecStatus.TUPLES_OK, r.error_message
    assert [r.fname(i) for i in range(r.nfields)] == [b"id", b"handle"]
    r = reader.pgconn.exec_params(b'EXECUTE "_pg3_0"', None)
    assert [r.fname(i) for i in range(r.nfields)] == [b"id", b"handle"]


def test_a_result_larger_than_what_is_held_comes_in_parts(reader, admin, tag):
    n = 0
    sql = ("SELECT repeat('x', 2000), u.id FROM users u, "
           "generate_series(1, 40) ORDER BY u.id")
    ids = set()
    for row in reader.cursor().stream(sql):
        n += 1
        ids.add(row[1])
    got = reader.records()
    assert n == 40 * len(ids)
    assert [r["type"] for r in got[:-1]].count("subjects") > 1
    assert all(r["of"] == got[0]["n"] for r in got[1:])
    assert listed(got) == {("US", tag[i]) for i in ids}
    assert got[-1]["rows"] == n


def test_a_subject_without_a_tag_makes_the_record_bounded(reader, admin):
    one = admin.execute("SELECT id FROM users WHERE country = 'US' "
                        "ORDER BY id DESC LIMIT 1").fetchone()[0]
    kept = admin.execute("DELETE FROM sworn_tag.tag WHERE key = %s "
                         "RETURNING tag", (one,)).fetchone()[0]
    try:
        rows = reader.execute("SELECT id FROM users WHERE id = %s",
                              (one,)).fetchall()
        assert rows == [(one,)]
        got = reader.records()
        assert got[0]["basis"] == "bounded" and not listed(got)
    finally:
        admin.execute("INSERT INTO sworn_tag.tag VALUES (%s, %s)",
                      (one, kept))


MOVING = [("SELECT video_id, sum(seconds) AS s FROM watch_events GROUP BY 1 "
           "ORDER BY s DESC, 1", True),
          ("SELECT user_id, sum(seconds) AS s FROM watch_events GROUP BY 1 "
           "ORDER BY s DESC, 1", False),
          ("SELECT id, count(*) OVER () FROM users ORDER BY id", True),
          ("SELECT id FROM users ORDER BY id", False)]


@pytest.mark.parametrize("sql, moves", MOVING)
def test_of_the_first_rows_alone_it_is_exact_only_if_they_tell(
        reader, sql, moves):
    reader.execute("BEGIN")
    portal_of_two(reader, sql)
    got = [r for r in reader.records() if r["type"] == "statement"]
    assert got[0]["basis"] == ("bounded" if moves else "exact")


def portal_of_two(c, sql):
    """Two rows of a portal, and no more: by the protocol's own messages,
    since libpq has no way to ask for it."""
    parse, bind, execute = (b"P\0" + sql.encode() + b"\0\0\0",
                            b"B\0\0\0\0\0\0\0\0", b"E\0\0\0\0\2")
    out = b"".join(m[:1] + (len(m) + 3).to_bytes(4, "big") + m[1:]
                   for m in (parse, bind, execute, b"S"))
    s = socket.socket(fileno=os.dup(c.pgconn.socket))
    s.setblocking(True)
    s.sendall(out)
    got = bytearray()
    while got[-6:-1] != b"Z\0\0\0\5":
        part = s.recv(65536)
        assert part, got
        got += part
    s.close()
    assert got.count(b"D\0\0") >= 2 and b"s\0\0\0\4" in got


def test_an_answer_that_is_left_behind_is_bounded(enforcing):
    ticket = f"TS-{next(TICKET)}"
    c = connect(enforcing, ticket=ticket)
    sql = ("SELECT repeat('x', 3000), u.id, count(*) OVER () FROM users u, "
           "generate_series(1, 4000) n ORDER BY u.id, n")
    c.pgconn.send_query_params(sql.encode(), None)
    c.pgconn.set_single_row_mode()
    while c.pgconn.is_busy():
        c.pgconn.consume_input()
    assert c.pgconn.get_result().ntuples == 1
    s = socket.socket(fileno=os.dup(c.pgconn.socket))
    s.shutdown(socket.SHUT_RDWR)
    s.close()
    got = session_records(enforcing, ticket, {*KINDS, "close"})
    assert [r["type"] for r in got][-2:] == ["result", "close"]
    assert "bounded" in [r.get("basis") for r in got], got


def test_what_was_shown_before_the_reader_left_is_all_that_is_listed(
        enforcing, tag):
    """Rows that depend on none behind them: the list is whole."""
    ticket = f"TS-{next(TICKET)}"
    c = connect(enforcing, ticket=ticket)
    sql = ("SELECT repeat('x', 3000), u.id FROM users u, "
           "generate_series(1, 4000) n ORDER BY u.id, n")
    c.pgconn.send_query_params(sql.encode(), None)
    c.pgconn.set_single_row_mode()
    while c.pgconn.is_busy():
        c.pgconn.consume_input()
    first = int(c.pgconn.get_result().get_value(0, 1))
    s = socket.socket(fileno=os.dup(c.pgconn.socket))
    s.shutdown(socket.SHUT_RDWR)
    s.close()
    got = session_records(enforcing, ticket, {*KINDS, "close"})
    assert [r["type"] for r in got][-2:] == ["result", "close"]
    assert got[-2]["sqlstate"] == "08006" and got[-2]["rows"] > 0
    assert {r["basis"] for r in got[:-2]} == {"exact"}
    assert ("US", tag[first]) in listed(got)


def test_an_error_in_the_middle_leaves_the_next_answer_whole(reader):
    with pytest.raises(psycopg.errors.DivisionByZero):
        reader.execute("SELECT id, 1 / (id - max(id) OVER ()) FROM users "
                       "ORDER BY id")
    assert reader.execute("SELECT 1, 2, 3").fetchone() == (1, 2, 3)
    a, b = reader.execute("SELECT id, handle FROM users ORDER BY id OFFSET 1 "
                          "LIMIT 1").fetchone()
    assert isinstance(a, int) and isinstance(b, str)


def test_a_new_subject_has_a_tag_at_once(reader, admin):
    admin.execute("INSERT INTO users (id, handle, country, joined) VALUES "
                  "(987654321, 'new', 'US', now())")
    try:
        reader.execute("SELECT handle FROM users WHERE id = 987654321")
        (want,) = admin.execute("SELECT tag FROM sworn_tag.tag WHERE key = "
                                "987654321").fetchone()
        assert listed(reader.records()) == {("US", want)}
    finally:
        admin.execute("DELETE FROM users WHERE id = 987654321")
        admin.execute("DELETE FROM sworn_tag.tag WHERE key = 987654321")


def described(c, sql):
    r = c.pgconn.prepare(b"", sql.encode())
    if r.status != pq.ExecStatus.COMMAND_OK:
        return r.error_message
    r = c.pgconn.describe_prepared(b"")
    return [(r.fname(i), r.ftype(i), r.fmod(i), r.ftable(i), r.ftablecol(i))
            for i in range(r.nfields)], [r.param_type(i)
                                         for i in range(r.nparams)]


def test_what_analysts_ask_is_described_as_the_store_does(reader, direct):
    corpus = HERE.parent / "lineage" / "corpus" / "analysts.sql"
    text = "\n".join(line for line in corpus.read_text().splitlines()
                     if not line.startswith("--"))
    queries = [q.strip() for q in text.split("\n\n") if q.strip()]
    assert len(queries) > 60
    for sql in queries:
        assert described(reader, sql) == described(direct, sql), sql


# -- a rule that demands it: last, since all of the gateway's readers feel it --

@pytest.fixture(scope="module")
def demanding(enforcing):
    """The same gateway while the moderators' rule demands exact records."""
    path = enforcing.folder / "policy.yaml"
    text = path.read_text()
    rule = "  - rule: moderators work on reported cases\n"
    assert text.count(rule) == 1
    path.write_text(text.replace(rule, rule + "    record: exact\n"))
    enforcing.sworn("reload", enforcing.conf)
    yield enforcing
    path.write_text(text)
    enforcing.sworn("reload", enforcing.conf)


@pytest.fixture
def strict(demanding):
    ticket = f"TS-{next(TICKET)}"
    with connect(demanding, ticket=ticket) as c:
        c.records = lambda *more: (c.close(), session_records(
            demanding, ticket, {*KINDS, *more}))[1]
        yield c


@pytest.mark.parametrize("sql, hint", [
    ("SELECT id FROM users ORDER BY id LIMIT 2 OFFSET 1", "OFFSET"),
    ("DECLARE c CURSOR WITH HOLD FOR SELECT id FROM users", "WITHOUT HOLD"),
    ("SELECT 1; SELECT id FROM users OFFSET 1", "OFFSET"),
    ("BEGIN; DECLARE c CURSOR FOR SELECT id FROM users; MOVE 2 FROM c",
     "FETCH each row"),
    ("COPY (SELECT id FROM users) TO STDOUT (HEADER)", "one SELECT"),
    ("SELECT title, avg(id) FROM videos GROUP BY 1 HAVING avg(id) > 3",
     "without the condition"),
])
def test_where_a_rule_demands_it_only_exact_statements_run(strict, sql, hint):
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as e:
        strict.execute(sql)
    assert "without an exact record" in str(e.value)
    assert hint in e.value.diag.message_hint
    assert strict.execute("SELECT id FROM users ORDER BY id LIMIT 2") \
        .fetchall()
    got = strict.records("denial")
    assert [r["type"] for r in got] == ["denial", "statement", "result"]
    assert got[1]["basis"] == "exact"


def test_an_error_that_no_exact_record_covers_is_not_told(strict):
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as e:
        strict.execute("SELECT handle::int FROM users ORDER BY id LIMIT 1")
    assert "not shown" in str(e.value) and "integer" not in str(e.value)
    with pytest.raises(psycopg.errors.UndefinedColumn):
        strict.execute("SELECT handel FROM users")
    assert strict.execute("SELECT 1").fetchone() == (1,)


def test_rows_that_no_exact_record_covers_are_not_shown(strict, admin):
    one = admin.execute("SELECT id FROM users WHERE country = 'US' "
                        "ORDER BY id DESC LIMIT 1").fetchone()[0]
    kept = admin.execute("DELETE FROM sworn_tag.tag WHERE key = %s "
                         "RETURNING tag", (one,)).fetchone()[0]
    try:
        with pytest.raises(psycopg.Error) as e:
            strict.execute("SELECT id FROM users WHERE id = %s", (one,))
        assert "no exact record covers" in str(e.value)
        assert str(one) not in str(e.value)
    finally:
        admin.execute("INSERT INTO sworn_tag.tag VALUES (%s, %s)",
                      (one, kept))


def test_the_verifier_finds_that_it_was_so(demanding):
    """The recorded policy, decided again, demands what was asked of these;
    the error's record is bounded, and nothing came with it."""
    since = demo_world.now()
    with connect(demanding, ticket="TS-7700") as c:
        assert c.execute("SELECT id FROM users ORDER BY id LIMIT 2").fetchall()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute("SELECT handle::int FROM users ORDER BY id LIMIT 1")
    got = session_records(demanding, "TS-7700", {"statement"})
    assert [r["basis"] for r in got] == ["exact", "bounded"]
    claim = demanding.folder / "exact.yaml"
    claim.write_text(f"""\
claim: 1
title: Nobody under direction from China
sworn-by: whoever runs this test
sentence: No data of US residents was disclosed under that direction.
period: {{from: "{since}", to: "{demo_world.now()}"}}
gateways: [gw-demo]
stores: [us]
never-did: {{whose: [US], who: {{controlled-from: [CN], by: [formal]}}}}
""")
    out = demanding.verify_claim(claim, as_json=True)[1]
    assert out["counts"]["statements"] >= 2
    assert [d for d in out["doubts"] if d["what"] == "exact"] == []
