"""Two stores that differ only in what one clearance must not see, a gateway
in front of each, and the comparison of what its reader is answered there.

The reader is a moderator who is shown US residents. The stores, `left` and
`right`, have the same US residents and differ in
  rows      of everybody else: how many, who, and all that they did
  values    of masked columns (profiles.email, .phone), also of US residents
  columns   that are absent (users.country, watch_events.device, .ip, .city)
  tables    that are not shown (messages) or not in the catalog (staff_notes)
Some residents of elsewhere are in both, by their id only, since rows that are
shown refer to them. Rows lie interleaved on disk.

A pair is two clusters, so that their objects have the same OIDs. Statistics
are collected once, and autovacuum is off: they do not change meanwhile.
"""
import pathlib
import random
import sys
from dataclasses import dataclass, field

import psycopg
from psycopg import pq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "demo"))
import world as demo_world  # noqa: E402

SIDES = ("left", "right")
READER, OFFICE, PURPOSE = "aoife", "dublin", "moderation"
SHOWN = range(1, 41)            # US residents, the same in both
ANCHORS = range(41, 49)         # in both by id, with other data
OTHERS = {"left": range(1000, 1030), "right": range(2000, 2038)}
ELSEWHERE = {"left": ("DE", "FR", "XX"), "right": ("IE", "ES", "FR", "YY")}

POLICY = """
policy: noninterference
version: "1"
purposes: [moderation]
rules:
  - rule: moderators see US residents
    permit: read
    who: {kind: person, roles: [moderator]}
    what:
      tables: [public.users, public.profiles, public.videos, public.comments,
               public.likes, public.follows, public.watch_events,
               public.reports]
      categories: [technical, identity, contact, content, moderation,
                   behaviour]
    whose: [US]
    why: {purposes: [moderation]}
  - rule: contact data is masked for persons
    treat: mask
    who: {kind: person}
    what: {categories: [contact]}
"""

CONF = """
gateway: gw-test
state: state
listeners: [{{address: 127.0.0.1, port: {port}}}]
console: {{address: 127.0.0.1, port: {console}}}
users: users
directory: directory.yaml
policy: policy.yaml
drift: off
log: {{dir: log, key: log.key, heartbeat: 5s, publish: 1s}}
limits: {{sessions: 50, login: 10s, connect: 5s, log: 5s}}
stores:
  us:
    host: 127.0.0.1
    port: {store}
    database: video
    mode: enforce
    residences: [US, IE, DE, FR, ES]
    catalog: catalog-international.yaml
    credentials: credentials.us
    services: {{feed-international: feed}}
"""

# What a store has besides the demo's tables: a table that no catalog lists, a
# function that tells what it is called with, one that runs with its owner's
# rights and is not for everybody, and a temptation for casts.
MORE = """
CREATE TABLE public.staff_notes (id bigint PRIMARY KEY, note text);
CREATE FUNCTION public.peek(t text) RETURNS boolean LANGUAGE plpgsql
    COST 0.0001 AS $$BEGIN RAISE NOTICE 'peek: %', t; RETURN true; END$$;
CREATE FUNCTION public.lookup(i bigint) RETURNS text LANGUAGE sql
    SECURITY DEFINER AS 'SELECT handle FROM public.users WHERE id = i';
REVOKE EXECUTE ON FUNCTION public.lookup FROM PUBLIC;
CREATE STATISTICS public.users_statistics ON country, born FROM public.users;
"""


