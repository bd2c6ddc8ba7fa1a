"""OGC API – Features – Part 1 (17-069r4), the classes GeoJSON, HTML and OpenAPI 3.0: a test for each requirement."""

import json
from typing import Any

import pytest
import shapely

from tests.api.conformance.documents import api, each, read
from tests.api.served_city import SampleCity


@each
def test_geojson_definition(city: SampleCity, collection: str) -> None:
    for path in ("items", "items/1", "items/123"):
        answer = city.get(f"/collections/{collection}/{path}", headers={"accept": "application/geo+json"})
        if answer.status_code == 200:
            assert answer.headers["content-type"] == "application/geo+json"


@each
def test_geojson_content(city: SampleCity, collection: str) -> None:
    for feature in read(city, f"/collections/{collection}/items?limit=200")["features"]:
        assert feature["type"] == "Feature" and isinstance(feature["properties"], dict)
        assert feature["geometry"] is None or shapely.from_geojson(json.dumps(feature["geometry"])).is_valid


PAGES = ["/", "/conformance", "/collections", "/collections/base.pois", "/collections/base.pois/items",
         "/collections/base.pois/items/5", "/collections/base.pois/queryables"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_html_definition(city: SampleCity, path: str) -> None:
    for answer in (city.get(path, headers={"accept": "text/html"}), city.get(f"{path}?f=html")):
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", PAGES)
def test_html_content(city: SampleCity, path: str) -> None:
    for language, word in (("zh", "一张图"), ("en", "One Map")):
        page = city.get(f"{path}?f=html&lang={language}").text
        assert page.startswith("<!doctype html>") and f'lang="{language}"' in page and word in page
        assert "<b>&" not in page and "<script" not in page


def test_oas30_oas_definition_1(city: SampleCity) -> None:
    kinds = {link["type"] for link in read(city, "/")["links"] if link["rel"] == "service-desc"}
    assert "application/vnd.oai.openapi+json;version=3.0" in kinds


def test_oas30_oas_definition_2(city: SampleCity) -> None:
    document = api(city)
    assert {"openapi", "info", "paths"} <= set(document) and {"title", "version"} <= set(document["info"])
    named = [op["operationId"] for operations in document["paths"].values() for op in operations.values()]
    assert len(named) == len(set(named))
    text = json.dumps(document)
    for ref in {part.partition('"')[0] for part in text.split('"$ref": "#/')[1:]}:
        place: Any = document
        for step in ref.split("/"):
            place = place[step]


def test_oas30_oas_impl(city: SampleCity) -> None:
    for path in ("/", "/conformance", "/collections", "/api"):
        assert path in api(city)["paths"] and city.get(path).status_code == 200


def test_oas30_completeness(city: SampleCity) -> None:
    for operations in api(city)["paths"].values():
        for operation in operations.values():
            assert any(status.startswith("2") for status in operation["responses"])
            assert "default" in operation["responses"]


@each
def test_oas30_queryables_are_parameters(city: SampleCity, collection: str) -> None:
    """17-069r4, 7.15.5: filters on properties are parameters named by them, of each collection its own."""
    named = api(city)["paths"][f"/collections/{collection}/items"]["get"]["parameters"]
    properties = read(city, f"/collections/{collection}/queryables")["properties"]
    told = {p["name"]: p["schema"] for p in named if "name" in p}
    assert told.keys() == properties.keys() - {"geometry"}
    assert all(schema["type"] == properties[name]["type"] for name, schema in told.items())


def test_oas30_exception_codes(city: SampleCity) -> None:
    for path in ("/collections/base.pois/items?bbox=x", "/collections/none", "/collections/base.pois/items/x"):
        answer = city.get(path)
        assert answer.headers["content-type"] == "application/problem+json" and answer.json()["status"] >= 400


def test_oas30_security(city: SampleCity) -> None:
    document = api(city)
    used = {name for operations in document["paths"].values() for op in operations.values()
            for need in op.get("security", []) for name in need}  # fmt: skip
    assert used <= set(document["components"]["securitySchemes"])
