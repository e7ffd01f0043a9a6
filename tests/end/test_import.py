"""`sworn directory`: the same people from a live OpenLDAP server, from its
LDIF, from SCIM and from CSV are the same directory; what is wrong is named and
changes nothing. What a directory says is read by PyYAML, an implementation
of its own, and asked of `sworn control`."""
import base64
import csv
import io
import itertools
import json
import os
import random
import stat
import subprocess

import pytest
import yaml

import slapd
import world as demo_world

BASE = """\
# Kept by hand.
directory: 1
issuer: hand.example
sites:
  dublin: {country: IE, networks: [127.35.0.0/16]}
  austin: {country: US}
entities:
  group: {name: "Clipwave Group, Ltd.", country: CN, rest: dispersed}
  ireland: {name: Clipwave Ireland, country: IE, owners: {group: 100}}
people:
  liu: {issuer: audit.example, name: Liu Yang, employer: group, site: austin, manager: none}
"""
MAP = """\
import: 1
issuer: hr.example
people:
  site: {attribute: l, values: {"Dublin 2": dublin, Austin\\, TX: austin}}
"""
PLACES = {"dublin": ("Dublin", "IE"), "austin": ("Austin", "US"),
          "cork": ("Cork", "IE"), "são-paulo": ("São Paulo", "BR")}
ORGANISATIONS = {"group": "Clipwave Group, Ltd.",
                 "ireland": "Clipwave Ireland"}


class Import:
    """The program in a folder with a directory to change."""

    def __init__(self, folder, bin_dir):
        self.folder = folder
        self.bin = bin_dir
        self.into = self.write("directory.yaml", BASE)
        self.count = itertools.count()

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, *args, expect=0, into=None):
        """(output, errors) of `sworn directory ...` into the directory."""
        _, out, err = demo_world.run(
            [self.bin / "sworn", "directory", *args, "--into",
             into or self.into], expect=(expect,),
            env={"ASAN_OPTIONS": "detect_leaks=1", "LDAPNOINIT": "1"})
        return out, err

    def fresh(self, text=BASE):
        return self.write(f"d{next(self.count)}.yaml", text)

    def text(self, *args):
        """What an import makes of the hand-written directory."""
        into = self.fresh()
        self.run(*args, into=into)
        return into.read_text()

    def people(self, path=None):
        return yaml.load((path or self.into).read_text(),
                         Loader=yaml.BaseLoader)["people"]


@pytest.fixture
def im(tmp_path, bin_dir):
    return Import(tmp_path, bin_dir)


# -- people, and how each source writes them --------------------------------

NAMES = ["Aoife Kelly", "Niamh Ó Briain", "Sam \"the\" Ortiz", "O'Neill, Jo",
         "Ångström; Li", " 王伟", "a: b # c", "- dash", "{brace}", "back\\slash",
         "N" * 200, "émigré " * 12 + "x"]


def make_people(n=40, seed=7):
    """Random people in a tree of managers; no spaces around names, which
    LDAP does not keep."""
    rng = random.Random(seed)
    people = []
    for i in range(n):
        site = rng.choice(list(PLACES))
        people.append({
            "id": f"p{i:03}", "name": rng.choice(NAMES).strip() + f" {i}",
            "site": site, "employer": rng.choice(list(ORGANISATIONS)),
            "contractor": rng.random() < 0.3,
            "manager": f"p{rng.randrange(i):03}" if i else "p000"})
    return people


def dn(person_id):
    return f"uid={person_id},ou=people,{slapd.SUFFIX}"


def ldif_line(name, value, width=60):
    """RFC 2849, written here: base64 where a value is not safe, folded."""
    data = value.encode()
    safe = data and all(0 < b < 128 and b not in b"\r\n" for b in data) \
        and data[:1] not in b" :<" and data[-1:] != b" "
    line = f"{name}: {value}" if safe else \
        f"{name}:: {base64.b64encode(data).decode()}"
    parts = [line[:width]]
    parts += [" " + line[i:i + width - 1]
              for i in range(width, len(line), width - 1)]
    return "\n".join(parts) + "\n"


