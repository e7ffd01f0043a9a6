"""TLS on both sides of the gateway: libpq against it, it against PostgreSQL
with ssl = on, and peers that do not keep to the protocol. Which of them was
let in, and how, is told by the log and by the store.
"""
import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import psycopg
import pytest

from certificates import DAY, Authority
from conftest import connect
from test_protocol import SSL_REQUEST, all_of, fields, raw, startup
from world import free_port, now, wait_for

NAME = "gw.example"


class Side:
    """The gateway under test, its store with TLS, and everybody's
    certificates."""

    def __init__(self, world, gateway, folder):
        self.world = world
        self.gateway = gateway
        self.store = world.stores["us"]
        self.folder = folder
        self.ours = Authority(folder, "ours")       # of gateway and clients
        self.theirs = Authority(folder, "theirs")   # of the store
        self.strange = Authority(folder, "strange")
        self.ours.issue("gateway", "a gateway", dns=[NAME])
        self.tls = {"certificate": "gateway.crt", "key": "gateway.key"}
        self.way = {}

    def configure(self):
        """sworn.conf again, with what is set in tls and way."""
        g = self.gateway
        g.configure("observe")
        text = g.conf.read_text()
        # Paths in it are relative to its folder; ours are whole.
        text += "tls:\n" + "".join(f"  {k}: {v}\n"
                                   for k, v in self.tls.items())
        way = "".join(f"    {k}: {v}\n" for k, v in self.way.items())
        head, tail = text.split("  us:\n")
        own, eu, tail = tail.partition("  eu:\n")
        own = "".join(line for line in own.splitlines(True)
                      if line.split(":")[0].strip() not in self.way)
        g.conf.write_text(f"{head}  us:\n{way}{own}{eu}{tail}")

    def reload(self, expect=0):
        self.configure()
        return self.gateway.sworn("reload", self.gateway.conf,
                                  expect=(expect,))[2]

    @contextlib.contextmanager
    def set(self, tls=(), way=()):
        """Other settings for a while."""
        before = dict(self.tls), dict(self.way)
        self.tls.update(tls)
        self.way.update(way)
        try:
            self.reload()
            yield
        finally:
            self.tls, self.way = before
            self.reload()

    def path(self, name):
        return self.folder / name

    def dsn(self, user="aoife", ticket="T-1", port=None, **more):
        words = {"host": NAME, "hostaddr": "127.0.0.1",
                 "port": port or self.gateway.port, "dbname": "us",
                 "user": user, "connect_timeout": 15,
                 "password": self.world.secret.get(user, "none"),
                 "sslmode": "verify-full", "sslrootcert": self.ours.path,
                 "sslcert": "/none", "sslkey": "/none",
                 "options": f"-c sworn.purpose=moderation "
                            f"-c sworn.ticket={ticket}", **more}
        return " ".join(f"{k}='{v}'" for k, v in words.items()
                        if v is not None)

    def connect(self, user="aoife", ticket="T-1", port=None, **more):
        return psycopg.connect(self.dsn(user, ticket, port, **more),
                               autocommit=True)

    def refused(self, *args, **more):
        with pytest.raises(psycopg.OperationalError) as e:
            self.connect(*args, **more)
        return str(e.value)

    def certificate(self, file):
        return {"sslcert": self.path(f"{file}.crt"),
                "sslkey": self.path(f"{file}.key")}

    def session(self, ticket):
        """The session record of a ticket, and all that belongs to it."""
        def found():
            all_ = self.gateway.records()
            for r in all_:
                if r["type"] == "session" and r.get("ticket") == ticket:
                    mine = [o for o in all_
                            if o.get("session") == r["session"]]
                    if mine[-1]["type"] == "close":
                        return r, mine
        return wait_for(f"the session of {ticket} to be published", found)

    def failures(self, since):
        self.gateway.wait_published(since)
        return [r for r in self.gateway.records()
                if r["type"] == "login_failure" and r["time"] >= since]


def set_hba(store, text):
    (store.data / "pg_hba.conf").write_text(text)
    store.sql("SELECT pg_reload_conf()")


