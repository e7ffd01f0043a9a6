"""Masks on a real server: what a column shows is what Python works out from
the plain value, its type is still the column's, and whatever a reader does
with it meets the masked value."""
import datetime
import decimal
import hmac
import ipaddress
import math
import re
import uuid

import psycopg
import pytest
import world
from test_apply import Store, make  # noqa: F401

D = decimal.Decimal
UTC = datetime.timezone.utc


def text_hmac(key, value):
    return hmac.digest(key, str(value).encode(), "sha256")


def digits(key, v):
    return text_hmac(key, v).hex()[:24]


def number(key, v):
    return int.from_bytes(text_hmac(key, v)[:8], "big") & (2 ** 63 - 1)


def toward_zero(step):
    return lambda k, v: (abs(v) // step) * step * (1 if v >= 0 else -1)


def decimal_step(step):
    def mask(key, v):
        if not math.isfinite(v):
            return v
        return type(v)(int(D(str(v)) / D(step)) * D(step))
    return mask


def network(bits):
    def mask(key, v):
        n = ipaddress.ip_interface(str(v))
        bits_of = bits if n.version == 4 else 2 * bits
        return ipaddress.ip_network(f"{n.ip}/{bits_of}", strict=False)
    return mask


def part(first, n):
    def mask(key, v):
        if len(v) < 2 * n:
            return "***"
        return v[:n] + "***" if first else "***" + v[-n:]
    return mask


def utc_day(key, v):
    v = v.astimezone(UTC)
    return v.replace(hour=0, minute=0, second=0, microsecond=0)


# Column, its type, its mask, two plain values, and what each shows.
COLUMNS = [
    ("email", "varchar(40) NOT NULL", "pseudonym",
     ("a@example.org", "é@example.org"), digits),
    ("uid", "uuid", "pseudonym",
     (uuid.UUID(int=5), uuid.UUID(int=2 ** 127)),
     lambda k, v: uuid.UUID(bytes=text_hmac(k, v)[:16])),
    ("n4", "integer", "pseudonym", (7, -7), number),
    ("n8", "bigint", "pseudonym", (7, 2 ** 62), number),
    ("raw", "bytea", "pseudonym", (b"", b"\x00\xff" * 50),
     lambda k, v: hmac.digest(k, v, "sha256")),
    ("phone", "varchar(12)", "{last: 4}", ("+49301234567", "1234567"),
     part(False, 4)),
    ("iban", "text", "{first: 2}", ("DE89370400440532013000", "DEÜ"),
     part(True, 2)),
    ("born", "date", "{round: year}",
     (datetime.date(1986, 12, 31), datetime.date(1, 1, 2)),
     lambda k, v: v.replace(month=1, day=1)),
    ("week", "date", "{round: week}",
     (datetime.date(2026, 11, 22), datetime.date(2026, 11, 23)),
     lambda k, v: v - datetime.timedelta(days=v.weekday())),
    ("seen", "timestamptz", "{round: day}",
     (datetime.datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC),
      datetime.datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)), utc_day),
    ("at", "timestamp(3)", "{round: hour}",
     (datetime.datetime(2026, 3, 1, 4, 59, 59, 999000),
      datetime.datetime(1999, 3, 1, 5)),
     lambda k, v: v.replace(minute=0, second=0, microsecond=0)),
    ("age", "integer NOT NULL", "{round: 10}", (39, -39), toward_zero(10)),
    ("tiny", "smallint", "{round: 1000}", (-32768, 999), toward_zero(1000)),
    ("big", "bigint", "{round: 7}", (-2 ** 63, 2 ** 63 - 1), toward_zero(7)),
    ("income", "numeric(12,2)", "{round: 0.5}", (D("99999.99"), D("-0.49")),
     decimal_step("0.5")),
    ("lat", "double precision", "{round: 0.1}", (52.5163, math.inf),
     decimal_step("0.1")),
    ("ip", "inet", "{network: 16}",
     ("192.0.2.77", "2001:db8:1:2::5/64"), network(16)),
    ("net", "cidr", "{network: 8}", ("192.0.2.0/24", "2001:db8::/48"),
     network(8)),
    ("word", "varchar(3)", "{constant: hidden}", ("abc", "d"),
     lambda k, v: "hidden"),
    ("seven", "integer", '{constant: "7"}', (1, 2), lambda k, v: 7),
    ("gone", "integer NOT NULL", "null", (1, 2), lambda k, v: None),
    ("usual", "text", "constant", ("abc", "d"), lambda k, v: "***"),
]
# Columns that are never NULL stay so, of types that have no '***'.
NEVER = ["boolean", "integer", "numeric(5,1)", "real", "money", "date",
         "timestamptz", "timestamp", "time", "timetz", "interval", "uuid",
         "json", "jsonb", "text[]", "int4range", "inet", "bytea", "mood",
         "point", "macaddr", "varchar(2)", "char(4)", "small_int"]


