"""The oracle of rewriting: take one subject's rows away; if the answer
changes, the subject has to be among the tags that came with it. And what comes
with tags is, without them, the answer itself.

Runs the rewritten text itself on a real server, whose twins have the
subject's number as tag. SWORN_LINEAGE_CHECKS is how many subjects are taken
away from answers (4,000 if it is not set).
"""
import collections
import os
import pathlib
import random
import subprocess
import sys

import psycopg
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "enforce")]
from conftest import Server, program  # noqa: E402
from queries import OPEN, TABLES, Queries  # noqa: E402

CHECKS = int(os.environ.get("SWORN_LINEAGE_CHECKS", "4000"))
SEED = int(os.environ.get("SWORN_LINEAGE_SEED", "20261123"))
PEOPLE = range(1, 6)
SUBJECTS = {"people": ["id"], "posts": ["owner"], "likes": ["who"],
            "notes": ["sender", "receiver"]}

# Whose rows are gone is a setting: views leave them out.
SCHEMA = "CREATE SCHEMA tw; CREATE SCHEMA base; " \
    "CREATE TABLE topics (id int, label text); " + "".join(
        f"CREATE TABLE base.{t} ({', '.join(c + ' int' for c in cols)}); "
        f"CREATE VIEW {t} AS SELECT * FROM base.{t} WHERE "
        f"current_setting('x.gone')::int NOT IN ({', '.join(SUBJECTS[t])}); "
        f"CREATE VIEW tw.{t} AS SELECT *, concat_ws(',', "
        + ", ".join(f"'X:' || {s}" for s in SUBJECTS[t])
        + f") AS \"sworn$\" FROM {t}; " for t, cols in TABLES.items())


class Rewriter:
    def __init__(self, tables):
        tables = ";".join(f"{t}:{c}" for t, c in tables.items())
        self.p = subprocess.Popen(
            [program("rewrite", "tests/lineage/rewrite"), "tw", tables],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, sql):
        return self.flagged(sql).lstrip("~")

    def flagged(self, sql):
        self.p.stdin.write(sql.encode() + b"\0")
        self.p.stdin.flush()
        out = bytearray()
        while (b := self.p.stdout.read(1)) != b"\0":
            assert b, "it ended"
            out += b
        return out.decode()

    def end(self):
        self.p.stdin.close()
        self.p.stdout.close()
        assert self.p.wait() == 0


@pytest.fixture(scope="module")
def rewriter():
    r = Rewriter({t: ",".join(c + "*" * (SUBJECTS[t] == [c]) for c in cols)
                  for t, cols in TABLES.items()})
    yield r
    r.end()


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    folder = os.environ.get("SWORN_SCRATCH")
    import tempfile
    with tempfile.TemporaryDirectory(prefix="l", dir=folder) as d:
        s = Server(d)
        try:
            with s.connect(s.database(SCHEMA)) as c:
                c.execute("SET statement_timeout = '5s'; "
                          "SET max_parallel_workers_per_gather = 0; "
                          "SET jit = off; SET x.gone = 0")
                yield c
        finally:
            s.stop()


def fill(c, rng):
    c.execute("TRUNCATE topics, " + ", ".join(f"base.{t}" for t in TABLES))
    v = lambda top=5: rng.choice([*range(0, top + 1), *range(1, top + 1),
                                  None]) if rng.random() < 0.9 else None
    who = lambda: rng.choice(PEOPLE)
    rows = {"topics": [(i, "x") for i in range(1, 4)],
            "people": [(i, v(), v(3), v()) for i in PEOPLE
                       if rng.random() < 0.9],
            "posts": [(v(), who(), v(3), v()) for _ in range(rng.randint(0, 8))],
            "likes": [(who(), v(), v()) for _ in range(rng.randint(0, 8))],
            "notes": [(v(), who(), who(), v())
                      for _ in range(rng.randint(0, 6))]}
    for t, list_ in rows.items():
        if list_:
            c.execute(f"INSERT INTO {'' if t in OPEN else 'base.'}{t} VALUES "
                      + ", ".join(str(r).replace("None", "NULL")
                                  for r in list_))


def answers(c, sql, new):
    """The answer, that with tags, and those without each of the subjects:
    rows as bags; None if it is an error."""
    texts = ["SET x.gone = 0", sql, new]
    for who in PEOPLE:
        texts += [f"SET x.gone = {who}", sql]
    out = []
    try:
        cursor = c.execute(";\n".join(texts))
        while True:
            if cursor.description is not None:
                out.append(collections.Counter(cursor.fetchall()))
            if not cursor.nextset():
                return out
    except psycopg.Error as e:
        if e.sqlstate == "57014":
            raise
        return None


def counterfactual(c, rewriter, sql, counts):
    """One query: checks made. Fails on an under-report."""
    new = rewriter(sql)
    if new.startswith("!"):
        counts["bounded"] += 1
        counts["why", new[1:]] += 1
        return 0
    got = answers(c, sql, new)
    if got is None:
        c.execute("SET x.gone = 0")
        try:
            c.execute(sql)
        except psycopg.Error:
            counts["error"] += 1
            return 0
        # It would be the reader's error; this says which one it is.
        c.execute(new)
        raise AssertionError(f"an error without somebody: {sql}")
    before, tagged, *without = got
    counts["exact"] += 1
    tags = {int(t[2:]) for row in tagged for t in (row[0] or "").split(",")
            if t}
    plain = collections.Counter()
    for row, n in tagged.items():
        plain[row[1:]] += n
    assert plain == before, f"{sql}\n{new}\n{before} {plain}"
    for who, after in zip(PEOPLE, without):
        if after != before:
            assert who in tags, \
                f"{who} is not listed: {sql}\n{new}\n{before}\n{after}"
        counts["listed"] += who in tags
        counts["needless"] += who in tags and after == before
    return len(PEOPLE)


