#!/usr/bin/python3
"""How fast is a session through the gateway, against its peers?

In one run, on one private PostgreSQL server (fsync on, as default), pgbench
sends single-row SELECTs in turn:

    direct     to the server
    pgbouncer  session pooling, its fastest for this, kept alive
    service    through Sworn as a service: recorded once, then relayed
    person     through Sworn as a person: every statement has a durable
               record (fdatasync) before it reaches the server

Rounds are paired: each round runs all of them, so that a drift of the
machine's speed meets all alike. With --tls every connection is encrypted, to
the server, too. Prints medians and ratios, checks that the
log is whole and has a record for each person's statement, and with --out
writes JSON.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "demo"))
import world  # noqa: E402

SCRIPT = "\\set id random(1, 2000)\nSELECT id, handle FROM users WHERE id = :id;\n"


def pgbench(script, port, user, password, clients, seconds, protocol,
            database="us", options=None, sslmode="disable"):
    env = {**os.environ, "PGPASSWORD": password, "PGSSLMODE": sslmode}
    if options:
        env["PGOPTIONS"] = options
    out = subprocess.run(
        ["pgbench", "-n", "-h", "127.0.0.1", "-p", str(port), "-U", user,
         "-c", str(clients), "-j", "1", "-T", str(seconds), "-M", protocol,
         "-f", script, database], capture_output=True, text=True, env=env)
    if out.returncode != 0:
        raise world.Failed(f"pgbench as {user}: {out.stderr[-800:]}")
    tps = float(re.search(r"tps = ([0-9.]+) \(without", out.stdout)[1])
    done = int(re.search(r"actually processed: (\d+)", out.stdout)[1])
    return tps, done


class Certificate:
    """For all three servers; clients of a bench do not check it."""

    def __init__(self, folder):
        self.path, self.key = folder / "tls.crt", folder / "tls.key"
        world.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=bench",
                   "-days", "2", "-keyout", self.key, "-out", self.path])
        self.key.chmod(0o600)

    def for_store(self, store):
        store.sql("ALTER SYSTEM SET ssl = on;"
                  f"ALTER SYSTEM SET ssl_cert_file = '{self.path}';"
                  f"ALTER SYSTEM SET ssl_key_file = '{self.key}'")

    def for_gateway(self, gateway):
        text = gateway.conf.read_text()
        gateway.conf.write_text(
            text.replace("  us:\n", "  us:\n    sslmode: require\n")
            + f"tls: {{certificate: {self.path}, key: {self.key}}}\n")

    def for_bouncer(self):
        return f"""
client_tls_sslmode = require
client_tls_cert_file = {self.path}
client_tls_key_file = {self.key}
server_tls_sslmode = require
"""


class PgBouncer:
    def __init__(self, folder, store, more=""):
        self.port = world.free_port()
        folder.mkdir()
        (folder / "users").write_text(
            f'"feed" "{store.passwords["feed"]}"\n')
        (folder / "ini").write_text(f"""
[databases]
us = host=127.0.0.1 port={store.port} dbname={store.DATABASE}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = session
default_pool_size = 100
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
logfile = {folder}/log
{more}""")
        self.daemon = world.Daemon(["pgbouncer", folder / "ini"],
                                   folder / "out")
        world.wait_for("pgbouncer", lambda: subprocess.run(
            ["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)])
            .returncode == 0)


def measure(args, w, bouncer, script):
    store = w.stores["us"]
    ways = {
        "direct": (store.port, "feed", w.secret["feed"], "video", None),
        "pgbouncer": (bouncer.port, "feed", w.secret["feed"], "us", None),
        "service": (w.gateway.port, "feed-international",
                    w.secret["feed-international"], "us", None),
        "person": (w.gateway.port, "aoife", w.secret["aoife"], "us",
                   "-c sworn.purpose=moderation -c sworn.ticket=TS-1"),
    }
    rows, statements = [], 0
    for protocol in args.protocols:
        for clients in args.clients:
            tps = {way: [] for way in ways}
            for _ in range(args.rounds):
                for way, (port, user, password, db, options) in ways.items():
                    rate, done = pgbench(script, port, user, password,
                                         clients, args.seconds, protocol, db,
                                         options, "require" if args.tls
                                         else "disable")
                    tps[way].append(rate)
                    statements += done if way == "person" else 0
            row = {"protocol": protocol, "clients": clients}
            for way in ways:
                row[way] = round(statistics.median(tps[way]), 1)
            for way in ("service", "person"):
                row[f"{way}/pgbouncer"] = round(statistics.median(
                    a / b for a, b in zip(tps[way], tps["pgbouncer"])), 3)
            rows.append(row)
            print("  ".join(f"{k} {v}" for k, v in row.items()), flush=True)
    return rows, statements


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--bin", default=None, help="folder of sworn")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=3)
    p.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    p.add_argument("--protocols", nargs="+", default=["simple", "prepared"])
    p.add_argument("--tls", action="store_true")
    p.add_argument("--out", default=None)
    args = p.parse_args()
    if not shutil.which("pgbouncer"):
        sys.exit("the peer is missing: install Debian's package pgbouncer")
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="sworn-bench-"))
    w = world.World(scratch, args.bin)
    bouncer = None
    try:
        w.build(scale=0.1)
        # The hosting network stands for loopback here, so that no relay of
        # an office is measured.
        d = w.gateway.folder / "directory.yaml"
        d.write_text(d.read_text().replace("127.12.0.0/16",
                                           "127.0.0.0/16"))
        w.gateway.configure("enforce")
        store = w.stores["us"]
        certificate = Certificate(scratch) if args.tls else None
        if certificate:
            certificate.for_store(store)
            certificate.for_gateway(w.gateway)
        store.sql("ALTER SYSTEM SET max_connections = 300")
        store.stop()
        store.start()
        w.gateway.apply()
        w.gateway.start()
        bouncer = PgBouncer(scratch / "bouncer", store,
                            certificate.for_bouncer() if certificate else "")
        script = scratch / "select.sql"
        script.write_text(SCRIPT)
        print(f"cores {os.cpu_count()}, kernel {platform.release()}, fsync on, "
              f"TLS {'on' if args.tls else 'off'},"
              f" {args.rounds} rounds of {args.seconds} s; transactions per "
              "second, medians; ratios are medians of pairs")
        rows, statements = measure(args, w, bouncer, script)
        w.gateway.stop()
        code, out, err = w.gateway.verify_log()
        recorded = sum(r["type"] == "statement" for r in w.gateway.records())
        if code != 0 or recorded < statements:
            raise world.Failed(f"{statements} statements, {recorded} records:"
                               f"\n{out}{err}")
        print(f"checked: the log is whole and has {recorded} statement "
              f"records for {statements} statements")
        if args.out:
            pathlib.Path(args.out).write_text(json.dumps(rows, indent=1))
    finally:
        if bouncer:
            bouncer.daemon.end()
        w.close()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