def tables():
    names = ", ".join(f"{n} {t}" for n, t, *_ in COLUMNS)
    never = ", ".join(f"c{i} {t} NOT NULL" for i, t in enumerate(NEVER))
    return f"""
    CREATE TYPE mood AS ENUM ('calm', 'cross');
    CREATE DOMAIN small_int AS integer CHECK (VALUE > 5);
    CREATE TABLE profiles (id int PRIMARY KEY, user_id int, {names});
    CREATE TABLE contacts (id int PRIMARY KEY, user_id int, who text);
    CREATE TABLE never (id int PRIMARY KEY, user_id int, {never});
    CREATE INDEX profiles_email ON profiles (email);
    CREATE INDEX profiles_age ON profiles (age);
    """


NEVER_ROW = """'true', '1', '1.5', '1.5', '1', '1980-01-01', '1980-01-01Z',
    '1980-01-01', '01:02', '01:02+01', '1h',
    'c0ffee00-0000-0000-0000-000000000000', '{"a": 1}', '{"a": 1}', '{x}',
    '[1,5]', '192.0.2.1', '\\x01', 'cross', '(1,2)', '08:00:2b:01:02:03',
    'ab', 'abcd', '77'"""


def catalog(masks=None, category="constant"):
    own = "".join(f", {n}: {{category: contact, mask: {masks or m}}}"
                  for n, _, m, *_ in COLUMNS)
    never = "".join(f", c{i}: contact" for i in range(len(NEVER)))
    return world.catalog("column").replace(
        "\nsubjects:", f"\nmasks: {{contact: {category}}}\nsubjects:"
    ).replace("tables:\n", f"""tables:
  public.profiles: {{subject: user_id, columns: {{id: technical,
      user_id: technical{own}}}}}
  public.contacts: {{subject: user_id, columns: {{id: technical,
      who: {{category: contact, mask: pseudonym}}}}}}
  public.never: {{subject: user_id, columns: {{id: technical{never}}}}}
""")


def fill(s):
    with s.admin() as c:
        names = [n for n, *_ in COLUMNS]
        slots = ", ".join(["%s"] * (len(names) + 2))
        for row in (0, 1):
            c.execute(f"INSERT INTO profiles (id, user_id, "
                      f"{', '.join(names)}) VALUES ({slots})",
                      [row, 1, *(v[row] for *_, v, _ in COLUMNS)])
        empty = [v[0] if "NOT NULL" in t else None
                 for _, t, _, v, _ in COLUMNS]
        c.execute(f"INSERT INTO profiles (id, user_id, {', '.join(names)}) "
                  f"VALUES ({slots})", [2, 1, *empty])
        # One of another residence: IE, not shown to who sees US only.
        c.execute("INSERT INTO profiles (id, user_id, email, age, gone, "
                  "iban) VALUES (9, 3, 'hidden@example.org', 64, 1, "
                  "'mark-hidden')")
        c.execute("INSERT INTO contacts VALUES (1, 1, 'a@example.org'), "
                  "(2, 1, 'nobody@example.org')")
        c.execute(f"INSERT INTO never VALUES (1, 1, {NEVER_ROW})")
        c.execute("ANALYZE")


@pytest.fixture(scope="module")
def one(server, sworn, tmp_path_factory):
    s = Store(server, sworn, tmp_path_factory.mktemp("masks"),
              before=tables())
    (s.folder / "catalog.yaml").write_text(catalog())
    fill(s)
    s.apply()
    yield s
    s.apply("--remove")


def admin_login(s):
    """The login that sees everything, the contacts masked."""
    with s.admin() as c:
        (role,) = c.execute("SELECT schemaname FROM pg_views WHERE viewname "
                            "= 'profiles'").fetchone()
    return role


def key_of(s):
    with s.admin() as c:
        inner, outer = c.execute("SELECT inner_pad, outer_pad FROM "
                                 "sworn.pseudonym_key").fetchone()
    key = bytes(b ^ 0x36 for b in inner)
    assert key == bytes(b ^ 0x5c for b in outer) and len(key) == 64
    assert key[32:] == bytes(32) and len(set(key[:32])) > 10
    return key[:32]


def reader(s):
    return s.server.connect(s.database, admin_login(s))