class Data:
    """The rows of one side, as lists of texts by table."""

    def __init__(self, side):
        self.side = side
        self.own = random.Random(f"hidden/{side}")
        self.order = random.Random(f"order/{side}")
        self.rows = {}
        hidden = [*ANCHORS, *OTHERS[side]]
        both = random.Random("shown")
        self.people(both, SHOWN, True)
        self.people(self.own, hidden, False)
        # Of each kind: those shown, drawn alike on both sides, then others.
        everybody = [*SHOWN, *ANCHORS]
        self.deeds(both, list(SHOWN), everybody, True, 0)
        self.deeds(self.own, hidden, [*SHOWN, *hidden], False, 100000)
        for i in range(self.own.randrange(3, 9)):
            self.add("staff_notes", False, i, self.word("note"))

    def add(self, table, shown, *values):
        self.rows.setdefault(table, []).append(
            (shown, "(" + ", ".join("NULL" if v is None else f"'{v}'"
                                    for v in values) + ")"))

    def word(self, kind):
        """Says of a hidden value what and where it is."""
        return f"hidden-{self.side}-{kind}-{self.own.randrange(10**6)}"

    def text(self, rng, shown, kind):
        if not shown:
            return self.word(kind)
        return f"{kind} {rng.randrange(30)}"

    def when(self, rng):
        return (f"2026-{rng.randrange(1, 11):02}-{rng.randrange(1, 29):02} "
                f"{rng.randrange(24):02}:{rng.randrange(60):02}:00+00")

    def people(self, rng, ids, shown):
        for i in ids:
            country = (rng.choice(("US", "US", "USA")) if shown else
                       rng.choice(ELSEWHERE[self.side]))
            self.add("users", shown, i, f"shown.{i}" if shown else
                     f"{self.word('handle')}.{i}", country,
                     f"19{rng.randrange(60, 99)}-0{rng.randrange(1, 9)}-11",
                     self.when(rng))
            self.add("profiles", shown, i, self.text(rng, shown, "name"),
                     self.word("email"), self.own.choice(
                         (None, self.word("phone"))),
                     self.text(rng, shown, "bio"),
                     self.text(rng, shown, "interest"))

    def deeds(self, rng, actors, targets, shown, first):
        n = len(actors)
        # Video v belongs to the v-th of everybody: also on the other side.
        for v in actors:
            self.add("videos", shown, v * 10, v, self.text(rng, shown,
                     "title"), self.text(rng, shown, "caption"),
                     rng.choice("tf"), self.when(rng))
        for i in range(first, first + 4 * n):
            self.add("comments", shown, i, rng.choice(targets) * 10,
                     rng.choice(actors), self.text(rng, shown, "body"),
                     self.when(rng))
        for i in range(first, first + 5 * n):
            self.add("watch_events", shown, i, rng.choice(actors),
                     rng.choice(targets) * 10, self.when(rng),
                     rng.randrange(200), self.word("device"),
                     f"192.0.2.{self.own.randrange(256)}", self.word("city"))
        pairs = sorted({(rng.choice(actors), rng.choice(targets))
                        for _ in range(5 * n)})
        for a, b in pairs:
            self.add("likes", shown, a, b * 10, self.when(rng))
            # A row about two is shown where both are.
            if shown and b not in SHOWN:
                continue
            self.add("follows", shown, a, b, self.when(rng))
        for i in range(first, first + 2 * n):
            target = rng.choice([t for t in targets if t in SHOWN] if shown
                                else targets)
            self.add("reports", shown, i, target * 10, rng.choice(actors),
                     self.text(rng, shown, "reason"), f"TS-{i}",
                     rng.choice(("open", "closed")), self.when(rng))
        for i in range(first, first + self.own.randrange(n, 3 * n)):
            self.add("messages", False, i, self.own.choice(actors),
                     self.own.choice(targets), self.word("message"),
                     self.when(self.own))

    def insert(self):
        """SQL: the shown rows in their order, the others in between. COPY
        would fill gaps of earlier pages, and so change the order."""
        out = ["INSERT INTO public.topics VALUES (1, 'music'), (2, 'pets');"]
        for table, rows in self.rows.items():
            places = [(i, 0) for i, r in enumerate(r for r in rows if r[0])]
            shown = [r for r in rows if r[0]]
            mixed = list(zip(places, shown)) + [
                ((self.order.uniform(-1, len(shown)), 1), r)
                for r in rows if not r[0]]
            mixed.sort(key=lambda m: m[0])
            out.append(f"INSERT INTO public.{table} VALUES "
                       + ",\n".join(r[1] for _, r in mixed) + ";")
        return "\n".join(out) + "\n"


class Gateway(demo_world.Gateway):
    def configure(self):
        self.conf.write_text(CONF.format(
            port=self.port, console=self.console,
            store=self.world.stores["us"].port))
        (self.folder / "policy.yaml").write_text(POLICY)

    def logins(self):
        """(role, password) of what `sworn apply` made."""
        import json
        text = (self.folder / "state" / "applied.us.json").read_text()
        return [(x["role"], x["password"]) for x in
                json.loads(text)["logins"]]


class Side(demo_world.World):
    """One store with its gateway."""

    def __init__(self, name, scratch, bin_dir):
        super().__init__(scratch, bin_dir)
        self.name = name
        self.stores = {"us": demo_world.Store("us", self.scratch / "stores",
                                              self.secret)}
        self.gateways = []
        self.gateway = Gateway(self, "gateway")
        self.gateways.append(self.gateway)

    def build(self):
        self.scratch.mkdir(parents=True)
        store = self.stores["us"]
        store.create()
        store.sql("ALTER SYSTEM SET autovacuum = off;\n"
                  "SELECT pg_reload_conf();")
        demo = demo_world.DEMO
        store.psql(["-f", demo / "schema.sql"])
        store.sql(MORE)
        store.psql(["-f", "-"], input=Data(self.name).insert())
        store.psql(["-f", demo / "keys.sql"])
        self.write_passwords()
        self.gateway.create()
        self.gateway.configure()
        self.gateway.apply("us")
        self.gateway.start()

    def role(self):
        """The reader's login: of all, the one that is shown users."""
        rows = self.stores["us"].sql(
            "SELECT schemaname FROM pg_views WHERE viewname = 'users' "
            "AND schemaname ~ '^sworn_[0-9a-f]{16}$'")
        assert len(rows) == 1, rows
        return rows[0][0]