def to_ldif(people):
    text = ["version: 1\n# made by a test, and\n  folded\n"
            f"dn: {slapd.SUFFIX}\nobjectClass: dcObject\n"
            "objectClass: organization\ndc: clipwave\no: Clipwave\n\n"
            f"dn: ou=people,{slapd.SUFFIX}\n"
            "objectClass: organizationalUnit\nou: people\n\n"]
    for p in people:
        values = [("dn", dn(p["id"])), ("objectClass", "inetOrgPerson"),
                  ("objectClass", "extensibleObject"), ("uid", p["id"]),
                  ("sn", "x"), ("cn", p["name"]),
                  ("displayName", p["name"]),
                  ("l", PLACES[p["site"]][0]), ("c", PLACES[p["site"]][1]),
                  ("o", ORGANISATIONS[p["employer"]]),
                  ("employeeType",
                   "Contractor" if p["contractor"] else "Employee"),
                  ("manager", dn(p["manager"]))]
        text.append("".join(ldif_line(*v) for v in values) + "\n")
    return "".join(text)


def to_scim(people):
    number = {p["id"]: str(1000 + i) for i, p in enumerate(people)}
    resources = [{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": number[p["id"]], "userName": p["id"],
        "displayName": p["name"], "active": True,
        "userType": "Contractor" if p["contractor"] else "Employee",
        "addresses": [
            {"type": "home", "locality": "Atlantis", "country": "XA"},
            {"type": "work", "locality": PLACES[p["site"]][0],
             "country": PLACES[p["site"]][1], "primary": True}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "organization": ORGANISATIONS[p["employer"]],
            "manager": {"value": number[p["manager"]]}}} for p in people]
    return json.dumps({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(resources), "startIndex": 1,
        "itemsPerPage": len(resources), "Resources": resources})


def to_csv(people, dialect="excel"):
    out = io.StringIO(newline="")
    w = csv.writer(out, dialect, quoting=csv.QUOTE_MINIMAL)
    w.writerow(["id", "name", "site", "employer", "kind", "manager"])
    for p in people:
        w.writerow([p["id"], p["name"], p["site"], p["employer"],
                    "contractor" if p["contractor"] else "employee",
                    p["manager"]])
    return out.getvalue()


def sites_csv():
    return "id,country,networks\r\ncork,IE,\r\nsão-paulo,BR,\r\n" \
        "dublin,IE,127.35.0.0/16\r\naustin,US,\r\n"


@pytest.fixture(scope="module")
def people():
    return make_people()


@pytest.fixture(scope="module")
def server(people, tmp_path_factory):
    if not slapd.free_to_use():
        pytest.fail("slapd is not installed: scripts/deps.sh test")
    s = slapd.Slapd(tmp_path_factory.mktemp("ldap"))
    s.create(to_ldif(people))
    s.start()
    yield s
    s.close()


def live(s, im, *more, url=None):
    secret = im.folder / "secret"
    demo_world.write_secret(secret, s.password + "\n")
    return ["ldap", url or s.tls_url, "--base", slapd.SUFFIX, "--bind",
            slapd.ADMIN, "--password-file", secret, "--ca", s.ca,
            "--issuer", "hr.example", *more]


# -- the same people from everywhere ------------------------------------------

def test_every_source_of_the_same_people_makes_the_same_bytes(
        im, server, people):
    issuer = ["--issuer", "hr.example"]
    ldif = im.write("p.ldif", to_ldif(people))
    cat = im.write("cat.ldif", server.slapcat())
    scim = im.write("p.json", to_scim(people))
    table = im.write("p.csv", to_csv(people))
    sites = im.write("sites.csv", sites_csv())
    shuffled = list(people)
    random.Random(1).shuffle(shuffled)
    other = im.write("q.csv", to_csv(shuffled, "unix"))
    texts = {
        "live": im.text("import", *live(server, im)),
        "pages": im.text("import", *live(server, im, "--page", "7")),
        "start-tls": im.text("import", *live(server, im, "--start-tls",
                                             url=server.url)),
        "socket": im.text("import", *live(server, im,
                                          url=server.socket_url)),
        "ldif": im.text("import", "ldif", ldif, *issuer),
        "slapcat": im.text("import", "ldif", cat, *issuer),
        "scim": im.text("import", "scim", scim, *issuer),
        "csv": im.text("import", "csv", "--people", table, "--sites", sites,
                       *issuer),
        "shuffled": im.text("import", "csv", "--people", other, "--sites",
                            sites, *issuer)}
    for name, text in texts.items():
        assert text == texts["live"], f"{name} differs from live LDAP"
    path = im.fresh(texts["live"])
    im.run("import", *live(server, im), into=path)
    assert path.read_text() == texts["live"]