@pytest.mark.parametrize("column", [c[0] for c in COLUMNS])
def test_mask_shows_what_it_says_of_each_value(one, column):
    name, typ, mask, values, want = next(c for c in COLUMNS
                                         if c[0] == column)
    key = key_of(one)
    always = mask in ("null", "constant") or "constant" in mask
    with reader(one) as c:
        rows = c.execute(f"SELECT id, {name} FROM profiles WHERE id < 3 "
                         "ORDER BY id").fetchall()
    for i in (0, 1):
        got = rows[i][1]
        if name in ("ip", "net"):
            got = ipaddress.ip_network(str(got))
        assert got == want(key, values[i]), (name, values[i])
    if "NOT NULL" not in typ or mask == "null":
        assert rows[2][1] == (want(key, None) if always else None)


def oids(conn, sql):
    """What a client gets that prepares and describes before it executes."""
    pg = conn.pgconn
    assert pg.prepare(b"", sql.encode()).error_message == b""
    d = pg.describe_prepared(b"")
    return [(d.fname(i).decode(), d.ftype(i)) for i in range(d.nfields)]


def test_described_types_are_the_columns_own(one):
    with one.admin() as a, reader(one) as c:
        for table in ("profiles", "never", "contacts"):
            shown = oids(c, f"SELECT * FROM {table}")
            names = ", ".join(n for n, _ in shown)
            plain = oids(a, f"SELECT {names} FROM public.{table}")
            changed = {n: t for (n, t), (_, p) in zip(shown, plain)
                       if t != p}
            # An integer's pseudonym is a bigint; of a domain, its base.
            assert changed == ({"n4": 20} if table == "profiles" else {})


def test_what_drivers_ask_of_the_catalogs_is_the_columns_own_type(one):
    ask = """SELECT a.attname, t.typname, a.attnum FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_type t ON t.oid = a.atttypid
        WHERE c.oid = 'profiles'::regclass AND a.attnum > 0
        ORDER BY a.attnum"""
    with one.admin() as a, reader(one) as c:
        a.execute("SET search_path = public")
        plain, shown = (x.execute(ask).fetchall() for x in (a, c))
    assert [x for x in zip(plain, shown) if x[0] != x[1]] == [
        (("n4", "int4", 5), ("n4", "int8", 5))]


def test_columns_that_are_never_null_show_no_null(one):
    with reader(one) as c:
        cur = c.execute("SELECT * FROM never")
        row = cur.fetchone()
        shown = dict(zip((d.name for d in cur.description), row))
        c.execute("SELECT c7::text, c18::text FROM never")
    assert len(shown) == len(NEVER) + 1
    assert [n for n, v in shown.items() if v is None] == []
    assert shown["c18"] == "calm" and shown["c1"] == 0
    # Nothing of the plain row is in it.
    assert not [v for v in map(str, row) if re.search("1980|c0ffee|77|cross",
                                                      v)]


def test_pseudonyms_join_across_tables_and_not_across_stores(
        one, make):  # noqa: F811
    with reader(one) as c:
        assert c.execute("SELECT p.id, t.id FROM profiles p JOIN contacts t "
                         "ON t.who = p.email ORDER BY 1").fetchall() == [
                             (0, 1), (2, 1)]
        ours = set(c.execute("SELECT who FROM contacts").fetchall())
    other = make(before=tables())
    (other.folder / "catalog.yaml").write_text(catalog())
    fill(other)
    other.apply()
    with reader(other) as c:
        theirs = set(c.execute("SELECT who FROM contacts").fetchall())
    assert len(ours) == len(theirs) == 2 and not ours & theirs


def test_pseudonyms_stay_when_the_base_is_made_again_and_go_by_remove(
        make):  # noqa: F811
    s = make(before=tables())
    (s.folder / "catalog.yaml").write_text(catalog())
    fill(s)
    s.apply()
    key = key_of(s)
    (s.folder / "catalog.yaml").write_text(
        re.sub(r"  public\.videos.*?\n.*?\n", "", catalog(), count=1).replace(
            "{column: video_id, via: public.videos, key: id}", "reporter_id")
        .replace("- reporter_id\n      - reporter_id", "- reporter_id"))
    assert re.search(r"3 new|2 new", s.apply())
    assert key_of(s) == key
    s.apply("--remove")
    s.apply()
    assert key_of(s) != key


SPY = """
CREATE SCHEMA tools; GRANT USAGE ON SCHEMA tools TO PUBLIC;
CREATE FUNCTION tools.spy(anyelement) RETURNS boolean LANGUAGE plpgsql
    COST 0.0000001 AS $$BEGIN RAISE NOTICE 'spied %', $1; RETURN true; END$$;
"""