class Pair:
    def __init__(self, scratch, bin_dir):
        self.sides = [Side(n, pathlib.Path(scratch) / n, bin_dir)
                      for n in SIDES]

    def build(self):
        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda s: s.build(), self.sides))
        assert len({s.role() for s in self.sides}) == 1

    def close(self):
        for s in self.sides:
            s.close()

    def sql(self, text):
        """As both stores' administrator."""
        for s in self.sides:
            s.stores["us"].sql(text.format(role=s.role()))

    def readers(self):
        """The reader's sessions through the gateways."""
        return Readers([Reader(s.gateway.dsn(READER, "us", OFFICE, PURPOSE),
                               s.secret[READER]) for s in self.sides])

    def logins(self):
        """The same clearance's sessions with the stores themselves."""
        out = []
        for s in self.sides:
            role = s.role()
            dsn = (f"host=127.0.0.1 port={s.stores['us'].port} dbname=video "
                   f"user={role} sslmode=disable")
            out.append(Reader(dsn, dict(s.gateway.logins())[role]))
        return Readers(out)


# -- what is answered ------------------------------------------------------

@dataclass
class Answer:
    """Everything that a client gets of one statement."""
    parts: list = field(default_factory=list)   # results, in order
    notices: list = field(default_factory=list)
    state: str = ""                             # of the transaction

    def comparable(self, ordered):
        if ordered:
            return self.parts, self.notices, self.state
        parts = [(*p[:-1], sorted(p[-1], key=repr)) for p in self.parts]
        return parts, sorted(self.notices, key=repr), self.state


FIELDS = [f for f in pq.DiagnosticField]
OF_FIELD = ("fname", "ftable", "ftablecol", "fformat", "ftype", "fmod",
            "fsize")


def diagnostics(result):
    return tuple((f.name, result.error_field(f)) for f in FIELDS
                 if result.error_field(f) is not None)


class Reader:
    def __init__(self, dsn, password):
        self.dsn, self.password = dsn, password
        self.connection = None

    def connect(self):
        if self.connection is None or self.connection.closed:
            self.connection = psycopg.connect(
                self.dsn, password=self.password, autocommit=True)
            self.pg = self.connection.pgconn
            self.notices = []
            self.pg.notice_handler = lambda r: self.notices.append(
                diagnostics(r))

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def ask(self, sql, extended=False):
        try:
            self.connect()
        except psycopg.OperationalError as e:
            return Answer([("refused", str(e).split("FATAL:")[-1], [])])
        answer = Answer()
        self.notices.clear()
        text = sql.encode()
        if extended:
            self.pg.send_query_params(text, None)
        else:
            self.pg.send_query(text)
        while (result := self.pg.get_result()) is not None:
            answer.parts.append(self.part(result))
            if answer.parts[-1][0] == "COPY_IN":
                self.pg.put_copy_end(b"no")
        answer.notices = list(self.notices)
        answer.state = pq.TransactionStatus(self.pg.transaction_status).name
        if self.pg.status != pq.ConnStatus.OK:
            self.connection = None
        elif answer.state != "IDLE" and not sql.startswith("BEGIN"):
            self.pg.exec_(b"ROLLBACK")
        return answer

    def part(self, result):
        status = pq.ExecStatus(result.status).name
        if status == "COPY_OUT":
            rows = []
            while (got := self.pg.get_copy_data(0))[0] > 0:
                rows.append(bytes(got[1]))
            return status, (), rows
        if status == "FATAL_ERROR":
            return status, diagnostics(result), []
        columns = tuple(tuple(getattr(result, f)(i) for f in OF_FIELD)
                        for i in range(result.nfields))
        rows = [tuple(result.get_value(r, c) for c in range(result.nfields))
                for r in range(result.ntuples)]
        return status, (columns, result.command_status), rows


class Readers:
    """The same reader on both sides."""

    def __init__(self, readers):
        self.both = readers

    def close(self):
        for r in self.both:
            r.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def differ(self, sql, ordered=True, extended=False):
        """None, or what was answered on either side. It is a difference
        too if a hidden value comes out on both."""
        answers = [r.ask(sql, extended) for r in self.both]
        self.answers, self.last = answers, answers[0]
        a, b = (x.comparable(ordered) for x in answers)
        told = b"hidden-" in repr((a, b)).encode() and "hidden-" not in sql
        if a == b and not told:
            return None
        left, right = shorten(flat(a), flat(b))
        return f"{sql}\n  left:  {left}\n  right: {right}"


def flat(answer):
    """The leaves of nested tuples and lists, in order."""
    if not isinstance(answer, (tuple, list)):
        return [answer]
    return [x for part in answer for x in flat(part)]


def shorten(a, b, before=3, after=12):
    """What surrounds the first difference, for people."""
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
              min(len(a), len(b)))
    if a == b:
        at = next((i for i, x in enumerate(a) if b"hidden-" in repr(
            x).encode()), 0)
    return a[max(0, at - before):at + after], b[max(0, at - before):at + after]
