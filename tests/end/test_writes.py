"""Persons write where a rule permits it: through the same views, only what
they see, recorded before and after. Each statement is also run by a superuser
with the clearance's rows written out; both must leave the same."""
import contextlib

import psycopg
import pytest
from conftest import connect
from world import now

HOME = "('US', 'USA')"
SEEN = {"videos": f"owner_id IN (SELECT id FROM users WHERE country IN {HOME})",
        "reports": "reporter_id IN (SELECT id FROM users WHERE country IN "
                   f"{HOME}) AND video_id IN (SELECT v.id FROM videos v JOIN "
                   f"users u ON u.id = v.owner_id WHERE u.country IN {HOME})"}
RULES = """
  - rule: moderators hide videos
    permit: update
    who: {kind: person, roles: [moderator]}
    what: {tables: [public.videos], categories: [moderation, technical]}
    why: {purposes: [moderation], ticket: "TS-[0-9]+"}
  - rule: moderators keep reports
    permit: [insert, update, delete]
    who: {kind: person, roles: [moderator]}
    what: {tables: [public.reports]}
    why: {purposes: [moderation], ticket: "TS-[0-9]+"}
  - rule: no ticket of a report is changed
    forbid: update
    what: {tables: [public.reports], categories: [technical]}
"""


# Rows that are not shown: of subjects who are at home elsewhere, or by them.
HIDDEN = """
INSERT INTO users (id, handle, country, born, joined)
    SELECT -id, 'zz-hidden' || id, 'IE', born, joined FROM users
    ORDER BY id LIMIT 3;
INSERT INTO videos (id, owner_id, title)
    SELECT 30 * id, id, 'marker' || id FROM users WHERE id < 0;
INSERT INTO reports (id, video_id, reporter_id, reason, ticket)
    SELECT 2 * v.id, v.id, u.id, 'marker', 'TS-1' FROM videos v,
        (SELECT min(id) AS id FROM users WHERE id > 0) u WHERE v.owner_id < 0
    UNION ALL
    SELECT 2 * u.id, v.id, u.id, 'marker', 'TS-1' FROM users u,
        (SELECT min(id) AS id FROM videos WHERE id > 0) v WHERE u.id < 0;
"""
GONE = """
DELETE FROM reports WHERE id < 0;
DELETE FROM videos WHERE id < 0;
DELETE FROM users WHERE id < 0;
"""


@pytest.fixture(scope="module")
def writing(world, admin):
    gateway = world.new_gateway("writing")
    gateway.create()
    gateway.configure("enforce")
    path = gateway.folder / "policy.yaml"
    path.write_text(path.read_text().rstrip() + "\n" + RULES)
    gateway.apply("us")
    admin.execute(HIDDEN)
    gateway.start()
    yield gateway
    gateway.close()
    admin.execute(GONE)


@pytest.fixture(scope="module")
def admin(world):
    us = world.stores["us"]
    with psycopg.connect(us.admin_dsn, password=us.passwords["postgres"],
                         autocommit=True) as c:
        yield c


@contextlib.contextmanager
def undone(c):
    """A transaction that leaves nothing."""
    c.execute("BEGIN")
    try:
        yield c
    finally:
        c.execute("ROLLBACK")


STATE = ("SELECT array_agg(t::text ORDER BY t::text) FROM videos t",
         "SELECT array_agg(t::text ORDER BY t::text) FROM reports t")


def state(c):
    return [c.execute(sql).fetchone()[0] for sql in STATE]


# What a moderator writes, and the same of a superuser: {seen} is the rows
# that the clearance shows.
SAME = (
    ("UPDATE videos SET hidden = true WHERE id % 3 = 0",
     "UPDATE videos SET hidden = true WHERE id % 3 = 0 AND {videos}"),
    ("UPDATE videos v SET hidden = NOT hidden FROM users u WHERE "
     "u.id = v.owner_id AND u.handle > 'm'",
     "UPDATE videos v SET hidden = NOT hidden FROM users u WHERE "
     "u.id = v.owner_id AND u.handle > 'm' AND {videos}"),
    ("UPDATE reports SET state = 'closed', reason = 'seen'",
     "UPDATE reports SET state = 'closed', reason = 'seen' WHERE {reports}"),
    ("DELETE FROM reports WHERE id % 2 = 0",
     "DELETE FROM reports WHERE id % 2 = 0 AND {reports}"),
    ("INSERT INTO reports (id, video_id, reporter_id, reason, ticket, state, "
     "created) SELECT -9000 - r.id, r.video_id, r.reporter_id, 'again', r.ticket, "
     "'open', r.created FROM reports r",
     "INSERT INTO reports (id, video_id, reporter_id, reason, ticket, state, "
     "created) SELECT -9000 - r.id, r.video_id, r.reporter_id, 'again', r.ticket, "
     "'open', r.created FROM reports r WHERE {reports}"),
)


def test_what_a_moderator_writes_is_what_a_superuser_writes_of_those_rows(
        writing, admin):
    before = state(admin)
    for sql, whole in SAME:
        with undone(admin):
            want = admin.execute(whole.format(**SEEN)).rowcount
            left = state(admin)
        with undone(admin):
            # Without the condition it would be more.
            assert admin.execute(whole.format(videos="true", reports="true")
                                 ).rowcount > want, sql
        assert want > 0 and left != before
        with connect(writing) as c:
            with undone(c):
                assert c.execute(sql).rowcount == want, sql
            # And for good, to see it from outside; then back.
            c.execute(sql)
        try:
            assert state(admin) == left, sql
        finally:
            restore(admin, before)
    assert state(admin) == before