# SQL of a reader who guesses or provokes, and the SQLSTATE it ends with.
PROBES = {
    "guess by equality": ("SELECT id FROM profiles WHERE email = "
                          "'a@example.org'", None),
    "guess by range": ("SELECT id FROM profiles WHERE age BETWEEN 31 AND 39",
                       None),
    "guess by like": ("SELECT id FROM profiles WHERE phone LIKE '+49%'",
                      None),
    "guess by join": ("SELECT p.id FROM profiles p JOIN (VALUES "
                      "('+49301234567')) v(x) ON v.x = p.phone", None),
    "guess by in": ("SELECT id FROM profiles WHERE age IN (39)", None),
    "guess by group": ("SELECT age FROM profiles GROUP BY age HAVING age % "
                       "10 <> 0", None),
    "guess by date": ("SELECT id FROM profiles WHERE born > '1986-06-01' "
                      "AND born < '1987-01-01'", None),
    "guess in a whole row": ("SELECT id FROM profiles p WHERE p::text LIKE "
                             "'%30123%'", None),
    "guess in json": ("SELECT id FROM profiles p WHERE to_jsonb(p)->>'age' "
                      "= '39'", None),
    "cast": ("SELECT email::int FROM profiles", "22P02"),
    "cast in where": ("SELECT 1 FROM profiles WHERE phone::uuid IS NULL",
                      "22P02"),
    "division": ("SELECT 1 / (age - 39) FROM profiles WHERE id = 0", None),
    "key": ("SELECT * FROM sworn.pseudonym_key", "42501"),
    "key by name in a function": (
        "SELECT query_to_xml('SELECT * FROM sworn.pseudonym_key', true, "
        "true, '')", "42501"),
    "spy": ("SELECT id FROM profiles WHERE tools.spy(email) AND "
            "tools.spy(phone) AND tools.spy(born) AND tools.spy(age) AND "
            "tools.spy(seen) AND tools.spy(iban)", None),
    "spy in a join": ("SELECT p.id FROM profiles p JOIN contacts t ON "
                      "tools.spy(p.email || t.who)", None),
    "statistics": ("SELECT most_common_vals::text, histogram_bounds::text "
                   "FROM pg_stats WHERE tablename = 'profiles' AND "
                   "attname IN ('email', 'phone', 'iban', 'age')", None),
}
# What must not come back: plain values, and the row of another residence.
PLAIN = ["a@example.org", "30123", "370400", "1986-12-31", "hidden@",
         "mark-hidden", "00:00:01"]


@pytest.mark.parametrize("name", PROBES)
def test_probing_meets_the_masked_value(one, name):
    sql, want = PROBES[name]
    with one.admin() as a:
        a.execute("DROP SCHEMA IF EXISTS tools CASCADE;" + SPY)
    said, state = [], None
    with reader(one) as c:
        c.add_notice_handler(lambda d: said.append(str(d.message_primary)))
        try:
            said += [str(r) for r in c.execute(sql).fetchall()]
            if name.startswith("guess"):
                assert said == []
        except psycopg.Error as e:
            state = e.sqlstate
            said += [str(getattr(e.diag, f)) for f in dir(e.diag)
                     if not f.startswith("_")]
    assert state == want, said
    assert not [p for p in PLAIN if p in "\n".join(said)], said
    if name.startswith("spy"):
        assert len(said) > 5
    with one.admin() as a:
        a.execute("DROP SCHEMA tools CASCADE")


def test_order_is_the_masked_values(one):
    with reader(one) as c:
        c.execute("SET enable_seqscan = off")
        # 39 and 39 are one value, -39 another, whatever lies between.
        assert c.execute("SELECT array_agg(DISTINCT age ORDER BY age) FROM "
                         "profiles WHERE id < 3").fetchone() == ([-30, 30],)
        assert c.execute("SELECT min(phone), max(phone) FROM profiles"
                         ).fetchone() == ("***", "***4567")


@pytest.mark.parametrize("where", ["email = 'a@example.org'", "age = 39",
                                   "age > 30"])
def test_index_of_the_plain_column_does_not_serve_the_masked_one(one, where):
    with reader(one) as c:
        c.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        plan = "\n".join(r[0] for r in c.execute(
            f"EXPLAIN SELECT id FROM profiles WHERE {where}"))
    assert "profiles_email" not in plan and "profiles_age" not in plan, plan