@pytest.fixture(scope="module")
def side(world, tmp_path_factory):
    folder = pathlib.Path(os.environ["SWORN_SCRATCH"]) / "certificates"
    folder.mkdir(exist_ok=True)
    gateway = world.new_gateway("tls")
    gateway.create()
    made = Side(world, gateway, folder)
    store = made.store
    hba = (store.data / "pg_hba.conf").read_text()
    files = made.theirs.issue("store", "a store", ip=["127.0.0.1"])
    made.theirs.issue("gateway-as-client", "the gateway")
    store.sql("".join(f"ALTER SYSTEM SET {k} = '{v}';\n" for k, v in
                      (("ssl", "on"), ("ssl_cert_file", files[0]),
                       ("ssl_key_file", files[1]),
                       ("ssl_ca_file", made.theirs.path))))
    # Persons' role only encrypted, by password and a certificate.
    set_hba(store, "hostnossl all staff all reject\n"
            "hostssl all staff all scram-sha-256 clientcert=verify-ca\n"
            + hba)
    for name in ("gateway.crt", "gateway.key"):
        (gateway.folder / name).write_bytes((folder / name).read_bytes())
        (gateway.folder / name).chmod(0o600)
    made.tls.update({"client-ca": made.ours.path, "certificates": """
    - {cn: ops-priya, principal: priya}
    - {email: sam@corp.example, principal: sam}
    - {uri: "spiffe://corp.example/lina", principal: lina}
    - {dns: ethan.corp.example, principal: ethan}"""})
    made.way.update({"sslmode": "verify-full", "channel-binding": "require",
                     "sslrootcert": made.theirs.path,
                     "sslcert": folder / "gateway-as-client.crt",
                     "sslkey": folder / "gateway-as-client.key"})
    try:
        made.configure()
        gateway.start()
        yield made
    finally:
        gateway.close()
        store.sql("".join(f"ALTER SYSTEM RESET {k};\n" for k in
                          ("ssl", "ssl_cert_file", "ssl_key_file",
                           "ssl_ca_file")))
        set_hba(store, hba)


# -- clients ---------------------------------------------------------------

def test_both_ways_are_encrypted_bound_and_recorded(side):
    with side.connect(ticket="T-plus", channel_binding="require") as c:
        assert c.pgconn.ssl_in_use
        [(encrypted, version)] = c.execute(
            "SELECT ssl, version FROM pg_stat_ssl "
            "WHERE pid = pg_backend_pid()").fetchall()
        assert (encrypted, version) == (True, "TLSv1.3")
    session, all_ = side.session("T-plus")
    assert session["auth"] == "scram-sha-256-plus"
    assert session["tls"] == "TLSv1.3"
    [backend] = [r for r in all_ if r["type"] == "backend"]
    assert backend["tls"] == "TLSv1.3"
    assert all_[-1]["reason"] == "client"


def test_a_client_need_not_bind_and_need_not_encrypt_on_this_machine(side):
    with side.connect(ticket="T-unbound", channel_binding="disable"):
        pass
    with side.connect(ticket="T-plain", sslmode="disable") as c:
        assert not c.pgconn.ssl_in_use
    session, _ = side.session("T-unbound")
    assert (session["auth"], session["tls"]) == ("scram-sha-256", "TLSv1.3")
    session, _ = side.session("T-plain")
    assert session["auth"] == "scram-sha-256" and "tls" not in session


def test_libpq_refuses_a_gateway_that_it_was_not_told_of(side):
    assert "certificate verify failed" in side.refused(
        sslrootcert=side.strange.path)
    assert 'does not match host name "db.example"' in side.refused(
        host="db.example")


def test_psql_reads_and_copies_both_ways_through_tls(side):
    def psql(sql, **more):
        p = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d",
             side.dsn("feed-international", channel_binding="require",
                      options=None), "-c", sql],
            capture_output=True, timeout=60, **more)
        assert p.returncode == 0, p.stderr
        return p.stdout

    rows = "".join(f"{i}\t{hashlib.md5(b'%d' % i).hexdigest() * 8}\n"
                   for i in range(40000)).encode()
    got = psql("CREATE TEMP TABLE t (i int, s text); COPY t FROM STDIN; "
               "COPY t TO STDOUT", input=rows)
    assert got == rows
    assert psql("SELECT count(*) FROM users").strip().isdigit()


