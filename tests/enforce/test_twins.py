"""The twins of a clearance's views on a real server: the same rows and
columns, and for each row the tags of its subjects and of nobody else."""
import psycopg
import pytest
import world
from test_clearance import Clearance

EVERYTHING = ("users", "videos", "messages", "reports")


@pytest.fixture(scope="module", params=[
    ("column", ("US", "IE")), ("through", ("US", "IE")),
    ("store", ("US", "IE")), ("column", ("IE",)), ("through", ("US",))],
    ids=lambda p: f"{p[0]}-{'+'.join(p[1])}")
def cleared(request, server, emit):
    kind, labels = request.param
    return Clearance(server, emit, kind, dict.fromkeys(EVERYTHING, labels))


def subjects(table, row):
    """Whose row it is, by the rules of docs/catalog.md; None: nobody's."""
    owners = {v["id"]: v["owner_id"] for v in world.rows()["videos"]}
    return {"users": lambda: [row["id"]],
            "videos": lambda: [row["owner_id"]],
            "messages": lambda: [row["sender_id"], row["recipient_id"]],
            "reports": lambda: [owners.get(row["video_id"]),
                                row["reporter_id"]]}[table]()


def twin(cleared, table):
    with cleared.connect() as c:
        cur = c.execute(f"SELECT * FROM {cleared.role}_twin.{table}")
        names = [d.name for d in cur.description]
        return names, [dict(zip(names, r)) for r in cur]


@pytest.mark.parametrize("table", EVERYTHING)
def test_a_twin_has_the_view_s_rows_and_their_subjects_tags(cleared, table):
    with cleared.admin() as c:
        tag = dict(c.execute("SELECT key, tag FROM sworn_tag.tag"))
    names, rows = twin(cleared, table)
    assert names[-1] == "sworn$" and names.count("sworn$") == 1
    by_key = {r["id"]: r for r in world.rows()[table]}
    plain = [{k: v for k, v in r.items() if k != "sworn$"} for r in rows]
    assert sorted(map(str, plain)) == sorted(map(str, cleared.seen(table)))
    for row in rows:
        got = [g for g in row["sworn$"].split(",") if g]
        want = []
        for who in subjects(table, by_key[row["id"]]):
            label = "" if cleared.kind == "store" else \
                world.LABELS[world.USERS[who]]
            if who is not None:
                want.append(f"{label}:{tag[who]}")
        # On a way, nobody behind somebody's row counts as not known.
        assert [g for g in got if g != "?"] == want, row
        if cleared.kind != "store":
            assert "?" not in got


def test_tags_are_one_a_subject_and_tell_nothing_of_the_key(cleared):
    with cleared.admin() as c:
        rows = c.execute("SELECT key, tag FROM sworn_tag.tag").fetchall()
        again = c.execute(cleared.emit("base", cleared.catalog,
                                       spec=cleared.spec).split(
            "CREATE SCHEMA IF NOT EXISTS sworn;")[0])
        del again
        assert rows == c.execute(
            "SELECT key, tag FROM sworn_tag.tag").fetchall()
    assert {k for k, _ in rows} == set(world.USERS)
    assert len({t for _, t in rows}) == len(rows)
    assert all(len(t) == 16 and t.replace("-", "").replace("_", "").isalnum()
               for _, t in rows)


@pytest.mark.parametrize("sql", [
    "SELECT * FROM sworn_tag.tag", "SELECT * FROM sworn.subject",
    "SELECT sworn.new_subject()", "DELETE FROM sworn_tag.tag",
    "INSERT INTO sworn_tag.tag VALUES (77, 'mine')",
])
def test_the_table_of_tags_is_nobody_s(cleared, sql):
    with cleared.connect() as c:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute(sql)


def test_a_new_subject_gets_a_tag_by_whoever_inserts(server, emit):
    cl = Clearance(server, emit, "column", {"users": ("US",)})
    with cl.admin() as c:
        c.execute("CREATE ROLE twin_app; GRANT ALL ON users TO twin_app; "
                  "SET ROLE twin_app")
        c.execute("INSERT INTO users (id, country) VALUES (70, 'US'), "
                  "(71, 'XX')")
        c.execute("UPDATE users SET id = 72 WHERE id = 71; RESET ROLE")
        keys = {k for (k,) in c.execute("SELECT key FROM sworn_tag.tag")}
        assert {70, 71, 72} <= keys
        c.execute("DROP OWNED BY twin_app; DROP ROLE twin_app")
    _, rows = twin(cl, "users")
    assert "?" not in [r["sworn$"] for r in rows if r["id"] == 70]
