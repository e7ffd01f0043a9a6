"""Bad input and faults: nothing is released without its record, nothing
hangs, and what was broken works again once the cause is gone."""
import contextlib
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import psycopg
import pytest
import tlog
from conftest import Load, connect, connect_feed, records_by_ticket
from world import Daemon, Failed, alive, descendants, now, run, wait_for

QUERY = "SELECT id, handle FROM users ORDER BY id LIMIT 5"
SSL_REQUEST = struct.pack("!II", 8, 80877103)


def raw(gateway):
    s = socket.create_connection(("127.0.0.1", gateway.port), timeout=15)
    s.settimeout(15)
    return s


def startup(**parameters):
    body = struct.pack("!I", 196608) + b"".join(
        k.encode() + b"\0" + v.encode() + b"\0"
        for k, v in parameters.items()) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def until_closed(s):
    """All that the peer sends until it closes; a hang is an error."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while chunk := s.recv(65536):
            got += chunk
    return got


def sqlstate_of(message):
    """Of the first ErrorResponse in some bytes."""
    assert message[:1] == b"E", message
    end = 1 + struct.unpack("!I", message[1:5])[0]
    fields = dict((f[:1], f[1:]) for f in message[5:end].split(b"\0") if f)
    return fields[b"C"].decode()


def works(gateway):
    with connect(gateway) as c:
        return len(c.execute(QUERY).fetchall()) == 5


def sound(gateway):
    """The log as published now, by both readers of logs."""
    tlog.check(gateway.log, gateway.vkey)
    code, out, err = gateway.verify_log()
    assert code == 0, out + err


def every_answer_has_its_record(load, gateway):
    """What clients got in full is at most what the log has for them."""
    # More records than answers is fine: cut off on the way, or refused.
    recorded = records_by_ticket(gateway.records())
    assert load.total() > 0
    for ticket, n in load.got.items():
        assert recorded.get(ticket, 0) >= n, ticket


# -- bad input -------------------------------------------------------------

MALFORMED = {
    "nothing": b"",
    "a length of zero": struct.pack("!II", 0, 196608),
    "a length that excludes itself": struct.pack("!II", 3, 196608),
    "the largest length": struct.pack("!II", 0x7fffffff, 196608),
    "a negative length": struct.pack("!II", 0xffffffff, 196608),
    "a length just past the maximum": struct.pack("!II", 10001, 196608),
    "protocol 2": struct.pack("!II", 8, 131072),
    "a parameter without its end": struct.pack("!II", 13, 196608) + b"user\x41",
    "no user": startup(database="us"),
    "bytes behind the terminator":
        struct.pack("!II", 14, 196608) + b"user\0\0",
    "a wish for replication": startup(user="aoife", database="us",
                                      replication="true"),
    "another language": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "noise": bytes(range(255, -1, -1)),
    "a request to cancel nothing": struct.pack("!IIII", 16, 80877102, 1, 2),
    "a cancel request too short": struct.pack("!II", 8, 80877102),
    "plaintext behind a request for TLS": SSL_REQUEST + startup(
        user="aoife", database="us"),
    "requests for TLS without end": SSL_REQUEST * 50,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_startup_ends_the_connection_and_nothing_else(
        observing, name):
    with raw(observing) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(MALFORMED[name])
            s.shutdown(socket.SHUT_WR)
        got = until_closed(s)
    assert b"R\0\0\0\x08\0\0\0\0" not in got, "authentication succeeded"
    assert observing.health() == 200
    assert works(observing)


def test_half_a_startup_is_given_up_after_the_login_limit(fresh):
    gateway = fresh(start=False)
    text = gateway.conf.read_text()
    assert text.count("login: 10s") == 1
    gateway.conf.write_text(text.replace("login: 10s", "login: 1s"))
    gateway.start()
    with raw(gateway) as s:
        s.sendall(startup(user="aoife", database="us")[:9])
        begun = time.monotonic()
        until_closed(s)
        assert 0.5 < time.monotonic() - begun < 10
    assert works(gateway)


@pytest.mark.parametrize("kind", [b"Q", b"P", b"B", b"D", b"X", b"\x07"])
@pytest.mark.parametrize("length", [0, 3, 0x7fffffff, 0xffffffff])
def test_impossible_message_lengths_end_the_session_only(
        observing, kind, length):
    with connect(observing) as other:
        c = connect(observing)
        s = socket.socket(fileno=os.dup(c.fileno()))
        with s:
            s.settimeout(15)
            s.setblocking(True)
            s.sendall(kind + struct.pack("!I", length))
            until_closed(s)
        with pytest.raises(psycopg.Error):
            c.execute("SELECT 1")
        c.close()
        assert len(other.execute(QUERY).fetchall()) == 5


def test_statement_of_many_megabytes_is_refused_or_run_but_not_fatal(
        observing):
    with connect(observing) as c:
        with contextlib.suppress(psycopg.Error):
            c.execute("SELECT '" + "x" * (8 << 20) + "' AS x").fetchall()
    assert observing.health() == 200 and works(observing)


@pytest.mark.parametrize("user,password", [
    ("aoife", "wrong"), ("aoife", ""), ("nobody", "wrong"),
    ("aoife'; --", "x"), ("feed-international", "wrong")])
def test_wrong_password_is_refused_the_same_for_known_and_unknown(
        observing, user, password):
    office = "hosting" if user.startswith("feed") else "dublin"
    dsn = observing.dsn("aoife", "us", office)
    with pytest.raises(psycopg.OperationalError) as e:
        psycopg.connect(dsn, user=user, password=password or " ")
    said = str(e.value)
    assert "password authentication failed" in said, said
    assert said.replace(user, "USER").count("USER") <= 1


def test_wrong_password_is_in_the_log_without_the_password(observing):
    before = observing.checkpoint().size
    secret = "never-to-be-written-7c1"
    with pytest.raises(psycopg.OperationalError):
        connect(observing, password=secret)

    def failures():
        return [r for r in observing.records(before)
                if r["type"] == "login_failure"]
    found = wait_for("the failed login in the log", failures)
    assert found[-1]["principal"] == "aoife" and found[-1]["store"] == "us"
    for f in observing.folder.rglob("*"):
        if f.is_file():
            assert secret.encode() not in f.read_bytes(), f


def test_unknown_database_is_refused_with_its_sqlstate(observing):
    with pytest.raises(psycopg.OperationalError) as e:
        connect(observing, store="moon")
    assert "moon" in str(e.value)
    with raw(observing) as s:
        s.sendall(startup(user="aoife", database="moon"))
        # Whether it says so before or after the password, a database that
        # does not exist is never one that opens.
        s.shutdown(socket.SHUT_WR)
        until_closed(s)


@pytest.mark.parametrize("purpose", ["curiosity", ".", "moderation2",
                                     "Moderation", "analytics,moderation"])
def test_unknown_purpose_is_refused(enforcing, purpose):
    with pytest.raises(psycopg.Error):
        connect(enforcing, purpose=purpose)
    with connect(enforcing) as c:
        with pytest.raises(psycopg.Error):
            c.execute(f"SET sworn.purpose = '{purpose}'")
        # The session goes on under the purpose that it had.
        assert len(c.execute(QUERY).fetchall()) == 5


# -- broken configuration --------------------------------------------------

BROKEN = {
    "a key that nobody knows":
        ("sworn.conf", "workers: 2", "wrokers: 2", "workers"),
    "a mode that does not exist":
        ("sworn.conf", "mode: observe", "mode: watch", "observe"),
    "a number past its maximum":
        ("sworn.conf", "workers: 2", "workers: 99999999", "256"),
    "a duration without its unit":
        ("sworn.conf", "heartbeat: 1s", "heartbeat: 1", "250ms"),
    "a key given twice":
        ("sworn.conf", "workers: 2", "workers: 2\nworkers: 3", "workers"),
    "a catalog that is not there":
        ("sworn.conf", "catalog: catalog-domestic.yaml",
         "catalog: nowhere.yaml", "nowhere.yaml"),
    "a tab for indentation":
        ("sworn.conf", "  dir: log", "\tdir: log", None),
    "a category that the catalog does not name":
        ("catalog-international.yaml", "born: identity", "born: astrology",
         "astrology"),
    "a residence of nobody's":
        ("catalog-international.yaml", "  table: public.users",
         "  table: public.nobody", "nobody"),
    "a manager who does not exist":
        ("directory.yaml", "manager: niamh", "manager: ghost", "ghost"),
    "an owner of more than all":
        ("directory.yaml", "owners: {zhang: 55}", "owners: {zhang: 155}",
         None),
    "an instant that is none":
        ("directory.yaml", "2026-11-01T00:00:00Z", "2026-13-01T00:00:00Z",
         None),
    "a rule of an unknown kind":
        ("policy.yaml", "    forbid: read", "    discourage: read",
         "discourage"),
    "a set that is not defined":
        ("policy.yaml", "whose: $at-home-abroad", "whose: $elsewhere",
         "elsewhere"),
    "a ticket pattern that does not compile":
        ("policy.yaml", '"TS-[0-9]+"', '"TS-[0-9"', None),
    "a line of the users' file that is none":
        ("users", None, "aoife no-verifier\n", None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_configuration_is_named_by_file_line_and_remedy(fresh, name):
    gateway = fresh(start=False)
    file, old, new, word = BROKEN[name]
    path = gateway.folder / file
    text = path.read_text()
    if old is None:
        line, text = 1, new + text
    else:
        assert old in text
        line = text[:text.index(old)].count("\n") + 1
        text = text.replace(old, new, 1)
    path.write_text(text)
    code, out, err = gateway.sworn("check", "-c", gateway.conf, expect=None)
    said = out + err
    assert code == 1, said
    # The file, and the line or (a key given twice) the one below.
    named = file if word != "nowhere.yaml" else "nowhere.yaml"
    assert named in said, said
    if word != "nowhere.yaml" and "not there" not in name:
        assert any(f"{named}:{n}" in said for n in (line, line + 1)), said
    assert word is None or word in said, said
    run_code, out, err = gateway.sworn("run", "-c", gateway.conf, expect=None)
    assert run_code == 1 and named in out + err


def test_sound_configuration_passes_the_check(fresh):
    gateway = fresh(start=False)
    code, out, err = gateway.sworn("check", "-c", gateway.conf, expect=None)
    assert code == 0, out + err


def test_log_folder_that_cannot_be_written_stops_the_start(fresh):
    gateway = fresh(start=False)
    gateway.log.mkdir(mode=0o500)
    if os.access(gateway.log, os.W_OK):
        pytest.skip("this user may write everywhere")
    code, out, err = gateway.sworn("run", "-c", gateway.conf, expect=None)
    assert code == 1
    assert str(gateway.log) in out + err, out + err
    gateway.log.chmod(0o700)
    gateway.start()
    assert works(gateway)


def test_second_run_on_the_same_state_is_refused(observing):
    text = observing.conf.read_text()
    other = observing.folder / "second.conf"
    other.write_text(text.replace(str(observing.port), "0")
                     .replace(str(observing.console), "0"))
    code, out, err = observing.sworn("run", "-c", other, expect=None)
    assert code == 1, out + err
    assert works(observing)


def test_key_readable_by_others_is_refused(fresh):
    gateway = fresh(start=False)
    (gateway.folder / "log.key").chmod(0o644)
    code, out, err = gateway.sworn("run", "-c", gateway.conf, expect=None)
    assert code == 1 and "log.key" in out + err, out + err


# -- stores ----------------------------------------------------------------

def refused_with(gateway, sqlstate, within, **who):
    """A login attempt by hand that must end with this SQLSTATE."""
    begun = time.monotonic()
    p = subprocess.run(
        ["psql", "-X", "-w", "-c", "SELECT 1",
         gateway.dsn(who["user"], who["store"], who["office"],
                     who.get("purpose"), who.get("ticket"))],
        env={**os.environ, "PGPASSFILE": str(gateway.world.passfile),
             "PSQLRC": "/dev/null"},
        capture_output=True, text=True, timeout=60)
    took = time.monotonic() - begun
    assert p.returncode == 2, p.stdout + p.stderr
    assert took < within, f"took {took:.1f} s"
    with pytest.raises(psycopg.OperationalError) as e:
        connect(gateway, **who)
    # libpq gives no SQLSTATE for a failed connection; the log does.
    assert e.value
    return p.stderr


def test_store_that_is_down_is_said_quickly_and_works_again_later(
        world, fresh):
    gateway = fresh()
    store = world.stores["eu"]
    store.stop("immediate")
    try:
        said = refused_with(gateway, "57P03", 6, user="aoife", store="eu",
                            office="dublin", purpose="moderation",
                            ticket="TS-1042")
        assert "eu" in said
        assert works(gateway), "another store suffers"
    finally:
        store.start()
    with connect(gateway, store="eu") as c:
        assert len(c.execute(QUERY).fetchall()) == 5
    sound_later(gateway)


def test_store_that_accepts_and_is_silent_is_given_up(fresh):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        gateway = fresh(EU_PORT=silent.getsockname()[1])
        refused_with(gateway, "57P03", 15, user="aoife", store="eu",
                     office="dublin", purpose="moderation", ticket="TS-1042")
        assert works(gateway)


def test_store_that_dies_in_a_session_ends_that_session_only(world, fresh):
    gateway = fresh()
    store = world.stores["eu"]
    with connect(gateway, store="us") as us, \
            connect(gateway, store="eu") as eu:
        eu.execute(QUERY).fetchall()
        store.stop("immediate")
        try:
            with pytest.raises(psycopg.OperationalError):
                eu.execute(QUERY).fetchall()
            assert len(us.execute(QUERY).fetchall()) == 5
        finally:
            store.start()
    assert gateway.health() == 200


# -- the log cannot be written ---------------------------------------------

def expect_nothing(gateway, within=20):
    """A query now yields no row, but SQLSTATE 58030, and does not hang."""
    begun = time.monotonic()
    with pytest.raises(psycopg.Error) as e:
        with connect(gateway) as c:
            rows = c.execute(QUERY).fetchall()
            pytest.fail(f"{len(rows)} rows were released without a record")
    assert time.monotonic() - begun < within
    return e.value


def test_no_row_is_released_while_the_log_is_stopped(fresh):
    gateway = fresh()
    answer = []
    with connect(gateway) as c:
        c.execute(QUERY).fetchall()
        log = gateway.process("log")
        os.kill(log, signal.SIGSTOP)
        try:
            def ask():
                answer.append(c.execute(QUERY).fetchall())
            t = threading.Thread(target=ask)
            t.start()
            t.join(2)
            assert t.is_alive() and not answer, "released before durable"
        finally:
            os.kill(log, signal.SIGCONT)
        t.join(20)
    assert len(answer) == 1 and len(answer[0]) == 5
    sound_later(gateway)


def test_log_that_stays_silent_gives_58030_after_its_limit(fresh):
    gateway = fresh()
    with connect(gateway) as c:
        c.execute(QUERY).fetchall()
        log = gateway.process("log")
        os.kill(log, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            with pytest.raises(psycopg.Error) as e:
                c.execute(QUERY).fetchall()
            assert 3 < time.monotonic() - begun < 20    # limits.log is 5s
            assert e.value.sqlstate in ("58030", None), e.value
            if e.value.sqlstate is None:
                assert "58030" in str(e.value) or c.closed
        finally:
            os.kill(log, signal.SIGCONT)
    wait_for("the gateway to be well again", lambda: works_again(gateway))
    sound_later(gateway)


def works_again(gateway):
    with contextlib.suppress(psycopg.Error):
        return works(gateway)


def sound_later(gateway):
    """Sound once what is durable has been published."""
    gateway.wait_published(now())
    sound(gateway)


def namespaces_allowed():
    p = subprocess.run(["unshare", "-r", "-m", "mount", "-t", "tmpfs",
                        "-o", "size=64k", "none", "/mnt"],
                       capture_output=True)
    return p.returncode == 0


def test_full_disk_releases_nothing_and_service_resumes_with_room(fresh):
    if not namespaces_allowed():
        pytest.skip("user namespaces are not allowed here, so no small "
                    "file system can be mounted")
    gateway = fresh(start=False)
    state = gateway.folder / "state"
    state.mkdir(mode=0o700)
    # The state folder, with the journal, is a file system of one megabyte.
    wrapper = gateway.folder / "run-in-small-space"
    wrapper.write_text(f"""#!/bin/sh
