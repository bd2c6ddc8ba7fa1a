"""`/here`: each way to say where, the forms of the answer, links that lead somewhere, and what it refuses."""

from typing import Any
from urllib.parse import quote, urlsplit

import h3
import pytest
import shapely

from tests.api.served_city import SampleCity

POINT = "lon=116.5&lat=31.75"


def _collections(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {c["id"]: c for layer in body["layers"] for c in layer["collections"]}


def _here(city: SampleCity, parameters: str) -> dict[str, Any]:
    answer = city.get(f"/here?{parameters}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_point_tells_what_is_around_it(city: SampleCity) -> None:
    body = _here(city, f"{POINT}&radius=5000&lang=en")
    found = _collections(body)
    assert (body["lon"], body["lat"], body["area"]) == (116.5, 31.75, "116.5,31.75,5000.0")
    assert found["base.buildings"]["count"] == 200
    assert found["base.buildings"]["countIs"] == "exact"
    distances = [one["distance_m"] for one in found["base.pois"]["nearest"]]
    assert len(distances) == 3
    assert distances == sorted(distances)
    assert {k["title"] for k in found["base.buildings"]["kinds"]} == {"office", "school"}
    assert not {"base.persons", "base.entities", "base.dwellings"} & set(found)


def test_counts_are_those_of_the_items_that_are_linked(city: SampleCity) -> None:
    for found in _collections(_here(city, f"{POINT}&radius=4000")).values():
        way = urlsplit(next(link["href"] for link in found["links"] if link["rel"] == "items"))
        items = city.get(f"{way.path}?{way.query}&limit=1").json()
        assert items["numberMatched"] == found["count"], found["id"]


def test_the_link_of_a_feature_leads_to_it(city: SampleCity) -> None:
    for found in _collections(_here(city, f"{POINT}&radius=4000")).values():
        for one in found["nearest"]:
            feature = city.get(urlsplit(one["links"][0]["href"]).path)
            assert feature.json()["id"] == one["fid"]


AREAS = {
    "cell": f"cell={h3.latlng_to_cell(31.75, 116.5, 8)}",
    "division": "division=341502",
    "feature": "area=base.buildings/7",
    "shape": "area=" + quote(shapely.box(116.45, 31.7, 116.55, 31.8).wkt),
    "address": "address=" + quote("金安区"),
}


@pytest.mark.parametrize("parameters", AREAS.values(), ids=AREAS)
def test_each_way_to_say_where_finds_something(city: SampleCity, parameters: str) -> None:
    body = _here(city, parameters)
    assert sum(found["count"] for found in _collections(body).values()) > 0
    assert body["lon"] is not None


def test_an_address_says_what_was_found_for_it(city: SampleCity) -> None:
    body = _here(city, AREAS["address"])
    assert body["address"]["place"]["name"] == "金安区"
    assert body["area"] == "341502000000"


@pytest.mark.parametrize("wrap", [False, True], ids=["geometry", "feature"])
def test_a_posted_shape_is_the_same_question_as_the_shape_in_the_address(city: SampleCity, wrap: bool) -> None:
    shape = shapely.box(116.45, 31.7, 116.55, 31.8)
    content = shapely.to_geojson(shape)
    body = f'{{"type": "Feature", "properties": {{}}, "geometry": {content}}}' if wrap else content
    posted = city.get("/here", "POST", content=body)
    assert posted.status_code == 200, posted.text
    asked = _here(city, AREAS["shape"])
    counts = [{n: c["count"] for n, c in _collections(found).items()} for found in (posted.json(), asked)]
    assert counts[0] == counts[1]


def test_geojson_holds_the_nearest_with_their_shapes(city: SampleCity) -> None:
    answer = city.get(f"/here?{POINT}&radius=3000&f=geojson&collections=base.buildings,base.pois&limit=2")
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert [f["properties"]["collection"] for f in features] == ["base.buildings"] * 2 + ["base.pois"] * 2
    assert {f["geometry"]["type"] for f in features} == {"Polygon", "Point"}
    assert all(f["properties"]["distance_m"] <= 3000 for f in features)


def test_the_time_asked_for_is_that_of_the_answer(city: SampleCity) -> None:
    then, now = (_collections(_here(city, f"{POINT}&radius=9000{when}")) for when in ("&datetime=2019-06-01", ""))
    rows = city.rows["base.pois"]
    assert then["base.pois"]["count"] < now["base.pois"]["count"] <= len(rows)
    assert then["base.buildings"]["count"] == now["base.buildings"]["count"]


def test_links_lead_to_what_was_there_then(city: SampleCity) -> None:
    past = _collections(_here(city, f"{POINT}&radius=9000&limit=20&datetime=2021-03-01"))["base.pois"]["nearest"]
    over = {row.fid for row in city.rows["base.pois"] if row.end is not None}
    assert over & {one["fid"] for one in past}
    for one in past:
        way = urlsplit(one["links"][0]["href"])
        feature = city.get(f"{way.path}?{way.query}").json()
        assert (feature["id"], feature["properties"]["kind"]) == (one["fid"], one["properties"]["kind"])
    known = _collections(_here(city, f"{POINT}&radius=900&as-of=2026-02-01&f=json"))["base.buildings"]["nearest"]
    assert {urlsplit(one["links"][0]["href"]).query for one in known} == {"as-of=2026-02-01T15%3A59%3A59.999999Z"}


def test_as_of_before_the_first_load_knows_nothing(city: SampleCity) -> None:
    body = _here(city, f"{POINT}&radius=5000&as-of=2020-01-01")
    assert {found["count"] for found in _collections(body).values()} == {0}


REFUSED = {
    "nothing": ("", "lon"),
    "half a point": ("lon=116.5", "lon"),
    "two places": (f"{POINT}&division=341502", "division"),
    "address and point": ("address=x&lon=1&lat=2", "address"),
    "a longitude off the globe": ("lon=216.5&lat=31", "lon"),
    "no number": ("lon=east&lat=31", "lon"),
    "too far": (f"{POINT}&radius=1e9", "radius"),
    "no radius": (f"{POINT}&radius=-3", "radius"),
    "a radius of a division": ("division=341502&radius=3", "radius"),
    "no cell": ("cell=89zz", "cells"),
    "two cells": ("cell=8930e1d8c03ffff,8930e1d8c07ffff", "cell"),
    "no division": ("division=3", "division"),
    "no shape": ("area=POINTLESS", "area"),
    "unknown parameter": (f"{POINT}&bbox=1,2,3,4", "bbox"),
    "unknown form": (f"{POINT}&f=xml", "f"),
    "a future record": (f"{POINT}&as-of=2999-01-01", "as-of"),
    "no time": (f"{POINT}&datetime=yesterday", "datetime"),
    "an empty address": ("address=%20", "address"),
}


@pytest.mark.parametrize(("parameters", "subject"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_asked_is_refused_by_name(city: SampleCity, parameters: str, subject: str) -> None:
    answer = city.get(f"/here?{parameters}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["subject"] == subject


@pytest.mark.parametrize("body", [b"", b"[]", b'{"type": "Point"}', b'{"type": "Feature"}', b"\xff", b"null"])
def test_what_is_no_shape_is_refused(city: SampleCity, body: bytes) -> None:
    assert city.get("/here", "POST", content=body).status_code in (400, 422)


def test_what_is_not_there_is_not_found(city: SampleCity) -> None:
    assert city.get(f"/here?{POINT}&collections=base.nothing").status_code == 404
    assert city.get("/here?area=base.nothing/1").status_code == 404
    assert city.get("/here?address=" + quote("不存在的地方路999号")).status_code == 404


def test_what_the_caller_may_not_ask_is_forbidden(city: SampleCity) -> None:
    assert city.get(f"/here?{POINT}&collections=base.entities").status_code == 403
    assert city.get("/here?area=base.persons/1").status_code == 403
