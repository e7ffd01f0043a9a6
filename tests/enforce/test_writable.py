"""What persons may write, in the store itself: around the gateway, as the
login that it would use. Views of each clearance's own, and shared ones."""
import json

import psycopg
import pytest
from test_apply import POLICY, Store
from test_drift import drift

# The moderator's role sees IE only; `keeper` reads the same and writes.
DIRECTORY = """
  keeper: {name: Keeper, employer: firm, site: dublin, manager: none,
        roles: [moderator, keeper]}
services:"""
RULES = """
  - rule: moderators see contact data, masked
    permit: read
    who: {kind: person, roles: [moderator]}
    what: {tables: [public.users], categories: [contact]}
    whose: [IE]
    why: {purposes: [moderation], ticket: "(TS|MOD)-[1-9][0-9]*"}
  - rule: keepers keep messages
    permit: [insert, update, delete]
    who: {kind: person, roles: [keeper]}
    what: {tables: [public.messages]}
    whose: [IE]
    why: {purposes: [moderation], ticket: "(TS|MOD)-[1-9][0-9]*"}
  - rule: keepers name users
    permit: update
    who: {kind: person, roles: [keeper]}
    what: {tables: [public.users], categories: [identity, contact, technical]}
    why: {purposes: [moderation], ticket: "(TS|MOD)-[1-9][0-9]*"}
"""


def make_store(server, sworn, folder, kind):
    s = Store(server, sworn, folder, kind=kind, policy=POLICY + RULES)
    path = folder / "directory.yaml"
    text = path.read_text()
    assert text.count("\nservices:") == 1
    path.write_text(text.replace("\nservices:", DIRECTORY))
    return s


@pytest.fixture(scope="module", params=[("column", ("--shared-views",)),
                                        ("through", ())])
def store(request, server, sworn, tmp_path_factory):
    kind, flags = request.param
    s = make_store(server, sworn, tmp_path_factory.mktemp("w"), kind)
    s.leads = "country" if kind == "column" else "country_id"
    s.apply(*flags)
    yield s
    s.apply("--remove")
    with s.admin() as c:
        assert c.execute("SELECT count(*) FROM pg_policy").fetchone()[0] == 0


def writers(s):
    """The logins that may write to some table, and those that see the same
    tables and may not."""
    found, others = [], []
    for login in json.loads(s.applied.read_text())["logins"]:
        with s.server.connect(s.database, login["role"]) as c:
            if c.execute("SELECT to_regclass('messages')").fetchone()[0]:
                may = c.execute("SELECT has_table_privilege('messages', "
                                "'DELETE')").fetchone()[0]
                (found if may else others).append(login["role"])
    return found, others


def rows(c, table):
    return c.execute(f"SELECT t::text FROM public.{table} t ORDER BY 1"
                     ).fetchall()


def test_only_who_may_write_has_a_login_that_may(store):
    found, others = writers(store)
    assert len(found) == 1 and len(others) >= 2
    for role in others:
        with store.server.connect(store.database, role) as c:
            c.execute("SET default_transaction_read_only = off")
            for sql in ("DELETE FROM messages",
                        "UPDATE messages SET body = 'x'",
                        "UPDATE users SET handle = 'x'"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    c.execute(sql)
    assert "as sworn apply made it" in drift(store, 0)


def test_rows_that_are_not_shown_are_neither_changed_nor_made(store):
    role, = writers(store)[0]
    seen = shown(store, role)
    assert seen["messages"] and seen["users"] == [3, 4]
    with store.admin() as a:
        everything = {t: rows(a, t) for t in ("messages", "users")}
        with store.server.connect(store.database, role) as c:
            for sql in ("UPDATE messages SET body = 'changed'",
                        "DELETE FROM messages"):
                c.execute("BEGIN")
                n = c.execute(sql).rowcount
                assert n == len(seen["messages"])
                c.execute("ROLLBACK")
            # To a hidden subject, from one, to nobody, over a hidden key.
            for sender, recipient in ((1, 3), (3, 1), (3, None), (5, 3)):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    c.execute("INSERT INTO messages VALUES (900, %s, %s, 'x')",
                              (sender, recipient))
            c.execute("INSERT INTO messages VALUES (900, 3, 4, 'mine')")
            # What leads to a subject is not updated; what is masked neither.
            for sql in ("UPDATE messages SET sender_id = 4",
                        "UPDATE messages SET id = 901 WHERE id = 900",
                        "UPDATE users SET id = 3 WHERE id = 3",
                        f"UPDATE users SET {store.leads} = {store.leads}",
                        "UPDATE users SET email = 'x'"):
                if "id = 901" in sql:
                    c.execute(sql)      # no way goes over it
                    continue
                with pytest.raises((psycopg.errors.InsufficientPrivilege,
                                    psycopg.errors.FeatureNotSupported)):
                    c.execute(sql)
            c.execute("DELETE FROM messages WHERE id = 901")
            c.execute("UPDATE users SET handle = handle || '!'")
        for table in everything:
            after = rows(a, table)
            if table == "messages":
                assert after == everything[table]
            changed = set(after) ^ set(everything[table])
            assert len(changed) == (4 if table == "users" else 0)
        a.execute("UPDATE users SET handle = rtrim(handle, '!')")
        assert {t: rows(a, t) for t in everything} == everything


def shown(s, role):
    with s.server.connect(s.database, role) as c:
        return {t: [i for i, in c.execute(f"SELECT id FROM {t} ORDER BY id")]
                for t in ("messages", "users")}


def test_errors_quote_nothing_that_is_hidden(store):
    role, = writers(store)[0]
    with store.server.connect(store.database, role) as c:
        for sql in ("UPDATE users SET handle = 'same'",
                    "INSERT INTO messages (id) VALUES (1)",
                    "INSERT INTO messages (id, sender_id, recipient_id, body) "
                    "VALUES (1, 3, 4, 'x')"):
            with pytest.raises(psycopg.Error) as e:
                c.execute(sql)
            said = " ".join(str(x) for x in (
                e.value.diag.message_primary, e.value.diag.message_detail,
                e.value.diag.message_hint, e.value.diag.context))
            for text in all_texts(store):
                assert text not in said, (sql, said)


def all_texts(s):
    with s.admin() as c:
        return [t for sql in ("SELECT body FROM messages",
                              "SELECT handle FROM users",
                              "SELECT email FROM users")
                for (t,) in c.execute(sql).fetchall() if t]


IN_THE_WAY = """
CREATE TABLE copies (id int REFERENCES messages ON DELETE CASCADE,
    h text REFERENCES users (handle) ON UPDATE CASCADE);
CREATE RULE too AS ON DELETE TO messages DO ALSO DELETE FROM reports;
CREATE TABLE notes (id int REFERENCES messages);
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
CREATE USER MAPPING FOR CURRENT_USER SERVER far;
CREATE FOREIGN TABLE elsewhere () INHERITS (messages) SERVER far;
"""
ALONG = "rows of public.copies are deleted or changed along with those of "


def test_store_that_would_write_more_is_refused(server, sworn, tmp_path):
    s = make_store(server, sworn, tmp_path, "column")
    with s.admin() as c:
        c.execute(IN_THE_WAY)
    said = s.apply(expect=1)
    for words in (ALONG + "public.messages", ALONG + "public.users",
                  "public.messages is written by rule too",
                  "public.messages has rows on another server "
                  "(public.elsewhere)",
                  "the policy lets persons write"):
        assert words in said
    assert "notes" not in said
    with s.admin() as c:
        assert c.execute("SELECT to_regnamespace('sworn')").fetchone()[0] \
            is None