def test_a_slow_reader_gets_everything_and_is_not_buffered(side):
    with side.connect("feed-international", options=None) as c:
        pid = side.gateway.process("gateway")

        def resident():
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
            return int(text.split("VmRSS:")[1].split()[0])
        before = resident()
        digest, want, n = hashlib.sha256(), hashlib.sha256(), 0
        with c.cursor().copy("COPY (SELECT repeat(md5(i::text), 64) FROM "
                             "generate_series(1, 30000) i) TO STDOUT") as out:
            for row in out:
                digest.update(row)
                n += len(row)
                if n < 4000000 and n % 500000 < 2049:
                    time.sleep(0.02)        # the queues fill
        for i in range(1, 30001):
            want.update(hashlib.md5(b"%d" % i).hexdigest().encode() * 64
                        + b"\n")
        assert digest.digest() == want.digest()
        assert resident() - before < 8 * 1024, "KiB more than before"


def test_cancel_reaches_a_query_whose_store_is_encrypted(side):
    # libpq's way of asking is in the clear, before version 17.
    with side.set(tls={"mode": "require"}), side.connect() as c:
        timer = threading.Timer(0.5, c.cancel)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            c.execute("SELECT pg_sleep(30)")
        timer.join()


def test_a_cancel_that_is_encrypted_reaches_its_query(side):
    """By hand, with the key as the gateway gave it to libpq."""
    seen = bytearray()

    def handle(near):
        with socket.create_connection(("127.0.0.1", side.gateway.port),
                                      20) as far:
            both(near, far, seen)

    with Between(handle) as b, side.connect(port=b.port,
                                            sslmode="disable") as c:
        at = seen.index(b"K\0\0\0\x0c")
        key = bytes(seen[at + 5:at + 13])
        assert int.from_bytes(key[:4], "big") == c.info.backend_pid

        def cancel():
            with encrypted(side) as s:
                s.sendall(struct.pack("!ii", 16, 80877102) + key)
                assert all_of(s) == b""
        timer = threading.Timer(0.3, cancel)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            c.execute("SELECT pg_sleep(30)")
        timer.join()


def test_where_it_is_required_a_plaintext_client_is_told_so(side):
    since = now()
    with side.set(tls={"mode": "require"}):
        text = side.refused(sslmode="disable")
        assert "the connection from 127.0.0.1 is not encrypted" in text
        assert "sslmode=require" in text
        [failure] = side.failures(since)
    assert (failure["reason"], failure["sqlstate"],
            failure["principal"]) == ("plaintext", "28000", "aoife")


