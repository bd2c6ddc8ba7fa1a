"""OGC API – Features – Part 1: Core 1.0.1 (17-069r4): the abstract tests, one for each requirement, named by its id."""

from datetime import UTC, datetime, timedelta
from itertools import product
from urllib.parse import quote

import pytest
import shapely

from tests.api.conformance.documents import COLLECTIONS, CORE, CRS84, api, each, parameter, read, rels
from tests.api.served_city import Row, SampleCity


# /req/core/root-op, /req/core/root-success
def test_core_root_op(city: SampleCity) -> None:
    assert city.get("/").status_code == 200


def test_core_root_success(city: SampleCity) -> None:
    found = rels(read(city, "/"))
    assert {"conformance", "data"} <= found and found & {"service-desc", "service-doc"}


def test_core_api_definition_op(city: SampleCity) -> None:
    for link in read(city, "/")["links"]:
        if link["rel"] in ("service-desc", "service-doc"):
            assert city.get(link["href"].removeprefix("http://city.test")).status_code == 200


def test_core_api_definition_success(city: SampleCity) -> None:
    assert api(city)["openapi"].startswith("3.0") and api(city)["paths"]


def test_core_conformance_op(city: SampleCity) -> None:
    assert city.get("/conformance").status_code == 200


def test_core_conformance_success(city: SampleCity) -> None:
    assert CORE in read(city, "/conformance")["conformsTo"]


def test_core_http(city: SampleCity) -> None:
    for path in ("/", "/conformance", "/collections", "/api"):
        assert city.get(path, "HEAD").headers["content-type"] == city.get(path).headers["content-type"]
    assert city.get("/collections", "DELETE").status_code == 405 and city.get("/nothing").status_code == 404


@each
def test_core_crs84(city: SampleCity, collection: str) -> None:
    for feature in read(city, f"/collections/{collection}/items?limit=100")["features"]:
        if feature["geometry"]:
            west, south, east, north = shapely.geometry.shape(feature["geometry"]).bounds
            assert -180 <= west <= east <= 180 and -90 <= south <= north <= 90


def test_core_fc_md_op(city: SampleCity) -> None:
    assert city.get("/collections").status_code == 200


def test_core_fc_md_success(city: SampleCity) -> None:
    document = read(city, "/collections")
    assert isinstance(document["links"], list) and isinstance(document["collections"], list)


def test_core_fc_md_links(city: SampleCity) -> None:
    links = read(city, "/collections")["links"]
    assert {"self", "alternate"} <= {link["rel"] for link in links}
    assert all(link["rel"] and link["type"] for link in links)


def test_core_fc_md_items(city: SampleCity) -> None:
    assert set(COLLECTIONS) <= {c["id"] for c in read(city, "/collections")["collections"]}


def test_core_fc_md_items_links(city: SampleCity) -> None:
    for collection in read(city, "/collections")["collections"]:
        items = [link for link in collection["links"] if link["rel"] == "items"]
        assert items and all(link["type"] for link in items)


def test_core_fc_md_extent(city: SampleCity) -> None:
    for collection in read(city, "/collections")["collections"]:
        for west, south, east, north in collection["extent"].get("spatial", {}).get("bbox", []):
            assert -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90
            assert collection["extent"]["spatial"]["crs"] == CRS84
        for start, end in collection["extent"].get("temporal", {}).get("interval", []):
            assert start is None or end is None or start <= end


@each
def test_core_sfc_md_op(city: SampleCity, collection: str) -> None:
    assert city.get(f"/collections/{collection}").status_code == 200
    assert city.get("/collections/base.nothing").status_code == 404


@each
def test_core_sfc_md_success(city: SampleCity, collection: str) -> None:
    listed = {c["id"]: c for c in read(city, "/collections")["collections"]}
    assert read(city, f"/collections/{collection}") == listed[collection]


@each
def test_core_fc_op(city: SampleCity, collection: str) -> None:
    assert city.get(f"/collections/{collection}/items").status_code == 200


