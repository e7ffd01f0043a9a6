"""PostgreSQL's protocol through the gateway: what clients may rely on, what
they must not get away with, and that each release has its record."""
import contextlib
import os
import socket
import struct
import subprocess
import threading
import time

import psycopg
import pytest
from psycopg import pq

from conftest import connect, connect_feed

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSS_REQUEST = struct.pack("!ii", 8, 80877104)


def startup(version=196608, **params):
    body = b"".join(k.encode() + b"\0" + v.encode() + b"\0"
                    for k, v in params.items()) + b"\0"
    return struct.pack("!ii", len(body) + 8, version) + body


@contextlib.contextmanager
def raw(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as s:
        s.settimeout(10)
        yield s


def all_of(s):
    """What the peer says until it closes."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := s.recv(65536):
            got += part
    return got


def fields(message):
    """The fields of the ErrorResponse at the front of some bytes."""
    assert message[:1] == b"E", message
    length = struct.unpack("!i", message[1:5])[0]
    parts = message[5:1 + length].split(b"\0")
    return {p[:1].decode(): p[1:].decode() for p in parts if p}


def fails(connection, sqlstate, sql, *args):
    with pytest.raises(psycopg.Error) as e:
        connection.execute(sql, *args)
    assert e.value.sqlstate == sqlstate, e.value
    return e.value.diag


def session_records(gateway, ticket, kinds=None):
    """All records of the one session that opened with a ticket, once closed."""
    for _ in range(200):
        records = gateway.records() if gateway.checkpoint() else []
        ids = [r["session"] for r in records
               if r["type"] == "session" and r.get("ticket") == ticket]
        mine = [r for r in records if ids and r.get("session") == ids[0]]
        if mine and mine[-1]["type"] == "close":
            assert len(ids) == 1
            assert [r["n"] for r in mine] == list(range(len(mine)))
            return [r for r in mine if kinds is None or r["type"] in kinds]
        time.sleep(0.05)
    raise AssertionError(f"no closed session with ticket {ticket}")


# -- the first bytes -------------------------------------------------------

@pytest.mark.parametrize("request_", [SSL_REQUEST, GSS_REQUEST])
def test_encryption_is_declined_and_a_plain_session_may_follow(enforcing,
                                                               request_):
    with raw(enforcing) as s:
        s.sendall(request_)
        assert s.recv(1) == b"N"
        s.sendall(startup(user="aoife", database="us"))
        assert s.recv(1) == b"R"


def test_bytes_behind_an_encryption_request_end_the_connection(enforcing):
    with raw(enforcing) as s:
        s.sendall(SSL_REQUEST + startup(user="aoife", database="us"))
        error = fields(said := all_of(s))
        # Nothing but that: what stood behind it was not looked at.
        assert error["C"] == "08P01" and len(said) == 1 + int.from_bytes(
            said[1:5], "big")


@pytest.mark.parametrize("length", [0, 4, 7, 10005, 0x7fffffff, 0xffffffff])
def test_a_startup_length_that_cannot_be_ends_the_connection(enforcing,
                                                             length):
    with raw(enforcing) as s:
        s.sendall(struct.pack("!I", length) + b"\0\3\0\0")
        assert all_of(s) == b""


def test_another_major_version_is_refused(enforcing):
    with raw(enforcing) as s:
        s.sendall(startup(version=0x00020000, user="aoife"))
        assert fields(all_of(s))["C"] == "0A000"


def test_a_newer_minor_version_is_negotiated_down(enforcing):
    with raw(enforcing) as s:
        s.sendall(startup(version=0x00030002, user="aoife", database="us",
                          **{"_pq_.new": "1"}))
        assert s.recv(1) == b"v"
        length, minor, n = struct.unpack("!iii", s.recv(12))
        assert (minor, n) == (0, 1)
        assert s.recv(length - 12) == b"_pq_.new\0"


@pytest.mark.parametrize("value", ["true", "database", "1"])
def test_replication_is_refused(enforcing, value):
    with raw(enforcing) as s:
        s.sendall(startup(user="aoife", database="us", replication=value))
        assert fields(all_of(s))["C"] == "0A000"


@pytest.mark.parametrize("message", [
    b"Q" + struct.pack("!i", 12) + b"select 1",
    b"p" + struct.pack("!i", 65536 + 5) + b"SCRAM",
    b"p" + struct.pack("!I", 0xffffffff), b"p" + struct.pack("!i", 3),
    b"p" + struct.pack("!i", 19) + b"SCRAM-SHA-256\0\xff"])
def test_before_authentication_only_its_answers_are_taken(enforcing, message):
    with raw(enforcing) as s:
        s.sendall(startup(user="aoife", database="us"))
        assert s.recv(1) == b"R"
        s.recv(4096)
        s.sendall(message)
        s.shutdown(socket.SHUT_WR)
        answer = all_of(s)
        assert answer == b"" or fields(answer)["C"] == "08P01"


# -- who gets in -----------------------------------------------------------

def test_unknown_users_and_wrong_passwords_fail_alike_and_slowly(enforcing):
    said = {}
    for user in ("aoife", "nobody-of-that-name"):
        begun = time.monotonic()
        with pytest.raises(psycopg.OperationalError) as e:
            connect(enforcing, user, password="wrong")
        assert time.monotonic() - begun >= 1
        said[user] = str(e.value).replace(user, "X")
    assert len(set(said.values())) == 1, said


def first_to_end(gateway):
    """Of a good login and eight bad ones, begun before it, on all workers."""
    ended = []

    def fail():
        with pytest.raises(psycopg.OperationalError):
            connect(gateway, "aoife", password="wrong")
        ended.append("bad")
    threads = [threading.Thread(target=fail) for _ in range(8)]
    for t in threads:
        t.start()
    with connect(gateway) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
    ended.append("good")
    for t in threads:
        t.join()
    return ended[0]


def test_a_slow_failure_holds_up_nobody_else(enforcing):
    # A busy machine may be slower than the delay, but not every time; a
    # worker that slept would hold up the good login every time.
    assert any(first_to_end(enforcing) == "good" for _ in range(5))


def test_a_database_that_is_no_store_does_not_exist(enforcing):
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(enforcing, store="nostore")


def test_an_unknown_purpose_is_refused_with_the_known_ones(enforcing):
    with pytest.raises(psycopg.OperationalError,
                       match="moderation, analytics, operations"):
        connect(enforcing, purpose="curiosity")


@pytest.mark.parametrize("setting", [
    "search_path=public", "role=feed", "standard_conforming_strings=off",
    "client_encoding=LATIN1", "session_replication_role=replica",
    "geqo=off"])
def test_settings_that_persons_may_not_state_are_refused(enforcing, setting):
    dsn = enforcing.dsn("aoife", "us", "dublin", "moderation", "TS-1")
    with pytest.raises(psycopg.OperationalError, match="is refused at login"):
        psycopg.connect(dsn.replace("options='", f"options='-c {setting} "),
                        password=enforcing.world.secret["aoife"])


# -- queries ---------------------------------------------------------------

def test_each_statement_has_its_record_and_its_result(enforcing):
    with connect(enforcing, ticket="TS-900001") as c:
        assert len(c.execute("SELECT id FROM users LIMIT 7").fetchall()) == 7
        c.execute("SELECT 1").fetchall()
        c.execute("SELECT id FROM videos WHERE id > %s LIMIT 3", (0,))
        fails(c, "42501", "DELETE FROM users")
        fails(c, "22012", "SELECT id / 0 FROM users")
    got = session_records(enforcing, "TS-900001")
    statements = {r["n"]: r for r in got if r["type"] == "statement"}
    results = {r["of"]: r for r in got if r["type"] == "result"}
    assert set(statements) == set(results)
    assert [(statements[n]["bound"][0]["table"], results[n]["rows"],
             results[n]["sqlstate"]) for n in sorted(statements)] == [
        ("public.users", 7, "00000"), ("public.videos", 3, "00000"),
        ("public.users", 0, "22012")]
    close = got[-1]
    assert (close["statements"], close["denials"]) == (3, 1)


def test_a_refused_statement_fails_its_transaction(enforcing):
    with connect(enforcing) as c:
        c.execute("BEGIN")
        assert c.execute("SELECT 1").fetchone() == (1,)
        diag = fails(c, "42501", "SELECT * FROM no_such_table")
        assert "catalog" in diag.message_detail
        assert c.info.transaction_status == pq.TransactionStatus.INERROR
        fails(c, "25P02", "SELECT 1")
        c.execute("ROLLBACK")
        assert c.info.transaction_status == pq.TransactionStatus.IDLE
        assert c.execute("SELECT 2").fetchone() == (2,)


def test_sql_that_does_not_parse_is_an_error_at_the_same_place(enforcing):
    with connect(enforcing) as c:
        fails(c, "42601", "SELEC 1")
        assert c.execute("SELECT 1").fetchone() == (1,)
        fails(c, "42601", "SELECT %s FROM FROM", (1,))
        assert c.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("sql", [
    "SET search_path = public", "SET ROLE feed", "RESET ROLE",
    "SET SESSION AUTHORIZATION feed", "SET standard_conforming_strings = off",
    "SET client_encoding = 'LATIN1'",
    "SELECT set_config('search_path', 'public', false)",
    "DO $$ BEGIN NULL; END $$", "CREATE TEMP TABLE t AS SELECT 1",
    "LISTEN x", "SELECT pg_read_file('/etc/passwd')", "LOCK TABLE users",
    "SELECT 1; DELETE FROM users", "INSERT INTO users (id) VALUES (1)",
    "COPY users TO PROGRAM 'cat'", "COPY users FROM STDIN",
    "SELECT query_to_xml('select 1', true, true, '')"])
def test_what_persons_may_not_run_is_refused(enforcing, sql):
    with connect(enforcing) as c:
        fails(c, "42501", sql)
        fails(c, "42501", sql, ()) if "%" not in sql else None
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_a_refusal_in_a_pipeline_keeps_its_place(enforcing):
    with connect(enforcing) as c, c.pipeline() as p:
        before = c.execute("SELECT count(*) FROM users")
        refused = c.execute("SELECT * FROM no_such_table")
        skipped = c.execute("SELECT 3")
        with pytest.raises(psycopg.Error) as e:
            p.sync()
        assert e.value.sqlstate == "42501"
        assert before.fetchone()[0] > 0
        with pytest.raises(psycopg.Error):
            refused.fetchall()
        with pytest.raises(psycopg.Error):
            skipped.fetchall()
        assert c.execute("SELECT 4").fetchone() == (4,)


def test_a_long_pipeline_without_sync_does_not_hang(enforcing):
    with connect(enforcing, autocommit=True) as c, c.pipeline():
        cursors = [c.execute("SELECT %s::int", (i,)) for i in range(2000)]
        assert [x.fetchone()[0] for x in cursors] == list(range(2000))


def test_prepared_statements_are_recorded_at_each_execution(enforcing):
    with connect(enforcing, ticket="TS-900002") as c:
        for i in range(9):
            c.execute("SELECT id FROM users ORDER BY id LIMIT %s", (i,),
                      prepare=True).fetchall()
    got = session_records(enforcing, "TS-900002", {"statement", "result"})
    assert [r["rows"] for r in got if r["type"] == "result"] == list(range(9))


def test_a_name_that_is_parsed_again_is_not_taken_for_the_old_one(observing):
    """The second Parse of a name fails at the store; what is executed then
    is the first, and it is the first that must be in the record."""
    with connect(observing, ticket="TS-900003") as c:
        pg = c.pgconn
        pg.prepare(b"x", b"SELECT id FROM users LIMIT 2")
        assert pg.prepare(b"x", b"SELECT 1").error_field(
            pq.DiagnosticField.SQLSTATE) == b"42P05"
        assert pg.exec_prepared(b"x", []).ntuples == 2
    got = session_records(observing, "TS-900003", {"statement"})
    assert [t["table"] for t in got[-1]["bound"]] == ["public.users"]


def test_copy_out_counts_its_rows(enforcing):
    with connect(enforcing, ticket="TS-900005") as c:
        with c.cursor().copy("COPY (SELECT id FROM users LIMIT 6) "
                             "TO STDOUT") as copy:
            assert len(list(copy.rows())) == 6
    got = session_records(enforcing, "TS-900005", {"result"})
    assert [r["rows"] for r in got] == [6]


def test_a_function_call_message_is_refused(enforcing):
    with connect(enforcing) as c:
        fd = c.pgconn.socket
        body = struct.pack("!ihhh", 1598, 0, 0, 0)     # random()
        with socket.socket(fileno=os.dup(fd)) as s:
            s.setblocking(True)
            s.sendall(b"F" + struct.pack("!i", len(body) + 4) + body)
            answer = s.recv(4096)
            while not answer.endswith(b"Z\0\0\0\5I"):
                answer += s.recv(4096)
        assert fields(answer)["C"] == "0A000"
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_a_statement_too_long_to_judge_is_refused(enforcing):
    with connect(enforcing) as c:
        fails(c, "54000", "SELECT 1 -- " + "x" * (2 << 20))
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_a_message_too_long_to_keep_ends_the_session(enforcing):
    with connect(enforcing) as c:
        with pytest.raises(psycopg.OperationalError):
            c.execute("SELECT 1 -- " + "x" * (17 << 20))
        assert c.closed


# -- purpose and ticket ----------------------------------------------------

@pytest.mark.parametrize("args", [(), ((),)])
def test_a_change_of_purpose_is_decided_and_recorded(enforcing, args):
    ticket = f"TS-90001{len(args)}"
    with connect(enforcing, ticket=ticket) as c:
        c.execute("SELECT id FROM users LIMIT 1")
        c.execute("SET sworn.purpose = 'analytics'", *args)
        diag = fails(c, "42501", "SELECT id FROM users LIMIT 1")
        assert "needs the purpose moderation" in diag.message_detail
        assert c.execute("SHOW sworn.purpose").fetchone() == ("analytics",)
        fails(c, "22023", "SET sworn.purpose = 'curiosity'", *args)
        c.execute("RESET sworn.purpose", *args)
        assert c.execute("SHOW sworn.purpose").fetchone() == ("moderation",)
        c.execute("SELECT id FROM users LIMIT 1")
    got = session_records(enforcing, ticket)
    assert [r["type"] for r in got] == [
        "session", "backend", "statement", "result", "clearance", "backend",
        "denial", "clearance", "backend", "statement", "result", "close"]


def test_purpose_does_not_change_inside_a_transaction(enforcing):
    with connect(enforcing) as c:
        c.execute("BEGIN")
        fails(c, "25001", "SET sworn.purpose = 'analytics'")
        c.execute("ROLLBACK")
        c.execute("SELECT id FROM users LIMIT 1")
        fails(c, "0A000", "SET sworn.purpose = 'analytics'; SELECT 1")


def test_nothing_of_the_old_purpose_slips_behind_the_new_one(enforcing):
    """Queries pipelined behind a SET are judged under what it set."""
    with connect(enforcing) as c, c.pipeline() as p:
        c.execute("SET sworn.purpose = 'analytics'")
        p.sync()
        with pytest.raises(psycopg.Error) as e:
            c.execute("SELECT id FROM users LIMIT 1").fetchall()
        assert e.value.sqlstate == "42501"


# -- cancel ----------------------------------------------------------------

def test_cancel_reaches_the_statement_that_runs(enforcing):
    with connect(enforcing) as c:
        threading.Timer(0.3, c.cancel).start()
        begun = time.monotonic()
        fails(c, "57014", "SELECT pg_sleep(30)")
        assert time.monotonic() - begun < 10
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_cancel_with_another_secret_reaches_nobody(enforcing):
    with connect(enforcing) as c:
        pid = c.info.backend_pid
        for secret in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"12345678"):
            with raw(enforcing) as s:
                s.sendall(struct.pack("!iii", 12 + len(secret), 80877102,
                                      pid) + secret)
                assert all_of(s) == b""
        assert c.execute("SELECT pg_sleep(0.2), 1").fetchone()[1] == 1


# -- services --------------------------------------------------------------

def test_a_service_writes_copies_and_listens(enforcing):
    with connect_feed(enforcing) as c:
        c.execute("BEGIN")
        with c.cursor().copy("COPY topics FROM STDIN") as copy:
            pass
        c.execute("ROLLBACK")
        told = []
        c.add_notify_handler(lambda n: told.append(n.payload))
        c.execute("LISTEN here")
        c.execute("NOTIFY here, 'word'")
        c.execute("SELECT 1")
        assert told == ["word"]


def test_a_result_larger_than_every_buffer_arrives_whole(enforcing):
    with connect_feed(enforcing) as c:
        got = c.execute("SELECT repeat('x', 40000000)").fetchone()[0]
        assert got == "x" * 40000000


def test_a_slow_reader_does_not_fill_the_gateway(enforcing):
    def resident():
        pid = enforcing.process("gateway")
        with open(f"/proc/{pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    before = resident()
    with contextlib.closing(connect_feed(enforcing)) as c:
        c.pgconn.send_query(b"SELECT repeat('x', 1000000) "
                            b"FROM generate_series(1, 200)")
        time.sleep(1)
        grown = resident() - before
    assert grown < 32 << 20, grown


def test_psql_describes_tables_through_the_gateway(enforcing):
    dsn = enforcing.dsn("aoife", "us", "dublin", "moderation", "TS-1042")
    p = subprocess.run(["psql", "-X", "-v", "ON_ERROR_STOP=1", dsn, "-c",
                        "\\d users"], capture_output=True, text=True,
                       env={**os.environ, "PGPASSWORD":
                            enforcing.world.secret["aoife"]}, timeout=30)
    assert p.returncode == 0, p.stderr
    assert "handle" in p.stdout
