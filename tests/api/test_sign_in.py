"""Signing in over HTTP: what is asked for, what is told, what is kept of it, and who is held back."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from api.credentials import LOOK_EVERY_S
from gis.access import keys, passwords
from gis.access.keys import Scope
from gis.errors import NotSignedIn
from gis.store import accounts, failures
from gis.store.accounts import AT_THE_MACHINE
from gis.store.database import Database
from gis.store.sign_in import Attempt, SignIn
from tests.api.account_city import PASSWORD, AccountCity

WRONG = "not-The-1-password"
TILE = "/collections/base.dwellings/tiles/WebMercatorQuad/14/6660/13494"


@pytest.fixture(autouse=True)
def _nobody_waits(accounted: AccountCity) -> None:
    with psycopg.connect(accounted.url, autocommit=True) as conn:
        conn.execute("DELETE FROM access.failure")


def test_from_a_one_time_password_to_a_session(accounted: AccountCity) -> None:
    once, browser = accounted.account("li.si", "staff", None, "police"), accounted.browser()
    assert browser.ask("/me").json()["name"] is None
    answer = browser.sign_in("li.si", once)
    assert (answer.status_code, answer.json()["subject"]) == (401, "new_password")
    assert browser.sign_in("li.si", once, new_password="short").status_code == 400
    answer = browser.sign_in("Li.Si", once, new_password=PASSWORD)
    assert answer.status_code == 200 and answer.json()["role"] == "staff"
    given_cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in given_cookie and "samesite=strict" in given_cookie and "secure" not in given_cookie
    assert answer.headers["cache-control"] == "no-store" and browser.cookie not in answer.text
    me = browser.ask("/me").json()
    assert (me["name"], me["role"], me["department"], me["by"]) == ("li.si", "staff", "police", "session")
    assert "base.dwellings" in [one["id"] for one in me["collections"]]
    assert browser.sign_in("li.si", once, new_password="Heron-under-8-bridges").status_code == 401


def test_over_tls_the_cookie_is_for_that_alone(accounted: AccountCity) -> None:
    accounted.signed_in("tls", "staff")
    answer = accounted.request("https://city.test/sign-in", "POST", json={"name": "tls", "password": PASSWORD})
    given_cookie = answer.headers["set-cookie"]
    assert given_cookie.startswith("__Host-onemap_session=") and "Secure" in given_cookie and "Path=/" in given_cookie
    token = answer.cookies.get("__Host-onemap_session")
    me = accounted.request("https://city.test/me", headers={"cookie": f"__Host-onemap_session={token}"})
    assert me.json()["name"] == "tls"


def test_rights_follow_the_session_on_every_surface(accounted: AccountCity) -> None:
    staff, nobody = accounted.signed_in("zhao", "staff", None), accounted.browser()
    for path in ("/collections/base.dwellings", "/collections/base.dwellings/items", TILE):
        assert nobody.ask(path).status_code == 403, path
        assert staff.ask(path).status_code in (200, 204), path
        assert nobody.ask(path).status_code == 403, path


def test_signing_out_ends_the_session_everywhere(accounted: AccountCity) -> None:
    browser = accounted.signed_in("qian", "staff", None)
    stolen = accounted.browser()
    stolen.cookie = browser.cookie
    assert stolen.ask(TILE).status_code in (200, 204)
    assert browser.ask("/sign-out", "POST").status_code == 204 and browser.cookie == ""
    answer = stolen.ask(TILE)
    assert answer.status_code == 401 and answer.headers["content-type"] == "application/problem+json"
    assert "Max-Age=0" in answer.headers["set-cookie"]
    # where somebody comes to sign in again, an old cookie is nothing
    stolen.cookie = "gone"
    assert stolen.ask("/map").status_code == 200
    stolen.cookie = "gone"
    assert stolen.sign_in("qian").status_code == 200


@pytest.mark.parametrize("how", ["disable", "role", "key"])
def test_what_is_taken_away_is_gone_within_a_second(accounted: AccountCity, how: str) -> None:
    browser = accounted.signed_in(f"sun.{how}", "staff", None)
    headers: dict[str, str] = {}
    with psycopg.connect(accounted.url, autocommit=True) as conn:
        if how == "key":
            browser.cookie = ""
            made, key = keys.issue(conn, Scope())
            headers = {"authorization": f"Bearer {key}"}
        assert browser.ask(TILE, headers=headers).status_code in (200, 204)
        if how == "disable":
            accounts.disable(conn, f"sun.{how}", actor=AT_THE_MACHINE)
        elif how == "role":
            accounts.grant(conn, f"sun.{how}", "public", actor=AT_THE_MACHINE)
        else:
            keys.revoke(conn, made.id)
    time.sleep(LOOK_EVERY_S)
    assert browser.ask(TILE, headers=headers).status_code == (403 if how == "role" else 401)


def test_a_warm_credential_asks_nothing_of_the_database(
    accounted: AccountCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = accounted.signed_in("warm", "staff", None)
    asked: list[str] = []
    connection = Database.connection

    def noted(self: Database) -> object:
        asked.append("")
        return connection(self)

    assert browser.ask("/me").status_code == 200
    monkeypatch.setattr("api.credentials.LOOK_EVERY_S", 3600.0)
    browser.ask(TILE)
    monkeypatch.setattr(Database, "connection", noted)
    assert browser.ask(TILE).status_code in (200, 204)
    assert asked == []
    monkeypatch.setattr("api.credentials.LOOK_EVERY_S", 0.0)
    browser.ask(TILE)
    assert asked != []


def test_unknown_names_locked_names_and_wrong_passwords_are_told_alike(accounted: AccountCity) -> None:
    accounted.signed_in("zhou", "staff")
    browser = accounted.browser()
    known = browser.sign_in("zhou", WRONG)
    unknown = browser.sign_in("nobody.of.this.name", WRONG)
    for _ in range(failures.FREE["name"]):
        browser.sign_in("zhou", WRONG)
        browser.sign_in("nobody.of.this.name", WRONG)
    locked, unlocked = browser.sign_in("zhou", PASSWORD), browser.sign_in("nobody.of.this.name", WRONG)
    told = [(a.status_code, a.content, a.headers.get("set-cookie")) for a in (known, unknown, locked, unlocked)]
    assert len(set(told)) == 1 and told[0][0] == 401


def test_the_same_work_is_done_whoever_is_named(accounted: AccountCity) -> None:
    """Counted, not timed: hashes compared and statements asked."""
    accounted.signed_in("wu", "staff")
    with psycopg.connect(accounted.url, autocommit=True) as conn:
        for _ in range(failures.FREE["name"]):
            failures.count(conn, "name", "locked.one")
    database = Database(accounted.url, size=2)
    work: list[list[str]] = []
    try:
        for name in ("wu", "no.such.one", "locked.one"):
            done: list[str] = []

            def fits(kept: str | None, password: str, done: list[str] = done) -> bool:
                done.append("hash")
                return passwords.fits(kept, password)

            with pytest.raises(NotSignedIn):
                SignIn(database, fits=fits).sign_in(Attempt(name, WRONG, "10.9.9.9"))
            work.append(done)
    finally:
        database.close()
    assert work == [["hash"]] * 3


def test_however_many_try_at_once_no_more_are_let_through(accounted: AccountCity) -> None:
    accounted.signed_in("zheng", "staff")
    database, tried = Database(accounted.url, size=8), []

    def fits(kept: str | None, password: str) -> bool:
        time.sleep(0.02)
        return passwords.fits(kept, password)

    def guess(number: int) -> bool:
        # the right one comes late, and must not be taken any more
        shown = PASSWORD if number >= 25 else f"{WRONG}{number}"
        try:
            SignIn(database, fits=fits).sign_in(Attempt("zheng", shown, f"10.1.{number}.1"))
        except NotSignedIn:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        tried = list(pool.map(guess, range(40)))
    with psycopg.connect(accounted.url, autocommit=True) as conn:
        row = conn.execute(
            "SELECT failures FROM access.failure WHERE subject = %s", (failures.subject_of("name", "zheng"),)
        ).fetchone()
    database.close()
    assert not any(tried) and row == (failures.FREE["name"],)


def test_waiting_grows_and_ends(accounted: AccountCity) -> None:
    with psycopg.connect(accounted.url, autocommit=True) as conn:
        waits = []
        for number in range(12):
            assert failures.count(conn, "name", "feng")
            row = conn.execute(
                "SELECT extract(epoch FROM locked_until - last_at)::int FROM access.failure WHERE subject = %s",
                (failures.subject_of("name", "feng"),),
            ).fetchone()
            assert row is not None
            waits.append(row[0])
            if row[0] > 0:
                assert not failures.count(conn, "name", "feng") and failures.locked(conn, "name", "feng")
            conn.execute("UPDATE access.failure SET locked_until = clock_timestamp()")
            assert number < 4 or waits[-1] > 0
        assert waits == [0, 0, 0, 0, 60, 120, 240, 480, 900, 900, 900, 900]
        conn.execute("UPDATE access.failure SET last_at = clock_timestamp() - interval '25 hours'")
        assert failures.count(conn, "name", "feng") and failures.locked(conn, "name", "feng") is None


def test_an_address_that_only_guesses_waits_too(accounted: AccountCity) -> None:
    accounted.signed_in("chen", "staff")
    browser = accounted.browser()
    for number in range(failures.FREE["address"]):
        assert browser.sign_in(f"guess.{number}", WRONG).status_code == 401
    assert browser.sign_in("chen").status_code == 401
    with psycopg.connect(accounted.url, autocommit=True) as conn:
        conn.execute("DELETE FROM access.failure")
    assert browser.sign_in("chen").status_code == 200


def test_the_second_factor(accounted: AccountCity) -> None:
    browser = accounted.signed_in("chu", "duty", None, "police")
    recovery = browser.set_up_factor()
    assert browser.ask("/me").json()["has_factor"] is True
    assert browser.ask("/me/second-factor", "POST").status_code == 409
    other = accounted.browser()
    other.secret, other.step = browser.secret, browser.step
    answer = other.sign_in("chu")
    assert (answer.status_code, answer.json()["subject"]) == (401, "code")
    assert other.sign_in("chu", code="000000").json()["subject"] == "code"
    used = other.code()
    assert other.sign_in("chu", code=used).status_code == 200
    assert other.sign_in("chu", code=used).status_code == 401
    assert other.sign_in("chu", code=recovery[0].upper()).status_code == 200
    assert other.sign_in("chu", code=recovery[0]).status_code == 401
    assert other.ask("/me/second-factor/remove", "POST", json={"code": recovery[1]}).status_code == 204
    assert other.sign_in("chu").status_code == 200


def test_two_who_show_one_code_at_once(accounted: AccountCity) -> None:
    browser = accounted.signed_in("wei", "staff")
    browser.set_up_factor()
    code = browser.code()
    database = Database(accounted.url, size=8)

    def enter(number: int) -> bool:
        try:
            SignIn(database).sign_in(Attempt("wei", PASSWORD, f"10.2.0.{number}", code=code))
        except NotSignedIn:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(enter, range(4))) == 1
    database.close()


def test_administrators_do_nothing_before_the_second_factor(accounted: AccountCity) -> None:
    once, browser = accounted.account("boss", "security_admin"), accounted.browser()
    assert browser.sign_in("boss", once, new_password=PASSWORD).json()["restricted"] is True
    for path in ("/users", "/collections", TILE):
        answer = browser.ask(path)
        assert (answer.status_code, answer.json()["subject"]) == (403, "factor"), path
    browser.set_up_factor()
    assert browser.ask("/users").status_code == 200
    assert browser.ask("/me/second-factor/remove", "POST", json={"code": browser.code()}).status_code == 403


def test_another_password_ends_the_other_sessions(accounted: AccountCity) -> None:
    first = accounted.signed_in("jiang", "staff")
    second = accounted.browser()
    assert second.sign_in("jiang").status_code == 200
    sent = {"password": WRONG, "new_password": "Heron-under-8-bridges"}
    assert first.ask("/me/password", "POST", json=sent).status_code == 401
    assert first.ask("/me/password", "POST", json={**sent, "password": PASSWORD}).status_code == 204
    assert (first.ask("/me").status_code, second.ask("/me").status_code) == (200, 401)
    assert second.sign_in("jiang").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 204), ({"origin": None, "sec-fetch-site": "same-origin"}, 204), ({"origin": None}, 403),
        ({"origin": "http://evil.test"}, 403), ({"origin": "null"}, 403), ({"origin": "http://city.test.evil"}, 403),
        ({"origin": "http://[broken"}, 403), ({"origin": None, "sec-fetch-site": "same-site"}, 403),
        ({"origin": "file://city.test"}, 403),
    ],
)  # fmt: skip
def test_changes_come_from_our_own_pages(accounted: AccountCity, headers: dict[str, str | None], status: int) -> None:
    browser = accounted.browser()
    if "shen" not in accounted.made:
        accounted.signed_in("shen", "staff")
    assert browser.sign_in("shen").status_code == 200
    assert browser.ask("/sign-out", "POST", headers=headers).status_code == status


def test_nobody_is_signed_in_by_another_servers_page(accounted: AccountCity) -> None:
    accounted.signed_in("han", "staff")
    answer = accounted.browser().ask(
        "/sign-in", "POST", headers={"origin": "http://evil.test"}, json={"name": "han", "password": PASSWORD}
    )
    assert answer.status_code == 403
    form = accounted.request("/sign-in", "POST", data={"name": "han", "password": PASSWORD})
    assert form.status_code == 415


def test_a_keys_scope(accounted: AccountCity) -> None:
    with psycopg.connect(accounted.url, autocommit=True) as conn:
        made, key = keys.issue(conn, Scope("staff", None, ("base.pois",), writes=False, per_minute=5), name="bus")

    def status(path: str, method: str = "GET", **more: object) -> int:
        headers = {"authorization": f"Bearer {key}"}
        return accounted.request(path, method, headers=headers, **more).status_code

    assert status("/collections/base.pois/items?limit=1") == 200
    assert status("/collections/base.roads/items?limit=1") == 403
    assert status("/exchange/deliveries", "POST", content=b"x") == 403
    assert status("/users") == 403
    assert [status("/me") for _ in range(3)] == [200, 429, 429]
    with psycopg.connect(accounted.url, autocommit=True) as conn:
        assert next(one for one in keys.listed(conn) if one.id == made.id).used_at is not None
