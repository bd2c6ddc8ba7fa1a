"""OGC API – Features – Part 3: Filtering 1.0 (19-079r2) and CQL2 1.0 (21-065r2): one test a requirement."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conformance.documents import CRS84
from tests.api.conformance.documents import read as document
from tests.api.served_city import SampleCity

ITEMS = "/collections/base.buildings/items"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"


def ids(city: SampleCity, text: str | dict[str, Any], more: str = "", items: str = ITEMS) -> set[int]:
    language = "cql2-text" if isinstance(text, str) else "cql2-json"
    written = quote(text if isinstance(text, str) else json.dumps(text))
    always = "&datetime=../.." if "pois" in items else ""
    found = document(city, f"{items}?limit=500{always}&filter-lang={language}&filter={written}{more}")
    return {f["id"] for f in found["features"]}


def wanted(city: SampleCity, test: Any, collection: str = "base.buildings") -> set[int]:
    return {row.fid for row in city.rows[collection] if test(row)}


def test_queryables_queryables_link(city: SampleCity) -> None:
    links = document(city, "/collections/base.buildings")["links"]
    assert [link["type"] for link in links if link["rel"] == QUERYABLES] == ["application/schema+json"]


def test_queryables_get_queryables_op(city: SampleCity) -> None:
    for collection in ("base.buildings", "base.pois", "base.roads"):
        assert city.get(f"/collections/{collection}/queryables").status_code == 200


def test_queryables_get_queryables_response(city: SampleCity) -> None:
    answer = city.get("/collections/base.buildings/queryables")
    found = answer.json()
    assert answer.headers["content-type"] == "application/schema+json"
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema" and found["type"] == "object"
    assert found["$id"].endswith("/collections/base.buildings/queryables")
    assert all("type" in q or q["format"].startswith("geometry-") for q in found["properties"].values())


def test_queryables_expression_construction(city: SampleCity) -> None:
    """Every queryable can be named in a filter, and nothing else."""
    for name in document(city, "/collections/base.buildings/queryables")["properties"]:
        assert city.get(f"{ITEMS}?filter={name} IS NULL").status_code == 200, name
    assert city.get(f"{ITEMS}?filter=digest IS NULL").status_code == 400


def test_queryables_query_parameters_parameters(city: SampleCity) -> None:
    found = {f["id"] for f in document(city, f"{ITEMS}?use=school&storeys=11&limit=500")["features"]}
    assert found == wanted(city, lambda r: r.fields["use"] == "school" and r.fields["storeys"] == 11)


@pytest.mark.parametrize("name", ["filter", "filter-lang", "filter-crs"])
def test_filter_filter_param_and_filter_lang_param_and_filter_crs_param(city: SampleCity, name: str) -> None:
    api = document(city, "/api")
    found = api["components"]["parameters"][name]
    assert (found["in"], found["required"], found["schema"]["type"]) == ("query", False, "string")
    assert city.get(f"{ITEMS}?filter-lang=cql2-text&filter=n").status_code == 400
    assert city.get(f"{ITEMS}?filter-lang=other&filter=storeys=1").status_code == 400


def test_filter_filter_lang_default(city: SampleCity) -> None:
    assert (
        document(city, f"{ITEMS}?filter=storeys=3")["features"]
        == document(city, f"{ITEMS}?filter=storeys=3&filter-lang=cql2-text")["features"]
    )


def test_filter_filter_crs_wgs84(city: SampleCity) -> None:
    text = "S_INTERSECTS(geometry,BBOX(116.495,31.745,116.505,31.755))"
    assert ids(city, text) == ids(city, text, f"&filter-crs={CRS84}") != set()


def test_filter_filter_crs_action(city: SampleCity) -> None:
    latlon = "S_INTERSECTS(geometry,BBOX(31.745,116.495,31.755,116.505))"
    plain = "S_INTERSECTS(geometry,BBOX(116.495,31.745,116.505,31.755))"
    assert ids(city, latlon, "&filter-crs=http://www.opengis.net/def/crs/EPSG/0/4326") == ids(city, plain)


def test_filter_mixing_expressions(city: SampleCity) -> None:
    """A filter, a bbox and a queryable in one request: all must hold."""
    more = "&bbox=116.49,31.74,116.50,31.76&use=office"
    inside = {f["id"] for f in document(city, f"{ITEMS}?limit=500{more}")["features"]}
    assert ids(city, "storeys > 15", more) == inside & wanted(city, lambda r: r.fields["storeys"] > 15) != set()


def test_filter_response(city: SampleCity) -> None:
    everything = wanted(city, lambda r: True)
    assert ids(city, "storeys > 15") | ids(city, "NOT storeys > 15") == everything
    assert not ids(city, "storeys > 15") & ids(city, "storeys <= 15")


def test_features_filter_filter_param(city: SampleCity) -> None:
    for collection in ("base.buildings", "base.pois", "base.roads", "base.divisions"):
        assert city.get(f"/collections/{collection}/items?filter=code='x'").status_code == 200
        assert city.get(f"/collections/{collection}/items?filter=code=").status_code == 400


def prop(name: str) -> dict[str, str]:
    return {"property": name}


CASES: list[tuple[str, str, dict[str, Any], Any]] = [
    ("basic_cql2_binary_comparison_predicate", "use = 'school'", {"op": "=", "args": [prop("use"), "school"]},
     lambda f: f["use"] == "school"),
    ("basic_cql2_null_predicate", "name IS NULL", {"op": "isNull", "args": [prop("name")]},
     lambda f: f["name"] is None),
    ("basic_cql2_cql2_filter", "storeys > 3 AND (storeys < 9 OR NOT use = 'office')",
     {"op": "and", "args": [{"op": ">", "args": [prop("storeys"), 3]}, {"op": "or", "args": [
         {"op": "<", "args": [prop("storeys"), 9]},
         {"op": "not", "args": [{"op": "=", "args": [prop("use"), "office"]}]}]}]},
     lambda f: f["storeys"] > 3 and (f["storeys"] < 9 or f["use"] != "office")),
    ("advanced_comparison_operators_like_predicate", "code LIKE 'B1_'", {"op": "like", "args": [prop("code"), "B1_"]},
     lambda f: len(f["code"]) == 3 and f["code"].startswith("B1")),
    ("advanced_comparison_operators_between_predicate", "storeys BETWEEN 5 AND 7",
     {"op": "between", "args": [prop("storeys"), 5, 7]}, lambda f: 5 <= f["storeys"] <= 7),
    ("advanced_comparison_operators_in_predicate", "storeys IN (1, 2)", {"op": "in", "args": [prop("storeys"), [1, 2]]},
     lambda f: f["storeys"] in (1, 2)),
    ("case_insensitive_comparison_casei_function", "CASEI(code) = CASEI('b17')",
     {"op": "=", "args": [{"op": "casei", "args": [prop("code")]}, {"op": "casei", "args": ["b17"]}]},
     lambda f: f["code"] == "B17"),
    ("property_property", "height_m > storeys * 3.05",
     {"op": ">", "args": [prop("height_m"), {"op": "*", "args": [prop("storeys"), 3.05]}]},
     lambda f: f["height_m"] > f["storeys"] * 3.05),
    ("arithmetic_arithmetic", "(storeys + 1) % 5 = 0 OR storeys div 7 = 2 OR storeys ^ 2 = 81",
     {"op": "or", "args": [
         {"op": "=", "args": [{"op": "%", "args": [{"op": "+", "args": [prop("storeys"), 1]}, 5]}, 0]},
         {"op": "=", "args": [{"op": "div", "args": [prop("storeys"), 7]}, 2]},
         {"op": "=", "args": [{"op": "^", "args": [prop("storeys"), 2]}, 81]}]},
     lambda f: (f["storeys"] + 1) % 5 == 0 or f["storeys"] // 7 == 2 or f["storeys"] == 9),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree", "test"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_cql2_text_and_cql2_json(city: SampleCity, text: str, tree: dict[str, Any], test: Any) -> None:
    """Each class of operators in both encodings: the rows that Python finds."""
    expected = wanted(city, lambda r: test(r.fields))
    assert ids(city, text) == ids(city, tree) == expected != set()


AREA = "POLYGON((116.495 31.745, 116.505 31.745, 116.505 31.755, 116.495 31.755, 116.495 31.745))"
SPATIAL = ["intersects", "disjoint", "within", "contains", "touches", "overlaps", "crosses", "equals"]


@pytest.mark.parametrize("name", SPATIAL)
def test_spatial_functions_spatial_predicate(city: SampleCity, name: str) -> None:
    import shapely

    area = shapely.from_wkt(AREA)
    tree = {"op": f"s_{name}", "args": [prop("geometry"), json.loads(shapely.to_geojson(area))]}
    expected = wanted(city, lambda r: getattr(shapely, name)(r.shape, area))
    assert ids(city, f"S_{name.upper()}(geometry,{AREA})") == ids(city, tree) == expected


SPAN = "INTERVAL('2021-01-01T00:00:00Z','2022-01-01T00:00:00Z')"


@pytest.mark.parametrize("name", ["T_AFTER", "T_BEFORE", "T_INTERSECTS", "T_DISJOINT", "T_DURING", "T_STARTS"])
def test_temporal_functions_temporal_predicate(city: SampleCity, name: str) -> None:
    """A row's own valid time against an interval; T_INTERSECTS finds what `datetime` finds."""
    items = "/collections/base.pois/items"
    found = ids(city, f"{name}(INTERVAL(valid_from,valid_to),{SPAN})", items=items)
    interval = {"interval": ["2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z"]}
    own = {"interval": [prop("valid_from"), prop("valid_to")]}
    assert ids(city, {"op": name.lower(), "args": [own, interval]}, items=items) == found
    if name == "T_INTERSECTS":
        during = "datetime=2021-01-01T00:00:00Z/2022-01-01T00:00:00Z"
        assert found == {f["id"] for f in document(city, f"{items}?limit=900&{during}")["features"]} != set()


def test_cql2_text_escaping(city: SampleCity) -> None:
    items = "/collections/base.pois/items"
    assert ids(city, "name LIKE '%''s%'", items=items) == wanted(
        city, lambda r: "'s" in (r.fields["name"] or ""), "base.pois"
    )


def test_what_is_not_declared_is_refused(city: SampleCity) -> None:
    declared = document(city, "/conformance")["conformsTo"]
    cases = (("accent-insensitive-comparison", "ACCENTI(name) = 'a'"),
             ("array-functions", "A_CONTAINS(name, ('a','b'))"),
             ("functions", "pg_sleep(5) = 1"))  # fmt: skip
    for name, text in cases:
        assert not any(uri.endswith(f"/cql2/1.0/conf/{name}") for uri in declared)
        assert city.get(f"{ITEMS}?filter={quote(text)}").status_code == 400


def test_ids_ids_definition_and_ids_response(city: SampleCity) -> None:
    found = document(city, f"{ITEMS}?ids=3,5,99999")["features"]
    assert [f["id"] for f in found] == [3, 5] and city.get(f"{ITEMS}?ids=x").status_code == 400
