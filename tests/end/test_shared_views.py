"""Clearances over shared views, through the gateway: readers see the same
rows as over views of their own, and what they see is recorded exactly."""
import json

import psycopg
import pytest
from conftest import connect
from test_protocol import session_records

ASK = ("SELECT * FROM users ORDER BY id LIMIT 20",
       "SELECT v.id, u.handle, count(*) FROM videos v JOIN users u ON "
       "u.id = v.owner_id JOIN comments c ON c.video_id = v.id "
       "GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 30")


def ask(gateway, ticket):
    """Answers, and the subjects that their records list."""
    with connect(gateway, ticket=ticket) as c:
        rows = [c.execute(sql).fetchall() for sql in ASK]
        with pytest.raises(psycopg.Error):
            c.execute("SELECT * FROM public.users")
    tags = [(s["label"], s["precision"] if "precision" in s else "",
             len(s["tags"])) for r in session_records(
                 gateway, ticket, {"statement", "subjects"})
            for s in r.get("subjects", [])]
    return rows, tags


def test_shared_views_answer_and_are_recorded_as_own_views(fresh, world):
    gateway = fresh("enforce", start=False)
    try:
        gateway.apply("us")
        gateway.start()
        own = ask(gateway, "TS-77001")
        gateway.stop()
        said = gateway.apply("us", flags=("--shared-views",))
        assert "panes of shared views" in said["us"]
        found = json.loads((gateway.folder / "state/applied.us.json"
                            ).read_text())
        assert found["panes"] and all("panes" in x for x in found["logins"])
        gateway.start()
        shared = ask(gateway, "TS-77002")
        assert shared == own and own[0][0] and own[1]
    finally:
        gateway.stop()
        gateway.apply("us", flags=("--remove",))
