"""A reader's statements, made up: statement(seed, n) is always the same.

Where PostgreSQL defines an order it is asked for or the rows are compared as
a set; LIMIT comes only with an order over every column. What may fail on a
row (casts, divisions) stands in statements of one table, where the row that
fails first is the same in both stores.
"""
import random
from dataclasses import dataclass

INT, TEXT, TIME, BOOL = "int", "text", "time", "bool"

TABLES = {
    "users": {"id": INT, "handle": TEXT, "born": TIME, "joined": TIME},
    "profiles": {"user_id": INT, "display_name": TEXT, "email": TEXT,
                 "phone": TEXT, "bio": TEXT, "interests": TEXT},
    "videos": {"id": INT, "owner_id": INT, "title": TEXT, "caption": TEXT,
               "hidden": BOOL, "created": TIME},
    "comments": {"id": INT, "video_id": INT, "author_id": INT, "body": TEXT,
                 "created": TIME},
    "likes": {"user_id": INT, "video_id": INT, "created": TIME},
    "follows": {"follower_id": INT, "followed_id": INT, "created": TIME},
    "watch_events": {"id": INT, "user_id": INT, "video_id": INT,
                     "watched": TIME, "seconds": INT},
    "reports": {"id": INT, "video_id": INT, "reporter_id": INT,
                "reason": TEXT, "ticket": TEXT, "state": TEXT,
                "created": TIME},
    "topics": {"id": INT, "name": TEXT},
}
# Columns that hold the id of a user, and of a video.
USERS = {"users": ["id"], "profiles": ["user_id"], "videos": ["owner_id"],
         "comments": ["author_id"], "likes": ["user_id"],
         "follows": ["follower_id", "followed_id"],
         "watch_events": ["user_id"], "reports": ["reporter_id"]}
VIDEOS = {"videos": ["id"], "comments": ["video_id"], "likes": ["video_id"],
          "watch_events": ["video_id"], "reports": ["video_id"]}

# What the reader has no name for, or must not have.
HIDDEN = ["messages", "public.messages", "staff_notes", "public.staff_notes",
          "public.users", "public.profiles", 'sworn."public.users"',
          "sworn.state", "sworn.row_security", "pg_stats", "pg_statistic",
          "pg_stat_user_tables", "pg_catalog.pg_stat_all_tables",
          "pg_catalog.pg_statio_user_tables", "pg_stat_activity", "pg_locks",
          "pg_authid", "pg_shadow", "pg_largeobject", "pg_stats_ext",
          "pg_statistic_ext_data", "pg_stat_database", "pg_sequences",
          "comments_id_seq", "public.comments_id_seq", "pg_class",
          "information_schema.columns", "pg_user_mapping", "nothing_at_all",
          "pg_subscription", "pg_prepared_statements", "pg_hba_file_rules"]
HIDDEN_COLUMNS = [("watch_events", "device"), ("watch_events", "ip"),
                  ("watch_events", "city"), ("users", "country"),
                  ("users", "xmin"),
                  ("users", "ctid"), ("users", "tableoid"),
                  ("users", "password"), ("profiles", "ctid")]
