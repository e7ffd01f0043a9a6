"""sworn catalog suggest on real databases: the demo's, and a clinic's, which
has other names, a residence over a foreign key and no foreign key at one
place. What it prints loads, and says what somebody who knows would say."""
import pathlib

import pytest
from test_apply import DIRECTORY

ROOT = pathlib.Path(__file__).resolve().parents[2]

CLINIC = """
CREATE SCHEMA care;
CREATE TABLE care.states (id int PRIMARY KEY, iso_code varchar(3), title text);
CREATE TABLE care.patients (patient_no uuid PRIMARY KEY DEFAULT
    gen_random_uuid(), state_id int REFERENCES care.states, surname text,
    reach_me text, active boolean);
CREATE TABLE care.visits (id int PRIMARY KEY, who uuid REFERENCES
    care.patients, started timestamptz, diagnosis text);
CREATE TABLE care.prescriptions (id int PRIMARY KEY, visit int REFERENCES
    care.visits, medication text);
CREATE TABLE care.invoices (id int PRIMARY KEY, patient_id uuid,
    amount numeric);
CREATE TABLE care.transfers (id int PRIMARY KEY, giver uuid REFERENCES
    care.patients, taker uuid REFERENCES care.patients, at date);
CREATE TABLE care.wards (id int PRIMARY KEY, name text);
CREATE TABLE care.staff_diary (day date, entry text, phone text);
INSERT INTO care.states VALUES (1, 'US', 'x'), (2, 'IE', 'y'), (3, 'DEU', 'z');
INSERT INTO care.patients (state_id, surname, reach_me) SELECT 1 + i % 3,
    'secret' || i, 'p' || i || '@mail.example' FROM generate_series(1, 30) i;
INSERT INTO care.visits SELECT 1, patient_no, now(), 'quiet' FROM
    care.patients LIMIT 1;
"""

POLICY = """
policy: test
version: "1"
purposes: [care]
rules:
  - rule: all
    permit: read
    who: {kind: person}
"""


@pytest.fixture(scope="module")
def suggest(server, sworn, tmp_path_factory):
    """SQL of a database -> the catalog suggested; it is loaded each time."""
    def run(sql, labels):
        name = server.database(sql)
        out = sworn("catalog", "suggest", server.dsn(name))
        folder = tmp_path_factory.mktemp("suggest")
        for file, text in {
                "catalog.yaml": out, "policy.yaml": POLICY, "users": "",
                "directory.yaml": DIRECTORY, "credentials": "feed:x\n",
                "sworn.conf": conf(name, labels)}.items():
            (folder / file).write_text(text)
            (folder / file).chmod(0o600)
        (folder / "state").mkdir(mode=0o700)
        sworn("key", "new", "--name", "x.example/log", "--out",
              folder / "log.key")
        assert "is sound" in sworn("check", "-c", folder / "sworn.conf")
        # And it is one that apply takes, in this very database.
        with server.connect(name) as c:
            c.execute(f"REVOKE TEMP ON DATABASE {name} FROM PUBLIC")
        dsn = server.dsn(name)
        sworn("apply", "-c", folder / "sworn.conf", name, "--admin", dsn)
        sworn("apply", "-c", folder / "sworn.conf", name, "--admin", dsn,
              "--remove")
        return out
    return run


def conf(name, labels):
    return f"""
gateway: gw-test
state: state
listeners: [{{address: 127.0.0.1, port: 0}}]
users: users
directory: directory.yaml
policy: policy.yaml
log: {{dir: log, key: log.key}}
stores:
  {name}: {{host: /tmp, port: 5432, database: {name}, mode: enforce,
    residences: [{labels}], catalog: catalog.yaml, credentials: credentials}}
"""


def block(out, table):
    """The lines of one table, without comments."""
    lines, on = [], False
    for line in out.splitlines():
        if line.startswith("  ") and line[2] != " ":
            on = line.strip() == f"{table}:"
        elif line and not line.startswith(" "):
            on = False
        elif on:
            lines.append(line.split("#")[0].strip())
    return [x for x in lines if x]


