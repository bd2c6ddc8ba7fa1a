"""Policies, emergencies and explanations over HTTP: who may, what is refused and where, and that it holds at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.account_city import AccountCity, Browser

POIS, PERSONS = "/policies/base.pois", "base.persons"
NARROW = {"grants": [{"roles": ["public"], "hidden": ["telephone"]}]}


@pytest.fixture(scope="module")
def browsers(accounted: AccountCity) -> dict[str, Browser]:
    """One signed in for each office, one who works here, and one who has not signed in."""
    found = {
        role: accounted.signed_in(f"the.{role}", role) for role in ("system_admin", "security_admin", "audit_admin")
    }
    found["command"] = accounted.signed_in("the.command", "command", divisions=((341502000000, 341502999999),))
    return {**found, "public": accounted.browser()}


@pytest.fixture
def security(browsers: dict[str, Browser]) -> Browser:
    return browsers["security_admin"]


def _put(browser: Browser, document: Any, why: str = "complaints", tag: str | None = None) -> Any:
    tag = browser.ask(POIS).headers.get("etag", '"0."') if tag is None else tag
    return browser.ask(POIS, "PUT", json={"policy": document, "why": why}, headers={"if-match": tag or None})


DOINGS: dict[tuple[str, str], Any] = {
    ("GET", "/policies"): None,
    ("GET", POIS): None,
    ("GET", f"{POIS}/history"): None,
    ("POST", f"{POIS}/check"): {"policy": NARROW},
    ("GET", "/emergencies"): None,
    ("GET", "/users/the.command/access"): None,
    ("PUT", POIS): {"policy": NARROW, "why": "x"},
    ("POST", f"{POIS}/reset"): {"why": "x"},
    ("POST", "/emergencies"): {"name": "flood", "divisions": ["3415"], "ends": "2000-01-01T00:00:00Z", "why": "x"},
    ("POST", "/emergencies/1/end"): None,
}


@pytest.mark.parametrize(("method", "path"), DOINGS)
def test_this_is_for_the_security_administrator_alone(browsers: dict[str, Browser], method: str, path: str) -> None:
    more = {} if DOINGS[method, path] is None else {"json": DOINGS[method, path]}
    for who, browser in browsers.items():
        answer = browser.ask(path, method, **more)
        if who == "security_admin":
            assert answer.status_code in (200, 400, 404, 428), answer.text
        else:
            assert answer.status_code == (401 if who == "public" else 403), (who, answer.text)


def test_a_policy_is_read_put_and_brought_back(browsers: dict[str, Browser], security: Browser) -> None:
    before = security.ask(POIS)
    assert before.headers["cache-control"] == "no-store" and before.json()["adjusted"] is False
    assert before.json()["policy"] == before.json()["declared"]
    previewed = security.ask(f"{POIS}/check", "POST", json={"policy": NARROW}).json()["explained"]
    assert security.ask(POIS).headers["etag"] == before.headers["etag"]

    made = _put(security, NARROW)
    assert made.status_code == 200, made.text
    told = made.json()
    assert (told["adjusted"], told["policy"]["grants"][0]["hidden"]) == (True, ["telephone"])
    assert (told["changed_by"], told["why"]) == ("the.security_admin", "complaints")
    assert told["explained"] == previewed
    by_role = {one["role"]: one["sentences"] for one in told["explained"]}
    assert {"zh": "不显示:电话。", "en": "Not told at all: telephone."} in by_role["public"]
    assert "No grant" in by_role["staff"][0]["en"]
    # this server serves by it at once
    assert "telephone" not in browsers["public"].ask("/collections/base.pois/queryables").json()["properties"]
    assert browsers["command"].ask("/collections/base.pois/items").status_code == 403

    again = security.ask(f"{POIS}/reset", "POST", json={"why": "settled"}, headers={"if-match": made.headers["etag"]})
    assert again.status_code == 200 and again.json()["policy"] == before.json()["policy"]
    assert "telephone" in browsers["public"].ask("/collections/base.pois/queryables").json()["properties"]
    changes = security.ask(f"{POIS}/history").json()["changes"]
    assert [(one["document"], one["why"]) for one in changes[:2]] == [(None, "settled"), (NARROW, "complaints")]
    line = next(one for one in security.ask("/policies").json()["policies"] if one["id"] == "base.pois")
    assert (line["adjusted"], line["version"]) == (False, changes[0]["version"])


def test_of_two_who_change_a_policy_at_once_one_is_too_late(security: Browser) -> None:
    tag = security.ask(POIS).headers["etag"]
    assert _put(security, NARROW, tag=tag).status_code == 200
    late = _put(security, {"grants": []}, tag=tag)
    assert (late.status_code, late.json()["subject"]) == (412, "If-Match")
    assert security.ask(POIS).json()["policy"]["grants"] != []
    assert _put(security, NARROW, tag="").status_code == 428
    reset = security.ask(f"{POIS}/reset", "POST", json={"why": "x"}, headers={"if-match": tag})
    assert reset.status_code == 412
    # the language in which it was read is nothing to it
    other = security.ask(POIS, headers={"accept-language": "zh"}).headers["etag"]
    assert security.ask(f"{POIS}/reset", "POST", json={"why": "x"}, headers={"if-match": other}).status_code == 200


@pytest.mark.parametrize(
    ("document", "subject"),
    [
        ({"grants": [{"roles": ["boss"]}]}, "grants[0].roles"),
        ({"grants": [{"roles": ["public"]}, {"roles": ["staff"], "hidden": ["no_such"]}]}, "grants[1].hidden"),
        ({"grants": [{"roles": ["public"], "masked": {"name": "no such rule"}}]}, "grants[0]"),
        ({"grants": [{"roles": ["public"], "anonymous": {"resolution": 9, "k": 1}}]}, "grants[0].anonymous"),
        ({"grants": [{"roles": ["staff"], "departments": ["po\0lice"]}]}, ""),
        ({"grants": [{"roles": ["staff"], "departments": ["po\nlice"]}]}, "grants[0].departments"),
        ({"grants": [{"roles": ["public"], "colour": 1}]}, "grants[0]"),
        ({"grant": []}, "policy"),
        ({"grants": [{"roles": ["public"]}] * 51}, "grants"),
        ([], "policy"),
    ],
)
def test_what_is_wrong_with_a_policy_is_told_with_its_place(security: Browser, document: Any, subject: str) -> None:
    history = security.ask(f"{POIS}/history").json()
    for language, word in (("en", "the"), ("zh", "策略" if subject.startswith("grants") else "")):
        tag = security.ask(POIS).headers["etag"]
        body = {"policy": document, "why": "x"}
        answer = security.ask(POIS, "PUT", json=body, headers={"if-match": tag, "accept-language": language})
        assert answer.status_code == 400, answer.text
        assert answer.json().get("subject", "") == subject and word in answer.json()["detail"]
    assert security.ask(f"{POIS}/history").json() == history


def test_a_reason_is_asked_for_and_pages_of_others_change_nothing(security: Browser) -> None:
    for why in ("", "   "):
        answer = _put(security, NARROW, why=why)
        assert (answer.status_code, answer.json()["subject"]) == (400, "why")
    tag = security.ask(POIS).headers["etag"]
    foreign = {"origin": "http://other.test", "if-match": tag}
    assert security.ask(POIS, "PUT", json={"policy": NARROW, "why": "x"}, headers=foreign).status_code == 403
    assert security.ask("/policies/no.such").status_code == 404
    big = {"grants": [{"roles": ["public"], "purposes": ["x" * 70_000]}]}
    assert _put(security, big).status_code == 413


def test_an_emergency_raises_rights_at_once_and_ends(browsers: dict[str, Browser], security: Browser) -> None:
    def rights() -> str:
        told = browsers["command"].ask(f"/me/access?collection={PERSONS}&purpose=rescue").json()["collections"][0]
        return " ".join(one["en"] for one in told["rights"])

    assert "Counts alone" in rights()
    ends = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    wish = {"name": "洪水", "divisions": ["341503"], "ends": ends, "why": "rain"}
    made = security.ask("/emergencies", "POST", json=wish)
    assert made.status_code == 201, made.text
    assert made.json()["in_force"] is True and made.json()["divisions"] == ["341503000000"]
    assert "of the emergencies in force: 341503000000–341503999999" in rights()
    other = security.ask(f"/users/the.command/access?collection={PERSONS}&purpose=rescue").json()
    assert other["collections"][0]["sees"] is True and "emergencies in force" in str(other)
    ended = security.ask(f"/emergencies/{made.json()['id']}/end", "POST").json()
    assert ended["ended_by"] == "the.security_admin" and ended["in_force"] is False
    assert security.ask(f"/emergencies/{made.json()['id']}/end", "POST").json() == ended
    assert "Counts alone" in rights()
    assert security.ask("/emergencies").json()["emergencies"][0]["id"] == made.json()["id"]


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"name": " "}, "name"),
        ({"why": " "}, "why"),
        ({"divisions": []}, "divisions"),
        ({"divisions": ["34x"]}, ""),
        ({"ends": "2000-01-01T00:00:00Z"}, "ends"),
        ({"ends": "9999-12-31T23:59:59-14:00"}, "ends"),
        ({"begins": "0001-01-01T00:00:00+14:00"}, "begins"),
        ({"begins": "2100-12-31T00:00:00Z", "ends": "2100-12-31T01:00:00Z"}, "ends"),
        ({"ends": "tomorrow"}, "ends"),
        ({"ends": "2030-01-01T00:00:00"}, "ends"),
        ({"name": "a\0b"}, ""),
    ],
)
def test_emergencies_that_cannot_be(security: Browser, change: dict[str, Any], subject: str) -> None:
    ends = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    wish = {"name": "flood", "divisions": ["3415"], "ends": ends, "why": "rain", **change}
    answer = security.ask("/emergencies", "POST", json=wish)
    assert answer.status_code == 400, answer.text
    assert answer.json().get("subject", "") == subject or not subject


def test_everybody_reads_their_own_rights(accounted: AccountCity, browsers: dict[str, Browser]) -> None:
    assert browsers["public"].ask("/me/access").status_code == 401
    told = browsers["command"].ask("/me/access").json()
    by_id = {one["id"]: one for one in told["collections"]}
    assert told["role"] == "command" and told["divisions"] == ["341502000000"]
    assert by_id["base.dwellings"]["sees"] and "341502000000–341502999999" in str(by_id["base.dwellings"]["rights"])
    assert browsers["command"].ask("/me/access?collection=no.such").status_code == 400
    assert browsers["command"].ask(f"/me/access?purpose={'x' * 200}").status_code == 400
    assert browsers["security_admin"].ask("/users/nobody.here/access").status_code == 404
    office = browsers["audit_admin"].ask("/me/access?collection=base.dwellings").json()["collections"][0]
    assert office["sees"] is False and "may see nothing" in office["rights"][0]["en"]


def test_what_was_changed_is_in_the_trace(browsers: dict[str, Browser], security: Browser) -> None:
    _put(security, NARROW, why="for the trace")
    _put(security, {"grants": [{"roles": ["boss"]}]})
    security.ask(f"{POIS}/check", "POST", json={"policy": NARROW})
    entries = browsers["audit_admin"].ask("/audit?event=policies_changed&collection=base.pois").json()["entries"]
    assert [one["outcome"] for one in entries[:2]] == ["failed", "success"]
    assert entries[0]["who"] == "the.security_admin" and '"act": "set"' in entries[0]["detail"]
    assert '"version": ' in entries[1]["detail"] and "boss" not in str(entries)
    assert not any("check" in one["detail"] for one in entries)
    found = browsers["audit_admin"].ask("/audit?event=emergency").json()["entries"]
    assert any('"act": "declare"' in one["detail"] and one["outcome"] == "success" for one in found)