CATALOGS = [
    "SELECT relname, relkind FROM pg_class WHERE relnamespace = "
    "to_regnamespace(current_schema()) ORDER BY 1",
    "SELECT c.relname, c.oid FROM pg_catalog.pg_class c ORDER BY 1, 2",
    "SELECT attname, attnum, atttypid FROM pg_attribute WHERE attrelid = "
    "'{table}'::regclass ORDER BY attnum",
    "SELECT * FROM pg_attribute ORDER BY attrelid, attnum",
    "SELECT table_name, column_name, data_type FROM "
    "information_schema.columns ORDER BY 1, 2",
    "SELECT * FROM information_schema.tables ORDER BY table_schema, "
    "table_name",
    "SELECT * FROM information_schema.role_table_grants "
    "ORDER BY table_schema, table_name, privilege_type",
    "SELECT * FROM pg_roles ORDER BY rolname",
    "SELECT * FROM pg_policies ORDER BY tablename, policyname",
    "SELECT * FROM pg_views WHERE viewname = '{table}' ORDER BY 1",
    "SELECT * FROM pg_tables ORDER BY schemaname, tablename",
    "SELECT * FROM pg_sequences ORDER BY 1, 2",
    "SELECT * FROM pg_indexes ORDER BY 1, 2, 3",
    "SELECT * FROM pg_constraint ORDER BY oid",
    "SELECT * FROM pg_depend ORDER BY classid, objid, objsubid, refclassid, "
    "refobjid, refobjsubid, deptype",
    "SELECT * FROM pg_statistic_ext ORDER BY oid",
    "SELECT * FROM pg_sequence ORDER BY seqrelid",
    "SELECT * FROM pg_type ORDER BY oid",
    "SELECT * FROM pg_proc WHERE proname = 'lookup'",
    "SELECT datname, datallowconn FROM pg_database ORDER BY 1",
    "SELECT pg_get_viewdef('{table}'::regclass)",
    "SELECT has_table_privilege('{hidden}', 'SELECT')",
    "SELECT '{hidden}'::regclass::oid",
    "SELECT reltuples, relpages FROM pg_class ORDER BY 1",
    "SELECT sum(c.reltuples) FROM pg_class c",
    "SELECT * FROM pg_class ORDER BY oid",
    "SELECT row_to_json(c) FROM pg_class c ORDER BY c.oid",
    "SELECT pg_relation_size('public.{table}')",
    "SELECT pg_total_relation_size('public.{table}'::regclass)",
    "SELECT pg_database_size(current_database())",
    "SELECT pg_stat_get_live_tuples('public.{table}'::regclass)",
    "SELECT last_value FROM public.comments_id_seq",
    "SELECT pg_sequence_last_value('public.comments_id_seq')",
]


@dataclass
class Statement:
    sql: str
    ordered: bool = True
    extended: bool = False
    query: bool = True          # also for the store itself, not to be refused