def test_another_implementation_reads_what_was_imported(im, people):
    table = im.write("p.csv", to_csv(people))
    sites = im.write("sites.csv", sites_csv())
    im.run("import", "csv", "--people", table, "--sites", sites)
    got = im.people()
    assert set(got) == {p["id"] for p in people} | {"liu"}
    for p in people:
        employer = got[p["id"]]["employer"]
        assert employer == {
            "id": p["employer"],
            "kind": "contractor" if p["contractor"] else "employee"}
        assert got[p["id"]]["name"] == p["name"]
        assert got[p["id"]]["manager"] == p["manager"]
        assert got[p["id"]]["site"] == p["site"]
    whole = yaml.load(im.into.read_text(), Loader=yaml.BaseLoader)
    assert whole["sites"]["cork"] == {"country": "IE"}
    assert whole["sites"]["dublin"]["networks"] == ["127.35.0.0/16"]
    assert whole["issuer"] == "hand.example"
    assert im.into.read_text().startswith("# Kept by hand.\n")


def test_imported_people_have_their_control_sets(im, bin_dir):
    conf = demo_world.DEMO / "conf"
    for f in conf.glob("*.yaml"):
        im.write(f.name, f.read_text())
    im.write("sworn.conf", demo_world.fill(
        (conf / "sworn.conf.in").read_text(),
        {"GATEWAY_PORT": 1, "DRIFT": "60s", "CONSOLE_PORT": 2, "US_PORT": 3, "EU_PORT": 4,
         "DOMESTIC_PORT": 5, "MODE": "enforce"}))
    for name in ("users", "credentials.us", "credentials.eu",
                 "credentials.domestic"):
        demo_world.write_secret(im.folder / name, "")
    table = im.write("p.csv", "id,name,site,employer,manager\n"
                     "nora,Nora Lynch,dublin,clipwave-ie,liu\n")
    # liu is of the directory's own issuer, so he stays.
    im.run("import", "csv", "--people", table)

    def sworn(*args):
        return demo_world.run([bin_dir / "sworn", *args, "-c",
                               im.folder / "sworn.conf"])[1]
    said = sworn("control", "nora")
    assert "reports to Liu Yang → located in CN" in said
    assert "as said by: csv, hr.clipwave.example" in said


# -- what an issuer says replaces what it said ---------------------------------

def table(rows, header="id,site,employer,manager,roles"):
    return header + "\n" + "".join(r + "\n" for r in rows)


def test_facts_of_other_issuers_stay_and_the_issuers_own_are_replaced(im):
    first = im.write("1.csv", table(["ann,dublin,ireland,none,lead;sre",
                                     "bob,dublin,ireland,ann,"]))
    im.run("import", "csv", "--people", first, "--issuer", "hr")
    text = im.into.read_text().replace(
        "  bob: {", "  bob: {instructor: {id: liu, issuer: audit.example}, ")
    im.into.write_text(text)
    second = im.write("2.csv", table(["bob,austin,ireland,liu,",
                                      "cid,austin,group,bob,"]))
    out, _ = im.run("import", "csv", "--people", second, "--issuer", "hr",
                    "--dry-run")
    assert im.into.read_text() == text, "a dry run changed something"
    assert "+ cid appears" in out and "- ann leaves" in out
    assert "~ bob: site dublin → austin; manager ann → liu" in out
    assert "people: 1 appear, 1 leave, 1 change, 1 stay as they are" in out
    im.run("import", "csv", "--people", second, "--issuer", "hr")
    got = im.people()
    assert set(got) == {"bob", "cid", "liu"}
    assert got["bob"]["instructor"] == {"id": "liu",
                                        "issuer": "audit.example"}
    assert got["bob"]["site"] == "austin" and "roles" not in got["bob"]
    assert got["liu"] == {"name": "Liu Yang", "issuer": "audit.example",
                          "site": "austin", "employer": "group",
                          "manager": "none"}


