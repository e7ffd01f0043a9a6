"""A service works by a role that reaches all that its store guards, so it is
let in only if it is cleared for all of that."""
import psycopg
import pytest
from conftest import connect_feed
from world import wait_for

FEED_RULE = "  - rule: the feed serves its users\n"


def edit_policy(gateway, old, new):
    path = gateway.folder / "policy.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def rule(body):
    return f"  - rule: about the feed\n{body}\n\n{FEED_RULE}"


NARROWER = {
    "a table forbidden": rule(
        "    forbid: read\n    who: {kind: service}\n"
        "    what: {tables: [public.messages]}"),
    "a category forbidden": rule(
        "    forbid: read\n    who: {kind: service}\n"
        "    what: {categories: [location]}"),
    "a category masked": rule(
        "    treat: mask\n    who: {kind: service}\n"
        "    what: {categories: [contact]}"),
    "a residence forbidden": rule(
        "    forbid: read\n    who: {kind: service}\n    whose: [DE]"),
    "an exact record demanded": FEED_RULE + "    record: exact\n",
}


@pytest.mark.parametrize("name", NARROWER)
def test_service_that_is_not_cleared_for_all_is_refused(fresh, name):
    gateway = fresh("enforce", start=False)
    edit_policy(gateway, FEED_RULE, NARROWER[name])
    gateway.start()
    with pytest.raises(psycopg.OperationalError) as e:
        connect_feed(gateway, "eu")
    assert "not cleared for all of public." in str(e.value), e.value
    denials = wait_for("the refusal in the log", lambda: [
        r for r in gateway.records() if r["type"] == "denial"])
    refusal = denials[0]["refusal"]
    assert refusal["sqlstate"] == "42501"
    assert refusal["table"].startswith("public.")
    if "residence" in name:     # which the other store has nobody of
        with connect_feed(gateway, "us") as c:
            assert c.execute("SELECT count(*) FROM users").fetchone()[0] > 0


def test_service_that_is_cleared_for_all_is_let_in(enforcing):
    with connect_feed(enforcing, "eu") as c:
        assert c.execute("SELECT count(*) FROM users").fetchone()[0] > 0
