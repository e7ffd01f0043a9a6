"""A private PostgreSQL server, and programs of the build, for the tests in
this folder. Run by tests/run.py through scripts/unprivileged.sh, or by hand:

    SWORN_BUILD=build /usr/bin/python3 -m pytest tests/enforce

Fixtures
  server      one server for the whole run; server.database() makes a database
  emit        runs tests/enforce/emit: the SQL of a clearance
  sworn       runs the program itself
"""
import itertools
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile

import psycopg
import pytest

HERE = pathlib.Path(__file__).resolve().parent


def program(name, built):
    """A program from SWORN_BIN, or from the build folder SWORN_BUILD."""
    for folder, path in (("SWORN_BIN", name), ("SWORN_BUILD", built)):
        if os.environ.get(folder):
            found = pathlib.Path(os.environ[folder]) / path
            if found.exists():
                return found
    pytest.skip(f"{name} is neither in SWORN_BIN nor in SWORN_BUILD")


def postgres_bin():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                   key=lambda p: int(p.parts[4]))
    assert found and int(found[-1].parts[4]) >= 15, "no PostgreSQL 15"
    return found[-1].parent


class Server:
    """A cluster on a UNIX socket only; run as postgres if we are root."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = postgres_bin()
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.numbers = itertools.count()
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
            self.user = "postgres"
        self.run("initdb", "-D", f"{folder}/data", "-U", "postgres", "-A",
                 "trust", "-E", "UTF8", "--no-sync")
        self.run("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log",
                 "-o", f"-k {folder} -c listen_addresses= -c fsync=off "
                 "-c log_statement=all", "-w", "start")

    def run(self, name, *argv):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres",
                   "--init-groups"] if os.getuid() == 0 else []
        subprocess.run([*as_user, self.bin / name, *argv], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.folder)

    def log(self):
        return (pathlib.Path(self.folder) / "log").read_text(errors="replace")

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate",
                 "stop")

    def dsn(self, database, user="postgres"):
        return f"host={self.folder} dbname={database} user={user}"

    def connect(self, database, user="postgres", **more):
        return psycopg.connect(self.dsn(database, user), autocommit=True,
                               **more)

    def database(self, sql=""):
        """A new database with these objects; its name."""
        name = f"t{next(self.numbers)}"
        with self.connect("postgres") as c:
            c.execute(f"CREATE DATABASE {name}")
        with self.connect(name) as c:
            c.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            if sql:
                c.execute(sql)
        return name

    def dump(self, database, user):
        """What a role sees: every row of every table that it may read."""
        out = {}
        with self.connect(database, user) as c:
            tables = c.execute("""
                SELECT c.oid::regclass::text FROM pg_class c
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'v', 'm', 'p')
                AND n.nspname !~ '^(pg_|information_schema|sworn)'
                AND has_schema_privilege(n.oid, 'USAGE')
                AND has_table_privilege(c.oid, 'SELECT')""").fetchall()
            for (table,) in tables:
                rows = c.execute(f"SELECT t::text FROM {table} t").fetchall()
                out[table] = sorted(r[0] for r in rows)
        return out


@pytest.fixture(scope="module")
def server():
    # One a module: roles belong to the whole cluster, and what one module
    # leaves behind is what another looks for.
    with tempfile.TemporaryDirectory(prefix="e", dir=os.environ.get(
            "SWORN_SCRATCH", "/tmp")) as folder:
        s = Server(folder)
        try:
            yield s
        finally:
            s.stop()


@pytest.fixture(scope="session")
def emit():
    binary = program("emit", "tests/enforce/emit")

    def run(what, catalog, role="", spec=""):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
            f.write(catalog)
            f.flush()
            p = subprocess.run([binary, what, f.name, *([role] if role
                               else [])], input=spec, text=True,
                               capture_output=True)
        assert p.returncode == 0, p.stderr
        return p.stdout
    return run


@pytest.fixture(scope="session")
def sworn():
    binary = program("sworn", "src/cli/sworn")

    def run(*argv, expect=0):
        p = subprocess.run([binary, *map(str, argv)], text=True,
                           capture_output=True)
        assert p.returncode == expect, p.stdout + p.stderr
        assert not re.search(r"Sanitizer|runtime error:", p.stderr), p.stderr
        return p.stdout + p.stderr
    return run