def other_address():
    """An address of this machine that is not its loopback's, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        with contextlib.suppress(OSError):
            s.connect(("192.0.2.1", 9))     # nothing is sent
            found = s.getsockname()[0]
            return None if found.startswith("127.") else found


def test_without_a_section_only_this_machine_may_connect_in_the_clear(fresh):
    address = other_address()
    if address is None:
        pytest.skip("this machine has no address but its loopback's")
    gateway = fresh(start=False)
    text = gateway.conf.read_text()
    gateway.conf.write_text(text.replace(
        f"address: 127.0.0.1, port: {gateway.port}",
        f"address: 0.0.0.0, port: {gateway.port}"))
    gateway.start()
    dsn = gateway.dsn("aoife", "eu", "dublin").replace(
        f"host=127.0.0.1 port={gateway.offices['dublin'].port}",
        f"host={address} port={gateway.port}")
    password = gateway.world.secret["aoife"]
    with pytest.raises(psycopg.OperationalError, match="is not encrypted"):
        psycopg.connect(dsn, password=password)
    with connect(gateway, store="eu"):
        pass
    # Written down, it is as it is told.
    gateway.conf.write_text(gateway.conf.read_text() + "tls: {mode: off}\n")
    gateway.sworn("reload", gateway.conf)
    with psycopg.connect(dsn, password=password):
        pass


# -- clients' certificates -------------------------------------------------

def test_a_certificate_that_is_mapped_needs_no_password(side):
    side.ours.issue("priya", "ops-priya")
    side.ours.issue("many", "x", dns=["ethan.corp.example"],
                    email=["sam@corp.example"],
                    uri=["spiffe://corp.example/lina"])
    with side.connect("priya", "T-cert", password="wrong",
                      **side.certificate("priya")):
        pass
    session, _ = side.session("T-cert")
    assert (session["auth"], session["principal"]) == ("certificate", "priya")
    for user in ("sam", "lina", "ethan"):
        with side.connect(user, password="wrong", **side.certificate("many")):
            pass


def test_a_certificate_proves_nobody_else(side):
    side.ours.issue("priya", "ops-priya")
    side.ours.issue("like", "ops-priya.corp.example", dns=["ops-priya"])
    since = now()
    tried = (("aoife", "priya"), ("priya", "like"), ("sam", "priya"))
    # At once, since each waits for its answer.
    with concurrent.futures.ThreadPoolExecutor(len(tried)) as pool:
        said = pool.map(lambda t: side.refused(
            t[0], password="wrong", **side.certificate(t[1])), tried)
    assert all("password authentication failed" in text for text in said)
    # Beside it the password counts as ever.
    with side.connect("aoife", "T-beside", **side.certificate("priya")):
        pass
    session, _ = side.session("T-beside")
    assert session["auth"] == "scram-sha-256-plus"
    assert [f["reason"] for f in side.failures(since)] == ["password"] * 3


def test_certificates_of_others_expired_and_revoked_ones_are_refused(side):
    side.strange.issue("strange-priya", "ops-priya")
    side.ours.issue("old-priya", "ops-priya", until=-DAY / 2)
    gone = side.ours.issue("gone-priya", "ops-priya")
    crl = side.ours.revoke(gone[0])
    side.ours.issue("priya", "ops-priya")
    since = now()
    with side.set(tls={"client-crl": crl}):
        for file in ("strange-priya", "old-priya", "gone-priya"):
            side.refused("priya", **side.certificate(file))
        with side.connect("priya", **side.certificate("priya")):
            pass
        failures = side.failures(since)
    assert [f["reason"] for f in failures] == ["certificate"] * 3


def test_a_certificate_can_be_asked_of_everybody(side):
    side.ours.issue("anybody", "anybody")
    with side.set(tls={"client-certificate": "require"}):
        assert "asks for a client's certificate" in side.refused()
        with side.connect("aoife", **side.certificate("anybody")):
            pass


def test_a_rule_asks_for_a_certificate_or_a_password_or_both(side):
    side.ours.issue("priya", "ops-priya")
    side.ours.issue("anybody", "anybody")
    (side.gateway.folder / "logins").write_text(
        "hostssl all priya all cert\n"
        "hostssl all sam all scram-sha-256 clientcert=verify-full\n"
        "hostssl all lina all scram-sha-256 clientcert=verify-ca\n"
        "hostssl all ethan all scram-sha-256\n")
    side.ours.issue("many", "x", dns=["ethan.corp.example"],
                    email=["sam@corp.example"])
    since = now()
    with side.gateway.conf.open("a") as f:
        f.write("logins: logins\n")
    side.gateway.sworn("reload", side.gateway.conf)
    try:
        many, other = side.certificate("many"), side.certificate("anybody")
        with side.connect("priya", "T-rule", password="wrong",
                          **side.certificate("priya")):
            pass
        for user, shown in (("sam", many), ("lina", other), ("ethan", {})):
            with side.connect(user, **shown):
                pass
        tried = (
            ("priya", {}, "requires a valid client certificate"),
            ("priya", other, 'certificate authentication failed for user '
                             '"priya"'),
            ("sam", other, 'certificate authentication failed for user '
                           '"sam"'),
            ("lina", {}, "requires a valid client certificate"),
            ("ethan", {"password": "wrong", **many},
             "password authentication failed"),
            ("sam", {"password": "wrong", **many},
             "password authentication failed"),
            ("ethan", {"sslmode": "disable"}, 'no pg_hba.conf entry for host '
             '"127.0.0.1", user "ethan", database "us", no encryption'),
            ("aoife", {}, 'database "us", SSL encryption'))
        with concurrent.futures.ThreadPoolExecutor(len(tried)) as pool:
            said = list(pool.map(
                lambda t: side.refused(t[0], **t[1]), tried))
        for text, (*_, want) in zip(said, tried):
            assert want in text
        reasons = sorted(f["reason"] for f in side.failures(since))
    finally:
        side.reload()
    assert reasons == ["certificate"] * 4 + ["password"] * 2 + ["rule"] * 2
    session, _ = side.session("T-rule")
    assert session["auth"] == "certificate"


# -- reload ----------------------------------------------------------------

def served(side):
    """The certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=side.ours.path)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with raw(side.gateway) as s:
        s.sendall(SSL_REQUEST)
        assert s.recv(1) == b"S"
        with context.wrap_socket(s) as t:
            return t.getpeercert(binary_form=True)


