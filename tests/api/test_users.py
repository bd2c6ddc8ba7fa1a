"""Accounts and keys over HTTP: what each of the three administrators may do, and what the trace keeps of it."""

from collections.abc import Iterator

import argon2
import psycopg
import pytest

from gis.access import passwords
from tests.api.account_city import PASSWORD, AccountCity, Browser
from tests.api.exchange_city import ExchangeCity

OFFICES = ("system_admin", "security_admin", "audit_admin")


@pytest.fixture(scope="module")
def accounted(exchange: ExchangeCity) -> Iterator[AccountCity]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        passwords._nobodys.cache_clear()
        yield AccountCity(exchange.url, exchange.request)


@pytest.fixture(scope="module")
def browsers(accounted: AccountCity) -> dict[str, Browser]:
    """One signed in for each office, one worker, and one who has not signed in."""
    found = {role: accounted.signed_in(f"the.{role}", role) for role in (*OFFICES, "staff")}
    accounted.account("target")
    return {**found, "public": accounted.browser()}


#: What is asked → who may; everybody else is refused.
DOINGS: dict[tuple[str, str], tuple[dict[str, object] | None, set[str]]] = {
    ("GET", "/users"): (None, {"system_admin", "security_admin"}),
    ("GET", "/users/target"): (None, {"system_admin", "security_admin"}),
    ("POST", "/users"): ({"name": "made.{}", "person": "{}"}, {"system_admin"}),
    ("PATCH", "/users/target"): ({"disabled": False}, {"system_admin"}),
    ("POST", "/users/target/reset"): (None, {"system_admin"}),
    ("POST", "/users/target/unlock"): (None, {"system_admin"}),
    ("PUT", "/users/target/role"): ({"role": "staff", "divisions": ["341502"]}, {"security_admin"}),
    ("DELETE", "/users/target/second-factor"): (None, {"security_admin"}),
    ("GET", "/keys"): (None, {"system_admin", "security_admin"}),
    ("POST", "/keys"): ({"name": "bus"}, {"security_admin"}),
    ("DELETE", "/keys/1"): (None, {"security_admin"}),
    ("GET", "/audit"): (None, {"audit_admin"}),
}


@pytest.mark.parametrize(("method", "path"), DOINGS)
def test_each_office_does_its_own(accounted: AccountCity, browsers: dict[str, Browser], method: str, path: str) -> None:
    sent, allowed = DOINGS[method, path]
    for who, browser in browsers.items():
        more = {}
        if sent is not None:
            more = {"json": {k: v.format(who) if isinstance(v, str) else v for k, v in sent.items()}}
        status = browser.ask(path, method, **more).status_code
        assert (status < 300) == (who in allowed), (who, status)
        if who not in allowed:
            assert status == (401 if who == "public" else 403), (who, status)


def test_administrators_see_no_more_of_the_city_than_anybody(browsers: dict[str, Browser]) -> None:
    def seen(who: str) -> set[str]:
        return {one["id"] for one in browsers[who].ask("/me").json()["collections"]}

    for office in OFFICES:
        assert seen(office) <= seen("public")
    assert "base.dwellings" in seen("staff") - seen("public")


def test_from_a_new_account_to_work(accounted: AccountCity, browsers: dict[str, Browser]) -> None:
    system, security = browsers["system_admin"], browsers["security_admin"]
    made = system.ask("/users", "POST", json={"name": "New.One", "person": "新人 001"})
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    assert (made.json()["name"], made.json()["role"], made.json()["divisions"]) == ("new.one", "public", [])
    # who makes an account cannot give it anything, and whoever gives rights cannot give them to themselves
    assert security.ask("/users/the.security_admin/role", "PUT", json={"role": "duty"}).status_code == 403
    office = {"role": "duty", "divisions": ["3415", "341502001"], "department": "police"}
    told = security.ask("/users/new.one/role", "PUT", json=office).json()
    assert told["divisions"] == ["341500000000", "341502001000"]
    browser = accounted.browser()
    assert browser.sign_in("new.one", made.json()["one_time_password"], new_password=PASSWORD).status_code == 200
    assert browser.ask("/me").json()["divisions"][0] == ["341500000000", "341599999999"]
    # who becomes an administrator while signed in does nothing either before there is a second factor
    assert security.ask("/users/new.one/role", "PUT", json={"role": "audit_admin"}).status_code == 200
    assert browser.ask("/audit").status_code == 403 and browser.ask("/collections").json()["subject"] == "factor"
    assert security.ask("/users/new.one/role", "PUT", json={"role": "duty"}).status_code == 200
    for wrong in ({"role": "king"}, {"role": "owner"}, {"role": "staff", "divisions": ["12x"]}, {"role": 7}, {}):
        assert security.ask("/users/new.one/role", "PUT", json=wrong).status_code == 400
    assert security.ask("/users/nobody.here/role", "PUT", json={"role": "staff"}).status_code == 404
    assert system.ask("/users", "POST", json={"name": "new.one", "person": "x"}).status_code == 409