@pytest.mark.parametrize("zone", ["America/New_York", "<x>-03:17", "UTC"])
def test_coarse_time_does_not_move_with_the_sessions_zone(one, zone):
    with reader(one) as c:
        c.execute("SELECT set_config('TimeZone', %s, false)", (zone,))
        assert c.execute(
            "SELECT count(DISTINCT seen), bool_and(seen = '2026-03-01Z') "
            "FROM profiles").fetchone() == (1, True)
        assert c.execute("SELECT born::text FROM profiles WHERE id = 0"
                         ).fetchone() == ("1986-01-01",)


def test_no_function_computes_a_pseudonym_for_a_reader(one):
    """With one, every address there is could be tried."""
    with one.admin() as a:
        assert a.execute(
            "SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n "
            "ON n.oid = p.pronamespace WHERE n.nspname ~ '^sworn' AND "
            "p.prorettype <> 'trigger'::regtype"
        ).fetchall() == []
        role = admin_login(one)
        assert a.execute(
            "SELECT has_table_privilege(%s, 'sworn.pseudonym_key', 'SELECT')"
            ", has_schema_privilege(%s, 'sworn', 'USAGE'), "
            "has_table_privilege(%s, 'sworn.pseudonym_key', 'SELECT')",
            (role, role, role + "_own")).fetchone() == (False, False, True)
        key = key_of(one).hex()
        for text in a.execute("SELECT pg_get_viewdef(oid) FROM pg_class "
                              "WHERE relkind = 'v'").fetchall():
            assert key[:16] not in (text[0] or "")


def test_drift_finds_a_key_that_others_may_read(one):
    with one.admin() as a:
        a.execute("GRANT SELECT ON sworn.pseudonym_key TO PUBLIC")
        try:
            said = one.sworn("drift", "-c", one.folder / "sworn.conf",
                             one.name, "--admin",
                             one.server.dsn(one.database), expect=1)
        finally:
            a.execute("REVOKE SELECT ON sworn.pseudonym_key FROM PUBLIC")
    assert "the ways to residences" in said


MISFITS = {
    "pseudonym": "born lat at ip net income seen week",
    "{last: 4}": "born lat n4 uid raw age ip seen",
    "{round: day}": "born email age lat week",
    "{round: month}": "email age lat",
    "{round: 0.5}": "age n4 n8 tiny big email born",
    "{round: 1}": "age n4 tiny big",
    "{network: 8}": "email age born",
}


@pytest.mark.parametrize("mask", MISFITS)
def test_mask_that_does_not_fit_is_refused_by_column(one, mask):
    text = (one.folder / "catalog.yaml").read_text()
    (one.folder / "catalog.yaml").write_text(catalog(masks=mask))
    try:
        said = one.apply(expect=1)
    finally:
        (one.folder / "catalog.yaml").write_text(text)
    for name in MISFITS[mask].split():
        assert f"public.profiles.{name} is of type" in said, said
    assert "nothing was changed" in said
    if mask == "pseudonym":
        for name in ("email", "uid", "n4", "raw", "phone"):
            assert f"profiles.{name} " not in said


@pytest.mark.parametrize("mask, words", [
    ("{constant: abc}", 'invalid input syntax for type'),
])
def test_constant_that_the_type_does_not_read_is_refused(one, mask, words):
    text = (one.folder / "catalog.yaml").read_text()
    (one.folder / "catalog.yaml").write_text(
        text.replace('{constant: "7"}', mask))
    try:
        said = one.apply(expect=1)
    finally:
        (one.folder / "catalog.yaml").write_text(text)
    assert "public.profiles.seven" in said and words in said


def test_mask_of_a_category_holds_where_a_column_has_none_of_its_own(
        make):  # noqa: F811
    s = make(before=tables())
    text = catalog(category="pseudonym")
    # Types that no pseudonym fits have masks of their own.
    text = text.replace("born: contact", "born: {category: contact, "
                        "mask: {round: quarter}}")
    text = re.sub(r"  public\.never:.*\n", "", text)
    (s.folder / "catalog.yaml").write_text(text)
    fill(s)
    s.apply()
    role = admin_login(s)
    key = key_of(s)
    with s.server.connect(s.database, role) as c:
        email, born = c.execute("SELECT email, born FROM users WHERE id = 1"
                                ).fetchone()
        assert email == digits(key, "mark-email-1")
        assert born == datetime.date(1961, 1, 1)
    # Another mask is another clearance.
    (s.folder / "catalog.yaml").write_text(text.replace("quarter", "month"))
    s.apply()
    assert admin_login(s) != role