def test_reload_brings_the_new_certificate_and_keeps_the_old_if_it_is_broken(
        side):
    folder = side.gateway.folder
    kept = {n: (folder / n).read_bytes() for n in ("gateway.crt",
                                                   "gateway.key")}

    def put(files):
        for name, path in zip(("gateway.crt", "gateway.key"), files):
            (folder / name).write_bytes(path.read_bytes())
    before = served(side)
    try:
        with side.connect(ticket="T-open") as c:
            put(side.ours.issue("second", "second", dns=[NAME]))
            assert served(side) == before, "not before the reload"
            os.kill(side.gateway.daemon.pid, signal.SIGHUP)
            wait_for("the new certificate", lambda: served(side) != before)
            second = served(side)
            assert c.execute("SELECT 1").fetchone() == (1,)
            with side.connect(channel_binding="require"):
                pass
            # Another's key, then no certificate at all.
            other = side.ours.issue("third", "third", dns=[NAME])
            (folder / "gateway.key").write_bytes(other[1].read_bytes())
            assert "gateway.key" in (said := side.reload(expect=1)), said
            assert "not the key of the certificate" in said
            (folder / "gateway.crt").write_text("broken\n")
            assert "no certificate in PEM form" in side.reload(expect=1)
            assert served(side) == second
            assert c.execute("SELECT 1").fetchone() == (1,)
        put(side.ours.issue("old", "old", dns=[NAME], until=-DAY / 2))
        side.reload()
        assert "certificate has expired" in side.gateway.errors()
        assert "certificate verify failed" in side.refused()
    finally:
        for name, data in kept.items():
            (folder / name).write_bytes(data)
        side.reload()


# -- who stands between ----------------------------------------------------

class Between:
    """Listens, and gives each connection to a function in a thread."""

    def __init__(self, handle):
        self.handle = handle
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.socket.accept()
                threading.Thread(target=self.one, args=(s,),
                                 daemon=True).start()

    def one(self, s):
        with s, contextlib.suppress(OSError):
            s.settimeout(20)
            self.handle(s)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)


def pump(a, b, seen=None):
    """Bytes from a to b until either ends, then both do."""
    with contextlib.suppress(OSError):
        while part := a.recv(65536):
            if seen is not None:
                seen += part
            b.sendall(part)
    for s in (a, b):
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)


def both(a, b, seen=None):
    """seen: what b says."""
    t = threading.Thread(target=pump, args=(a, b), daemon=True)
    t.start()
    pump(b, a, seen)
    t.join(20)


def test_whoever_decrypts_between_them_is_found_out_by_the_binding(side):
    """It has a certificate that the client takes, but not the gateway's."""
    files = side.ours.issue("between", "between", dns=[NAME])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*files)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE

    def handle(s):
        assert s.recv(8, socket.MSG_WAITALL) == SSL_REQUEST
        s.sendall(b"S")
        near = server.wrap_socket(s, server_side=True)
        with socket.create_connection(("127.0.0.1", side.gateway.port),
                                      20) as far:
            far.sendall(SSL_REQUEST)
            assert far.recv(1) == b"S"
            far = client.wrap_socket(far)
            other = {near: far, far: near}
            while True:
                for one in select.select(list(other), [], [], 20)[0]:
                    part = one.recv(65536)
                    if not part:
                        return
                    other[one].sendall(part)

    since = now()
    with Between(handle) as b:
        assert "channel binding" in side.refused(port=b.port)
        # Who does not bind is not protected: so the relay itself works.
        with side.connect(port=b.port, channel_binding="disable"):
            pass
    [failure] = side.failures(since)
    assert failure["reason"] == "channel-binding"