def test_a_key_reaches_as_far_as_it_says(accounted: AccountCity, browsers: dict[str, Browser]) -> None:
    security = browsers["security_admin"]
    wish = {"name": "bus", "role": "analyst", "collections": ["base.pois"], "divisions": ["341502"], "per_minute": 60}
    made = security.ask("/keys", "POST", json=wish).json()
    assert made["key"].startswith(f"{made['id']}-") and made["writes"] is False
    assert made["created_by"] == "the.security_admin" and made["divisions"] == ["341502000000"]
    assert all("key" not in one for one in security.ask("/keys").json()["keys"])
    headers = {"authorization": f"Bearer {made['key']}"}
    assert [one["id"] for one in accounted.request("/me", headers=headers).json()["collections"]] == ["base.pois"]
    assert security.ask(f"/keys/{made['id']}", "DELETE").status_code == 200
    assert accounted.request("/me", headers=headers).status_code == 401
    for wrong in ({"role": "system_admin"}, {"collections": ["no.such"]}, {"per_minute": 0}, {"department": "nope!"}):
        assert security.ask("/keys", "POST", json=wrong).status_code == 400, wrong


def test_the_trace_names_who_and_never_what_was_typed(accounted: AccountCity, browsers: dict[str, Browser]) -> None:
    browser = accounted.browser()
    browser.sign_in("the.staff", "my-Secret-guess-1")
    browser.sign_in("my-Secret-password-typed-here", "x")
    accounted.request("/collections", headers={"authorization": "Bearer 1-nonsense"})
    audit = browsers["audit_admin"]
    entries = audit.ask("/audit?event=signed_in&outcome=refused").json()["entries"]
    assert [one["who"] for one in entries[:2]] == ["unknown", "the.staff"]
    assert "Secret" not in audit.ask("/audit").text
    assert audit.ask("/audit?event=refused").json()["entries"][0]["who"] == "public"
    changed = audit.ask("/audit?event=users_changed&who=the.system_admin").json()["entries"]
    assert any('"account": "target"' in one["detail"] and '"act": "reset"' in one["detail"] for one in changed)


def test_a_second_office_is_refused_over_http_too(accounted: AccountCity, browsers: dict[str, Browser]) -> None:
    system, security = browsers["system_admin"], browsers["security_admin"]
    system.ask("/users", "POST", json={"name": "second", "person": "person of the.audit_admin"})
    answer = security.ask("/users/second/role", "PUT", json={"role": "system_admin"})
    assert answer.status_code == 409 and "administrator already" in answer.json()["detail"]
    with psycopg.connect(accounted.url) as conn:
        row = conn.execute("SELECT role FROM access.account WHERE name = 'second'").fetchone()
    assert row == ("public",)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2030-01-01T00:00:00"])
def test_moments_and_names_that_no_database_keeps(browsers: dict[str, Browser], moment: str) -> None:
    system, security = browsers["system_admin"], browsers["security_admin"]
    for browser, method, path, sent in (
        (system, "POST", "/users", {"name": f"odd.{moment[:4]}", "person": "x"}),
        (system, "PATCH", "/users/target", {"disabled": False}),
        (security, "POST", "/keys", {"name": "bus"}),
    ):
        answer = browser.ask(path, method, json={**sent, "expires_at": moment})
        assert (answer.status_code, answer.json()["subject"]) == (400, "expires_at"), path
        assert browser.ask(path, method, json={**sent, "name\0": "x"}).status_code == 400
    assert system.ask("/users", "POST", json={"name": "a\0b", "person": "x"}).status_code == 400
    assert security.ask("/keys", "POST", json={"name": "a\0b"}).status_code == 400
    for path in ("/users/%00", "/users/%00/access", "/policies/%00", "/emergencies/%00/end", "/keys/%00"):
        for browser in (system, security):
            assert 400 <= browser.ask(path).status_code < 500, path
    assert system.ask("/users").status_code == security.ask("/keys").status_code == 200