def test_one_whom_others_name_is_over_and_not_gone(im):
    one = im.write("1.csv", table(["ann,dublin,ireland,none,"]))
    im.run("import", "csv", "--people", one)
    im.into.write_text(im.into.read_text().replace(
        "  liu: {", "  liu: {instructor: ann, "))
    none = im.write("2.csv", table([]))
    im.run("import", "csv", "--people", none, "--at", "2026-11-01")
    assert im.people()["ann"] == {"to": "2026-11-01"}


def test_history_keeps_the_past_decidable(im):
    one = im.write("1.csv", table(["ann,dublin,ireland,none,",
                                   "bob,dublin,ireland,ann,sre"]))
    two = im.write("2.csv", table(["ann,dublin,ireland,none,",
                                   "bob,dublin,ireland,liu,"]))
    keep = ["--keep-history", "--issuer", "hr"]
    im.run("import", "csv", "--people", one, "--issuer", "hr")
    im.run("import", "csv", "--people", two, *keep, "--at", "2026-03-01")
    bob = im.people()["bob"]
    assert bob["manager"] == [{"id": "ann", "to": "2026-03-01"},
                              {"id": "liu", "from": "2026-03-01"}]
    assert bob["roles"] == [{"value": "sre", "to": "2026-03-01"}]
    before = im.into.read_text()
    im.run("import", "csv", "--people", two, *keep, "--at", "2026-04-01")
    assert im.into.read_text() == before
    im.run("import", "csv", "--people", one, *keep, "--at", "2026-05-01")
    assert im.people()["bob"]["manager"] == [
        {"id": "ann", "to": "2026-03-01"},
        {"id": "ann", "from": "2026-05-01"},
        {"id": "liu", "from": "2026-03-01", "to": "2026-05-01"}]
    # Who leaves and comes back was away.
    nobody = im.write("3.csv", table(["ann,dublin,ireland,none,"]))
    im.run("import", "csv", "--people", nobody, *keep, "--at", "2026-06-01")
    assert im.people()["bob"]["to"] == "2026-06-01"
    im.run("import", "csv", "--people", two, *keep, "--at", "2026-07-01")
    bob = im.people()["bob"]
    assert "to" not in bob
    assert {"id": "liu", "from": "2026-07-01"} in bob["manager"]
    assert {"id": "ann", "from": "2026-05-01", "to": "2026-06-01"} \
        in bob["manager"]


def test_tables_of_entities_owners_sites_and_services(im):
    out, _ = im.run(
        "import", "csv", "--issuer", "register.example",
        "--sites", im.write("s.csv", "id,country,networks\n"
                            "beijing,CN,127.86.0.0/16;2001:db8::/32\n"),
        "--entities", im.write("e.csv", "id,name,country,rest\n"
                               "uk,Clipwave UK,GB,dispersed\n"),
        "--owners", im.write("o.csv", "entity,owner,share\n"
                             "uk,\"Clipwave Group, Ltd.\",60.5%\n"
                             "uk,liu,39.5\n"),
        "--services", im.write("v.csv", "id,site,operator,keepers,networks\n"
                               "feed,beijing,uk,liu,127.86.0.0/16\n"))
    assert "+ uk (Clipwave UK) appears: country GB; owners group 60.500000 " \
        "%, liu 39.500000 %" in out
    whole = yaml.load(im.into.read_text(), Loader=yaml.BaseLoader)
    assert whole["entities"]["uk"] == {
        "name": "Clipwave UK", "issuer": "register.example", "country": "GB",
        "owners": {"group": "60.5", "liu": "39.5"}, "rest": "dispersed"}
    assert whole["services"]["feed"]["keepers"] == ["liu"]
    assert whole["sites"]["beijing"]["networks"] == ["127.86.0.0/16",
                                                     "2001:db8::/32"]