def test_core_fc_limit_definition(city: SampleCity) -> None:
    found = parameter(city, "limit")
    assert (found["name"], found["in"], found["required"]) == ("limit", "query", False)
    assert (found["style"], found["explode"]) == ("form", False)
    schema = found["schema"]
    assert schema["type"] == "integer" and schema["minimum"] == 1 <= schema["default"] <= schema["maximum"]


@each
@pytest.mark.parametrize("limit", [1, 7, 50, 10_000])
def test_core_fc_limit_response_1(city: SampleCity, collection: str, limit: int) -> None:
    assert len(read(city, f"/collections/{collection}/items?limit={limit}")["features"]) <= limit
    default = parameter(city, "limit")["schema"]["default"]
    assert len(read(city, f"/collections/{collection}/items")["features"]) <= default
    assert city.get(f"/collections/{collection}/items?limit=0").status_code == 400


def test_core_fc_bbox_definition(city: SampleCity) -> None:
    found = parameter(city, "bbox")
    assert (found["in"], found["style"], found["explode"]) == ("query", "form", False)
    assert (found["schema"]["minItems"], found["schema"]["maxItems"]) == (4, 6)


BOXES = [(116.45, 31.7, 116.55, 31.8), (116.4, 31.65, 116.41, 31.66), (179, 0, -179, 20), (-180, -90, 180, 90)]


@pytest.mark.parametrize(("collection", "box"), [*product(COLLECTIONS, BOXES)], ids=str)
def test_core_fc_bbox_response(city: SampleCity, collection: str, box: tuple[float, ...]) -> None:
    west, south, east, north = box
    parts = [(west, south, east, north)] if west <= east else [(west, south, 180, north), (-180, south, east, north)]
    area = shapely.union_all([shapely.box(*part) for part in parts])
    text = ",".join(map(str, box))
    found = {f["id"] for f in read(city, f"/collections/{collection}/items?limit=10000&bbox={text}")["features"]}
    wanted = {r.fid for r in city.rows[collection] if _now(r) and r.shape is not None and r.shape.intersects(area)}
    assert found == wanted
    higher = f"{west},{south},-10,{east},{north},10"
    assert len(read(city, f"/collections/{collection}/items?limit=10000&bbox={higher}")["features"]) == len(wanted)
    for wrong in ("1,2,3", "a,b,c,d", "0,10,1,5"):
        assert city.get(f"/collections/{collection}/items?bbox={wrong}").status_code == 400


def test_core_fc_time_definition(city: SampleCity) -> None:
    found = parameter(city, "datetime")
    assert (found["in"], found["schema"]["type"]) == ("query", "string")
    assert (found["required"], found["style"], found["explode"]) == (False, "form", False)


T1, T2 = datetime(2021, 3, 1, tzinfo=UTC), datetime(2022, 3, 1, 12, tzinfo=UTC)
TIMES = [
    ("2021-03-01T00:00:00Z", T1, T1), ("2021-03-01T08:00:00+08:00", T1, T1), ("2021-03-01T00:00:00Z/..", T1, None),
    ("../2022-03-01T12:00:00Z", None, T2), ("2021-03-01T00:00:00Z/2022-03-01T12:00:00Z", T1, T2),
    ("/2022-03-01T12:00:00Z", None, T2), ("2021-03-01T00:00:00Z/", T1, None),
    ("2021-03-01T00:00:00Z/P1YT12H", T1, T2), ("P1YT12H/2022-03-01T12:00:00Z", T1, T2),
]  # fmt: skip


@pytest.mark.parametrize(("text", "start", "end"), TIMES)
def test_core_fc_time_response(city: SampleCity, text: str, start: datetime | None, end: datetime | None) -> None:
    """Closed intervals: what ends or begins at an end of them is in the answer."""
    answer = read(city, f"/collections/base.pois/items?limit=10000&datetime={quote(text)}")
    found = sorted((f["id"], str(f["properties"]["valid_from"])) for f in answer["features"])
    wanted = [r for r in city.rows["base.pois"] if _during(r, start, end)]
    assert found == sorted((r.fid, str(r.start and r.start.isoformat())) for r in wanted) and wanted
    for wrong in ("2021-13-01T00:00:00Z", "yesterday", "2022-01-01T00:00:00Z/2021-01-01T00:00:00Z"):
        assert city.get(f"/collections/base.pois/items?datetime={wrong}").status_code == 400


