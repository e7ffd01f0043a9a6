"""Whoever matters is in the record, all the way: random queries of a reader
through the gateway, each with the record that the log has of it; then on the
store, without the gateway, the same queries of the same views with one
subject's rows taken away. An answer that changes must have that subject
listed, or its tables in the bound. Queries are sent in all the forms that
readers have: alone, by cursors, prepared, among others in one text.

SWORN_ORACLE_QUERIES is how many queries there are (200 if it is not set).
"""
import collections
import os
import random
import re
import sys
from itertools import count

import psycopg
import pytest
from conftest import HERE, connect
from test_protocol import session_records

sys.path.append(str(HERE.parent / "lineage"))
from queries import Queries  # noqa: E402

QUERIES = int(os.environ.get("SWORN_ORACLE_QUERIES", "200"))
SEED = int(os.environ.get("SWORN_LINEAGE_SEED", "20261124"))
SUBJECTS = 4
TEST_SECONDS = 120 + QUERIES
COST_MAX = 1500                 # as the planner has it: no test of patience
TICKET = count(950000)

TABLES = {"users": "id handle born joined",
          "profiles": "user_id display_name bio interests",
          "videos": "id owner_id title caption hidden created",
          "comments": "id video_id author_id body created",
          "likes": "user_id video_id created",
          "follows": "follower_id followed_id created",
          "watch_events": "id user_id video_id watched seconds",
          "reports": "id video_id reporter_id reason ticket state created"}
NUMBERS = {"users": "id", "profiles": "user_id", "videos": "id owner_id owner_id",
           "comments": "id video_id author_id author_id",
           "likes": "user_id user_id video_id",
           "follows": "follower_id followed_id",
           "watch_events": "user_id video_id seconds",
           "reports": "id video_id reporter_id", "topics": "id"}

# All that is one subject's, as the catalog has it.
REMOVE = """
DELETE FROM public.reports WHERE reporter_id = {s} OR video_id IN
    (SELECT id FROM public.videos WHERE owner_id = {s});
DELETE FROM public.follows WHERE {s} IN (follower_id, followed_id);
DELETE FROM public.messages WHERE {s} IN (sender_id, recipient_id);
DELETE FROM public.comments WHERE author_id = {s};
DELETE FROM public.likes WHERE user_id = {s};
DELETE FROM public.watch_events WHERE user_id = {s};
DELETE FROM public.videos WHERE owner_id = {s};
DELETE FROM public.profiles WHERE user_id = {s};
DELETE FROM public.users WHERE id = {s};
"""


@pytest.fixture(scope="module")
def admin(world):
    us = world.stores["us"]
    with psycopg.connect(us.admin_dsn, password=us.passwords["postgres"],
                         autocommit=True) as c:
        # What refers to somebody may stay when somebody goes.
        c.execute("SET session_replication_role = replica")
        yield c


def as_reader(c, role):
    c.execute(f'SET LOCAL ROLE "{role}"')
    c.execute(f'SET LOCAL search_path = "{role}"')


def make_queries(c, role, constants):
    """Random ones that the store takes and that do not take long."""
    split = lambda d: {t: x.split() for t, x in d.items()}
    queries = Queries(random.Random(SEED), split(TABLES), split(NUMBERS),
                      constants)
    with c.transaction(force_rollback=True):
        as_reader(c, role)
        n = 0
        while n < QUERIES:
            queries.names = 0
            sql, _ = queries.rare() if n % 5 == 0 else \
                queries.select(1 if n % 5 < 4 else 2)
            try:
                with c.transaction():
                    plan = c.execute("EXPLAIN " + sql).fetchone()[0]
            except psycopg.Error:
                continue
            if float(re.search(r"\.\.([\d.]+)", plan)[1]) < COST_MAX:
                n += 1
                yield sql


def by_cursor(c, sql, step):
    """All rows of a cursor, some at a time."""
    c.execute(f"BEGIN; DECLARE c CURSOR FOR {sql}")
    rows, got = [], None
    while got is None or len(got) == step:
        got = c.execute(f"FETCH {step} FROM c").fetchall()
        rows += got
    return rows


def by_name(c, sql):
    c.execute(f"PREPARE p AS {sql}")
    return c.execute("EXECUTE p").fetchall()


def among_others(c, sql):
    """The middle one of three statements in one text."""
    cursor = c.execute(f"SELECT 1; {sql}; SELECT 2")
    assert cursor.nextset()
    rows = cursor.fetchall()
    assert cursor.nextset() and cursor.fetchall() == [(2,)]
    return rows


