"""What a person may take of a store: time and rows, through the gateway."""
import shutil
import time

import psycopg
import pytest
from conftest import connect, connect_feed
from test_protocol import fails, session_records

SERVICES = "services: {feed-international: feed}"


@pytest.fixture(scope="module")
def limited(world, enforcing):
    """A gateway with the logins that are applied, and limits of its own."""
    gateway = world.new_gateway("limited")
    gateway.create()
    gateway.configure("enforce")
    text = gateway.conf.read_text()
    assert SERVICES in text
    gateway.conf.write_text(text.replace(
        SERVICES, "limits: {statement: 5s, rows: 3, subjects: 7}\n    " + SERVICES))
    (gateway.folder / "state").mkdir(mode=0o700, exist_ok=True)
    for path in (enforcing.folder / "state").glob("applied.*.json"):
        shutil.copy2(path, gateway.folder / "state" / path.name)
    gateway.start()
    yield gateway
    gateway.close()


def test_a_statement_with_more_rows_ends_the_session(limited):
    with connect(limited, ticket="TS-7001") as c:
        assert len(c.execute("SELECT id FROM comments LIMIT 3"
                             ).fetchall()) == 3
        # Counted by the statement, not by the session.
        assert len(c.execute("SELECT id FROM comments LIMIT 3"
                             ).fetchall()) == 3
        with pytest.raises(psycopg.Error, match="at most 3 rows"):
            c.execute("SELECT id FROM comments LIMIT 4")
        assert c.closed
    records = session_records(limited, "TS-7001")
    assert records[-1]["type"] == "close"
    assert records[-1]["reason"] == "rows" and records[-1]["rows"] == 9


@pytest.mark.parametrize("how", ["copy", "cursor", "portal"])
def test_rows_count_however_they_come(limited, how):
    ticket = {"copy": "TS-7012", "cursor": "TS-7022", "portal": "TS-7032"}
    with connect(limited, ticket=ticket[how]) as c:
        with pytest.raises(psycopg.Error):
            if how == "copy":
                with c.cursor().copy("COPY (SELECT id FROM comments LIMIT 9)"
                                     " TO STDOUT") as rows:
                    assert len(list(rows)) < 4
            elif how == "cursor":
                c.execute("BEGIN; DECLARE k CURSOR FOR SELECT id FROM "
                          "comments")
                c.execute("FETCH 4 FROM k")
            else:
                c.execute("SELECT id FROM comments LIMIT %s", (9,),
                          prepare=True)
    closed = session_records(limited, ticket[how])[-1]
    assert closed["reason"] == "rows" and closed["rows"] == 3


LONG = ["SELECT count(*) FROM users",
        "SELECT string_agg(handle, ',' ORDER BY id) FROM users",
        "SELECT id % 2, count(*), 'x' FROM users GROUP BY 1",
        "COPY (SELECT count(*), 'x' FROM users) TO STDOUT",
        "COPY (SELECT count(*) FROM users) TO STDOUT (FORMAT csv)"]


@pytest.mark.parametrize("sql", LONG)
def test_a_row_of_more_subjects_than_are_kept_lists_them_all(
        limited, world, sql):
    ticket = f"TS-71{LONG.index(sql):02}"
    us = world.stores["us"]
    with psycopg.connect(us.admin_dsn, password=us.passwords["postgres"]) as c:
        want = {r[0] for r in c.execute(
            "SELECT tag FROM sworn_tag.tag JOIN public.users u ON u.id = key "
            "WHERE country IN ('US', 'USA')")}
    with connect(limited, ticket=ticket) as c:
        if sql.startswith("COPY"):
            with c.cursor().copy(sql) as rows:
                got = b"".join(rows)
            assert got.split()[0].split(b",")[0] == str(len(want)).encode()
        else:
            assert c.execute(sql).fetchall()
    records = session_records(limited, ticket,
                              {"statement", "subjects", "result"})
    assert {r["basis"] for r in records[:-1]} == {"exact"}
    assert len(want) > 20 and len(records) > 5
    assert records[-1]["type"] == "result" and records[-1]["rows"] <= 2
    listed = [t for r in records[:-1] for s in r["subjects"]
              for t in s["tags"]]
    assert set(listed) == want and len(listed) == len(want)


def test_services_have_no_such_limits(limited):
    with connect_feed(limited) as c:
        assert len(c.execute("SELECT id FROM comments LIMIT 9"
                             ).fetchall()) == 9
        c.execute("SET statement_timeout = 0")


def test_a_person_may_shorten_its_time_and_not_prolong_it(limited):
    with connect(limited, ticket="TS-7003") as c:
        c.execute("SET statement_timeout = '2s'")
        c.execute("RESET statement_timeout")
        c.execute("SET statement_timeout TO DEFAULT")
        for value in ("0", "'6s'", "'1h'", "6000"):
            assert "5000 ms" in fails(
                c, "42501", f"SET statement_timeout = {value}"
            ).message_detail
        fails(c, "42501", "SET LOCAL statement_timeout = 0")
        fails(c, "42501", "SET work_mem = '1GB'")
        fails(c, "42501", "SELECT set_config('statement_timeout', '0', "
              "false)")
    with pytest.raises(psycopg.Error, match="statement_timeout"):
        connect(limited, options="-c statement_timeout=0")
    connect(limited, options="-c statement_timeout=4s").close()


def test_time_that_apply_set_ends_a_statement(enforcing):
    """The default of ten minutes is in the store; less is asked for here."""
    with connect(enforcing, ticket="TS-7004") as c:
        assert c.execute("SHOW statement_timeout").fetchone() == ("10min",)
        assert c.execute("SHOW temp_file_limit").fetchone() == ("1GB",)
        c.execute("SET statement_timeout = '200ms'")
        began = time.monotonic()
        fails(c, "57014", "SELECT count(*) FROM comments a, comments b, "
              "comments c, comments d")
        assert time.monotonic() - began < 60
