"""What PostgreSQL does with a clearance's views: indexes serve, partitions are
left out, and a filter of residence columns looks at no other table. Plans are
asked of the server as the login; no time is measured."""
import json

import pytest
from test_apply import ADMIN, Store

ROWS = """
INSERT INTO users (id, country) SELECT g, CASE WHEN g % 2 = 0 THEN 'US'
    ELSE 'IE' END FROM generate_series(1000, 9000) g;
INSERT INTO videos SELECT g, 1000 + g % 8000, 't', 's'
    FROM generate_series(1000, 9000) g;
INSERT INTO reports SELECT g, 1000 + g % 8000, 1000 + (g * 7) % 8000, 'r'
    FROM generate_series(1000, 9000) g;
CREATE TABLE old AS TABLE messages; DROP TABLE messages;
CREATE TABLE messages (id int PRIMARY KEY, sender_id int REFERENCES users,
    recipient_id int REFERENCES users, body text) PARTITION BY RANGE (id);
CREATE TABLE m0 PARTITION OF messages FOR VALUES FROM (0) TO (10000);
CREATE TABLE m1 PARTITION OF messages FOR VALUES FROM (10000) TO (20000);
CREATE TABLE m2 PARTITION OF messages FOR VALUES FROM (20000) TO (90000);
INSERT INTO messages TABLE old; DROP TABLE old;
INSERT INTO messages SELECT g, 1000 + g % 8000, 1000 + (g * 7) % 8000, 'x'
    FROM generate_series(10000, 29000) g;
CREATE INDEX messages_sender ON messages (sender_id);
CREATE INDEX reports_video ON reports (video_id);
ANALYZE;
"""


@pytest.fixture(scope="module", params=["column", "store", "through kept"])
def one(request, server, sworn, tmp_path_factory):
    kind, *kept = request.param.split()
    s = Store(server, sworn, tmp_path_factory.mktemp("plans"), kind=kind)
    with s.admin() as c:
        c.execute(ROWS)
    s.apply(*["--residence-columns"] * len(kept))
    s.kind, s.kept = kind, bool(kept)
    s.login = server.connect(s.database, s.kinds()[ADMIN])
    with s.admin() as c:
        c.execute("ANALYZE")
    yield s
    s.login.close()
    s.apply("--remove")


def nodes(plan, below_filter=False):
    plan["below filter"] = below_filter
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below, below_filter or
                         below["Parent Relationship"] == "SubPlan")


def plan_of(s, sql):
    found = s.login.execute("EXPLAIN (FORMAT JSON) " + sql).fetchone()[0]
    found = json.loads(found) if isinstance(found, str) else found
    return list(nodes(found[0]["Plan"]))


def relations(plan):
    return {n["Relation Name"] for n in plan if "Relation Name" in n}


@pytest.mark.parametrize("sql, index", [
    ("SELECT * FROM users WHERE id = 1234", "users_pkey"),
    ("SELECT * FROM videos WHERE owner_id = 1234", "videos_owner_id_idx"),
    ("SELECT * FROM reports WHERE video_id = 1234", "reports_video"),
    ("SELECT * FROM messages WHERE id = 20123", "m2_pkey"),
    ("SELECT r.id FROM videos v JOIN reports r ON r.video_id = v.id "
     "WHERE v.owner_id = 1234", "reports_video"),
])
def test_index_serves_through_the_view(one, sql, index):
    plan = plan_of(one, sql)
    used = {n.get("Index Name") for n in plan}
    assert index in used, plan
    # What a filter looks up, it may hash; the tables read are not scanned.
    assert not [n for n in plan if n["Node Type"] == "Seq Scan" and
                not n["below filter"]], plan


@pytest.mark.parametrize("where, left", [
    ("id = 15000", {"m1"}), ("id < 5000", {"m0"}),
    ("id BETWEEN 9000 AND 11000", {"m0", "m1"}),
])
def test_partitions_are_left_out_through_the_view(one, where, left):
    plan = plan_of(one, f"SELECT * FROM messages WHERE {where}")
    assert relations(plan) & {"m0", "m1", "m2"} == left


def test_only_ways_that_are_not_kept_look_at_other_tables(one):
    others = {table: relations(plan_of(one, f"SELECT * FROM {table}")) - {
        table, "m0", "m1", "m2"} for table in ("users", "videos", "messages",
                                               "reports")}
    if one.kept or one.kind == "store":
        assert others == {t: set() for t in others}
    else:
        assert others["reports"] >= {"videos", "users"}
        assert others["users"] == set()


def test_store_of_one_residence_has_no_filter(one):
    plan = plan_of(one, "SELECT * FROM reports")
    assert ("Filter" in plan[0]) == (one.kind != "store")
