"""Whoever matters is in the record, all the way: random queries of a reader
through the gateway, each with the record that the log has of it; then on the
store, without the gateway, the same queries of the same views with one
subject's rows taken away. An answer that changes must have that subject
listed, or its tables in the bound.

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


def answer(c, sql):
    try:
        return collections.Counter(c.execute(sql).fetchall())
    except psycopg.Error as e:
        assert e.sqlstate is not None, f"{sql}: {e}"
        return e.sqlstate


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


def through(gateway, queries):
    """Each query's answer, and its record: its statement's with the tags of
    those that belong to it, and whether all of them are exact."""
    ticket = f"TS-{next(TICKET)}"
    with connect(gateway, ticket=ticket) as c:
        got = [answer(c, sql) for sql in queries]
    statements, of = [], {}
    for r in session_records(gateway, ticket, {"statement", "subjects"}):
        if r["type"] == "statement":
            statements.append(r)
            of[r["n"]] = r
        else:
            of[r["of"]].setdefault("more", []).append(r)
    out = []
    for r in statements:
        all_ = [r, *r.get("more", [])]
        tags = {t for x in all_ for s in x.get("subjects", [])
                for t in s["tags"]}
        out.append((all(x["basis"] == "exact" for x in all_), tags, r))
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
    assert len(records) == len(reads)
    record = dict(zip(reads, records))
    exact = [i for i in reads if record[i][0]]
    for i in reads:
        bound = {b["table"].removeprefix("public.")
                 for b in record[i][2]["bound"]}
        assert set(re.findall(rf"\b({'|'.join(TABLES)}) t\d", queries[i])) \
            <= bound, f"{queries[i]} {bound}"
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