def test_groups_and_attributes_become_roles_by_the_mapping(im, people):
    members = "".join(f"member: {dn(p['id'])}\n" for p in people[:3])
    text = to_ldif(people) + f"""\
dn: cn=mods,ou=groups,{slapd.SUFFIX}
objectClass: groupOfNames
cn: mods
{members}
dn: cn=chess,ou=groups,{slapd.SUFFIX}
objectClass: groupOfNames
cn: chess
member: {dn("p000").upper().replace(",", " , ")}

dn: uid=boss,ou=people,{slapd.SUFFIX}
objectClass: inetOrgPerson
uid: boss
cn: boss
title: Director
"""
    ldif = im.write("p.ldif", text)
    im.run("import", "ldif", ldif)
    assert not any("roles" in p for p in im.people().values()), \
        "a group became a role that nobody mapped"
    im.run("import", "ldif", ldif, "--map", im.write("map.yaml", """
import: 1
people:
  roles:
    - {attribute: title, values: {director: director}}
groups:
  roles: {attribute: cn, values: {mods: moderator}}
"""))
    got = im.people()
    assert {i for i, p in got.items() if p.get("roles") == ["moderator"]} \
        == {"p000", "p001", "p002"}
    assert got["boss"]["roles"] == ["director"]


# -- what is wrong is named, and nothing is half done -----------------------

@pytest.mark.parametrize("edit, where, words", [
    (lambda t: t.replace("manager: " + dn("p003"), "manager: " + dn("gone")),
     "p.ldif:", ["manager", "gone", "other: unknown"]),
    (lambda t: t.replace("uid: p005\n", "uid: p004\n"), "uid=p005",
     ["id", '"p004"', "already"]),
    (lambda t: t.replace("uid: p005\n", "uid: p 5\n"), "uid=p005",
     ["spaces"]),
    (lambda t: t.replace("employeeType: Contractor", "employeeType: Chief",
                         1), "p.ldif:", ["kind", "Chief", "values"]),
    (lambda t: t.replace("o: Clipwave Ireland", "o: Nowhere Inc.", 1),
     "p.ldif:", ["employer", "Nowhere Inc."]),
    (lambda t: t.replace("uid: p005\n", "uid:: !!!\n"), "p.ldif:",
     ["base64"]),
    (lambda t: t.replace("uid: p005\n", "uid:< file:///etc/passwd\n"),
     "p.ldif:", ["URL"]),
    (lambda t: t.replace("uid: p005\n", "changetype: delete\n"), "p.ldif:",
     ["change record"]),
    (lambda t: t.replace("uid: p005\n", "uid p005\n"), "p.ldif:",
     ["no line of LDIF"]),
])
def test_a_bad_line_of_ldif_is_named_and_nothing_is_changed(
        im, people, edit, where, words):
    text = to_ldif(people)
    assert edit(text) != text
    _, err = im.run("import", "ldif", im.write("p.ldif", edit(text)),
                    expect=1)
    assert where in err and "nothing is changed" in err
    for w in words:
        assert w in err
    assert im.into.read_text() == BASE


@pytest.mark.parametrize("text, words", [
    ("id,site\nann,dublin\nbob\n", ["t.csv:3", "1 fields", "2"]),
    ("id,site\nann,atlantis\n", ["t.csv:2", "site", "atlantis"]),
    ("id,employer\nann,liu\n", ["t.csv:2", "employer", "not an entity"]),
    ("id,manager\nann,group\n", ["t.csv:2", "manager", "not a person"]),
    ('id,site\n"ann,dublin\n', ["cut"]),
    ("id,nationality\nann,unknown\n", ["t.csv:2", "nationality"]),
    ("id,from,to\nann,2026-02-01,2026-01-01\n", ["t.csv:2", "from"]),
    ("id,from\nann,tomorrow\n", ["t.csv:2", "tomorrow", "2026-11-23"]),
    ("id,id\na,b\n", ["t.csv:1", "same name"]),
    ("id,kind,employer\nann,boss,group\n", ["t.csv:2", "boss"]),
    ("id\nnone\n", ["t.csv:2", "nobody"]),
    ("", ["empty"]),
])
def test_a_bad_row_is_named_and_nothing_is_changed(im, text, words):
    _, err = im.run("import", "csv", "--people", im.write("t.csv", text),
                    expect=1)
    for w in words:
        assert w in err
    assert im.into.read_text() == BASE