@each
def test_core_query_param_unknown(city: SampleCity, collection: str) -> None:
    for path in ("/", "/conformance", "/collections", f"/collections/{collection}", f"/collections/{collection}/items"):
        assert city.get(f"{path}?unknown-parameter=1").status_code == 400


@each
def test_core_query_param_invalid(city: SampleCity, collection: str) -> None:
    for wrong in ("limit=x", "limit=-1", "bbox=1,2", "datetime=x"):
        assert city.get(f"/collections/{collection}/items?{wrong}").status_code == 400


@each
def test_core_fc_response(city: SampleCity, collection: str) -> None:
    document = read(city, f"/collections/{collection}/items")
    assert document["type"] == "FeatureCollection" and isinstance(document["features"], list)


@each
def test_core_fc_links(city: SampleCity, collection: str) -> None:
    document = read(city, f"/collections/{collection}/items?limit=1")
    assert {"self", "alternate", "next"} <= rels(document) or document["numberMatched"] <= 1


@each
def test_core_fc_rel_type(city: SampleCity, collection: str) -> None:
    for path in ("", "/items?limit=1", "/items/123", "/items/1"):
        answer = city.get(f"/collections/{collection}{path}")
        if answer.status_code == 200:
            assert all(link["rel"] and link["type"] for link in answer.json()["links"])


@each
def test_core_fc_timeStamp(city: SampleCity, collection: str) -> None:
    stamp = datetime.fromisoformat(read(city, f"/collections/{collection}/items")["timeStamp"])
    assert abs(datetime.now(UTC) - stamp) < timedelta(minutes=5)


@each
def test_core_fc_numberMatched(city: SampleCity, collection: str) -> None:
    document = read(city, f"/collections/{collection}/items?limit=3")
    assert document["numberMatched"] == len({*_paged(city, f"/collections/{collection}/items?limit=50")})


@each
def test_core_fc_numberReturned(city: SampleCity, collection: str) -> None:
    document = read(city, f"/collections/{collection}/items?limit=3")
    assert document["numberReturned"] == len(document["features"])


@each
def test_core_f_op(city: SampleCity, collection: str) -> None:
    first = read(city, f"/collections/{collection}/items?limit=1")["features"][0]
    assert city.get(f"/collections/{collection}/items/{first['id']}").status_code == 200
    assert city.get(f"/collections/{collection}/items/4503599627370496").status_code == 404


@each
def test_core_f_success(city: SampleCity, collection: str) -> None:
    first = read(city, f"/collections/{collection}/items?limit=1")["features"][0]
    feature = read(city, f"/collections/{collection}/items/{first['id']}")
    assert {name: feature[name] for name in ("type", "id", "geometry", "properties")} == first


@each
def test_core_f_links(city: SampleCity, collection: str) -> None:
    first = read(city, f"/collections/{collection}/items?limit=1")["features"][0]
    assert {"self", "alternate", "collection"} <= rels(read(city, f"/collections/{collection}/items/{first['id']}"))


def _paged(city: SampleCity, url: str) -> list[tuple[int, str | None]]:
    found = []
    for _ in range(60):
        document = read(city, url)
        found += [(f["id"], f["properties"].get("valid_from")) for f in document["features"]]
        following = [link["href"] for link in document["links"] if link["rel"] == "next"]
        if not following:
            return found
        url = following[0].removeprefix("http://city.test")
    raise AssertionError("paging does not end")


def _during(row: Row, start: datetime | None, end: datetime | None) -> bool:
    begins = row.start is None or end is None or row.start <= end
    return begins and (row.end is None or start is None or row.end > start)


def _now(row: Row) -> bool:
    now = datetime.now(UTC)
    return _during(row, now, now)
