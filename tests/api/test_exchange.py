"""What departments hand over by HTTP and what comes back to them: keys, rights, files, accounts."""

import time

import psycopg
import pytest

from api.credentials import LOOK_EVERY_S
from gis.access import keys
from gis.errors import BadQuery
from tests.api.exchange_city import CENTRE, PERSONS, ExchangeCity, citizen_id, person, table

PEOPLE = [person(n) for n in range(12)]
PRIVATE = ["/exchange/me", "/exchange/registers", "/exchange/deliveries", "/exchange/returned"]
OPEN = [
    "/exchange",
    "/exchange/directory",
    "/exchange/scorecard",
    "/exchange/scorecard?f=html",
    *(f"/exchange/directory/{name}" for name in ("departments", "classes", "items", "overdue", "double", "absent")),
]


@pytest.mark.parametrize("path", [*PRIVATE, "/exchange/deliveries/1", "/exchange/deliveries/1/returned"])
def test_without_a_key_nothing_is_told(exchange: ExchangeCity, path: str) -> None:
    for headers in ({}, {"authorization": "Basic dTpw"}, {"authorization": "Bearer "}, {"authorization": "Bearer x"}):
        answer = exchange.ask(path, None, headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["cache-control"] == "no-store"
    assert exchange.ask("/exchange/deliveries", None, "POST", content=b"a").status_code == 401
    assert exchange.ask("/exchange/deliveries/1/withdraw", None, "POST").status_code == 401


def test_a_key_ends(exchange: ExchangeCity) -> None:
    with psycopg.connect(exchange.url, autocommit=True) as conn:
        made, key = keys.add(conn, "market")
        number, _, secret = key.partition("-")
        kept = conn.execute("SELECT key::text FROM access.key WHERE id = %s", (made.id,)).fetchone()
        assert kept is not None and secret not in kept[0]

        def status(given: str) -> int:
            # what has just changed is seen from the next look on
            time.sleep(LOOK_EVERY_S)
            answer = exchange.ask("/exchange/me", None, headers={"authorization": f"Bearer {given}"})
            assert given not in answer.text
            return answer.status_code

        assert status(key) == 200
        other = f"{int(number) + 1000}-{secret}"
        assert {status(wrong) for wrong in (other, key[:-1], key + "A", f"{number}-{'A' * 43}", key.upper())} == {401}
        conn.execute("UPDATE access.key SET expires_at = clock_timestamp() WHERE id = %s", (made.id,))
        assert status(key) == 401
        conn.execute("UPDATE access.key SET expires_at = NULL WHERE id = %s", (made.id,))
        assert status(key) == 200
        keys.revoke(conn, made.id)
        assert status(key) == 401
        assert {k.id for k in keys.listed(conn)} >= {made.id}


def test_a_department_of_the_directory_gets_a_key_whatever_its_code(exchange: ExchangeCity) -> None:
    with psycopg.connect(exchange.url, autocommit=True) as conn:
        made, _ = keys.add(conn, "MZ-01.a", known=["police", "MZ-01.a"])
        keys.revoke(conn, made.id)
        for known in (["police"], []):
            with pytest.raises(BadQuery, match="MZ-01"):
                keys.add(conn, "MZ-01.a", known=known)


def test_whose_key_it_is(exchange: ExchangeCity) -> None:
    assert exchange.ask("/exchange/me").json() == {
        "department": "police",
        "title": {"zh": "公安局", "en": "Public security bureau"},
        "max_upload_mb": 3,
    }
    assert exchange.ask("/exchange/me", CENTRE).json()["department"] == "*"


def test_the_registers_say_what_a_file_may_hold(exchange: ExchangeCity) -> None:
    found = {one["id"]: one for one in exchange.ask("/exchange/registers").json()}
    persons = found[PERSONS]
    fields = {f["name"]: f for f in persons["fields"]}
    assert fields["citizen_id"]["identifier"] and fields["citizen_id"]["required"]
    assert "身份证号" in fields["citizen_id"]["aliases"] and fields["marital_status"]["authority"][0] == "civil_affairs"
    assert {"code": "police", "title": {"zh": "公安局", "en": "Public security bureau"}} in persons["departments"]


def test_a_delivery_from_door_to_account(exchange: ExchangeCity) -> None:
    answer = exchange.post(table(PEOPLE), date="2026-01-01", mode="full")
    assert answer.status_code == 202 and answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert answer.headers["location"].endswith(f"/exchange/deliveries/{told['id']}")
    assert (told["state"], told["rows"]["delivered"], told["file"]) == ("received", None, "people.csv")
    exchange.work()
    found = exchange.ask(f"/exchange/deliveries/{told['id']}").json()
    assert found["state"] == "done" and found["edition"] == "2025-12-31T16:00:00Z"
    assert found["rows"] == {"delivered": 12, "accepted": 12, "unchanged": 0, "returned": 0}
    assert found["progress"] == {"done": 12, "total": 12} and found["error"] is None
    again = exchange.hand_over(PEOPLE, date="2026-01-02", mode="full")
    assert again["rows"]["unchanged"] == 12
    listed = exchange.ask("/exchange/deliveries", params={"register": PERSONS, "state": "done", "limit": "1"}).json()
    assert [d["id"] for d in listed["deliveries"]] == [again["id"]] and listed["numberMatched"] >= 2
    later = exchange.ask("/exchange/deliveries", params={"state": "done", "limit": "1", "offset": "1"}).json()
    assert [d["id"] for d in later["deliveries"]] == [told["id"]]


def test_a_department_sees_and_does_nothing_for_another(exchange: ExchangeCity) -> None:
    rows = [person(500), person(501, 身份证号="34150219900101")]
    own = exchange.hand_over(rows, "civil_affairs", mode="incremental")
    tasks = exchange.ask("/exchange/returned", "civil_affairs").json()["tasks"]
    number, task = own["id"], tasks[0]["id"]
    theirs = [f"/exchange/deliveries/{number}", f"/exchange/deliveries/{number}/returned", f"/exchange/returned/{task}"]
    for path in (*theirs, f"{theirs[1]}?f=xlsx", "/exchange/deliveries?department=civil_affairs",
                 "/exchange/returned?department=civil_affairs"):  # fmt: skip
        answer = exchange.ask(path, "market")
        assert answer.status_code == 403 and "base.persons" not in answer.text, path
    assert exchange.ask(f"{theirs[0]}/withdraw", "market", "POST").status_code == 403
    assert exchange.post(table(PEOPLE), "market", department="police").status_code == 403
    assert exchange.ask("/exchange/deliveries", "market").json()["numberMatched"] == 0
    assert exchange.ask("/exchange/returned", "market").json()["numberMatched"] == 0
    assert exchange.ask(theirs[0], "civil_affairs").json()["state"] == "done"
    assert exchange.ask(theirs[0], CENTRE).json() == exchange.ask(theirs[0], "civil_affairs").json()


def test_the_data_centre_says_for_whom(exchange: ExchangeCity) -> None:
    refused = exchange.post(table(PEOPLE), CENTRE)
    assert refused.status_code == 400 and refused.json()["subject"] == "department"
    answer = exchange.post(table(PEOPLE), CENTRE, department="police", date="2026-01-03")
    assert answer.status_code == 202 and answer.json()["department"] == "police"
    assert exchange.post(table(PEOPLE), CENTRE, department="nobody").json()["subject"] == "department"
    exchange.work()


def test_taken_back(exchange: ExchangeCity) -> None:
    found = exchange.hand_over([*PEOPLE, person(40)], date="2026-01-04", mode="full")
    place = f"/exchange/deliveries/{found['id']}"
    assert exchange.ask(f"{place}/withdraw", method="POST").json()["state"] == "withdrawn"
    assert exchange.ask(place).json()["state"] == "withdrawn"
    again = exchange.ask(f"{place}/withdraw", method="POST")
    assert again.status_code == 409 and again.json()["subject"] == str(found["id"])


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        ({"register": ""}, "register"),
        ({"register": "base.cats"}, "register"),
        ({"register": "base.pois"}, "register"),
        ({"mode": "some"}, "mode"),
        ({"date": "tomorrow"}, "date"),
        ({"date": "2999-01-01"}, "date"),
        ({"date": "2026-01-01/2026-02-01"}, "date"),
        ({"allow-ends": "maybe"}, "allow-ends"),
        ({"colour": "red"}, "colour"),
        ({"lang": "de"}, "lang"),
    ],
)
def test_a_delivery_is_refused_by_the_parameter_at_fault(
    exchange: ExchangeCity, asked: dict[str, str], subject: str
) -> None:
    answer = exchange.post(table(PEOPLE), **asked)
    assert answer.status_code == 400 and answer.json()["subject"] == subject, answer.text


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("/exchange/deliveries?state=gone", "state"),
        ("/exchange/deliveries?limit=0", "limit"),
        ("/exchange/deliveries?offset=-1", "offset"),
        ("/exchange/deliveries?limit=9999999999", "limit"),
        ("/exchange/returned?state=done", "state"),
        ("/exchange/returned?reason=whim", "reason"),
        ("/exchange/returned?overdue=yes", "overdue"),
        ("/exchange/returned?f=csv", "f"),
        ("/exchange/directory/items?limit=x", "limit"),
        ("/exchange/me?x=1", "x"),
        ("/exchange/me?lang=en&lang=zh", "lang"),
    ],
)
def test_questions_are_refused_by_the_parameter_at_fault(exchange: ExchangeCity, path: str, subject: str) -> None:
    answer = exchange.ask(path)
    assert answer.status_code == 400 and answer.json()["subject"] == subject, answer.text