@contextlib.contextmanager
def encrypted(side, **more):
    """A TLS connection to the gateway by hand."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for k, v in more.items():
        setattr(context, k, v)
    with raw(side.gateway) as s:
        s.sendall(SSL_REQUEST)
        assert s.recv(1) == b"S"
        with context.wrap_socket(s) as t:
            yield t


def sasl(mechanism, text):
    body = mechanism + b"\0" + struct.pack("!i", len(text)) + text
    return b"p" + struct.pack("!i", len(body) + 4) + body


def test_an_offer_from_which_plus_was_taken_is_noticed(side):
    since = now()
    with encrypted(side) as s:
        s.sendall(startup(user="aoife", database="us"))
        assert b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0" in s.recv(4096)
        s.sendall(sasl(b"SCRAM-SHA-256", b"y,,n=,r=abcdef"))
        error = fields(all_of(s))
    assert error["C"] == "28000" and "channel binding" in error["M"]
    assert [f["reason"] for f in side.failures(since)] == ["channel-binding"]
    # In the clear there is nothing to bind to, and y is fine.
    with raw(side.gateway) as s:
        s.sendall(startup(user="aoife", database="us"))
        assert b"PLUS" not in s.recv(4096)
        s.sendall(sasl(b"SCRAM-SHA-256", b"y,,n=,r=abcdef"))
        assert s.recv(1) == b"R"


def test_bytes_in_the_clear_before_the_handshake_end_the_connection(side):
    with raw(side.gateway) as s:
        s.sendall(SSL_REQUEST + startup(user="aoife", database="us"))
        error = fields(all_of(s))
        assert error["C"] == "08P01" and "unencrypted data" in error["M"]
    with raw(side.gateway) as s:
        s.sendall(SSL_REQUEST)
        assert s.recv(1) == b"S"
        s.sendall(startup(user="aoife", database="us"))
        assert b"R" != all_of(s)[:1]
    with encrypted(side) as s:
        s.sendall(SSL_REQUEST)
        assert fields(all_of(s))["C"] == "08P01"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")     # that is the test
def test_old_versions_are_refused_and_one_renegotiation_too(side):
    old = {"minimum_version": ssl.TLSVersion.TLSv1,
           "maximum_version": ssl.TLSVersion.TLSv1_1}
    with pytest.raises((ssl.SSLError, OSError)), encrypted(side, **old):
        pass
    with encrypted(side, maximum_version=ssl.TLSVersion.TLSv1_2) as s:
        assert s.version() == "TLSv1.2"
    with side.set(tls={"min-version": '"1.3"'}), \
            pytest.raises((ssl.SSLError, OSError)), \
            encrypted(side, maximum_version=ssl.TLSVersion.TLSv1_2):
        pass
    p = subprocess.run(
        ["openssl", "s_client", "-starttls", "postgres", "-tls1_2",
         "-connect", f"127.0.0.1:{side.gateway.port}"], input="R\n",
        capture_output=True, text=True, timeout=20)
    assert "RENEGOTIATING" in p.stdout + p.stderr
    assert "no renegotiation" in p.stderr


def directly(side, protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    with raw(side.gateway) as s, context.wrap_socket(s) as t:
        t.sendall(startup(user="aoife", database="us"))
        return t.selected_alpn_protocol(), all_of_first(t)


def all_of_first(s):
    with contextlib.suppress(OSError):
        return s.recv(4096)[:1]
    return b""


def test_tls_without_a_request_must_name_the_protocol(side):
    assert directly(side, ["h2", "postgresql"]) == ("postgresql", b"R")
    assert directly(side, None) == (None, b"")
    with pytest.raises((ssl.SSLError, OSError)):
        directly(side, ["http/1.1"])


def test_a_stream_that_is_cut_off_is_no_end(side):
    """Of a client: the record says so. Of the store: so does the client."""
    with side.connect(ticket="T-cut") as c:
        with socket.socket(fileno=os.dup(c.fileno())) as s:
            s.shutdown(socket.SHUT_RDWR)
    assert side.session("T-cut")[1][-1]["reason"] == "truncated"
    made = []

    def handle(near):
        with socket.create_connection(("127.0.0.1", side.store.port),
                                      20) as far:
            made.append((near, far))
            both(near, far)

    with Between(handle) as b, side.set(way={"port": b.port}):
        with side.connect(ticket="T-cut2") as c:
            c.execute("SELECT 1")
            # Either's end makes pump end the other, and close it.
            for s in made[-1]:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)
            with pytest.raises(psycopg.Error) as e:
                c.execute("SELECT 1")
    assert "the connection to the store was cut off" in str(e.value)


# -- towards the store -----------------------------------------------------

def why(side, since):
    """What the gateway last said about a store that took no session."""
    lines = [x for x in side.gateway.errors()[since:].splitlines()
             if "did not take a session" in x]
    return lines[-1] if lines else ""


@pytest.mark.parametrize("way,said", [
    ({"sslrootcert": "{strange}"}, "the certificate is refused: self-signed"),
    ({"host": "localhost"}, "mismatch"),
    ({"sslcert": None, "sslkey": None}, "certificate"),
])
def test_a_store_that_is_not_who_it_should_be_gets_no_login(side, way, said):
    way = {k: v and v.format(strange=side.strange.path)
           for k, v in way.items()}
    since = len(side.gateway.errors())
    before = dict(side.way)
    side.way.update(way)
    side.way = {k: v for k, v in side.way.items() if v is not None}
    try:
        side.reload()
        assert "cannot be reached now" in side.refused()
        assert said in why(side, since)
    finally:
        side.way = before
        side.reload()


def answering(answer):
    """A store that says this to SSLRequest, and notes what comes then."""
    got = []

    def handle(s):
        assert s.recv(8, socket.MSG_WAITALL) == SSL_REQUEST
        s.sendall(answer)
        got.append(all_of(s))
    return handle, got


@pytest.mark.parametrize("answer,mode,said", [
    (b"N", "require", "does not encrypt"),
    (b"X", "require", "neither S nor N"),
    # Somebody put an AuthenticationOk and a Ready behind the S.
    (b"S" + b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I", "require",
     "handshake failed"),
    (b"S" + b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I", "prefer",
     "handshake failed"),
])
def test_nothing_is_taken_from_a_store_in_the_clear(side, answer, mode, said):
    handle, got = answering(answer)
    since = len(side.gateway.errors())
    before = dict(side.way)
    with Between(handle) as b:
        side.way = {"port": b.port, "sslmode": mode}
        try:
            side.reload()
            assert "cannot be reached now" in side.refused()
        finally:
            side.way = before
            side.reload()
    assert said in why(side, since)
    assert b"staff" not in b"".join(got), "no login goes there in the clear"


def test_prefer_takes_what_the_store_has(side):
    before = dict(side.way)
    try:
        side.way = {"sslmode": "prefer"}
        side.reload()
        with side.connect("feed-international", options=None) as c:
            assert c.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = "
                             "pg_backend_pid()").fetchone() == (True,)
        side.way = {"sslmode": "prefer",
                    "port": side.world.stores["eu"].port}
        side.reload()
        with side.connect("feed-international", options=None) as c:
            assert c.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = "
                             "pg_backend_pid()").fetchone() == (False,)
    finally:
        side.way = before
        side.reload()


# -- what is written wrongly -----------------------------------------------

def test_settings_that_would_protect_nothing_are_refused(side):
    """Each in sworn check's words; the gateway that runs is left alone."""
    g = side.gateway
    open_key = side.folder / "open.key"
    open_key.write_bytes(side.path("gateway.key").read_bytes())
    open_key.chmod(0o644)
    locked = side.folder / "locked.key"
    locked.write_text(subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-in", side.path("gateway.key"),
         "-passout", "pass:x"], capture_output=True, text=True,
        check=True).stdout)
    locked.chmod(0o600)
    good = {"certificate": "gateway.crt", "key": "gateway.key"}
    ca = side.theirs.path
    cases = [
        ({"mode": "require"}, {}, '"certificate" and its "key" are wanted'),
        ({"certificate": "gateway.crt"}, {}, "come together"),
        ({**good, "mode": "off"}, {}, "with mode: off"),
        ({**good, "mode": "maybe"}, {}, "maybe"),
        ({**good, "certificates": "[{cn: a, principal: wei}]"}, {},
         '"client-ca" says who signs'),
        ({**good, "client-certificate": "require"}, {},
         '"client-ca" says who signs'),
        ({**good, "client-ca": ca,
          "certificates": "[{cn: a, dns: b, principal: wei}]"}, {},
         "one name of the certificate"),
        ({**good, "key": open_key}, {}, "can be read by others"),
        ({**good, "key": locked}, {}, "is encrypted"),
        ({**good, "key": "none.key"}, {}, "none.key"),
        (good, {"sslmode": "allow"}, "allow"),
        (good, {"sslmode": "require", "sslrootcert": ca},
         "no certificate is checked"),
        (good, {"sslrootcert": ca}, "is not encrypted"),
        (good, {"host": "/tmp", "sslmode": "require"}, "UNIX socket"),
        (good, {"channel-binding": "require"}, "channel binding needs TLS"),
        (good, {"sslmode": "verify-full", "sslrootcert": "gateway.key"},
         "no certificate in PEM form"),
    ]
    before = dict(side.tls), dict(side.way)
    try:
        for tls, way, said in cases:
            side.tls, side.way = tls, way
            side.configure()
            code, out, err = g.sworn("check", "-c", g.conf, expect=None)
            assert code == 1 and said in out + err, (tls, way, out + err)
    finally:
        side.tls, side.way = before
        side.configure()
    g.sworn("check", "-c", g.conf)