def test_a_place_that_could_be_in_two_countries_is_refused(im):
    def person(values):
        return f"dn: uid=ann,{slapd.SUFFIX}\nobjectClass: person\n" \
            f"uid: ann\n{values}\n"
    _, err = im.run("import", "ldif", im.write("1.ldif", person(
        "l: Dublin\nl: Austin\nc: IE\nc: US\n")), expect=1)
    assert "site" in err and "which" in err
    assert im.into.read_text() == BASE
    im.run("import", "ldif", im.write("2.ldif", person(
        "l: Dublin\nl: Cork\nc: IE\n")))
    assert im.people()["ann"]["site"] == ["cork", "dublin"]


def test_a_column_that_nothing_is_made_of_is_told(im):
    _, err = im.run("import", "csv", "--people",
                    im.write("t.csv", "id,employr\nann,group\n"))
    assert '"employr"' in err
    bad = im.write("map.yaml",
                   "import: 1\npeople: {employer: Company}\n")
    _, err = im.run("import", "csv", "--people",
                    im.write("t.csv", "id,compny\nann,group\n"), "--map",
                    bad, expect=1)
    assert '"Company"' in err


@pytest.mark.parametrize("text, words", [
    ('{"Resources": [{"id": "1", "userName": "a"', ["JSON"]),
    ('[1]', ["/0", "object"]),
    ('[{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], '
     '"id": "1"}]', ["/0", "id"]),
    ('{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], '
     '"totalResults": 9, "Resources": []}', ["9", "pages"]),
    ('[] x', ["behind"]),
])
def test_a_bad_resource_is_named_and_nothing_is_changed(im, text, words):
    _, err = im.run("import", "scim", im.write("u.json", text), expect=1)
    for w in words:
        assert w in err
    assert im.into.read_text() == BASE


@pytest.mark.parametrize("text, line", [
    ("import: 2\n", 1), ("import: 1\npeople: {sight: l}\n", 2),
    ("import: 1\npeople:\n  site: {atribute: l}\n", 3),
    ("import: 1\npeople:\n  site: {values: {a: b}}\n", 3),
    ("import: 1\npeople:\n  site: {attribute: l, values: {A: b, a: c}}\n",
     3),
])
def test_a_bad_mapping_is_named(im, text, line):
    _, err = im.run("import", "csv", "--people", im.write("t.csv", "id\na\n"),
                    "--map", im.write("map.yaml", text), expect=1)
    assert f"map.yaml:{line}:" in err
    assert im.into.read_text() == BASE


def test_a_dangling_manager_is_unknown_where_the_mapping_says_so(im):
    rules = im.write("map.yaml", "import: 1\npeople:\n"
                     "  manager: {attribute: manager, other: unknown}\n")
    _, err = im.run("import", "csv", "--people",
                    im.write("t.csv", table(["ann,dublin,ireland,gone,"])),
                    "--map", rules)
    assert "t.csv:2" in err and "unknown" in err
    assert "manager" not in im.people()["ann"]


def test_a_circle_of_managers_is_legal_and_told(im):
    _, err = im.run("import", "csv", "--people", im.write("t.csv", table(
        ["ann,dublin,ireland,cid,", "bob,dublin,ireland,ann,",
         "cid,dublin,ireland,bob,"])))
    assert "circle of managers: ann → cid → bob → ann" in err
    assert im.people()["ann"]["manager"] == "cid"


def test_a_leaver_of_the_same_issuer_is_nobody_to_report_to(im):
    im.run("import", "csv", "--people",
           im.write("1.csv", table(["ann,dublin,ireland,none,"])))
    before = im.into.read_text()
    _, err = im.run("import", "csv", "--people", im.write(
        "2.csv", table(["bob,dublin,ireland,ann,"])), expect=1)
    assert "manager" in err and '"ann"' in err
    assert im.into.read_text() == before


def test_a_source_that_has_lost_most_people_changes_nothing(im, people):
    sites = im.write("sites.csv", sites_csv())
    im.run("import", "csv", "--people", im.write("1.csv", to_csv(people)),
           "--sites", sites)
    before = im.into.read_text()
    few = im.write("2.csv", to_csv(people[:1]))
    _, err = im.run("import", "csv", "--people", few, expect=1)
    assert "39 of 4" in err and "--allow-leave" in err
    assert im.into.read_text() == before
    im.run("import", "csv", "--people", few, "--allow-leave")
    assert set(im.people()) == {"p000", "liu"}