def restore(admin, before):
    for name, rows in zip(("videos", "reports"), before):
        admin.execute("BEGIN; SET LOCAL session_replication_role = replica")
        admin.execute(f"DELETE FROM {name}")
        admin.execute(f"INSERT INTO {name} SELECT (r::{name}).* FROM "
                      "unnest(%s::text[]) r", (rows,))
        admin.execute("COMMIT")


# What must not go through, the SQLSTATE, and a part of what is said.
REFUSED = (
    ("UPDATE videos SET title = 'x'", "42501", None),
    ("UPDATE videos SET owner_id = owner_id", "42501", None),
    ("UPDATE videos SET id = id", "42501", None),
    ("UPDATE reports SET reporter_id = reporter_id", "42501", None),
    ("DELETE FROM videos", "42501", "DELETE is refused"),
    ("INSERT INTO videos (id) VALUES (1)", "42501", "INSERT is refused"),
    ("UPDATE users SET country = 'US'", "42501", "UPDATE is refused"),
    ("UPDATE public.videos SET hidden = true", "42501", None),
    ("TRUNCATE reports", "42501", None),
    ("MERGE INTO reports r USING videos v ON r.video_id = v.id WHEN MATCHED "
     "THEN DELETE", "42501", "MERGE"),
    ("WITH d AS (DELETE FROM reports RETURNING id) SELECT count(*) FROM d",
     "42501", None),
    ("WITH d AS (DELETE FROM reports RETURNING id) UPDATE videos SET hidden "
     "= true", "42501", "UPDATE is refused"),
    ("EXPLAIN DELETE FROM reports", "42501", None),
    ("PREPARE p AS DELETE FROM reports", "42501", None),
    ("COPY reports (id) FROM STDIN", "42501", None),
)


def test_what_no_rule_permits_is_not_written(writing, admin):
    before = state(admin)
    with connect(writing) as c:
        for sql, code, words in REFUSED:
            with pytest.raises(psycopg.Error) as e:
                c.execute(sql)
            assert e.value.sqlstate == code, (sql, e.value)
            assert words is None or words in str(e.value), (sql, e.value)
        # A row that would not be shown is not made.
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute("INSERT INTO reports (id, video_id, reporter_id, reason,"
                      " ticket, state, created) SELECT -1, 0, 0, reason, "
                      "ticket, state, created FROM reports LIMIT 1")
    # Who states no ticket reads nothing, and writes nothing.
    with connect(writing, ticket=None) as c, \
            pytest.raises(psycopg.Error, match="refused"):
        c.execute("UPDATE videos SET hidden = true")
    assert state(admin) == before


def test_errors_tell_only_that_a_value_is_taken_and_are_on_record(
        writing, admin):
    """What remains: docs/residual-leaks.md."""
    hidden = admin.execute(f"SELECT id, title FROM videos WHERE NOT "
                           f"({SEEN['videos']}) LIMIT 1").fetchone()
    assert hidden, "the store has no rows that are hidden"
    gone = -42000
    columns = ("reports (id, video_id, reporter_id, reason, ticket, state, "
               "created) SELECT {id}, {video}, r.reporter_id, r.reason, "
               "r.ticket, r.state, r.created FROM reports r LIMIT 1")
    taken = admin.execute(f"SELECT id FROM reports WHERE NOT "
                          f"({SEEN['reports']}) LIMIT 1").fetchone()[0]
    said = []
    with connect(writing) as c:
        mine = c.execute("SELECT video_id FROM reports LIMIT 1").fetchone()[0]
        for row in ({"id": -77777, "video": hidden[0]},
                    {"id": -77777, "video": gone},
                    {"id": taken, "video": mine}):
            with pytest.raises(psycopg.Error) as e:
                c.execute("INSERT INTO " + columns.format(**row))
            said.append((e.value.sqlstate, e.value.diag.message_detail))
        with pytest.raises(psycopg.errors.NotNullViolation) as e:
            c.execute("UPDATE videos SET hidden = NULL")
        detail = e.value.diag.message_detail
    # A hidden key and none are refused alike: the filter comes first.
    assert said[0] == said[1] == ("42501", None)
    assert said[2] == ("23505", None)
    assert detail is None or hidden[1] not in detail


def test_writing_is_on_record_before_and_counted_after(writing, admin):
    before = state(admin)
    since = now()
    with connect(writing) as c:
        c.execute("UPDATE videos SET hidden = true WHERE id % 5 = 0 "
                  "RETURNING id", prepare=True)
        n = c.execute("DELETE FROM reports WHERE id % 2 = 0").rowcount
        c.execute("SELECT count(*) FROM reports")
        with pytest.raises(psycopg.Error):
            c.execute("UPDATE videos SET hidden = NULL WHERE 1 / (id - id) "
                      "= 1")
    restore(admin, before)
    writing.wait_published(now())
    said = [r for r in writing.records() if r["time"] >= since]
    wrote = [r for r in said if r["type"] == "statement" and "writes" in r]
    assert [r["writes"] for r in wrote] == [
        "update public.videos", "delete public.reports",
        "update public.videos"]
    results = {r["of"]: r for r in said if r["type"] == "result"}
    update, delete, failed = [results[r["n"]] for r in wrote]
    assert update["changed"] == update["rows"] > 0
    assert delete["changed"] == n > 0 and delete["rows"] == 0
    assert "changed" not in failed and failed["sqlstate"] == "22012"
    for r in wrote:
        assert r["basis"] == "bounded" and r["whole"] and r["rules"]
        assert "public.videos" in [b["table"] for b in r["bound"]]
    code, out, err = writing.verify_log()
    assert code == 0, out + err
