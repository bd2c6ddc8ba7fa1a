"""Features by the page: the same rows as a search through them one by one in Python."""

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.query.span import SHANGHAI
from tests.api.served_city import LOADED, T0, Row, SampleCity

POIS = "/collections/base.pois/items"
Keys = list[tuple[int, str | None]]
FAR = datetime(9999, 1, 1, tzinfo=UTC)
ERA = datetime(1, 1, 2, tzinfo=UTC)


def keys(city: SampleCity, question: str, collection: str = "base.pois") -> Keys:
    """Which rows the server gives: fid and the beginning of validity."""
    answer = city.get(f"/collections/{collection}/items?limit=10000&{question}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["numberReturned"] == found["numberMatched"] == len(found["features"])
    return sorted(((f["id"], f["properties"]["valid_from"]) for f in found["features"]), key=str)


def expected(city: SampleCity, test: Callable[[Row], bool], collection: str = "base.pois") -> Keys:
    return sorted(((r.fid, r.start and r.start.isoformat()) for r in city.rows[collection] if test(r)), key=str)


def during(row: Row, start: datetime | None, end: datetime | None) -> bool:
    """Whether a row is valid somewhere in [start, end)."""
    return (row.start or ERA) < (end or FAR) and (row.end or FAR) > (start or ERA)


def now(row: Row) -> bool:
    moment = datetime.now(UTC)
    return during(row, moment, moment + timedelta(microseconds=1))


@pytest.mark.parametrize("seed", range(6))
def test_a_box_holds_what_lies_in_it(city: SampleCity, seed: int) -> None:
    rng = random.Random(seed)
    west, south = rng.uniform(116.3, 116.6), rng.uniform(31.6, 31.85)
    east, north = west + rng.uniform(0.01, 0.2), south + rng.uniform(0.01, 0.2)
    box = shapely.box(west, south, east, north)
    for collection in ("base.pois", "base.roads", "base.buildings"):
        found = keys(city, f"bbox={west},{south},{east},{north}", collection)
        wanted = expected(city, lambda r: now(r) and r.shape is not None and r.shape.intersects(box), collection)
        assert found == wanted


def test_a_box_across_the_antimeridian(city: SampleCity) -> None:
    assert [fid for fid, _ in keys(city, "bbox=179,-10,-179,20")] == [9001, 9002]
    assert keys(city, "bbox=-179,-10,179,20") == []


def test_the_edge_of_a_box_belongs_to_it(city: SampleCity) -> None:
    row = next(r for r in city.rows["base.pois"] if now(r) and r.shape)
    assert row.shape is not None
    x, y = row.shape.x, row.shape.y
    assert row.fid in [fid for fid, _ in keys(city, f"bbox={x},{y},{x},{y}")]


INSTANTS = [T0, T0 + timedelta(days=400, hours=5), datetime(2023, 7, 1, 15, 59, 59, 999999, tzinfo=UTC)]


@pytest.mark.parametrize("when", INSTANTS)
def test_an_instant(city: SampleCity, when: datetime) -> None:
    text = quote(when.astimezone(SHANGHAI).isoformat())
    assert keys(city, f"datetime={text}") == expected(city, lambda r: during(r, when, when + timedelta(microseconds=1)))


@pytest.mark.parametrize("day", [date(2020, 1, 1), date(2022, 5, 17), date(2024, 2, 29)])
def test_a_date_is_the_day_in_shanghai(city: SampleCity, day: date) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    assert keys(city, f"datetime={day}") == expected(city, lambda r: during(r, start, start + timedelta(days=1)))


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_is_closed(city: SampleCity, seed: int) -> None:
    rng = random.Random(seed)
    dated = [r for r in city.rows["base.pois"] if r.start is not None]
    first, last = rng.choice(dated).start, rng.choice(dated)
    assert first is not None and last.start is not None
    first = min(first, last.start)
    found = keys(city, f"datetime={first:%Y-%m-%dT%H:%M:%SZ}/{last.start:%Y-%m-%dT%H:%M:%SZ}")
    assert found == expected(city, lambda r: during(r, first, last.start + timedelta(microseconds=1)))  # type: ignore[operator]
    # a row that begins to be valid at the interval's very end is in it
    assert (last.fid, last.start.isoformat()) in found


def test_open_intervals(city: SampleCity) -> None:
    middle = datetime(2022, 1, 1, tzinfo=UTC)
    assert keys(city, "datetime=2022-01-01T00:00:00Z/..") == expected(city, lambda r: during(r, middle, None))
    before = middle + timedelta(microseconds=1)
    assert keys(city, "datetime=../2022-01-01T00:00:00Z") == expected(city, lambda r: during(r, None, before))
    assert keys(city, "datetime=../..") == expected(city, lambda _: True)


def test_as_of(city: SampleCity) -> None:
    before, after = quote((LOADED - timedelta(seconds=1)).isoformat()), quote(LOADED.isoformat())
    assert keys(city, f"as-of={before}") == []
    assert keys(city, f"as-of={after}") == keys(city, "") == expected(city, now)


PAIR = ("shop", "food")
FILTERS: list[tuple[str, Callable[[dict[str, Any]], bool]]] = [
    ("kind = 'school'", lambda f: f.get("kind") == "school"),
    ("kind <> 'school'", lambda f: f.get("kind") not in ("school", None)),
    ("kind IN ('shop', 'food') AND name LIKE '第1%'", lambda f: f.get("kind") in PAIR and f["name"][:2] == "第1"),
    ("kind IS NULL", lambda f: f.get("kind") is None),
    ("NOT kind IS NULL OR name = 'east'", lambda f: f.get("kind") is not None or f["name"] == "east"),
    ("code BETWEEN 'P0010' AND 'P0050'", lambda f: "P0010" <= f["code"] <= "P0050"),
    ("casei(code) = casei('p0007')", lambda f: f["code"] == "P0007"),
    ("name LIKE '%''s%'", lambda f: "'s" in f["name"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "test"), FILTERS)
def test_filters(city: SampleCity, text: str, test: Callable[[dict[str, Any]], bool]) -> None:
    assert keys(city, f"filter={quote(text)}") == expected(city, lambda r: now(r) and test(r.fields))


def test_numbers_and_shapes_in_filters(city: SampleCity) -> None:
    wanted = expected(city, lambda r: r.fields["height_m"] / 2 > 20 and r.fields["storeys"] <= 20, "base.buildings")
    assert keys(city, "filter=" + quote("height_m / 2 > 20 AND storeys <= 20"), "base.buildings") == wanted
    shape = shapely.Point(116.5, 31.75).buffer(0.005)
    spatial = f"S_INTERSECTS(geometry, {shapely.to_wkt(shape)})"
    wanted = expected(city, lambda r: r.shape is not None and r.shape.intersects(shape), "base.buildings")
    assert wanted and keys(city, f"filter={quote(spatial)}", "base.buildings") == wanted
    tree = {"op": "s_intersects", "args": [{"property": "geometry"}, json.loads(shapely.to_geojson(shape))]}
    assert keys(city, f"filter-lang=cql2-json&filter={quote(json.dumps(tree))}", "base.buildings") == wanted


def test_queryables_by_name(city: SampleCity) -> None:
    assert keys(city, "kind=school&code=P0005") == expected(city, lambda r: now(r) and r.fields["code"] == "P0005")


def test_other_areas(city: SampleCity) -> None:
    assert keys(city, "division=341503") == expected(city, lambda r: now(r) and r.division == 341503000000)
    half = shapely.box(116.4, 31.65, 116.5, 31.85)
    in_half = expected(city, lambda r: now(r) and r.shape is not None and r.shape.intersects(half))
    assert keys(city, "area=base.divisions/123") == in_half == keys(city, f"area={quote(shapely.to_wkt(half))}")
    near = {fid for fid, _ in keys(city, "near=116.5,31.75,1000")}
    planar_m = {
        r.fid: shapely.Point(116.5, 31.75).distance(r.shape) * 103_000 for r in city.rows["base.pois"] if r.shape
    }
    assert {fid for fid, m in planar_m.items() if m < 850} & {r.fid for r in city.rows["base.pois"] if now(r)} <= near
    assert near and all(planar_m[fid] < 1_100 for fid in near)


def _pages(city: SampleCity, url: str) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = []
    for _ in range(200):
        answer = city.get(url).json()
        assert answer["numberReturned"] == len(answer["features"]) <= 17
        features += answer["features"]
        following = [link["href"] for link in answer["links"] if link["rel"] == "next"]
        if not following:
            return features
        url = following[0].removeprefix("http://city.test")
    raise AssertionError("paging does not end")


@pytest.mark.parametrize("more", ["", "&sortby=-name", "&datetime=../..", "&filter=" + quote("kind='shop'")])
def test_every_row_is_on_exactly_one_page(city: SampleCity, more: str) -> None:
    features = _pages(city, f"{POIS}?limit=17{more}")
    whole = city.get(f"{POIS}?limit=10000{more}").json()["features"]
    assert [(f["id"], f["properties"]["valid_from"]) for f in features] == [
        (f["id"], f["properties"]["valid_from"]) for f in whole
    ]
    assert len({(f["id"], f["properties"]["valid_from"]) for f in features}) == len(features) > 17


def test_the_order_asked_for(city: SampleCity) -> None:
    names = [f["properties"]["name"] for f in city.get(f"{POIS}?limit=500&sortby=name").json()["features"]]
    assert len(names) > 300
    down = [f["properties"]["name"] for f in city.get(f"{POIS}?limit=500&sortby=-name").json()["features"]]
    assert sorted(names) == sorted(down) and names[0] == down[-1]
    refused = city.get(f"{POIS}?sortby=colour&lang=en")
    assert refused.status_code == 400 and "colour" in refused.json()["detail"]


def test_values_arrive_unharmed(city: SampleCity) -> None:
    for row in [r for r in city.rows["base.pois"] if now(r)][:60]:
        feature = city.get(f"{POIS}/{row.fid}?datetime=../..").json()
        properties = feature["properties"]
        assert properties["name"] == row.fields["name"] and properties["code"] == row.fields["code"]
        assert shapely.from_geojson(json.dumps(feature["geometry"])).equals(row.shape)
    building = city.get("/collections/base.buildings/items/7").json()["properties"]
    assert (building["storeys"], building["height_m"]) == (8, pytest.approx(24.8))
    assert city.get(f"{POIS}/9003").json()["geometry"] is None


def test_one_feature(city: SampleCity) -> None:
    feature = city.get(f"{POIS}/5").json()
    assert feature["id"] == 5 and feature["type"] == "Feature"
    assert feature["properties"]["division"] == "341502005000"
    assert len(feature["properties"]["cell"]) == 15 and feature["properties"]["valid_from"] is None
    provenance = feature["onemap:provenance"]
    assert provenance["source"] == {"zh": "样例", "en": "Sample"} and provenance["licence"] == "CC0-1.0"
    assert provenance["file"] == "sample.csv" and provenance["row"] >= 5
    assert datetime.fromisoformat(provenance["recorded"]) == LOADED


def test_one_feature_in_time(city: SampleCity) -> None:
    row = next(r for r in city.rows["base.pois"] if r.fields.get("kind") == "culture" and r.start is not None)
    assert row.start is not None
    old = city.get(f"{POIS}/{row.fid}?datetime={row.start - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}").json()
    new = city.get(f"{POIS}/{row.fid}?datetime={row.start:%Y-%m-%dT%H:%M:%SZ}").json()
    assert old["properties"]["kind"] != new["properties"]["kind"] == "culture"
    both = city.get(f"{POIS}/{row.fid}?datetime=../..").json()
    assert both["properties"]["kind"] == "culture"


def test_only_the_properties_asked_for(city: SampleCity) -> None:
    page = city.get(f"{POIS}?properties=name,kind").json()
    assert all(list(f["properties"]) == ["name", "kind"] for f in page["features"])
    assert all(f["properties"] == {} for f in city.get(f"{POIS}?properties=").json()["features"])


def test_limits(city: SampleCity) -> None:
    assert city.get(POIS).json()["numberReturned"] == 10
    assert city.get(f"{POIS}?limit=99999999").status_code == 200
    assert city.get(f"{POIS}?limit=5&offset=340").json()["numberReturned"] == 5
    empty = city.get(f"{POIS}?offset=100000").json()
    assert empty["features"] == [] and empty["numberReturned"] == 0 and empty["numberMatched"] > 300


NAMES = (
    "bbox", "near", "filter", "datetime", "as-of", "sortby", "properties", "limit", "offset", "after", "cells", "area",
    "division", "scenario", "kind", "res", "measure", "f", "lang", "x",
)  # fmt: skip
ODD = (
    "0001-01-01", "9999-12-31", "9999-12-31T23:59:59.999999Z", "kind < 5", "name = DATE('2020-99-99')", "kind", "true",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))", "S_EQUALS(geometry, POINT(1e300 1))",
    "S_CROSSES(geometry, geometry)", "S_WITHIN(geometry, GEOMETRYCOLLECTION(POINT(1 2)))", "code / 0 = 1",
    "name LIKE 5", "casei(5) = 6", "cell = 1", "T_AFTER(code, DATE('2020-01-01'))", "-180,-90,180,90",
    "180,-90,-180,90", "8b3096408ae8fff", "base.divisions/999", "base.nothing/1", "LINESTRING(0 0, 0 0)", "sum:name",
    "mean:kind", "distinct:name", "a-plan", "POLYGON((0 0, 1 0, 1 1, 0 0))", "POINT(116.5 31.7)", "0,89.999,1000000",
)  # fmt: skip
PLACES = ("items", "cells", "items/5", "tiles/WebMercatorQuad/12/1656/3374")


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.one_of(
        st.text(max_size=30),
        st.lists(st.floats() | st.integers(), max_size=6).map(lambda v: ",".join(map(str, v))),
        st.sampled_from(ODD),
    ),
    st.sampled_from(PLACES),
)
def test_no_parameter_breaks_the_server(city: SampleCity, name: str, value: str, place: str) -> None:
    answer = city.get(f"/collections/base.pois/{place}", params={name: value})
    assert answer.status_code in (200, 204, 400, 404), (answer.status_code, answer.text)
    assert "Traceback" not in answer.text and "SELECT" not in answer.text
