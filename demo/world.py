"""The little world of the demo and of the tests in tests/end: stores (private
PostgreSQL servers), offices (relays that give connections a source address),
and one gateway with its files. Everything lives in one scratch folder.

Nothing here expects anything of the gateway's answers: story.py and the tests
do that.
"""
import concurrent.futures
import contextlib
import csv
import datetime
import glob
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

DEMO = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(DEMO))
import tlog  # noqa: E402

ORIGIN = "gw-demo.clipwave.example/log"
STORES = ("us", "eu", "domestic")
OFFICES = {"beijing": "127.86.0.10", "dublin": "127.35.0.10",
           "austin": "127.11.0.10", "hosting": "127.12.0.10"}
PRINCIPALS = ("wei", "lina", "aoife", "ethan", "priya", "sam", "dana", "olga",
              "feed-domestic", "feed-international")
TOOL_TIMEOUT = 120


class Failed(Exception):
    """Something that had to work did not; the text says what and why."""


# -- small things ----------------------------------------------------------

def free_port():
    """A port that nobody listens on, and that the kernel gives to no outgoing
    connection before it is used; of several programs each its own, by odds."""
    low, high = 10000, 32000
    with contextlib.suppress(OSError, ValueError):
        first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
                    .read_text().split()[0])
        if first > low + 1000:
            high = first
    for _ in range(100):
        port = low + secrets.randbelow(high - low)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port
    raise Failed("no port is free")