def test_members_of_groups_are_found_as_each_source_names_them(im, people):
    scim = json.loads(to_scim(people))["Resources"]
    scim.append({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "g1", "displayName": "Mods",
        "members": [{"value": scim[1]["id"]}, {"value": scim[2]["id"]}]})
    ldif = to_ldif(people) + f"""\
dn: cn=mods,{slapd.SUFFIX}
objectClass: posixGroup
cn: mods
memberUid: p001
memberUid: p002
memberUid: nobody
"""
    rules = "import: 1\nissuer: hr\ngroups:\n  roles: {attribute: %s, " \
        "values: {mods: moderator}}\n"
    _, err = im.run("import", "ldif", im.write("p.ldif", ldif), "--map",
                    im.write("m.yaml", rules % "cn"))
    assert '"nobody" is nobody of this import' in err
    first = im.into.read_text()
    im.into.write_text(BASE)
    im.run("import", "scim", im.write("p.json", json.dumps(scim)), "--map",
           im.write("m2.yaml", rules % "displayName"))
    assert im.into.read_text() == first
    assert {i for i, p in im.people().items() if "roles" in p} \
        == {"p001", "p002"}


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(im):
    """The table is a pipe, so the program has read the directory, and has
    not written it, while we hold the other end."""
    pipe = im.folder / "pipe.csv"
    os.mkfifo(pipe)
    p = subprocess.Popen(
        [im.bin / "sworn", "directory", "import", "csv", "--people", pipe,
         "--into", im.into], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)
    with open(pipe, "w") as table:
        im.into.write_text(BASE.replace("Liu Yang", "Liu Wei"))
        table.write("id,site\nann,dublin\n")
    _, err = p.communicate(timeout=60)
    assert p.returncode == 1 and "somebody else" in err
    assert im.into.read_text() == BASE.replace("Liu Yang", "Liu Wei")


def test_the_file_keeps_its_mode_and_a_new_one_is_not_overwritten(im):
    os.chmod(im.into, 0o640)
    t = im.write("t.csv", table(["ann,dublin,ireland,none,"]))
    im.run("import", "csv", "--people", t)
    assert stat.S_IMODE(im.into.stat().st_mode) == 0o640
    link = im.folder / "link.yaml"
    link.symlink_to(im.into)
    im.run("import", "csv", "--people", t, into=link)
    assert link.is_symlink()
    assert not list(im.folder.glob("directory.yaml.*"))
    _, _, err = demo_world.run(
        [im.bin / "sworn", "directory", "import", "csv", "--sites",
         im.write("s.csv", "id,country\nx,IE\n"), "--out", im.into],
        expect=(1,))
    assert "already" in err


# -- a live server -------------------------------------------------------------

def test_ldap_is_refused_without_encryption_or_with_a_wrong_name(
        im, server):
    _, err = im.run("import", *live(server, im, url=server.url), expect=1)
    assert "not encrypted" in err and "--start-tls" in err
    wrong = live(server, im)
    wrong[wrong.index("--ca") + 1] = "/etc/ssl/certs/ca-certificates.crt"
    _, err = im.run("import", *wrong, expect=1)
    assert server.tls_url in err
    args = live(server, im)
    demo_world.write_secret(im.folder / "secret", "not it\n")
    _, err = im.run("import", *args, expect=1)
    assert "Invalid credentials" in err
    os.chmod(im.folder / "secret", 0o644)
    _, err = im.run("import", *args, expect=1)
    assert "chmod 600" in err
    assert im.into.read_text() == BASE


def test_a_search_that_is_not_whole_changes_nothing(
        im, people, tmp_path_factory):
    s = slapd.Slapd(tmp_path_factory.mktemp("small"))
    s.create(to_ldif(people), size_limit="size.soft=5 size.hard=5 "
             "size.prtotal=5")
    s.start()
    try:
        # The administrator has no limits, so somebody else asks.
        args = live(s, im)
        i = args.index("--bind")
        del args[i:i + 4]
        args[args.index(slapd.SUFFIX)] = f"ou=people,{slapd.SUFFIX}"
        conf = s.conf.read_text()
        s.close()
        s.conf.write_text(conf.replace("by * auth", "by * read"))
        s.start()
        args[1] = s.tls_url
        _, err = im.run("import", *args, expect=1)
        assert "Size limit exceeded" in err or "limit" in err
        _, err = im.run("import", *live(s, im, "--limit", "10"), expect=1)
        assert "more than 10 entries" in err
    finally:
        s.close()
    assert im.into.read_text() == BASE