@pytest.mark.parametrize("number", ["0", "999999", "-1", "x", "1e3", "99999999999999999999", "٣"])
def test_what_is_not_there(exchange: ExchangeCity, number: str) -> None:
    for path in (f"deliveries/{number}", f"deliveries/{number}/returned", f"returned/{number}"):
        assert exchange.ask(f"/exchange/{path}", CENTRE).status_code == 404, path
    assert exchange.ask(f"/exchange/deliveries/{number}/withdraw", CENTRE, "POST").status_code == 404


def test_the_clerks_page(exchange: ExchangeCity) -> None:
    answer = exchange.ask("/exchange", None)
    assert answer.status_code == 200 and "exchange" in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", OPEN)
def test_what_everybody_may_see(exchange: ExchangeCity, path: str) -> None:
    got, head = exchange.ask(path, None), exchange.ask(path, None, "HEAD")
    assert got.status_code == head.status_code == 200 and got.content and not head.content
    if path != "/exchange":
        assert exchange.ask(path, None, headers={"if-none-match": got.headers["etag"]}).status_code == 304


def test_the_directory_lists_departments(exchange: ExchangeCity) -> None:
    found = exchange.ask("/exchange/directory/departments", None).json()
    assert "police" in {one["code"] for one in found["departments"]} and found["numberMatched"] >= 4
    page = exchange.ask("/exchange/directory/departments?limit=1&offset=1", None).json()
    assert len(page["departments"]) == 1 and page["numberMatched"] == found["numberMatched"]


