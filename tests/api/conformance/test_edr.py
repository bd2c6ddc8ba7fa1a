"""OGC API – Environmental Data Retrieval 1.1 (19-086r6): a test for each requirement, named by it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from gis.query.span import instant_text
from tests.api.conformance.edr_city import FIRST_DAY, HOURS, Get, area, cube, position, refused, told
from tests.measured_city import SILENT, START, STOPPED, place_of, value_of

# ---- core -----------------------------------------------------------------------------------------------------------


def test_req_core_root_success(get: Get) -> None:
    rels = {link["rel"] for link in told(get, "/?f=json")["links"]}
    assert {"service-desc", "conformance", "data"} <= rels


def test_req_core_conformance_success(get: Get) -> None:
    classes = told(get, "/conformance")["conformsTo"]
    for name in ("core", "collections", "json", "geojson", "edr-geojson", "covjson", "oas30", "queries"):
        assert f"http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/{name}" in classes


def test_req_core_api_definition_success(get: Get) -> None:
    paths = told(get, "/api")["paths"]
    for query in ("position", "area", "cube"):
        named = [
            p["$ref"].rpartition("/")[2] for p in paths[f"/collections/{{collectionId}}/{query}"]["get"]["parameters"]
        ]
        assert {"bbox" if query == "cube" else "coords", "datetime", "parameter-name", "z", "edr-crs", "f"} <= set(
            named
        )


def test_req_core_http(get: Get) -> None:
    assert get(position(), "HEAD").status_code == 200
    assert get(f"{HOURS}/corridor").status_code == 404


def test_req_core_crs84(get: Get) -> None:
    assert told(get, position())["domain"]["referencing"][0]["system"]["id"].endswith("/OGC/1.3/CRS84")


# ---- collections ----------------------------------------------------------------------------------------------------


@pytest.fixture
def document(get: Get) -> dict[str, Any]:
    return told(get, HOURS)


def test_req_collections_rc_md_success(get: Get, document: dict[str, Any]) -> None:
    listed = {c["id"]: c for c in told(get, "/collections")["collections"]}
    assert listed["trial.hours"]["data_queries"] == document["data_queries"]
    assert "data_queries" not in listed["trial.stations"]


def test_req_edr_rc_collection_info(document: dict[str, Any]) -> None:
    assert {"id", "title", "description", "links", "extent", "crs", "output_formats", "parameter_names"} <= set(
        document
    )
    assert document["output_formats"] == ["CoverageJSON", "GeoJSON", "CSV"]


def test_req_core_rc_extent(document: dict[str, Any]) -> None:
    ((west, south, east, north),) = document["extent"]["spatial"]["bbox"]
    assert (west, east) == (pytest.approx(place_of(0)[0]), pytest.approx(place_of(11)[0]))
    assert south == pytest.approx(north)
    ((start, _),) = document["extent"]["temporal"]["interval"]
    assert start == instant_text(START)


def test_req_edr_rc_crs(document: dict[str, Any]) -> None:
    assert document["crs"] == ["http://www.opengis.net/def/crs/OGC/1.3/CRS84"]


def test_req_edr_rc_parameters(document: dict[str, Any]) -> None:
    found = document["parameter_names"]
    assert list(found) == ["pm25_ugm3", "temperature_cel", "sd", "n", "quality"]
    one = found["pm25_ugm3"]
    assert one["type"] == "Parameter"
    assert one["observedProperty"]["label"] == {"zh": "细颗粒物", "en": "PM2.5"}
    assert one["unit"]["symbol"] == {"value": "ug/m3", "type": "http://www.opengis.net/def/uom/UCUM/"}


def test_req_edr_rc_data_queries_and_their_variables(get: Get, document: dict[str, Any]) -> None:
    assert set(document["data_queries"]) == {"position", "area", "cube"}
    for name, query in document["data_queries"].items():
        link = query["link"]
        assert {"href", "rel", "variables"} <= set(link)
        assert link["variables"]["query_type"] == name
        assert get(urlsplit(link["href"]).path).status_code == 400
    assert document["data_queries"]["cube"]["link"]["variables"]["height_units"] == ["m"]


def test_what_is_not_measured_has_no_queries(get: Get) -> None:
    assert get("/collections/trial.stations/position?coords=POINT(1 2)").status_code == 404
    assert get("/collections/trial.stations/latest").status_code == 404


# ---- queries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["position", "area"])
@pytest.mark.parametrize(
    "coords", [None, "", "POINT()", "POLYGON()", "POINT(200 10)", "LINESTRING(1 2,3 4)", "POINT Z (1 2 3)"]
)
def test_req_edr_coords_definition(get: Get, query: str, coords: str | None) -> None:
    refused(get, f"{HOURS}/{query}" + ("" if coords is None else f"?coords={quote(coords)}"), "coords")


def test_req_edr_rc_bbox_definition(get: Get) -> None:
    for bad in ("", "?bbox=1,2,3", "?bbox=1,2,3,4,5,6", "?bbox=a,b,c,d"):
        refused(get, f"{HOURS}/cube{bad}", "bbox")


def test_req_edr_point_coords_response(get: Get) -> None:
    found = told(get, position(f"&datetime={FIRST_DAY}&parameter-name=pm25_ugm3"))
    assert (found["type"], found["id"]) == ("Coverage", "S2")
    assert found["ranges"]["pm25_ugm3"]["values"] == [value_of(2, n)[0] for n in range(24)]  # type: ignore[index]


def test_a_point_beyond_the_reach_of_every_station_has_no_coverage(get: Get) -> None:
    assert told(get, position(coords="POINT(116.45 32.5)"))["coverages"] == []


def test_several_points_have_a_coverage_for_each_station(get: Get) -> None:
    several = f"MULTIPOINT(({place_of(1)[0]} 31.75),({place_of(4)[0]} 31.75),({place_of(4)[0]} 31.7501))"
    found = told(get, position(coords=several))
    assert {c["id"] for c in found["coverages"]} == {"S1", "S4"}


@pytest.mark.parametrize("path", [area, cube], ids=["polygon-coords-response", "rc-bbox-response"])
def test_req_edr_stations_in_the_area(get: Get, path: Callable[[str], str]) -> None:
    found = told(get, path(f"&datetime={FIRST_DAY}"))
    assert {c["id"] for c in found["coverages"]} == {"S1", "S2", "S3"}
    assert found["domainType"] == "PointSeries"


TIMES = [
    ("an instant", "2026-03-01T00:30:00Z", [8]),
    ("a closed interval", "2026-02-28T18:00:00Z/2026-02-28T20:00:00Z", [2, 3, 4]),
    ("open ends", "2026-03-02T14:00:00Z/..", [46, 47]),
    ("before there was anything", "2020-01-01", []),
]


@pytest.mark.parametrize(("when", "hours"), [t[1:] for t in TIMES], ids=[t[0] for t in TIMES])
def test_req_core_rc_time_response(get: Get, when: str, hours: list[int]) -> None:
    found = told(get, position(f"&datetime={when}"))
    if not hours:
        assert found["coverages"] == []
        return
    times = found["domain"]["axes"]["t"]["values"]
    assert times == [instant_text(START + timedelta(hours=n)) for n in hours]


def test_without_a_time_the_newest_value_answers(get: Get) -> None:
    found = {
        c["id"]: c["domain"]["axes"]["t"]["values"] for c in told(get, f"{HOURS}/cube?bbox=116,31,117,32")["coverages"]
    }
    assert found["S2"] == [instant_text(START + timedelta(hours=47))]
    assert found[f"S{STOPPED}"] == [instant_text(START + timedelta(hours=23))]
    assert f"S{SILENT}" not in found


@pytest.mark.parametrize("bad", ["yesterday", "2026-03-02/2026-03-01", "2026-03-01T00:00:00"])
def test_req_core_rc_time_definition(get: Get, bad: str) -> None:
    refused(get, position(f"&datetime={bad}"), "datetime")


def test_req_edr_parameters_response(get: Get) -> None:
    found = told(get, position("&parameter-name=temperature_cel,n"))
    assert set(found["ranges"]) == set(found["parameters"]) == {"temperature_cel", "n"}
    refused(get, position("&parameter-name=ozone"), "parameter-name")
    refused(get, position("&parameter-name="), "parameter-name")


HEIGHTS = [("one", "3", ["S2"]), ("a range", "0/3", ["S1", "S2"]), ("a list", "1.5,4.5", ["S1", "S3"]),
           ("repeated", "R2/1.5/1.5", ["S1", "S2"]), ("none there", "99", [])]  # fmt: skip


@pytest.mark.parametrize(("z", "stations"), [h[1:] for h in HEIGHTS], ids=[h[0] for h in HEIGHTS])
def test_req_edr_z_response(get: Get, z: str, stations: list[str]) -> None:
    found = told(get, cube(f"&z={z}"))
    assert {c["id"] for c in found["coverages"]} == set(stations)
    assert all(c["domain"]["axes"]["z"]["values"][0] == int(c["id"][1:]) * 1.5 for c in found["coverages"])


@pytest.mark.parametrize("bad", ["high", "1/2/3", "R0/1/1", "nan", "R2/1,2/3", "R2/1/", "1,2/3", "/3"])
def test_req_edr_z_definition(get: Get, bad: str) -> None:
    refused(get, cube(f"&z={bad}"), "z")


@pytest.mark.parametrize("crs", ["CRS84", "OGC:CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84"])
def test_req_edr_crs_response(get: Get, crs: str) -> None:
    assert told(get, position(f"&crs={quote(crs)}"))["id"] == "S2"
    refused(get, position("&crs=EPSG:2380"), "crs")


FORMS = {
    "CoverageJSON": "application/prs.coverage+json", "covjson": "application/prs.coverage+json",
    "GeoJSON": "application/geo+json", "CSV": "text/csv", "application/geo+json": "application/geo+json",
}  # fmt: skip


@pytest.mark.parametrize(("form", "kind"), FORMS.items())
def test_req_edr_f_response(get: Get, form: str, kind: str) -> None:
    answer = get(position(f"&f={quote(form)}"))
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind
    refused(get, position("&f=grib"), "f")


def test_unknown_parameters_are_refused(get: Get) -> None:
    for path in (position(), area(), cube()):
        refused(get, f"{path}&within=3", "within")