# -- instructors ------------------------------------------------------------

def tickets(rows):
    return "ticket,assignee,assigner,approver,time\n" + "".join(
        f"{r}\n" for r in rows)


def test_instructors_are_found_by_number_or_share_with_their_evidence(im):
    im.run("import", "csv", "--people", im.write("1.csv", table(
        ["ann,dublin,ireland,none,", "bob,dublin,ireland,ann,",
         "cid,dublin,ireland,ann,"])))
    rng = random.Random(3)
    who = ["ann", "bob", "cid", "liu"]
    rows, seen = [], {}
    for i in range(120):
        a, by, ok = (rng.choice(who) for _ in range(3))
        day = rng.randrange(1, 29)
        rows.append(f"T{i},{a},{by},{ok},2026-10-{day:02}T08:00:00Z")
        for role, b in (("assigned", by), ("approved", ok)):
            if a != b:
                seen.setdefault((a, b), {}).setdefault(role, set()).add(i)
        seen.setdefault((a, ""), {}).setdefault("all", set()).add(i)
    rows += rows[:30]           # a ticket exported twice is one ticket
    rows.append("T900,ann,bob,,2025-01-01")
    rows.append("T901,ghost,bob,,2026-10-02")
    path = im.write("t.csv", tickets(rows))
    out, _ = im.run("instructors", "--tickets", path, "--at", "2026-11-01",
                    "--at-least", "14", "--percent", "45")
    want = {}
    for (a, b), deeds in seen.items():
        n = len(set().union(*deeds.values()))
        every = len(seen[a, ""]["all"])
        if b and (n >= 14 or n * 100 >= 45 * every):
            want.setdefault(a, {})[b] = (
                n, every, len(deeds.get("assigned", ())),
                len(deeds.get("approved", ())))
    got = {}
    for a, p in im.people().items():
        facts = p.get("instructor", [])
        for f in facts if isinstance(facts, list) else [facts]:
            assert f.get("issuer", p.get("issuer")) == "tickets"
            words = f["evidence"].replace(":", "").replace(",", "").split()
            got.setdefault(a, {})[f["id"]] = (
                int(words[0]), int(words[2]), int(words[9]), int(words[11]))
    assert got == want and want, "found and counted otherwise than here"
    assert "1 outside the window" in out
    assert "1 of people whom the directory does not know" in out


def test_instructors_of_a_new_run_replace_those_of_the_last(im):
    im.run("import", "csv", "--people", im.write("1.csv", table(
        ["ann,dublin,ireland,none,", "bob,dublin,ireland,ann,"])))
    one = im.write("t1.csv", tickets(
        [f"T{i},bob,liu,,2026-10-0{i}" for i in range(1, 9)]))
    two = im.write("t2.csv", tickets(
        [f"T{i},bob,ann,,2026-10-0{i}" for i in range(1, 9)]))
    at = ["--at", "2026-10-20", "--percent", "50"]
    before = im.into.read_text()
    im.run("instructors", "--tickets", one, *at, "--dry-run")
    assert im.into.read_text() == before
    im.run("instructors", "--tickets", one, *at)
    assert im.people()["bob"]["instructor"]["id"] == "liu"
    im.run("instructors", "--tickets", two, *at)
    assert im.people()["bob"]["instructor"]["id"] == "ann"
    # An import of people leaves what was found alone.
    im.run("import", "csv", "--people", im.folder / "1.csv")
    assert im.people()["bob"]["instructor"]["id"] == "ann"
    _, err = im.run("instructors", "--tickets", im.write(
        "t3.csv", tickets([f"T{i},bob,ghost,,2026-10-01"
                           for i in range(9)])), *at, expect=1)
    assert "ghost" in err and "9 of 9" in err