def now():
    """This instant as records write it, to the millisecond."""
    t = datetime.datetime.now(datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond // 1000:03}Z"


def wait_for(what, condition, timeout=20, step=0.05):
    """Polls until condition() is true and returns what it returned."""
    end = time.monotonic() + timeout
    while not (got := condition()):
        if time.monotonic() > end:
            raise Failed(f"waited {timeout} s in vain: {what}")
        time.sleep(step)
    return got


def run(argv, *, env=None, text="", timeout=TOOL_TIMEOUT, expect=(0,)):
    """Runs a program to its end; (exit status, output, errors)."""
    p = subprocess.run([str(a) for a in argv], input=text, text=True,
                       capture_output=True, timeout=timeout,
                       env={**os.environ, **(env or {})})
    if expect is not None and p.returncode not in expect:
        raise Failed(f"{' '.join(map(str, argv))}\nended with {p.returncode}:"
                     f"\n{p.stdout}{p.stderr}")
    return p.returncode, p.stdout, p.stderr


def postgres_bin():
    """The newest installed PostgreSQL server's programs, 15 or later."""
    found = sorted((int(m[1]), m[0]) for p in
                   glob.glob("/usr/lib/postgresql/*/bin/initdb")
                   if (m := re.match(r"/usr/lib/postgresql/(\d+)/bin", p))
                   and int(m[1]) >= 15)
    if not found:
        raise Failed("PostgreSQL 15 or later is not installed: scripts/deps.sh")
    return pathlib.Path(found[-1][1])


def alive(pid, since=None):
    """Whether a process runs, and is the one that started at that time."""
    start = started(pid)
    return start is not None and since in (None, start)


def started(pid):
    """When a process started, in ticks since boot; None if it is gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def descendants(pid):
    """Pids of all processes below one, nearest first."""
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = pathlib.Path(path).read_text()
            child = int(text.split(" ", 1)[0])
            parent = int(text.rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(child)
    found, queue = [], [pid]
    while queue:
        below = parents.get(queue.pop(0), [])
        found += below
        queue += below
    return found


class Daemon:
    """A program in the background, in a session of its own."""

    def __init__(self, argv, log_file, env=None):
        with open(log_file, "ab") as out:
            self.process = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, start_new_session=True,
                env={**os.environ, **(env or {})})
        self.pid = self.process.pid
        self.log_file = pathlib.Path(log_file)

    def running(self):
        return self.process.poll() is None

    def end(self, sig=signal.SIGTERM, timeout=20):
        """Signals it and waits; kills all of its session if that fails.
        Returns its exit status, None if it had to be killed."""
        code = None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, sig)
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(timeout)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        return code


# -- stores ----------------------------------------------------------------

class Store:
    """A private PostgreSQL server with one database, `video`."""

    DATABASE = "video"

    def __init__(self, name, folder, passwords):
        self.name = name
        self.folder = folder / name
        self.data = self.folder / "data"
        self.passwords = passwords
        self.port = None
        self.bin = postgres_bin()

    def create(self):
        self.folder.mkdir(parents=True)
        secret = self.folder / "password"
        secret.write_text(self.passwords["postgres"] + "\n")
        run([self.bin / "initdb", "-D", self.data, "-U", "postgres",
             "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8",
             "--locale", "C.UTF-8", "--no-sync"])
        secret.unlink()
        # Every login to the store is in one file for the auditor.
        (self.data / "postgresql.conf").open("a").write(f"""
listen_addresses = '127.0.0.1'
unix_socket_directories = '{self.folder}'
max_connections = 60
shared_buffers = 64MB
max_wal_size = 2GB
log_connections = on
log_disconnections = on
logging_collector = on
log_destination = 'csvlog'
log_directory = 'log'
log_filename = 'connections'
log_rotation_age = 0
log_rotation_size = 0
log_timezone = 'UTC'
{self.preload()}""")
        self.start()
        self.sql(f"""
CREATE ROLE feed LOGIN PASSWORD '{self.passwords["feed"]}';
CREATE ROLE staff LOGIN PASSWORD '{self.passwords["staff"]}';
CREATE DATABASE {self.DATABASE};
""", database="postgres")

    def preload(self):
        """pgaudit where it is installed; it is silent unless it is asked."""
        there = (self.bin.parent / "lib" / "pgaudit.so").exists()
        return "shared_preload_libraries = 'pgaudit'\n" if there else ""

    def start(self):
        for _ in range(5):      # another program may take the port first
            self.port = self.port or free_port()
            code, out, err = run(
                [self.bin / "pg_ctl", "-D", self.data, "-w", "-t", "60",
                 "-l", self.folder / "server.log", "-o", f"-p {self.port}",
                 "start"], expect=None)
            if code == 0:
                return
            self.port = None
        raise Failed(f"store {self.name} does not start: {out}{err}"
                     + (self.folder / "server.log").read_text())

    def stop(self, mode="fast"):
        if (self.data / "postmaster.pid").exists():
            run([self.bin / "pg_ctl", "-D", self.data, "-w", "-m", mode,
                 "stop"], expect=None)

    def load(self, scale):
        generate = subprocess.Popen(
            [sys.executable, "-B", DEMO / "generate.py", self.name,
             "--scale", str(scale)], stdout=subprocess.PIPE)
        self.psql(["-f", DEMO / "schema.sql"])
        self.psql(["-f", "-"], stdin=generate.stdout)
        generate.stdout.close()
        if generate.wait() != 0:
            raise Failed(f"the generator failed for store {self.name}")
        self.psql(["-f", DEMO / "keys.sql"])

    def psql(self, args, database=DATABASE, **more):
        p = subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
             "-p", str(self.port), "-U", "postgres", "-d", database,
             *map(str, args)], capture_output=True, text=True,
            env={**os.environ, "PGPASSWORD": self.passwords["postgres"]},
            **more)
        if p.returncode != 0:
            raise Failed(f"store {self.name}: {p.stderr}")
        return p.stdout

    def sql(self, text, database=DATABASE):
        """Runs SQL as the store's administrator; rows as lists of text."""
        out = self.psql(["--csv", "-t", "-f", "-"], database, input=text)
        return list(csv.reader(out.splitlines()))

    @property
    def admin_dsn(self):
        return (f"host={self.folder} port={self.port} user=postgres "
                f"dbname={self.DATABASE}")

    @property
    def connection_log(self):
        return self.data / "log" / "connections.csv"


# -- offices ---------------------------------------------------------------

class Office:
    """A relay to the gateway whose connections come from one address."""

    def __init__(self, name, folder):
        self.name = name
        self.address = OFFICES[name]
        self.folder = folder
        self.port = None
        self.relay = None

    def open(self, gateway_port):
        for _ in range(5):
            self.port = free_port()
            self.relay = Daemon(
                ["socat", f"TCP-LISTEN:{self.port},bind=127.0.0.1,fork,"
                 "reuseaddr,nodelay",
                 f"TCP:127.0.0.1:{gateway_port},bind={self.address},nodelay"],
                self.folder / f"office-{self.name}.log")
            wait_for("a relay to listen", lambda: not self.relay.running()
                     or self.listening())
            if self.relay.running():
                return
        raise Failed(f"the relay of {self.name} does not start: "
                     + self.relay.log_file.read_text())

    def listening(self):
        # Looked up, not tried: a try would reach the gateway.
        want = f"0100007F:{self.port:04X}"
        return any(line.split()[1] == want and line.split()[3] == "0A"
                   for line in open("/proc/net/tcp").readlines()[1:])


# -- the gateway -----------------------------------------------------------

class Gateway:
    """`sworn run`, the files that it needs, and the offices that reach it."""

    def __init__(self, world, name="gateway"):
        self.world = world
        self.folder = world.scratch / name
        self.conf = self.folder / "sworn.conf"
        self.log = self.folder / "log"
        self.bin = world.bin
        self.port = free_port()
        self.console = free_port()
        self.offices = {}
        self.daemon = None
        self.vkey = None
        self.runs = 0

    def create(self):
        """Key, users, credentials, directory, policy, catalogs; offices."""
        world, folder = self.world, self.folder
        folder.mkdir(mode=0o700)
        self.vkey = self.sworn("key", "new", "--name", ORIGIN, "--out",
                               folder / "log.key")[1].strip().splitlines()[-1]
        if self is world.gateway:
            for principal in PRINCIPALS:
                self.set_password(principal, world.secret[principal])
        else:
            shutil.copy2(world.gateway.folder / "users", folder / "users")
        for name in STORES:
            write_secret(folder / f"credentials.{name}", "".join(
                f"{r}:{world.secret[r]}\n" for r in ("feed", "staff")))
        for name in ("directory.yaml", "policy.yaml",
                     "catalog-international.yaml", "catalog-domestic.yaml"):
            shutil.copy(DEMO / "conf" / name, folder / name)
        for name in OFFICES:
            self.offices[name] = Office(name, folder)
            self.offices[name].open(self.port)

    def configure(self, mode, **replace):
        """Writes sworn.conf for a mode; other @NAME@s may be given."""
        text = (DEMO / "conf" / "sworn.conf.in").read_text()
        values = {"MODE": mode, "GATEWAY_PORT": self.port,
                  "CONSOLE_PORT": self.console,
                  # Stores are changed here on purpose.
                  "DRIFT": '"off"'}
        for name, store in self.world.stores.items():
            values[f"{name.upper()}_PORT"] = store.port
        self.conf.write_text(fill(text, {**values, **replace}))

    def set_keeping(self, until=None):
        """The directory's word on wei's keeping of the feed's credentials:
        kept to this day, or ended at an instant."""
        text = (DEMO / "conf" / "directory.yaml").read_text()
        given = '{id: wei, to: "2026-11-01T00:00:00Z"}'
        if text.count(given) != 1:
            raise Failed(f"directory.yaml does not say {given} once")
        fact = f'{{id: wei, to: "{until}"}}' if until else "wei"
        (self.folder / "directory.yaml").write_text(text.replace(given, fact))

    def apply(self, *stores, flags=()):
        """`sworn apply` for each store; what it said."""
        said = {}
        for name in stores or STORES:
            _, out, err = self.sworn(
                "apply", "-c", self.conf, name,
                "--revoke-public-temp", "--bypass-rls", *flags, "--admin",
                self.world.stores[name].admin_dsn,
                env={"PGPASSFILE": str(self.world.passfile)})
            said[name] = out + err
            self.world.applied_by[name] = self
        return said

    def include(self, name):
        """Has the policy include another file of the demo's."""
        shutil.copy(DEMO / "conf" / name, self.folder / name)
        path = self.folder / "policy.yaml"
        text = path.read_text()
        if text.count("\nsets:") != 1:
            raise Failed("policy.yaml does not have its sets once")
        path.write_text(text.replace("\nsets:", f"\ninclude: [{name}]\nsets:"))

    def as_principal(self, user, office, *args, **more):
        """A command that logs in to the gateway as somebody."""
        return self.sworn(*args, "--to", self.dsn(user, "sworn", office),
                          env={"PGPASSFILE": str(self.world.passfile)}, **more)

    def dsn(self, user, store, office, purpose=None, ticket=None):
        """libpq's words for one reader's connection from one office."""
        options = " ".join(f"-c sworn.{k}={v}" for k, v in
                           (("purpose", purpose), ("ticket", ticket)) if v)
        return (f"host=127.0.0.1 port={self.offices[office].port} "
                f"dbname={store} user={user} connect_timeout=15 "
                f"sslmode=disable"
                + (f" options='{options}'" if options else ""))

    def sworn(self, *args, **more):
        return run([self.bin / "sworn", *args], **more)

    def set_password(self, principal, password):
        self.sworn("passwd", self.folder / "users", principal,
                   text=password + "\n")

    def start(self, ready=True):
        self.runs += 1
        self.daemon = Daemon([self.bin / "sworn", "run", "-c", self.conf],
                             self.folder / f"sworn-{self.runs}.err")
        if ready:
            self.wait_ready()

    def wait_ready(self, timeout=20):
        wait_for("the gateway to be ready", lambda: self.check_running()
                 and self.health() == 200, timeout)

    def check_running(self):
        if not self.daemon.running():
            raise Failed("sworn run has ended:\n" + self.errors())
        return True

    def errors(self):
        return self.daemon.log_file.read_text() if self.daemon else ""

    def get(self, path):
        """(status, body) of the console; status None if it is not there."""
        url = f"http://127.0.0.1:{self.console}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as r:
                return r.status, r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError:
            return None, ""

    def health(self):
        return self.get("/healthz")[0]

    def stop(self):
        """Stops in order; the exit status."""
        if self.daemon is None:
            return 0
        code, self.daemon = self.daemon.end(), None
        return code

    def close(self):
        """Stops it, and its offices."""
        self.stop()
        for office in self.offices.values():
            if office.relay:
                office.relay.end(timeout=5)

    def kill(self):
        """All of its processes at once, as a power cut would."""
        for pid in [self.daemon.pid, *descendants(self.daemon.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.daemon.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.daemon.pid, signal.SIGKILL)
        self.daemon = None

    def process(self, part):
        """Pid of the process that plays a part: gateway, log, console."""
        found = []
        for pid in descendants(self.daemon.pid):
            with contextlib.suppress(OSError):
                name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
                if name == f"sworn-{part}":
                    found.append(pid)
        if len(found) != 1:
            raise Failed(f"expected one {part} process, found {found}")
        return found[0]

    # The log, as files.

    def checkpoint(self):
        try:
            return tlog.read_checkpoint(self.log)
        except FileNotFoundError:
            return None

    def records(self, first=0):
        """The published records from an index on."""
        return tlog.read_records(self.log, first) if self.checkpoint() else []

    def wait_published(self, after):
        """Until a record made later than an instant is published."""
        def later():
            c = self.checkpoint()
            return (c is not None and c.size > 0 and
                    tlog.read_records(self.log, c.size - 1)[0]["time"] > after)
        wait_for(f"a record later than {after} to be published", later)

    def copy_log(self, to):
        """A copy that is consistent even while the log grows: whatever the
        checkpoint covers stays readable."""
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        shutil.copy2(self.log / "checkpoint", to / "checkpoint")
        for name in sorted(os.listdir(self.log)):
            if (self.log / name).is_dir():
                copy_growing(self.log / name, to / name)
        return to

    # The verifier.

    def verify(self, *args, expect=(0, 1, 3, 4)):
        return run([self.bin / "sworn-verify", *args, "--key", self.vkey],
                   expect=expect)

    def verify_log(self, log=None, checkpoint=None):
        more = ["--checkpoint", checkpoint] if checkpoint else []
        return self.verify("log", log or self.log, *more)

    def verify_claim(self, claim, log=None, store_logs=None, checkpoint=None,
                     as_json=False):
        more = ["--checkpoint", checkpoint] if checkpoint else []
        for name, path in (store_logs or {}).items():
            more += ["--store-log", f"{name}={path}"]
        code, out, err = self.verify("claim", claim, "--log", log or self.log,
                                     *more, *(["--json"] if as_json else []))
        return (code, json.loads(out), err) if as_json else (code, out, err)


def copy_growing(source, to):
    to.mkdir()
    for name in sorted(os.listdir(source)):
        path = source / name
        with contextlib.suppress(FileNotFoundError):   # tidied meanwhile
            if path.is_dir():
                copy_growing(path, to / name)
            else:
                shutil.copy2(path, to / name)


# -- all of it -------------------------------------------------------------

class World:
    """The stores, and the demo's gateway in front of them."""

    def __init__(self, scratch, bin_dir):
        self.scratch = pathlib.Path(scratch)
        self.bin = pathlib.Path(bin_dir)
        self.secret = {name: secrets.token_urlsafe(9) for name in
                       ("postgres", "feed", "staff", *PRINCIPALS)}
        self.passfile = self.scratch / "passwords"
        self.stores = {n: Store(n, self.scratch / "stores", self.secret)
                       for n in STORES}
        self.applied_by = {}    # whose clearances a store has
        self.gateways = []
        self.gateway = self.new_gateway("gateway")

    def new_gateway(self, name):
        self.gateways.append(Gateway(self, name))
        return self.gateways[-1]

    def build(self, scale=1.0):
        """Stores with data, then the gateway's files."""
        def one(store):
            store.create()
            store.load(scale)
        with concurrent.futures.ThreadPoolExecutor(len(STORES)) as pool:
            list(pool.map(one, self.stores.values()))
        self.write_passwords()
        self.gateway.create()

    def write_passwords(self):
        """libpq's password file: for the readers, and for `sworn apply`."""
        write_secret(self.passfile, "".join(
            f"*:*:*:{user}:{password}\n"
            for user, password in sorted(self.secret.items())))

    def pids(self):
        """(pid, start) of what outlives this program."""
        found = []
        for gateway in self.gateways:
            found += [o.relay.pid for o in gateway.offices.values()]
            found += [gateway.daemon.pid] if gateway.daemon else []
        return [(pid, started(pid)) for pid in found]

    def close(self):
        for gateway in self.gateways:
            gateway.close()
        for store in self.stores.values():
            store.stop("immediate")


def fill(text, values):
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    if left := re.search(r"@[A-Z_]+@", text):
        raise Failed(f"{left[0]} is not filled in")
    return text


def write_secret(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
              "w") as f:
        f.write(text)


def stop_kept(scratch):
    """Ends what a kept demo left running, and removes its folder."""
    scratch = pathlib.Path(scratch)
    kept = json.loads((scratch / "kept.json").read_text())
    for pid, since in kept["pids"]:
        if alive(pid, since):
            os.kill(pid, signal.SIGTERM)
    for pid, since in kept["pids"]:
        with contextlib.suppress(Failed):
            wait_for("a process to end", lambda: not alive(pid, since))
        if alive(pid, since):
            os.killpg(pid, signal.SIGKILL)
    for data in kept["stores"]:
        run([postgres_bin() / "pg_ctl", "-D", data, "-w", "-m", "immediate",
             "stop"], expect=None)
    shutil.rmtree(scratch)
