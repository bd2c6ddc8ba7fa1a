"""Addresses to places over the web: what is answered, what is refused, and that answers follow the registers."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from api.geocoding import MAX_ADDRESSES, MAX_BODY_BYTES, MAX_CHARACTERS
from tests.api.served_city import LOADED, SampleCity

ADDRESSES = [
    # code, street, plate, compound, building, lon
    ("A1", "皖西路", "88", "", "", 116.4500),
    ("A2", "皖西路", "92", "", "", 116.4505),
    ("A3", "人民路", "5", "", "", 116.4600),
    ("A4", "人民路", "5", "", "", 116.5600),
    ("A5", "皖西路", "96", "锦绣花园", "3栋", 116.4510),
]


@pytest.fixture(scope="module", autouse=True)
def addresses(city: SampleCity) -> Iterator[None]:
    """Five doors and a dwelling, for this module."""
    with psycopg.connect(city.url) as conn:
        for fid, (code, street, plate, compound, building, lon) in enumerate(ADDRESSES, 1):
            division = 341502000000 if lon < 116.5 else 341503000000
            conn.execute(
                "INSERT INTO base.addresses (fid, rec_from, digest, load, division, geom, code, text, street, plate,"
                " compound, building) VALUES (%s, 1, 0, 1, %s, ST_SetSRID(ST_MakePoint(%s, 31.75), 4326), %s, %s, %s,"
                " %s, %s, %s)",
                (fid, division, lon, code, f"{street}{plate}号{compound}{building}", street, plate, compound, building),
            )
        conn.execute(
            "INSERT INTO base.dwellings (fid, rec_from, digest, load, code, building, unit, room, address)"
            " VALUES (77, 1, 0, 1, 'H1', 'none', 2, '501', '皖西路96号锦绣花园3栋2单元501室')"
        )
        conn.execute("INSERT INTO core.epoch VALUES ('base.addresses', 1, %s)", (LOADED,))
    # the index may have been made for a test before these, and follows the registers beside the questions
    deadline = time.monotonic() + 30
    while city.get("/geocode?address=皖西路88号").json()["state"]["registers"].get("base.addresses") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield
    with psycopg.connect(city.url) as conn:
        conn.execute("DELETE FROM base.addresses")
        conn.execute("DELETE FROM base.dwellings")
        conn.execute("DELETE FROM core.epoch WHERE register = 'base.addresses'")


def test_an_address_has_a_place(city):
    found = city.get("/geocode?address=金安区皖西路八十八号").json()
    assert (found["level"], found["level_title"]) == ("plate", {"zh": "门牌", "en": "door plate"})
    assert (found["lon"], found["lat"], found["error_m"]) == (116.45, 31.75, 0)
    place = found["place"]
    assert (place["collection"], place["fid"], place["code"]) == ("base.addresses", 1, "A1")
    assert place["address"] == "金安区皖西路88号"
    assert found["confidence"] == 1 and not found["ambiguous"] and found["notes"] == []
    assert found["parts"] == {"county": "金安区", "road": "皖西路", "plate": "88"}
    assert found["state"]["registers"]["base.addresses"] == 1


def test_what_is_not_certain_is_said(city):
    between = city.get("/geocode?address=皖西路90号&lang=en").json()
    assert between["level"] == "interpolated" and between["notes"] == ["interpolated", "coarser"]
    assert between["place"]["fid"] is None and between["error_m"] >= 10
    assert "between its neighbours" in between["text"]["en"]
    both = city.get("/geocode?address=人民路5号").json()
    assert both["ambiguous"] and {c["code"] for c in both["candidates"]} == {"A3", "A4"}
    nothing = city.get("/geocode?address=你好").json()
    assert nothing["place"] is None and nothing["lon"] is None and nothing["confidence"] == 0


def test_the_public_learns_of_no_dwelling(city):
    found = city.get("/geocode?address=皖西路96号锦绣花园3栋2单元501室")
    assert found.json()["level"] == "building" and found.json()["place"]["code"] == "A5"
    assert "H1" not in found.text and "501室" not in str(found.json()["place"])


def test_many_addresses_at_once(city):
    answer = city.get("/geocode", "POST", json={"addresses": ["皖西路88号", "", "皖西路92号"]})
    assert [a["place"] and a["place"]["code"] for a in answer.json()["answers"]] == ["A1", None, "A2"]
    assert city.get("/geocode", "POST", json={"addresses": []}).json()["answers"] == []
    many = city.get("/geocode", "POST", json={"addresses": ["皖西路88号"] * MAX_ADDRESSES})
    assert len(many.json()["answers"]) == MAX_ADDRESSES


def test_back_from_a_point(city):
    found = city.get("/geocode?lon=116.4501&lat=31.7501").json()
    assert found["address"]["code"] == "A1" and 10 < found["address"]["distance_m"] < 20
    assert [d["name"] for d in found["divisions"]] == ["金安区"] and not found["divisions_by_address"]
    assert city.get("/geocode?lon=0&lat=0").json()["address"] is None


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("", "address"), ("?address=", "address"), ("?address=%20", "address"), ("?address=x&lon=1&lat=2", "address"),
        ("?lon=1", "address"), ("?lon=x&lat=2", "lon"), ("?lon=181&lat=2", "lon"), ("?lon=1&lat=nan", "lat"),
        ("?lon=1&lat=1e999", "lat"), ("?address=a&address=b", "address"), ("?address=a&colour=red", "colour"),
        ("?address=a&f=csv", "f"), ("?address=a&lang=de", "lang"),
        ("?address=" + "路" * (MAX_CHARACTERS + 1), "address"),
    ],
)  # fmt: skip
def test_questions_that_cannot_be_asked(city, question, subject):
    for language in ("zh", "en"):
        answer = city.get(f"/geocode{question}", headers={"accept-language": language})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["subject"] == subject and answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "subject"),
    [
        (b"", "addresses"), (b"{", "addresses"), (b"[]", "addresses"), (b'{"addresses": "a"}', "addresses"),
        (b'{"addresses": ["a"], "more": 1}', "addresses"), (b'{"addresses": ["a", 5]}', "addresses[1]"),
        (b'{"addresses": [null]}', "addresses[0]"), (b"\xff\xfe", "addresses"), (b"[" * 100_000, "addresses"),
        (b'{"addresses": [' + b",".join([b'"a"'] * (MAX_ADDRESSES + 1)) + b"]}", "addresses"),
        (b'{"addresses": ["' + b"a" * (MAX_CHARACTERS + 1) + b'"]}', "addresses[0]"),
    ],
)  # fmt: skip
def test_lists_that_cannot_be_read(city, body, subject):
    answer = city.get("/geocode?lang=en", "POST", content=body)
    assert answer.status_code == 400 and answer.json()["subject"] == subject


def test_a_body_without_end_is_not_read(city):
    answer = city.get("/geocode", "POST", content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413 and answer.json()["detail"]
    assert city.get("/geocode?address=a", "POST", json={"addresses": []}).status_code == 400
    assert city.get("/geocode", "DELETE").status_code == 405


def test_answers_follow_the_registers(city):
    assert city.get("/geocode?address=皖西路100号").json()["level"] == "road"
    with psycopg.connect(city.url) as conn:
        conn.execute(
            "INSERT INTO base.addresses (fid, rec_from, digest, load, division, geom, code, text, street, plate)"
            " VALUES (100, 2, 0, 1, 341502000000, ST_SetSRID(ST_MakePoint(116.452, 31.75), 4326), 'A100',"
            " '皖西路100号', '皖西路', '100')"
        )
        conn.execute("INSERT INTO core.epoch VALUES ('base.addresses', 2, clock_timestamp())")
    deadline = time.monotonic() + 30
    while True:
        found = city.get("/geocode?address=皖西路100号").json()
        told = found["state"]["registers"]["base.addresses"]
        assert (found["place"]["code"] == "A100") == (told == 2)
        if told == 2 or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    assert told == 2


def test_the_api_describes_it(city):
    paths = city.get("/api?lang=en").json()["paths"]["/geocode"]
    assert paths["post"]["requestBody"]["content"]["application/json"]["schema"]["required"] == ["addresses"]
    assert {"$ref": "#/components/parameters/address"} in paths["get"]["parameters"]