N = "row_number() OVER (PARTITION BY town ORDER BY age, id)"
NUMBERED = f"(SELECT id, town, {N} AS n FROM people) x"


@pytest.mark.parametrize("sql", [
    f"SELECT * FROM {NUMBERED} WHERE n = 2",
    f"SELECT * FROM {NUMBERED} WHERE n > 1",
    f"SELECT * FROM {NUMBERED} WHERE n <= 2 AND id > 3",
    f"SELECT x.id FROM {NUMBERED} JOIN posts p ON p.owner = x.id WHERE n = 1",
    f"SELECT * FROM {NUMBERED} ORDER BY id LIMIT 2",
    f"SELECT * FROM (SELECT * FROM {NUMBERED} WHERE n = 1) y WHERE id > 2",
    f"SELECT id, {N} AS n FROM people ORDER BY n LIMIT 2",
    "SELECT id, sum(age) OVER () FROM people LIMIT 1",
    "SELECT id, rank() OVER (ORDER BY age) AS r, sum(age) OVER () FROM people "
    "ORDER BY r LIMIT 1",
    "SELECT id, rank() OVER (ORDER BY age) AS r FROM people ORDER BY r DESC "
    "LIMIT 1",
    "SELECT town, rank() OVER (ORDER BY sum(age)) AS r FROM people GROUP BY 1 "
    "ORDER BY r LIMIT 1",
    "SELECT id FROM topics WHERE id IN (SELECT row_number() OVER () FROM "
    "people)",
    "SELECT p.town, sum(x.n) AS s FROM people p JOIN likes x ON x.who = p.id "
    "GROUP BY p.town ORDER BY s LIMIT 1",
    "SELECT p.id, sum(x.n) AS s FROM people p JOIN likes x ON x.who > p.id "
    "GROUP BY p.id ORDER BY s LIMIT 1",
    "SELECT p.id, sum(x.n) AS s FROM people p LEFT JOIN likes x ON x.who = "
    "p.id GROUP BY p.id ORDER BY s LIMIT 1",
    "SELECT p.id, sum(p.age) AS s FROM people p WHERE EXISTS (SELECT 1 FROM "
    "likes) GROUP BY p.id ORDER BY s LIMIT 1",
    "SELECT n.sender, sum(n.body) AS s FROM notes n GROUP BY 1 ORDER BY s "
    "LIMIT 1",
    "SELECT p.id, sum(x.n) AS s FROM people p JOIN likes x ON x.who = p.id OR "
    "x.n = 1 GROUP BY p.id ORDER BY s LIMIT 1",
    "SELECT count(*) FROM people INTERSECT SELECT count(*) FROM posts",
    "SELECT id FROM people INTERSECT SELECT count(*) FROM posts GROUP BY topic",
    "SELECT id FROM people INTERSECT ALL SELECT id FROM posts",
    "SELECT id FROM people INTERSECT (SELECT id FROM posts ORDER BY id "
    "LIMIT 2)",
    "SELECT id FROM people EXCEPT SELECT id FROM posts",
    "SELECT sum(age) AS s FROM people UNION SELECT id FROM posts ORDER BY 1 "
    "LIMIT 1",
])
def test_what_rows_that_are_not_shown_decide_is_bounded(rewriter, sql):
    assert rewriter(sql).startswith("!")


@pytest.mark.parametrize("sql", [
    "SELECT p.id, sum(x.n) AS s FROM people p JOIN likes x ON x.who = p.id "
    "GROUP BY p.id, p.name HAVING avg(x.n) < 3 ORDER BY s LIMIT 1",
    "SELECT who, sum(n) FROM likes GROUP BY 1 ORDER BY 2 DESC LIMIT 3",
    "SELECT owner, max(score) FROM posts, likes, topics t WHERE likes.who = "
    "posts.owner AND t.id = posts.topic GROUP BY posts.owner "
    "HAVING sum(n) = 3",
])
def test_groups_of_one_subject_go_with_it(rewriter, sql):
    assert not rewriter(sql).startswith("!")


def test_first_rows_alone_are_as_with_limit(rewriter):
    queries, both = Queries(random.Random(SEED)), collections.Counter()
    while sum(both.values()) < 1500:
        queries.names = 0
        sql, _ = queries.select(2)
        if "LIMIT" in sql.rsplit(")", 1)[-1] or "DISTINCT ON" in sql:
            continue
        said = rewriter.flagged(sql)
        if said.startswith("!"):
            continue
        cut = rewriter(f"{sql} LIMIT 3")
        both[said.startswith("~"), cut.startswith("!")] += 1
        assert said.startswith("~") == cut.startswith("!"), f"{sql}\n{cut}"
    assert min(both[True, True], both[False, False]) > 100, both


def test_whoever_matters_is_listed(db, rewriter):
    rng = random.Random(SEED)
    queries, counts, checks = Queries(rng), collections.Counter(), 0
    while checks < CHECKS:
        fill(db, rng)
        for i in range(25):
            queries.names = 0
            sql, _ = queries.rare() if i % 4 == 0 else queries.select(2)
            checks += counterfactual(db, rewriter, sql, counts)
    print(dict(counts.most_common(40)))
    # The queries must be worth something.
    assert counts["exact"] > counts["bounded"] / 3, counts
    assert counts["needless"] < counts["listed"] / 2, counts