def test_the_scorecard_as_numbers_and_as_a_page(exchange: ExchangeCity) -> None:
    found = exchange.ask("/exchange/scorecard?days=30", None).json()
    assert "police" in {line["department"] for line in found["departments"]}
    page = exchange.ask("/exchange/scorecard?lang=en", None, headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html") and "Timeliness" in page.text
    for wrong, subject in (("on=x", "on"), ("days=0", "days"), ("days=4000", "days"), ("on=2026-1-1", "on")):
        assert exchange.ask(f"/exchange/scorecard?{wrong}", None).json()["subject"] == subject


@pytest.mark.parametrize("path", PRIVATE)
def test_what_is_private_is_kept_by_nobody(exchange: ExchangeCity, path: str) -> None:
    got, head = exchange.ask(path), exchange.ask(path, method="HEAD")
    assert got.status_code == head.status_code == 200 and not head.content
    assert got.headers["cache-control"] == head.headers["cache-control"] == "no-store"


def test_no_id_number_is_told_in_passing(exchange: ExchangeCity) -> None:
    """Lists hold nobody's id number; errors of a file do not repeat its content."""
    broken = [{**person(n), "身份证号": citizen_id(n)[:-2] + "00"} for n in range(600, 603)]
    exchange.hand_over(broken, mode="incremental")
    for path in ("/exchange/deliveries", "/exchange/returned?limit=1000"):
        text = exchange.ask(path, CENTRE).text
        assert not any(p["身份证号"] in text for p in (*PEOPLE, *broken))