set -e
mount -t tmpfs -o size=1m,mode=0700 none {state}
exec {gateway.bin}/sworn "$@"
""")
    wrapper.chmod(0o700)
    gateway.daemon = Daemon(["unshare", "-r", "-m", wrapper, "run", "-c",
                             gateway.conf], gateway.folder / "sworn-1.err")
    gateway.wait_ready()
    assert works(gateway)

    def inside(*argv):
        return run(["nsenter", "-t", gateway.daemon.pid, "-U", "-m",
                    "--preserve-credentials", *argv], expect=None)
    with Load(gateway, readers=2) as load:
        wait_for("some work done", lambda: load.total() > 20)
        code, out, err = inside("dd", "if=/dev/zero", f"of={state}/filler",
                                "bs=4k")
        assert "No space left" in err, err
        wait_for("readers to be refused", lambda: load.errors)
        e = expect_nothing(gateway)
        assert e.sqlstate in ("58030", None)
        assert gateway.health() == 503
        assert inside("rm", f"{state}/filler")[0] == 0
        wait_for("service to resume", lambda: works_again(gateway), 30)
        done = load.total()
        wait_for("readers to go on", lambda: load.total() > done + 20)
    assert any(getattr(e, "sqlstate", None) == "58030" or "58030" in str(e)
               for e in load.errors), load.errors
    sound_later(gateway)
    every_answer_has_its_record(load, gateway)


def test_journal_past_a_size_limit_is_like_a_full_disk(fresh):
    gateway = fresh()
    assert works(gateway)
    log = gateway.process("log")
    journal = max(f.stat().st_size for f in
                  (gateway.folder / "state").rglob("*") if f.is_file())
    _, hard = resource.prlimit(log, resource.RLIMIT_FSIZE)
    resource.prlimit(log, resource.RLIMIT_FSIZE, (journal + 100, hard))
    try:
        expect_nothing(gateway)
        assert gateway.process("log") == log, "the log process died of it"
    finally:
        resource.prlimit(log, resource.RLIMIT_FSIZE, (hard, hard))
    wait_for("service to resume", lambda: works_again(gateway), 30)
    sound_later(gateway)


# -- killed ----------------------------------------------------------------

def test_killed_log_process_is_replaced_and_loses_nothing(fresh):
    gateway = fresh()
    with Load(gateway) as load:
        for _ in range(3):
            done = load.total()
            wait_for("work", lambda: load.total() > done + 50)
            log = gateway.process("log")
            os.kill(log, signal.SIGKILL)
            wait_for("another log process",
                     lambda: another(gateway, "log", log))
        done = load.total()
        wait_for("work to go on", lambda: load.total() > done + 50, 30)
    assert gateway.check_running()
    sound_later(gateway)
    every_answer_has_its_record(load, gateway)


def another(gateway, part, old):
    with contextlib.suppress(Failed):
        return gateway.process(part) != old


def test_nothing_is_released_between_log_processes(fresh):
    gateway = fresh()
    with connect(gateway) as c:
        c.execute(QUERY).fetchall()
        supervisor, log = gateway.daemon.pid, gateway.process("log")
        os.kill(supervisor, signal.SIGSTOP)     # so that none replaces it
        answer = []
        try:
            os.kill(log, signal.SIGKILL)

            def ask():
                with contextlib.suppress(psycopg.Error):
                    answer.append(c.execute(QUERY).fetchall())
            t = threading.Thread(target=ask)
            t.start()
            t.join(2)
            assert not answer, "released without a log"
        finally:
            os.kill(supervisor, signal.SIGCONT)
        t.join(20)
    wait_for("the gateway to be well again", lambda: works_again(gateway))
    sound_later(gateway)


def test_killed_gateway_process_is_replaced(fresh):
    gateway = fresh()
    assert works(gateway)
    old = gateway.process("gateway")
    os.kill(old, signal.SIGKILL)
    wait_for("another gateway process",
             lambda: another(gateway, "gateway", old))
    wait_for("it to serve", lambda: works_again(gateway), 30)
    sound_later(gateway)


@pytest.mark.parametrize("round", range(3))
def test_killed_all_at_once_starts_again_with_the_same_tree(fresh, round):
    gateway = fresh()
    with Load(gateway) as load:
        gateway.wait_published(now())
        wait_for("work", lambda: load.total() > 100 + 40 * round)
        gateway.kill()
    kept = gateway.folder / "kept-checkpoint"
    shutil.copy(gateway.log / "checkpoint", kept)
    size = gateway.checkpoint().size
    before = tlog.read_entries(gateway.log, size)
    gateway.start()
    assert works(gateway)
    sound_later(gateway)
    after = tlog.read_entries(gateway.log, gateway.checkpoint().size)
    assert after[:size] == before
    code, out, err = gateway.verify_log(checkpoint=kept)
    assert code == 0, out + err
    every_answer_has_its_record(load, gateway)


def test_nothing_of_a_killed_run_is_left_running(fresh):
    gateway = fresh()
    pids = descendants(gateway.daemon.pid)
    assert len(pids) >= 3
    os.kill(gateway.daemon.pid, signal.SIGKILL)
    gateway.daemon.process.wait()
    # Each child ends with its parent: nothing serves without one.
    wait_for("the children to end", lambda: not any(
        alive(p) for p in pids))
    gateway.daemon = None


def test_stops_in_order_and_goes_on_where_it_was(fresh):
    gateway = fresh()
    assert works(gateway)
    with connect_feed(gateway) as c:
        c.execute("SELECT 1").fetchall()
        assert gateway.stop() == 0
    size = gateway.checkpoint().size
    records = gateway.records()
    assert records[-1]["type"] == "stop"
    gateway.start()
    sound_later(gateway)
    boots = [r for r in gateway.records(size) if r["type"] == "boot"]
    assert len(boots) == 1 and boots[0]["clean"] is True
    assert boots[0]["last"] == size - 1
