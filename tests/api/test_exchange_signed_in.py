"""Clerks who have signed in act for their department as its key does; some keys are for some registers alone."""

from collections.abc import Iterator

import psycopg
import pytest

from gis.access import keys
from gis.access.keys import Scope
from tests.api.account_city import AccountCity, Browser
from tests.api.exchange_city import PERSONS, ExchangeCity, person, table

EVERYWHERE = None
PLACES = ("/exchange/me", "/exchange/registers", "/exchange/deliveries", "/exchange/returned",
          f"/exchange/facts/{PERSONS}/1")  # fmt: skip


@pytest.fixture(scope="module")
def clerk(accounted: AccountCity) -> Browser:
    return accounted.signed_in("clerk", "staff", EVERYWHERE, "police")


def _hand_over(browser: Browser, rows: list[dict[str, str]], **headers: str | None) -> int:
    return browser.ask(
        f"/exchange/deliveries?register={PERSONS}&file=people.csv", "POST", content=table(rows),
        headers={"content-type": "text/csv", **headers},
    ).status_code  # fmt: skip


def test_a_clerk_hands_over_and_looks_into_what_came_back(
    accounted: AccountCity, exchange: ExchangeCity, clerk: Browser
) -> None:
    assert clerk.ask("/exchange/me").json()["department"] == "police"
    answer = clerk.ask(
        f"/exchange/deliveries?register={PERSONS}&file=people.csv", "POST",
        content=table([person(1), person(2, 性别="不详x")]), headers={"content-type": "text/csv"},
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    exchange.work()
    place = f"/exchange/deliveries/{answer.json()['id']}"
    found = clerk.ask(place).json()
    assert found["department"] == "police"
    with psycopg.connect(exchange.url) as conn:
        by = conn.execute("SELECT received_by FROM exchange.delivery WHERE id = %s", (found["id"],)).fetchone()
    assert by == ("clerk",)
    assert clerk.ask("/exchange/deliveries").json()["numberMatched"] >= 1
    tasks = clerk.ask("/exchange/returned").json()["tasks"]
    assert tasks and clerk.ask(f"/exchange/returned/{tasks[0]['id']}").status_code == 200
    # a link that the browser follows
    workbook = clerk.ask(f"{place}/returned?f=xlsx", headers={"origin": None})
    assert workbook.status_code == 200 and workbook.content[:2] == b"PK"
    other = accounted.signed_in("other", "duty", EVERYWHERE, "civil_affairs")
    assert other.ask(place).status_code == 403 and other.ask("/exchange/deliveries").json()["numberMatched"] == 0
    assert other.ask(f"{place}/withdraw", "POST").status_code == 403
    centre = accounted.signed_in("centre", "staff", EVERYWHERE, "*")
    assert centre.ask(place).status_code == 200
    assert clerk.ask(f"{place}/withdraw", "POST").json()["state"] == "withdrawn"


def test_what_is_handed_over_with_a_session_comes_from_our_own_page(clerk: Browser) -> None:
    assert _hand_over(clerk, [person(3)], origin="http://other.test") == 403
    assert _hand_over(clerk, [person(3)], origin=None) == 403


@pytest.mark.parametrize(
    ("role", "department", "subject"),
    [
        ("analyst", "police", "role"),
        ("staff", None, "department"),
        ("public", None, "role"),
        ("audit_admin", None, "role"),
    ],
)
def test_who_acts_for_no_department(accounted: AccountCity, role: str, department: str | None, subject: str) -> None:
    browser = accounted.signed_in(f"no.{role}", role, () if role in ("public", "audit_admin") else None, department)
    for place in PLACES:
        answer = browser.ask(place)
        assert (answer.status_code, answer.json()["subject"]) == (403, subject), place
    assert _hand_over(browser, [person(4)]) == 403


@pytest.fixture(scope="module")
def confined(accounted: AccountCity) -> Iterator[dict[str, str]]:
    """The key of a department's system, for one register that is another."""
    with psycopg.connect(accounted.url, autocommit=True) as conn:
        scope = Scope("staff", collections=("base.pois",), writes=True)
        yield {"authorization": f"Bearer {keys.issue(conn, scope, department='police')[1]}"}


def test_a_key_for_some_registers_reaches_no_other_in_the_exchange(
    accounted: AccountCity, exchange: ExchangeCity, confined: dict[str, str]
) -> None:
    delivery = exchange.hand_over([person(5), person(6, 性别="不详x")])["id"]
    task = exchange.ask("/exchange/returned").json()["tasks"][0]["id"]
    for place in (
        f"/exchange/deliveries/{delivery}", f"/exchange/deliveries/{delivery}/returned",
        f"/exchange/deliveries/{delivery}/returned?f=xlsx", f"/exchange/returned/{task}",
        f"/exchange/returned?register={PERSONS}", f"/exchange/deliveries?register={PERSONS}",
        f"/exchange/facts/{PERSONS}/1",
    ):  # fmt: skip
        answer = accounted.request(place, headers=confined)
        assert (answer.status_code, answer.json()["subject"]) == (403, "register"), place
    assert accounted.request("/exchange/deliveries", headers=confined).json()["numberMatched"] == 0
    assert accounted.request("/exchange/returned", headers=confined).json()["numberMatched"] == 0
    listed = accounted.request("/exchange/registers", headers=confined).json()
    assert PERSONS not in {one["id"] for one in listed}
    body = table([person(7)])
    sent = {**confined, "content-type": "text/csv"}
    answer = accounted.request(f"/exchange/deliveries?register={PERSONS}", "POST", content=body, headers=sent)
    assert answer.status_code == 403
    assert accounted.request(f"/exchange/deliveries/{delivery}/withdraw", "POST", headers=confined).status_code == 403