@pytest.fixture(scope="module")
def clinic(suggest):
    return suggest(CLINIC, "US, IE, DEU")


def test_subjects_and_their_residence_are_found_over_a_foreign_key(clinic):
    assert "  table: care.patients\n  key: patient_no\n" in clinic
    assert ("      - {column: state_id, table: care.states, key: id}\n"
            "    column: iso_code\n") in clinic
    for value in ("US", "IE", "DEU"):
        assert f"      {value}: {value} " in clinic


def test_ways_lead_to_every_subject_of_a_row(clinic):
    assert block(clinic, "care.patients")[0] == "subject: self"
    assert block(clinic, "care.visits")[:2] == ["subjects:", "- who"]
    assert block(clinic, "care.transfers")[:3] == [
        "subjects:", "- giver", "- taker"]
    assert block(clinic, "care.prescriptions")[1] == \
        "- {column: visit, via: care.visits, key: id}"


def test_way_without_a_foreign_key_is_found_by_its_name_and_said_so(clinic):
    assert block(clinic, "care.invoices")[:2] == ["subjects:",
                                                  "- patient_id"]
    assert "- patient_id    # by its name: no foreign key" in clinic


@pytest.mark.parametrize("table,column,category", [
    ("care.patients", "surname", "identity"),
    ("care.patients", "reach_me", "contact"),
    ("care.patients", "patient_no", "technical"),
    ("care.visits", "diagnosis", "health"),
    ("care.prescriptions", "medication", "health"),
    ("care.invoices", "amount", "payment"),
])
def test_columns_get_their_category(clinic, table, column, category):
    assert f"{column}: {category}" in block(clinic, table)


def test_what_leads_to_nobody_is_left_out_or_a_list_of_terms(clinic):
    assert "public: [care.states, care.wards]" in clinic
    assert not block(clinic, "care.staff_diary")
    assert "# care.staff_diary: no way to a subject was found" in clinic


def test_no_value_but_of_residences_is_printed(clinic):
    assert "secret" not in clinic.replace("secret]", "").replace(
        "messages, behaviour, health, payment, secret", "")
    assert "@mail" not in clinic and "quiet" not in clinic


def test_demo_comes_out_as_its_own_catalog_says(suggest):
    demo = ROOT / "demo"
    keys = (demo / "keys.sql").read_text()
    keys = keys[:keys.index("SELECT setval")]
    out = suggest((demo / "schema.sql").read_text() + keys + """
        INSERT INTO topics VALUES (1, 'music');
        INSERT INTO users SELECT i, 'h' || i, 'US', NULL, now()
            FROM generate_series(1, 9) i;
        INSERT INTO profiles SELECT id, 'x', 'a' || id || '@b.example', NULL
            FROM users;""", "US")
    assert "  table: public.users\n  key: id\n" in out
    assert "    column: country\n" in out and "US: US" in out
    ways = {"profiles": ["- user_id"], "videos": ["- owner_id"],
            "comments": ["- author_id"], "likes": ["- user_id"],
            "follows": ["- follower_id", "- followed_id"],
            "watch_events": ["- user_id"], "reports": ["- reporter_id"],
            "messages": ["- sender_id", "- recipient_id"]}
    for table, want in ways.items():
        lines = block(out, f"public.{table}")
        assert lines[1:lines.index("columns:")] == want, table
    assert "# video_id leads to public.videos: a subject, too" in out
    for column in ("email: contact", "phone: contact"):
        assert column in block(out, "public.profiles")
    assert "body: messages" in block(out, "public.messages")
    assert "public: [public.topics]" in out


def test_database_about_nobody_is_said_to_be_so(server, sworn):
    name = server.database("CREATE TABLE t (id int PRIMARY KEY, n int)")
    assert "looks as if it were about people" in sworn(
        "catalog", "suggest", server.dsn(name), expect=1)
    sworn("catalog", "suggest", expect=2)
