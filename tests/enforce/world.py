"""A small store with every kind of way from a row to a residence, and an
oracle in Python that says which rows a clearance may show: it follows the
rules of docs/catalog.md over plain dicts and shares nothing with the SQL.

Each row carries a marker word that occurs nowhere else, so that a leak shows
in any output, error or notice, whatever way it took.
"""
import itertools

LABELS = {"US": "US", "USA": "US", "IE": "IE"}

# id -> country as stored. 5 maps to nothing, 6 is not known.
USERS = {1: "US", 2: "USA", 3: "IE", 4: "IE", 5: "XX", 6: None}

SCHEMA = """
CREATE TABLE topics (id int PRIMARY KEY, name text);
CREATE TABLE countries (id int PRIMARY KEY, iso varchar(3));
CREATE TABLE users (id int PRIMARY KEY, country varchar(3), country_id int
    REFERENCES countries, handle text UNIQUE, email varchar(60), born date);
CREATE TABLE videos (id int PRIMARY KEY, owner_id int REFERENCES users,
    title text, secret text);
CREATE TABLE messages (id int PRIMARY KEY, sender_id int REFERENCES users,
    recipient_id int REFERENCES users, body text);
CREATE TABLE reports (id int PRIMARY KEY, video_id int REFERENCES videos,
    reporter_id int REFERENCES users, reason text);
CREATE TABLE staff_notes (id int PRIMARY KEY, note text);
CREATE INDEX ON messages (sender_id);
CREATE INDEX ON videos (owner_id);
"""

TABLES = """
tables:
  public.users: {subject: self, columns: {id: technical, country: technical,
      country_id: technical, handle: identity, email: contact, born: contact}}
  public.videos: {subject: owner_id, columns: {id: technical,
      owner_id: technical, title: content}}
  public.messages: {subjects: [sender_id, recipient_id], columns:
      {id: technical, sender_id: technical, recipient_id: technical,
       body: content}}
  public.reports:
    subjects:
      - {column: video_id, via: public.videos, key: id}
      - reporter_id
    columns: {id: technical, video_id: technical, reporter_id: technical,
        reason: content}
"""

VALUES = "values: {US: US, USA: US, IE: IE}"
RESIDENCE = {
    "column": f"{{column: country, {VALUES}}}",
    "through": f"""{{through: [{{column: country_id, table: public.countries,
        key: id}}], column: iso, {VALUES}}}""",
    "store": "store",
}


def catalog(kind):
    return f"""
catalog: test
categories: [technical, identity, contact, content]
subjects: {{table: public.users, key: id, residence: {RESIDENCE[kind]}}}
{TABLES}
public: [public.topics, public.countries]
"""


def rows():
    """Table -> list of rows as dicts."""
    ids = list(USERS)
    countries = sorted({c for c in USERS.values() if c})
    out = {
        "topics": [{"id": 1, "name": "mark-topic"}],
        "countries": [{"id": i, "iso": c} for i, c in enumerate(countries)],
        "staff_notes": [{"id": 1, "note": "mark-staff-note"}],
        "users": [{"id": i, "country": c,
                   "country_id": countries.index(c) if c else None,
                   "handle": f"mark-handle-{i}", "email": f"mark-email-{i}",
                   "born": f"19{60 + i}-01-0{i}"} for i, c in USERS.items()],
        "videos": [{"id": 10 + i, "owner_id": i, "title": f"mark-title-{i}",
                    "secret": f"mark-secret-{i}"} for i in ids]
        + [{"id": 99, "owner_id": None, "title": "mark-title-nobody",
            "secret": "mark-secret-nobody"}],
    }
    pairs = list(itertools.product(ids + [None], repeat=2))
    out["messages"] = [
        {"id": n, "sender_id": a, "recipient_id": b,
         "body": f"mark-body-{a}-{b}"} for n, (a, b) in enumerate(pairs)]
    videos = [v["id"] for v in out["videos"]] + [None]
    out["reports"] = [
        {"id": n, "video_id": v, "reporter_id": u,
         "reason": f"mark-reason-{v}-{u}"} for n, (v, u) in
        enumerate(itertools.product(videos, ids + [None]))]
    return out


def load(c):
    for table, all_rows in rows().items():
        for row in all_rows:
            c.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES "
                      f"({', '.join(['%s'] * len(row))})",
                      list(row.values()))
    c.execute("ANALYZE")


def allowed(table, row, labels, kind):
    """Whether a row may be shown to who may see these residences."""
    if kind == "store":
        return True

    def user(i):
        return LABELS.get(USERS.get(i)) in labels

    def video_owner(i):
        return next((v["owner_id"] for v in rows()["videos"]
                     if v["id"] == i), None)
    return {
        "users": lambda: user(row["id"]),
        "videos": lambda: user(row["owner_id"]),
        "messages": lambda: user(row["sender_id"]) and
        user(row["recipient_id"]),
        "reports": lambda: user(video_owner(row["video_id"])) and
        user(row["reporter_id"]),
    }[table]()


def hidden_markers(labels_of, kind):
    """Markers of rows that a clearance (table -> labels) must not show."""
    out = {"mark-staff-note", "mark-secret-1", "mark-secret-3",
           "mark-secret-nobody"}
    for table in ("users", "videos", "messages", "reports"):
        labels = labels_of.get(table, ())
        for row in rows()[table]:
            if table not in labels_of or not allowed(table, row, labels,
                                                     kind):
                out |= {v for v in row.values() if str(v).startswith("mark")}
    return out