class Maker:
    def __init__(self, seed, n, kinds=None):
        self.r = random.Random(f"{seed}/{n}")
        self.kinds = kinds or KINDS
        self.risky = False

    def pick(self, *options):
        return self.r.choice(options)

    # Expressions: of a kind, over columns [(name, kind)].

    def literal(self, kind):
        if kind == INT:
            return str(self.pick(0, 1, 2, 7, 40, 41, 45, 410, 1005, 2005,
                                 self.r.randrange(500)))
        if kind == TEXT:
            return self.pick("''", "'US'", "'DE'", "'***'", "'shown.7'",
                             "'%1%'", "'open'", "'hid%'", "'x'", "NULL")
        if kind == TIME:
            return self.pick("'2026-06-01'::timestamptz", "NULL::timestamptz",
                             "'1975-01-01'::timestamptz")
        return self.pick("true", "false", "NULL::boolean")

    def expression(self, kind, columns, depth=2):
        fitting = [c for c, k in columns if k == kind]
        if depth == 0 or self.r.random() < 0.3:
            return self.r.choice(fitting) if fitting and \
                self.r.random() < 0.85 else self.literal(kind)
        e = lambda k: self.expression(k, columns, depth - 1)  # noqa: E731
        make = {
            INT: [lambda: f"({e(INT)} + {e(INT)})",
                  lambda: f"({e(INT)} - {e(INT)})",
                  lambda: f"length({e(TEXT)})",
                  lambda: f"coalesce({e(INT)}, {e(INT)})",
                  lambda: f"extract(year FROM {e(TIME)})::int",
                  lambda: f"strpos({e(TEXT)}, {e(TEXT)})",
                  lambda: f"CASE WHEN {e(BOOL)} THEN {e(INT)} ELSE {e(INT)} "
                          "END",
                  lambda: self.scalar(INT)],
            TEXT: [lambda: f"lower({e(TEXT)})", lambda: f"upper({e(TEXT)})",
                   lambda: f"({e(TEXT)} || {e(TEXT)})",
                   lambda: f"left({e(TEXT)}, 5)",
                   lambda: f"({e(INT)})::text", lambda: f"md5({e(TEXT)})",
                   lambda: f"replace({e(TEXT)}, 'a', {e(TEXT)})",
                   lambda: f"regexp_replace({e(TEXT)}, '[0-9]', 'n')",
                   lambda: f"coalesce({e(TEXT)}, {e(TEXT)})",
                   lambda: f"to_char({e(TIME)}, 'YYYY-MM')",
                   lambda: self.scalar(TEXT)],
            TIME: [lambda: f"date_trunc('month', ({e(TIME)})::timestamptz)",
                   lambda: f"(({e(TIME)})::timestamptz + '1 day'::interval)"],
            BOOL: [lambda: f"({e(INT)} {self.compare()} {e(INT)})",
                   lambda: f"({e(TEXT)} {self.compare()} {e(TEXT)})",
                   lambda: f"({e(TEXT)} LIKE {e(TEXT)})",
                   lambda: f"({e(self.kind())} IS NULL)",
                   lambda: f"({e(BOOL)} AND {e(BOOL)})",
                   lambda: f"({e(BOOL)} OR {e(BOOL)})",
                   lambda: f"(NOT {e(BOOL)})",
                   lambda: f"({e(INT)} BETWEEN {e(INT)} AND {e(INT)})",
                   lambda: f"({e(INT)} IN ({self.subquery(INT)}))",
                   lambda: f"EXISTS ({self.subquery(INT)})",
                   lambda: f"({e(INT)} NOT IN ({self.subquery(INT)}))"],
        }[kind]
        if self.risky and self.r.random() < 0.3:
            make = {INT: [lambda: f"({e(TEXT)})::int",
                          lambda: f"({e(INT)} / {e(INT)})"],
                    TIME: [lambda: f"({e(TEXT)})::timestamptz"],
                    BOOL: [lambda: f"({e(TEXT)})::boolean"],
                    TEXT: [lambda: f"({e(TEXT)})::json::text",
                           lambda: f"chr({e(INT)} - 40)"]}[kind]
        return self.r.choice(make)()

    def compare(self):
        return self.pick("=", "<>", "<", ">", "<=", ">=")

    def kind(self):
        return self.pick(INT, TEXT, TIME, BOOL)

    def table(self):
        return self.r.choice(list(TABLES))

    def scalar(self, kind):
        t = self.table()
        c = self.columns(t, "q")
        what = self.expression(kind, c, 1)
        return f"(SELECT max({what}) FROM {t} q WHERE " \
               f"{self.expression(BOOL, c, 1)})"

    def subquery(self, kind):
        t = self.table()
        c = self.columns(t, "s")
        return (f"SELECT {self.expression(kind, c, 1)} FROM {t} s WHERE "
                f"{self.expression(BOOL, c, 1)}")

    def columns(self, table, alias):
        return [(f"{alias}.{c}", k) for c, k in TABLES[table].items()]

    def selected(self, columns):
        kinds = [self.kind() for _ in range(self.r.randrange(1, 4))]
        return [self.expression(k, columns) for k in kinds], kinds

    def order(self, n, sql):
        """Over all columns, or compared as a set."""
        if self.r.random() < 0.5:
            return Statement(sql, ordered=False)
        by = [str(i + 1) + self.pick("", " DESC", " NULLS FIRST")
              for i in range(n)]
        self.r.shuffle(by)
        limit = self.pick("", " LIMIT 5", " LIMIT 3 OFFSET 2",
                          " FETCH FIRST 4 ROWS WITH TIES")
        return Statement(f"{sql} ORDER BY {', '.join(by)}{limit}")

    # Kinds of statement.

    def simple(self):
        self.risky = self.r.random() < 0.5
        t = self.table()
        c = self.columns(t, "a")
        if self.risky:
            # One place that may fail, and nothing for it to race with.
            what = self.expression(self.kind(), c, 1)
            return Statement(f"SELECT {what} FROM {t} a", ordered=False)
        what, _ = self.selected(c)
        return self.order(len(what), f"SELECT {self.pick('', 'DISTINCT ')}"
                          f"{', '.join(what)} FROM {t} a WHERE "
                          f"{self.expression(BOOL, c)}")

    def risk(self):
        """Casts in WHERE, where a filter that comes late lets rows fail."""
        self.risky = True
        t = self.table()
        c = self.columns(t, "a")
        # Masked columns are constants: see test_functions_calls_are_counted.
        text = [x for x, k in c if k == TEXT and
                x not in ("a.email", "a.phone")] or ["a.created::text"]
        test = self.pick("({x})::int > 0", "({x})::date < now()",
                         "1 / (length({x}) - 7) >= 0",
                         "({x})::inet IS NULL", "({x})::json IS NULL",
                         "public.peek({x})", "chr(40 - length({x})) > 'a'")
        return Statement(f"SELECT count(*) FROM {t} a WHERE "
                         + test.format(x=self.r.choice(text)),
                         ordered="peek" not in test)

    def sequel(self):
        """Two statements in one text."""
        return Statement(f"{self.simple().sql}; {self.join().sql}",
                         ordered=False)

    def joined(self, n):
        keys = self.pick(USERS, VIDEOS)
        tables = [self.r.choice(list(keys)) for _ in range(n)]
        columns, text = [], ""
        for i, t in enumerate(tables):
            alias = "abcd"[i]
            columns += self.columns(t, alias)
            if i == 0:
                text = f"{t} {alias}"
                continue
            kind = self.pick("JOIN", "LEFT JOIN", "FULL JOIN", "RIGHT JOIN")
            text += (f" {kind} {t} {alias} ON "
                     f"a.{self.r.choice(keys[tables[0]])} = "
                     f"{alias}.{self.r.choice(keys[t])}")
        return text, columns

    def join(self):
        text, c = self.joined(self.pick(2, 2, 3))
        what, _ = self.selected(c)
        return self.order(len(what), f"SELECT {', '.join(what)} FROM {text} "
                          f"WHERE {self.expression(BOOL, c)}")

    def group(self):
        text, c = self.joined(self.pick(1, 2))
        by = self.expression(self.kind(), c, 1)
        have = self.pick("", " HAVING count(*) > 2",
                         f" HAVING max({self.expression(INT, c, 1)}) > 3")
        what = [by, "count(*)", f"sum({self.expression(INT, c, 1)})",
                f"min({self.expression(TEXT, c, 1)})",
                f"count(DISTINCT {self.expression(INT, c, 1)})",
                f"string_agg({(x := self.expression(TEXT, c, 1))}, ',' "
                f"ORDER BY {x})"]
        over = self.pick("{}", "ROLLUP ({})", "CUBE ({})").format("1")
        if not over[0].isdigit():
            over = over.replace("1", by)
            if by in ("NULL",) or by.startswith("'") or by.isdigit():
                over = "1"
        return self.order(len(what), f"SELECT {', '.join(what)} FROM {text} "
                          f"GROUP BY {over}{have}")

    def setop(self):
        kinds = [self.kind() for _ in range(2)]

        def one():
            t = self.table()
            c = self.columns(t, "a")
            what = ", ".join(self.typed(k, c) for k in kinds)
            return f"SELECT {what} FROM {t} a"
        op = self.pick("UNION", "UNION ALL", "EXCEPT", "INTERSECT",
                       "EXCEPT ALL")
        return self.order(2, f"{one()} {op} {one()}")

    def typed(self, kind, columns):
        cast = {INT: "bigint", TEXT: "text", TIME: "timestamptz",
                BOOL: "boolean"}[kind]
        return f"({self.expression(kind, columns, 1)})::{cast}"

    def nested(self):
        inner, c = self.joined(2)
        k1, k2 = self.kind(), self.kind()
        sub = (f"SELECT {self.typed(k1, c)} AS x, {self.typed(k2, c)} AS y "
               f"FROM {inner} WHERE {self.expression(BOOL, c, 1)}")
        outer = [("z.x", k1), ("z.y", k2)]
        what, _ = self.selected(outer)
        where = self.expression(BOOL, outer, 1)
        sql = self.pick(
            f"WITH z AS ({sub}) SELECT {', '.join(what)} FROM z "
            f"WHERE {where}",
            f"WITH z AS MATERIALIZED ({sub}) SELECT {', '.join(what)} "
            f"FROM z WHERE {where}",
            f"SELECT {', '.join(what)} FROM ({sub}) z WHERE {where}",
            f"SELECT {', '.join(what)} FROM topics t CROSS JOIN LATERAL "
            f"({sub} AND t.id > 0) z WHERE {where}")
        return self.order(len(what), sql)

    def window(self):
        text, c = self.joined(1)
        by, over = (self.expression(k, c, 1) for k in (TEXT, INT))
        f = self.pick("rank()", "dense_rank()", "count(*)", "percent_rank()",
                      f"sum({self.expression(INT, c, 1)})")
        what = [by, f"{f} OVER (PARTITION BY {by} ORDER BY {over})"]
        return self.order(2, f"SELECT {', '.join(what)} FROM {text}")

    def whole(self):
        t = self.table()
        what = self.pick("a", "a.*", "row_to_json(a)::text", "a::text",
                         "to_jsonb(a)::text", "md5(a::text)", "count(a)",
                         "ROW(a.*)::text")
        return Statement(f"SELECT {what} FROM {t} a", ordered=False)

    def copy(self):
        t = self.table()
        cols = list(TABLES[t])
        return Statement(self.pick(
            f"COPY (SELECT * FROM {t} ORDER BY {', '.join(cols)}) TO STDOUT",
            f"COPY {t} TO STDOUT", f"COPY (TABLE {t}) TO STDOUT "
            "WITH (FORMAT csv, HEADER)"), ordered=False)

    def cursor(self):
        t = self.table()
        by = ", ".join(TABLES[t])
        return Statement(
            f"BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM {t} ORDER BY "
            f"{by}; FETCH {self.r.randrange(9)} FROM c; MOVE 3 FROM c; "
            f"FETCH {self.pick('LAST', 'PRIOR', 'ALL')} FROM c; "
            f"{self.pick('COMMIT', 'ROLLBACK')}")

    def prepared(self):
        t = self.table()
        c = self.columns(t, "a")
        return Statement(
            f"PREPARE p (int) AS SELECT count(*) FROM {t} a WHERE "
            f"{self.expression(BOOL, c)} AND $1 > 0; EXECUTE p (1); "
            "DEALLOCATE p")

    def explain(self):
        inner = self.r.choice([self.simple, self.join, self.group])()
        how = self.pick("", "(COSTS OFF) ", "(VERBOSE) ", "(FORMAT json) ",
                        "(ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ")
        return Statement(f"EXPLAIN {how}{inner.sql}", query=False)

    def catalog(self):
        return Statement(self.r.choice(CATALOGS).format(
            table=self.table(), hidden=self.r.choice(HIDDEN)), query=False)

    def hidden(self):
        if self.r.random() < 0.3:
            t, c = self.r.choice(HIDDEN_COLUMNS)
            return Statement(f"SELECT {c} FROM {t}", query=False)
        name = self.r.choice(HIDDEN)
        t = self.table()
        return Statement(self.pick(
            f"SELECT * FROM {name}", f"SELECT count(*) FROM {name}",
            f"SELECT 1 FROM {t} WHERE EXISTS (SELECT FROM {name})",
            f"SELECT * FROM {t} NATURAL JOIN {name}",
            f"COPY (SELECT * FROM {name}) TO STDOUT",
            f"DECLARE c CURSOR WITH HOLD FOR TABLE {name}",
            f"EXPLAIN SELECT * FROM {name}",
            f"SELECT public.lookup({self.literal(INT)})",
            f"INSERT INTO {name} SELECT * FROM {t}",
            f"DELETE FROM {t}", f"LOCK TABLE {name}",
            f"ANALYZE {t}", f"CREATE TEMP TABLE x AS TABLE {name}",
            f"SELECT * FROM {t} TABLESAMPLE BERNOULLI (50) REPEATABLE (1)",
            f"SELECT query_to_xml('TABLE {name}', true, true, '')"),
            ordered=False, query=False)

    def store_hidden(self):
        """The same for the store itself, which has to refuse by itself what
        the gateway does not: contents."""
        name = self.r.choice([h for h in HIDDEN if "stat" not in h and
                              h not in ("pg_class", "pg_locks")])
        return Statement(self.pick(
            f"SELECT * FROM {name}", f"SELECT count(*) FROM {name}",
            f"SELECT public.lookup({self.literal(INT)})",
            f"SELECT query_to_xml('TABLE {name}', true, true, '')"),
            ordered=False)

    def junk(self):
        inner = self.simple().sql
        at = self.r.randrange(len(inner))
        return Statement(inner[:at] + self.pick("", "'", "$$", "(", "--",
                         "/*", ";", "\\", " FROM ") + inner[at + 1:],
                         ordered=False, query=False)

    def make(self):
        names, weights = zip(*self.kinds.items())
        s = getattr(self, self.r.choices(names, weights)[0])()
        s.extended = ";" not in s.sql and self.r.random() < 0.4
        return s


KINDS = {"simple": 20, "risk": 6, "join": 18, "group": 10, "setop": 8,
         "nested": 8, "window": 4, "whole": 4, "copy": 3, "cursor": 2,
         "prepared": 2, "sequel": 2, "explain": 3, "catalog": 7, "hidden": 8, "junk": 3}
STORE_KINDS = {"simple": 20, "risk": 6, "join": 18, "group": 10, "setop": 8,
               "nested": 8, "window": 4, "whole": 4, "store_hidden": 10}


def statement(seed, n, kinds=None):
    return Maker(seed, n, kinds).make()