# How readers may send a query; one after the other is used.
FORMS = [lambda c, sql: c.execute(sql).fetchall(),
         lambda c, sql: by_cursor(c, sql, 7),
         lambda c, sql: c.execute(sql, binary=True).fetchall(),
         by_name,
         lambda c, sql: by_cursor(c, sql, "ALL"),
         among_others]


def answer(c, sql, form):
    try:
        return collections.Counter(form(c, sql))
    except psycopg.Error as e:
        assert e.sqlstate is not None, f"{sql}: {e}"
        return e.sqlstate
    finally:
        c.execute("ROLLBACK")
        c.execute("DEALLOCATE ALL")


def answers(c, role, queries, gone=None):
    """What each gives on the store, without one subject's rows."""
    out = []
    with c.transaction(force_rollback=True):
        if gone is not None:
            c.execute(REMOVE.format(s=gone))
        as_reader(c, role)
        for sql in queries:
            try:
                with c.transaction(force_rollback=True):
                    out.append(collections.Counter(c.execute(sql).fetchall()))
            except psycopg.Error as e:
                out.append(e.sqlstate)
    return out


BETWEEN = "SELECT count(*) FROM users OFFSET 1"


def between(records):
    """Records by what came between two of that statement, which is first."""
    out = []
    for r in records:
        if r.get("text_hmac") == records[0]["text_hmac"]:
            out.append([])
        else:
            out[-1].append(r)
    return out[:-1]


def through(gateway, queries):
    """Each query's answer, and its records: whether all are exact, their
    tags, and the tables that they are of; or None. One session for each form.
    """
    got, out = [None] * len(queries), [None] * len(queries)
    for k, form in enumerate(FORMS):
        ticket = f"TS-{next(TICKET)}"
        mine = range(k, len(queries), len(FORMS))
        with connect(gateway, ticket=ticket, prepare_threshold=None) as c:
            c.execute(BETWEEN)
            for i in mine:
                got[i] = answer(c, queries[i], form)
                c.execute(BETWEEN)
        records = between(session_records(gateway, ticket,
                                          {"statement", "subjects"}))
        assert len(records) == len(mine)
        for i, r in zip(mine, records):
            assert not [x for x in r if x.get("whole")], (queries[i], r)
            out[i] = r and (
                all(x["basis"] == "exact" for x in r),
                {t for x in r for s in x.get("subjects", [])
                 for t in s["tags"]},
                [{b["table"].removeprefix("public.") for b in x["bound"]}
                 for x in r if x["type"] == "statement"])
    return got, out


def test_whoever_matters_is_in_the_record(enforcing, admin):
    with connect(enforcing, ticket=f"TS-{next(TICKET)}") as c:
        role = c.execute("SELECT current_user").fetchone()[0]
    tag = dict(admin.execute("SELECT key, tag FROM sworn_tag.tag").fetchall())
    active = [r[0] for r in admin.execute(
        "SELECT u.id FROM public.users u JOIN public.videos v ON v.owner_id = "
        "u.id WHERE u.country IN ('US', 'USA') GROUP BY u.id "
        "ORDER BY count(*) DESC, u.id LIMIT 12")]
    people = active[:SUBJECTS]
    videos = [r[0] for r in admin.execute(
        "SELECT id FROM public.videos WHERE owner_id = ANY(%s) ORDER BY id "
        "LIMIT 8", (active,))]
    queries = list(make_queries(admin, role, [1, 2, 3, *active, *videos]))
    before = answers(admin, role, queries)
    got, records = through(enforcing, queries)
    assert got == before
    reads = [i for i, sql in enumerate(queries) if re.search(
        rf"\b(FROM|JOIN|,) ({'|'.join(TABLES)}) t\d", sql)]
    assert [i for i in reads if not records[i]] == []
    record = records
    exact = [i for i in reads if record[i][0]]
    for i in reads:
        tables = set(re.findall(rf"\b({'|'.join(TABLES)}) t\d", queries[i]))
        for bound in record[i][2]:
            assert tables <= bound, f"{queries[i]} {bound}"
    counts = collections.Counter(queries=len(queries), exact=len(exact))
    for who in people:
        after = answers(admin, role, [queries[i] for i in exact], who)
        for i, now in zip(exact, after):
            tags, changed = record[i][1], now != before[i]
            assert not changed or tag[who] in tags, f"{who}: {queries[i]}"
            counts["changed"] += changed
            counts["listed"] += tag[who] in tags
            counts["needless"] += tag[who] in tags and not changed
    print(dict(counts))
    # It must have had something to find, and not list everybody.
    assert counts["exact"] > QUERIES // 4 and counts["changed"] > QUERIES // 5
    assert counts["needless"] <= counts["listed"] // 10, counts
